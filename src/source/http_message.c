/*
 * http_message.c
 *		What a server says: headers, and errors made fit for a message; and text
 *		made fit for a URL.
 */
#include "source/http_private.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "rows/json.h"

/* More of a server's words than this does not help. */
#define MAX_WORDS 500

/*
 * Bytes from outside as text for a message: valid in the database's encoding,
 * on one line, and cut to a sane length.
 */
char *
http_printable(const char *data, Size len)
{
	Value		value;
	const char *valid = json_valid_utf8(data, &len);
	char	   *text;
	Size		length;

	value = value_string(valid, len);
	text = value_cstring(&value);
	length = strlen(text);
	for (char *c = text; *c; c++)
		if ((unsigned char) *c < ' ' || *c == 0x7f)
			*c = ' ';
	if (length > MAX_WORDS)
	{
		length = pg_mbcliplen(text, length, MAX_WORDS);
		return psprintf("%.*s...", (int) length, text);
	}
	return text;
}

/* Add one thing that the server says. */
static void
add_words(StringInfo out, const Value *words)
{
	if (words->kind != VALUE_STRING || words->len == 0 || out->len > MAX_WORDS)
		return;
	if (out->len > 0)
		appendStringInfoChar(out, ' ');
	value_append_text(out, words);
}

/* Add a string, or the strings in an array or object. */
static void
add_all(StringInfo out, const Value *value)
{
	JsonIter	it = json_iter(value);
	Value		key;
	Value		element;

	add_words(out, value);
	if (value->kind != VALUE_JSON)
		return;
	while (json_next(&it, &key, &element))
	{
		if (key.kind == VALUE_STRING && element.kind == VALUE_STRING && out->len <= MAX_WORDS)
		{
			/* "errors": {"jql": "..."} */
			if (out->len > 0)
				appendStringInfoChar(out, ' ');
			value_append_text(out, &key);
			appendStringInfoString(out, ": ");
			value_append_text(out, &element);
			continue;
		}
		add_words(out, &element);
	}
}

/* Blot out the credentials, which a server may send back. */
static void
hide_secret(const HttpRequest *request, char *text)
{
	const char *secret = request->client->settings.authorization;

	secret = secret ? strchr(secret, ' ') : NULL;
	if (secret == NULL || *++secret == '\0')
		return;
	while ((text = strstr(text, secret)) != NULL)
		memset(text, '*', strlen(secret));
}

/*
 * Jira and Confluence say errorMessages (an array, may be empty, at times a
 * string), errors (an object, at times something else), message or
 * errorMessage; GitHub says message.
 */
char *
http_server_words(const HttpRequest *request, const HttpResponse *response)
{
	static const char *const names[] = {"errorMessages", "errors", "errorMessage", "message"};
	Size		len = response->len;
	const char *body = json_valid_utf8(response->body, &len);
	StringInfoData out;
	Value		document;

	if (!json_document(body, len, &document))
		return NULL;
	initStringInfo(&out);
	for (int i = 0; i < (int) lengthof(names); i++)
	{
		Value		member = json_member(&document, names[i], strlen(names[i]), false);

		add_all(&out, &member);
	}
	hide_secret(request, out.data);
	return out.len > 0 ? http_printable(out.data, out.len) : NULL;
}

const char *
http_header_after(const HttpRequest *request, const char *name, const char *before)
{
	const char *at = before ? before + strlen(before) + 1 : request->headers.data;
	const char *end = request->headers.data + request->headers.len;

	while (at < end)
	{
		const char *value = at + strlen(at) + 1;

		if (pg_strcasecmp(at, name) == 0)
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}

const char *
http_header(const HttpRequest *request, const char *name)
{
	return http_header_after(request, name, NULL);
}
