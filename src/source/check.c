/*
 * check.c
 *		resolute.check_connection(): does a server answer, and as whom?
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "rows/json.h"
#include "source/connection.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define NCOLUMNS 5

PG_FUNCTION_INFO_V1(resolute_check_connection);

/*
 * Wait for an answer, which must be a JSON object, and read some members of it.  Where
 * nothing is at its path, other is asked.
 */
static void
read_answer(HttpRequest *request, HttpClient *client, const char *other, const char *what,
			const char *hint_404, const char *const *names, int nnames, Value *values)
{
	for (HttpResponse *response = http_wait_or(&request, client, other);;
		 response = http_retry(request, "it is not a JSON object"))
	{
		Size		len = response->len;
		const char *body;
		Value		document;

		http_check(request, response, what, hint_404);
		body = json_valid_utf8(response->body, &len);
		if (!json_document(body, len, &document) || len == 0 || *document.data != '{')
			continue;
		for (int i = 0; i < nnames; i++)
			values[i] = json_member(&document, names[i], strlen(names[i]), false);
		return;
	}
}

/* Put a value into a column of text. */
static void
set_text(Datum *column, bool *isnull, const Value *value)
{
	if (value_is_null(value))
		return;
	*column = value_text(value);
	*isnull = false;
}

/* Who the account is: its name, and its address or login where the server shows it. */
static void
set_account(Datum *column, bool *isnull, const Value *display, const Value *email,
			const Value *login)
{
	char	   *name = value_cstring(display);
	char	   *more = value_cstring(value_is_null(email) ? login : email);

	if (name == NULL && more == NULL)
		return;
	*column = CStringGetTextDatum(name == NULL ? more :
								  more == NULL ? name : psprintf("%s (%s)", name, more));
	*isnull = false;
}

/*
 * How far the server's clock is ahead of ours.  Its Date header has whole
 * seconds, of which half a second is gone on average.
 */
static void
set_skew(Datum *column, bool *isnull, TimestampTz date, TimestampTz received)
{
	Interval   *skew;

	if (date == 0)
		return;
	skew = palloc0(sizeof(Interval));
	skew->time = date + USECS_PER_SEC / 2 - received;
	skew->time -= skew->time % USECS_PER_SEC;
	*column = IntervalPGetDatum(skew);
	*isnull = false;
}

/* Ask a Jira site what it is, and who we are for it. */
Datum
resolute_check_connection(PG_FUNCTION_ARGS)
{
	static const char *const info_names[] = {"deploymentType", "version"};
	static const char *const account_names[] = {"displayName", "emailAddress", "name", "timeZone"};
	char	   *server = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Connection *connection = connection_get(server, GetUserId());
	char	   *what = psprintf("could not check server \"%s\"", server);
	const char *hint = "Check option \"base_url\" of the server: it is the address of the Jira site, with its context path (such as \"/jira\") if it has one.";
	HttpRequest *info = http_start(connection->client, JIRA_SERVER_INFO, NULL);
	HttpRequest *account = NULL;
	Value		info_values[2];
	Value		account_values[4];
	TupleDesc	descriptor;
	Datum		columns[NCOLUMNS] = {0};
	bool		nulls[NCOLUMNS] = {true, true, true, true, true};
	HttpResponse *response;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	/* An anonymous mapping is nobody. */
	if (!connection->anonymous)
		account = http_start(connection->client, JIRA_MYSELF, NULL);
	read_answer(info, connection->client, JIRA_SERVER_INFO_3, what, hint, info_names, lengthof(info_names), info_values);
	if (account != NULL)
	{
		read_answer(account, connection->client, JIRA_MYSELF_3, what, hint, account_names,
					lengthof(account_names), account_values);
		set_account(&columns[1], &nulls[1], &account_values[0], &account_values[1], &account_values[2]);
		set_text(&columns[2], &nulls[2], &account_values[3]);
	}
	set_text(&columns[0], &nulls[0], &info_values[0]);
	set_text(&columns[3], &nulls[3], &info_values[1]);
	response = http_wait(info);
	set_skew(&columns[4], &nulls[4], response->date, response->received);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), columns, nulls)));
}
