/*
 * jira_meta.c: what Jira tells beside search
 */
#include <stdio.h>
#include <stdlib.h>

#include "jira_search.h"
#include "zone.h"

#define MAX_BULK_FETCH 100

/* GET serverInfo */
static void
serve_server_info(Request *request, RenderMode mode)
{
	const Settings *settings = &sim.settings;
	Buffer	   *out = &request->out;
	bool		cloud = mode != RENDER_SERVER;
	const char *version = *settings->version ? settings->version :
		cloud ? "1001.0.0-SNAPSHOT" : "9.12.5";
	const char *deployment = *settings->deployment ? settings->deployment :
		cloud ? "Cloud" : "Server";
	int			major = 0,
				minor = 0,
				patch = 0;

	sscanf(version, "%d.%d.%d", &major, &minor, &patch);
	buf_lit(out, "{\"baseUrl\":");
	buf_json_str(out, settings->base_url);
	buf_lit(out, ",\"version\":");
	buf_json_str(out, version);
	buf_printf(out, ",\"versionNumbers\":[%d,%d,%d]", major, minor, patch);
	if (strcmp(deployment, "-") != 0)
	{
		buf_lit(out, ",\"deploymentType\":");
		buf_json_str(out, deployment);
	}
	buf_lit(out, ",\"buildNumber\":912005,\"buildDate\":"
			"\"2026-01-20T00:00:00.000+0000\",\"serverTime\":\"");
	zone_date(out, (settings->date == DATE_CLOCK ? sim_now() : wall_ms()) +
			  settings->skew);
	buf_lit(out, "\",\"serverTimeZone\":");
	buf_json_str(out, zone_name());
	buf_lit(out, ",\"scmInfo\":\"0000000000000000000000000000000000000000\","
			"\"serverTitle\":\"Simulated Jira\"}");
}

/* GET myself: the first user, with the zone that JQL dates are in */
static void
serve_myself(Request *request, RenderMode mode)
{
	if (request->anonymous)
	{
		jira_error(request, 401, "Client must be authenticated to access "
				   "this resource.");
		return;
	}
	render_user(&request->out, 0, mode);
	request->out.len--;
	buf_lit(&request->out, ",\"locale\":\"en_US\",\"groups\":{\"size\":3,"
			"\"items\":[]},\"applicationRoles\":{\"size\":1,\"items\":[]}}");
}

/* POST search/approximate-count, on Cloud */
static void
serve_count(Request *request)
{
	Search		search = {0};

	if (search_read(request, &search))
	{
		if (search.query->where == NULL)
			jira_error(request, 400, "Unbounded JQL queries are not allowed "
					   "here. Please add a search restriction to your "
					   "query.");
		else
			buf_printf(&request->out, "{\"count\":%lld}",
					   (long long) (request->anonymous ? 0 :
									search_count(&search)));
	}
	search_free(&search);
}

/* The fields that a request names in ?fields= or in its body. */
static FieldSet
wanted_fields(const Request *request, RenderMode mode)
{
	const Json *list = json_get(request->json, "fields");
	const char *text = list ? NULL : param(request, "fields");
	const char *names[MAX_FIELD_NAMES];
	int			count = 0;
	char	   *copy = text ? strdup(text) : NULL;
	char	   *rest = copy;
	FieldSet	set;

	for (const Json *name = list ? list->child : NULL;
		 name && count < MAX_FIELD_NAMES; name = name->next)
		names[count++] = name->text ? name->text : "";
	while (rest && count < MAX_FIELD_NAMES)
		names[count++] = strsep(&rest, ",");
	set = fields_choose(names, count, mode, list != NULL);
	free(copy);
	return set;
}

/* GET issue/{key or id}: the issue itself, not the index's view */
static void
serve_issue(Request *request, RenderMode mode, const char *name)
{
	uint32_t	slot = data_find(name);

	if (slot == NO_SLOT || data.issues[slot].deleted || request->anonymous ||
		!data.projects[data.issues[slot].project].visible)
		jira_error(request, 404, "Issue does not exist or you do not have "
				   "permission to see it.");
	else
		render_issue(&request->out, &data.issues[slot],
					 wanted_fields(request, mode), mode, NULL, 0);
}

static int
compare_slots(const void *a, const void *b)
{
	uint32_t	left = *(const uint32_t *) a;
	uint32_t	right = *(const uint32_t *) b;

	return left < right ? -1 : left > right;
}

/* POST issue/bulkfetch, on Cloud: by ascending id, unknown ones left out */
static void
serve_bulk_fetch(Request *request, RenderMode mode)
{
	const Json *list = json_get(request->json, "issueIdsOrKeys");
	uint32_t	slots[MAX_BULK_FETCH] = {0};
	int			count = 0;
	FieldSet	set = wanted_fields(request, mode);

	for (const Json *name = list ? list->child : NULL; name;
		 name = name->next)
	{
		uint32_t	slot = data_find(name->text ? name->text : "");

		if (count == MAX_BULK_FETCH)
		{
			jira_error(request, 400, "The maximum number of issues that can "
					   "be fetched is 100.");
			return;
		}
		if (slot != NO_SLOT && !data.issues[slot].deleted &&
			data.projects[data.issues[slot].project].visible)
			slots[count++] = slot;
	}
	qsort(slots, count, sizeof(uint32_t), compare_slots);
	buf_lit(&request->out, "{\"expand\":\"schema,names\",\"issues\":[");
	for (int i = 0; i < count && !request->anonymous; i++)
	{
		if (request->issues++ > 0)
			buf_char(&request->out, ',');
		render_issue(&request->out, &data.issues[slots[i]], set, mode,
					 NULL, 0);
	}
	buf_lit(&request->out, "],\"issueErrors\":[]}");
}

/* The projects that a request names with ?keys=A&keys=B. */
typedef struct NamedProjects
{
	bool		any;
	bool		named[MAX_PROJECTS];
} NamedProjects;

static enum MHD_Result
add_named_project(void *arg, enum MHD_ValueKind kind, const char *key,
				  const char *value)
{
	NamedProjects *projects = arg;
	int			project;

	(void) kind;
	if (strcmp(key, "keys") != 0)
		return MHD_YES;
	projects->any = true;
	project = value ? data_find_project(value) : -1;
	if (project >= 0)
		projects->named[project] = true;
	return MHD_YES;
}

/* GET project/search (Cloud, paged) and project (all) */
static void
serve_projects(Request *request, RenderMode mode, bool paged)
{
	NamedProjects wanted = {0};
	int64_t		from = paged ? param_int(request, "startAt", 0) : 0;
	int64_t		limit = paged ? param_int(request, "maxResults", 50) :
		MAX_PROJECTS;
	int64_t		seen = 0;
	int64_t		sent = 0;
	Buffer	   *out = &request->out;

	if (paged)
		MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND,
								  add_named_project, &wanted);
	buf_str(out, paged ? "{\"values\":[" : "[");
	for (int i = 0; i < data.project_count && !request->anonymous; i++)
	{
		if (!data.projects[i].visible || (wanted.any && !wanted.named[i]) ||
			seen++ < from || sent == limit)
			continue;
		if (sent++ > 0)
			buf_char(out, ',');
		render_project(out, i, mode);
	}
	buf_char(out, ']');
	if (paged)
		buf_printf(out, ",\"startAt\":%lld,\"maxResults\":%lld,"
				   "\"total\":%lld,\"isLast\":%s}", (long long) from,
				   (long long) limit, (long long) seen,
				   from + sent >= seen ? "true" : "false");
}

/* GET project/{key} */
static void
serve_project(Request *request, RenderMode mode, const char *key)
{
	int			project = data_find_project(key);

	if (project < 0 || !data.projects[project].visible || request->anonymous)
	{
		Buffer		message = {0};

		buf_printf(&message, "No project could be found with key '%s'.", key);
		jira_error(request, 404, message.data);
		buf_free(&message);
	}
	else
		render_project(&request->out, project, mode);
}

/* The part of the route after "/rest/api/N/" if this flavour has it. */
static const char *
api_resource(const Request *request)
{
	const char *route = request->route;

	if (strncmp(route, "/rest/api/2/", 12) == 0 ||
		(strncmp(route, "/rest/api/3/", 12) == 0 &&
		 request->flavour == FLAVOUR_CLOUD))
		return route + 12;
	if (strncmp(route, "/rest/api/latest/", 17) == 0)
		return route + 17;
	return NULL;
}

bool
serve_meta(Request *request)
{
	const char *resource = api_resource(request);
	RenderMode	mode = render_mode(request);
	bool		cloud = request->flavour == FLAVOUR_CLOUD;

	if (cloud && strcmp(request->route, "/_edge/tenant_info") == 0)
		buf_lit(&request->out, "{\"cloudId\":"
				"\"00000000-0000-4000-8000-000000000001\"}");
	else if (resource == NULL)
		return false;
	else if (strcmp(resource, "serverInfo") == 0)
		serve_server_info(request, mode);
	else if (strcmp(resource, "myself") == 0)
		serve_myself(request, mode);
	else if (strcmp(resource, "field") == 0)
		fields_describe(&request->out, mode);
	else if (cloud && strcmp(resource, "search/approximate-count") == 0)
		serve_count(request);
	else if (cloud && strcmp(resource, "issue/bulkfetch") == 0 &&
			 is_post(request))
		serve_bulk_fetch(request, mode);
	else if (strncmp(resource, "issue/", 6) == 0)
		serve_issue(request, mode, resource + 6);
	else if (strcmp(resource, "project/search") == 0)
		serve_projects(request, mode, true);
	else if (strcmp(resource, "project") == 0)
		serve_projects(request, mode, false);
	else if (strncmp(resource, "project/", 8) == 0)
		serve_project(request, mode, resource + 8);
	else
		return false;
	return true;
}
