/*
 * upsert_arbiter.c
 *		The arbiter: the unique index that says which row is which.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "target/upsert_internal.h"

/* Are the index's columns the key's, as a set? */
static bool
index_covers_key(const UpsertShape *shape, Relation index)
{
	Form_pg_index form = index->rd_index;

	if (!form->indisunique || index->rd_rel->relam != BTREE_AM_OID ||
		form->indnkeyatts != shape->nkeys)
		return false;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		bool		found = false;

		for (int k = 0; k < shape->nkeys && !found; k++)
			found = shape->columns[shape->keys[k].column].attnum == form->indkey.values[i];
		if (!found)
			return false;
	}
	return true;
}

/* Why can ON CONFLICT not use this unique index?  NULL if it can. */
static const char *
index_flaw(Relation index)
{
	if (!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return "partial";
	if (!index->rd_index->indisvalid || !index->rd_index->indisready)
		return "not valid";
	if (!index->rd_index->indimmediate)
		return "deferrable";
	return NULL;
}

/* Can rows be hashed by a function that agrees with the key's equality? */
static void
find_hash(UpsertKey *key, Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_HASH_PROC_FINFO |
											  TYPECACHE_EQ_OPR);

	key->hashable = OidIsValid(entry->hash_proc_finfo.fn_oid) &&
		entry->eq_opr == key->equality;
	if (key->hashable)
		fmgr_info_cxt(entry->hash_proc_finfo.fn_oid, &key->hash, CurrentMemoryContext);
	fmgr_info_cxt(get_opcode(key->equality), &key->equals, CurrentMemoryContext);
}

/* Take the keys in the order of the index, with its idea of equality. */
static void
take_keys(UpsertShape *shape, Relation index)
{
	UpsertKey  *keys = palloc0(sizeof(UpsertKey) * shape->nkeys);

	for (int i = 0; i < shape->nkeys; i++)
	{
		UpsertKey  *key = &keys[i];

		for (int k = 0; k < shape->nkeys; k++)
			if (shape->columns[shape->keys[k].column].attnum ==
				index->rd_index->indkey.values[i])
				key->column = shape->keys[k].column;
		key->collation = index->rd_indcollation[i];
		key->equality = get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i],
											index->rd_opcintype[i], BTEqualStrategyNumber);
		if (!OidIsValid(key->equality))
			elog(ERROR, "no equality operator for column %d of index \"%s\"",
				 i + 1, RelationGetRelationName(index));
		find_hash(key, shape->columns[key->column].type->type);
	}
	shape->keys = keys;
}

/* The key's columns, quoted and separated by commas. */
static char *
key_columns(const UpsertShape *shape)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int k = 0; k < shape->nkeys; k++)
		appendStringInfo(&list, "%s%s", k > 0 ? ", " : "",
						 quote_identifier(shape->columns[shape->keys[k].column].name));
	return list.data;
}

/* The first plain partition column that is not in the key, or NULL. */
static const char *
missing_partition_column(const UpsertShape *shape, Relation relation)
{
	PartitionKey partition;

	if (relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return NULL;
	partition = RelationGetPartitionKey(relation);
	for (int i = 0; i < get_partition_natts(partition); i++)
	{
		AttrNumber	attnum = get_partition_col_attnum(partition, i);
		bool		found = attnum == 0;	/* an expression cannot be in a key */

		for (int k = 0; k < shape->nkeys && !found; k++)
			found = shape->columns[shape->keys[k].column].attnum == attnum;
		if (!found)
			return NameStr(TupleDescAttr(RelationGetDescr(relation), attnum - 1)->attname);
	}
	return NULL;
}

/* Say what is missing, and what would help. */
static void
report_no_arbiter(const UpsertShape *shape, Relation relation,
				  const char *flawed, const char *flaw)
{
	const char *partition = missing_partition_column(shape, relation);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
			 errmsg("there is no unique index on the key (%s) of table %s",
					key_columns(shape), shape->name),
			 flaw ? errdetail("The unique index \"%s\" cannot be used, since it is %s.",
							  flawed, flaw) : 0,
			 partition ?
			 errhint("The key of a partitioned table must contain its partition column \"%s\".",
					 partition) :
			 errhint("CREATE UNIQUE INDEX ON %s (%s);", shape->name, key_columns(shape))));
}

void
upsert_find_arbiter(UpsertShape *shape, Relation relation)
{
	List	   *indexes = RelationGetIndexList(relation);
	char	   *flawed = NULL;
	const char *flaw = NULL;
	bool		found = false;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (!found && index_covers_key(shape, index))
		{
			const char *reason = index_flaw(index);

			if (reason == NULL)
			{
				take_keys(shape, index);
				found = true;
			}
			else
			{
				flawed = pstrdup(RelationGetRelationName(index));
				flaw = reason;
			}
		}
		index_close(index, AccessShareLock);
	}
	if (!found)
		report_no_arbiter(shape, relation, flawed, flaw);
}
