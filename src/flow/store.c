/*
 * store.c
 *		Loads, stores and locks flows.
 */
#include "flow/store.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "resolute.h"
#include "storage/lock.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#define LOAD_SQL \
	"SELECT f.flow_id, f.name, f.owner::pg_catalog.oid, f.version, f.enabled, " \
	"(EXTRACT(epoch FROM f.max_runtime) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8, " \
	"f.max_failures, f.not_before, " \
	"CASE WHEN v.trigger OPERATOR(pg_catalog.->>) 'trigger' OPERATOR(pg_catalog.=) 'schedule' " \
	"THEN v.trigger OPERATOR(pg_catalog.->>) 'cron' END, v.trigger::pg_catalog.jsonb, v.steps, " \
	"v.trigger OPERATOR(pg_catalog.->>) 'label', f.queue " \
	"FROM resolute.flows f JOIN resolute.flow_versions v " \
	"ON v.flow_id OPERATOR(pg_catalog.=) f.flow_id AND v.version OPERATOR(pg_catalog.=) f.version " \
	"WHERE f.name OPERATOR(pg_catalog.=) $1"

#define VERSION_SQL \
	"SELECT CASE WHEN v.trigger OPERATOR(pg_catalog.->>) 'trigger' OPERATOR(pg_catalog.=) 'schedule' " \
	"THEN v.trigger OPERATOR(pg_catalog.->>) 'cron' END, v.trigger::pg_catalog.jsonb, v.steps, " \
	"v.trigger OPERATOR(pg_catalog.->>) 'label' FROM resolute.flow_versions v " \
	"WHERE v.flow_id OPERATOR(pg_catalog.=) $1 AND v.version OPERATOR(pg_catalog.=) $2"

/* Fill in what differs between versions, from column first on. */
static void
definition_from_row(Flow *flow, int first)
{
	flow->cron = result_text(0, first);
	flow->trigger = result_copy(0, first + 1);
	flow->definition = result_copy(0, first + 2);
	flow->label = result_text(0, first + 3);
}

/* Fill a Flow from the first row of the last query. */
static Flow *
flow_from_row(void)
{
	Flow	   *flow = palloc0(sizeof(Flow));

	flow->id = result_int32(0, 1);
	flow->name = result_text(0, 2);
	flow->owner = result_oid(0, 3);
	flow->version = result_int32(0, 4);
	flow->enabled = result_bool(0, 5);
	flow->max_runtime_us = result_int64(0, 6);
	flow->max_failures = result_int32(0, 7);
	flow->not_before = result_int64(0, 8);
	definition_from_row(flow, 9);
	flow->queue = result_text(0, 13);
	return flow;
}

char *
own_names(const char *table, const char *none)
{
	StringInfoData out;

	initStringInfo(&out);
	catalog_execute(psprintf("SELECT name, owner::pg_catalog.oid FROM resolute.%s ORDER BY name", table),
					0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed && out.len < 500; i++)
	{
		if (is_member_of_role(GetUserId(), result_oid(i, 2)))
			appendStringInfo(&out, "%s\"%s\"", out.len ? ", " : "", result_text(i, 1));
	}
	return out.len ? psprintf("Your %s are %s.", table, out.data) : pstrdup(none);
}

void
check_given(FunctionCallInfo fcinfo, int arg, const char *what, const char *of)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s of a %s must not be null", what, of)));
}

void
check_name(const char *of, const char *name)
{
	if (name[0] == '\0' || strlen(name) > STORE_MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid name of a %s: \"%s\"", of, name),
				 errhint("A name has 1 to %d bytes.", STORE_MAX_NAME)));
}

void
check_new_owner(const char *what, const char *name, Oid owner)
{
	if (is_member_of_role(GetUserId(), owner))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("must be member of role \"%s\" to give it %s \"%s\"",
					GetUserNameFromId(owner, false), what, name)));
}

Flow *
flow_load(const char *name, bool missing_ok, MemoryContext context)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	MemoryContext old;
	Flow	   *flow;

	catalog_execute(LOAD_SQL, 1, types, values, NULL);
	if (SPI_processed == 0 && missing_ok)
		return NULL;
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("flow \"%s\" does not exist", name),
				 errhint("%s", own_names("flows", "You have no flows yet: see resolute.create_flow()."))));
	old = MemoryContextSwitchTo(context);
	flow = flow_from_row();
	MemoryContextSwitchTo(old);
	return flow;
}

bool
flow_load_version(Flow *flow, int version)
{
	Oid			types[] = {INT4OID, INT4OID};
	Datum		values[] = {Int32GetDatum(flow->id), Int32GetDatum(version)};

	catalog_execute(VERSION_SQL, 2, types, values, NULL);
	if (SPI_processed == 0)
		return false;
	definition_from_row(flow, 1);
	flow->version = version;
	return true;
}

void
flow_require_version(Flow *flow, int version)
{
	int			latest = flow->version;

	if (!flow_load_version(flow, version))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("flow \"%s\" has no version %d", flow->name, version),
				 errhint("Its latest version is %d; see resolute.flow_versions.", latest)));
}

void
flow_check_access(const Flow *flow)
{
	if (!is_member_of_role(GetUserId(), flow->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for flow \"%s\"", flow->name),
				 errdetail("It is owned by role \"%s\".", GetUserNameFromId(flow->owner, false)),
				 errhint("Only its owner, members of that role and superusers may use it.")));
}

/* Add the row of resolute.flows. */
static void
insert_flow(Flow *flow)
{
	Oid			types[] = {TEXTOID, OIDOID};
	Datum		values[] = {CStringGetTextDatum(flow->name), ObjectIdGetDatum(flow->owner)};

	catalog_execute("INSERT INTO resolute.flows (name, owner, version) "
					"VALUES ($1, $2::pg_catalog.regrole, 1) RETURNING flow_id",
					2, types, values, NULL);
	flow->id = result_int32(0, 1);
	flow->version = 1;
}

/* Make the next version the current one. */
static void
advance_version(Flow *flow)
{
	Oid			types[] = {INT4OID};
	Datum		values[] = {Int32GetDatum(flow->id)};

	catalog_execute("UPDATE resolute.flows SET version = version OPERATOR(pg_catalog.+) 1, not_before = NULL "
					"WHERE flow_id OPERATOR(pg_catalog.=) $1 RETURNING version",
					1, types, values, NULL);
	flow->version = result_int32(0, 1);
}

void
flow_store(Flow *flow)
{
	Oid			types[] = {INT4OID, INT4OID, JSONBOID, JSONBOID, OIDOID};
	Datum		values[5];

	if (flow->id == 0)
		insert_flow(flow);
	else
		advance_version(flow);
	values[0] = Int32GetDatum(flow->id);
	values[1] = Int32GetDatum(flow->version);
	values[2] = flow->trigger;
	values[3] = flow->definition;
	values[4] = ObjectIdGetDatum(GetUserId());
	catalog_execute("INSERT INTO resolute.flow_versions (flow_id, version, trigger, steps, created_by) "
					"VALUES ($1, $2, $3, $4, $5::pg_catalog.regrole)",
					5, types, values, NULL);
}

void
flow_defer(const Flow *flow, TimestampTz not_before)
{
	Oid			types[] = {INT4OID, TIMESTAMPTZOID};
	Datum		values[] = {Int32GetDatum(flow->id), TimestampTzGetDatum(not_before)};

	catalog_execute("UPDATE resolute.flows SET not_before = $2 WHERE flow_id OPERATOR(pg_catalog.=) $1",
					2, types, values, NULL);
}

static void
set_flow_tag(LOCKTAG *tag, int flow_id)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, resolute_relation("flows"), flow_id, 0);
}

bool
flow_lock(int flow_id, bool session)
{
	LOCKTAG		tag;
	LockAcquireResult result;

	set_flow_tag(&tag, flow_id);
	result = LockAcquire(&tag, ExclusiveLock, session, true);

	/* A run inside a run of the same flow must not go on either. */
	if (result == LOCKACQUIRE_ALREADY_HELD || result == LOCKACQUIRE_ALREADY_CLEAR)
	{
		LockRelease(&tag, ExclusiveLock, session);
		return false;
	}
	return result == LOCKACQUIRE_OK;
}

void
flow_unlock(int flow_id)
{
	LOCKTAG		tag;

	set_flow_tag(&tag, flow_id);
	LockRelease(&tag, ExclusiveLock, true);
}

void
flow_lock_or_raise(const Flow *flow)
{
	LOCKTAG		tag;

	set_flow_tag(&tag, flow->id);

	/*
	 * Another mode than that of a run: both exclude each other between
	 * sessions, but a transaction may define a flow and then run it.
	 */
	if (LockAcquire(&tag, ShareRowExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("flow \"%s\" is running", flow->name),
				 errhint("Wait until the run is over, or cancel it with pg_cancel_backend(); see view resolute.flow_status.")));
}
