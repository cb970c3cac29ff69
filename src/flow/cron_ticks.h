/*
 * cron_ticks.h
 *		Cron expressions: when does pg_cron fire a job?
 *
 * The language is that of pg_cron's parser (src/entry.c, from Vixie cron): five
 * fields of lists, ranges, steps and names, @hourly and its like, "$" for the
 * last day of the month, and "30 seconds".  What pg_cron takes without
 * reading it as cron would (text after the fifth field, ranges that run backwards) is refused here.
 */
#ifndef RESOLUTE_CRON_TICKS_H
#define RESOLUTE_CRON_TICKS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "pgtime.h"

/* pg_cron runs a job every 1 to 59 seconds. */
#define CRON_MAX_SECONDS 59

/* A cron expression, as sets of bits; bit n stands for the number n. */
typedef struct CronSchedule
{
	uint64		minutes;		/* 0 to 59 */
	uint32		hours;			/* 0 to 23 */
	uint32		days;			/* 1 to 31 */
	uint16		months;			/* 1 to 12 */
	uint8		weekdays;		/* 0 to 6, from Sunday */
	bool		last_day;		/* "$": also the last day of the month */
	bool		both_days;		/* day and weekday must match, not one of them */
	int			every_seconds;	/* not 0: an interval, without fixed ticks */
	bool		at_start;		/* @reboot: fires when the server starts */
} CronSchedule;

/*
 * Parse an expression.  False where it is not understood; *problem is then a
 * sentence that says why, palloc'd.
 */
extern bool cron_parse(const char *text, CronSchedule *schedule, char **problem);

/*
 * The latest tick at or before now, and the first one after it: the start of
 * a minute, in that zone.  False where there is none within 40 years, or
 * where the expression has no fixed ticks.
 */
extern bool cron_last_tick(const CronSchedule *schedule, TimestampTz now,
						   pg_tz *zone, TimestampTz *tick);
extern bool cron_next_tick(const CronSchedule *schedule, TimestampTz now,
						   pg_tz *zone, TimestampTz *tick);

#endif							/* RESOLUTE_CRON_TICKS_H */
