/*
 * jira_search.c: reads search requests and leads them to their endpoint
 */
#include "jira_search.h"

#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_PAGE_SIZE	50

static const char removed_message[] =
	"The requested API has been removed. Please migrate to the "
	"/rest/api/3/search/jql API. A full migration guideline is available at "
	"https://developer.atlassian.com/changelog/#CHANGE-2046";
static const char payload_message[] =
	"Invalid request payload. Refer to the REST API documentation and try "
	"again.";

bool
is_post(const Request *request)
{
	return strcmp(request->method, "POST") == 0;
}

bool
route_is_search(const Request *request)
{
	const char *route = request->route;

	if (strncmp(route, "/rest/api/2/search", 18) != 0 &&
		strncmp(route, "/rest/api/3/search", 18) != 0 &&
		strncmp(route, "/rest/api/latest/search", 23) != 0)
		return false;
	route = strstr(route, "/search") + 7;
	return *route == '\0' || strcmp(route, "/jql") == 0;
}

RenderMode
render_mode(const Request *request)
{
	return request->flavour == FLAVOUR_SERVER ? RENDER_SERVER :
		strncmp(request->route, "/rest/api/2", 11) == 0 ? RENDER_CLOUD_V2 :
		RENDER_CLOUD_V3;
}

/*
 * Reading the request
 */

/* Add the names of a list "a,b,c". */
static void
add_names(Search *search, const char *list)
{
	while (*list && search->name_count < MAX_FIELD_NAMES)
	{
		size_t		len = strcspn(list, ",");

		if (len > 0)
			search->names[search->name_count++] = strndup(list, len);
		list += len + (list[len] == ',');
	}
}

static enum MHD_Result
add_fields_argument(void *arg, enum MHD_ValueKind kind, const char *key,
					const char *value)
{
	(void) kind;
	if (strcmp(key, "fields") == 0 && value)
		add_names(arg, value);
	return MHD_YES;
}

/* Read the body of a POST; false if Jira would not take it. */
static bool
read_body(const Request *request, Search *search)
{
	const Json *names = json_get(request->json, "fields");
	const Json *jql = json_get(request->json, "jql");
	const Json *token = json_get(request->json, "nextPageToken");
	const Json *limit = json_get(request->json, "maxResults");
	const Json *expand = json_get(request->json, "expand");

	if (request->json == NULL || request->json->type != JSON_OBJECT ||
		(names && names->type != JSON_ARRAY) ||
		(jql && jql->type != JSON_STRING) ||
		(token && token->type != JSON_STRING && token->type != JSON_NULL) ||
		(limit && limit->type != JSON_NUMBER) ||
		(expand && request->flavour == FLAVOUR_CLOUD &&
		 expand->type != JSON_STRING))
		return false;
	for (const Json *name = names ? names->child : NULL; name;
		 name = name->next)
	{
		if (name->type != JSON_STRING)
			return false;
		if (search->name_count < MAX_FIELD_NAMES)
			search->names[search->name_count++] = strdup(name->text);
	}
	return true;
}

bool
search_read(Request *request, Search *search)
{
	static const char *const everything[] = {"*all"};
	const char *token = param(request, "nextPageToken");
	Buffer		error = {0};

	search->mode = render_mode(request);
	if (is_post(request) && !read_body(request, search))
	{
		jira_error(request, 400, payload_message);
		return false;
	}
	if (!is_post(request))
		MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND,
								  add_fields_argument, search);
	search->jql = param(request, "jql") ? param(request, "jql") : "";
	search->token = token && *token && strcmp(token, "null") ? token : NULL;
	search->start = param_int(request, "startAt", 0);
	search->limit = param_int(request, "maxResults", DEFAULT_PAGE_SIZE);
	search->set = fields_choose((const char *const *) search->names,
								search->name_count, search->mode, true);
	if (sim.settings.ignore_fields)
		search->set = fields_choose(everything, 1, search->mode, true);
	search->query = jql_parse(search->jql, &error);
	if (search->query == NULL)
		jira_error(request, 400, error.data);
	buf_free(&error);
	return search->query != NULL;
}

void
search_free(Search *search)
{
	for (int i = 0; i < search->name_count; i++)
		free(search->names[i]);
	jql_free(search->query);
}

/* How many rows a page may have. */
int64_t
search_limit(const Request *request, const Search *search)
{
	int64_t		cap = request->flavour == FLAVOUR_SERVER ?
		sim.settings.server_cap :
		search->set.light ? sim.settings.id_cap : sim.settings.page_cap;
	int64_t		limit = search->limit;

	if (limit < 0 || (limit == 0 && request->flavour == FLAVOUR_CLOUD))
		limit = DEFAULT_PAGE_SIZE;
	if (limit > cap)
		limit = cap;
	if (request->fault && request->fault->rows >= 0 &&
		request->fault->rows < limit)
		limit = request->fault->rows;
	return limit;
}

/* Append one row of the page, as the fault dictates. */
void
search_add_row(Request *request, const Search *search, const Issue *issue)
{
	const Fault *fault = request->fault;
	bool		dictated = fault && fault->override_count > 0 &&
		(fault->row < 0 || fault->row == request->issues);
	int			copies = fault && fault->duplicate_rows ? 2 : 1;

	for (int i = 0; i < copies; i++)
	{
		if (request->issues++ > 0)
			buf_char(&request->out, ',');
		render_issue(&request->out, issue, search->set, search->mode,
					 dictated ? fault->overrides : NULL,
					 dictated ? fault->override_count : 0);
	}
}

void
serve_search(Request *request)
{
	bool		is_jql = strstr(request->route, "/search/jql") != NULL;

	if (!is_post(request) && strcmp(request->method, "GET") != 0)
		jira_error(request, 405, "Method Not Allowed");
	else if (request->flavour == FLAVOUR_CLOUD && is_jql)
		serve_cloud(request);
	else if (request->flavour == FLAVOUR_CLOUD)
		jira_error(request, 410, removed_message);
	else if (is_jql || strncmp(request->route, "/rest/api/3", 11) == 0)
	{
		request->status = 404;
		buf_printf(&request->out, "{\"message\":\"null for uri: %s%s\","
				   "\"status-code\":404}", sim.settings.base_url,
				   request->route);
	}
	else
		serve_server(request);
}
