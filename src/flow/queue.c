/*
 * queue.c
 *		The places of a queue, and the line of those who wait for one.
 */
#include "flow/queue.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "flow/store.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "resolute.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/* How long the first of the line lets pass between two looks: 10 ms, up to 320 ms. */
#define LOOK_FIRST_MS 10
#define LOOK_DOUBLINGS 5

/* No place has this number. */
#define LOOKING (QUEUE_MAX_RUNNING + 1)

/* Whom do the runs of a queue wait for?  $1 queues' OID, $2 the queue, $3 the database. */
#define DEADLOCK_SQL \
	"WITH RECURSIVE holder AS (" \
	"SELECT l.pid FROM pg_catalog.pg_locks l WHERE l.locktype OPERATOR(pg_catalog.=) 'object' " \
	"AND l.database OPERATOR(pg_catalog.=) $3 AND l.classid OPERATOR(pg_catalog.=) $1 " \
	"AND l.objid OPERATOR(pg_catalog.=) $2 AND l.objsubid OPERATOR(pg_catalog.>) 0 AND l.granted), " \
	"chain(holder, pid) AS (SELECT h.pid, h.pid FROM holder h UNION " \
	"SELECT c.holder, b.pid FROM chain c, LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(c.pid)) b(pid)) " \
	"SELECT FROM holder h WHERE NOT EXISTS (SELECT FROM chain c " \
	"WHERE c.holder OPERATOR(pg_catalog.=) h.pid AND c.pid OPERATOR(pg_catalog.=) $4) LIMIT 1"

Queue *
queue_load(const char *name, MemoryContext context)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	Queue	   *queue;

	catalog_execute("SELECT queue_id, owner::pg_catalog.oid, max_running, places, "
					"on_full OPERATOR(pg_catalog.=) 'wait' "
					"FROM resolute.queues WHERE name OPERATOR(pg_catalog.=) $1",
					1, types, values, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("queue \"%s\" does not exist", name),
				 errhint("%s", own_names("queues", "Make one: SELECT resolute.create_queue('a name', max_running => 2);"))));
	queue = MemoryContextAllocZero(context, sizeof(Queue));
	queue->id = result_int32(0, 1);
	queue->name = MemoryContextStrdup(context, name);
	queue->owner = result_oid(0, 2);
	queue->max_running = result_int32(0, 3);
	queue->places = result_int32(0, 4);
	queue->waits = result_bool(0, 5);
	queue->relation = resolute_relation("queues");
	return queue;
}

void
queue_check_access(const Queue *queue)
{
	if (!is_member_of_role(GetUserId(), queue->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for queue \"%s\"", queue->name),
				 errdetail("It is owned by role \"%s\".", GetUserNameFromId(queue->owner, false)),
				 errhint("Only its owner, members of that role and superusers may use or change it.")));
}

/* The lock of a place; 0 stands for the head of the line, LOOKING for who tries all places. */
static LOCKTAG
place_tag(const Queue *queue, int place)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, queue->relation, queue->id, place);
	return tag;
}

/* Wait for a lock, however long; lock_timeout is meant for those that somebody holds by mistake. */
static void
lock_patiently(const LOCKTAG *tag, bool session)
{
	int			guc_level = NewGUCNestLevel();

	(void) set_config_option("lock_timeout", "0",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) LockAcquire(tag, ExclusiveLock, session, false);
	AtEOXact_GUC(false, guc_level);
}

/* Try the places in turn; see queue_enter(). */
static int
try_places(const Queue *queue, bool session, bool *inside)
{
	int			mine = QUEUE_FULL;
	int			running = 0;

	*inside = false;
	for (int place = 1; place <= queue->places; place++)
	{
		LOCKTAG		tag = place_tag(queue, place);
		LockAcquireResult result = LockAcquire(&tag, ExclusiveLock, session, true);

		if (result == LOCKACQUIRE_OK && mine == QUEUE_FULL && place <= queue->max_running)
		{
			mine = place;

			/* Runs beyond max_running can only be there if it was lowered. */
			if (queue->places == queue->max_running)
				return mine;
			continue;
		}
		if (result != LOCKACQUIRE_OK)
			running++;
		if (result != LOCKACQUIRE_NOT_AVAIL)
			LockRelease(&tag, ExclusiveLock, session);
		*inside |= result == LOCKACQUIRE_ALREADY_HELD || result == LOCKACQUIRE_ALREADY_CLEAR;
	}
	if (mine != QUEUE_FULL && running >= queue->max_running)
	{
		queue_leave(queue, mine, session);
		mine = QUEUE_FULL;
	}
	return mine;
}

int
queue_enter(const Queue *queue, bool session, bool *inside)
{
	LOCKTAG		looking = place_tag(queue, LOOKING);
	int			place;

	if (queue->places == queue->max_running)
		return try_places(queue, session, inside);

	/*
	 * Who counts the runs beyond max_running holds each free place for a moment; others
	 * who look would count that as a run, and all of them could give up.
	 */
	lock_patiently(&looking, false);
	place = try_places(queue, session, inside);
	LockRelease(&looking, ExclusiveLock, false);
	return place;
}

void
queue_leave(const Queue *queue, int place, bool session)
{
	LOCKTAG		tag = place_tag(queue, place);

	LockRelease(&tag, ExclusiveLock, session);
}

bool
queue_has_line(const Queue *queue)
{
	LOCKTAG		tag = place_tag(queue, 0);

	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return true;
	LockRelease(&tag, ExclusiveLock, false);
	return false;
}

void
queue_line_up(const Queue *queue, bool session)
{
	LOCKTAG		tag = place_tag(queue, 0);

	lock_patiently(&tag, session);
}

void
queue_leave_line(const Queue *queue, bool session)
{
	LOCKTAG		tag = place_tag(queue, 0);
	LockAcquireResult result;

	if (!session)
	{
		LockRelease(&tag, ExclusiveLock, false);
		return;
	}

	/* A cancel may come before the lock is ours or just after, so ask. */
	result = LockAcquire(&tag, ExclusiveLock, true, true);
	if (result != LOCKACQUIRE_NOT_AVAIL)
		LockRelease(&tag, ExclusiveLock, true);
	if (result == LOCKACQUIRE_ALREADY_HELD || result == LOCKACQUIRE_ALREADY_CLEAR)
		LockRelease(&tag, ExclusiveLock, true);
}

/* Sleep for a while; a cancel is served at once. */
static void
sleep_ms(long ms)
{
	static uint32 wait_event = 0;
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ms);
	long		left = ms;

	if (wait_event == 0)
		wait_event = new_wait_event("ResoluteQueue");
	while (left > 0)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left, wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);
	}
}

int
queue_watch(const Queue *queue, bool session, bool *inside)
{
	long		waited = 0;

	for (int look = 0;; look++)
	{
		int			place = queue_enter(queue, session, inside);
		long		pause = LOOK_FIRST_MS << Min(look, LOOK_DOUBLINGS);

		if (place != QUEUE_FULL || *inside || waited >= DeadlockTimeout)
			return place;
		sleep_ms(pause);
		waited += pause;
	}
}

void
queue_check_deadlock(const Queue *queue)
{
	Oid			types[] = {OIDOID, OIDOID, OIDOID, INT4OID};
	Datum		values[] = {ObjectIdGetDatum(queue->relation), ObjectIdGetDatum((Oid) queue->id),
	ObjectIdGetDatum(MyDatabaseId), Int32GetDatum(MyProcPid)};
	bool		inside;
	int			place;

	catalog_execute(DEADLOCK_SQL, 4, types, values, NULL);
	if (SPI_processed > 0)
		return;

	/* Nobody but those who wait for us: unless all of them have gone meanwhile. */
	place = queue_enter(queue, false, &inside);
	if (place != QUEUE_FULL)
	{
		queue_leave(queue, place, false);
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_T_R_DEADLOCK_DETECTED),
			 errmsg("deadlock detected in queue \"%s\"", queue->name),
			 errdetail("Every run of the queue waits for a lock of this session, which waits for one of them to end."),
			 errhint("Start runs of this queue before a transaction takes locks that they need, or with CALL outside a transaction.")));
}
