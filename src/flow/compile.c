/*
 * compile.c
 *		Compiles what the steps of a flow carry as text: templates, keys and
 *		cursors; and finds out which fields of a source's items are read.
 */
#include "flow/row_step.h"

#include "rows/json.h"
#include "rows/names.h"
#include "source/source.h"

/* An error leaves it as it was then. */
static StepPlace place = {NULL, 0};

/* Tell where an error happened. */
static void
step_context_callback(void *arg)
{
	StepContext *context = arg;

	if (context->page > 0)
		errcontext("flow \"%s\", step \"%s\", page " INT64_FORMAT,
				   context->flow->name, context->step->name, context->page);
	else
		errcontext("flow \"%s\", step \"%s\"", context->flow->name, context->step->name);
}

void
step_context_push(StepContext *context, const Flow *flow, const Step *step)
{
	context->flow = flow;
	context->step = step;
	context->page = 0;
	context->callback.callback = step_context_callback;
	context->callback.arg = context;
	context->callback.previous = error_context_stack;
	error_context_stack = &context->callback;
	context->outer_step = place.step;
	context->outer_page = place.page;
	place.step = step;
	place.page = 0;
}

void
step_context_set_page(StepContext *context, int64 page)
{
	context->page = page;
	place.page = page;
}

void
step_context_pop(StepContext *context)
{
	error_context_stack = context->callback.previous;
	place.step = context->outer_step;
	place.page = context->outer_page;
}

StepPlace
step_place_begin(void)
{
	StepPlace	outer = place;

	place.step = NULL;
	place.page = 0;
	return outer;
}

StepPlace
step_place(void)
{
	return place;
}

void
step_place_end(StepPlace outer)
{
	place = outer;
}

bool
step_yields_items(const Step *step)
{
	while (step->type->kind == STEP_UNIQUE || step->type->kind == STEP_MERGE ||
		   row_step_keeps_items(step))
		step = step->input;
	return step->type->kind == STEP_FETCH;
}

/* Note that a source must deliver this. */
static void
add_reference(Step *fetch, char *reference)
{
	ListCell   *lc;

	foreach(lc, fetch->references)
	{
		if (strcmp(lfirst(lc), reference) == 0)
			return;
	}
	fetch->references = lappend(fetch->references, reference);
}

void
step_read_fields(const Step *step, List *references, bool whole)
{
	ListCell   *lc,
			   *lc2;

	if (!step_yields_items(step))
		return;
	foreach(lc, step->roots)
	{
		Step	   *fetch = lfirst(lc);

		foreach(lc2, references)
			add_reference(fetch, lfirst(lc2));
		fetch->whole |= whole;
	}
}

/* ${cursor} in the query and the cursor parameter need each other. */
static void
check_cursor_use(const Flow *flow, const Step *step)
{
	bool		quoted;
	char	   *query = step_text(step, "jql");
	int			placeholders = cursor_placeholders(query, &quoted);

	if (placeholders > 0 && step->cursor == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of step \"%s\" of flow \"%s\" uses ${cursor}, but has no cursor",
						step->name, flow->name),
				 errhint("Add cursor => resolute.cursor_for('a name').")));
	if (placeholders == 0 && step->cursor != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("step \"%s\" of flow \"%s\" has a cursor, but its query does not use ${cursor}",
						step->name, flow->name),
				 errhint("Add a condition such as \"updated >= ${cursor}\" to the query.")));
	if (placeholders == 0)
		return;
	if (quoted && !cursor_has_layout(step->cursor))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of step \"%s\" of flow \"%s\" has ${cursor} in quotes, but no format for it",
						step->name, flow->name),
				 errhint("Write ${cursor} without quotes: it becomes milliseconds since the epoch. Or give cursor_for() a format such as '2006-01-02 15:04'.")));
	if (!quoted && cursor_has_layout(step->cursor))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of step \"%s\" of flow \"%s\" has ${cursor} without quotes, but its cursor has a format",
						step->name, flow->name),
				 errhint("Write \"${cursor}\" in quotes, or leave the format out.")));
}

/*
 * A cursor belongs to one source of a flow.  In another order than its own, it
 * moves when everything was read, which max_items would put off for ever.
 */
static void
check_cursor_walk(const Flow *flow, const Step *step, QueryOrder order)
{
	ListCell   *lc;

	if (order == ORDER_OTHER && !value_is_null(step_param(step, "max_items")))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("step \"%s\" of flow \"%s\" has a cursor and max_items, but its query has an order of its own",
						step->name, flow->name),
				 errdetail("The cursor could never move: what max_items leaves out may be older than what was read."),
				 errhint("Leave the ORDER BY out of the query, or max_items out of the step.")));
	foreach(lc, flow->all)
	{
		const Step *other = lfirst(lc);

		if (other == step)
			break;
		if (other->cursor && strcmp(other->cursor->name, step->cursor->name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("steps \"%s\" and \"%s\" of flow \"%s\" have the same cursor \"%s\"",
							other->name, step->name, flow->name, step->cursor->name),
					 errhint("Give each source a cursor of its own.")));
	}
}

/*
 * With several requests in flight rows come by id: no other order is
 * possible, and a cursor moves when everything was read.
 */
static void
check_concurrency(const Flow *flow, const Step *step, QueryOrder order)
{
	int64		concurrency = step_int(step, "concurrency", 1);

	if (concurrency > SOURCE_MAX_CONCURRENCY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("concurrency of step \"%s\" of flow \"%s\" is out of range",
						step->name, flow->name),
				 errhint("It is the number of requests in flight at once, 1 to %d; the default is 1.",
						 SOURCE_MAX_CONCURRENCY)));
	if (concurrency > 1 && order != ORDER_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("step \"%s\" of flow \"%s\" has concurrency, but its query has an order of its own",
						step->name, flow->name),
				 errdetail("With several requests in flight, issues are read in the order of their ids."),
				 errhint("Leave the ORDER BY out of the query, or concurrency out of the step.")));
	if (concurrency > 1 && step->cursor && !value_is_null(step_param(step, "max_items")))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("step \"%s\" of flow \"%s\" has a cursor, max_items and concurrency",
						step->name, flow->name),
				 errdetail("The cursor could never move: what max_items leaves out may be older than what was read."),
				 errhint("Leave max_items or concurrency out of the step.")));
}

static void
compile_fetch(const Flow *flow, Step *step)
{
	const Value *cursor = step_param(step, "cursor");
	QueryOrder	order = source_query_order(step->type->provider, step_text(step, "jql"));

	if (!value_is_null(cursor))
	{
		step->cursor = cursor_spec_from_json(value_jsonb(cursor));
		add_reference(step, pstrdup(source_cursor_field(step->type->provider)));
	}
	check_cursor_use(flow, step);
	check_concurrency(flow, step, order);
	if (step->cursor)
		check_cursor_walk(flow, step, order);
}

/* Compile a template, and note what it reads of a source's items. */
static void
compile_template(Step *step, const char *source)
{
	List	   *references;
	bool		whole;

	step->tmpl = template_compile(source, TEMPLATE_JSON);
	references = template_references(step->tmpl, &whole);
	step_read_fields(step->input, references, whole);
}

static void
compile_map(Step *step)
{
	StringInfoData source;

	initStringInfo(&source);
	value_append_text(&source, step_param(step, "template"));
	compile_template(step, source.data);

	/* Whatever stands before the first brace, an array or a text is no row. */
	if (source.data[strspn(source.data, " \t\r\n")] != '{')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the template of step \"%s\" makes no object", step->name),
				 errhint("A row is an object, such as {\"issue_key\": \"{{.Key}}\"}: its members become columns.")));
}

char *
source_template(const Step *fetch)
{
	StringInfoData source;
	ListCell   *lc;

	initStringInfo(&source);
	foreach(lc, source_columns(fetch->type->provider))
		appendStringInfo(&source, "%s\"%s\": {{.%s}}", source.len ? ", " : "{",
						 (char *) lfirst(lc), (char *) lfirst(lc));
	appendStringInfoChar(&source, '}');
	return source.data;
}

/*
 * An upsert takes what a map makes; rows of a source that come without one are
 * mapped to the columns that the source's function has in SQL.
 */
static void
compile_upsert(Step *step)
{
	step->keys = names_from_text(psprintf("key of step \"%s\"", step->name),
								 step_text(step, "key"));
	if (step_yields_items(step->input))
		compile_template(step, source_template(step->root));
}

static void
compile_unique(const Flow *flow, Step *step)
{
	char	   *keep = step_text(step, "keep");

	step->keys = names_from_text(psprintf("key of step \"%s\"", step->name), step_text(step, "key"));
	if (keep && strcmp(keep, "first") != 0 && strcmp(keep, "last") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid keep of step \"%s\" of flow \"%s\": \"%s\"",
						step->name, flow->name, keep),
				 errhint("keep is last or first.")));
	step->keep_first = keep && strcmp(keep, "first") == 0;
	step_read_fields(step->input, step->keys, false);
}

/* Rows are either a source's items, whose fields it fills, or what a map has made. */
static void
compile_merge(const Flow *flow, const Step *step)
{
	ListCell   *lc;

	foreach(lc, step->inputs)
	{
		const Step *input = lfirst(lc);

		if (step_yields_items(input) != step_yields_items(step->input))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("step \"%s\" of flow \"%s\" merges rows of different kinds",
							step->name, flow->name),
					 errdetail("Of \"%s\" and \"%s\", one has been mapped and the other has not.",
							   step->input->name, input->name),
					 errhint("Map each of them before the merge, or all of them after it.")));
	}
}

static void
compile_step(Flow *flow, Step *step)
{
	switch (step->type->kind)
	{
		case STEP_FETCH:
			compile_fetch(flow, step);
			break;
		case STEP_MAP:
			compile_map(step);
			break;
		case STEP_UNIQUE:
			compile_unique(flow, step);
			break;
		case STEP_MERGE:
			compile_merge(flow, step);
			break;
		case STEP_ROWS:
			row_step_compile(step);
			break;
		case STEP_UPSERT:
			compile_upsert(step);
			break;
		case STEP_NODE:
		case STEP_SQL:
		case STEP_WHEN:
		default:
			break;
	}

	/* A node that takes the items themselves wants all of them. */
	if (step->type->kind == STEP_NODE && step->root)
		step_read_fields(step->input, NIL, true);
}

void
flow_compile(Flow *flow)
{
	ListCell   *lc;

	foreach(lc, flow->all)
	{
		StepContext context;

		step_context_push(&context, flow, lfirst(lc));
		compile_step(flow, lfirst(lc));
		step_context_pop(&context);
	}
}
