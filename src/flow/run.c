/*
 * run.c
 *		run_flow() and CALL run(): how a run begins, and what it goes through.
 */
#include "flow/run.h"

#include "access/xact.h"
#include "compat.h"
#include "executor/spi.h"
#include "flow/schedule.h"
#include "flow/store.h"
#include "flow/unit.h"
#include "flow/watch.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(resolute_run_flow);
PG_FUNCTION_INFO_V1(resolute_run);

static Run *current_run = NULL;

/* The input as JSON text in UTF-8; must be an object. */
static char *
input_text(const char *flow, Datum input)
{
	Jsonb	   *jsonb = DatumGetJsonbP(input);
	char	   *text;

	if (!JB_ROOT_IS_OBJECT(jsonb))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("input of flow \"%s\" must be a JSON object", flow)));
	text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

/* The role that everything is to be done as must be there. */
static void
check_owner(const Flow *flow)
{
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(flow->owner)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the owner of flow \"%s\" does not exist any more", flow->name),
				 errhint("Give it to another role: SELECT resolute.alter_flow(%s, owner => 'a role');",
						 quote_literal_cstr(flow->name))));
}

/* Load the flow, as it is now, into the run. */
static void
load_flow(Run *run, const char *name)
{
	Flow	   *flow = flow_load(name, false, run->context);

	flow_check_access(flow);
	check_owner(flow);
	run->flow = flow;
	run->restricted = GetUserId() != flow->owner;
	run->record.flow_id = flow->id;
	run->record.flow = flow->name;
	run->record.owner = flow->owner;
	run->record.version = flow->version;
}

Run *
run_current(void)
{
	return current_run;
}

/* The run is over, one way or another. */
static void
leave(void *arg)
{
	Run		   *run = arg;

	watch_forget(run);
	if (current_run == run)
		current_run = run->outer;
}

/* What its step calls finds the run as the current one until it is over. */
static void
enter(Run *run)
{
	MemoryContextCallback *callback = MemoryContextAllocZero(run->context,
															 sizeof(MemoryContextCallback));

	run->outer = current_run;
	current_run = run;
	callback->func = leave;
	callback->arg = run;
	MemoryContextRegisterResetCallback(run->context, callback);
}

Run *
run_create(const char *name, Datum input, bool atomic)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "resolute run",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Run		   *run = palloc0(sizeof(Run));

	run->context = context;
	load_flow(run, name);
	run->atomic = atomic;
	run->input = input_text(name, input);
	run->record.input = input;
	run->record.status = RUN_RUNNING;
	run->record.started_at = GetCurrentTimestamp();
	enter(run);
	MemoryContextSwitchTo(old);
	return run;
}

/* Record a run that does not take place, and say why. */
static void
skip_run(Run *run, const char *reason)
{
	run->record.status = RUN_SKIPPED;
	run->record.finished_at = GetCurrentTimestamp();
	run->record.error_message = reason;
	if (run->record.run_id == 0)
		runs_insert(&run->record);
	runs_update(&run->record);
	ereport(NOTICE,
			(errmsg("flow \"%s\" skipped: %s", run->flow->name, reason)));
}

/* Why should a run not take place now?  NULL if it should. */
static char *
reason_to_skip(Run *run)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz tick;

	if (run->flow->not_before > now)
		return psprintf("the server asked to wait until %s", timestamptz_to_str(run->flow->not_before));
	if (!run->record.scheduled)
		return NULL;
	if (!run->flow->enabled)
		return pstrdup("it is disabled");

	/* pg_cron fires the ticks that a long run missed back to back. */
	if (run->flow->cron && schedule_last_tick(run->flow->cron, now, &tick) &&
		runs_started_since(run->flow->id, tick))
		return psprintf("a run has started since the tick of %s", timestamptz_to_str(tick));
	return NULL;
}

/* The queue has no place, and the run is not to wait for one. */
static void
skip_full(Run *run)
{
	skip_run(run, psprintf("queue \"%s\" is full", run->queue->name));
}

/* Let go of the place in the queue, and of the flow if that is held for the session. */
static void
unlock_run(Run *run)
{
	run_leave_queue(run);
	if (run->flow_locked)
		flow_unlock(run->flow->id);
	run->flow_locked = false;
}

/*
 * Somebody may have changed the flow before we had its lock; from here on nobody
 * does.
 */
void
run_reload(Run *run)
{
	int			id = run->flow->id;

	load_flow(run, run->flow->name);
	if (run->flow->id != id)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("flow \"%s\" was dropped and created again", run->flow->name),
				 errhint("Run it again.")));
}

/*
 * Take the flow's lock and a place in its queue, and write the run's row: it may have to
 * wait (RUN_WAITING).  False where the run is skipped.
 * Errors here are the caller's: nothing has begun yet.
 */
static bool
begin_run(Run *run)
{
	char	   *reason;
	QueueResult queued;

	if (!flow_lock(run->flow->id, !run->atomic))
	{
		skip_run(run, "another run holds the flow");
		return false;
	}
	run->flow_locked = !run->atomic;
	run_reload(run);
	reason = reason_to_skip(run);
	if (reason)
	{
		skip_run(run, reason);
		unlock_run(run);
		return false;
	}
	queued = run_enter_queue(run);
	if (queued == QUEUE_REFUSED)
	{
		skip_full(run);
		unlock_run(run);
		return false;
	}
	if (queued == QUEUE_WAITS)
		run->record.status = RUN_WAITING;
	runs_close_orphans(run->flow->id);
	runs_insert(&run->record);
	return true;
}

/* Do everything between begin and end; errors are in run->error. */
static void
work_run(Run *run)
{
	watch_begin(run, NULL, run->flow->max_runtime_us);
	if (!run_prepare(run))
		return;
	if (run->busy)
		return;
	if (run->work)
		run->work(run);
	else
		run_execute(run);
}

/* Under CALL: wait for a place in the queue if there was none, and then work. */
static void
wait_and_work(Run *run)
{
	if (run->record.status == RUN_WAITING && !run_wait_in_queue(run))
		return;
	if (run->record.status == RUN_RUNNING)
		work_run(run);
}

/* Undo what a busy run has begun, and record it as skipped. */
static void
skip_busy_run(Run *run)
{
	watch_forget(run);
	skip_run(run, "another run holds one of its cursors");
}

/*
 * run_flow() with raise => false: work inside a subtransaction, so that all of a
 * failed run's work is undone, but the row that tells of it stays.
 */
static void
work_undoable(Run *run)
{
	MemoryContext old = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(old);
	work_run(run);
	if (run->error)
	{
		/* What the steps counted has not happened. */
		RollbackAndReleaseCurrentSubTransaction();
		run->steps = NULL;
		run->streams = NIL;
	}
	else
		ReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(old);
	CurrentResourceOwner = owner;
}

Datum
resolute_run_flow(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	bool		raise = PG_ARGISNULL(2) || PG_GETARG_BOOL(2);
	Run		   *run;
	Datum		row;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("flow and input must not be null")));
	PreventCommandIfReadOnly("run_flow()");
	SPI_connect();
	run = run_create(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_DATUM(1), true);
	if (begin_run(run))
	{
		if (raise)
			work_run(run);
		else
			work_undoable(run);
		watch_forget(run);
		if (run->error && (raise || run->error->sqlerrcode == ERRCODE_QUERY_CANCELED))
		{
			run_classify_error(run);
			run_raise_error(run);
		}
		if (run->busy)
			skip_busy_run(run);
		else
			run_end(run);
		run_leave_queue(run);
	}
	row = runs_row(run->record.run_id, caller);
	SPI_finish();
	PG_RETURN_DATUM(row);
}

bool
run_call_is_atomic(FunctionCallInfo fcinfo)
{
	return fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic;
}

/* The part of CALL run() that works on its own transactions or the caller's. */
static void
call_run(Run *run)
{
	bool		locked = begin_run(run);

	/* From here on the run can be seen, and survives what happens to it. */
	if (run_commit(run) && locked)
		wait_and_work(run);
	if (run->error && run->atomic)
	{
		run_classify_error(run);
		run_raise_error(run);
	}
	if (!locked)
		return;
	if (run->record.status == RUN_WAITING && run->error == NULL)
		skip_full(run);
	else if (run->busy && run->error == NULL)
		skip_busy_run(run);
	else
		run_end(run);
	run_unlock_cursors(run);
	unlock_run(run);
}

void
run_call(Run *run)
{
	call_run(run);
	if (run->error && run->record.status == RUN_DEFERRED)
		ereport(WARNING,
				(errcode(run->error->sqlerrcode),
				 errmsg("flow \"%s\" deferred: %s", run->flow->name, run->error->message),
				 errhint("The next attempt is possible at %s.",
						 timestamptz_to_str(run->record.next_attempt_at))));
	else if (run->error)
		run_raise_error(run);
}

Datum
run_no_input(void)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
}

Datum
resolute_run(PG_FUNCTION_ARGS)
{
	bool		atomic = run_call_is_atomic(fcinfo);
	Run		   *run;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("flow and input must not be null")));
	PreventCommandIfReadOnly("CALL run()");
	SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC);
	run = run_create(text_to_cstring(PG_GETARG_TEXT_PP(0)),
					 PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1))), atomic);
	run->record.scheduled = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	run_call(run);
	SPI_finish();
	PG_RETURN_VOID();
}
