/*
 * template_rune.c
 *		Characters, one by one, by the rules of Go's unicode/utf8.
 */
#include "transform/template_rune.h"

#include "mb/pg_wchar.h"

uint32
rune_decode(const char *p, const char *end, int *size)
{
	const unsigned char *u = (const unsigned char *) p;
	int			len;

	*size = 1;
	if (*u < 0x80)
		return *u;
	len = pg_utf_mblen(u);
	if (len > end - p || !pg_utf8_islegal(u, len) || len == 1)
		return RUNE_ERROR;
	*size = len;
	return utf8_to_unicode(u);
}

void
append_rune(StringInfo out, uint32 rune)
{
	unsigned char buffer[8];

	if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF))
		rune = RUNE_ERROR;
	unicode_to_utf8(rune, buffer);
	appendBinaryStringInfo(out, (char *) buffer, pg_utf_mblen(buffer));
}

int
count_runes(const char *text, int len)
{
	const char *end = text + len;
	int			count = 0;
	int			size;

	for (; text < end; text += size, count++)
		rune_decode(text, end, &size);
	return count;
}
