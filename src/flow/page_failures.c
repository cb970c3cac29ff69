/*
 * page_failures.c
 *		What rows that failed mean for their page, and for the letters that were
 *		written of earlier ones.
 */
#include "flow/failure.h"

#include "flow/policy.h"
#include "flow/row_step.h"
#include "resolute.h"

/* The last row of a page that a step could not handle, or NULL. */
static const RowFailure *
last_failure(const PageContext *page, const Step *step)
{
	const RowFailure *last = NULL;
	ListCell   *lc;

	foreach(lc, page->failures)
	{
		const RowFailure *failure = lfirst(lc);

		if (strcmp(failure->step, step->name) == 0)
			last = failure;
	}
	return last;
}

/*
 * Raise the error of a step, as it would have raised it itself.  It tells what was wrong, since
 * the letters of this page, perhaps of all pages, are not written.
 */
static void
check_step_failures(Run *run, const PageContext *page, const Step *step)
{
	StepState  *state = step_state(run, step);
	int64		limit = policy_max_failures(step);
	int64		failed = state->done.counts.failed - state->dead_lettered +
		state->staged.counts.failed;
	const RowFailure *last;
	StepContext context;

	if (limit < 0)
		limit = run->flow->max_failures;
	if (state->staged.counts.failed == 0 || failed <= limit)
		return;
	last = last_failure(page, step);
	step_context_push(&context, run->flow, step);
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("step \"%s\" of flow \"%s\" failed for more than " INT64_FORMAT " rows",
					step->name, run->flow->name, limit),
			 errdetail("The page with the last of them was not stored. Its error is: %s (SQLSTATE %s).",
					   last ? last->message : "unknown", last ? unpack_sql_state(last->sqlerrcode) : "XX000"),
			 errhint("Errors of pages that were stored are in resolute.dead_letters; "
					 "resolute.alter_flow() sets max_failures.")));
}

/*
 * What a trigger or a function raises (P0001) may be gone the next time: as long as the step has
 * attempts left, it fails the page rather than the row.
 */
static void
check_raised(Run *run, const PageWork *work, const Step *step)
{
	const Step *policy = policy_retry(step);
	StepContext context;
	ListCell   *lc;

	if (policy == NULL || work->attempt >= policy->policy.retry_attempts)
		return;
	foreach(lc, work->context.failures)
	{
		RowFailure *failure = lfirst(lc);

		if (failure->sqlerrcode != ERRCODE_RAISE_EXCEPTION || strcmp(failure->step, step->name) != 0)
			continue;
		step_context_push(&context, run->flow, step);
		ereport(ERROR,
				(errcode(failure->sqlerrcode), errmsg("%s", failure->message)));
	}
}

void
page_check_failures(Run *run, PageWork *work)
{
	for (int i = 0; i < work->pass->nsteps; i++)
	{
		check_raised(run, work, work->pass->steps[i]);
		check_step_failures(run, &work->context, work->pass->steps[i]);
	}
}

void
page_log_failures(Run *run, const PageContext *page)
{
	if (page->failures)
	{
		RowFailure *failure = linitial(page->failures);

		ereport(DEBUG1,
				(errmsg_internal("flow \"%s\": %d rows failed, the first in step \"%s\": %s",
								 run->flow->name, list_length(page->failures),
								 failure->step, failure->message)));
	}
}

void
page_resolve_letters(Run *run, PageWork *work, RowBatch **batches)
{
	for (int i = 0; i < work->pass->nsteps; i++)
	{
		const Step *step = work->pass->steps[i];
		List	   *names = NIL;

		if (!(step_is_sink(step) || step_gathers_rows(step)) ||
			!batches[step->input->number - 1])
			continue;
		for (int j = 0; j < work->pass->nsteps; j++)
		{
			const Step *other = work->pass->steps[j];

			if (step_reads_from(step, other))
				names = lappend(names, unconstify(char *, other->name));
		}
		dead_letters_resolve(run->letters, names, batches[step->input->number - 1],
							 &work->context);
	}
}
