/*
 * utf8.c
 *		Makes valid UTF-8 of what a server sent.
 */
#include "postgres.h"

#include "compat.h"
#include "rows/json.h"
#include "rows/json_escape.h"

#define REPLACEMENT_UTF8 "\xEF\xBF\xBD"

/*
 * How many bytes a sequence has by its first one, and what the second one may
 * be (Unicode 15, table 3-7).  Returns 0 for bytes that begin none.  NUL is
 * none either: neither text nor a C string can hold it.
 */
static inline int
sequence_shape(unsigned char first, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xBF;
	if (first < 0x80)
		return first != 0 ? 1 : 0;
	if (first < 0xC2)
		return 0;
	if (first < 0xE0)
		return 2;
	if (first < 0xF0)
	{
		if (first == 0xE0)
			*low = 0xA0;		/* shorter forms exist */
		else if (first == 0xED)
			*high = 0x9F;		/* surrogates */
		return 3;
	}
	if (first < 0xF5)
	{
		if (first == 0xF0)
			*low = 0x90;
		else if (first == 0xF4)
			*high = 0x8F;		/* beyond U+10FFFF */
		return 4;
	}
	return 0;
}

/*
 * Length of the valid UTF-8 sequence at `at`, or 0 and in *bad the length of
 * the maximal part that is to be replaced by one U+FFFD (Unicode 15, 3.9).
 */
static int
utf8_sequence(const char *at, const char *end, int *bad)
{
	const unsigned char *bytes = (const unsigned char *) at;
	unsigned char low;
	unsigned char high;
	int			len = sequence_shape(bytes[0], &low, &high);

	*bad = 1;
	for (int i = 1; i < len; i++)
	{
		if (at + i >= end || bytes[i] < low || bytes[i] > high)
		{
			*bad = i;
			return 0;
		}
		low = 0x80;
		high = 0xBF;
	}
	return len;
}

/* Skip bytes of plain ASCII, as many as come easily. */
static inline const char *
skip_ascii(const char *at, const char *end)
{
#ifndef USE_NO_SIMD
	for (; end - at >= (ptrdiff_t) (4 * sizeof(Vector8)); at += 4 * sizeof(Vector8))
	{
		Vector8		all;
		bool		has_nul = false;

		for (int i = 0; i < 4; i++)
		{
			Vector8		chunk;

			vector8_load(&chunk, (const uint8 *) at + i * sizeof(Vector8));
			has_nul |= vector8_has(chunk, 0);
			all = i == 0 ? chunk : vector8_or(all, chunk);
		}
		if (has_nul || vector8_is_highbit_set(all))
			break;
	}
#endif
	while (at < end && (signed char) *at > 0)
		at++;
	return at;
}

/* Skip letters of two bytes, as Latin, Greek and Cyrillic ones are, that follow each other. */
static inline const char *
skip_pairs(const char *at, const char *end)
{
	while (end - at >= 2 && (unsigned char) at[0] >= 0xC2 && (unsigned char) at[0] < 0xE0 &&
		   ((unsigned char) at[1] & 0xC0) == 0x80)
		at += 2;
	return at;
}

/* The first invalid byte, or the end. */
static const char *
find_invalid(const char *at, const char *end)
{
	int			bad;

	while ((at = skip_ascii(at, end)) < end)
	{
		/* Letters of other scripts seldom come alone. */
		while ((at = skip_pairs(at, end)) < end && (*at & 0x80) != 0)
		{
			int			len = utf8_sequence(at, end, &bad);

			if (len == 0)
				return at;
			at += len;
		}
		/* A NUL is no letter either. */
		if (at < end && *at == 0)
			return at;
	}
	return at;
}

const char *
json_valid_utf8(const char *data, Size *len)
{
	const char *end = data + *len;
	const char *at = data;
	const char *invalid = find_invalid(at, end);
	Size		capacity;
	char	   *valid;
	char	   *out;

	if (invalid == end)
		return data;

	/* At worst each byte becomes a replacement of three. */
	capacity = (invalid - data) + 3 * (Size) (end - invalid);
	valid = out = MemoryContextAllocHuge(CurrentMemoryContext, capacity);
	for (;;)
	{
		int			bad;

		memcpy(out, at, invalid - at);
		out += invalid - at;
		if (invalid == end)
			break;
		(void) utf8_sequence(invalid, end, &bad);
		memcpy(out, REPLACEMENT_UTF8, 3);
		out += 3;
		at = invalid + bad;
		invalid = find_invalid(at, end);
	}
	*len = out - valid;
	return valid;
}
