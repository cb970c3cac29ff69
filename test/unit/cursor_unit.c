/*
 * cursor_unit.c
 *		Cursors as SQL functions: one backend plays the run of a flow.
 */
#include "unit.h"

#include "catalog/namespace.h"
#include "cursor/cursor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(unit_cursor_ensure);
PG_FUNCTION_INFO_V1(unit_cursor_lock);
PG_FUNCTION_INFO_V1(unit_cursor_unlock);
PG_FUNCTION_INFO_V1(unit_cursor_open);
PG_FUNCTION_INFO_V1(unit_cursor_page);
PG_FUNCTION_INFO_V1(unit_cursor_end);
PG_FUNCTION_INFO_V1(unit_cursor_spec);
PG_FUNCTION_INFO_V1(unit_cursor_bound);
PG_FUNCTION_INFO_V1(unit_cursor_query);

/* The cursor that was opened last, and what it is moved by. */
static MemoryContext run_context = NULL;
static Cursor *run_cursor = NULL;
static CursorBinding run_binding;

/* The books belong to the superuser who runs the tests. */
Oid
resolute_relation(const char *name)
{
	return get_relname_relid(name, get_namespace_oid(RESOLUTE_SCHEMA, false));
}

CatalogScope
catalog_enter(void)
{
	CatalogScope scope = {0};

	return scope;
}

void
catalog_leave(CatalogScope scope)
{
	(void) scope;
}

static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static void
need_open_cursor(void)
{
	if (run_cursor == NULL)
		elog(ERROR, "no cursor is open");
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* cursor_ensure(owner, name) */
Datum
unit_cursor_ensure(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(cursor_ensure(PG_GETARG_OID(0), text_argument(fcinfo, 1)));
}

/* cursor_lock(id, session) */
Datum
unit_cursor_lock(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(cursor_lock(PG_GETARG_INT64(0), PG_GETARG_BOOL(1)));
}

Datum
unit_cursor_unlock(PG_FUNCTION_ARGS)
{
	cursor_unlock(PG_GETARG_INT64(0));
	PG_RETURN_VOID();
}

/* cursor_open(id, spec, server, query, target, eventual, target_empty) */
Datum
unit_cursor_open(PG_FUNCTION_ARGS)
{
	TupleDesc	tupdesc;
	Datum		values[5];
	bool		nulls[5] = {false};
	MemoryContext caller;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "not a row");
	run_cursor = NULL;
	if (run_context)
		MemoryContextDelete(run_context);
	run_context = AllocSetContextCreate(TopMemoryContext, "unit run", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(run_context);
	run_binding.server = text_argument(fcinfo, 2);
	run_binding.query = text_argument(fcinfo, 3);
	run_binding.target = text_argument(fcinfo, 4);
	run_binding.filled = !PG_GETARG_BOOL(6);
	run_cursor = cursor_open(PG_GETARG_INT64(0), cursor_spec_from_json(PG_GETARG_DATUM(1)),
							 &run_binding, PG_GETARG_BOOL(5), PG_GETARG_BOOL(6), NULL);
	MemoryContextSwitchTo(caller);
	values[0] = TimestampTzGetDatum(run_cursor->bound);
	values[1] = BoolGetDatum(run_cursor->resumed);
	values[2] = BoolGetDatum(run_cursor->sweeping);
	values[3] = text_or_null(run_cursor->walk, &nulls[3]);
	values[4] = TimestampTzGetDatum(run_cursor->position);
	nulls[4] = !run_cursor->has_position;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}

/* cursor_page(position, walk, run): stage a move */
Datum
unit_cursor_page(PG_FUNCTION_ARGS)
{
	need_open_cursor();
	cursor_checkpoint(run_cursor, !PG_ARGISNULL(0), PG_ARGISNULL(0) ? 0 : PG_GETARG_TIMESTAMPTZ(0),
					  text_argument(fcinfo, 1), &run_binding, PG_GETARG_INT64(2));
	PG_RETURN_VOID();
}

/* cursor_end(keep): the position after it was kept or dropped */
Datum
unit_cursor_end(PG_FUNCTION_ARGS)
{
	need_open_cursor();
	if (PG_GETARG_BOOL(0))
		cursor_keep(run_cursor);
	else
		cursor_drop(run_cursor);
	if (!run_cursor->has_position)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(run_cursor->position);
}

/* cursor_spec(json) */
Datum
unit_cursor_spec(PG_FUNCTION_ARGS)
{
	TupleDesc	tupdesc;
	CursorSpec *spec = cursor_spec_from_json(PG_GETARG_DATUM(0));
	Datum		values[5];
	bool		nulls[5] = {false};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "not a row");
	values[0] = text_or_null(spec->name, &nulls[0]);
	values[1] = text_or_null(spec->format, &nulls[1]);
	values[2] = Int64GetDatum(spec->overlap_us);
	values[3] = Int64GetDatum(spec->sweep_us);
	values[4] = TimestampTzGetDatum(spec->initial);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}

/* cursor_bound(format, bound, zone) */
Datum
unit_cursor_bound(PG_FUNCTION_ARGS)
{
	CursorSpec	spec = {.name = "c", .format = text_argument(fcinfo, 0)};

	PG_RETURN_TEXT_P(cstring_to_text(cursor_format_bound(&spec, PG_GETARG_TIMESTAMPTZ(1),
														 text_argument(fcinfo, 2))));
}

/* cursor_query(query, text): "placeholders quoted query" */
Datum
unit_cursor_query(PG_FUNCTION_ARGS)
{
	char	   *query = text_argument(fcinfo, 0);
	bool		quoted;
	int			n = cursor_placeholders(query, &quoted);

	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%d %s %s", n, quoted ? "quoted" : "bare",
											  cursor_substitute(query, text_argument(fcinfo, 1)))));
}
