/*
 * http.c: between libmicrohttpd and the endpoints
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"
#include "gzip.h"
#include "simulator.h"
#include "zone.h"

#define MAX_REQUEST_BODY (64 * 1024 * 1024)

/* A body that is not sent at one go. */
typedef struct Stream
{
	Buffer		body;
	int64_t		end;			/* stop (with an error) after so many bytes */
	int64_t		drip_bytes;		/* 0: as fast as it goes */
	int64_t		drip_ms;
	bool		chunked;
	int			peer;
} Stream;

/*
 * Requests
 */

/* Note where the path leads: context, flavour prefix, route. */
static void
set_route(Request *request)
{
	const char *path = request->path;
	size_t		context = strlen(sim.settings.context);

	request->flavour = sim.settings.flavour;
	request->route = "";
	if (strncmp(path, sim.settings.context, context) != 0)
		return;
	path += context;
	if (strncmp(path, "/cloud/", 7) == 0)
	{
		request->flavour = FLAVOUR_CLOUD;
		path += 6;
	}
	else if (strncmp(path, "/server/", 8) == 0)
	{
		request->flavour = FLAVOUR_SERVER;
		path += 7;
	}
	request->route = path;
}

static Request *
new_request(struct MHD_Connection *connection, const char *url,
			const char *method)
{
	Request    *request = calloc(1, sizeof(Request));
	const union MHD_ConnectionInfo *info;

	request->connection = connection;
	request->method = strdup(method);
	request->path = strdup(url);
	request->status = 200;
	request->content_type = "application/json;charset=UTF-8";
	info = MHD_get_connection_info(connection,
								   MHD_CONNECTION_INFO_CONNECTION_FD);
	request->peer = info->connect_fd;
	info = MHD_get_connection_info(connection,
								   MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	request->peer_connection = info->socket_context;
	return request;
}

static void
free_request(Request *request)
{
	for (int i = 0; i < request->header_count; i++)
	{
		free(request->headers[i].name);
		free(request->headers[i].value);
	}
	json_free(request->json);
	fault_free(request->fault);
	buf_free(&request->body);
	buf_free(&request->out);
	free((char *) request->method);
	free(request->path);
	free(request);
}

void
add_header(Request *request, const char *name, const char *value)
{
	Header	   *header = &request->headers[request->header_count];

	if (request->header_count == MAX_HEADERS)
		return;
	header->name = strdup(name);
	header->value = strdup(value);
	request->header_count++;
}

const char *
header_in(const Request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
									   name);
}

const char *
param(const Request *request, const char *name)
{
	const char *value = MHD_lookup_connection_value(request->connection,
													MHD_GET_ARGUMENT_KIND,
													name);
	const Json *member;

	if (value != NULL)
		return value;
	member = json_get(request->json, name);
	return member ? member->text : NULL;
}

int64_t
param_int(const Request *request, const char *name, int64_t otherwise)
{
	const char *text = param(request, name);

	return text && *text ? strtoll(text, NULL, 10) : otherwise;
}

bool
param_bool(const Request *request, const char *name, bool otherwise)
{
	const char *text = param(request, name);

	if (text == NULL)
		return otherwise;
	return strcmp(text, "0") != 0 && strcmp(text, "false") != 0 &&
		strcmp(text, "off") != 0;
}

void
jira_error(Request *request, int status, const char *message)
{
	request->status = status;
	buf_clear(&request->out);
	buf_lit(&request->out, "{\"errorMessages\":[");
	buf_json_str(&request->out, message);
	buf_lit(&request->out, "],\"errors\":{}}");
}

/*
 * Answers
 */

/* Feed a part of a body; runs in the connection's thread, so it may wait. */
static ssize_t
feed_stream(void *cls, uint64_t at, char *space, size_t size)
{
	Stream	   *stream = cls;
	int64_t		left = stream->end - (int64_t) at;
	WaitResult	waited = WAIT_TIMEOUT;

	if (left <= 0)
		return stream->chunked && stream->end == (int64_t) stream->body.len ?
			MHD_CONTENT_READER_END_OF_STREAM :
			MHD_CONTENT_READER_END_WITH_ERROR;
	if (stream->drip_bytes > 0)
	{
		pthread_mutex_lock(&sim.lock);
		waited = sim_wait(stream->peer, NULL, NULL,
						  monotonic_ms() + stream->drip_ms);
		pthread_mutex_unlock(&sim.lock);
		if (left > stream->drip_bytes)
			left = stream->drip_bytes;
	}
	if (waited == WAIT_GONE)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (left > (int64_t) size)
		left = size;
	memcpy(space, stream->body.data + at, left);
	return left;
}

static void
free_stream(void *cls)
{
	Stream	   *stream = cls;

	buf_free(&stream->body);
	free(stream);
}

static struct MHD_Response *
make_stream(Request *request, const Fault *fault)
{
	Stream	   *stream = calloc(1, sizeof(Stream));

	stream->body = request->out;
	memset(&request->out, 0, sizeof(Buffer));
	stream->end = stream->body.len;
	if (fault->truncate >= 0 && fault->truncate < stream->end)
		stream->end = fault->truncate;
	stream->drip_bytes = fault->drip_bytes;
	stream->drip_ms = fault->drip_ms;
	stream->chunked = fault->chunked;
	stream->peer = request->peer;
	return MHD_create_response_from_callback(
		fault->chunked ? MHD_SIZE_UNKNOWN : stream->body.len, 16384,
		feed_stream, stream, free_stream);
}

/* Add the headers that every answer has. */
static void
add_common_headers(Request *request, struct MHD_Response *response)
{
	Buffer		date = {0};
	int64_t		now = sim.settings.date == DATE_CLOCK ? sim_now() : wall_ms();

	if (sim.settings.date != DATE_NONE)
	{
		zone_http(&date, now + sim.settings.skew);
		MHD_add_response_header(response, "Date", date.data);
		buf_free(&date);
	}
	if (*request->content_type)
		MHD_add_response_header(response, "Content-Type",
								request->content_type);
	for (int i = 0; i < request->header_count; i++)
		MHD_add_response_header(response, request->headers[i].name,
								request->headers[i].value);
}

/* Compress the body where that is wanted and the client can read it. */
static void
maybe_compress(Request *request)
{
	const char *accepted = header_in(request, "Accept-Encoding");
	Buffer		packed = {0};

	if (!(sim.settings.compress ||
		  (request->fault && request->fault->compress)) ||
		accepted == NULL || strstr(accepted, "gzip") == NULL)
		return;
	gzip(&packed, request->out.data, request->out.len);
	buf_free(&request->out);
	request->out = packed;
	add_header(request, "Content-Encoding", "gzip");
}

/*
 * End the connection. Dissolving the association is what makes Linux send a
 * reset at once; libmicrohttpd itself would close the socket in order.
 */
static enum MHD_Result
drop_connection(Request *request)
{
	struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	if ((request->fault == NULL || request->fault->drop == DROP_RESET) &&
		connect(request->peer, &nobody, sizeof(nobody)) != 0)
		perror("simulator: could not reset a connection");
	return MHD_NO;
}

/* Send what the endpoint has put together. */
static enum MHD_Result
send_answer(Request *request)
{
	const Fault *fault = request->fault;
	struct MHD_Response *response;
	enum MHD_Result result;

	if (request->dropped)
		return drop_connection(request);
	buf_grow(&request->out, 0);
	if (fault && (fault->drip_bytes || fault->truncate >= 0 ||
				  fault->chunked))
		response = make_stream(request, fault);
	else
	{
		response = MHD_create_response_from_buffer(request->out.len,
												   request->out.data,
												   MHD_RESPMEM_MUST_FREE);
		memset(&request->out, 0, sizeof(Buffer));
	}
	pthread_mutex_lock(&sim.lock);
	add_common_headers(request, response);
	pthread_mutex_unlock(&sim.lock);
	result = MHD_queue_response(request->connection, request->status,
								response);
	MHD_destroy_response(response);
	return result;
}

/* Find out what Jira answers, faults included. */
static void
serve_jira(Request *request)
{
	set_route(request);
	request->is_search = route_is_search(request);
	request->number = ++sim.counters.requests;
	if (!request->peer_connection->counted)
	{
		request->peer_connection->counted = true;
		sim.counters.connections++;
		sim.counters.open++;
	}
	if (request->is_search)
		sim.counters.searches++;
	log_arrival(request);
	sim_notify();

	if (!barrier_pass(request))
		request->dropped = true;
	else
	{
		request->fault = fault_take(request);
		if (request->is_search)
			data_catch_up(sim.counters.searches);
		if (!fault_before(request) && check_credentials(request))
		{
			if (request->is_search)
				serve_search(request);
			else if (!serve_meta(request))
				jira_error(request, 404, "null for uri: this resource does "
						   "not exist");
		}
		fault_after(request);
		maybe_compress(request);
	}
	sim.counters.issues += request->issues;
	sim.counters.bytes += request->out.len;
	sim.counters.answered++;
	log_answer(request);
	sim_notify();
}

enum MHD_Result
http_handle(void *cls, struct MHD_Connection *connection, const char *url,
			const char *method, const char *version, const char *upload,
			size_t *upload_size, void **state)
{
	Request    *request = *state;

	(void) cls;
	(void) version;
	if (request == NULL)
	{
		*state = new_request(connection, url, method);
		return MHD_YES;
	}
	if (*upload_size > 0)
	{
		if (request->body.len + *upload_size > MAX_REQUEST_BODY)
			return MHD_NO;
		buf_add(&request->body, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	if (request->body.len > 0)
		request->json = json_parse(request->body.data, request->body.len);

	pthread_mutex_lock(&sim.lock);
	if (strncmp(url, "/_sim", 5) == 0)
		serve_control(request);
	else
		serve_jira(request);
	pthread_mutex_unlock(&sim.lock);
	return send_answer(request);
}

void
http_completed(void *cls, struct MHD_Connection *connection, void **state,
			   enum MHD_RequestTerminationCode code)
{
	(void) cls;
	(void) connection;
	(void) code;
	if (*state != NULL)
	{
		if (((Request *) *state)->quits)
			kill(getpid(), SIGTERM);	/* main waits for it */
		free_request(*state);
	}
	*state = NULL;
}

void
http_connection(void *cls, struct MHD_Connection *connection,
				void **socket_context,
				enum MHD_ConnectionNotificationCode code)
{
	static int64_t last_id;
	Connection *peer_connection = *socket_context;

	(void) cls;
	(void) connection;
	pthread_mutex_lock(&sim.lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
	{
		peer_connection = calloc(1, sizeof(Connection));
		peer_connection->id = ++last_id;
		*socket_context = peer_connection;
	}
	else
	{
		if (peer_connection->counted)
			sim.counters.open--;
		free(peer_connection);
		sim_notify();
	}
	pthread_mutex_unlock(&sim.lock);
}
