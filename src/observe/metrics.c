/*
 * metrics.c
 *		What a run has done, as one JSON object: of a run that goes on and of one
 *		in the books alike.
 */
#include "observe/runs.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "resolute.h"
#include "rows/json.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

PG_FUNCTION_INFO_V1(resolute_metrics);

void
append_instant(StringInfo out, TimestampTz instant)
{
	char		buffer[MAXDATELEN + 1];

	if (instant == 0)
		appendStringInfoString(out, "null");
	else
		appendStringInfo(out, "\"%s\"",
						 JsonEncodeDateTime(buffer, TimestampTzGetDatum(instant), TIMESTAMPTZOID, NULL));
}

/* How long it has worked: the wait for a place in its queue is not part of that. */
static double
duration_seconds(const RunRecord *record, TimestampTz now)
{
	if (record->status == RUN_WAITING)
		return 0;
	return ((record->finished_at ? record->finished_at : now) - record->started_at) / 1000000.0;
}

char *
runs_metrics(const RunRecord *record, TimestampTz now)
{
	const StepCounts *counts = &record->counts;
	char	   *flow = pg_server_to_any(record->flow, strlen(record->flow), PG_UTF8);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"run_id\": " INT64_FORMAT ", \"flow\": \"", record->run_id);
	json_append_escaped(&out, flow, strlen(flow));
	appendStringInfo(&out, "\", \"version\": %d, \"status\": \"%s\", \"started_at\": ",
					 record->version, run_status_name(record->status));
	append_instant(&out, record->started_at);
	appendStringInfo(&out,
					 ", \"source_records\": " INT64_FORMAT ", \"processed\": " INT64_FORMAT
					 ", \"inserted\": " INT64_FORMAT ", \"updated\": " INT64_FORMAT
					 ", \"unchanged\": " INT64_FORMAT ", \"stale\": " INT64_FORMAT
					 ", \"duplicates\": " INT64_FORMAT ", \"filtered\": " INT64_FORMAT
					 ", \"failed\": " INT64_FORMAT ", \"handled_errors\": " INT64_FORMAT
					 ", \"pages\": " INT64_FORMAT ", \"retries\": " INT64_FORMAT,
					 record->source_records,
					 counts->inserted + counts->updated + counts->unchanged + counts->stale,
					 counts->inserted, counts->updated, counts->unchanged, counts->stale,
					 counts->duplicates, counts->filtered, counts->failed,
					 record->handled_errors, record->pages, record->retries);
	appendStringInfo(&out, ", \"duration_seconds\": %.3f, \"cursor_position\": ",
					 duration_seconds(record, now));
	append_instant(&out, record->cursor_position);
	appendStringInfoChar(&out, '}');
	return out.data;
}

Datum
resolute_metrics(PG_FUNCTION_ARGS)
{
	int64		run_id = PG_GETARG_INT64(0);
	MemoryContext caller = CurrentMemoryContext;
	RunRecord	record;
	char	   *metrics;

	SPI_connect();

	/* As row-level security has it, runs of others do not exist. */
	if (!runs_load(run_id, &record) || !is_member_of_role(GetUserId(), record.owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("run " INT64_FORMAT " does not exist", run_id),
				 errhint("The runs of your flows are in resolute.runs.")));
	metrics = runs_metrics(&record, GetCurrentTimestamp());
	metrics = pg_any_to_server(metrics, strlen(metrics), PG_UTF8);
	metrics = MemoryContextStrdup(caller, metrics);
	SPI_finish();
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(metrics));
}
