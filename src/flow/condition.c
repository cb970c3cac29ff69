/*
 * condition.c
 *		Evaluates the conditions of when() and while().
 */
#include "flow/run.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "flow/check.h"
#include "flow/failure.h"
#include "flow/pass.h"
#include "flow/policy.h"
#include "flow/stream.h"
#include "flow/unit.h"
#include "miscadmin.h"
#include "resolute.h"
#include "rows/json.h"

typedef struct ConditionArg
{
	Step	   *when;
	bool		result;
} ConditionArg;

/* Follow a path into the state. */
static bool
path_truth(Run *run, char *path)
{
	char	   *state = run_state(run);
	Value		value;

	if (!json_document(state, strlen(state), &value))
		elog(ERROR, "state of flow \"%s\" is not JSON", run->flow->name);
	for (char *name = strtok(path, "."); name; name = strtok(NULL, "."))
	{
		if (strcmp(name, "state") != 0)
			value = json_member(&value, name, strlen(name), false);
	}
	return value_truth(&value);
}

/* Evaluate an SQL condition; null is false. */
static bool
sql_truth(Run *run, const char *condition)
{
	Oid			types[] = {JSONBOID};
	Datum		values[] = {run_jsonb(run_state(run))};

	if (SPI_execute_with_args(condition_sql(condition), 1, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "condition is no query");
	return result_bool(0, 1);
}

/* Unit: evaluate a condition that looks at the state. */
static void
condition_unit(Run *run, void *arg)
{
	ConditionArg *condition = arg;
	char	   *text = step_text(condition->when, "condition");
	StepContext context;

	CHECK_FOR_INTERRUPTS();
	step_context_push(&context, run->flow, condition->when);
	condition->result = condition->when->is_path ? path_truth(run, text) : sql_truth(run, text);
	step_context_pop(&context);
}

/* Read what the condition needs to know of a source: its count, or its page. */
static bool
look_at_source(Run *run, const Step *when, Stream *stream)
{
	const Step *fetch = stream->fetch;
	bool		known;

	if (stream->failed)
		return true;
	if (fetch->needs_spool)
		known = stream_fill_spool(run, stream);
	else if (fetch->manual && step_mentions(run->flow, when, fetch))
		known = stream_hold_page(run, stream);
	else
		known = true;
	return known || stream_handle(run, stream);
}

/* Has any of the sources of these rows a row? */
static bool
has_rows(Run *run, const Step *step, bool *result)
{
	ListCell   *lc;

	*result = false;
	foreach(lc, step->roots)
	{
		Stream	   *stream = run_stream(run, lfirst(lc));

		if (!stream_has_rows(run, stream, result) && !stream_handle(run, stream))
			return false;
		if (*result)
			break;
	}
	return true;
}

/* Count the rows that the condition asks for. */
static bool
foresee_rows(Run *run, const Step *when)
{
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);

		if (step->foreseen && step->number < when->number && step_mentions(run->flow, when, step) &&
			!run_foresee(run, step))
			return false;
	}
	return true;
}

/* One attempt to evaluate it. */
static bool
evaluate(Run *run, Step *when, bool *result)
{
	ConditionArg arg = {when, false};
	const char *rest;
	Step	   *rows = when->is_path ? condition_step(run->flow, when, &rest) : NULL;
	ListCell   *lc;

	if (rows && (!step_yields_rows(rows) || *rest != '\0'))
		rows = NULL;
	if (rows && !rows->foreseen)
		return has_rows(run, rows, result);
	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);

		if (stream->fetch->number < when->number && !look_at_source(run, when, stream))
			return false;
	}
	if (!foresee_rows(run, when) || (!rows && !run_unit(run, UNIT_DATABASE, NULL, condition_unit, &arg)))
		return false;
	*result = rows ? step_state(run, rows)->foreseen > 0 : arg.result;
	return run_commit(run);
}

bool
run_condition(Run *run, Step *when, bool *result)
{
	for (int attempt = 1;; attempt++)
	{
		if (evaluate(run, when, result))
			return true;

		/* Sources are tried again by themselves. */
		if (run->error_step != when || !run_try_again(run, when, policy_retry(when), attempt))
			return false;
	}
}
