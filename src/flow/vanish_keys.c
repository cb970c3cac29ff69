/*
 * vanish_keys.c
 *		Keys of items without all the rest: for a census, and for items whose
 *		row failed.
 */
#include "flow/row_step.h"
#include "flow/stream.h"
#include "flow/vanish.h"

#include "utils/timestamp.h"

/* More names (List of char *), each once. */
static List *
add_names(List *names, List *more)
{
	ListCell   *lc;

	foreach(lc, more)
	{
		ListCell   *other;
		bool		found = false;

		foreach(other, names)
			found |= strcmp(lfirst(other), lfirst(lc)) == 0;
		if (!found)
			names = lappend(names, lfirst(lc));
	}
	return names;
}

/* Makes the keys of a sink's rows from items of one source alone. */
typedef struct KeyMap
{
	const Step *sink;
	const Step *failed;			/* the step that the items fail in */
	const Stream *stream;
	Transform  *map;			/* NULL: not possible */
} KeyMap;

/* ------------------------------------------------------------------------
 * Items whose row failed
 * ------------------------------------------------------------------------
 */

/* Is a step between the two that makes other rows than those it takes? */
static bool
reshaped_between(const Run *run, const Step *from, const Step *to)
{
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		const Step *step = lfirst(lc);

		if (step == from || step == to || !step_reads_from(step, from) || !step_reads_from(to, step))
			continue;
		if (step->type->kind != STEP_UNIQUE && step->type->kind != STEP_MERGE &&
			!(step->type->kind == STEP_ROWS && !step_reshapes(step)))
			return true;
	}
	return false;
}

/*
 * The map that would have made the sink's row of the item that a step refused, if the
 * rest of its way changes no keys.  NULL if there is none, or several.
 */
static const Step *
map_of_items(const Run *run, const Step *failed, const Step *sink)
{
	const Step *found = NULL;
	ListCell   *lc;

	if (failed->type->kind != STEP_MAP && !step_yields_items(failed))
		return NULL;
	foreach(lc, run->flow->all)
	{
		const Step *step = lfirst(lc);

		if (step->type->kind != STEP_MAP || !step_yields_items(step->input) ||
			!step_reads_from(step, failed) || !step_reads_from(sink, step))
			continue;
		if (found || reshaped_between(run, step, sink))
			return NULL;
		found = step;
	}
	return found;
}

/* Compile the map's template once more, for the key alone. */
static Transform *
make_key_map(const Run *run, const KeyMap *made)
{
	const Step *map = map_of_items(run, made->failed, made->sink);
	StringInfoData text;
	Template   *tmpl;

	if (map == NULL)
		return NULL;
	initStringInfo(&text);
	value_append_text(&text, step_param(map, "template"));
	tmpl = template_compile(text.data, TEMPLATE_JSON);
	if (!template_keep_columns(tmpl, add_names(NIL, made->sink->keys)))
		return NULL;
	return map_create(map->name, tmpl, made->stream->source->fields);
}

/* The one for items of this source that fail in this step, made on first use. */
static Transform *
key_map(Run *run, const Step *failed, const Step *sink, const Stream *stream)
{
	Vanish	   *vanish = run->job;
	MemoryContext old;
	KeyMap	   *made;
	ListCell   *lc;

	foreach(lc, vanish->key_maps)
	{
		made = lfirst(lc);
		if (made->sink == sink && made->failed == failed && made->stream == stream)
			return made->map;
	}
	old = MemoryContextSwitchTo(run->context);
	made = palloc(sizeof(KeyMap));
	made->sink = sink;
	made->failed = failed;
	made->stream = stream;
	made->map = make_key_map(run, made);
	vanish->key_maps = lappend(vanish->key_maps, made);
	MemoryContextSwitchTo(old);
	return made->map;
}

/* Note an item whose key nobody knows. */
static void
note_unknown(Run *run, const RowFailure *failure)
{
	Vanish	   *vanish = run->job;

	if (vanish->unknown++ == 0)
		vanish->unknown_error = MemoryContextStrdup(run->context, failure->message);
}

/* The step of this name among those that the sink reads from, or the sink. */
static const Step *
step_before(const Run *run, const Step *sink, const char *name)
{
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		const Step *step = lfirst(lc);

		if (strcmp(step->name, name) == 0)
			return step_reads_from(sink, step) ? step : NULL;
	}
	return NULL;
}

/* Add the key of one item that failed; false if nobody knows it. */
static bool
add_failed(Run *run, Census *census, const Step *failed, const Step *sink,
		   const RowFailure *failure, PageContext *scratch)
{
	const Step *fetch = failure->source ? flow_find_step(run->flow, failure->source, NULL) : NULL;
	const Stream *stream = run_stream(run, fetch && fetch->type->kind == STEP_FETCH ? fetch : sink->root);
	StepCounts	counts = {0};
	Transform  *map;

	if (run->dry || stream->source == NULL || failure->item.kind != VALUE_JSON)
		return false;
	map = key_map(run, failed, sink, stream);
	if (map == NULL)
		return false;
	census_add(census, map->process(map, stream->source->rows(stream->source, &failure->item, 1),
									scratch, &counts));
	return scratch->failures == NIL;
}

void
vanish_add_failed(Run *run, VanishTarget *target, Step *sink, PageContext *page)
{
	ListCell   *lc;

	foreach(lc, page->failures)
	{
		RowFailure *failure = lfirst(lc);
		PageContext scratch = {CurrentMemoryContext, page->now, NIL, page->source};
		const Step *failed = step_before(run, sink, failure->step);

		/* A row without a key, which unique refuses, is stored nowhere. */
		if (failed == NULL || (failed->type->kind == STEP_UNIQUE &&
							   failure->sqlerrcode == ERRCODE_NOT_NULL_VIOLATION))
			continue;
		if (!add_failed(run, target->census, failed, sink, failure, &scratch))
			note_unknown(run, scratch.failures ? linitial(scratch.failures) : failure);
	}
}

/* ------------------------------------------------------------------------
 * Only what makes keys
 * ------------------------------------------------------------------------
 */

/* What is needed of a step's rows. */
typedef struct Need
{
	bool		any;			/* does a census see them at all? */
	bool		all;			/* everything that the flow reads of them */
	List	   *names;			/* these fields, of char * */
} Need;

/* Pass on what a step needs of its inputs. */
static void
need_input(Need *needs, const Step *step, bool all, List *names)
{
	ListCell   *lc;

	foreach(lc, step->inputs)
	{
		Need	   *need = &needs[((Step *) lfirst(lc))->number - 1];

		need->any = true;
		need->all |= all;
		need->names = add_names(need->names, names);
	}
}

/* A template that makes rows: keep what is needed of it, and pass on what that reads. */
static void
reduce_template(Need *needs, Step *step, const Need *need)
{
	bool		reduced = !need->all && template_keep_columns(step->tmpl, need->names);
	bool		whole;
	List	   *references = template_references(step->tmpl, &whole);

	need_input(needs, step, !reduced || whole, references);
}

/* Find out what a step needs of its input, and reduce it to what is needed of itself. */
static void
reduce_step(Need *needs, Step *step)
{
	Need	   *need = &needs[step->number - 1];

	if (step->type->kind == STEP_UPSERT)
	{
		need->any = true;
		need->names = add_names(NIL, step->keys);
	}
	if (!need->any || step->input == NULL)
		return;
	if (step->tmpl)
		reduce_template(needs, step, need);
	else if (step->type->kind == STEP_UNIQUE)
		need_input(needs, step, need->all, add_names(list_copy(need->names), step->keys));
	else if (step->type->kind == STEP_UPSERT || step->type->kind == STEP_MERGE)
		need_input(needs, step, need->all, need->names);
	else
		need_input(needs, step, true, NIL);
}

/* Do the names ask for no more than what identifies an issue? */
static bool
only_identity(List *names)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (pg_strcasecmp(lfirst(lc), "key") != 0 && pg_strcasecmp(lfirst(lc), "id") != 0)
			return false;
	}
	return true;
}

void
vanish_reduce(Run *run)
{
	int			n = list_length(run->flow->all);
	Need	   *needs = palloc0(sizeof(Need) * n);
	ListCell   *lc;

	/* from the last step to the first: readers stand behind what they read */
	for (int i = n - 1; i >= 0; i--)
		reduce_step(needs, list_nth(run->flow->all, i));
	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);
		Need	   *need = &needs[stream->fetch->number - 1];

		/* nobody turns the pages by hand, so several passes may read them all */
		stream->fetch->needs_spool |= stream->fetch->manual;
		stream->fetch->manual = false;
		if (need->all)
			continue;
		stream->fetch->references = need->names;
		stream->fetch->whole = false;
		stream->census = only_identity(need->names);
	}
}
