/*
 * http_private.h
 *		What the files of the HTTP client share; everybody else includes http.h.
 *
 * libcurl may call back only the functions of http_curl.c and http_wait.c that
 * say so. They neither throw nor palloc: a longjmp across libcurl's frames
 * poisons its handles, and palloc may throw. They leave a note in the request
 * (HttpFault), and what is to be raised is raised outside libcurl.
 */
#ifndef RESOLUTE_HTTP_PRIVATE_H
#define RESOLUTE_HTTP_PRIVATE_H

#include "source/http.h"

#include "compat.h"

#include <curl/curl.h>

#include "lib/ilist.h"
#include "portability/instr_time.h"

/* A transfer slower than this many bytes a second over half of the timeout has stalled. */
#define HTTP_MIN_BYTES_PER_S 1

/* Room for the headers of one answer; servers send about 2 kB. */
#define HTTP_MAX_HEADERS (256 * 1024)

/* Body buffers that a client keeps for its next requests. */
#define HTTP_MAX_SPARES 8

/* A larger body buffer is given back to the system rather than kept. */
#define HTTP_MAX_SPARE_BODY (16 * 1024 * 1024)

/* Bytes in malloc'd memory, since callbacks must not palloc. */
typedef struct HttpBuffer
{
	char	   *data;
	Size		len;
	Size		size;
} HttpBuffer;

/* Why a callback made libcurl give up. */
typedef enum HttpFault
{
	HTTP_FAULT_NONE,
	HTTP_FAULT_BODY,			/* more than max_body bytes */
	HTTP_FAULT_HEADERS,			/* more than HTTP_MAX_HEADERS bytes */
	HTTP_FAULT_MEMORY
} HttpFault;

struct HttpClient
{
	HttpSettings settings;
	MemoryContext context;
	MemoryContextCallback callback; /* closes all that libcurl owns */
	const char *host;			/* "host[:port]" of base_url, for messages */

	/* of libcurl */
	CURLM	   *multi;
	struct curl_slist *get_headers;
	struct curl_slist *post_headers;
	HttpBuffer	spare[HTTP_MAX_SPARES]; /* body buffers to use again */
	int			nspare;

	/* progress, see http_wait.c */
	dlist_head	requests;		/* every request, also those that are done */
	dlist_node	node;			/* in the list of busy clients if nbusy > 0 */
	int			nbusy;			/* requests within libcurl */
	int64		timer;			/* when libcurl wants to be called, in ms of
								 * http_clock; -1 never */
};

struct HttpRequest
{
	HttpClient *client;			/* NULL when the client is gone */
	dlist_node	node;			/* in client->requests */
	MemoryContext context;		/* of the request alone */
	MemoryContextCallback callback;
	char	   *url;
	char	   *post;			/* body, or NULL */
	HttpLighten lighten;		/* see http_on_failure(); or NULL */
	void	   *lighten_arg;
	bool		connect_only;	/* see http_connect() */

	/* this attempt */
	CURL	   *easy;			/* NULL while there is none */
	bool		running;		/* the handle is in the client's multi handle */
	bool		done;
	bool		neglected;		/* the backend was away while it ran, so that a
								 * timeout is not the server's fault */
	CURLcode	code;
	HttpFault	fault;			/* set by callbacks */
	HttpBuffer	body;
	HttpBuffer	headers;		/* "Name\0value\0" ... of the last answer */
	char		refused[64];	/* the private address that was refused, or "" */
	char		message[CURL_ERROR_SIZE];	/* of libcurl */

	/* all attempts */
	int64		retry_at;		/* when the next one begins, by http_clock; 0: it
								 * has not been decided on */
	int			attempts;
	int64		wait_us;
	HttpResponse response;
};

/* http.c */

/* After so many failures a request may ask for less. */
#define HTTP_LIGHTEN_AFTER 2

extern void http_request_finished(HttpRequest *request, CURLcode code);

/* http_curl.c: handles and callbacks */
extern void http_curl_init(void);
extern void http_easy_create(HttpRequest *request);

/* http_path.c */

/* Raises 22023 for a path that could lead to another host or out of the base URL. */
extern void http_check_path(const char *path);

/* http_address.c */

/* Is this an address that only servers with allow_private may reach?  Called back. */
extern bool http_address_is_private(const struct sockaddr *address);

/* http_wait.c: progress */

/* Milliseconds of a clock that is never set. */
extern int64 http_clock(void);

/* Have libcurl report the client's sockets and timer here; and forget them. */
extern void http_watch(HttpClient *client);
extern void http_unwatch(HttpClient *client);

/* Count a socket that was opened; close one.  Called back. */
extern curl_socket_t http_socket_opened(curl_socket_t fd);
extern int	http_socket_close(void *arg, curl_socket_t fd);

/* Count the time since begin as work of libcurl's. */
extern void http_count_work(instr_time begin);

/* Let libcurl work on a client; fd may be CURL_SOCKET_TIMEOUT. */
extern void http_act(HttpClient *client, curl_socket_t fd, int events);

/*
 * Wait until a socket of any client is ready, libcurl's timer fires, or
 * timeout_ms have passed (-1: never), act on it, and serve interrupts.
 */
extern void http_wait_once(int64 timeout_ms);

/* Count a client's requests within libcurl. */
extern void http_client_busy(HttpClient *client, int change);

/* http_retry.c */

/*
 * May the attempt that just ended be repeated, and after how many ms?  Raises
 * 53400 if the server asks for a longer wait than resolute.max_wait.
 */
extern bool http_should_retry(HttpRequest *request, int64 *wait_ms);

/* A wait of full jitter before the next attempt. */
extern int64 http_backoff_ms(int attempts);

/* How long the server asks to wait in ms, or -1 if it does not say so. */
extern int64 http_asked_wait_ms(const HttpRequest *request);

/* Is a 403 really "too many requests"? */
extern bool http_is_rate_limited(const HttpRequest *request);

/* Raise 53400, and remember when to come back. */
extern void http_defer(const HttpRequest *request, int64 wait_ms) pg_attribute_noreturn();

/* A date as HTTP writes it, or 0. */
extern TimestampTz http_date(const char *text);

/* http_error.c */

/* Raise what went wrong below HTTP: the attempt has no usable answer. */
extern void http_raise_transport(const HttpRequest *request) pg_attribute_noreturn();

/* http_message.c */

/* Bytes from outside as palloc'd text for a message: one line, cut, valid. */
extern char *http_printable(const char *data, Size len);

/* What the server says in the body of an error, palloc'd; NULL if nothing. */
extern char *http_server_words(const HttpRequest *request, const HttpResponse *response);

#endif							/* RESOLUTE_HTTP_PRIVATE_H */
