/*
 * watch.c
 *		Time limits: max_runtime of runs, and timeouts of steps.
 *
 * A limit expires like statement_timeout, by cancelling what is going on; but a timeout of a step
 * is an error (54000) that can be handled, other than a cancel.  Limits nest, since a step of a run may be part of a block that has one, and may itself run
 * another flow.  One timeout serves them all: it is set to the nearest of them.
 */
#include "flow/watch.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timeout.h"

struct Watch
{
	Watch	   *outer;			/* the limit around this one, of any run */
	const Run  *run;
	const Step *step;			/* NULL: the run itself */
	int64		limit_us;
	TimestampTz deadline;
	bool		fired;			/* it has cancelled what was going on ... */
	bool		expired;		/* ... and its run knows */
};

static Watch *innermost = NULL;
static bool registered = false;
static TimeoutId timeout;

/* In a signal handler: cancel what is going on, as statement_timeout does. */
static void
watch_handler(void)
{
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

/* Set the timeout to the nearest limit. */
static void
arm(void)
{
	TimestampTz nearest = 0;

	for (Watch *watch = innermost; watch; watch = watch->outer)
	{
		if (!watch->fired && (nearest == 0 || watch->deadline < nearest))
			nearest = watch->deadline;
	}
	if (nearest == 0 && !registered)
		return;
	if (!registered)
		timeout = RegisterTimeout(USER_TIMEOUT, watch_handler);
	registered = true;
	if (nearest != 0)
		enable_timeout_at(timeout, nearest);
	else
		disable_timeout(timeout, false);
}

Watch *
watch_begin(Run *run, const Step *step, int64 limit_us)
{
	Watch	   *watch;

	if (limit_us <= 0)
		return NULL;
	watch = MemoryContextAllocZero(run->context, sizeof(Watch));
	watch->outer = innermost;
	watch->run = run;
	watch->step = step;
	watch->limit_us = limit_us;
	watch->deadline = GetCurrentTimestamp() + limit_us;
	innermost = watch;
	arm();
	return watch;
}

void
watch_end(Watch *watch)
{
	if (watch == NULL)
		return;

	/* It may have expired at the last moment: whom would it cancel later? */
	if (!watch->expired && watch->deadline <= GetCurrentTimestamp())
		CHECK_FOR_INTERRUPTS();
	innermost = watch->outer;
	arm();
	pfree(watch);
}

Watch *
watch_innermost(void)
{
	return innermost;
}

void
watch_unwind(Watch *watch)
{
	if (innermost == watch)
		return;
	innermost = watch;
	arm();
}

void
watch_forget(const Run *run)
{
	Watch	   *watch = innermost;

	while (watch && watch->run == run)
		watch = watch->outer;
	watch_unwind(watch);
}

/* The outermost limit that is over, since it ends whatever is in it. */
static Watch *
expired_watch(void)
{
	Watch	   *expired = NULL;
	TimestampTz now = GetCurrentTimestamp();

	for (Watch *watch = innermost; watch; watch = watch->outer)
	{
		if (!watch->expired && watch->deadline <= now)
			expired = watch;
	}
	return expired;
}

/* "2.5 s", palloc'd. */
static char *
seconds_text(int64 us)
{
	return psprintf("%g s", us / 1000000.0);
}

void
watch_explain(Run *run)
{
	ErrorData  *error = run->error;
	Watch	   *watch;

	if (error->sqlerrcode != ERRCODE_QUERY_CANCELED)
		return;
	watch = expired_watch();
	if (watch == NULL)
		return;
	watch->fired = true;

	/* A limit of another run around this one: that will explain it. */
	if (watch->run != run)
		return;
	watch->expired = true;
	if (watch->step == NULL)
	{
		error->message = psprintf("canceling flow \"%s\" because it ran longer than its max_runtime",
								  run->flow->name);
		error->hint = pstrdup("The next run goes on where this one stopped; see resolute.alter_flow() for the limit.");
		return;
	}
	run->timed_out = true;
	run->error_step = watch->step;
	error->sqlerrcode = ERRCODE_PROGRAM_LIMIT_EXCEEDED;
	error->message = psprintf("step \"%s\" of flow \"%s\" took longer than %s",
							  watch->step->name, run->flow->name, seconds_text(watch->limit_us));
	error->hint = pstrdup("The limit is that of resolute.with_timeout().");
}
