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
	memcpy(text, value->data, value->len);
	text[value->len] = '\0';
	if (!looks_like_instant(text) ||
		ParseDateTime(text, work, sizeof(work), field, ftype, MAXDATEFIELDS, &nfields) != 0 ||
		decode_date_time(field, ftype, nfields, &dtype, &tm, &fsec, &tz) != 0 ||
		dtype != DTK_DATE)
		return false;
	return tm2timestamp(&tm, fsec, &tz, instant) == 0;
}
