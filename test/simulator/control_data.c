/*
 * control_data.c: edits the issues, and what the search index knows of them
 */
#include <stdio.h>
#include <stdlib.h>

#include "names.h"
#include "render.h"
#include "simulator.h"
#include "zone.h"

/* Text, or NULL for JSON null. */
static const char *
value_text(const Json *value)
{
	return value->type == JSON_NULL ? NULL : value->text;
}

/* Set a field that is stored as the number of a name. */
static const char *
set_named(uint8_t *at, int (*find) (const char *), const char *text,
		  const char *problem)
{
	int			found = text ? find(text) : -1;

	if (found < 0)
		return problem;
	*at = found;
	return NULL;
}

static const char *
set_user(uint8_t *at, const char *text)
{
	if (text == NULL || *text == '\0')
	{
		*at = NO_USER;
		return NULL;
	}
	return set_named(at, find_user, text, "unknown user");
}

static void
set_text(char **at, const char *text)
{
	free(*at);
	*at = strdup(text ? text : "");
}

/* Labels that no issue had so far are dictated as JSON. */
static void
set_labels(Issue *issue, const Json *value)
{
	Buffer		raw = {0};

	if (value->type == JSON_ARRAY)
		buf_add(&raw, value->raw, value->raw_len);
	else
	{
		const char *text = value->text;

		buf_char(&raw, '[');
		while (*text)
		{
			size_t		len = strcspn(text, ",");

			buf_json(&raw, text, len);
			text += len;
			if (*text == ',')
				buf_char(&raw, *text++);
		}
		buf_char(&raw, ']');
	}
	data_override(issue, "labels", raw.data);
	buf_free(&raw);
}

/* Set one field by its name; NULL or what is wrong. */
static const char *
set_field(Issue *issue, const char *name, const Json *value)
{
	const char *text = value_text(value);

	if (strcmp(name, "status") == 0)
	{
		issue->resolved = issue->updated;
		return set_named(&issue->status, find_status, text, "unknown status");
	}
	if (strcmp(name, "priority") == 0)
		return set_named(&issue->priority, find_priority, text,
						 "unknown priority");
	if (strcmp(name, "issuetype") == 0)
		return set_named(&issue->type, find_issue_type, text,
						 "unknown issue type");
	if (strcmp(name, "assignee") == 0)
		return set_user(&issue->assignee, text);
	if (strcmp(name, "reporter") == 0)
		return set_user(&issue->reporter, text);
	if (strcmp(name, "summary") == 0)
		set_text(&data_edit(issue)->summary, text);
	else if (strcmp(name, "description") == 0)
		set_text(&data_edit(issue)->description, text);
	else if (strcmp(name, "labels") == 0 && value->type != JSON_NULL)
		set_labels(issue, value);
	else if (strcmp(name, "story_points") == 0)
	{
		data_override(issue, "customfield_10016", text ? text : "null");
		data_override(issue, "customfield_10002", text ? text : "null");
	}
	else
		return "unknown field: use \"raw\" to dictate its JSON";
	return NULL;
}

/* Fields that may also be given as plain parameters of the query string. */
static const char *const settable[] = {
	"status", "priority", "issuetype", "assignee", "reporter", "summary",
	"description", "labels", "story_points", NULL
};

/* Apply "raw" and "remove": JSON that is dictated, fields left out. */
static void
apply_dictated(Request *request, Issue *issue)
{
	const Json *raw = json_get(request->json, "raw");
	const Json *list = json_get(request->json, "remove");

	for (raw = raw ? raw->child : NULL; raw; raw = raw->next)
	{
		char	   *text = strndup(raw->raw, raw->raw_len);

		data_override(issue, raw->name ? raw->name : "", text);
		free(text);
	}
	for (list = list ? list->child : NULL; list; list = list->next)
		data_override(issue, list->text ? list->text : "", NULL);
}

/* Apply plain fields; NULL, or what is wrong with the field of that name. */
static const char *
apply_fields(Request *request, Issue *issue, const char **at)
{
	const Json *fields = json_get(request->json, "fields");
	const char *problem = NULL;
	const char *name = "";

	for (int i = 0; settable[i] && !problem; i++)
	{
		Json		plain = {.type = JSON_STRING};

		plain.text = (char *) param(request, settable[i]);
		name = settable[i];
		if (plain.text)
			problem = set_field(issue, name, &plain);
	}
	for (fields = fields ? fields->child : NULL; fields && !problem;
		 fields = fields->next)
	{
		name = fields->name ? fields->name : "";
		problem = set_field(issue, name, fields);
	}
	*at = name;
	return problem;
}

/*
 * Apply all changes of a request to an issue. False if the request was
 * answered with an error; the issue is as it was, then.
 */
static bool
apply_changes(Request *request, Issue *issue, int64_t updated)
{
	Issue		before = *issue;
	const char *problem;
	const char *name;

	if (before.edit)
		before.edit->refs++;
	issue->updated = updated;
	problem = apply_fields(request, issue, &name);
	if (problem != NULL)
	{
		data_drop_edit(issue->edit);
		*issue = before;
		control_error(request, "field \"%s\": %s", name, problem);
		return false;
	}
	apply_dictated(request, issue);
	data_drop_edit(before.edit);
	return true;
}

/* The instant that changes are stamped with. */
static bool
change_instant(Request *request, int64_t *instant)
{
	const char *text = param(request, "updated");

	if (text == NULL)
		*instant = sim_tick();
	else if (!zone_parse_instant(text, instant))
	{
		control_error(request, "updated is ms since 1970 or like "
					  "2026-01-31T00:00:00Z");
		return false;
	}
	return true;
}

/* For how many search requests the index stays behind: ms are not counted. */
static int64_t
index_lag(Request *request)
{
	const char *text = param(request, "lag");

	if (text == NULL || strcmp(text, "0") == 0)
		return 0;
	if (atoll(text) <= 0)		/* "forever", -1 */
		return UNTIL_REVEALED;
	return sim.counters.searches + atoll(text);
}

/* The issue that the request names, or NO_SLOT and an error. */
static uint32_t
named_issue(Request *request)
{
	const char *name = param(request, "key");
	uint32_t	slot;

	if (name == NULL)
		name = param(request, "id");
	slot = name ? data_find(name) : NO_SLOT;
	if (slot != NO_SLOT && data.issues[slot].deleted)
		slot = NO_SLOT;
	if (slot == NO_SLOT)
		control_error(request, "there is no issue \"%s\"", name ? name : "");
	return slot;
}

static int
named_project(Request *request, const char *parameter, bool make)
{
	const char *key = param(request, parameter);
	int			project = key ? data_find_project(key) : -1;

	if (project < 0 && make && key)
	{
		project = data_add_project(key);
		render_prepare(sim.settings.base_url, sim.settings.second_points);
	}
	if (project < 0)
		control_error(request, "there is no project \"%s\"", key ? key : "");
	return project;
}

/* Answer with an issue's key, id and instant. */
static void
answer_issue(Request *request, uint32_t slot)
{
	const Issue *issue = &data.issues[slot];

	buf_printf(&request->out, "{\"ok\":true,\"id\":\"%lld\",\"key\":"
			   "\"%s-%d\",\"updated_ms\":%lld}\n", (long long) issue->id,
			   data.projects[issue->project].key, issue->number,
			   (long long) issue->updated);
}

static void
edit_issue(Request *request)
{
	uint32_t	slot = named_issue(request);
	int64_t		updated;

	if (slot == NO_SLOT || !change_instant(request, &updated))
		return;
	data_change_begin(slot, index_lag(request));
	if (apply_changes(request, &data.issues[slot], updated))
		answer_issue(request, slot);
	data_change_end(slot);
}

/*
 * Edit many issues of a project (or of all): count of them, from the offset
 * on; all at one instant, or "step_ms" apart.
 */
static void
edit_bulk(Request *request)
{
	int64_t		count = param_int(request, "count", INT64_MAX);
	int64_t		skip = param_int(request, "from", 0);
	int64_t		step = param_int(request, "step_ms", 0);
	int64_t		lag = index_lag(request);
	int64_t		done = 0;
	int64_t		updated;
	int			project = -1;

	if (param(request, "project") != NULL &&
		(project = named_project(request, "project", false)) < 0)
		return;
	if (!change_instant(request, &updated))
		return;
	data_bulk_begin();
	for (uint32_t slot = 0; slot < data.count && done < count; slot++)
	{
		Issue	   *issue = &data.issues[slot];

		if (issue->deleted || (project >= 0 && issue->project != project) ||
			skip-- > 0)
			continue;
		data_change_begin(slot, lag);
		if (!apply_changes(request, issue, updated + done * step))
			break;
		done++;
	}
	data_bulk_end();
	if (request->status == 200)
		buf_printf(&request->out, "{\"ok\":true,\"edited\":%lld,"
				   "\"updated_ms\":%lld}\n", (long long) done,
				   (long long) updated);
}

static void
add_issues(Request *request)
{
	int			project = named_project(request, "project", true);
	int64_t		count = param_int(request, "count", 1);
	int64_t		updated;
	int64_t		lag = index_lag(request);
	uint32_t	slot = NO_SLOT;

	if (project < 0 || !change_instant(request, &updated))
		return;
	if (count > 1)
		data_bulk_begin();
	for (int64_t i = 0; i < count; i++)
	{
		slot = data_add(project, 0x616464, updated, lag);
		data_change_begin(slot, 0);
		if (!apply_changes(request, &data.issues[slot], updated))
			i = count;
		data_change_end(slot);
	}
	if (count > 1)
		data_bulk_end();
	if (request->status == 200 && slot != NO_SLOT)
		answer_issue(request, slot);
}

static void
move_issue(Request *request)
{
	uint32_t	slot = named_issue(request);
	int64_t		updated;
	int			project;

	if (slot == NO_SLOT)
		return;
	project = named_project(request, "to", true);
	if (project < 0 || !change_instant(request, &updated))
		return;
	data_move(slot, project, updated, index_lag(request));
	answer_issue(request, slot);
}

/* Apply hide, stale, reveal or delete to one issue. */
static void
set_visibility(Request *request, const char *action, uint32_t slot)
{
	int64_t		lag = index_lag(request);
	int64_t		until = lag > 0 ? lag : UNTIL_REVEALED;

	if (strcmp(action, "delete") == 0)
	{
		sim_tick();
		data_delete(slot, lag);
	}
	else if (strcmp(action, "hide") == 0)
		data_hide(slot, until);
	else if (strcmp(action, "reveal") == 0)
		data_reveal(slot);
	else if (!data_stale(slot, until))
		control_error(request, "the issue was never edited");
}

/* hide, stale, reveal and delete: an issue, or with reveal all. */
static void
change_visibility(Request *request, const char *action)
{
	uint32_t	slot;

	if (strcmp(action, "reveal") == 0 && !param(request, "key") &&
		!param(request, "id"))
	{
		data_catch_up(UNTIL_REVEALED);
		return;
	}
	slot = named_issue(request);
	if (slot != NO_SLOT)
		set_visibility(request, action, slot);
	if (slot != NO_SLOT && request->status == 200)
		answer_issue(request, slot);
}

/* Show or hide a project, or make it. */
static void
change_project(Request *request)
{
	int			project = named_project(request, "key", true);

	if (project < 0)
		return;
	data.projects[project].visible =
		param_bool(request, "visible", data.projects[project].visible);
	if (param(request, "name"))
		snprintf(data.projects[project].name,
				 sizeof(data.projects[project].name), "%s",
				 param(request, "name"));
	data.version++;
	render_prepare(sim.settings.base_url, sim.settings.second_points);
}

bool
control_data(Request *request, const char *action)
{
	if (strcmp(action, "edit") == 0)
		edit_issue(request);
	else if (strcmp(action, "bulk") == 0)
		edit_bulk(request);
	else if (strcmp(action, "add") == 0)
		add_issues(request);
	else if (strcmp(action, "move") == 0)
		move_issue(request);
	else if (strcmp(action, "project") == 0)
		change_project(request);
	else if (strcmp(action, "delete") == 0 || strcmp(action, "hide") == 0 ||
			 strcmp(action, "stale") == 0 || strcmp(action, "reveal") == 0)
		change_visibility(request, action);
	else
		return false;
	return true;
}
