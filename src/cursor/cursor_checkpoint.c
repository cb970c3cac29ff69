/*
 * cursor_checkpoint.c
 *		How the cursor of a run moves with the pages that are stored.
 *
 * A run holds the cursor's lock, so nobody else moves it; the compare-and-set
 * of a checkpoint is for what locks cannot see (a lock that was lost with an
 * aborted transaction, a hand in the table).
 */
#include "cursor/cursor_store.h"

/* The state after a page. */
static void
advance(const Cursor *cursor, CursorRow *next, const MaybeTime *position,
		const char *walk, const CursorBinding *binding)
{
	MaybeTime	none = {false, 0};
	MaybeTime	bound = {true, cursor->bound};
	MaybeTime	started = {true, cursor->walk_started};

	if (position->known && (!next->position.known || position->at > next->position.at))
		next->position = *position;
	next->walk = unconstify(char *, walk);
	next->walk_bound = walk ? bound : none;
	next->walk_sweep = walk ? cursor->sweeping : false;
	next->walk_started = walk ? started : none;

	/* The first walk of all reaches back further than any sweep. */
	if (walk == NULL && cursor->sweeps && (cursor->sweeping || !next->swept.known))
		next->swept = started;

	cursor_note_storage(cursor, next);

	/* Without a position and a walk there is nothing to bind. */
	if (!next->position.known && walk == NULL)
		return;
	if (!same_binding(next, binding))
	{
		next->server = unconstify(char *, binding->server);
		next->query = unconstify(char *, binding->query);
		next->target = unconstify(char *, binding->target);
		next->filled = false;
	}
	next->filled |= binding->filled;
}

/* Does the move leave everything as it is?  Then the table is not touched. */
static bool
same_state(const CursorRow *a, const CursorRow *b)
{
	CursorBinding binding = {b->server, b->query, b->target, b->filled};

	return same_time(a->position, b->position) && same_time(a->swept, b->swept) &&
		a->walk == NULL && b->walk == NULL && same_binding(a, &binding) &&
		a->filled == b->filled &&
		same_text(a->storage, b->storage);
}

CursorRow *
cursor_row_copy(const CursorRow *next)
{
	CursorRow  *copy = palloc(sizeof(CursorRow));

	*copy = *next;
	copy->name = pstrdup(next->name);
	copy->walk = next->walk ? pstrdup(next->walk) : NULL;
	copy->server = next->server ? pstrdup(next->server) : NULL;
	copy->query = next->query ? pstrdup(next->query) : NULL;
	copy->target = next->target ? pstrdup(next->target) : NULL;
	copy->storage = next->storage ? pstrdup(next->storage) : NULL;
	copy->stored = next->stored ? pstrdup(next->stored) : NULL;
	copy->storing = next->storing ? pstrdup(next->storing) : NULL;
	return copy;
}

/* Stage a state; texts are copied, so that the caller's may go. */
static void
stage(Cursor *cursor, const CursorRow *next)
{
	MemoryContext old = MemoryContextSwitchTo(cursor->context);

	cursor_drop(cursor);
	cursor->staged = cursor_row_copy(next);
	MemoryContextSwitchTo(old);
}

static void
free_row(CursorRow *row)
{
	char	   *texts[] = {row->name, row->walk, row->server, row->query, row->target,
		row->storage, row->stored, row->storing};

	for (Size i = 0; i < lengthof(texts); i++)
		if (texts[i])
			pfree(texts[i]);
	pfree(row);
}

/*
 * The compare-and-set failed.  Where a step of the run moved the cursor by hand
 * (reset_cursor in a flow), that stands, and the walk leaves it alone from here on.
 */
static void
accept_move_by_hand(Cursor *cursor, const CursorRow *expected)
{
	CursorRow	row;

	if (!cursor_read(cursor->id, &row) ||
		row.moves <= expected->moves || row.moves > cursor->moves_by_hand)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("cursor \"%s\" was moved by somebody else", cursor->row->name),
				 errhint("Run the flow again.")));
	stage(cursor, &row);
	cursor->staged_by_hand = true;
}

void
cursor_checkpoint(Cursor *cursor, bool has_position, TimestampTz position,
				  const char *walk, const CursorBinding *binding, int64 run_id)
{
	const CursorRow *base = cursor->staged ? cursor->staged : cursor->row;
	CursorRow	next = *base;
	MaybeTime	reached = {has_position, position};
	CursorMove	move = {walk ? "page" : "finish", run_id, {true, cursor->bound}, 0};

	if (cursor->by_hand || cursor->staged_by_hand)
		return;
	advance(cursor, &next, &reached, walk, binding);
	if (same_state(base, &next))
		return;
	if (cursor_write(base, &next, &move))
	{
		next.moves++;
		stage(cursor, &next);
	}
	else
		accept_move_by_hand(cursor, base);
}

void
cursor_keep(Cursor *cursor)
{
	if (cursor->staged == NULL)
		return;
	free_row(cursor->row);
	cursor->row = cursor->staged;
	cursor->by_hand |= cursor->staged_by_hand;
	cursor->staged = NULL;
	cursor->staged_by_hand = false;
	cursor_show_row(cursor);
}

void
cursor_drop(Cursor *cursor)
{
	if (cursor->staged)
		free_row(cursor->staged);
	cursor->staged = NULL;
	cursor->staged_by_hand = false;
}
