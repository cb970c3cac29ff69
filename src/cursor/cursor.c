/*
 * cursor.c
 *		Cursors of a run: their locks, and where the walk of an open one begins.
 */
#include "cursor/cursor_store.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "resolute.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Jira Cloud's search index lags by minutes: apis.md, 1.1 and 2.3. */
#define EVENTUAL_OVERLAP_US (15 * USECS_PER_MINUTE)

/* ... and at times by 12 hours and more, which the daily sweep catches. */
#define EVENTUAL_SWEEP_US USECS_PER_DAY

/*
 * A sweep is due a day after the last one began.  The slack keeps a run that a
 * scheduler starts a few seconds early from putting it off to the next run.
 */
#define SWEEP_EVERY_US (USECS_PER_DAY - 5 * USECS_PER_MINUTE)

/* The open cursors of this backend. */
static List *open_cursors = NIL;

/*
 * LOCKTAG_OBJECT of resolute.cursors.  An id has more bits than an OID, so the
 * rest goes where the column would be.
 */
static LOCKTAG
cursor_tag(int64 id)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, resolute_relation("cursors"),
					   (uint32) id, (uint16) (id >> 32));
	return tag;
}

bool
cursor_lock(int64 id, bool session)
{
	LOCKTAG		tag = cursor_tag(id);

	switch (LockAcquire(&tag, ExclusiveLock, session, true))
	{
		case LOCKACQUIRE_OK:
			return true;
		case LOCKACQUIRE_NOT_AVAIL:
			return false;
		default:
			/* A run of this very session: give back what we took on top of it. */
			LockRelease(&tag, ExclusiveLock, session);
			return false;
	}
}

void
cursor_unlock(int64 id)
{
	LOCKTAG		tag = cursor_tag(id);

	LockRelease(&tag, ExclusiveLock, true);
}

/*
 * A weaker mode than that of runs, with which it conflicts between sessions:
 * a run can move a cursor by hand that it holds, and a transaction that moved a
 * cursor by hand can run the flow.
 */
bool
cursor_lock_by_hand(int64 id)
{
	LOCKTAG		tag = cursor_tag(id);

	return LockAcquire(&tag, ShareRowExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

/* Instants are counted from 2000-01-01, so old ones are negative. */
static TimestampTz
floor_to_minute(TimestampTz at)
{
	TimestampTz rest = at % USECS_PER_MINUTE;

	return at - (rest < 0 ? rest + USECS_PER_MINUTE : rest);
}

/* The bound of a new walk of that reach: never below 1970, on a minute. */
static TimestampTz
bound_before(const CursorRow *row, const CursorSpec *spec, int64 reach)
{
	TimestampTz bound = spec->initial;

	if (row->position.known)
	{
		/* Whoever set the position below the initial one means it. */
		bound = row->position.at - Min(reach, row->position.at - CURSOR_EPOCH);
		if (row->position.at >= spec->initial)
			bound = Max(bound, spec->initial);
	}
	return Max(floor_to_minute(bound), CURSOR_EPOCH);
}

static int64
sweep_us(const CursorSpec *spec, bool eventual)
{
	return spec->sweep_us >= 0 ? spec->sweep_us : eventual ? EVENTUAL_SWEEP_US : 0;
}

/* Begin a walk, or go on with the stored one. */
static void
choose_walk(Cursor *cursor, bool eventual)
{
	const CursorSpec *spec = &cursor->spec;
	const CursorRow *row = cursor->row;
	int64		overlap = spec->overlap_us >= 0 ? spec->overlap_us :
		eventual ? EVENTUAL_OVERLAP_US : 0;
	int64		sweep = sweep_us(spec, eventual);
	TimestampTz now = GetCurrentTimestamp();

	cursor->sweeps = sweep > 0;
	cursor->walk_started = now;
	cursor->bound = bound_before(row, spec, overlap);
	if (row->walk && row->walk_bound.known)
	{
		cursor->resumed = true;
		cursor->sweeping = row->walk_sweep;
		cursor->walk_started = row->walk_started.known ? row->walk_started.at : now;
		cursor->bound = row->walk_bound.at;
		return;
	}
	if (sweep > overlap && row->position.known && row->swept.known &&
		now - row->swept.at >= SWEEP_EVERY_US)
	{
		cursor->sweeping = true;
		cursor->bound = bound_before(row, spec, sweep);
	}
}

/* How to go on with a cursor that was refused. */
static int
cursor_hint(const CursorRow *row)
{
	char	   *name = quote_literal_cstr(row->name);

	if (!row->position.known)
		return errhint("To read everything again, run: SELECT resolute.reset_cursor(%s);", name);
	return errhint("To read everything again, run: SELECT resolute.reset_cursor(%s); "
				   "to go on from there, run: SELECT resolute.set_cursor(%s, '%s');",
				   name, name, timestamptz_to_str(row->position.at));
}

/* Which parts differ, as a sentence without the texts of the queries. */
static char *
binding_difference(const CursorRow *row, const CursorBinding *binding)
{
	const char *target = row->target ? row->target : "none";

	if (strcmp(row->server, binding->server) != 0)
		return psprintf("It was moved by a query to server \"%s\", not \"%s\".",
						row->server, binding->server);
	if (strcmp(row->query, binding->query) != 0)
		return pstrdup("It was moved by a query of another text.");
	return psprintf("Its rows went to target %s, not to %s.", target,
					binding->target ? binding->target : "none");
}

/* A position means something for the query and the target that it was made with. */
static void
check_binding(const CursorRow *row, const CursorBinding *binding, bool target_empty)
{
	/* Nothing read yet, or whatever comes next was accepted by hand. */
	if ((!row->position.known && row->walk == NULL) ||
		row->server == NULL || row->query == NULL)
		return;
	if (!same_binding(row, binding))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cursor \"%s\" belongs to another query", row->name),
				 errdetail_internal("%s", binding_difference(row, binding)),
				 cursor_hint(row)));
	if (target_empty && row->filled && row->position.known)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the target of cursor \"%s\" was emptied", row->name),
				 errdetail("%s holds no row, but the cursor stands at %s.",
						   row->target ? row->target : "The target",
						   timestamptz_to_str(row->position.at)),
				 cursor_hint(row)));
}

void
cursor_show_row(Cursor *cursor)
{
	cursor->has_position = cursor->row->position.known;
	cursor->position = cursor->row->position.at;
	cursor->moves = cursor->row->moves;
}

static void
forget_open_cursor(void *arg)
{
	open_cursors = list_delete_ptr(open_cursors, arg);
}

/* Remember an open cursor until its memory context goes. */
static void
remember_open_cursor(Cursor *cursor)
{
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	MemoryContext context = MemoryContextSwitchTo(TopMemoryContext);

	open_cursors = lappend(open_cursors, cursor);
	MemoryContextSwitchTo(context);
	callback->func = forget_open_cursor;
	callback->arg = cursor;
	MemoryContextRegisterResetCallback(context, callback);
}

void
cursor_moved_by_hand(int64 id, int64 moves)
{
	ListCell   *lc;

	foreach(lc, open_cursors)
	{
		Cursor	   *cursor = lfirst(lc);

		if (cursor->id == id)
			cursor->moves_by_hand = moves;
	}
}

int64
cursor_run(int64 id)
{
	ListCell   *lc;

	foreach(lc, open_cursors)
	{
		Cursor	   *cursor = lfirst(lc);

		if (cursor->id == id)
			return cursor->run_id;
	}
	return 0;
}

/* Read the cursor's row, and what its storage has to say. */
static Cursor *
read_cursor(int64 id, const CursorSpec *spec, const CursorStorage *storage)
{
	Cursor	   *cursor = palloc0(sizeof(Cursor));

	cursor->id = id;
	cursor->spec = *spec;
	cursor->context = CurrentMemoryContext;
	cursor->row = palloc0(sizeof(CursorRow));
	if (!cursor_read(id, cursor->row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("cursor \"%s\" does not exist any more", spec->name)));
	if (storage)
		cursor_settle(cursor, storage);
	return cursor;
}

Cursor *
cursor_open(int64 id, const CursorSpec *spec, const CursorBinding *binding,
			bool eventual, bool target_empty, const CursorStorage *storage)
{
	Cursor	   *cursor = read_cursor(id, spec, storage);

	check_binding(cursor->row, binding, target_empty);
	choose_walk(cursor, eventual);
	cursor_show_row(cursor);
	if (cursor->resumed)
		cursor->walk = pstrdup(cursor->row->walk);
	remember_open_cursor(cursor);
	return cursor;
}

TimestampTz
cursor_first_bound(const CursorSpec *spec)
{
	return Max(floor_to_minute(spec->initial), CURSOR_EPOCH);
}

Cursor *
cursor_open_whole(int64 id, const CursorSpec *spec, bool eventual, const CursorStorage *storage)
{
	Cursor	   *cursor = read_cursor(id, spec, storage);

	cursor->sweeps = sweep_us(spec, eventual) > 0;
	cursor->sweeping = cursor->sweeps;
	cursor->walk_started = GetCurrentTimestamp();
	cursor->bound = cursor_first_bound(spec);
	cursor_show_row(cursor);
	remember_open_cursor(cursor);
	return cursor;
}
