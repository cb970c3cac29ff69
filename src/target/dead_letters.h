/*
 * dead_letters.h
 *		What the files about dead letters share.
 *
 * dead_letters.c		letters of a page: writing and resolving them
 * dead_letters_again.c	letters that are tried again
 */
#ifndef RESOLUTE_DEAD_LETTERS_H
#define RESOLUTE_DEAD_LETTERS_H

#include "catalog/pg_type.h"
#include "target/target.h"

/*
 * What all letters of a run have in common, as the first parameters of the
 * statements: flow_id, flow, owner, version, run_id.
 */
#define LETTER_HEAD 5
#define LETTER_HEAD_TYPES INT4OID, TEXTOID, OIDOID, INT4OID, INT8OID
extern void dead_letters_head(const DeadLetters *self, Datum *values);

#endif							/* RESOLUTE_DEAD_LETTERS_H */
