/*
 * run_end.c
 *		How a run ends: what becomes of its error, its row in the books, the
 *		message that tells of it.
 */
#include "flow/run.h"

#include "flow/store.h"
#include "flow/unit.h"
#include "flow/watch.h"
#include "mb/pg_wchar.h"
#include "source/http.h"
#include "utils/timestamp.h"

/* Unit: the final state of the run and its steps. */
static void
end_unit(Run *run, void *arg pg_attribute_unused())
{
	ListCell   *lc;

	run_sum(run);
	runs_update(&run->record);
	if (run->record.next_attempt_at != 0)
		flow_defer(run->flow, run->record.next_attempt_at);
	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);
		StepState  *state = run->steps ? step_state(run, step) : NULL;

		if (state == NULL || state->done.pages == 0)
			continue;
		if (step->type->kind == STEP_UPSERT)
			state->done.output = sink_output(run, step);
		else if (state->output)
			state->done.output = pg_any_to_server(state->output, strlen(state->output), PG_UTF8);
		runs_write_step(run->record.run_id, &state->done);
	}
}

void
run_classify_error(Run *run)
{
	RunRecord  *record = &run->record;

	record->sqlerrcode = run->error->sqlerrcode;
	record->error_message = run->error->detail
		? psprintf("%s: %s", run->error->message, run->error->detail) : run->error->message;
	record->status = RUN_FAILED;
	if (run->error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		record->status = RUN_CANCELLED;
	if (run->error->sqlerrcode == ERRCODE_CONFIGURATION_LIMIT_EXCEEDED &&
		http_deferred_until() > GetCurrentTimestamp())
	{
		record->status = RUN_DEFERRED;
		record->next_attempt_at = http_deferred_until();
	}
}

/* Tell what the run did. */
static void
report_run(const Run *run)
{
	const RunRecord *record = &run->record;

	if (record->kind == RUN_REPLAY || record->kind == RUN_RECONCILE)
		return;					/* they tell by themselves */

	ereport(NOTICE,
			(errmsg("flow \"%s\": " INT64_FORMAT " fetched, " INT64_FORMAT " inserted, "
					INT64_FORMAT " updated, " INT64_FORMAT " unchanged, " INT64_FORMAT
					" failed in %.1f s",
					run->flow->name, record->source_records, record->counts.inserted,
					record->counts.updated, record->counts.unchanged, record->counts.failed,
					(record->finished_at - record->started_at) / 1000000.0)));
}

/* Where writing the end fails as well, the error that ended the run matters more. */
void
run_end(Run *run)
{
	ErrorData  *error = run->error;

	watch_forget(run);
	run->record.finished_at = GetCurrentTimestamp();
	if (error == NULL)
		run->record.status = RUN_SUCCEEDED;
	else
		run_classify_error(run);

	/*
	 * A transaction that met a conflict may be doomed, and the books with it.  They
	 * are no reason to wait for the place that is lost with it.
	 */
	if (error && run_is_conflict(error))
	{
		run_leave_queue(run);
		(void) run_rollback(run);
	}
	run->error = error;
	if (!run_unit(run, UNIT_BOOKS, run->context, end_unit, NULL) || !run_commit(run))
	{
		if (error == NULL)
			ReThrowError(run->error);
		run->error = error;
	}
	if (error == NULL)
		report_run(run);
}

void
run_raise_error(Run *run)
{
	ErrorData  *error = run->error;

	if (error->hint == NULL && run->record.status == RUN_DEFERRED)
		error->hint = psprintf("The next attempt is possible at %s.",
							   timestamptz_to_str(run->record.next_attempt_at));
	ReThrowError(error);
}
