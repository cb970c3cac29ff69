/*
 * jira_fields.c
 *		Names of issue fields: the aliases that templates and SQL know them by,
 *		and what is the same on every Jira.
 */
#include "source/jira.h"

/* Columns first: jira_columns() and the SQL function rely on their order. */
static const JiraAlias aliases[] = {
	{"key", true, JIRA_FIRST, NULL, {"key"}},
	{"id", true, JIRA_FIRST, NULL, {"id"}},
	{"project", true, JIRA_FIRST, "project", {"fields.project.key"}},
	{"summary", true, JIRA_FIRST, "summary", {"fields.summary"}},
	{"status", true, JIRA_FIRST, "status", {"fields.status.name"}},
	{"issue_type", true, JIRA_FIRST, "issuetype", {"fields.issuetype.name"}},
	{"priority", true, JIRA_FIRST, "priority", {"fields.priority.name"}},
	{"assignee", true, JIRA_FIRST, "assignee",
	{"fields.assignee.displayName", "fields.assignee.name"}},
	{"assignee_id", true, JIRA_FIRST, "assignee",
	{"fields.assignee.accountId", "fields.assignee.key", "fields.assignee.name"}},
	{"reporter", true, JIRA_FIRST, "reporter",
	{"fields.reporter.displayName", "fields.reporter.name"}},
	{"labels", true, JIRA_FIRST, "labels", {"fields.labels"}},
	{"components", true, JIRA_NAMES, "components", {"fields.components"}},
	{"created", true, JIRA_FIRST, "created", {"fields.created"}},
	{"updated", true, JIRA_FIRST, "updated", {"fields.updated"}},
	{"resolved", true, JIRA_FIRST, "resolutiondate", {"fields.resolutiondate"}},
	{"story_points", true, JIRA_STORY_POINTS, NULL, {NULL}},
	{"parent", true, JIRA_FIRST, "parent", {"fields.parent.key"}},
	{"description", true, JIRA_TEXT, "description", {"fields.description"}},
	{"url", true, JIRA_URL, NULL, {"key"}},
	{"fields", true, JIRA_FIRST, JIRA_ALL_FIELDS, {"fields"}},

	{"type", false, JIRA_FIRST, "issuetype", {"fields.issuetype.name"}},
	{"project_id", false, JIRA_FIRST, "project", {"fields.project.id"}},
	{"project_name", false, JIRA_FIRST, "project", {"fields.project.name"}},
	{"status_id", false, JIRA_FIRST, "status", {"fields.status.id"}},
	{"status_category", false, JIRA_FIRST, "status", {"fields.status.statusCategory.key"}},
	{"reporter_id", false, JIRA_FIRST, "reporter",
	{"fields.reporter.accountId", "fields.reporter.key", "fields.reporter.name"}},
	{"creator", false, JIRA_FIRST, "creator",
	{"fields.creator.displayName", "fields.creator.name"}},
	{"creator_id", false, JIRA_FIRST, "creator",
	{"fields.creator.accountId", "fields.creator.key", "fields.creator.name"}},
	{"resolution", false, JIRA_FIRST, "resolution", {"fields.resolution.name"}},
	{"due_date", false, JIRA_FIRST, "duedate", {"fields.duedate"}},
	{"fix_versions", false, JIRA_NAMES, "fixVersions", {"fields.fixVersions"}},
	{"affects_versions", false, JIRA_NAMES, "versions", {"fields.versions"}},
	{"environment", false, JIRA_TEXT, "environment", {"fields.environment"}},
};

/* Ids of Jira's own fields, which are the same everywhere. */
static const char *const system_fields[] = {
	"aggregateprogress", "aggregatetimeestimate", "aggregatetimeoriginalestimate",
	"aggregatetimespent", "assignee", "attachment", "comment", "components", "created",
	"creator", "description", "duedate", "environment", "fixVersions", "issuelinks",
	"issuerestriction", "issuetype", "labels", "lastViewed", "parent", "priority",
	"progress", "project", "reporter", "resolution", "resolutiondate", "security",
	"status", "statusCategory", "statuscategorychangedate", "subtasks", "summary",
	"thumbnail", "timeestimate", "timeoriginalestimate", "timespent", "timetracking",
	"updated", "versions", "votes", "watches", "worklog", "workratio"
};

/* Members of an issue beside "fields". */
static const char *const issue_members[] = {
	"self", "expand", "changelog", "editmeta", "names", "operations", "properties",
	"renderedFields", "schema", "transitions", "versionedRepresentations"
};

const JiraAlias *
jira_find_alias(const char *name)
{
	for (int i = 0; i < (int) lengthof(aliases); i++)
	{
		if (names_agree(name, strlen(name), aliases[i].name, strlen(aliases[i].name)))
			return &aliases[i];
	}
	return NULL;
}

const char *
jira_column(int i, const char **api_field)
{
	if (i >= (int) lengthof(aliases) || !aliases[i].is_column)
		return NULL;
	*api_field = aliases[i].field;
	return aliases[i].name;
}

/* All names that an issue's fields go by. */
static List *
jira_aliases(void)
{
	List	   *names = NIL;

	for (int i = 0; i < (int) lengthof(aliases); i++)
		names = lappend(names, pstrdup(aliases[i].name));
	return names;
}

List *
jira_columns(void)
{
	List	   *names = NIL;
	const char *api_field;
	const char *name;

	for (int i = 0; (name = jira_column(i, &api_field)) != NULL; i++)
		names = lappend(names, pstrdup(name));
	return names;
}

/* The entry of a list that agrees with the name, or NULL. */
static const char *
find_name(const char *const *list, int n, const char *name)
{
	for (int i = 0; i < n; i++)
	{
		if (names_agree(name, strlen(name), list[i], strlen(list[i])))
			return list[i];
	}
	return NULL;
}

const char *
jira_system_field(const char *name)
{
	return find_name(system_fields, lengthof(system_fields), name);
}

const char *
jira_issue_member(const char *name)
{
	return find_name(issue_members, lengthof(issue_members), name);
}

/* Is this the field that a cursor follows? */
static bool
is_cursor_field(const char *name)
{
	return names_agree(name, strlen(name), "updated", strlen("updated")) ||
		names_agree(name, strlen(name), "fields.updated", strlen("fields.updated"));
}

/* Does the list have a name that agrees with this one? */
static bool
has_name(List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		const char *other = lfirst(cell);

		if (names_agree(other, strlen(other), name, strlen(name)))
			return true;
	}
	return false;
}

FieldSet *
jira_fieldset(const SourceSpec *spec)
{
	List	   *names = list_copy(spec->references);
	FieldSet   *fields;
	ListCell   *cell;

	if (spec->whole)
	{
		foreach(cell, jira_aliases())
		{
			if (!has_name(spec->references, lfirst(cell)))
				names = lappend(names, lfirst(cell));
		}
	}
	if (spec->ordered && !has_name(names, "updated"))
		names = lappend(names, "updated");

	fields = fieldset_create(list_length(names));
	fields->is_item = true;
	foreach(cell, names)
	{
		Field	   *field = &fields->fields[foreach_current_index(cell)];

		field->name = pstrdup(lfirst(cell));
		if (is_cursor_field(field->name))
			field->flags |= FIELD_CURSOR;
	}
	return fields;
}
