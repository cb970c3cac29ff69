/*
 * spool_internal.h
 *		Rows as one datum each, for what reads and writes spools.
 */
#ifndef RESOLUTE_SPOOL_INTERNAL_H
#define RESOLUTE_SPOOL_INTERNAL_H

#include "rows/spool.h"

/* Unpack a copy of the bytea in the current context. */
extern void spool_unpack(const FieldSet *fields, Datum datum, Row *row);

/* Add a row that is packed already. */
extern void spool_put_packed(Spool *spool, Datum packed);

/* The next row as it is stored, valid until the next call; false at the end. */
extern bool spool_next_packed(Spool *spool, Datum *packed);

#endif							/* RESOLUTE_SPOOL_INTERNAL_H */
