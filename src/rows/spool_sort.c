/*
 * spool_sort.c
 *		The rows of a spool in order.
 *
 * PostgreSQL's tuplesort does it, over the keys, the place of the row and the packed row.
 * Its temporary files end with the transaction, so what comes out of it goes into a spool again.
 */
#include "rows/spool_internal.h"

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

typedef struct Sorter
{
	int			nkeys;
	TupleDesc	desc;			/* keys, place, row */
	TupleTableSlot *slot;
	Tuplesortstate *state;
	SpoolKey	key;
	void	   *arg;
} Sorter;

/* Begin sorting by the keys, and then by the place. */
static void
begin_sort(Sorter *sorter, const SpoolOrder *orders)
{
	int			n = sorter->nkeys + 1;
	AttrNumber *columns = palloc(sizeof(AttrNumber) * n);
	Oid		   *operators = palloc(sizeof(Oid) * n);
	Oid		   *collations = palloc0(sizeof(Oid) * n);
	bool	   *nulls_first = palloc0(sizeof(bool) * n);

	sorter->desc = CreateTemplateTupleDesc(n + 1);
	for (int i = 0; i < n; i++)
	{
		Oid			type = i < sorter->nkeys ? JSONBOID : INT8OID;
		bool		descending = i < sorter->nkeys && orders[i].descending;
		TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);

		TupleDescInitEntry(sorter->desc, i + 1, NULL, type, -1, 0);
		columns[i] = i + 1;
		operators[i] = descending ? entry->gt_opr : entry->lt_opr;
		nulls_first[i] = i < sorter->nkeys && orders[i].nulls_first;
	}
	TupleDescInitEntry(sorter->desc, n + 1, NULL, BYTEAOID, -1, 0);
	sorter->slot = MakeSingleTupleTableSlot(sorter->desc, &TTSOpsMinimalTuple);
	sorter->state = tuplesort_begin_heap(sorter->desc, n, columns, operators, collations,
										 nulls_first, work_mem, NULL, 0);
}

/* Give the sort one row. */
static void
put_row(Sorter *sorter, TupleTableSlot *virtual, const FieldSet *fields, Datum packed, int64 place)
{
	int			n = sorter->nkeys;
	Row			row;

	spool_unpack(fields, packed, &row);
	ExecClearTuple(virtual);
	for (int i = 0; i < n; i++)
		virtual->tts_values[i] = sorter->key(sorter->arg, i, &row, &virtual->tts_isnull[i]);
	virtual->tts_values[n] = Int64GetDatum(place);
	virtual->tts_values[n + 1] = packed;
	virtual->tts_isnull[n] = virtual->tts_isnull[n + 1] = false;
	ExecStoreVirtualTuple(virtual);
	tuplesort_puttupleslot(sorter->state, virtual);
}

static void
put_rows(Sorter *sorter, Spool *spool)
{
	TupleTableSlot *virtual = MakeSingleTupleTableSlot(sorter->desc, &TTSOpsVirtual);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "resolute sort row",
													  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row_context);
	int64		place = 0;
	Datum		packed;

	spool_rewind(spool);
	while (spool_next_packed(spool, &packed))
	{
		CHECK_FOR_INTERRUPTS();
		put_row(sorter, virtual, spool_fields(spool), packed, place++);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(caller);
	ExecDropSingleTupleTableSlot(virtual);
	MemoryContextDelete(row_context);
}

Spool *
spool_sorted(Spool *spool, int n, const SpoolOrder *orders, SpoolKey key, void *arg)
{
	Spool	   *sorted = spool_create(spool_fields(spool));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "resolute sort",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Sorter		sorter = {.nkeys = n, .key = key, .arg = arg};

	begin_sort(&sorter, orders);
	put_rows(&sorter, spool);
	tuplesort_performsort(sorter.state);
	while (tuplesort_gettupleslot(sorter.state, true, false, sorter.slot, NULL))
	{
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		spool_put_packed(sorted, slot_getattr(sorter.slot, n + 2, &isnull));
	}
	ExecDropSingleTupleTableSlot(sorter.slot);
	tuplesort_end(sorter.state);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return sorted;
}
