/*
 * jira.c
 *		Jira as a source: opening it, and reading its pages.  How they are asked for is the
 *		matter of jira_ask.c, which one is the next of jira_cloud.c and jira_server.c.
 */
#include "source/jira.h"

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define HINT_SEARCH \
	"Option \"api\" of the server may be wrong: Jira Cloud is searched at /rest/api/3/search/jql, Server and Data Center at /rest/api/2/search."

static SourcePage *jira_next(Source *self);
static bool jira_ready(Source *self, int64 *due_ms);
static RowBatch *jira_rows(Source *self, const Value *items, int nitems);

/* What every page is asked for beside its issues, in the order of JiraEnvelope. */
static const char *const envelope_paths[ENVELOPE_COUNT] = {
	"nextPageToken", "isLast", "startAt", "total"
};

/* ------------------------------------------------------------------------
 * Answers
 * ------------------------------------------------------------------------
 */

/* The primary message of whatever goes wrong with a page. */
static char *
what_failed(const JiraSource *js)
{
	return psprintf("could not fetch issues from server \"%s\"", js->connection->name);
}

void
jira_protocol_error(const JiraSource *js, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("%s", what_failed(js)),
			 errdetail("%s", detail),
			 errhint("%s", hint)));
}

/* Is the body another JSON document than an object?  (Not a truncated one.) */
static bool
is_other_document(const HttpResponse *response)
{
	const char *p = response->body;
	Value		document;

	p += strspn(p, " \t\r\n");
	return *p != '{' && json_document(response->body, response->len, &document);
}

/* Read the page, asking again while its JSON is broken. */
static HttpResponse *
parse_page(JiraSource *js, HttpRequest *request, HttpResponse *response, JsonPage *json)
{
	JsonShape	shape = {.items_path = "issues", .nenvelope = ENVELOPE_COUNT};
	char	   *reason;

	shape.envelope = json_paths_compile(envelope_paths, ENVELOPE_COUNT);
	shape.item = js->plan->paths;
	shape.nitem = js->plan->npaths;
	for (;;)
	{
		Size		len = response->len;
		const char *data;

		http_check(request, response, what_failed(js), HINT_SEARCH);
		if (is_other_document(response))
			jira_protocol_error(js, "The answer is not a JSON object.", JIRA_HINT_NOT_JIRA);
		data = json_valid_utf8(response->body, &len);
		if (json_read_page(data, len, &shape, json, &reason))
			return response;
		response = http_retry(request, reason);
	}
}

bool
jira_read(JiraSource *js, bool may_refuse, JsonPage *json, SourcePage *page)
{
	HttpRequest *request = js->request;
	HttpResponse *response;

	/* from here on the request belongs to our caller's page, error or not */
	js->request = NULL;
	MemoryContextSetParent(js->request_context, CurrentMemoryContext);
	response = http_wait(request);
	if (may_refuse && response->status == 400)
		return false;
	if (response->status == 404 || response->status == 410)
		jira_forget_api(js->connection);	/* a site that moved to the Cloud */

	if (js->cloud && response->status == 200)
		jira_cloud_ask_early(js, response->body, response->len);
	response = parse_page(js, request, response, json);
	if (!json->has_items)
		jira_protocol_error(js, "The answer has no list of issues.", JIRA_HINT_NOT_JIRA);

	page->server_date = response->date;
	page->bytes += response->len;
	page->retries += response->retries;
	js->answer_us = response->wait_us;
	jira_ask_for_more(js);
	return true;
}

void
jira_fill(JiraSource *js, const JsonPage *json, const bool *keep, int64 max, SourcePage *page)
{
	const JiraPlan *plan = js->plan;
	int			nfields = js->fields->nfields;
	RowBatch   *batch = batch_create(js->fields, json->nitems);
	Value	   *values = palloc_extended(sizeof(Value) * Max((Size) json->nitems * nfields, 1),
										 MCXT_ALLOC_HUGE);

	for (int i = 0; i < json->nitems && batch->nrows < max; i++)
	{
		const Value *picked = json->fields + (Size) i * plan->npaths;
		Row		   *row = &batch->rows[batch->nrows];

		if (keep && !keep[i])
			continue;
		row->item = json->items[i];
		row->values = values + (Size) batch->nrows * nfields;
		for (int f = 0; f < nfields; f++)
			row->values[f] = jira_value(plan, &plan->picks[f], picked);
		batch->nrows++;
	}
	page->batch = batch;
	page->number = js->pages + 1;
}

/* ------------------------------------------------------------------------
 * The source
 * ------------------------------------------------------------------------
 */

/* Names of the fields, converted while catalogs may still be read. */
static const char **
utf8_names(const FieldSet *fields)
{
	const char **names = palloc(sizeof(char *) * Max(fields->nfields, 1));

	for (int i = 0; i < fields->nfields; i++)
	{
		const char *name = fields->fields[i].name;

		names[i] = pg_server_to_any(name, strlen(name), PG_UTF8);
	}
	return names;
}

/* Check the numbers that a user gave. */
static void
check_limits(const SourceSpec *spec)
{
	if (spec->page_size < 0 || spec->page_size > JIRA_MAX_PAGE_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page_size %d is out of range", spec->page_size),
				 errhint("Jira gives 1 to %d issues a page; the default is %d.",
						 JIRA_MAX_PAGE_SIZE, JIRA_DEFAULT_PAGE_SIZE)));
	if (spec->concurrency < 0 || spec->concurrency > SOURCE_MAX_CONCURRENCY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("concurrency %d is out of range", spec->concurrency),
				 errhint("It is the number of requests in flight at once, 1 to %d; the default is 1.",
						 SOURCE_MAX_CONCURRENCY)));
	if (spec->max_items < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_items must be at least 1"),
				 errhint("Leave it out to fetch all issues.")));
}

/* Requests in flight at once go by id, so that no edit changes what a page has. */
static void
check_order(const SourceSpec *spec, const Jql *jql)
{
	if (spec->concurrency > 1 && jql->order)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a query with an order of its own cannot be read with concurrency"),
				 errdetail("With several requests in flight, issues are read in the order of their ids."),
				 errhint("Leave the ORDER BY out of the query, or concurrency out.")));
}

/* Connect, and refuse a server of another kind. */
static Connection *
connect_jira(const SourceSpec *spec)
{
	Connection *connection = connection_get(spec->server, spec->userid);

	if (strcmp(connection->wrapper, JIRA_WRAPPER) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" is not a Jira server", spec->server),
				 errdetail("It belongs to foreign data wrapper \"%s\".", connection->wrapper),
				 errhint("Create it with FOREIGN DATA WRAPPER %s.", JIRA_WRAPPER)));
	return connection;
}

Source *
jira_open(const SourceSpec *spec)
{
	JiraSource *js = palloc0(sizeof(JiraSource));

	check_limits(spec);
	js->source.next = jira_next;
	js->source.ready = jira_ready;
	js->one_by_one = spec->one_by_one;
	js->source.rows = jira_rows;
	js->source.doubt = jira_doubt;
	js->context = CurrentMemoryContext;
	js->jql = jql_parse(spec->query);
	check_order(spec, js->jql);
	js->connection = connect_jira(spec);
	js->page_size = spec->census ? JIRA_MAX_PAGE_SIZE :
		spec->page_size > 0 ? spec->page_size : JIRA_DEFAULT_PAGE_SIZE;
	js->full_size = js->page_size;
	js->max_items = spec->max_items;
	js->concurrency = Max(spec->concurrency, 1);
	js->walk = spec->walk ? pstrdup(spec->walk) : NULL;

	js->fields = js->source.fields = jira_fieldset(spec);
	js->names = utf8_names(js->fields);
	js->query = jql_query(js->jql, spec->ordered);
	js->restriction = jql_restriction(js->jql);
	js->order = jql_total_order(js->jql);
	js->query_hash = hash_bytes_extended((const unsigned char *) js->query,
										 strlen(js->query), 0);
	js->source.ascending = js->jql->kind == ORDER_ASCENDING ||
		(js->jql->kind == ORDER_NONE && spec->ordered);
	return &js->source;
}

char *
jira_walk(const JiraSource *js, const char *position)
{
	return psprintf("%s " UINT64_FORMAT " %s", js->cloud ? "cloud" : "server",
					js->query_hash, position);
}

/*
 * Go on from a stored walk, if it is one of this query and this kind of API;
 * otherwise begin at the query's bound, and say so.
 */
static void
take_up_walk(JiraSource *js)
{
	char	   *prefix = jira_walk(js, "");
	Size		len = strlen(prefix);

	js->resumed = strncmp(js->walk, prefix, len) == 0 &&
		(js->cloud ? jira_cloud_resume(js, js->walk + len) : jira_server_resume(js, js->walk + len));
	js->source.walk_expired = !js->resumed;
}

/* Learn what has to be known of the server, and plan. */
static void
begin(JiraSource *js)
{
	MemoryContext previous = MemoryContextSwitchTo(js->context);

	js->cloud = jira_api(js->connection) == JIRA_API_CLOUD;
	if (js->cloud)
		jira_cloud_begin(js);
	else
	{
		jira_server_begin(js);
		if (js->concurrency > 1)
			jira_concurrent_begin(js);
	}
	if (js->walk)
		take_up_walk(js);
	js->plan = jira_plan(js->connection, js->names, js->fields->nfields, !js->cloud);
	MemoryContextSwitchTo(previous);
}

/*
 * A call that failed may be repeated: it then asks again for the page that it
 * failed on, and forgets the requests for those behind it.
 */
static void
forget_failure(JiraSource *js)
{
	if (js->in_page && js->request)
	{
		js->request = NULL;
		MemoryContextDelete(js->request_context);
	}
	if (js->in_page && js->ahead)
		jira_concurrent_drop(js);
	js->in_page = false;
}

static bool
jira_ready(Source *self, int64 *due_ms)
{
	JiraSource *js = (JiraSource *) self;
	HttpRequest *request;

	forget_failure(js);
	if (js->done)
		return true;
	if (!js->plan)
		begin(js);
	if (!js->ahead && !js->request && js->cloud)
		jira_cloud_ask(js);
	else if (!js->ahead && !js->request)
		jira_server_ask_next(js);
	request = js->ahead ? jira_concurrent_ask(js) : js->request;
	return request == NULL || http_ready(request, due_ms);
}

static SourcePage *
jira_next(Source *self)
{
	JiraSource *js = (JiraSource *) self;
	SourcePage	   *page;

	forget_failure(js);
	if (js->done)
		return NULL;

	js->in_page = true;
	if (!js->plan)
		begin(js);
	if (js->cloud)
		page = jira_cloud_next(js);
	else
		page = js->ahead ? jira_concurrent_next(js) : jira_server_next(js);
	js->pages = page->number;
	js->delivered += page->batch->nrows;
	js->in_page = false;
	return page;
}

/* What the names of the fields mean is all that has to be known for old items. */
static void
plan_offline(JiraSource *js)
{
	MemoryContext previous = MemoryContextSwitchTo(js->context);

	js->plan = jira_plan(js->connection, js->names, js->fields->nfields, false);
	MemoryContextSwitchTo(previous);
}

/* The items are read as the page that they could have come in. */
static RowBatch *
jira_rows(Source *self, const Value *items, int nitems)
{
	JiraSource *js = (JiraSource *) self;
	JsonShape	shape = {.items_path = "issues", .nenvelope = 0};
	SourcePage	page = {0};
	StringInfoData body;
	JsonPage	json;
	char	   *reason;

	if (!js->plan)
		plan_offline(js);
	initStringInfo(&body);
	appendStringInfoString(&body, "{\"issues\":[");
	for (int i = 0; i < nitems; i++)
	{
		if (i > 0)
			appendStringInfoChar(&body, ',');
		appendBinaryStringInfo(&body, items[i].data, items[i].len);
	}
	appendStringInfoString(&body, "]}");
	shape.envelope = json_paths_compile(NULL, 0);
	shape.item = js->plan->paths;
	shape.nitem = js->plan->npaths;
	if (!json_read_page(body.data, body.len, &shape, &json, &reason) || json.nitems != nitems)
		elog(ERROR, "stored items are not JSON");
	jira_fill(js, &json, NULL, nitems, &page);
	for (int i = 0; i < nitems; i++)
		page.batch->rows[i].item = items[i];
	return page.batch;
}

/* ------------------------------------------------------------------------
 * What is asked about Jira beside its rows
 * ------------------------------------------------------------------------
 */

QueryOrder
jira_query_order(const char *query)
{
	return jql_parse(query)->kind;
}

/* Cloud's search lags behind; Server and Data Center answer from their own index. */
bool
jira_is_eventual(Connection *connection, bool *known)
{
	JiraApi		api = jira_api_known(connection);

	*known = api != JIRA_API_AUTO;
	return api == JIRA_API_CLOUD;
}
