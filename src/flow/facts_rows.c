/*
 * facts_rows.c
 *		What becomes of the rows of a step: what is asked of the API, what is
 *		spooled and why, where checkpoints happen and why not elsewhere.
 */
#include "flow/facts.h"

#include "flow/check.h"
#include "flow/row_step.h"
#include "rows/json.h"
#include "source/source.h"

/* Do the rows of a step come from this source? */
static bool
reads_from(const Step *step, const Step *fetch)
{
	return list_member_ptr(step->roots, fetch);
}

/* Is the step in a loop that the source is not in? */
static bool
loops_around(const Step *step, const Step *fetch)
{
	for (const Step *block = step->parent; block; block = block->parent)
	{
		if (block->type->kind == STEP_WHILE && !step_stands_in(fetch, block, 0))
			return true;
	}
	return false;
}

/* Does a condition speak of rows of this source? */
static bool
condition_mentions(const Flow *flow, const Step *block, const Step *fetch)
{
	char	   *condition = step_text(block, "condition");
	const char *rest;
	ListCell   *lc;

	if (block->is_path)
	{
		Step	   *step = condition_step(flow, block, &rest);

		return step && *rest != '\0' && step_yields_rows(step) && reads_from(step, fetch);
	}
	foreach(lc, flow->all)
	{
		Step	   *step = lfirst(lc);

		if (step->named && step_yields_rows(step) && reads_from(step, fetch) &&
			strstr(condition, step->name))
			return true;
	}
	return false;
}

static bool
has_condition(const Step *step)
{
	return step->type->kind == STEP_WHEN || step->type->kind == STEP_WHILE;
}

/*
 * Whose rows are kept for a second reading: the step that needs that of a
 * fetch step with needs_spool; NULL if it cannot be told.
 */
static const Step *
spooled_for(const Flow *flow, const Step *fetch)
{
	const Step *first = NULL;
	ListCell   *lc;

	foreach(lc, flow->all)
	{
		const Step *step = lfirst(lc);

		if (step_is_sink(step) && reads_from(step, fetch) && !step_yields_rows(step))
		{
			if ((first && step->leader != first) || loops_around(step, fetch))
				return step;
			first = step->leader;
		}

		/* What has been read already is known without a spool. */
		else if (has_condition(step) && first == NULL && step->number > fetch->number &&
				 condition_mentions(flow, step, fetch))
			return step;
	}
	return NULL;
}

/* The step that keeps rows of this source until all have come, or NULL. */
static const Step *
held_by(const Flow *flow, const Step *fetch)
{
	ListCell   *lc;

	foreach(lc, flow->all)
	{
		const Step *step = lfirst(lc);

		if (step != fetch && reads_from(step, fetch) && step_holds_rows(step))
			return step;
	}
	return NULL;
}

/* Does any step take rows of this source out of the flow? */
static bool
has_sink(const Flow *flow, const Step *fetch)
{
	ListCell   *lc;

	foreach(lc, flow->all)
	{
		if (step_is_sink(lfirst(lc)) && reads_from(lfirst(lc), fetch))
			return true;
	}
	return false;
}

/* Everything that has to change before pages can be checkpoints. */
static void
add_reason(StringInfo why, const char *reason)
{
	appendStringInfo(why, "%s%s", why->len > 0 ? "; and " : "", reason);
}

/* Where the cursor moves, and why not after each page. */
static List *
checkpoint_fact(const Flow *flow, const Step *fetch, List *facts)
{
	QueryOrder	order = source_query_order(fetch->type->provider, step_text(fetch, "jql"));
	int64		concurrency = step_int(fetch, "concurrency", 1);
	const Step *holder = held_by(flow, fetch);
	StringInfoData why;

	if (fetch->cursor == NULL)
		return add_fact(facts, "Checkpoint", "none: without a cursor every run reads everything", "none");
	if (!has_sink(flow, fetch))
		return add_fact(facts, "Checkpoint", "none, unless there are no rows: no step stores them", "none");
	initStringInfo(&why);
	if (fetch->needs_spool)
		add_reason(&why, "its rows are spooled");
	if (holder)
		add_reason(&why, psprintf("\"%s\" holds all rows back until then", holder->name));
	if (order == ORDER_OTHER)
		add_reason(&why, "the query has an order of its own, so that only the end tells that nothing was left out");
	if (concurrency > 1)
		add_reason(&why, psprintf("with " INT64_FORMAT " requests in flight rows come in the order of their ids, unless the server gives only one page at a time",
								  concurrency));
	if (why.len > 0)
		return add_fact(facts, "Checkpoint", psprintf("at the end, because %s", why.data), "at the end");
	return add_fact(facts, "Checkpoint",
					fetch->manual ? "by next_page(), when the page has been worked on" :
					"after each page, in the transaction that stores its rows",
					fetch->manual ? "by next_page()" : "after each page");
}

/* Which fields the API is asked for. */
static char *
asked_text(const Step *fetch)
{
	SourceSpec	spec = {0};
	StringInfoData out;
	ListCell   *lc;

	spec.provider = fetch->type->provider;
	spec.ordered = fetch->cursor != NULL;
	spec.references = fetch->references;
	spec.whole = fetch->whole;
	initStringInfo(&out);
	foreach(lc, source_asked_fields(&spec))
		appendStringInfo(&out, "%s%s", out.len ? ", " : "", (char *) lfirst(lc));
	return out.data;
}

/* Are rows kept, and for which step? */
static List *
spool_fact(const Flow *flow, const Step *fetch, List *facts)
{
	const Step *reader = spooled_for(flow, fetch);
	const char *why = "they are read more than once";

	if (fetch->manual)
		return add_fact(facts, "Spool", "no, one page at a time, until next_page() asks for another", NULL);
	if (!fetch->needs_spool)
		return add_fact(facts, "Spool", "no, pages go through as they come", NULL);
	if (reader && has_condition(reader))
		why = psprintf("the condition of \"%s\" looks at more than whether there are any", reader->name);
	else if (reader && loops_around(reader, fetch))
		why = psprintf("\"%s\" reads them in each round of a loop", reader->name);
	else if (reader)
		why = psprintf("\"%s\" reads them again, after other steps", reader->name);
	return add_fact(facts, "Spool", psprintf("all rows (work_mem, then disk), because %s", why), "all rows");
}

/* The step on the way to this one that keeps rows back, or NULL. */
static const Step *
holder_before(const Step *step)
{
	ListCell   *lc;

	foreach(lc, step->inputs)
	{
		const Step *input = lfirst(lc);
		const Step *found = step_holds_rows(input) ? input : holder_before(input);

		if (found)
			return found;
	}
	return NULL;
}

/* How a sink gets its rows. */
static List *
pass_fact(const Step *sink, List *facts)
{
	const Step *holder = holder_before(sink);
	ListCell   *lc;
	bool		spooled = false;

	foreach(lc, sink->roots)
		spooled |= ((Step *) lfirst(lc))->needs_spool;
	if (sink->leader && sink->leader != sink)
		return add_fact(facts, "Pass", psprintf("with \"%s\", in the same transactions", sink->leader->name), NULL);
	if (holder)
		return add_fact(facts, "Pass", psprintf("at the end, one transaction for each page of what \"%s\" has held back",
												holder->name), NULL);
	return add_fact(facts, "Pass", psprintf("one transaction for each page of %s%s",
											spooled ? "the spool of " : "", quoted_names(sink->roots)), NULL);
}

/* The columns of what a step yields or stores, where a step has made them. */
static List *
column_facts(const Step *step, List *facts)
{
	const FieldSet *fields = step_fields(step);
	StringInfoData out;
	int			version;

	if (fields == NULL || fields->is_item)
		return facts;
	initStringInfo(&out);
	for (int i = 0; i < fields->nfields; i++)
		appendStringInfo(&out, "%s%s", out.len ? ", " : "", fields->fields[i].name);
	if (out.len > 0)
		facts = add_fact(facts, "Columns", out.data, NULL);
	if (step->type->kind != STEP_UPSERT || !value_is_null(step_param(step, "version")))
		return facts;
	version = fieldset_find_flag(fields, FIELD_CURSOR);
	return add_fact(facts, "Version", version >= 0 ?
					psprintf("%s, which is filled from what the cursor follows", fields->fields[version].name) :
					"none: an older copy may overwrite a newer row", NULL);
}

/* What a condition has to know before its block. */
static List *
condition_fact(const Flow *flow, const Step *block, List *facts)
{
	const char *rest = "";
	Step	   *step = block->is_path ? condition_step(flow, block, &rest) : NULL;

	if (step && step_yields_rows(step) && *rest == '\0')
		return add_fact(facts, "Looks Ahead", psprintf("to the first row of %s", quoted_names(step->roots)), NULL);
	return facts;
}

List *
row_facts(const Flow *flow, const Step *step, List *facts)
{
	if (has_condition(step))
		facts = condition_fact(flow, step, facts);
	if (step->type->kind == STEP_PARALLEL)
		facts = add_fact(facts, "In Flight", "requests of all its sources at once",
						 "requests of all its sources at once");
	if (step->type->kind == STEP_FETCH)
	{
		facts = add_fact(facts, "Fields", asked_text(step), NULL);
		facts = spool_fact(flow, step, facts);
		facts = checkpoint_fact(flow, step, facts);
	}
	else if (step_yields_rows(step) || step->type->kind == STEP_UPSERT)
		facts = column_facts(step, facts);
	if (step_yields_rows(step) && step_holds_rows(step))
		facts = add_fact(facts, "Holds", "all rows (work_mem, then disk) until the last one has come", "all rows");
	if (step_is_sink(step))
		facts = pass_fact(step, facts);
	return facts;
}
