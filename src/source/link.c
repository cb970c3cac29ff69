/*
 * link.c
 *		A stream of bytes to another server, through libcurl.
 */
#include "source/link.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "source/http_private.h"
#include "storage/latch.h"

struct Link
{
	HttpRequest *request;		/* holds the connection */
	const HttpSettings *settings;	/* the client's copy */
	curl_socket_t socket;
	int64		deadline;		/* by http_clock() */
};

Link *
link_open(const HttpSettings *settings)
{
	Link	   *link = palloc0(sizeof(Link));
	HttpClient *client = http_client_create(settings);

	link->settings = &client->settings;
	link->request = http_connect(client);
	while (!link->request->done)
		http_wait_once(-1);
	if (link->request->code != CURLE_OK)
		http_raise_transport(link->request);
	if (curl_easy_getinfo(link->request->easy, CURLINFO_ACTIVESOCKET, &link->socket) != CURLE_OK ||
		link->socket == CURL_SOCKET_BAD)
		elog(ERROR, "libcurl has no socket for server \"%s\"", settings->server);
	link_set_deadline(link);
	return link;
}

void
link_set_deadline(Link *link)
{
	link->deadline = http_clock() + link->settings->timeout;
}

/* Wait until the socket is ready, serving interrupts. */
static void
wait_ready(Link *link, int event)
{
	static uint32 wait_event = 0;
	int64		left = link->deadline - http_clock();

	if (left <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("server \"%s\" did not answer in time", link->settings->server),
				 errhint("Option \"timeout\" (%g s) of the server says how long to wait.",
						 link->settings->timeout / 1000.0)));
	if (wait_event == 0)
		wait_event = new_wait_event("ResoluteLink");
	if (WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | WL_TIMEOUT | event,
						  link->socket, (long) left, wait_event) & WL_LATCH_SET)
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

static void raise_broken(const Link *link) pg_attribute_noreturn();

static void
raise_broken(const Link *link)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("connection to server \"%s\" broke", link->settings->server),
			 errhint("Try again later.")));
}

void
link_send(Link *link, const char *data, Size len)
{
	while (len > 0)
	{
		Size		sent = 0;
		CURLcode	code = curl_easy_send(link->request->easy, data, len, &sent);

		if (code != CURLE_OK && code != CURLE_AGAIN)
			raise_broken(link);
		data += sent;
		len -= sent;
		if (sent == 0)
			wait_ready(link, WL_SOCKET_WRITEABLE);
	}
}

Size
link_receive(Link *link, char *data, Size size)
{
	for (;;)
	{
		Size		received = 0;
		CURLcode	code = curl_easy_recv(link->request->easy, data, size, &received);

		if (code == CURLE_OK && received > 0)
			return received;
		if (code != CURLE_AGAIN)
			raise_broken(link);
		wait_ready(link, WL_SOCKET_READABLE);
	}
}

bool
link_is_idle(Link *link)
{
	char		byte;
	Size		received = 0;

	return curl_easy_recv(link->request->easy, &byte, 1, &received) == CURLE_AGAIN;
}
