/*
 * template_literal.c
 *		Literals of Go: strings, characters and numbers.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "mb/pg_wchar.h"

#include "transform/template_parse.h"
#include "transform/template_rune.h"

#define MAX_RUNE 0x10FFFF

static bool
rune_is_valid(uint32 rune)
{
	return rune <= MAX_RUNE && !(rune >= 0xD800 && rune <= 0xDFFF);
}

/* Read count digits of a base; false if there are fewer. */
static bool
read_digits(const char **at, const char *end, int count, int base, uint32 *value)
{
	*value = 0;
	if (end - *at < count)
		return false;
	for (int i = 0; i < count; i++)
	{
		unsigned char c = *(*at)++;
		int			digit = isdigit(c) ? c - '0' :
			isxdigit(c) ? tolower(c) - 'a' + 10 : base;

		if (digit >= base)
			return false;
		*value = *value * base + digit;
	}
	return true;
}

/*
 * Read one character of a literal, or one escape.  *is_byte is set for \x and
 * octal escapes, which stand for a byte rather than a character.
 */
static bool
read_char(const char **at, const char *end, char quote, uint32 *rune, bool *is_byte)
{
	static const char simple[] = "abfnrtv\\";
	static const char meaning[] = "\a\b\f\n\r\t\v\\";
	const char *found;
	int			size;
	char		c;

	*is_byte = false;
	if (*at >= end || **at == quote)
		return false;
	if (**at != '\\')
	{
		*rune = rune_decode(*at, end, &size);
		*at += size;
		return true;
	}
	if (++(*at) >= end)
		return false;
	c = *(*at)++;
	if (c != '\0' && (found = strchr(simple, c)) != NULL)
	{
		*rune = (unsigned char) meaning[found - simple];
		return true;
	}
	switch (c)
	{
		case 'x':
			*is_byte = true;
			return read_digits(at, end, 2, 16, rune);
		case 'u':
			return read_digits(at, end, 4, 16, rune) && rune_is_valid(*rune);
		case 'U':
			return read_digits(at, end, 8, 16, rune) && rune_is_valid(*rune);
		case '0':
		case '1':
		case '2':
		case '3':
		case '4':
		case '5':
		case '6':
		case '7':
			*is_byte = true;
			(*at)--;
			return read_digits(at, end, 3, 8, rune) && *rune <= 255;
		default:
			*rune = (unsigned char) c;
			return c == quote;
	}
}

/* Value of a string with its quotes ("..." or `...`), palloc'd. */
bool
literal_unquote(const char *text, int len, char **value, int *value_len)
{
	const char *at = text + 1;
	const char *end = text + len - 1;
	StringInfoData out;

	initStringInfo(&out);
	if (text[0] == '`')
	{
		/* carriage returns do not count in raw strings */
		for (; at < end; at++)
			if (*at != '\r')
				appendStringInfoChar(&out, *at);
	}
	else
	{
		while (at < end)
		{
			uint32		rune;
			bool		is_byte;

			if (!read_char(&at, end, '"', &rune, &is_byte))
				return false;
			if (is_byte)
				appendStringInfoCharMacro(&out, (char) rune);
			else
				append_rune(&out, rune);
		}
	}
	*value = out.data;
	*value_len = out.len;
	return true;
}

/* Value of a character constant with its quotes. */
static bool
literal_char(const char *text, int len, uint32 *rune)
{
	const char *at = text + 1;
	const char *end = text + len - 1;
	bool		is_byte;

	return len >= 3 && read_char(&at, end, '\'', rune, &is_byte) && at == end;
}

/* Do underscores only stand between digits (or after the base prefix)? */
static bool
underscores_are_fine(const char *text, int len)
{
	char		saw = '^';
	int			i = 0;
	bool		hex = false;

	if (len >= 1 && (text[0] == '-' || text[0] == '+'))
		i++;
	if (len - i >= 2 && text[i] == '0' && strchr("bBoOxX", text[i + 1]))
	{
		hex = tolower((unsigned char) text[i + 1]) == 'x';
		saw = '0';
		i += 2;
	}
	for (; i < len; i++)
	{
		unsigned char c = text[i];

		if (isdigit(c) || (hex && isxdigit(c)))
			saw = '0';
		else if (c == '_')
		{
			if (saw != '0')
				return false;
			saw = '_';
		}
		else
		{
			if (saw == '_')
				return false;
			saw = '!';
		}
	}
	return saw != '_';
}

/*
 * Read an integer of any base.  Sets *overflow if it is one that does not fit
 * 64 bits.
 */
static bool
read_integer(const char *text, int64 *value, bool *overflow)
{
	bool		negative = *text == '-';
	int			base = 10;
	uint64		sum = 0;
	uint64		limit;

	if (*text == '-' || *text == '+')
		text++;
	if (text[0] == '0' && text[1] != '\0')
	{
		char		mark = tolower((unsigned char) text[1]);

		base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
		text += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
	}
	if (*text == '\0')
		return false;
	limit = negative ? (uint64) PG_INT64_MAX + 1 : PG_INT64_MAX;
	for (; *text; text++)
	{
		unsigned char c = *text;
		int			digit = isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : base;

		if (digit >= base)
			return false;
		if (sum > (limit - digit) / base)
			*overflow = true;
		else
			sum = sum * base + digit;
	}
	*value = negative ? (int64) (0 - sum) : (int64) sum;
	return true;
}

/* Read a float; hexadecimal ones must have an exponent, as in Go. */
static bool
read_float(const char *text, double *value)
{
	const char *digits = text + (*text == '-' || *text == '+');
	bool		hex = digits[0] == '0' && tolower((unsigned char) digits[1]) == 'x';
	char	   *end;

	if (hex && !strpbrk(text, "pP"))
		return false;
	if (digits[0] == '0' && digits[1] != '\0' && strchr("bBoO", digits[1]))
		return false;
	if (!hex && digits[strspn(digits, ".")] == '\0')
		return false;
	*value = strtod(text, &end);
	return *end == '\0' && end != text && isfinite(*value);
}

/*
 * Value of a number or character constant.  As in Go the way it is written
 * decides: a point or exponent makes a float.
 */
bool
literal_number(Parser *parser, Token token, TmplValue *number)
{
	char	   *text = pnstrdup(token.text, token.len);
	char	   *to = text;
	int64		integer;
	double		real;
	bool		overflow = false;
	bool		is_hex;

	if (token.kind == TOKEN_CHAR_CONSTANT)
	{
		uint32		rune;

		if (!literal_char(token.text, token.len, &rune))
			return false;
		*number = tmpl_int(rune);
		return true;
	}
	if (text[token.len - 1] == 'i' && token.len > 1)
		tmpl_syntax_error(parser->lexer.source, token.pos, NULL,
						  "complex numbers are not supported in templates");
	if (strchr(text, '_') && !underscores_are_fine(text, token.len))
		return false;
	for (char *from = text; *from; from++)
		if (*from != '_')
			*to++ = *from;
	*to = '\0';

	if (read_integer(text, &integer, &overflow))
	{
		if (overflow)
			tmpl_syntax_error(parser->lexer.source, token.pos, NULL,
							  "number \"%s\" is out of range in template", text);
		*number = tmpl_int(integer);
		return true;
	}
	is_hex = strchr(text, 'x') || strchr(text, 'X');
	if (!strpbrk(text, is_hex ? ".pP" : ".eE") || !read_float(text, &real))
		return false;
	memset(number, 0, sizeof(TmplValue));
	number->kind = KIND_FLOAT;
	number->u.real = real;
	return true;
}
