/*
 * paging.c
 *		Several sources at once, and pages one by one (paginate => 'manual').
 */
#include "flow/stream.h"

#include "flow/failure.h"
#include "flow/unit.h"
#include "source/http.h"
#include "utils/memutils.h"

/* How long a source may leave us waiting before it is asked again. */
#define LOOK_AGAIN_MS 1000

/* Could its next page, or its end, be had without waiting for the network? */
static bool
is_at_hand(const Stream *stream)
{
	return stream->failed || stream->spool || stream->ahead || stream->current || stream->ended ||
		stream->source == NULL;
}

/*
 * May the next page be asked for?  Otherwise *due_ms is lowered to the time when to look again.
 */
static bool
may_ask(Run *run, Stream *stream, int64 *due_ms)
{
	int64		wait_us;

	if (stream->has_turn)
		return true;
	wait_us = run_try_turn(run, stream->fetch, true);
	stream->has_turn = wait_us == 0;
	if (!stream->has_turn)
		*due_ms = Min(*due_ms, wait_us / 1000 + 1);
	return stream->has_turn;
}

typedef struct FirstArg
{
	List	   *streams;
	Stream	   *first;
} FirstArg;

/* The wait is that of the stream that has ended it. */
static void
count_wait(Run *run, const Stream *stream, HttpTimes before)
{
	RunStepRecord *done = &step_state(run, stream->fetch)->done;
	HttpTimes	after = http_times();

	done->wait_us += after.wait_us - before.wait_us;
	done->recv_us += after.work_us - before.work_us;
}

/* Unit: wait for the page that comes first. */
static void
first_unit(Run *run, void *arg)
{
	FirstArg   *args = arg;
	HttpTimes	before = http_times();
	ListCell   *lc;

	for (;;)
	{
		int64		due_ms = LOOK_AGAIN_MS;

		foreach(lc, args->streams)
		{
			Stream	   *stream = lfirst(lc);
			StepContext context;
			bool		ready;

			if (!may_ask(run, stream, &due_ms))
				continue;
			step_context_push(&context, run->flow, stream->fetch);
			ready = stream->source->ready(stream->source, &due_ms);
			step_context_pop(&context);
			if (!ready)
				continue;
			args->first = stream;
			count_wait(run, stream, before);
			return;
		}
		http_progress(due_ms);
	}
}

/* The streams in the order in which they are looked at: the one served last comes last. */
static List *
rotate(List *streams, const Stream *served)
{
	List	   *after = NIL;
	List	   *before = NIL;
	bool		passed = false;
	ListCell   *lc;

	foreach(lc, streams)
	{
		if (passed)
			after = lappend(after, lfirst(lc));
		else
			before = lappend(before, lfirst(lc));
		passed |= lfirst(lc) == served;
	}
	after = list_concat(after, before);
	list_free(before);
	return after;
}

bool
stream_first(Run *run, List *streams, Stream **stream)
{
	FirstArg	arg = {NIL, NULL};
	ListCell   *lc;

	if (list_length(streams) == 1)
	{
		*stream = linitial(streams);
		return true;
	}
	arg.streams = rotate(streams, *stream);
	foreach(lc, arg.streams)
	{
		if (arg.first == NULL && is_at_hand(lfirst(lc)))
			arg.first = lfirst(lc);
	}
	if (arg.first == NULL && !run_unit(run, UNIT_NETWORK, NULL, first_unit, &arg))
	{
		*stream = linitial(streams);
		foreach(lc, arg.streams)
		{
			if (((Stream *) lfirst(lc))->fetch == run->error_step)
				*stream = lfirst(lc);
		}

		/* Asked for its page, it will say so again, and may be tried again. */
		if (run->error_step != (*stream)->fetch || run->error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			return false;
		run->error = NULL;
		return true;
	}
	*stream = arg.first;
	list_free(arg.streams);
	return true;
}

/* ------------------------------------------------------------------------
 * Pages one by one
 * ------------------------------------------------------------------------
 */

bool
stream_hold_page(Run *run, Stream *stream)
{
	/* A page without rows is none, neither before others nor at the end. */
	while (stream->current == NULL && !stream->ended && !stream->failed)
	{
		SourcePage *page;
		MemoryContext context;

		if (!stream_fetch_page(run, stream, &page, &context))
			return false;
		if (page == NULL)
			break;
		if (page->batch->nrows == 0)
		{
			MemoryContextDelete(context);
			continue;
		}
		stream->current = page;
		stream->current_context = context;
		stream->page_done = false;
	}
	return true;
}

/* Unit: the page is done with. */
static void
leave_unit(Run *run, void *arg)
{
	Stream	   *stream = arg;
	StepContext context;

	step_context_push(&context, run->flow, stream->fetch);
	stream_checkpoint(run, stream, stream->current);
	step_context_pop(&context);
}

bool
stream_next_page(Run *run, Stream *stream)
{
	if (!stream_hold_page(run, stream))
		return false;
	if (stream->current == NULL)
		return true;

	/* Rows that no sink has seen must come again. */
	stream->skipped |= !stream->page_done;
	if (!run_unit(run, UNIT_DATABASE, NULL, leave_unit, stream) || !run_commit(run))
	{
		stream_drop(stream);
		return false;
	}
	stream_keep(stream);
	stream_note_left(run, stream);
	MemoryContextDelete(stream->current_context);
	stream->current = NULL;
	return stream_write_storage(run, stream, false) && stream_hold_page(run, stream);
}
