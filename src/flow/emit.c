/*
 * emit.c
 *		emit_metrics(): hands what a run has done so far to a function.
 */
#include "flow/run.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/spi.h"
#include "flow/check.h"
#include "mb/pg_wchar.h"
#include "parser/parse_func.h"
#include "resolute.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"

char *
metrics_function(const char *name, bool *returns_void)
{
	List	   *names = qualified_name_list(name);
	Oid			argtypes[] = {JSONBOID};
	Oid			function = LookupFuncName(names, 1, argtypes, true);
	Oid			result;

	if (!OidIsValid(function))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s(jsonb) does not exist", name),
				 errhint("emit_metrics() calls a function that takes one jsonb and returns jsonb or void.")));
	result = get_func_rettype(function);
	*returns_void = result == VOIDOID;
	if ((result != JSONBOID && result != VOIDOID) || get_func_retset(function))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function %s(jsonb) returns neither jsonb nor void", name),
				 errhint("emit_metrics() calls a function that takes one jsonb and returns jsonb or void.")));
	return quote_qualified_identifier(get_namespace_name(get_func_namespace(function)),
									  get_func_name(function));
}

char *
emit_metrics(Run *run, const Step *step)
{
	Oid			types[] = {JSONBOID};
	Datum		values[] = {run_jsonb(run_metrics(run))};
	bool		returns_void;
	char	   *function = metrics_function(step_text(step, "function"), &returns_void);
	char	   *result;

	if (SPI_execute_with_args(psprintf("SELECT %s($1)", function), 1, types, values, NULL,
							  false, 1) != SPI_OK_SELECT)
		elog(ERROR, "call of a function is no query");
	result = result_text(0, 1);
	return result && !returns_void ? pg_server_to_any(result, strlen(result), PG_UTF8) : NULL;
}
