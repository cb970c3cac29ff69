/*
 * template_keep.c
 *		Some of a template's columns alone: what a key is made of.
 */
#include "postgres.h"

#include "rows/names.h"
#include "transform/template_node.h"

/* Index of the column of this name, or -1. */
static int
find_column(const Template *tmpl, const char *name)
{
	for (int i = 0; tmpl->fields && i < tmpl->fields->nfields; i++)
	{
		if (strcmp(tmpl->fields->fields[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* Do columns depend on what other columns declare? */
static bool
shares_variables(const Template *tmpl)
{
	if (tmpl->after != NIL)
		return true;
	for (int i = 0; i < tmpl->fields->nfields; i++)
	{
		if (tmpl->columns[i].before != NIL)
			return true;
	}
	return false;
}

/* The reference of a column that is a field, among those that were found anew. */
static const TmplReference *
reference_again(const Template *tmpl, const TmplReference *before)
{
	ListCell   *cell;

	foreach(cell, tmpl->references)
	{
		const TmplReference *reference = lfirst(cell);

		if (strcmp(reference->chain, before->chain) == 0)
			return reference;
	}
	elog(ERROR, "reference \"%s\" of a template is gone", before->chain);
	return NULL;				/* keep the compiler quiet */
}

bool
template_keep_columns(Template *tmpl, List *names)
{
	int			n = list_length(names);
	TmplColumn *columns = palloc0(sizeof(TmplColumn) * Max(n, 1));
	FieldSet   *fields = fieldset_create(n);
	List	   *nodes = NIL;
	ListCell   *cell;

	if (tmpl->fields == NULL || shares_variables(tmpl))
		return false;
	foreach(cell, names)
	{
		int			i = find_column(tmpl, lfirst(cell));

		if (i < 0)
			return false;
		columns[foreach_current_index(cell)] = tmpl->columns[i];
		fields->fields[foreach_current_index(cell)] = tmpl->fields->fields[i];
		nodes = list_concat(nodes, tmpl->columns[i].nodes);
	}
	tmpl->references = NIL;
	tmpl->whole = false;
	template_find_references_in(tmpl, nodes);
	for (int i = 0; i < n; i++)
	{
		if (columns[i].reference)
			columns[i].reference = reference_again(tmpl, columns[i].reference);
	}
	tmpl->columns = columns;
	tmpl->fields = fields;
	return true;
}

const char *
template_column_of(const Template *tmpl, const char *field)
{
	for (int i = 0; tmpl->fields && i < tmpl->fields->nfields; i++)
	{
		const TmplColumn *column = &tmpl->columns[i];

		if (column->kind == COLUMN_FIELD &&
			names_agree(column->reference->chain, strlen(column->reference->chain),
						field, strlen(field)))
			return tmpl->fields->fields[i].name;
	}
	return NULL;
}
