/*
 * pick.c
 *		Rows of some fields only, or without some.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "rows/json.h"
#include "transform/collect.h"
#include "transform/expression.h"
#include "transform/field_path.h"
#include "transform/transform.h"

typedef struct Pick
{
	Transform	base;			/* must be first */
	List	   *paths;			/* of FieldPath * */
} Pick;

static RowBatch *
pick_process(Transform *transform, RowBatch *in, PageContext *page, StepCounts *counts)
{
	Pick	   *self = (Pick *) transform;
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	RowBatch   *out = batch_create(transform->fields, in->nrows);

	for (int i = 0; i < in->nrows; i++)
	{
		const Row  *row = &in->rows[i];
		Row		   *picked = batch_add(out);
		ListCell   *lc;
		int			field = 0;

		*picked = *row;
		picked->values = palloc(sizeof(Value) * list_length(self->paths));
		foreach(lc, self->paths)
			picked->values[field++] = field_path_value(lfirst(lc), row);
	}
	counts->rows_in += in->nrows;
	counts->rows_out += out->nrows;
	MemoryContextSwitchTo(caller);
	return out;
}

Transform *
pick_create(const char *step, List *paths, const FieldSet *input)
{
	Pick	   *self = palloc0(sizeof(Pick));
	FieldSet   *fields = fieldset_of_names(step, field_path_references(paths));
	ListCell   *lc;
	int			i = 0;

	self->base.step = pstrdup(step);
	self->base.fields = fields;
	self->base.process = pick_process;
	self->paths = paths;
	field_paths_bind(paths, psprintf("fields of step \"%s\"", step), input);
	foreach(lc, paths)
	{
		const FieldPath *path = lfirst(lc);

		if (path->field >= 0 && !field_path_is_deep(path))
			fields->fields[i].flags = input->fields[path->field].flags;
		i++;
	}
	return &self->base;
}

typedef struct Omit
{
	Transform	base;			/* must be first */
	List	   *names;			/* of char *, in the database's encoding */
} Omit;

/* The names of a path as text[]. */
static Datum
path_array(const char *path)
{
	ArrayBuildState *names = initArrayResult(TEXTOID, CurrentMemoryContext, false);

	for (;;)
	{
		Size		len = strcspn(path, ".");

		names = accumArrayResult(names, PointerGetDatum(cstring_to_text_with_len(path, len)), false,
								 TEXTOID, CurrentMemoryContext);
		if (path[len] == '\0')
			return makeArrayResult(names, CurrentMemoryContext);
		path += len + 1;
	}
}

/* Take members out of the items. */
static RowBatch *
omit_process(Transform *transform, RowBatch *in, PageContext *page, StepCounts *counts)
{
	Omit	   *self = (Omit *) transform;
	MemoryContext caller = MemoryContextSwitchTo(page->context);

	for (int i = 0; i < in->nrows; i++)
	{
		Datum		item = row_jsonb(in->fields, &in->rows[i]);
		Row			origin = in->rows[i];
		ListCell   *lc;

		foreach(lc, self->names)
		{
			item = DirectFunctionCall2(jsonb_delete, item, CStringGetTextDatum(lfirst(lc)));
			if (strchr(lfirst(lc), '.'))
				item = DirectFunctionCall2(jsonb_delete_path, item, path_array(lfirst(lc)));
		}
		in->rows[i].values = NULL;
		row_set_document(&in->rows[i], item, &origin);
	}
	in->fields = transform->fields;
	counts->rows_in += in->nrows;
	counts->rows_out += in->nrows;
	MemoryContextSwitchTo(caller);
	return in;
}

/* The fields that are left. */
static List *
paths_without(const char *what, List *names, const FieldSet *input)
{
	bool	   *omitted = palloc0(sizeof(bool) * Max(input->nfields, 1));
	List	   *paths = NIL;
	ListCell   *lc;

	foreach(lc, names)
	{
		FieldPath  *path = field_path_make(what, lfirst(lc));

		field_path_bind(path, what, input);
		if (field_path_is_deep(path))
			report_unknown_field(what, path->text, input);
		omitted[path->field] = true;
	}
	for (int i = 0; i < input->nfields; i++)
	{
		FieldPath  *path = palloc0(sizeof(FieldPath));

		path->text = input->fields[i].name;
		path->field = i;
		path->taken = strlen(path->text);
		if (!omitted[i])
			paths = lappend(paths, path);
	}
	if (paths == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid %s: no field is left", what)));
	return paths;
}

Transform *
omit_create(const char *step, List *names, const FieldSet *input)
{
	const char *what = psprintf("fields of step \"%s\"", step);
	FieldSet   *fields;
	Omit	   *self;

	if (!input->is_item)
		return pick_create(step, paths_without(what, names, input), input);
	self = palloc0(sizeof(Omit));
	fields = fieldset_create(0);
	fields->is_item = true;
	self->base.step = pstrdup(step);
	self->base.fields = fields;
	self->base.process = omit_process;
	self->names = names;
	return &self->base;
}
