/*
 * json.c: reads the JSON of requests into a tree that keeps the raw slices
 */
#include "buffer.h"

#include <ctype.h>
#include <stdlib.h>

#define JSON_MAX_DEPTH 200

typedef struct Reader
{
	const char *at;
	const char *end;
	int			depth;
} Reader;

static Json *read_value(Reader *reader);

static void
skip_space(Reader *reader)
{
	while (reader->at < reader->end && memchr(" \t\r\n", *reader->at, 4))
		reader->at++;
}

/* Take that byte if it comes next, after white space. */
static bool
take(Reader *reader, char c)
{
	skip_space(reader);
	if (reader->at >= reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* Append a code point as UTF-8; a lone surrogate goes as three bytes. */
static void
add_utf8(Buffer *buf, uint32_t code)
{
	if (code < 0x80)
		buf_char(buf, code);
	else if (code < 0x800)
	{
		buf_char(buf, 0xc0 | code >> 6);
		buf_char(buf, 0x80 | (code & 63));
	}
	else if (code < 0x10000)
	{
		buf_char(buf, 0xe0 | code >> 12);
		buf_char(buf, 0x80 | (code >> 6 & 63));
		buf_char(buf, 0x80 | (code & 63));
	}
	else
	{
		buf_char(buf, 0xf0 | code >> 18);
		buf_char(buf, 0x80 | (code >> 12 & 63));
		buf_char(buf, 0x80 | (code >> 6 & 63));
		buf_char(buf, 0x80 | (code & 63));
	}
}

/* Read the four hex digits of a \u escape, -1 if they are not. */
static int
read_hex4(Reader *reader)
{
	char		digits[5] = {0};

	if (reader->end - reader->at < 4)
		return -1;
	memcpy(digits, reader->at, 4);
	for (int i = 0; i < 4; i++)
		if (!isxdigit((unsigned char) digits[i]))
			return -1;
	reader->at += 4;
	return strtol(digits, NULL, 16);
}

/* Read what follows \u, joining a surrogate pair. */
static bool
read_unicode_escape(Reader *reader, Buffer *out)
{
	int			code = read_hex4(reader);

	if (code < 0)
		return false;
	if (code >= 0xd800 && code < 0xdc00 && reader->end - reader->at >= 6 &&
		reader->at[0] == '\\' && reader->at[1] == 'u')
	{
		const char *mark = reader->at;
		int			low;

		reader->at += 2;
		low = read_hex4(reader);
		if (low >= 0xdc00 && low < 0xe000)
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		else
			reader->at = mark;
	}
	add_utf8(out, code);
	return true;
}

static bool
read_escape(Reader *reader, Buffer *out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	char		c;

	if (reader->at >= reader->end)
		return false;
	c = *reader->at++;
	if (c == 'u')
		return read_unicode_escape(reader, out);
	found = c ? strchr(from, c) : NULL;
	if (found == NULL)
		return false;
	buf_char(out, to[found - from]);
	return true;
}

/* Read a string after its opening quote, decoded into a fresh buffer. */
static bool
read_string(Reader *reader, Buffer *out)
{
	buf_clear(out);
	while (reader->at < reader->end)
	{
		char		c = *reader->at++;

		if (c == '"')
			return true;
		if (c != '\\')
			buf_char(out, c);
		else if (!read_escape(reader, out))
			return false;
	}
	return false;
}

/* Read elements or members up to the closing bracket. */
static bool
read_children(Reader *reader, Json *json, char close)
{
	Json	  **tail = &json->child;

	if (take(reader, close))
		return true;
	do
	{
		Buffer		name = {0};

		if (json->type == JSON_OBJECT &&
			!(take(reader, '"') && read_string(reader, &name) &&
			  take(reader, ':')))
		{
			buf_free(&name);
			return false;
		}
		*tail = read_value(reader);
		if (*tail == NULL)
		{
			buf_free(&name);
			return false;
		}
		(*tail)->name = name.data;
		tail = &(*tail)->next;
	} while (take(reader, ','));
	return take(reader, close);
}

/* Read null, true, false or a number. */
static bool
read_scalar(Reader *reader, Json *json)
{
	const char *start = reader->at;

	while (reader->at < reader->end &&
		   (isalnum((unsigned char) *reader->at) ||
			memchr("+-.", *reader->at, 3)))
		reader->at++;
	json->text_len = reader->at - start;
	json->text = strndup(start, json->text_len);
	if (strcmp(json->text, "null") == 0)
		json->type = JSON_NULL;
	else if (strcmp(json->text, "true") == 0 ||
			 strcmp(json->text, "false") == 0)
		json->type = JSON_BOOL;
	else
	{
		char	   *end;

		json->type = JSON_NUMBER;
		strtod(json->text, &end);
		return json->text_len > 0 && *end == '\0';
	}
	return true;
}

/* Read one value, or return NULL. */
static Json *
read_value(Reader *reader)
{
	Json	   *json = calloc(1, sizeof(Json));
	bool		good;

	skip_space(reader);
	json->raw = reader->at;
	if (++reader->depth > JSON_MAX_DEPTH)
		good = false;
	else if (take(reader, '{'))
	{
		json->type = JSON_OBJECT;
		good = read_children(reader, json, '}');
	}
	else if (take(reader, '['))
	{
		json->type = JSON_ARRAY;
		good = read_children(reader, json, ']');
	}
	else if (take(reader, '"'))
	{
		Buffer		text = {0};

		json->type = JSON_STRING;
		good = read_string(reader, &text);
		json->text = text.data;
		json->text_len = text.len;
	}
	else
		good = read_scalar(reader, json);
	reader->depth--;
	json->raw_len = reader->at - json->raw;
	if (good)
		return json;
	json_free(json);
	return NULL;
}

Json *
json_parse(const char *source, size_t len)
{
	Reader		reader = {source, source + len, 0};
	Json	   *json = read_value(&reader);

	skip_space(&reader);
	if (json != NULL && reader.at != reader.end)
	{
		json_free(json);
		return NULL;
	}
	return json;
}

void
json_free(Json *json)
{
	while (json != NULL)
	{
		Json	   *next = json->next;

		json_free(json->child);
		free(json->name);
		free(json->text);
		free(json);
		json = next;
	}
}

const Json *
json_get(const Json *object, const char *name)
{
	const Json *found = NULL;

	if (object == NULL || object->type != JSON_OBJECT)
		return NULL;
	for (const Json *member = object->child; member; member = member->next)
		if (strcmp(member->name, name) == 0)
			found = member;
	return found;
}
