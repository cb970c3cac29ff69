/*
 * foresee.c
 *		How many rows a step will yield, for conditions that ask before a sink
 *		has read them.
 *
 * Its sources are spooled; their rows are taken through the steps once without a sink, and nothing
 * of that is kept but the number.
 */
#include "flow/pass.h"

#include "flow/unit.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

typedef struct Foresight
{
	Step	   *step;
	Pass	   *pass;
	int64		rows;
} Foresight;

/* The rows of a page, or of what a step has held back, that come out. */
static void
count_page(Run *run, Foresight *foresight, const Step *from, RowBatch *batch)
{
	PageContext page = {CurrentMemoryContext, GetCurrentTimestamp(), NIL, NULL};
	RowBatch  **batches = palloc0(sizeof(RowBatch *) * list_length(run->flow->all));

	CHECK_FOR_INTERRUPTS();
	pass_page(run, foresight->pass, from, batch, &page, batches);
	if (batches[foresight->step->number - 1])
		foresight->rows += batches[foresight->step->number - 1]->nrows;
	pass_settle(run, foresight->pass, true);
}

/* All rows of a spool, in a context that is emptied with each page. */
static void
count_spool(Run *run, Foresight *foresight, Stream *stream, MemoryContext context)
{
	RowBatch   *batch;

	spool_rewind(stream->spool);
	while ((batch = spool_next(stream->spool, SPOOL_PAGE_ROWS)) != NULL)
	{
		count_page(run, foresight, stream->fetch, batch);
		MemoryContextReset(context);
	}
}

/* What the steps have held back until then. */
static void
count_rest(Run *run, Foresight *foresight, MemoryContext context)
{
	Pass	   *pass = foresight->pass;

	for (int i = 0; i < pass->nsteps; i++)
	{
		PageContext page = {context, GetCurrentTimestamp(), NIL, NULL};
		Transform  *transform = pass->transforms[i];
		RowBatch   *batch;

		while (transform && transform->finish && (batch = transform->finish(transform, &page)))
		{
			count_page(run, foresight, pass->steps[i], batch);
			MemoryContextReset(context);
		}
	}
}

/* Unit: take all rows through the steps. */
static void
foresee_unit(Run *run, void *arg)
{
	Foresight  *foresight = arg;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "resolute page",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller;
	ListCell   *lc;

	foresight->rows = 0;
	foresight->pass = pass_of_rows(run, foresight->step);
	caller = MemoryContextSwitchTo(context);
	foreach(lc, foresight->step->roots)
	{
		Stream	   *stream = run_stream(run, lfirst(lc));

		if (stream->spool && !stream->failed)
			count_spool(run, foresight, stream, context);
	}
	count_rest(run, foresight, context);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	pass_end(run, foresight->pass);
}

bool
run_foresee(Run *run, Step *step)
{
	StepState  *state = step_state(run, step);
	Foresight	foresight = {step, NULL, 0};
	int64		opened = 0;
	ListCell   *lc;

	foreach(lc, step->roots)
		opened += run_stream(run, lfirst(lc))->opened;
	if (state->foreseen_opened == opened)
		return true;
	if (!run_unit(run, UNIT_DATABASE, NULL, foresee_unit, &foresight) || !run_commit(run))
		return false;
	state->foreseen = foresight.rows;
	state->foreseen_opened = opened;
	return true;
}
