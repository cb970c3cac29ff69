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
 *		watch.c		time limits
 *		run_queue.c	a place in the flow's queue, and waiting for it
 *		execute.c	steps in order: blocks and actions
 *		stream.c	a source with its cursor, read page by page
 *		stream_cursor.c	how its cursor moves
 *		stored.c	the storage of its cursor
 *		stream_spool.c	its rows, kept aside
 *		paging.c	several sources at once, and pages one by one
 *		pass.c		what a page goes through on its way into sinks
 *		drain.c		a pass at work: one page after the other
 *		rest.c		... and then what its steps have held back
 *		foresee.c	how many rows there will be
 *		failure.c	retries and handlers
 *		handling.c	what a handler has at hand
 *		state.c		what conditions and nodes see
 *		condition.c	when and while
 *		emit.c		metrics on their way out
 *		node.c		functions that nodes call
 */
#ifndef RESOLUTE_RUN_H
#define RESOLUTE_RUN_H

#include "cursor/cursor.h"
#include "cursor/storage.h"
#include "flow/queue.h"
#include "flow/step.h"
#include "fmgr.h"
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

/* Rows that are read back from a spool at a time. */
#define SPOOL_PAGE_ROWS 100

typedef struct Run Run;

/* A time limit that is being watched; see watch.c. */
typedef struct Watch Watch;

/*
 * A pass: what the pages of some sources go through on their way into all sinks that are fed
 * together.  Lives in a context of its own until the next pass of the same leader.
 */
typedef struct Pass
{
	Step	   *leader;			/* the first of its sinks */
	MemoryContext context;
	List	   *roots;			/* of Step *: the fetch steps it reads */
	int64		opened;			/* how often these had been opened */
	int			nsteps;
	Step	  **steps;			/* transforms and sinks in the order written */
	Transform **transforms;		/* of each, or NULL */
	Upsert	  **upserts;
	bool	   *counts;			/* is this the pass that keeps the step's books? */
} Pass;

/* What a step has done so far, and what the present page adds to it. */
typedef struct StepState
{
	RunStepRecord done;			/* number, step and kind are set */
	RunStepRecord staged;
	int64		dead_lettered;	/* rows of done.counts.failed that dead_letter()
								 * took: max_failures does not count them */
	char	   *output;			/* what a node returned: JSON, UTF-8, or NULL */
	char	   *staged_output;
	Transform  *transform;		/* map, unique: of the latest pass, or NULL */
	Upsert	   *upsert;
	Pass	   *pass;			/* of a leader: its latest one, or NULL */
	int64		foreseen;		/* rows that it will yield ... */
	int64		foreseen_opened;	/* ... while its sources were opened so often;
									 * 0: not known */
	const Step *keeper;			/* leader of the pass that keeps its books ... */
	int64		keeper_opened;	/* ... as long as the sources are as they were */
	TimestampTz *starts;		/* with_rate_limit(): the latest ones, a ring */
	int64		next_start;
} StepState;

/* A source and its cursor. */
typedef struct Stream
{
	Step	   *fetch;
	int64		cursor_id;		/* 0: no cursor */
	bool		cursor_locked;
	Cursor	   *cursor;			/* NULL until opened, or without one */
	CursorBinding binding;
	Storage    *storage;		/* of the cursor, if it has one */
	char	   *stored;			/* what that held before the cursor was opened */
	Source	   *source;			/* NULL until opened, and once it was given up */
	MemoryContext source_context;
	bool		has_turn;		/* of with_rate_limit(), for the next page */
	int64		opened;			/* how often it was */
	Connection *connection;		/* only to learn the time zone */
	const char *time_zone;		/* of the account; NULL if not wanted */
	bool		census;			/* only what identifies items is read */
	MemoryContext context;		/* of source and cursor */

	SourcePage	   *ahead;			/* a page that a condition looked at, or NULL */
	MemoryContext ahead_context;
	SourcePage *current;		/* manual: the page that is held, or NULL */
	MemoryContext current_context;
	bool		page_done;		/* ... and has been fed to a sink */
	bool		skipped;		/* ... not: the cursor must not move beyond it */
	bool		ended;			/* the source has no more pages for this run */
	char	   *walk;			/* where to go on after the pages read, or NULL
								 * behind the last one there is */
	bool		failed;			/* an error has ended it, which was handled */
	bool		drained;		/* its rows were fed to a sink, all of them */
	List	   *fed;			/* leaders (Step *) whose passes are through with
								 * its rows; manual: with the page that is held */
	List	   *missed;			/* manual: those that some page was not fed to */
	bool		finished;		/* its cursor covers all pages read */
	bool		staged_finished;
	int64		pages;			/* pages delivered since it was opened */
	int64		rows;			/* rows in them */
	int64		all_pages;		/* in the whole run */
	int64		all_rows;

	/* Pages whose rows are stored: where to go on behind them. */
	bool		has_kept;
	char	   *kept_walk;
	bool		has_staged;
	char	   *staged_walk;

	bool		has_maximum;
	TimestampTz maximum;		/* greatest cursor value of pages worked on */
	bool		staged_has_maximum;
	TimestampTz staged_maximum;

	int64		spooled_pages;	/* pages read back from the spool */
	Spool	   *spool;			/* if fetch->needs_spool and it has been read */
} Stream;

/* A page on its way through a pass. */
typedef struct PageWork
{
	Pass	   *pass;
	Stream	   *stream;
	Step	   *from;			/* the step that has held the rows back, or NULL */
	SourcePage *page;
	PageContext context;
	int			attempt;		/* 1, 2, ... */
	bool		taken;			/* dead_letter() took it: the stream goes on */
} PageWork;

/* The step whose rows the page holds. */
static inline const Step *
page_origin(const PageWork *work)
{
	return work->from ? work->from : work->stream->fetch;
}

struct Run
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
	bool		busy;			/* another run holds one of its cursors */
	Queue	   *queue;			/* of the flow, or NULL */
	int			place;			/* held in it, or QUEUE_FULL */
	Run		   *outer;			/* the run whose step runs this flow, or NULL */

	/* Why it failed, or NULL; and what is known of it. */
	ErrorData  *error;
	const Step *error_step;		/* that raised it, or NULL */
	int64		error_page;		/* the page that it was raised for, or 0 */
	int64		error_rows;		/* rows of that page */
	int			error_attempts;
	bool		timed_out;		/* a timeout of error_step raised it */
	bool		fatal;			/* the run cannot go on, whoever handles it */

	/* The error that is being handled (NULL: none), and the step that raised it. */
	const ErrorData *origin;
	const Step *origin_step;
	char	   *handled;		/* what error() gives, of that error or the last
								 * one that was handled: JSON, UTF-8, or NULL */
	PageWork   *failed_page;	/* what dead_letter() would take, or NULL */

	/* What to do between begin and end, if not to run all steps. */
	bool		(*work) (Run *run);
	void	   *job;			/* what it works on */
	bool		dry;			/* rows reach no sink; cursors stay */

	/* Within a unit: is shown the rows of each page that are there for an upsert. */
	void		(*saw_rows) (Run *run, Step *sink, RowBatch *rows, PageContext *page);
};

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

/* Load the flow again, now that its lock is held.  Raises 40001 if it is another one. */
extern void run_reload(Run *run);

/* Write how the run ended, whatever its outcome. */
extern void run_end(Run *run);

/*
 * All that a procedure does: in transactions of its own, or within the caller's (atomic). SPI is
 * connected accordingly and left connected; an error that ended the run is raised.
 */
extern void run_call(Run *run);

/* Does the caller of a procedure not let it commit? */
extern bool run_call_is_atomic(FunctionCallInfo fcinfo);

/* Empty input. */
extern Datum run_no_input(void);

/* unit.c */

/* Does database work: as the flow's owner, with SPI and a snapshot. */
#define UNIT_DATABASE	0x01
/* Does it as the caller (resolute's own books). */
#define UNIT_BOOKS		0x02
/* Waits for the network: nothing open. */
#define UNIT_NETWORK	0x04

typedef void (*UnitFunction) (Run *run, void *arg);

/*
 * Run fn in a subtransaction, with context as the current memory context (NULL: one that ends
 * with the unit).
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

/* watch.c */

/*
 * Begin to watch a limit of the run (step NULL) or of one of its steps; NULL where limit_us is
 * 0.  What takes longer is cancelled.  Limits end in the opposite order; the end raises 57014 if
 * the limit is over by then.
 */
extern Watch *watch_begin(Run *run, const Step *step, int64 limit_us);
extern void watch_end(Watch *watch);

/* The innermost limit; after an error, let go of all that began after it. */
extern Watch *watch_innermost(void);
extern void watch_unwind(Watch *watch);

/* Let go of all limits of a run that is over. */
extern void watch_forget(const Run *run);

/*
 * Say why a run was cancelled, if it was a limit that did it; a timeout of a step then is an
 * error of that step (54000).
 */
extern void watch_explain(Run *run);

/* run_queue.c */

typedef enum QueueResult
{
	QUEUE_ENTERED,				/* the run may begin */
	QUEUE_WAITS,				/* it has to wait: see run_wait_in_queue() */
	QUEUE_REFUSED				/* it is to be skipped */
} QueueResult;

/*
 * Find a place for the run in the queue of its flow; needs SPI.  In the caller's
 * transaction this waits; under CALL the run must be recorded and committed first.
 */
extern QueueResult run_enter_queue(Run *run);

/*
 * Under CALL: wait for a place with nothing open, and begin.  False on error.  The run has
 * no place afterwards if the queue has been told to skip meanwhile.
 */
extern bool run_wait_in_queue(Run *run);

/*
 * Wait for another place if the run has lost its own with an aborted transaction.  False on
 * error, which is fatal: the run must not go on then.
 */
extern bool run_keep_place(Run *run);

/* Give the place back, if the run holds one. */
extern void run_leave_queue(Run *run);

/* execute.c */

/* Build streams and steps' states, lock cursors, check targets. */
extern bool run_prepare(Run *run);

/* Run all steps. */
extern bool run_execute(Run *run);
extern bool run_steps(Run *run, List *steps);

/* Let go of cursors held for the session. */
extern void run_unlock_cursors(Run *run);

/* stream.c */
extern Stream *run_stream(Run *run, const Step *fetch);
extern bool stream_open(Run *run, Stream *stream);

/* The upsert whose target the cursor is bound to, the first of its rows; or NULL. */
extern Step *stream_first_upsert(Run *run, const Step *fetch);

/* Within a unit: open the source only to make rows of items that were fetched before. */
extern void stream_open_offline(Run *run, Stream *stream);

/*
 * The next page, in a context of its own that the caller deletes; *page is NULL
 * at the end.  False on error.
 */
extern bool stream_next(Run *run, Stream *stream, SourcePage **page, MemoryContext *context);

/* Does the source have any row?  Reads on until it knows. */
extern bool stream_has_rows(Run *run, Stream *stream, bool *has_rows);

/*
 * Give up what is still to come of a stream: an error has ended it.  What is stored of
 * it stays stored, and the cursor is moved behind that.  False on another error.
 */
extern bool stream_fail(Run *run, Stream *stream);

/* The error of a stream outside a pass: let its fetch step handle it.  False if it does not. */
extern bool stream_handle(Run *run, Stream *stream);

/* Read all of it into its spool, so that its count is known. */
extern bool stream_fill_spool(Run *run, Stream *stream);

/* Open it, and read it into its spool if it needs one. */
extern bool stream_prepare(Run *run, Stream *stream);

/*
 * The first of the streams whose next page is there; waits until one is.  False on error, which
 * is one of *stream.
 */
extern bool stream_first(Run *run, List *streams, Stream **stream);

/* Begin anew the next time it is read: another round of the loop that the step stands in. */
extern bool stream_reopen(Run *run, Stream *stream);

/* paginate => 'manual': hold a page, if there is any left; go on to the next one. */
extern bool stream_hold_page(Run *run, Stream *stream);
extern bool stream_next_page(Run *run, Stream *stream);

/* Wait for the next page of the source itself, and give up its source. */
extern bool stream_fetch_page(Run *run, Stream *stream, SourcePage **page, MemoryContext *context);
extern void stream_close(Stream *stream);

/* The page that was looked at already, or the source's next one. */
extern bool stream_fetched_page(Run *run, Stream *stream, SourcePage **page,
								MemoryContext *context);

/* stream_spool.c: the next rows of the spool, as a page. */
extern bool stream_spooled_page(Run *run, Stream *stream, SourcePage **page,
								MemoryContext *context);

/* stream_cursor.c */

/* The greatest cursor value of a page, not beyond the server's own clock. */
extern void stream_stage_maximum(Stream *stream, const SourcePage *page);

/* Within a unit: move the cursor over a page whose rows are stored. */
extern void stream_checkpoint(Run *run, Stream *stream, const SourcePage *page);
extern void stream_keep(Stream *stream);
extern void stream_drop(Stream *stream);

/*
 * In the caller's transaction the cursor moves at the end only: move it behind the pages
 * that are stored.
 */
extern bool stream_settle(Run *run, Stream *stream);

/* Has every row that the source has for this run been stored? */
extern bool stream_is_complete(const Stream *stream);

/* A leader's pass is through with the rows (manual: the page) that the stream had for it. */
extern void stream_note_fed(Run *run, Stream *stream, Step *leader);

/* manual: the page that was held is left behind, whoever has seen it. */
extern void stream_note_left(Run *run, Stream *stream);

/* Have all rows of a complete stream been through this leader's pass? */
extern bool stream_has_fed(const Stream *stream, const Step *leader);

/* When a stream, or all of them, has ended: move what did not move with the pages. */
extern bool stream_finish(Run *run, Stream *stream);

/* The same within a unit, for a complete one; stream_keep() once that is committed. */
extern void stream_finish_within(Run *run, Stream *stream);
extern bool stream_finish_all(Run *run);

/* stored.c */

/* Ask the storage of the cursor for its position. */
extern bool stream_read_storage(Run *run, Stream *stream);

/*
 * Write there what was committed; opening: what runs before this one committed.  False
 * on error: the rows stay.
 */
extern bool stream_write_storage(Run *run, Stream *stream, bool opening);

/* pass.c */

/*
 * The pass of a leader, ready for pages; makes its transforms and upserts, unless it goes on
 * with the same sources as before.  Within a unit.
 */
extern Pass *pass_begin(Run *run, Step *leader);

/*
 * A pass without a sink, which only makes the rows of a step; it keeps no books.  Let go of it with
 * pass_end().
 */
extern Pass *pass_of_rows(Run *run, Step *step);
extern void pass_end(Run *run, Pass *pass);

/* A pass of these steps, in the order written, for rows of one source.  Within a unit. */
extern Pass *pass_of_steps(Run *run, Step *fetch, List *steps);

/* Does the step read (directly or not) from the other one? */
extern bool step_reads_from(const Step *step, const Step *other);

/* Does the pass of this leader read the source? */
extern bool pass_reads(Run *run, const Step *leader, const Step *fetch);

/*
 * Put a page of one source (from), or rows that one of its steps has held back, through the
 * steps of the pass that read from it; batches by step->number - 1 become what each step
 * made of it.
 */
extern void pass_page(Run *run, Pass *pass, const Step *from, RowBatch *batch,
					  PageContext *page, RowBatch **batches);

/* The page is committed (keep) or not. */
extern void pass_settle(Run *run, Pass *pass, bool keep);

/* drain.c */
extern bool run_drain(Run *run, Step *leader);

/* A page is one execution of each sink it goes to, for with_rate_limit(). */
extern bool drain_take_turns(Run *run, const PageWork *work);

/* Work on one page until it is committed. */
extern bool drain_page(Run *run, PageWork *work, MemoryContext context);

/* foresee.c */

/* Find out how many rows a step will yield, whose sources are spooled.  False on error. */
extern bool run_foresee(Run *run, Step *step);

/* rest.c */

/* What the steps of a pass have held back, in the order in which they read each other. */
extern bool drain_rest(Run *run, Pass *pass);

/* failure.c */

/* The run whose step is being worked on, or NULL. */
extern Run *run_current(void);
extern void run_enter(Run *run);

/*
 * After a failure of a step in its attempt-th attempt: wait, and return true if there shall be
 * another one, as policy (a step with with_retry(), or NULL) says.  Otherwise run->error stays.
 */
extern bool run_try_again(Run *run, const Step *step, const Step *policy, int attempt);

/* Wait, with nothing open; other requests go on meanwhile.  False if cancelled. */
extern bool run_pause(Run *run, int64 us);

/*
 * Take a turn of with_rate_limit() of the step, and (blocks) of the blocks around it: 0 if it may
 * begin now, else how many us to wait and try again; or wait until it may.
 */
extern int64 run_try_turn(Run *run, const Step *step, bool blocks);
extern bool run_take_turn(Run *run, const Step *step, bool blocks);

/*
 * Let the step's own handlers have the error.  True if one of them has handled it:
 * then there is no error any more.  page is what it was raised for, or NULL.
 */
extern bool run_handle(Run *run, const Step *step, PageWork *page);

/*
 * Something has failed for good in a leader's pass: see who handles that.  What cannot go on then
 * is given up; true if the pass goes on with the rest.  stream is the source that was read,
 * work the page that failed, NULL where it was something else.
 */
extern bool run_handle_pass(Run *run, const Step *leader, Stream *stream, PageWork *work);

/* Raise an error that is not one of a unit; returns false. */
extern bool run_fail(Run *run, const Step *step, UnitFunction fn, void *arg);

/* handling.c */

/* Run dead_letter(). */
extern bool run_dead_letter(Run *run, const Step *step);

/* state.c */

/* The state as JSON in UTF-8, palloc'd. */
extern char *run_state(Run *run);

/* The run so far, as the state shows it and metrics() does later; JSON in UTF-8, palloc'd. */
extern char *run_metrics(Run *run);

/* A document in UTF-8 as a jsonb datum. */
extern Datum run_jsonb(const char *text);

/* condition.c: evaluate a condition.  False on error. */
extern bool run_condition(Run *run, Step *when, bool *result);

/* Run an action: a node without rows, or sql().  False on error. */
extern bool run_action(Run *run, Step *step);

/*
 * emit.c, within a unit: call the function of emit_metrics(); what it
 * returned, as JSON in UTF-8, or NULL.
 */
extern char *emit_metrics(Run *run, const Step *step);

/* What a sink did so far, as JSON. */
extern char *sink_output(Run *run, const Step *sink);

/* Sum up the steps into run->record. */
extern void run_sum(Run *run);

#endif							/* RESOLUTE_RUN_H */
