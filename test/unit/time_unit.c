/*
 * time_unit.c
 *		Time layouts and cron expressions, as SQL functions.
 */
#include "unit.h"

#include "flow/cron_ticks.h"
#include "fmgr.h"
#include "rows/instant.h"
#include "rows/layout.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(unit_layout);
PG_FUNCTION_INFO_V1(unit_layout_parse);
PG_FUNCTION_INFO_V1(unit_cron_problem);
PG_FUNCTION_INFO_V1(unit_tick);
PG_FUNCTION_INFO_V1(unit_rfc3339);

/* layout(layout, instant, zone) */
Datum
unit_layout(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	go_layout_format(&out, text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_TIMESTAMPTZ(1),
					 pg_tzset(text_to_cstring(PG_GETARG_TEXT_PP(2))));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* layout_parse(layout, text) */
Datum
unit_layout_parse(PG_FUNCTION_ARGS)
{
	TimestampTz instant;
	const char *problem = go_layout_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)),
										  text_to_cstring(PG_GETARG_TEXT_PP(1)), &instant);

	if (problem)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
				 errmsg_internal("%s", problem)));
	PG_RETURN_TIMESTAMPTZ(instant);
}

/* cron_problem(expression): null where it is understood */
Datum
unit_cron_problem(PG_FUNCTION_ARGS)
{
	CronSchedule schedule;
	char	   *problem;

	if (cron_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)), &schedule, &problem))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem));
}

/* tick(expression, now, zone, next): null where there is none */
Datum
unit_tick(PG_FUNCTION_ARGS)
{
	CronSchedule schedule;
	char	   *problem;
	TimestampTz now = PG_GETARG_TIMESTAMPTZ(1);
	pg_tz	   *zone = pg_tzset(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	TimestampTz tick;

	if (!cron_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)), &schedule, &problem))
		elog(ERROR, "not a cron expression: %s", problem);
	if (PG_GETARG_BOOL(3) ? !cron_next_tick(&schedule, now, zone, &tick)
		: !cron_last_tick(&schedule, now, zone, &tick))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(tick);
}

/* rfc3339(text): null where it is left to timestamptz */
Datum
unit_rfc3339(PG_FUNCTION_ARGS)
{
	text	   *notation = PG_GETARG_TEXT_PP(0);
	TimestampTz instant;

	if (!instant_from_rfc3339(VARDATA_ANY(notation), VARSIZE_ANY_EXHDR(notation), &instant))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(instant);
}
