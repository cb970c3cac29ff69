/*
 * step.c
 *		Parses the jsonb of a flow into steps and links them up.
 */
#include "flow/step_types.h"

#include "compat.h"
#include "mb/pg_wchar.h"
#include "rows/json.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

static void link_step(Flow *flow, Step *step);
static List *parse_steps(Flow *flow, const Value *array, int depth);

/* Raise what is wrong with a step; every message names the flow. */
static void
step_error(const Flow *flow, const char *detail, const char *hint)
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
			step_error(flow,
					   psprintf("Step \"%s\" has no %s.", step->name, param->name),
					   psprintf("Give %s() a value for %s that is not null.",
								step->type->name, param->name));
		return;
	}
	if (param->type == PARAM_INT &&
		(value->kind != VALUE_NUMBER || step_int(step, param->name, 0) <= 0))
		step_error(flow,
				   psprintf("%s of step \"%s\" must be greater than zero.", param->name, step->name),
				   NULL);
	if (param->type == PARAM_CURSOR && value->kind != VALUE_JSON)
		step_error(flow,
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
				 !(step->type->kind == STEP_WHEN && strcmp(name, "steps") == 0))
			step_error(flow,
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
		step_error(flow, "A step has an empty name.", NULL);
	if (step->named && flow_find_step(flow, step->name, NULL) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("step name \"%s\" is used twice in flow \"%s\"", step->name, flow->name),
				 errhint("Give each output a name of its own with resolute.as().")));
	if (step->named && (strcmp(step->name, "input") == 0 || strcmp(step->name, "run") == 0 ||
						strcmp(step->name, "error") == 0 || strcmp(step->name, "state") == 0))
		step_error(flow, psprintf("A step cannot be named \"%s\".", step->name),
				   "The names input, run, error and state have a meaning of their own.");
}

/* Parse one step and what it holds. */
static Step *
parse_step(Flow *flow, const Value *object, int depth)
{
	Step	   *step = palloc0(sizeof(Step));
	Value		kind = json_member(object, "step", 4, false);

	step->type = step_type_find(&kind);
	if (step->type == NULL)
		step_error(flow, psprintf("There is no kind of step \"%s\".",
								  value_is_null(&kind) ? "" : value_cstring(&kind)),
				   "Make steps with the functions of schema resolute.");
	if (depth > FLOW_MAX_DEPTH || list_length(flow->all) >= FLOW_MAX_STEPS)
		step_error(flow, psprintf("A flow holds at most %d steps, nested at most %d deep.",
								  FLOW_MAX_STEPS, FLOW_MAX_DEPTH), NULL);
	step->number = list_length(flow->all) + 1;
	name_step(flow, step, object);
	parse_params(flow, step, object);
	flow->all = lappend(flow->all, step);
	link_step(flow, step);

	if (step->type->kind == STEP_WHEN)
	{
		Value		children = json_member(object, "steps", 5, false);

		step->children = parse_steps(flow, &children, depth + 1);
		if (step->children == NIL)
			step_error(flow, psprintf("Block %s holds no steps.", step->name), NULL);
	}
	return step;
}

static List *
parse_steps(Flow *flow, const Value *array, int depth)
{
	JsonIter	it = json_iter(array);
	Value		key,
				element;
	List	   *steps = NIL;

	while (json_next(&it, &key, &element))
		steps = lappend(steps, parse_step(flow, &element, depth));
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
	if (rows && !step_yields_rows(found))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("step \"%s\" of flow \"%s\" needs rows, but \"%s\" yields none",
						step->name, flow->name, name),
				 errdetail("%s", known_names(flow, step, true))));
	return found;
}

/* Resolve what the step refers to, and find the source of its rows. */
static void
link_step(Flow *flow, Step *step)
{
	if (step->type->kind == STEP_FETCH)
		step->root = step;
	for (int i = 0; step->type->params[i].name != NULL; i++)
	{
		ParamType	type = step->type->params[i].type;

		if ((type != PARAM_ROWS && type != PARAM_OUTPUT) || value_is_null(&step->params[i]))
			continue;
		step->input = referred_step(flow, step, value_cstring(&step->params[i]),
									type == PARAM_ROWS);
		if (step_yields_rows(step->input))
			step->root = step->input->root;
	}
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
	flow->steps = parse_steps(flow, &array, 1);
	if (flow->steps == NIL)
		step_error(flow, "The flow has no steps.", "Give create_flow() at least one step.");
	flow_analyze(flow);
}
