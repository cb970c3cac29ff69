/*
 * collect.h
 *		Transforms that need all rows before they yield the first one.
 *
 * They take rows into a spool and, after the last page, make their result, a spool as
 * well, since both must live over commits and may be larger than memory.
 */
#ifndef RESOLUTE_COLLECT_H
#define RESOLUTE_COLLECT_H

#include "rows/spool.h"
#include "transform/field_path.h"
#include "transform/transform.h"

/* Rows that are yielded, or read back, at a time. */
#define COLLECT_BATCH_ROWS 100

typedef struct Collector Collector;

struct Collector
{
	Transform	base;			/* must be first; fields is what it yields */
	MemoryContext context;		/* of the spools */
	const FieldSet *taken;
	Spool	   *rows;			/* taken in */
	Spool	   *result;			/* what is yielded, once it is made */

	/* Take a page in; NULL: its rows as they are. */
	RowBatch   *(*take) (Collector *self, RowBatch *in, PageContext *page, StepCounts *counts);

	/* Make the result of rows, in the current context, which is that of the spools. */
	Spool	   *(*conclude) (Collector *self, PageContext *page);
};

/* Fill in what all of them share; takes rows with the fields taken. */
extern void collector_init(Collector *self, const char *step, const FieldSet *taken,
						   const FieldSet *yielded);

/* Keys (List of FieldPath *), ascending, nulls last, for spool_sorted(). */
extern Spool *collector_sorted(Collector *self, List *paths);

/* For each batch of a spool call fn; the batch is gone afterwards. */
extern void spool_each(Spool *spool, void (*fn) (void *arg, const Row *row), void *arg);

/* The keys of the group at hand. */
typedef struct GroupKeys
{
	MemoryContext context;		/* reset with each group */
	List	   *paths;			/* of FieldPath * */
	bool		begun;
	Datum	   *values;
	bool	   *nulls;
} GroupKeys;

extern void group_keys_init(GroupKeys *keys, List *paths);
extern bool group_keys_match(const GroupKeys *keys, const Row *row);
extern void group_keys_take(GroupKeys *keys, const Row *row);

/* Append members of an object: those of the keys, or one that begins so. */
extern void append_key_members(StringInfo out, const FieldSet *fields, const GroupKeys *keys);
extern void append_name(StringInfo out, const char *name);

/* Add a row that is the JSON object out, whose members are the fields in their order. */
extern void spool_put_object(Spool *spool, const FieldSet *fields, const StringInfo out);

/* Make a row of such an object, which it keeps. */
extern void row_set_object(Row *row, const FieldSet *fields, const StringInfo out);

/* Fields of these names (List of char *, UTF-8); raises 42701 where one stands there twice. */
extern FieldSet *fieldset_of_names(const char *step, List *names);

/* The i-th path (of a List of FieldPath *) of a row, as a key for spool_sorted(). */
extern Datum path_key(void *paths, int i, const Row *row, bool *isnull);

#endif							/* RESOLUTE_COLLECT_H */
