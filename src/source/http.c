/*
 * http.c
 *		Clients and requests: what belongs to whom, and one request from its
 *		start to its answer.
 */
#include "source/http_private.h"

#include "resolute.h"

#include "miscadmin.h"
#include "utils/memutils.h"

static void client_release(void *arg);
static void request_release(void *arg);
static void request_detach(HttpRequest *request);

/* The part of a URL between "//" and the path. */
static char *
url_host(const char *url)
{
	const char *host = strstr(url, "//");

	host = host ? host + 2 : url;
	return pnstrdup(host, strcspn(host, "/"));
}

static HttpSettings
copy_settings(const HttpSettings *settings)
{
	HttpSettings copy = *settings;

	copy.server = pstrdup(settings->server);
	copy.mapping = pstrdup(settings->mapping);
	copy.url_option = pstrdup(settings->url_option);
	copy.base_url = pstrdup(settings->base_url);
	copy.user_agent = pstrdup(settings->user_agent);
	if (settings->authorization)
		copy.authorization = pstrdup(settings->authorization);
	if (settings->ca_file)
		copy.ca_file = pstrdup(settings->ca_file);
	return copy;
}

/* Append a header line to a list of libcurl's, which copies it. */
static void
add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *grown = curl_slist_append(*list, line);

	if (grown == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	*list = grown;
}

/*
 * The headers of every request.  Jira translates the texts of its errors
 * unless both language headers are there; "Expect:" keeps libcurl from asking
 * for leave before a long body.
 */
static void
add_headers(HttpClient *client, struct curl_slist **list)
{
	add_header(list, "Accept: application/json");
	add_header(list, "Accept-Language: en");
	add_header(list, "X-Force-Accept-Language: true");
	add_header(list, "Expect:");
	if (client->settings.authorization != NULL)
		add_header(list, psprintf("Authorization: %s", client->settings.authorization));
}

HttpClient *
http_client_create(const HttpSettings *settings)
{
	HttpClient *client = palloc0(sizeof(HttpClient));

	http_curl_init();
	client->context = CurrentMemoryContext;
	client->settings = copy_settings(settings);
	client->host = url_host(settings->base_url);
	dlist_init(&client->requests);

	/* From here on an error must free what libcurl allocated. */
	client->callback.func = client_release;
	client->callback.arg = client;
	MemoryContextRegisterResetCallback(client->context, &client->callback);

	client->multi = curl_multi_init();
	if (client->multi == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("libcurl could not create a handle.")));
	http_watch(client);
	add_headers(client, &client->get_headers);
	add_headers(client, &client->post_headers);
	add_header(&client->post_headers, "Content-Type: application/json");
	return client;
}

/* Close all that libcurl owns.  Runs when the client's context is reset. */
static void
client_release(void *arg)
{
	HttpClient *client = arg;
	dlist_mutable_iter iter;

	/* Requests may outlive their client, but not do anything any more. */
	dlist_foreach_modify(iter, &client->requests)
	{
		HttpRequest *request = dlist_container(HttpRequest, node, iter.cur);

		request_detach(request);
		dlist_delete(&request->node);
		request->client = NULL;
	}
	if (client->multi != NULL)
		curl_multi_cleanup(client->multi);
	http_unwatch(client);
	curl_slist_free_all(client->get_headers);
	curl_slist_free_all(client->post_headers);
	while (client->nspare > 0)
		free(client->spare[--client->nspare].data);
}

/* Hand the request to libcurl, and let it write to the socket at once. */
static void
start_attempt(HttpRequest *request)
{
	HttpClient *client = request->client;
	instr_time	begin;

	if (request->lighten && request->attempts >= HTTP_LIGHTEN_AFTER &&
		!http_is_rate_limited(request))
		request->lighten(request, request->lighten_arg);
	request->body.len = 0;
	request->headers.len = 0;
	request->fault = HTTP_FAULT_NONE;
	request->refused[0] = '\0';
	request->message[0] = '\0';
	request->done = false;
	request->attempts++;
	request->retry_at = 0;
	memset(&request->response, 0, sizeof(HttpResponse));

	INSTR_TIME_SET_CURRENT(begin);
	http_easy_create(request);
	if (curl_multi_add_handle(client->multi, request->easy) != CURLM_OK)
		elog(ERROR, "libcurl refused a request");
	request->running = true;
	http_client_busy(client, 1);
	http_count_work(begin);
	http_act(client, CURL_SOCKET_TIMEOUT, 0);
	request->neglected = false;
}

/* Make a request, which belongs to the current memory context. */
static HttpRequest *
create_request(HttpClient *client, const char *path, const char *body)
{
	MemoryContext context;
	HttpRequest *request;

	context = AllocSetContextCreate(CurrentMemoryContext, "resolute request",
									ALLOCSET_SMALL_SIZES);
	request = MemoryContextAllocZero(context, sizeof(HttpRequest));
	request->context = context;
	request->url = MemoryContextStrdup(context, psprintf("%s%s", client->settings.base_url, path));
	request->post = body ? MemoryContextStrdup(context, body) : NULL;
	request->client = client;
	dlist_push_tail(&client->requests, &request->node);
	request->callback.func = request_release;
	request->callback.arg = request;
	MemoryContextRegisterResetCallback(context, &request->callback);

	if (client->nspare > 0)
		request->body = client->spare[--client->nspare];
	return request;
}

void
http_on_failure(HttpRequest *request, HttpLighten lighten, void *arg)
{
	request->lighten = lighten;
	request->lighten_arg = arg;
}

void
http_set_body(HttpRequest *request, const char *body)
{
	request->post = MemoryContextStrdup(request->context, body);
}

HttpRequest *
http_start(HttpClient *client, const char *path, const char *body)
{
	HttpRequest *request;

	http_check_path(path);
	request = create_request(client, path, body);
	start_attempt(request);
	return request;
}

HttpRequest *
http_connect(HttpClient *client)
{
	HttpRequest *request = create_request(client, "", NULL);

	request->connect_only = true;
	start_attempt(request);
	return request;
}

/* Give up the request's handle, which ends its transfer. */
static void
request_detach(HttpRequest *request)
{
	if (request->running)
	{
		curl_multi_remove_handle(request->client->multi, request->easy);
		http_client_busy(request->client, -1);
		request->running = false;
	}
	if (request->easy != NULL)
		curl_easy_cleanup(request->easy);
	request->easy = NULL;
}

/* Free what is not in the request's context.  Runs when that is reset. */
static void
request_release(void *arg)
{
	HttpRequest *request = arg;
	HttpClient *client = request->client;

	if (client != NULL)
	{
		request_detach(request);
		dlist_delete(&request->node);
		if (client->nspare < HTTP_MAX_SPARES && request->body.size > 0 &&
			request->body.size <= HTTP_MAX_SPARE_BODY)
		{
			request->body.len = 0;
			client->spare[client->nspare++] = request->body;
			request->body.data = NULL;
		}
	}
	free(request->body.data);
	free(request->headers.data);
}

/* Take note that libcurl is done with an attempt. */
void
http_request_finished(HttpRequest *request, CURLcode code)
{
	HttpResponse *response = &request->response;
	long		status = 0;

	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	request->code = code;
	request->done = true;
	response->status = (int) status;
	response->received = GetCurrentTimestamp();

	/* Without its handle the connection would be closed. */
	if (code != CURLE_OK || !request->connect_only)
		request_detach(request);
}

void
http_pause(int64 wait_ms)
{
	int64		until = http_clock() + wait_ms;
	int64		left;

	while ((left = until - http_clock()) > 0)
		http_wait_once(left);
}

/*
 * Repeat what was held back as long as, or shorter than, a request that has
 * waited: otherwise each would wait by itself once its answer is wanted.
 */
static void
restart_others(HttpClient *client, int64 waited_ms)
{
	dlist_iter	iter;

	dlist_foreach(iter, &client->requests)
	{
		HttpRequest *request = dlist_container(HttpRequest, node, iter.cur);

		if (http_is_held_back(request) && http_asked_wait_ms(request) <= waited_ms)
			start_attempt(request);
	}
}

void
http_progress(int64 timeout_ms)
{
	http_wait_once(timeout_ms);
}

/* Will the server's wish end in an error?  That is for http_wait() to raise. */
static bool
asks_too_much(const HttpRequest *request)
{
	return request->code == CURLE_OK &&
		http_asked_wait_ms(request) > (int64) resolute_max_wait * 1000;
}

bool
http_ready(HttpRequest *request, int64 *due_ms)
{
	int64		wait_ms;

	if (!request->done)
		return !request->running;
	if (request->retry_at == 0)
	{
		if (asks_too_much(request) || !http_should_retry(request, &wait_ms))
			return true;
		request->retry_at = http_clock() + wait_ms;
	}
	wait_ms = request->retry_at - http_clock();
	if (wait_ms <= 0)
		start_attempt(request);
	else
		*due_ms = Min(*due_ms, wait_ms);
	return false;
}

/* Wait for the end of the attempt, and repeat it while that makes sense. */
static void
finish(HttpRequest *request)
{
	int64		wait_ms;
	bool		limited;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		while (!request->done)
		{
			if (!request->running)
				elog(ERROR, "a request was waited for after it was given up");
			http_wait_once(-1);
		}
		if (request->retry_at != 0)
			wait_ms = Max(request->retry_at - http_clock(), 0);
		else if (!http_should_retry(request, &wait_ms))
			break;
		limited = http_is_held_back(request);
		http_pause(wait_ms);
		start_attempt(request);
		if (limited)
			restart_others(request->client, wait_ms);
	}
	if (request->code != CURLE_OK)
		http_raise_transport(request);
}

/* Wait before another attempt (if wait_ms >= 0), then for its answer. */
static HttpResponse *
answer(HttpRequest *request, int64 wait_ms)
{
	HttpResponse *response = &request->response;
	instr_time	begin;
	instr_time	end;

	if (request->client == NULL)
		elog(ERROR, "the connection of a request was closed");

	INSTR_TIME_SET_CURRENT(begin);
	PG_TRY();
	{
		if (wait_ms >= 0)
		{
			http_pause(wait_ms);
			start_attempt(request);
		}
		finish(request);
	}
	PG_CATCH();
	{
		/* Whoever catches this may live long: do not keep the transfer. */
		request_detach(request);
		PG_RE_THROW();
	}
	PG_END_TRY();
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, begin);
	request->wait_us += (int64) INSTR_TIME_GET_MICROSEC(end);

	response->body = request->body.len > 0 ? request->body.data : "";
	response->len = request->body.len;
	response->date = http_date(http_header(request, "Date"));
	response->retries = request->attempts - 1;
	response->wait_us = request->wait_us;
	return response;
}

HttpResponse *
http_wait(HttpRequest *request)
{
	return answer(request, -1);
}

HttpResponse *
http_wait_or(HttpRequest **request, HttpClient *client, const char *other)
{
	HttpResponse *response = http_wait(*request);

	if (other == NULL || (response->status != 404 && response->status != 410))
		return response;
	*request = http_start(client, other, NULL);
	return http_wait(*request);
}

HttpResponse *
http_retry(HttpRequest *request, const char *reason)
{
	if (request->attempts >= resolute_http_attempts)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("server \"%s\" sent an answer that cannot be read",
						request->client->settings.server),
				 errdetail("%d attempts ended with: %s.", request->attempts, reason),
				 errhint("Run it again later; if it stays so, a smaller page size may help, or something between here and the server cuts answers short.")));
	return answer(request, http_backoff_ms(request->attempts));
}
