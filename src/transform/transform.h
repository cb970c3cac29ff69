/*
 * transform.h
 *		Rows to rows: map, filter, unique, sort and so on.
 *
 * A transform sees one page after the other.  What it remembers from page to
 * page (the seen-set of unique) is staged while a page is worked on, and kept
 * or dropped when the page is committed or rolled back, so that a retried
 * page starts clean.
 */
#ifndef RESOLUTE_TRANSFORM_H
#define RESOLUTE_TRANSFORM_H

#include "postgres.h"

#include "rows/batch.h"
#include "transform/template.h"

typedef struct Transform Transform;

struct Transform
{
	const char *step;			/* name of the step, for failures */
	const FieldSet *fields;		/* of the rows it yields */

	/*
	 * Transform a page.  May work in place.  The batch that it returns lives in
	 * page->context.  Adds what it does to *counts; rows it cannot handle go to
	 * page_fail_row().
	 */
	RowBatch   *(*process) (Transform *self, RowBatch *in, PageContext *page,
							StepCounts *counts);
	void		(*keep) (Transform *self);	/* the page is committed; may be NULL */
	void		(*drop) (Transform *self);	/* it was rolled back; may be NULL */

	/*
	 * NULL, or this transform holds rows back: what it yields after the last page was
	 * kept, a batch at a time, in page->context; then NULL.  Each batch is delivered once;
	 * after NULL everything begins anew.
	 */
	RowBatch   *(*finish) (Transform *self, PageContext *page);
};

/*
 * All constructors allocate in the current context, which must live as long as
 * the run, and take the fields of the input.
 */

/* Each row becomes what the template makes of it (map). */
extern Transform *map_create(const char *step, Template *tmpl, const FieldSet *input);

/*
 * Drop duplicates (unique).  keys are exact field names of the input, in order;
 * raises UNDEFINED_COLUMN with the list of fields where one is unknown (not for
 * is_item rows, whose members are looked up in the item).
 *
 * Within a page the last row of a key wins, in the place of the first one;
 * over pages an exact repeat is dropped and a changed row passes on.  With
 * keep_first the first row of a key wins, strictly.  A row without a key (null
 * or missing part) fails with NOT_NULL_VIOLATION.  The seen-set is bounded by work_mem,
 * then spills to a temporary file that survives commits.
 */
extern Transform *unique_create(const char *step, List *keys, bool keep_first,
								const FieldSet *input);

/*
 * Of rows that several inputs of a merge bring, the newest version of a key shall win (as the
 * field that the cursor follows says), in a tie that of the input named later.  A row passes
 * on only if none that outranks it has.
 */
extern void unique_over_merge(Transform *unique);

/*
 * The rows of several inputs as one stream with the union of their fields (merge); inputs that are
 * NULL yield none.  A page comes from one of them: merge_page() takes the place of process.
 */
extern Transform *merge_create(const char *step, int ninputs, const FieldSet **inputs);
extern RowBatch *merge_page(Transform *transform, int input, RowBatch *in, PageContext *page,
							StepCounts *counts);

/* The union of fields, palloc'd. */
extern FieldSet *merge_fields(int ninputs, const FieldSet **inputs);

/* Inputs of one merge, and inputs of merges below it, that are told apart. */
#define MERGE_RANKS 64

/*
 * Pass on the rows for which a condition is true (filter): a template's
 * (condition_compile), or an SQL boolean over item jsonb.  One of both is NULL.
 */
extern Transform *filter_create(const char *step, Template *condition, const char *sql,
								const FieldSet *input);

/* The statement that the SQL of a filter becomes: $1 is jsonb[], it returns the numbers of rows. */
extern char *filter_sql(const char *condition);

/* What to sort by: FieldPath and order. */
typedef struct SortKey
{
	struct FieldPath *path;
	bool		descending;
	bool		nulls_first;
} SortKey;

/* Keys as in ORDER BY: "priority desc nulls last, created".  Raises 22023 and 42601. */
extern List *sort_keys_from_text(const char *what, const char *text);

/* All rows in the order of the keys (List of SortKey *), ties as they came. */
extern Transform *sort_create(const char *step, List *keys, const FieldSet *input);

/*
 * One row for each combination of keys (List of FieldPath *), in their order: the keys,
 * "count" and "items".  Null is a key like any other, the last one.
 */
extern Transform *group_create(const char *step, List *keys, const FieldSet *input);

/* One row for each "size" rows: "chunk" (1, 2, ...), "count" and "items". */
extern Transform *chunk_create(const char *step, int64 size, const FieldSet *input);

/*
 * One row for each element of the array that the rows have at the path, with the element in
 * the place of the array.  Rows with an empty one, or none, are filtered out; a value that is no array
 * fails with 22023.
 */
extern Transform *flatten_create(const char *step, struct FieldPath *path, const FieldSet *input);

/* Rows of these fields only, in this order (List of FieldPath *). */
extern Transform *pick_create(const char *step, List *paths, const FieldSet *input);

/* Rows without these fields (List of char *): those of items are members of the item. */
extern Transform *omit_create(const char *step, List *names, const FieldSet *input);

/* A row for each thing that an SQL/JSON path finds in the row. */
extern Transform *json_path_create(const char *step, const char *path, const FieldSet *input);

/* An aggregate of SQL over a field, or over the rows. */
typedef enum AggregateKind
{
	AGGREGATE_COUNT,
	AGGREGATE_SUM,
	AGGREGATE_AVG,
	AGGREGATE_MIN,
	AGGREGATE_MAX,
	AGGREGATE_ARRAY
} AggregateKind;

typedef struct Aggregate
{
	AggregateKind kind;
	struct FieldPath *path;		/* NULL: of count(*) */
	const char *name;			/* of the field that it makes, UTF-8 */
} Aggregate;

/* Aggregates as in a select list: "count(*), sum(points) as points".  Raises 22023 and 42601. */
extern List *aggregates_from_text(const char *what, const char *text);

/* One row for each combination of keys (List of FieldPath *), or one for all rows. */
extern Transform *aggregate_create(const char *step, List *aggregates, List *keys,
								   const FieldSet *input);

/*
 * One row: what an SQL expression over acc jsonb and item jsonb, applied to one row after the
 * other, makes of the initial value (jsonb as text).
 */
extern Transform *reduce_create(const char *step, const char *expression, const char *initial,
								const FieldSet *input);

/* The statement that the expression becomes: $1 is acc, $2 is item. */
extern char *reduce_sql(const char *expression);

/* One row with a field "text": what a template in text mode makes of the array of all rows. */
extern Transform *text_create(const char *step, Template *tmpl, const FieldSet *input);

/* First one, then the other: the rows of a step that needs both. */
extern Transform *chain_create(Transform *first, Transform *second);

#endif							/* RESOLUTE_TRANSFORM_H */
