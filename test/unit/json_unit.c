/*
 * json_unit.c
 *		The JSON reader, as SQL functions.
 */
#include "unit.h"

#include <time.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(unit_pick);
PG_FUNCTION_INFO_V1(unit_read_page);
PG_FUNCTION_INFO_V1(unit_rebuild);
PG_FUNCTION_INFO_V1(unit_validate);
PG_FUNCTION_INFO_V1(unit_valid_utf8);
PG_FUNCTION_INFO_V1(unit_disagreements);
PG_FUNCTION_INFO_V1(unit_throughput);

/* A fenced copy of a bytea argument. */
static FencedText
fenced_argument(FunctionCallInfo fcinfo, int n)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(n);

	return fence_make(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

static Datum
make_result(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* pick(document bytea, paths text[], scan text) -> (error, picked jsonb[]) */
Datum
unit_pick(PG_FUNCTION_ARGS)
{
	FencedText	document = fenced_argument(fcinfo, 0);
	int			n;
	const char **paths = cstrings_of(PG_GETARG_ARRAYTYPE_P(1), &n);
	Value	   *picked = palloc(sizeof(Value) * Max(n, 1));
	char	   *error = NULL;
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};

	use_scan(PG_GETARG_TEXT_PP(2));
	if (json_pick(document.data, document.len, json_paths_compile(paths, n), picked, &error))
	{
		values[1] = jsonb_array_of(picked, n);
		nulls[1] = false;
	}
	else
	{
		values[0] = CStringGetTextDatum(error);
		nulls[0] = false;
	}
	fence_free(&document);
	PG_RETURN_DATUM(make_result(fcinfo, values, nulls));
}

/*
 * read_page(document, items_path, envelope_paths, item_paths, scan)
 *		-> (error, has_items, envelope, items, fields)
 */
Datum
unit_read_page(PG_FUNCTION_ARGS)
{
	FencedText	document = fenced_argument(fcinfo, 0);
	JsonShape	shape = {0};
	JsonPage	page;
	char	   *error = NULL;
	const char **paths;
	Datum		values[5] = {0};
	bool		nulls[5] = {true, true, true, true, true};

	use_scan(PG_GETARG_TEXT_PP(4));
	shape.items_path = text_to_cstring(PG_GETARG_TEXT_PP(1));
	paths = cstrings_of(PG_GETARG_ARRAYTYPE_P(2), &shape.nenvelope);
	shape.envelope = json_paths_compile(paths, shape.nenvelope);
	paths = cstrings_of(PG_GETARG_ARRAYTYPE_P(3), &shape.nitem);
	shape.item = json_paths_compile(paths, shape.nitem);

	if (json_read_page(document.data, document.len, &shape, &page, &error))
	{
		values[1] = BoolGetDatum(page.has_items);
		values[2] = jsonb_array_of(page.envelope, shape.nenvelope);
		values[3] = jsonb_array_of(page.items, page.nitems);
		values[4] = jsonb_array_of(page.fields, page.nitems * shape.nitem);
		memset(nulls + 1, false, sizeof(bool) * 4);
	}
	else
	{
		values[0] = CStringGetTextDatum(error);
		nulls[0] = false;
	}
	fence_free(&document);
	PG_RETURN_DATUM(make_result(fcinfo, values, nulls));
}

/* Write a value anew by iteration only; false if it is broken. */
static bool
rebuild(StringInfo out, const Value *value)
{
	JsonIter	iter = json_iter(value);
	Value		key;
	Value		element;
	int			n = 0;

	check_stack_depth();
	if (value->kind != VALUE_JSON)
	{
		value_append_json(out, value);
		return true;
	}
	appendStringInfoChar(out, iter.is_object ? '{' : '[');
	while (json_next(&iter, &key, &element))
	{
		if (n++ > 0)
			appendStringInfoChar(out, ',');
		if (iter.is_object)
		{
			value_append_json(out, &key);
			appendStringInfoChar(out, ':');
		}
		if (!rebuild(out, &element))
			return false;
	}
	appendStringInfoChar(out, value->data[0] == '{' ? '}' : ']');
	return !iter.broken && n == json_length(value);
}

/* rebuild(document bytea, scan text) -> text, NULL if it is broken */
Datum
unit_rebuild(PG_FUNCTION_ARGS)
{
	FencedText	document = fenced_argument(fcinfo, 0);
	StringInfoData out;
	Value		value;
	bool		ok;

	use_scan(PG_GETARG_TEXT_PP(1));
	initStringInfo(&out);
	ok = json_document(document.data, document.len, &value) && rebuild(&out, &value);
	fence_free(&document);
	if (!ok)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* validate(document bytea, scan text) -> offset of what is wrong, or NULL */
Datum
unit_validate(PG_FUNCTION_ARGS)
{
	FencedText	document = fenced_argument(fcinfo, 0);
	Size		offset = 0;
	bool		ok;

	use_scan(PG_GETARG_TEXT_PP(1));
	ok = json_check(document.data, document.len, &offset);
	fence_free(&document);
	if (ok)
		PG_RETURN_NULL();
	PG_RETURN_INT64((int64) offset);
}

/* valid_utf8(bytea) -> bytea */
Datum
unit_valid_utf8(PG_FUNCTION_ARGS)
{
	FencedText	document = fenced_argument(fcinfo, 0);
	Size		len = document.len;
	const char *valid = json_valid_utf8(document.data, &len);
	bytea	   *result = (bytea *) cstring_to_text_with_len(valid, len);

	if (valid == document.data && len != document.len)
		elog(ERROR, "valid bytes changed their length");
	fence_free(&document);
	PG_RETURN_BYTEA_P(result);
}

/* What one way of scanning makes of a document, as text to compare. */
static char *
outcome(const char *data, Size len, const JsonPaths *paths, int n, JsonScanMode mode)
{
	StringInfoData out;
	Value	   *picked = palloc(sizeof(Value) * n);
	Value		value;
	Size		offset = 0;
	char	   *error = NULL;

	resolute_json_scan = mode;
	initStringInfo(&out);
	if (json_pick(data, len, paths, picked, &error))
	{
		appendStringInfoString(&out, "accepted ");
		for (int i = 0; i < n; i++)
			appendStringInfo(&out, "%d:%zu:%u:%d ", picked[i].kind,
							 picked[i].data ? (Size) (picked[i].data - data) : 0,
							 picked[i].len, picked[i].flags);
	}
	else
		appendStringInfoString(&out, error);
	appendStringInfo(&out, " valid=%d", json_check(data, len, &offset));
	appendStringInfo(&out, " offset=%zu ", offset);
	if (!json_document(data, len, &value) || !rebuild(&out, &value))
		appendStringInfoString(&out, " broken");
	return out.data;
}

/* A small generator, the same everywhere (Marsaglia's xorshift64*). */
static uint64
next_random(uint64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64CONST(0x2545F4914F6CDD1D);
}

/*
 * disagreements(document bytea, paths text[], seed int, flips int) -> int
 *
 * How often do both ways of scanning disagree on the document cut off at every
 * byte (flips = 0), or on that many copies with up to three bytes changed?
 */
Datum
unit_disagreements(PG_FUNCTION_ARGS)
{
	/* Bytes that mean something are more likely to break something. */
	static const char hostile[] = "\"\\{}[],:\n\x01 0aeu-.";
	bytea	   *document = PG_GETARG_BYTEA_PP(0);
	Size		len = VARSIZE_ANY_EXHDR(document);
	int			n;
	const char **names = cstrings_of(PG_GETARG_ARRAYTYPE_P(1), &n);
	JsonPaths  *paths = json_paths_compile(names, n);
	uint64		state = UINT64CONST(88172645463325252) + PG_GETARG_INT32(2);
	int			flips = PG_GETARG_INT32(3);
	int			rounds = flips > 0 ? flips : (int) len;
	int			disagreements = 0;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "unit",
												  ALLOCSET_DEFAULT_SIZES);

	for (int round = 0; round < rounds; round++)
	{
		MemoryContext previous = MemoryContextSwitchTo(context);
		FencedText	text = fence_make(VARDATA_ANY(document), flips > 0 ? len : (Size) round);
		int			changes = flips > 0 ? 1 + next_random(&state) % 3 : 0;
		char	   *fast;
		char	   *portable;

		CHECK_FOR_INTERRUPTS();
		while (changes-- > 0)
			unconstify(char *, text.data)[next_random(&state) % len] =
				hostile[next_random(&state) % (sizeof(hostile) - 1)];
		fast = outcome(text.data, text.len, paths, n, JSON_SCAN_AUTO);
		portable = outcome(text.data, text.len, paths, n, JSON_SCAN_SCALAR);
		if (strcmp(fast, portable) != 0)
			disagreements++;
		/* A document that was cut off must never pass for a whole one. */
		if (flips == 0 && (strstr(fast, "valid=1") != NULL || strstr(fast, "accepted") != NULL))
			disagreements++;
		fence_free(&text);
		MemoryContextSwitchTo(previous);
		MemoryContextReset(context);
	}
	PG_RETURN_INT32(disagreements);
}

/* CPU that the backend has used: others on the machine do not matter. */
static double
cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/*
 * throughput(document bytea, items_path text, paths text[], rounds int, scan text)
 *		-> bytes per CPU second of json_read_page
 */
Datum
unit_throughput(PG_FUNCTION_ARGS)
{
	bytea	   *document = PG_GETARG_BYTEA_PP(0);
	JsonShape	shape = {0};
	const char **paths = cstrings_of(PG_GETARG_ARRAYTYPE_P(2), &shape.nitem);
	int			rounds = PG_GETARG_INT32(3);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "unit",
												  ALLOCSET_DEFAULT_SIZES);
	double		start = cpu_seconds();

	use_scan(PG_GETARG_TEXT_PP(4));
	shape.items_path = text_to_cstring(PG_GETARG_TEXT_PP(1));
	shape.item = json_paths_compile(paths, shape.nitem);
	for (int round = 0; round < rounds; round++)
	{
		MemoryContext previous = MemoryContextSwitchTo(context);
		JsonPage	page;
		char	   *error;

		if (!json_read_page(VARDATA_ANY(document), VARSIZE_ANY_EXHDR(document),
							&shape, &page, &error))
			elog(ERROR, "%s", error);
		MemoryContextSwitchTo(previous);
		MemoryContextReset(context);
	}
	PG_RETURN_FLOAT8((double) VARSIZE_ANY_EXHDR(document) * rounds / (cpu_seconds() - start));
}
