/*
 * upsert_sql.c
 *		The statements of a page: their text, plans and parameters.
 *
 * All take one array per column.  They run unchanged on tables that Citus distributes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "target/upsert_internal.h"

/* "OPERATOR(schema.name)" */
char *
upsert_operator_name(Oid operator)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char	   *result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	result = psprintf("OPERATOR(%s.%s)",
					  quote_identifier(get_namespace_name(form->oprnamespace)),
					  NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return result;
}

/* " COLLATE x" where the index does not use the column's own collation. */
const char *
upsert_collate_clause(const UpsertKey *key, const UpsertColumn *column)
{
	HeapTuple	tuple;
	Form_pg_collation form;
	char	   *result;

	if (!OidIsValid(key->collation) || key->collation == column->collation)
		return "";
	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(key->collation));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", key->collation);
	form = (Form_pg_collation) GETSTRUCT(tuple);
	result = psprintf(" COLLATE %s",
					  quote_qualified_identifier(get_namespace_name(form->collnamespace),
												 NameStr(form->collname)));
	ReleaseSysCache(tuple);
	return result;
}

/* "ROWS FROM (pg_catalog.unnest($1), ...)": unnest of several must be unqualified. */
static void
append_unnest(StringInfo sql, int nparams)
{
	appendStringInfoString(sql, " FROM ROWS FROM (");
	for (int i = 0; i < nparams; i++)
		appendStringInfo(sql, "%spg_catalog.unnest($%d)", i > 0 ? ", " : "", i + 1);
	appendStringInfoChar(sql, ')');
}

/* " AS u (c1, c2 ...": the caller closes the bracket. */
static void
append_alias(StringInfo sql, int nparams)
{
	appendStringInfoString(sql, " AS u (");
	for (int i = 0; i < nparams; i++)
		appendStringInfo(sql, "%sc%d", i > 0 ? ", " : "", i + 1);
}

/* The n-th parameter's element, as the column's type. */
static char *
element(const UpsertColumn *column, int n)
{
	return column->as_text ? psprintf("CAST(u.c%d AS %s)", n, column->cast_to) :
		psprintf("u.c%d", n);
}

/*
 * The probe: the stored rows of these keys, with the place of the key in the
 * parameters.
 */
static char *
probe_statement(const UpsertShape *shape)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT u.o");
	for (int i = 0; i < shape->ncolumns; i++)
		if (shape->columns[i].compared || i == shape->version)
			appendStringInfo(&sql, ", t.%s", quote_identifier(shape->columns[i].name));
	append_unnest(&sql, shape->nkeys);
	appendStringInfoString(&sql, " WITH ORDINALITY");
	append_alias(&sql, shape->nkeys);
	appendStringInfo(&sql, ", o) JOIN %s%s AS t ON ",
					 shape->with_children ? "ONLY " : "", shape->name);
	for (int k = 0; k < shape->nkeys; k++)
	{
		const UpsertColumn *column = &shape->columns[shape->keys[k].column];

		appendStringInfo(&sql, "%st.%s%s %s %s", k > 0 ? " AND " : "", quote_identifier(column->name),
						 upsert_collate_clause(&shape->keys[k], column),
						 upsert_operator_name(shape->keys[k].equality),
						 element(column, k + 1));
	}
	return sql.data;
}

/* " ON CONFLICT (key) DO ...": what happens to a row whose key is stored already. */
static void
append_conflict(StringInfo sql, const UpsertShape *shape)
{
	bool		first = true;

	appendStringInfoString(sql, " ON CONFLICT (");
	for (int k = 0; k < shape->nkeys; k++)
		appendStringInfo(sql, "%s%s", k > 0 ? ", " : "",
						 quote_identifier(shape->columns[shape->keys[k].column].name));
	appendStringInfoString(sql, ") DO ");
	for (int i = 0; i < shape->ncolumns; i++)
	{
		const char *name = quote_identifier(shape->columns[i].name);

		if (shape->columns[i].is_key)
			continue;
		appendStringInfo(sql, "%s %s = excluded.%s", first ? "UPDATE SET" : ",", name, name);
		first = false;
	}
	if (first)
		appendStringInfoString(sql, "NOTHING");
	else if (shape->version >= 0)
	{
		const char *name = quote_identifier(shape->columns[shape->version].name);

		/* An older copy never overwrites a newer row; null is the oldest. */
		appendStringInfo(sql, " WHERE t.%s IS NULL OR excluded.%s %s t.%s",
						 name, name, upsert_operator_name(shape->version_ge), name);
	}
}

static char *
write_statement(const UpsertShape *shape)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO %s AS t (", shape->name);
	for (int i = 0; i < shape->ncolumns; i++)
		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(shape->columns[i].name));
	appendStringInfoString(&sql, ") SELECT ");
	for (int i = 0; i < shape->ncolumns; i++)
		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "",
						 element(&shape->columns[i], i + 1));
	append_unnest(&sql, shape->ncolumns);
	append_alias(&sql, shape->ncolumns);
	appendStringInfoChar(&sql, ')');
	append_conflict(&sql, shape);
	return sql.data;
}

void
upsert_write_statements(UpsertShape *shape)
{
	shape->probe_sql = probe_statement(shape);
	shape->write_sql = write_statement(shape);
}

void
upsert_free_plans(UpsertShape *shape)
{
	if (shape->probe != NULL)
		SPI_freeplan(shape->probe);
	if (shape->write != NULL)
		SPI_freeplan(shape->write);
	shape->probe = shape->write = NULL;
}

/* Prepare a statement with an array parameter for each of the columns. */
static SPIPlanPtr
prepare(const char *sql, UpsertColumn **columns, int ncolumns)
{
	Oid		   *types = palloc(sizeof(Oid) * ncolumns);
	SPIPlanPtr	plan;

	for (int i = 0; i < ncolumns; i++)
		types[i] = get_array_type(columns[i]->travel);
	plan = SPI_prepare_cursor(sql, ncolumns, types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	return plan;
}

/* An array of this column of the rows. */
static Datum
column_array(Incoming *in, UpsertColumn *column, const int *rows, int nrows)
{
	Datum	   *values = palloc(sizeof(Datum) * nrows);
	bool	   *nulls = palloc(sizeof(bool) * nrows);
	int			index = column - in->shape->columns;
	int			lower = 1;
	int16		len;
	bool		byval;
	char		align;
	ArrayType  *array;

	for (int i = 0; i < nrows; i++)
	{
		Size		at = incoming_at(in, rows[i]) + index;

		values[i] = in->values[at];
		nulls[i] = in->nulls[at];
		if (column->as_text && !nulls[i])
			values[i] = CStringGetTextDatum(OutputFunctionCall(&column->output, values[i]));
	}
	get_typlenbyvalalign(column->travel, &len, &byval, &align);
	array = construct_md_array(values, nulls, 1, &nrows, &lower,
							   column->travel, len, byval, align);
	pfree(values);
	pfree(nulls);
	return PointerGetDatum(array);
}

/* Columns and parameters of a statement; in the page's context. */
static Datum *
column_arrays(Incoming *in, UpsertColumn **columns, int ncolumns,
			  const int *rows, int nrows)
{
	MemoryContext caller = MemoryContextSwitchTo(in->page->context);
	Datum	   *result = palloc(sizeof(Datum) * ncolumns);

	for (int i = 0; i < ncolumns; i++)
		result[i] = column_array(in, columns[i], rows, nrows);
	MemoryContextSwitchTo(caller);
	return result;
}

/* Fetch the stored rows of the keys into SPI_tuptable. */
void
upsert_run_probe(Incoming *in, const int *rows, int nrows)
{
	UpsertShape *shape = in->shape;
	UpsertColumn **columns = palloc(sizeof(UpsertColumn *) * shape->nkeys);
	int			level = NewGUCNestLevel();
	int			result;

	for (int k = 0; k < shape->nkeys; k++)
		columns[k] = &shape->columns[shape->keys[k].column];
	if (shape->probe == NULL)
		shape->probe = prepare(shape->probe_sql, columns, shape->nkeys);
	upsert_plan_probe(shape);

	/* The user may have asked for custom plans, which would not be ours. */
	upsert_set_locally("plan_cache_mode", "auto");
	result = SPI_execute_plan(shape->probe,
							  column_arrays(in, columns, shape->nkeys, rows, nrows),
							  NULL, false, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "probe failed: %s", SPI_result_code_string(result));
	AtEOXact_GUC(true, level);
}

/* Write the rows; how many were inserted or updated? */
uint64
upsert_run_write(Incoming *in, const int *rows, int nrows)
{
	UpsertShape *shape = in->shape;
	UpsertColumn **columns = palloc(sizeof(UpsertColumn *) * shape->ncolumns);
	int			result;

	for (int i = 0; i < shape->ncolumns; i++)
		columns[i] = &shape->columns[i];
	if (shape->write == NULL)
		shape->write = prepare(shape->write_sql, columns, shape->ncolumns);
	result = SPI_execute_plan(shape->write,
							  column_arrays(in, columns, shape->ncolumns, rows, nrows),
							  NULL, false, 0);
	if (result != SPI_OK_INSERT)
		elog(ERROR, "upsert failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}
