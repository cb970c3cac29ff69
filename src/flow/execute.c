/*
 * execute.c
 *		Prepares a run and takes its steps in order.
 */
#include "flow/run.h"

#include "flow/check.h"
#include "flow/failure.h"
#include "flow/pass.h"
#include "flow/policy.h"
#include "flow/stream.h"
#include "flow/unit.h"
#include "flow/watch.h"

/* One stream per fetch step, with its cursor locked. */
static void
create_stream(Run *run, Step *fetch)
{
	Stream	   *stream = palloc0(sizeof(Stream));

	stream->fetch = fetch;
	run->streams = lappend(run->streams, stream);
	if (fetch->cursor == NULL)
		return;
	stream->cursor_id = cursor_ensure(run->flow->owner, fetch->cursor->name);
	if (run->preview || run->record.kind == RUN_REPLAY)
		return;					/* only looked at, or left alone */
	stream->cursor_locked = cursor_lock(stream->cursor_id, !run->atomic);
	if (!stream->cursor_locked)
		run->busy = true;
}

/* Unit: parse the flow and set up what the run needs. */
static void
prepare_unit(Run *run, void *arg pg_attribute_unused())
{
	ListCell   *lc;

	flow_parse(run->flow);
	flow_compile(run->flow);
	run->letters = dead_letters_create(run->flow->id, run->flow->name, run->flow->owner,
									   run->flow->version, run->record.run_id);
	run->steps = palloc0(sizeof(StepState) * list_length(run->flow->all));
	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);
		RunStepRecord *done = &step_state(run, step)->done;

		done->number = step->number;
		done->step = step->name;
		done->kind = step->type->name;
		if (step->type->kind == STEP_FETCH)
			create_stream(run, step);
	}
	flow_check_targets(run->flow, false, true);
}

bool
run_prepare(Run *run)
{
	return run_unit(run, UNIT_DATABASE, run->context, prepare_unit, NULL) && run_commit(run);
}

void
run_unlock_cursors(Run *run)
{
	ListCell   *lc;

	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);

		if (stream->cursor_locked && !run->atomic)
			cursor_unlock(stream->cursor_id);
		stream->cursor_locked = false;
	}
}

static int64
max_iterations(const Step *loop)
{
	return loop->policy.max_iterations > 0 ? loop->policy.max_iterations : WHILE_MAX_ITERATIONS;
}

/* Unit: a loop has gone on for too long. */
static void
endless_unit(Run *run, void *arg)
{
	const Step *loop = arg;

	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("loop \"%s\" of flow \"%s\" did not end after " INT64_FORMAT " rounds",
					loop->name, run->flow->name, max_iterations(loop)),
			 errdetail("Its condition is still true: %s", step_text(loop, "condition")),
			 errhint("A loop over pages ends with resolute.next_page(); resolute.with_max_iterations() allows more rounds.")));
}

/* What a loop fetches is fetched anew in each round. */
static bool
begin_round(Run *run, const Step *loop)
{
	ListCell   *lc;

	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);

		if (step_stands_in(stream->fetch, loop, 0) && !stream_reopen(run, stream))
			return false;
	}
	return true;
}

static bool
execute_loop(Run *run, Step *loop)
{
	for (int64 round = 0;; round++)
	{
		bool		wanted;

		if (!run_condition(run, loop, &wanted))
			return false;
		if (!wanted)
			return true;
		if (round >= max_iterations(loop))
			return run_fail(run, loop, endless_unit, loop);
		if (!begin_round(run, loop) || !run_steps(run, loop->children))
			return false;
		step_state(run, loop)->done.pages++;
	}
}

/* Unit: see the requests of a source off, so that they are under way. */
static void
start_unit(Run *run, void *arg)
{
	Stream	   *stream = arg;
	StepContext context;
	int64		due_ms = PG_INT32_MAX;

	step_context_push(&context, run->flow, stream->fetch);
	(void) stream->source->ready(stream->source, &due_ms);
	step_context_pop(&context);
}

/* Open a source, and ask for its first page. */
static bool
start_stream(Run *run, Stream *stream)
{
	if (!stream_open(run, stream) || stream->ended)
		return stream->ended;
	if (!stream->has_turn && !run_take_turn(run, stream->fetch, true))
		return false;
	stream->has_turn = true;
	if (run_unit(run, UNIT_NETWORK, NULL, start_unit, stream))
		return true;

	/* Asked for its page, it will say so again, and may be tried again. */
	if (run->error_step != stream->fetch || run->error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		return false;
	run->error = NULL;
	return true;
}

/* Is the step always run when the block is? */
static bool
runs_with(const Step *step, const Step *block)
{
	for (; step && step != block; step = step->parent)
	{
		if (step->handler > 0 || (step->parent != block && step->parent &&
								  step->parent->type->kind != STEP_PARALLEL))
			return false;
	}
	return step == block;
}

/* Send the first requests of everything that is fetched in the block; then take its steps. */
static bool
execute_parallel(Run *run, Step *block)
{
	ListCell   *lc;

	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);

		if (!runs_with(stream->fetch, block) || stream->failed)
			continue;
		if (!start_stream(run, stream) && !stream_handle(run, stream))
			return false;
	}
	return run_steps(run, block->children);
}

static bool
execute_block(Run *run, Step *step)
{
	bool		wanted;

	switch (step->type->kind)
	{
		case STEP_WHEN:
			return run_condition(run, step, &wanted) &&
				(!wanted || run_steps(run, step->children));
		case STEP_WHILE:
			return execute_loop(run, step);
		default:
			return execute_parallel(run, step);
	}
}

/* Unit: a block has come to its end in time. */
static void
in_time_unit(Run *run pg_attribute_unused(), void *arg)
{
	watch_end(arg);
}

/* A block that fails gives up what is fetched in it. */
static bool
give_up_block(Run *run, const Step *block)
{
	ListCell   *lc;

	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);

		if (step_stands_in(stream->fetch, block, 0) && !stream_fail(run, stream))
			return false;
	}
	return true;
}

/* Run a block in the time that it may take. */
static bool
execute_timed(Run *run, Step *block)
{
	Watch	   *outer = watch_innermost();
	Watch	   *watch = watch_begin(run, block, block->policy.timeout_us);
	bool		done = execute_block(run, block);

	if (done && watch)
		done = run_unit(run, UNIT_NETWORK, NULL, in_time_unit, watch);
	watch_unwind(outer);
	return done || (give_up_block(run, block) && run_handle(run, block, NULL));
}

static bool
turn_page(Run *run, Step *step)
{
	Stream	   *stream = run_stream(run, step->root);

	if (stream_next_page(run, stream))
		return true;
	if (run->error_step == stream->fetch)
		return stream_handle(run, stream);
	return false;
}

static bool
execute_step(Run *run, Step *step)
{
	if (step_yields_rows(step))
		return true;			/* streams are read when a sink asks for them */
	if (step_is_block(step))
		return execute_timed(run, step);

	/* The first sink of a pass feeds all of them. */
	if (step_is_sink(step))
		return step->leader != step || run_drain(run, step);
	switch (step->type->kind)
	{
		case STEP_NEXT_PAGE:
			return turn_page(run, step) || run_handle(run, step, NULL);
		case STEP_DEAD_LETTER:
			return run_dead_letter(run, step) || run_handle(run, step, NULL);
		default:
			return run_action(run, step) || run_handle(run, step, NULL);
	}
}

bool
run_steps(Run *run, List *steps)
{
	ListCell   *lc;

	foreach(lc, steps)
	{
		if (!execute_step(run, lfirst(lc)))
			return false;
	}
	return true;
}

bool
run_execute(Run *run)
{
	return run_steps(run, run->flow->steps) && stream_finish_all(run);
}
