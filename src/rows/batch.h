/*
 * batch.h
 *		What flows: a RowBatch is a page of rows under shared field names.
 */
#ifndef RESOLUTE_BATCH_H
#define RESOLUTE_BATCH_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/timestamp.h"

#include "rows/value.h"

/* What is known of a field beyond its name. */
#define FIELD_CURSOR	0x01	/* passes on the field that the cursor follows */
#define FIELD_VOLATILE	0x02	/* made from now: not a change by itself */

typedef struct Field
{
	const char *name;			/* as written: "status", "fields.duedate" */
	uint8		flags;			/* FIELD_... */
} Field;

/*
 * Field names that all rows of a stream share.  It outlives the batches: it
 * belongs to the source or transform that makes them.
 */
typedef struct FieldSet
{
	int			nfields;
	Field	   *fields;
	bool		is_item;		/* rows stand for the item itself: the fields
								 * are only what was picked out of it */
} FieldSet;

typedef struct Row
{
	Value	   *values;			/* FieldSet.nfields of them */
	Value		item;			/* the source's item as it was sent, a slice of
								 * the page (VALUE_JSON); kept by transforms, so
								 * that a dead letter can hold it */
	Value		source;			/* missing, unless a transform has put another
								 * document in place of item (is_item): then the
								 * source's item, for dead letters */
} Row;

typedef struct RowBatch
{
	const FieldSet *fields;
	int			nrows;
	int			capacity;		/* rows there is room for */
	Row		   *rows;
	int			rank;			/* of the input of a merge that it came from */
} RowBatch;

/* Index of a field by its exact name, or -1. */
extern int	fieldset_find(const FieldSet *fields, const char *name);

/* The same loosely where there is no exact one (names_agree); the name has len bytes. */
extern int	fieldset_find_loosely(const FieldSet *fields, const char *name, int len);

/* The names for a hint, in the database's encoding: "a", "b"; "" without any. */
extern char *fieldset_names(const FieldSet *fields);

/* Index of the first field with all these FIELD_ flags, or -1. */
extern int	fieldset_find_flag(const FieldSet *fields, uint8 flags);

/* A set of nfields zeroed fields, palloc'd in the current context. */
extern FieldSet *fieldset_create(int nfields);

/* A batch with room for nrows rows (nrows = 0 at first), palloc'd here. */
extern RowBatch *batch_create(const FieldSet *fields, int capacity);

/* A copy whose rows may be moved about; their values are the same. */
extern RowBatch *batch_copy(const RowBatch *batch);

/* One more row, zeroed; makes room for it in the memory that the batch is in. */
extern Row *batch_add(RowBatch *batch);

/* What a row came from: the source's item, which a dead letter holds. */
static inline Value
row_origin(const Row *row)
{
	return row->source.kind != VALUE_MISSING ? row->source : row->item;
}

/* Append the row as a JSON object: its item if is_item, else its fields. */
extern void row_append_json(StringInfo out, const FieldSet *fields, const Row *row);

/* The same as a jsonb datum. */
extern Datum row_jsonb(const FieldSet *fields, const Row *row);

/*
 * A batch of the elements of a jsonb array, for the functions that can be
 * called from psql: is_item rows without picked fields.  Raises 22023 if it is
 * not an array of objects.
 */
extern RowBatch *batch_from_jsonb_array(Datum array);

/* ------------------------------------------------------------------------
 * What one page leaves behind, besides rows.
 * ------------------------------------------------------------------------
 */

/* The books of a step: for a sink, they balance on every page. */
typedef struct StepCounts
{
	int64		rows_in;
	int64		rows_out;
	int64		inserted;
	int64		updated;
	int64		unchanged;
	int64		stale;
	int64		duplicates;
	int64		filtered;
	int64		failed;
} StepCounts;

/* A row that could not be handled, and why: a dead letter to be. */
typedef struct RowFailure
{
	const char *step;			/* name of the step that refused it */
	const char *source;			/* of the one that fetched it, or NULL */
	Value		item;			/* the source's item */
	int			sqlerrcode;
	const char *message;		/* primary message, and detail if there is one */
} RowFailure;

/*
 * Handed to every transform and sink with each page.  Everything that hangs
 * off it is allocated in context, which is reset once the page is committed or
 * has been rolled back.
 */
typedef struct PageContext
{
	MemoryContext context;
	TimestampTz now;			/* one "now" for the whole page */
	List	   *failures;		/* of RowFailure */
	const char *source;			/* name of the step that fetched the page, or NULL */
} PageContext;

/*
 * Note that the step could not handle the row.  Copies what it needs of edata
 * into page->context.
 */
extern void page_fail_row(PageContext *page, const char *step, const Row *row,
						  const ErrorData *edata);

/*
 * Is this the kind of error that makes one row a dead letter, rather than
 * failing the step?  SQLSTATE class 22 and 23, and P0001.
 */
extern bool is_row_error(int sqlerrcode);

/*
 * Call fn(arg) in one subtransaction, in the caller's memory context.  NULL if all went well; else
 * the row error that undid it, allocated in that context.  Any other error is re-raised.
 */
extern ErrorData *guard_call(void (*fn) (void *arg), void *arg);

/*
 * Call fn(arg, i) for each row i in 0 .. nrows - 1, inside a subtransaction.
 * A row whose call raises a row error (is_row_error) is reported to
 * failed(arg, i, edata) and the rest goes on in a new subtransaction; any other
 * error is re-raised.  The common case costs one subtransaction for all rows.
 * fn is called in the caller's memory context.  It is there to compute, not to
 * write: a row that fails takes the database changes of the rows before it along.
 * edata is freed after failed() returns.
 */
extern void guard_rows(int nrows, void (*fn) (void *arg, int i),
					   void (*failed) (void *arg, int i, ErrorData *edata), void *arg);

/*
 * The same for work that is done for many rows at once: fn(arg, from, nrows) for ranges
 * of rows in their order, each in a subtransaction.  A range that raises a row error is halved
 * until the row is found; k bad rows of n cost O(k log n) calls.  What fn wrote for
 * the other ranges stays.  fn must leave nothing behind in memory until nothing can fail any more.
 */
extern void guard_ranges(int nrows, void (*fn) (void *arg, int from, int nrows),
						 void (*failed) (void *arg, int i, ErrorData *edata), void *arg);

#endif							/* RESOLUTE_BATCH_H */
