/*
 * stream.h
 *		A source with its cursor, read page by page.
 *
 * A run has one stream for each fetch step.  It is opened when its rows are first asked
 * for, gives page after page until it has ended, and moves its cursor with the pages that
 * are stored: what a page adds is *staged* within a unit, and kept or dropped once that is
 * committed or undone.  Where several steps read the rows one after the other,
 * they are kept aside in a spool.
 *
 *		stream.c		opening, the next page, giving up
 *		paging.c		several sources at once, and pages one by one
 *		stream_spool.c	rows that are kept aside
 *		stream_cursor.c	how the cursor moves
 *		stored.c		the storage of the cursor
 */
#ifndef RESOLUTE_STREAM_H
#define RESOLUTE_STREAM_H

#include "cursor/cursor.h"
#include "cursor/storage.h"
#include "flow/run.h"
#include "rows/spool.h"
#include "source/source.h"

/* Rows that are read back from a spool at a time. */
#define SPOOL_PAGE_ROWS 100

/* A source and its cursor. */
typedef struct Stream
{
	Step	   *fetch;
	int64		cursor_id;		/* 0: no cursor */
	bool		cursor_locked;
	Cursor	   *cursor;			/* NULL until opened, or without one */
	CursorBinding binding;
	Storage    *storage;		/* of the cursor, if it has one */
	char	   *stored;			/* what that held before the cursor was opened */
	Source	   *source;			/* NULL until opened, and once it was given up */
	MemoryContext source_context;
	bool		has_turn;		/* of with_rate_limit(), for the next page */
	int64		opened;			/* how often it was */
	Connection *connection;		/* only to learn the time zone */
	const char *time_zone;		/* of the account; NULL if not wanted */
	bool		census;			/* only what identifies items is read */
	MemoryContext context;		/* of source and cursor */

	SourcePage *ahead;			/* a page that a condition looked at, or NULL */
	MemoryContext ahead_context;
	SourcePage *current;		/* manual: the page that is held, or NULL */
	MemoryContext current_context;
	bool		page_done;		/* ... and has been fed to a sink */
	bool		skipped;		/* ... not: the cursor must not move beyond it */
	bool		ended;			/* the source has no more pages for this run */
	char	   *walk;			/* where to go on after the pages read, or NULL
								 * behind the last one there is */
	bool		failed;			/* an error has ended it, which was handled */
	bool		drained;		/* its rows were fed to a sink, all of them */
	List	   *fed;			/* leaders (Step *) whose passes are through with
								 * its rows; manual: with the page that is held */
	List	   *missed;			/* manual: those that some page was not fed to */
	bool		finished;		/* its cursor covers all pages read */
	bool		staged_finished;
	int64		pages;			/* pages delivered since it was opened */
	int64		rows;			/* rows in them */
	int64		all_pages;		/* in the whole run */
	int64		all_rows;

	/* Pages whose rows are stored: where to go on behind them. */
	bool		has_kept;
	char	   *kept_walk;
	bool		has_staged;
	char	   *staged_walk;

	bool		has_maximum;
	TimestampTz maximum;		/* greatest cursor value of pages worked on */
	bool		staged_has_maximum;
	TimestampTz staged_maximum;

	int64		spooled_pages;	/* pages read back from the spool */
	Spool	   *spool;			/* if fetch->needs_spool and it has been read */
} Stream;

/* stream.c */

/* The stream of a fetch step. */
extern Stream *run_stream(Run *run, const Step *fetch);

/* Open it unless it is open: its cursor first, then the source.  False on error. */
extern bool stream_open(Run *run, Stream *stream);

/* The upsert whose target the cursor is bound to, the first of its rows; or NULL. */
extern Step *stream_first_upsert(Run *run, const Step *fetch);

/* Within a unit: open the source only to make rows of items that were fetched before. */
extern void stream_open_offline(Run *run, Stream *stream);

/*
 * The next page, in a context of its own that the caller deletes; *page is NULL
 * at the end.  False on error.
 */
extern bool stream_next(Run *run, Stream *stream, SourcePage **page, MemoryContext *context);

/* Does the source have any row?  Reads on until it knows. */
extern bool stream_has_rows(Run *run, Stream *stream, bool *has_rows);

/*
 * Give up what is still to come of a stream: an error has ended it.  What is stored of
 * it stays stored, and the cursor is moved behind that.  False on another error.
 */
extern bool stream_fail(Run *run, Stream *stream);

/* The error of a stream outside a pass: let its fetch step handle it.  False if it does not. */
extern bool stream_handle(Run *run, Stream *stream);

/* Read all of it into its spool, so that its count is known. */
extern bool stream_fill_spool(Run *run, Stream *stream);

/* Open it, and read it into its spool if it needs one. */
extern bool stream_prepare(Run *run, Stream *stream);

/*
 * The first of the streams whose next page is there; waits until one is.  False on error, which
 * is one of *stream.
 */
extern bool stream_first(Run *run, List *streams, Stream **stream);

/* Begin anew the next time it is read: another round of the loop that the step stands in. */
extern bool stream_reopen(Run *run, Stream *stream);

/* paginate => 'manual': hold a page, if there is any left; go on to the next one. */
extern bool stream_hold_page(Run *run, Stream *stream);
extern bool stream_next_page(Run *run, Stream *stream);

/* Wait for the next page of the source itself, and give up its source. */
extern bool stream_fetch_page(Run *run, Stream *stream, SourcePage **page, MemoryContext *context);
extern void stream_close(Stream *stream);

/* The page that was looked at already, or the source's next one. */
extern bool stream_fetched_page(Run *run, Stream *stream, SourcePage **page,
								MemoryContext *context);

/* stream_spool.c: the next rows of the spool, as a page. */
extern bool stream_spooled_page(Run *run, Stream *stream, SourcePage **page,
								MemoryContext *context);

/* stream_cursor.c */

/* The greatest cursor value of a page, not beyond the server's own clock. */
extern void stream_stage_maximum(Stream *stream, const SourcePage *page);

/* Within a unit: move the cursor over a page whose rows are stored. */
extern void stream_checkpoint(Run *run, Stream *stream, const SourcePage *page);
extern void stream_keep(Stream *stream);
extern void stream_drop(Stream *stream);

/*
 * In the caller's transaction the cursor moves at the end only: move it behind the pages
 * that are stored.
 */
extern bool stream_settle(Run *run, Stream *stream);

/* Has every row that the source has for this run been stored? */
extern bool stream_is_complete(const Stream *stream);

/* A leader's pass is through with the rows (manual: the page) that the stream had for it. */
extern void stream_note_fed(Run *run, Stream *stream, Step *leader);

/* manual: the page that was held is left behind, whoever has seen it. */
extern void stream_note_left(Run *run, Stream *stream);

/* Have all rows of a complete stream been through this leader's pass? */
extern bool stream_has_fed(const Stream *stream, const Step *leader);

/* When a stream, or all of them, has ended: move what did not move with the pages. */
extern bool stream_finish(Run *run, Stream *stream);

/* The same within a unit, for a complete one; stream_keep() once that is committed. */
extern void stream_finish_within(Run *run, Stream *stream);
extern bool stream_finish_all(Run *run);

/* stored.c */

/* Ask the storage of the cursor for its position. */
extern bool stream_read_storage(Run *run, Stream *stream);

/*
 * Write there what was committed; opening: what runs before this one committed.  False
 * on error: the rows stay.
 */
extern bool stream_write_storage(Run *run, Stream *stream, bool opening);

#endif							/* RESOLUTE_STREAM_H */
