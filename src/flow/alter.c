/*
 * alter.c
 *		alter_flow(): settings that are not part of a flow's definition; and
 *		what keeps the books from growing.
 */
#include "flow/queue.h"
#include "flow/schedule.h"
#include "flow/store.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "resolute.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(resolute_alter_flow);
PG_FUNCTION_INFO_V1(resolute_next_tick);
PG_FUNCTION_INFO_V1(resolute_prune);

/* The cursors that any version of the flow $1 names, of the owner $2. */
#define CURSORS_OF_FLOW \
	"c.owner::pg_catalog.oid OPERATOR(pg_catalog.=) $2 AND EXISTS (" \
	"SELECT FROM resolute.flow_versions v, pg_catalog.jsonb_path_query(v.steps, '$.**.cursor') s " \
	"WHERE v.flow_id OPERATOR(pg_catalog.=) $1 " \
	"AND (s OPERATOR(pg_catalog.->>) 'name') OPERATOR(pg_catalog.=) c.name)"

/* The new owner must not have a cursor of the same name already. */
static void
check_cursor_names(const Flow *flow, Oid owner, Oid *types, Datum *values)
{
	catalog_execute("SELECT c.name FROM resolute.cursors c JOIN resolute.cursors o "
					"ON o.name OPERATOR(pg_catalog.=) c.name AND o.owner::pg_catalog.oid OPERATOR(pg_catalog.=) $3 "
					"WHERE " CURSORS_OF_FLOW " LIMIT 1", 3, types, values, NULL);
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("role \"%s\" already has a cursor named \"%s\"",
						GetUserNameFromId(owner, false), result_text(0, 1)),
				 errdetail("The cursors of flow \"%s\" go with it to its new owner.", flow->name),
				 errhint("Give the cursor of the flow another name first.")));
}

/* The flow's cursors go with it. */
static void
move_cursors(const Flow *flow, Oid owner)
{
	Oid			types[] = {INT4OID, OIDOID, OIDOID};
	Datum		values[] = {Int32GetDatum(flow->id), ObjectIdGetDatum(flow->owner),
	ObjectIdGetDatum(owner)};

	check_cursor_names(flow, owner, types, values);
	catalog_execute("UPDATE resolute.cursors c SET owner = $3::pg_catalog.oid::pg_catalog.regrole WHERE " CURSORS_OF_FLOW,
					3, types, values, NULL);
}

static void
set_owner(Flow *flow, Oid owner)
{
	Oid			types[] = {INT4OID, OIDOID};
	Datum		values[] = {Int32GetDatum(flow->id), ObjectIdGetDatum(owner)};

	check_new_owner("flow", flow->name, owner);
	if (owner == flow->owner)
		return;
	move_cursors(flow, owner);
	catalog_execute("UPDATE resolute.flows SET owner = $2::pg_catalog.regrole "
					"WHERE flow_id OPERATOR(pg_catalog.=) $1", 2, types, values, NULL);
	if (flow->cron)
	{
		unschedule_flow(flow->name, flow->owner);
		schedule_flow(flow->name, owner, flow->cron, flow->enabled);
	}
}

/* Settings that no run could live with; 0 means no limit of time. */
static void
check_limits(FunctionCallInfo fcinfo)
{
	Interval	zero = {0};

	if (!PG_ARGISNULL(2) &&
		DatumGetInt32(DirectFunctionCall2(interval_cmp, PG_GETARG_DATUM(2), IntervalPGetDatum(&zero))) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_runtime of a flow must not be negative"),
				 errhint("Zero removes the limit.")));
	if (!PG_ARGISNULL(3) && PG_GETARG_INT32(3) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_failures of a flow must not be negative"),
				 errhint("Zero fails the run at the first row that cannot be handled.")));
}

/* Put the flow into a queue, or with an empty name into none. */
static void
set_queue(const Flow *flow, Datum queue)
{
	Oid			types[] = {INT4OID, TEXTOID};
	Datum		values[] = {Int32GetDatum(flow->id), queue};
	char	   *name = TextDatumGetCString(queue);

	if (name[0] != '\0')
		queue_check_access(queue_load(name, CurrentMemoryContext));
	catalog_execute("UPDATE resolute.flows SET queue = NULLIF($2, '') "
					"WHERE flow_id OPERATOR(pg_catalog.=) $1", 2, types, values, NULL);
}

Datum
resolute_alter_flow(PG_FUNCTION_ARGS)
{
	Oid			types[] = {INT4OID, INTERVALOID, INT4OID};
	Datum		values[3];
	char		nulls[4] = "   ";
	Flow	   *flow;

	check_given(fcinfo, 0, "name", "flow");
	check_limits(fcinfo);
	SPI_connect();
	flow = flow_load(text_to_cstring(PG_GETARG_TEXT_PP(0)), false, CurrentMemoryContext);
	flow_check_access(flow);
	flow_lock_or_raise(flow);
	values[0] = Int32GetDatum(flow->id);
	for (int i = 1; i < 3; i++)
	{
		nulls[i] = PG_ARGISNULL(i + 1) ? 'n' : ' ';
		values[i] = PG_ARGISNULL(i + 1) ? (Datum) 0 : PG_GETARG_DATUM(i + 1);
	}
	catalog_execute("UPDATE resolute.flows SET max_runtime = CASE WHEN $2 OPERATOR(pg_catalog.=) '0'::pg_catalog.interval THEN NULL "
					"ELSE COALESCE($2, max_runtime) END, "
					"max_failures = COALESCE($3, max_failures) "
					"WHERE flow_id OPERATOR(pg_catalog.=) $1", 3, types, values, nulls);
	if (!PG_ARGISNULL(4))
		set_queue(flow, PG_GETARG_DATUM(4));
	if (!PG_ARGISNULL(1))
		set_owner(flow, PG_GETARG_OID(1));
	SPI_finish();
	PG_RETURN_VOID();
}

Datum
resolute_next_tick(PG_FUNCTION_ARGS)
{
	TimestampTz tick;

	if (!schedule_next_tick(text_to_cstring(PG_GETARG_TEXT_PP(0)), GetCurrentTimestamp(), &tick))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(tick);
}

/*
 * Delete old rows of the books.  Everybody may prune what belongs to roles
 * that he is a member of.
 */
Datum
resolute_prune(PG_FUNCTION_ARGS)
{
	/* OPERATOR() takes away the precedence of an operator, hence the parentheses. */
	static const char *const statements[] = {
		"DELETE FROM resolute.runs WHERE finished_at OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) $1) "
		"AND pg_catalog.pg_has_role($2, owner, 'MEMBER')",
		"DELETE FROM resolute.dead_letters WHERE resolved_at OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) $1) "
		"AND pg_catalog.pg_has_role($2, owner, 'MEMBER')",
		"DELETE FROM resolute.cursor_history h USING resolute.cursors c "
		"WHERE c.cursor_id OPERATOR(pg_catalog.=) h.cursor_id "
		"AND h.moved_at OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) $1) "
		"AND pg_catalog.pg_has_role($2, c.owner, 'MEMBER')"
	};
	Oid			types[] = {INTERVALOID, OIDOID};
	Datum		values[] = {PG_GETARG_DATUM(0), ObjectIdGetDatum(GetUserId())};
	Interval   *zero = palloc0(sizeof(Interval));
	int64		deleted = 0;

	if (DatumGetBool(DirectFunctionCall2(interval_lt, values[0], IntervalPGetDatum(zero))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("keep_for must not be negative"),
				 errhint("Books that are older than keep_for are deleted: '30 days' keeps those of the last 30 days.")));

	SPI_connect();
	for (Size i = 0; i < lengthof(statements); i++)
	{
		catalog_execute(statements[i], 2, types, values, NULL);
		deleted += (int64) SPI_processed;
	}
	SPI_finish();
	PG_RETURN_INT64(deleted);
}
