/*
 * step.c
 *		Parses the jsonb of a flow into steps and links them up.
 */
#include "flow/node.h"
#include "flow/policy.h"
#include "flow/step_types.h"

#include "compat.h"
#include "mb/pg_wchar.h"
#include "rows/json.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

static void link_step(Flow *flow, Step *step);
static List *parse_steps(Flow *flow, const Value *array, Step *parent, int handler, int depth);

void
flow_definition_error(const Flow *flow, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid definition of flow \"%s\"", flow->name),
			 errdetail("%s", detail),
			 hint ? errhint("%s", hint) : 0));
}

const Value *
step_param(const Step *step, const char *param)
{
	int			i = step_param_find(step->type, param);

	if (i < 0)
		elog(ERROR, "step kind \"%s\" has no parameter \"%s\"", step->type->name, param);
	return &step->params[i];
}

char *
step_text(const Step *step, const char *param)
{
	return value_cstring(step_param(step, param));
}

int64
step_int(const Step *step, const char *param, int64 fallback)
{
	char	   *text = step_text(step, param);

	return text ? DatumGetInt64(DirectFunctionCall1(int8in, CStringGetDatum(text))) : fallback;
}

/* Check the type of one parameter. */
static void
check_param(Flow *flow, const Step *step, int i)
{
	const StepParam *param = &step->type->params[i];
	const Value *value = &step->params[i];

	if (value_is_null(value))
	{
		if (param->required)
			flow_definition_error(flow,
					   psprintf("Step \"%s\" has no %s.", step->name, param->name),
					   psprintf("Give %s() a value for %s that is not null.",
								step->type->name, param->name));
		return;
	}
	if (param->type == PARAM_INT &&
		(value->kind != VALUE_NUMBER || step_int(step, param->name, 0) <= 0))
		flow_definition_error(flow,
				   psprintf("%s of step \"%s\" must be greater than zero.", param->name, step->name),
				   NULL);
	if (param->type == PARAM_ROWS_LIST && (value->kind != VALUE_JSON || value->data[0] != '['))
		flow_definition_error(flow,
				   psprintf("%s of step \"%s\" is not a list of names.", param->name, step->name),
				   psprintf("Make steps with resolute.%s().", step->type->name));
	if (param->type == PARAM_CURSOR && value->kind != VALUE_JSON)
		flow_definition_error(flow,
				   psprintf("%s of step \"%s\" is not a cursor.", param->name, step->name),
				   "Use cursor => resolute.cursor_for('a name').");
}

/* Fill in the parameters of a step from its JSON object. */
static void
parse_params(Flow *flow, Step *step, const Value *object)
{
	JsonIter	it = json_iter(object);
	Value		key,
				value;

	while (json_next(&it, &key, &value))
	{
		char	   *name = value_cstring(&key);
		int			i = step_param_find(step->type, name);

		if (i >= 0)
			step->params[i] = value;
		else if (strcmp(name, "step") != 0 && strcmp(name, "as") != 0 &&
				 !policy_member(&key) &&
				 !(step_is_block(step) && strcmp(name, "steps") == 0))
			flow_definition_error(flow,
					   psprintf("Step \"%s\" has no parameter \"%s\".", step->name, name),
					   psprintf("Make steps with resolute.%s().", step->type->name));
	}
	for (int i = 0; step->type->params[i].name != NULL; i++)
		check_param(flow, step, i);
}

/* Give the step its name: what as() says, node()'s own, or kind and number. */
static void
name_step(Flow *flow, Step *step, const Value *object)
{
	Value		name = json_member(object, "as", 2, false);

	if (value_is_null(&name) && step->type->kind == STEP_NODE)
		name = json_member(object, "name", 4, false);
	step->named = !value_is_null(&name);
	step->name = step->named ? value_cstring(&name)
		: psprintf("%s %d", step->type->name, step->number);
	if (step->name[0] == '\0')
		flow_definition_error(flow, "A step has an empty name.", NULL);
	if (step->named && flow_find_step(flow, step->name, NULL) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("step name \"%s\" is used twice in flow \"%s\"", step->name, flow->name),
				 errhint("Give each output a name of its own with resolute.as().")));
	if (step->named && (strcmp(step->name, "input") == 0 || strcmp(step->name, "run") == 0 ||
						strcmp(step->name, "error") == 0 || strcmp(step->name, "state") == 0))
		flow_definition_error(flow, psprintf("A step cannot be named \"%s\".", step->name),
				   "The names input, run, error and state have a meaning of their own.");
}

/* The steps that on_error() gives to a step: one list for each time it was called. */
static void
parse_handlers(Flow *flow, Step *step, const Value *object, int depth)
{
	Value		lists = json_member(object, "on_error", 8, false);
	Value		key,
				list;
	JsonIter	it;

	if (value_is_null(&lists))
		return;
	if (lists.kind != VALUE_JSON || lists.data[0] != '[')
		flow_definition_error(flow, psprintf("on_error of step \"%s\" is not a list.", step->name),
				   "Make handlers with resolute.on_error().");
	for (it = json_iter(&lists); json_next(&it, &key, &list);)
	{
		int			handler = list_length(step->handlers) + 1;
		List	   *steps = list.kind == VALUE_JSON
			? parse_steps(flow, &list, step, handler, depth + 1) : NIL;

		if (steps == NIL)
			flow_definition_error(flow, psprintf("on_error() of step \"%s\" has no steps.", step->name),
					   "Give on_error() at least one step that handles the error.");
		step->handlers = lappend(step->handlers, steps);
	}
}

/* Parse one step and what it holds. */
static Step *
parse_step(Flow *flow, const Value *object, Step *parent, int handler, int depth)
{
	Step	   *step = palloc0(sizeof(Step));
	Value		kind = json_member(object, "step", 4, false);

	step->parent = parent;
	step->handler = handler;
	step->type = step_type_find(&kind);
	if (step->type == NULL)
		flow_definition_error(flow, psprintf("There is no kind of step \"%s\".",
								  value_is_null(&kind) ? "" : value_cstring(&kind)),
				   "Make steps with the functions of schema resolute.");
	if (depth > FLOW_MAX_DEPTH || list_length(flow->all) >= FLOW_MAX_STEPS)
		flow_definition_error(flow, psprintf("A flow holds at most %d steps, nested at most %d deep.",
								  FLOW_MAX_STEPS, FLOW_MAX_DEPTH), NULL);
	step->number = list_length(flow->all) + 1;
	name_step(flow, step, object);
	parse_params(flow, step, object);
	policy_parse(flow, step, object);
	step->manual = step->type->kind == STEP_FETCH &&
		value_is(step_param(step, "paginate"), "manual");
	flow->all = lappend(flow->all, step);
	link_step(flow, step);

	if (step_is_block(step))
	{
		Value		children = json_member(object, "steps", 5, false);

		step->children = parse_steps(flow, &children, step, 0, depth + 1);
		if (step->children == NIL)
			flow_definition_error(flow, psprintf("Block %s holds no steps.", step->name),
					   "Give it at least one step.");
	}
	parse_handlers(flow, step, object, depth);
	return step;
}

static List *
parse_steps(Flow *flow, const Value *array, Step *parent, int handler, int depth)
{
	JsonIter	it = json_iter(array);
	Value		key,
				element;
	List	   *steps = NIL;

	while (json_next(&it, &key, &element))
		steps = lappend(steps, parse_step(flow, &element, parent, handler, depth));
	return steps;
}

/* The names that a step may refer to, for hints. */
static char *
known_names(const Flow *flow, const Step *before, bool rows_only)
{
	StringInfoData out;
	ListCell   *lc;

	initStringInfo(&out);
	foreach(lc, flow->all)
	{
		Step	   *step = lfirst(lc);

		if (step == before)
			break;
		if (!step->named || (rows_only && !step_yields_rows(step)))
			continue;
		appendStringInfo(&out, "%s\"%s\"", out.len ? ", " : "", step->name);
	}
	return out.len ? psprintf("The steps before it are %s.", out.data)
		: pstrdup("No step before it has a name: use resolute.as().");
}

Step *
flow_find_step(const Flow *flow, const char *name, const Step *before)
{
	ListCell   *lc;

	foreach(lc, flow->all)
	{
		Step	   *step = lfirst(lc);

		if (step == before)
			break;
		if (step->named && strcmp(step->name, name) == 0)
			return step;
	}
	return NULL;
}

bool
step_reads_from(const Step *step, const Step *other)
{
	ListCell   *lc;

	if (step == other)
		return true;
	foreach(lc, step->inputs)
	{
		if (step_reads_from(lfirst(lc), other))
			return true;
	}
	return false;
}

bool
step_stands_in(const Step *step, const Step *block, int handler)
{
	for (; step; step = step->parent)
	{
		if (step->parent == block && step->handler == handler)
			return true;
	}
	return false;
}

/* A step in a block that is run or not can be used in that block only. */
static void
check_has_run(const Flow *flow, const Step *step, const Step *found)
{
	for (const Step *inner = found; inner->parent; inner = inner->parent)
	{
		const Step *block = inner->parent;

		if ((inner->handler == 0 && block->type->kind == STEP_PARALLEL) ||
			step_stands_in(step, block, inner->handler))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("step \"%s\" of flow \"%s\" refers to step \"%s\", which may not have run",
						step->name, flow->name, found->name),
				 inner->handler > 0
				 ? errdetail("\"%s\" stands in the error handler of step \"%s\".",
							 found->name, block->name)
				 : errdetail("\"%s\" stands in block \"%s\".", found->name, block->name),
				 errhint("Place both into the same block, or use resolute.state() where the output may be missing.")));
	}
}

/* Find the step that another one refers to, or say which there are. */
static Step *
referred_step(const Flow *flow, const Step *step, const char *name, bool rows)
{
	Step	   *found = flow_find_step(flow, name, step);

	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("step \"%s\" of flow \"%s\" refers to unknown step \"%s\"",
						step->name, flow->name, name),
				 errdetail("%s", known_names(flow, step, rows)),
				 errhint("A step can only use the output of a step that is written before it.")));
	if (rows && found->type->kind == STEP_NODE && found->root)
		found->streams = true;	/* see node_check() */
	if (rows && !step_yields_rows(found))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("step \"%s\" of flow \"%s\" needs rows, but \"%s\" yields none",
						step->name, flow->name, name),
				 errdetail("%s", known_names(flow, step, true)),
				 errhint("Rows come from a source, or from a step that makes rows of rows, such as resolute.map().")));
	check_has_run(flow, step, found);
	return found;
}

/* Take a step as an input: its sources become those of this step. */
static void
add_input(Flow *flow, Step *step, Step *input)
{
	ListCell   *lc;

	step->inputs = lappend(step->inputs, input);
	if (!step_yields_rows(input))
		return;
	foreach(lc, input->roots)
	{
		Step	   *root = lfirst(lc);

		if (list_member_ptr(step->roots, root))
			flow_definition_error(flow, psprintf("\"%s\" takes rows of \"%s\" more than once.",
									  step->name, root->name),
					   "Merge rows of different sources.");
		step->roots = lappend(step->roots, root);
	}
}

/* Resolve what the step refers to, and find the sources of its rows. */
static void
link_step(Flow *flow, Step *step)
{
	if (step->type->kind == STEP_FETCH)
		step->roots = list_make1(step);
	for (int i = 0; step->type->params[i].name != NULL; i++)
	{
		ParamType	type = step->type->params[i].type;
		const Value *value = &step->params[i];
		JsonIter	it;
		Value		key,
					name;

		if (value_is_null(value))
			continue;
		if (type == PARAM_ROWS || type == PARAM_OUTPUT)
			add_input(flow, step, referred_step(flow, step, value_cstring(value), type == PARAM_ROWS));
		if (type != PARAM_ROWS_LIST)
			continue;
		for (it = json_iter(value); json_next(&it, &key, &name);)
			add_input(flow, step, referred_step(flow, step, value_is_null(&name) ? "" : value_cstring(&name), true));
		if (step->inputs == NIL)
			flow_definition_error(flow, psprintf("Step \"%s\" names no steps.", step->name),
					   psprintf("Give %s() the names of the steps whose rows it takes.", step->type->name));
	}
	step->input = step->inputs ? linitial(step->inputs) : NULL;
	step->root = step->roots ? linitial(step->roots) : NULL;
	if (step->type->kind == STEP_NODE && step->root)
		step->streams = node_function_is_set(step_text(step, "function"));
}

/* A node whose rows nobody reads is a sink. */
static void
end_streams(Flow *flow)
{
	List	   *read = NIL;
	ListCell   *lc;

	foreach(lc, flow->all)
		read = list_concat_unique_ptr(read, ((Step *) lfirst(lc))->inputs);
	foreach(lc, flow->all)
	{
		Step	   *step = lfirst(lc);

		step->streams = step->streams && list_member_ptr(read, step);
	}
	list_free(read);
}

void
flow_parse(Flow *flow)
{
	Jsonb	   *jsonb = DatumGetJsonbP(flow->definition);
	char	   *text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	Value		array;

	text = pg_server_to_any(text, strlen(text), PG_UTF8);
	if (!json_document(text, strlen(text), &array))
		elog(ERROR, "definition of flow \"%s\" is not JSON", flow->name);
	flow->all = NIL;
	flow->steps = parse_steps(flow, &array, NULL, 0, 1);
	if (flow->steps == NIL)
		flow_definition_error(flow, "The flow has no steps.", "Give create_flow() at least one step.");
	end_streams(flow);
	flow_check_rules(flow);
	flow_analyze(flow);
}
