/*
 * unit.c
 *		Units of a run: subtransactions, commits, and as whom they work.
 */
#include "flow/run.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "flow/store.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "resolute.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

/*
 * The watch on max_runtime of this backend.  A run may be part of a step of
 * another run, so there can be several limits: the nearest one counts.
 */
static bool watch_registered = false;
static TimeoutId watch_timeout;
static TimestampTz watch_deadline = 0;	/* 0: there is no limit */
static volatile sig_atomic_t watch_expired = false;

/* As whom we were working before a unit switched to the flow's owner. */
typedef struct OwnerScope
{
	Oid			userid;
	int			sec_context;
	int			guc_level;
} OwnerScope;

/*
 * Work as the flow's owner.  As in REFRESH MATERIALIZED VIEW, settings that the
 * work changes are undone, and a caller who is not the owner is protected from
 * what the owner's functions could do to his session.
 */
static void
owner_enter(Run *run, OwnerScope *scope)
{
	int			sec_context;

	GetUserIdAndSecContext(&scope->userid, &scope->sec_context);
	sec_context = scope->sec_context | SECURITY_LOCAL_USERID_CHANGE;
	if (run->restricted)
		sec_context |= SECURITY_RESTRICTED_OPERATION;
	SetUserIdAndSecContext(run->flow->owner, sec_context);
	scope->guc_level = NewGUCNestLevel();
}

static void
owner_leave(OwnerScope *scope)
{
	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->userid, scope->sec_context);
}

/* What a unit does inside its subtransaction. */
static void
unit_body(Run *run, int kind, MemoryContext context, UnitFunction fn, void *arg)
{
	OwnerScope	scope;

	if (kind == UNIT_NETWORK)
	{
		/* A catalog snapshot would hold back vacuum while we wait. */
		InvalidateCatalogSnapshot();
		MemoryContextSwitchTo(context);
		fn(run, arg);
		return;
	}
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	if (kind == UNIT_DATABASE)
		owner_enter(run, &scope);
	MemoryContextSwitchTo(context);
	fn(run, arg);
	if (kind == UNIT_DATABASE)
		owner_leave(&scope);
	SPI_finish();
	PopActiveSnapshot();
}

/* Say why a run was cancelled, if it was our watch that did it. */
static void
explain_cancel(Run *run)
{
	if (!watch_expired || run->error->sqlerrcode != ERRCODE_QUERY_CANCELED)
		return;
	watch_expired = false;
	run->error->message = MemoryContextStrdup(run->context,
											  psprintf("canceling flow \"%s\" because it ran longer than its max_runtime",
													   run->flow->name));
	run->error->hint = MemoryContextStrdup(run->context,
										   "The next run goes on where this one stopped; see resolute.alter_flow() for the limit.");
}

bool
run_unit(Run *run, int kind, MemoryContext context, UnitFunction fn, void *arg)
{
	MemoryContext old = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		unit_body(run, kind, context, fn, arg);
		ReleaseCurrentSubTransaction();
		done = true;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(run->context);
		run->error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		explain_cancel(run);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	CurrentResourceOwner = owner;
	return done;
}

/*
 * Unit: let those go on whom the page was in conflict with.  Repeated at once, it
 * would often take the rows again that they are just being woken up for.
 */
static void
pause_unit(Run *run pg_attribute_unused(), void *arg)
{
	int			attempt = *(int *) arg;
	TimestampTz end = GetCurrentTimestamp() +
		((int64) RUN_CONFLICT_PAUSE_US << Min(attempt - 1, RUN_CONFLICT_DOUBLINGS));

	for (;;)
	{
		int64		left_us = end - GetCurrentTimestamp();

		CHECK_FOR_INTERRUPTS();
		if (left_us <= 0)
			break;
		WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
				  (long) (left_us / 1000 + 1), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}

bool
run_pause(Run *run, MemoryContext context, int attempt)
{
	return run_unit(run, UNIT_NETWORK, context, pause_unit, &attempt);
}

bool
run_is_conflict(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE ||
		error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
}

/* Unit: take the locks again that the session lost with an aborted transaction. */
static void
relock_unit(Run *run, void *arg pg_attribute_unused())
{
	ListCell   *lc;
	bool		lost = false;

	if (run->flow_locked)
	{
		run->flow_locked = flow_lock(run->flow->id, true);
		lost |= !run->flow_locked;
	}
	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);

		if (!stream->cursor_locked)
			continue;
		stream->cursor_locked = cursor_lock(stream->cursor_id, true);
		lost |= !stream->cursor_locked;
	}
	if (lost)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("another run has taken over from flow \"%s\"", run->flow->name),
				 errdetail("A transaction of this run was aborted, which freed the flow and its cursors for a moment.")));
}

bool
run_commit(Run *run)
{
	MemoryContext old = CurrentMemoryContext;
	ErrorData  *error;
	volatile bool done = false;

	if (run->atomic)
		return true;
	PG_TRY();
	{
		SPI_commit();
		SPI_start_transaction();
		done = true;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(run->context);
		run->error = CopyErrorData();
		FlushErrorState();
		recover_failed_commit();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	if (done)
		return true;

	/* What went wrong matters more than its consequence, unless others run now. */
	error = run->error;
	if (run_unit(run, UNIT_NETWORK, old, relock_unit, NULL))
		run->error = error;
	return false;
}

bool
run_rollback(Run *run)
{
	MemoryContext old = CurrentMemoryContext;

	if (run->atomic)
		return true;
	SPI_rollback();
	SPI_start_transaction();
	MemoryContextSwitchTo(old);
	return run_unit(run, UNIT_NETWORK, old, relock_unit, NULL);
}

/* In a signal handler: cancel what is going on, as statement_timeout does. */
static void
watch_handler(void)
{
	watch_expired = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

/* Watch this deadline instead of the present one; 0: none. */
static void
watch(TimestampTz deadline)
{
	watch_deadline = deadline;
	if (!watch_registered)
		watch_timeout = RegisterTimeout(USER_TIMEOUT, watch_handler);
	watch_registered = true;
	if (deadline != 0)
		enable_timeout_at(watch_timeout, deadline);
	else
		disable_timeout(watch_timeout, false);
}

void
run_watch_start(Run *run)
{
	TimestampTz deadline;

	/* An error that no run saw has left its deadline, but disabled the timeout. */
	if (!watch_registered || !get_timeout_active(watch_timeout))
		watch_deadline = 0;
	watch_expired = false;
	run->watching = run->flow->max_runtime_us != 0;
	if (!run->watching)
		return;
	deadline = GetCurrentTimestamp() + run->flow->max_runtime_us;
	run->outer_deadline = watch_deadline;
	if (watch_deadline == 0 || deadline < watch_deadline)
		watch(deadline);
}

void
run_watch_stop(Run *run)
{
	if (run->watching)
		watch(run->outer_deadline);
	run->watching = false;
}
