/*
 * chunk.c
 *		One row for each so many rows.
 *
 * A chunk goes out as soon as it is full; the rows of the one that is not are
 * held back, as text, until the next page or the end.
 */
#include "postgres.h"

#include "transform/collect.h"
#include "transform/transform.h"

/* A chunk that is not full yet. */
typedef struct OpenChunk
{
	int64		number;			/* 1, 2, ... */
	int64		count;
	StringInfoData items;
} OpenChunk;

typedef struct Chunk
{
	Transform	base;			/* must be first */
	const FieldSet *input;
	int64		size;
	OpenChunk	open;			/* after the pages that were kept */
	OpenChunk	staged;			/* after the present one */
} Chunk;

/* The row of a chunk, in the current context; the next one begins. */
static void
put_chunk(Chunk *self, OpenChunk *chunk, RowBatch *out)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "{\"chunk\": " INT64_FORMAT ", \"count\": " INT64_FORMAT ", \"items\": [",
					 chunk->number, chunk->count);
	appendBinaryStringInfo(&text, chunk->items.data, chunk->items.len);
	appendStringInfoString(&text, "]}");
	row_set_object(batch_add(out), self->base.fields, &text);
	resetStringInfo(&chunk->items);
	chunk->number++;
	chunk->count = 0;
}

static RowBatch *
chunk_process(Transform *transform, RowBatch *in, PageContext *page, StepCounts *counts)
{
	Chunk	   *self = (Chunk *) transform;
	OpenChunk  *chunk = &self->staged;
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	RowBatch   *out = batch_create(transform->fields, in->nrows / self->size + 1);

	chunk->number = self->open.number;
	chunk->count = self->open.count;
	resetStringInfo(&chunk->items);
	appendBinaryStringInfo(&chunk->items, self->open.items.data, self->open.items.len);
	for (int i = 0; i < in->nrows; i++)
	{
		if (chunk->count++ > 0)
			appendStringInfoString(&chunk->items, ", ");
		row_append_json(&chunk->items, self->input, &in->rows[i]);
		if (chunk->count == self->size)
			put_chunk(self, chunk, out);
	}
	counts->rows_in += in->nrows;
	counts->rows_out += out->nrows;
	MemoryContextSwitchTo(caller);
	return out;
}

/* Only after pages that went through process(): else nothing is staged. */
static void
chunk_keep(Transform *transform)
{
	Chunk	   *self = (Chunk *) transform;
	OpenChunk	before = self->open;

	if (self->staged.number == 0)
		return;
	self->open = self->staged;
	self->staged = before;
	self->staged.number = 0;
}

static void
chunk_drop(Transform *transform)
{
	((Chunk *) transform)->staged.number = 0;
}

static RowBatch *
chunk_finish(Transform *transform, PageContext *page)
{
	Chunk	   *self = (Chunk *) transform;
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	RowBatch   *out = NULL;

	if (self->open.count > 0)
	{
		out = batch_create(transform->fields, 1);
		put_chunk(self, &self->open, out);
	}
	MemoryContextSwitchTo(caller);
	return out;
}

Transform *
chunk_create(const char *step, int64 size, const FieldSet *input)
{
	Chunk	   *self = palloc0(sizeof(Chunk));

	self->base.step = pstrdup(step);
	self->base.fields = fieldset_of_names(step, list_make3("chunk", "count", "items"));
	self->base.process = chunk_process;
	self->base.keep = chunk_keep;
	self->base.drop = chunk_drop;
	self->base.finish = chunk_finish;
	self->input = input;
	self->size = size;
	self->open.number = 1;
	initStringInfo(&self->open.items);
	initStringInfo(&self->staged.items);
	return &self->base;
}
