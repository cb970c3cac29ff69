/*
 * cursor_hand.c
 *		Moving a cursor by hand: set_cursor, reset_cursor, rollback_cursor.
 *
 * They may be steps of the very flow whose run holds the cursor.
 */
#include "cursor/cursor_store.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "resolute.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* From so many digits on (1970-04-26), a number is no date but milliseconds. */
#define MIN_EPOCH_MS_DIGITS 11
#define MAX_EPOCH_MS_DIGITS 15

/* A position may be ahead of our clock by as much; further ahead, it is a slip. */
#define MAX_AHEAD_US USECS_PER_DAY

#define EQUALS " OPERATOR(pg_catalog.=) "
#define BELOW " OPERATOR(pg_catalog.<) "

PG_FUNCTION_INFO_V1(resolute_set_cursor);
PG_FUNCTION_INFO_V1(resolute_reset_cursor);
PG_FUNCTION_INFO_V1(resolute_rollback_cursor);

/* Run a query on resolute's own tables with two bigint parameters; is there a row? */
static bool
query_history(const char *sql, int64 first, int64 second)
{
	Oid			types[] = {INT8OID, INT8OID};
	Datum		values[] = {Int64GetDatum(first), Int64GetDatum(second)};

	return catalog_execute(sql, 2, types, values, NULL) > 0;
}

/* Names of the cursors that the role may use, for a hint. */
static char *
known_cursors(void)
{
	StringInfoData names;

	initStringInfo(&names);
	query_history("SELECT name, owner::pg_catalog.oid FROM resolute.cursors "
				  "WHERE $1" EQUALS "$2 ORDER BY name LIMIT 1000", 0, 0);
	for (uint64 i = 0; i < SPI_processed && names.len < 500; i++)
	{
		Oid			owner = result_oid(i, 2);

		if (!is_member_of_role(GetUserId(), owner))
			continue;
		appendStringInfo(&names, "%s\"%s\"", names.len ? ", " : "", result_text(i, 1));
		if (owner != GetUserId())
			appendStringInfo(&names, " (owner => '%s')", GetUserNameFromId(owner, true));
	}
	return names.data;
}

static void
refuse_unknown(const char *name)
{
	char	   *names;

	SPI_connect();
	names = known_cursors();
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("cursor \"%s\" does not exist", name),
			 *names ? errhint("Your cursors are %s.", names) :
			 errhint("A cursor is made by resolute.cursor_for() in a flow; you have none yet.")));
}

/* Whose cursor is meant: argument n, or the caller's own. */
static Oid
cursor_owner(FunctionCallInfo fcinfo, int n)
{
	Oid			owner = PG_ARGISNULL(n) ? GetUserId() : PG_GETARG_OID(n);

	if (!is_member_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for cursors of role \"%s\"",
						GetUserNameFromId(owner, false)),
				 errhint("Only members of that role and superusers may move them.")));
	return owner;
}

/* Take the cursor that the first argument names, and its lock. */
static CursorRow
take_cursor(FunctionCallInfo fcinfo, int owner_arg)
{
	char	   *name = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			owner = cursor_owner(fcinfo, owner_arg);
	CursorRow	row;

	cursor_check_name(name);
	if (!cursor_find(owner, name, &row))
		refuse_unknown(name);
	if (!cursor_lock_by_hand(row.id))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("cursor \"%s\" is held by a running flow", name),
				 errhint("Wait until the run, or the transaction that moved it, is over; resolute.flow_status shows what runs.")));

	/* What was read before the lock may be old. */
	if (!cursor_read(row.id, &row))
		refuse_unknown(name);
	return row;
}

/* Write the move, and tell the runs of this backend. */
static Datum
move_cursor(FunctionCallInfo fcinfo, const CursorRow *old, CursorRow *next,
			const char *action, int64 undone_from)
{
	CursorMove	move = {action, 0, {false, 0}, undone_from};

	next->walk = NULL;
	next->walk_bound.known = next->walk_started.known = next->walk_sweep = false;
	if (!cursor_write(old, next, &move))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("cursor \"%s\" was moved by somebody else", old->name),
				 errhint("Try again.")));
	cursor_moved_by_hand(old->id, old->moves + 1);
	if (!next->position.known)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(next->position.at);
}

/* The next run may come with any query and target. */
static void
unbind(CursorRow *row)
{
	row->server = row->query = row->target = NULL;
	row->filled = false;
}

/* timestamptz_in(), whose error says here what the text is for. */
static TimestampTz
parse_time(const char *name, const char *value)
{
	MemoryContext context = CurrentMemoryContext;
	ErrorData  *volatile error = NULL;
	volatile TimestampTz time = 0;

	PG_TRY();
	{
		time = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(value),
													   ObjectIdGetDatum(InvalidOid),
													   Int32GetDatum(-1)));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	if (error == NULL)
		return time;
	error->detail = psprintf("It was to be the position of cursor \"%s\".", name);
	error->hint = pstrdup("Write a time such as '2024-01-31 08:00:00+00', or milliseconds since 1970.");
	ReThrowError(error);
}

/* A time as PostgreSQL reads it, or milliseconds since 1970. */
static TimestampTz
parse_position(const char *name, const char *value)
{
	TimestampTz position;

	if (strspn(value, "0123456789") == strlen(value) && strlen(value) >= MIN_EPOCH_MS_DIGITS)
		position = strlen(value) > MAX_EPOCH_MS_DIGITS ? DT_NOEND :
			CURSOR_EPOCH + strtoll(value, NULL, 10) * 1000;
	else
		position = parse_time(name, value);
	if (TIMESTAMP_NOT_FINITE(position) || position < CURSOR_EPOCH ||
		position > GetCurrentTimestamp() + MAX_AHEAD_US)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("position %s of cursor \"%s\" is out of range", value, name),
				 errdetail("It lies between 1970-01-01 and now."),
				 errhint("To read everything again, run: SELECT resolute.reset_cursor(%s);",
						 quote_literal_cstr(name))));
	return position;
}

/* set_cursor(name, value, owner) */
Datum
resolute_set_cursor(PG_FUNCTION_ARGS)
{
	CursorRow	row = take_cursor(fcinfo, 2);
	CursorRow	next = row;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("position of cursor \"%s\" must not be null", row.name),
				 errhint("To read everything again, run: SELECT resolute.reset_cursor(%s);",
						 quote_literal_cstr(row.name))));
	next.position.known = true;
	next.position.at = parse_position(row.name, text_to_cstring(PG_GETARG_TEXT_PP(1)));

	/* The next walk begins there, not a sweep below it. */
	next.swept.known = true;
	next.swept.at = GetCurrentTimestamp();
	unbind(&next);
	return move_cursor(fcinfo, &row, &next, "set", 0);
}

/* reset_cursor(name, owner) */
Datum
resolute_reset_cursor(PG_FUNCTION_ARGS)
{
	CursorRow	row = take_cursor(fcinfo, 1);
	CursorRow	next = row;

	next.position.known = false;
	next.swept.known = false;
	unbind(&next);
	return move_cursor(fcinfo, &row, &next, "reset", 0);
}

/*
 * Look at the last move below that place in the history that was not undone, and
 * at all other moves of its run.  False if there is none.  *below becomes the
 * first of them; *counts says whether a run has moved the position.
 */
static bool
step_back(int64 cursor, int64 *below, bool *counts)
{
	int64		undone;

	*counts = false;
	if (!query_history("SELECT history_id, undone_from, run_id FROM resolute.cursor_history "
					   "WHERE cursor_id" EQUALS "$1 AND history_id" BELOW "$2 "
					   "ORDER BY history_id DESC LIMIT 1", cursor, *below))
		return false;
	*below = result_int64(0, 1);
	undone = result_int64(0, 2);
	if (result_int64(0, 3) == 0)
	{
		/* A rollback: what it undid is as if it had never been. */
		if (undone != 0)
			*below = undone;
		return true;
	}

	/* IS DISTINCT FROM would find its operator through search_path. */
	query_history("SELECT pg_catalog.min(history_id), "
				  "pg_catalog.bool_or(COALESCE(old_position, '-infinity') OPERATOR(pg_catalog.<>) "
				  "COALESCE(new_position, '-infinity')) "
				  "FROM resolute.cursor_history WHERE cursor_id" EQUALS "$1 AND "
				  "history_id OPERATOR(pg_catalog.<=) $2 AND run_id" EQUALS
				  "(SELECT h.run_id FROM resolute.cursor_history h WHERE h.history_id" EQUALS "$2)",
				  cursor, *below);
	*below = result_int64(0, 1);
	*counts = result_bool(0, 2);
	return true;
}

/*
 * Has the run of this session that holds the cursor not moved it, or was that undone already?
 * Then there is nothing of it to roll back, and the runs before it are not meant.
 */
static bool
is_unmoved(int64 cursor)
{
	int64		run = cursor_run(cursor);
	int64		below = PG_INT64_MAX;

	while (run != 0 &&
		   query_history("SELECT history_id, undone_from, run_id FROM resolute.cursor_history "
						 "WHERE cursor_id" EQUALS "$1 AND history_id" BELOW "$2 "
						 "ORDER BY history_id DESC LIMIT 1", cursor, below))
	{
		int64		mover = result_int64(0, 3);

		if (mover != 0)
			return mover != run;
		below = result_int64(0, 2);
		if (below == 0)
			below = result_int64(0, 1);
	}
	return run != 0;
}

/* Set the state to the one before that move of the history. */
static void
restore(CursorRow *row, int64 history_id, MemoryContext context)
{
	MaybeTime  *times[] = {&row->position, &row->swept};
	char	  **texts[] = {&row->server, &row->query, &row->target};

	query_history("SELECT old_position, old_swept_at FROM resolute.cursor_history "
				  "WHERE cursor_id" EQUALS "$1 AND history_id" EQUALS "$2", row->id, history_id);
	for (int i = 0; i < (int) lengthof(times); i++)
		*times[i] = result_time(i + 1);

	/* The first change of the binding from there on tells what it was. */
	if (!query_history("SELECT old_binding OPERATOR(pg_catalog.->>) 'server', "
					   "old_binding OPERATOR(pg_catalog.->>) 'query', "
					   "old_binding OPERATOR(pg_catalog.->>) 'target' "
					   "FROM resolute.cursor_history WHERE cursor_id" EQUALS "$1 "
					   "AND history_id OPERATOR(pg_catalog.>=) $2 AND old_binding IS NOT NULL "
					   "ORDER BY history_id LIMIT 1", row->id, history_id))
		return;
	for (int i = 0; i < (int) lengthof(texts); i++)
		*texts[i] = result_text_in(0, i + 1, context);
}

/* rollback_cursor(name, runs, owner) */
Datum
resolute_rollback_cursor(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	int32		runs = PG_ARGISNULL(1) ? 1 : PG_GETARG_INT32(1);
	CursorRow	row = take_cursor(fcinfo, 2);
	CursorRow	next = row;
	int64		below = PG_INT64_MAX;
	int32		undone = 0;
	bool		counts;

	if (runs < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of runs to roll back must be at least 1"),
				 errhint("Leave it out to roll back the last run.")));
	SPI_connect();
	if (is_unmoved(row.id))
		undone++;
	while (undone < runs)
	{
		CHECK_FOR_INTERRUPTS();
		if (!step_back(row.id, &below, &counts))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg_plural("cursor \"%s\" cannot be rolled back by %d run",
								   "cursor \"%s\" cannot be rolled back by %d runs",
								   runs, row.name, runs),
					 errdetail_plural("Its history holds %d run that moved it.",
									  "Its history holds %d runs that moved it.",
									  undone, undone),
					 errhint("Use resolute.set_cursor() or resolute.reset_cursor().")));
		undone += counts ? 1 : 0;
	}
	if (below != PG_INT64_MAX)
		restore(&next, below, context);
	SPI_finish();
	return move_cursor(fcinfo, &row, &next, "rollback", below != PG_INT64_MAX ? below : 0);
}
