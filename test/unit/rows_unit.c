/*
 * rows_unit.c
 *		Values, rows and the guard of rows, as SQL functions.
 */
#include "unit.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "rows/batch.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(unit_value_text);
PG_FUNCTION_INFO_V1(unit_value_cstring);
PG_FUNCTION_INFO_V1(unit_value_jsonb);
PG_FUNCTION_INFO_V1(unit_value_plain);
PG_FUNCTION_INFO_V1(unit_value_json);
PG_FUNCTION_INFO_V1(unit_value_equal);
PG_FUNCTION_INFO_V1(unit_value_is);
PG_FUNCTION_INFO_V1(unit_value_truth);
PG_FUNCTION_INFO_V1(unit_escaped);
PG_FUNCTION_INFO_V1(unit_member);
PG_FUNCTION_INFO_V1(unit_length);
PG_FUNCTION_INFO_V1(unit_names_agree);
PG_FUNCTION_INFO_V1(unit_items);
PG_FUNCTION_INFO_V1(unit_guard_rows);

/* The document (bytea, in UTF-8) of an argument; no argument is a missing value. */
static Value
value_argument(FunctionCallInfo fcinfo, int n)
{
	Value		value = {0};
	bytea	   *bytes;

	if (PG_ARGISNULL(n))
		return value;
	bytes = PG_GETARG_BYTEA_P(n);
	if (!json_document(VARDATA(bytes), VARSIZE(bytes) - VARHDRSZ, &value))
		elog(ERROR, "not a JSON document");
	return value;
}

Datum
unit_value_text(PG_FUNCTION_ARGS)
{
	Value		value = value_argument(fcinfo, 0);

	if (value_is_null(&value))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value_text(&value));
}

Datum
unit_value_cstring(PG_FUNCTION_ARGS)
{
	Value		value = value_argument(fcinfo, 0);
	char	   *string = value_cstring(&value);

	if (string == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(string));
}

Datum
unit_value_jsonb(PG_FUNCTION_ARGS)
{
	Value		value = value_argument(fcinfo, 0);

	PG_RETURN_DATUM(value_jsonb(&value));
}

/* What value_append_text() writes, as bytes of UTF-8. */
Datum
unit_value_plain(PG_FUNCTION_ARGS)
{
	Value		value = value_argument(fcinfo, 0);
	StringInfoData out;

	initStringInfo(&out);
	value_append_text(&out, &value);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* What value_append_json() writes, as bytes of UTF-8. */
Datum
unit_value_json(PG_FUNCTION_ARGS)
{
	Value		value = value_argument(fcinfo, 0);
	StringInfoData out;

	initStringInfo(&out);
	value_append_json(&out, &value);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

Datum
unit_value_equal(PG_FUNCTION_ARGS)
{
	Value		a = value_argument(fcinfo, 0);
	Value		b = value_argument(fcinfo, 1);

	PG_RETURN_BOOL(value_equal(&a, &b));
}

Datum
unit_value_is(PG_FUNCTION_ARGS)
{
	Value		value = value_argument(fcinfo, 0);

	PG_RETURN_BOOL(value_is(&value, text_to_cstring(PG_GETARG_TEXT_PP(1))));
}

Datum
unit_value_truth(PG_FUNCTION_ARGS)
{
	Value		value = value_argument(fcinfo, 0);

	PG_RETURN_BOOL(value_truth(&value));
}

/* What json_append_escaped() makes of a text. */
Datum
unit_escaped(PG_FUNCTION_ARGS)
{
	text	   *plain = PG_GETARG_TEXT_PP(0);
	StringInfoData out;

	initStringInfo(&out);
	json_append_escaped(&out, VARDATA_ANY(plain), VARSIZE_ANY_EXHDR(plain));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* member(document, name, loose) -> jsonb, NULL if it is missing */
Datum
unit_member(PG_FUNCTION_ARGS)
{
	Value		object = value_argument(fcinfo, 0);
	text	   *name = PG_GETARG_TEXT_PP(1);
	Value		member = json_member(&object, VARDATA_ANY(name),
									 VARSIZE_ANY_EXHDR(name), PG_GETARG_BOOL(2));

	if (member.kind == VALUE_MISSING)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value_jsonb(&member));
}

Datum
unit_length(PG_FUNCTION_ARGS)
{
	Value		value = value_argument(fcinfo, 0);

	PG_RETURN_INT32(json_length(&value));
}

Datum
unit_names_agree(PG_FUNCTION_ARGS)
{
	text	   *a = PG_GETARG_TEXT_PP(0);
	text	   *b = PG_GETARG_TEXT_PP(1);

	PG_RETURN_BOOL(names_agree(VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a),
							   VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b)));
}

/*
 * items(array jsonb, paths text[]) -> jsonb[]: the rows of
 * batch_from_jsonb_array(); with paths, as rows of picked fields instead.
 */
Datum
unit_items(PG_FUNCTION_ARGS)
{
	RowBatch   *batch = batch_from_jsonb_array(PG_GETARG_DATUM(0));
	Value	   *rows = palloc(sizeof(Value) * Max(batch->nrows, 1));
	int			n;
	const char **paths = cstrings_of(PG_GETARG_ARRAYTYPE_P(1), &n);
	JsonPaths  *compiled = json_paths_compile(paths, n);
	FieldSet   *fields = fieldset_create(n);

	for (int i = 0; i < n; i++)
		fields->fields[i].name = paths[i];
	for (int i = 0; i < batch->nrows; i++)
	{
		Row		   *row = &batch->rows[i];
		StringInfoData out;
		char	   *error;

		initStringInfo(&out);
		row->values = palloc(sizeof(Value) * Max(n, 1));
		if (!json_pick(row->item.data, row->item.len, compiled, row->values, &error))
			elog(ERROR, "%s", error);
		row_append_json(&out, n > 0 ? fields : batch->fields, row);
		rows[i] = value_make(VALUE_JSON, out.data, out.len);
		if (!DatumGetBool(DirectFunctionCall2(jsonb_eq, value_jsonb(&rows[i]),
											  row_jsonb(n > 0 ? fields : batch->fields, row))))
			elog(ERROR, "row_jsonb() and row_append_json() disagree");
	}
	PG_RETURN_DATUM(jsonb_array_of(rows, batch->nrows));
}

/* Statements for guard_rows(), and what became of them. */
typedef struct GuardTest
{
	const char **statements;
	StringInfoData report;
	PageContext page;
	MemoryContext context;
} GuardTest;

static void
run_statement(void *arg, int i)
{
	GuardTest  *test = arg;

	if (CurrentMemoryContext != test->context)
		elog(ERROR, "fn was called in another memory context");
	if (SPI_execute(test->statements[i], false, 0) < 0)
		elog(ERROR, "SPI_execute failed");
}

static void
note_failure(void *arg, int i, ErrorData *edata)
{
	GuardTest  *test = arg;
	Row			row = {0};
	RowFailure *failure;

	page_fail_row(&test->page, "step", &row, edata);
	failure = llast(test->page.failures);
	appendStringInfo(&test->report, "%d %s %s; ", i + 1,
					 unpack_sql_state(failure->sqlerrcode), failure->message);
}

/* guard_rows(statements text[]) -> report of those that failed */
Datum
unit_guard_rows(PG_FUNCTION_ARGS)
{
	GuardTest	test = {0};
	int			n;

	test.statements = cstrings_of(PG_GETARG_ARRAYTYPE_P(0), &n);
	initStringInfo(&test.report);
	test.page.context = CurrentMemoryContext;
	SPI_connect();
	test.context = CurrentMemoryContext;
	guard_rows(n, run_statement, note_failure, &test);
	if (CurrentMemoryContext != test.context)
		elog(ERROR, "guard_rows left another memory context");
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text(test.report.data));
}
