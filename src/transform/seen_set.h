/*
 * seen_set.h
 *		Remembers which keys a stream has had, in bounded memory.
 *
 * An entry is two 64-bit numbers.  Up to work_mem they are kept in a hash table;
 * then the table is sorted into a run in a temporary file, which survives
 * commits, and begins anew.  A look-up reads one block of a run at most, and
 * there are few runs, since those of similar size are merged; a filter in memory
 * spares most keys that are in none of them the look.
 */
#ifndef RESOLUTE_SEEN_SET_H
#define RESOLUTE_SEEN_SET_H

#include "postgres.h"

typedef struct SeenEntry
{
	uint64		key;
	uint64		tag;
} SeenEntry;

typedef struct SeenSet SeenSet;

/*
 * An empty set in the current context, whose end closes its files.  With
 * tags_are_keys both numbers together are the key, so that it is a set of 128-bit numbers;
 * otherwise each key has one tag, the latest one.
 */
extern SeenSet *seen_set_create(bool tags_are_keys);

/*
 * The tag of the entry's key: false if it was never put in.  (With
 * tags_are_keys: was this entry put in?)  Raises what reading a file raises.
 */
extern bool seen_set_find(SeenSet *set, const SeenEntry *entry, uint64 *tag);

/*
 * Make room for n entries, so that putting them in cannot fail; may write a
 * file (bounded by temp_file_limit), and raises what that raises.
 */
extern void seen_set_reserve(SeenSet *set, int n);

/* Put an entry in, for which there is room. */
extern void seen_set_put(SeenSet *set, const SeenEntry *entry);

/* How many runs have been written so far?  (For tests.) */
extern int	seen_set_spills(const SeenSet *set);

#endif							/* RESOLUTE_SEEN_SET_H */
