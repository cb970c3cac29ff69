/*
 * filter.c
 *		Passes on the rows for which a condition is true.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"

#include "resolute.h"
#include "transform/expression.h"
#include "transform/row_work.h"

typedef struct Filter
{
	Transform	base;			/* must be first */
	MemoryContext context;
	Template   *condition;		/* or NULL */
	const char *sql;			/* or NULL */
	SPIPlanPtr	plan;			/* of sql, once it was needed */
} Filter;

typedef struct FilterWork
{
	RowWork		work;			/* must be first */
	bool	   *passes;			/* by row; a row that fails does not pass */
} FilterWork;

static void
filter_row(void *arg, int i)
{
	FilterWork *fw = arg;
	Filter	   *self = (Filter *) fw->work.self;

	fw->passes[i] = condition_true(self->condition, &fw->work.in->rows[i], fw->work.page->now);
}

char *
filter_sql(const char *condition)
{
	return psprintf("SELECT row_number FROM pg_catalog.unnest($1) WITH ORDINALITY"
					" AS s (item, row_number) WHERE (%s\n)", condition);
}

/* Ask SQL about a range of rows; a row for which it is null does not pass. */
static void
filter_range(void *arg, int from, int nrows)
{
	FilterWork *fw = arg;
	Datum		items = rows_jsonb_array(fw->work.in, from, nrows);
	int			result = SPI_execute_plan(((Filter *) fw->work.self)->plan, &items, NULL, false, 0);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "condition of a filter: %s", SPI_result_code_string(result));
	for (uint64 i = 0; i < SPI_processed; i++)
		fw->passes[from + result_int64(i, 1) - 1] = true;
	SPI_freetuptable(SPI_tuptable);
}

static void
filter_page(Filter *self, FilterWork *fw)
{
	Oid			types[] = {JSONBARRAYOID};
	MemoryContext caller;

	if (self->condition)
	{
		guard_rows(fw->work.in->nrows, filter_row, work_failed, fw);
		return;
	}
	caller = MemoryContextSwitchTo(self->context);
	if (self->plan == NULL)
		self->plan = expression_prepare(filter_sql(self->sql), 1, types);
	MemoryContextSwitchTo(caller);
	guard_ranges(fw->work.in->nrows, filter_range, work_failed, fw);
}

static RowBatch *
filter_process(Transform *transform, RowBatch *in, PageContext *page, StepCounts *counts)
{
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	FilterWork	fw = {{transform, page, in, NULL, counts}, NULL};
	int64		failed = counts->failed;
	int			nrows = in->nrows;

	fw.passes = palloc0(sizeof(bool) * Max(nrows, 1));
	filter_page((Filter *) transform, &fw);
	in->nrows = 0;
	for (int i = 0; i < nrows; i++)
	{
		if (fw.passes[i])
			in->rows[in->nrows++] = in->rows[i];
	}
	counts->rows_in += nrows;
	counts->rows_out += in->nrows;
	counts->filtered += nrows - in->nrows - (counts->failed - failed);
	MemoryContextSwitchTo(caller);
	return in;
}

Transform *
filter_create(const char *step, Template *condition, const char *sql, const FieldSet *input)
{
	Filter	   *self = palloc0(sizeof(Filter));

	self->base.step = pstrdup(step);
	self->base.fields = input;
	self->base.process = filter_process;
	self->context = CurrentMemoryContext;
	self->condition = condition;
	self->sql = sql;
	if (condition)
		template_bind(condition, input);
	return &self->base;
}
