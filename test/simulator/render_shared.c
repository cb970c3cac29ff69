/*
 * render_shared.c: the parts of issues that many of them share
 *
 * Users, states, priorities, types and projects are rendered once for each
 * mode; an issue only copies them.
 */
#include "render_value.h"

#include "names.h"
#include "zone.h"

#define SHARED_MAX 64

static Buffer base;
static bool second_points;
static Buffer shared_users[RENDER_MODES][SHARED_MAX];
static Buffer shared_statuses[RENDER_MODES][SHARED_MAX];
static Buffer shared_categories[RENDER_MODES][SHARED_MAX];
static Buffer shared_priorities[RENDER_MODES][SHARED_MAX];
static Buffer shared_types[RENDER_MODES][SHARED_MAX];
static Buffer shared_projects[RENDER_MODES][SHARED_MAX];

void
render_api(Buffer *buf, RenderMode mode)
{
	buf_add(buf, base.data, base.len);
	buf_str(buf, mode == RENDER_CLOUD_V3 ? "/rest/api/3/" : "/rest/api/2/");
}

/* Begin an object with its own address. */
static void
begin_self(Buffer *buf, RenderMode mode, const char *kind, const char *id)
{
	buf_clear(buf);
	buf_lit(buf, "{\"self\":\"");
	render_api(buf, mode);
	buf_printf(buf, "%s%s\"", kind, id);
}

static void
share_user(Buffer *buf, int at, RenderMode mode)
{
	const User *user = &users[at];
	bool		cloud = mode != RENDER_SERVER;

	begin_self(buf, mode, cloud ? "user?accountId=" : "user?username=",
			   cloud ? user->account_id : user->name);
	if (cloud)
		buf_printf(buf, ",\"accountId\":\"%s\"", user->account_id);
	else
		buf_printf(buf, ",\"name\":\"%s\",\"key\":\"%s\"", user->name,
				   user->name);
	/* on Cloud most people hide their address */
	if (!cloud || at % 3 == 0)
		buf_printf(buf, ",\"emailAddress\":\"%s@example.com\"", user->name);
	buf_lit(buf, ",\"displayName\":");
	buf_json_str(buf, user->display_name);
	buf_printf(buf, ",\"active\":%s,\"timeZone\":\"%s\"",
			   at == 9 ? "false" : "true",
			   user->zone ? user->zone : zone_name());
	if (cloud)
		buf_printf(buf, ",\"accountType\":\"%s\"",
				   strcmp(user->name, "bot") == 0 ? "app" : "atlassian");
	buf_char(buf, '}');
}

static void
share_status(Buffer *status, Buffer *category, int at, RenderMode mode)
{
	const char *key = statuses[at].category;
	bool		done = status_is_done(at);
	bool		new = key[0] == 'n';

	begin_self(category, mode, "statuscategory/",
			   done ? "3" : new ? "2" : "4");
	buf_printf(category, ",\"id\":%s,\"key\":\"%s\",\"colorName\":\"%s\","
			   "\"name\":\"%s\"}", done ? "3" : new ? "2" : "4", key,
			   done ? "green" : new ? "blue-gray" : "yellow",
			   done ? "Done" : new ? "To Do" : "In Progress");
	begin_self(status, mode, "status/", statuses[at].id);
	buf_printf(status, ",\"description\":\"\",\"name\":\"%s\","
			   "\"id\":\"%s\",\"statusCategory\":", statuses[at].name,
			   statuses[at].id);
	buf_add(status, category->data, category->len);
	buf_char(status, '}');
}

static void
share_priority(Buffer *buf, int at, RenderMode mode)
{
	char		id[2] = {'1' + at, '\0'};

	begin_self(buf, mode, "priority/", id);
	buf_printf(buf, ",\"name\":\"%s\",\"id\":\"%s\"}", priorities[at], id);
}

static void
share_type(Buffer *buf, int at, RenderMode mode)
{
	const IssueType *type = &issue_types[at];

	begin_self(buf, mode, "issuetype/", type->id);
	buf_printf(buf, ",\"id\":\"%s\",\"description\":\"\",\"name\":\"%s\","
			   "\"subtask\":%s,\"avatarId\":%d", type->id, type->name,
			   type->level < 0 ? "true" : "false", 10315 + at);
	if (mode != RENDER_SERVER)
		buf_printf(buf, ",\"hierarchyLevel\":%d", type->level);
	buf_char(buf, '}');
}

static void
share_project(Buffer *buf, int at, RenderMode mode)
{
	char		id[24];
	Buffer		number = {0};

	buf_int(&number, FIRST_PROJECT_ID + at);
	memcpy(id, number.data, number.len + 1);
	buf_free(&number);
	begin_self(buf, mode, "project/", id);
	buf_printf(buf, ",\"id\":\"%s\",\"key\":", id);
	buf_json_str(buf, data.projects[at].key);
	buf_lit(buf, ",\"name\":");
	buf_json_str(buf, data.projects[at].name);
	buf_lit(buf, ",\"projectTypeKey\":\"software\"");
	if (mode != RENDER_SERVER)
		buf_lit(buf, ",\"simplified\":true");
	buf_char(buf, '}');
}

void
render_prepare(const char *base_url, bool with_second_points)
{
	Buffer		copy = {0};

	buf_str(&copy, base_url);
	buf_free(&base);
	base = copy;
	second_points = with_second_points;
	for (RenderMode mode = 0; mode < RENDER_MODES; mode++)
	{
		for (int i = 0; i < user_count; i++)
			share_user(&shared_users[mode][i], i, mode);
		for (int i = 0; i < status_count; i++)
			share_status(&shared_statuses[mode][i],
						 &shared_categories[mode][i], i, mode);
		for (int i = 0; i < priority_count; i++)
			share_priority(&shared_priorities[mode][i], i, mode);
		for (int i = 0; i < issue_type_count; i++)
			share_type(&shared_types[mode][i], i, mode);
		for (int i = 0; i < data.project_count; i++)
			share_project(&shared_projects[mode][i], i, mode);
	}
}

bool
render_second_points(void)
{
	return second_points;
}

const Buffer *
shared_user(int user, RenderMode mode)
{
	return &shared_users[mode][user];
}

const Buffer *
shared_status(int status, RenderMode mode)
{
	return &shared_statuses[mode][status];
}

const Buffer *
shared_category(int status, RenderMode mode)
{
	return &shared_categories[mode][status];
}

const Buffer *
shared_priority(int priority, RenderMode mode)
{
	return &shared_priorities[mode][priority];
}

const Buffer *
shared_type(int type, RenderMode mode)
{
	return &shared_types[mode][type];
}

const Buffer *
shared_project(int project, RenderMode mode)
{
	return &shared_projects[mode][project];
}
