/*
 * upsert_compare.c
 *		Duplicates within the page, and the incoming against the stored rows.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/datum.h"

#include "target/upsert_internal.h"

/* A key that the page has: where its row stands. */
typedef struct KeyEntry
{
	int			row;
	uint32		hash;
	char		status;
} KeyEntry;

static bool same_key(Incoming *in, int a, int b);

#define SH_PREFIX keyset
#define SH_ELEMENT_TYPE KeyEntry
#define SH_KEY_TYPE int
#define SH_KEY row
#define SH_HASH_KEY(tb, key) (((Incoming *) (tb)->private_data)->hashes[key])
#define SH_EQUAL(tb, a, b) same_key((Incoming *) (tb)->private_data, a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Are the keys of both rows equal, as their types see it? */
static bool
same_key(Incoming *in, int a, int b)
{
	for (int k = 0; k < in->shape->nkeys; k++)
	{
		UpsertKey  *key = &in->shape->keys[k];

		if (!DatumGetBool(FunctionCall2Coll(&key->equals, key->collation,
											in->values[incoming_at(in, a) + key->column],
											in->values[incoming_at(in, b) + key->column])))
			return false;
	}
	return true;
}

/* Hash the row's key; a type without a hash leaves it to the comparison. */
static uint32
hash_key(Incoming *in, int row)
{
	uint32		hash = 0;

	for (int k = 0; k < in->shape->nkeys; k++)
	{
		UpsertKey  *key = &in->shape->keys[k];

		if (key->hashable)
			hash = hash_combine(hash, DatumGetUInt32(FunctionCall1Coll(&key->hash, key->collation,
																	   in->values[incoming_at(in, row) + key->column])));
	}
	return hash;
}

/* Compare two versions; null is older than anything else. */
static int
compare_versions(UpsertShape *shape, Datum a, bool a_null, Datum b, bool b_null)
{
	if (a_null || b_null)
		return (int) b_null - (int) a_null;
	return DatumGetInt32(FunctionCall2Coll(&shape->version_cmp,
										   shape->columns[shape->version].collation, a, b));
}

/* Is row b, which comes later, the one to keep? */
static bool
later_wins(Incoming *in, int a, int b)
{
	Size		at_a = incoming_at(in, a) + in->shape->version;
	Size		at_b = incoming_at(in, b) + in->shape->version;

	if (in->shape->version < 0)
		return true;
	return compare_versions(in->shape, in->values[at_b], in->nulls[at_b],
							in->values[at_a], in->nulls[at_a]) >= 0;
}

/*
 * Of the rows with the same key the newest version wins, of those the last one.
 * All others become VERDICT_DUPLICATE.
 */
void
upsert_find_duplicates(Incoming *in)
{
	keyset_hash *keys = keyset_create(CurrentMemoryContext, in->nrows, in);

	for (int row = 0; row < in->nrows; row++)
	{
		KeyEntry   *entry;
		bool		found;

		if (in->verdicts[row] == VERDICT_DEAD)
			continue;
		in->hashes[row] = hash_key(in, row);
		entry = keyset_insert(keys, row, &found);
		if (!found)
			entry->row = row;
		else if (later_wins(in, entry->row, row))
		{
			in->verdicts[entry->row] = VERDICT_DUPLICATE;
			entry->row = row;
		}
		else
			in->verdicts[row] = VERDICT_DUPLICATE;
		CHECK_FOR_INTERRUPTS();
	}
	keyset_destroy(keys);
}

/*
 * Does the stored row differ?  By image: what looks the same to the type's
 * equality (1.0 and 1.00) is still written as the source has it.
 */
static bool
row_changed(Incoming *in, int row, const Datum *stored, const bool *stored_null)
{
	UpsertShape *shape = in->shape;
	int			next = 1;		/* the first one is the ordinality */

	for (int i = 0; i < shape->ncolumns; i++)
	{
		const UpsertColumn *column = &shape->columns[i];
		Size		at = incoming_at(in, row) + i;

		if (!column->compared && i != shape->version)
			continue;
		if (column->compared &&
			(in->nulls[at] != stored_null[next] ||
			 (!in->nulls[at] &&
			  !datum_image_eq(in->values[at], stored[next],
							  column->type->byval, column->type->len))))
			return true;
		next++;
	}
	return false;
}

/* Place of the version among the columns of the probe. */
static int
version_place(const UpsertShape *shape)
{
	int			place = 1;

	for (int i = 0; i < shape->version; i++)
		if (shape->columns[i].compared)
			place++;
	return place;
}

/* The verdict on a row whose key is stored already. */
static UpsertVerdict
compare_row(Incoming *in, int row, const Datum *stored, const bool *stored_null)
{
	UpsertShape *shape = in->shape;

	if (shape->version >= 0)
	{
		Size		at = incoming_at(in, row) + shape->version;
		int			place = version_place(shape);

		if (compare_versions(shape, in->values[at], in->nulls[at],
							 stored[place], stored_null[place]) < 0)
			return VERDICT_STALE;
	}
	return row_changed(in, row, stored, stored_null) ? VERDICT_UPDATE : VERDICT_UNCHANGED;
}

/*
 * Give each row that is still to be inserted the verdict that the stored row
 * of its key calls for.  To be called inside SPI_connect().
 */
void
upsert_compare(Incoming *in)
{
	int		   *rows = palloc(sizeof(int) * in->nrows);
	int			nrows = 0;
	SPITupleTable *table;
	Datum	   *stored;
	bool	   *stored_null;

	for (int row = 0; row < in->nrows; row++)
		if (in->verdicts[row] == VERDICT_INSERT)
			rows[nrows++] = row;
	if (nrows == 0)
		return;

	upsert_run_probe(in, rows, nrows);
	table = SPI_tuptable;
	stored = palloc(sizeof(Datum) * table->tupdesc->natts);
	stored_null = palloc(sizeof(bool) * table->tupdesc->natts);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		int			row;

		heap_deform_tuple(table->vals[i], table->tupdesc, stored, stored_null);
		row = rows[DatumGetInt64(stored[0]) - 1];
		in->verdicts[row] = compare_row(in, row, stored, stored_null);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_freetuptable(table);
	pfree(rows);
}
