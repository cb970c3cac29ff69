/*
 * merge.c
 *		Rows of several inputs become one stream: each has the fields of all.
 */
#include "postgres.h"

#include "rows/json.h"
#include "transform/transform.h"

typedef struct Merge
{
	Transform	transform;		/* must be first */
	const FieldSet **inputs;
	int		  **maps;			/* of each input: where its fields go */
} Merge;

/* Do some of the inputs yield documents rather than fields?  Sources do as well. */
static bool
some_are_items(int ninputs, const FieldSet **inputs)
{
	for (int i = 0; i < ninputs; i++)
	{
		if (inputs[i] && inputs[i]->is_item)
			return true;
	}
	return false;
}

/* The names of all fields, in the order in which they are met first. */
FieldSet *
merge_fields(int ninputs, const FieldSet **inputs)
{
	FieldSet   *all;
	int			capacity = 0;

	for (int i = 0; i < ninputs; i++)
		capacity += inputs[i] ? inputs[i]->nfields : 0;
	all = fieldset_create(capacity);
	all->nfields = 0;
	all->is_item = some_are_items(ninputs, inputs);
	for (int i = 0; i < ninputs; i++)
	{
		for (int j = 0; inputs[i] && j < inputs[i]->nfields; j++)
		{
			const Field *field = &inputs[i]->fields[j];
			int			at;

			/* Of rows that are documents, only what sources picked are fields. */
			if (all->is_item && !inputs[i]->is_item)
				continue;
			at = fieldset_find(all, field->name);
			if (at < 0)
				all->fields[at = all->nfields++] = *field;
			all->fields[at].flags |= field->flags;
		}
	}
	return all;
}

Transform *
merge_create(const char *step, int ninputs, const FieldSet **inputs)
{
	Merge	   *merge = palloc0(sizeof(Merge));

	merge->transform.step = step;
	merge->transform.fields = merge_fields(ninputs, inputs);
	merge->inputs = palloc(sizeof(FieldSet *) * ninputs);
	memcpy(merge->inputs, inputs, sizeof(FieldSet *) * ninputs);
	merge->maps = palloc0(sizeof(int *) * ninputs);
	for (int i = 0; i < ninputs; i++)
	{
		if (inputs[i] == NULL)
			continue;
		merge->maps[i] = palloc(sizeof(int) * Max(inputs[i]->nfields, 1));
		for (int j = 0; j < inputs[i]->nfields; j++)
			merge->maps[i][j] = fieldset_find(merge->transform.fields, inputs[i]->fields[j].name);
	}
	return &merge->transform;
}

/* A row of fields as a document, where other rows are documents. */
static void
make_item(const FieldSet *fields, const Row *in, Row *out)
{
	StringInfoData text;

	initStringInfo(&text);
	row_append_json(&text, fields, in);
	out->item = value_make(VALUE_JSON, text.data, (uint32) text.len);
	out->source = in->source.kind != VALUE_MISSING ? in->source : in->item;
}

RowBatch *
merge_page(Transform *transform, int input, RowBatch *in, PageContext *page, StepCounts *counts)
{
	Merge	   *merge = (Merge *) transform;
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	const FieldSet *fields = transform->fields;
	RowBatch   *out = batch_create(fields, in->nrows);
	bool		as_item = fields->is_item && !in->fields->is_item;
	Value	   *values = palloc_extended(sizeof(Value) * Max((Size) in->nrows * fields->nfields, 1),
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int i = 0; i < in->nrows; i++)
	{
		Row		   *row = &out->rows[out->nrows++];

		*row = in->rows[i];
		row->values = values + (Size) i * fields->nfields;
		if (as_item)
			make_item(in->fields, &in->rows[i], row);
		for (int j = 0; !as_item && j < in->fields->nfields; j++)
		{
			if (merge->maps[input][j] >= 0)
				row->values[merge->maps[input][j]] = in->rows[i].values[j];
		}
	}

	/* Inputs that are named later outrank those before them. */
	out->rank = input * MERGE_RANKS + Min(in->rank, MERGE_RANKS - 1);
	counts->rows_in += in->nrows;
	counts->rows_out += out->nrows;
	MemoryContextSwitchTo(caller);
	return out;
}
