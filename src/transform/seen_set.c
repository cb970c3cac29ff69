/*
 * seen_set.c
 *		Remembers which keys a stream has had, in bounded memory.
 *
 * The hash table has open addressing; an entry of two zeros means "free", so
 * a real one of that kind is kept as {0, 1}, or {1, 0} where there is a tag.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "transform/seen_run.h"
#include "transform/seen_set.h"

/* The first table: 16 kB.  Tables are powers of two, at most 3/4 full. */
#define MIN_SLOTS 1024

/* Bits that a key has in the filter: with 8 bits of filter for each key 3 of 100 pass in vain. */
#define FILTER_BITS 3

/* More runs than ever can be, as each is at least twice as long as the next. */
#define MAX_RUNS 64

struct SeenSet
{
	MemoryContext context;
	bool		tags_are_keys;
	SeenEntry  *slots;
	uint32		nslots;
	uint32		used;
	uint32		max_slots;		/* by work_mem */
	uint64	   *filter;			/* of all keys in the runs, or NULL without any */
	uint32		filter_words;	/* a power of two */
	int			spills;
	int			nruns;
	SeenRun    *runs[MAX_RUNS]; /* oldest and longest first */
};

/* The files must be closed, since nothing else would before the session's end. */
static void
close_runs(void *arg)
{
	SeenSet    *set = arg;

	for (int i = 0; i < set->nruns; i++)
		seen_run_close(set->runs[i]);
	set->nruns = 0;
}

SeenSet *
seen_set_create(bool tags_are_keys)
{
	SeenSet    *set = palloc0(sizeof(SeenSet));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	Size		limit = (Size) work_mem * 1024 / sizeof(SeenEntry);

	set->context = CurrentMemoryContext;
	set->tags_are_keys = tags_are_keys;
	set->max_slots = MIN_SLOTS;
	while ((Size) set->max_slots * 2 <= limit && set->max_slots < PG_INT32_MAX / 2)
		set->max_slots *= 2;
	set->nslots = MIN_SLOTS;
	set->slots = palloc0(sizeof(SeenEntry) * set->nslots);

	callback->func = close_runs;
	callback->arg = set;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return set;
}

/* The entry, unless it looks like a free slot. */
static SeenEntry
never_free(const SeenSet *set, const SeenEntry *entry)
{
	SeenEntry	result = *entry;

	if (set->tags_are_keys && result.key == 0 && result.tag == 0)
		result.tag = 1;
	if (!set->tags_are_keys && result.key == 0)
		result.key = 1;
	return result;
}

/* The slot of the entry's key, or the free one where it belongs. */
static SeenEntry *
find_slot(SeenEntry *slots, uint32 nslots, bool tags_are_keys, const SeenEntry *entry)
{
	uint32		at = (uint32) entry->key & (nslots - 1);

	for (;;)
	{
		SeenEntry  *slot = &slots[at];

		if (slot->key == 0 && slot->tag == 0)
			return slot;
		if (slot->key == entry->key && (!tags_are_keys || slot->tag == entry->tag))
			return slot;
		at = (at + 1) & (nslots - 1);
	}
}

/* Which bit of the filter is the key's i-th?  The key is a hash, so its halves will do. */
static inline uint64
filter_bit(const SeenSet *set, uint64 key, int i)
{
	return ((uint32) key + i * ((key >> 32) | 1)) & ((uint64) set->filter_words * 64 - 1);
}

/* Is the key in no run, for certain?  Saves most keys a look into the files. */
static bool
never_spilled(const SeenSet *set, uint64 key)
{
	for (int i = 0; i < FILTER_BITS && set->filter != NULL; i++)
	{
		uint64		bit = filter_bit(set, key, i);

		if ((set->filter[bit / 64] & (UINT64CONST(1) << (bit % 64))) == 0)
			return true;
	}
	return set->filter == NULL;
}

/* Take note of the keys that are about to be in a run. */
static void
add_to_filter(SeenSet *set, const SeenEntry *entries, uint32 n)
{
	/* A quarter of work_mem: the table has 16 bytes for each slot. */
	if (set->filter == NULL)
	{
		set->filter_words = set->max_slots / 2;
		set->filter = MemoryContextAllocExtended(set->context, sizeof(uint64) * (Size) set->filter_words,
												 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	}
	for (uint32 entry = 0; entry < n; entry++)
		for (int i = 0; i < FILTER_BITS; i++)
		{
			uint64		bit = filter_bit(set, entries[entry].key, i);

			set->filter[bit / 64] |= UINT64CONST(1) << (bit % 64);
		}
}

bool
seen_set_find(SeenSet *set, const SeenEntry *wanted, uint64 *tag)
{
	SeenEntry	entry = never_free(set, wanted);
	SeenEntry  *slot = find_slot(set->slots, set->nslots, set->tags_are_keys, &entry);

	if (slot->key != 0 || slot->tag != 0)
	{
		*tag = slot->tag;
		return true;
	}
	if (never_spilled(set, entry.key))
		return false;

	/* The newest run knows the latest tag. */
	for (int i = set->nruns - 1; i >= 0; i--)
		if (seen_run_find(set->runs[i], &entry, set->tags_are_keys, tag))
			return true;
	return false;
}

/* Double the table. */
static void
grow(SeenSet *set)
{
	uint32		nslots = set->nslots * 2;
	SeenEntry  *slots = MemoryContextAllocExtended(set->context,
												   sizeof(SeenEntry) * (Size) nslots,
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (uint32 i = 0; i < set->nslots; i++)
	{
		SeenEntry  *entry = &set->slots[i];

		if (entry->key != 0 || entry->tag != 0)
			*find_slot(slots, nslots, set->tags_are_keys, entry) = *entry;
	}
	pfree(set->slots);
	set->slots = slots;
	set->nslots = nslots;
}

/* Merge the newest runs until each is at least twice as long as the next. */
static void
merge_runs(SeenSet *set)
{
	while (set->nruns >= 2)
	{
		SeenRun    *older = set->runs[set->nruns - 2];
		SeenRun    *newer = set->runs[set->nruns - 1];
		SeenRun    *merged;

		if (seen_run_length(older) >= 2 * seen_run_length(newer))
			break;
		merged = seen_run_merge(older, newer, set->tags_are_keys);
		set->runs[set->nruns - 2] = merged;
		set->nruns--;
		seen_run_close(older);
		seen_run_close(newer);
	}
}

/* Write the table, as a copy, to a new run and begin anew. */
static void
spill(SeenSet *set)
{
	MemoryContext caller = MemoryContextSwitchTo(set->context);
	SeenEntry  *entries = MemoryContextAllocHuge(set->context,
												 sizeof(SeenEntry) * (Size) Max(set->used, 1));
	uint32		n = 0;

	if (set->nruns == MAX_RUNS)
		elog(ERROR, "too many runs of a seen-set");
	for (uint32 i = 0; i < set->nslots; i++)
		if (set->slots[i].key != 0 || set->slots[i].tag != 0)
			entries[n++] = set->slots[i];
	PG_TRY();
	{
		add_to_filter(set, entries, n);
		set->runs[set->nruns] = seen_run_write(entries, n);
	}
	PG_FINALLY();
	{
		pfree(entries);
	}
	PG_END_TRY();
	set->nruns++;
	set->spills++;
	memset(set->slots, 0, sizeof(SeenEntry) * (Size) set->nslots);
	set->used = 0;
	merge_runs(set);
	MemoryContextSwitchTo(caller);
}

void
seen_set_reserve(SeenSet *set, int n)
{
	while ((uint64) (set->used + n) * 4 > (uint64) set->nslots * 3)
	{
		/* Half of work_mem, as growing and spilling need as much again. */
		if (set->nslots < set->max_slots / 2 || set->used == 0)
			grow(set);
		else
			spill(set);
	}
}

void
seen_set_put(SeenSet *set, const SeenEntry *put)
{
	SeenEntry	entry = never_free(set, put);
	SeenEntry  *slot = find_slot(set->slots, set->nslots, set->tags_are_keys, &entry);

	if (slot->key == 0 && slot->tag == 0)
		set->used++;
	*slot = entry;
}

int
seen_set_spills(const SeenSet *set)
{
	return set->spills;
}
