/*
 * rest.c
 *		After the last page of a pass: the rows that its steps have held back.
 */
#include "flow/pass.h"

#include "flow/failure.h"
#include "flow/policy.h"
#include "flow/unit.h"
#include "flow/watch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Unit: the next rows that a step has held back, as a page. */
static void
rest_unit(Run *run, void *arg)
{
	PageWork   *work = arg;
	PageContext page = {CurrentMemoryContext, GetCurrentTimestamp(), NIL, work->stream->fetch->name};
	Transform  *transform = step_state(run, work->from)->transform;
	StepContext context;
	Watch	   *watch;
	RowBatch   *batch;

	step_context_push(&context, run->flow, work->from);
	watch = watch_begin(run, work->from, work->from->policy.timeout_us);
	batch = transform->finish(transform, &page);
	watch_end(watch);
	step_context_pop(&context);
	work->page = batch ? palloc0(sizeof(SourcePage)) : NULL;
	if (batch)
		work->page->batch = batch;
}

/* Get the next rows that a step has held back; *work->page is NULL at the end. */
static bool
next_rest(Run *run, PageWork *work, MemoryContext context)
{
	for (int attempt = 1;; attempt++)
	{
		if (run_unit(run, UNIT_DATABASE, context, rest_unit, work) && run_commit(run))
			return true;
		if (!run_try_again(run, work->from, policy_retry(work->from), attempt))
			return false;
	}
}

/* The cursors must not move beyond rows that a step has held back for good. */
static void
skip_rest(Run *run, const Step *step)
{
	ListCell   *lc;

	foreach(lc, step->roots)
		run_stream(run, lfirst(lc))->skipped = true;
}

/* What a step has held back must come again where a part of it did not come. */
static bool
rest_is_whole(Run *run, const Step *step)
{
	bool		whole = true;
	ListCell   *lc;

	foreach(lc, step->roots)
		whole = whole && !run_stream(run, lfirst(lc))->failed;
	if (!whole)
		skip_rest(run, step);
	return whole;
}

/* All that a step has held back. */
static bool
drain_held(Run *run, Pass *pass, Step *step)
{
	PageWork	work = {.pass = pass, .from = step};

	work.stream = run_stream(run, step->root);
	while (rest_is_whole(run, step))
	{
		MemoryContext context = AllocSetContextCreate(run->context, "resolute page",
													  ALLOCSET_DEFAULT_SIZES);
		bool		come = next_rest(run, &work, context);
		bool		drained = true;

		if (!come)
		{
			skip_rest(run, step);
			drained = run_handle_pass(run, pass->leader, work.stream, NULL);
		}
		else if (work.page && !(drain_take_turns(run, &work) && drain_page(run, &work, context)))
			drained = run_handle_pass(run, pass->leader, work.stream, &work);
		MemoryContextDelete(context);
		if (!drained || !come || work.page == NULL)
			return drained;
	}
	return true;
}

bool
drain_rest(Run *run, Pass *pass)
{
	for (int i = 0; i < pass->nsteps; i++)
	{
		if (pass->transforms[i] && pass->transforms[i]->finish &&
			!drain_held(run, pass, pass->steps[i]))
			return false;
	}
	return true;
}
