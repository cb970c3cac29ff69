/*
 * stream.c
 *		A source with its cursor, read page by page.
 */
#include "flow/run.h"

#include "rows/instant.h"
#include "utils/memutils.h"

/* Rows that are read back from a spool at a time. */
#define SPOOL_PAGE_ROWS 100

Stream *
run_stream(Run *run, const Step *fetch)
{
	ListCell   *lc;

	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);

		if (stream->fetch == fetch)
			return stream;
	}
	elog(ERROR, "step \"%s\" has no stream", fetch->name);
}

/* The target that the cursor is bound to: that of the first upsert of its rows. */
static Step *
first_upsert(Run *run, const Step *fetch)
{
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);

		if (step->type->kind == STEP_UPSERT && step->root == fetch)
			return step;
	}
	return NULL;
}

/* Is the target of a cursor empty?  Not if there is no target. */
static bool
target_is_empty(const Step *upsert)
{
	UpsertSpec	spec = {.quiet = true};

	if (upsert == NULL)
		return false;
	spec.step = upsert->name;
	spec.target = step_text(upsert, "target");
	spec.keys = upsert->keys;
	return !upsert_target_has_rows(upsert_create(&spec, fieldset_create(0)));
}

/* Open the cursor, so that the query's bound is known. */
static void
open_cursor(Run *run, Stream *stream)
{
	Step	   *fetch = stream->fetch;
	Step	   *upsert = first_upsert(run, fetch);
	bool		known;
	bool		eventual;

	stream->binding.server = step_text(fetch, "server");
	stream->binding.query = step_text(fetch, "jql");
	stream->binding.target = upsert ? step_text(upsert, "target") : NULL;
	eventual = source_is_eventual(stream->binding.server, run->flow->owner, &known);
	stream->cursor = cursor_open(stream->cursor_id, fetch->cursor, &stream->binding,
								 eventual || !known, target_is_empty(upsert), false);
}

/* What to ask the source for. */
static SourceSpec *
source_spec(Run *run, Stream *stream)
{
	Step	   *fetch = stream->fetch;
	SourceSpec *spec = palloc0(sizeof(SourceSpec));

	spec->provider = fetch->type->provider;
	spec->server = step_text(fetch, "server");
	spec->userid = run->flow->owner;
	spec->query = step_text(fetch, "jql");
	spec->ordered = stream->cursor != NULL;
	spec->page_size = (int) step_int(fetch, "page_size", 0);
	spec->max_items = step_int(fetch, "max_items", 0);
	spec->concurrency = (int) step_int(fetch, "concurrency", 0);
	spec->references = fetch->references;
	spec->whole = fetch->whole;
	if (stream->cursor)
	{
		spec->query = cursor_substitute(spec->query,
										cursor_format_bound(fetch->cursor, stream->cursor->bound,
															stream->time_zone));
		spec->walk = stream->cursor->walk;
	}
	return spec;
}

/* Unit: open cursor and source. */
static void
open_unit(Run *run, void *arg)
{
	Stream	   *stream = arg;
	StepContext context;

	step_context_push(&context, run->flow, stream->fetch);
	if (stream->cursor_id != 0)
		open_cursor(run, stream);
	stream->source = source_open(source_spec(run, stream));
	step_context_pop(&context);
}

/* Unit: the connection whose account's time zone is wanted. */
static void
connect_unit(Run *run, void *arg)
{
	Stream	   *stream = arg;

	stream->connection = connection_get(step_text(stream->fetch, "server"), run->flow->owner);
}

/* Unit: ask in which time zone the server reads dates. */
static void
time_zone_unit(Run *run, void *arg)
{
	Stream	   *stream = arg;
	StepContext context;

	step_context_push(&context, run->flow, stream->fetch);
	stream->time_zone = source_time_zone(stream->fetch->type->provider, stream->connection);
	step_context_pop(&context);
}

/* A cursor that is written as a date needs to know in which time zone. */
static bool
learn_time_zone(Run *run, Stream *stream)
{
	const CursorSpec *cursor = stream->fetch->cursor;

	if (cursor == NULL || !cursor_has_layout(cursor))
		return true;
	return run_unit(run, UNIT_DATABASE, stream->context, connect_unit, stream) &&
		run_commit(run) &&
		run_unit(run, UNIT_NETWORK, stream->context, time_zone_unit, stream);
}

bool
stream_open(Run *run, Stream *stream)
{
	if (stream->source)
		return true;
	stream->context = AllocSetContextCreate(run->context, "resolute stream", ALLOCSET_DEFAULT_SIZES);
	if (!learn_time_zone(run, stream))
		return false;

	/* Nothing may touch a catalog while waiting: so end this transaction. */
	return run_unit(run, UNIT_DATABASE, stream->context, open_unit, stream) && run_commit(run);
}

typedef struct NextArg
{
	Stream	   *stream;
	SourcePage	   *page;
} NextArg;

/* Unit: wait for the next page of the source. */
static void
next_unit(Run *run, void *arg)
{
	NextArg    *next = arg;
	StepContext context;

	step_context_push(&context, run->flow, next->stream->fetch);
	context.page = next->stream->pages + 1;
	next->page = source_next(next->stream->source);
	step_context_pop(&context);
}

/* Remember where to go on after a page, and whether there is anything left. */
static void
note_walk(Stream *stream, const SourcePage *page)
{
	if (stream->walk)
		pfree(stream->walk);
	stream->walk = page->walk ? MemoryContextStrdup(stream->context, page->walk) : NULL;
	stream->ended = page->walk == NULL;
}

/* Ask the source itself for its next page. */
static bool
source_page(Run *run, Stream *stream, SourcePage **page, MemoryContext *context)
{
	NextArg		next = {stream, NULL};
	RunStepRecord *done = &step_state(run, stream->fetch)->done;

	*page = NULL;
	if (!stream_open(run, stream))
		return false;
	if (stream->ended)
		return true;
	*context = AllocSetContextCreate(run->context, "resolute page", ALLOCSET_DEFAULT_SIZES);
	if (!run_unit(run, UNIT_NETWORK, *context, next_unit, &next))
	{
		MemoryContextDelete(*context);
		return false;
	}
	*page = next.page;
	if (next.page == NULL)
	{
		stream->ended = true;
		MemoryContextDelete(*context);
		return true;
	}
	stream->pages++;
	stream->rows += next.page->batch->nrows;
	note_walk(stream, next.page);
	done->pages++;
	done->bytes += next.page->bytes;
	done->retries += next.page->retries;
	done->wait_us += next.page->wait_us;
	done->recv_us += next.page->recv_us;
	done->work_us += next.page->read_us;
	done->counts.rows_out += next.page->batch->nrows;
	return true;
}

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
}

static bool
spooled_page(Run *run, Stream *stream, SourcePage **page, MemoryContext *context)
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

/* The page that was looked at already, or the source's next one. */
static bool
fetched_page(Run *run, Stream *stream, SourcePage **page, MemoryContext *context)
{
	if (stream->ahead)
	{
		*page = stream->ahead;
		*context = stream->ahead_context;
		stream->ahead = NULL;
		return true;
	}
	return source_page(run, stream, page, context);
}

bool
stream_next(Run *run, Stream *stream, SourcePage **page, MemoryContext *context)
{
	return stream->spool ? spooled_page(run, stream, page, context)
		: fetched_page(run, stream, page, context);
}

bool
stream_has_rows(Run *run, Stream *stream, bool *has_rows)
{
	/* An empty page with a token is legal, so read on. */
	while (stream->rows == 0 && !stream->ended)
	{
		if (stream->ahead)
			MemoryContextDelete(stream->ahead_context);
		if (!source_page(run, stream, &stream->ahead, &stream->ahead_context))
			return false;
	}
	*has_rows = stream->rows > 0;
	return true;
}

/* The greatest cursor value of a page, not beyond the server's own clock. */
static void
stage_maximum(Stream *stream, const SourcePage *page)
{
	int			field = fieldset_find_flag(page->batch->fields, FIELD_CURSOR);

	stream->staged_has_maximum = stream->has_maximum;
	stream->staged_maximum = stream->maximum;
	for (int i = 0; field >= 0 && i < page->batch->nrows; i++)
	{
		TimestampTz instant;

		if (!instant_from_value(&page->batch->rows[i].values[field], &instant))
			continue;
		if (page->server_date != 0 && instant > page->server_date)
			instant = page->server_date;
		if (!stream->staged_has_maximum || instant > stream->staged_maximum)
			stream->staged_maximum = instant;
		stream->staged_has_maximum = true;
	}
}

/* Unit: keep a page aside. */
static void
append_unit(Run *run pg_attribute_unused(), void *arg)
{
	NextArg    *next = arg;

	spool_append(next->stream->spool, next->page->batch);
	stage_maximum(next->stream, next->page);
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

		if (!fetched_page(run, stream, &next.page, &context))
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

void
stream_checkpoint(Run *run, Stream *stream, const SourcePage *page)
{
	bool		last = page->walk == NULL;

	/*
	 * A spooled source is read again later: its cursor moves at the end.  Its
	 * maximum is that of the pages as they came, each with the server's clock.
	 */
	if (stream->fetch->needs_spool)
		return;
	stage_maximum(stream, page);
	stream->staged_finished = false;
	if (stream->cursor == NULL)
		return;

	/*
	 * Without an order, only the end says that nothing was left out.  In the
	 * caller's transaction nobody could go on from here, and a row that is
	 * updated for each page there takes longer with every one.
	 */
	if (!last && (run->atomic || !stream->source->ascending))
		return;
	cursor_checkpoint(stream->cursor, stream->staged_has_maximum, stream->staged_maximum,
					  page->walk, &stream->binding, run->record.run_id);
	stream->staged_finished = last;
}

void
stream_keep(Stream *stream)
{
	if (stream->staged_has_maximum)
	{
		stream->has_maximum = true;
		stream->maximum = stream->staged_maximum;
	}
	stream->finished |= stream->staged_finished;
	stream->staged_finished = false;
	if (stream->cursor)
		cursor_keep(stream->cursor);
}

void
stream_drop(Stream *stream)
{
	stream->staged_finished = false;
	if (stream->cursor)
		cursor_drop(stream->cursor);
}

/* Unit: what was read is stored; the walk is over, or max_items has ended the run. */
static void
finish_unit(Run *run, void *arg)
{
	Stream	   *stream = arg;

	cursor_checkpoint(stream->cursor, stream->has_maximum, stream->maximum, stream->walk,
					  &stream->binding, run->record.run_id);
}

/* Did the pages of an ended stream move its cursor as far as they could? */
static bool
moved_by_pages(const Run *run, const Stream *stream)
{
	if (stream->walk == NULL || stream->fetch->needs_spool)
		return false;
	return !run->atomic || !stream->source->ascending;
}

bool
stream_finish(Run *run, Stream *stream)
{
	/* Rows that no sink has seen must come again. */
	if (stream->cursor == NULL || stream->finished || !stream->ended ||
		!(stream->drained || stream->rows == 0))
		return true;
	if (moved_by_pages(run, stream))
		return true;
	if (!run_unit(run, UNIT_DATABASE, run->context, finish_unit, stream) ||
		!run_commit(run))
		return false;
	cursor_keep(stream->cursor);
	stream->finished = true;
	return true;
}

bool
stream_finish_all(Run *run)
{
	ListCell   *lc;

	foreach(lc, run->streams)
	{
		if (!stream_finish(run, lfirst(lc)))
			return false;
	}
	return true;
}
