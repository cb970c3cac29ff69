/*
 * row_work.c
 *		A page on its way through a transform that works row by row.
 */
#include "transform/row_work.h"

void
work_failed(void *arg, int i, ErrorData *edata)
{
	RowWork    *work = arg;

	work->counts->failed++;
	page_fail_row(work->page, work->self->step, &work->in->rows[i], edata);
}

RowBatch *
work_rows(Transform *self, RowBatch *in, PageContext *page, StepCounts *counts,
		  void (*fn) (void *work, int i))
{
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	RowWork		work = {self, page, in, batch_create(self->fields, in->nrows), counts};

	guard_rows(in->nrows, fn, work_failed, &work);
	counts->rows_in += in->nrows;
	counts->rows_out += work.out->nrows;
	MemoryContextSwitchTo(caller);
	return work.out;
}
