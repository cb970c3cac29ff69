/*
 * jira_sql.c
 *		resolute.jira_issues(): issues as rows of SQL, page by page into a
 *		tuplestore.
 */
#include "source/jira.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "rows/instant.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* More columns than the function has. */
#define MAX_COLUMNS 32

/* Longer than any estimate; what is beyond double precision is none either. */
#define MAX_NUMBER_LENGTH 60

/* One call of the function. */
typedef struct IssueScan
{
	Source	   *source;
	TupleDesc	tupdesc;
	Tuplestorestate *store;
	int			field[MAX_COLUMNS]; /* of each column, or -1 */
	int64		unreadable;		/* values that do not fit their column */
} IssueScan;

PG_FUNCTION_INFO_V1(resolute_jira_issues);

/* Refuse a null where a value is needed. */
static char *
text_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errhint("Call jira_issues('server', 'project = X').")));
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* The elements of the argument "fields", List of char *. */
static List *
field_names(FunctionCallInfo fcinfo, int i)
{
	List	   *names = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	for (int e = 0; e < n; e++)
	{
		if (nulls[e])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("fields must not contain nulls")));
		names = lappend(names, TextDatumGetCString(elements[e]));
	}
	return names;
}

/* Does one of the names mean this column: by its own name, or its API field's? */
static bool
is_wanted(List *names, const char *column, const char *api_field)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		const char *name = lfirst(cell);
		Size		len = strlen(name);

		if (*name == '*' || names_agree(name, len, column, strlen(column)) ||
			(api_field && names_agree(name, len, api_field, strlen(api_field))))
			return true;
	}
	return false;
}

/* Is the name one that a column was chosen for? */
static bool
is_column(const char *name)
{
	List	   *one = list_make1((char *) name);
	const char *api_field;
	const char *column;

	for (int i = 0; (column = jira_column(i, &api_field)) != NULL; i++)
	{
		if (*name != '*' && is_wanted(one, column, api_field))
			return true;
	}
	return false;
}

/*
 * What the source is to pick: the columns that the argument "fields" names (or
 * that come without asking), and what it names besides, for "fields" alone.
 */
static List *
choose_references(List *names, bool all)
{
	List	   *references = NIL;
	const char *api_field;
	const char *column;
	ListCell   *cell;

	for (int i = 0; (column = jira_column(i, &api_field)) != NULL; i++)
	{
		bool		always = api_field == NULL && strcmp(column, "story_points") != 0;

		if (all || always || is_wanted(names, column, api_field))
			references = lappend(references, pstrdup(column));
	}
	foreach(cell, names)
	{
		if (!is_column(lfirst(cell)))
			references = lappend(references, lfirst(cell));
	}
	return references;
}

/* Note that a value could not be read as its column's type. */
static bool
unreadable(IssueScan *scan)
{
	scan->unreadable++;
	return false;
}

/* A number, unless it is one that numeric cannot or should not hold. */
static bool
make_numeric(IssueScan *scan, const Value *value, Datum *datum)
{
	char		text[MAX_NUMBER_LENGTH + 1];
	char	   *end;

	if ((value->kind != VALUE_NUMBER && value->kind != VALUE_STRING) ||
		value->len == 0 || value->len > MAX_NUMBER_LENGTH)
		return unreadable(scan);
	memcpy(text, value->data, value->len);
	text[value->len] = '\0';
	errno = 0;
	(void) strtod(text, &end);
	if (errno == ERANGE || *end != '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
		return unreadable(scan);
	*datum = DirectFunctionCall3(numeric_in, CStringGetDatum(text),
								 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return true;
}

/* An array of text from a JSON array. */
static bool
make_text_array(IssueScan *scan, const Value *value, Datum *datum)
{
	ArrayBuildState *state;
	JsonIter	it;
	Value		key;
	Value		element;

	if (value->kind != VALUE_JSON || *value->data != '[')
		return unreadable(scan);
	state = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	it = json_iter(value);
	while (json_next(&it, &key, &element))
	{
		bool		isnull = value_is_null(&element);

		state = accumArrayResult(state, isnull ? (Datum) 0 : value_text(&element), isnull,
								 TEXTOID, CurrentMemoryContext);
	}
	*datum = makeArrayResult(state, CurrentMemoryContext);
	return true;
}

/* A value as a datum of the column's type; false if it is null. */
static bool
make_datum(IssueScan *scan, Oid type, const Value *value, Datum *datum)
{
	TimestampTz at;

	if (value_is_null(value))
		return false;
	switch (type)
	{
		case TIMESTAMPTZOID:
			if (!instant_from_value(value, &at))
				return unreadable(scan);
			*datum = TimestampTzGetDatum(at);
			return true;
		case NUMERICOID:
			return make_numeric(scan, value, datum);
		case TEXTARRAYOID:
			return make_text_array(scan, value, datum);
		case JSONBOID:
			*datum = value_jsonb(value);
			return true;
		default:
			*datum = value_text(value);
			return true;
	}
}

/* Store the rows of a page. */
static void
store_page(IssueScan *scan, const RowBatch *batch)
{
	Datum		datums[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS];
	int			last = scan->tupdesc->natts - 1;

	for (int r = 0; r < batch->nrows; r++)
	{
		const Row  *row = &batch->rows[r];
		Value		fields = json_member(&row->item, "fields", strlen("fields"), false);

		CHECK_FOR_INTERRUPTS();
		for (int c = 0; c <= last; c++)
		{
			Oid			type = TupleDescAttr(scan->tupdesc, c)->atttypid;
			const Value *value = c == last ? &fields :
				scan->field[c] >= 0 ? &row->values[scan->field[c]] : NULL;

			nulls[c] = !value || !make_datum(scan, type, value, &datums[c]);
		}
		tuplestore_putvalues(scan->store, scan->tupdesc, datums, nulls);
	}
}

/* Read the source to its end, in memory of one page. */
static void
store_all(IssueScan *scan)
{
	MemoryContext page_context = AllocSetContextCreate(CurrentMemoryContext, "jira page",
													   ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(page_context);
	SourcePage	   *page;

	while ((page = scan->source->next(scan->source)) != NULL)
	{
		store_page(scan, page->batch);
		MemoryContextReset(page_context);
	}
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(page_context);

	if (scan->unreadable > 0)
		ereport(WARNING,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg(INT64_FORMAT " values of issues could not be read and are null", scan->unreadable),
				 errdetail("They are not of their column's type, such as a time that is a number."),
				 errhint("Column \"fields\" has them as they were sent.")));
}

/* Give the function's caller an empty result to fill. */
static void
begin_result(FunctionCallInfo fcinfo, IssueScan *scan)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext previous;

	if (!rsinfo || !IsA(rsinfo, ReturnSetInfo) || !(rsinfo->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("jira_issues cannot be used here"),
				 errhint("Use it in FROM: SELECT * FROM resolute.jira_issues(...).")));
	previous = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &scan->tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "jira_issues is not declared to return rows");
	scan->tupdesc = CreateTupleDescCopy(scan->tupdesc);
	scan->store = tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
										false, work_mem);
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setResult = scan->store;
	rsinfo->setDesc = scan->tupdesc;
	MemoryContextSwitchTo(previous);
}

/* resolute.jira_issues(server, jql, fields, page_size, max_items, concurrency) */
Datum
resolute_jira_issues(PG_FUNCTION_ARGS)
{
	IssueScan	scan = {0};
	SourceSpec	spec = {.provider = "jira"};
	bool		all = PG_ARGISNULL(2);
	List	   *names;
	const char *api_field;
	const char *column;

	spec.server = text_argument(fcinfo, 0, "server");
	spec.query = text_argument(fcinfo, 1, "jql");
	spec.userid = GetUserId();
	if (strstr(spec.query, "${cursor}") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("${cursor} has no meaning outside a flow"),
				 errhint("Write a time in its place, as milliseconds since the epoch or as \"2024-01-31 12:00\"; or make a flow with resolute.jira_fetch_issues().")));
	if (!PG_ARGISNULL(3) && PG_GETARG_INT32(3) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page_size %d is out of range", PG_GETARG_INT32(3)),
				 errhint("Jira gives 1 to %d issues a page; the default is %d.",
						 JIRA_MAX_PAGE_SIZE, JIRA_DEFAULT_PAGE_SIZE)));
	if (!PG_ARGISNULL(4) && PG_GETARG_INT64(4) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_items must be at least 1"),
				 errhint("Leave it out to fetch all issues.")));
	if (!PG_ARGISNULL(5) && PG_GETARG_INT32(5) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("concurrency %d is out of range", PG_GETARG_INT32(5)),
				 errhint("It is the number of requests in flight at once, 1 to %d; the default is 1.",
						 SOURCE_MAX_CONCURRENCY)));
	spec.concurrency = PG_ARGISNULL(5) ? 0 : PG_GETARG_INT32(5);
	spec.page_size = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3);
	spec.max_items = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT64(4);

	begin_result(fcinfo, &scan);
	names = all ? NIL : field_names(fcinfo, 2);
	spec.references = choose_references(names, all);
	scan.source = source_open(&spec);
	for (int i = 0; (column = jira_column(i, &api_field)) != NULL; i++)
		scan.field[i] = fieldset_find(scan.source->fields, column);
	store_all(&scan);
	PG_RETURN_NULL();
}
