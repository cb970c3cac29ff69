/*
 * state.c
 *		What conditions and nodes see: the outputs so far, as one document.
 */
#include "flow/run.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "flow/check.h"
#include "mb/pg_wchar.h"
#include "rows/json.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

static void
add_number(StepCounts *sum, const StepCounts *counts)
{
	sum->inserted += counts->inserted;
	sum->updated += counts->updated;
	sum->unchanged += counts->unchanged;
	sum->stale += counts->stale;
	sum->duplicates += counts->duplicates;
	sum->filtered += counts->filtered;
	sum->failed += counts->failed;
}

void
run_sum(Run *run)
{
	RunRecord  *record = &run->record;
	ListCell   *lc;

	record->source_records = record->pages = 0;
	memset(&record->counts, 0, sizeof(record->counts));
	record->cursor_position = 0;
	foreach(lc, run->flow->all)
	{
		StepState  *state = run->steps ? step_state(run, lfirst(lc)) : NULL;

		if (state == NULL)
			break;
		add_number(&record->counts, &state->done.counts);
		add_number(&record->counts, &state->staged.counts);
	}
	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);

		record->source_records += stream->rows;
		record->pages += stream->pages;
		if (stream->cursor && stream->cursor->has_position)
			record->cursor_position = stream->cursor->position;
	}
}

/* The counts of a sink and of the steps that its rows came through. */
static void
sum_chain(Run *run, const Step *sink, StepCounts *sum, int64 *source_records)
{
	memset(sum, 0, sizeof(*sum));
	for (const Step *step = sink; step->type->kind != STEP_FETCH; step = step->input)
		add_number(sum, &step_state(run, step)->done.counts);
	*source_records = step_state(run, sink->root)->done.counts.rows_out;
}

/* An instant as a JSON string, or null. */
static void
append_instant(StringInfo out, bool known, TimestampTz instant)
{
	if (known)
		appendStringInfo(out, "\"%s\"", timestamptz_to_str(instant));
	else
		appendStringInfoString(out, "null");
}

char *
sink_output(Run *run, const Step *sink)
{
	Stream	   *stream = run_stream(run, sink->root);
	StringInfoData out;
	StepCounts	sum;
	int64		source_records;

	sum_chain(run, sink, &sum, &source_records);
	initStringInfo(&out);
	appendStringInfo(&out,
					 "{\"source_records\": " INT64_FORMAT ", \"processed\": " INT64_FORMAT
					 ", \"inserted\": " INT64_FORMAT ", \"updated\": " INT64_FORMAT
					 ", \"unchanged\": " INT64_FORMAT ", \"stale\": " INT64_FORMAT
					 ", \"duplicates\": " INT64_FORMAT ", \"filtered\": " INT64_FORMAT
					 ", \"failed\": " INT64_FORMAT ", \"pages\": " INT64_FORMAT,
					 source_records,
					 sum.inserted + sum.updated + sum.unchanged + sum.stale,
					 sum.inserted, sum.updated, sum.unchanged, sum.stale,
					 sum.duplicates, sum.filtered, sum.failed,
					 step_state(run, sink)->done.pages);
	appendStringInfo(&out, ", \"duration_seconds\": %.3f, \"cursor_position\": ",
					 (GetCurrentTimestamp() - run->record.started_at) / 1000000.0);
	append_instant(&out, stream->has_maximum, stream->maximum);
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* What a step shows in the state, or NULL if there is nothing yet. */
static char *
step_output(Run *run, const Step *step)
{
	StepState  *state = step_state(run, step);

	if (state->output)
		return state->output;
	if (step->type->kind == STEP_UPSERT && state->upsert)
		return sink_output(run, step);
	if (step->type->kind == STEP_FETCH && run_stream(run, step)->ended)
		return psprintf("{\"count\": " INT64_FORMAT ", \"pages\": " INT64_FORMAT "}",
						run_stream(run, step)->rows, run_stream(run, step)->pages);
	if (step_yields_rows(step) && state->transform)
		return psprintf("{\"count\": " INT64_FORMAT "}", state->done.counts.rows_out);
	return NULL;
}

/* The head of the state: the input, and the run itself. */
static void
append_run(Run *run, StringInfo out)
{
	run_sum(run);
	appendStringInfo(out, "{\"input\": %s, \"run\": {\"run_id\": " INT64_FORMAT ", \"flow\": \"",
					 run->input, run->record.run_id);
	json_append_escaped(out, run->flow->name, strlen(run->flow->name));
	appendStringInfo(out, "\", \"version\": %d, \"started_at\": ", run->flow->version);
	append_instant(out, true, run->record.started_at);
	appendStringInfo(out, ", \"source_records\": " INT64_FORMAT ", \"processed\": " INT64_FORMAT
					 ", \"inserted\": " INT64_FORMAT ", \"updated\": " INT64_FORMAT
					 ", \"failed\": " INT64_FORMAT ", \"duration_seconds\": %.3f}",
					 run->record.source_records,
					 run->record.counts.inserted + run->record.counts.updated +
					 run->record.counts.unchanged + run->record.counts.stale,
					 run->record.counts.inserted, run->record.counts.updated,
					 run->record.counts.failed,
					 (GetCurrentTimestamp() - run->record.started_at) / 1000000.0);
}

char *
run_state(Run *run)
{
	StringInfoData out;
	ListCell   *lc;

	initStringInfo(&out);
	append_run(run, &out);
	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);
		char	   *output = step->named ? step_output(run, step) : NULL;

		if (output == NULL)
			continue;
		appendStringInfoString(&out, ", \"");
		json_append_escaped(&out, step->name, strlen(step->name));
		appendStringInfo(&out, "\": %s", output);
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* A document in UTF-8 as a jsonb datum. */
static Datum
jsonb_from_text(const char *text)
{
	Value		value = value_make(VALUE_JSON, text, strlen(text));

	return value_jsonb(&value);
}

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
	Datum		values[] = {jsonb_from_text(run_state(run))};
	bool		isnull;
	Datum		result;

	if (SPI_execute_with_args(condition_sql(condition), 1, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "condition is no query");
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return !isnull && DatumGetBool(result);
}

/* Unit: evaluate a condition that looks at the state. */
static void
condition_unit(Run *run, void *arg)
{
	ConditionArg *condition = arg;
	char	   *text = step_text(condition->when, "condition");
	StepContext context;

	step_context_push(&context, run->flow, condition->when);
	condition->result = condition->when->is_path ? path_truth(run, text) : sql_truth(run, text);
	step_context_pop(&context);
}

/* Fill the spools that the condition needs. */
static bool
fill_spools(Run *run, Step *when)
{
	ListCell   *lc;

	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);

		if (stream->fetch->number < when->number && stream->fetch->needs_spool &&
			!stream_fill_spool(run, stream))
			return false;
	}
	return true;
}

bool
run_condition(Run *run, Step *when, bool *result)
{
	ConditionArg arg = {when, false};
	const char *rest;
	Step	   *step;

	if (when->is_path)
	{
		step = condition_step(run->flow, when, &rest);
		if (step && step_yields_rows(step) && *rest == '\0')
			return stream_has_rows(run, run_stream(run, step->root), result);
	}
	if (!fill_spools(run, when) ||
		!run_unit(run, UNIT_DATABASE, run->context, condition_unit, &arg))
		return false;
	*result = arg.result;
	return run_commit(run);
}

/* Call a node's function with a jsonb argument; NULL for a null result. */
static char *
call_node(const Step *step, Datum argument)
{
	Oid			types[] = {JSONBOID};
	Datum		values[] = {argument};
	char	   *function = node_function(step_text(step, "function"));
	char	   *result;

	if (SPI_execute_with_args(psprintf("SELECT %s($1)", function), 1, types, values, NULL,
							  false, 1) != SPI_OK_SELECT)
		elog(ERROR, "call of a node is no query");
	result = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	return result ? pg_server_to_any(result, strlen(result), PG_UTF8) : NULL;
}

/* The sum of two JSON numbers, as text. */
static char *
add_numbers(const Value *a, const Value *b)
{
	Datum		x = DirectFunctionCall3(numeric_in, CStringGetDatum(value_cstring(a)),
										ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	Datum		y = DirectFunctionCall3(numeric_in, CStringGetDatum(value_cstring(b)),
										ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	return DatumGetCString(DirectFunctionCall1(numeric_out,
											   DirectFunctionCall2(numeric_add, x, y)));
}

/* Append a member of the merged object. */
static void
append_member(StringInfo out, const Value *key, const char *text)
{
	appendStringInfoString(out, out->len > 1 ? ", \"" : "\"");
	appendBinaryStringInfo(out, key->data, key->len);
	appendStringInfo(out, "\": %s", text);
}

static char *
value_text_json(const Value *value)
{
	StringInfoData out;

	initStringInfo(&out);
	value_append_json(&out, value);
	return out.data;
}

/* What a node returned for earlier pages and for this one: numbers add up. */
static char *
merge_outputs(const char *before, const char *now)
{
	StringInfoData out;
	Value		old,
				new,
				key,
				value;
	JsonIter	it;

	if (before == NULL || !json_document(before, strlen(before), &old) ||
		!json_document(now, strlen(now), &new) || *old.data != '{' || *new.data != '{')
		return pstrdup(now);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	for (it = json_iter(&old); json_next(&it, &key, &value);)
	{
		Value		name = value_unescaped(&key);
		Value		other = json_member(&new, name.data, name.len, false);

		if (other.kind == VALUE_NUMBER && value.kind == VALUE_NUMBER)
			append_member(&out, &key, add_numbers(&value, &other));
		else
			append_member(&out, &key, value_text_json(other.kind == VALUE_MISSING ? &value : &other));
	}
	for (it = json_iter(&new); json_next(&it, &key, &value);)
	{
		Value		name = value_unescaped(&key);

		if (json_member(&old, name.data, name.len, false).kind == VALUE_MISSING)
			append_member(&out, &key, value_text_json(&value));
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}

void
node_page(Run *run, Step *step, RowBatch *batch)
{
	StepState  *state = step_state(run, step);
	StringInfoData items;
	char	   *result;

	if (batch->nrows == 0)
		return;
	initStringInfo(&items);
	appendStringInfoChar(&items, '[');
	for (int i = 0; i < batch->nrows; i++)
	{
		if (i > 0)
			appendStringInfoChar(&items, ',');
		row_append_json(&items, batch->fields, &batch->rows[i]);
	}
	appendStringInfoChar(&items, ']');
	result = call_node(step, jsonb_from_text(items.data));
	if (result)
		state->staged_output = MemoryContextStrdup(run->context,
												   merge_outputs(state->output, result));
}

/* What a node without rows is called with: an output, or the whole state. */
static Datum
node_input(Run *run, const Step *step)
{
	char	   *output = step->input ? step_output(run, step->input) : run_state(run);

	return jsonb_from_text(output ? output : "null");
}

/* Unit: a node without rows, or an SQL statement. */
static void
action_unit(Run *run, void *arg)
{
	Step	   *step = arg;
	StepState  *state = step_state(run, step);
	StepContext context;
	char	   *output;
	int			result;

	step_context_push(&context, run->flow, step);
	if (step->type->kind == STEP_NODE)
		output = call_node(step, node_input(run, step));
	else
	{
		result = SPI_execute(step_text(step, "statement"), false, 0);
		if (result < 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("resolute.sql() cannot run this kind of statement"),
					 errdetail("%s", SPI_result_code_string(result))));
		output = psprintf("{\"rows\": " UINT64_FORMAT "}", SPI_processed);
	}
	if (output)
		state->output = MemoryContextStrdup(run->context, output);
	state->done.pages++;
	step_context_pop(&context);
}

bool
run_action(Run *run, Step *step)
{
	return run_unit(run, UNIT_DATABASE, run->context, action_unit, step) && run_commit(run);
}
