/*
 * stream_spool.c
 *		Streams whose rows are kept aside, because they are read more than once.
 */
#include "flow/stream.h"

#include "flow/unit.h"
#include "utils/memutils.h"

typedef struct NextArg
{
	Stream	   *stream;
	SourcePage *page;
} NextArg;

/* Unit: the next rows of the spool, as a page. */
static void
spool_unit(Run *run pg_attribute_unused(), void *arg)
{
	NextArg    *next = arg;
	RowBatch   *batch = spool_next(next->stream->spool, SPOOL_PAGE_ROWS);

	if (batch == NULL)
		return;
	next->page = palloc0(sizeof(SourcePage));
	next->page->batch = batch;
	next->page->number = ++next->stream->spooled_pages;
}

bool
stream_spooled_page(Run *run, Stream *stream, SourcePage **page, MemoryContext *context)
{
	NextArg		next = {stream, NULL};

	*context = AllocSetContextCreate(run->context, "resolute page", ALLOCSET_DEFAULT_SIZES);
	if (!run_unit(run, UNIT_NETWORK, *context, spool_unit, &next))
		return false;
	*page = next.page;
	if (next.page == NULL)
		MemoryContextDelete(*context);
	return true;
}

/* Unit: keep a page aside. */
static void
append_unit(Run *run pg_attribute_unused(), void *arg)
{
	NextArg    *next = arg;

	spool_append(next->stream->spool, next->page->batch);
	stream_stage_maximum(next->stream, next->page);
}

bool
stream_fill_spool(Run *run, Stream *stream)
{
	if (stream->spool)
		return true;
	if (!stream_open(run, stream))
		return false;
	for (;;)
	{
		NextArg		next = {stream, NULL};
		MemoryContext context;
		bool		appended;

		if (!stream_fetched_page(run, stream, &next.page, &context))
			return false;
		if (next.page == NULL)
			break;
		if (stream->spool == NULL)
		{
			MemoryContext old = MemoryContextSwitchTo(stream->context);

			stream->spool = spool_create(stream->source->fields);
			MemoryContextSwitchTo(old);
		}
		appended = run_unit(run, UNIT_NETWORK, context, append_unit, &next);
		stream_keep(stream);
		MemoryContextDelete(context);
		if (!appended)
			return false;
	}
	return true;
}
