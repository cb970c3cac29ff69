/*
 * template_print.c
 *		Values as fmt.Sprint prints them, by the rules of Go's fmt/print.go.
 *
 * What Go does with a wrong verb or argument ("%!d(string=x)") is output, not
 * an error, and done likewise.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "mb/pg_wchar.h"

#include "transform/template_functions.h"
#include "transform/template_print.h"
#include "transform/template_rune.h"

static void format_nested(Format *format, TmplValue value, uint32 verb, int depth);

/* ------------------------------------------------------------------------
 * Text
 * ------------------------------------------------------------------------
 */

static void
append_repeated(StringInfo out, char c, int count)
{
	if (count <= 0)
		return;
	enlargeStringInfo(out, count);
	memset(out->data + out->len, c, count);
	out->len += count;
	out->data[out->len] = '\0';
}

/* Append text, padded to the width. */
void
format_pad(Format *format, const char *text, int len)
{
	int			missing = format->has_width ? format->width - count_runes(text, len) : 0;
	char		filler = format->zero && !format->minus ? '0' : ' ';

	if (!format->minus)
		append_repeated(format->out, filler, missing);
	appendBinaryStringInfo(format->out, text, len);
	if (format->minus)
		append_repeated(format->out, filler, missing);
}

/* Cut the text to the precision, which counts characters. */
int
format_truncated(const Format *format, const char *text, int len)
{
	const char *at = text;
	const char *end = text + len;
	int			size;

	if (!format->has_precision)
		return len;
	for (int n = 0; n < format->precision && at < end; n++, at += size)
		rune_decode(at, end, &size);
	return at - text;
}

/* %x of a string: its bytes. */
static void
format_hex(Format *format, const char *text, int len, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	const char *prefix = upper ? "0X" : "0x";
	StringInfoData out;

	initStringInfo(&out);
	if (format->has_precision && format->precision < len)
		len = format->precision;
	if (len > 0 && format->sharp)
		appendStringInfoString(&out, prefix);
	for (int i = 0; i < len; i++)
	{
		unsigned char c = text[i];

		if (format->space && i > 0)
		{
			appendStringInfoChar(&out, ' ');
			if (format->sharp)
				appendStringInfoString(&out, prefix);
		}
		appendStringInfoChar(&out, digits[c >> 4]);
		appendStringInfoChar(&out, digits[c & 15]);
	}
	format_pad(format, out.data, out.len);
	pfree(out.data);
}

static bool
format_string(Format *format, Value text, uint32 verb)
{
	int			len = format_truncated(format, text.data, text.len);

	switch (verb)
	{
		case 'v':
		case 's':
			if (verb == 'v' && format->sharp_v)
				format_quoted(format, text.data, len);
			else
				format_pad(format, text.data, len);
			return true;
		case 'x':
		case 'X':
			format_hex(format, text.data, text.len, verb == 'X');
			return true;
		case 'q':
			format_quoted(format, text.data, len);
			return true;
		default:
			return false;
	}
}

/* ------------------------------------------------------------------------
 * Values
 * ------------------------------------------------------------------------
 */

static void
format_array(Format *format, TmplValue *array, uint32 verb, int depth)
{
	TmplValue  *items = tmpl_elements(array);

	appendStringInfoString(format->out, format->sharp_v ? "[]interface {}{" : "[");
	for (int i = 0; i < array->u.array.length; i++)
	{
		if (i > 0)
			appendStringInfoString(format->out, format->sharp_v ? ", " : " ");
		format_nested(format, items[i], verb, depth + 1);
	}
	appendStringInfoChar(format->out, format->sharp_v ? '}' : ']');
}

static void
format_map(Format *format, const TmplValue *map, uint32 verb, int depth)
{
	TmplMember *members;
	int			n = tmpl_members(format->exec, map, &members);

	appendStringInfoString(format->out,
						   format->sharp_v ? "map[string]interface {}{" : "map[");
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(format->out, format->sharp_v ? ", " : " ");
		format_nested(format, tmpl_from_value(&members[i].key), verb, depth + 1);
		appendStringInfoChar(format->out, ':');
		format_nested(format, tmpl_from_value(&members[i].value), verb, depth + 1);
	}
	appendStringInfoChar(format->out, format->sharp_v ? '}' : ']');
}

/* A verb that does not fit the value: %!d(string=x) */
void
format_mismatch(Format *format, TmplValue value, uint32 verb)
{
	appendStringInfoString(format->out, "%!");
	append_rune(format->out, verb);
	appendStringInfoChar(format->out, '(');
	if (tmpl_is_nil(&value))
		appendStringInfoString(format->out, "<nil>");
	else
	{
		appendStringInfo(format->out, "%s=", tmpl_type_name(&value));
		format_nested(format, value, 'v', 0);
	}
	appendStringInfoChar(format->out, ')');
}

/* null: an operand of its own is padded, an element is not. */
static void
format_nil(Format *format, const TmplValue *value, uint32 verb, int depth)
{
	if (depth > 0)
		appendStringInfoString(format->out,
							   format->sharp_v ? "interface {}(nil)" : "<nil>");
	else if (verb == 'v')
		format_pad(format, "<nil>", 5);
	else
		format_mismatch(format, *value, verb);
}

/* Where no one asked for a format, documents keep numbers as they were sent. */
static bool
format_verbatim(Format *format, const TmplValue *value, uint32 verb)
{
	if (verb != 'v' || !exec_is_json(format->exec) || format->sharp_v || format->plus_v ||
		format->has_width || format->has_precision)
		return false;
	if (value->kind != KIND_ARRAY && value->kind != KIND_MAP && value->kind != KIND_ROW &&
		value->raw.kind != VALUE_NUMBER)
		return false;
	tmpl_append_json(format->exec, format->out, value);
	return true;
}

/* A value by a verb; depth is 0 unless it is part of another one. */
static void
format_nested(Format *format, TmplValue value, uint32 verb, int depth)
{
	bool		done = true;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (format_verbatim(format, &value, verb))
		return;
	switch ((TmplKind) value.kind)
	{
		case KIND_INVALID:
		case KIND_NIL:
			format_nil(format, &value, verb, depth);
			break;
		case KIND_BOOL:
			done = verb == 't' || verb == 'v';
			if (done)
				format_pad(format, value.u.boolean ? "true" : "false", value.u.boolean ? 4 : 5);
			break;
		case KIND_INT:
		case KIND_INT64:
		case KIND_UINT8:
			done = format_integer(format, value.u.integer, value.kind != KIND_UINT8, verb);
			break;
		case KIND_FLOAT:
			if (isinf(value.u.real))
				exec_error(format->exec, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
						   "number is out of range");
			done = format_float(format, value.u.real, verb);
			break;
		case KIND_STRING:
			done = format_string(format, tmpl_text(&value), verb);
			break;
		case KIND_ARRAY:
		case KIND_MAP:
		case KIND_ROW:
			/* %w takes errors only, and there are none */
			done = verb != 'w' || depth > 0;
			if (!done)
				break;
			if (value.kind == KIND_ARRAY)
				format_array(format, &value, verb, depth);
			else
				format_map(format, &value, verb, depth);
			break;
	}
	if (!done)
		format_mismatch(format, value, verb);
}

/* ------------------------------------------------------------------------
 * Sprint
 * ------------------------------------------------------------------------
 */

void
format_value(Format *format, const TmplValue *value, uint32 verb)
{
	format_nested(format, *value, verb, 0);
}

void
tmpl_print(Exec *exec, StringInfo out, const TmplValue *value)
{
	Format		format = {.out = out,.exec = exec};

	format_value(&format, value, 'v');
}

void
tmpl_sprint(Exec *exec, StringInfo out, const TmplValue *args, int nargs)
{
	for (int i = 0; i < nargs; i++)
	{
		/* a space between operands that are no strings */
		if (i > 0 && args[i].kind != KIND_STRING && args[i - 1].kind != KIND_STRING)
			appendStringInfoChar(out, ' ');
		tmpl_print(exec, out, &args[i]);
	}
}

TmplValue
function_print(FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	tmpl_sprint(exec, &out, args, nargs);
	return tmpl_string(out.data, out.len);
}

TmplValue
function_println(FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < nargs; i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, ' ');
		tmpl_print(exec, &out, &args[i]);
	}
	appendStringInfoChar(&out, '\n');
	return tmpl_string(out.data, out.len);
}
