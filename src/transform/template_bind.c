/*
 * template_bind.c
 *		Which fields of the row does a template read?
 *
 * Found once when it is compiled, and looked up once when it is bound, so that
 * execution reads row->values[i].
 */
#include "postgres.h"

#include "miscadmin.h"

#include "transform/template_node.h"

static void find_in_list(Template *tmpl, List *nodes, bool dot_is_row, bool in_main);

/* The reference of a chain; the same chain has the same one. */
static TmplReference *
make_reference(Template *tmpl, const TmplNode *node)
{
	StringInfoData chain;
	TmplReference *reference;
	ListCell   *cell;

	initStringInfo(&chain);
	for (int i = 0; i < node->nnames; i++)
		appendStringInfo(&chain, "%s%.*s", i > 0 ? "." : "", node->names[i].len,
						 node->names[i].name);
	foreach(cell, tmpl->references)
	{
		reference = lfirst(cell);
		if (strcmp(reference->chain, chain.data) == 0)
			return reference;
	}
	reference = palloc0(sizeof(TmplReference));
	reference->chain = chain.data;
	reference->names = node->nnames;
	reference->field = -1;
	tmpl->references = lappend(tmpl->references, reference);
	return reference;
}

static void
find_in_node(Template *tmpl, TmplNode *node, bool dot_is_row, bool in_main)
{
	bool		is_dollar = node->kind == NODE_VARIABLE && strcmp(node->text, "$") == 0;
	bool		moves_dot = node->kind == NODE_WITH || node->kind == NODE_RANGE;

	check_stack_depth();
	if (node->kind == NODE_FIELD || (is_dollar && node->nnames > 0))
	{
		node->reference = make_reference(tmpl, node);
		if (is_dollar ? in_main : dot_is_row)
			node->reference->on_row = true;
	}
	else if ((node->kind == NODE_DOT && dot_is_row) || (is_dollar && in_main))
		tmpl->whole = true;
	if (node->pipe)
		find_in_node(tmpl, node->pipe, dot_is_row, in_main);
	find_in_list(tmpl, node->commands, dot_is_row, in_main);
	find_in_list(tmpl, node->arguments, dot_is_row, in_main);
	find_in_list(tmpl, node->body, dot_is_row && !moves_dot, in_main);
	find_in_list(tmpl, node->otherwise, dot_is_row, in_main);
}

static void
find_in_list(Template *tmpl, List *nodes, bool dot_is_row, bool in_main)
{
	ListCell   *cell;

	foreach(cell, nodes)
		find_in_node(tmpl, lfirst(cell), dot_is_row, in_main);
}

static bool
declares_dollar(List *nodes)
{
	ListCell   *cell;
	ListCell   *name;

	foreach(cell, nodes)
	{
		const TmplNode *node = lfirst(cell);
		const TmplNode *pipe = node->kind == NODE_PIPE ? node : node->pipe;

		foreach(name, pipe ? pipe->declared : NIL)
		{
			if (strcmp(lfirst(name), "$") == 0)
				return true;
		}
		if (declares_dollar(node->body) || declares_dollar(node->otherwise))
			return true;
	}
	return false;
}

/* Find what these nodes of the main template read, and what named ones may. */
void
template_find_references_in(Template *tmpl, List *nodes)
{
	ListCell   *cell;

	find_in_list(tmpl, nodes, true, true);

	/* what a named template reads depends on what it is given */
	foreach(cell, tmpl->trees)
	{
		TmplTree   *tree = lfirst(cell);

		if (tree->root != tmpl->main)
			find_in_list(tmpl, tree->root, false, false);
	}
}

/* Find what the template reads; called once, before its columns are found. */
void
template_find_references(Template *tmpl)
{
	tmpl->dollar_assigned = declares_dollar(tmpl->main);
	template_find_references_in(tmpl, tmpl->main);
}

List *
template_references(const Template *tmpl, bool *whole)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, tmpl->references)
	{
		TmplReference *reference = lfirst(cell);

		if (reference->on_row)
			result = lappend(result, pstrdup(reference->chain));
	}
	*whole = tmpl->whole;
	return result;
}

/* The field of the whole chain, else of the longest beginning of it. */
static void
bind_reference(TmplReference *reference, const FieldSet *input)
{
	int			len = strlen(reference->chain);
	int			taken = reference->names;

	reference->field = -1;
	reference->taken = 0;
	while (input && taken > 0)
	{
		reference->field = fieldset_find_loosely(input, reference->chain, len);
		if (reference->field >= 0)
		{
			reference->taken = taken;
			return;
		}
		while (len > 0 && reference->chain[len - 1] != '.')
			len--;
		len--;
		taken--;
	}
}

void
template_bind(Template *tmpl, const FieldSet *input)
{
	ListCell   *cell;

	tmpl->input = input;
	foreach(cell, tmpl->references)
		bind_reference(lfirst(cell), input);
	for (int i = 0; tmpl->fields && i < tmpl->fields->nfields; i++)
	{
		const TmplColumn *column = &tmpl->columns[i];

		tmpl->fields->fields[i].flags &= ~FIELD_CURSOR;
		if (input && column->kind == COLUMN_FIELD && column_is_bound(column))
			tmpl->fields->fields[i].flags |=
				input->fields[column->reference->field].flags & FIELD_CURSOR;
	}
}
