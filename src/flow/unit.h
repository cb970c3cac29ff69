/*
 * unit.h
 *		Units: the pieces of work that a run consists of, and commits between them.
 *
 * A unit is one subtransaction; its kind says who does it (the flow's owner, or the
 * caller) and what may be open meanwhile.
 */
#ifndef RESOLUTE_UNIT_H
#define RESOLUTE_UNIT_H

#include "flow/run.h"

/* Does database work: as the flow's owner, with SPI and a snapshot. */
#define UNIT_DATABASE	0x01
/* Does it as the caller (resolute's own books). */
#define UNIT_BOOKS		0x02
/* Waits for the network: nothing open. */
#define UNIT_NETWORK	0x04

typedef void (*UnitFunction) (Run *run, void *arg);

/*
 * Run fn in a subtransaction, with context as the current memory context (NULL: one that ends
 * with the unit).
 * False if it raised an error, which is then in run->error (allocated in
 * run->context) and undone.
 */
extern bool run_unit(Run *run, int kind, MemoryContext context, UnitFunction fn, void *arg);

/*
 * Commit under CALL; nothing otherwise.  False as run_unit(); the transaction
 * is rolled back then, as by run_rollback().
 */
extern bool run_commit(Run *run);

/*
 * Roll back under CALL, where nothing since the last commit is to be kept; nothing
 * otherwise.  An abort frees the locks of the session, so they are taken again: false,
 * with run->error set to 55006, if another run was faster.
 */
extern bool run_rollback(Run *run);

/* Is this a conflict with others that goes away when the work is repeated (40001, 40P01)? */
extern bool run_is_conflict(const ErrorData *error);

#endif							/* RESOLUTE_UNIT_H */
