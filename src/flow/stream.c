/*
 * stream.c
 *		A source with its cursor, read page by page.
 */
#include "flow/stream.h"

#include "flow/failure.h"
#include "flow/policy.h"
#include "flow/unit.h"
#include "flow/watch.h"
#include "utils/memutils.h"

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

Step *
stream_first_upsert(Run *run, const Step *fetch)
{
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);

		if (step->type->kind == STEP_UPSERT && list_member_ptr(step->roots, fetch))
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
	Step	   *upsert = stream_first_upsert(run, fetch);
	CursorStorage storage = {stream->stored, run->preview, run->atomic};
	bool		whole = run->record.kind == RUN_RESYNC;
	bool		empty = !whole && target_is_empty(upsert);
	bool		known;
	bool		eventual;

	stream->binding.server = step_text(fetch, "server");
	stream->binding.query = step_text(fetch, "jql");
	stream->binding.target = upsert ? step_text(upsert, "target") : NULL;
	stream->binding.filled = upsert && !whole && !empty;
	eventual = source_is_eventual(stream->binding.server, run->flow->owner, &known);
	if (whole)
		stream->cursor = cursor_open_whole(stream->cursor_id, fetch->cursor, eventual || !known,
										   stream->storage ? &storage : NULL);
	else
		stream->cursor = cursor_open(stream->cursor_id, fetch->cursor, &stream->binding,
									 eventual || !known, empty,
									 stream->storage ? &storage : NULL);
	stream->cursor->run_id = run->record.run_id;
}

/* Does with_rate_limit() count its requests? */
static bool
is_limited(const Step *fetch)
{
	for (; fetch; fetch = policy_block(fetch))
	{
		if (fetch->policy.rate_n > 0)
			return true;
	}
	return false;
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
	spec->one_by_one = is_limited(fetch);
	if (spec->one_by_one)
		spec->concurrency = 0;
	spec->references = fetch->references;
	spec->whole = fetch->whole;
	spec->census = stream->census;
	if (fetch->cursor)
	{
		TimestampTz bound = stream->cursor ? stream->cursor->bound : cursor_first_bound(fetch->cursor);

		spec->query = cursor_substitute(spec->query,
										cursor_format_bound(fetch->cursor, bound, stream->time_zone));
	}
	if (stream->cursor)
		spec->walk = stream->cursor->walk;
	return spec;
}

/* Unit: open cursor and source. */
static void
open_unit(Run *run, void *arg)
{
	Stream	   *stream = arg;
	StepContext context;

	step_context_push(&context, run->flow, stream->fetch);
	if (stream->cursor_id != 0 && !run->dry)
		open_cursor(run, stream);
	MemoryContextSwitchTo(stream->source_context);
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

/* Nothing is known of its pages. */
static void
begin_stream(Run *run, Stream *stream)
{
	if (stream->context)
		MemoryContextDelete(stream->context);
	stream->context = AllocSetContextCreate(run->context, "resolute stream", ALLOCSET_DEFAULT_SIZES);
	stream->source_context = AllocSetContextCreate(stream->context, "resolute source",
												   ALLOCSET_DEFAULT_SIZES);
	stream->cursor = NULL;
	stream->storage = NULL;
	stream->stored = NULL;
	stream->source = NULL;
}

void
stream_open_offline(Run *run, Stream *stream)
{
	MemoryContext old;
	StepContext context;

	if (stream->source)
		return;
	begin_stream(run, stream);
	old = MemoryContextSwitchTo(stream->source_context);
	step_context_push(&context, run->flow, stream->fetch);
	stream->source = source_open(source_spec(run, stream));
	step_context_pop(&context);
	MemoryContextSwitchTo(old);
	stream->opened++;
}

bool
stream_open(Run *run, Stream *stream)
{
	if (stream->source || stream->failed)
		return true;
	for (int attempt = 1;; attempt++)
	{
		begin_stream(run, stream);

		/* Nothing may touch a catalog while waiting: so end this transaction. */
		if (learn_time_zone(run, stream) && stream_read_storage(run, stream) &&
			run_unit(run, UNIT_DATABASE, stream->context, open_unit, stream) &&
			run_commit(run) &&
			stream_write_storage(run, stream, true))
			break;
		stream->source = NULL;
		if (!run_try_again(run, stream->fetch, policy_retry(stream->fetch), attempt))
			return false;
	}
	stream->opened++;
	return true;
}

void
stream_close(Stream *stream)
{
	if (stream->ahead)
		MemoryContextDelete(stream->ahead_context);
	stream->ahead = NULL;
	if (stream->current)
		MemoryContextDelete(stream->current_context);
	stream->current = NULL;

	/* The fields of the rows belong to the source. */
	if (stream->source && stream->spool == NULL)
	{
		MemoryContextDelete(stream->source_context);
		stream->source = NULL;
	}
	stream->ended = true;
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
	Watch	   *watch;

	step_context_push(&context, run->flow, next->stream->fetch);
	step_context_set_page(&context, next->stream->pages + 1);
	watch = watch_begin(run, next->stream->fetch, next->stream->fetch->policy.timeout_us);
	next->page = source_next(next->stream->source);
	watch_end(watch);
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

/* Count a page that has come. */
static void
count_page(Run *run, Stream *stream, const SourcePage *page)
{
	RunStepRecord *done = &step_state(run, stream->fetch)->done;

	stream->pages++;
	stream->rows += page->batch->nrows;
	stream->all_pages++;
	stream->all_rows += page->batch->nrows;
	done->pages++;
	done->bytes += page->bytes;
	done->retries += page->retries;
	done->wait_us += page->wait_us;
	done->recv_us += page->recv_us;
	done->work_us += page->read_us;
	done->counts.rows_out += page->batch->nrows;
}

bool
stream_fetch_page(Run *run, Stream *stream, SourcePage **page, MemoryContext *context)
{
	NextArg		next = {stream, NULL};
	const Step *fetch = stream->fetch;

	*page = NULL;
	if (!stream_open(run, stream))
		return false;
	if (stream->ended)
		return true;
	for (int attempt = 1;; attempt++)
	{
		if (!stream->has_turn && !run_take_turn(run, fetch, true))
			return false;
		stream->has_turn = false;
		*context = AllocSetContextCreate(run->context, "resolute page", ALLOCSET_DEFAULT_SIZES);
		if (run_unit(run, UNIT_NETWORK, *context, next_unit, &next))
			break;
		MemoryContextDelete(*context);
		if (!run_try_again(run, fetch, policy_retry(fetch), attempt))
			return false;
	}
	*page = next.page;
	if (next.page == NULL)
	{
		stream->ended = true;
		MemoryContextDelete(*context);
		return true;
	}
	note_walk(stream, next.page);
	count_page(run, stream, next.page);
	return true;
}

bool
stream_fetched_page(Run *run, Stream *stream, SourcePage **page, MemoryContext *context)
{
	if (stream->ahead)
	{
		*page = stream->ahead;
		*context = stream->ahead_context;
		stream->ahead = NULL;
		return true;
	}
	return stream_fetch_page(run, stream, page, context);
}

bool
stream_next(Run *run, Stream *stream, SourcePage **page, MemoryContext *context)
{
	*page = NULL;
	if (stream->failed)
		return true;
	if (stream->spool)
		return stream_spooled_page(run, stream, page, context);
	if (!stream->fetch->manual)
		return stream_fetched_page(run, stream, page, context);
	if (!stream_hold_page(run, stream))
		return false;
	*page = stream->current;
	*context = stream->current_context;
	return true;
}

bool
stream_has_rows(Run *run, Stream *stream, bool *has_rows)
{
	if (stream->fetch->manual)
	{
		*has_rows = false;
		if (!stream_hold_page(run, stream))
			return false;
		*has_rows = stream->current != NULL;
		return true;
	}

	/* An empty page with a token is legal, so read on. */
	while (stream->rows == 0 && !stream->ended)
	{
		if (stream->ahead)
			MemoryContextDelete(stream->ahead_context);
		stream->ahead = NULL;
		if (!stream_fetch_page(run, stream, &stream->ahead, &stream->ahead_context))
			return false;
	}
	*has_rows = stream->rows > 0 && !stream->failed;
	return true;
}

bool
stream_prepare(Run *run, Stream *stream)
{
	return stream->fetch->needs_spool ? stream_fill_spool(run, stream) : stream_open(run, stream);
}

bool
stream_reopen(Run *run, Stream *stream)
{
	if (stream->opened == 0)
		return true;
	if (!stream_finish(run, stream))
		return false;
	stream_close(stream);
	stream->source = NULL;
	stream->spool = NULL;
	stream->pages = stream->rows = stream->spooled_pages = 0;
	stream->ended = stream->failed = stream->drained = stream->finished = false;
	stream->fed = stream->missed = NIL;
	stream->has_kept = stream->has_staged = stream->has_maximum = false;
	stream->page_done = stream->skipped = false;
	stream->walk = stream->kept_walk = stream->staged_walk = NULL;
	return true;
}

bool
stream_fail(Run *run, Stream *stream)
{
	if (stream->failed)
		return true;
	if (!stream_settle(run, stream))
		return false;
	stream_close(stream);
	stream->failed = true;
	return true;
}

bool
stream_handle(Run *run, Stream *stream)
{
	return stream_fail(run, stream) && run_handle(run, stream->fetch, NULL);
}
