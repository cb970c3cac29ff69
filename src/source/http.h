/*
 * http.h
 *		HTTP from inside a backend: libcurl's multi interface driven from a
 *		latch wait, so that a cancel, a timeout or a barrier is served at once.
 *
 * Nothing here touches a catalog or takes a snapshot: what a request needs was
 * resolved beforehand (see connection.h).
 */
#ifndef RESOLUTE_HTTP_H
#define RESOLUTE_HTTP_H

#include "postgres.h"

#include "utils/timestamp.h"

/* What all requests to one server under one user mapping share. */
typedef struct HttpSettings
{
	const char *server;			/* name of the foreign server, for messages */
	const char *mapping;		/* name of the mapped user, for hints */
	const char *url_option;		/* name of the option that the next comes from */
	const char *base_url;		/* "https://host[:port][/path]", no final slash */
	const char *authorization;	/* value of the header, or NULL; a secret */
	const char *user_agent;
	const char *ca_file;		/* or NULL */
	int			connect_timeout;	/* ms */
	int			timeout;		/* ms, whole request */
	Size		max_body;		/* decompressed bytes */
	bool		allow_http;
	bool		allow_private;
} HttpSettings;

/* A connection that is kept alive: handles of libcurl, and its settings. */
typedef struct HttpClient HttpClient;

/*
 * Create a client; settings are copied.  It belongs to the current memory context: when
 * that is reset, its handles are closed (so that an error leaks nothing).
 */
extern HttpClient *http_client_create(const HttpSettings *settings);

typedef struct HttpResponse
{
	int			status;
	const char *body;			/* NUL-terminated; lives until the request's context is reset */
	Size		len;
	TimestampTz date;			/* of the Date header; 0 if there was none */
	TimestampTz received;		/* our clock */
	int			retries;		/* attempts before this one */
	int64		wait_us;		/* time spent waiting for it, backoff included */
} HttpResponse;

/* Value of a response header of the last answer (case-insensitive), or NULL. */
typedef struct HttpRequest HttpRequest;
extern const char *http_header(const HttpRequest *request, const char *name);

/* The next one of that name behind that value; the first if it is NULL. */
extern const char *http_header_after(const HttpRequest *request, const char *name, const char *before);

/* What this backend has spent on HTTP so far, all clients together. */
typedef struct HttpTimes
{
	int64		wait_us;		/* nothing to do but wait, backoff included */
	int64		work_us;		/* in libcurl: sending, receiving, decrypting,
								 * decompressing */
} HttpTimes;

extern HttpTimes http_times(void);

/*
 * Start a request and return at once; it proceeds whenever this backend waits.
 * path begins with "/" and is appended to base_url ("//host", "..", control
 * characters raise 22023).  body NULL means GET, otherwise POST of JSON.  The
 * request belongs to the current memory context.
 */
extern HttpRequest *http_start(HttpClient *client, const char *path, const char *body);

/*
 * Start to connect to the host of base_url, and nothing else: for link.h, where bytes
 * of another protocol go over the connection.
 */
extern HttpRequest *http_connect(HttpClient *client);

/*
 * Have lighten(request, arg) called before each attempt that follows at least two which the server
 * failed at (refusals for coming too fast are none): it may have the request ask for
 * less, by http_set_body(), since what was asked for may be too large for whoever sends it.
 */
typedef void (*HttpLighten) (HttpRequest *request, void *arg);

extern void http_on_failure(HttpRequest *request, HttpLighten lighten, void *arg);

/* Another body for the attempts to come; copied. */
extern void http_set_body(HttpRequest *request, const char *body);

/*
 * Has the request been refused for coming too fast (429 and the like), so that
 * http_wait() will repeat it later?  Nothing else should be started meanwhile.
 */
extern bool http_is_held_back(const HttpRequest *request);

/*
 * Would http_wait() return, or raise, at once?  Repeats the request where that is due; *due_ms
 * is lowered to the time in which it will be.
 */
extern bool http_ready(HttpRequest *request, int64 *due_ms);

/* Wait until some request of this backend has made progress, at most so long. */
extern void http_progress(int64 timeout_ms);

/* Wait so long, interruptibly, while started requests make progress. */
extern void http_pause(int64 wait_ms);

/*
 * Wait for the answer, interruptibly.  429/500/502/503/504, 403 with rate-limit
 * headers, timeouts, resets and truncated bodies are retried with backoff and
 * full jitter, Retry-After and X-RateLimit-Reset winning, resolute.http_attempts times.
 * Requests of the client that are held back are repeated along with this one.
 * Every other status below 600 is returned to the caller.  A body that is too short is
 * transient too: the caller that finds JSON truncated may call http_retry().
 *
 * Raises 08001 (cannot connect, name not found, TLS), 08006 (timeout, reset), 54000 (body over
 * max_body), 53400 (the server asks for a wait longer than resolute.max_wait, see
 * http_deferred_until), and 57014 from the interrupt check.
 */
extern HttpResponse *http_wait(HttpRequest *request);

/*
 * The same, but where nothing is at its path (404, 410) a GET of other takes its
 * place: *request is then the new request.  other may be NULL.
 */
extern HttpResponse *http_wait_or(HttpRequest **request, HttpClient *client, const char *other);

/*
 * Ask again, after backoff, because the body was not usable (truncated JSON).
 * Raises PROTOCOL_VIOLATION (08P01) with this reason where no attempt is left.
 */
extern HttpResponse *http_retry(HttpRequest *request, const char *reason);

/*
 * The time before which the last 53400 of this backend says not to ask again.
 */
extern TimestampTz http_deferred_until(void);

/*
 * Raise the error that an unwanted answer is: 401, 403 and answers to an
 * anonymous user as 28000 with a hint naming the mapping; 400, 413, 414 and 422
 * as 22023 with the server's errorMessages; 404 and 410 as 08004 with hint_404
 * (or, if that is NULL, a hint about base_url); a redirect as 08004, naming no more than its host; 429, and
 * 403 that limits the rate, as 53400 (see http_deferred_until); 5xx as 08006; a web
 * page and any other status as 08P01.
 *
 * what begins the primary message: "could not fetch issues from server
 * \"jira\"".  Returns only for a 2xx answer that is no web page; whether it is JSON is
 * for the caller to see.
 */
extern void http_check(const HttpRequest *request, const HttpResponse *response,
					   const char *what, const char *hint_404);

/* text as the value of a URL query parameter, palloc'd. */
extern char *http_url_encode(const char *text);

#endif							/* RESOLUTE_HTTP_H */
