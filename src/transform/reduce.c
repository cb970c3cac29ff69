/*
 * reduce.c
 *		All rows become one: an SQL expression is applied to each in turn.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "resolute.h"
#include "transform/expression.h"
#include "transform/row_work.h"

typedef struct Reduce
{
	Transform	base;			/* must be first */
	MemoryContext context;
	const char *sql;
	SPIPlanPtr	plan;
	Datum		initial;		/* jsonb */
	Datum		kept;			/* jsonb, after the pages that were kept */
	Datum		staged;			/* after the present one; 0: none */
	bool		ended;			/* its row was delivered */
} Reduce;

typedef struct ReduceWork
{
	RowWork		work;			/* must be first */
	Datum		acc;
} ReduceWork;

char *
reduce_sql(const char *expression)
{
	return psprintf("SELECT pg_catalog.to_jsonb((%s\n)) FROM (SELECT $1::pg_catalog.jsonb AS acc, $2::pg_catalog.jsonb AS item) s",
					expression);
}

static void
reduce_row(void *arg, int i)
{
	ReduceWork *rw = arg;
	MemoryContext caller = CurrentMemoryContext;
	Datum		values[] = {rw->acc, row_jsonb(rw->work.in->fields, &rw->work.in->rows[i])};
	int			result = SPI_execute_plan(((Reduce *) rw->work.self)->plan, values, NULL, false, 1);
	bool		isnull;
	Datum		acc;

	if (result != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "expression of a reduce: %s", SPI_result_code_string(result));
	acc = result_datum(0, 1, &isnull);
	MemoryContextSwitchTo(caller);
	if (isnull)
		rw->acc = DirectFunctionCall1(jsonb_in, CStringGetDatum("null"));
	else
		rw->acc = PointerGetDatum(PG_DETOAST_DATUM_COPY(acc));
	SPI_freetuptable(SPI_tuptable);
}

static RowBatch *
reduce_process(Transform *transform, RowBatch *in, PageContext *page, StepCounts *counts)
{
	Reduce	   *self = (Reduce *) transform;
	Oid			types[] = {JSONBOID, JSONBOID};
	MemoryContext caller = MemoryContextSwitchTo(self->context);
	ReduceWork	rw = {{transform, page, in, NULL, counts}, self->kept};
	RowBatch   *none;

	if (self->plan == NULL)
		self->plan = expression_prepare(self->sql, 2, types);
	MemoryContextSwitchTo(page->context);
	none = batch_create(transform->fields, 0);
	guard_rows(in->nrows, reduce_row, work_failed, &rw);
	counts->rows_in += in->nrows;
	MemoryContextSwitchTo(self->context);
	if (rw.acc != self->kept)
		self->staged = datumCopy(rw.acc, false, -1);
	MemoryContextSwitchTo(caller);
	return none;
}

static void
reduce_keep(Transform *transform)
{
	Reduce	   *self = (Reduce *) transform;

	if (self->staged == 0)
		return;
	pfree(DatumGetPointer(self->kept));
	self->kept = self->staged;
	self->staged = 0;
}

static void
reduce_drop(Transform *transform)
{
	Reduce	   *self = (Reduce *) transform;

	if (self->staged)
		pfree(DatumGetPointer(self->staged));
	self->staged = 0;
}

static RowBatch *
reduce_finish(Transform *transform, PageContext *page)
{
	Reduce	   *self = (Reduce *) transform;
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	RowBatch   *out = NULL;

	if (!self->ended)
	{
		out = batch_create(transform->fields, 1);
		row_set_document(batch_add(out), self->kept, NULL);
	}
	else
	{
		/* Begin anew. */
		MemoryContextSwitchTo(self->context);
		pfree(DatumGetPointer(self->kept));
		self->kept = datumCopy(self->initial, false, -1);
	}
	self->ended = !self->ended;
	MemoryContextSwitchTo(caller);
	return out;
}

Transform *
reduce_create(const char *step, const char *expression, const char *initial,
			  const FieldSet *input pg_attribute_unused())
{
	Reduce	   *self = palloc0(sizeof(Reduce));
	FieldSet   *fields = fieldset_create(0);

	fields->is_item = true;
	self->base.step = pstrdup(step);
	self->base.fields = fields;
	self->base.process = reduce_process;
	self->base.keep = reduce_keep;
	self->base.drop = reduce_drop;
	self->base.finish = reduce_finish;
	self->context = CurrentMemoryContext;
	self->sql = reduce_sql(expression);
	self->initial = DirectFunctionCall1(jsonb_in, CStringGetDatum(initial));
	self->kept = datumCopy(self->initial, false, -1);
	return &self->base;
}
