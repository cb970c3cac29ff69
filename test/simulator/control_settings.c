/*
 * control_settings.c: clock, credentials and settings; back to the start
 */
#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "render.h"
#include "zone.h"

int64_t
sim_now(void)
{
	return sim.settings.real_clock ? wall_ms() : sim.settings.now;
}

/* The instant of a change; the frozen clock then moves on a little. */
int64_t
sim_tick(void)
{
	int64_t		now = sim_now();

	sim.settings.now += sim.settings.tick;
	return now;
}

/* Read a choice into a number; false if the text is none of them. */
static bool
choose(const char *text, const char *const *choices, int *choice)
{
	for (int i = 0; choices[i]; i++)
	{
		if (strcmp(choices[i], text) != 0)
			continue;
		*choice = i;
		return true;
	}
	return false;
}

/* Change an enumerated setting if the parameter is given. */
#define CHANGE_CHOICE(name, type, member, ...) \
	do { \
		static const char *const choices[] = {__VA_ARGS__, NULL}; \
		const char *text = param(request, name); \
		int			choice; \
		if (text && !choose(text, choices, &choice)) \
			return name " is one of " #__VA_ARGS__; \
		if (text) \
			sim.settings.member = (type) choice; \
	} while (0)

/* Change a text setting if the parameter is given. */
static void
change_text(Request *request, const char *name, char *at)
{
	const char *text = param(request, name);

	if (text)
		snprintf(at, NAME_SIZE, "%s", text);
}

static const char *
change_clock(Request *request)
{
	const char *now = param(request, "now");

	CHANGE_CHOICE("clock", bool, real_clock, "frozen", "real");
	CHANGE_CHOICE("date", DateMode, date, "real", "clock", "none");
	if (now && !zone_parse_instant(now, &sim.settings.now))
		return "now is ms since 1970 or like 2026-01-31T00:00:00Z";
	sim.settings.now += param_int(request, "advance_ms", 0);
	sim.settings.tick = param_int(request, "tick_ms", sim.settings.tick);
	sim.settings.skew = param_int(request, "skew_ms", sim.settings.skew);
	return NULL;
}

static const char *
change_auth(Request *request)
{
	Settings   *settings = &sim.settings;

	CHANGE_CHOICE("auth", AuthMode, auth, "check", "anonymous", "captcha",
				  "off");
	change_text(request, "email", settings->email);
	change_text(request, "token", settings->token);
	return NULL;
}

/* How wide issues are: must come after render_prepare(). */
static const char *
change_custom(Request *request)
{
	Settings   *settings = &sim.settings;
	int			count = param_int(request, "custom_fields", settings->custom_fields);
	int			bytes = param_int(request, "custom_bytes", settings->custom_bytes);

	if (count < 0 || count > CUSTOM_MAX)
		return "custom_fields is out of range";
	if (bytes < 0 || bytes > CUSTOM_MAX_BYTES)
		return "custom_bytes is out of range";
	settings->custom_fields = count;
	settings->custom_bytes = bytes;
	render_custom_prepare(count, bytes);
	return NULL;
}

const char *
settings_change(Request *request)
{
	Settings   *settings = &sim.settings;
	const char *zone = param(request, "timezone");
	const char *problem;

	CHANGE_CHOICE("flavour", Flavour, flavour, "cloud", "server");
	if (zone && !zone_set(zone))
		return "timezone is a name such as Europe/Berlin";
	settings->page_cap = param_int(request, "page_cap", settings->page_cap);
	settings->id_cap = param_int(request, "id_cap", settings->id_cap);
	settings->server_cap = param_int(request, "server_cap",
									 settings->server_cap);
	if (param_bool(request, "expire_tokens", false))
		settings->token_epoch++;
	settings->second_points = param_bool(request, "second_points",
										 settings->second_points);
	settings->compress = param_bool(request, "gzip", settings->compress);
	settings->ignore_fields = param_bool(request, "ignore_fields",
										 settings->ignore_fields);
	change_text(request, "version", settings->version);
	change_text(request, "deployment", settings->deployment);
	if ((problem = change_clock(request)) != NULL ||
		(problem = change_auth(request)) != NULL)
		return problem;
	render_prepare(settings->base_url, settings->second_points);
	return change_custom(request);
}

/* Start over: data, settings, faults, barrier, and with them the log. */
static const char *
reset(Request *request)
{
	const char *projects = param(request, "projects");
	const char *end = param(request, "end");
	const char *problem;
	Counters	now = sim.counters;

	fault_clear();
	barrier_clear();
	log_clear();
	sim.counters = (Counters) {.open = now.open,.connections = now.open,
		.blocked = now.blocked,.hanging = now.hanging};
	sim.settings = sim.initial;
	if (end && !zone_parse_instant(end, &sim.data_options.end))
		return "end is ms since 1970 or like 2026-01-31T00:00:00Z";
	if (end)
		sim.settings.now = sim.data_options.end;
	sim.data_options.issues = param_int(request, "issues",
										sim.data_options.issues);
	sim.data_options.seed = param_int(request, "seed",
									  sim.data_options.seed);
	if (projects)
		snprintf(sim.data_options.projects,
				 sizeof(sim.data_options.projects), "%s", projects);
	problem = data_build(&sim.data_options);
	return problem ? problem : settings_change(request);
}

static void
dump_settings(Buffer *out)
{
	static const char *const auth_names[] =
	{"check", "anonymous", "captcha", "off"};
	const Settings *settings = &sim.settings;

	buf_printf(out, "{\"ok\":true,\"flavour\":\"%s\",\"timezone\":\"%s\","
			   "\"auth\":\"%s\",\"page_cap\":%d,\"id_cap\":%d,"
			   "\"server_cap\":%d,\"clock\":\"%s\",\"now\":\"",
			   settings->flavour == FLAVOUR_CLOUD ? "cloud" : "server",
			   zone_name(), auth_names[settings->auth], settings->page_cap,
			   settings->id_cap, settings->server_cap,
			   settings->real_clock ? "real" : "frozen");
	zone_utc(out, sim_now());
	buf_printf(out, "\",\"now_ms\":%lld,\"base_url\":\"%s\",\"tls_port\":%d,"
			   "\"issues\":%u}\n", (long long) sim_now(), settings->base_url,
			   sim.tls_port, data.count);
}

bool
control_settings(Request *request, const char *action)
{
	const char *problem;

	if (strcmp(action, "settings") == 0)
		problem = settings_change(request);
	else if (strcmp(action, "clock") == 0)
		problem = change_clock(request);
	else if (strcmp(action, "auth") == 0)
		problem = change_auth(request);
	else if (strcmp(action, "reset") == 0)
		problem = reset(request);
	else
		return false;
	if (problem)
		control_error(request, "%s", problem);
	else
		dump_settings(&request->out);
	return true;
}
