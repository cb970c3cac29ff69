/*
 * define.c
 *		create_flow() and the functions that change a flow.
 */
#include "flow/check.h"
#include "flow/schedule.h"
#include "flow/store.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "resolute.h"
#include "rows/json.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"


PG_FUNCTION_INFO_V1(resolute_create_flow);
PG_FUNCTION_INFO_V1(resolute_create_or_replace_flow);
PG_FUNCTION_INFO_V1(resolute_drop_flow);
PG_FUNCTION_INFO_V1(resolute_enable_flow);
PG_FUNCTION_INFO_V1(resolute_disable_flow);

/* The cron text of a trigger, or NULL for a manual one. */
static char *
trigger_cron(const char *flow, Datum trigger)
{
	Jsonb	   *jsonb = DatumGetJsonbP(trigger);
	char	   *text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	Value		object,
				kind,
				cron;

	if (!json_document(text, strlen(text), &object))
		elog(ERROR, "trigger of flow \"%s\" is not JSON", flow);
	kind = json_member(&object, "trigger", 7, false);
	cron = json_member(&object, "cron", 4, false);
	if (value_is(&kind, "manual"))
		return NULL;
	if (!value_is(&kind, "schedule") || value_is_null(&cron))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid trigger of flow \"%s\"", flow),
				 errhint("Use resolute.schedule('0 * * * *') or resolute.manual().")));
	return value_cstring(&cron);
}

/* The steps as one jsonb array. */
static Datum
steps_jsonb(const char *flow, ArrayType *steps)
{
	Oid			types[] = {JSONBARRAYOID};
	Datum		values[] = {PointerGetDatum(steps)};
	bool		isnull;

	if (ARR_NDIM(steps) == 0 || array_contains_nulls(steps))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a step of flow \"%s\" is null", flow),
				 errhint("Give create_flow() at least one step, made by the functions of schema resolute.")));
	catalog_execute("SELECT pg_catalog.to_jsonb($1)", 1, types, values, NULL);
	return result_datum(0, 1, &isnull);
}

/* Are two jsonb documents equal? */
static bool
jsonb_same(Datum a, Datum b)
{
	return DatumGetBool(DirectFunctionCall2(jsonb_eq, a, b));
}

/* The stored flow of this name, checked and locked; NULL if there is none. */
static Flow *
existing_flow(const char *name, bool replace)
{
	Flow	   *flow = flow_load(name, true, CurrentMemoryContext);

	if (flow == NULL)
		return NULL;
	if (!replace)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("flow \"%s\" already exists", name),
				 errhint("Use resolute.create_or_replace_flow() to change it.")));
	flow_check_access(flow);
	flow_lock_or_raise(flow);

	/* Somebody may have replaced it before we had the lock. */
	return flow_load(name, true, CurrentMemoryContext);
}

/* Cursors exist from now on, so that two first runs do not wait for each other. */
static void
ensure_cursors(const Flow *flow)
{
	ListCell   *lc;

	foreach(lc, flow->all)
	{
		Step	   *step = lfirst(lc);

		if (step->cursor)
			cursor_ensure(flow->owner, step->cursor->name);
	}
}

/* Check and store a flow; returns its version. */
static int
define_flow(FunctionCallInfo fcinfo, bool replace)
{
	char	   *name;
	Datum		steps;
	Flow	   *stored,
			   *flow;

	check_given(fcinfo, 0, "name", "flow");
	check_given(fcinfo, 1, "trigger", "flow");
	check_given(fcinfo, 2, "steps", "flow");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	check_name("flow", name);
	SPI_connect();
	steps = steps_jsonb(name, PG_GETARG_ARRAYTYPE_P(2));
	stored = existing_flow(name, replace);
	flow = stored ? stored : palloc0(sizeof(Flow));
	if (stored == NULL)
	{
		flow->owner = GetUserId();
		flow->enabled = true;
	}
	else if (jsonb_same(stored->definition, steps) &&
			 jsonb_same(stored->trigger, PG_GETARG_DATUM(1)))
	{
		schedule_again(stored->name, stored->owner, stored->cron, stored->enabled);
		SPI_finish();
		return stored->version;
	}
	flow->name = name;
	flow->trigger = PG_GETARG_DATUM(1);
	flow->definition = steps;
	flow->cron = trigger_cron(name, flow->trigger);

	/* Everything is checked before anything is stored. */
	flow_parse(flow);
	flow_check(flow);
	flow_store(flow);
	ensure_cursors(flow);
	schedule_flow(name, flow->owner, flow->cron, flow->enabled);
	SPI_finish();
	return flow->version;
}

Datum
resolute_create_flow(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(define_flow(fcinfo, false));
}

Datum
resolute_create_or_replace_flow(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(define_flow(fcinfo, true));
}

Datum
resolute_drop_flow(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			types[] = {INT4OID};
	Datum		values[1];
	Flow	   *flow;

	SPI_connect();
	flow = flow_load(name, false, CurrentMemoryContext);
	flow_check_access(flow);
	flow_lock_or_raise(flow);
	values[0] = Int32GetDatum(flow->id);
	catalog_execute("DELETE FROM resolute.flows WHERE flow_id OPERATOR(pg_catalog.=) $1",
					1, types, values, NULL);

	/* Where pg_cron is in another database, this tells how to remove the job. */
	if (flow->cron)
		schedule_flow(name, flow->owner, flow->cron, false);
	SPI_finish();
	PG_RETURN_VOID();
}

/* Set whether the schedule may start the flow. */
static void
set_enabled(const char *name, bool enabled)
{
	Oid			types[] = {INT4OID, BOOLOID};
	Datum		values[2];
	Flow	   *flow;

	SPI_connect();
	flow = flow_load(name, false, CurrentMemoryContext);
	flow_check_access(flow);
	values[0] = Int32GetDatum(flow->id);
	values[1] = BoolGetDatum(enabled);
	catalog_execute("UPDATE resolute.flows SET enabled = $2 WHERE flow_id OPERATOR(pg_catalog.=) $1",
					2, types, values, NULL);
	if (flow->cron)
		schedule_flow(name, flow->owner, flow->cron, enabled);
	SPI_finish();
}

Datum
resolute_enable_flow(PG_FUNCTION_ARGS)
{
	set_enabled(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);
	PG_RETURN_VOID();
}

Datum
resolute_disable_flow(PG_FUNCTION_ARGS)
{
	set_enabled(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
	PG_RETURN_VOID();
}
