/*
 * catalog.c
 *		Statements on resolute's own tables, through SPI, and the columns of what
 *		SPI found.
 */
#include "resolute.h"

#include "common/hashfn.h"
#include "utils/datum.h"
#include "utils/memutils.h"

/* A statement and its plan, both kept for the session. */
typedef struct KeptPlan
{
	const char *sql;
	SPIPlanPtr	plan;
	char		status;			/* of simplehash */
} KeptPlan;

#define SH_PREFIX plans
#define SH_ELEMENT_TYPE KeptPlan
#define SH_KEY_TYPE const char *
#define SH_KEY sql
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(table, a, b) (strcmp(a, b) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static plans_hash *kept_plans = NULL;

/*
 * The plan of a statement, made once per session.  It is generic from the first time on:
 * parameters change nothing in statements that go through an index anyway.
 */
static SPIPlanPtr
kept_plan(const char *sql, int nargs, const Oid *types)
{
	KeptPlan   *kept;
	SPIPlanPtr	plan;
	bool		found;

	if (kept_plans == NULL)
		kept_plans = plans_create(TopMemoryContext, 64, NULL);
	kept = plans_lookup(kept_plans, sql);
	if (kept != NULL)
		return kept->plan;
	plan = SPI_prepare_cursor(sql, nargs, unconstify(Oid *, types), CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "could not prepare a statement on resolute's tables: %s",
			 SPI_result_code_string(SPI_result));
	sql = MemoryContextStrdup(TopMemoryContext, sql);
	kept = plans_insert(kept_plans, sql, &found);
	kept->plan = plan;
	SPI_keepplan(plan);
	return plan;
}

uint64
catalog_execute(const char *sql, int nargs, const Oid *types, Datum *values, const char *nulls)
{
	CatalogScope scope = catalog_enter();
	int			result = SPI_execute_plan(kept_plan(sql, nargs, types), values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "SPI failed on resolute's tables: %s", SPI_result_code_string(result));
	catalog_leave(scope);
	return SPI_processed;
}

Datum
result_datum(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

int32
result_int32(uint64 row, int column)
{
	bool		isnull;

	return DatumGetInt32(result_datum(row, column, &isnull));
}

int64
result_int64(uint64 row, int column)
{
	bool		isnull;
	Datum		value = result_datum(row, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);	/* which may be a pointer */
}

Oid
result_oid(uint64 row, int column)
{
	bool		isnull;

	return DatumGetObjectId(result_datum(row, column, &isnull));
}

bool
result_bool(uint64 row, int column)
{
	bool		isnull;

	return DatumGetBool(result_datum(row, column, &isnull));
}

char *
result_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

char *
result_text_in(uint64 row, int column, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	char	   *text = result_text(row, column);

	MemoryContextSwitchTo(old);
	return text;
}

Datum
result_copy(uint64 row, int column)
{
	bool		isnull;
	Datum		value = result_datum(row, column, &isnull);

	return isnull ? (Datum) 0 : datumCopy(value, false, -1);
}
