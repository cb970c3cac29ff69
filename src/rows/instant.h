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
 * The instant that a string value stands for, by PostgreSQL's own reading of
 * timestamptz ("2024-01-02T03:04:05.678+0000").  False, without an error, for
 * anything that is not a finite date and time: null, text, years out of range.
 */
extern bool instant_from_value(const Value *value, TimestampTz *instant);

#endif							/* RESOLUTE_INSTANT_H */
