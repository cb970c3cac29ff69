/*
 * template_eval.c
 *		Pipelines to values, by the rules of Go's text/template/exec.go.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "transform/template_functions.h"

#define FIRST_VARIABLES 8

static TmplValue eval_argument(Exec *exec, const TmplValue *dot, const TmplNode *node);

/* ------------------------------------------------------------------------
 * Variables: a stack, searched from the top.
 * ------------------------------------------------------------------------
 */

void
exec_variable_push(Exec *exec, const char *name, const TmplValue *value)
{
	if (exec->nvariables == exec->variables_room)
	{
		exec->variables_room = Max(FIRST_VARIABLES, exec->variables_room * 2);
		exec->variables = exec->variables ?
			repalloc_huge(exec->variables, exec->variables_room * sizeof(TmplVariable)) :
			palloc(exec->variables_room * sizeof(TmplVariable));
	}
	exec->variables[exec->nvariables].name = name;
	exec->variables[exec->nvariables++].value = *value;
}

static TmplValue *
find_variable(Exec *exec, const char *name)
{
	for (int i = exec->nvariables - 1; i >= exec->first_variable; i--)
		if (strcmp(exec->variables[i].name, name) == 0)
			return &exec->variables[i].value;
	exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "variable %s is not defined", name);
}

/* ------------------------------------------------------------------------
 * Fields
 * ------------------------------------------------------------------------
 */

/*
 * One step of a chain.  In Go, a field of nothing is nothing but a field of null
 * is an error; JSON documents are full of nulls, so there it is nothing, too.
 */
static TmplValue
eval_field(Exec *exec, const TmplValue *receiver, const TmplName *name)
{
	TmplValue	member = {0};

	switch ((TmplKind) receiver->kind)
	{
		case KIND_INVALID:
			return member;
		case KIND_NIL:
			if (exec_is_json(exec))
				return member;
			exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "field \"%.*s\" of null",
					   name->len, name->name);
		case KIND_MAP:
		case KIND_ROW:
			tmpl_member(exec, receiver, name->name, name->len, &member);
			return member;
		default:
			exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE,
					   "value of type %s has no field \"%.*s\"",
					   tmpl_type_name(receiver), name->len, name->name);
	}
}

static TmplValue
eval_chain(Exec *exec, TmplValue receiver, const TmplNode *node, int first)
{
	exec->node = node;
	for (int i = first; i < node->nnames; i++)
		receiver = eval_field(exec, &receiver, &node->names[i]);
	return receiver;
}

/* A chain on the row itself: its fields were looked up when it was bound. */
static TmplValue
eval_reference(Exec *exec, const TmplValue *row, const TmplNode *node)
{
	const TmplReference *reference = node->reference;
	TmplValue	value;

	if (!reference || reference->field < 0)
		return eval_chain(exec, *row, node, 0);
	value = tmpl_from_value(&exec->row->values[reference->field]);
	value.is_element = true;

	/* the field may be an alias of something that is no object */
	if (reference->taken < node->nnames && value.kind != KIND_MAP)
	{
		Value		member = exec->row->item;

		for (int i = 0; i < node->nnames && member.kind == VALUE_JSON; i++)
			member = json_member(&member, node->names[i].name, node->names[i].len,
								 exec_is_json(exec));
		if (exec->row->item.kind == VALUE_JSON && member.kind != VALUE_MISSING)
			return tmpl_from_value(&member);
	}
	return eval_chain(exec, value, node, reference->taken);
}

static TmplValue
eval_names(Exec *exec, const TmplValue *receiver, const TmplNode *node)
{
	if (receiver->kind == KIND_ROW)
		return eval_reference(exec, receiver, node);
	return eval_chain(exec, *receiver, node, 0);
}

static TmplValue
eval_variable(Exec *exec, const TmplNode *node)
{
	TmplValue	value;

	exec->node = node;
	value = *find_variable(exec, node->text);
	return node->nnames > 0 ? eval_names(exec, &value, node) : value;
}

static TmplValue
eval_operand_chain(Exec *exec, const TmplValue *dot, const TmplNode *node)
{
	TmplValue	value = eval_argument(exec, dot, node->pipe);

	if (tmpl_is_nil(&value))
		value.kind = KIND_INVALID;
	return eval_chain(exec, value, node, 0);
}

/* ------------------------------------------------------------------------
 * Functions
 * ------------------------------------------------------------------------
 */

static void
check_arguments(Exec *exec, const TmplFunction *function, int nargs)
{
	if (nargs < function->min_args)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE,
				   "function \"%s\" needs %s%d argument(s), got %d", function->name,
				   function->max_args == function->min_args ? "" : "at least ",
				   function->min_args, nargs);
	if (function->max_args != ANY_NUMBER && nargs > function->max_args)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE,
				   "function \"%s\" takes %s%d argument(s), got %d", function->name,
				   function->max_args == function->min_args ? "" : "at most ",
				   function->max_args, nargs);
}

/* and, or: the first argument that decides, or the last one. */
static TmplValue
eval_short_circuit(Exec *exec, const TmplValue *dot, const TmplFunction *function,
				   List *arguments, const TmplValue *final)
{
	bool		is_or = (function->flags & FUNCTION_OR) != 0;
	TmplValue	value = {0};

	for (int i = 1; i < list_length(arguments); i++)
	{
		value = eval_argument(exec, dot, list_nth(arguments, i));
		if (tmpl_truth(exec, &value) == is_or)
			return value;
	}
	return final ? *final : value;
}

/* final is the value that comes through the pipe, or NULL. */
static TmplValue
eval_function(Exec *exec, const TmplValue *dot, const TmplNode *node, List *arguments,
			  const TmplValue *final)
{
	const TmplFunction *function = node->function;
	int			nargs = Max(list_length(arguments) - 1, 0) + (final ? 1 : 0);
	TmplValue	fixed[4];
	TmplValue  *args = nargs <= (int) lengthof(fixed) ? fixed : palloc(nargs * sizeof(TmplValue));
	TmplValue	result;

	exec->node = node;
	check_arguments(exec, function, nargs);
	if (function->flags & FUNCTION_SHORT_CIRCUIT)
		return eval_short_circuit(exec, dot, function, arguments, final);

	for (int i = 1; i < list_length(arguments); i++)
		args[i - 1] = eval_argument(exec, dot, list_nth(arguments, i));
	if (final)
		args[nargs - 1] = *final;
	exec->node = node;
	if ((function->flags & FUNCTION_FORMAT) && args[0].kind != KIND_STRING)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE,
				   "first argument of function \"%s\" must be a string", function->name);
	result = function->body(exec, args, nargs);
	if (args != fixed)
		pfree(args);
	return result;
}

static TmplValue
eval_argument(Exec *exec, const TmplValue *dot, const TmplNode *node)
{
	TmplValue	nothing = {0};

	exec->node = node;
	switch (node->kind)
	{
		case NODE_DOT:
			return *dot;
		case NODE_NIL:
			return nothing;
		case NODE_CONSTANT:
			return node->constant;
		case NODE_FIELD:
			return eval_names(exec, dot, node);
		case NODE_VARIABLE:
			return eval_variable(exec, node);
		case NODE_CHAIN:
			return eval_operand_chain(exec, dot, node);
		case NODE_PIPE:
			return eval_pipeline(exec, dot, node);
		case NODE_FUNCTION:
			return eval_function(exec, dot, node, NIL, NULL);
		default:
			elog(ERROR, "unexpected node %d in template", node->kind);
	}
}

static TmplValue
eval_command(Exec *exec, const TmplValue *dot, const TmplNode *command, const TmplValue *final)
{
	const TmplNode *first = linitial(command->arguments);

	if (first->kind == NODE_FUNCTION)
		return eval_function(exec, dot, first, command->arguments, final);
	exec->node = first;
	if (list_length(command->arguments) > 1 || final)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE,
				   "only functions take arguments");
	if (first->kind == NODE_NIL)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "nil is not a command");
	return eval_argument(exec, dot, first);
}

TmplValue
eval_pipeline(Exec *exec, const TmplValue *dot, const TmplNode *pipe)
{
	TmplValue	value = {0};
	ListCell   *cell;

	check_stack_depth();
	exec->node = pipe;
	foreach(cell, pipe->commands)
	{
		TmplValue	final = value;

		value = eval_command(exec, dot, lfirst(cell),
							 foreach_current_index(cell) > 0 ? &final : NULL);
		if (value.kind == KIND_NIL)
			value.kind = KIND_INVALID;
		value.is_element = false;
	}
	foreach(cell, pipe->declared)
	{
		if (pipe->is_assign)
			*find_variable(exec, lfirst(cell)) = value;
		else
			exec_variable_push(exec, lfirst(cell), &value);
	}
	return value;
}
