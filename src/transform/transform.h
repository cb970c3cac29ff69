/*
 * transform.h
 *		Rows to rows: map, filter, unique.
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

#endif							/* RESOLUTE_TRANSFORM_H */
