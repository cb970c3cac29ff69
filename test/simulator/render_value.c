/*
 * render_value.c: one field's value as JSON
 *
 * What is not stored in an issue follows from its seed, by a hash with a
 * constant of its own, so that the values of different fields are independent.
 */
#include "render_value.h"

#include "names.h"
#include "zone.h"

#define UNUSED __attribute__((unused))

static void
add(Buffer *buf, const Buffer *part)
{
	buf_add(buf, part->data, part->len);
}

static void
add_date(Buffer *buf, int64_t instant)
{
	buf_char(buf, '"');
	zone_date(buf, instant);
	buf_char(buf, '"');
}

static uint64_t
hash(const Issue *issue, uint64_t purpose)
{
	return mix(issue->seed ^ purpose * 0x9e3779b97f4a7c15ULL);
}

void
append_summary(Buffer *buf, const Issue *issue)
{
	if (issue->edit && issue->edit->summary)
		buf_str(buf, issue->edit->summary);
	else
		name_summary(buf, issue->seed);
}

void
render_summary(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	char		space[256];
	Buffer		text = {space, 0, sizeof(space)};

	/* derived summaries fit; an edited one is rendered from where it is */
	if (issue->edit && issue->edit->summary)
	{
		buf_json_str(buf, issue->edit->summary);
		return;
	}
	name_summary(&text, issue->seed);
	buf_json(buf, text.data, text.len);
}

void
render_created(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	add_date(buf, issue->created);
}

void
render_updated(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	add_date(buf, issue->updated);
}

void
render_resolved(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	if (status_is_done(issue->status))
		add_date(buf, issue->resolved);
	else
		buf_lit(buf, "null");
}

void
render_category_changed(Buffer *buf, const Issue *issue,
						RenderMode mode UNUSED)
{
	add_date(buf, issue->resolved);
}

void
render_resolution(Buffer *buf, const Issue *issue, RenderMode mode)
{
	bool		done = strcmp(statuses[issue->status].name, "Done") == 0;

	if (!status_is_done(issue->status))
	{
		buf_lit(buf, "null");
		return;
	}
	buf_lit(buf, "{\"self\":\"");
	render_api(buf, mode);
	buf_str(buf, done ? "resolution/10000\",\"id\":\"10000\",\"description\":"
			"\"Work has been completed on this issue.\",\"name\":\"Done\"}" :
			"resolution/10001\",\"id\":\"10001\",\"description\":"
			"\"This issue won't be actioned.\",\"name\":\"Won't Do\"}");
}

void
render_status(Buffer *buf, const Issue *issue, RenderMode mode)
{
	add(buf, shared_status(issue->status, mode));
}

void
render_category(Buffer *buf, const Issue *issue, RenderMode mode)
{
	add(buf, shared_category(issue->status, mode));
}

void
render_priority(Buffer *buf, const Issue *issue, RenderMode mode)
{
	add(buf, shared_priority(issue->priority, mode));
}

void
render_type(Buffer *buf, const Issue *issue, RenderMode mode)
{
	add(buf, shared_type(issue->type, mode));
}

void
render_project_field(Buffer *buf, const Issue *issue, RenderMode mode)
{
	add(buf, shared_project(issue->project, mode));
}

void
render_user(Buffer *buf, int user, RenderMode mode)
{
	if (user == NO_USER)
		buf_lit(buf, "null");
	else
		add(buf, shared_user(user, mode));
}

void
render_project(Buffer *buf, int project, RenderMode mode)
{
	add(buf, shared_project(project, mode));
}

void
render_assignee(Buffer *buf, const Issue *issue, RenderMode mode)
{
	render_user(buf, issue->assignee, mode);
}

void
render_reporter(Buffer *buf, const Issue *issue, RenderMode mode)
{
	render_user(buf, issue->reporter, mode);
}

void
render_creator(Buffer *buf, const Issue *issue, RenderMode mode)
{
	render_user(buf, hash(issue, 1) % user_count, mode);
}

void
render_labels(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	const char *comma = "";

	buf_char(buf, '[');
	for (int i = 0; i < label_count; i++)
	{
		if (!(issue->labels >> i & 1))
			continue;
		buf_str(buf, comma);
		buf_json_str(buf, labels[i]);
		comma = ",";
	}
	buf_char(buf, ']');
}

int
component_of(const Issue *issue, int at)
{
	uint64_t	h = hash(issue, 2);
	int			first = (h >> 8) % component_count;

	if (at >= (int) (h % 3))
		return -1;
	return (first + at) % component_count;
}

void
render_components(Buffer *buf, const Issue *issue, RenderMode mode)
{
	int			component;

	buf_char(buf, '[');
	for (int i = 0; (component = component_of(issue, i)) >= 0; i++)
	{
		buf_str(buf, i ? ",{\"self\":\"" : "{\"self\":\"");
		render_api(buf, mode);
		buf_printf(buf, "component/%d\",\"id\":\"%d\",\"name\":\"%s\"}",
				   10200 + component, 10200 + component,
				   components[component]);
	}
	buf_char(buf, ']');
}

void
render_versions(Buffer *buf, const Issue *issue, RenderMode mode)
{
	uint64_t	h = hash(issue, 3);
	int			version = 1 + (h >> 8) % 9;

	if (h % 3)
	{
		buf_lit(buf, "[]");
		return;
	}
	buf_lit(buf, "[{\"self\":\"");
	render_api(buf, mode);
	buf_printf(buf, "version/%d\",\"id\":\"%d\",\"description\":\"\","
			   "\"name\":\"2026.%d\",\"archived\":false,\"released\":%s,"
			   "\"releaseDate\":\"2026-0%d-15\"}]", 10300 + version,
			   10300 + version, version, version < 3 ? "true" : "false",
			   version);
}

uint32_t
parent_of(const Issue *issue)
{
	uint64_t	h = hash(issue, 4);

	if (issue_types[issue->type].level > 0 || issue->number < 2 ||
		(issue_types[issue->type].level == 0 && h % 3))
		return NO_SLOT;
	return data.projects[issue->project].slots[1 + (h >> 8) %
											   (issue->number - 1)];
}

void
render_parent(Buffer *buf, const Issue *issue, RenderMode mode)
{
	uint32_t	slot = parent_of(issue);
	const Issue *parent;

	if (slot == NO_SLOT)
	{
		buf_lit(buf, "null");
		return;
	}
	parent = &data.issues[slot];
	buf_lit(buf, "{\"id\":\"");
	buf_int(buf, parent->id);
	buf_lit(buf, "\",\"key\":\"");
	buf_str(buf, data.projects[parent->project].key);
	buf_char(buf, '-');
	buf_int(buf, parent->number);
	buf_lit(buf, "\",\"self\":\"");
	render_api(buf, mode);
	buf_lit(buf, "issue/");
	buf_int(buf, parent->id);
	buf_lit(buf, "\",\"fields\":{\"summary\":");
	render_summary(buf, parent, mode);
	buf_lit(buf, ",\"status\":{\"name\":\"");
	buf_str(buf, statuses[parent->status].name);
	buf_lit(buf, "\",\"id\":\"");
	buf_str(buf, statuses[parent->status].id);
	buf_lit(buf, "\"}}}");
}

void
render_due(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	uint64_t	h = hash(issue, 5);

	if (h % 3)
	{
		buf_lit(buf, "null");
		return;
	}
	buf_char(buf, '"');
	zone_day(buf, issue->created + (h >> 8) % 200 * DAY_MS);
	buf_char(buf, '"');
}

/* Hours estimated, 0 for none. */
static int
estimate_of(const Issue *issue)
{
	uint64_t	h = hash(issue, 6);

	return h % 4 ? 0 : 1 + (h >> 8) % 40;
}

void
render_estimate(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	int			hours = estimate_of(issue);

	if (hours == 0)
		buf_lit(buf, "null");
	else
		buf_int(buf, hours * 3600);
}

void
render_time_tracking(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	int			hours = estimate_of(issue);

	if (hours == 0)
		buf_lit(buf, "{}");
	else
		buf_printf(buf, "{\"originalEstimate\":\"%dh\",\"remainingEstimate\":"
				   "\"%dh\",\"originalEstimateSeconds\":%d,"
				   "\"remainingEstimateSeconds\":%d}", hours, hours,
				   hours * 3600, hours * 3600);
}

void
render_progress(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	buf_lit(buf, "{\"progress\":0,\"total\":");
	buf_int(buf, estimate_of(issue) * 3600);
	buf_char(buf, '}');
}

/* Append "http://…/issue/KEY/what" as a member self. */
static void
add_issue_self(Buffer *buf, const Issue *issue, RenderMode mode,
			   const char *what)
{
	buf_lit(buf, "{\"self\":\"");
	render_api(buf, mode);
	buf_lit(buf, "issue/");
	buf_str(buf, data.projects[issue->project].key);
	buf_char(buf, '-');
	buf_int(buf, issue->number);
	buf_str(buf, what);
}

void
render_watches(Buffer *buf, const Issue *issue, RenderMode mode)
{
	add_issue_self(buf, issue, mode, "/watchers\",\"watchCount\":");
	buf_int(buf, hash(issue, 7) % 9);
	buf_lit(buf, ",\"isWatching\":false}");
}

void
render_votes(Buffer *buf, const Issue *issue, RenderMode mode)
{
	add_issue_self(buf, issue, mode, "/votes\",\"votes\":0,"
				   "\"hasVoted\":false}");
}
