/*
 * path_query.c
 *		What an SQL/JSON path finds in each row.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/jsonpath.h"

#include "transform/expression.h"
#include "transform/row_work.h"

typedef struct PathQuery
{
	Transform	base;			/* must be first */
	Datum		path;			/* jsonpath */
	Datum		variables;		/* an empty jsonb object */
} PathQuery;

static void
query_row(void *arg, int i)
{
	RowWork    *work = arg;
	PathQuery  *self = (PathQuery *) work->self;
	const Row  *row = &work->in->rows[i];
	Datum		found = DirectFunctionCall4(jsonb_path_query_array_tz,
											row_jsonb(work->in->fields, row), self->path,
											self->variables, BoolGetDatum(false));
	JsonbIterator *it = JsonbIteratorInit(&DatumGetJsonbP(found)->root);
	JsonbValue	value;
	JsonbIteratorToken token;

	if (JB_ROOT_COUNT(DatumGetJsonbP(found)) == 0)
		work->counts->filtered++;
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			row_set_document(batch_add(work->out), PointerGetDatum(JsonbValueToJsonb(&value)), row);
	}
}

static RowBatch *
query_process(Transform *transform, RowBatch *in, PageContext *page, StepCounts *counts)
{
	return work_rows(transform, in, page, counts, query_row);
}

Transform *
json_path_create(const char *step, const char *path, const FieldSet *input pg_attribute_unused())
{
	PathQuery  *self = palloc0(sizeof(PathQuery));
	FieldSet   *fields = fieldset_create(0);

	fields->is_item = true;
	self->base.step = pstrdup(step);
	self->base.fields = fields;
	self->base.process = query_process;
	self->path = DirectFunctionCall1(jsonpath_in, CStringGetDatum(path));
	self->variables = DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
	return &self->base;
}
