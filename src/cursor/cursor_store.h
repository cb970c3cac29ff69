/*
 * cursor_store.h
 *		The rows of resolute.cursors, read and written through SPI; for the
 *		files of this folder only.
 */
#ifndef RESOLUTE_CURSOR_STORE_H
#define RESOLUTE_CURSOR_STORE_H

#include "postgres.h"

#include "cursor/cursor.h"
#include "resolute.h"

/* An instant that may be null. */
typedef struct MaybeTime
{
	bool		known;
	TimestampTz at;				/* if known */
} MaybeTime;

/* A row of resolute.cursors. */
typedef struct CursorRow
{
	int64		id;
	char	   *name;
	MaybeTime	position;
	char	   *walk;			/* or NULL: between walks, and the next four are unset */
	MaybeTime	walk_bound;
	bool		walk_sweep;
	MaybeTime	walk_started;
	MaybeTime	swept;
	char	   *server;			/* or NULL: unbound */
	char	   *query;
	char	   *target;
	bool		filled;			/* which has held rows since then */
	char	   *storage;		/* or NULL: only the table, and the next two are NULL */
	char	   *stored;			/* what was last known to be there, or NULL: nothing */
	char	   *storing;		/* what is to be written there, or may be there already */
	int64		moves;
} CursorRow;

/* What is written of a move besides the states before and after it. */
typedef struct CursorMove
{
	const char *action;			/* as in resolute.cursor_history */
	int64		run_id;			/* 0: by hand */
	MaybeTime	walk_bound;		/* of the walk that the move belongs to */
	int64		undone_from;	/* 0, or of a rollback: the first move undone */
} CursorMove;

static inline bool
same_time(MaybeTime a, MaybeTime b)
{
	return a.known == b.known && (!a.known || a.at == b.at);
}

/* An instant in the first row that SPI found. */
extern MaybeTime result_time(int column);

/*
 * Read a cursor by its id, or by its owner and name, into the current context.
 * False if there is none.
 */
extern bool cursor_read(int64 id, CursorRow *row);
extern bool cursor_find(Oid owner, const char *name, CursorRow *row);

/*
 * Change a cursor from one state to the next, and note it in the history.
 * False if it is not in the old state (its moves) any more.
 */
extern bool cursor_write(const CursorRow *old, const CursorRow *next,
						 const CursorMove *move);

/*
 * The role whose cursor of that name, but another id, is kept in the storage; InvalidOid if there
 * is none.
 */
extern Oid	cursor_sharing(int64 id, const char *name, const char *storage);

/* Do both have the same server, query and target? */
extern bool same_binding(const CursorRow *row, const CursorBinding *binding);

/* Show the state of the cursor's row in the cursor itself. */
extern void cursor_show_row(Cursor *cursor);

/* A copy that shares nothing, in the current memory context. */
extern CursorRow *cursor_row_copy(const CursorRow *row);

/*
 * Settle the state that was read with what the storage of the cursor holds, as
 * cursor_open() says, and write that down if it changed.
 */
extern void cursor_settle(Cursor *cursor, const CursorStorage *storage);

/* Note in the state that comes next what is known of the storage, and what is to go there. */
extern void cursor_note_storage(const Cursor *cursor, CursorRow *next);

/* The lock that moves a cursor by hand; false if a run of another session holds it. */
extern bool cursor_lock_by_hand(int64 id);

/* Tell the open cursors of this backend that it was moved by hand. */
extern void cursor_moved_by_hand(int64 id, int64 moves);

/* The run of this backend that has opened the cursor, or 0. */
extern int64 cursor_run(int64 id);

#endif							/* RESOLUTE_CURSOR_STORE_H */
