/*
 * stream_cursor.c
 *		How the cursor of a stream moves: with the pages, or at the end.
 */
#include "flow/stream.h"

#include "flow/pass.h"
#include "flow/unit.h"
#include "rows/instant.h"
#include "utils/memutils.h"

void
stream_stage_maximum(Stream *stream, const SourcePage *page)
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

/* Behind this page a run could go on. */
static void
stage_walk(Stream *stream, const SourcePage *page)
{
	if (stream->staged_walk)
		pfree(stream->staged_walk);
	stream->staged_walk = page->walk ? MemoryContextStrdup(stream->context, page->walk) : NULL;
	stream->has_staged = true;
}

/* Has that target taken rows, or found them there already? */
static bool
has_stored(Run *run, const Step *upsert)
{
	const StepState *state = step_state(run, upsert);
	const StepCounts *counts[] = {&state->done.counts, &state->staged.counts};

	for (Size i = 0; i < lengthof(counts); i++)
	{
		if (counts[i]->inserted > 0 || counts[i]->updated > 0 || counts[i]->unchanged > 0 || counts[i]->stale > 0)
			return true;
	}
	return false;
}

/* Move the cursor within the present transaction. */
static void
move_to(Run *run, Stream *stream, bool has_position, TimestampTz position, const char *walk)
{
	CursorBinding binding = stream->binding;
	const Step *upsert = stream_first_upsert(run, stream->fetch);

	binding.filled |= upsert && has_stored(run, upsert);
	cursor_checkpoint(stream->cursor, has_position, position, walk, &binding, run->record.run_id);
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
	stream_stage_maximum(stream, page);
	stream->staged_finished = false;
	if (stream->cursor == NULL || stream->skipped || stream->fetch->at_end ||
		run->record.kind == RUN_RESYNC)
		return;
	stage_walk(stream, page);

	/*
	 * Without an order, only the end says that nothing was left out.  In the
	 * caller's transaction nobody could go on from here, and a row that is
	 * updated for each page there takes longer with every one.
	 */
	if (!last && (run->atomic || !stream->source->ascending))
		return;
	move_to(run, stream, stream->staged_has_maximum, stream->staged_maximum, page->walk);
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
	if (stream->has_staged)
	{
		char	   *before = stream->kept_walk;

		stream->kept_walk = stream->staged_walk;
		stream->staged_walk = before;
		stream->has_kept = true;
	}
	stream->finished |= stream->staged_finished;
	if (stream->cursor)
		cursor_keep(stream->cursor);
	stream->staged_finished = stream->has_staged = stream->staged_has_maximum = false;
}

void
stream_drop(Stream *stream)
{
	stream->staged_finished = stream->has_staged = stream->staged_has_maximum = false;
	if (stream->cursor)
		cursor_drop(stream->cursor);
}

void
stream_finish_within(Run *run, Stream *stream)
{
	move_to(run, stream, stream->has_maximum, stream->maximum, stream->walk);
}

/* Unit: what was read is stored; the walk is over, or max_items has ended the run. */
static void
finish_unit(Run *run, void *arg)
{
	stream_finish_within(run, arg);
}

/* Did the pages of an ended stream move its cursor as far as they could? */
static bool
moved_by_pages(const Run *run, const Stream *stream)
{
	if (stream->walk == NULL || stream->fetch->needs_spool || stream->fetch->at_end)
		return false;
	return !run->atomic || !stream->source->ascending;
}

/* Unit: move behind the pages that are stored. */
static void
settle_unit(Run *run, void *arg)
{
	Stream	   *stream = arg;

	move_to(run, stream, stream->has_maximum, stream->maximum, stream->kept_walk);
}

bool
stream_settle(Run *run, Stream *stream)
{
	ErrorData  *error = run->error;

	if (!run->atomic || stream->cursor == NULL || stream->finished || stream->failed ||
		!stream->has_kept || stream->source == NULL || !stream->source->ascending)
		return true;
	if (!run_unit(run, UNIT_DATABASE, NULL, settle_unit, stream))
		return false;
	run->error = error;
	cursor_keep(stream->cursor);
	stream->has_kept = false;
	return true;
}

bool
stream_is_complete(const Stream *stream)
{
	if (!stream->ended || stream->failed || stream->skipped)
		return false;
	if (stream->fetch->manual)
		return stream->current == NULL;
	return stream->drained || stream->rows == 0;
}

void
stream_note_fed(Run *run, Stream *stream, Step *leader)
{
	MemoryContext old = MemoryContextSwitchTo(run->context);

	stream->fed = list_append_unique_ptr(stream->fed, leader);
	MemoryContextSwitchTo(old);
}

void
stream_note_left(Run *run, Stream *stream)
{
	MemoryContext old = MemoryContextSwitchTo(run->context);
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);

		if (step->leader == step && !list_member_ptr(stream->fed, step) &&
			pass_reads(run, step, stream->fetch))
			stream->missed = list_append_unique_ptr(stream->missed, step);
	}
	list_free(stream->fed);
	stream->fed = NIL;
	MemoryContextSwitchTo(old);
}

bool
stream_has_fed(const Stream *stream, const Step *leader)
{
	/* A condition on rows skips the sink where there are none. */
	if (stream->rows == 0)
		return true;
	if (stream->fetch->manual)
		return !list_member_ptr(stream->missed, leader);
	return list_member_ptr(stream->fed, leader);
}

bool
stream_finish(Run *run, Stream *stream)
{
	if (stream->cursor == NULL || stream->finished || stream->source == NULL)
		return true;

	/* A resync moves its cursors in its last transaction. */
	if (run->record.kind == RUN_RESYNC)
		return true;

	/* Rows that no sink has seen must come again. */
	if (!stream_is_complete(stream))
		return stream_settle(run, stream);
	if (moved_by_pages(run, stream))
		return true;
	if (!run_unit(run, UNIT_DATABASE, NULL, finish_unit, stream) ||
		!run_commit(run))
		return false;
	cursor_keep(stream->cursor);
	stream->finished = true;
	return stream_write_storage(run, stream, false);
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
