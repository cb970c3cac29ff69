/*
 * facts.c
 *		Parameters and wrappers of a step, and settings of a flow, as facts.
 *
 * The parameters are told by the table of step kinds, so that a new kind needs nothing
 * here.
 */
#include "flow/facts.h"

#include "flow/policy.h"
#include "flow/queue.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "rows/json.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* Longer texts are cut: flow_definition() has the whole of them. */
#define FACT_MAX_TEXT 200

/* A diagram shows parameters up to this length. */
#define FACT_MAX_BRIEF 40

List *
add_fact(List *facts, const char *label, const char *text, const char *brief)
{
	Fact	   *fact = palloc(sizeof(Fact));

	fact->label = label;
	fact->text = text;
	fact->brief = brief;
	return lappend(facts, fact);
}

char *
quoted_names(List *steps)
{
	StringInfoData out;
	ListCell   *lc;

	initStringInfo(&out);
	foreach(lc, steps)
		appendStringInfo(&out, "%s\"%s\"", out.len ? ", " : "", ((Step *) lfirst(lc))->name);
	return out.data;
}

/* A text on one line, and not too long. */
static char *
one_line(const char *text)
{
	StringInfoData out;
	int			length;

	initStringInfo(&out);
	for (const char *at = text; *at; at++)
	{
		bool		blank = strchr(" \t\r\n", *at) != NULL;

		if (!blank)
			appendStringInfoChar(&out, *at);
		else if (out.len > 0 && out.data[out.len - 1] != ' ')
			appendStringInfoChar(&out, ' ');
	}
	while (out.len > 0 && out.data[out.len - 1] == ' ')
		out.data[--out.len] = '\0';
	if (out.len <= FACT_MAX_TEXT)
		return out.data;
	length = pg_mbcliplen(out.data, out.len, FACT_MAX_TEXT);
	return psprintf("%.*s …", length, out.data);
}

/* "page_size" as "Page Size". */
static char *
label_of(const char *name)
{
	char	   *label = pstrdup(name);
	bool		begins = true;

	if (strcmp(name, "jql") == 0)
		return pstrdup("JQL");
	for (char *at = label; *at; at++)
	{
		if (*at == '_')
			*at = ' ';
		else if (begins)
			*at = pg_toupper((unsigned char) *at);
		begins = *at == ' ';
	}
	return label;
}

/* What cursor_for() said: the name, and the rest in parentheses. */
static char *
cursor_text(const Value *cursor)
{
	Value		name = json_member(cursor, "name", 4, false);
	JsonIter	it = json_iter(cursor);
	Value		key,
				value;
	StringInfoData out;

	initStringInfo(&out);
	while (json_next(&it, &key, &value))
	{
		if (!value_is(&key, "name") && !value_is_null(&value))
			appendStringInfo(&out, "%s%s %s", out.len ? ", " : "", value_cstring(&key),
							 value_cstring(&value));
	}
	return out.len ? psprintf("%s (%s)", value_cstring(&name), out.data) : value_cstring(&name);
}

/* Names in an array, joined by commas. */
static char *
list_text(const Value *array)
{
	JsonIter	it = json_iter(array);
	Value		key,
				value;
	StringInfoData out;

	initStringInfo(&out);
	while (json_next(&it, &key, &value))
		appendStringInfo(&out, "%s%s", out.len ? ", " : "", value_cstring(&value));
	return out.data;
}

static char *
param_text(const StepParam *param, const Value *value)
{
	switch (param->type)
	{
		case PARAM_CURSOR:
			return cursor_text(value);
		case PARAM_ROWS_LIST:
			return list_text(value);
		default:
			return one_line(value_cstring(value));
	}
}

static List *
param_facts(const Step *step, List *facts)
{
	for (int i = 0; step->type->params[i].name != NULL; i++)
	{
		const StepParam *param = &step->type->params[i];
		bool		of_step = param->type == PARAM_ROWS || param->type == PARAM_ROWS_LIST ||
			param->type == PARAM_OUTPUT;
		char	   *text;

		if (value_is_null(&step->params[i]))
			continue;
		text = param_text(param, &step->params[i]);
		if (strcmp(param->name, "name") == 0 && strcmp(text, step->name) == 0)
			continue;

		/* A diagram draws lines between steps instead. */
		facts = add_fact(facts, label_of(param->name), text,
						 of_step || strlen(text) > FACT_MAX_BRIEF ? NULL : text);
	}
	return facts;
}

/* A span of time as PostgreSQL writes intervals. */
static char *
span_text(int64 us)
{
	Interval	span = {0};

	span.time = us;
	return DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(&span)));
}

/* What the wrappers around the step say; of a block it holds for each step in it. */
static List *
policy_facts(const Step *step, List *facts)
{
	const StepPolicy *policy = &step->policy;
	const char *whose = step_is_block(step) ? ", for each step in it" : "";
	char	   *text;

	if (policy->retry_attempts > 0)
	{
		text = psprintf("%d attempts, first wait %s%s", policy->retry_attempts,
						span_text(policy->retry_first_us), whose);
		facts = add_fact(facts, "Retry", text, text);
	}
	if (policy->timeout_us > 0)
	{
		text = span_text(policy->timeout_us);
		facts = add_fact(facts, "Timeout", text, text);
	}
	if (policy->rate_n > 0)
	{
		text = psprintf(INT64_FORMAT " per %s", policy->rate_n, span_text(policy->rate_per_us));
		facts = add_fact(facts, "Rate Limit", text, text);
	}
	if (policy->max_failures >= 0)
	{
		text = psprintf(INT64_FORMAT "%s", policy->max_failures, whose);
		facts = add_fact(facts, "Max Failures", text, text);
	}
	if (step->type->kind == STEP_WHILE)
	{
		text = policy->max_iterations > 0 ? psprintf(INT64_FORMAT, policy->max_iterations)
			: psprintf("%d", WHILE_MAX_ITERATIONS);
		facts = add_fact(facts, "Max Iterations", text, NULL);
	}
	return facts;
}

List *
step_facts(const Flow *flow, const Step *step)
{
	List	   *facts = param_facts(step, NIL);

	facts = policy_facts(step, facts);
	return row_facts(flow, step, facts);
}

/* The queue, and what it does to the runs. */
static char *
queue_text(const char *name)
{
	Queue	   *queue = queue_load(name, CurrentMemoryContext);

	return psprintf("%s (at most %d %s at once, others %s)", name, queue->max_running,
					queue->max_running == 1 ? "run" : "runs",
					queue->waits ? "wait" : "are skipped");
}

List *
flow_facts(const Flow *flow)
{
	List	   *facts = NIL;
	char	   *text;

	text = flow->cron ? psprintf("schedule %s%s", flow->cron, flow->enabled ? "" : " (disabled)")
		: flow->label ? psprintf("manual %s", flow->label) : pstrdup("manual");
	facts = add_fact(facts, "Trigger", text, text);
	text = GetUserNameFromId(flow->owner, true);
	facts = add_fact(facts, "Owner", text ? text : "(does not exist any more)", NULL);
	if (flow->queue)
	{
		text = queue_text(flow->queue);
		facts = add_fact(facts, "Queue", text, text);
	}
	if (flow->max_runtime_us > 0)
		facts = add_fact(facts, "Max Runtime", span_text(flow->max_runtime_us), NULL);
	facts = add_fact(facts, "Max Failures", psprintf("%d for each step", flow->max_failures), NULL);
	return add_fact(facts, "Transactions",
					"under CALL resolute.run() as told below; run_flow() is one, and moves cursors at its end", NULL);
}
