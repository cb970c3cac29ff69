/*
 * run_queue.c
 *		A run takes its place in the queue of its flow, or waits for it.
 */
#include "flow/run.h"

#include "executor/spi.h"
#include "flow/unit.h"
#include "utils/timestamp.h"

/* Tell that the run may take a while to begin. */
static void
report_wait(const Run *run)
{
	ereport(NOTICE,
			(errmsg("flow \"%s\" waits for a place in queue \"%s\"",
					run->flow->name, run->queue->name)));
}

/* Read again what may have been changed meanwhile, and whether waiting makes sense. */
static void
reload_queue(Run *run)
{
	Queue	   *queue = queue_load(run->queue->name, run->context);

	pfree(unconstify(char *, run->queue->name));
	pfree(run->queue);
	run->queue = queue;
	queue_check_deadlock(queue);
}

/* In the caller's transaction there is nothing to commit before a wait. */
static void
wait_in_transaction(Run *run)
{
	bool		inside = false;

	report_wait(run);
	queue_line_up(run->queue, false);
	for (;;)
	{
		run->place = queue_watch(run->queue, false, &inside);
		if (run->place != QUEUE_FULL || inside || !run->queue->waits)
			break;

		/* A connection of its own keeps nothing, however long this takes. */
		SPI_connect();
		reload_queue(run);
		SPI_finish();
	}
	queue_leave_line(run->queue, false);
}

QueueResult
run_enter_queue(Run *run)
{
	bool		inside = false;

	if (run->flow->queue == NULL)
		return QUEUE_ENTERED;
	run->queue = queue_load(run->flow->queue, run->context);

	/* Nobody passes those who wait already. */
	if (!run->queue->waits || !queue_has_line(run->queue))
		run->place = queue_enter(run->queue, !run->atomic, &inside);
	if (run->place != QUEUE_FULL)
	{
		/* It begins with its place: until then that was somebody else's, perhaps. */
		run->record.started_at = GetCurrentTimestamp();
		return QUEUE_ENTERED;
	}

	/* A run inside a run of this queue would wait for itself. */
	if (inside || !run->queue->waits)
		return QUEUE_REFUSED;
	run->record.queued_at = run->record.started_at;
	if (!run->atomic)
		return QUEUE_WAITS;
	wait_in_transaction(run);
	run->record.started_at = GetCurrentTimestamp();
	return run->place != QUEUE_FULL ? QUEUE_ENTERED : QUEUE_REFUSED;
}

/* Unit: stand in line until the run is the first there. */
static void
line_up_unit(Run *run, void *arg pg_attribute_unused())
{
	queue_line_up(run->queue, true);
}

/* Unit: look for a place for a while. */
static void
watch_unit(Run *run, void *arg)
{
	bool	   *inside = arg;

	run->place = queue_watch(run->queue, true, inside);
}

/* Unit: what has become of the queue. */
static void
reload_unit(Run *run, void *arg pg_attribute_unused())
{
	reload_queue(run);
}

/*
 * Under CALL: wait for a place; a run that has begun does so even where the queue lets nobody
 * wait.  False on error.
 */
static bool
wait_for_place(Run *run)
{
	bool		begun = run->record.status != RUN_WAITING;
	bool		inside = false;
	bool		done;

	report_wait(run);
	done = run_unit(run, UNIT_NETWORK, run->context, line_up_unit, NULL) &&
		run_unit(run, UNIT_NETWORK, run->context, watch_unit, &inside);
	while (done && run->place == QUEUE_FULL && !inside && (begun || run->queue->waits))
		done = run_unit(run, UNIT_BOOKS, run->context, reload_unit, NULL) && run_commit(run) &&
			run_unit(run, UNIT_NETWORK, run->context, watch_unit, &inside);
	queue_leave_line(run->queue, true);
	return done;
}

/* Unit: the run begins after all. */
static void
start_unit(Run *run, void *arg pg_attribute_unused())
{
	runs_start(&run->record);
}

bool
run_wait_in_queue(Run *run)
{
	if (!wait_for_place(run))
		return false;
	if (run->place == QUEUE_FULL)
		return true;
	run->record.status = RUN_RUNNING;
	run->record.started_at = GetCurrentTimestamp();
	return run_unit(run, UNIT_BOOKS, run->context, start_unit, NULL) && run_commit(run);
}

bool
run_keep_place(Run *run)
{
	if (run->queue == NULL || run->place != QUEUE_FULL || wait_for_place(run))
		return true;
	run->fatal = true;
	return false;
}

void
run_leave_queue(Run *run)
{
	if (run->place != QUEUE_FULL)
		queue_leave(run->queue, run->place, !run->atomic);
	run->place = QUEUE_FULL;
	run->queue = NULL;
}
