/*
 * render.c: the fields of an issue, which of them a request wants, and the
 * issue as JSON
 */
#include "render.h"

#include <assert.h>

#include "render_value.h"

#define EMPTY_LIST	NULL, "[]"
#define ALWAYS_NULL NULL, NULL
#define CUSTOM		"com.atlassian.jira.plugin.system.customfieldtypes:"
#define GREENHOPPER "com.pyxis.greenhopper.jira:"

const Field fields[] = {
	{"statuscategorychangedate", "Status Category Changed", "datetime", NULL, FIELD_CLOUD | FIELD_NAVIGABLE, render_category_changed, NULL},
	{"issuetype", "Issue Type", "issuetype", NULL, FIELD_USUAL, render_type, NULL},
	{"timespent", "Time Spent", "number", NULL, FIELD_USUAL, ALWAYS_NULL},
	{"parent", "Parent", "parent", NULL, FIELD_USUAL | FIELD_OPTIONAL, render_parent, NULL},
	{"project", "Project", "project", NULL, FIELD_USUAL, render_project_field, NULL},
	{"customfield_10031", "Customer", "string", CUSTOM "textfield", FIELD_USUAL, render_customer, NULL},
	{"customfield_10032", "Severity", "option", CUSTOM "select", FIELD_USUAL, render_severity, NULL},
	{"customfield_10033", "Reviewed on", "datetime", CUSTOM "datetime", FIELD_USUAL, ALWAYS_NULL},
	{"fixVersions", "Fix versions", "array", NULL, FIELD_USUAL, render_versions, NULL},
	{"aggregatetimespent", "Σ Time Spent", "number", NULL, FIELD_USUAL, ALWAYS_NULL},
	{"statusCategory", "Status Category", "statusCategory", NULL, FIELD_CLOUD | FIELD_NAVIGABLE, render_category, NULL},
	{"resolution", "Resolution", "resolution", NULL, FIELD_USUAL, render_resolution, NULL},
	{"customfield_10034", "Root cause", "option", CUSTOM "select", FIELD_USUAL, ALWAYS_NULL},
	{"customfield_10035", "Release notes", "string", CUSTOM "textarea", FIELD_USUAL, ALWAYS_NULL},
	{"resolutiondate", "Resolved", "datetime", NULL, FIELD_USUAL, render_resolved, NULL},
	{"workratio", "Work Ratio", "number", NULL, FIELD_USUAL, NULL, "-1"},
	{"lastViewed", "Last Viewed", "datetime", NULL, FIELD_USUAL, ALWAYS_NULL},
	{"watches", "Watchers", "watches", NULL, FIELD_USUAL, render_watches, NULL},
	{"issuerestriction", "Restrict to", "issuerestriction", NULL, FIELD_CLOUD | FIELD_NAVIGABLE, NULL, "{\"issuerestrictions\":{},\"shouldDisplay\":true}"},
	{"created", "Created", "datetime", NULL, FIELD_USUAL, render_created, NULL},
	{"customfield_10020", "Sprint", "array", GREENHOPPER "gh-sprint", FIELD_USUAL, render_sprint, NULL},
	{"customfield_10021", "Flagged", "array", CUSTOM "multicheckboxes", FIELD_USUAL, render_flagged, NULL},
	{"customfield_10022", "Target start", "date", "com.atlassian.jpo:jpo-custom-field-baseline-start", FIELD_USUAL, ALWAYS_NULL},
	{"customfield_10023", "Target end", "date", "com.atlassian.jpo:jpo-custom-field-baseline-end", FIELD_USUAL, ALWAYS_NULL},
	{"priority", "Priority", "priority", NULL, FIELD_USUAL, render_priority, NULL},
	{"customfield_10016", "Story point estimate", "number", GREENHOPPER "jsw-story-points", FIELD_CLOUD | FIELD_NAVIGABLE, render_points, NULL},
	{"customfield_10002", "Story Points", "number", CUSTOM "float", FIELD_SERVER | FIELD_NAVIGABLE, render_points, NULL},
	{"customfield_10026", "Story Points", "number", CUSTOM "float", FIELD_CLOUD | FIELD_NAVIGABLE | FIELD_SECOND, render_points, NULL},
	{"customfield_10019", "Rank", "any", GREENHOPPER "gh-lexo-rank", FIELD_USUAL, render_rank, NULL},
	{"customfield_10014", "Epic Link", "any", GREENHOPPER "gh-epic-link", FIELD_USUAL, ALWAYS_NULL},
	{"customfield_10015", "Start date", "date", CUSTOM "datepicker", FIELD_USUAL, ALWAYS_NULL},
	{"customfield_10001", "Team", "team", "com.atlassian.teams:rm-teams-custom-field-team", FIELD_USUAL, render_team, NULL},
	{"labels", "Labels", "array", NULL, FIELD_USUAL, render_labels, NULL},
	{"customfield_10017", "Issue color", "string", GREENHOPPER "jsw-issue-color", FIELD_CLOUD | FIELD_NAVIGABLE, ALWAYS_NULL},
	{"timeestimate", "Remaining Estimate", "number", NULL, FIELD_USUAL, render_estimate, NULL},
	{"aggregatetimeoriginalestimate", "Σ Original Estimate", "number", NULL, FIELD_USUAL, render_estimate, NULL},
	{"versions", "Affects versions", "array", NULL, FIELD_USUAL, EMPTY_LIST},
	{"issuelinks", "Linked Issues", "array", NULL, FIELD_USUAL, EMPTY_LIST},
	{"assignee", "Assignee", "user", NULL, FIELD_USUAL, render_assignee, NULL},
	{"updated", "Updated", "datetime", NULL, FIELD_USUAL, render_updated, NULL},
	{"status", "Status", "status", NULL, FIELD_USUAL, render_status, NULL},
	{"components", "Components", "array", NULL, FIELD_USUAL, render_components, NULL},
	{"customfield_10036", "Score", "number", CUSTOM "float", FIELD_USUAL, render_score, NULL},
	{"customfield_10037", "Approvers", "array", CUSTOM "multiuserpicker", FIELD_USUAL, ALWAYS_NULL},
	{"timeoriginalestimate", "Original estimate", "number", NULL, FIELD_USUAL, render_estimate, NULL},
	{"description", "Description", "string", NULL, FIELD_USUAL, render_description, NULL},
	{"timetracking", "Time tracking", "timetracking", NULL, FIELD_BOTH, render_time_tracking, NULL},
	{"security", "Security Level", "securitylevel", NULL, FIELD_USUAL, ALWAYS_NULL},
	{"attachment", "Attachment", "array", NULL, FIELD_BOTH, EMPTY_LIST},
	{"aggregatetimeestimate", "Σ Remaining Estimate", "number", NULL, FIELD_USUAL, render_estimate, NULL},
	{"summary", "Summary", "string", NULL, FIELD_USUAL, render_summary, NULL},
	{"creator", "Creator", "user", NULL, FIELD_USUAL, render_creator, NULL},
	{"subtasks", "Sub-tasks", "array", NULL, FIELD_USUAL, EMPTY_LIST},
	{"reporter", "Reporter", "user", NULL, FIELD_USUAL, render_reporter, NULL},
	{"customfield_10038", "Impact", "array", CUSTOM "multiselect", FIELD_USUAL, EMPTY_LIST},
	{"environment", "Environment", "string", NULL, FIELD_USUAL, ALWAYS_NULL},
	{"duedate", "Due date", "date", NULL, FIELD_USUAL, render_due, NULL},
	{"progress", "Progress", "progress", NULL, FIELD_USUAL, render_progress, NULL},
	{"votes", "Votes", "votes", NULL, FIELD_USUAL, render_votes, NULL},
	{"comment", "Comment", "comments-page", NULL, FIELD_BOTH, render_comments, NULL},
	{"worklog", "Log Work", "array", NULL, FIELD_BOTH, render_worklogs, NULL},
	{NULL, NULL, NULL, NULL, 0, NULL, NULL}
};

static_assert(sizeof(fields) / sizeof(fields[0]) <= 65,
			  "a set of fields is 64 bits");

bool
field_exists(const Field *field, RenderMode mode)
{
	if ((field->flags & FIELD_SECOND) && !render_second_points())
		return false;
	return field->flags & (mode == RENDER_SERVER ? FIELD_SERVER : FIELD_CLOUD);
}

/* All fields with the wanted flags that exist in the mode. */
static uint64_t
all_fields(RenderMode mode, int flags)
{
	uint64_t	bits = 0;

	for (int i = 0; fields[i].id; i++)
		if (field_exists(&fields[i], mode) &&
			(fields[i].flags & flags) == flags)
			bits |= 1ULL << i;
	return bits;
}

static uint64_t
field_bit(const char *name, RenderMode mode)
{
	for (int i = 0; fields[i].id; i++)
		if (strcmp(fields[i].id, name) == 0 && field_exists(&fields[i], mode))
			return 1ULL << i;
	return 0;
}

FieldSet
fields_choose(const char *const *names, int count, RenderMode mode,
			  bool search)
{
	FieldSet	set = {0};
	bool		any_field = false;
	bool		any_positive = false;

	for (int i = 0; i < count; i++)
		any_positive = any_positive || names[i][0] != '-';
	if (!any_positive && (count > 0 || !search || mode == RENDER_SERVER))
	{
		set.bits = all_fields(mode, search ? FIELD_NAVIGABLE : 0);
		render_custom_choose(&set, true);
		any_field = true;
	}
	set.id_only = !any_field;
	for (int i = 0; i < count; i++)
	{
		if (strcmp(names[i], "*all") == 0 || strcmp(names[i], "*navigable") == 0)
			render_custom_choose(&set, true);
		render_custom_set(&set, render_custom_number(names[i]), true);
		if (strcmp(names[i], "*all") == 0)
			set.bits |= all_fields(mode, 0);
		else if (strcmp(names[i], "*navigable") == 0)
			set.bits |= all_fields(mode, FIELD_NAVIGABLE);
		else if (names[i][0] != '-')
			set.bits |= field_bit(names[i], mode);
		if (strcmp(names[i], "id") != 0)
			set.id_only = false;
		if (strcmp(names[i], "id") != 0 && strcmp(names[i], "key") != 0)
			any_field = true;
	}
	for (int i = 0; i < count; i++)
		if (names[i][0] == '-')
		{
			set.bits &= ~field_bit(names[i] + 1, mode);
			render_custom_set(&set, render_custom_number(names[i] + 1), false);
		}
	set.light = !any_field;
	return set;
}

void
fields_describe(Buffer *buf, RenderMode mode)
{
	buf_lit(buf, "[{\"id\":\"issuekey\",\"key\":\"issuekey\",\"name\":\"Key\","
			"\"custom\":false,\"orderable\":false,\"navigable\":true,"
			"\"searchable\":false,\"clauseNames\":[\"id\",\"issue\","
			"\"issuekey\",\"key\"]}");
	for (const Field *field = fields; field->id; field++)
	{
		const char *number = strncmp(field->id, "customfield_", 12) == 0 ?
			field->id + 12 : NULL;

		if (!field_exists(field, mode))
			continue;
		buf_printf(buf, ",{\"id\":\"%s\",\"key\":\"%s\",\"name\":\"%s\","
				   "\"custom\":%s,\"orderable\":true,\"navigable\":%s,"
				   "\"searchable\":true,", field->id, field->id, field->name,
				   number ? "true" : "false",
				   field->flags & FIELD_NAVIGABLE ? "true" : "false");
		if (number)
			buf_printf(buf, "\"clauseNames\":[\"cf[%s]\",\"%s\"],\"schema\":"
					   "{\"type\":\"%s\",\"custom\":\"%s\",\"customId\":%s}}",
					   number, field->name, field->type, field->custom,
					   number);
		else
			buf_printf(buf, "\"clauseNames\":[\"%s\"],\"schema\":{\"type\":"
					   "\"%s\",\"system\":\"%s\"}}", field->id, field->type,
					   field->id);
	}
	render_custom_describe(buf);
	buf_char(buf, ']');
}

static const Override *
find_override(const Issue *issue, const char *id, const Override *extra,
			  int extra_count)
{
	for (int i = 0; i < extra_count; i++)
		if (strcmp(extra[i].field, id) == 0)
			return &extra[i];
	return data_overridden(issue, id);
}

/* Append one member and a comma, or nothing where the field is left out. */
static void
render_field(Buffer *buf, const Field *field, const Issue *issue,
			 RenderMode mode, const Override *override)
{
	size_t		start = buf->len;
	size_t		value;

	if (override && override->raw == NULL)
		return;
	buf_char(buf, '"');
	buf_str(buf, field->id);
	buf_lit(buf, "\":");
	value = buf->len;
	if (override)
		buf_str(buf, override->raw);
	else if (field->render)
		field->render(buf, issue, mode);
	else
		buf_str(buf, field->constant ? field->constant : "null");
	if ((field->flags & FIELD_OPTIONAL) && buf->data[value] == 'n')
		buf->len = start;
	else
		buf_char(buf, ',');
}

/* Append dictated fields that are in no table, whatever was asked. */
static void
render_unknown(Buffer *buf, const Override *overrides, int count)
{
	for (int i = 0; i < count; i++)
	{
		bool		known = false;

		for (int j = 0; fields[j].id && !known; j++)
			known = strcmp(fields[j].id, overrides[i].field) == 0;
		if (known || overrides[i].raw == NULL)
			continue;
		buf_json_str(buf, overrides[i].field);
		buf_char(buf, ':');
		buf_str(buf, overrides[i].raw);
		buf_char(buf, ',');
	}
}

/* What a test dictated for one issue. */
typedef struct Dictated
{
	const Issue *issue;
	const Override *extra;
	int			extra_count;
} Dictated;

/* Is the field dictated, and comes with render_unknown()? */
static bool
is_dictated(const char *id, void *arg)
{
	Dictated   *by = arg;

	return find_override(by->issue, id, by->extra, by->extra_count) != NULL;
}

/* Append the members of "fields", with what was dictated by a test. */
static void
render_fields(Buffer *buf, const Issue *issue, FieldSet set, RenderMode mode,
			  const Override *extra, int extra_count)
{
	bool		dictated = extra_count > 0 ||
		(issue->edit && issue->edit->override_count > 0);

	for (uint64_t left = set.bits; left; left &= left - 1)
	{
		const Field *field = &fields[__builtin_ctzll(left)];

		render_field(buf, field, issue, mode, dictated ?
					 find_override(issue, field->id, extra, extra_count) :
					 NULL);
	}
	render_custom(buf, set, dictated ? is_dictated : NULL,
				  &(Dictated) {issue, extra, extra_count});
	if (dictated)
		render_unknown(buf, extra, extra_count);
	if (dictated && issue->edit)
		render_unknown(buf, issue->edit->overrides,
					   issue->edit->override_count);
	if (buf->data[buf->len - 1] == ',')
		buf->len--;
}

void
render_issue(Buffer *buf, const Issue *issue, FieldSet set, RenderMode mode,
			 const Override *extra, int extra_count)
{
	if (set.id_only)
	{
		buf_lit(buf, "{\"id\":\"");
		buf_int(buf, issue->id);
		buf_lit(buf, "\"}");
		return;
	}
	buf_str(buf, mode == RENDER_SERVER ?
			"{\"expand\":\"operations,editmeta,changelog,transitions,"
			"renderedFields\",\"id\":\"" :
			"{\"expand\":\"renderedFields,changelog\",\"id\":\"");
	buf_int(buf, issue->id);
	buf_lit(buf, "\",\"self\":\"");
	render_api(buf, mode);
	buf_lit(buf, "issue/");
	buf_int(buf, issue->id);
	buf_lit(buf, "\",\"key\":\"");
	buf_str(buf, data.projects[issue->project].key);
	buf_char(buf, '-');
	buf_int(buf, issue->number);
	if (set.bits || render_custom_any(set))
	{
		buf_lit(buf, "\",\"fields\":{");
		render_fields(buf, issue, set, mode, extra, extra_count);
		buf_lit(buf, "}}");
	}
	else
		buf_lit(buf, "\"}");
}
