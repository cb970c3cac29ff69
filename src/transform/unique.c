/*
 * unique.c
 *		Drops duplicates, within a page and over pages.
 *
 * A key is remembered as a hash of its text.  With keep_first that is a hash
 * of 128 bits; otherwise 64 bits of it, with a hash of the row as it was last passed
 * on: only a row that is the same as the latest one of its key is dropped.
 *
 * Over a merge the rank of each key's latest row is remembered as well: its version (in ms) and
 * the place of its input.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "rows/instant.h"
#include "rows/json.h"
#include "transform/seen_set.h"
#include "transform/transform.h"

/* Seeds that make two independent hashes of the same bytes. */
#define KEY_SEED UINT64CONST(0x7265736f6c757465)
#define TAG_SEED UINT64CONST(0x6475706c69636174)

/* One part of the key: a field of the rows, or else a member of the item. */
typedef struct KeyPart
{
	const char *name;			/* in UTF-8 */
	int			field;			/* or -1 */
} KeyPart;

typedef struct UniqueRows
{
	Transform	transform;		/* must be first */
	MemoryContext context;
	bool		keep_first;
	bool		merged;
	int			version;		/* merged: the field, or -1 */
	int			nparts;
	KeyPart    *parts;
	SeenSet    *seen;
	SeenSet    *ranks;			/* merged: of the rows that were passed on */
	SeenEntry  *staged;			/* what the page will add when it is kept */
	SeenEntry  *staged_ranks;	/* merged: to ranks */
	int			nstaged;
	int			capacity;
} UniqueRows;

/* Ranks of merges fit in so many bits below the version. */
#define RANK_BITS 12

/* A key of this page, and the place of its row in the result. */
typedef struct PageKey
{
	SeenEntry	key;
	int			place;
	char		status;
} PageKey;

#define SH_PREFIX pagekeys
#define SH_ELEMENT_TYPE PageKey
#define SH_KEY_TYPE SeenEntry
#define SH_KEY key
#define SH_HASH_KEY(tb, k) ((uint32) (k).key)
#define SH_EQUAL(tb, a, b) ((a).key == (b).key && (a).tag == (b).tag)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * A hash of what the value reads as and of all before it, whose hash is given.  Its
 * length goes in as well, so that no two lists of values have the same bytes.
 */
static uint64
hash_value(uint64 before, const Value *value, StringInfo scratch)
{
	const char *data = value->data;
	uint32		len = value->len;

	if (value_is_null(value))
		len = 0;
	else if (value->flags & VALUE_ESCAPED)
	{
		resetStringInfo(scratch);
		value_append_text(scratch, value);
		data = scratch->data;
		len = scratch->len;
	}
	return hash_bytes_extended((const unsigned char *) data, len, hash_combine64(before, len));
}

/*
 * The hash of the row's key.  Returns the name of the part that is null or
 * missing, NULL if there is none.
 */
static const char *
hash_key(UniqueRows *self, const Row *row, StringInfo scratch, SeenEntry *key)
{
	key->key = KEY_SEED;
	key->tag = TAG_SEED;
	for (int i = 0; i < self->nparts; i++)
	{
		KeyPart    *part = &self->parts[i];
		Value		value = part->field >= 0 ? row->values[part->field] :
			json_member(&row->item, part->name, strlen(part->name), false);

		if (value_is_null(&value))
			return part->name;
		key->key = hash_value(key->key, &value, scratch);
		key->tag = hash_value(key->tag, &value, scratch);
	}
	return NULL;
}

/* The hash of all that makes a row another one: what comes from now does not. */
static uint64
hash_content(const FieldSet *fields, const Row *row, StringInfo scratch)
{
	uint64		hash = TAG_SEED;

	if (fields->is_item)
		return hash_value(hash, &row->item, scratch);
	for (int i = 0; i < fields->nfields; i++)
	{
		uint8		kind = Max(row->values[i].kind, VALUE_NULL);

		if ((fields->fields[i].flags & FIELD_VOLATILE) == 0)
			hash = hash_value(hash_combine64(hash, kind), &row->values[i], scratch);
	}
	return hash;
}

/* A row without a key is never a duplicate: it is a dead letter. */
static void
fail_row(UniqueRows *self, const Row *row, const char *part, PageContext *page,
		 StepCounts *counts)
{
	ErrorData	edata = {.elevel = ERROR, .sqlerrcode = ERRCODE_NOT_NULL_VIOLATION};
	MemoryContext caller = MemoryContextSwitchTo(page->context);

	edata.message = psprintf("null value in key \"%s\" of step \"%s\"",
							 pg_any_to_server(part, strlen(part), PG_UTF8),
							 self->transform.step);
	edata.detail = pstrdup("A row without a key cannot be told from others.");
	page_fail_row(page, self->transform.step, row, &edata);
	counts->failed++;
	MemoryContextSwitchTo(caller);
}

/*
 * What says which of two rows of a key wins: the version, then the input.  Versions are
 * milliseconds since 4713 BC, so that none is negative; no version is the oldest.
 */
static uint64
row_rank(const UniqueRows *self, const Row *row, int input)
{
	TimestampTz version;
	uint64		ms = 0;

	if (self->version >= 0 && instant_from_value(&row->values[self->version], &version))
		ms = (uint64) (version - MIN_TIMESTAMP) / 1000 + 1;
	return (ms << RANK_BITS) | (uint64) Min(input, (1 << RANK_BITS) - 1);
}

/* Note what keep() shall remember. */
static void
stage(UniqueRows *self, const SeenEntry *entry, uint64 rank)
{
	if (self->nstaged == self->capacity)
	{
		self->capacity *= 2;
		self->staged = repalloc_huge(self->staged, sizeof(SeenEntry) * (Size) self->capacity);
		if (self->merged)
			self->staged_ranks = repalloc_huge(self->staged_ranks,
											   sizeof(SeenEntry) * (Size) self->capacity);
	}
	if (self->merged)
		self->staged_ranks[self->nstaged] = (SeenEntry) {entry->key, rank};
	self->staged[self->nstaged++] = *entry;
}

/*
 * Put the rows of the page, one for each key, into out; keys has room for the
 * key of each.
 */
static void
take_page(UniqueRows *self, RowBatch *in, RowBatch *out, SeenEntry *keys,
		  PageContext *page, StepCounts *counts)
{
	pagekeys_hash *places = pagekeys_create(page->context, in->nrows, NULL);
	StringInfoData scratch;

	initStringInfo(&scratch);
	for (int i = 0; i < in->nrows; i++)
	{
		Row		   *row = &in->rows[i];
		SeenEntry	key;
		const char *without = hash_key(self, row, &scratch, &key);
		PageKey    *entry;
		bool		found;

		CHECK_FOR_INTERRUPTS();
		if (without != NULL)
		{
			fail_row(self, row, without, page, counts);
			continue;
		}
		entry = pagekeys_insert(places, key, &found);
		if (!found)
		{
			keys[out->nrows] = key;
			entry->place = out->nrows;
			out->rows[out->nrows++] = *row;
			continue;
		}
		counts->duplicates++;
		if (!self->keep_first &&
			(!self->merged || row_rank(self, row, 0) >= row_rank(self, &out->rows[entry->place], 0)))
			out->rows[entry->place] = *row;
	}
	pagekeys_destroy(places);
}

/* Is the row to be dropped because of earlier pages?  Otherwise it is staged. */
static bool
seen_before(UniqueRows *self, const RowBatch *in, const Row *row, const SeenEntry *key,
			StringInfo scratch)
{
	SeenEntry	entry = *key;
	uint64		rank = self->merged ? row_rank(self, row, in->rank) : 0;
	uint64		tag;

	if (!self->keep_first)
		entry.tag = hash_content(in->fields, row, scratch);
	if (seen_set_find(self->seen, &entry, &tag) && tag == entry.tag)
		return true;
	if (self->merged && seen_set_find(self->ranks, &entry, &tag) && tag > rank)
		return true;
	stage(self, &entry, rank);
	return false;
}

static RowBatch *
unique_process(Transform *transform, RowBatch *in, PageContext *page, StepCounts *counts)
{
	UniqueRows  *self = (UniqueRows *) transform;
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	RowBatch   *out = batch_create(in->fields, in->nrows);
	SeenEntry  *keys = palloc_extended(sizeof(SeenEntry) * Max(in->nrows, 1), MCXT_ALLOC_HUGE);
	StringInfoData scratch;
	int			kept = 0;

	self->nstaged = 0;
	take_page(self, in, out, keys, page, counts);

	initStringInfo(&scratch);
	for (int i = 0; i < out->nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (seen_before(self, in, &out->rows[i], &keys[i], &scratch))
			counts->duplicates++;
		else
			out->rows[kept++] = out->rows[i];
	}
	out->nrows = kept;
	counts->rows_in += in->nrows;
	counts->rows_out += kept;

	/* What can fail is done now: keep() may be called between transactions. */
	seen_set_reserve(self->seen, self->nstaged);
	if (self->merged)
		seen_set_reserve(self->ranks, self->nstaged);
	MemoryContextSwitchTo(caller);
	return out;
}

static void
unique_keep(Transform *transform)
{
	UniqueRows  *self = (UniqueRows *) transform;

	for (int i = 0; i < self->nstaged; i++)
	{
		seen_set_put(self->seen, &self->staged[i]);
		if (self->merged)
			seen_set_put(self->ranks, &self->staged_ranks[i]);
	}
	self->nstaged = 0;
}

static void
unique_drop(Transform *transform)
{
	((UniqueRows *) transform)->nstaged = 0;
}

/* Raise: the key is not among the fields. */
static void
report_no_field(const char *step, const char *name, const FieldSet *input)
{
	char	   *list = fieldset_names(input);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("key \"%s\" of step \"%s\" is not a field of its rows", name, step),
			 *list ? errhint("The fields are %s.", list) :
			 errhint("The rows have no fields: each must be an object that has the key.")));
}

Transform *
unique_create(const char *step, List *keys, bool keep_first, const FieldSet *input)
{
	UniqueRows  *self = palloc0(sizeof(UniqueRows));
	ListCell   *lc;

	self->transform.step = step;
	self->transform.fields = input;
	self->transform.process = unique_process;
	self->transform.keep = unique_keep;
	self->transform.drop = unique_drop;
	self->context = CurrentMemoryContext;
	self->keep_first = keep_first;
	self->parts = palloc0(sizeof(KeyPart) * Max(list_length(keys), 1));
	foreach(lc, keys)
	{
		const char *name = lfirst(lc);
		KeyPart    *part = &self->parts[self->nparts++];

		part->field = fieldset_find(input, name);
		part->name = pg_server_to_any(name, strlen(name), PG_UTF8);
		if (part->field < 0 && !input->is_item)
			report_no_field(step, name, input);
	}
	self->seen = seen_set_create(keep_first);
	self->capacity = 128;
	self->staged = palloc(sizeof(SeenEntry) * self->capacity);
	return &self->transform;
}

void
unique_over_merge(Transform *transform)
{
	UniqueRows  *self = (UniqueRows *) transform;
	MemoryContext caller = MemoryContextSwitchTo(self->context);

	/* First come, first kept: then no other row of a key passes anyway. */
	if (!self->keep_first)
	{
		self->merged = true;
		self->version = fieldset_find_flag(transform->fields, FIELD_CURSOR);
		self->ranks = seen_set_create(false);
		self->staged_ranks = palloc(sizeof(SeenEntry) * self->capacity);
	}
	MemoryContextSwitchTo(caller);
}
