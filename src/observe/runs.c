/*
 * runs.c
 *		Keeps the books of runs.
 */
#include "observe/runs.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "resolute.h"
#include "utils/builtins.h"
#include "utils/datum.h"

#define US_PER_MS 1000.0

/* By RunStatus. */
static const char *const status_names[] = {
	"running", "succeeded", "failed", "skipped", "deferred", "cancelled",
	"waiting"
};

/* By RunKind. */
static const char *const kind_names[] = {"run", "replay", "resync", "reconcile"};

const char *
run_status_name(RunStatus status)
{
	return status_names[status];
}

/* A text datum, or null. */
static void
set_text(Datum *value, char *null, const char *text)
{
	*null = text ? ' ' : 'n';
	*value = text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* A timestamp datum, or null for 0. */
static void
set_time(Datum *value, char *null, TimestampTz time)
{
	*null = time ? ' ' : 'n';
	*value = TimestampTzGetDatum(time);
}

void
runs_insert(RunRecord *record)
{
	Oid			types[] = {INT4OID, TEXTOID, OIDOID, INT4OID, TEXTOID, BOOLOID, JSONBOID,
	TIMESTAMPTZOID, INT4OID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID, TEXTOID};
	Datum		values[13];
	char		nulls[14] = "             ";

	values[0] = Int32GetDatum(record->flow_id);
	values[1] = CStringGetTextDatum(record->flow);
	values[2] = ObjectIdGetDatum(record->owner);
	values[3] = Int32GetDatum(record->version);
	values[4] = CStringGetTextDatum(status_names[record->status]);
	values[5] = BoolGetDatum(record->scheduled);
	values[6] = record->input;
	nulls[6] = record->input ? ' ' : 'n';
	values[7] = TimestampTzGetDatum(record->started_at);
	values[8] = Int32GetDatum(MyProcPid);
	set_time(&values[9], &nulls[9], record->finished_at);
	set_text(&values[10], &nulls[10], record->error_message);
	set_time(&values[11], &nulls[11], record->queued_at);
	values[12] = CStringGetTextDatum(kind_names[record->kind]);
	catalog_execute("INSERT INTO resolute.runs (flow_id, flow, owner, version, status, scheduled, "
					"input, started_at, pid, finished_at, error_message, queued_at, kind) "
					"VALUES ($1, $2, $3::pg_catalog.regrole, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
					"RETURNING run_id", 13, types, values, nulls);
	record->run_id = result_int64(0, 1);
}

void
runs_start(const RunRecord *record)
{
	Oid			types[] = {INT8OID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {Int64GetDatum(record->run_id),
		CStringGetTextDatum(status_names[record->status]), TimestampTzGetDatum(record->started_at)};

	catalog_execute("UPDATE resolute.runs SET status = $2, started_at = $3 "
					"WHERE run_id OPERATOR(pg_catalog.=) $1", 3, types, values, NULL);
}

/* The counters of a row of runs, in the order of UPDATE_SQL. */
static void
set_counters(const RunRecord *record, Datum *values)
{
	const StepCounts *counts = &record->counts;

	values[0] = Int64GetDatum(record->source_records);
	values[1] = Int64GetDatum(counts->inserted + counts->updated + counts->unchanged + counts->stale);
	values[2] = Int64GetDatum(counts->inserted);
	values[3] = Int64GetDatum(counts->updated);
	values[4] = Int64GetDatum(counts->unchanged);
	values[5] = Int64GetDatum(counts->stale);
	values[6] = Int64GetDatum(counts->duplicates);
	values[7] = Int64GetDatum(counts->filtered);
	values[8] = Int64GetDatum(counts->failed);
	values[9] = Int64GetDatum(record->handled_errors);
	values[10] = Int64GetDatum(record->pages);
	values[11] = Int64GetDatum(record->retries);
	values[12] = Int64GetDatum(record->deleted);
}

#define RUN_COUNTERS 13
#define UPDATE_SQL \
	"UPDATE resolute.runs SET source_records = $1, processed = $2, inserted = $3, " \
	"updated = $4, unchanged = $5, stale = $6, duplicates = $7, filtered = $8, failed = $9, " \
	"handled_errors = $10, pages = $11, retries = $12, deleted = $13, status = $14, finished_at = $15, " \
	"duration_seconds = EXTRACT(epoch FROM $15 OPERATOR(pg_catalog.-) started_at), " \
	"cursor_position = $16, next_attempt_at = $17, error_code = $18, error_message = $19 " \
	"WHERE run_id OPERATOR(pg_catalog.=) $20"

void
runs_update(const RunRecord *record)
{
	Oid			types[RUN_COUNTERS + 7];
	Datum		values[RUN_COUNTERS + 7];
	char		nulls[RUN_COUNTERS + 8];
	int			i = RUN_COUNTERS;

	memset(nulls, ' ', sizeof(nulls));
	for (int j = 0; j < RUN_COUNTERS; j++)
		types[j] = INT8OID;
	set_counters(record, values);
	types[i] = TEXTOID;
	values[i++] = CStringGetTextDatum(status_names[record->status]);
	types[i] = TIMESTAMPTZOID;
	set_time(&values[i], &nulls[i], record->finished_at);
	types[++i] = TIMESTAMPTZOID;
	set_time(&values[i], &nulls[i], record->cursor_position);
	types[++i] = TIMESTAMPTZOID;
	set_time(&values[i], &nulls[i], record->next_attempt_at);
	types[++i] = TEXTOID;
	set_text(&values[i], &nulls[i],
			 record->sqlerrcode ? unpack_sql_state(record->sqlerrcode) : NULL);
	types[++i] = TEXTOID;
	set_text(&values[i], &nulls[i], record->error_message);
	types[++i] = INT8OID;
	values[i] = Int64GetDatum(record->run_id);
	catalog_execute(UPDATE_SQL, i + 1, types, values, nulls);
}

void
runs_write_step(int64 run_id, const RunStepRecord *step)
{
	Oid			types[22] = {INT8OID, INT4OID, TEXTOID, TEXTOID};
	Datum		values[22];
	char		nulls[23];
	const int64 counters[] = {step->pages, step->counts.rows_in, step->counts.rows_out,
		step->counts.inserted, step->counts.updated, step->counts.unchanged,
		step->counts.stale, step->counts.duplicates, step->counts.filtered,
		step->counts.failed, step->bytes, step->retries};
	const int64 times[] = {step->wait_us, step->recv_us, step->work_us, step->books_us,
		step->commit_us};
	int			i = 4;

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(run_id);
	values[1] = Int32GetDatum(step->number);
	values[2] = CStringGetTextDatum(step->step);
	values[3] = CStringGetTextDatum(step->kind);
	for (Size j = 0; j < lengthof(counters); j++, i++)
	{
		types[i] = INT8OID;
		values[i] = Int64GetDatum(counters[j]);
	}
	for (Size j = 0; j < lengthof(times); j++, i++)
	{
		types[i] = FLOAT8OID;
		values[i] = Float8GetDatum(times[j] / US_PER_MS);
	}
	types[i] = TEXTOID;
	set_text(&values[i], &nulls[i], step->output);
	catalog_execute("INSERT INTO resolute.run_steps (run_id, step_no, step, kind, pages, rows_in, "
					"rows_out, inserted, updated, unchanged, stale, duplicates, filtered, failed, "
					"bytes, retries, wait_ms, recv_ms, work_ms, books_ms, commit_ms, output) "
					"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
					"$17, $18, $19, $20, $21, $22::pg_catalog.jsonb)",
					i + 1, types, values, nulls);
}

int64
runs_close_orphans(int flow_id)
{
	Oid			types[] = {INT4OID};
	Datum		values[] = {Int32GetDatum(flow_id)};

	catalog_execute("UPDATE resolute.runs SET status = 'failed', finished_at = pg_catalog.clock_timestamp(), "
					"duration_seconds = EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) started_at), "
					"error_code = '57P02', error_message = 'the backend that ran it ended before the run did' "
					"WHERE flow_id OPERATOR(pg_catalog.=) $1 AND status IN ('running', 'waiting')",
					1, types, values, NULL);
	return (int64) SPI_processed;
}

bool
runs_started_since(int flow_id, TimestampTz since)
{
	Oid			types[] = {INT4OID, TIMESTAMPTZOID};
	Datum		values[] = {Int32GetDatum(flow_id), TimestampTzGetDatum(since)};

	catalog_execute("SELECT FROM resolute.runs WHERE flow_id OPERATOR(pg_catalog.=) $1 "
					"AND started_at OPERATOR(pg_catalog.>=) $2 AND status OPERATOR(pg_catalog.<>) 'skipped' "
					"AND kind IN ('run', 'resync') "
					"ORDER BY started_at DESC LIMIT 1",
					2, types, values, NULL);
	return SPI_processed > 0;
}

/* In the order of the members that they go to; times are as timestamptz has them. */
#define LOAD_SQL \
	"SELECT flow, status, owner::pg_catalog.oid, version, " \
	"source_records, inserted, updated, unchanged, stale, duplicates, filtered, failed, " \
	"handled_errors, pages, retries, started_at, finished_at, cursor_position " \
	"FROM resolute.runs WHERE run_id OPERATOR(pg_catalog.=) $1"

bool
runs_load(int64 run_id, RunRecord *record)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(run_id)};
	int64	   *counters[] = {&record->source_records, &record->counts.inserted,
		&record->counts.updated, &record->counts.unchanged, &record->counts.stale,
		&record->counts.duplicates, &record->counts.filtered, &record->counts.failed,
	&record->handled_errors, &record->pages, &record->retries};
	TimestampTz *times[] = {&record->started_at, &record->finished_at, &record->cursor_position};
	char	   *status;
	int			column = 5;

	memset(record, 0, sizeof(*record));
	catalog_execute(LOAD_SQL, 1, types, values, NULL);
	if (SPI_processed == 0)
		return false;
	record->run_id = run_id;
	record->flow = result_text(0, 1);
	status = result_text(0, 2);
	while (strcmp(status_names[record->status], status) != 0)
		record->status++;
	record->owner = result_oid(0, 3);
	record->version = result_int32(0, 4);
	for (Size i = 0; i < lengthof(counters); i++)
		*counters[i] = result_int64(0, column++);
	for (Size i = 0; i < lengthof(times); i++)
		*times[i] = result_int64(0, column++);
	return true;
}

Datum
runs_row(int64 run_id, MemoryContext context)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(run_id)};
	MemoryContext old;
	Datum		row;

	catalog_execute("SELECT r FROM resolute.runs r WHERE run_id OPERATOR(pg_catalog.=) $1",
					1, types, values, NULL);
	if (SPI_processed != 1)
		elog(ERROR, "run " INT64_FORMAT " is gone", run_id);
	old = MemoryContextSwitchTo(context);
	row = result_copy(0, 1);
	MemoryContextSwitchTo(old);
	return row;
}
