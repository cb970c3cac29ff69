/*
 * template_printf.c
 *		fmt.Sprintf, by the rules of Go's fmt/print.go.
 *
 * What Go does with a wrong verb or argument ("%!d(string=x)") is output, not
 * an error, and done likewise.
 */
#include "postgres.h"

#include "transform/template_functions.h"
#include "transform/template_print.h"
#include "transform/template_rune.h"

#define MAX_WIDTH 1000000		/* Go takes larger widths for mistakes */

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
		format_pad(format, type, format_truncated(format, type, strlen(type)));
	}
	else if (verb == 'p')
		format_mismatch(format, *value, verb);
	else
		format_value(format, value, verb);
}

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
