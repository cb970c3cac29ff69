/*
 * zone.h: instants as Jira writes them, in the zone of the account
 *
 * An instant is milliseconds since 1970 UTC in an int64_t.
 */
#ifndef SIMULATOR_ZONE_H
#define SIMULATOR_ZONE_H

#include "buffer.h"

#define SECOND_MS	1000LL
#define MINUTE_MS	(60 * SECOND_MS)
#define HOUR_MS		(60 * MINUTE_MS)
#define DAY_MS		(24 * HOUR_MS)

/* The wall clock, and a clock for deadlines. */
extern int64_t wall_ms(void);
extern int64_t monotonic_ms(void);

/* Make a zone of the tz database current; false if there is none such. */
extern bool zone_set(const char *name);
extern const char *zone_name(void);

/* Append "2026-01-31T01:00:00.123+0100". */
extern void zone_date(Buffer *buf, int64_t instant);

/* Append "2026-01-31T00:00:00.123Z", "2026-01-31", an HTTP date. */
extern void zone_utc(Buffer *buf, int64_t instant);
extern void zone_day(Buffer *buf, int64_t instant);
extern void zone_http(Buffer *buf, int64_t instant);

/* Append what X-RateLimit-Reset holds, "2026-01-31T00:00Z". */
extern void zone_minute(Buffer *buf, int64_t instant);

/*
 * Read "yyyy-MM-dd[ HH:mm]" or with slashes, as local time of the zone (of
 * an hour that occurs twice the first is meant); false if it is not a date.
 */
extern bool zone_parse_local(const char *text, int64_t *instant);

/* Read an instant of a control request: ISO with Z or offset, or ms. */
extern bool zone_parse_instant(const char *text, int64_t *instant);

#endif
