/*
 * flatten.c
 *		One row for each element of an array, as a join with its elements.
 *
 * The array is a slice of the row, so its element takes its place there by cutting and pasting.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "rows/json.h"
#include "transform/field_path.h"
#include "transform/row_work.h"

typedef struct Flatten
{
	Transform	base;			/* must be first */
	FieldPath  *path;
} Flatten;

/* The array of a row; false if it has none. */
static bool
find_array(const Flatten *self, const Row *row, Value *array)
{
	*array = field_path_value(self->path, row);
	if (value_is_null(array))
		return false;
	if (array->kind != VALUE_JSON || *array->data != '[')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not an array",
						pg_any_to_server(self->path->text, strlen(self->path->text), PG_UTF8))));
	return true;
}

/* Does a document hold a slice? */
static bool
holds(const Value *document, const Value *slice)
{
	return document->kind == VALUE_JSON && slice->data >= document->data &&
		slice->data + slice->len <= document->data + document->len;
}

/* A document with the element in the place of the array. */
static Value
paste(const Value *document, const Value *array, const Value *element)
{
	StringInfoData out;
	int			before = array->data - document->data;
	int			after = before + array->len;

	initStringInfo(&out);
	appendBinaryStringInfo(&out, document->data, before);
	value_append_json(&out, element);
	appendBinaryStringInfo(&out, document->data + after, document->len - after);
	return value_make(VALUE_JSON, out.data, out.len);
}

/* Is the field further down the path than the array?  Returns what follows, or NULL. */
static const char *
below_path(const char *field, const FieldPath *path)
{
	Size		len = strlen(path->text);

	if (strlen(field) <= len || field[len] != '.' || pg_strncasecmp(field, path->text, len) != 0)
		return NULL;
	return field + len + 1;
}

/* What a field of the row becomes. */
static Value
field_of_element(const Flatten *self, int i, const Value *before, const Value *array,
				 const Value *element)
{
	Row			inner = {.item = *element};
	FieldPath	rest = {.field = -1};

	if (before->data == array->data && before->len == array->len && before->kind == VALUE_JSON)
		return *element;
	if (holds(before, array))
		return paste(before, array, element);
	if (!self->base.fields->is_item)
		return *before;

	/* An item's field that was picked from the array itself found nothing there. */
	rest.text = below_path(self->base.fields->fields[i].name, self->path);
	return rest.text ? field_path_value(&rest, &inner) : *before;
}

static void
put_element(RowWork *work, const Row *row, const Value *array, const Value *element)
{
	Flatten    *self = (Flatten *) work->self;
	int			nfields = self->base.fields->nfields;
	Row		   *out = batch_add(work->out);

	*out = *row;
	out->values = palloc(sizeof(Value) * Max(nfields, 1));
	for (int i = 0; i < nfields; i++)
		out->values[i] = field_of_element(self, i, &row->values[i], array, element);
	if (self->base.fields->is_item && holds(&row->item, array))
	{
		out->source = row_origin(row);
		out->item = paste(&row->item, array, element);
	}
}

static void
flatten_row(void *arg, int i)
{
	RowWork    *work = arg;
	const Row  *row = &work->in->rows[i];
	Value		array,
				key,
				element;
	JsonIter	it;

	if (!find_array((Flatten *) work->self, row, &array) || json_length(&array) == 0)
	{
		work->counts->filtered++;
		return;
	}
	for (it = json_iter(&array); json_next(&it, &key, &element);)
		put_element(work, row, &array, &element);
}

static RowBatch *
flatten_process(Transform *transform, RowBatch *in, PageContext *page, StepCounts *counts)
{
	return work_rows(transform, in, page, counts, flatten_row);
}

Transform *
flatten_create(const char *step, FieldPath *path, const FieldSet *input)
{
	Flatten    *self = palloc0(sizeof(Flatten));

	self->base.step = pstrdup(step);
	self->base.fields = input;
	self->base.process = flatten_process;
	self->path = path;
	field_path_bind(path, psprintf("path of step \"%s\"", step), input);
	return &self->base;
}
