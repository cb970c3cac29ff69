/*
 * runs.h
 *		The books of runs: resolute.runs and resolute.run_steps.
 *
 * All functions need a connection to SPI and write as the catalog's owner.
 */
#ifndef RESOLUTE_RUNS_H
#define RESOLUTE_RUNS_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "portability/instr_time.h"
#include "rows/batch.h"
#include "utils/timestamp.h"

typedef enum RunStatus
{
	RUN_RUNNING,
	RUN_SUCCEEDED,
	RUN_FAILED,
	RUN_SKIPPED,
	RUN_DEFERRED,
	RUN_CANCELLED,
	RUN_WAITING					/* for a place in its queue */
} RunStatus;

/* As in column status of resolute.runs. */
extern const char *run_status_name(RunStatus status);

/* What a row of resolute.runs tells of. */
typedef enum RunKind
{
	RUN_SYNC,					/* run_flow(), CALL run() */
	RUN_REPLAY,
	RUN_RESYNC,
	RUN_RECONCILE
} RunKind;

/* One row of resolute.runs. */
typedef struct RunRecord
{
	RunKind		kind;
	int64		run_id;			/* 0 until it is stored */
	int			flow_id;
	const char *flow;
	Oid			owner;
	int			version;
	RunStatus	status;
	bool		scheduled;
	Datum		input;			/* jsonb, 0 for none */
	TimestampTz queued_at;		/* began to wait for a place in its queue; 0:
								 * did not wait */
	TimestampTz started_at;
	TimestampTz finished_at;	/* 0 while it is running */
	int64		source_records;
	StepCounts	counts;			/* summed over the steps */
	int64		deleted;		/* rows that the source no longer has */
	int64		handled_errors;
	int64		pages;
	int64		retries;
	TimestampTz cursor_position;	/* 0: none */
	TimestampTz next_attempt_at;	/* 0: none */
	int			sqlerrcode;		/* 0: none */
	const char *error_message;
} RunRecord;

/* One row of resolute.run_steps. */
typedef struct RunStepRecord
{
	int			number;
	const char *step;
	const char *kind;
	StepCounts	counts;
	int64		pages;
	int64		bytes;
	int64		retries;

	/* where the time went; see the comments on the columns */
	int64		wait_us;
	int64		recv_us;
	int64		work_us;
	int64		books_us;
	int64		commit_us;
	const char *output;			/* JSON in the database's encoding, or NULL */
} RunStepRecord;

/* Microseconds since then. */
static inline int64
elapsed_us(instr_time since)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, since);
	return (int64) INSTR_TIME_GET_MICROSEC(now);
}

/* Insert the run; sets run_id. */
extern void runs_insert(RunRecord *record);

/* A waiting run begins: its status and when it started. */
extern void runs_start(const RunRecord *record);

/* Bring the row up to date: after each page, and at the end. */
extern void runs_update(const RunRecord *record);

/* Write what a step did. */
extern void runs_write_step(int64 run_id, const RunStepRecord *step);

/*
 * Close the runs of a flow that are still "running" or "waiting" although nobody holds the flow: their backend
 * is gone.  Returns how many.
 */
extern int64 runs_close_orphans(int flow_id);

/* Did a run of this flow that fetches start (not skipped) at or after the given time? */
extern bool runs_started_since(int flow_id, TimestampTz since);

/*
 * Load a run into a record allocated in the current context: everything that
 * runs_metrics() needs.  False if there is none.
 */
extern bool runs_load(int64 run_id, RunRecord *record);

/*
 * What a run has done, or had done so far at a moment, as a JSON object in UTF-8; palloc'd.
 * metrics() shows the same as state->'run' and emit_metrics().
 */
extern char *runs_metrics(const RunRecord *record, TimestampTz now);

/* Append an instant as to_jsonb() writes it; null for 0. */
extern void append_instant(StringInfo out, TimestampTz instant);

/* The row as a composite datum of type resolute.runs, in context. */
extern Datum runs_row(int64 run_id, MemoryContext context);

#endif							/* RESOLUTE_RUNS_H */
