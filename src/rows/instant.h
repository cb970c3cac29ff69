/*
 * instant.h
 *		Instants in the values of a page.
 */
#ifndef RESOLUTE_INSTANT_H
#define RESOLUTE_INSTANT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "rows/value.h"

/*
 * The instant that a string value stands for, written as APIs do
 * ("2024-01-02T03:04:05.678+0000", "2024-01-02T03:04:05Z").  False, without an error,
 * for anything that is not a finite date and time: null, text, words that
 * timestamptz knows ("now"), years out of range.  Touches no catalog.
 */
extern bool instant_from_value(const Value *value, TimestampTz *instant);

/*
 * The same for the notation of RFC 3339 alone (also with +hhmm, as Jira writes), of which
 * the zone is a part.  That has one meaning whatever the session's settings
 * are, so timestamptz reads it likewise; false for all else, valid or not.
 */
extern bool instant_from_rfc3339(const char *text, Size len, TimestampTz *instant);

#endif							/* RESOLUTE_INSTANT_H */
