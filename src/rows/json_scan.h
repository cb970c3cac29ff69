/*
 * json_scan.h
 *		The scanner under the JSON reader: finds the ends of strings and of
 *		objects and arrays, 64 bytes at a time.
 *
 * A block of 64 bytes is classified into one bit per byte: quotes, backslashes,
 * opening and closing brackets.  From the quotes follows which bytes are inside
 * a string, and from that which brackets count.  Only the classification
 * differs between the vector and the portable path (json_scan.c); all that is
 * built on the bits is the same code.  (The idea is that of simdjson, Langdale
 * and Lemire, "Parsing gigabytes of JSON per second", 2019.)
 *
 * The scanner only moves forward: block after block, and `at` within the
 * current one or beyond it.  Nothing is ever read at or after `end`.
 */
#ifndef RESOLUTE_JSON_SCAN_H
#define RESOLUTE_JSON_SCAN_H

#include "postgres.h"

#include "port/pg_bitutils.h"

#include "rows/value.h"

#define JSON_BLOCK 64

typedef struct JsonScan
{
	/* Input */
	const char *start;			/* offsets in errors count from here */
	const char *at;				/* next byte to look at */
	const char *end;

	/* The current block, one bit for each byte */
	const char *block;			/* its first byte */
	uint64		quotes;			/* that begin or end a string */
	uint64		backslashes;
	uint64		opens;			/* { and [ outside of strings */
	uint64		closes;			/* } and ] outside of strings */

	/* What the current block hands to the next */
	uint64		in_string;		/* all ones if it ends inside a string */
	uint64		escaped;		/* 1 if the next byte is escaped */

	/* Settings and outcome */
	bool		portable;		/* scan without vector instructions? */
	const char *reason;			/* what is wrong, or NULL */
	const char *reason_at;		/* and where */
} JsonScan;

/* Begin at `data`, which must not be inside a string. */
extern void scan_init(JsonScan *scan, const char *data, const char *end);

/* Classify the block that begins at `block` (at or before the end). */
extern void scan_load(JsonScan *scan, const char *block);

/*
 * Read the value that begins at `at` and move behind it.  Of strings, escapes
 * and control characters are checked only if `strict`; objects and arrays are
 * skipped (brackets balanced, strings closed).  False with a reason if broken.
 */
extern bool scan_value(JsonScan *scan, bool strict, Value *value);

/*
 * Move to the first value of a document, behind a byte order mark (which RFC
 * 8259, 8.1 lets readers ignore) and white space.
 */
extern bool scan_begin(JsonScan *scan);

/* The reason as a palloc'd message: "unexpected character at byte 4711". */
extern char *scan_message(const JsonScan *scan);

/* Note what is wrong at `at`, unless something was noted before. */
static inline bool
scan_fail(JsonScan *scan, const char *reason, const char *at)
{
	if (scan->reason == NULL)
	{
		scan->reason = reason;
		scan->reason_at = at;
	}
	return false;
}

/* The next byte is not what the grammar asks for, or is missing. */
static inline bool
scan_unexpected(JsonScan *scan)
{
	return scan_fail(scan, scan->at < scan->end ? "unexpected character" :
					 "unexpected end of input", scan->at);
}

/* Make the current block the one that holds `at`; false at the end. */
static inline bool
scan_reach(JsonScan *scan)
{
	while (scan->at - scan->block >= JSON_BLOCK)
	{
		if (scan->end - scan->block <= JSON_BLOCK)
			return false;
		scan_load(scan, scan->block + JSON_BLOCK);
	}
	return scan->at < scan->end;
}

/* Skip white space; true if there is a byte after it. */
static inline bool
scan_space(JsonScan *scan)
{
	while (scan->at < scan->end &&
		   (*scan->at == ' ' || *scan->at == '\n' ||
			*scan->at == '\r' || *scan->at == '\t'))
		scan->at++;
	return scan->at < scan->end;
}

/* Take the byte `c` (after white space) or fail. */
static inline bool
scan_expect(JsonScan *scan, char c)
{
	if (!scan_space(scan) || *scan->at != c)
		return scan_unexpected(scan);
	scan->at++;
	return true;
}

/*
 * With `at` behind an opening quote, make *string the slice up to the closing
 * one and move behind that.  Its content is not checked.
 */
static inline bool
scan_string(JsonScan *scan, Value *string)
{
	const char *first = scan->at;
	uint64		backslashes = 0;

	while (scan_reach(scan))
	{
		uint64		from = ~UINT64CONST(0) << (scan->at - scan->block);
		uint64		quotes = scan->quotes & from;

		if (quotes != 0)
		{
			uint64		before = (quotes & -quotes) - 1;
			const char *last = scan->block + pg_rightmost_one_pos64(quotes);

			backslashes |= scan->backslashes & from & before;
			*string = value_string(first, (uint32) (last - first));
			if (backslashes != 0)
				string->flags = VALUE_ESCAPED;
			scan->at = last + 1;
			return true;
		}
		backslashes |= scan->backslashes & from;
		scan->at = scan->block + JSON_BLOCK;
	}
	scan->at = scan->end;
	return scan_fail(scan, "unexpected end of input", scan->end);
}

#endif							/* RESOLUTE_JSON_SCAN_H */
