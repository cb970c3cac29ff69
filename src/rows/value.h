/*
 * value.h
 *		A Value is a slice of a page: what flows through resolute is never
 *		copied and seldom converted.
 *
 * The bytes belong to the page (or, for values that a transform made, to the
 * page's memory context) and live as long as the page does.  They are valid
 * UTF-8 whatever the encoding of the database; value_cstring() and
 * value_text() convert.
 */
#ifndef RESOLUTE_VALUE_H
#define RESOLUTE_VALUE_H

#include "postgres.h"

#include "compat.h"
#include "lib/stringinfo.h"

typedef enum ValueKind
{
	VALUE_MISSING = 0,			/* the field is not there; zeroed memory */
	VALUE_NULL,					/* JSON null */
	VALUE_BOOL,					/* slice is true or false */
	VALUE_NUMBER,				/* slice is a JSON number, as it was sent */
	VALUE_STRING,				/* slice is between the quotes, see below */
	VALUE_JSON					/* slice is a whole object or array */
} ValueKind;

/* A VALUE_STRING whose slice still holds JSON escapes (\n, \u00e9, ...). */
#define VALUE_ESCAPED 0x01

typedef struct Value
{
	const char *data;			/* first byte; not NUL-terminated */
	uint32		len;			/* bytes */
	uint8		kind;			/* a ValueKind */
	uint8		flags;			/* VALUE_ESCAPED */
} Value;

#define value_is_null(v) ((v)->kind <= VALUE_NULL)

static inline Value
value_make(ValueKind kind, const char *data, uint32 len)
{
	Value		value = {data, len, (uint8) kind, 0};

	return value;
}

/* A plain string (no escapes); the caller keeps the bytes alive. */
#define value_string(data, len) value_make(VALUE_STRING, (data), (len))
#define value_null() value_make(VALUE_NULL, NULL, 0)

/*
 * Append what the value reads as in plain text, in UTF-8: strings with their
 * escapes resolved (\u0000 and lone surrogates become U+FFFD), numbers,
 * booleans and documents as they were sent, nothing for null and missing.
 */
extern void value_append_text(StringInfo out, const Value *value);

/*
 * Append the value as a JSON document in UTF-8 that json and jsonb accept:
 * \u0000 and lone surrogates become \ufffd; missing becomes null.
 */
extern void value_append_json(StringInfo out, const Value *value);

/* Append bytes of UTF-8 as the inside of a JSON string (no quotes around). */
extern void json_append_escaped(StringInfo out, const char *data, Size len);

/*
 * The plain text in the database's encoding, palloc'd; NULL for null/missing.
 * Here and below, what the encoding cannot hold becomes '?'.
 */
extern char *value_cstring(const Value *value);

/* A text datum in the database's encoding; never call it for null/missing. */
extern Datum value_text(const Value *value);

/* A jsonb datum (JSON null for null and missing).  Raises 22P02 if malformed. */
extern Datum value_jsonb(const Value *value);

/*
 * A string without escapes that reads the same: the value itself if it has
 * none, otherwise a palloc'd copy with the escapes resolved.
 */
extern Value value_unescaped(const Value *value);

/* Do both read the same as plain text?  Missing and null equal each other. */
extern bool value_equal(const Value *a, const Value *b);

/* Does the value read as this NUL-terminated text?  Null and missing never do. */
extern bool value_is(const Value *value, const char *text);

/*
 * Truth by the rules of Go templates: not missing, null, false, 0, "", [], {}.
 */
extern bool value_truth(const Value *value);

#endif							/* RESOLUTE_VALUE_H */
