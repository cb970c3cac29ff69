/*
 * template_exec.c
 *		Nodes to text, by the rules of Go's text/template/exec.go.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "transform/template_exec.h"

static WalkResult exec_node(Exec *exec, const TmplValue *dot, const TmplNode *node, const TmplNode *next);

/* The place is added by place_of_error(), to errors of others as well. */
void
exec_error(const Exec *exec pg_attribute_unused(), int sqlerrcode, const char *format,...)
{
	char	   *message;
	va_list		args;

	va_start(args, format);
	message = tmpl_message(format, args);
	va_end(args);
	ereport(ERROR,
			(errcode(sqlerrcode),
			 errmsg("template failed: %s", message)));
}

void
exec_init(Exec *exec, Template *tmpl, const Row *row, TimestampTz now, StringInfo out)
{
	TmplValue	dot;

	memset(exec, 0, sizeof(Exec));
	exec->tmpl = tmpl;
	exec->row = row;
	exec->now = now;
	exec->out = out;
	dot = exec_row(exec);
	exec_variable_push(exec, "$", &dot);
}

/* Say where in the template a row failed, whoever raises the error. */
static void
place_of_error(void *arg)
{
	const Exec *exec = arg;
	int			line;
	int			column;

	if (!exec->node || !is_row_error(geterrcode()))
		return;
	tmpl_position(exec->tmpl->source, exec->node->pos, &line, &column);
	errdetail("Line %d, column %d of the template.", line, column);
}

void
exec_begin(Exec *exec)
{
	exec->callback.callback = place_of_error;
	exec->callback.arg = exec;
	exec->callback.previous = error_context_stack;
	error_context_stack = &exec->callback;
}

void
exec_end(Exec *exec)
{
	error_context_stack = exec->callback.previous;
}

TmplValue
exec_row(const Exec *exec)
{
	TmplValue	value = {.kind = KIND_ROW};

	value.u.row = exec->row;
	if (exec->tmpl->input && !exec->tmpl->input->is_item)
		return value;

	/* items that are no object: render() may be given any JSON */
	if (exec->row->item.kind == VALUE_JSON && *exec->row->item.data == '{')
		return value;
	value = tmpl_from_value(&exec->row->item);
	if (value.kind == KIND_NIL)
		value.kind = KIND_INVALID;
	return value;
}

/* ------------------------------------------------------------------------
 * Control
 * ------------------------------------------------------------------------
 */

static void
exec_action(Exec *exec, const TmplValue *dot, const TmplNode *node, const TmplNode *next)
{
	TmplValue	value = eval_pipeline(exec, dot, node->pipe);

	if (node->pipe->declared != NIL)
		return;
	exec->node = node;
	emit_value(exec, &value, next);
}

static WalkResult
exec_if_or_with(Exec *exec, const TmplValue *dot, const TmplNode *node)
{
	int			mark = exec->nvariables;
	TmplValue	value = eval_pipeline(exec, dot, node->pipe);
	WalkResult	result;

	if (tmpl_truth(exec, &value))
		result = exec_list(exec, node->kind == NODE_WITH ? &value : dot, node->body);
	else
		result = exec_list(exec, dot, node->otherwise);
	exec->nvariables = mark;
	return result;
}

static void
assign(Exec *exec, const char *name, const TmplValue *value)
{
	for (int i = exec->nvariables - 1; i >= exec->first_variable; i--)
	{
		if (strcmp(exec->variables[i].name, name) != 0)
			continue;
		exec->variables[i].value = *value;
		return;
	}
}

/* One round of a range; false if it is to end. */
static bool
exec_round(Exec *exec, const TmplNode *node, const TmplValue *index, const TmplValue *element)
{
	List	   *declared = node->pipe->declared;
	int			mark = exec->nvariables;
	WalkResult	result;

	CHECK_FOR_INTERRUPTS();
	if (node->pipe->is_assign && declared != NIL)
	{
		/* of two variables the first is the index */
		assign(exec, linitial(declared), list_length(declared) > 1 ? index : element);
		if (list_length(declared) > 1)
			assign(exec, lsecond(declared), element);
	}
	else if (declared != NIL)
	{
		exec->variables[mark - 1].value = *element;
		if (list_length(declared) > 1)
			exec->variables[mark - 2].value = *index;
	}
	result = exec_list(exec, element, node->body);
	exec->nvariables = mark;
	return result != WALK_BREAK;
}

static bool
range_array(Exec *exec, const TmplNode *node, TmplValue *array)
{
	TmplValue  *items = tmpl_elements(array);

	for (int i = 0; i < array->u.array.length; i++)
	{
		TmplValue	index = tmpl_int(i);

		if (!exec_round(exec, node, &index, &items[i]))
			break;
	}
	return array->u.array.length > 0;
}

static bool
range_map(Exec *exec, const TmplNode *node, const TmplValue *map)
{
	TmplMember *members;
	int			n = tmpl_members(exec, map, &members);

	for (int i = 0; i < n; i++)
	{
		TmplValue	key = tmpl_from_value(&members[i].key);
		TmplValue	value = tmpl_from_value(&members[i].value);

		value.is_element = true;
		if (!exec_round(exec, node, &key, &value))
			break;
	}
	return n > 0;
}

/* Since Go 1.24: 0 to n - 1. */
static bool
range_integer(Exec *exec, const TmplNode *node, const TmplValue *limit)
{
	TmplValue	index = {0};

	if (list_length(node->pipe->declared) > 1)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE,
				   "range over an integer takes one variable");
	for (int64 i = 0; i < limit->u.integer; i++)
	{
		TmplValue	element = tmpl_int(i);

		element.kind = limit->kind;
		if (!exec_round(exec, node, &index, &element))
			break;
	}
	return limit->u.integer > 0;
}

static WalkResult
exec_range(Exec *exec, const TmplValue *dot, const TmplNode *node)
{
	int			mark = exec->nvariables;
	TmplValue	value = eval_pipeline(exec, dot, node->pipe);
	WalkResult	result = WALK_ON;
	bool		any = false;

	exec->node = node;
	switch ((TmplKind) value.kind)
	{
		case KIND_INVALID:
		case KIND_NIL:
			break;
		case KIND_INT:
		case KIND_INT64:
		case KIND_UINT8:
			any = range_integer(exec, node, &value);
			break;
		case KIND_ARRAY:
			any = range_array(exec, node, &value);
			break;
		case KIND_MAP:
		case KIND_ROW:
			any = range_map(exec, node, &value);
			break;
		default:
			exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "range over a value of type %s",
					   tmpl_type_name(&value));
	}
	if (!any)
		result = exec_list(exec, dot, node->otherwise);
	exec->nvariables = mark;

	/* a break in {{else}} ends this range, a continue goes to the outer one */
	return result == WALK_BREAK ? WALK_ON : result;
}

/* The template has variables of its own: $ alone, its argument. */
static void
exec_template(Exec *exec, const TmplValue *dot, const TmplNode *node)
{
	TmplTree   *tree = tmpl_tree(exec->tmpl, node->text, node->len);
	TmplValue	argument = {0};
	int			first = exec->first_variable;
	int			mark;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	exec->node = node;
	if (!tree)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "template \"%.*s\" is not defined",
				   node->len, node->text);
	if (node->pipe)
		argument = eval_pipeline(exec, dot, node->pipe);
	mark = exec->nvariables;
	exec->first_variable = mark;
	exec_variable_push(exec, "$", &argument);
	exec_list(exec, &argument, tree->root);
	exec->nvariables = mark;
	exec->first_variable = first;
}

/* next is the node behind this one, or NULL. */
static WalkResult
exec_node(Exec *exec, const TmplValue *dot, const TmplNode *node, const TmplNode *next)
{
	exec->node = node;
	switch (node->kind)
	{
		case NODE_TEXT:
			emit_text(exec, node, exec->skip_quote ? 1 : 0);
			exec->skip_quote = false;
			return WALK_ON;
		case NODE_ACTION:
			exec_action(exec, dot, node, next);
			return WALK_ON;
		case NODE_IF:
		case NODE_WITH:
			return exec_if_or_with(exec, dot, node);
		case NODE_RANGE:
			return exec_range(exec, dot, node);
		case NODE_TEMPLATE:
			exec_template(exec, dot, node);
			return WALK_ON;
		case NODE_BREAK:
			return WALK_BREAK;
		case NODE_CONTINUE:
			return WALK_CONTINUE;
		default:
			elog(ERROR, "unexpected node %d in template", node->kind);
	}
}

WalkResult
exec_list(Exec *exec, const TmplValue *dot, List *nodes)
{
	int			n = list_length(nodes);

	check_stack_depth();
	for (int i = 0; i < n; i++)
	{
		WalkResult	result = exec_node(exec, dot, list_nth(nodes, i),
									   i + 1 < n ? list_nth(nodes, i + 1) : NULL);

		if (result != WALK_ON)
			return result;
	}
	return WALK_ON;
}

/* ------------------------------------------------------------------------
 * Whole templates
 * ------------------------------------------------------------------------
 */

void
exec_document(Exec *exec, List *nodes)
{
	TmplValue	dot = exec_row(exec);
	JsonState	state;

	if (!exec_is_json(exec))
	{
		exec_list(exec, &dot, nodes);
		return;
	}
	json_state_init(&state);
	exec->json = &state;
	exec->string_start = -1;
	exec_list(exec, &dot, nodes);
	if (!json_state_complete(&state))
		exec_error(exec, ERRCODE_INVALID_TEXT_REPRESENTATION,
				   "result is not JSON: it ends too early, %s", json_state_expected(&state));
	exec->json = NULL;
	pfree(state.stack);
}

void
template_render(Template *tmpl, const Row *row, TimestampTz now, StringInfo out)
{
	Exec		exec;
	StringInfoData rendered;

	initStringInfo(&rendered);
	exec_init(&exec, tmpl, row, now, &rendered);
	exec_begin(&exec);
	exec_document(&exec, tmpl->main);
	exec_end(&exec);
	if (!exec_is_json(&exec))
		emit_repair(&rendered);
	appendBinaryStringInfo(out, rendered.data, rendered.len);
	pfree(rendered.data);
}
