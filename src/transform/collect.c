/*
 * collect.c
 *		What transforms share that need all rows first.
 */
#include "transform/collect.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* Begin anew: the files go with what was in the context. */
static void
begin_rows(Collector *self)
{
	MemoryContext caller;

	MemoryContextReset(self->context);
	caller = MemoryContextSwitchTo(self->context);
	self->rows = spool_create(self->taken);
	self->result = NULL;
	MemoryContextSwitchTo(caller);
}

static RowBatch *
collector_process(Transform *transform, RowBatch *in, PageContext *page, StepCounts *counts)
{
	Collector  *self = (Collector *) transform;
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	RowBatch   *none = batch_create(transform->fields, 0);

	counts->rows_in += in->nrows;
	if (self->take)
		in = self->take(self, in, page, counts);
	spool_append(self->rows, in);
	MemoryContextSwitchTo(caller);
	return none;
}

static void
collector_keep(Transform *transform)
{
	spool_keep(((Collector *) transform)->rows);
}

static void
collector_drop(Transform *transform)
{
	spool_drop(((Collector *) transform)->rows);
}

static RowBatch *
collector_finish(Transform *transform, PageContext *page)
{
	Collector  *self = (Collector *) transform;
	MemoryContext caller;
	RowBatch   *batch;

	if (self->result == NULL)
	{
		caller = MemoryContextSwitchTo(self->context);
		self->result = self->conclude(self, page);
		MemoryContextSwitchTo(caller);
		spool_rewind(self->result);
	}
	caller = MemoryContextSwitchTo(page->context);
	batch = spool_next(self->result, COLLECT_BATCH_ROWS);
	MemoryContextSwitchTo(caller);
	if (batch == NULL)
		begin_rows(self);
	return batch;
}

void
collector_init(Collector *self, const char *step, const FieldSet *taken, const FieldSet *yielded)
{
	self->base.step = pstrdup(step);
	self->base.fields = yielded;
	self->base.process = collector_process;
	self->base.keep = collector_keep;
	self->base.drop = collector_drop;
	self->base.finish = collector_finish;
	self->taken = taken;
	self->context = AllocSetContextCreate(CurrentMemoryContext, "resolute rows held back",
										  ALLOCSET_DEFAULT_SIZES);
	begin_rows(self);
}

Datum
path_key(void *paths, int i, const Row *row, bool *isnull)
{
	Value		value = field_path_value(list_nth((List *) paths, i), row);

	*isnull = value_is_null(&value);
	return *isnull ? (Datum) 0 : value_jsonb(&value);
}

Spool *
collector_sorted(Collector *self, List *paths)
{
	int			n = list_length(paths);
	SpoolOrder *orders = palloc0(sizeof(SpoolOrder) * Max(n, 1));

	return spool_sorted(self->rows, n, orders, path_key, paths);
}

void
spool_each(Spool *spool, void (*fn) (void *arg, const Row *row), void *arg)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "resolute spooled rows",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	RowBatch   *batch;

	spool_rewind(spool);
	while ((batch = spool_next(spool, COLLECT_BATCH_ROWS)) != NULL)
	{
		for (int i = 0; i < batch->nrows; i++)
		{
			CHECK_FOR_INTERRUPTS();
			fn(arg, &batch->rows[i]);
		}
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}
