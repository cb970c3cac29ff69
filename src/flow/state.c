/*
 * state.c
 *		What conditions and nodes see: the outputs so far, as one document.
 */
#include "flow/run.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "flow/check.h"
#include "flow/failure.h"
#include "flow/node.h"
#include "flow/row_step.h"
#include "flow/policy.h"
#include "flow/stream.h"
#include "flow/unit.h"
#include "flow/watch.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
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

		record->source_records += stream->all_rows;
		record->pages += stream->all_pages;
		if (stream->cursor && stream->cursor->has_position)
			record->cursor_position = stream->cursor->position;
	}
}

/* Rows that got lost on the way to the rows of a step. */
static int64
lost_before(Run *run, const Step *step)
{
	const StepCounts *counts = &step_state(run, step)->done.counts;
	int64		lost = counts->duplicates + counts->filtered + counts->failed;
	ListCell   *lc;

	foreach(lc, step->inputs)
		lost += lost_before(run, lfirst(lc));
	return lost;
}

/*
 * The source's records that a step was given.  Where a step before it has made other rows out
 * of its rows, those are meant, and what got lost before; *made is set then.
 */
static int64
records_in(Run *run, const Step *step, bool *made)
{
	int64		records = 0;
	ListCell   *lc;

	foreach(lc, step->inputs)
	{
		const Step *input = lfirst(lc);

		if (input->type->kind != STEP_FETCH && !step_reshapes(input))
		{
			records += records_in(run, input, made);
			continue;
		}
		records += step_state(run, input)->done.counts.rows_out;
		if (input->type->kind != STEP_FETCH)
		{
			records += lost_before(run, input);
			*made = true;
		}
	}
	return records;
}

/* The counts of a sink and of the steps that its rows came through. */
static void
sum_chain(Run *run, const Step *sink, StepCounts *sum, int64 *source_records)
{
	bool		made = false;
	ListCell   *lc;

	memset(sum, 0, sizeof(*sum));
	foreach(lc, run->flow->all)
	{
		const Step *step = lfirst(lc);

		if (step->type->kind != STEP_FETCH && step_reads_from(sink, step))
			add_number(sum, &step_state(run, step)->done.counts);
	}
	*source_records = records_in(run, sink, &made);

	/* Pages of dead letters never were rows of the step that would have made some of them. */
	if (made)
		*source_records += step_state(run, sink)->dead_lettered;
}

/* How far the sources of a sink have been read: the latest of them. */
static bool
greatest_maximum(Run *run, const Step *sink, TimestampTz *maximum)
{
	bool		known = false;
	ListCell   *lc;

	foreach(lc, sink->roots)
	{
		const Stream *stream = run_stream(run, lfirst(lc));

		if (!stream->has_maximum || (known && stream->maximum <= *maximum))
			continue;
		*maximum = stream->maximum;
		known = true;
	}
	return known;
}

char *
sink_output(Run *run, const Step *sink)
{
	StringInfoData out;
	StepCounts	sum;
	int64		source_records;
	TimestampTz maximum = 0;
	bool		known = greatest_maximum(run, sink, &maximum);

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
	append_instant(&out, known ? maximum : 0);
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* What a source shows: one that holds a page, or one that has been read. */
static char *
fetch_output(const Stream *stream)
{
	if (stream->fetch->manual)
		return psprintf("{\"has_more\": %s, \"count\": %d, \"pages\": " INT64_FORMAT "}",
						stream->current ? "true" : "false",
						stream->current ? stream->current->batch->nrows : 0, stream->pages);
	if (!stream->ended)
		return NULL;
	return psprintf("{\"count\": " INT64_FORMAT ", \"pages\": " INT64_FORMAT "}",
					stream->rows, stream->pages);
}

/* What a step shows in the state, or NULL if there is nothing yet. */
static char *
step_output(Run *run, const Step *step)
{
	StepState  *state = step_state(run, step);

	if (state->output)
		return state->output;
	if (step->type->kind == STEP_UPSERT && (state->upsert || state->done.pages > 0))
		return sink_output(run, step);
	if (step->type->kind == STEP_FETCH && run_stream(run, step)->opened > 0)
		return fetch_output(run_stream(run, step));
	if (state->foreseen_opened > 0)
		return psprintf("{\"count\": " INT64_FORMAT "}", state->foreseen);
	if (step_yields_rows(step) && (state->transform || state->done.pages > 0))
		return psprintf("{\"count\": " INT64_FORMAT "}", state->done.counts.rows_out);
	return NULL;
}

char *
run_metrics(Run *run)
{
	run_sum(run);
	return runs_metrics(&run->record, GetCurrentTimestamp());
}

char *
run_state(Run *run)
{
	StringInfoData out;
	ListCell   *lc;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"input\": %s, \"run\": %s", run->input, run_metrics(run));
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
	appendStringInfo(&out, ", \"error\": %s}", run->handled ? run->handled : "null");
	return out.data;
}

Datum
run_jsonb(const char *text)
{
	Value		value = value_make(VALUE_JSON, text, strlen(text));

	return value_jsonb(&value);
}

/* What a node without rows is called with: an output, or the whole state. */
static Datum
node_input(Run *run, const Step *step)
{
	char	   *output = step->input ? step_output(run, step->input) : run_state(run);

	return run_jsonb(output ? output : "null");
}

/* In a loop, an output takes the place of that of the round before. */
static void
set_output(Run *run, StepState *state, const char *output)
{
	if (state->output)
		pfree(state->output);
	state->output = MemoryContextStrdup(run->context, output);
}

/* Unit: a node without rows, or an SQL statement. */
static void
action_unit(Run *run, void *arg)
{
	Step	   *step = arg;
	StepState  *state = step_state(run, step);
	StepContext context;
	Watch	   *watch;
	char	   *output;
	int			result;

	step_context_push(&context, run->flow, step);
	watch = watch_begin(run, step, step->policy.timeout_us);
	if (step->type->kind == STEP_NODE)
		output = node_call(run, step, node_input(run, step));
	else if (step->type->kind == STEP_EMIT_METRICS)
		output = emit_metrics(run, step);
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
		set_output(run, state, output);
	state->done.pages++;
	watch_end(watch);
	step_context_pop(&context);
}

bool
run_action(Run *run, Step *step)
{
	for (int attempt = 1;; attempt++)
	{
		if (!run_take_turn(run, step, true))
			return false;
		if (run_unit(run, UNIT_DATABASE, NULL, action_unit, step) && run_commit(run))
			return true;
		if (!run_try_again(run, step, policy_retry(step), attempt))
			return false;
	}
}
