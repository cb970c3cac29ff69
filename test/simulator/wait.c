/*
 * wait.c: waiting for what other requests do, with a deadline
 *
 * Every waiting thread has an eventfd and polls it together with the socket
 * of its peer, so it also wakes when the peer goes away. Nothing sleeps.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "simulator.h"
#include "zone.h"

typedef struct Waiter
{
	int			event;
	struct Waiter *next;
} Waiter;

/* Wake every waiting thread to look at its condition again. */
void
sim_notify(void)
{
	uint64_t	one = 1;

	for (Waiter *waiter = sim.waiters; waiter; waiter = waiter->next)
		if (write(waiter->event, &one, sizeof(one)) < 0)
			continue;			/* full: it is awake anyway */
}

/* One round of waiting, without the lock; false if the peer has gone. */
static bool
wait_once(Waiter *waiter, int peer, int64_t deadline)
{
	struct pollfd polls[2] = {
		{.fd = waiter->event,.events = POLLIN},
		{.fd = peer,.events = POLLRDHUP}
	};
	int64_t		left = deadline == FOREVER ? -1 : deadline - monotonic_ms();
	uint64_t	events;

	if (deadline != FOREVER && left < 0)
		left = 0;
	pthread_mutex_unlock(&sim.lock);
	if (poll(polls, 2, left) > 0 && (polls[0].revents & POLLIN) &&
		read(waiter->event, &events, sizeof(events)) < 0)
		polls[0].revents = 0;	/* another wake-up was faster */
	pthread_mutex_lock(&sim.lock);
	return !(polls[1].revents & (POLLRDHUP | POLLHUP | POLLERR));
}

WaitResult
sim_wait(int peer, bool (*ready) (void *arg), void *arg, int64_t deadline)
{
	Waiter		waiter = {eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), sim.waiters};
	WaitResult	result = WAIT_TIMEOUT;
	Waiter	  **at;

	sim.waiters = &waiter;
	for (;;)
	{
		if (ready != NULL && ready(arg))
			result = WAIT_READY;
		else if (deadline == FOREVER || monotonic_ms() < deadline)
		{
			if (wait_once(&waiter, peer, deadline))
				continue;
			result = WAIT_GONE;
		}
		break;
	}
	for (at = &sim.waiters; *at != &waiter; at = &(*at)->next)
		continue;
	*at = waiter.next;
	close(waiter.event);
	return result;
}
