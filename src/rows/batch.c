/*
 * batch.c
 *		Rows and their fields; rows that could not be handled.
 */
#include "postgres.h"

#include "compat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "rows/batch.h"
#include "rows/json.h"


int
fieldset_find(const FieldSet *fields, const char *name)
{
	for (int i = 0; i < fields->nfields; i++)
	{
		if (strcmp(fields->fields[i].name, name) == 0)
			return i;
	}
	return -1;
}

int
fieldset_find_loosely(const FieldSet *fields, const char *name, int len)
{
	int			found = -1;

	for (int i = 0; i < fields->nfields; i++)
	{
		const char *field = fields->fields[i].name;

		if ((int) strlen(field) == len && memcmp(field, name, len) == 0)
			return i;
		if (found < 0 && names_agree(field, strlen(field), name, len))
			found = i;
	}
	return found;
}

char *
fieldset_names(const FieldSet *fields)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < fields->nfields; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", fields->fields[i].name);
	return pg_any_to_server(list.data, list.len, PG_UTF8);
}

int
fieldset_find_flag(const FieldSet *fields, uint8 flags)
{
	for (int i = 0; i < fields->nfields; i++)
	{
		if ((fields->fields[i].flags & flags) == flags)
			return i;
	}
	return -1;
}

FieldSet *
fieldset_create(int nfields)
{
	FieldSet   *fields = palloc0(sizeof(FieldSet));

	fields->nfields = nfields;
	fields->fields = palloc0(sizeof(Field) * Max(nfields, 1));
	return fields;
}

RowBatch *
batch_create(const FieldSet *fields, int capacity)
{
	RowBatch   *batch = palloc0(sizeof(RowBatch));

	batch->fields = fields;
	batch->capacity = Max(capacity, 1);
	batch->rows = palloc_extended(sizeof(Row) * (Size) batch->capacity,
								  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return batch;
}

RowBatch *
batch_copy(const RowBatch *batch)
{
	RowBatch   *copy = batch_create(batch->fields, batch->nrows);

	copy->nrows = batch->nrows;
	copy->rank = batch->rank;
	memcpy(copy->rows, batch->rows, sizeof(Row) * batch->nrows);
	return copy;
}

Row *
batch_add(RowBatch *batch)
{
	Row		   *row;

	if (batch->nrows == batch->capacity)
	{
		batch->capacity *= 2;
		batch->rows = repalloc_huge(batch->rows, sizeof(Row) * (Size) batch->capacity);
	}
	row = &batch->rows[batch->nrows++];
	memset(row, 0, sizeof(Row));
	return row;
}

void
row_append_json(StringInfo out, const FieldSet *fields, const Row *row)
{
	if (fields->is_item)
	{
		value_append_json(out, &row->item);
		return;
	}
	appendStringInfoChar(out, '{');
	for (int i = 0; i < fields->nfields; i++)
	{
		const char *name = fields->fields[i].name;

		appendStringInfoString(out, i == 0 ? "\"" : ", \"");
		json_append_escaped(out, name, strlen(name));
		appendStringInfoString(out, "\": ");
		value_append_json(out, &row->values[i]);
	}
	appendStringInfoChar(out, '}');
}

Datum
row_jsonb(const FieldSet *fields, const Row *row)
{
	StringInfoData json;
	Value		document;

	if (fields->is_item)
		return value_jsonb(&row->item);
	initStringInfo(&json);
	row_append_json(&json, fields, row);
	document = value_make(VALUE_JSON, json.data, (uint32) json.len);
	return value_jsonb(&document);
}

/* Refuse what is not an array of objects. */
static void
check_item(bool ok, const char *detail)
{
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("items must be a JSON array of objects"),
				 errdetail("%s", detail),
				 errhint("Wrap a single object with jsonb_build_array().")));
}

RowBatch *
batch_from_jsonb_array(Datum array)
{
	Jsonb	   *jsonb = DatumGetJsonbP(array);
	int			nitems = JB_ROOT_COUNT(jsonb);
	FieldSet   *fields = fieldset_create(0);
	RowBatch   *batch = batch_create(fields, nitems);
	char	   *text;
	Value		document;
	Value		key;
	Value		element;
	JsonIter	iter;

	check_item(JB_ROOT_IS_ARRAY(jsonb) && !JB_ROOT_IS_SCALAR(jsonb),
			   "The document is not an array.");
	fields->is_item = true;

	/* As text in UTF-8, which the rows then are slices of. */
	text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	text = pg_server_to_any(text, strlen(text), PG_UTF8);
	document = value_make(VALUE_JSON, text, (uint32) strlen(text));
	iter = json_iter(&document);
	while (json_next(&iter, &key, &element))
	{
		check_item(element.kind == VALUE_JSON && element.data[0] == '{',
				   "One of its elements is not an object.");
		batch->rows[batch->nrows++].item = element;
	}
	return batch;
}

void
page_fail_row(PageContext *page, const char *step, const Row *row,
			  const ErrorData *edata)
{
	MemoryContext previous = MemoryContextSwitchTo(page->context);
	RowFailure *failure = palloc0(sizeof(RowFailure));
	const char *message = edata->message ? edata->message : "missing error text";

	failure->step = pstrdup(step);
	failure->source = page->source;
	failure->item = row_origin(row);
	failure->sqlerrcode = edata->sqlerrcode;
	failure->message = edata->detail ? psprintf("%s: %s", message, edata->detail) :
		pstrdup(message);
	page->failures = lappend(page->failures, failure);
	MemoryContextSwitchTo(previous);
}
