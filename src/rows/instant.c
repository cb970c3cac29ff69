/*
 * instant.c
 *		Reads instants softly: what is no instant is no error here.
 */
#include "rows/instant.h"

#include <ctype.h>

#include "compat.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/* An instant is written in less than this, whatever its notation. */
#define INSTANT_MAX_LEN 128

/*
 * Only digits, separators, "T" and "Z": PostgreSQL's own parser would also take
 * words such as "now" and "tomorrow".
 */
static bool
looks_like_instant(const char *text)
{
	if (!isdigit((unsigned char) text[0]))
		return false;
	return text[strspn(text, "0123456789-:.+TZ")] == '\0' && strchr(text, '-') != NULL;
}

/* "2024-01-02T03:04:05" */
#define DATE_TIME_LEN 19
#define MAX_FRACTION_DIGITS 6

/* The number that n digits make, or -1 if one is none. */
static inline int
digits(const char *at, int n)
{
	int			number = 0;

	for (int i = 0; i < n; i++)
	{
		if (at[i] < '0' || at[i] > '9')
			return -1;
		number = number * 10 + (at[i] - '0');
	}
	return number;
}

/* Is it from low to high? */
static inline bool
within(int number, int low, int high)
{
	return number >= low && number <= high;
}

/* Read "2024-01-02T03:04:05" as if it were UTC. */
static bool
read_date_time(const char *at, TimestampTz *instant)
{
	int			year = digits(at, 4);
	int			month = digits(at + 5, 2);
	int			day = digits(at + 8, 2);
	int			hour = digits(at + 11, 2);
	int			minute = digits(at + 14, 2);
	int			second = digits(at + 17, 2);

	if (at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':' ||
		year < 1 || !within(month, 1, MONTHS_PER_YEAR) ||
		!within(day, 1, day_tab[isleap(year)][month - 1]) ||
		!within(hour, 0, 23) || !within(minute, 0, 59) || !within(second, 0, 59))
		return false;
	*instant = (date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY +
		((hour * MINS_PER_HOUR + minute) * SECS_PER_MINUTE + second) * USECS_PER_SEC;
	return true;
}

/* Read what is left, the zone: Z, +hhmm or +hh:mm, in minutes east of Greenwich. */
static bool
read_zone(const char *at, const char *end, int *east)
{
	int			hours;
	int			minutes;

	*east = 0;
	if (end - at == 1)
		return *at == 'Z';
	if ((*at != '+' && *at != '-') ||
		!(end - at == 5 || (end - at == 6 && at[3] == ':')))
		return false;
	hours = digits(at + 1, 2);
	minutes = digits(end - 2, 2);
	if (!within(hours, 0, MAX_TZDISP_HOUR) || !within(minutes, 0, 59))
		return false;
	*east = (hours * MINS_PER_HOUR + minutes) * (*at == '-' ? -1 : 1);
	return true;
}

bool
instant_from_rfc3339(const char *text, Size len, TimestampTz *instant)
{
	const char *at = text + DATE_TIME_LEN;
	const char *end = text + len;
	int			unit = USECS_PER_SEC;
	int			east;

	if (len <= DATE_TIME_LEN || !read_date_time(text, instant))
		return false;
	if (*at == '.')
	{
		for (at++; at < end && *at >= '0' && *at <= '9'; at++)
		{
			unit /= 10;
			*instant += unit * (*at - '0');
		}
		/* More digits than we keep would have to be rounded. */
		if (!within(at - text - DATE_TIME_LEN - 1, 1, MAX_FRACTION_DIGITS))
			return false;
	}
	if (at == end || !read_zone(at, end, &east))
		return false;
	*instant -= east * USECS_PER_MINUTE;
	return true;
}

bool
instant_from_value(const Value *value, TimestampTz *instant)
{
	char		text[INSTANT_MAX_LEN + 1];
	char		work[INSTANT_MAX_LEN + MAXDATEFIELDS];
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	int			nfields,
				dtype,
				tz = 0;
	struct pg_tm tm;
	fsec_t		fsec;

	if (value->kind != VALUE_STRING || (value->flags & VALUE_ESCAPED) ||
		value->len == 0 || value->len > INSTANT_MAX_LEN)
		return false;
	if (instant_from_rfc3339(value->data, value->len, instant))
		return true;
	memcpy(text, value->data, value->len);
	text[value->len] = '\0';
	if (!looks_like_instant(text) ||
		ParseDateTime(text, work, sizeof(work), field, ftype, MAXDATEFIELDS, &nfields) != 0 ||
		decode_date_time(field, ftype, nfields, &dtype, &tm, &fsec, &tz) != 0 ||
		dtype != DTK_DATE)
		return false;
	return tm2timestamp(&tm, fsec, &tz, instant) == 0;
}
