/*
 * drain.c
 *		A pass: the pages of a source go through its transforms into all sinks
 *		that are fed together, one transaction a page.
 */
#include "flow/run.h"

#include "access/xact.h"
#include "resolute.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Does the sink (or one of the steps it reads from) read from step? */
static bool
reads_from(const Step *sink, const Step *step)
{
	for (; sink != NULL; sink = sink->input)
	{
		if (sink == step)
			return true;
	}
	return false;
}

/* The steps of the pass that begins with leader, in the order written. */
static List *
pass_steps(Run *run, Step *leader)
{
	List	   *steps = NIL;
	ListCell   *lc,
			   *lc2;

	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);

		if (step->root != leader->root || step->type->kind == STEP_FETCH)
			continue;
		foreach(lc2, run->flow->all)
		{
			Step	   *sink = lfirst(lc2);

			if (sink->leader == leader && reads_from(sink, step))
			{
				steps = lappend(steps, step);
				break;
			}
		}
	}
	return steps;
}

/* The fields of a step's rows in this pass. */
static const FieldSet *
output_fields(Run *run, const Step *step)
{
	if (step->type->kind == STEP_FETCH)
		return run_stream(run, step)->source->fields;
	return step_state(run, step)->transform->fields;
}

/* Make the transform or upsert of one step. */
static void
create_step(Run *run, Step *step)
{
	StepState  *state = step_state(run, step);
	const FieldSet *input = output_fields(run, step->input);

	/* Rows that an earlier pass took through this step count once. */
	memset(&state->done.counts, 0, sizeof(state->done.counts));
	state->done.pages = 0;

	if (step->tmpl)
	{
		template_bind(step->tmpl, input);
		state->transform = map_create(step->name, step->tmpl, input);
		input = state->transform->fields;
	}
	switch (step->type->kind)
	{
		case STEP_UNIQUE:
			state->transform = unique_create(step->name, step->keys, step->keep_first, input);
			break;
		case STEP_UPSERT:
			{
				UpsertSpec *spec = palloc0(sizeof(UpsertSpec));

				spec->step = step->name;
				spec->target = step_text(step, "target");
				spec->keys = step->keys;
				spec->version = step_text(step, "version");
				spec->quiet = true;
				state->upsert = upsert_create(spec, input);
				upsert_check(state->upsert, false);
				break;
			}
		default:
			break;
	}
}

List *
pass_create(Run *run, Step *leader)
{
	List	   *pass = pass_steps(run, leader);
	ListCell   *lc;

	foreach(lc, pass)
	{
		StepContext context;

		step_context_push(&context, run->flow, lfirst(lc));
		create_step(run, lfirst(lc));
		step_context_pop(&context);
	}
	return pass;
}

/* A copy of the batch, whose rows may be moved about. */
static RowBatch *
batch_copy(const RowBatch *batch)
{
	RowBatch   *copy = batch_create(batch->fields, batch->nrows);

	copy->nrows = batch->nrows;
	memcpy(copy->rows, batch->rows, sizeof(Row) * batch->nrows);
	return copy;
}

/* One page through one step of the pass. */
static void
step_page(Run *run, Step *step, PageContext *page, RowBatch **batches)
{
	StepState  *state = step_state(run, step);
	RowBatch   *in = batches[step->input->number - 1];
	RowBatch   *rows = in;
	instr_time	start;

	memset(&state->staged, 0, sizeof(state->staged));
	INSTR_TIME_SET_CURRENT(start);
	if (state->transform)
		rows = state->transform->process(state->transform, batch_copy(in), page,
										 &state->staged.counts);
	batches[step->number - 1] = rows;
	if (run->preview)
		return;
	if (state->upsert)
		upsert_page(state->upsert, rows, page, &state->staged.counts);
	else if (step_is_sink(step))
		node_page(run, step, in);
	state->staged.work_us = elapsed_us(start);
	state->staged.pages = 1;
	state->staged.counts.rows_in = in->nrows;
}

void
pass_transform(Run *run, List *pass, RowBatch *batch, PageContext *page, RowBatch **batches)
{
	ListCell   *lc;

	foreach(lc, pass)
	{
		Step	   *step = lfirst(lc);
		StepContext context;

		batches[step->root->number - 1] = batch;
		step_context_push(&context, run->flow, step);
		step_page(run, step, page, batches);
		step_context_pop(&context);
	}
}

/* Too many dead letters fail the step. */
static void
check_failures(Run *run, List *pass)
{
	ListCell   *lc;

	foreach(lc, pass)
	{
		Step	   *step = lfirst(lc);
		StepState  *state = step_state(run, step);
		int64		failed = state->done.counts.failed + state->staged.counts.failed;

		if (state->staged.counts.failed > 0 && failed > run->flow->max_failures)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("step \"%s\" of flow \"%s\" failed for more than %d rows",
							step->name, run->flow->name, run->flow->max_failures),
					 errdetail("The page with the last of them was not stored."),
					 errhint("See resolute.dead_letters for the errors; resolute.alter_flow() sets max_failures.")));
	}
}

typedef struct WorkArg
{
	Step	   *leader;
	Stream	   *stream;
	List	   *pass;
	SourcePage	   *page;
	PageContext context;
} WorkArg;

/* The error of the first failed row, for whoever may not read the letters. */
static void
log_failures(Run *run, const PageContext *page)
{
	if (page->failures)
	{
		RowFailure *failure = linitial(page->failures);

		ereport(DEBUG1,
				(errmsg_internal("flow \"%s\": %d rows failed, the first in step \"%s\": %s",
								 run->flow->name, list_length(page->failures),
								 failure->step, failure->message)));
	}
}

/* Rows that reached a sink need their earlier dead letters no more. */
static void
resolve_letters(Run *run, WorkArg *work, RowBatch **batches)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, work->pass)
		names = lappend(names, unconstify(char *, ((Step *) lfirst(lc))->name));
	foreach(lc, work->pass)
	{
		Step	   *step = lfirst(lc);

		if (step_is_sink(step))
			dead_letters_resolve(run->letters, names, batches[step->input->number - 1],
								 &work->context);
	}
}

/* Unit: everything that one page leaves behind. */
static void
work_unit(Run *run, void *arg)
{
	WorkArg    *work = arg;
	RowBatch  **batches = palloc0(sizeof(RowBatch *) * list_length(run->flow->all));

	work->context.context = CurrentMemoryContext;
	work->context.now = GetCurrentTimestamp();
	work->context.failures = NIL;
	pass_transform(run, work->pass, work->page->batch, &work->context, batches);
	check_failures(run, work->pass);
	log_failures(run, &work->context);
	dead_letters_write(run->letters, &work->context);
	resolve_letters(run, work, batches);
	stream_checkpoint(run, work->stream, work->page);

	/* Under CALL others can watch the run; else nobody sees it before its end. */
	if (!run->atomic)
	{
		run_sum(run);
		runs_update(&run->record);
	}
}

/* Add what a page staged to what is done. */
static void
merge_record(RunStepRecord *done, const RunStepRecord *staged)
{
	done->counts.rows_in += staged->counts.rows_in;
	done->counts.rows_out += staged->counts.rows_out;
	done->counts.inserted += staged->counts.inserted;
	done->counts.updated += staged->counts.updated;
	done->counts.unchanged += staged->counts.unchanged;
	done->counts.stale += staged->counts.stale;
	done->counts.duplicates += staged->counts.duplicates;
	done->counts.filtered += staged->counts.filtered;
	done->counts.failed += staged->counts.failed;
	done->pages += staged->pages;
	done->work_us += staged->work_us;
	done->books_us += staged->books_us;
	done->commit_us += staged->commit_us;
}

/* What the node returned for the page takes the place of what it returned before. */
static void
swap_outputs(StepState *state)
{
	char	   *before = state->output;

	state->output = state->staged_output;
	state->staged_output = before;
}

/* The page is committed (kept) or not. */
static void
settle_page(Run *run, WorkArg *work, bool keep)
{
	ListCell   *lc;

	foreach(lc, work->pass)
	{
		StepState  *state = step_state(run, lfirst(lc));
		Transform  *transform = state->transform;

		if (keep)
			merge_record(&state->done, &state->staged);
		if (keep && state->staged_output)
			swap_outputs(state);
		if (state->staged_output)
			pfree(state->staged_output);
		state->staged_output = NULL;
		memset(&state->staged, 0, sizeof(state->staged));
		if (transform && keep && transform->keep)
			transform->keep(transform);
		if (transform && !keep && transform->drop)
			transform->drop(transform);
	}
	if (keep)
		stream_keep(work->stream);
	else
		stream_drop(work->stream);
}

static void
report_progress(Run *run, Stream *stream)
{
	if (resolute_progress)
		ereport(NOTICE,
				(errmsg("flow \"%s\": page " INT64_FORMAT ", " INT64_FORMAT " fetched, "
						INT64_FORMAT " inserted, " INT64_FORMAT " updated, "
						INT64_FORMAT " unchanged, " INT64_FORMAT " failed",
						run->flow->name, stream->pages, run->record.source_records,
						run->record.counts.inserted, run->record.counts.updated,
						run->record.counts.unchanged, run->record.counts.failed)));
}

/* What the steps of the pass spent on the present page. */
static int64
staged_work_us(Run *run, List *pass)
{
	int64		sum = 0;
	ListCell   *lc;

	foreach(lc, pass)
		sum += step_state(run, lfirst(lc))->staged.work_us;
	return sum;
}

/* Work on one page and commit it; the leader notes what that takes beside the steps. */
static bool
store_page(Run *run, WorkArg *work, MemoryContext context)
{
	RunStepRecord *staged = &step_state(run, work->leader)->staged;
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	if (!run_unit(run, UNIT_DATABASE, context, work_unit, work))
		return false;
	staged->books_us = Max(elapsed_us(start) - staged_work_us(run, work->pass), 0);
	INSTR_TIME_SET_CURRENT(start);
	if (!run_commit(run))
		return false;
	staged->commit_us = elapsed_us(start);
	return true;
}

/* Work on one page until it is committed. */
static bool
drain_page(Run *run, WorkArg *work, MemoryContext context)
{
	for (int attempt = 1;; attempt++)
	{
		bool		done = store_page(run, work, context);

		settle_page(run, work, done);
		if (done)
			break;
		if (run->atomic || attempt >= RUN_MAX_CONFLICTS || !run_is_conflict(run->error))
			return false;

		/* A new snapshot is needed, and the transaction may be doomed. */
		run->error = NULL;
		run->record.retries++;
		if (!run_rollback(run) ||
			!run_pause(run, context, attempt))
			return false;
	}
	run_sum(run);
	report_progress(run, work->stream);
	return true;
}

typedef struct PassArg
{
	Step	   *leader;
	List	   *pass;
} PassArg;

/* Unit: make the steps of the pass. */
static void
pass_unit(Run *run, void *arg)
{
	PassArg    *pass = arg;

	pass->pass = pass_create(run, pass->leader);
}

bool
run_drain(Run *run, Step *leader)
{
	Stream	   *stream = run_stream(run, leader->root);
	PassArg		pass = {leader, NIL};
	WorkArg		work;

	memset(&work, 0, sizeof(work));
	work.leader = leader;
	work.stream = stream;
	if (leader->root->needs_spool && !stream_fill_spool(run, stream))
		return false;
	if (stream->spool)
		spool_rewind(stream->spool);
	if (!stream_open(run, stream) ||
		!run_unit(run, UNIT_DATABASE, run->context, pass_unit, &pass) ||
		!run_commit(run))
		return false;
	work.pass = pass.pass;
	for (;;)
	{
		MemoryContext context;
		bool		drained;

		if (!stream_next(run, stream, &work.page, &context))
			return false;
		if (work.page == NULL)
			break;
		drained = drain_page(run, &work, context);
		MemoryContextDelete(context);
		if (!drained)
			return false;
	}
	stream->drained = true;

	/* What pages did not do in the caller's transaction: the next steps may look. */
	return !run->atomic || leader->root->needs_spool || stream_finish(run, stream);
}
