/*
 * http_retry.c
 *		Which attempts are repeated, and how long to wait before.
 *
 * What the servers send was gathered from their documentation and clients:
 * Jira Cloud sends Retry-After in seconds, but not always, and X-RateLimit-Reset
 * as "2024-01-02T03:04Z"; Jira Data Center sends "Retry-After: 0" with every
 * answer, which means go on; GitHub sends x-ratelimit-reset in epoch seconds,
 * with status 403 as well as 429.
 */
#include "source/http_private.h"

#include "resolute.h"

#include "datatype/timestamp.h"
#include "utils/timestamp.h"

#define HTTP_FIRST_BACKOFF_MS 500
#define HTTP_MAX_BACKOFF_MS 30000

/* A reset below this is a number of seconds, not a time. */
#define HTTP_MIN_EPOCH 100000000

/* How long to stay away where a server that limits us does not say. */
#define HTTP_DEFAULT_DEFER_MS 60000

static TimestampTz deferred_until = 0;

TimestampTz
http_deferred_until(void)
{
	return deferred_until;
}

TimestampTz
http_date(const char *text)
{
	time_t		seconds = text ? curl_getdate(text, NULL) : -1;

	return seconds > 0 ? time_t_to_timestamptz((pg_time_t) seconds) : 0;
}

/* A number of digits only, or -1. */
static int64
digits(const char *text)
{
	int64		number = 0;

	if (*text == '\0' || strlen(text) > 12)
		return -1;
	for (; *text; text++)
	{
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (*text - '0');
	}
	return number;
}

/* "yyyy-MM-ddTHH:mm[:ss]Z" as a time, or 0. */
static TimestampTz
iso_time(const char *text)
{
	struct pg_tm tm = {0};
	int			utc = 0;
	int			used = 0;
	Timestamp	result;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
			   &tm.tm_hour, &tm.tm_min, &used) != 5)
		return 0;
	text += used;
	if (sscanf(text, ":%2d%n", &tm.tm_sec, &used) == 1)
		text += used;
	if (strcmp(text, "Z") != 0 && strcmp(text, "+00:00") != 0)
		return 0;
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
		tm2timestamp(&tm, 0, &utc, &result) != 0)
		return 0;
	return result;
}

/* From the server's present to a time of the server's, in ms; our clocks may differ. */
static int64
until(const HttpRequest *request, TimestampTz time)
{
	TimestampTz now = http_date(http_header(request, "Date"));

	if (now == 0)
		now = GetCurrentTimestamp();
	return Max((time - now) / 1000, 0);
}

/* What a header says, in ms from now; -1 if it says nothing. */
static int64
header_wait(const HttpRequest *request, const char *name)
{
	const char *value = http_header(request, name);
	int64		number = value ? digits(value) : -1;
	TimestampTz time = 0;

	if (number >= HTTP_MIN_EPOCH)
		time = time_t_to_timestamptz((pg_time_t) number);
	else if (number >= 0)
		return number * 1000;
	else if (value != NULL)
		time = iso_time(value);
	if (value != NULL && time == 0)
		time = http_date(value);
	return time != 0 ? until(request, time) : -1;
}

int64
http_asked_wait_ms(const HttpRequest *request)
{
	int64		wait_ms = header_wait(request, "Retry-After");
	const char *remaining;

	if (wait_ms > 0)
		return wait_ms;
	/* A reset while requests remain is only the end of the period. */
	remaining = http_header(request, "X-RateLimit-Remaining");
	if (request->response.status == 429 || (remaining && digits(remaining) == 0))
		wait_ms = Max(wait_ms, header_wait(request, "X-RateLimit-Reset"));
	return wait_ms > 0 ? wait_ms : -1;
}

bool
http_is_rate_limited(const HttpRequest *request)
{
	const char *remaining = http_header(request, "X-RateLimit-Remaining");

	if (request->response.status == 429)
		return true;
	return request->response.status == 403 &&
		(header_wait(request, "Retry-After") > 0 || (remaining && digits(remaining) == 0));
}

bool
http_is_held_back(const HttpRequest *request)
{
	return request->done && request->code == CURLE_OK &&
		request->fault == HTTP_FAULT_NONE &&
		request->attempts < resolute_http_attempts && http_is_rate_limited(request);
}

/* Did the attempt fail in a way that another one may not? */
static bool
is_transient(const HttpRequest *request)
{
	if (request->fault != HTTP_FAULT_NONE)
		return false;
	switch (request->code)
	{
		case CURLE_OK:
			break;
		case CURLE_OPERATION_TIMEDOUT:
		case CURLE_PARTIAL_FILE:
		case CURLE_GOT_NOTHING:
		case CURLE_SEND_ERROR:
		case CURLE_RECV_ERROR:
		case CURLE_HTTP2:
		case CURLE_HTTP2_STREAM:
		case CURLE_BAD_CONTENT_ENCODING:
			return true;
		default:
			return false;
	}
	switch (request->response.status)
	{
		case 429:
		case 500:
		case 502:
		case 503:
		case 504:
			return true;
		default:
			return http_is_rate_limited(request);
	}
}

/* A random number of ms below a limit. */
static int64
jitter(int64 limit)
{
	uint32		random = 0;

	if (!pg_strong_random(&random, sizeof(random)))
		return limit;
	return limit * (int64) random / ((int64) PG_UINT32_MAX + 1);
}

int64
http_backoff_ms(int attempts)
{
	int			doublings = Min(attempts - 1, 10);

	return jitter(Min((int64) HTTP_FIRST_BACKOFF_MS << doublings, HTTP_MAX_BACKOFF_MS));
}

void
http_defer(const HttpRequest *request, int64 wait_ms)
{
	const char *server = request->client->settings.server;

	if (wait_ms < 0)
		wait_ms = HTTP_DEFAULT_DEFER_MS;
	deferred_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), wait_ms);
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("server \"%s\" limits the rate of requests", server),
			 errdetail("It answered %d in attempt %d; the next request is due at %s.",
					   request->response.status, request->attempts,
					   timestamptz_to_str(deferred_until)),
			 errhint("Try again then. Waits of up to resolute.max_wait (%d s) are waited out.",
					 resolute_max_wait)));
}

bool
http_should_retry(HttpRequest *request, int64 *wait_ms)
{
	int64		asked = -1;

	if (!is_transient(request))
		return false;

	/* The answer may have waited for us, rather than we for the answer. */
	if (request->code == CURLE_OPERATION_TIMEDOUT && request->neglected)
	{
		request->attempts--;
		*wait_ms = 0;
		return true;
	}

	if (request->code == CURLE_OK)
		asked = http_asked_wait_ms(request);
	if (asked > (int64) resolute_max_wait * 1000)
		http_defer(request, asked);
	if (request->attempts >= resolute_http_attempts)
		return false;

	/* Those who were told the same time should not all come at it. */
	*wait_ms = http_backoff_ms(request->attempts);
	if (asked >= 0)
		*wait_ms = asked + jitter(Min(asked / 10, 1000));
	return true;
}
