/*
 * cron_ticks.c
 *		Cron expressions and their ticks.
 *
 * pg_cron looks at every minute of real time, and fires where the local time of
 * that minute matches.  So a minute that the clock skips in spring has no tick, and one
 * that it repeats in autumn has two.  The search below does the same, and
 * leaps over months, days and hours that do not match.
 */
#include "flow/cron_ticks.h"

#include <ctype.h>

#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/* February 29 on a given weekday comes every 28 years, or after 40 over a century. */
#define SEARCH_SECONDS (INT64CONST(40) * 366 * SECS_PER_DAY)

/* One of the five fields. */
typedef struct CronField
{
	const char *name;
	int			low;
	int			high;
	const char *const *words;	/* of the numbers from low on, or NULL */
} CronField;

static const char *const month_words[] = {
	"jan", "feb", "mar", "apr", "may", "jun",
	"jul", "aug", "sep", "oct", "nov", "dec", NULL
};

/* Sunday is 0 and 7. */
static const char *const weekday_words[] = {
	"sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL
};

enum
{
	MINUTE_FIELD, HOUR_FIELD, DAY_FIELD, MONTH_FIELD, WEEKDAY_FIELD, N_FIELDS
};

static const CronField cron_fields[N_FIELDS] = {
	{"minute", 0, 59, NULL},
	{"hour", 0, 23, NULL},
	{"day of the month", 1, 31, NULL},
	{"month", 1, 12, month_words},
	{"day of the week", 0, 7, weekday_words},
};

/* What the words after "@" stand for. */
static const struct
{
	const char *word;
	const char *expression;
}			cron_words[] = {
	{"yearly", "0 0 1 1 *"},
	{"annually", "0 0 1 1 *"},
	{"monthly", "0 0 1 * *"},
	{"weekly", "0 0 * * 0"},
	{"daily", "0 0 * * *"},
	{"midnight", "0 0 * * *"},
	{"hourly", "0 * * * *"},
};

/* Read a number or a name of the field and move on; -1 if there is none. */
static int
read_number(const char **text, const CronField *field)
{
	const char *start = *text;
	int			length = 0;
	int			number = 0;

	while (isalnum((unsigned char) start[length]))
		length++;
	*text += length;
	if (field && field->words)
		for (int i = 0; field->words[i]; i++)
			if (length == (int) strlen(field->words[i]) &&
				pg_strncasecmp(start, field->words[i], length) == 0)
				return field->low + i;
	if (length == 0 || length > 4)
		return -1;
	for (int i = 0; i < length; i++)
	{
		if (!isdigit((unsigned char) start[i]))
			return -1;
		number = number * 10 + (start[i] - '0');
	}
	return number;
}

/* Read "*", "n", "n-m", and the latter two with "/step", into the set. */
static bool
read_range(const char **text, const CronField *field, uint64 *set)
{
	int			from = field->low;
	int			to = field->high;
	int			step = 1;
	bool		range = true;

	if (**text == '*')
		(*text)++;
	else
	{
		from = to = read_number(text, field);
		range = **text == '-';
		if (range)
		{
			(*text)++;
			to = read_number(text, field);
		}
	}
	if (range && **text == '/')
	{
		(*text)++;
		step = read_number(text, NULL);
	}
	if (from < field->low || to > field->high || to < from || step < 1)
		return false;
	for (int i = from; i <= to; i += step)
		*set |= UINT64CONST(1) << i;
	return true;
}

/* Read a list of ranges, up to the blank that ends the field. */
static bool
read_field(const char **text, const CronField *field, uint64 *set, bool *last_day)
{
	*set = 0;
	for (;;)
	{
		if (**text == '$' && field == &cron_fields[DAY_FIELD])
		{
			*last_day = true;
			(*text)++;
		}
		else if (!read_range(text, field, set))
			return false;
		if (**text != ',')
			break;
		(*text)++;
	}
	if (**text != '\0' && **text != ' ' && **text != '\t')
		return false;
	*text += strspn(*text, " \t");
	return true;
}

/* Read the five fields. */
static bool
parse_fields(const char *text, CronSchedule *schedule, char **problem)
{
	uint64		sets[N_FIELDS];

	text += strspn(text, " \t");
	for (int i = 0; i < N_FIELDS; i++)
	{
		const CronField *field = &cron_fields[i];

		if (*text == '\0')
		{
			*problem = psprintf("It has %d of the 5 fields: minute, hour, day of the month, month, day of the week.", i);
			return false;
		}

		/* As in Vixie cron, a star with a step counts as a star. */
		if (*text == '*' && (i == DAY_FIELD || i == WEEKDAY_FIELD))
			schedule->both_days = true;
		if (!read_field(&text, field, &sets[i], &schedule->last_day))
		{
			*problem = psprintf("Field %d, the %s, takes numbers from %d to %d, ranges, steps and lists of them.",
								i + 1, field->name, field->low, field->high);
			return false;
		}
	}
	if (*text != '\0')
	{
		*problem = pstrdup("It has more than 5 fields.");
		return false;
	}
	schedule->minutes = sets[MINUTE_FIELD];
	schedule->hours = (uint32) sets[HOUR_FIELD];
	schedule->days = (uint32) sets[DAY_FIELD];
	schedule->months = (uint16) sets[MONTH_FIELD];
	schedule->weekdays = (uint8) ((sets[WEEKDAY_FIELD] | sets[WEEKDAY_FIELD] >> 7) & 0x7f);
	return true;
}

/* "30 seconds", "1 second": pg_cron's own intervals.  False: something else. */
static bool
parse_seconds(const char *text, int *seconds)
{
	text += strspn(text, " \t");
	*seconds = read_number(&text, NULL);
	text += strspn(text, " \t");
	if (pg_strncasecmp(text, "second", 6) != 0)
		return false;
	text += 6;
	if (*text == 's' || *text == 'S')
		text++;
	return text[strspn(text, " \t")] == '\0';
}

bool
cron_parse(const char *text, CronSchedule *schedule, char **problem)
{
	int			seconds;

	memset(schedule, 0, sizeof(*schedule));
	if (parse_seconds(text, &seconds))
	{
		schedule->every_seconds = seconds;
		if (seconds >= 1 && seconds <= CRON_MAX_SECONDS)
			return true;
		*problem = psprintf("An interval has 1 to %d seconds.", CRON_MAX_SECONDS);
		return false;
	}
	if (*text != '@')
		return parse_fields(text, schedule, problem);
	if (strcmp(text + 1, "reboot") == 0 || strcmp(text + 1, "restart") == 0)
	{
		schedule->at_start = true;
		return true;
	}
	for (size_t i = 0; i < lengthof(cron_words); i++)
		if (strcmp(text + 1, cron_words[i].word) == 0)
			return parse_fields(cron_words[i].expression, schedule, problem);
	*problem = pstrdup("The words are @yearly, @monthly, @weekly, @daily, @hourly and @reboot.");
	return false;
}

/* Is the day one on which the job fires? */
static bool
day_matches(const CronSchedule *schedule, const struct pg_tm *tm)
{
	int			year = tm->tm_year + 1900;
	bool		day = schedule->days >> tm->tm_mday & 1;
	bool		weekday = schedule->weekdays >> tm->tm_wday & 1;

	if (schedule->last_day &&
		tm->tm_mday == day_tab[isleap(year)][tm->tm_mon])
		day = true;
	return schedule->both_days ? day && weekday : day || weekday;
}

/*
 * How many minutes are there from this one, which lies in a month, day, hour or
 * minute that does not match, to the first one beyond?  0: it matches.
 */
static int64
minutes_to_leap(const CronSchedule *schedule, const struct pg_tm *tm, bool forward)
{
	int			last_day = day_tab[isleap(tm->tm_year + 1900)][tm->tm_mon];
	int			days = forward ? last_day - tm->tm_mday : tm->tm_mday - 1;
	int			hours = forward ? HOURS_PER_DAY - 1 - tm->tm_hour : tm->tm_hour;
	int			minutes = forward ? MINS_PER_HOUR - tm->tm_min : tm->tm_min + 1;

	if (!(schedule->months >> (tm->tm_mon + 1) & 1))
		return ((int64) days * HOURS_PER_DAY + hours) * MINS_PER_HOUR + minutes;
	if (!day_matches(schedule, tm))
		return (int64) hours * MINS_PER_HOUR + minutes;
	if (!(schedule->hours >> tm->tm_hour & 1))
		return minutes;
	return schedule->minutes >> tm->tm_min & 1 ? 0 : 1;
}

/*
 * Move on by that many minutes, or by fewer if the clock is changed on the
 * way: then the leap would not end where it was meant to.
 */
static void
move(pg_time_t *at, int64 minutes, bool forward, long offset, pg_tz *zone)
{
	for (;;)
	{
		pg_time_t	to = *at + (forward ? minutes : -minutes) * SECS_PER_MINUTE;
		const struct pg_tm *tm = pg_localtime(&to, zone);

		if (minutes == 1 || tm == NULL || tm->tm_gmtoff == offset)
		{
			*at = to;
			return;
		}
		minutes = (minutes + 1) / 2;
	}
}

/* Search from the given minute on. */
static bool
search(const CronSchedule *schedule, pg_time_t start, pg_tz *zone, bool forward,
	   TimestampTz *tick)
{
	pg_time_t	at = start;

	if (schedule->every_seconds > 0 || schedule->at_start)
		return false;
	while (llabs(at - start) <= SEARCH_SECONDS)
	{
		const struct pg_tm *tm = pg_localtime(&at, zone);
		int64		minutes;

		CHECK_FOR_INTERRUPTS();
		if (tm == NULL)
			return false;
		minutes = minutes_to_leap(schedule, tm, forward);
		if (minutes == 0)
		{
			*tick = time_t_to_timestamptz(at);
			return true;
		}
		move(&at, minutes, forward, tm->tm_gmtoff, zone);
	}
	return false;
}

/* The start of the minute of now, since 1970; cron knows nothing finer. */
static pg_time_t
minute_of(TimestampTz now)
{
	pg_time_t	at = timestamptz_to_time_t(now);
	pg_time_t	second = at % SECS_PER_MINUTE;

	/* The division above rounds towards zero, so before 1970 it is negative. */
	return at - (second < 0 ? second + SECS_PER_MINUTE : second);
}

bool
cron_last_tick(const CronSchedule *schedule, TimestampTz now, pg_tz *zone,
			   TimestampTz *tick)
{
	return search(schedule, minute_of(now), zone, false, tick);
}

bool
cron_next_tick(const CronSchedule *schedule, TimestampTz now, pg_tz *zone,
			   TimestampTz *tick)
{
	return search(schedule, minute_of(now) + SECS_PER_MINUTE, zone, true, tick);
}
