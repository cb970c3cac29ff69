/*
 * pass.c
 *		A pass: which steps belong to it, and what they need to work on pages.
 */
#include "flow/pass.h"

#include "flow/node.h"
#include "flow/row_step.h"

#include "utils/memutils.h"

/* Is a merge among the steps that it reads from? */
static bool
reads_merge(const Step *step)
{
	for (; step; step = step->input)
	{
		if (step->type->kind == STEP_MERGE)
			return true;
	}
	return false;
}

/* Has its source been given up, so that nobody knows its fields? */
static bool
is_gone(Run *run, const Step *step)
{
	ListCell   *lc;

	foreach(lc, step->roots)
	{
		Stream	   *stream = run_stream(run, lfirst(lc));

		if (!stream->failed && (stream->source || stream->spool))
			return false;
	}
	return true;
}

bool
pass_reads(Run *run, const Step *leader, const Step *fetch)
{
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		const Step *sink = lfirst(lc);

		if (sink->leader == leader && list_member_ptr(sink->roots, fetch))
			return true;
	}
	return false;
}

/* Do rows of the step go to a sink of the pass, or into the rows that it is made for? */
static bool
belongs_to(Run *run, const Pass *pass, const Step *step)
{
	ListCell   *lc;

	if (step->root == NULL || (!step_yields_rows(step) && !step_is_sink(step)) ||
		is_gone(run, step))
		return false;
	if (step_yields_rows(pass->leader))
		return step_reads_from(pass->leader, step);
	foreach(lc, run->flow->all)
	{
		const Step *sink = lfirst(lc);

		if (sink->leader == pass->leader && step_reads_from(sink, step))
			return true;
	}
	return false;
}

/* The steps of the pass that begins with leader, in the order written, and its sources. */
static void
find_steps(Run *run, Pass *pass)
{
	ListCell   *lc;

	pass->steps = palloc(sizeof(Step *) * list_length(run->flow->all));
	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);

		if (!belongs_to(run, pass, step))
			continue;
		if (step->type->kind == STEP_FETCH)
			pass->roots = lappend(pass->roots, step);
		else
			pass->steps[pass->nsteps++] = step;
	}
}

/* The fields of a step's rows in this pass; NULL if its source is gone. */
static const FieldSet *
output_fields(Run *run, const Step *step)
{
	Stream	   *stream;

	if (is_gone(run, step))
		return NULL;
	if (step->type->kind != STEP_FETCH)
		return step_state(run, step)->transform->fields;
	stream = run_stream(run, step);
	return stream->source ? stream->source->fields : spool_fields(stream->spool);
}

/* Begin the books of a step for this pass, if no other one keeps them. */
static bool
take_books(Run *run, const Pass *pass, const Step *step)
{
	StepState  *state = step_state(run, step);
	int64		opened = 0;
	ListCell   *lc;

	foreach(lc, step->roots)
		opened += run_stream(run, lfirst(lc))->opened;
	if (state->keeper == NULL || state->keeper_opened != opened)
		state->keeper = pass->leader;
	state->keeper_opened = opened;
	return state->keeper == pass->leader;
}

static Upsert *
create_upsert(const Run *run, const Step *step, const FieldSet *input)
{
	UpsertSpec *spec = palloc0(sizeof(UpsertSpec));
	Upsert	   *upsert;

	spec->step = step->name;
	spec->target = step_text(step, "target");
	spec->keys = step->keys;
	spec->version = run->dry ? NULL : step_text(step, "version");
	spec->quiet = true;
	upsert = upsert_create(spec, input);
	upsert_check(upsert, false);
	return upsert;
}

static Transform *
create_merge(Run *run, const Step *step)
{
	const FieldSet **inputs = palloc0(sizeof(FieldSet *) * list_length(step->inputs));
	ListCell   *lc;
	int			n = 0;

	foreach(lc, step->inputs)
		inputs[n++] = output_fields(run, lfirst(lc));
	return merge_create(step->name, n, inputs);
}

static Transform *
create_unique(const Step *step, const FieldSet *input)
{
	Transform  *unique = unique_create(step->name, step->keys, step->keep_first, input);

	if (reads_merge(step))
		unique_over_merge(unique);
	return unique;
}

/* Make the transform or upsert of the i-th step. */
static void
create_step(Run *run, Pass *pass, int i)
{
	Step	   *step = pass->steps[i];
	const FieldSet *input = output_fields(run, step->input);

	pass->counts[i] = !step_yields_rows(pass->leader) && take_books(run, pass, step);
	if (step->tmpl)
	{
		pass->transforms[i] = map_create(step->name, step->tmpl, input);
		input = pass->transforms[i]->fields;
	}
	switch (step->type->kind)
	{
		case STEP_UNIQUE:
			pass->transforms[i] = create_unique(step, input);
			break;
		case STEP_MERGE:
			pass->transforms[i] = create_merge(run, step);
			break;
		case STEP_ROWS:
			pass->transforms[i] = row_step_create(step, input);
			break;
		case STEP_NODE:
			if (step->streams)
				pass->transforms[i] = node_rows_create(run, step);
			break;
		case STEP_UPSERT:
			pass->upserts[i] = create_upsert(run, step, input);
			break;
		default:
			break;
	}
	step_state(run, step)->transform = pass->transforms[i];
	step_state(run, step)->upsert = pass->upserts[i];
}

/* How often the sources of the pass have been opened. */
static int64
times_opened(Run *run, const Pass *pass)
{
	int64		opened = 0;
	ListCell   *lc;

	foreach(lc, pass->roots)
		opened += run_stream(run, lfirst(lc))->opened;
	return opened;
}

/* Go on with a pass whose sources hold one page at a time. */
static bool
resume_pass(Run *run, Pass *pass)
{
	ListCell   *lc;

	foreach(lc, pass->roots)
	{
		if (!step_is_manual(lfirst(lc)))
			return false;
	}
	if (pass->roots == NIL || pass->opened != times_opened(run, pass))
		return false;

	/* Another pass may have had the same steps meanwhile. */
	for (int i = 0; i < pass->nsteps; i++)
	{
		Step	   *step = pass->steps[i];

		step_state(run, step)->transform = pass->transforms[i];
		step_state(run, step)->upsert = pass->upserts[i];
		if (step->tmpl)
			template_bind(step->tmpl, output_fields(run, step->input));
	}
	return true;
}

void
pass_end(Run *run, Pass *pass)
{
	for (int i = 0; i < pass->nsteps; i++)
	{
		StepState  *state = step_state(run, pass->steps[i]);

		state->transform = NULL;
		state->upsert = NULL;
	}
	MemoryContextDelete(pass->context);
}

/* An empty pass, in a context of its own. */
static Pass *
new_pass(Run *run, Step *leader)
{
	MemoryContext context = AllocSetContextCreate(run->context, "resolute pass",
												  ALLOCSET_DEFAULT_SIZES);
	Pass	   *pass = MemoryContextAllocZero(context, sizeof(Pass));

	pass->context = context;
	pass->leader = leader;
	return pass;
}

/* Make what its steps need. */
static void
create_steps(Run *run, Pass *pass)
{
	pass->opened = times_opened(run, pass);
	pass->transforms = palloc0(sizeof(Transform *) * Max(pass->nsteps, 1));
	pass->upserts = palloc0(sizeof(Upsert *) * Max(pass->nsteps, 1));
	pass->counts = palloc0(sizeof(bool) * Max(pass->nsteps, 1));
	for (int i = 0; i < pass->nsteps; i++)
	{
		StepContext step_context;

		step_context_push(&step_context, run->flow, pass->steps[i]);
		create_step(run, pass, i);
		step_context_pop(&step_context);
	}
}

/* Make the pass of a leader. */
static Pass *
make_pass(Run *run, Step *leader)
{
	Pass	   *pass = new_pass(run, leader);
	MemoryContext old = MemoryContextSwitchTo(pass->context);

	find_steps(run, pass);
	create_steps(run, pass);
	MemoryContextSwitchTo(old);
	return pass;
}

Pass *
pass_begin(Run *run, Step *leader)
{
	StepState  *state = step_state(run, leader);

	if (state->pass && resume_pass(run, state->pass))
		return state->pass;
	if (state->pass)
		pass_end(run, state->pass);
	state->pass = NULL;
	state->pass = make_pass(run, leader);
	return state->pass;
}

Pass *
pass_of_steps(Run *run, Step *fetch, List *steps)
{
	Pass	   *pass = new_pass(run, llast(steps));
	MemoryContext old = MemoryContextSwitchTo(pass->context);
	ListCell   *lc;

	pass->roots = list_make1(fetch);
	pass->steps = palloc(sizeof(Step *) * list_length(steps));
	foreach(lc, steps)
		pass->steps[pass->nsteps++] = lfirst(lc);
	create_steps(run, pass);
	memset(pass->counts, true, sizeof(bool) * pass->nsteps);
	MemoryContextSwitchTo(old);
	return pass;
}

Pass *
pass_of_rows(Run *run, Step *step)
{
	return make_pass(run, step);
}
