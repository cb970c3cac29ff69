/*
 * source_unit.c
 *		Sources as SQL functions: one backend plays the fetch step of a flow.
 */
#include "unit.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "source/jira.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(unit_source_open);
PG_FUNCTION_INFO_V1(unit_source_next);
PG_FUNCTION_INFO_V1(unit_source_eventual);
PG_FUNCTION_INFO_V1(unit_query_order);
PG_FUNCTION_INFO_V1(unit_adf_text);

/* The source that was opened last, and the context of its last page. */
static MemoryContext source_context = NULL;
static MemoryContext page_context;
static Source *source;

static char *
optional_text(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* (server, query, names, whole, ordered, page_size, max_items, walk) */
Datum
unit_source_open(PG_FUNCTION_ARGS)
{
	SourceSpec	spec = {.provider = "jira"};
	StringInfoData out;
	const char **names;
	int			n;

	if (source_context)
		MemoryContextDelete(source_context);
	source_context = AllocSetContextCreate(TopMemoryContext, "unit source", ALLOCSET_DEFAULT_SIZES);
	page_context = AllocSetContextCreate(source_context, "unit page", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(source_context);

	spec.server = text_to_cstring(PG_GETARG_TEXT_PP(0));
	spec.userid = GetUserId();
	spec.query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	names = cstrings_of(PG_GETARG_ARRAYTYPE_P(2), &n);
	for (int i = 0; i < n; i++)
		spec.references = lappend(spec.references, pstrdup(names[i]));
	spec.whole = PG_GETARG_BOOL(3);
	spec.ordered = PG_GETARG_BOOL(4);
	spec.page_size = PG_GETARG_INT32(5);
	spec.max_items = PG_GETARG_INT64(6);
	spec.walk = optional_text(fcinfo, 7);
	source = source_open(&spec);

	/* the names, the cursor's with a star */
	initStringInfo(&out);
	for (int i = 0; i < source->fields->nfields; i++)
		appendStringInfo(&out, "%s%s%s", i ? "," : "", source->fields->fields[i].name,
						 source->fields->fields[i].flags & FIELD_CURSOR ? "*" : "");
	appendStringInfoString(&out, source->ascending ? " ascending" : "");
	PG_RETURN_TEXT_P(cstring_to_text(out.data));
}

/* The next page: number, rows (an array of values each), walk, expired. */
Datum
unit_source_next(PG_FUNCTION_ARGS)
{
	TupleDesc	tupdesc;
	Datum		values[4] = {0};
	bool		nulls[4] = {false};
	StringInfoData rows;
	SourcePage *page;
	Value		json;
	MemoryContext previous;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "not declared to return a row");
	MemoryContextReset(page_context);
	previous = MemoryContextSwitchTo(page_context);
	page = source->next(source);
	MemoryContextSwitchTo(previous);
	if (!page)
		PG_RETURN_NULL();

	initStringInfo(&rows);
	appendStringInfoChar(&rows, '[');
	for (int r = 0; r < page->batch->nrows; r++)
	{
		appendStringInfoString(&rows, r ? ",[" : "[");
		for (int f = 0; f < source->fields->nfields; f++)
		{
			if (f)
				appendStringInfoChar(&rows, ',');
			value_append_json(&rows, &page->batch->rows[r].values[f]);
		}
		appendStringInfoChar(&rows, ']');
	}
	appendStringInfoChar(&rows, ']');
	json = value_make(VALUE_JSON, rows.data, rows.len);

	values[0] = Int64GetDatum(page->number);
	values[1] = value_jsonb(&json);
	nulls[2] = page->walk == NULL;
	values[2] = nulls[2] ? 0 : CStringGetTextDatum(page->walk);
	values[3] = BoolGetDatum(source->walk_expired);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}

/* Is the server's search behind its data?  NULL: not known yet. */
Datum
unit_source_eventual(PG_FUNCTION_ARGS)
{
	bool		known;
	bool		eventual = source_is_eventual(text_to_cstring(PG_GETARG_TEXT_PP(0)), GetUserId(), &known);

	if (!known)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(eventual);
}

Datum
unit_query_order(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"none", "ascending", "other"};

	PG_RETURN_TEXT_P(cstring_to_text(names[source_query_order("jira", text_to_cstring(PG_GETARG_TEXT_PP(0)))]));
}

Datum
unit_adf_text(PG_FUNCTION_ARGS)
{
	char	   *document = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Value		value;

	if (!json_document(document, strlen(document), &value))
		elog(ERROR, "not a JSON document");
	value = adf_text(&value);
	if (value_is_null(&value))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value_text(&value));
}
