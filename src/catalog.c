/*
 * catalog.c
 *		Statements on resolute's own tables, through SPI.
 */
#include "resolute.h"

/* Keep the plan of a statement, made on first use. */
static SPIPlanPtr
kept_plan(SPIPlanPtr *plan, const char *sql, int nargs, const Oid *types)
{
	if (*plan == NULL)
	{
		SPIPlanPtr	prepared = SPI_prepare(sql, nargs, unconstify(Oid *, types));

		if (prepared == NULL)
			elog(ERROR, "could not prepare a statement on resolute's tables: %s",
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(prepared);
		*plan = prepared;
	}
	return *plan;
}

uint64
catalog_execute_plan(SPIPlanPtr *plan, const char *sql, int nargs, const Oid *types,
					 Datum *values, const char *nulls)
{
	CatalogScope scope = catalog_enter();
	int			result = SPI_execute_plan(kept_plan(plan, sql, nargs, types), values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "SPI failed on resolute's tables: %s", SPI_result_code_string(result));
	catalog_leave(scope);
	return SPI_processed;
}

void
catalog_execute(const char *sql, int nargs, Oid *types, Datum *values,
				const char *nulls)
{
	CatalogScope scope = catalog_enter();
	int			result = SPI_execute_with_args(sql, nargs, types, values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "SPI failed on resolute's tables: %s", SPI_result_code_string(result));
	catalog_leave(scope);
}
