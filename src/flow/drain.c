/*
 * drain.c
 *		A pass at work: the pages of its sources go through its transforms into
 *		all sinks that are fed together, one transaction a page.
 */
#include "flow/pass.h"

#include "flow/failure.h"
#include "flow/policy.h"
#include "flow/row_step.h"
#include "flow/unit.h"
#include "resolute.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* A page that meets 40001 or 40P01 is repeated this often under CALL. */
#define MAX_CONFLICTS 10

/* ... after a pause, which doubles so many times: 10 ms to 320 ms. */
#define CONFLICT_PAUSE_US 10000
#define CONFLICT_DOUBLINGS 5

/* Unit: everything that one page leaves behind. */
static void
work_unit(Run *run, void *arg)
{
	PageWork   *work = arg;
	RowBatch  **batches = palloc0(sizeof(RowBatch *) * list_length(run->flow->all));

	work->context.context = CurrentMemoryContext;
	work->context.now = GetCurrentTimestamp();
	work->context.failures = NIL;
	work->context.source = work->stream->fetch->name;
	pass_page(run, work->pass, page_origin(work), work->page->batch, &work->context, batches);
	page_log_failures(run, &work->context);
	if (!run->dry)
	{
		page_check_failures(run, work);
		dead_letters_write(run->letters, &work->context);
		page_resolve_letters(run, work, batches);
		if (!work->stream->fetch->manual && work->from == NULL)
			stream_checkpoint(run, work->stream, work->page);
	}

	/* Under CALL others can watch the run; else nobody sees it before its end. */
	if (!run->atomic)
	{
		run_sum(run);
		runs_update(&run->record);
	}
}

/* The page is committed (kept) or not. */
static void
settle_page(Run *run, PageWork *work, bool keep)
{
	pass_settle(run, work->pass, keep);
	if (keep)
		stream_keep(work->stream);
	else
		stream_drop(work->stream);
}

static void
report_progress(Run *run, Stream *stream)
{
	if (resolute_progress)
		ereport(NOTICE,
				(errmsg("flow \"%s\": page " INT64_FORMAT ", " INT64_FORMAT " fetched, "
						INT64_FORMAT " inserted, " INT64_FORMAT " updated, "
						INT64_FORMAT " unchanged, " INT64_FORMAT " failed",
						run->flow->name, stream->pages, run->record.source_records,
						run->record.counts.inserted, run->record.counts.updated,
						run->record.counts.unchanged, run->record.counts.failed)));
}

/* The sink that the page failed in, as far as that is known, or the first one it reaches. */
static const Step *
failed_sink(Run *run, const PageWork *work)
{
	const Step *found = NULL;

	for (int i = 0; i < work->pass->nsteps; i++)
	{
		const Step *step = work->pass->steps[i];

		if (!step_is_sink(step) || !step_reads_from(step, page_origin(work)))
			continue;
		if (found == NULL || step == run->error_step)
			found = step;
	}
	return found;
}

/* How often is the page tried?  That is for the step that failed to say, else for a sink. */
static const Step *
page_retry(Run *run, const PageWork *work)
{
	const Step *policy = run->error_step ? policy_retry(run->error_step) : NULL;

	for (int i = 0; policy == NULL && i < work->pass->nsteps; i++)
	{
		const Step *step = work->pass->steps[i];

		if (step_is_sink(step) && step_reads_from(step, page_origin(work)) &&
			(run->error_step == NULL || step_reads_from(step, run->error_step)))
			policy = policy_retry(step);
	}
	return policy;
}

/*
 * Let those go on whom the page was in conflict with.  Repeated at once, it would often take
 * the rows again that they are just being woken up for.
 */
static bool
yield_to_others(Run *run, int conflicts)
{
	/* A new snapshot is needed, and the transaction may be doomed. */
	run->error = NULL;
	run->record.retries++;
	return run_rollback(run) &&
		run_pause(run, (int64) CONFLICT_PAUSE_US << Min(conflicts - 1, CONFLICT_DOUBLINGS));
}

/* What the steps of the pass spent on the present page. */
static int64
staged_work_us(Run *run, const Pass *pass)
{
	int64		sum = 0;

	for (int i = 0; i < pass->nsteps; i++)
		sum += step_state(run, pass->steps[i])->staged.work_us;
	return sum;
}

/* Work on one page and commit it; the leader notes what that takes beside the steps. */
static bool
store_page(Run *run, PageWork *work, MemoryContext context)
{
	RunStepRecord *staged = &step_state(run, work->pass->leader)->staged;
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	if (!run_unit(run, UNIT_DATABASE, context, work_unit, work))
		return false;
	staged->books_us = Max(elapsed_us(start) - staged_work_us(run, work->pass), 0);
	INSTR_TIME_SET_CURRENT(start);
	if (!run_commit(run))
		return false;
	staged->commit_us = elapsed_us(start);
	return true;
}

bool
drain_page(Run *run, PageWork *work, MemoryContext context)
{
	int			conflicts = 0;

	work->attempt = 1;
	for (;;)
	{
		bool		done = store_page(run, work, context);

		settle_page(run, work, done);
		if (done)
			break;
		run->error_page = work->page->number;
		run->error_rows = work->page->batch->nrows;
		if (!run->atomic && run_is_conflict(run->error) && ++conflicts < MAX_CONFLICTS)
		{
			if (!yield_to_others(run, conflicts))
				return false;
		}
		else if (!run_try_again(run, failed_sink(run, work), page_retry(run, work), work->attempt++))
			return false;
	}
	run_sum(run);
	report_progress(run, work->stream);
	return stream_write_storage(run, work->stream, false);
}

/* Open the sources that a leader's pass reads, as far as their errors are not handled. */
static bool
open_sources(Run *run, const Step *leader)
{
	ListCell   *lc;

	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);

		if (stream->failed || !pass_reads(run, leader, stream->fetch))
			continue;
		if (!stream_prepare(run, stream) && !run_handle_pass(run, leader, stream, NULL))
			return false;
		if (stream->spool)
			spool_rewind(stream->spool);
	}
	return true;
}

typedef struct PassArg
{
	Step	   *leader;
	Pass	   *pass;
} PassArg;

/* Unit: make the steps of the pass. */
static void
pass_unit(Run *run, void *arg)
{
	PassArg    *pass = arg;

	pass->pass = pass_begin(run, pass->leader);
}

/* Make the pass, as often as its steps may be tried. */
static bool
begin_pass(Run *run, PassArg *arg)
{
	for (int attempt = 1;; attempt++)
	{
		const Step *failed;

		if (run_unit(run, UNIT_DATABASE, NULL, pass_unit, arg) && run_commit(run))
			return true;
		failed = run->error_step ? run->error_step : arg->leader;
		if (run_try_again(run, failed, policy_retry(failed), attempt))
			continue;

		/* Where one sink was given up, others may go on. */
		if (!run_handle_pass(run, arg->leader, NULL, NULL))
			return false;
	}
}

/* The sources that still have pages for this pass. */
static List *
live_streams(Run *run, const Pass *pass, const List *ended)
{
	List	   *streams = NIL;
	ListCell   *lc;

	foreach(lc, pass->roots)
	{
		Stream	   *stream = run_stream(run, lfirst(lc));

		if (!stream->failed && !list_member_ptr(ended, stream))
			streams = lappend(streams, stream);
	}
	return streams;
}

bool
drain_take_turns(Run *run, const PageWork *work)
{
	for (int i = 0; i < work->pass->nsteps; i++)
	{
		const Step *step = work->pass->steps[i];

		if (step->policy.rate_n > 0 && step_reads_from(step, page_origin(work)) &&
			!run_take_turn(run, step, false))
			return false;
	}
	return true;
}

/* All pages of the pass, as they come. */
static bool
drain_pages(Run *run, Pass *pass)
{
	PageWork	work = {.pass = pass};
	List	   *ended = NIL;
	List	   *streams;

	while ((streams = live_streams(run, pass, ended)) != NIL)
	{
		MemoryContext context;
		bool		drained;

		/* The one served last comes last, as long as it is among them. */
		if (!list_member_ptr(streams, work.stream))
			work.stream = linitial(streams);
		work.taken = false;
		drained = stream_first(run, streams, &work.stream) &&
			stream_next(run, work.stream, &work.page, &context);
		list_free(streams);
		if (!drained)
		{
			if (!run_handle_pass(run, pass->leader, work.stream, NULL))
				return false;
			continue;
		}
		if (work.page == NULL || work.stream->fetch->manual)
			ended = lappend(ended, work.stream);
		if (work.page == NULL)
		{
			work.stream->drained = true;
			continue;
		}
		drained = drain_take_turns(run, &work) && drain_page(run, &work, context);
		if (!drained)
			drained = run_handle_pass(run, pass->leader, work.stream, &work);
		if (drained && work.stream->fetch->manual)
			work.stream->page_done = true;
		else if (!work.stream->fetch->manual)
			MemoryContextDelete(context);
		if (!drained)
			return false;
	}
	list_free(ended);
	return true;
}

bool
run_drain(Run *run, Step *leader)
{
	PassArg		arg = {leader, NULL};
	ListCell   *lc;

	if (!open_sources(run, leader) || !begin_pass(run, &arg) || !drain_pages(run, arg.pass) ||
		!drain_rest(run, arg.pass))
		return false;
	foreach(lc, arg.pass->roots)
		stream_note_fed(run, run_stream(run, lfirst(lc)), leader);

	/* What pages did not do in the caller's transaction: the next steps may look. */
	foreach(lc, arg.pass->roots)
	{
		Stream	   *stream = run_stream(run, lfirst(lc));

		if ((run->atomic || stream->fetch->at_end) && !stream->fetch->needs_spool &&
			!stream_finish(run, stream))
			return false;
	}
	return true;
}
