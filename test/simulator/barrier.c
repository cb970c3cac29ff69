/*
 * barrier.c: holds requests back until a test lets them go
 */
#include <stdlib.h>

#include "fault.h"

static struct
{
	bool		up;
	char	   *match;
	int64_t		skip;			/* matching requests still let through */
	int64_t		permits;		/* waiting requests that may go */
	int64_t		generation;		/* moves when the barrier comes down */
}			barrier;

typedef struct Ticket
{
	int64_t		generation;
} Ticket;

static bool
may_pass(void *arg)
{
	Ticket	   *ticket = arg;

	if (ticket->generation != barrier.generation)
		return true;
	if (barrier.permits == 0)
		return false;
	barrier.permits--;
	return true;
}

bool
barrier_pass(Request *request)
{
	Ticket		ticket = {barrier.generation};
	WaitResult	result;

	if (!barrier.up || !fault_matches(request, barrier.match))
		return true;
	if (barrier.skip > 0)
	{
		barrier.skip--;
		return true;
	}
	sim.counters.blocked++;
	sim_notify();
	result = sim_wait(request->peer, may_pass, &ticket, FOREVER);
	sim.counters.blocked--;
	return result == WAIT_READY;
}

void
barrier_clear(void)
{
	barrier.up = false;
	barrier.permits = 0;
	barrier.generation++;
	fault_end_hangs();
}

/* Let that many go and keep the barrier, or all (< 0) and take it down. */
void
barrier_release(int64_t count)
{
	if (count < 0)
	{
		barrier_clear();
		return;
	}
	barrier.permits += count;
	sim_notify();
}

void
barrier_set(Request *request)
{
	const char *match = param(request, "match");

	free(barrier.match);
	barrier.match = strdup(match ? match : "search");
	barrier.skip = param_int(request, "skip", 0);
	barrier.permits = 0;
	barrier.up = true;
}
