/*
 * unique_items.c
 *		resolute.unique_items(): unique as a function for psql.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "rows/names.h"
#include "transform/transform.h"

PG_FUNCTION_INFO_V1(resolute_unique_items);

/* keep => 'first' or 'last' */
static bool
keep_is_first(text *keep)
{
	char	   *word = text_to_cstring(keep);

	if (strcmp(word, "first") != 0 && strcmp(word, "last") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"keep\" of unique_items must not be \"%s\"", word),
				 errhint("Use 'first' or 'last'.")));
	return strcmp(word, "first") == 0;
}

/* There are no dead letters here, so a row without a key is an error. */
static void
check_failures(const PageContext *page)
{
	RowFailure *failure;

	if (page->failures == NIL)
		return;
	failure = linitial(page->failures);
	ereport(ERROR,
			(errcode(failure->sqlerrcode),
			 errmsg("%s", failure->message)));
}

/* The rows that are left of the items. */
static RowBatch *
unique_rows(FunctionCallInfo fcinfo)
{
	RowBatch   *batch = batch_from_jsonb_array(PG_GETARG_DATUM(0));
	List	   *keys = names_from_text("key of unique_items",
									   text_to_cstring(PG_GETARG_TEXT_PP(1)));
	PageContext *page = palloc0(sizeof(PageContext));
	StepCounts *counts = palloc0(sizeof(StepCounts));
	Transform  *unique = unique_create("unique_items", keys,
									   keep_is_first(PG_GETARG_TEXT_PP(2)), batch->fields);

	page->context = CurrentMemoryContext;
	page->now = GetCurrentTransactionStartTimestamp();
	batch = unique->process(unique, batch, page, counts);
	check_failures(page);
	return batch;
}

/* unique_items(items jsonb, key text, keep text) */
Datum
resolute_unique_items(PG_FUNCTION_ARGS)
{
	FuncCallContext *call;
	RowBatch   *rows;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext caller;

		call = SRF_FIRSTCALL_INIT();
		caller = MemoryContextSwitchTo(call->multi_call_memory_ctx);
		call->user_fctx = unique_rows(fcinfo);
		MemoryContextSwitchTo(caller);
	}
	call = SRF_PERCALL_SETUP();
	rows = call->user_fctx;
	if (call->call_cntr < (uint64) rows->nrows)
	{
		Datum		row = row_jsonb(rows->fields, &rows->rows[call->call_cntr]);

		SRF_RETURN_NEXT(call, row);
	}
	SRF_RETURN_DONE(call);
}
