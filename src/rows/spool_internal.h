/*
 * spool_internal.h
 *		Rows as one datum each, for what reads and writes spools.
 */
#ifndef RESOLUTE_SPOOL_INTERNAL_H
#define RESOLUTE_SPOOL_INTERNAL_H

#include "rows/spool.h"

/* Make the bytea of a row in out; out and bytes are reused from row to row. */
extern void spool_pack(const FieldSet *fields, const Row *row, StringInfo out, StringInfo bytes);

/* Unpack a copy of the bytea in the current context. */
extern void spool_unpack(const FieldSet *fields, Datum datum, Row *row);

/* Add a row that is packed already. */
extern void spool_put_packed(Spool *spool, Datum packed);

/* The next row as it is stored, valid until the next call; false at the end. */
extern bool spool_next_packed(Spool *spool, Datum *packed);

#endif							/* RESOLUTE_SPOOL_INTERNAL_H */
