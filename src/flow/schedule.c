/*
 * schedule.c
 *		Keeps pg_cron's job of a flow in step with the flow.
 *
 * pg_cron is called as the owner of the flow, since it records the caller as
 * the user of the job, and in a subtransaction, since it may refuse.  Only
 * cron.schedule() and cron.unschedule() are open to everybody, so a
 * disabled flow has no job rather than an inactive one.
 */
#include "flow/schedule.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "flow/cron_ticks.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "resolute.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#define JOB_PREFIX "resolute: "

/* Where is pg_cron, as seen by the owner of a flow? */
typedef enum CronAccess
{
	CRON_HERE,
	CRON_NOT_HERE,				/* not in this database */
	CRON_NO_USAGE				/* in this database, not open to the owner */
} CronAccess;

/* A job as it should be. */
typedef struct CronJob
{
	const char *flow;
	Oid			owner;
	char	   *name;
	char	   *command;
	const char *cron;			/* NULL: there should be none */
} CronJob;

/*
 * The name of the job.  cron.job had a name column of 63 bytes before pg_cron
 * 1.5, so a longer one is cut, and told apart by a hash.
 */
static char *
job_name(const char *flow)
{
	char	   *name = psprintf(JOB_PREFIX "%s", flow);
	int			length = (int) strlen(name);
	int			room = NAMEDATALEN - 1 - 9;
	uint32		hash;

	if (length < NAMEDATALEN)
		return name;
	hash = DatumGetUInt32(hash_any((const unsigned char *) flow, (int) strlen(flow)));
	name[pg_mbcliplen(name, length, room)] = '\0';
	return psprintf("%s~%08x", name, hash);
}

static CronJob
make_job(const char *flow, Oid owner, const char *cron)
{
	CronJob		job;

	job.flow = flow;
	job.owner = owner;
	job.name = job_name(flow);
	job.command = psprintf("CALL " RESOLUTE_SCHEMA ".run(%s, scheduled => true)",
						   quote_literal_cstr(flow));
	job.cron = cron;
	return job;
}

/* May the role call pg_cron here? */
static CronAccess
cron_access(Oid role)
{
	Oid			schema;

	if (!OidIsValid(get_extension_oid("pg_cron", true)))
		return CRON_NOT_HERE;
	schema = get_namespace_oid("cron", true);
	if (!OidIsValid(schema))
		return CRON_NOT_HERE;
	if (!DatumGetBool(DirectFunctionCall3(has_schema_privilege_id_id,
										  ObjectIdGetDatum(role),
										  ObjectIdGetDatum(schema),
										  CStringGetTextDatum("USAGE"))))
		return CRON_NO_USAGE;
	return CRON_HERE;
}

/* Text between dollars, with a tag that the text does not hold. */
static char *
dollar_quoted(const char *text)
{
	char	   *tag = pstrdup("$$");

	for (int i = 0; strstr(text, tag); i++)
		tag = psprintf("$q%d$", i);
	return psprintf("%s%s%s", tag, text, tag);
}

/*
 * Say that the job could not be made (or removed) and which statement does it.  The hint works
 * in the database that pg_cron runs in, whichever that is.
 */
static void
report_statement(const CronJob *job, CronAccess access, const char *detail)
{
	const char *cron_database = GetConfigOption("cron.database_name", true, false);
	char	   *database = get_database_name(MyDatabaseId);
	char	   *statement;

	if (job->cron)
		statement = psprintf("SELECT cron.schedule_in_database(%s, %s, %s, %s, %s)",
							 quote_literal_cstr(job->name), quote_literal_cstr(job->cron),
							 dollar_quoted(job->command), quote_literal_cstr(database),
							 quote_literal_cstr(GetUserNameFromId(job->owner, false)));
	else
		statement = psprintf("SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = %s AND database = %s",
							 quote_literal_cstr(job->name), quote_literal_cstr(database));
	if (detail == NULL)
		detail = access == CRON_NOT_HERE ?
			psprintf("The extension pg_cron is not in database \"%s\".", database) :
			psprintf("Role \"%s\" has no USAGE on schema cron.",
					 GetUserNameFromId(job->owner, false));
	ereport(NOTICE,
			(errcode(ERRCODE_WARNING),
			 errmsg(job->cron ? "flow \"%s\" was not scheduled" :
					"the schedule of flow \"%s\" was not removed", job->flow),
			 errdetail_internal("%s", detail),
			 job->cron && access == CRON_NO_USAGE ?
			 errhint("Run as a superuser: GRANT USAGE ON SCHEMA cron TO %s; SELECT " RESOLUTE_SCHEMA ".enable_flow(%s);",
					 quote_identifier(GetUserNameFromId(job->owner, false)),
					 quote_literal_cstr(job->flow)) :
			 cron_database && *cron_database ?
			 errhint("Run this as a superuser in database \"%s\": %s;", cron_database, statement) :
			 errhint("Install pg_cron, and run this as a superuser in its database: %s;", statement)));
}

/* Raise what is wrong with a cron expression. */
static void
refuse_expression(const CronJob *job, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("schedule \"%s\" of flow \"%s\" is not valid", job->cron, job->flow),
			 errdetail_internal("%s", detail),
			 errhint("Use five fields such as '0 * * * *' (every hour) or '*/10 8-18 * * mon-fri'.")));
}

/* Look at the expression ourselves, where pg_cron cannot be asked. */
static void
check_expression(const CronJob *job)
{
	CronSchedule schedule;
	char	   *problem;

	if (!cron_parse(job->cron, &schedule, &problem))
		refuse_expression(job, problem);
}

/* pg_cron takes the 31st of February; nobody else should. */
static void
warn_if_never(const CronJob *job)
{
	CronSchedule schedule;
	char	   *problem;
	TimestampTz tick;

	if (cron_parse(job->cron, &schedule, &problem) &&
		schedule.every_seconds == 0 && !schedule.at_start &&
		!schedule_next_tick(job->cron, GetCurrentTimestamp(), &tick))
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("schedule \"%s\" of flow \"%s\" never fires", job->cron, job->flow),
				 errdetail("No date of the next 40 years matches it.")));
}

/* Run a query about the job; its parameters are the name, and two texts. */
static void
execute(const char *query, const char *first, const char *second, const char *third)
{
	Oid			types[3] = {TEXTOID, TEXTOID, TEXTOID};
	Datum		values[3];
	int			n = third ? 3 : 2;
	int			result;

	values[0] = CStringGetTextDatum(first);
	values[1] = CStringGetTextDatum(second);
	if (third)
		values[2] = CStringGetTextDatum(third);
	result = SPI_execute_with_args(query, n, types, values, NULL, false, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not ask pg_cron: %s", SPI_result_code_string(result));
}

/* Somebody switched the job off in pg_cron, where scheduling leaves it so. */
static void
report_inactive(const CronJob *job, int64 id)
{
	ereport(NOTICE,
			(errcode(ERRCODE_WARNING),
			 errmsg("the pg_cron job of flow \"%s\" is not active", job->flow),
			 errdetail("Job " INT64_FORMAT " was switched off with cron.alter_job().", id),
			 errhint("To make a new job, disable the flow and enable it again.")));
}

/*
 * Find the job of that name; one of another database is not ours to change.
 * 0: there is none.
 */
static int64
find_job(const CronJob *job)
{
	char	   *database;
	int64		id;

	execute("SELECT jobid, database, active FROM cron.job "
			"WHERE jobname::pg_catalog.text OPERATOR(pg_catalog.=) $1 "
			"AND username OPERATOR(pg_catalog.=) $2",
			job->name, GetUserNameFromId(job->owner, false), NULL);
	if (SPI_processed == 0)
		return 0;
	id = result_int64(0, 1);
	database = result_text(0, 2);
	if (database && strcmp(database, get_database_name(MyDatabaseId)) == 0)
	{
		if (job->cron && !result_bool(0, 3))
			report_inactive(job, id);
		return id;
	}
	if (job->cron)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("flow \"%s\" could not be scheduled", job->flow),
				 errdetail("pg_cron has a job \"%s\" of the same user for database \"%s\".",
						   job->name, database ? database : ""),
				 errhint("Give the flow another name.")));
	return 0;
}

/* Bring the job into the state that is wanted, as the owner. */
static void
change_job(const CronJob *job)
{
	int64		id;

	SPI_connect();
	id = find_job(job);
	if (job->cron)
		execute("SELECT cron.schedule($1, $2, $3)", job->name, job->cron, job->command);
	else if (id != 0)
	{
		Oid			types[1] = {INT8OID};
		Datum		values[1] = {Int64GetDatum(id)};

		SPI_execute_with_args("SELECT cron.unschedule($1)", 1, types, values, NULL, false, 0);
	}
	SPI_finish();
}

/*
 * Do the same in a subtransaction.  NULL, or the error of pg_cron, allocated in the
 * current context.
 */
static ErrorData *
try_change_job(const CronJob *job)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Oid			userid;
	int			sec_context;
	ErrorData  *volatile error = NULL;

	GetUserIdAndSecContext(&userid, &sec_context);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		/* An abort of the subtransaction undoes the switch, too. */
		SetUserIdAndSecContext(job->owner, sec_context | SECURITY_LOCAL_USERID_CHANGE);
		change_job(job);
		SetUserIdAndSecContext(userid, sec_context);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

/* Is it the cron text that pg_cron did not like? */
static bool
refused_expression(const CronJob *job, const ErrorData *error)
{
	return job->cron && error->sqlerrcode == ERRCODE_INVALID_PARAMETER_VALUE;
}

void
schedule_flow(const char *flow, Oid owner, const char *cron, bool enabled)
{
	CronJob		job = make_job(flow, owner, cron);
	CronAccess	access = cron_access(owner);
	ErrorData  *error;

	/* Nothing keeps a flow from being disabled, not even its schedule. */
	if (!enabled)
		job.cron = NULL;
	if (job.cron && access != CRON_HERE)
		check_expression(&job);
	if (access != CRON_HERE)
	{
		if (cron)
			report_statement(&job, access, NULL);
		return;
	}
	error = try_change_job(&job);
	if (error == NULL)
	{
		if (job.cron)
			warn_if_never(&job);
		return;
	}
	if (refused_expression(&job, error))
		refuse_expression(&job, psprintf("pg_cron says: %s.", error->message));
	if (error->sqlerrcode != ERRCODE_INSUFFICIENT_PRIVILEGE)
		ReThrowError(error);
	report_statement(&job, access, psprintf("pg_cron says: %s.", error->message));
}

void
schedule_again(const char *flow, Oid owner, const char *cron, bool enabled)
{
	if (cron && cron_access(owner) == CRON_HERE)
		schedule_flow(flow, owner, cron, enabled);
}

void
unschedule_flow(const char *flow, Oid owner)
{
	schedule_flow(flow, owner, NULL, false);
}

/* The zone in which pg_cron reads its schedules; before 1.5 it knew only GMT. */
static pg_tz *
cron_zone(void)
{
	const char *name = GetConfigOption("cron.timezone", true, false);
	pg_tz	   *zone = name && *name ? pg_tzset(name) : NULL;

	return zone ? zone : pg_tzset("GMT");
}

bool
schedule_last_tick(const char *cron, TimestampTz now, TimestampTz *tick)
{
	CronSchedule schedule;
	char	   *problem;

	return cron_parse(cron, &schedule, &problem) &&
		cron_last_tick(&schedule, now, cron_zone(), tick);
}

bool
schedule_next_tick(const char *cron, TimestampTz now, TimestampTz *tick)
{
	CronSchedule schedule;
	char	   *problem;

	if (!cron_parse(cron, &schedule, &problem))
		return false;

	/* An interval runs from the last start, so this is the latest that it can be. */
	if (schedule.every_seconds > 0)
	{
		*tick = now + schedule.every_seconds * USECS_PER_SEC;
		return true;
	}
	return cron_next_tick(&schedule, now, cron_zone(), tick);
}
