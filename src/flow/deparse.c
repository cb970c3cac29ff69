/*
 * deparse.c
 *		flow_definition(): the statement that makes a flow, from what is stored.
 */
#include "flow/store.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "rows/json.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(resolute_flow_definition);

#define INDENT 4

/* A new line, indented by depth. */
static void
append_line(StringInfo out, int depth)
{
	appendStringInfoChar(out, '\n');
	appendStringInfoSpaces(out, depth * INDENT);
}

static void
append_literal(StringInfo out, const char *text)
{
	appendStringInfoString(out, quote_literal_cstr(text));
}

/* resolute.cursor_for(...), from its JSON. */
static void
append_cursor(StringInfo out, const Value *cursor)
{
	JsonIter	it = json_iter(cursor);
	Value		name = json_member(cursor, "name", 4, false);
	Value		key,
				value;

	appendStringInfoString(out, "resolute.cursor_for(");
	append_literal(out, value_cstring(&name));
	while (json_next(&it, &key, &value))
	{
		if (value_is(&key, "name") || value_is_null(&value))
			continue;
		appendStringInfo(out, ", %s => ", quote_identifier(value_cstring(&key)));
		append_literal(out, value_cstring(&value));
	}
	appendStringInfoChar(out, ')');
}

/* 'a', 'b', ... from a JSON array. */
static void
append_names(StringInfo out, const Value *names)
{
	JsonIter	it = json_iter(names);
	bool		first = true;
	Value		key,
				name;

	while (json_next(&it, &key, &name))
	{
		if (!first)
			appendStringInfoString(out, ", ");
		append_literal(out, value_cstring(&name));
		first = false;
	}
}

static void
append_param(StringInfo out, const StepParam *param, const Value *value)
{
	if (!param->positional)
		appendStringInfo(out, "%s => ", quote_identifier(param->name));
	if (param->type == PARAM_CURSOR)
		append_cursor(out, value);
	else if (param->type == PARAM_ROWS_LIST)
		append_names(out, value);
	else if (param->type == PARAM_INT)
		appendStringInfoString(out, value_cstring(value));
	else
		append_literal(out, value_cstring(value));
}

static void append_steps(StringInfo out, List *steps, int depth);

/* The call of its builder. */
static void
append_call(StringInfo out, const Step *step, int depth)
{
	bool		first = true;

	appendStringInfo(out, "resolute.%s(", quote_identifier(step->type->name));
	for (int i = 0; step->type->params[i].name != NULL; i++)
	{
		const StepParam *param = &step->type->params[i];

		if (value_is_null(&step->params[i]))
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		if (!param->positional)
			append_line(out, depth + 1);
		else if (!first)
			appendStringInfoChar(out, ' ');
		append_param(out, param, &step->params[i]);
		first = false;
	}
	if (step->children)
	{
		if (!first)
			appendStringInfoChar(out, ',');
		append_steps(out, step->children, depth + 1);
	}
	appendStringInfoChar(out, ')');
}

/* What comes before the call of the step that with_...() wraps. */
static void
open_policies(StringInfo out, const StepPolicy *policy)
{
	if (policy->max_iterations > 0)
		appendStringInfoString(out, "resolute.with_max_iterations(");
	if (policy->max_failures >= 0)
		appendStringInfoString(out, "resolute.with_max_failures(");
	if (policy->rate_n > 0)
		appendStringInfoString(out, "resolute.with_rate_limit(");
	if (policy->timeout_us > 0)
		appendStringInfoString(out, "resolute.with_timeout(");
	if (policy->retry_attempts > 0)
		appendStringInfoString(out, "resolute.with_retry(");
}

/* And what comes after it, in the opposite order. */
static void
close_policies(StringInfo out, const StepPolicy *policy)
{
	if (policy->retry_attempts > 0)
		appendStringInfo(out, ", %d, %s)", policy->retry_attempts,
						 quote_literal_cstr(policy->retry_first));
	if (policy->timeout_us > 0)
		appendStringInfo(out, ", %s)", quote_literal_cstr(policy->timeout));
	if (policy->rate_n > 0)
		appendStringInfo(out, ", " INT64_FORMAT ", %s)", policy->rate_n,
						 quote_literal_cstr(policy->rate_per));
	if (policy->max_failures >= 0)
		appendStringInfo(out, ", " INT64_FORMAT ")", policy->max_failures);
	if (policy->max_iterations > 0)
		appendStringInfo(out, ", " INT64_FORMAT ")", policy->max_iterations);
}

/* One step in its wrappers: as() where it has a name that is not its own, then the others. */
static void
append_step(StringInfo out, const Step *step, int depth)
{
	bool		own_name = step->type->kind == STEP_NODE &&
		value_is(step_param(step, "name"), step->name);
	ListCell   *lc;

	append_line(out, depth);
	foreach(lc, step->handlers)
		appendStringInfoString(out, "resolute.on_error(");
	open_policies(out, &step->policy);
	if (step->named && !own_name)
	{
		appendStringInfoString(out, "resolute.\"as\"(");
		append_literal(out, step->name);
		appendStringInfoString(out, ", ");
	}
	append_call(out, step, depth);
	if (step->named && !own_name)
		appendStringInfoChar(out, ')');
	close_policies(out, &step->policy);
	foreach(lc, step->handlers)
	{
		appendStringInfoChar(out, ',');
		append_steps(out, lfirst(lc), depth + 1);
		appendStringInfoChar(out, ')');
	}
}

static void
append_steps(StringInfo out, List *steps, int depth)
{
	ListCell   *lc;

	foreach(lc, steps)
	{
		if (lc != list_head(steps))
			appendStringInfoChar(out, ',');
		append_step(out, lfirst(lc), depth);
	}
}

/* The trigger: schedule('...') or manual('...'). */
static void
append_trigger(StringInfo out, const Flow *flow)
{
	Datum		kind = DirectFunctionCall2(jsonb_object_field_text, flow->trigger,
										   CStringGetTextDatum("trigger"));

	append_line(out, 1);
	appendStringInfo(out, "resolute.%s(", TextDatumGetCString(kind));
	if (flow->cron)
		append_literal(out, flow->cron);
	else if (flow->label)
		append_literal(out, flow->label);
	appendStringInfoString(out, "),");
}

Datum
resolute_flow_definition(PG_FUNCTION_ARGS)
{
	StringInfoData out;
	MemoryContext caller = CurrentMemoryContext;
	Flow	   *flow;
	text	   *result;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	SPI_connect();
	flow = flow_load(text_to_cstring(PG_GETARG_TEXT_PP(0)), false, CurrentMemoryContext);
	flow_check_access(flow);
	if (!PG_ARGISNULL(1))
		flow_require_version(flow, PG_GETARG_INT32(1));
	flow_parse(flow);
	initStringInfo(&out);
	appendStringInfoString(&out, "SELECT resolute.create_flow(");
	append_literal(&out, flow->name);
	appendStringInfoChar(&out, ',');
	append_trigger(&out, flow);
	append_steps(&out, flow->steps, 1);
	appendStringInfoString(&out, ");");
	MemoryContextSwitchTo(caller);
	result = cstring_to_text_with_len(out.data, out.len);
	SPI_finish();
	PG_RETURN_TEXT_P(result);
}
