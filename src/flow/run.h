/*
 * run.h
 *		A run of a flow: its parts, and how they work together.
 *
 * A run is a sequence of *units*.  Each is one subtransaction, so that whatever goes wrong
 * in it is undone and known; under CALL the transaction is committed between units.
 * Units that wait for the network open nothing: no snapshot, no catalog access,
 * no switch of the user.  Functions that may fail return false and leave the
 * error in run->error.
 *
 *		run.c		SQL entry points; begin and end of a run
 *		unit.c		units, commits, the switch to the flow's owner
 *		execute.c	steps in order: blocks and actions
 *		stream.c	a source with its cursor, read page by page
 *		drain.c		a pass: pages through transforms into sinks
 *		state.c		what conditions and nodes see
 */
#ifndef RESOLUTE_RUN_H
#define RESOLUTE_RUN_H

#include "cursor/cursor.h"
#include "flow/step.h"
#include "observe/runs.h"
#include "rows/spool.h"
#include "source/source.h"
#include "target/target.h"
#include "transform/transform.h"

/* A page that meets 40001 or 40P01 is repeated this often under CALL. */
#define RUN_MAX_CONFLICTS 10

/* ... after a pause, which doubles so many times: 10 ms to 320 ms. */
#define RUN_CONFLICT_PAUSE_US 10000
#define RUN_CONFLICT_DOUBLINGS 5

/* What a step has done so far, and what the present page adds to it. */
typedef struct StepState
{
	RunStepRecord done;			/* number, step and kind are set */
	RunStepRecord staged;
	char	   *output;			/* what a node returned: JSON, UTF-8, or NULL */
	char	   *staged_output;
	Transform  *transform;		/* map, unique: of the present pass */
	Upsert	   *upsert;
} StepState;

/* A source and its cursor. */
typedef struct Stream
{
	Step	   *fetch;
	int64		cursor_id;		/* 0: no cursor */
	bool		cursor_locked;
	Cursor	   *cursor;			/* NULL until opened, or without one */
	CursorBinding binding;
	Source	   *source;			/* NULL until opened */
	Connection *connection;		/* only to learn the time zone */
	const char *time_zone;		/* of the account; NULL if not wanted */
	MemoryContext context;		/* of source and cursor */

	SourcePage	   *ahead;			/* a page that a condition looked at, or NULL */
	MemoryContext ahead_context;
	bool		ended;			/* the source has no more pages for this run */
	char	   *walk;			/* where to go on after the pages read, or NULL
								 * behind the last one there is */
	bool		drained;		/* its rows were fed to a sink, all of them */
	bool		finished;		/* its cursor covers all pages read */
	bool		staged_finished;
	int64		pages;			/* pages delivered */
	int64		rows;			/* rows in them */

	bool		has_maximum;
	TimestampTz maximum;		/* greatest cursor value of pages worked on */
	bool		staged_has_maximum;
	TimestampTz staged_maximum;

	Spool	   *spool;			/* if fetch->needs_spool and it has been read */
} Stream;

typedef struct Run
{
	MemoryContext context;		/* lives until the end of the run */
	Flow	   *flow;
	RunRecord	record;
	bool		atomic;			/* in the caller's transaction */
	bool		flow_locked;	/* for the session, under CALL */
	bool		restricted;		/* the caller is not the owner */
	bool		preview;		/* looks only: no locks, no books */
	char	   *input;			/* JSON, UTF-8 */
	StepState  *steps;			/* by step->number - 1 */
	List	   *streams;		/* of Stream *, one per fetch step */
	DeadLetters *letters;
	ErrorData  *error;			/* why it failed, or NULL */
	bool		watching;		/* has a deadline */
	TimestampTz outer_deadline; /* then that of the run around it, or 0 */
	bool		busy;			/* another run holds one of its cursors */
} Run;

static inline StepState *
step_state(Run *run, const Step *step)
{
	return &run->steps[step->number - 1];
}

/* run.c */

/*
 * Set up a run of a flow that the current user may run; needs SPI.  input is a jsonb datum
 * that lives as long as the run.  Raises 42704, 42501 or 22023.
 */
extern Run *run_create(const char *name, Datum input, bool atomic);

/* unit.c */

/* Does database work: as the flow's owner, with SPI and a snapshot. */
#define UNIT_DATABASE	0x01
/* Does it as the caller (resolute's own books). */
#define UNIT_BOOKS		0x02
/* Waits for the network: nothing open. */
#define UNIT_NETWORK	0x04

typedef void (*UnitFunction) (Run *run, void *arg);

/*
 * Run fn in a subtransaction, with context as the current memory context.
 * False if it raised an error, which is then in run->error (allocated in
 * run->context) and undone.
 */
extern bool run_unit(Run *run, int kind, MemoryContext context, UnitFunction fn, void *arg);

/*
 * Commit under CALL; nothing otherwise.  False as run_unit(); the transaction
 * is rolled back then, as by run_rollback().
 */
extern bool run_commit(Run *run);

/*
 * Roll back under CALL, where nothing since the last commit is to be kept; nothing
 * otherwise.  An abort frees the locks of the session, so they are taken again: false,
 * with run->error set to 55006, if another run was faster.
 */
extern bool run_rollback(Run *run);

/* Is this a conflict with others that goes away when the work is repeated (40001, 40P01)? */
extern bool run_is_conflict(const ErrorData *error);

/* Wait before the page is repeated, longer with each attempt.  False as run_unit(). */
extern bool run_pause(Run *run, MemoryContext context, int attempt);

/* Start and stop the watch on max_runtime. */
extern void run_watch_start(Run *run);
extern void run_watch_stop(Run *run);

/* execute.c */

/* Build streams and steps' states, lock cursors, check targets. */
extern bool run_prepare(Run *run);

/* Run all steps. */
extern bool run_execute(Run *run);

/* Let go of cursors held for the session. */
extern void run_unlock_cursors(Run *run);

/* stream.c */
extern Stream *run_stream(Run *run, const Step *fetch);
extern bool stream_open(Run *run, Stream *stream);

/*
 * The next page, in a context of its own that the caller deletes; *page is NULL
 * at the end.  False on error.
 */
extern bool stream_next(Run *run, Stream *stream, SourcePage **page, MemoryContext *context);

/* Does the source have any row?  Reads on until it knows. */
extern bool stream_has_rows(Run *run, Stream *stream, bool *has_rows);

/* Read all of it into its spool, so that its count is known. */
extern bool stream_fill_spool(Run *run, Stream *stream);

/* Within a unit: move the cursor over a page whose rows are stored. */
extern void stream_checkpoint(Run *run, Stream *stream, const SourcePage *page);
extern void stream_keep(Stream *stream);
extern void stream_drop(Stream *stream);

/* When a stream, or all of them, has ended: move what did not move with the pages. */
extern bool stream_finish(Run *run, Stream *stream);
extern bool stream_finish_all(Run *run);

/* drain.c */
extern bool run_drain(Run *run, Step *leader);

/* Make transforms and upserts for a pass; within a unit. */
extern List *pass_create(Run *run, Step *leader);

/* Put a page through the transforms of a pass; batches by step->number - 1. */
extern void pass_transform(Run *run, List *pass, RowBatch *batch, PageContext *page,
						   RowBatch **batches);

/* state.c */

/* The state as JSON in UTF-8, palloc'd. */
extern char *run_state(Run *run);

/* Evaluate a condition.  False on error. */
extern bool run_condition(Run *run, Step *when, bool *result);

/* Run an action: a node without rows, or sql().  False on error. */
extern bool run_action(Run *run, Step *step);

/* Within a unit: feed a page to a node. */
extern void node_page(Run *run, Step *step, RowBatch *batch);

/* What a sink did so far, as JSON. */
extern char *sink_output(Run *run, const Step *sink);

/* Sum up the steps into run->record. */
extern void run_sum(Run *run);

#endif							/* RESOLUTE_RUN_H */
