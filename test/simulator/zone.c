/*
 * zone.c: instants as Jira writes them, in the zone of the account
 *
 * The C library knows the zones but converts slowly and under a process-wide
 * setting, and a page has a thousand dates. So the transitions of a zone are
 * found once, by probing, and kept in a table.
 */
#include "zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ZONE_DIR			"/usr/share/zoneinfo/"
#define ZONE_FIRST_MS		0LL					/* 1970 */
#define ZONE_LAST_MS		(2530764000LL * 1000)	/* 2050 */
#define ZONE_MAX_NAME		64
#define ZONE_MAX_PERIODS	512

typedef struct Period
{
	int64_t		from;			/* first instant of the period */
	int			offset;			/* seconds east of UTC */
} Period;

static char current_name[ZONE_MAX_NAME] = "UTC";
static Period periods[ZONE_MAX_PERIODS];
static int	period_count;

int64_t
wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Ask the C library for the offset at an instant. */
static int
probe_offset(int64_t instant)
{
	time_t		seconds = instant / 1000;
	struct tm	local;

	localtime_r(&seconds, &local);
	return local.tm_gmtoff;
}

/* Find the instant, to the second, from which the later offset holds. */
static int64_t
find_transition(int64_t before, int64_t after)
{
	int			old = probe_offset(before);

	while (after - before > SECOND_MS)
	{
		int64_t		middle = (before + after) / 2 / SECOND_MS * SECOND_MS;

		if (probe_offset(middle) == old)
			before = middle;
		else
			after = middle;
	}
	return after;
}

static void
add_period(int64_t from, int offset)
{
	if (period_count < ZONE_MAX_PERIODS)
		periods[period_count++] = (Period) {from, offset};
}

bool
zone_set(const char *name)
{
	char		path[sizeof(ZONE_DIR) + ZONE_MAX_NAME];
	int			offset;

	if (strlen(name) >= ZONE_MAX_NAME || strstr(name, ".."))
		return false;
	snprintf(path, sizeof(path), "%s%s", ZONE_DIR, name);
	if (strcmp(name, "UTC") != 0 && (!*name || access(path, R_OK) != 0))
		return false;

	strcpy(current_name, name);
	setenv("TZ", name, 1);
	tzset();
	period_count = 0;
	offset = probe_offset(ZONE_FIRST_MS);
	add_period(INT64_MIN, offset);
	for (int64_t at = ZONE_FIRST_MS; at < ZONE_LAST_MS; at += 7 * DAY_MS)
	{
		int			next = probe_offset(at + 7 * DAY_MS);

		if (next != offset)
			add_period(find_transition(at, at + 7 * DAY_MS), next);
		offset = next;
	}
	return true;
}

const char *
zone_name(void)
{
	return current_name;
}

/* The offset in seconds at an instant: the last period that has begun. */
static int
zone_offset(int64_t instant)
{
	int			low = 0;
	int			high = period_count;

	while (high - low > 1)
	{
		int			middle = (low + high) / 2;

		if (periods[middle].from <= instant)
			low = middle;
		else
			high = middle;
	}
	return periods[low].offset;
}

/* Days since 1970 to a civil date (after Howard Hinnant's algorithm). */
static void
civil_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t		era;
	int			of_era,
				year_of_era,
				of_year,
				shifted;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	of_era = days - era * 146097;
	year_of_era = (of_era - of_era / 1460 + of_era / 36524 -
				   of_era / 146096) / 365;
	of_year = of_era - (365 * year_of_era + year_of_era / 4 -
						year_of_era / 100);
	shifted = (5 * of_year + 2) / 153;
	*day = of_year - (153 * shifted + 2) / 5 + 1;
	*month = shifted < 10 ? shifted + 3 : shifted - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

static int64_t
days_from_civil(int64_t year, int month, int day)
{
	int64_t		era;
	int			year_of_era,
				of_year,
				of_era;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = year - era * 400;
	of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
	return era * 146097 + of_era - 719468;
}

/* Write that many digits, zero-padded. */
static char *
put_digits(char *at, int value, int digits)
{
	for (int i = digits - 1; i >= 0; i--)
	{
		at[i] = '0' + value % 10;
		value /= 10;
	}
	return at + digits;
}

/* Write the date and the time of day, "2026-01-31T01:00:00.123". */
static char *
put_timestamp(char *at, int64_t local)
{
	int64_t		days = (local >= 0 ? local : local - (DAY_MS - 1)) / DAY_MS;
	int			rest = local - days * DAY_MS;
	int			year,
				month,
				day;

	civil_from_days(days, &year, &month, &day);
	at = put_digits(at, year, year > 9999 ? 5 : 4);
	*at++ = '-';
	at = put_digits(at, month, 2);
	*at++ = '-';
	at = put_digits(at, day, 2);
	*at++ = 'T';
	at = put_digits(at, rest / HOUR_MS, 2);
	*at++ = ':';
	at = put_digits(at, rest / MINUTE_MS % 60, 2);
	*at++ = ':';
	at = put_digits(at, rest / SECOND_MS % 60, 2);
	*at++ = '.';
	return put_digits(at, rest % SECOND_MS, 3);
}

void
zone_date(Buffer *buf, int64_t instant)
{
	char		text[40];
	int			offset = zone_offset(instant);
	int			minutes = abs(offset) / 60;
	char	   *at = put_timestamp(text, instant + offset * SECOND_MS);

	*at++ = offset < 0 ? '-' : '+';
	at = put_digits(at, minutes / 60, 2);
	at = put_digits(at, minutes % 60, 2);
	buf_add(buf, text, at - text);
}

void
zone_utc(Buffer *buf, int64_t instant)
{
	char		text[40];
	char	   *at = put_timestamp(text, instant);

	*at++ = 'Z';
	buf_add(buf, text, at - text);
}

void
zone_day(Buffer *buf, int64_t instant)
{
	char		text[40];

	put_timestamp(text, instant + zone_offset(instant) * SECOND_MS);
	buf_add(buf, text, 10);
}

void
zone_minute(Buffer *buf, int64_t instant)
{
	char		text[40];

	put_timestamp(text, instant);
	buf_add(buf, text, 16);
	buf_char(buf, 'Z');
}

void
zone_http(Buffer *buf, int64_t instant)
{
	static const char *const weekdays[] =
	{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] =
	{
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
	};
	time_t		seconds = instant / 1000;
	struct tm	utc;

	gmtime_r(&seconds, &utc);
	buf_printf(buf, "%s, %02d %s %d %02d:%02d:%02d GMT",
			   weekdays[utc.tm_wday], utc.tm_mday, months[utc.tm_mon],
			   utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

bool
zone_parse_local(const char *text, int64_t *instant)
{
	int			year,
				month,
				day,
				hour = 0,
				minute = 0;
	char		sep1,
				sep2;
	int			used = 0;
	int64_t		local;

	if (sscanf(text, "%4d%c%2d%c%2d%n", &year, &sep1, &month, &sep2, &day,
			   &used) < 5 || sep1 != sep2 || (sep1 != '-' && sep1 != '/'))
		return false;
	text += used;
	used = 0;
	if (*text && sscanf(text, " %2d:%2d%n", &hour, &minute, &used) < 2)
		return false;
	if (text[used] != '\0' || month < 1 || month > 12 || day < 1 ||
		day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;

	local = days_from_civil(year, month, day) * DAY_MS +
		hour * HOUR_MS + minute * MINUTE_MS;
	/* the offset a day earlier is the one before any change, so it is tried first */
	*instant = local - zone_offset(local - DAY_MS) * SECOND_MS;
	if (*instant + zone_offset(*instant) * SECOND_MS != local)
		*instant = local - zone_offset(local + DAY_MS) * SECOND_MS;
	return true;
}

/* Read the part after the seconds: fraction and offset, in any spelling. */
static bool
parse_offset(const char *text, int64_t *fraction, int64_t *offset)
{
	int			hours,
				minutes;
	int			unit = 100;
	char		sign = *text;

	if (*text == '.')
	{
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			*fraction += (*text - '0') * unit;
		sign = *text;
	}
	if (strcmp(text, "Z") == 0 || strcmp(text, "") == 0)
		return true;
	if ((sign != '+' && sign != '-') ||
		(sscanf(text + 1, "%2d:%2d", &hours, &minutes) < 2 &&
		 sscanf(text + 1, "%2d%2d", &hours, &minutes) < 2))
		return false;
	*offset = (hours * 60 + minutes) * MINUTE_MS * (sign == '-' ? -1 : 1);
	return true;
}

bool
zone_parse_instant(const char *text, int64_t *instant)
{
	int			year,
				month,
				day,
				hour,
				minute,
				second = 0,
				used = 0;
	int64_t		fraction = 0,
				offset = 0;
	char	   *end;

	*instant = strtoll(text, &end, 10);
	if (end != text && *end == '\0')
		return true;
	if (sscanf(text, "%d-%2d-%2dT%2d:%2d%n", &year, &month, &day, &hour,
			   &minute, &used) < 5)
		return false;
	text += used;
	used = 0;
	if (sscanf(text, ":%2d%n", &second, &used) == 1)
		text += used;
	if (!parse_offset(text, &fraction, &offset))
		return false;
	*instant = days_from_civil(year, month, day) * DAY_MS + hour * HOUR_MS +
		minute * MINUTE_MS + second * SECOND_MS + fraction - offset;
	return true;
}
