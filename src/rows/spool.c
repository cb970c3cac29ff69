/*
 * spool.c
 *		Rows kept aside in a tuplestore.
 *
 * Each row is one bytea: a header per value (length, kind, flags), those of the item
 * and of what it came from, then all the bytes.
 */
#include "rows/spool_internal.h"

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

/* Rows that are read at a time end with the one that makes them larger than that. */
#define SPOOL_BATCH_BYTES (4 * 1024 * 1024)

/* Rows that were dropped: they are still there, but passed over. */
typedef struct Gap
{
	int64		from;
	int64		end;
} Gap;

struct Spool
{
	const FieldSet *fields;
	MemoryContext context;
	Tuplestorestate *store;
	TupleDesc	desc;
	TupleTableSlot *slot;
	int64		added;
	int64		kept;			/* of those, what is not of the present page */
	int64		at;				/* number of the row to be read next */
	List	   *gaps;			/* of Gap *, in order */
};

/* A tuplestore that ends with the context in which this is. */
typedef struct LastingStore
{
	MemoryContextCallback callback;
	MemoryContext context;		/* the store's own */
	Tuplestorestate *store;
} LastingStore;

static void
end_store(void *arg)
{
	LastingStore *lasting = arg;

	if (lasting->store)
		tuplestore_end(lasting->store);
	MemoryContextDelete(lasting->context);
}

Tuplestorestate *
lasting_tuplestore(void)
{
	LastingStore *lasting = palloc0(sizeof(LastingStore));
	MemoryContext caller = CurrentMemoryContext;

	/*
	 * 18 gives a tuplestore a context below the current one.  That would be gone before
	 * the callbacks of the current one are called, so the store is not below it.
	 */
	lasting->context = AllocSetContextCreate(TopMemoryContext, "resolute tuplestore", ALLOCSET_DEFAULT_SIZES);
	lasting->callback.func = end_store;
	lasting->callback.arg = lasting;
	MemoryContextRegisterResetCallback(caller, &lasting->callback);
	MemoryContextSwitchTo(lasting->context);

	/* interXact: a spilled store must survive the commits between pages. */
	lasting->store = tuplestore_begin_heap(false, true, work_mem);
	MemoryContextSwitchTo(caller);
	return lasting->store;
}

Spool *
spool_create(const FieldSet *fields)
{
	Spool	   *spool = palloc0(sizeof(Spool));

	spool->fields = fields;
	spool->context = CurrentMemoryContext;
	spool->desc = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(spool->desc, 1, "row", BYTEAOID, -1, 0);
	spool->store = lasting_tuplestore();
	spool->slot = MakeSingleTupleTableSlot(spool->desc, &TTSOpsMinimalTuple);
	return spool;
}

const FieldSet *
spool_fields(const Spool *spool)
{
	return spool->fields;
}

/* Append one value's header to the headers, its bytes to the bytes. */
static void
pack_value(StringInfo headers, StringInfo bytes, const Value *value)
{
	Value		header = *value;

	header.data = NULL;
	appendBinaryStringInfo(headers, (char *) &header, sizeof(Value));
	if (value->len > 0)
		appendBinaryStringInfo(bytes, value->data, value->len);
}

/* Make the bytea of a row in out; out and bytes are reused from row to row. */
static void
spool_pack(const FieldSet *fields, const Row *row, StringInfo out, StringInfo bytes)
{
	resetStringInfo(out);
	resetStringInfo(bytes);
	appendStringInfoSpaces(out, VARHDRSZ);
	for (int i = 0; i < fields->nfields; i++)
		pack_value(out, bytes, &row->values[i]);
	pack_value(out, bytes, &row->item);
	pack_value(out, bytes, &row->source);
	appendBinaryStringInfo(out, bytes->data, bytes->len);
	SET_VARSIZE(out->data, out->len);
}

void
spool_append(Spool *spool, const RowBatch *batch)
{
	StringInfoData out,
				bytes;

	initStringInfo(&out);
	initStringInfo(&bytes);
	for (int i = 0; i < batch->nrows; i++)
	{
		Datum		value;
		bool		isnull = false;

		spool_pack(spool->fields, &batch->rows[i], &out, &bytes);
		value = PointerGetDatum(out.data);
		tuplestore_putvalues(spool->store, spool->desc, &value, &isnull);
		spool->added++;
	}
	pfree(out.data);
	pfree(bytes.data);
}

void
spool_put_packed(Spool *spool, Datum packed)
{
	bool		isnull = false;

	tuplestore_putvalues(spool->store, spool->desc, &packed, &isnull);
	spool->added++;
}

void
spool_keep(Spool *spool)
{
	spool->kept = spool->added;
}

void
spool_drop(Spool *spool)
{
	MemoryContext caller = MemoryContextSwitchTo(spool->context);
	Gap		   *gap = palloc(sizeof(Gap));

	gap->from = spool->kept;
	gap->end = spool->added;
	if (gap->from < gap->end)
		spool->gaps = lappend(spool->gaps, gap);
	spool->kept = spool->added;
	MemoryContextSwitchTo(caller);
}

void
spool_rewind(Spool *spool)
{
	spool->at = 0;
	tuplestore_rescan(spool->store);
}

/* Take one value out of a packed row; *at moves over its bytes. */
static void
unpack_value(Value *value, const char *header, const char **at)
{
	memcpy(value, header, sizeof(Value));
	value->data = *at;
	*at += value->len;
}

void
spool_unpack(const FieldSet *fields, Datum datum, Row *row)
{
	struct varlena *packed = PG_DETOAST_DATUM_COPY(datum);
	const char *header = VARDATA(packed);
	const char *at = header + sizeof(Value) * (fields->nfields + 2);

	row->values = palloc(sizeof(Value) * Max(fields->nfields, 1));
	for (int i = 0; i < fields->nfields; i++, header += sizeof(Value))
		unpack_value(&row->values[i], header, &at);
	unpack_value(&row->item, header, &at);
	unpack_value(&row->source, header + sizeof(Value), &at);
}

/* Was the row with this number dropped? */
static bool
in_gap(const Spool *spool, int64 number)
{
	ListCell   *lc;

	foreach(lc, spool->gaps)
	{
		const Gap  *gap = lfirst(lc);

		if (number >= gap->from && number < gap->end)
			return true;
	}
	return false;
}

bool
spool_next_packed(Spool *spool, Datum *packed)
{
	/* The slot keeps the tuple until the next call: in a context that lives as long. */
	MemoryContext caller = MemoryContextSwitchTo(spool->context);
	bool		found;
	bool		isnull;

	do
		found = tuplestore_gettupleslot(spool->store, true, false, spool->slot);
	while (found && in_gap(spool, spool->at++));
	if (found)
		*packed = slot_getattr(spool->slot, 1, &isnull);
	else
		ExecClearTuple(spool->slot);
	MemoryContextSwitchTo(caller);
	return found;
}

RowBatch *
spool_next(Spool *spool, int limit)
{
	RowBatch   *batch = batch_create(spool->fields, limit);
	Size		bytes = 0;
	Datum		packed;

	while (batch->nrows < limit && bytes < SPOOL_BATCH_BYTES && spool_next_packed(spool, &packed))
	{
		bytes += VARSIZE_ANY(DatumGetPointer(packed));
		spool_unpack(spool->fields, packed, &batch->rows[batch->nrows++]);
	}
	ExecClearTuple(spool->slot);
	return batch->nrows > 0 ? batch : NULL;
}
