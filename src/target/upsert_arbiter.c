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
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/bitmapset.h"
#include "resolute.h"
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

/* Is this column part of the key? */
static bool
key_has_column(const UpsertShape *shape, const char *name)
{
	for (int k = 0; k < shape->nkeys; k++)
		if (strcmp(shape->columns[shape->keys[k].column].name, name) == 0)
			return true;
	return false;
}

/*
 * The column that Citus distributes the table by, if it is not in the key; or
 * NULL.  Citus keeps it in pg_catalog, as the text of a node that its own function
 * reads, and null for a reference table; its documentation of pg_dist_partition
 * gives this query.  Other installations have no such table.
 */
static const char *
missing_distribution_column(const UpsertShape *shape)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(shape->relation)};
	char	   *name = NULL;

	if (!OidIsValid(get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE)))
		return NULL;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args("SELECT pg_catalog.column_to_column_name(logicalrelid, partkey) "
							  "FROM pg_catalog.pg_dist_partition "
							  "WHERE logicalrelid::pg_catalog.oid OPERATOR(pg_catalog.=) $1 AND partkey IS NOT NULL",
							  1, types, values, NULL, true, 1) == SPI_OK_SELECT && SPI_processed > 0)
		name = result_text_in(0, 1, context);
	SPI_finish();
	return name == NULL || key_has_column(shape, name) ? NULL : name;
}

/* Say what is missing, and what would help. */
static void
report_no_arbiter(const UpsertShape *shape, Relation relation,
				  const char *flawed, const char *flaw)
{
	const char *partition = missing_partition_column(shape, relation);
	const char *distribution = missing_distribution_column(shape);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
			 errmsg("there is no unique index on the key (%s) of table %s",
					key_columns(shape), shape->name),
			 flaw ? errdetail("The unique index \"%s\" cannot be used, since it is %s.",
							  flawed, flaw) : 0,
			 partition ?
			 errhint("The key of a partitioned table must contain its partition column \"%s\".",
					 partition) :
			 distribution ?
			 errhint("The key of a table that Citus distributes must contain its distribution column \"%s\".",
					 distribution) :
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
