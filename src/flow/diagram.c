/*
 * diagram.c
 *		flow_diagram(): the plan of a flow as a flowchart for Mermaid.
 *
 * Solid lines are rows, dotted ones the order of what does not read rows page by page, and
 * outputs and errors on their way.
 */
#include "flow/explain.h"

#include "executor/spi.h"
#include "flow/facts.h"
#include "fmgr.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(resolute_flow_diagram);

#define DIAGRAM_INDENT 4

/* The two sides of a node that stands for a step: what it does shows in its shape. */
typedef struct Shape
{
	const char *open;
	const char *close;
} Shape;

static void draw_steps(StringInfo out, const Flow *flow, List *steps, int depth);

/* A text within the quotes of a label: nothing in it means anything to Mermaid. */
static void
append_escaped(StringInfo out, const char *text)
{
	for (const char *at = text; *at; at++)
	{
		/* By number, since names of HTML's entities are not known everywhere. */
		if (strchr("\"#&<>`%;\\{}[]|", *at))
			appendStringInfo(out, "#%d;", *at);
		else if (*at == '\n' || *at == '\r' || *at == '\t')
			appendStringInfoChar(out, ' ');
		else
			appendStringInfoChar(out, *at);
	}
}

static void
append_line(StringInfo out, int depth)
{
	appendStringInfoChar(out, '\n');
	appendStringInfoSpaces(out, depth * DIAGRAM_INDENT);
}

static Shape
step_shape(const Step *step)
{
	if (step->type->kind == STEP_FETCH)
		return (Shape) {"([", "])"};
	if (step->type->kind == STEP_UPSERT)
		return (Shape) {"[(", ")]"};
	if (step_yields_rows(step))
		return (Shape) {"[", "]"};
	return (Shape) {"[[", "]]"};
}

/* The quoted label: the title and what is known in brief, a line each. */
static void
append_label(StringInfo out, const char *title, List *facts)
{
	ListCell   *lc;

	appendStringInfoChar(out, '"');
	append_escaped(out, title);
	foreach(lc, facts)
	{
		Fact	   *fact = lfirst(lc);

		if (fact->brief == NULL)
			continue;
		appendStringInfoString(out, "<br/>");
		append_escaped(out, psprintf("%s: %s", fact->label, fact->brief));
	}
	appendStringInfoChar(out, '"');
}

/* A frame around steps. */
static void
draw_frame(StringInfo out, const Flow *flow, const char *id, const char *title, List *facts,
		   List *steps, int depth)
{
	append_line(out, depth);
	appendStringInfo(out, "subgraph %s[", id);
	append_label(out, title, facts);
	appendStringInfoChar(out, ']');
	draw_steps(out, flow, steps, depth + 1);
	append_line(out, depth);
	appendStringInfoString(out, "end");
}

/* The step itself, and the handlers of its errors beside it. */
static void
draw_step(StringInfo out, const Flow *flow, const Step *step, int depth)
{
	char	   *id = psprintf("s%d", step->number);
	List	   *facts = step_facts(flow, step);
	Shape		shape = step_shape(step);
	ListCell   *lc;
	int			handler = 0;

	if (step_is_block(step))
		draw_frame(out, flow, id, step_title(step), facts, step->children, depth);
	else
	{
		append_line(out, depth);
		appendStringInfo(out, "%s%s", id, shape.open);
		append_label(out, step_title(step), facts);
		appendStringInfoString(out, shape.close);
	}
	foreach(lc, step->handlers)
		draw_frame(out, flow, psprintf("%s_error%d", id, ++handler), "on_error", NIL, lfirst(lc), depth);
}

static void
draw_steps(StringInfo out, const Flow *flow, List *steps, int depth)
{
	ListCell   *lc;

	foreach(lc, steps)
		draw_step(out, flow, lfirst(lc), depth);
}

/* Is it done in its turn, rather than when a sink asks for rows? */
static bool
has_turn(const Step *step)
{
	return !step_yields_rows(step) && (step->leader == NULL || step->leader == step);
}

/* The order of steps of one list, and of those within them; from is NULL or what comes before. */
static void
link_order(StringInfo out, List *steps, const char *from)
{
	ListCell   *lc,
			   *lc2;

	foreach(lc, steps)
	{
		Step	   *step = lfirst(lc);

		if (has_turn(step))
		{
			char	   *id = psprintf("s%d", step->number);

			if (from)
			{
				append_line(out, 1);
				appendStringInfo(out, "%s -.-> %s", from, id);
			}
			from = id;
		}
		link_order(out, step->children, NULL);
		foreach(lc2, step->handlers)
			link_order(out, lfirst(lc2), NULL);
	}
}

/* Lines from the inputs of a step, and to the handlers of its errors. */
static void
link_step(StringInfo out, const Step *step)
{
	ListCell   *lc;
	int			handler = 0;

	foreach(lc, step->inputs)
	{
		Step	   *input = lfirst(lc);

		append_line(out, 1);
		if (!step_yields_rows(input))
			appendStringInfo(out, "s%d -. \"output\" .-> s%d", input->number, step->number);
		else if (step_is_sink(step) && step->root->needs_spool)
			appendStringInfo(out, "s%d -- \"spooled\" --> s%d", input->number, step->number);
		else
			appendStringInfo(out, "s%d --> s%d", input->number, step->number);
	}
	foreach(lc, step->handlers)
	{
		append_line(out, 1);
		appendStringInfo(out, "s%d -. \"error\" .-> s%d_error%d", step->number, step->number, ++handler);
	}
}

Datum
resolute_flow_diagram(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	StringInfoData out;
	Flow	   *flow;
	ListCell   *lc;
	text	   *result;

	SPI_connect();
	flow = flow_planned(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	initStringInfo(&out);
	appendStringInfoString(&out, "flowchart TD");
	append_line(&out, 1);
	appendStringInfoString(&out, "flow((");
	append_label(&out, flow->name, flow_facts(flow));
	appendStringInfoString(&out, "))");
	draw_steps(&out, flow, flow->steps, 1);
	link_order(&out, flow->steps, "flow");
	foreach(lc, flow->all)
		link_step(&out, lfirst(lc));
	MemoryContextSwitchTo(caller);
	result = cstring_to_text_with_len(out.data, out.len);
	SPI_finish();
	PG_RETURN_TEXT_P(result);
}
