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

#endif							/* RESOLUTE_INSTANT_H */
