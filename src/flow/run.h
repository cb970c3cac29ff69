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
 * This header is the run itself, which all its parts share:
 *
 *		run.c		SQL entry points; how a run begins, and what it goes through
 *		run_end.c	what becomes of it
 *		run_queue.c	a place in the flow's queue, and waiting for it
 *		execute.c	steps in order: blocks and actions
 *		state.c		what conditions and nodes see
 *		condition.c	when and while
 *		emit.c		metrics on their way out
 *
 * Others have headers of their own:
 *
 *		unit.h		units, commits, the switch to the flow's owner
 *		watch.h		time limits
 *		stream.h	a source with its cursor, read page by page
 *		pass.h		what pages go through on their way into sinks
 *		failure.h	retries, handlers, and what these have at hand
 *		node.h		functions that nodes call
 */
#ifndef RESOLUTE_RUN_H
#define RESOLUTE_RUN_H

#include "flow/queue.h"
#include "flow/step.h"
#include "fmgr.h"
#include "observe/runs.h"
#include "target/target.h"
#include "transform/transform.h"

typedef struct Run Run;
typedef struct Pass Pass;		/* see pass.h */
typedef struct PageWork PageWork;

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

/* From its beginning to its end, in the backend that it runs in. */
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

/*
 * All that a procedure does: in transactions of its own, or within the caller's (atomic). SPI is
 * connected accordingly and left connected; an error that ended the run is raised.
 */
extern void run_call(Run *run);

/* Does the caller of a procedure not let it commit? */
extern bool run_call_is_atomic(FunctionCallInfo fcinfo);

/* Empty input. */
extern Datum run_no_input(void);

/* The run whose step is being worked on, or NULL. */
extern Run *run_current(void);

/* run_end.c */

/* What the error means for the run's status; then raise it, with what the caller needs to know. */
extern void run_classify_error(Run *run);
extern void run_raise_error(Run *run) pg_attribute_noreturn();

/* Write how the run ended, whatever its outcome. */
extern void run_end(Run *run);

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

/* state.c */

/* The state as JSON in UTF-8, palloc'd. */
extern char *run_state(Run *run);

/* The run so far, as the state shows it and metrics() does later; JSON in UTF-8, palloc'd. */
extern char *run_metrics(Run *run);

/* A document in UTF-8 as a jsonb datum. */
extern Datum run_jsonb(const char *text);

/* What a sink did so far, as JSON. */
extern char *sink_output(Run *run, const Step *sink);

/* Sum up the steps into run->record. */
extern void run_sum(Run *run);

/* Run an action: a node without rows, or sql().  False on error. */
extern bool run_action(Run *run, Step *step);

/* condition.c: evaluate a condition.  False on error. */
extern bool run_condition(Run *run, Step *when, bool *result);

/*
 * emit.c, within a unit: call the function of emit_metrics(); what it
 * returned, as JSON in UTF-8, or NULL.
 */
extern char *emit_metrics(Run *run, const Step *step);

#endif							/* RESOLUTE_RUN_H */
