/*
 * value.c
 *		Values as text, as JSON and as datums.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "rows/encoding.h"
#include "rows/json.h"
#include "rows/json_escape.h"
#include "rows/value.h"

/* Longest string in a jsonb (JENTRY_OFFLENMASK); jsonb_in says it better. */
#define MAX_JSONB_STRING 0x0FFFFFFF

static inline bool
is_escaped(const Value *value)
{
	return value->kind == VALUE_STRING && (value->flags & VALUE_ESCAPED) != 0;
}

void
value_append_text(StringInfo out, const Value *value)
{
	if (value_is_null(value))
		return;
	if (is_escaped(value))
		json_append_unescaped(out, value);
	else
		appendBinaryStringInfo(out, value->data, value->len);
}

/* value_append_json(), and json_append_repaired()'s decode. */
static void
append_json(StringInfo out, const Value *value, bool decode)
{
	switch ((ValueKind) value->kind)
	{
		case VALUE_MISSING:
		case VALUE_NULL:
			appendBinaryStringInfo(out, "null", 4);
			break;
		case VALUE_BOOL:
		case VALUE_NUMBER:
			appendBinaryStringInfo(out, value->data, value->len);
			break;
		case VALUE_STRING:
			appendStringInfoChar(out, '"');
			if (is_escaped(value))
				json_append_repaired(out, value->data, value->len, decode);
			else
				json_append_escaped(out, value->data, value->len);
			appendStringInfoChar(out, '"');
			break;
		case VALUE_JSON:
			json_append_repaired(out, value->data, value->len, decode);
			break;
	}
}

void
value_append_json(StringInfo out, const Value *value)
{
	append_json(out, value, false);
}

Value
value_unescaped(const Value *value)
{
	StringInfoData text;

	if (!is_escaped(value))
		return *value;
	initStringInfo(&text);
	json_append_unescaped(&text, value);
	return value_string(text.data, (uint32) text.len);
}

char *
value_cstring(const Value *value)
{
	Value		plain;

	if (value_is_null(value))
		return NULL;
	plain = value_unescaped(value);
	return utf8_to_database(plain.data, plain.len, NULL);
}

Datum
value_text(const Value *value)
{
	Value		plain = value_unescaped(value);
	Size		len;
	char	   *converted;

	if (database_is_utf8())
		return PointerGetDatum(cstring_to_text_with_len(plain.data, plain.len));
	converted = utf8_to_database(plain.data, plain.len, &len);
	return PointerGetDatum(cstring_to_text_with_len(converted, len));
}

/* Make a jsonb by PostgreSQL's own parser, which raises 22P02 if malformed. */
static Datum
parse_jsonb(const Value *value)
{
	StringInfoData json;
	char	   *text;

	initStringInfo(&json);
	append_json(&json, value, !database_is_utf8());
	text = utf8_to_database(json.data, json.len, NULL);
	pfree(json.data);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
}

Datum
value_jsonb(const Value *value)
{
	JsonbValue	scalar = {0};
	Value		plain;
	Size		len;

	switch ((ValueKind) value->kind)
	{
		case VALUE_MISSING:
		case VALUE_NULL:
			scalar.type = jbvNull;
			break;
		case VALUE_BOOL:
			scalar.type = jbvBool;
			scalar.val.boolean = value->data[0] == 't';
			break;
		case VALUE_STRING:
			plain = value_unescaped(value);
			scalar.type = jbvString;
			scalar.val.string.val = utf8_to_database(plain.data, plain.len, &len);
			scalar.val.string.len = (int) len;
			if (len <= MAX_JSONB_STRING)
				break;
			/* FALLTHROUGH */
		case VALUE_NUMBER:
		case VALUE_JSON:
			return parse_jsonb(value);
	}
	return PointerGetDatum(JsonbValueToJsonb(&scalar));
}

bool
value_equal(const Value *a, const Value *b)
{
	Value		plain_a;
	Value		plain_b;

	if (value_is_null(a) || value_is_null(b))
		return value_is_null(a) && value_is_null(b);
	plain_a = value_unescaped(a);
	plain_b = value_unescaped(b);
	return plain_a.len == plain_b.len &&
		memcmp(plain_a.data, plain_b.data, plain_a.len) == 0;
}

bool
value_is(const Value *value, const char *text)
{
	Value		other = value_string(text, (uint32) strlen(text));

	return value_equal(value, &other);
}

/* Has the number a digit other than 0 before its exponent? */
static bool
number_is_nonzero(const Value *number)
{
	for (uint32 i = 0; i < number->len; i++)
	{
		char		c = number->data[i];

		if (c >= '1' && c <= '9')
			return true;
		if (c == 'e' || c == 'E')
			break;
	}
	return false;
}

bool
value_truth(const Value *value)
{
	switch ((ValueKind) value->kind)
	{
		case VALUE_MISSING:
		case VALUE_NULL:
			return false;
		case VALUE_BOOL:
			return value->data[0] == 't';
		case VALUE_NUMBER:
			return number_is_nonzero(value);
		case VALUE_STRING:
			return value->len > 0;
		case VALUE_JSON:
			/* Anything but white space between the brackets? */
			for (uint32 i = 1; i + 1 < value->len; i++)
			{
				if (strchr(" \t\r\n", value->data[i]) == NULL)
					return true;
			}
			return false;
	}
	return false;
}
