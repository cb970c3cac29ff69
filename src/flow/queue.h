/*
 * queue.h
 *		Queues: how many runs of some flows may go on at once.
 *
 * A queue has max_running places, numbered from 1.  A run holds one of them by a
 * heavyweight lock (LOCKTAG_OBJECT of resolute.queues), for the session under CALL and for
 * the transaction otherwise, so that a place is free again however the run ends.  It is
 * so at once, even if the transaction goes on: what is bounded is the work, not how long that
 * stays uncommitted.
 * Runs that find no place stand in line: the first of the line holds a lock as well
 * and looks for a place now and then, the others wait for that lock, first come, first served.
 */
#ifndef RESOLUTE_QUEUE_H
#define RESOLUTE_QUEUE_H

#include "postgres.h"

/* Each place is a lock, and whoever looks for one tries them in turn. */
#define QUEUE_MAX_RUNNING 1000

/* A row of resolute.queues, and where its locks are; palloc'd. */
typedef struct Queue
{
	int			id;
	const char *name;
	Oid			owner;
	int			max_running;
	int			places;			/* the greatest max_running it has had */
	bool		waits;			/* on_full: wait, not skip */
	Oid			relation;		/* resolute.queues */
} Queue;

/* How an attempt to get a place ended, if not with its number. */
#define QUEUE_FULL 0

/* Load a queue into context; needs SPI.  Raises 42704 with a hint where there is none. */
extern Queue *queue_load(const char *name, MemoryContext context);

/* Raises 42501 unless the current user is a member of the queue's owner. */
extern void queue_check_access(const Queue *queue);

/*
 * Take a place without waiting, for the session or the transaction: its number, or
 * QUEUE_FULL.  *inside: this session holds one already, so that it would wait for itself.
 * (But whoever else looks may have to finish that, if max_running was lowered.)
 * Touches no catalog.
 */
extern int	queue_enter(const Queue *queue, bool session, bool *inside);

/* Give a place back, as the session or the resource owner that took it. */
extern void queue_leave(const Queue *queue, int place, bool session);

/* Does anybody stand in line? */
extern bool queue_has_line(const Queue *queue);

/*
 * Become the first of the line; waits for that without a limit (lock_timeout does not
 * count), and with PostgreSQL's deadlock detection.  To be given up by the
 * resource owner that took it; queue_leave_line() for a session does not mind
 * whether it is held.
 */
extern void queue_line_up(const Queue *queue, bool session);
extern void queue_leave_line(const Queue *queue, bool session);

/*
 * As the first of the line: look for a place until there is one, or about
 * deadlock_timeout has passed; then the caller should reload the queue, look for
 * deadlocks and go on.  As queue_enter().  Touches no catalog.
 */
extern int	queue_watch(const Queue *queue, bool session, bool *inside);

/*
 * Raises 40P01 where no place can become free, because every run of the queue waits
 * (for locks, behind whomever) for this session; needs SPI.
 */
extern void queue_check_deadlock(const Queue *queue);

#endif							/* RESOLUTE_QUEUE_H */
