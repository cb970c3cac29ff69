/*
 * json_escape.c
 *		Escapes inside JSON strings: read, checked, repaired, written.
 */
#include "postgres.h"

#include "compat.h"
#include "rows/json_escape.h"

#define REPLACEMENT 0xFFFD
#define UNICODE_ESCAPE 6		/* bytes of \u1234 */

/* The number of four hexadecimal digits, or -1. */
static int32
hex4(const char *digits)
{
	int32		number = 0;

	for (int i = 0; i < 4; i++)
	{
		char		c = digits[i];

		number <<= 4;
		if (c >= '0' && c <= '9')
			number |= c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			number |= (c | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return number;
}

/* The UTF-16 unit of a \u escape at `at`, or -1 if there is none. */
static inline int32
utf16_unit(const char *at, const char *end)
{
	if (end - at < UNICODE_ESCAPE || at[0] != '\\' || at[1] != 'u')
		return -1;
	return hex4(at + 2);
}

/* Decode a \u escape; see json_decode_escape(). */
static int32
decode_unicode(const char *at, const char *end, int *len)
{
	int32		unit = utf16_unit(at, end);
	int32		low;

	if (unit < 0)
		return -1;
	*len = UNICODE_ESCAPE;
	if (unit == 0 || (unit >= 0xDC00 && unit <= 0xDFFF))
		return REPLACEMENT;
	if (unit < 0xD800 || unit > 0xDBFF)
		return unit;

	/* A high surrogate needs a low one right behind it. */
	low = utf16_unit(at + UNICODE_ESCAPE, end);
	if (low < 0xDC00 || low > 0xDFFF)
		return REPLACEMENT;
	*len = 2 * UNICODE_ESCAPE;
	return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

/*
 * Decode the escape that begins with the backslash at `at` (which is before
 * `end`): a code point, with U+FFFD for \u0000 and lone surrogates; two escapes
 * that make a surrogate pair count as one.  Sets *len to the bytes it takes.
 * Returns -1 if it is no valid escape (*len is 1).
 */
static int32
json_decode_escape(const char *at, const char *end, int *len)
{
	int32		codepoint = -1;

	*len = 1;
	if (end - at < 2)
		return -1;
	switch (at[1])
	{
		case '"':
		case '\\':
		case '/':
			codepoint = at[1];
			break;
		case 'b':
			codepoint = '\b';
			break;
		case 'f':
			codepoint = '\f';
			break;
		case 'n':
			codepoint = '\n';
			break;
		case 'r':
			codepoint = '\r';
			break;
		case 't':
			codepoint = '\t';
			break;
		case 'u':
			return decode_unicode(at, end, len);
		default:
			return -1;
	}
	*len = 2;
	return codepoint;
}

/* Encode a code point as UTF-8; returns the number of bytes (1 to 4). */
static int
utf8_encode(int32 codepoint, char *out)
{
	if (codepoint < 0x80)
	{
		out[0] = (char) codepoint;
		return 1;
	}
	if (codepoint < 0x800)
	{
		out[0] = (char) (0xC0 | codepoint >> 6);
		out[1] = (char) (0x80 | (codepoint & 0x3F));
		return 2;
	}
	if (codepoint < 0x10000)
	{
		out[0] = (char) (0xE0 | codepoint >> 12);
		out[1] = (char) (0x80 | (codepoint >> 6 & 0x3F));
		out[2] = (char) (0x80 | (codepoint & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | codepoint >> 18);
	out[1] = (char) (0x80 | (codepoint >> 12 & 0x3F));
	out[2] = (char) (0x80 | (codepoint >> 6 & 0x3F));
	out[3] = (char) (0x80 | (codepoint & 0x3F));
	return 4;
}

static inline bool
is_control(char c)
{
	return (unsigned char) c < 0x20;
}

static inline bool
needs_escape(char c)
{
	return is_control(c) || c == '"' || c == '\\';
}

/* The first byte that a JSON string cannot hold as it is, or the end. */
static const char *
find_special(const char *at, const char *end)
{
#ifndef USE_NO_SIMD
	for (; end - at >= (ptrdiff_t) sizeof(Vector8); at += sizeof(Vector8))
	{
		Vector8		chunk;

		vector8_load(&chunk, (const uint8 *) at);
		if (vector8_has_le(chunk, 0x1F) || vector8_has(chunk, '"') ||
			vector8_has(chunk, '\\'))
			break;
	}
#endif
	while (at < end && !needs_escape(*at))
		at++;
	return at;
}

const char *
json_string_fault(const Value *string)
{
	const char *at = string->data;
	const char *end = at + string->len;
	int			len;

	while ((at = find_special(at, end)) < end)
	{
		if (*at != '\\' || json_decode_escape(at, end, &len) < 0)
			return at;
		at += len;
	}
	return NULL;
}

void
json_append_unescaped(StringInfo out, const Value *string)
{
	const char *at = string->data;
	const char *end = at + string->len;
	const char *backslash;

	/* Escapes only ever shrink, so one enlargement is enough. */
	enlargeStringInfo(out, string->len);
	while (at < end && (backslash = memchr(at, '\\', end - at)) != NULL)
	{
		char		utf8[UTF8_MAX_BYTES];
		int			len;
		int32		codepoint = json_decode_escape(backslash, end, &len);

		appendBinaryStringInfo(out, at, backslash - at);
		if (codepoint < 0)
			appendStringInfoChar(out, '\\');
		else
			appendBinaryStringInfo(out, utf8, utf8_encode(codepoint, utf8));
		at = backslash + len;
	}
	appendBinaryStringInfo(out, at, end - at);
}

void
json_append_repaired(StringInfo out, const char *data, Size len, bool decode)
{
	const char *end = data + len;
	const char *done = data;	/* what lies before is in `out` */
	const char *at = data;

	while (at < end && (at = memchr(at, '\\', end - at)) != NULL)
	{
		char		utf8[UTF8_MAX_BYTES];
		int			n;
		int32		codepoint = json_decode_escape(at, end, &n);

		if (codepoint >= 0x80 &&
			(decode || (codepoint == REPLACEMENT && pg_strncasecmp(at, "\\ufffd", n) != 0)))
		{
			appendBinaryStringInfo(out, done, at - done);
			if (decode)
				appendBinaryStringInfo(out, utf8, utf8_encode(codepoint, utf8));
			else
				appendStringInfoString(out, "\\ufffd");
			done = at + n;
		}
		at += n;
	}
	appendBinaryStringInfo(out, done, end - done);
}

/* Append the escape of one byte. */
static void
append_escape(StringInfo out, char c)
{
	switch (c)
	{
		case '"':
			appendStringInfoString(out, "\\\"");
			break;
		case '\\':
			appendStringInfoString(out, "\\\\");
			break;
		case '\b':
			appendStringInfoString(out, "\\b");
			break;
		case '\f':
			appendStringInfoString(out, "\\f");
			break;
		case '\n':
			appendStringInfoString(out, "\\n");
			break;
		case '\r':
			appendStringInfoString(out, "\\r");
			break;
		case '\t':
			appendStringInfoString(out, "\\t");
			break;
		default:
			appendStringInfo(out, "\\u%04x", (unsigned char) c);
	}
}

void
json_append_escaped(StringInfo out, const char *data, Size len)
{
	const char *end = data + len;

	while (data < end)
	{
		const char *special = find_special(data, end);

		appendBinaryStringInfo(out, data, special - data);
		if (special < end)
			append_escape(out, *special++);
		data = special;
	}
}
