/*
 * seen_run.c
 *		A sorted run of seen entries in a temporary file.
 *
 * The first entry of each block is kept in memory, so that a look-up reads one block.
 * A BufFile would do as well, but for its wish to flush when it is closed, which
 * fails again where the disk is full or temp_file_limit reached.
 */
#include "postgres.h"

#include "commands/tablespace.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#include "transform/seen_run.h"

#define ENTRIES_PER_BLOCK (BLCKSZ / sizeof(SeenEntry))

struct SeenRun
{
	File		file;
	uint64		length;			/* entries */
	SeenEntry  *fences;			/* the first entry of each block */
	uint64		nblocks;
	uint64		allocated;		/* fences that there is room for */
	SeenEntry  *block;			/* the block read last */
	uint64		block_number;	/* its number, or PG_UINT64_MAX */
	uint32		filled;			/* entries of the block being written */
};

/* Entries in order: by key, then by tag. */
static int
compare_entries(const void *a, const void *b)
{
	const SeenEntry *x = a;
	const SeenEntry *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return 0;
}

/* An empty run.  The file outlives transactions: whoever made the run closes it. */
static SeenRun *
run_create(uint64 expected)
{
	SeenRun    *run = palloc0(sizeof(SeenRun));

	run->allocated = expected / ENTRIES_PER_BLOCK + 1;
	run->fences = palloc_extended(run->allocated * sizeof(SeenEntry), MCXT_ALLOC_HUGE);
	run->block = palloc(BLCKSZ);
	run->block_number = PG_UINT64_MAX;
	PrepareTempTablespaces();
	run->file = OpenTemporaryFile(true);
	return run;
}

/* Write the block in memory behind those written so far. */
static void
write_block(SeenRun *run)
{
	int			written = FileWrite(run->file, (char *) run->block, BLCKSZ,
									(off_t) (run->nblocks - 1) * BLCKSZ,
									WAIT_EVENT_BUFFILE_WRITE);

	if (written != BLCKSZ)
	{
		/* A short write without a reason is a full disk. */
		if (written >= 0)
			errno = ENOSPC;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not write to the temporary file of a seen-set: %m")));
	}
	run->filled = 0;
}

/* Append an entry, which must not be less than those before. */
static void
run_append(SeenRun *run, const SeenEntry *entry)
{
	if (run->filled == 0)
		run->fences[run->nblocks++] = *entry;
	run->block[run->filled++] = *entry;
	run->length++;
	if (run->filled == ENTRIES_PER_BLOCK)
	{
		write_block(run);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Write what is left; from now on the run is read only. */
static void
run_finish(SeenRun *run)
{
	if (run->filled > 0)
	{
		memset(run->block + run->filled, 0,
			   BLCKSZ - run->filled * sizeof(SeenEntry));
		write_block(run);
	}
}

SeenRun *
seen_run_write(SeenEntry *entries, uint32 n)
{
	SeenRun    *volatile run = run_create(n);

	qsort(entries, n, sizeof(SeenEntry), compare_entries);
	PG_TRY();
	{
		for (uint32 i = 0; i < n; i++)
			run_append(run, &entries[i]);
		run_finish(run);
	}
	PG_CATCH();
	{
		seen_run_close(run);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return run;
}

/* Make this block the one in memory. */
static void
read_block(SeenRun *run, uint64 number)
{
	if (run->block_number == number)
		return;
	run->block_number = PG_UINT64_MAX;
	if (FileRead(run->file, (char *) run->block, BLCKSZ, (off_t) number * BLCKSZ,
				 WAIT_EVENT_BUFFILE_READ) != BLCKSZ)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from the temporary file of a seen-set: %m")));
	run->block_number = number;
}

/* The entry at a position. */
static const SeenEntry *
entry_at(SeenRun *run, uint64 position)
{
	read_block(run, position / ENTRIES_PER_BLOCK);
	return &run->block[position % ENTRIES_PER_BLOCK];
}

static void
merge_into(SeenRun *merged, SeenRun *older, SeenRun *newer, bool tags_are_keys)
{
	uint64		a = 0;
	uint64		b = 0;

	while (a < older->length || b < newer->length)
	{
		const SeenEntry *x = a < older->length ? entry_at(older, a) : NULL;
		const SeenEntry *y = b < newer->length ? entry_at(newer, b) : NULL;

		if (y == NULL || (x != NULL && compare_entries(x, y) < 0 &&
						  (tags_are_keys || x->key != y->key)))
		{
			run_append(merged, x);
			a++;
			continue;
		}
		if (x != NULL && x->key == y->key && (!tags_are_keys || x->tag == y->tag))
			a++;				/* the newer one counts */
		run_append(merged, y);
		b++;
	}
	run_finish(merged);
}

SeenRun *
seen_run_merge(SeenRun *older, SeenRun *newer, bool tags_are_keys)
{
	SeenRun    *volatile merged = run_create(older->length + newer->length);

	PG_TRY();
	{
		merge_into(merged, older, newer, tags_are_keys);
	}
	PG_CATCH();
	{
		seen_run_close(merged);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return merged;
}

/*
 * The last of the n entries that is not after the wanted one; -1 if there is none.
 */
static int64
search(const SeenEntry *entries, int64 n, const SeenEntry *wanted)
{
	int64		low = 0;
	int64		high = n;

	while (low < high)
	{
		int64		middle = (low + high) / 2;

		if (compare_entries(&entries[middle], wanted) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

bool
seen_run_find(SeenRun *run, const SeenEntry *entry, bool tags_are_keys, uint64 *tag)
{
	SeenEntry	wanted = *entry;
	int64		block;
	int64		at;
	int64		n;

	/* The only entry of a key has any tag: the last one not after the highest. */
	if (!tags_are_keys)
		wanted.tag = PG_UINT64_MAX;
	block = search(run->fences, run->nblocks, &wanted);
	if (block < 0)
		return false;
	read_block(run, block);
	n = Min(run->length - block * ENTRIES_PER_BLOCK, ENTRIES_PER_BLOCK);
	at = search(run->block, n, &wanted);
	if (at < 0 || run->block[at].key != wanted.key ||
		(tags_are_keys && run->block[at].tag != wanted.tag))
		return false;
	*tag = run->block[at].tag;
	return true;
}

uint64
seen_run_length(const SeenRun *run)
{
	return run->length;
}

void
seen_run_close(SeenRun *run)
{
	FileClose(run->file);
	pfree(run->fences);
	pfree(run->block);
	pfree(run);
}
