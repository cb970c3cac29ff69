/*
 * template_own.c
 *		Functions that Go lacks, with the argument orders of the sprig library:
 *		the subject comes last, so that it can come through a pipe.
 *
 *		json v					v as JSON
 *		now						start of the run's page, as text
 *		default d v				v, or d if v is empty (null, "", 0, false, [], {})
 *		coalesce a b ...		the first that is not empty
 *		lower v, upper v		as in SQL
 *		trim v					without white space around it
 *		replace old new v		every old replaced
 *		split separator v		array of the parts
 *		join separator array	text of the elements; nulls are left out
 *		date layout v			a time by a layout of Go, in the session's zone
 *		add a b ..., mul a b ...	sum, product
 *		sub a b, div a b		a - b, a / b (of whole numbers: the whole part)
 *		int v, float v			number; int cuts the fraction off
 *
 * Apart from default and coalesce, what is made of null is null.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "common/int.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/timestamp.h"

#include "rows/layout.h"
#include "transform/template_functions.h"
#include "transform/template_rune.h"

bool
tmpl_any_nil(const TmplValue *args, int nargs)
{
	for (int i = 0; i < nargs; i++)
		if (tmpl_is_nil(&args[i]))
			return true;
	return false;
}

/* A scalar as text. */
Value
tmpl_scalar_text(Exec *exec, TmplValue *value)
{
	Value		text;

	if (value->kind == KIND_STRING)
		return tmpl_text(value);
	text = tmpl_to_value(exec, value);
	if (text.kind == VALUE_JSON)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "expected text, got a value of type %s",
				   tmpl_type_name(value));
	return text;
}

/* ------------------------------------------------------------------------
 * Any values
 * ------------------------------------------------------------------------
 */

TmplValue
function_json(FUNCTION_ARGS)
{
	StringInfoData out;
	TmplValue	result;

	initStringInfo(&out);
	tmpl_append_json(exec, &out, &args[0]);
	result = tmpl_string(out.data, out.len);
	result.is_json = true;
	return result;
}

TmplValue
function_now(FUNCTION_ARGS)
{
	Template   *tmpl = exec->tmpl;

	if (tmpl->now_len == 0 || tmpl->now != exec->now)
	{
		StringInfoData out;

		initStringInfo(&out);
		go_layout_format(&out, "2006-01-02T15:04:05.000000Z07:00", exec->now, session_timezone);
		tmpl->now = exec->now;
		tmpl->now_len = Min(out.len, MAXDATELEN);
		memcpy(tmpl->now_text, out.data, tmpl->now_len);
		pfree(out.data);
	}

	/* a copy, since the next page has another now */
	return tmpl_string(pnstrdup(tmpl->now_text, tmpl->now_len), tmpl->now_len);
}

TmplValue
function_default(FUNCTION_ARGS)
{
	return tmpl_truth(exec, &args[1]) ? args[1] : args[0];
}

TmplValue
function_coalesce(FUNCTION_ARGS)
{
	for (int i = 0; i < nargs; i++)
		if (tmpl_truth(exec, &args[i]))
			return args[i];
	return tmpl_nothing();
}

/* ------------------------------------------------------------------------
 * Text
 * ------------------------------------------------------------------------
 */

/* Change case by the rules of the database's default collation. */
static TmplValue
change_case(Exec *exec, TmplValue *value,
			char *(*change) (const char *text, size_t len, Oid collation))
{
	Value		text;
	char	   *result;

	if (tmpl_is_nil(value))
		return tmpl_nothing();
	text = tmpl_scalar_text(exec, value);
	result = value_cstring(&text);
	result = change(result, strlen(result), DEFAULT_COLLATION_OID);
	result = pg_server_to_any(result, strlen(result), PG_UTF8);
	return tmpl_string(result, strlen(result));
}

TmplValue
function_lower(FUNCTION_ARGS)
{
	return change_case(exec, &args[0], str_tolower);
}

TmplValue
function_upper(FUNCTION_ARGS)
{
	return change_case(exec, &args[0], str_toupper);
}

/* White space, as Go's unicode.IsSpace has it. */
static bool
is_white(uint32 rune)
{
	return (rune >= 0x09 && rune <= 0x0d) || rune == ' ' || rune == 0x85 || rune == 0xa0 ||
		rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 ||
		rune == 0x2029 || rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

TmplValue
function_trim(FUNCTION_ARGS)
{
	Value		text;
	const char *first = NULL;
	const char *last = NULL;
	int			size;

	if (tmpl_is_nil(&args[0]))
		return tmpl_nothing();
	text = tmpl_scalar_text(exec, &args[0]);
	for (const char *at = text.data; at < text.data + text.len; at += size)
	{
		if (is_white(rune_decode(at, text.data + text.len, &size)))
			continue;
		first = first ? first : at;
		last = at + size;
	}
	return first ? tmpl_string(first, last - first) : tmpl_string("", 0);
}

/* Where needle (not empty) begins in the text, or NULL. */
static const char *
find_text(const char *at, const char *end, Value needle)
{
	for (; end - at >= needle.len; at++)
	{
		at = memchr(at, needle.data[0], end - at - needle.len + 1);
		if (!at)
			break;
		if (memcmp(at, needle.data, needle.len) == 0)
			return at;
	}
	return NULL;
}

TmplValue
function_replace(FUNCTION_ARGS)
{
	StringInfoData out;
	Value		old;
	Value		new;
	Value		text;
	const char *at;
	const char *found;

	if (tmpl_any_nil(args, nargs))
		return tmpl_nothing();
	old = tmpl_scalar_text(exec, &args[0]);
	new = tmpl_scalar_text(exec, &args[1]);
	text = tmpl_scalar_text(exec, &args[2]);
	if (old.len == 0)
		return tmpl_string(text.data, text.len);
	initStringInfo(&out);
	at = text.data;
	while ((found = find_text(at, text.data + text.len, old)) != NULL)
	{
		appendBinaryStringInfo(&out, at, found - at);
		appendBinaryStringInfo(&out, new.data, new.len);
		at = found + old.len;
	}
	appendBinaryStringInfo(&out, at, text.data + text.len - at);
	return tmpl_string(out.data, out.len);
}

/* Without a separator: the characters. */
TmplValue
function_split(FUNCTION_ARGS)
{
	Value		separator;
	Value		text;
	const char *end;
	TmplValue  *parts;
	int			room = 8;
	int			n = 0;

	if (tmpl_any_nil(args, nargs))
		return tmpl_nothing();
	separator = tmpl_scalar_text(exec, &args[0]);
	text = tmpl_scalar_text(exec, &args[1]);
	end = text.data + text.len;
	parts = palloc(room * sizeof(TmplValue));
	for (const char *at = text.data;;)
	{
		const char *until;
		int			size;

		if (separator.len > 0)
			until = find_text(at, end, separator);
		else if (at >= end)
			break;
		else
		{
			rune_decode(at, end, &size);
			until = at + size;
		}
		if (n == room)
		{
			room *= 2;
			parts = repalloc_huge(parts, room * sizeof(TmplValue));
		}
		parts[n++] = tmpl_string(at, (until ? until : end) - at);
		if (!until)
			break;
		at = until + separator.len;
	}
	return tmpl_array(parts, n);
}

TmplValue
function_join(FUNCTION_ARGS)
{
	StringInfoData out;
	Value		separator;
	TmplValue  *items;
	bool		first = true;

	if (tmpl_any_nil(args, nargs))
		return tmpl_nothing();
	separator = tmpl_scalar_text(exec, &args[0]);
	if (args[1].kind != KIND_ARRAY)
	{
		Value		text = tmpl_scalar_text(exec, &args[1]);

		return tmpl_string(text.data, text.len);
	}
	initStringInfo(&out);
	items = tmpl_elements(&args[1]);
	for (int i = 0; i < args[1].u.array.length; i++)
	{
		Value		text;

		if (tmpl_is_nil(&items[i]))
			continue;
		text = tmpl_to_value(exec, &items[i]);
		if (!first)
			appendBinaryStringInfo(&out, separator.data, separator.len);
		value_append_text(&out, &text);
		first = false;
	}
	return tmpl_string(out.data, out.len);
}

/* ------------------------------------------------------------------------
 * Time
 * ------------------------------------------------------------------------
 */

/* Anything timestamptz reads; numbers are milliseconds since 1970. */
static TimestampTz
instant_of(Exec *exec, TmplValue *value)
{
	Value		text = tmpl_scalar_text(exec, value);
	TimestampTz epoch = -(int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	int64		micros = 0;
	bool		fits;

	if (value->kind == KIND_STRING)
		return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
													   CStringGetDatum(value_cstring(&text)),
													   ObjectIdGetDatum(InvalidOid),
													   Int32GetDatum(-1)));
	if (value->kind == KIND_FLOAT)
	{
		fits = fabs(value->u.real) < (double) PG_INT64_MAX / 2000;
		if (fits)
			micros = (int64) (value->u.real * 1000);
	}
	else if (kind_is_integer(value->kind))
		fits = !pg_mul_s64_overflow(value->u.integer, 1000, &micros);
	else
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "expected a time, got a value of type %s",
				   tmpl_type_name(value));
	if (!fits || pg_add_s64_overflow(micros, epoch, &micros) || !IS_VALID_TIMESTAMP(micros))
		exec_error(exec, ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "timestamp is out of range");
	return micros;
}

TmplValue
function_date(FUNCTION_ARGS)
{
	StringInfoData out;
	Value		text;
	char	   *layout;

	if (tmpl_any_nil(args, nargs))
		return tmpl_nothing();
	if (args[1].kind == KIND_STRING && tmpl_text(&args[1]).len == 0)
		return tmpl_nothing();
	text = tmpl_scalar_text(exec, &args[0]);
	layout = pnstrdup(text.data, text.len);

	/* "YYYY-MM-DD" would be every row's value, as it stands. */
	if (go_layout_elements(layout) == 0)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE,
				   "\"%s\" is no layout of Go, such as \"2006-01-02\"", layout);
	initStringInfo(&out);
	go_layout_format(&out, layout, instant_of(exec, &args[1]), session_timezone);
	return tmpl_string(out.data, out.len);
}
