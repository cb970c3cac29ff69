/*
 * analyze.c
 *		What can be said of a flow before it runs: which sinks share a pass
 *		over their rows, and which rows must be kept for a second pass.
 *
 * Sinks of one source that stand next to each other are fed together: a page
 * goes to all of them in one transaction.  Whatever stands between (an action, a
 * block, a sink of another source) ends the pass.  A source that is read again
 * after that, or whose count is wanted before, is spooled.
 */
#include "flow/step.h"

#include <ctype.h>

typedef struct Analysis
{
	Flow	   *flow;
	Step	   *leader;			/* first sink of the pass going on, or NULL */
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
		analysis->passed = list_append_unique_ptr(analysis->passed, analysis->leader->root);
	analysis->leader = NULL;
}

/* Does an SQL condition speak of this output?  Its name stands in it in quotes. */
static bool
sql_mentions(const char *condition, const char *name)
{
	return strstr(condition, psprintf("'%s'", name)) != NULL ||
		strstr(condition, psprintf("{%s", name)) != NULL;
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
		if (step == NULL || *rest == '\0' || !step_yields_rows(step) ||
			list_member_ptr(analysis->passed, step->root))
			return;
		if (step != step->root)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("condition \"%s\" of flow \"%s\" looks into rows that have not been read yet",
							condition, analysis->flow->name),
					 errhint("Look at \"%s.%s\", or place the block after a sink that reads \"%s\".",
							 step->root->name, rest, step->name)));
		step->root->needs_spool = true;
		return;
	}
	foreach(lc, analysis->flow->all)
	{
		step = lfirst(lc);
		if (step == when)
			break;
		if (step->named && step_yields_rows(step) && sql_mentions(condition, step->name) &&
			!list_member_ptr(analysis->passed, step->root))
			step->root->needs_spool = true;
	}
}

static void
analyze_steps(Analysis *analysis, List *steps)
{
	ListCell   *lc;

	foreach(lc, steps)
	{
		Step	   *step = lfirst(lc);

		if (step_yields_rows(step))
			continue;
		if (!step_is_sink(step))
			end_pass(analysis);
		else
		{
			if (analysis->leader && analysis->leader->root != step->root)
				end_pass(analysis);
			if (analysis->leader == NULL)
			{
				analysis->leader = step;
				if (list_member_ptr(analysis->passed, step->root))
					step->root->needs_spool = true;
			}
			step->leader = analysis->leader;
		}
		if (step->type->kind == STEP_WHEN)
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
	Analysis	analysis = {flow, NULL, NIL};

	analyze_steps(&analysis, flow->steps);
	list_free(analysis.passed);
}
