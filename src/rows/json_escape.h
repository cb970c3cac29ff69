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
 * Decode the escape that begins with the backslash at `at` (which is before
 * `end`): a code point, with U+FFFD for \u0000 and lone surrogates; two escapes
 * that make a surrogate pair count as one.  Sets *len to the bytes it takes.
 * Returns -1 if it is no valid escape (*len is 1).
 */
extern int32 json_decode_escape(const char *at, const char *end, int *len);

/* Encode a code point as UTF-8; returns the number of bytes (1 to 4). */
extern int	utf8_encode(int32 codepoint, char *out);

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

/*
 * Length of the valid UTF-8 sequence at `at`, or 0 and in *bad the length of
 * the maximal part that is to be replaced by one U+FFFD (Unicode 15, 3.9).
 */
extern int	utf8_sequence(const char *at, const char *end, int *bad);

#endif							/* RESOLUTE_JSON_ESCAPE_H */
