/*
 * row_work.h
 *		A page on its way through a transform that works row by row.
 */
#ifndef RESOLUTE_ROW_WORK_H
#define RESOLUTE_ROW_WORK_H

#include "transform/transform.h"

typedef struct RowWork
{
	Transform  *self;
	PageContext *page;
	RowBatch   *in;
	RowBatch   *out;			/* empty at first */
	StepCounts *counts;
} RowWork;

/*
 * What process() of such a transform does: call fn(RowWork *, i) for each row, which adds rows to
 * out as its last act.  Rows that raise a row error fail.
 */
extern RowBatch *work_rows(Transform *self, RowBatch *in, PageContext *page, StepCounts *counts,
						   void (*fn) (void *work, int i));

/* The row has failed: for guard_rows() and guard_ranges(), whose arg begins with a RowWork. */
extern void work_failed(void *work, int i, ErrorData *edata);

#endif							/* RESOLUTE_ROW_WORK_H */
