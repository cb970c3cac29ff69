/*
 * replay.c
 *		replay_dead_letters(): what could not be handled then is tried again,
 *		from the item on.
 *
 * A letter holds the item as its source sent it.  That becomes a row again, which goes
 * through the steps that led to the one that failed, through that step, and through
 * whatever reads from it.  All in the caller's transaction, as run_flow().
 */
#include "flow/run.h"

#include "executor/spi.h"
#include "flow/pass.h"
#include "flow/store.h"
#include "flow/stream.h"
#include "flow/unit.h"
#include "flow/watch.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "rows/json.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(resolute_replay_dead_letters);

/* Letters that go through the steps together. */
#define REPLAY_PAGE 100

#define REPLAY_COLUMNS 4

typedef struct Replay
{
	int			version;		/* asked for, or 0: the present one */
	const char *only;			/* letters of this step, or NULL: of all */
	int64		limit;			/* 0: all */
	Letter	   *letters;
	int			nletters;
	int64		resolved;

	/* The group at hand: letters of one step and source. */
	Letter	   *first;
	int			n;
	Stream	   *stream;
	Pass	   *pass;
	RowBatch   *batch;
} Replay;

/* ------------------------------------------------------------------------
 * May they be replayed?
 * ------------------------------------------------------------------------
 */

/* What to do about letters that a version before wrote. */
static int
hint_versions(const Run *run, const Letter *letter, bool present_too)
{
	char	   *name = quote_literal_cstr(run->flow->name);
	char	   *present = present_too ?
		psprintf(", or by the present definition with version => %d", run->flow->version) : "";

	return errhint("SELECT resolute.flow_definition(%s, %d) shows that version. To replay by it, run: "
				   "SELECT * FROM resolute.replay_dead_letters(%s, version => %d)%s.",
				   name, letter->version, name, letter->version, present);
}

/* The step that a letter failed in, as the flow has it. */
static Step *
failed_step(const Run *run, const Letter *letter)
{
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);

		if (strcmp(step->name, letter->step) == 0 && step->root)
			return step;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("step \"%s\" of flow \"%s\" does not exist in version %d",
					letter->step, run->flow->name, run->flow->version),
			 errdetail("Version %d of the flow wrote dead letters of this step.", letter->version),
			 hint_versions(run, letter, false)));
}

/* Do both say the same, apart from the names of what they read? */
static bool
same_step(const Step *a, const Step *b)
{
	if (a->type != b->type)
		return false;
	for (int i = 0; a->type->params[i].name != NULL; i++)
	{
		const Value *x = &a->params[i];
		const Value *y = &b->params[i];

		if (a->type->params[i].type == PARAM_ROWS || a->type->params[i].type == PARAM_ROWS_LIST ||
			a->type->params[i].type == PARAM_OUTPUT)
			continue;
		if (x->kind != y->kind || x->len != y->len ||
			(x->len > 0 && memcmp(x->data, y->data, x->len) != 0))
			return false;
	}
	return true;
}

/* Does the step still read items of the server that the letter's item came from? */
static bool
same_server(const Step *a, const Step *b)
{
	return a->root->type == b->root->type &&
		strcmp(step_text(a->root, "server"), step_text(b->root, "server")) == 0;
}

/* Has the step changed since the letter was written? */
static void
check_unchanged(Run *run, const Letter *letter, const Step *step)
{
	Flow		old = *run->flow;
	Step	   *before = NULL;
	ListCell   *lc;

	if (letter->version == 0 || letter->version == run->flow->version ||
		!flow_load_version(&old, letter->version))
		return;
	flow_parse(&old);
	foreach(lc, old.all)
	{
		if (strcmp(((Step *) lfirst(lc))->name, letter->step) == 0)
			before = lfirst(lc);
	}
	if (before && before->root && same_step(before, step) && same_server(before, step))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("step \"%s\" of flow \"%s\" has changed since its dead letters were written",
					letter->step, run->flow->name),
			 errdetail("Version %d of the flow wrote them; the present one is version %d.",
					   letter->version, run->flow->version),
			 hint_versions(run, letter, true)));
}

/* Where no letters were found: is there a step of the name that was given at all? */
static void
check_known(const Run *run, const char *only)
{
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		if (only == NULL || strcmp(((Step *) lfirst(lc))->name, only) == 0)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("step \"%s\" of flow \"%s\" does not exist", only, run->flow->name),
			 errhint("See resolute.dead_letters for the steps that have open dead letters.")));
}

/* Unit: find the letters and check each step of each version once. */
static void
find_unit(Run *run, void *arg)
{
	Replay	   *replay = arg;

	replay->letters = dead_letters_open(run->flow->id, replay->only, replay->limit, &replay->nletters);
	if (replay->nletters == 0)
		check_known(run, replay->only);
	for (int i = 0; i < replay->nletters; i++)
	{
		const Letter *letter = &replay->letters[i];
		bool		known = false;
		Step	   *step;

		for (int j = i - 1; j >= 0 && !known && strcmp(letter->step, letter[j - i].step) == 0; j--)
			known = letter->version == letter[j - i].version;
		if (known)
			continue;
		step = failed_step(run, letter);
		if (replay->version == 0)
			check_unchanged(run, letter, step);
	}
}

/* ------------------------------------------------------------------------
 * Trying again
 * ------------------------------------------------------------------------
 */

/* How many letters from the first on belong to the same step and source? */
static int
group_size(const Letter *first, int n)
{
	int			size = 1;

	while (size < n && strcmp(first[size].step, first->step) == 0 &&
		   (first->source == NULL) == (first[size].source == NULL) &&
		   (first->source == NULL || strcmp(first[size].source, first->source) == 0))
		size++;
	return size;
}

/* What leads from the source to the step that failed, that step, and what reads from it. */
static List *
steps_around(const Run *run, const Step *failed, const Step *fetch)
{
	List	   *steps = NIL;
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);

		if (step != fetch && step_reads_from(step, fetch) &&
			(step_yields_rows(step) || step_is_sink(step)) &&
			(step_reads_from(failed, step) || step_reads_from(step, failed)))
			steps = lappend(steps, step);
	}
	return steps;
}

/*
 * A step that waits for all rows of its source would take these few for all of them, and what
 * it makes of them for the whole.
 */
static void
check_nothing_held(const Run *run, const Replay *replay)
{
	for (int i = 0; i < replay->pass->nsteps; i++)
	{
		if (replay->pass->transforms[i] == NULL || replay->pass->transforms[i]->finish == NULL)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("dead letters of step \"%s\" of flow \"%s\" cannot be replayed",
						replay->first->step, run->flow->name),
				 errdetail("Their way leads through step \"%s\", which needs all rows of its source at once.",
						   replay->pass->steps[i]->name),
				 errhint("Have everything fetched again: CALL resolute.resync(%s);",
						 quote_literal_cstr(run->flow->name))));
	}
}

/* The step that fetched the letters of the group. */
static Step *
fetch_of(const Run *run, const Letter *letter, const Step *failed)
{
	Step	   *fetch = letter->source ? flow_find_step(run->flow, letter->source, NULL) : NULL;

	if (fetch && fetch->type->kind == STEP_FETCH && step_reads_from(failed, fetch))
		return fetch;
	return failed->root;
}

/* Unit: make the steps that a group of letters goes through. */
static void
group_unit(Run *run, void *arg)
{
	Replay	   *replay = arg;
	Step	   *failed = failed_step(run, replay->first);

	replay->stream = run_stream(run, fetch_of(run, replay->first, failed));
	stream_open_offline(run, replay->stream);
	replay->pass = pass_of_steps(run, replay->stream->fetch, steps_around(run, failed, replay->stream->fetch));
	check_nothing_held(run, replay);
}

/* Unit: read the items of the page. */
static void
read_unit(Run *run pg_attribute_unused(), void *arg)
{
	Replay	   *replay = arg;

	dead_letters_read(replay->first, replay->n);
}

/* Unit: make rows of them; the source may have to ask what its fields are called. */
static void
rows_unit(Run *run pg_attribute_unused(), void *arg)
{
	Replay	   *replay = arg;
	Source	   *source = replay->stream->source;
	Value	   *items = palloc(sizeof(Value) * replay->n);
	int			n = 0;

	for (int i = 0; i < replay->n; i++)
	{
		if (replay->first[i].item.kind != VALUE_MISSING)
			items[n++] = replay->first[i].item;
	}
	replay->batch = source->rows(source, items, n);
}

/* An item that cannot be read at all has failed again. */
static void
fail_unreadable(Replay *replay, PageContext *page)
{
	for (int i = 0; i < replay->n; i++)
	{
		Letter	   *letter = &replay->first[i];
		ErrorData	edata = {.sqlerrcode = ERRCODE_INVALID_TEXT_REPRESENTATION};
		Row			row = {0};

		if (letter->item.kind != VALUE_MISSING)
			continue;
		letter->item = value_make(VALUE_JSON, pstrdup("{}"), 2);
		row.item = letter->item;
		edata.message = pstrdup("the stored item is not a JSON object");
		page_fail_row(page, letter->step, &row, &edata);
	}
}

/* Unit: the rows go through the steps, and the letters are settled. */
static void
replay_unit(Run *run, void *arg)
{
	Replay	   *replay = arg;
	RowBatch  **batches = palloc0(sizeof(RowBatch *) * list_length(run->flow->all));
	PageContext page = {CurrentMemoryContext, GetCurrentTimestamp(), NIL, replay->stream->fetch->name};

	fail_unreadable(replay, &page);
	pass_page(run, replay->pass, replay->stream->fetch, replay->batch, &page, batches);
	replay->resolved += dead_letters_settle(run->letters, replay->first, replay->n, &page);
}

/* A page of letters of one group. */
static bool
replay_page(Run *run, Replay *replay)
{
	MemoryContext context = AllocSetContextCreate(run->context, "resolute page", ALLOCSET_DEFAULT_SIZES);
	RunStepRecord *fetched = &step_state(run, replay->stream->fetch)->done;
	bool		done = run_unit(run, UNIT_BOOKS, context, read_unit, replay) &&
		run_unit(run, UNIT_NETWORK, context, rows_unit, replay) &&
		run_unit(run, UNIT_DATABASE, context, replay_unit, replay);

	pass_settle(run, replay->pass, done);
	if (done)
	{
		replay->stream->rows += replay->n;
		replay->stream->pages++;
		replay->stream->all_rows += replay->n;
		replay->stream->all_pages++;
		fetched->pages++;
		fetched->counts.rows_out += replay->n;
	}
	MemoryContextDelete(context);
	return done;
}

/* Letters of one step and source, page by page. */
static bool
replay_group(Run *run, Replay *replay, int size)
{
	Letter	   *end = replay->first + size;

	if (!run_unit(run, UNIT_DATABASE, run->context, group_unit, replay))
		return false;
	for (; replay->first < end; replay->first += replay->n)
	{
		replay->n = Min(REPLAY_PAGE, end - replay->first);
		if (!replay_page(run, replay))
			return false;
	}
	return true;
}

/* All of it; errors are in run->error. */
static bool
replay_all(Run *run, Replay *replay)
{
	Letter	   *end;

	if (!run_prepare(run) ||
		!run_unit(run, UNIT_BOOKS, run->context, find_unit, replay))
		return false;
	end = replay->letters + replay->nletters;
	for (replay->first = replay->letters; replay->first < end;)
	{
		if (!replay_group(run, replay, group_size(replay->first, end - replay->first)))
			return false;
	}
	return true;
}

/* The arguments, checked. */
static void
read_arguments(FunctionCallInfo fcinfo, Replay *replay)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("flow must not be null")));
	if (!PG_ARGISNULL(1) && PG_GETARG_INT64(1) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_items must be at least 1"),
				 errhint("Leave it out to replay all dead letters.")));
	replay->limit = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1);
	replay->only = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	replay->version = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3);
}

/* Set up the run that the replay is, with the flow held. */
static Run *
begin_replay(const char *name, const Replay *replay)
{
	Run		   *run = run_create(name, run_no_input(), true);
	MemoryContext old;

	run->record.kind = RUN_REPLAY;
	flow_lock_or_raise(run->flow);
	run_reload(run);
	if (replay->version != 0)
	{
		old = MemoryContextSwitchTo(run->context);
		flow_require_version(run->flow, replay->version);
		run->record.version = run->flow->version;
		MemoryContextSwitchTo(old);
	}
	runs_close_orphans(run->flow->id);
	runs_insert(&run->record);
	return run;
}

/* replay_dead_letters(flow, max_items, step, version) */
Datum
resolute_replay_dead_letters(PG_FUNCTION_ARGS)
{
	Replay		replay = {0};
	TupleDesc	descriptor;
	Datum		values[REPLAY_COLUMNS];
	bool		nulls[REPLAY_COLUMNS] = {false};
	Run		   *run;

	PreventCommandIfReadOnly("replay_dead_letters()");
	read_arguments(fcinfo, &replay);
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	descriptor = BlessTupleDesc(descriptor);
	SPI_connect();
	run = begin_replay(text_to_cstring(PG_GETARG_TEXT_PP(0)), &replay);
	watch_begin(run, NULL, run->flow->max_runtime_us);
	replay_all(run, &replay);
	watch_forget(run);
	if (run->error)
		ReThrowError(run->error);
	run_end(run);
	values[0] = Int64GetDatum(replay.nletters);
	values[1] = Int64GetDatum(replay.resolved);
	values[2] = Int64GetDatum(replay.nletters - replay.resolved);
	values[3] = Int64GetDatum(run->record.run_id);
	SPI_finish();
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)));
}
