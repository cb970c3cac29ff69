/*
 * census_sql.c
 *		The comparison of a census with its target.
 *
 * SQL sees the keys as the relation resolute_census: an anti-join, which PostgreSQL
 * plans, and spills, as any other.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "resolute.h"
#include "target/census_internal.h"
#include "utils/builtins.h"
#include "utils/queryenvironment.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

/* Connect to SPI, with the keys as a relation. */
static void
open_census(Census *census)
{
	EphemeralNamedRelation enr = palloc0(sizeof(EphemeralNamedRelationData));
	List	   *name = textToQualifiedNameList(cstring_to_text(census->spec.target));
	Oid			relation = RangeVarGetRelid(makeRangeVarFromNameList(name), RowExclusiveLock, true);

	if (relation != census->relation)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("target table \"%s\" of step \"%s\" is another one by now",
						census->spec.target, census->spec.step),
				 errdetail("The census was made for the table that had this name before."),
				 errhint("Begin again.")));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	enr->md.name = CENSUS_NAME;
	enr->md.reliddesc = InvalidOid;
	enr->md.tupdesc = census->desc;
	enr->md.enrtype = ENR_NAMED_TUPLESTORE;
	enr->md.enrtuples = (double) census->count;
	enr->reldata = census->store;
	if (SPI_register_relation(enr) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register the keys of a census");
}

/* Run a statement whose only parameter, if it has one, is the time of the census. */
static void
run(const Census *census, const char *sql, int expected)
{
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(census->spec.before)};
	int			result = SPI_execute_with_args(sql, 1, types, values, NULL, false, 0);

	if (result != expected)
		elog(ERROR, "SPI failed on a census: %s", SPI_result_code_string(result));
}

/* " FROM table AS t WHERE ..." of the rows that are not marked. */
static char *
stored_rows(const Census *census)
{
	return psprintf(" FROM %s AS t WHERE $1 IS NOT NULL%s", census->name,
					census->soft ? " AND t." CENSUS_SOFT_COLUMN " IS NULL" : "");
}

/* " AND ..." of those that the source does not have. */
static char *
vanished_only(const Census *census)
{
	char	   *old = "";

	if (census->dated)
	{
		const char *version = quote_identifier(census->spec.version);

		old = psprintf(" AND (t.%s IS NULL OR t.%s OPERATOR(pg_catalog.<) $1)", version, version);
	}
	return psprintf("%s AND NOT EXISTS (SELECT FROM " CENSUS_NAME " AS c WHERE %s)",
					old, census->match);
}

/* The number that a query yields. */
static int64
count_rows(const Census *census, const char *from)
{
	run(census, psprintf("SELECT pg_catalog.count(*)%s", from), SPI_OK_SELECT);
	return result_int64(0, 1);
}

void
census_compare(Census *census, CensusResult *result)
{
	char	   *stored = stored_rows(census);
	char	   *vanished = psprintf("%s%s", stored, vanished_only(census));

	open_census(census);
	result->stored = count_rows(census, stored);
	result->vanished = count_rows(census, vanished);
	SPI_finish();
}

List *
census_vanished(Census *census, const char *column, bool prefix, int limit)
{
	MemoryContext caller = CurrentMemoryContext;
	char	   *value = psprintf("t.%s::pg_catalog.text", quote_identifier(column));
	char	   *from = psprintf("%s%s", stored_rows(census), vanished_only(census));
	List	   *result = NIL;

	if (prefix)
		value = psprintf("pg_catalog.regexp_replace(%s, '-[^-]*$', '')", value);
	open_census(census);
	run(census, psprintf("SELECT DISTINCT %s%s AND t.%s IS NOT NULL LIMIT %d",
						 value, from, quote_identifier(column), limit), SPI_OK_SELECT);
	MemoryContextSwitchTo(caller);
	for (uint64 i = 0; i < SPI_processed; i++)
		result = lappend(result, result_text(i, 1));
	SPI_finish();
	return result;
}

int64
census_remove(Census *census, int64 *restored)
{
	char	   *vanished = vanished_only(census);
	int64		removed;

	*restored = 0;
	open_census(census);
	if (census->soft)
	{
		run(census, psprintf("UPDATE %s AS t SET " CENSUS_SOFT_COLUMN " = pg_catalog.now() "
							 "WHERE $1 IS NOT NULL AND t." CENSUS_SOFT_COLUMN " IS NULL%s",
							 census->name, vanished), SPI_OK_UPDATE);
		removed = (int64) SPI_processed;
		run(census, psprintf("UPDATE %s AS t SET " CENSUS_SOFT_COLUMN " = NULL "
							 "WHERE $1 IS NOT NULL AND t." CENSUS_SOFT_COLUMN " IS NOT NULL "
							 "AND EXISTS (SELECT FROM " CENSUS_NAME " AS c WHERE %s)",
							 census->name, census->match), SPI_OK_UPDATE);
		*restored = (int64) SPI_processed;
	}
	else
	{
		run(census, psprintf("DELETE FROM %s AS t WHERE $1 IS NOT NULL%s", census->name, vanished),
			SPI_OK_DELETE);
		removed = (int64) SPI_processed;
	}
	SPI_finish();
	return removed;
}
