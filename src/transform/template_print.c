/*
 * template_print.c
 *		fmt.Sprint and fmt.Sprintf, by the rules of Go's fmt/print.go.
 *
 * What Go does with a wrong verb or argument ("%!d(string=x)") is output, not
 * an error, and done likewise.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "mb/pg_wchar.h"

#include "transform/template_internal.h"

#define MAX_WIDTH 1000000		/* Go takes larger widths for mistakes */

static void format_value(Format *format, TmplValue value, uint32 verb, int depth);

/* ------------------------------------------------------------------------
 * Text
 * ------------------------------------------------------------------------
 */

void
append_rune(StringInfo out, uint32 rune)
{
	unsigned char buffer[8];

	if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF))
		rune = RUNE_ERROR;
	unicode_to_utf8(rune, buffer);
	appendBinaryStringInfo(out, (char *) buffer, pg_utf_mblen(buffer));
}

int
count_runes(const char *text, int len)
{
	const char *end = text + len;
	int			count = 0;
	int			size;

	for (; text < end; text += size, count++)
		rune_decode(text, end, &size);
	return count;
}

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
static int
truncated(const Format *format, const char *text, int len)
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
	int			len = truncated(format, text.data, text.len);

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
		format_value(format, items[i], verb, depth + 1);
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
		format_value(format, tmpl_from_value(&members[i].key), verb, depth + 1);
		appendStringInfoChar(format->out, ':');
		format_value(format, tmpl_from_value(&members[i].value), verb, depth + 1);
	}
	appendStringInfoChar(format->out, format->sharp_v ? '}' : ']');
}

/* A verb that does not fit the value: %!d(string=x) */
static void
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
		format_value(format, value, 'v', 0);
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

static void
format_value(Format *format, TmplValue value, uint32 verb, int depth)
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

/* One operand of Sprintf. */
static void
format_operand(Format *format, const TmplValue *value, uint32 verb)
{
	const char *type;

	if (verb == 'v' || verb == 'w')
	{
		format->sharp_v = format->sharp;
		format->sharp = false;
		format->plus_v = format->plus;
		format->plus = false;
	}
	if (verb == 'T' && tmpl_is_nil(value))
		format_pad(format, "<nil>", 5);
	else if (verb == 'T')
	{
		type = tmpl_type_name(value);
		format_pad(format, type, truncated(format, type, strlen(type)));
	}
	else if (verb == 'p')
		format_mismatch(format, *value, verb);
	else
		format_value(format, *value, verb, 0);
}

/* ------------------------------------------------------------------------
 * Sprint
 * ------------------------------------------------------------------------
 */

void
tmpl_print(Exec *exec, StringInfo out, const TmplValue *value)
{
	Format		format = {.out = out,.exec = exec};

	format_value(&format, *value, 'v', 0);
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

/* ------------------------------------------------------------------------
 * Sprintf
 * ------------------------------------------------------------------------
 */

typedef struct Printf
{
	Format		format;
	const char *at;				/* rest of the format string */
	const char *end;
	TmplValue  *args;
	int			nargs;
	int			arg;			/* next operand */
	bool		reordered;		/* any [n]? */
	bool		good_index;		/* was it fine for this verb? */
	bool		after_index;	/* the last thing read was [n] */
} Printf;

static bool
too_large(int64 number)
{
	return number > MAX_WIDTH || number < -MAX_WIDTH;
}

/* Read digits up to end; leaves *at behind the format if there are too many. */
static bool
read_number(const char **at, const char *end, int *number)
{
	bool		found = false;

	*number = 0;
	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++)
	{
		if (too_large(*number))
		{
			*number = 0;
			*at = end;
			return false;
		}
		*number = *number * 10 + (**at - '0');
		found = true;
	}
	return found;
}

/* An explicit index: [3] */
static void
read_index(Printf *p)
{
	const char *close;
	const char *at;
	int			number;

	p->after_index = false;
	if (p->at >= p->end || *p->at != '[')
		return;
	p->reordered = true;
	close = p->end - p->at < 3 ? NULL : memchr(p->at, ']', p->end - p->at);
	if (!close)
	{
		p->good_index = false;
		p->at++;
		return;
	}
	at = p->at + 1;
	p->after_index = read_number(&at, close, &number) && at == close;
	p->at = close + 1;
	if (p->after_index && number >= 1 && number <= p->nargs)
		p->arg = number - 1;
	else
		p->good_index = false;
}

/* The operand of a "*". */
static bool
read_star(Printf *p, int *number)
{
	const TmplValue *value = p->arg < p->nargs ? &p->args[p->arg] : NULL;

	*number = 0;
	if (!value)
		return false;
	p->arg++;
	if (!kind_is_integer(value->kind) || too_large(value->u.integer))
		return false;
	*number = (int) value->u.integer;
	return true;
}

static void
read_flags(Printf *p)
{
	Format	   *format = &p->format;

	for (; p->at < p->end; p->at++)
	{
		switch (*p->at)
		{
			case '#':
				format->sharp = true;
				break;
			case '0':
				format->zero = true;
				break;
			case '+':
				format->plus = true;
				break;
			case '-':
				format->minus = true;
				break;
			case ' ':
				format->space = true;
				break;
			default:
				return;
		}
	}
}

static void
read_width(Printf *p)
{
	Format	   *format = &p->format;

	if (p->at < p->end && *p->at == '*')
	{
		p->at++;
		format->has_width = read_star(p, &format->width);
		if (!format->has_width)
			appendStringInfoString(format->out, "%!(BADWIDTH)");
		if (format->width < 0)
		{
			format->width = -format->width;
			format->minus = true;
			format->zero = false;
		}
		p->after_index = false;
		return;
	}
	format->has_width = read_number(&p->at, p->end, &format->width);
	if (p->after_index && format->has_width)
		p->good_index = false;
}

static void
read_precision(Printf *p)
{
	Format	   *format = &p->format;

	if (p->end - p->at < 2 || *p->at != '.')
		return;
	p->at++;
	if (p->after_index)
		p->good_index = false;
	read_index(p);
	if (p->at < p->end && *p->at == '*')
	{
		p->at++;
		format->has_precision = read_star(p, &format->precision);
		if (format->precision < 0)
		{
			format->precision = 0;
			format->has_precision = false;
		}
		if (!format->has_precision)
			appendStringInfoString(format->out, "%!(BADPREC)");
		p->after_index = false;
		return;
	}
	if (!read_number(&p->at, p->end, &format->precision))
		format->precision = 0;
	format->has_precision = true;
}

/* One verb, whose percent sign is past. */
static void
printf_verb(Printf *p)
{
	StringInfo	out = p->format.out;
	Exec	   *exec = p->format.exec;
	uint32		verb;
	int			size;

	memset(&p->format, 0, sizeof(Format));
	p->format.out = out;
	p->format.exec = exec;
	p->good_index = true;
	read_flags(p);
	read_index(p);
	read_width(p);
	read_precision(p);
	if (!p->after_index)
		read_index(p);
	if (p->at >= p->end)
	{
		appendStringInfoString(out, "%!(NOVERB)");
		return;
	}
	verb = rune_decode(p->at, p->end, &size);
	p->at += size;
	if (verb == '%')
		appendStringInfoChar(out, '%');
	else if (!p->good_index || p->arg >= p->nargs)
	{
		appendStringInfoString(out, "%!");
		append_rune(out, verb);
		appendStringInfoString(out, p->good_index ? "(MISSING)" : "(BADINDEX)");
	}
	else
		format_operand(&p->format, &p->args[p->arg++], verb);
}

/* Operands that no verb asked for: %!(EXTRA int=1) */
static void
printf_extra(Printf *p)
{
	StringInfo	out = p->format.out;

	appendStringInfoString(out, "%!(EXTRA ");
	for (int i = p->arg; i < p->nargs; i++)
	{
		if (i > p->arg)
			appendStringInfoString(out, ", ");
		if (!tmpl_is_nil(&p->args[i]))
			appendStringInfo(out, "%s=", tmpl_type_name(&p->args[i]));
		tmpl_print(p->format.exec, out, &p->args[i]);
	}
	appendStringInfoChar(out, ')');
}

TmplValue
function_printf(FUNCTION_ARGS)
{
	Value		text = tmpl_text(&args[0]);
	Printf		p = {.at = text.data,.end = text.data + text.len,.args = args + 1,.nargs = nargs - 1};
	StringInfoData out;

	initStringInfo(&out);
	p.format.out = &out;
	p.format.exec = exec;
	while (p.at < p.end)
	{
		const char *percent = memchr(p.at, '%', p.end - p.at);
		const char *until = percent ? percent : p.end;

		appendBinaryStringInfo(&out, p.at, until - p.at);
		p.at = until;
		if (percent)
		{
			p.at++;
			printf_verb(&p);
		}
	}
	if (!p.reordered && p.arg < p.nargs)
		printf_extra(&p);
	return tmpl_string(out.data, out.len);
}
