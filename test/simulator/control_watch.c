/*
 * control_watch.c: barrier, waiting, log, counters, and the true data
 */
#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "names.h"
#include "render_value.h"
#include "zone.h"

#define DEFAULT_WAIT_MS 30000

/* What /_sim/wait waits for. */
typedef struct Wanted
{
	int64_t		requests;
	int64_t		searches;
	int64_t		answered;
	int64_t		blocked;
	int64_t		hanging;
	int64_t		open;			/* at most so many connections, < 0: any */
} Wanted;

static bool
is_there(void *arg)
{
	const Wanted *wanted = arg;

	return sim.counters.requests >= wanted->requests &&
		sim.counters.searches >= wanted->searches &&
		sim.counters.answered >= wanted->answered &&
		sim.counters.blocked >= wanted->blocked &&
		sim.counters.hanging >= wanted->hanging &&
		(wanted->open < 0 || sim.counters.open <= wanted->open);
}

static void
dump_stats(Buffer *out)
{
	const Counters *counters = &sim.counters;
	const struct
	{
		const char *name;
		int64_t		value;
	}			members[] =
	{
		{"requests", counters->requests}, {"searches", counters->searches},
		{"answered", counters->answered},
		{"connections", counters->connections}, {"open", counters->open},
		{"blocked", counters->blocked}, {"hanging", counters->hanging},
		{"issues", counters->issues}, {"bytes", counters->bytes},
		{"unauthorized", counters->unauthorized}
	};

	buf_lit(out, "{\"ok\":true");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
	{
		buf_printf(out, ",\"%s\":", members[i].name);
		buf_int(out, members[i].value);
	}
	buf_lit(out, "}\n");
}

/* Wait for requests to have come; 408 if they do not. */
static void
wait_for(Request *request)
{
	Wanted		wanted;
	int64_t		deadline = monotonic_ms() +
		param_int(request, "timeout_ms", DEFAULT_WAIT_MS);

	wanted.requests = param_int(request, "requests", 0);
	wanted.searches = param_int(request, "searches", 0);
	wanted.answered = param_int(request, "answered", 0);
	wanted.blocked = param_int(request, "blocked", 0);
	wanted.hanging = param_int(request, "hanging", 0);
	wanted.open = param_int(request, "open", -1);
	if (sim_wait(request->peer, is_there, &wanted, deadline) != WAIT_READY)
		request->status = 408;
	dump_stats(&request->out);
}

static void
clear_counters(void)
{
	Counters   *counters = &sim.counters;

	counters->requests = counters->searches = counters->answered = 0;
	counters->issues = 0;
	counters->bytes = counters->unauthorized = 0;
}

/*
 * The truth
 */

static void
add_time(Buffer *out, const char *name, int64_t instant, bool known)
{
	buf_printf(out, ",\"%s\":", name);
	if (!known)
	{
		buf_lit(out, "null");
		return;
	}
	buf_char(out, '"');
	zone_utc(out, instant);
	buf_char(out, '"');
}

static void
add_user(Buffer *out, const char *name, int user)
{
	buf_printf(out, ",\"%s\":", name);
	if (user == NO_USER)
		buf_lit(out, "null");
	else
		buf_json_str(out, users[user].display_name);
}

/* Labels, components, points, parent: what may be dictated or derived. */
static void
add_derived(Buffer *out, const Issue *issue)
{
	const Override *labels = data_overridden(issue, "labels");
	const Override *points = data_overridden(issue, "customfield_10016");
	uint32_t	parent = parent_of(issue);

	buf_lit(out, ",\"labels\":");
	if (labels && labels->raw)
		buf_str(out, labels->raw);
	else
		render_labels(out, issue, RENDER_CLOUD_V3);
	buf_lit(out, ",\"components\":[");
	for (int i = 0; component_of(issue, i) >= 0; i++)
	{
		buf_str(out, i ? "," : "");
		buf_json_str(out, components[component_of(issue, i)]);
	}
	buf_lit(out, "],\"story_points\":");
	if (points && points->raw)
		buf_str(out, points->raw);
	else
		render_points(out, issue, RENDER_CLOUD_V3);
	if (parent == NO_SLOT)
		buf_lit(out, ",\"parent\":null");
	else
		buf_printf(out, ",\"parent\":\"%s-%d\"",
				   data.projects[data.issues[parent].project].key,
				   data.issues[parent].number);
}

static void
add_truth(Buffer *out, const Issue *issue)
{
	bool		cloud = sim.settings.flavour == FLAVOUR_CLOUD;
	const char *project = data.projects[issue->project].key;

	buf_printf(out, "{\"key\":\"%s-%d\",\"id\":\"%lld\",\"project\":\"%s\","
			   "\"summary\":", project, issue->number,
			   (long long) issue->id, project);
	render_summary(out, issue, RENDER_CLOUD_V3);
	buf_printf(out, ",\"status\":\"%s\",\"status_category\":\"%s\","
			   "\"issue_type\":\"%s\",\"priority\":\"%s\"",
			   statuses[issue->status].name, statuses[issue->status].category,
			   issue_types[issue->type].name, priorities[issue->priority]);
	add_user(out, "assignee", issue->assignee);
	if (issue->assignee == NO_USER)
		buf_lit(out, ",\"assignee_id\":null");
	else
		buf_printf(out, ",\"assignee_id\":\"%s\"",
				   cloud ? users[issue->assignee].account_id :
				   users[issue->assignee].name);
	add_user(out, "reporter", issue->reporter);
	add_time(out, "created", issue->created, true);
	add_time(out, "updated", issue->updated, true);
	add_time(out, "resolved", issue->resolved,
			 status_is_done(issue->status));
	add_derived(out, issue);
	buf_printf(out, ",\"updated_ms\":%lld,\"url\":\"%s/browse/%s-%d\"}",
			   (long long) issue->updated, sim.settings.base_url, project,
			   issue->number);
}

/* The issues as they are, one a line; with array=1 as one JSON array. */
static void
dump_issues(Request *request)
{
	const char *key = param(request, "project");
	bool		array = param_bool(request, "array", false);
	int			project = key ? data_find_project(key) : -1;
	int64_t		from = param_int(request, "updated_from_ms", INT64_MIN);
	const char *separator = array ? "[" : "";
	Buffer	   *out = &request->out;

	if (key && project < 0)
	{
		control_error(request, "there is no project \"%s\"", key);
		return;
	}
	for (uint32_t slot = 0; slot < data.count; slot++)
	{
		const Issue *issue = &data.issues[slot];

		if (issue->deleted || (key && issue->project != project) ||
			issue->updated < from)
			continue;
		buf_str(out, separator);
		separator = array ? ",\n" : "\n";
		add_truth(out, issue);
	}
	buf_str(out, array && out->len == 0 ? "[]\n" : array ? "]\n" : "\n");
	if (!array)
		request->content_type = "application/x-ndjson";
}

bool
control_watch(Request *request, const char *action)
{
	if (strcmp(action, "block") == 0)
		barrier_set(request);
	else if (strcmp(action, "release") == 0)
		barrier_release(param_int(request, "n", -1));
	else if (strcmp(action, "wait") == 0)
		wait_for(request);
	else if (strcmp(action, "issues") == 0)
		dump_issues(request);
	else if (strcmp(action, "stats") == 0)
	{
		dump_stats(&request->out);
		if (param_bool(request, "clear", false))
			clear_counters();
	}
	else if (strcmp(action, "log") == 0)
	{
		log_dump(&request->out, param_int(request, "last", -1));
		if (param_bool(request, "clear", false))
			log_clear();
	}
	else
		return false;
	return true;
}
