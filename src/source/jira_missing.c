/*
 * jira_missing.c
 *		Issues that a search did not find: are they gone, or only out of sight?
 *
 * A deleted issue and one that the account may not see are both 404.  So the project is
 * looked at first; and an issue that is there, but that the search left out,
 * is searched for once more: it was moved out of the query, or the index lags.
 */
#include "source/jira.h"

#include "rows/json.h"

/* The parameters of one request for projects. */
#define PROJECTS_AT_ONCE 50

/* What the answers are for, and what to do when they cannot be had. */
#define HINT_MISSING \
	"Without them, nobody can tell issues that are gone from issues that cannot be seen."

static char *
what_failed(const JiraSource *js)
{
	return psprintf("could not ask server \"%s\" about issues that are missing", js->connection->name);
}

/* The object that answers a request; false where there is none for this account. */
static bool
find_object(JiraSource *js, const char *path, const char *body, Value *object)
{
	HttpRequest *request = http_start(js->connection->client, path, body);
	HttpResponse *response = http_wait(request);

	if (response->status == 404)
		return false;
	*object = jira_answer(request, response, '{', what_failed(js), HINT_MISSING);
	return true;
}

/* Is the text the value of this member of one of the objects? */
static bool
some_has(const Value *objects, const char *member, const char *text)
{
	JsonIter	it = json_iter(objects);
	Value		key;
	Value		object;

	while (json_next(&it, &key, &object))
	{
		Value		value = json_member(&object, member, strlen(member), false);

		if (value_is(&value, text))
			return true;
	}
	return false;
}

/* Cloud: which of up to PROJECTS_AT_ONCE projects, from the first on, cannot be browsed? */
static const char *
hidden_on_cloud(JiraSource *js, List *projects, int first)
{
	StringInfoData path;
	Value		answer;
	Value		visible;

	initStringInfo(&path);
	appendStringInfo(&path, "/rest/api/3/project/search?action=browse&maxResults=%d", PROJECTS_AT_ONCE);
	for (int i = first; i < Min(first + PROJECTS_AT_ONCE, list_length(projects)); i++)
		appendStringInfo(&path, "&keys=%s", http_url_encode(list_nth(projects, i)));
	if (!find_object(js, path.data, NULL, &answer))
		jira_protocol_error(js, "There is no list of projects.", JIRA_HINT_NOT_JIRA);
	visible = json_member(&answer, "values", strlen("values"), false);
	for (int i = first; i < Min(first + PROJECTS_AT_ONCE, list_length(projects)); i++)
	{
		if (!some_has(&visible, "key", list_nth(projects, i)))
			return list_nth(projects, i);
	}
	return NULL;
}

/* The first project that the account cannot see, or NULL. */
static const char *
find_hidden(JiraSource *js, List *projects)
{
	const char *hidden = NULL;
	Value		object;

	for (int i = 0; i < list_length(projects) && !hidden; i += js->cloud ? PROJECTS_AT_ONCE : 1)
	{
		if (js->cloud)
			hidden = hidden_on_cloud(js, projects, i);
		else if (!find_object(js, psprintf("/rest/api/2/project/%s", http_url_encode(list_nth(projects, i))),
							  NULL, &object))
			hidden = list_nth(projects, i);
	}
	return hidden;
}

/* The ids, as a list with commas, of those issues that are there. */
static char *
still_there(JiraSource *js, List *items)
{
	StringInfoData ids;
	ListCell   *lc;

	initStringInfo(&ids);
	foreach(lc, items)
	{
		char	   *path = psprintf("/rest/api/%d/issue/%s?fields=project", js->cloud ? 3 : 2,
									http_url_encode(lfirst(lc)));
		Value		issue;
		Value		id;

		if (!find_object(js, path, NULL, &issue))
			continue;
		id = json_member(&issue, "id", strlen("id"), false);
		if (value_is_null(&id) || id.len == 0 || strspn(id.data, "0123456789") < id.len)
			jira_protocol_error(js, "An issue has no id.", JIRA_HINT_NOT_JIRA);
		appendStringInfo(&ids, "%s%.*s", ids.len ? "," : "", (int) id.len, id.data);
	}
	return ids.data;
}

/* The key of one of these issues that the query finds, or NULL. */
static char *
find_by_query(JiraSource *js, const char *ids)
{
	StringInfoData body;
	Value		answer;
	Value		issues;
	Value		ignored;
	Value		issue;
	Value		key;
	JsonIter	it;

	initStringInfo(&body);
	appendStringInfoString(&body, "{\"jql\":\"");
	json_append_escaped(&body, js->restriction, strlen(js->restriction));
	appendStringInfo(&body, "%sid in (%s)\",\"maxResults\":1,\"fields\":[\"id\",\"key\"]",
					 *js->restriction ? " AND " : "", ids);

	/* the answer shall not depend on how far the index is behind */
	if (js->cloud)
		appendStringInfo(&body, ",\"reconcileIssues\":[%s]", ids);
	appendStringInfoChar(&body, '}');
	if (!find_object(js, js->cloud ? JIRA_CLOUD_SEARCH : JIRA_SERVER_SEARCH, body.data, &answer))
		jira_protocol_error(js, "There is no search.", JIRA_HINT_NOT_JIRA);
	issues = json_member(&answer, "issues", strlen("issues"), false);
	it = json_iter(&issues);
	if (!json_next(&it, &ignored, &issue))
		return NULL;
	key = json_member(&issue, "key", strlen("key"), false);
	return value_is_null(&key) ? pstrdup(ids) : value_cstring(&key);
}

char *
jira_doubt(Source *self, List *projects, List *items)
{
	JiraSource *js = (JiraSource *) self;
	const char *hidden = find_hidden(js, projects);
	char	   *ids;
	char	   *found;

	if (hidden)
		return psprintf("The account cannot browse project %s.", hidden);
	ids = still_there(js, items);
	if (*ids == '\0')
		return NULL;
	found = find_by_query(js, ids);
	return found ? psprintf("Issue %s was not in the answers, but the query finds it.", found) : NULL;
}
