/*
 * template_columns.c
 *		Templates that are an object of holes become columns, and are executed
 *		without making a document at all.
 */
#include "postgres.h"

#include "transform/template_functions.h"
#include "transform/template_node.h"

/* Where a search for columns stands; see template_find_columns(). */
typedef struct ColumnScan
{
	Template   *tmpl;
	CheckContext check;
	JsonStates	states;
	List	   *columns;		/* of TmplColumn */
	List	   *names;			/* of char * */
	List	   *positions;		/* of the keys, integers */
	List	   *before;			/* declarations since the last value */
	bool		in_value;
	List	   *nodes;			/* of the value at hand */
	const TmplNode *key_node;
	int			key_start;
} ColumnScan;

/* ------------------------------------------------------------------------
 * Finding them
 * ------------------------------------------------------------------------
 */

static TmplNode *
text_fragment(const TmplNode *node, int from, int to)
{
	TmplNode	   *fragment = node_make(NODE_TEXT, node->pos + from);

	fragment->text = node->text + from;
	fragment->len = to - from;
	return fragment;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Spaces around a value do not belong to it. */
static List *
trimmed(List *nodes)
{
	while (nodes != NIL && ((TmplNode *) linitial(nodes))->kind == NODE_TEXT)
	{
		TmplNode	   *first = linitial(nodes);

		for (; first->len > 0 && is_space(*first->text); first->text++, first->pos++)
			first->len--;
		if (first->len > 0)
			break;
		nodes = list_delete_first(nodes);
	}
	while (nodes != NIL && ((TmplNode *) llast(nodes))->kind == NODE_TEXT)
	{
		TmplNode	   *last = llast(nodes);

		while (last->len > 0 && is_space(last->text[last->len - 1]))
			last->len--;
		if (last->len > 0)
			break;
		nodes = list_truncate(nodes, list_length(nodes) - 1);
	}
	return nodes;
}

/* The operand if the action is a field of the row and nothing else. */
static const TmplNode *
bare_field(const Template *tmpl, const TmplNode *action, bool quoted)
{
	const TmplNode *command = linitial(action->pipe->commands);
	const TmplNode *operand = llast(command->arguments);
	const TmplNode *first = linitial(command->arguments);
	int			operands = 1;

	/* at value position a field is JSON anyway, with json or without */
	if (!quoted && first->kind == NODE_FUNCTION && first->function->body == function_json)
		operands = 2;
	if (list_length(action->pipe->commands) != 1 ||
		list_length(command->arguments) != operands)
		return NULL;
	if (operand->kind == NODE_FIELD)
		return operand;
	return operand->kind == NODE_VARIABLE && strcmp(operand->text, "$") == 0 &&
		operand->nnames > 0 && !tmpl->dollar_assigned ? operand : NULL;
}

static bool
is_output(const TmplNode *node)
{
	return node->kind == NODE_ACTION && node->pipe->declared == NIL;
}

static bool
is_quote(const TmplNode *node)
{
	return node->kind == NODE_TEXT && node->len == 1 && *node->text == '"';
}

/* What kind of column do the nodes of a value make? */
static void
classify(const Template *tmpl, TmplColumn *column)
{
	List	   *nodes = column->nodes;
	int			n = list_length(nodes);
	TmplNode	   *first = linitial(nodes);
	const TmplNode *field;

	column->kind = COLUMN_RENDERED;
	if (n == 1 && first->kind == NODE_TEXT)
	{
		if (json_document(first->text, first->len, &column->constant))
			column->kind = COLUMN_CONSTANT;
		return;
	}
	if (n == 1 && is_output(first))
		column->action = first;
	else if (n == 3 && is_quote(first) && is_output(lsecond(nodes)) && is_quote(lthird(nodes)))
	{
		column->action = lsecond(nodes);
		column->quoted = true;
	}
	if (!column->action)
		return;
	field = bare_field(tmpl, column->action, column->quoted);
	column->kind = field ? COLUMN_FIELD : COLUMN_HOLE;
	column->reference = field ? field->reference : NULL;
}

static void
end_value(ColumnScan *scan)
{
	TmplColumn *column = palloc0(sizeof(TmplColumn));

	column->nodes = trimmed(scan->nodes);
	column->before = scan->before;
	classify(scan->tmpl, column);
	scan->columns = lappend(scan->columns, column);
	scan->nodes = scan->before = NIL;
	scan->in_value = false;
}

/* A key, whose closing quote is at offset to. */
static bool
end_key(ColumnScan *scan, const TmplNode *node, int to)
{
	Value		key = value_string(node->text + scan->key_start, to - scan->key_start);
	StringInfoData name;

	if (node != scan->key_node)
		return false;
	if (memchr(key.data, '\\', key.len))
		key.flags |= VALUE_ESCAPED;
	initStringInfo(&name);
	value_append_text(&name, &key);
	scan->names = lappend(scan->names, name.data);
	scan->positions = lappend_int(scan->positions, node->pos + scan->key_start - 1);
	return true;
}

/* One byte of text; false if the template is no object of holes. */
static bool
scan_byte(ColumnScan *scan, const TmplNode *node, int i, int *start)
{
	JsonState	before = scan->states.states[0];
	JsonState  *state = &scan->states.states[0];
	bool		single = scan->states.count == 1;

	scan->check.crossed = false;
	check_text_byte(&scan->check, &scan->states, node->text[i]);
	if (scan->states.count == 0)
		return false;
	if (scan->in_value && !scan->check.crossed)
		return true;
	if (scan->states.count != 1)
		return false;
	if (scan->in_value)
	{
		if (i > *start)
			scan->nodes = lappend(scan->nodes, text_fragment(node, *start, i));
		end_value(scan);
		return true;
	}

	/* between values every step must be certain */
	if (!single || (state->depth > 0 ? state->stack[0] != '{' :
					state->place != PLACE_VALUE && state->place != PLACE_AFTER))
		return false;
	if (state->place == PLACE_STRING && before.place != PLACE_STRING &&
		before.place != PLACE_ESCAPE && before.place != PLACE_HEX)
	{
		scan->key_node = node;
		scan->key_start = i + 1;
	}
	else if (state->place == PLACE_COLON && before.place == PLACE_STRING)
		return end_key(scan, node, i);
	else if (state->place == PLACE_VALUE && before.place == PLACE_COLON)
	{
		scan->in_value = true;
		*start = i + 1;
	}
	return true;
}

static bool
scan_node(ColumnScan *scan, TmplNode *node)
{
	int			start = 0;

	if (node->kind == NODE_TEXT)
	{
		for (int i = 0; i < node->len; i++)
			if (!scan_byte(scan, node, i, &start))
				return false;
		if (scan->in_value && start < node->len)
			scan->nodes = lappend(scan->nodes, text_fragment(node, start, node->len));
		return true;
	}
	if (node->kind == NODE_ACTION && node->pipe->declared != NIL && !scan->in_value)
	{
		scan->before = lappend(scan->before, node);
		return true;
	}
	if (!scan->in_value)
		return false;
	scan->check.crossed = false;
	check_node(&scan->check, &scan->states, node);
	scan->nodes = lappend(scan->nodes, node);
	return !scan->check.crossed && !scan->check.unknown && scan->states.count > 0;
}

/* A column that stands twice is a mistake, although JSON allows it. */
static void
check_names(const ColumnScan *scan)
{
	for (int i = 0; i < list_length(scan->names); i++)
		for (int j = 0; j < i; j++)
			if (strcmp(list_nth(scan->names, i), list_nth(scan->names, j)) == 0)
				tmpl_syntax_error(scan->tmpl->source, list_nth_int(scan->positions, i), NULL,
								  "key \"%s\" is specified more than once in template",
								  (char *) list_nth(scan->names, i));
}

/* ------------------------------------------------------------------------
 * Which of them are made from now?
 * ------------------------------------------------------------------------
 */

static bool list_uses_now(const Template *tmpl, List *nodes, List *tainted, int depth);

/* tainted: names of variables that hold something made from now. */
static bool
uses_now(const Template *tmpl, const TmplNode *node, List *tainted, int depth)
{
	ListCell   *cell;
	TmplTree   *tree;

	if (!node)
		return false;
	if (node->kind == NODE_FUNCTION)
		return (node->function->flags & FUNCTION_VOLATILE) != 0;
	if (node->kind == NODE_VARIABLE)
	{
		foreach(cell, tainted)
		{
			if (strcmp(lfirst(cell), node->text) == 0)
				return true;
		}
	}
	if (node->kind == NODE_TEMPLATE && depth > 0 &&
		(tree = tmpl_tree(tmpl, node->text, node->len)) != NULL &&
		list_uses_now(tmpl, tree->root, tainted, depth - 1))
		return true;
	return uses_now(tmpl, node->pipe, tainted, depth) ||
		list_uses_now(tmpl, node->body, tainted, depth) ||
		list_uses_now(tmpl, node->otherwise, tainted, depth) ||
		list_uses_now(tmpl, node->commands, tainted, depth) ||
		list_uses_now(tmpl, node->arguments, tainted, depth);
}

static bool
list_uses_now(const Template *tmpl, List *nodes, List *tainted, int depth)
{
	ListCell   *cell;

	foreach(cell, nodes)
	{
		if (uses_now(tmpl, lfirst(cell), tainted, depth))
			return true;
	}
	return false;
}

/* Mark what is made from now; templates within templates are followed this far. */
#define NOW_DEPTH 8

static void
mark_volatile(Template *tmpl)
{
	List	   *tainted = NIL;
	ListCell   *cell;

	for (int i = 0; i < tmpl->fields->nfields; i++)
	{
		TmplColumn *column = &tmpl->columns[i];
		List	   *nodes = list_concat_copy(column->before, column->nodes);

		foreach(cell, nodes)
		{
			TmplNode	   *node = lfirst(cell);

			if (node->kind == NODE_ACTION && uses_now(tmpl, node, tainted, NOW_DEPTH))
				tainted = list_concat(tainted, list_copy(node->pipe->declared));
		}
		if (list_uses_now(tmpl, column->nodes, tainted, NOW_DEPTH))
			tmpl->fields->fields[i].flags |= FIELD_VOLATILE;
	}
}

/*
 * Is the template {"constant key": value, ...}, with any mixture of text and
 * actions in the values?  Then split it into columns.
 */
void
template_find_columns(Template *tmpl)
{
	ColumnScan	scan = {.tmpl = tmpl,.check = {.tmpl = tmpl,.budget = PG_INT32_MAX}};
	JsonState	state;
	ListCell   *cell;
	int			n;

	json_state_init(&state);
	json_states_add(&scan.check, &scan.states, &state);
	foreach(cell, tmpl->main)
	{
		if (!scan_node(&scan, lfirst(cell)))
			return;
	}
	n = list_length(scan.columns);
	if (scan.states.states[0].depth > 0 || n == 0 || n != list_length(scan.names))
		return;
	check_names(&scan);
	tmpl->columns = palloc0(n * sizeof(TmplColumn));
	tmpl->fields = fieldset_create(n);
	for (int i = 0; i < n; i++)
	{
		tmpl->columns[i] = *(TmplColumn *) list_nth(scan.columns, i);
		tmpl->fields->fields[i].name = list_nth(scan.names, i);
	}
	tmpl->after = scan.before;
	mark_volatile(tmpl);
}

const FieldSet *
template_columns(const Template *tmpl)
{
	return tmpl->fields;
}
