/*
 * handling.c
 *		What a handler has at hand: dead_letter(), error() and state().
 */
#include "flow/failure.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(resolute_error);
PG_FUNCTION_INFO_V1(resolute_state);

/* Unit: there is no page to send. */
static void
no_page_unit(Run *run, void *arg pg_attribute_unused())
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("resolute.dead_letter() has no page to send"),
			 errdetail("Step \"%s\" failed, but not on the rows of a page.",
					   run->origin_step->name),
			 errhint("Use it in the handler of a step that takes rows, such as resolute.upsert().")));
}

/* The page as dead letters of a step. */
static void
fail_page(Run *run, const PageWork *work, const Step *step, PageContext *page)
{
	RowBatch   *batch = work->page->batch;

	for (int i = 0; i < batch->nrows; i++)
		page_fail_row(page, step->name, &batch->rows[i], run->origin);
}

/*
 * Unit: the page becomes dead letters, and the cursor moves over it.  Other sinks have lost it as
 * well, so that those which a replay of the failed step would not reach get letters of their own.
 */
static void
dead_letter_unit(Run *run, void *arg)
{
	PageWork   *work = arg;
	PageContext page = {CurrentMemoryContext, GetCurrentTimestamp(), NIL, work->stream->fetch->name};

	fail_page(run, work, run->origin_step, &page);
	for (int i = 0; i < work->pass->nsteps; i++)
	{
		const Step *sink = work->pass->steps[i];

		if (step_is_sink(sink) && step_reads_from(sink, page_origin(work)) &&
			!step_reads_from(sink, run->origin_step))
			fail_page(run, work, sink, &page);
	}
	dead_letters_write(run->letters, &page);

	/* A page that is held goes on to other steps: next_page() moves over it. */
	if (work->from == NULL && !work->stream->fetch->manual)
		stream_checkpoint(run, work->stream, work->page);
}

/* In the books every sink that missed the page has failed for its rows. */
static void
count_dead_page(Run *run, const PageWork *work)
{
	int64		rows = work->page->batch->nrows;

	for (int i = 0; i < work->pass->nsteps; i++)
	{
		const Step *step = work->pass->steps[i];
		StepState  *state = step_state(run, step);

		if (!step_is_sink(step) || !step_reads_from(step, page_origin(work)))
			continue;
		state->done.counts.failed += rows;
		state->done.counts.rows_in += rows;
		state->dead_lettered += rows;
		state->done.pages++;
	}
}

bool
run_dead_letter(Run *run, const Step *step)
{
	PageWork   *work = run->failed_page;
	StepState  *state = step_state(run, step);
	bool		done;

	if (work == NULL || work->taken)
		return run_fail(run, step, no_page_unit, NULL);
	done = run_unit(run, UNIT_DATABASE, NULL, dead_letter_unit, work) && run_commit(run);
	if (!done)
	{
		stream_drop(work->stream);
		return false;
	}
	stream_keep(work->stream);
	work->taken = true;
	count_dead_page(run, work);
	state->done.pages++;
	state->done.counts.rows_in += work->page->batch->nrows;
	return stream_write_storage(run, work->stream, false);
}

/* The run of this session whose flow the current user may look into. */
static Run *
visible_run(void)
{
	Run		   *run = run_current();

	return run && has_privs_of_role(GetUserId(), run->flow->owner) ? run : NULL;
}

Datum
resolute_error(PG_FUNCTION_ARGS)
{
	Run		   *run = visible_run();

	if (run == NULL || run->handled == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(run_jsonb(run->handled));
}

Datum
resolute_state(PG_FUNCTION_ARGS)
{
	Run		   *run = visible_run();

	if (run == NULL || run->steps == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(run_jsonb(run_state(run)));
}
