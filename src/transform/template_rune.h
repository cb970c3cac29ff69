/*
 * template_rune.h
 *		Characters as Go sees them (runes).
 */
#ifndef RESOLUTE_TEMPLATE_RUNE_H
#define RESOLUTE_TEMPLATE_RUNE_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* Classes of characters that Go's libraries decide by Unicode tables. */
#define UNICODE_PRINT 1
#define UNICODE_ALNUM 2

/* Is a character beyond ASCII of this class? */
extern bool unicode_is(uint32 rune, uint8 class);

/*
 * Decode the character at p; sets *size to its bytes.  An invalid byte reads as
 * U+FFFD of size 1, as in Go.
 */
#define RUNE_ERROR 0xFFFD
extern uint32 rune_decode(const char *p, const char *end, int *size);

/* Append a character; one that UTF-8 cannot have becomes RUNE_ERROR. */
extern void append_rune(StringInfo out, uint32 rune);

extern int	count_runes(const char *text, int len);

#endif							/* RESOLUTE_TEMPLATE_RUNE_H */
