/*
 * execute.c
 *		Prepares a run and takes its steps in order.
 */
#include "flow/run.h"

#include "flow/check.h"

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
	if (run->preview)
		return;
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

static bool execute_steps(Run *run, List *steps);

static bool
execute_step(Run *run, Step *step)
{
	bool		wanted;

	switch (step->type->kind)
	{
		case STEP_FETCH:
		case STEP_MAP:
		case STEP_UNIQUE:
		case STEP_MERGE:
			/* Streams are read when a sink asks for them. */
			return true;
		case STEP_UPSERT:
		case STEP_NODE:
			if (!step_is_sink(step))
				return run_action(run, step);

			/* The first sink of a pass feeds all of them. */
			return step->leader != step || run_drain(run, step);
		case STEP_SQL:
			return run_action(run, step);
		case STEP_WHEN:
			return run_condition(run, step, &wanted) &&
				(!wanted || execute_steps(run, step->children));
		default:
			break;
	}
	return true;
}

static bool
execute_steps(Run *run, List *steps)
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
	return execute_steps(run, run->flow->steps) && stream_finish_all(run);
}
