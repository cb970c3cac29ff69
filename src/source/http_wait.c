/*
 * http_wait.c
 *		Progress: libcurl names its sockets and its timer, the backend waits
 *		for them together with its latch.
 *
 * All clients of the backend are driven at once, so that a request that was
 * started earlier goes on while another one, or a retry, is waited for.
 */
#include "source/http_private.h"

#include <signal.h>
#include <unistd.h>

#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/memutils.h"

/* A backend that was away for longer may have let a request time out. */
#define HTTP_NEGLECT_MS 1000

/* Events served by one wait. */
#define HTTP_EVENTS 16

/* A socket that libcurl wants to have watched. */
typedef struct WatchedSocket
{
	HttpClient *client;
	curl_socket_t fd;
	int			what;			/* CURL_POLL_IN, _OUT or _INOUT */
} WatchedSocket;

/* Malloc'd, since a callback makes it grow. */
static WatchedSocket *watched = NULL;
static int	nwatched = 0;
static int	watched_size = 0;

static dlist_head busy_clients = DLIST_STATIC_INIT(busy_clients);
static WaitEventSet *wait_set = NULL;
static bool wait_set_stale = true;	/* sockets changed since it was built */
static int	open_sockets = 0;	/* of libcurl, idle connections included */
static int	reserved_fds = 0;	/* of these, what the descriptor pool knows of */
static int64 last_look = 0;		/* at the sockets, by http_clock */
static instr_time time_waited;	/* all in all */
static instr_time time_worked;

int64
http_clock(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) INSTR_TIME_GET_MILLISEC(now);
}

HttpTimes
http_times(void)
{
	HttpTimes	times;

	times.wait_us = (int64) INSTR_TIME_GET_MICROSEC(time_waited);
	times.work_us = (int64) INSTR_TIME_GET_MICROSEC(time_worked);
	return times;
}

void
http_count_work(instr_time begin)
{
	instr_time	end;

	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(time_worked, end, begin);
}

/* Take note of a socket to watch, or no longer to watch.  Must not throw. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	HttpClient *client = arg;
	int			i;

	(void) easy;
	(void) unused;
	/* Even an unchanged number may be another socket now. */
	wait_set_stale = true;

	for (i = 0; i < nwatched; i++)
		if (watched[i].fd == fd && watched[i].client == client)
			break;
	if (what == CURL_POLL_REMOVE)
	{
		if (i < nwatched)
			watched[i] = watched[--nwatched];
		return 0;
	}
	if (i == watched_size)
	{
		int			size = Max(16, 2 * watched_size);
		WatchedSocket *grown = realloc(watched, size * sizeof(WatchedSocket));

		if (grown == NULL)
			return -1;			/* libcurl gives the transfer up */
		watched = grown;
		watched_size = size;
	}
	watched[i].client = client;
	watched[i].fd = fd;
	watched[i].what = what;
	nwatched = Max(nwatched, i + 1);
	return 0;
}

/* Take note of when libcurl wants to be called.  Must not throw. */
static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	HttpClient *client = arg;

	(void) multi;
	client->timer = timeout_ms < 0 ? -1 : http_clock() + timeout_ms;
	return 0;
}

void
http_watch(HttpClient *client)
{
	client->timer = -1;
	dlist_init(&client->requests);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
}

void
http_unwatch(HttpClient *client)
{
	for (int i = nwatched - 1; i >= 0; i--)
		if (watched[i].client == client)
			watched[i] = watched[--nwatched];
	wait_set_stale = true;
}

curl_socket_t
http_socket_opened(curl_socket_t fd)
{
	if (fd != CURL_SOCKET_BAD)
		open_sockets++;
	return fd;
}

int
http_socket_close(void *arg, curl_socket_t fd)
{
	(void) arg;
	open_sockets--;
	wait_set_stale = true;
	return close(fd);
}

void
http_client_busy(HttpClient *client, int change)
{
	if (client->nbusy == 0)
		dlist_push_tail(&busy_clients, &client->node);
	client->nbusy += change;
	if (client->nbusy == 0)
		dlist_delete(&client->node);
}

/* Tell the pool of file descriptors how many sockets libcurl has. */
static void
account_sockets(void)
{
	for (; reserved_fds < open_sockets; reserved_fds++)
		ReserveExternalFD();
	for (; reserved_fds > open_sockets; reserved_fds--)
		ReleaseExternalFD();
}

/* Take note of the time, and mark the requests that nobody looked at for a while. */
static void
note_look(void)
{
	int64		now = http_clock();
	bool		away = last_look != 0 && now - last_look >= HTTP_NEGLECT_MS;
	dlist_iter	iter;

	last_look = now;
	if (!away)
		return;
	dlist_foreach(iter, &busy_clients)
	{
		HttpClient *client = dlist_container(HttpClient, node, iter.cur);
		dlist_iter	inner;

		dlist_foreach(inner, &client->requests)
			dlist_container(HttpRequest, node, inner.cur)->neglected = true;
	}
}

/*
 * Let libcurl work.  Signals are blocked meanwhile: it may start a thread for
 * a name lookup, which inherits the mask, and a handler of ours must never
 * run in that thread.
 */
void
http_act(HttpClient *client, curl_socket_t fd, int events)
{
	sigset_t	saved;
	int			running;
	int			left;
	CURLMcode	code;
	CURLMsg    *message;
	instr_time	begin;

	note_look();
	INSTR_TIME_SET_CURRENT(begin);
	if (fd == CURL_SOCKET_TIMEOUT)
		client->timer = -1;		/* libcurl sets the next one */
	sigprocmask(SIG_SETMASK, &BlockSig, &saved);
	code = curl_multi_socket_action(client->multi, fd, events, &running);
	sigprocmask(SIG_SETMASK, &saved, NULL);
	if (code != CURLM_OK)
		elog(ERROR, "libcurl failed: %s", curl_multi_strerror(code));

	while ((message = curl_multi_info_read(client->multi, &left)) != NULL)
	{
		HttpRequest *request = NULL;
		CURLcode	result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &request);
		http_request_finished(request, result);
	}
	http_count_work(begin);
	account_sockets();
}

/* Build the set of events anew if libcurl changed its sockets. */
static void
refresh_wait_set(void)
{
	if (!wait_set_stale && wait_set != NULL)
		return;
	if (wait_set != NULL)
	{
		WaitEventSet *old = wait_set;

		wait_set = NULL;
		FreeWaitEventSet(old);
	}
	wait_set = create_session_wait_event_set(nwatched + 2);
	AddWaitEventToSet(wait_set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(wait_set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	for (int i = 0; i < nwatched; i++)
	{
		uint32		events = 0;

		if (watched[i].what & CURL_POLL_IN)
			events |= WL_SOCKET_READABLE;
		if (watched[i].what & CURL_POLL_OUT)
			events |= WL_SOCKET_WRITEABLE;
		AddWaitEventToSet(wait_set, events, watched[i].fd, NULL, watched[i].client);
	}
	wait_set_stale = false;
}

/* Call libcurl for every timer that is due. */
static void
serve_timers(int64 now)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &busy_clients)
	{
		HttpClient *client = dlist_container(HttpClient, node, iter.cur);

		if (client->timer >= 0 && client->timer <= now)
			http_act(client, CURL_SOCKET_TIMEOUT, 0);
	}
}

/* How long may we wait, given what the caller and libcurl's timers say? */
static int64
shortest_timeout(int64 timeout_ms, int64 now)
{
	dlist_iter	iter;

	dlist_foreach(iter, &busy_clients)
	{
		HttpClient *client = dlist_container(HttpClient, node, iter.cur);
		int64		left = Max(client->timer - now, 0);

		if (client->timer >= 0 && (timeout_ms < 0 || left < timeout_ms))
			timeout_ms = left;
	}
	return timeout_ms;
}

/* Call libcurl for every socket that is ready. */
static void
serve_events(const WaitEvent *events, int nevents)
{
	for (int i = 0; i < nevents; i++)
	{
		int			mask = 0;

		if (events[i].events & WL_LATCH_SET)
			ResetLatch(MyLatch);
		if (events[i].events & WL_SOCKET_READABLE)
			mask |= CURL_CSELECT_IN;
		if (events[i].events & WL_SOCKET_WRITEABLE)
			mask |= CURL_CSELECT_OUT;
		/* Of a socket that is gone by now libcurl knows nothing, and no harm. */
		if (mask != 0)
			http_act((HttpClient *) events[i].user_data, events[i].fd, mask);
	}
}

void
http_wait_once(int64 timeout_ms)
{
	static uint32 wait_event = 0;
	WaitEvent	events[HTTP_EVENTS];
	int			nevents;
	instr_time	begin;
	instr_time	end;

	if (wait_event == 0)
		wait_event = new_wait_event("ResoluteHttp");
	note_look();
	refresh_wait_set();
	timeout_ms = shortest_timeout(timeout_ms, last_look);
	INSTR_TIME_SET_CURRENT(begin);
	nevents = WaitEventSetWait(wait_set, (long) Min(timeout_ms, INT_MAX),
							   events, HTTP_EVENTS, wait_event);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(time_waited, end, begin);
	last_look = http_clock();
	serve_events(events, nevents);
	serve_timers(last_look);
	CHECK_FOR_INTERRUPTS();
}
