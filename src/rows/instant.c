/*
 * instant.c
 *		Reads instants softly: what is no instant is no error here.
 */
#include "rows/instant.h"

#include "compat.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/* An instant is written in less than this, whatever its notation. */
#define INSTANT_MAX_LEN 128

bool
instant_from_value(const Value *value, TimestampTz *instant)
{
	char		text[INSTANT_MAX_LEN + 1];
	char		work[INSTANT_MAX_LEN + MAXDATEFIELDS];
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	int			nfields,
				dtype,
				tz;
	struct pg_tm tm;
	fsec_t		fsec;

	if (value->kind != VALUE_STRING || (value->flags & VALUE_ESCAPED) ||
		value->len == 0 || value->len > INSTANT_MAX_LEN)
		return false;
	memcpy(text, value->data, value->len);
	text[value->len] = '\0';
	if (ParseDateTime(text, work, sizeof(work), field, ftype, MAXDATEFIELDS, &nfields) != 0 ||
		decode_date_time(field, ftype, nfields, &dtype, &tm, &fsec, &tz) != 0 ||
		dtype != DTK_DATE)
		return false;
	return tm2timestamp(&tm, fsec, &tz, instant) == 0;
}
