/*
 * pass_page.c
 *		A page on its way through the steps of a pass, and what it adds to their books.
 */
#include "flow/pass.h"

#include "flow/node.h"
#include "flow/watch.h"

/* The input that the page comes from: of several, the one that has been made of it. */
static int
page_input(const Step *step, RowBatch **batches)
{
	ListCell   *lc;

	foreach(lc, step->inputs)
	{
		if (batches[((Step *) lfirst(lc))->number - 1])
			return foreach_current_index(lc);
	}
	elog(ERROR, "step \"%s\" has no input", step->name);
}

/* Put the page through the i-th step, in the time that it may take. */
static void
step_page(Run *run, Pass *pass, int i, PageContext *page, RowBatch **batches)
{
	Step	   *step = pass->steps[i];
	StepState  *state = step_state(run, step);
	Transform  *transform = pass->transforms[i];
	int			input = page_input(step, batches);
	RowBatch   *in = batches[((Step *) list_nth(step->inputs, input))->number - 1];
	RowBatch   *rows = in;
	Watch	   *watch = watch_begin(run, step, step->policy.timeout_us);

	if (step->type->kind == STEP_MERGE)
		rows = merge_page(transform, input, in, page, &state->staged.counts);
	else if (transform)
	{
		rows = transform->process(transform, batch_copy(in), page, &state->staged.counts);
		rows->rank = in->rank;
	}
	batches[step->number - 1] = rows;
	if (pass->upserts[i] && run->saw_rows)
		run->saw_rows(run, step, rows, page);
	if (run->preview || run->dry)
		;						/* that was all */
	else if (pass->upserts[i])
		upsert_page(pass->upserts[i], rows, page, &state->staged.counts);
	else if (step_is_sink(step))
		node_page(run, step, in, page);
	watch_end(watch);
	state->staged.counts.rows_in = in->nrows;
}

/* Put a page through the i-th step, and note what that took. */
static void
work_step(Run *run, Pass *pass, int i, PageContext *page, RowBatch **batches)
{
	StepState  *state = step_state(run, pass->steps[i]);
	StepContext context;
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	step_context_push(&context, run->flow, pass->steps[i]);
	step_page(run, pass, i, page, batches);
	step_context_pop(&context);

	/* Rows that another pass takes through this step, too, count there. */
	if (!pass->counts[i])
		memset(&state->staged, 0, sizeof(state->staged));
	state->staged.work_us = elapsed_us(start);
	state->staged.pages = 1;
}

void
pass_page(Run *run, Pass *pass, const Step *from, RowBatch *batch, PageContext *page,
		  RowBatch **batches)
{
	batches[from->number - 1] = batch;
	for (int i = 0; i < pass->nsteps; i++)
	{
		Step	   *step = pass->steps[i];
		StepState  *state = step_state(run, step);

		memset(&state->staged, 0, sizeof(state->staged));
		if (step == from && pass->counts[i])
			state->staged.counts.rows_out = batch->nrows;
		if (step != from && step_reads_from(step, from))
			work_step(run, pass, i, page, batches);
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

void
pass_settle(Run *run, Pass *pass, bool keep)
{
	for (int i = 0; i < pass->nsteps; i++)
	{
		StepState  *state = step_state(run, pass->steps[i]);
		Transform  *transform = pass->transforms[i];

		if (keep && pass->counts[i])
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
}
