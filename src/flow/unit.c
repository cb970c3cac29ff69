/*
 * unit.c
 *		Units of a run: subtransactions, commits, and as whom they work.
 */
#include "flow/unit.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "flow/store.h"
#include "flow/stream.h"
#include "flow/watch.h"
#include "miscadmin.h"
#include "resolute.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

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

/* Take the error that a unit raised, with what is known of it. */
static void
take_error(Run *run)
{
	MemoryContextSwitchTo(run->context);
	run->error = CopyErrorData();
	FlushErrorState();
	run->error_step = step_place().step;
	run->error_page = step_place().page;
	run->error_rows = 0;
	run->error_attempts = 1;
	run->fatal = run->timed_out = false;
	watch_explain(run);
}

bool
run_unit(Run *run, int kind, MemoryContext context, UnitFunction fn, void *arg)
{
	MemoryContext old = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Watch	   *watch = watch_innermost();
	StepPlace	outer = step_place_begin();
	MemoryContext scratch = NULL;
	volatile bool done = false;

	if (context == NULL)
		scratch = AllocSetContextCreate(run->context, "resolute unit", ALLOCSET_SMALL_SIZES);
	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		unit_body(run, kind, scratch ? scratch : context, fn, arg);
		ReleaseCurrentSubTransaction();
		done = true;
	}
	PG_CATCH();
	{
		take_error(run);
		RollbackAndReleaseCurrentSubTransaction();
		watch_unwind(watch);
	}
	PG_END_TRY();
	step_place_end(outer);
	MemoryContextSwitchTo(old);
	CurrentResourceOwner = owner;
	if (scratch)
		MemoryContextDelete(scratch);
	return done;
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
	bool		inside;

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

	/* A lost place is no error: run_keep_place() waits for another one. */
	if (run->place != QUEUE_FULL)
		run->place = queue_enter(run->queue, true, &inside);
	if (lost)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("another run has taken over from flow \"%s\"", run->flow->name),
				 errdetail("A transaction of this run was aborted, which freed the flow and its cursors for a moment.")));
}

/* A run that lost its locks cannot go on. */
static bool
relock(Run *run)
{
	bool		locked = run_unit(run, UNIT_NETWORK, CurrentMemoryContext, relock_unit, NULL);

	run->fatal = !locked;
	return locked;
}

bool
run_commit(Run *run)
{
	MemoryContext old = CurrentMemoryContext;
	StepPlace	outer;
	ErrorData  *error;
	volatile bool done = false;

	if (run->atomic)
		return true;
	outer = step_place_begin();
	PG_TRY();
	{
		SPI_commit();
		SPI_start_transaction();
		done = true;
	}
	PG_CATCH();
	{
		take_error(run);
		recover_failed_commit();
	}
	PG_END_TRY();
	step_place_end(outer);
	MemoryContextSwitchTo(old);
	if (done)
		return true;

	/* What went wrong matters more than its consequence, unless others run now. */
	error = run->error;
	if (relock(run))
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
	return relock(run) && run_keep_place(run);
}
