/*
 * cursor_store.c
 *		The rows of resolute.cursors, and the history of their moves.
 */
#include "cursor/cursor_store.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "resolute.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(resolute_forget_cursor);

#define EQUALS " OPERATOR(pg_catalog.=) "

#define READ_SQL \
	"SELECT cursor_id, name, position, walk, walk_bound, walk_sweep, " \
	"walk_started_at, swept_at, server, query, target, storage, stored, storing, moves, filled " \
	"FROM resolute.cursors WHERE "

/*
 * The compare-and-set and the history are one statement, so that there is no
 * move without its history.  The binding is written only where it changes, so
 * that the text of a long query is not copied on every page.
 */
#define WRITE_SQL(binding) \
	"WITH moved AS (UPDATE resolute.cursors SET position = $3, walk = $4, " \
	"walk_bound = $5, walk_sweep = $6, walk_started_at = $7, swept_at = $8, " \
	"moved_by_run = $9, storage = $17, stored = $18, storing = $19, filled = $20, moves = moves OPERATOR(pg_catalog.+) 1, " \
	"moved_at = pg_catalog.clock_timestamp()" binding " " \
	"WHERE cursor_id" EQUALS "$1 AND moves" EQUALS "$2 RETURNING cursor_id, moved_at) " \
	"INSERT INTO resolute.cursor_history (cursor_id, run_id, moved_by, moved_at, action, " \
	"old_position, new_position, old_walk, new_walk, walk_bound, old_swept_at, " \
	"undone_from, old_binding) " \
	"SELECT cursor_id, $9, $10::pg_catalog.regrole, moved_at, $11, $12, $3, $13, $4, $14, $15, $16, "

#define SAME_SQL WRITE_SQL("") "NULL FROM moved"
#define BIND_SQL WRITE_SQL(", server = $21, query = $22, target = $23") \
	"pg_catalog.jsonb_build_object('server', $24, 'query', $25, 'target', $26) FROM moved"

#define N_SAME_PARAMS 20
#define N_BIND_PARAMS 26

static const Oid write_types[N_BIND_PARAMS] = {
	INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID, BOOLOID,
	TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, OIDOID, TEXTOID, TIMESTAMPTZOID,
	TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, TEXTOID, TEXTOID, TEXTOID,
	BOOLOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID
};

/* The parameters of a statement while they are put together. */
typedef struct Params
{
	int			n;
	Datum		values[N_BIND_PARAMS];
	char		nulls[N_BIND_PARAMS];
} Params;

static void
add_datum(Params *params, Datum value, bool isnull)
{
	params->values[params->n] = value;
	params->nulls[params->n++] = isnull ? 'n' : ' ';
}

static void
add_id(Params *params, int64 id)
{
	add_datum(params, Int64GetDatum(id), id == 0);
}

static void
add_time(Params *params, MaybeTime time)
{
	add_datum(params, TimestampTzGetDatum(time.at), !time.known);
}

static void
add_text(Params *params, const char *text)
{
	add_datum(params, text ? CStringGetTextDatum(text) : (Datum) 0, text == NULL);
}

MaybeTime
result_time(int column)
{
	bool		isnull;
	Datum		value = result_datum(0, column, &isnull);
	MaybeTime	time = {!isnull, isnull ? 0 : DatumGetTimestampTz(value)};

	return time;
}

/* Take the row that SPI found apart. */
static void
fill_row(CursorRow *row, MemoryContext context)
{
	row->id = result_int64(0, 1);
	row->name = result_text_in(0, 2, context);
	row->position = result_time(3);
	row->walk = result_text_in(0, 4, context);
	row->walk_bound = result_time(5);
	row->walk_sweep = result_bool(0, 6);
	row->walk_started = result_time(7);
	row->swept = result_time(8);
	row->server = result_text_in(0, 9, context);
	row->query = result_text_in(0, 10, context);
	row->target = result_text_in(0, 11, context);
	row->storage = result_text_in(0, 12, context);
	row->stored = result_text_in(0, 13, context);
	row->storing = result_text_in(0, 14, context);
	row->moves = result_int64(0, 15);
	row->filled = result_bool(0, 16);
}

/* Run a statement on resolute's own tables; how many rows? */
static uint64
execute(const char *sql, Params *params, const Oid *types)
{
	return catalog_execute(sql, params->n, types, params->values, params->nulls);
}

bool
cursor_read(int64 id, CursorRow *row)
{
	static const Oid types[] = {INT8OID};
	MemoryContext context = CurrentMemoryContext;
	Params		params = {0};
	bool		found;

	SPI_connect();
	add_id(&params, id);
	found = execute(READ_SQL "cursor_id" EQUALS "$1", &params, types) > 0;
	if (found)
		fill_row(row, context);
	SPI_finish();
	return found;
}

bool
cursor_find(Oid owner, const char *name, CursorRow *row)
{
	static const Oid types[] = {OIDOID, TEXTOID};
	MemoryContext context = CurrentMemoryContext;
	Params		params = {0};
	bool		found;

	SPI_connect();
	add_datum(&params, ObjectIdGetDatum(owner), false);
	add_text(&params, name);
	found = execute(READ_SQL "owner" EQUALS "$1::pg_catalog.regrole AND name" EQUALS "$2",
					&params, types) > 0;
	if (found)
		fill_row(row, context);
	SPI_finish();
	return found;
}

int64
cursor_ensure(Oid owner, const char *name)
{
	static const Oid types[] = {OIDOID, TEXTOID};
	Params		params = {0};
	CursorRow	row;

	cursor_check_name(name);
	if (cursor_find(owner, name, &row))
		return row.id;
	SPI_connect();
	add_datum(&params, ObjectIdGetDatum(owner), false);
	add_text(&params, name);
	execute("INSERT INTO resolute.cursors (owner, name) "
			"VALUES ($1::pg_catalog.regrole, $2) ON CONFLICT (owner, name) DO NOTHING",
			&params, types);
	SPI_finish();

	/* Made by somebody else meanwhile, and hidden by our older snapshot? */
	if (!cursor_find(owner, name, &row))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("cursor \"%s\" was created by another transaction", name),
				 errhint("Try again.")));
	return row.id;
}

Oid
cursor_sharing(int64 id, const char *name, const char *storage)
{
	static const Oid types[] = {INT8OID, TEXTOID, TEXTOID};
	Params		params = {0};
	Oid			owner = InvalidOid;

	SPI_connect();
	add_id(&params, id);
	add_text(&params, name);
	add_text(&params, storage);
	if (execute("SELECT owner FROM resolute.cursors WHERE cursor_id OPERATOR(pg_catalog.<>) $1 "
				"AND name" EQUALS "$2 AND storage" EQUALS "$3 LIMIT 1", &params, types) > 0)
		owner = result_oid(0, 1);
	SPI_finish();
	return owner;
}

bool
same_binding(const CursorRow *row, const CursorBinding *binding)
{
	return same_text(row->server, binding->server) &&
		same_text(row->query, binding->query) &&
		same_text(row->target, binding->target);
}

bool
cursor_write(const CursorRow *old, const CursorRow *next, const CursorMove *move)
{
	CursorBinding binding = {next->server, next->query, next->target, next->filled};
	bool		rebound = !same_binding(old, &binding);
	Params		params = {0};
	uint64		written;

	SPI_connect();
	add_id(&params, old->id);
	add_datum(&params, Int64GetDatum(old->moves), false);
	add_time(&params, next->position);
	add_text(&params, next->walk);
	add_time(&params, next->walk_bound);
	add_datum(&params, BoolGetDatum(next->walk_sweep), false);
	add_time(&params, next->walk_started);
	add_time(&params, next->swept);
	add_id(&params, move->run_id);
	add_datum(&params, ObjectIdGetDatum(GetUserId()), move->run_id != 0);
	add_text(&params, move->action);
	add_time(&params, old->position);
	add_text(&params, old->walk);
	add_time(&params, move->walk_bound);
	add_time(&params, old->swept);
	add_id(&params, move->undone_from);
	add_text(&params, next->storage);
	add_text(&params, next->stored);
	add_text(&params, next->storing);
	add_datum(&params, BoolGetDatum(next->filled), false);
	if (rebound)
	{
		add_text(&params, next->server);
		add_text(&params, next->query);
		add_text(&params, next->target);
		add_text(&params, old->server);
		add_text(&params, old->query);
		add_text(&params, old->target);
	}
	Assert(params.n == (rebound ? N_BIND_PARAMS : N_SAME_PARAMS));
	written = execute(rebound ? BIND_SQL : SAME_SQL, &params, write_types);
	SPI_finish();
	return written > 0;
}

/* A cursor is deleted: its history goes with it. */
Datum
resolute_forget_cursor(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {INT8OID};
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Params		params = {0};
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		elog(ERROR, "resolute.forget_cursor() is a trigger for deletes");
	add_datum(&params, SPI_getbinval(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation),
									 SPI_fnumber(RelationGetDescr(trigger->tg_relation), "cursor_id"),
									 &isnull), false);
	SPI_connect();
	execute("DELETE FROM resolute.cursor_history WHERE cursor_id" EQUALS "$1", &params, types);
	SPI_finish();
	return PointerGetDatum(NULL);
}
