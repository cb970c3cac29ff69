/*
 * seen_run.h
 *		A sorted run of seen entries in a temporary file.
 */
#ifndef RESOLUTE_SEEN_RUN_H
#define RESOLUTE_SEEN_RUN_H

#include "postgres.h"

#include "transform/seen_set.h"

typedef struct SeenRun SeenRun;

/* Sort the entries and write them to a new run, in the current context. */
extern SeenRun *seen_run_write(SeenEntry *entries, uint32 n);

/*
 * A new run, in the current context, of the entries of both; of a key that
 * both have (key and tag, with tags_are_keys) the newer run's counts.
 */
extern SeenRun *seen_run_merge(SeenRun *older, SeenRun *newer, bool tags_are_keys);

/* The tag of the entry's key, or false; with tags_are_keys: is the entry here? */
extern bool seen_run_find(SeenRun *run, const SeenEntry *entry, bool tags_are_keys,
						  uint64 *tag);

extern uint64 seen_run_length(const SeenRun *run);

/* Close and remove the file, and free the run. */
extern void seen_run_close(SeenRun *run);

#endif							/* RESOLUTE_SEEN_RUN_H */
