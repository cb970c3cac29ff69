/*
 * expression.c
 *		SQL expressions over rows.
 */
#include "transform/expression.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "compat.h"
#include "mb/pg_wchar.h"
#include "parser/parser.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "rows/json.h"

static bool
is_name_char(char c)
{
	return isalnum((unsigned char) c) || c == '_' || IS_HIGHBIT_SET(c);
}

/* Past what is quoted: texts of SQL and of templates, and "names". */
static const char *
skip_quoted(const char *at)
{
	char		quote = *at++;

	while (*at && *at != quote)
		at += quote == '"' && at[0] == '\\' && at[1] ? 2 : 1;
	return *at ? at + 1 : at;
}

bool
condition_is_sql(const char *condition)
{
	const char *at = condition;

	while (*at)
	{
		if (strchr("'\"`", *at))
			at = skip_quoted(at);
		else if (is_name_char(*at))
		{
			const char *word = at;

			while (is_name_char(*at))
				at++;
			if (at - word == 4 && pg_strncasecmp(word, "item", 4) == 0 &&
				(word == condition || (word[-1] != '.' && word[-1] != '$')))
				return true;
		}
		else
			at++;
	}
	return false;
}

static void
free_plan(void *arg)
{
	SPI_freeplan(arg);
}

SPIPlanPtr
expression_prepare(const char *sql, int n, const Oid *types)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContextCallback *callback;
	SPIPlanPtr	plan;

	if (list_length(parse_statements(sql)) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("an SQL expression must not hold several statements")));
	plan = SPI_prepare(sql, n, unconstify(Oid *, types));
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));

	/* SPI has left us in its own context. */
	MemoryContextSwitchTo(caller);
	callback = palloc0(sizeof(MemoryContextCallback));
	callback->func = free_plan;
	callback->arg = plan;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return plan;
}

Datum
rows_jsonb_array(const RowBatch *batch, int from, int nrows)
{
	Datum	   *items = palloc(sizeof(Datum) * Max(nrows, 1));

	for (int i = 0; i < nrows; i++)
		items[i] = row_jsonb(batch->fields, &batch->rows[from + i]);
	return PointerGetDatum(construct_array(items, nrows, JSONBOID, -1, false, TYPALIGN_INT));
}

Value
jsonb_to_value(Datum jsonb)
{
	Jsonb	   *document = DatumGetJsonbP(jsonb);
	char	   *text = JsonbToCString(NULL, &document->root, VARSIZE(document));
	Value		value;

	text = pg_server_to_any(text, strlen(text), PG_UTF8);
	if (!json_document(text, strlen(text), &value))
		elog(ERROR, "jsonb is not JSON");
	return value;
}

void
row_set_document(Row *row, Datum jsonb, const Row *origin)
{
	Value		value = jsonb_to_value(jsonb);
	StringInfoData out;

	if (value.kind != VALUE_JSON || *value.data != '{')
	{
		initStringInfo(&out);
		appendStringInfoString(&out, "{\"value\": ");
		value_append_json(&out, &value);
		appendStringInfoChar(&out, '}');
		value = value_make(VALUE_JSON, out.data, out.len);
	}
	row->item = value;
	if (origin)
		row->source = row_origin(origin);
}
