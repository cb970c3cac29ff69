/*
 * fault.c: the list of scripted faults, and what they do to an answer
 */
#include "fault.h"

#include <stdio.h>
#include <stdlib.h>

#include "zone.h"

#define MAX_FAULTS 1000

static const char login_page[] =
	"<!DOCTYPE html>\n<html><head><title>Log in</title></head>\n"
	"<body><form action=\"/login.jsp\" method=\"post\">"
	"<input name=\"os_username\"><input name=\"os_password\" "
	"type=\"password\"></form></body></html>\n";

static Fault *faults[MAX_FAULTS];
static int	fault_count;
static int	last_id;

/* Requests that hang end when this moves. */
static int64_t released;

void
fault_free(Fault *fault)
{
	if (fault == NULL)
		return;
	for (int i = 0; i < fault->header_count; i++)
	{
		free(fault->headers[i].name);
		free(fault->headers[i].value);
	}
	for (int i = 0; i < fault->override_count; i++)
	{
		free(fault->overrides[i].field);
		free(fault->overrides[i].raw);
	}
	free(fault->match);
	free(fault->containing);
	free(fault->body);
	free(fault->content_type);
	free(fault->redirect);
	free(fault);
}

static char *
copy_text(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* A copy that outlives the fault in the list. */
static Fault *
copy_fault(const Fault *from)
{
	Fault	   *fault = malloc(sizeof(Fault));

	*fault = *from;
	fault->match = copy_text(from->match);
	fault->containing = copy_text(from->containing);
	fault->content_type = copy_text(from->content_type);
	fault->redirect = copy_text(from->redirect);
	if (from->body)
	{
		fault->body = malloc(from->body_len + 1);
		memcpy(fault->body, from->body, from->body_len + 1);
	}
	for (int i = 0; i < from->header_count; i++)
		fault->headers[i] = (Header) {strdup(from->headers[i].name),
			strdup(from->headers[i].value)};
	for (int i = 0; i < from->override_count; i++)
		fault->overrides[i] = (Override) {strdup(from->overrides[i].field),
			copy_text(from->overrides[i].raw)};
	return fault;
}

bool
fault_matches(const Request *request, const char *match)
{
	if (strcmp(match, "any") == 0)
		return true;
	if (strcmp(match, "search") == 0)
		return request->is_search;
	return strncmp(request->route, match, strlen(match)) == 0;
}

/* Does the request's JQL, body or path have the text in it? */
static bool
request_contains(const Request *request, const char *text)
{
	const char *jql = param(request, "jql");

	return (jql && strstr(jql, text)) ||
		(request->body.len && strstr(request->body.data, text)) ||
		strstr(request->path, text);
}

static void
remove_fault(int at)
{
	fault_free(faults[at]);
	fault_count--;
	memmove(faults + at, faults + at + 1,
			(fault_count - at) * sizeof(faults[0]));
}

/* The first fault in the list whose turn it is. */
Fault *
fault_take(Request *request)
{
	for (int i = 0; i < fault_count; i++)
	{
		Fault	   *fault = faults[i];
		Fault	   *copy;

		if (!fault_matches(request, fault->match) ||
			(fault->containing &&
			 !request_contains(request, fault->containing)))
			continue;
		if (fault->skip > 0)
		{
			fault->skip--;
			continue;
		}
		fault->done++;
		copy = copy_fault(fault);
		if (fault->times > 0 && --fault->times == 0)
			remove_fault(i);
		return copy;
	}
	return NULL;
}

void
fault_clear(void)
{
	while (fault_count > 0)
		remove_fault(fault_count - 1);
	fault_end_hangs();
}

/* Requests that hang end now. */
void
fault_end_hangs(void)
{
	released++;
	sim_notify();
}

/* Put a fault at the end of the list; false if there is no room. */
static bool
add_fault(Fault *fault)
{
	if (fault_count == MAX_FAULTS)
		return false;
	fault->id = ++last_id;
	faults[fault_count++] = fault;
	return true;
}

static bool
is_released(void *arg)
{
	return released != *(int64_t *) arg;
}

/* Be silent until the peer goes or a test ends it. */
static void
hang(Request *request)
{
	int64_t		before = released;

	sim.counters.hanging++;
	sim_notify();
	sim_wait(request->peer, is_released, &before, FOREVER);
	sim.counters.hanging--;
	request->dropped = true;
}

/*
 * Expand "{now+5}" (an HTTP date, 5 s from now), "{minute+90}" (as in
 * X-RateLimit-Reset) and "{epoch+5}" in a header.
 */
static void
add_expanded_header(Request *request, const char *name, const char *value)
{
	char		kind[8];
	long		seconds;
	Buffer		text = {0};

	if (sscanf(value, "{%7[a-z]%ld}", kind, &seconds) != 2)
		buf_str(&text, value);
	else if (strcmp(kind, "now") == 0)
		zone_http(&text, wall_ms() + seconds * SECOND_MS);
	else if (strcmp(kind, "minute") == 0)
		zone_minute(&text, wall_ms() + seconds * SECOND_MS);
	else
		buf_int(&text, wall_ms() / SECOND_MS + seconds);
	add_header(request, name, text.data);
	buf_free(&text);
}

/* Answer without asking the endpoint, where the fault says so. */
bool
fault_before(Request *request)
{
	const Fault *fault = request->fault;

	if (fault == NULL)
		return false;
	if (fault->delay > 0 &&
		sim_wait(request->peer, NULL, NULL,
				 monotonic_ms() + fault->delay) == WAIT_GONE)
		request->dropped = true;
	if (fault->drop == DROP_HANG)
		hang(request);
	if (fault->drop != DROP_NONE)
		request->dropped = true;
	if (request->dropped)
		return true;
	if (fault->seraph)
	{
		add_header(request, "X-Seraph-LoginReason", "AUTHENTICATED_FAILED");
		request->anonymous = true;
	}
	if (fault->html)
	{
		request->content_type = "text/html;charset=UTF-8";
		buf_lit(&request->out, login_page);
	}
	else if (fault->body)
		buf_add(&request->out, fault->body, fault->body_len);
	else if (fault->status >= 300 || fault->redirect)
		buf_printf(&request->out, "{\"errorMessages\":[\"Scripted fault\"],"
				   "\"errors\":{}}");
	else
		return false;
	return true;
}

/* Change what the endpoint has answered. */
void
fault_after(Request *request)
{
	const Fault *fault = request->fault;

	if (fault == NULL || request->dropped)
		return;
	if (fault->redirect)
	{
		request->status = 302;
		add_header(request, "Location", fault->redirect);
	}
	if (fault->status)
		request->status = fault->status;
	if (fault->content_type)
		request->content_type = fault->content_type;
	for (int i = 0; i < fault->header_count; i++)
		add_expanded_header(request, fault->headers[i].name,
							fault->headers[i].value);
	if (fault->pad > (int64_t) request->out.len)
	{
		size_t		more = fault->pad - request->out.len;

		buf_grow(&request->out, more);
		memset(request->out.data + request->out.len, ' ', more);
		request->out.len += more;
	}
}

/*
 * Control
 */

/* One fault from a JSON object, or an error answer. */
static bool
add_fault_json(Request *request, const Json *json)
{
	Fault	   *fault = calloc(1, sizeof(Fault));
	const char *problem = fault_parse(fault, json);

	if (problem == NULL && !add_fault(fault))
		problem = "there are 1000 faults already";
	if (problem == NULL)
		return true;
	control_error(request, "%s", problem);
	fault_free(fault);
	return false;
}

/* A recorded page: a fault with a body, for one search. */
void
fault_add_page(Request *request)
{
	Fault	   *fault = calloc(1, sizeof(Fault));
	const char *match = param(request, "match");
	const char *type = param(request, "content_type");

	fault_parse(fault, NULL);
	free(fault->match);
	fault->match = strdup(match ? match : "search");
	fault->times = param_int(request, "times", 1);
	fault->skip = param_int(request, "skip", 0);
	fault->status = param_int(request, "status", 200);
	fault->content_type = copy_text(type);
	fault->body = malloc(request->body.len + 1);
	fault->body_len = request->body.len;
	if (request->body.len)
		memcpy(fault->body, request->body.data, request->body.len);
	fault->body[request->body.len] = '\0';
	if (!add_fault(fault))
	{
		control_error(request, "there are %d faults already", MAX_FAULTS);
		fault_free(fault);
	}
}

static void
list_faults(Buffer *out)
{
	buf_char(out, '[');
	for (int i = 0; i < fault_count; i++)
	{
		const Fault *fault = faults[i];

		buf_printf(out, "%s{\"id\":%d,\"match\":", i ? "," : "", fault->id);
		buf_json_str(out, fault->match);
		buf_printf(out, ",\"skip\":%lld,\"times\":%lld,\"done\":%lld,"
				   "\"status\":%d}", (long long) fault->skip,
				   (long long) fault->times, (long long) fault->done,
				   fault->status);
	}
	buf_lit(out, "]\n");
}

bool
control_faults(Request *request, const char *action)
{
	const Json *json = request->json;

	if (strcmp(action, "page") == 0)
		fault_add_page(request);
	else if (strcmp(action, "faults") == 0)
	{
		if (strcmp(request->method, "DELETE") == 0 ||
			param_bool(request, "clear", false))
			fault_clear();
		list_faults(&request->out);
	}
	else if (strcmp(action, "fault") != 0)
		return false;
	else if (json == NULL)
		control_error(request, "a fault is a JSON object, faults an array");
	else if (json->type == JSON_ARRAY)
	{
		for (json = json->child; json; json = json->next)
			if (!add_fault_json(request, json))
				break;
	}
	else
		add_fault_json(request, json);
	return true;
}
