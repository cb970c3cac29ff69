/*
 * upsert_items.c
 *		resolute.upsert_items(): the upsert as a function for psql.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "rows/names.h"
#include "target/target.h"

/* More rows than this are not warned about one by one. */
#define MAX_WARNINGS 10

PG_FUNCTION_INFO_V1(resolute_upsert_items);

/* A text argument that must be given. */
static char *
required_text(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("parameter \"%s\" of upsert_items must not be null", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* There is no flow whose dead letters could hold them: tell of the refused rows. */
static void
warn_of_failures(const PageContext *page)
{
	int			n = 0;
	ListCell   *lc;

	foreach(lc, page->failures)
	{
		RowFailure *failure = lfirst(lc);

		if (n++ == MAX_WARNINGS)
		{
			ereport(WARNING,
					(errmsg("%d more rows were refused",
							list_length(page->failures) - MAX_WARNINGS)));
			break;
		}
		ereport(WARNING,
				(errcode(failure->sqlerrcode),
				 errmsg("row refused: %s", failure->message)));
	}
}

static Datum
counts_datum(FunctionCallInfo fcinfo, const StepCounts *counts)
{
	TupleDesc	desc;
	Datum		values[6];
	bool		nulls[6] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum(counts->inserted);
	values[1] = Int64GetDatum(counts->updated);
	values[2] = Int64GetDatum(counts->unchanged);
	values[3] = Int64GetDatum(counts->stale);
	values[4] = Int64GetDatum(counts->failed);
	values[5] = Int64GetDatum(counts->duplicates);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* upsert_items(target text, items jsonb, key text, version text) */
Datum
resolute_upsert_items(PG_FUNCTION_ARGS)
{
	UpsertSpec	spec = {.step = "upsert_items"};
	StepCounts	counts = {0};

	spec.target = required_text(fcinfo, 0, "target");
	spec.keys = names_from_text("key of upsert_items", required_text(fcinfo, 2, "key"));
	if (!PG_ARGISNULL(3))
		spec.version = text_to_cstring(PG_GETARG_TEXT_PP(3));

	/* No items at all is what jsonb_agg() makes of no rows. */
	if (!PG_ARGISNULL(1))
	{
		RowBatch   *batch = batch_from_jsonb_array(PG_GETARG_DATUM(1));
		PageContext page = {
			.context = CurrentMemoryContext,
			.now = GetCurrentTransactionStartTimestamp()
		};

		upsert_page(upsert_create(&spec, batch->fields), batch, &page, &counts);
		warn_of_failures(&page);
	}
	return counts_datum(fcinfo, &counts);
}
