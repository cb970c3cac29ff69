/*
 * layout_parse.c
 *		Reads what a Go layout describes, as time.Parse does.
 */
#include "rows/layout_private.h"

#include "utils/datetime.h"
#include "utils/timestamp.h"

/* Two digits of a year from here on belong to the last century, as for Go. */
#define FIRST_YEAR_OF_CENTURY 69

/* The parts of the text while it is read. */
typedef struct Parse
{
	const char *at;				/* what is left of the text */
	int			year;
	int			month;			/* 0: not named */
	int			day;			/* 0: not named */
	int			year_day;		/* 0: not named */
	int			hour;
	int			minute;
	int			second;
	int			micros;
	int			offset;			/* seconds east of UTC */
	bool		pm;
	bool		am;
} Parse;

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Read a number of at most max digits, and of at least min.  False where there are
 * fewer, or where it is not from low to high.
 */
static bool
read_number(Parse *parse, int min, int max, int low, int high, int *number)
{
	int			n = 0;

	*number = 0;
	for (; n < max && is_digit(parse->at[n]); n++)
		*number = *number * 10 + (parse->at[n] - '0');
	parse->at += n;
	return n >= min && *number >= low && *number <= high;
}

/* Read one of some names, whatever its case; its number from 1 on, or 0. */
static int
read_name(Parse *parse, const char *const *names, int n, int length)
{
	for (int i = 0; i < n; i++)
	{
		int			len = length ? length : (int) strlen(names[i]);

		if (pg_strncasecmp(parse->at, names[i], len) == 0)
		{
			parse->at += len;
			return i + 1;
		}
	}
	return 0;
}

/* Pass over plain text; a space of the layout stands for any number of them. */
static bool
read_literal(Parse *parse, char literal)
{
	if (literal == ' ')
	{
		if (*parse->at != ' ' && *parse->at != '\0')
			return false;
		while (*parse->at == ' ')
			parse->at++;
		return true;
	}
	if (*parse->at != literal)
		return false;
	parse->at++;
	return true;
}

/* Read the separator and the digits of a fraction; digits 0: however many there are. */
static bool
read_fraction(Parse *parse, int digits)
{
	int			unit = USECS_PER_SEC;
	int			n = 0;

	if (*parse->at != '.' && *parse->at != ',')
		return false;
	parse->at++;
	parse->micros = 0;
	for (; is_digit(parse->at[n]) && (digits == 0 || n < digits); n++)
	{
		unit /= 10;
		parse->micros += unit * (parse->at[n] - '0');
	}
	parse->at += n;
	return n > 0 && (digits == 0 || n == digits);
}

static bool
read_offset(Parse *parse, const Element *element)
{
	bool		colon = (element->detail & WITH_COLON) != 0;
	int			sign;
	int			hours;
	int			minutes = 0;
	int			seconds = 0;

	if (element->kind == GO_ISO_OFFSET && *parse->at == 'Z')
	{
		parse->at++;
		parse->offset = 0;
		return true;
	}
	if (*parse->at != '+' && *parse->at != '-')
		return false;
	sign = *parse->at++ == '-' ? -1 : 1;
	if (!read_number(parse, 2, 2, 0, 24, &hours))
		return false;
	if (element->detail & WITH_MINUTES &&
		((colon && !read_literal(parse, ':')) || !read_number(parse, 2, 2, 0, 59, &minutes)))
		return false;
	if (element->detail & WITH_SECONDS &&
		((colon && !read_literal(parse, ':')) || !read_number(parse, 2, 2, 0, 59, &seconds)))
		return false;
	parse->offset = sign * ((hours * MINS_PER_HOUR + minutes) * SECS_PER_MINUTE + seconds);
	return true;
}

static bool
read_year(Parse *parse, ElementKind kind)
{
	if (kind == GO_LONG_YEAR)
		return read_number(parse, 4, 4, 0, 9999, &parse->year);
	if (!read_number(parse, 2, 2, 0, 99, &parse->year))
		return false;
	parse->year += parse->year >= FIRST_YEAR_OF_CENTURY ? 1900 : 2000;
	return true;
}

/* Read the morning or the evening. */
static bool
read_half(Parse *parse, bool upper)
{
	parse->am = strncmp(parse->at, upper ? "AM" : "am", 2) == 0;
	parse->pm = strncmp(parse->at, upper ? "PM" : "pm", 2) == 0;
	parse->at += 2;
	return parse->am || parse->pm;
}

/* Read what names a day. */
static bool
read_date(Parse *parse, ElementKind kind)
{
	int			spaces = kind == GO_UNDER_DAY ? 1 : kind == GO_UNDER_YEAR_DAY ? 2 : 0;

	for (; spaces > 0 && *parse->at == ' '; spaces--)
		parse->at++;
	switch (kind)
	{
		case GO_LONG_MONTH:
			return (parse->month = read_name(parse, go_long_months, MONTHS_PER_YEAR, 0)) > 0;
		case GO_SHORT_MONTH:
			return (parse->month = read_name(parse, go_long_months, MONTHS_PER_YEAR, 3)) > 0;
		case GO_NUM_MONTH:
			return read_number(parse, 1, 2, 1, 12, &parse->month);
		case GO_ZERO_MONTH:
			return read_number(parse, 2, 2, 1, 12, &parse->month);
		case GO_LONG_WEEKDAY:
			return read_name(parse, days, 7, 0) > 0;
		case GO_SHORT_WEEKDAY:
			return read_name(parse, days, 7, 3) > 0;
		case GO_DAY:
		case GO_UNDER_DAY:
			return read_number(parse, 1, 2, 1, 31, &parse->day);
		case GO_ZERO_DAY:
			return read_number(parse, 2, 2, 1, 31, &parse->day);
		case GO_UNDER_YEAR_DAY:
			return read_number(parse, 1, 3, 1, 366, &parse->year_day);
		default:
			return read_number(parse, 3, 3, 1, 366, &parse->year_day);
	}
}

/* Read an hour, a minute or a second. */
static bool
read_clock(Parse *parse, const Element *element, const char *rest)
{
	switch (element->kind)
	{
		case GO_HOUR:
			return read_number(parse, 1, 2, 0, 23, &parse->hour);
		case GO_HOUR12:
			return read_number(parse, 1, 2, 0, 12, &parse->hour);
		case GO_ZERO_HOUR12:
			return read_number(parse, 2, 2, 0, 12, &parse->hour);
		case GO_MINUTE:
			return read_number(parse, 1, 2, 0, 59, &parse->minute);
		case GO_ZERO_MINUTE:
			return read_number(parse, 2, 2, 0, 59, &parse->minute);
		default:
			break;
	}
	if (!read_number(parse, element->kind == GO_SECOND ? 1 : 2, 2, 0, 59, &parse->second))
		return false;

	/* A fraction may follow even where the layout has none. */
	if ((*parse->at == '.' || *parse->at == ',') && is_digit(parse->at[1]) &&
		go_layout_element(rest).bit != LAYOUT_FRACTION)
		return read_fraction(parse, 0);
	return true;
}

/* Only the one zone that needs no table. */
static bool
read_zone(Parse *parse)
{
	if (strncmp(parse->at, "UTC", 3) != 0 && strncmp(parse->at, "GMT", 3) != 0)
		return false;
	parse->at += 3;
	return true;
}

/* Read one element; rest is what follows it in the layout. */
static bool
read_element(Parse *parse, const Element *element, const char *at, const char *rest)
{
	switch (element->kind)
	{
		case GO_LITERAL:
			return read_literal(parse, *at);
		case GO_LONG_YEAR:
		case GO_YEAR:
			return read_year(parse, element->kind);
		case GO_ZONE_NAME:
			return read_zone(parse);
		case GO_ISO_OFFSET:
		case GO_NUM_OFFSET:
			return read_offset(parse, element);
		case GO_FRACTION_ZEROS:
			return read_fraction(parse, element->detail);
		case GO_FRACTION_NINES:
			return (*parse->at != '.' && *parse->at != ',') || !is_digit(parse->at[1]) ||
				read_fraction(parse, 0);
		case GO_HOUR:
		case GO_HOUR12:
		case GO_ZERO_HOUR12:
		case GO_MINUTE:
		case GO_ZERO_MINUTE:
		case GO_SECOND:
		case GO_ZERO_SECOND:
			return read_clock(parse, element, rest);
		case GO_UPPER_PM:
		case GO_LOWER_PM:
			return read_half(parse, element->kind == GO_UPPER_PM);
		default:
			return read_date(parse, element->kind);
	}
}

/* Put the parts together.  False for a day that the month or the year does not have. */
static bool
join_parts(const Parse *parse, TimestampTz *instant)
{
	int			month = parse->month ? parse->month : 1;
	int			day = parse->day ? parse->day : 1;
	int			hour = parse->hour;
	int			julian;

	if (parse->pm && hour < 12)
		hour += 12;
	else if (parse->am && hour == 12)
		hour = 0;
	if (day > day_tab[isleap(parse->year)][month - 1])
		return false;
	julian = date2j(parse->year, month, day);
	if (parse->year_day > 0)
	{
		int			by_year = date2j(parse->year, 1, 1) + parse->year_day - 1;

		if (parse->year_day > 365 && !isleap(parse->year))
			return false;
		if ((parse->month || parse->day) && by_year != julian)
			return false;
		julian = by_year;
	}
	*instant = (julian - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY +
		((hour * MINS_PER_HOUR + parse->minute) * SECS_PER_MINUTE + parse->second -
		 parse->offset) * USECS_PER_SEC + parse->micros;
	return true;
}

const char *
go_layout_parse(const char *layout, const char *text, TimestampTz *instant)
{
	Parse		parse = {.at = text};

	while (*layout)
	{
		Element		element = go_layout_element(layout);

		if (!read_element(&parse, &element, layout, layout + element.length))
			return "It is not written as the layout says.";
		layout += element.length;
	}
	if (*parse.at)
		return "More follows than the layout has.";
	if (!join_parts(&parse, instant))
		return "There is no such day.";
	return NULL;
}
