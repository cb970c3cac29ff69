/*
 * control.c: /_sim, by which tests steer the simulator
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "simulator.h"
#include "zone.h"

static const char help[] =
	"{\"see\":\"test/simulator/README.md\",\"actions\":[\"edit\",\"bulk\","
	"\"add\",\"move\",\"delete\",\"hide\",\"stale\",\"reveal\",\"project\","
	"\"clock\",\"auth\",\"settings\",\"reset\",\"fault\",\"faults\",\"page\","
	"\"block\",\"release\",\"wait\",\"log\",\"stats\",\"issues\",\"quit\"]}\n";

void
control_error(Request *request, const char *format,...)
{
	char		message[512];
	va_list		args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	request->status = 400;
	buf_clear(&request->out);
	buf_lit(&request->out, "{\"error\":");
	buf_json_str(&request->out, message);
	buf_lit(&request->out, "}\n");
}

/* Answer a control request; an action without output answers {"ok":true}. */
void
serve_control(Request *request)
{
	const char *action = request->path + strlen("/_sim");
	bool		known;

	if (*action == '/')
		action++;
	request->content_type = "application/json";
	if (request->body.len > 0 && request->json == NULL &&
		strcmp(action, "page") != 0)
	{
		control_error(request, "the body is not JSON");
		return;
	}
	if (*action == '\0')
	{
		buf_str(&request->out, help);
		return;
	}
	request->quits = strcmp(action, "quit") == 0;
	known = request->quits || control_data(request, action) ||
		control_faults(request, action) ||
		control_settings(request, action) || control_watch(request, action);
	if (!known)
		control_error(request, "unknown action \"%s\", see /_sim", action);
	else if (request->out.len == 0)
		buf_lit(&request->out, "{\"ok\":true}\n");
}
