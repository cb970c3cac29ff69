/*
 * analyze.c
 *		What can be said of a flow before it runs: which sinks share a pass
 *		over their rows, and which rows must be kept for a second pass.
 *
 * Sinks that stand next to each other are fed together if they share a source, or if their
 * sources are read in parallel: a page goes to all of its sinks in one transaction.  Whatever
 * stands between (an action, a block, a sink of another source) ends the pass.  A source that is
 * read again after that (in another round of a loop, too), or whose count is wanted
 * before, is spooled; pages that next_page() turns need no spool.
 */
#include "flow/row_step.h"

#include <ctype.h>

typedef struct Analysis
{
	Flow	   *flow;
	Step	   *leader;			/* first sink of the pass going on, or NULL */
	List	   *roots;			/* fetch steps that the pass reads */
	List	   *passed;			/* fetch steps whose rows were passed over */
} Analysis;

/*
 * A path is names joined by dots.  A lone true or false is SQL, and so is everything with
 * any other character in it.
 */
static bool
looks_like_path(const char *condition)
{
	if (!isalpha((unsigned char) condition[0]) && condition[0] != '_')
		return false;
	for (const char *at = condition; *at; at++)
	{
		if (!isalnum((unsigned char) *at) && strchr("_-.", *at) == NULL)
			return false;
	}
	return pg_strcasecmp(condition, "true") != 0 && pg_strcasecmp(condition, "false") != 0;
}

Step *
condition_step(const Flow *flow, const Step *when, const char **rest)
{
	char	   *condition = step_text(when, "condition");
	char	   *dot = strchr(condition, '.');

	*rest = dot ? dot + 1 : "";
	if (dot)
		*dot = '\0';
	return flow_find_step(flow, condition, when);
}

/* Names with dots or spaces cannot be paths; these heads always can. */
static bool
is_state_name(const char *condition)
{
	static const char *const heads[] = {"input", "run", "error", "state"};

	for (Size i = 0; i < lengthof(heads); i++)
	{
		Size		len = strlen(heads[i]);

		if (strncmp(condition, heads[i], len) == 0 &&
			(condition[len] == '\0' || condition[len] == '.'))
			return true;
	}
	return false;
}

static void
end_pass(Analysis *analysis)
{
	if (analysis->leader)
		analysis->passed = list_concat_unique_ptr(analysis->passed, analysis->roots);
	analysis->leader = NULL;
	analysis->roots = NIL;
}

/* Keep the rows of a step's sources, as far as they come by themselves. */
static void
spool_roots(const Step *step)
{
	ListCell   *lc;

	foreach(lc, step->roots)
	{
		Step	   *root = lfirst(lc);

		root->needs_spool |= !root->manual;
	}
}

/* Have all rows been passed over that the step stands for? */
static bool
has_passed(const Analysis *analysis, const Step *step)
{
	return list_difference_ptr(step->roots, analysis->passed) == NIL;
}

/* Does an SQL condition speak of this output?  Its name stands in it in quotes. */
static bool
sql_mentions(const char *condition, const char *name)
{
	return strstr(condition, psprintf("'%s'", name)) != NULL ||
		strstr(condition, psprintf("{%s", name)) != NULL;
}

bool
step_mentions(const Flow *flow, const Step *when, const Step *step)
{
	const char *rest;

	if (when->is_path)
		return condition_step(flow, when, &rest) == step;
	return step->named && sql_mentions(step_text(when, "condition"), step->name);
}

/* May there be no rows, although its sources have some? */
static bool
may_drop_all(const Step *step)
{
	ListCell   *lc;

	foreach(lc, step->inputs)
	{
		if (may_drop_all(lfirst(lc)))
			return true;
	}
	return step_may_drop_all(step);
}

/*
 * Can its rows be counted beforehand?  Not if a function of the user's is called for each, since it would be
 * called twice, and not where pages are turned by hand.
 */
static bool
can_foresee(const Step *step)
{
	ListCell   *lc;

	foreach(lc, step->inputs)
	{
		if (!can_foresee(lfirst(lc)))
			return false;
	}
	return !step->streams && (!step->manual || step->type->kind != STEP_FETCH);
}

static void
foresee(Step *step)
{
	spool_roots(step);
	step->foreseen = step->type->kind != STEP_FETCH;
}

/* A condition that needs the number of rows of a source not yet read. */
static void
analyze_condition(Analysis *analysis, Step *when)
{
	char	   *condition = step_text(when, "condition");
	const char *rest;
	Step	   *step;
	ListCell   *lc;

	when->is_path = looks_like_path(condition);
	if (when->is_path)
	{
		step = condition_step(analysis->flow, when, &rest);
		if (step == NULL && !is_state_name(condition))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("condition \"%s\" of flow \"%s\" begins with an unknown name",
							condition, analysis->flow->name),
					 errhint("A path begins with the name of a step written before it, or with input or run; anything else must be an SQL expression over state.")));
		if (step && step->type->kind == STEP_FETCH && !step->manual && strcmp(rest, "has_more") == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("condition \"%s\" of flow \"%s\" asks for pages, but \"%s\" is read by itself",
							condition, analysis->flow->name, step->name),
					 errhint("Give the fetch step paginate => 'manual', and go on with resolute.next_page().")));
		if (step == NULL || !step_yields_rows(step) || has_passed(analysis, step) ||
			(*rest == '\0' && !may_drop_all(step)))
			return;
		if (step != step->root &&
			(!can_foresee(step) || (*rest != '\0' && strcmp(rest, "count") != 0)))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("condition \"%s\" of flow \"%s\" looks into rows that have not been read yet",
							condition, analysis->flow->name),
					 errhint("Look at \"%s\", or place the block after a sink that reads \"%s\".",
							 step->root->name, step->name)));
		foresee(step);
		return;
	}
	foreach(lc, analysis->flow->all)
	{
		step = lfirst(lc);
		if (step == when)
			break;
		if (step->named && step_yields_rows(step) && sql_mentions(condition, step->name) &&
			!has_passed(analysis, step))
		{
			if (can_foresee(step))
				foresee(step);
			else
				spool_roots(step);
		}
	}
}

/* Are both read in the same parallel()? */
static bool
are_parallel(const Step *a, const Step *b)
{
	for (const Step *block = a->parent; block; block = block->parent)
	{
		if (block->type->kind == STEP_PARALLEL && step_stands_in(a, block, 0) &&
			step_stands_in(b, block, 0))
			return true;
	}
	return false;
}

/* Can the sink be fed together with those of the pass going on? */
static bool
joins_pass(const Analysis *analysis, const Step *sink)
{
	ListCell   *lc,
			   *lc2;

	foreach(lc, sink->roots)
	{
		foreach(lc2, analysis->roots)
		{
			if (lfirst(lc) == lfirst(lc2) || are_parallel(lfirst(lc), lfirst(lc2)))
				return true;
		}
	}
	return false;
}

/* Where a step holds rows back, a cursor must not move over them before they are stored. */
static void
mark_held_rows(Step *step)
{
	ListCell   *lc;

	if (step_holds_rows(step))
	{
		foreach(lc, step->roots)
			((Step *) lfirst(lc))->at_end |= !((Step *) lfirst(lc))->manual;
	}
	foreach(lc, step->inputs)
		mark_held_rows(lfirst(lc));
}

/* The loop around a step that its source is not in, so that its rows are read again. */
static bool
reads_from_outside(const Step *sink, const Step *root)
{
	for (const Step *block = sink->parent; block; block = block->parent)
	{
		if (block->type->kind == STEP_WHILE && step_stands_in(sink, block, 0) &&
			!step_stands_in(root, block, 0))
			return true;
	}
	return false;
}

static void
analyze_sink(Analysis *analysis, Step *sink)
{
	ListCell   *lc;

	if (analysis->leader && !joins_pass(analysis, sink))
		end_pass(analysis);
	if (analysis->leader == NULL)
		analysis->leader = sink;
	sink->leader = analysis->leader;
	foreach(lc, sink->roots)
	{
		Step	   *root = lfirst(lc);

		if (list_member_ptr(analysis->passed, root) || reads_from_outside(sink, root))
			root->needs_spool |= !root->manual;
	}
	mark_held_rows(sink);
	analysis->roots = list_concat_unique_ptr(analysis->roots, sink->roots);
}

static void analyze_steps(Analysis *analysis, List *steps);

/* A handler does not run where it stands: the pass goes on around it. */
static void
analyze_handlers(const Analysis *analysis, const Step *step)
{
	ListCell   *lc;

	foreach(lc, step->handlers)
	{
		Analysis	inner = {analysis->flow, NULL, NIL, NIL};

		analyze_steps(&inner, lfirst(lc));
	}
}

static void
analyze_steps(Analysis *analysis, List *steps)
{
	ListCell   *lc;

	foreach(lc, steps)
	{
		Step	   *step = lfirst(lc);

		analyze_handlers(analysis, step);
		if (step_yields_rows(step))
			continue;
		if (step_is_sink(step))
		{
			analyze_sink(analysis, step);
			continue;
		}
		if (step->type->kind == STEP_PARALLEL)
		{
			/* What stands in it may be fed together with what follows. */
			analyze_steps(analysis, step->children);
			continue;
		}
		end_pass(analysis);
		if (step->type->kind == STEP_WHEN || step->type->kind == STEP_WHILE)
		{
			analyze_condition(analysis, step);
			analyze_steps(analysis, step->children);
			end_pass(analysis);
		}
	}
}

void
flow_analyze(Flow *flow)
{
	Analysis	analysis = {flow, NULL, NIL, NIL};

	analyze_steps(&analysis, flow->steps);
	list_free(analysis.passed);
}
