/*
 * buffer.c: a growing byte string
 */
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUFFER_MIN_SIZE 256

/* Make room for more bytes; a test tool that is out of memory just ends. */
void
buf_grow(Buffer *buf, size_t more)
{
	size_t		needed = buf->len + more + 1;
	size_t		size = buf->size ? buf->size : BUFFER_MIN_SIZE;

	if (needed <= buf->size)
		return;
	while (size < needed)
		size *= 2;
	buf->data = realloc(buf->data, size);
	if (buf->data == NULL)
	{
		fprintf(stderr, "simulator: out of memory\n");
		exit(1);
	}
	buf->size = size;
	buf->data[buf->len] = '\0';
}

/* Give the memory back and leave an empty buffer. */
void
buf_free(Buffer *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

/* Empty the buffer and keep its memory. */
void
buf_clear(Buffer *buf)
{
	buf_grow(buf, 0);
	buf->len = 0;
	buf->data[0] = '\0';
}

/* Append formatted text. */
void
buf_printf(Buffer *buf, const char *format,...)
{
	va_list		args;
	int			len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	buf_grow(buf, len);
	va_start(args, format);
	vsnprintf(buf->data + buf->len, len + 1, format, args);
	va_end(args);
	buf->len += len;
}

/* Append a decimal integer. */
void
buf_int(Buffer *buf, int64_t value)
{
	char		digits[24];
	int			at = sizeof(digits);
	uint64_t	rest = value < 0 ? -(uint64_t) value : (uint64_t) value;

	do
	{
		digits[--at] = '0' + rest % 10;
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		digits[--at] = '-';
	buf_add(buf, digits + at, sizeof(digits) - at);
}

/* Append a quoted JSON string; runs of plain bytes are copied at once. */
void
buf_json(Buffer *buf, const char *text, size_t len)
{
	size_t		start = 0;

	buf_char(buf, '"');
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = text[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(buf, text + start, i - start);
		start = i + 1;
		if (c == '"' || c == '\\')
		{
			buf_char(buf, '\\');
			buf_char(buf, c);
		}
		else if (c == '\n')
			buf_lit(buf, "\\n");
		else if (c == '\t')
			buf_lit(buf, "\\t");
		else
			buf_printf(buf, "\\u%04x", c);
	}
	buf_add(buf, text + start, len - start);
	buf_char(buf, '"');
}

void
buf_json_str(Buffer *buf, const char *text)
{
	buf_json(buf, text, strlen(text));
}

/* Append base64 in the url-safe alphabet, padded. */
void
buf_base64url(Buffer *buf, const char *bytes, size_t len)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (size_t i = 0; i < len; i += 3)
	{
		size_t		left = len - i;
		uint32_t	group = (unsigned char) bytes[i] << 16;

		if (left > 1)
			group |= (unsigned char) bytes[i + 1] << 8;
		if (left > 2)
			group |= (unsigned char) bytes[i + 2];
		buf_char(buf, alphabet[group >> 18]);
		buf_char(buf, alphabet[(group >> 12) & 63]);
		buf_char(buf, left > 1 ? alphabet[(group >> 6) & 63] : '=');
		buf_char(buf, left > 2 ? alphabet[group & 63] : '=');
	}
}

static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-' || c == '+')
		return 62;
	if (c == '_' || c == '/')
		return 63;
	return -1;
}

/* Read either alphabet of base64; false if the text is not base64. */
bool
buf_base64_decode(Buffer *buf, const char *text, size_t len)
{
	uint32_t	bits = 0;
	int			held = 0;

	while (len > 0 && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++)
	{
		int			digit = base64_digit(text[i]);

		if (digit < 0)
			return false;
		bits = bits << 6 | digit;
		held += 6;
		if (held >= 8)
		{
			held -= 8;
			buf_char(buf, (bits >> held) & 0xff);
		}
	}
	return true;
}
