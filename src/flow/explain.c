/*
 * explain.c
 *		explain_flow(): the plan of a flow as lines of text, in the manner of
 *		EXPLAIN.
 */
#include "flow/explain.h"

#include "executor/spi.h"
#include "flow/facts.h"
#include "flow/store.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(resolute_explain_flow);

/* Columns by which what belongs to a step stands further in, as in EXPLAIN. */
#define STEP_INDENT 6

static List *explain_steps(const Flow *flow, List *steps, int indent, List *lines);

char *
step_title(const Step *step)
{
	return step->named ? psprintf("%s \"%s\"", step->type->name, step->name)
		: pstrdup(step->name);
}

Flow *
flow_planned(const char *name)
{
	Flow	   *flow = flow_load(name, false, CurrentMemoryContext);

	flow_check_access(flow);
	flow_parse(flow);
	flow_compile(flow);
	return flow;
}

static List *
explain_facts(List *facts, int indent, List *lines)
{
	ListCell   *lc;

	foreach(lc, facts)
	{
		Fact	   *fact = lfirst(lc);

		lines = lappend(lines, psprintf("%*s%s: %s", indent, "", fact->label, fact->text));
	}
	return lines;
}

/* A step, what is known of it, what it holds, and who handles its errors. */
static List *
explain_step(const Flow *flow, const Step *step, int indent, List *lines)
{
	ListCell   *lc;

	lines = lappend(lines, psprintf("%*s->  %s", indent, "", step_title(step)));
	lines = explain_facts(step_facts(flow, step), indent + STEP_INDENT, lines);
	lines = explain_steps(flow, step->children, indent + STEP_INDENT, lines);
	foreach(lc, step->handlers)
	{
		lines = lappend(lines, psprintf("%*sOn Error:", indent + STEP_INDENT, ""));
		lines = explain_steps(flow, lfirst(lc), indent + STEP_INDENT, lines);
	}
	return lines;
}

static List *
explain_steps(const Flow *flow, List *steps, int indent, List *lines)
{
	ListCell   *lc;

	foreach(lc, steps)
		lines = explain_step(flow, lfirst(lc), indent, lines);
	return lines;
}

/* A copy of a line: names may hold anything, but each row is one line. */
static char *
copy_line(const char *line)
{
	char	   *copy = pstrdup(line);

	for (char *at = copy; *at; at++)
	{
		if (*at == '\n' || *at == '\r')
			*at = ' ';
	}
	return copy;
}

/* All lines, of char *, in the given context. */
static List *
explain_lines(const char *name, MemoryContext context)
{
	List	   *lines;
	List	   *copies = NIL;
	ListCell   *lc;
	Flow	   *flow;
	MemoryContext old;

	SPI_connect();
	flow = flow_planned(name);
	lines = list_make1(psprintf("Flow \"%s\"  (version %d)", flow->name, flow->version));
	lines = explain_facts(flow_facts(flow), 2, lines);
	lines = explain_steps(flow, flow->steps, 2, lines);
	old = MemoryContextSwitchTo(context);
	foreach(lc, lines)
		copies = lappend(copies, copy_line(lfirst(lc)));
	MemoryContextSwitchTo(old);
	SPI_finish();
	return copies;
}

Datum
resolute_explain_flow(PG_FUNCTION_ARGS)
{
	FuncCallContext *call;
	List	   *lines;
	Datum		line;

	if (SRF_IS_FIRSTCALL())
	{
		call = SRF_FIRSTCALL_INIT();
		call->user_fctx = explain_lines(text_to_cstring(PG_GETARG_TEXT_PP(0)),
										call->multi_call_memory_ctx);
	}
	call = SRF_PERCALL_SETUP();
	lines = call->user_fctx;
	if (call->call_cntr >= (uint64) list_length(lines))
		SRF_RETURN_DONE(call);

	/* The macro counts before it looks at its argument. */
	line = CStringGetTextDatum(list_nth(lines, (int) call->call_cntr));
	SRF_RETURN_NEXT(call, line);
}
