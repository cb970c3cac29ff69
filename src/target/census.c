/*
 * census.c
 *		The keys that a source has, as the target's columns hold them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "rows/json.h"
#include "rows/spool.h"
#include "target/census_internal.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* ------------------------------------------------------------------------
 * Beginning
 * ------------------------------------------------------------------------
 */

/* The target's shape, as far as the key goes. */
static UpsertShape *
key_shape(const CensusSpec *spec, const char *table)
{
	UpsertSpec	upsert = {.step = spec->step,.target = table,.keys = spec->keys,.quiet = true};
	FieldSet   *fields = fieldset_create(list_length(spec->keys));
	List	   *names = NIL;
	ListCell   *lc;

	fields->nfields = 0;
	foreach(lc, spec->keys)
	{
		ListCell   *other;
		bool		twice = false;

		foreach(other, names)
			twice |= strcmp(lfirst(other), lfirst(lc)) == 0;
		if (twice)
			continue;
		names = lappend(names, lfirst(lc));
		fields->fields[fields->nfields++].name = lfirst(lc);
	}
	return upsert_shape(upsert_create(&upsert, fields), fields, false);
}

/* Types and names of the key's columns, and how they are compared. */
static void
describe_keys(Census *census, const UpsertShape *shape)
{
	StringInfoData match;

	initStringInfo(&match);
	census->nkeys = shape->nkeys;
	census->keys = palloc(sizeof(char *) * shape->nkeys);
	census->members = palloc(sizeof(char *) * shape->nkeys);
	census->types = palloc(sizeof(ColumnType *) * shape->nkeys);
	census->desc = CreateTemplateTupleDesc(shape->nkeys);
	for (int k = 0; k < shape->nkeys; k++)
	{
		const UpsertColumn *column = &shape->columns[shape->keys[k].column];
		AttrNumber	number = k + 1;

		census->keys[k] = pstrdup(column->name);
		census->members[k] = pg_server_to_any(census->keys[k], strlen(census->keys[k]), PG_UTF8);
		census->types[k] = column_type_create(column->type->type, column->type->typmod);
		TupleDescInitEntry(census->desc, number, psprintf("k%d", number),
						   column->type->type, column->type->typmod, 0);
		TupleDescInitEntryCollation(census->desc, number, column->collation);
		appendStringInfo(&match, "%st.%s%s %s c.k%d", k > 0 ? " AND " : "",
						 quote_identifier(column->name),
						 upsert_collate_clause(&shape->keys[k], column),
						 upsert_operator_name(shape->keys[k].equality), number);
	}
	census->match = match.data;
}

/* The type of a column, or InvalidOid if there is none. */
static Oid
column_type(Oid relation, const char *name)
{
	AttrNumber	number = name ? get_attnum(relation, name) : InvalidAttrNumber;

	return number == InvalidAttrNumber ? InvalidOid : getBaseType(get_atttype(relation, number));
}

static bool
is_time(Oid type)
{
	return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID;
}

/* Are rows marked or deleted?  Raise where neither is possible. */
static void
choose_removal(Census *census)
{
	Oid			marked = column_type(census->relation, CENSUS_SOFT_COLUMN);

	census->soft = OidIsValid(marked);
	if (census->soft && !is_time(marked))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table %s has type %s",
						CENSUS_SOFT_COLUMN, census->name, format_type_be(marked)),
				 errhint("It marks rows that the source no longer has, so make it timestamptz.")));
	if (!census->soft && !census->spec.may_delete)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s has no column \"%s\" to mark rows in that the source no longer has",
						census->name, CENSUS_SOFT_COLUMN),
				 errhint("ALTER TABLE %s ADD COLUMN %s timestamptz; or have them deleted with delete => true.",
						 census->name, CENSUS_SOFT_COLUMN)));
}

/* May the current user remove rows?  Better known before everything was fetched. */
static void
check_rights(const Census *census)
{
	AclMode		mode = census->soft ? ACL_UPDATE : ACL_DELETE;
	AttrNumber	marked = census->soft ? get_attnum(census->relation, CENSUS_SOFT_COLUMN) : InvalidAttrNumber;

	if (pg_class_aclcheck(census->relation, GetUserId(), mode) == ACLCHECK_OK ||
		(census->soft && pg_attribute_aclcheck(census->relation, marked, GetUserId(), mode) == ACLCHECK_OK))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for table %s", census->name),
			 errdetail("Role \"%s\" may not %s rows that the source no longer has.",
					   GetUserNameFromId(GetUserId(), false), census->soft ? "mark" : "delete"),
			 errhint("GRANT %s ON %s TO %s;", census->soft ? "UPDATE" : "DELETE", census->name,
					 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

Census *
census_create(const CensusSpec *spec)
{
	Census	   *census = palloc0(sizeof(Census));
	UpsertShape *shape = key_shape(spec, spec->target);

	census->spec = *spec;
	census->context = CurrentMemoryContext;
	census->relation = shape->relation;
	census->name = psprintf("%s%s", shape->with_children ? "ONLY " : "", shape->name);
	census->dated = is_time(column_type(shape->relation, spec->version));
	describe_keys(census, shape);
	choose_removal(census);
	check_rights(census);

	census->store = lasting_tuplestore();
	return census;
}

Oid
census_relation(const Census *census)
{
	return census->relation;
}

bool
census_has_keys(const Census *census, List *keys)
{
	ListCell   *lc;

	foreach(lc, keys)
	{
		bool		found = false;

		for (int k = 0; k < census->nkeys; k++)
			found |= strcmp(census->keys[k], lfirst(lc)) == 0;
		if (!found)
			return false;
	}
	return true;
}

int64
census_count(const Census *census)
{
	return census->count;
}

/* ------------------------------------------------------------------------
 * Adding
 * ------------------------------------------------------------------------
 */
typedef struct Adding
{
	Census	   *census;
	const RowBatch *batch;
	int		   *fields;			/* of each part of the key, or -1 */
	MemoryContext scratch;
} Adding;

/* A part of a row's key. */
static Value
key_value(const Adding *adding, const Row *row, int k)
{
	const char *name = adding->census->members[k];

	if (adding->batch->fields->is_item)
		return json_member(&row->item, name, strlen(name), false);
	if (adding->fields[k] < 0 || row->values == NULL)
		return value_null();
	return row->values[adding->fields[k]];
}

/* Add the key of one row (for guard_rows). */
static void
add_row(void *arg, int i)
{
	Adding	   *adding = arg;
	Census	   *census = adding->census;
	MemoryContext caller = MemoryContextSwitchTo(adding->scratch);
	Datum	   *values = palloc(sizeof(Datum) * census->nkeys);
	bool	   *nulls = palloc(sizeof(bool) * census->nkeys);
	bool		whole = true;

	for (int k = 0; k < census->nkeys; k++)
	{
		Value		value = key_value(adding, &adding->batch->rows[i], k);

		column_type_forget(census->types[k]);
		values[k] = column_type_datum(census->types[k], &value, &nulls[k]);
		whole &= !nulls[k];
	}
	if (whole)
	{
		tuplestore_putvalues(census->store, census->desc, values, nulls);
		census->count++;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(adding->scratch);
}

/* The key does not fit its columns, so nothing is stored under it (for guard_rows). */
static void
pass_over(void *arg, int i, ErrorData *edata)
{
	Adding	   *adding = arg;

	(void) i;
	(void) edata;
	MemoryContextReset(adding->scratch);
}

void
census_add(Census *census, const RowBatch *batch)
{
	Adding		adding = {.census = census,.batch = batch};

	if (batch->nrows == 0)
		return;
	adding.scratch = AllocSetContextCreate(CurrentMemoryContext, "resolute census", ALLOCSET_SMALL_SIZES);
	adding.fields = palloc(sizeof(int) * census->nkeys);
	for (int k = 0; k < census->nkeys; k++)
		adding.fields[k] = fieldset_find(batch->fields, census->keys[k]);
	guard_rows(batch->nrows, add_row, pass_over, &adding);
	MemoryContextDelete(adding.scratch);
}
