/*
 * row_step.h
 *		Steps that make rows out of rows by a transform of their own: filter,
 *		sort, group_by and so on (STEP_ROWS).
 */
#ifndef RESOLUTE_ROW_STEP_H
#define RESOLUTE_ROW_STEP_H

#include "flow/step.h"
#include "transform/transform.h"

/* What its parameters mean; made by row_step_compile(). */
typedef struct RowStep
{
	Template   *tmpl;			/* filter: a condition; omit of a source's rows: their
								 * columns; template */
	const char *sql;			/* filter, reduce: an expression; or NULL */
	List	   *keys;			/* of FieldPath *, SortKey * (sort) or char *
								 * (omit) */
	List	   *aggregates;		/* of Aggregate * */
	const char *text;			/* json_path: the path; reduce: the initial value */
	int64		size;			/* chunk */
} RowStep;

/*
 * Compile the parameters of the step, and note what it reads of its source's rows.  Raises
 * 22023 or 42601 for what is wrong with them.
 */
extern void row_step_compile(Step *step);

/*
 * Its transform, for rows with these fields, in the current context.  Raises 42703 for a field that
 * they do not have.
 */
extern Transform *row_step_create(const Step *step, const FieldSet *input);

/* Check what its parameters say in SQL; needs SPI. */
extern void row_step_check(const Step *step);

/* Are the rows it yields still items of a source, if those it takes are? */
extern bool row_step_keeps_items(const Step *step);

/* Does it hold rows back until all have come? */
extern bool step_holds_rows(const Step *step);

/* ... and makes others of them, in which they are parts? */
extern bool step_gathers_rows(const Step *step);

/*
 * Are the rows that it yields others than those it takes, so that their numbers
 * have nothing to do with each other?  Or come later, so that they do not balance yet?
 */
extern bool step_reshapes(const Step *step);

/* May it take rows and yield none, or the other way round? */
extern bool step_may_drop_all(const Step *step);

#endif							/* RESOLUTE_ROW_STEP_H */
