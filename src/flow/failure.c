/*
 * failure.c
 *		What happens when a step fails: it is tried again, then its handlers have
 *		the error.
 *
 * Some errors end the run all the same: a cancel, a server that asks for a longer wait than
 * max_wait, the loss of a lock, and in the caller's transaction a conflict, which has
 * doomed it.
 */
#include "flow/failure.h"

#include "flow/policy.h"
#include "mb/pg_wchar.h"
#include "resolute.h"
#include "rows/json.h"
#include "source/http.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Does the error end the run, whatever anybody has in store for it? */
static bool
ends_run(const Run *run)
{
	int			code = run->error->sqlerrcode;

	if (run->fatal || code == ERRCODE_QUERY_CANCELED)
		return true;
	if (code == ERRCODE_CONFIGURATION_LIMIT_EXCEEDED &&
		http_deferred_until() > GetCurrentTimestamp())
		return true;
	return run->atomic && run_is_conflict(run->error);
}

/* Has the timeout of a block around the step ended it? */
static bool
timed_out_outside(const Run *run, const Step *step)
{
	if (!run->timed_out)
		return false;
	for (const Step *outer = step->parent; outer; outer = outer->parent)
	{
		if (outer == run->error_step)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------------
 * Waiting, and trying again
 * ------------------------------------------------------------------------
 */

/* Unit: wait. */
static void
pause_unit(Run *run pg_attribute_unused(), void *arg)
{
	http_pause((*(int64 *) arg + 999) / 1000);
}

bool
run_pause(Run *run, int64 us)
{
	return run_unit(run, UNIT_NETWORK, NULL, pause_unit, &us);
}

bool
run_try_again(Run *run, const Step *step, const Step *policy, int attempt)
{
	int64		wait_us;

	run->error_attempts = attempt;
	if (policy == NULL || attempt >= policy->policy.retry_attempts || ends_run(run) ||
		timed_out_outside(run, step))
		return false;
	if (run->error_step)
		step = run->error_step;
	wait_us = policy_wait_us(policy, attempt);
	ereport(resolute_progress ? NOTICE : DEBUG1,
			(errmsg("flow \"%s\": attempt %d of step \"%s\" failed, the next one follows in %.1f s: %s",
					run->flow->name, attempt, step->name, wait_us / 1000000.0, run->error->message)));
	run->record.retries++;
	step_state(run, step)->done.retries++;

	/* What was begun is undone; a transaction that met a conflict may be doomed. */
	if (!(run_is_conflict(run->error) ? run_rollback(run) : run_commit(run)))
		return false;

	/* The error may be that of a commit, whose abort freed the place in the queue. */
	if (!run_keep_place(run))
		return false;
	run->error = NULL;
	return run_pause(run, wait_us);
}

/* How long to wait for the turn of one more execution. */
static int64
turn_wait_us(Run *run, const Step *step)
{
	StepState  *state = step_state(run, step);
	TimestampTz oldest;

	if (state->starts == NULL)
		state->starts = MemoryContextAllocZero(run->context,
											   sizeof(TimestampTz) * step->policy.rate_n);
	oldest = state->starts[state->next_start];
	if (oldest == 0)
		return 0;
	return Max(oldest + step->policy.rate_per_us - GetCurrentTimestamp(), 0);
}

int64
run_try_turn(Run *run, const Step *step, bool blocks)
{
	int64		wait_us = 0;

	for (const Step *at = step; at; at = blocks ? policy_block(at) : NULL)
	{
		if (at->policy.rate_n > 0)
			wait_us = Max(wait_us, turn_wait_us(run, at));
	}
	for (const Step *at = step; at && wait_us == 0; at = blocks ? policy_block(at) : NULL)
	{
		StepState  *state = step_state(run, at);

		if (at->policy.rate_n == 0)
			continue;
		state->starts[state->next_start] = GetCurrentTimestamp();
		state->next_start = (state->next_start + 1) % at->policy.rate_n;
	}
	return wait_us;
}

bool
run_take_turn(Run *run, const Step *step, bool blocks)
{
	int64		wait_us;

	while ((wait_us = run_try_turn(run, step, blocks)) > 0)
	{
		if (!run_pause(run, wait_us))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------------
 * Handlers
 * ------------------------------------------------------------------------
 */

/* Append a text in the database's encoding as a member, or null. */
static void
append_text(StringInfo out, const char *name, const char *text)
{
	char	   *utf8;

	appendStringInfo(out, ", \"%s\": ", name);
	if (text == NULL)
	{
		appendStringInfoString(out, "null");
		return;
	}
	utf8 = pg_server_to_any(text, strlen(text), PG_UTF8);
	appendStringInfoChar(out, '"');
	json_append_escaped(out, utf8, strlen(utf8));
	appendStringInfoChar(out, '"');
}

/* A number, or null for 0. */
static void
append_number(StringInfo out, const char *name, int64 number)
{
	if (number == 0)
		appendStringInfo(out, ", \"%s\": null", name);
	else
		appendStringInfo(out, ", \"%s\": " INT64_FORMAT, name, number);
}

/* Unit: what error() gives from now on. */
static void
describe_unit(Run *run, void *arg)
{
	const ErrorData *error = arg;
	StringInfoData out;

	initStringInfo(&out);
	append_text(&out, "step", run->error_step ? run->error_step->name : NULL);
	append_text(&out, "sqlstate", unpack_sql_state(error->sqlerrcode));
	append_text(&out, "message", error->message);
	append_text(&out, "detail", error->detail);
	append_text(&out, "hint", error->hint);
	append_number(&out, "attempts", run->error_attempts);
	append_number(&out, "page", run->error_page);
	append_number(&out, "rows", run->error_rows);
	appendStringInfoChar(&out, '}');
	out.data[0] = '{';
	run->handled = MemoryContextStrdup(run->context, out.data);
}

/* Tell, in the error of a handler, what it was handling. */
static void
add_origin(Run *run, const ErrorData *origin, const Step *step)
{
	ErrorData  *error = run->error;
	MemoryContext old = MemoryContextSwitchTo(run->context);
	char	   *text = psprintf("It was raised while this error of step \"%s\" was handled: %s",
								step->name, origin->message);

	error->detail = error->detail ? psprintf("%s\n%s", error->detail, text) : text;
	MemoryContextSwitchTo(old);
}

/* Run one list of handler steps for the error; false, with that of the handler, if it fails. */
static bool
run_handler(Run *run, const Step *step, List *handler)
{
	ErrorData  *error = run->error;
	const Step *origin = run->error_step ? run->error_step : step;

	if (run_is_conflict(error) && !run_rollback(run))
		return false;
	run->error_step = run->origin_step = origin;
	run->origin = error;
	run->error = NULL;
	if (run_unit(run, UNIT_NETWORK, NULL, describe_unit, error) &&
		run_commit(run) && run_keep_place(run) && run_steps(run, handler))
	{
		ereport(DEBUG1,
				(errmsg_internal("flow \"%s\": error of step \"%s\" was handled: %s",
								 run->flow->name, origin->name, error->message)));
		run->record.handled_errors++;
		return true;
	}
	if (!ends_run(run))
		add_origin(run, error, origin);
	return false;
}

bool
run_handle(Run *run, const Step *step, PageWork *page)
{
	const ErrorData *outer_origin = run->origin;
	const Step *outer_step = run->origin_step;
	char	   *outer_handled = run->handled;
	PageWork   *outer_page = run->failed_page;
	bool		done = false;
	ListCell   *lc;

	run->failed_page = page;
	foreach(lc, step->handlers)
	{
		if (run->preview || run->dry || ends_run(run) || timed_out_outside(run, step))
			break;
		done = run_handler(run, step, lfirst(lc));
		if (done)
			break;
	}

	/* Inside of a handler, what that is about is the error again. */
	run->failed_page = outer_page;
	run->origin = outer_origin;
	run->origin_step = outer_step;
	if (outer_origin)
		run->handled = outer_handled;
	return done;
}

bool
run_fail(Run *run, const Step *step, UnitFunction fn, void *arg)
{
	(void) run_unit(run, UNIT_NETWORK, NULL, fn, arg);
	run->error_step = step;
	return false;
}

/* Does the sink belong to this pass, and does the error concern it? */
static bool
is_concerned(Run *run, const Step *sink, const Step *leader, const Step *fetch)
{
	if (sink->leader != leader || (fetch && !step_reads_from(sink, fetch)))
		return false;
	return run->error_step == NULL || run->error_step->root == NULL ||
		step_reads_from(sink, run->error_step);
}

/*
 * Let the steps that the error concerns handle it: first the one that raised it, then the sinks
 * that its rows were on their way to, then the blocks around it that the pass is not in.
 * *handler becomes the one that has done so; false if none did.
 */
static bool
find_handler(Run *run, const Step *leader, const Step *fetch, PageWork *page,
			 const Step **handler)
{
	const Step *failed = run->error_step ? run->error_step : leader;
	List	   *sinks = NIL;
	ListCell   *lc;

	/* A timeout of a block around us: that block has to end. */
	if (step_stands_in(leader, failed, 0))
		return false;
	foreach(lc, run->flow->all)
	{
		if (lfirst(lc) != failed && is_concerned(run, lfirst(lc), leader, fetch))
			sinks = lappend(sinks, lfirst(lc));
	}
	*handler = failed;
	if (run_handle(run, failed, page))
		return true;
	foreach(lc, sinks)
	{
		*handler = lfirst(lc);
		if (run_handle(run, *handler, page))
			return true;
	}
	for (*handler = failed->parent; *handler; *handler = (*handler)->parent)
	{
		if (!step_stands_in(leader, *handler, 0) && run_handle(run, *handler, page))
			return true;
	}
	return false;
}

bool
run_handle_pass(Run *run, const Step *leader, Stream *stream, PageWork *work)
{
	const Step *handler = leader;
	bool		handled;
	ListCell   *lc;

	/* Handlers shall find the cursor where it stays. */
	if (ends_run(run) || (stream && !stream_settle(run, stream)))
		return false;
	handled = find_handler(run, leader, stream ? stream->fetch : NULL, work, &handler);
	if (handled && work && work->taken)
		return true;
	foreach(lc, run->streams)
	{
		Stream	   *other = lfirst(lc);

		if (handled ? list_member_ptr(handler->roots, other->fetch) ||
			step_stands_in(other->fetch, handler, 0)
			: pass_reads(run, leader, other->fetch))
			handled = stream_fail(run, other) && handled;
	}
	return handled;
}
