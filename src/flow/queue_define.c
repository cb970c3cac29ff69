/*
 * queue_define.c
 *		create_queue(), alter_queue() and drop_queue().
 */
#include "flow/queue.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "flow/store.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "resolute.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(resolute_create_queue);
PG_FUNCTION_INFO_V1(resolute_alter_queue);
PG_FUNCTION_INFO_V1(resolute_drop_queue);

static void
check_max_running(int max_running)
{
	if (max_running < 1 || max_running > QUEUE_MAX_RUNNING)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_running of a queue is out of range: %d", max_running),
				 errhint("It is the number of runs that may go on at once, 1 to %d; to stop a flow, use resolute.disable_flow().",
						 QUEUE_MAX_RUNNING)));
}

static void
check_on_full(const char *on_full)
{
	if (strcmp(on_full, "wait") != 0 && strcmp(on_full, "skip") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid on_full of a queue: \"%s\"", on_full),
				 errhint("on_full is wait or skip.")));
}

Datum
resolute_create_queue(PG_FUNCTION_ARGS)
{
	Oid			types[] = {TEXTOID, OIDOID, INT4OID, TEXTOID};
	Datum		values[4];
	char	   *name;

	check_given(fcinfo, 0, "name", "queue");
	check_given(fcinfo, 1, "max_running", "queue");
	check_given(fcinfo, 2, "on_full", "queue");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	check_name("queue", name);
	check_max_running(PG_GETARG_INT32(1));
	check_on_full(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	SPI_connect();
	values[0] = PG_GETARG_DATUM(0);
	values[1] = ObjectIdGetDatum(GetUserId());
	values[2] = PG_GETARG_DATUM(1);
	values[3] = PG_GETARG_DATUM(2);
	catalog_execute("INSERT INTO resolute.queues (name, owner, max_running, on_full, places) "
					"VALUES ($1, $2::pg_catalog.regrole, $3, $4, $3) ON CONFLICT (name) DO NOTHING",
					4, types, values, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("queue \"%s\" already exists", name),
				 errhint("Use resolute.alter_queue() to change it.")));
	SPI_finish();
	PG_RETURN_VOID();
}

Datum
resolute_alter_queue(PG_FUNCTION_ARGS)
{
	Oid			types[] = {INT4OID, INT4OID, TEXTOID, OIDOID};
	Datum		values[4];
	char		nulls[5] = "    ";
	Queue	   *queue;

	check_given(fcinfo, 0, "name", "queue");
	if (!PG_ARGISNULL(1))
		check_max_running(PG_GETARG_INT32(1));
	if (!PG_ARGISNULL(2))
		check_on_full(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	SPI_connect();
	queue = queue_load(text_to_cstring(PG_GETARG_TEXT_PP(0)), CurrentMemoryContext);
	queue_check_access(queue);
	if (!PG_ARGISNULL(3))
		check_new_owner("queue", queue->name, PG_GETARG_OID(3));
	values[0] = Int32GetDatum(queue->id);
	for (int i = 1; i < 4; i++)
	{
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
		values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
	}
	catalog_execute("UPDATE resolute.queues SET max_running = COALESCE($2, max_running), "
					"places = GREATEST(places, $2), on_full = COALESCE($3, on_full), "
					"owner = COALESCE($4::pg_catalog.regrole, owner) "
					"WHERE queue_id OPERATOR(pg_catalog.=) $1", 4, types, values, nulls);
	SPI_finish();
	PG_RETURN_VOID();
}

/* A queue goes only when no flow is in it. */
static void
check_unused(const Queue *queue)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(queue->name)};
	char	   *flow;

	catalog_execute("SELECT name FROM resolute.flows WHERE queue OPERATOR(pg_catalog.=) $1 ORDER BY name LIMIT 1",
					1, types, values, NULL);
	if (SPI_processed == 0)
		return;
	flow = result_text(0, 1);
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot drop queue \"%s\" because flow \"%s\" is in it", queue->name, flow),
			 errhint("Take its flows out of it first: SELECT resolute.alter_flow(%s, queue => '');",
					 quote_literal_cstr(flow))));
}

Datum
resolute_drop_queue(PG_FUNCTION_ARGS)
{
	Oid			types[] = {INT4OID};
	Datum		values[1];
	Queue	   *queue;

	SPI_connect();
	queue = queue_load(text_to_cstring(PG_GETARG_TEXT_PP(0)), CurrentMemoryContext);
	queue_check_access(queue);
	check_unused(queue);
	values[0] = Int32GetDatum(queue->id);
	catalog_execute("DELETE FROM resolute.queues WHERE queue_id OPERATOR(pg_catalog.=) $1",
					1, types, values, NULL);
	SPI_finish();
	PG_RETURN_VOID();
}
