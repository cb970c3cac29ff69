/*
 * json_escape.h
 *		Escapes inside JSON strings: read, checked, repaired.
 */
#ifndef RESOLUTE_JSON_ESCAPE_H
#define RESOLUTE_JSON_ESCAPE_H

#include "postgres.h"

#include "rows/value.h"

/* Longest UTF-8 sequence. */
#define UTF8_MAX_BYTES 4

/*
 * First byte of a VALUE_STRING's slice that JSON does not allow there (invalid
 * escape, control character), or NULL.
 */
extern const char *json_string_fault(const Value *string);

/* Append the string with its escapes resolved, in UTF-8. */
extern void json_append_unescaped(StringInfo out, const Value *string);

/*
 * Append a JSON document (or the inside of a string) with those escapes
 * replaced that PostgreSQL refuses: \u0000 and lone surrogates.  With decode,
 * every \u escape beyond ASCII becomes the character itself, since an encoding
 * other than UTF-8 may not hold it and jsonb would raise an error.
 */
extern void json_append_repaired(StringInfo out, const char *data, Size len, bool decode);

#endif							/* RESOLUTE_JSON_ESCAPE_H */
