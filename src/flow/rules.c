/*
 * rules.c
 *		Which steps go together: rules that a definition has to follow, beyond
 *		what a single step says.
 */
#include "flow/step.h"

static void
check_paginate(const Flow *flow, const Step *step)
{
	const Value *paginate = step_param(step, "paginate");

	if (!value_is_null(paginate) && !value_is(paginate, "manual") && !value_is(paginate, "auto"))
		flow_definition_error(flow, psprintf("paginate of step \"%s\" is \"%s\".", step->name, value_cstring(paginate)),
			   "It is 'auto', or 'manual' for pages that next_page() asks for.");
}

static void
check_next_page(const Flow *flow, const Step *step)
{
	if (!step->input->manual)
		flow_definition_error(flow, psprintf("next_page() of step \"%s\" has no pages to turn: \"%s\" is read by itself.",
							  step->name, step->input->name),
			   "Give the fetch step paginate => 'manual', and name that step.");
}

/* The handler that a step stands in: the step whose error it handles, or NULL. */
static const Step *
handled_step(const Step *step, int *handler)
{
	for (; step; step = step->parent)
	{
		*handler = step->handler;
		if (step->handler > 0)
			return step->parent;
	}
	return NULL;
}

static void
check_dead_letter(const Flow *flow, const Step *step)
{
	int			handler;

	if (handled_step(step, &handler) == NULL)
		flow_definition_error(flow, "dead_letter() is not a step of an error handler.",
			   "Use it inside resolute.on_error(), whose step has failed on a page.");
}

/*
 * While an error of a stream is handled, its rows cannot be read: their page has been rolled
 * back.
 */
static void
check_handler_input(const Flow *flow, const Step *step)
{
	int			handler;
	const Step *failed = handled_step(step, &handler);
	ListCell   *lc;

	if (failed == NULL)
		return;
	foreach(lc, step->roots)
	{
		const Step *root = lfirst(lc);

		if (!step_stands_in(root, failed, handler))
			flow_definition_error(flow, psprintf("Step \"%s\" of the error handler of \"%s\" reads rows of \"%s\", which is outside of it.",
								  step->name, failed->name, root->name),
				   "Send the failed page to the dead letters with resolute.dead_letter(), or fetch rows inside the handler.");
	}
}

void
flow_check_rules(const Flow *flow)
{
	ListCell   *lc;

	foreach(lc, flow->all)
	{
		const Step *step = lfirst(lc);

		switch (step->type->kind)
		{
			case STEP_FETCH:
				check_paginate(flow, step);
				break;
			case STEP_NEXT_PAGE:
				check_next_page(flow, step);
				break;
			case STEP_DEAD_LETTER:
				check_dead_letter(flow, step);
				break;
			default:
				break;
		}
		check_handler_input(flow, step);
	}
}
