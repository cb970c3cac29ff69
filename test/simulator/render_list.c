/*
 * render_list.c: embedded lists and custom fields of an issue
 */
#include "render_value.h"

#include "names.h"
#include "zone.h"

#define UNUSED __attribute__((unused))

static uint64_t
hash(const Issue *issue, uint64_t purpose)
{
	return mix(issue->seed ^ purpose * 0xd1342543de82ef95ULL);
}

/* Append the address and id of a comment or worklog, and its author. */
static void
begin_entry(Buffer *buf, const Issue *issue, RenderMode mode,
			const char *kind, uint64_t h)
{
	int			id = 20000 + h % 900000;

	buf_lit(buf, "{\"self\":\"");
	render_api(buf, mode);
	buf_printf(buf, "issue/%lld/%s/%d\",\"id\":\"%d\",\"author\":",
			   (long long) issue->id, kind, id, id);
	render_user(buf, h % user_count, mode);
}

static void
add_dates(Buffer *buf, const Issue *issue)
{
	buf_lit(buf, ",\"created\":\"");
	zone_date(buf, issue->created + HOUR_MS);
	buf_lit(buf, "\",\"updated\":\"");
	zone_date(buf, issue->created + HOUR_MS);
	buf_char(buf, '"');
}

void
render_comments(Buffer *buf, const Issue *issue, RenderMode mode)
{
	uint64_t	h = hash(issue, 1);
	int			count = h % 10 == 0;

	buf_lit(buf, "{\"comments\":[");
	if (count)
	{
		begin_entry(buf, issue, mode, "comment", h >> 8);
		buf_lit(buf, ",\"body\":");
		render_paragraph(buf, h, mode);
		add_dates(buf, issue);
		buf_lit(buf, ",\"jsdPublic\":true}");
	}
	buf_printf(buf, "],\"maxResults\":%d,\"total\":%d,\"startAt\":0}", count,
			   count);
}

void
render_worklogs(Buffer *buf, const Issue *issue, RenderMode mode)
{
	uint64_t	h = hash(issue, 2);
	int			count = h % 16 == 0;

	buf_printf(buf, "{\"startAt\":0,\"maxResults\":20,\"total\":%d,"
			   "\"worklogs\":[", count);
	if (count)
	{
		begin_entry(buf, issue, mode, "worklog", h >> 8);
		add_dates(buf, issue);
		buf_lit(buf, ",\"started\":\"");
		zone_date(buf, issue->created);
		buf_lit(buf, "\",\"timeSpent\":\"1h\",\"timeSpentSeconds\":3600}");
	}
	buf_lit(buf, "]}");
}

const char *
points_text(const Issue *issue)
{
	static const char *const values[] = {
		"0.0", "0.5", "1.0", "2.0", "3.0", "5.0", "8.0", "13.0", "20.0",
		"40.0", "100.0", "1.5", "2.5", "1.0E+2"
	};

	return issue->points == NO_POINTS ? NULL : values[issue->points];
}

void
render_points(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	const char *text = points_text(issue);

	buf_str(buf, text ? text : "null");
}

/* An array of objects on Cloud, of one string with everything on Server. */
void
render_sprint(Buffer *buf, const Issue *issue, RenderMode mode)
{
	uint64_t	h = hash(issue, 3);
	int			sprint = 1 + (h >> 8) % 60;
	const char *state = sprint < 50 ? "closed" : "active";
	int64_t		start = data.options.end + (sprint - 52) * 14 * DAY_MS;

	if (h % 3 == 0)
	{
		buf_lit(buf, "null");
		return;
	}
	if (mode == RENDER_SERVER)
		buf_printf(buf, "[\"com.atlassian.greenhopper.service.sprint.Sprint@"
				   "1f[id=%d,rapidViewId=7,state=%s,name=Sprint %d,"
				   "goal=,startDate=", sprint, state, sprint);
	else
		buf_printf(buf, "[{\"id\":%d,\"name\":\"Sprint %d\",\"state\":\"%s\","
				   "\"boardId\":7,\"goal\":\"\",\"startDate\":\"", sprint,
				   sprint, state);
	zone_utc(buf, start);
	buf_str(buf, mode == RENDER_SERVER ? ",endDate=" : "\",\"endDate\":\"");
	zone_utc(buf, start + 14 * DAY_MS);
	buf_str(buf, mode == RENDER_SERVER ? ",sequence=1]\"]" : "\"}]");
}

void
render_rank(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	buf_printf(buf, "\"0|i%05llx:\"", (unsigned long long) issue->id);
}

void
render_team(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	uint64_t	h = hash(issue, 4);

	if (h % 2)
		buf_lit(buf, "null");
	else
		buf_printf(buf, "{\"id\":\"team-%d\",\"name\":\"Team %c\","
				   "\"isVerified\":false}", (int) (h >> 8) % 5 & 7,
				   'A' + (int) ((h >> 8) % 5));
}

void
render_customer(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	uint64_t	h = hash(issue, 5);

	if (h % 2)
		buf_lit(buf, "null");
	else
		buf_printf(buf, "\"Kunde %d, Straße 5\"", (int) (h >> 8 & 1023));
}

void
render_severity(Buffer *buf, const Issue *issue, RenderMode mode)
{
	static const char *const values[] = {"Minor", "Major", "Critical"};
	int			at = hash(issue, 6) % 4;

	if (at == 3)
	{
		buf_lit(buf, "null");
		return;
	}
	buf_lit(buf, "{\"self\":\"");
	render_api(buf, mode);
	buf_printf(buf, "customFieldOption/%d\",\"value\":\"%s\",\"id\":\"%d\"}",
			   10030 + at, values[at], 10030 + at);
}

void
render_flagged(Buffer *buf, const Issue *issue, RenderMode mode)
{
	if (hash(issue, 7) % 12)
	{
		buf_lit(buf, "null");
		return;
	}
	buf_lit(buf, "[{\"self\":\"");
	render_api(buf, mode);
	buf_lit(buf, "customFieldOption/10019\",\"value\":\"Impediment\","
			"\"id\":\"10019\"}]");
}

void
render_score(Buffer *buf, const Issue *issue, RenderMode mode UNUSED)
{
	uint64_t	h = hash(issue, 8);

	buf_printf(buf, "%d.%02d", (int) (h & 255), (int) ((h >> 8) % 100));
}
