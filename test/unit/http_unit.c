/*
 * http_unit.c
 *		The HTTP client as SQL functions, without servers and mappings.
 */
#include "unit.h"

#include "source/http_private.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Settings of the module proper. */
int			resolute_max_wait = RESOLUTE_DEFAULT_MAX_WAIT_S;
int			resolute_http_attempts = 1;

PG_FUNCTION_INFO_V1(unit_http_is_private);
PG_FUNCTION_INFO_V1(unit_http_fetch);
PG_FUNCTION_INFO_V1(unit_http_outlive);
PG_FUNCTION_INFO_V1(unit_http_url_encode);

/* Is it an address that http_address.c calls private? */
Datum
unit_http_is_private(PG_FUNCTION_ARGS)
{
	char	   *address = text_to_cstring(PG_GETARG_TEXT_PP(0));
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		PG_RETURN_BOOL(http_address_is_private((struct sockaddr *) &v4));
	if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
		PG_RETURN_BOOL(http_address_is_private((struct sockaddr *) &v6));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is no address", address)));
}

static HttpClient *
make_client(FunctionCallInfo fcinfo, int timeout)
{
	HttpSettings settings = {
		.server = "unit", .mapping = "nobody", .user_agent = "unit",
		.connect_timeout = 5000, .max_body = 10 * 1024 * 1024,
		.allow_http = true, .allow_private = true
	};

	settings.url_option = "base_url";
	settings.base_url = text_to_cstring(PG_GETARG_TEXT_PP(0));
	settings.timeout = timeout;
	return http_client_create(&settings);
}

/* Be away from the network for a while, as a backend is that writes rows. */
static void
stay_away(int ms)
{
	for (; ms > 0; ms -= 10)
	{
		CHECK_FOR_INTERRUPTS();
		pg_usleep(10 * 1000L);
	}
}

/*
 * Start a GET of each path, stay away, and then wait for the answers, in order.
 * Returns the lengths of the bodies.  With connect, one more GET comes first,
 * so that the others find a connection and are written to it at once.
 */
Datum
unit_http_fetch(PG_FUNCTION_ARGS)
{
	ArrayType  *paths = PG_GETARG_ARRAYTYPE_P(1);
	HttpClient *client = make_client(fcinfo, PG_GETARG_INT32(2));
	int			away = PG_GETARG_INT32(3);
	bool		connect = PG_GETARG_BOOL(4);
	HttpRequest **requests;
	Datum	   *elements;
	int			count;

	deconstruct_array(paths, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &count);
	if (connect)
		http_wait(http_start(client, "/connect", NULL));
	requests = palloc(count * sizeof(HttpRequest *));
	for (int i = 0; i < count; i++)
		requests[i] = http_start(client, TextDatumGetCString(elements[i]), NULL);
	stay_away(away / 2);
	for (int i = 0; i < count; i++)
		http_progress(0);
	stay_away(away / 2);
	for (int i = 0; i < count; i++)
	{
		HttpResponse *response = http_wait(requests[i]);

		elements[i] = Int32GetDatum((int) response->len);
		MemoryContextDelete(requests[i]->context);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, count, INT4OID, 4, true, TYPALIGN_INT));
}

/* A client that ends before its request does: the request then can do nothing. */
Datum
unit_http_outlive(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext inner = AllocSetContextCreate(caller, "unit client", ALLOCSET_SMALL_SIZES);
	HttpClient *client;
	HttpRequest *request;

	MemoryContextSwitchTo(inner);
	client = make_client(fcinfo, 1000);
	MemoryContextSwitchTo(caller);
	request = http_start(client, text_to_cstring(PG_GETARG_TEXT_PP(1)), NULL);
	MemoryContextDelete(inner);
	if (PG_GETARG_BOOL(2))
		http_wait(request);
	MemoryContextDelete(request->context);
	PG_RETURN_VOID();
}

Datum
unit_http_url_encode(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(http_url_encode(text_to_cstring(PG_GETARG_TEXT_PP(0)))));
}
