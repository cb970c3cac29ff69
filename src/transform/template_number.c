/*
 * template_number.c
 *		Numbers as Go's fmt and strconv print them.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"

#include "transform/template_print.h"
#include "transform/template_rune.h"

#define RUNE_MAX 0x10FFFF
#define MAX_DIGITS_OF_DOUBLE 17
#define SHARP_DIGITS 6			/* %#g without precision */
#define MAX_PLAIN_EXPONENT 6	/* 1e+06, not 1000000 */

/* ------------------------------------------------------------------------
 * Integers
 * ------------------------------------------------------------------------
 */

/* %U: U+0041, with the character itself if sharp. */
static void
format_unicode(Format *format, uint64 u)
{
	StringInfoData text;
	int			digits = format->has_precision && format->precision > 4 ? format->precision : 4;
	bool		zero = format->zero;

	initStringInfo(&text);
	appendStringInfo(&text, "U+%0*llX", digits, (unsigned long long) u);
	if (format->sharp && u <= RUNE_MAX && (u < 0x80 ? u >= 0x20 && u < 0x7f : unicode_is(u, UNICODE_PRINT)))
	{
		appendStringInfoString(&text, " '");
		append_rune(&text, (uint32) u);
		appendStringInfoChar(&text, '\'');
	}
	format->zero = false;
	format_pad(format, text.data, text.len);
	format->zero = zero;
	pfree(text.data);
}

static void
reverse_append(StringInfo out, const char *reversed, int len)
{
	while (len > 0)
		appendStringInfoCharMacro(out, reversed[--len]);
}

/* Digits of the number in a base, at least precision of them. */
static void
append_digits(StringInfo out, uint64 u, int base, bool upper, int precision)
{
	char		reversed[64];
	int			n = 0;

	do
	{
		reversed[n++] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[u % base];
		u /= base;
	} while (u > 0);
	for (int i = n; i < precision; i++)
		appendStringInfoChar(out, '0');
	reverse_append(out, reversed, n);
}

static void
format_digits(Format *format, int64 integer, bool is_signed, int base, uint32 verb)
{
	bool		negative = is_signed && integer < 0;
	uint64		u = negative ? 0 - (uint64) integer : (uint64) integer;
	bool		zero = format->zero;
	int			precision = 0;
	StringInfoData text;

	initStringInfo(&text);
	format->zero = false;
	if (format->has_precision)
	{
		precision = format->precision;
		if (precision == 0 && u == 0)
		{
			format_pad(format, "", 0);
			format->zero = zero;
			return;
		}
	}
	else if (zero && !format->minus && format->has_width)
		precision = format->width - (negative || format->plus || format->space ? 1 : 0);

	if (negative || format->plus || format->space)
		appendStringInfoChar(&text, negative ? '-' : format->plus ? '+' : ' ');
	if (verb == 'O')
		appendStringInfoString(&text, "0o");
	if (format->sharp && base == 2)
		appendStringInfoString(&text, "0b");
	if (format->sharp && base == 16)
		appendStringInfoString(&text, verb == 'X' ? "0X" : "0x");
	if (format->sharp && base == 8)
	{
		StringInfoData digits;

		/* a leading zero, unless the digits have one already */
		initStringInfo(&digits);
		append_digits(&digits, u, base, false, precision);
		if (digits.data[0] != '0')
			appendStringInfoChar(&text, '0');
		appendStringInfoString(&text, digits.data);
	}
	else
		append_digits(&text, u, base, verb == 'X', precision);
	format_pad(format, text.data, text.len);
	format->zero = zero;
	pfree(text.data);
}

/* An integer by a verb; false if the verb is not for integers. */
bool
format_integer(Format *format, int64 integer, bool is_signed, uint32 verb)
{
	StringInfoData text;

	switch (verb)
	{
		case 'v':
			if (format->sharp_v && !is_signed)
			{
				format->sharp = true;
				format_digits(format, integer, is_signed, 16, verb);
				format->sharp = false;
				return true;
			}
			/* FALLTHROUGH */
		case 'd':
			format_digits(format, integer, is_signed, 10, verb);
			return true;
		case 'b':
			format_digits(format, integer, is_signed, 2, verb);
			return true;
		case 'o':
		case 'O':
			format_digits(format, integer, is_signed, 8, verb);
			return true;
		case 'x':
		case 'X':
			format_digits(format, integer, is_signed, 16, verb);
			return true;
		case 'c':
			initStringInfo(&text);
			append_rune(&text, integer < 0 || integer > RUNE_MAX ? RUNE_ERROR : (uint32) integer);
			format_pad(format, text.data, text.len);
			return true;
		case 'q':
			format_quoted_rune(format, integer);
			return true;
		case 'U':
			format_unicode(format, (uint64) integer);
			return true;
		default:
			return false;
	}
}

/* ------------------------------------------------------------------------
 * Floats
 * ------------------------------------------------------------------------
 */

/*
 * The shortest digits that read back as the same number, and the decimal
 * exponent of the first of them.  PostgreSQL's are shortest but for some numbers that
 * sit exactly on the edge of an interval, hence the second look.
 */
static int
shortest_digits(double real, char *digits, int *exponent)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];
	char		candidate[MAX_DIGITS_OF_DOUBLE + 16];
	int			n = 0;
	const char *from = text;

	if (real == 0)
	{
		digits[0] = '0';
		*exponent = 0;
		return 1;
	}
	double_to_shortest_decimal_buf(real, text);
	for (; *from && *from != 'e'; from++)
		if (*from != '.' && (n > 0 || *from != '0'))
			digits[n++] = *from;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	for (;;)
	{
		snprintf(candidate, sizeof(candidate), "%.*e", Max(n - 2, 0), real);
		if (n < 2 || strtod(candidate, NULL) != real)
			break;
		n--;
		digits[0] = candidate[0];
		memcpy(digits + 1, candidate + 2, n - 1);
	}

	/* the exponent that these digits have */
	snprintf(candidate, sizeof(candidate), "%.*e", n - 1, real);
	*exponent = atoi(strchr(candidate, 'e') + 1);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	return n;
}

/* %g with the shortest digits: 1e+06, 123456.789 */
static void
append_shortest(StringInfo out, double real, bool upper)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];
	int			exponent;
	int			n = shortest_digits(fabs(real), digits, &exponent);

	if (exponent < -4 || exponent >= MAX_PLAIN_EXPONENT)
	{
		appendStringInfoChar(out, digits[0]);
		if (n > 1)
		{
			appendStringInfoChar(out, '.');
			appendBinaryStringInfo(out, digits + 1, n - 1);
		}
		appendStringInfo(out, "%c%c%02d", upper ? 'E' : 'e', exponent < 0 ? '-' : '+',
						 abs(exponent));
		return;
	}
	if (exponent < 0)
	{
		appendStringInfoString(out, "0.");
		for (int i = -1; i > exponent; i--)
			appendStringInfoChar(out, '0');
		appendBinaryStringInfo(out, digits, n);
		return;
	}
	for (int i = 0; i < Max(n, exponent + 1); i++)
	{
		if (i == exponent + 1)
			appendStringInfoChar(out, '.');
		appendStringInfoChar(out, i < n ? digits[i] : '0');
	}
}

/* %b: mantissa and binary exponent, 4503599627370496p-52 */
static void
append_binary(StringInfo out, double real)
{
	uint64		bits;
	uint64		mantissa;
	int			exponent;

	memcpy(&bits, &real, sizeof(bits));
	mantissa = bits & ((UINT64CONST(1) << 52) - 1);
	exponent = (int) ((bits >> 52) & 0x7FF);
	if (exponent == 0)
		exponent++;
	else
		mantissa |= UINT64CONST(1) << 52;
	exponent -= 1023 + 52;
	appendStringInfo(out, UINT64_FORMAT "p%c%d", mantissa, exponent < 0 ? '-' : '+',
					 abs(exponent));
}

/* %x: 0x1.8p+01; a negative precision means as many digits as needed. */
static void
append_hexadecimal(StringInfo out, double real, int precision, bool upper)
{
	const char *hex = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	int			exponent = 0;
	uint64		mantissa = 0;

	/* a leading one at bit 60, fifteen digits below it */
	if (real != 0)
	{
		mantissa = (uint64) ldexp(frexp(fabs(real), &exponent), 61);
		exponent--;
	}
	if (precision >= 0 && precision < 15)
	{
		int			shift = precision * 4;
		uint64		extra = (mantissa << shift) & ((UINT64CONST(1) << 60) - 1);

		mantissa >>= 60 - shift;
		if ((extra | (mantissa & 1)) > UINT64CONST(1) << 59)
			mantissa++;
		mantissa <<= 60 - shift;
		if (mantissa & (UINT64CONST(1) << 61))
		{
			mantissa >>= 1;
			exponent++;
		}
	}
	appendStringInfo(out, "0%c%d", upper ? 'X' : 'x', (int) ((mantissa >> 60) & 1));
	mantissa <<= 4;
	if (precision > 0 || (precision < 0 && mantissa != 0))
		appendStringInfoChar(out, '.');
	for (int i = 0; precision < 0 ? mantissa != 0 : i < precision; i++)
	{
		appendStringInfoChar(out, hex[(mantissa >> 60) & 15]);
		mantissa <<= 4;
	}
	appendStringInfo(out, "%c%c%02d", upper ? 'P' : 'p', exponent < 0 ? '-' : '+',
					 abs(exponent));
}

/* The number without its sign, as strconv.FormatFloat does. */
static void
append_float(StringInfo out, double real, char how, int precision)
{
	switch (how)
	{
		case 'b':
			append_binary(out, real);
			break;
		case 'x':
		case 'X':
			append_hexadecimal(out, real, precision, how == 'X');
			break;
		case 'e':
			appendStringInfo(out, "%.*e", precision, fabs(real));
			break;
		case 'E':
			appendStringInfo(out, "%.*E", precision, fabs(real));
			break;
		case 'f':
			appendStringInfo(out, "%.*f", precision, fabs(real));
			break;
		default:
			if (precision < 0)
				append_shortest(out, real, how == 'G');
			else if (how == 'G')
				appendStringInfo(out, "%.*G", precision, fabs(real));
			else
				appendStringInfo(out, "%.*g", precision, fabs(real));
	}
}

/* %#g and the like: always a point, and trailing zeros. */
static void
make_sharp(StringInfo number, char how, int precision)
{
	bool		hex = how == 'x' || how == 'X';
	int			digits = how == 'g' || how == 'G' || how == 'x' ?
		(precision < 0 ? SHARP_DIGITS : precision) : 0;
	int			tail = strcspn(number->data, hex ? "pP" : "eE");
	bool		has_point = false;
	bool		nonzero = false;
	char	   *rest = pstrdup(number->data + tail);

	for (int i = 0; i < tail; i++)
	{
		if (number->data[i] == '.')
		{
			has_point = true;
			continue;
		}
		nonzero = nonzero || number->data[i] != '0';
		if (nonzero)
			digits--;
	}
	number->len = tail;
	number->data[tail] = '\0';
	if (!has_point)
	{
		if (tail == 1 && number->data[0] == '0')
			digits--;
		appendStringInfoChar(number, '.');
	}
	for (; digits > 0; digits--)
		appendStringInfoChar(number, '0');
	appendStringInfoString(number, rest);
}

/* A float by a verb; false if the verb is not for floats. */
bool
format_float(Format *format, double real, uint32 verb)
{
	char		how = verb == 'v' ? 'g' : verb == 'F' ? 'f' : (char) verb;
	int			precision;
	char		sign;
	StringInfoData number;

	if (verb >= 0x80 || verb == 0 || !strchr("vbgGxXfFeE", (int) verb))
		return false;
	precision = format->has_precision ? format->precision : strchr("feE", how) ? 6 : -1;
	initStringInfo(&number);
	append_float(&number, real, how, precision);
	if (format->sharp && how != 'b')
		make_sharp(&number, how, precision);

	sign = signbit(real) ? '-' : format->space && !format->plus ? ' ' : '+';
	if (!format->plus && sign == '+')
		format_pad(format, number.data, number.len);
	else if (format->zero && !format->minus && format->has_width &&
			 format->width > number.len + 1)
	{
		/* the sign comes before the zeros */
		appendStringInfoChar(format->out, sign);
		format->width--;
		format_pad(format, number.data, number.len);
		format->width++;
	}
	else
	{
		char	   *signed_number = psprintf("%c%s", sign, number.data);

		format_pad(format, signed_number, number.len + 1);
		pfree(signed_number);
	}
	pfree(number.data);
	return true;
}
