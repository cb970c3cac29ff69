/*
 * layout.h
 *		Go's time layouts: a format is given as the reference time, Mon Jan 2
 *		15:04:05 MST 2006, written as the result should look.
 *
 * The elements, and how they are found in a layout, are those of Go's package
 * time (format.go, nextStdChunk): "2006-01-02T15:04:05Z07:00".
 */
#ifndef RESOLUTE_LAYOUT_H
#define RESOLUTE_LAYOUT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "pgtime.h"

/* What a layout holds; the bits that go_layout_elements() returns. */
#define LAYOUT_YEAR			0x0001
#define LAYOUT_MONTH		0x0002
#define LAYOUT_DAY			0x0004
#define LAYOUT_YEAR_DAY		0x0008	/* 002, __2: makes month and day needless */
#define LAYOUT_HOUR			0x0010
#define LAYOUT_HOUR12		0x0020	/* 3, 03: needs PM beside it */
#define LAYOUT_PM			0x0040
#define LAYOUT_MINUTE		0x0080
#define LAYOUT_SECOND		0x0100
#define LAYOUT_FRACTION		0x0200
#define LAYOUT_WEEKDAY		0x0400
#define LAYOUT_OFFSET		0x0800	/* -0700, Z07:00 and their like */
#define LAYOUT_ZONE			0x1000	/* MST: an abbreviation */

/* Which elements are in the layout?  0: none, so that it is no layout. */
extern int	go_layout_elements(const char *layout);

/*
 * Does the layout end in a "Z" of its own ("2006-01-02T15:04:05Z")?  For Go
 * that is plain text; who reads the result takes it for UTC.
 */
extern bool go_layout_says_utc(const char *layout);

/*
 * Append the instant as the layout writes it in that zone, cutting off (never
 * rounding) what the layout does not show.  UTC must be pg_tzset("UTC") for
 * "MST" to read "UTC", as Go has it.  Raises 22008 for infinite and for
 * unrepresentable instants.
 */
extern void go_layout_format(StringInfo out, const char *layout,
							 TimestampTz instant, pg_tz *zone);

/*
 * Read a text that the layout describes, as Go's time.Parse does: the fraction of a
 * second may be there even if the layout has none, and what the layout does not
 * name is as in January 1, 00:00:00 UTC.  Digits below microseconds are cut
 * off.  An abbreviation of a time zone other than UTC and GMT has no certain meaning, so it is refused.
 * Returns NULL, or what is wrong as a sentence that does not show the text.
 */
extern const char *go_layout_parse(const char *layout, const char *text,
								   TimestampTz *instant);

#endif							/* RESOLUTE_LAYOUT_H */
