/*
 * cursor.h
 *		Cursors: how far a source has been read, kept in resolute.cursors and
 *		moved in the same transaction as the rows.
 *
 * A position is an instant (timestamptz).  A walk is one pass over a source: the bound
 * it started from and where its next page is, so that a killed run goes on.
 */
#ifndef RESOLUTE_CURSOR_H
#define RESOLUTE_CURSOR_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* What cursor_for() asks for. */
typedef struct CursorSpec
{
	const char *name;
	const char *format;			/* NULL: unquoted epoch milliseconds; "epoch_ms"; or a Go layout */
	int64		overlap_us;		/* -1: the provider's default */
	int64		sweep_us;		/* -1: the provider's default; 0: never */
	TimestampTz initial;		/* first bound; the epoch by default */
} CursorSpec;

/* What a cursor was moved by: a run with another query is refused. */
typedef struct CursorBinding
{
	const char *server;
	const char *query;			/* with ${cursor} not substituted */
	const char *target;			/* of the first upsert, or NULL */
} CursorBinding;

/* A cursor that a run holds; lives in the context where it was opened. */
typedef struct Cursor
{
	int64		id;				/* resolute.cursors.cursor_id */
	CursorSpec	spec;
	bool		has_position;
	TimestampTz position;		/* greatest updated among stored rows */
	TimestampTz bound;			/* where this walk starts; floored to the minute */
	bool		resumed;		/* goes on in a stored walk */
	bool		sweeping;		/* this walk is the daily sweep */
	char	   *walk;			/* stored place of the next page, or NULL */
	int64		moves;			/* version for the compare-and-set */

	/* Staged by cursor_checkpoint() until cursor_keep() or cursor_drop(). */
	bool		staged;
	bool		staged_has_position;
	TimestampTz staged_position;
	char	   *staged_walk;
} Cursor;

/*
 * The id of the owner's cursor of that name, created if there is none.  Raises
 * 22023 for an empty or overlong name.
 */
extern int64 cursor_ensure(Oid owner, const char *name);

/*
 * Take the cursor's lock (LOCKTAG_OBJECT of resolute.cursors) without waiting,
 * for the session or for the transaction.  False if anybody holds it, this session
 * included.  Session locks are freed by cursor_unlock() and by an abort.
 */
extern bool cursor_lock(int64 id, bool session);
extern void cursor_unlock(int64 id);

/*
 * Read the cursor and decide where the walk begins.  The caller holds its lock.
 * eventual: the source's index lags (Jira Cloud), so that overlap defaults to 15
 * minutes and sweep to 24 hours; target_empty: the target holds no row.  With
 * restart, a stored walk is not resumed (it was refused).  Raises 55000
 * where the cursor was moved by another server, query or target, or where the
 * target was emptied although the cursor has moved; the hint names reset_cursor and set_cursor.
 */
extern Cursor *cursor_open(int64 id, const CursorSpec *spec,
						   const CursorBinding *binding, bool eventual,
						   bool target_empty, bool restart);

/*
 * Move the cursor in the current transaction: to position (never backwards;
 * has_position false leaves it), with the place of the next page, or NULL when the walk is over.
 * Also writes cursor_history.  Raises 40001 if somebody else moved it meanwhile.
 */
extern void cursor_checkpoint(Cursor *cursor, bool has_position, TimestampTz position,
							  const char *walk, const CursorBinding *binding,
							  int64 run_id);
extern void cursor_keep(Cursor *cursor);	/* the page was committed */
extern void cursor_drop(Cursor *cursor);	/* it was rolled back */

/* How often does the query hold ${cursor}, and is it within quotes? */
extern int	cursor_placeholders(const char *query, bool *quoted);

/* The query with ${cursor} replaced by text; palloc'd. */
extern char *cursor_substitute(const char *query, const char *text);

/* The bound as text: epoch milliseconds; palloc'd. */
extern char *cursor_epoch_ms(TimestampTz bound);

#endif							/* RESOLUTE_CURSOR_H */
