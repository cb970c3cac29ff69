/*
 * cursor_spec.c
 *		What cursor_for() asks for, and ${cursor} in a query.
 */
#include "cursor/cursor.h"

#include "mb/pg_wchar.h"
#include "rows/layout.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#define PLACEHOLDER "${cursor}"
#define EPOCH_MS "epoch_ms"
#define STORAGE "table"

/* An instant of a layout must at least name its day. */
#define LAYOUT_DATE (LAYOUT_YEAR | LAYOUT_MONTH | LAYOUT_DAY)

void
cursor_check_name(const char *name)
{
	if (name == NULL || *name == '\0' || strlen(name) > CURSOR_MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name of a cursor"),
				 errdetail("It has 1 to %d bytes.", CURSOR_MAX_NAME),
				 errhint("Use a short name such as 'jira-sync'.")));
}

/* The text of a key, or NULL where it is absent or null. */
static char *
get_option(Datum jsonb, const char *key)
{
	Jsonb	   *json = DatumGetJsonbP(jsonb);
	JsonbValue	value;
	char	   *text;

	if (!JB_ROOT_IS_OBJECT(json) ||
		getKeyJsonValueFromContainer(&json->root, key, (int) strlen(key), &value) == NULL ||
		value.type == jbvNull)
		return NULL;
	if (value.type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of a cursor is not a string", key),
				 errhint("Use resolute.cursor_for() to describe a cursor.")));
	text = pnstrdup(value.val.string.val, value.val.string.len);
	return text;
}

/* Only resolute.cursor_for() makes a cursor, and it knows these keys. */
static void
check_keys(Datum jsonb)
{
	static const char *const keys[] = {"name", "storage", "format", "overlap", "sweep", "initial"};
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;

	iterator = JsonbIteratorInit(&DatumGetJsonbP(jsonb)->root);
	token = JsonbIteratorNext(&iterator, &value, true);
	if (token != WJB_BEGIN_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a cursor is not a JSON object"),
				 errhint("Use resolute.cursor_for() to describe a cursor.")));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		bool		known = token != WJB_KEY;

		for (size_t i = 0; i < lengthof(keys) && !known; i++)
			known = (int) strlen(keys[i]) == value.val.string.len &&
				memcmp(keys[i], value.val.string.val, value.val.string.len) == 0;
		if (!known)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown option \"%s\" of a cursor",
							pnstrdup(value.val.string.val, value.val.string.len)),
					 errhint("Use resolute.cursor_for() to describe a cursor.")));
	}
}

/* An interval in microseconds, with days of 24 hours; -1 where none is given. */
static int64
get_span(Datum jsonb, const char *name, const char *key)
{
	char	   *text = get_option(jsonb, key);
	Interval   *span;
	double		us;

	if (text == NULL)
		return -1;
	span = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
												 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));

	/* In floating point the sum cannot overflow. */
	us = (double) span->time +
		((double) span->month * DAYS_PER_MONTH + span->day) * (double) USECS_PER_DAY;
	if (us < 0 || us > (double) CURSOR_MAX_SPAN_US)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s %s of cursor \"%s\" is out of range", key, text, name),
				 errdetail("It lies between 0 and 100 years."),
				 errhint("It is how far a run reaches back below the position, as in '15 minutes'.")));
	return (int64) us;
}

/* The first bound. */
static TimestampTz
get_initial(Datum jsonb, const char *name)
{
	char	   *text = get_option(jsonb, "initial");
	TimestampTz initial;

	if (text == NULL)
		return CURSOR_EPOCH;
	initial = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
													  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	if (TIMESTAMP_IS_NOEND(initial))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("initial position of cursor \"%s\" is infinite", name),
				 errhint("Leave it out to begin with the oldest row.")));
	return Max(initial, CURSOR_EPOCH);
}

/* A layout must name the day, no less, and fit between quotes. */
static void
check_format(const char *name, const char *format)
{
	int			elements = go_layout_elements(format);
	const char *problem = NULL;

	if (strcmp(format, EPOCH_MS) == 0)
		return;
	if ((elements & LAYOUT_DATE) != LAYOUT_DATE &&
		(elements & (LAYOUT_YEAR | LAYOUT_YEAR_DAY)) != (LAYOUT_YEAR | LAYOUT_YEAR_DAY))
		problem = "It does not name the year, the month and the day.";
	else if (elements & LAYOUT_HOUR12 && !(elements & LAYOUT_PM))
		problem = "It has an hour of 12, but does not tell whether it is AM or PM.";
	else if (elements & LAYOUT_MINUTE && !(elements & (LAYOUT_HOUR | LAYOUT_HOUR12)))
		problem = "It has minutes without hours.";
	else if (strpbrk(format, "'\"\\"))
		problem = "It holds a quote or a backslash.";
	if (problem)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid format \"%s\" of cursor \"%s\"", format, name),
				 errdetail_internal("%s", problem),
				 errhint("Write Go's reference time as the query should have it, such as '2006-01-02 15:04', or 'epoch_ms'.")));
}

/*
 * What is written by a layout must be read as no later instant: "200612" makes "2024112" of
 * the 12th of January.
 */
static void
check_storage_format(const CursorSpec *spec)
{
	static const int days[] = {1, 2, 9, 11, 12, 22, 28};
	static const int64 times[] = {0, INT64CONST(3723400000), INT64CONST(45296789012), USECS_PER_DAY - 1};

	for (int i = 0; cursor_has_layout(spec) && i < MONTHS_PER_YEAR * (int) lengthof(days); i++)
	{
		int			day = date2j(2024, i / (int) lengthof(days) + 1, days[i % lengthof(days)]);
		TimestampTz sample = (day - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY + times[i % lengthof(times)];
		TimestampTz again = 0;
		char	   *text = cursor_storage_text(spec, true, sample);

		if (go_layout_parse(spec->format, text, &again) == NULL && again <= sample &&
			strcmp(cursor_storage_text(spec, true, again), text) == 0)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("format \"%s\" of cursor \"%s\" cannot be read back", spec->format, spec->name),
				 errdetail("It writes \"%s\", which may be another time as well.", text),
				 errhint("Storage \"%s\" needs a format such as '2006-01-02T15:04:05.000Z07:00', or 'epoch_ms'.",
						 spec->storage)));
	}
}

CursorSpec *
cursor_spec_from_json(Datum jsonb)
{
	CursorSpec *spec = palloc0(sizeof(CursorSpec));
	char	   *storage;

	check_keys(jsonb);
	spec->name = get_option(jsonb, "name");
	cursor_check_name(spec->name);
	storage = get_option(jsonb, "storage");
	spec->storage = storage && strcmp(storage, STORAGE) == 0 ? NULL : storage;
	spec->format = get_option(jsonb, "format");
	if (spec->format)
		check_format(spec->name, spec->format);
	if (spec->storage)
		check_storage_format(spec);
	spec->overlap_us = get_span(jsonb, spec->name, "overlap");
	spec->sweep_us = get_span(jsonb, spec->name, "sweep");
	spec->initial = get_initial(jsonb, spec->name);
	return spec;
}

/*
 * In JQL a string is between single or double quotes, and a backslash escapes
 * the next character in it.
 */
int
cursor_placeholders(const char *query, bool *quoted)
{
	char		quote = '\0';
	int			n = 0;

	*quoted = false;
	for (const char *c = query; *c; c++)
	{
		if (strncmp(c, PLACEHOLDER, strlen(PLACEHOLDER)) == 0)
		{
			n++;
			if (quote)
				*quoted = true;
		}
		if (quote && *c == '\\' && c[1])
			c++;
		else if (quote && *c == quote)
			quote = '\0';
		else if (!quote && (*c == '"' || *c == '\''))
			quote = *c;
	}
	return n;
}

char *
cursor_substitute(const char *query, const char *text)
{
	StringInfoData out;
	const char *found;

	initStringInfo(&out);
	while ((found = strstr(query, PLACEHOLDER)) != NULL)
	{
		appendBinaryStringInfo(&out, query, (int) (found - query));
		appendStringInfoString(&out, text);
		query = found + strlen(PLACEHOLDER);
	}
	appendStringInfoString(&out, query);
	return out.data;
}

bool
cursor_has_layout(const CursorSpec *spec)
{
	return spec->format != NULL && strcmp(spec->format, EPOCH_MS) != 0;
}

char *
cursor_epoch_ms(TimestampTz bound)
{
	return psprintf(INT64_FORMAT, (bound - CURSOR_EPOCH) / 1000);
}

/*
 * Where the clock is set back, an hour comes twice, and the reader of a text without
 * an offset may take it for the later one.  So step back to before both.
 */
static TimestampTz
before_repeated_hour(TimestampTz bound, pg_tz *zone)
{
	/* A change that comes a day later at most has begun to matter. */
	pg_time_t	at = timestamptz_to_time_t(bound);
	pg_time_t	boundary;
	long		before_offset;
	long		after_offset;
	int			before_dst;
	int			after_dst;

	if (pg_next_dst_boundary(&at, &before_offset, &before_dst, &boundary,
							 &after_offset, &after_dst, zone) <= 0 ||
		at < boundary - (before_offset - after_offset))
		return bound;
	return time_t_to_timestamptz(boundary - (before_offset - after_offset)) - USECS_PER_MINUTE;
}

char *
cursor_format_bound(const CursorSpec *spec, TimestampTz bound, const char *timezone)
{
	StringInfoData out;
	pg_tz	   *zone;

	if (!cursor_has_layout(spec))
		return cursor_epoch_ms(bound);
	if (go_layout_says_utc(spec->format))
		timezone = NULL;
	zone = pg_tzset(timezone ? timezone : "UTC");
	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", timezone),
				 errdetail("Cursor \"%s\" is written in the time zone of the account.", spec->name),
				 errhint("Leave the format of the cursor out, so that no time zone is needed.")));
	if (!(go_layout_elements(spec->format) & LAYOUT_OFFSET))
		bound = before_repeated_hour(bound, zone);
	initStringInfo(&out);
	go_layout_format(&out, spec->format, bound, zone);
	return out.data;
}
