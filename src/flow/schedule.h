/*
 * schedule.h
 *		Keeps pg_cron's job of a flow in step with the flow.
 */
#ifndef RESOLUTE_SCHEDULE_H
#define RESOLUTE_SCHEDULE_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * Create or change the job "resolute: <flow>" that runs CALL resolute.run(<flow>,
 * scheduled => true), as the flow's owner.  Where pg_cron is not in this
 * database, or the owner lacks USAGE on schema cron, a NOTICE gives the
 * statements to run.  pg_cron judges the cron text: what it refuses is raised as
 * 22023, with the flow's name.  cron NULL: the flow has no schedule (any more), remove the job.
 */
extern void schedule_flow(const char *flow, Oid owner, const char *cron, bool enabled);

/*
 * Make the job anew if it has gone, or could not be made before; without a
 * word where pg_cron cannot be asked.
 */
extern void schedule_again(const char *flow, Oid owner, const char *cron, bool enabled);

/* Remove the job, if there is one. */
extern void unschedule_flow(const char *flow, Oid owner);

/*
 * The start of the latest tick of a cron expression at or before now, in
 * pg_cron's own time zone (cron.timezone where it exists, else GMT); false where the text is
 * not understood (then no tick is ever skipped).  Also the next tick after now.
 */
extern bool schedule_last_tick(const char *cron, TimestampTz now, TimestampTz *tick);
extern bool schedule_next_tick(const char *cron, TimestampTz now, TimestampTz *tick);

#endif							/* RESOLUTE_SCHEDULE_H */
