/*
 * text.c
 *		One text out of all rows, by a template.
 */
#include "transform/collect.h"

#include "rows/json.h"

typedef struct Text
{
	Collector	base;			/* must be first */
	const FieldSet *input;
	Template   *tmpl;
} Text;

/* The rows as an array that grows. */
typedef struct TextRows
{
	const FieldSet *fields;
	StringInfoData array;
} TextRows;

static void
text_row(void *arg, const Row *row)
{
	TextRows   *rows = arg;

	if (rows->array.len > 1)
		appendStringInfoString(&rows->array, ", ");
	row_append_json(&rows->array, rows->fields, row);
}

static Spool *
text_conclude(Collector *collector, PageContext *page)
{
	Text	   *self = (Text *) collector;
	const FieldSet *fields = collector->base.fields;
	Spool	   *result = spool_create(fields);
	TextRows	rows = {.fields = self->input};
	StringInfoData text,
				out;
	Row			all = {0};

	initStringInfo(&rows.array);
	appendStringInfoChar(&rows.array, '[');
	spool_each(collector->rows, text_row, &rows);
	appendStringInfoChar(&rows.array, ']');
	all.item = value_make(VALUE_JSON, rows.array.data, rows.array.len);

	initStringInfo(&text);
	initStringInfo(&out);
	template_render(self->tmpl, &all, page->now, &text);
	appendStringInfoString(&out, "{\"text\": \"");
	json_append_escaped(&out, text.data, text.len);
	appendStringInfoString(&out, "\"}");
	spool_put_object(result, fields, &out);
	return result;
}

Transform *
text_create(const char *step, Template *tmpl, const FieldSet *input)
{
	Text	   *self = palloc0(sizeof(Text));

	collector_init(&self->base, step, input, fieldset_of_names(step, list_make1("text")));
	self->base.conclude = text_conclude;
	self->input = input;
	self->tmpl = tmpl;
	template_bind(tmpl, NULL);
	return &self->base.base;
}
