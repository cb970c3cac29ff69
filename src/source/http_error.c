/*
 * http_error.c
 *		Failures of requests in the words of SQL: which SQLSTATE, and what to do.
 */
#include "source/http_private.h"

/* Name of the server whose request failed. */
#define SERVER(request) ((request)->client->settings.server)

/* What libcurl says went wrong, as a sentence. */
static int
curl_detail(const HttpRequest *request)
{
	const char *message = request->message[0] ? request->message :
		curl_easy_strerror(request->code);
	char	   *copy = http_printable(message, strlen(message));
	Size		len = strlen(copy);

	copy[0] = pg_toupper((unsigned char) copy[0]);
	while (len > 0 && strchr(".\r\n ", copy[len - 1]))
		copy[--len] = '\0';
	return errdetail_internal("%s.", copy);
}

/* No connection came about because of the address or a refusal. */
static void
raise_connect(const HttpRequest *request)
{
	if (request->refused[0])
		ereport(ERROR,
				(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
				 errmsg("could not connect to server \"%s\": the address is private",
						SERVER(request)),
				 errdetail("\"%s\" is %s, inside the network of the database server.",
						   request->client->host, request->refused),
				 errhint("A superuser may set option \"allow_private\" of the server to allow this.")));
	ereport(ERROR,
			(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
			 errmsg("could not connect to server \"%s\"", SERVER(request)),
			 curl_detail(request),
			 errhint("Check option \"%s\" of the server, and that \"%s\" can be reached from the database server.",
					 request->client->settings.url_option, request->client->host)));
}

/* A connection came about, but not one to be trusted. */
static void
raise_tls(const HttpRequest *request)
{
	ereport(ERROR,
			(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
			 errmsg("could not establish a secure connection to server \"%s\"",
					SERVER(request)),
			 curl_detail(request),
			 errhint("If the server has a certificate of a private authority, a superuser may name that authority's file in option \"ca_file\" of the server.")));
}

/* An answer grew beyond what the server's options allow. */
static void
raise_too_large(const HttpRequest *request)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("answer of server \"%s\" is too large", SERVER(request)),
			 errdetail("It has more than %zu bytes, decompressed.",
					   request->client->settings.max_body),
			 errhint("Ask for fewer rows a page, or raise option \"max_body\" of the server.")));
}

/* What a callback noted before it made libcurl give up. */
static void
raise_fault(const HttpRequest *request)
{
	switch (request->fault)
	{
		case HTTP_FAULT_NONE:
			break;
		case HTTP_FAULT_BODY:
			raise_too_large(request);
			break;
		case HTTP_FAULT_HEADERS:
			ereport(ERROR,
					(errcode(ERRCODE_PROTOCOL_VIOLATION),
					 errmsg("server \"%s\" sent too many headers", SERVER(request)),
					 errdetail("They have more than %d bytes.", HTTP_MAX_HEADERS)));
			break;
		case HTTP_FAULT_MEMORY:
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory"),
					 errdetail("There was no room for the answer of server \"%s\".",
							   SERVER(request))));
			break;
	}
}

void
http_raise_transport(const HttpRequest *request)
{
	const HttpSettings *settings = &request->client->settings;

	raise_fault(request);
	switch (request->code)
	{
		case CURLE_COULDNT_CONNECT:
			raise_connect(request);
			break;
		case CURLE_COULDNT_RESOLVE_HOST:
			ereport(ERROR,
					(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
					 errmsg("could not find the host of server \"%s\"", settings->server),
					 errdetail("There is no address for \"%s\".", request->client->host),
					 errhint("Check option \"%s\" of the server, and the name resolution of the database server.", settings->url_option)));
			break;
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_ISSUER_ERROR:
			raise_tls(request);
			break;
		case CURLE_FILESIZE_EXCEEDED:
			raise_too_large(request);
			break;
		case CURLE_OPERATION_TIMEDOUT:
			ereport(ERROR,
					(errcode(ERRCODE_CONNECTION_FAILURE),
					 errmsg("server \"%s\" did not answer in time", settings->server),
					 curl_detail(request),
					 errhint("The last of %d attempts ended so. Options \"timeout\" (%g s) and \"connect_timeout\" (%g s) of the server say how long to wait.",
							 request->attempts, settings->timeout / 1000.0,
							 settings->connect_timeout / 1000.0)));
			break;
		case CURLE_PARTIAL_FILE:
		case CURLE_GOT_NOTHING:
		case CURLE_SEND_ERROR:
		case CURLE_RECV_ERROR:
		case CURLE_HTTP2:
		case CURLE_HTTP2_STREAM:
		case CURLE_BAD_CONTENT_ENCODING:
			ereport(ERROR,
					(errcode(ERRCODE_CONNECTION_FAILURE),
					 errmsg("connection to server \"%s\" broke before the answer was complete",
							settings->server),
					 curl_detail(request),
					 errhint("The last of %d attempts ended so; try again later.",
							 request->attempts)));
			break;
		default:
			break;
	}
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("server \"%s\" does not speak HTTP as expected", settings->server),
			 curl_detail(request),
			 errhint("Check option \"%s\" of the server.", settings->url_option)));
}
