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

/* Longer ones would not fit into a message, let alone an index. */
#define CURSOR_MAX_NAME 200

/* 1970-01-01: no bound is below it. */
#define CURSOR_EPOCH \
	((TimestampTz) (UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY)

/* Overlaps and sweeps have at most 100 years, as intervals count them: no overflow. */
#define CURSOR_MAX_SPAN_US \
	(INT64CONST(100) * MONTHS_PER_YEAR * DAYS_PER_MONTH * USECS_PER_DAY)

/* What cursor_for() asks for. */
typedef struct CursorSpec
{
	const char *name;
	const char *storage;		/* where the position is kept as well, or NULL */
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
	bool		filled;			/* which holds rows */
} CursorBinding;

/* What the storage of a cursor held when the run began, and what may be done about it. */
typedef struct CursorStorage
{
	const char *text;			/* NULL: nothing */
	bool		look;			/* write nothing down */
	bool		atomic;			/* what is written down is not committed when it is sent */
} CursorStorage;

/*
 * A cursor that a run holds; lives in the context where it was opened.  What
 * has to do with its row shows the last state that was kept.
 */
typedef struct Cursor
{
	int64		id;				/* resolute.cursors.cursor_id */
	CursorSpec	spec;
	bool		has_position;
	TimestampTz position;		/* greatest updated among stored rows */
	TimestampTz bound;			/* where this walk starts; floored to the minute */
	bool		resumed;		/* goes on in a stored walk */
	bool		sweeping;		/* this walk is the daily sweep */
	char	   *walk;			/* where to go on, if resumed; otherwise NULL */
	int64		moves;			/* version for the compare-and-set */
	int64		run_id;			/* of the run that holds it, set by that; 0: none */

	/* Private. */
	MemoryContext context;		/* where it was opened */
	struct CursorRow *row;		/* as stored */
	struct CursorRow *staged;	/* cursor_checkpoint() to cursor_keep(), or NULL */
	bool		staged_by_hand;	/* a step of the run moved it by hand */
	bool		by_hand;		/* the same, kept: the walk leaves it alone */
	int64		moves_by_hand;	/* version after that move */
	bool		sweeps;			/* has sweeps at all */
	char	   *stored;			/* what the storage holds, as far as we know; or NULL */
	bool		committed;		/* the state that the run began with may go there */
	TimestampTz walk_started;
} Cursor;

/*
 * Parse what cursor_for() made: {"name", "storage", "format", "overlap", "sweep",
 * "initial"}; palloc'd.  Raises 22023 for what is out of range or unknown.
 */
extern CursorSpec *cursor_spec_from_json(Datum jsonb);

/* Raises 22023 for a name that is empty or longer than CURSOR_MAX_NAME bytes. */
extern void cursor_check_name(const char *name);

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
 * minutes and sweep to 24 hours; target_empty: the target holds no row.  Raises 55000
 * where the cursor was moved by another server, query or target, or where the
 * target has held rows, but is empty; the hint names reset_cursor and set_cursor.
 *
 * storage is for a cursor that has one (spec->storage), else NULL.  What it holds is the
 * position, unless it is what we left there: then the table knows better, also of moves that are yet to
 * be written there.  A cursor that had no storage brings its position to one that is empty.  Raises
 * 22007 and 22008 for a text that is no position.
 */
extern Cursor *cursor_open(int64 id, const CursorSpec *spec,
						   const CursorBinding *binding, bool eventual,
						   bool target_empty, const CursorStorage *storage);

/*
 * The same for a walk over everything, from the initial bound on, whatever moved the cursor before: by its
 * end the cursor belongs to this query.  Only the end may be a checkpoint.
 */
extern Cursor *cursor_open_whole(int64 id, const CursorSpec *spec, bool eventual,
								 const CursorStorage *storage);

/* Where the first walk of such a cursor begins. */
extern TimestampTz cursor_first_bound(const CursorSpec *spec);

/*
 * Move the cursor in the current transaction: to position (never backwards;
 * has_position false leaves it), with the place of the next page, or NULL when the walk is over.
 * Also writes cursor_history.  Nothing is written where nothing changes (a run with
 * nothing new), or where a step of this run moved the cursor by hand: that stands.
 * Raises 40001 if somebody else moved it meanwhile.
 */
extern void cursor_checkpoint(Cursor *cursor, bool has_position, TimestampTz position,
							  const char *walk, const CursorBinding *binding,
							  int64 run_id);
extern void cursor_keep(Cursor *cursor);	/* the page was committed */
extern void cursor_drop(Cursor *cursor);	/* it was rolled back */

/*
 * Of a cursor with a storage: is there a committed position that this does not hold yet?  Then
 * what it holds is to become *value (NULL: nothing), if it still is *expected.  opening: no page
 * has been worked on yet.
 */
extern bool cursor_to_store(const Cursor *cursor, bool opening, const char **expected,
							const char **value);
extern void cursor_is_stored(Cursor *cursor, const char *value);	/* it is there */

/*
 * A position as the storage has it (palloc'd; known false: NULL): by the cursor's format, in UTC, cut off as
 * cursor_format_bound() does.
 */
extern char *cursor_storage_text(const CursorSpec *spec, bool known, TimestampTz position);

/* How often does the query hold ${cursor}, and is it within quotes? */
extern int	cursor_placeholders(const char *query, bool *quoted);

/* The query with ${cursor} replaced by text; palloc'd. */
extern char *cursor_substitute(const char *query, const char *text);

/* Is the bound written by a Go layout, in quotes, rather than as milliseconds? */
extern bool cursor_has_layout(const CursorSpec *spec);

/* The bound as text: epoch milliseconds; palloc'd. */
extern char *cursor_epoch_ms(TimestampTz bound);

/*
 * The bound as the cursor's format writes it, palloc'd: epoch milliseconds, or a Go
 * layout in the time zone of the account that asks (an IANA name; NULL: UTC; a layout
 * that ends in "Z" is always UTC).  Never later than the bound: what the layout
 * does not show is cut off, and where the hour comes twice in autumn and
 * the layout does not tell which, the text is one from before both.  Raises
 * 22023 for an unknown zone.
 */
extern char *cursor_format_bound(const CursorSpec *spec, TimestampTz bound,
								 const char *timezone);

#endif							/* RESOLUTE_CURSOR_H */
