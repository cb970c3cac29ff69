/*
 * spool.c
 *		Rows kept aside in a tuplestore.
 *
 * Each row is one bytea: a header per value (length, kind, flags), the item's
 * header, then all the bytes.
 */
#include "rows/spool.h"

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

struct Spool
{
	const FieldSet *fields;
	MemoryContext context;
	Tuplestorestate *store;
	TupleDesc	desc;
	TupleTableSlot *slot;
};

/* Close the temporary file together with the spool's context. */
static void
spool_close(void *arg)
{
	Spool	   *spool = arg;

	if (spool->store)
		tuplestore_end(spool->store);
}

Spool *
spool_create(const FieldSet *fields)
{
	Spool	   *spool = palloc0(sizeof(Spool));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

	spool->fields = fields;
	spool->context = CurrentMemoryContext;
	spool->desc = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(spool->desc, 1, "row", BYTEAOID, -1, 0);
	callback->func = spool_close;
	callback->arg = spool;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);

	/* interXact: a spilled store must survive the commits between pages. */
	spool->store = tuplestore_begin_heap(false, true, work_mem);
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

/* Make the bytea of a row in out, which is reused from row to row. */
static void
pack_row(const FieldSet *fields, const Row *row, StringInfo out, StringInfo bytes)
{
	resetStringInfo(out);
	resetStringInfo(bytes);
	appendStringInfoSpaces(out, VARHDRSZ);
	for (int i = 0; i < fields->nfields; i++)
		pack_value(out, bytes, &row->values[i]);
	pack_value(out, bytes, &row->item);
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

		pack_row(spool->fields, &batch->rows[i], &out, &bytes);
		value = PointerGetDatum(out.data);
		tuplestore_putvalues(spool->store, spool->desc, &value, &isnull);
	}
	pfree(out.data);
	pfree(bytes.data);
}

void
spool_rewind(Spool *spool)
{
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

/* Unpack a copy of the bytea in the current context. */
static void
unpack_row(const FieldSet *fields, Datum datum, Row *row)
{
	struct varlena *packed = PG_DETOAST_DATUM_COPY(datum);
	const char *header = VARDATA(packed);
	const char *at = header + sizeof(Value) * (fields->nfields + 1);

	row->values = palloc(sizeof(Value) * Max(fields->nfields, 1));
	for (int i = 0; i < fields->nfields; i++, header += sizeof(Value))
		unpack_value(&row->values[i], header, &at);
	unpack_value(&row->item, header, &at);
}

RowBatch *
spool_next(Spool *spool, int limit)
{
	RowBatch   *batch = batch_create(spool->fields, limit);

	while (batch->nrows < limit &&
		   tuplestore_gettupleslot(spool->store, true, false, spool->slot))
	{
		bool		isnull;

		unpack_row(spool->fields, slot_getattr(spool->slot, 1, &isnull),
				   &batch->rows[batch->nrows++]);
	}
	ExecClearTuple(spool->slot);
	return batch->nrows > 0 ? batch : NULL;
}
