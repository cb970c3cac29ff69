/*
 * layout.c
 *		Go's time layouts.
 */
#include "rows/layout_private.h"

#include "utils/datetime.h"
#include "utils/timestamp.h"

typedef struct ElementName
{
	const char *text;
	ElementKind kind;
	int			bit;			/* LAYOUT_... */
	int			detail;			/* WITH_..., for offsets */
	bool		word;			/* no lower-case letter may follow */
} ElementName;

/* Longer ones first where one begins like another. */
static const ElementName element_names[] = {
	{"January", GO_LONG_MONTH, LAYOUT_MONTH, 0, false},
	{"Jan", GO_SHORT_MONTH, LAYOUT_MONTH, 0, true},
	{"Monday", GO_LONG_WEEKDAY, LAYOUT_WEEKDAY, 0, false},
	{"Mon", GO_SHORT_WEEKDAY, LAYOUT_WEEKDAY, 0, true},
	{"MST", GO_ZONE_NAME, LAYOUT_ZONE, 0, false},
	{"002", GO_ZERO_YEAR_DAY, LAYOUT_YEAR_DAY, 0, false},
	{"01", GO_ZERO_MONTH, LAYOUT_MONTH, 0, false},
	{"02", GO_ZERO_DAY, LAYOUT_DAY, 0, false},
	{"03", GO_ZERO_HOUR12, LAYOUT_HOUR12, 0, false},
	{"04", GO_ZERO_MINUTE, LAYOUT_MINUTE, 0, false},
	{"05", GO_ZERO_SECOND, LAYOUT_SECOND, 0, false},
	{"06", GO_YEAR, LAYOUT_YEAR, 0, false},
	{"15", GO_HOUR, LAYOUT_HOUR, 0, false},
	{"1", GO_NUM_MONTH, LAYOUT_MONTH, 0, false},
	{"2006", GO_LONG_YEAR, LAYOUT_YEAR, 0, false},
	{"2", GO_DAY, LAYOUT_DAY, 0, false},
	{"__2", GO_UNDER_YEAR_DAY, LAYOUT_YEAR_DAY, 0, false},
	{"_2006", GO_LITERAL, 0, 0, false},	/* an underscore, then the year */
	{"_2", GO_UNDER_DAY, LAYOUT_DAY, 0, false},
	{"3", GO_HOUR12, LAYOUT_HOUR12, 0, false},
	{"4", GO_MINUTE, LAYOUT_MINUTE, 0, false},
	{"5", GO_SECOND, LAYOUT_SECOND, 0, false},
	{"PM", GO_UPPER_PM, LAYOUT_PM, 0, false},
	{"pm", GO_LOWER_PM, LAYOUT_PM, 0, false},
	{"-070000", GO_NUM_OFFSET, LAYOUT_OFFSET, WITH_MINUTES | WITH_SECONDS, false},
	{"-07:00:00", GO_NUM_OFFSET, LAYOUT_OFFSET, WITH_MINUTES | WITH_SECONDS | WITH_COLON, false},
	{"-0700", GO_NUM_OFFSET, LAYOUT_OFFSET, WITH_MINUTES, false},
	{"-07:00", GO_NUM_OFFSET, LAYOUT_OFFSET, WITH_MINUTES | WITH_COLON, false},
	{"-07", GO_NUM_OFFSET, LAYOUT_OFFSET, 0, false},
	{"Z070000", GO_ISO_OFFSET, LAYOUT_OFFSET, WITH_MINUTES | WITH_SECONDS, false},
	{"Z07:00:00", GO_ISO_OFFSET, LAYOUT_OFFSET, WITH_MINUTES | WITH_SECONDS | WITH_COLON, false},
	{"Z0700", GO_ISO_OFFSET, LAYOUT_OFFSET, WITH_MINUTES, false},
	{"Z07:00", GO_ISO_OFFSET, LAYOUT_OFFSET, WITH_MINUTES | WITH_COLON, false},
	{"Z07", GO_ISO_OFFSET, LAYOUT_OFFSET, 0, false},
};

const char *const go_long_months[MONTHS_PER_YEAR] = {
	"January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December"
};

/* An instant taken apart. */
typedef struct LocalTime
{
	struct pg_tm tm;
	fsec_t		micros;
	int			offset;			/* seconds east of UTC */
	const char *zone;
} LocalTime;

/* ".000", ",999": a fraction, unless more digits follow. */
static bool
find_fraction(const char *at, Element *element)
{
	char		digit = at[1];
	int			n = 1;

	if ((at[0] != '.' && at[0] != ',') || (digit != '0' && digit != '9'))
		return false;
	while (at[n] == digit)
		n++;
	if (at[n] >= '0' && at[n] <= '9')
		return false;
	element->kind = digit == '0' ? GO_FRACTION_ZEROS : GO_FRACTION_NINES;
	element->bit = LAYOUT_FRACTION;
	element->detail = n - 1;
	element->length = n;
	return true;
}

Element
go_layout_element(const char *at)
{
	Element		element = {GO_LITERAL, 0, 0, 1};

	if (find_fraction(at, &element))
		return element;
	for (size_t i = 0; i < lengthof(element_names); i++)
	{
		const ElementName *name = &element_names[i];
		size_t		length = strlen(name->text);

		if (strncmp(at, name->text, length) != 0)
			continue;
		if (name->word && at[length] >= 'a' && at[length] <= 'z')
			continue;
		if (name->kind == GO_LITERAL)
			break;
		element.kind = name->kind;
		element.bit = name->bit;
		element.detail = name->detail;
		element.length = (int) length;
		break;
	}
	return element;
}

int
go_layout_elements(const char *layout)
{
	int			bits = 0;

	while (*layout)
	{
		Element		element = go_layout_element(layout);

		bits |= element.bit;
		layout += element.length;
	}
	return bits;
}

bool
go_layout_says_utc(const char *layout)
{
	int			last_bit = 0;

	while (*layout)
	{
		Element		element = go_layout_element(layout);

		if (strcmp(layout, "Z") == 0)
			return (last_bit & (LAYOUT_HOUR | LAYOUT_MINUTE | LAYOUT_SECOND | LAYOUT_FRACTION)) != 0;
		last_bit = element.bit;
		layout += element.length;
	}
	return false;
}

/* Append the offset as Go does: minutes and seconds only where asked for. */
static void
append_offset(StringInfo out, const Element *element, int offset)
{
	int			minutes = abs(offset) / SECS_PER_MINUTE;
	const char *colon = element->detail & WITH_COLON ? ":" : "";

	if (element->kind == GO_ISO_OFFSET && offset == 0)
	{
		appendStringInfoChar(out, 'Z');
		return;
	}

	/* Go takes the sign of the offset in minutes. */
	appendStringInfo(out, "%c%02d", offset / SECS_PER_MINUTE < 0 ? '-' : '+',
					 minutes / MINS_PER_HOUR);
	if (element->detail & WITH_MINUTES)
		appendStringInfo(out, "%s%02d", colon, minutes % MINS_PER_HOUR);
	if (element->detail & WITH_SECONDS)
		appendStringInfo(out, "%s%02d", colon, abs(offset) % SECS_PER_MINUTE);
}

/* Append a fraction of at most nine digits; nines leave trailing zeros out. */
static void
append_fraction(StringInfo out, const Element *element, char separator, fsec_t micros)
{
	char		digits[10];
	int			length = Min(element->detail, 9);

	snprintf(digits, sizeof(digits), "%06d000", (int) micros);
	if (element->kind == GO_FRACTION_NINES)
		while (length > 0 && digits[length - 1] == '0')
			length--;
	if (length > 0)
	{
		appendStringInfoChar(out, separator);
		appendBinaryStringInfo(out, digits, length);
	}
}

static void
append_year(StringInfo out, ElementKind kind, int year)
{
	if (kind == GO_YEAR)
		appendStringInfo(out, "%02d", Max(year, 0) % 100);
	else
		appendStringInfo(out, "%s%04d", year < 0 ? "-" : "", abs(year));
}

/* Append what depends on the day alone. */
static void
append_date(StringInfo out, ElementKind kind, const struct pg_tm *tm)
{
	int			julian = date2j(tm->tm_year, tm->tm_mon, tm->tm_mday);
	int			year_day = julian - date2j(tm->tm_year, 1, 1) + 1;

	if (kind == GO_LONG_MONTH || kind == GO_SHORT_MONTH)
		appendStringInfoString(out, kind == GO_LONG_MONTH ?
							   go_long_months[tm->tm_mon - 1] : months[tm->tm_mon - 1]);
	else if (kind == GO_LONG_WEEKDAY)
		appendStringInfoString(out, days[j2day(julian)]);
	else if (kind == GO_SHORT_WEEKDAY)
		appendStringInfo(out, "%.3s", days[j2day(julian)]);
	else if (kind == GO_NUM_MONTH || kind == GO_ZERO_MONTH)
		appendStringInfo(out, kind == GO_NUM_MONTH ? "%d" : "%02d", tm->tm_mon);
	else if (kind == GO_DAY || kind == GO_ZERO_DAY)
		appendStringInfo(out, kind == GO_DAY ? "%d" : "%02d", tm->tm_mday);
	else if (kind == GO_UNDER_DAY)
		appendStringInfo(out, "%2d", tm->tm_mday);
	else
		appendStringInfo(out, kind == GO_UNDER_YEAR_DAY ? "%3d" : "%03d", year_day);
}

/* Append an hour, a minute or a second. */
static void
append_clock(StringInfo out, ElementKind kind, const struct pg_tm *tm)
{
	int			hour12 = tm->tm_hour % 12 == 0 ? 12 : tm->tm_hour % 12;

	if (kind == GO_HOUR)
		appendStringInfo(out, "%02d", tm->tm_hour);
	else if (kind == GO_HOUR12 || kind == GO_ZERO_HOUR12)
		appendStringInfo(out, kind == GO_HOUR12 ? "%d" : "%02d", hour12);
	else if (kind == GO_MINUTE || kind == GO_ZERO_MINUTE)
		appendStringInfo(out, kind == GO_MINUTE ? "%d" : "%02d", tm->tm_min);
	else if (kind == GO_SECOND || kind == GO_ZERO_SECOND)
		appendStringInfo(out, kind == GO_SECOND ? "%d" : "%02d", tm->tm_sec);
	else if (kind == GO_UPPER_PM)
		appendStringInfoString(out, tm->tm_hour >= 12 ? "PM" : "AM");
	else
		appendStringInfoString(out, tm->tm_hour >= 12 ? "pm" : "am");
}

static void
append_element(StringInfo out, const Element *element, const char *at,
			   const LocalTime *local)
{
	switch (element->kind)
	{
		case GO_LITERAL:
			appendStringInfoChar(out, *at);
			break;
		case GO_LONG_YEAR:
		case GO_YEAR:
			append_year(out, element->kind, local->tm.tm_year);
			break;
		case GO_ZONE_NAME:
			appendStringInfoString(out, local->zone);
			break;
		case GO_ISO_OFFSET:
		case GO_NUM_OFFSET:
			append_offset(out, element, local->offset);
			break;
		case GO_FRACTION_ZEROS:
		case GO_FRACTION_NINES:
			append_fraction(out, element, *at, local->micros);
			break;
		case GO_HOUR:
		case GO_HOUR12:
		case GO_ZERO_HOUR12:
		case GO_MINUTE:
		case GO_ZERO_MINUTE:
		case GO_SECOND:
		case GO_ZERO_SECOND:
		case GO_UPPER_PM:
		case GO_LOWER_PM:
			append_clock(out, element->kind, &local->tm);
			break;
		default:
			append_date(out, element->kind, &local->tm);
			break;
	}
}

void
go_layout_format(StringInfo out, const char *layout, TimestampTz instant, pg_tz *zone)
{
	LocalTime	local;
	int			west;

	if (TIMESTAMP_NOT_FINITE(instant) ||
		timestamp2tm(instant, &west, &local.tm, &local.micros, &local.zone, zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	local.offset = -west;
	if (local.zone == NULL)
		local.zone = "";
	while (*layout)
	{
		Element		element = go_layout_element(layout);

		append_element(out, &element, layout, &local);
		layout += element.length;
	}
}
