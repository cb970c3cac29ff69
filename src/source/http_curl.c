/*
 * http_curl.c
 *		The handles of libcurl: how they are set up, and what they call back.
 *
 * The callbacks neither throw nor palloc; see http_private.h.
 */
#include "source/http_private.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The first body buffer; a page of 100 issues is about 400 kB. */
#define HTTP_FIRST_BODY (64 * 1024)
#define HTTP_FIRST_HEADERS (4 * 1024)

/* How much libcurl reads at once. */
#define HTTP_READ_BYTES (128 * 1024L)

static void set_common(HttpRequest *request);
static void set_security(HttpRequest *request);

/*
 * Initialise libcurl in this backend.  Never in _PG_init, which may run in the
 * postmaster; never undone, since other extensions may use libcurl as well.
 */
void
http_curl_init(void)
{
	static bool initialised = false;

	if (initialised)
		return;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not initialize libcurl")));
	initialised = true;
}

/* Make room for size bytes and a NUL, by doubling.  Called back. */
static bool
http_buffer_reserve(HttpBuffer *buffer, Size size)
{
	Size		grown = Max(buffer->size, HTTP_FIRST_HEADERS);
	char	   *data;

	if (size < buffer->size)
		return true;
	while (grown <= size)
		grown *= 2;
	data = realloc(buffer->data, grown);
	if (data == NULL)
		return false;
	buffer->data = data;
	buffer->size = grown;
	return true;
}

/* Append bytes, up to a limit.  Called back. */
static HttpFault
buffer_append(HttpBuffer *buffer, const char *data, Size len, Size limit, HttpFault too_long)
{
	if (len > limit - Min(buffer->len, limit))
		return too_long;
	if (!http_buffer_reserve(buffer, buffer->len + len))
		return HTTP_FAULT_MEMORY;
	memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
	return HTTP_FAULT_NONE;
}

/* Take in a part of the body, decompressed.  A short return makes libcurl give up. */
static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	HttpRequest *request = arg;
	Size		len = size * count;

	if (request->body.size == 0 && !http_buffer_reserve(&request->body, HTTP_FIRST_BODY))
		request->fault = HTTP_FAULT_MEMORY;
	else
		request->fault = buffer_append(&request->body, data, len,
									   request->client->settings.max_body,
									   HTTP_FAULT_BODY);
	return request->fault == HTTP_FAULT_NONE ? len : 0;
}

/* Take in one line of the headers, as "Name\0value\0". */
static size_t
on_header(char *data, size_t size, size_t count, void *arg)
{
	HttpRequest *request = arg;
	Size		len = size * count;
	const char *colon = memchr(data, ':', len);
	const char *end = data + len;
	const char *value;

	/* A status line begins a new answer (after "100 Continue", say). */
	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
	{
		request->headers.len = 0;
		return len;
	}
	if (colon == NULL || memchr(data, '\0', len) != NULL)
		return len;

	value = colon + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
		end--;

	request->fault = buffer_append(&request->headers, data, colon - data,
								   HTTP_MAX_HEADERS, HTTP_FAULT_HEADERS);
	if (request->fault == HTTP_FAULT_NONE)
		request->fault = buffer_append(&request->headers, "", 1,
									   HTTP_MAX_HEADERS, HTTP_FAULT_HEADERS);
	if (request->fault == HTTP_FAULT_NONE)
		request->fault = buffer_append(&request->headers, value, end - value,
									   HTTP_MAX_HEADERS, HTTP_FAULT_HEADERS);
	if (request->fault == HTTP_FAULT_NONE)
		request->fault = buffer_append(&request->headers, "", 1,
									   HTTP_MAX_HEADERS, HTTP_FAULT_HEADERS);
	return request->fault == HTTP_FAULT_NONE ? len : 0;
}

/* Open a socket, unless the address is a private one. */
static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	HttpRequest *request = arg;
	int			flags = 0;

	(void) purpose;
	if (!request->client->settings.allow_private &&
		http_address_is_private(&address->addr))
	{
		const void *ip = address->family == AF_INET6 ?
			(const void *) &((struct sockaddr_in6 *) &address->addr)->sin6_addr :
			(const void *) &((struct sockaddr_in *) &address->addr)->sin_addr;

		if (inet_ntop(address->family, ip, request->refused, sizeof(request->refused)) == NULL)
			strlcpy(request->refused, "not an IP address", sizeof(request->refused));
		return CURL_SOCKET_BAD;
	}
#ifdef SOCK_CLOEXEC
	flags = SOCK_CLOEXEC;		/* COPY FROM PROGRAM must not inherit it */
#endif
	return http_socket_opened(socket(address->family, address->socktype | flags,
									 address->protocol));
}

/*
 * Make the handle of an attempt.  It is never used again, since stale options
 * and buffers of one request must not reach the next; what is worth keeping
 * (connections, addresses) belongs to the multi handle.
 */
void
http_easy_create(HttpRequest *request)
{
	request->easy = curl_easy_init();
	if (request->easy == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("libcurl could not create a handle.")));
	set_common(request);
	set_security(request);
}

/* Set an option; only an option that this libcurl was built without fails. */
#define SET(option, value) \
	do { \
		CURLcode	rc_ = curl_easy_setopt(request->easy, (option), (value)); \
		if (rc_ != CURLE_OK) \
			elog(ERROR, "libcurl refused option %s: %s", #option, curl_easy_strerror(rc_)); \
	} while (0)

/* What to ask, how long, and where the answer goes. */
static void
set_common(HttpRequest *request)
{
	const HttpSettings *settings = &request->client->settings;

	SET(CURLOPT_PRIVATE, request);
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_USERAGENT, settings->user_agent);
	SET(CURLOPT_ACCEPT_ENCODING, "");	/* all that libcurl can decode */
	SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
	if (request->post != NULL)
	{
		SET(CURLOPT_POSTFIELDSIZE, (long) strlen(request->post));
		SET(CURLOPT_POSTFIELDS, request->post);
		SET(CURLOPT_HTTPHEADER, request->client->post_headers);
	}
	else
		SET(CURLOPT_HTTPHEADER, request->client->get_headers);

	if (request->connect_only)
	{
		SET(CURLOPT_CONNECT_ONLY, 1L);
		SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
	}

	/* Requests in flight at once share one connection where the server can. */
	SET(CURLOPT_PIPEWAIT, 1L);
	SET(CURLOPT_BUFFERSIZE, HTTP_READ_BYTES);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);

	SET(CURLOPT_CONNECTTIMEOUT_MS, (long) settings->connect_timeout);
	SET(CURLOPT_TIMEOUT_MS, (long) settings->timeout);
	SET(CURLOPT_LOW_SPEED_LIMIT, (long) HTTP_MIN_BYTES_PER_S);
	SET(CURLOPT_LOW_SPEED_TIME, (long) Max(1, settings->timeout / 2000));

	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, request);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, request);
	SET(CURLOPT_ERRORBUFFER, request->message);

	/* A backend has its own signals and must not wait for a stuck resolver. */
	SET(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
}

/* Where it may connect, and to whom it talks. */
static void
set_security(HttpRequest *request)
{
	const HttpSettings *settings = &request->client->settings;

#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, settings->allow_http ? "http,https" : "https");
#else
	SET(CURLOPT_PROTOCOLS, settings->allow_http ?
		(long) (CURLPROTO_HTTP | CURLPROTO_HTTPS) : (long) CURLPROTO_HTTPS);
#endif
	SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	SET(CURLOPT_OPENSOCKETDATA, request);
	/* Belongs to the connection, which outlives the request: no data. */
	SET(CURLOPT_CLOSESOCKETFUNCTION, http_socket_close);

	/* A proxy named by the server's environment would hide the address. */
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_PATH_AS_IS, 1L);

	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	if (settings->ca_file != NULL)
	{
		/* These authorities, instead of those of the system. */
		SET(CURLOPT_CAINFO, settings->ca_file);
		SET(CURLOPT_CAPATH, NULL);
	}

	/* Compressed and chunked bodies are counted in on_body. */
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) settings->max_body);
}
