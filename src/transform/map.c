/*
 * map.c
 *		Each row becomes what the template makes of it.
 */
#include "postgres.h"

#include "rows/json.h"
#include "transform/template.h"
#include "transform/transform.h"

typedef struct MapTransform
{
	Transform	base;			/* must be first */
	Template   *tmpl;
	bool		columns;		/* rows of fields, or rows of documents? */
} MapTransform;

/* One page on its way through. */
typedef struct MapPage
{
	MapTransform *map;
	PageContext *page;
	RowBatch   *in;
	RowBatch   *out;
	Value	   *values;			/* of all rows, row by row */
	StepCounts *counts;
} MapPage;

/* The document that the template renders takes the place of the item. */
static void
render_row(MapPage *map_page, const Row *in, Row *out)
{
	StringInfoData text;
	Value		document;

	initStringInfo(&text);
	template_render(map_page->map->tmpl, in, map_page->page->now, &text);
	if (!json_document(text.data, text.len, &document) ||
		document.kind != VALUE_JSON || *document.data != '{')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("template makes no row: its result is not a JSON object")));
	out->item = document;
	out->source = row_origin(in);
}

static void
map_row(void *arg, int i)
{
	MapPage    *map_page = arg;
	const Row  *in = &map_page->in->rows[i];
	Row		   *out = &map_page->out->rows[map_page->out->nrows];

	*out = *in;
	out->values = NULL;
	if (map_page->map->columns)
	{
		int			nfields = map_page->out->fields->nfields;

		out->values = map_page->values + (Size) map_page->out->nrows * nfields;
		template_row(map_page->map->tmpl, in, map_page->page->now, out->values);
	}
	else
		render_row(map_page, in, out);

	/* only now, so that a row which fails leaves nothing behind */
	map_page->out->nrows++;
}

static void
map_failed(void *arg, int i, ErrorData *edata)
{
	MapPage    *map_page = arg;

	page_fail_row(map_page->page, map_page->map->base.step, &map_page->in->rows[i], edata);
	map_page->counts->failed++;
}

static RowBatch *
map_process(Transform *self, RowBatch *in, PageContext *page, StepCounts *counts)
{
	MemoryContext previous = MemoryContextSwitchTo(page->context);
	MapPage		map_page = {(MapTransform *) self, page, in, NULL, NULL, counts};

	map_page.out = batch_create(self->fields, in->nrows);
	if (map_page.map->columns)
		map_page.values = palloc_extended((Size) Max(in->nrows, 1) * self->fields->nfields *
										  sizeof(Value), MCXT_ALLOC_HUGE);
	guard_rows(in->nrows, map_row, map_failed, &map_page);
	counts->rows_in += in->nrows;
	counts->rows_out += map_page.out->nrows;
	MemoryContextSwitchTo(previous);
	return map_page.out;
}

Transform *
map_create(const char *step, Template *tmpl, const FieldSet *input)
{
	MapTransform *map = palloc0(sizeof(MapTransform));

	template_bind(tmpl, input);
	map->tmpl = tmpl;
	map->columns = template_columns(tmpl) != NULL;
	map->base.step = pstrdup(step);
	map->base.process = map_process;
	if (map->columns)
		map->base.fields = template_columns(tmpl);
	else
	{
		FieldSet   *fields = fieldset_create(0);

		fields->is_item = true;
		map->base.fields = fields;
	}
	return &map->base;
}
