/*
 * cursor_settle.c
 *		Cursors whose position is kept in another storage as well: who is right
 *		when a run begins, and what is to be written there.
 *
 * The table is written in the transaction of the rows, the storage afterwards.
 * So that the table knows what of it may have arrived there, it keeps both what
 * was last known to be there (stored) and what was to follow (storing).
 * When the storage holds one of these, nobody else has moved the cursor, and
 * the table is right: it may be ahead, by a page whose writing failed, by a run in
 * somebody's transaction, or by a move by hand.  Anything else in the storage is
 * somebody's wish, and becomes the position.
 */
#include "cursor/cursor_store.h"

#include "miscadmin.h"
#include "rows/layout.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Milliseconds since 1970 have no more digits for the next 30 000 years. */
#define MAX_EPOCH_MS_DIGITS 15

/* A position may be ahead of our clock by as much; further ahead, it is a slip. */
#define MAX_AHEAD_US USECS_PER_DAY

char *
cursor_storage_text(const CursorSpec *spec, bool known, TimestampTz position)
{
	StringInfoData out;

	if (!known)
		return NULL;
	if (!cursor_has_layout(spec))
		return cursor_epoch_ms(position);
	initStringInfo(&out);
	go_layout_format(&out, spec->format, position, pg_tzset("UTC"));
	return out.data;
}

/* How a position is to be written, as an example. */
static char *
example(const CursorSpec *spec)
{
	return cursor_storage_text(spec, true, GetCurrentTimestamp());
}

/* The position that such a text is; raises 22007 or 22008. */
static TimestampTz
cursor_storage_position(const CursorSpec *spec, const char *text)
{
	Size		len = strlen(text);
	TimestampTz position = 0;
	const char *problem = NULL;

	if (cursor_has_layout(spec))
		problem = go_layout_parse(spec->format, text, &position);
	else if (len == 0 || strspn(text, "0123456789") != len || len > MAX_EPOCH_MS_DIGITS)
		problem = "It is not written as milliseconds since 1970.";
	else
		position = CURSOR_EPOCH + strtoll(text, NULL, 10) * 1000;
	if (problem)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
				 errmsg("storage \"%s\" holds no position for cursor \"%s\"", spec->storage, spec->name),
				 errdetail_internal("%s", problem),
				 errhint("Write a position there, such as \"%s\", or delete what is there to begin anew.",
						 example(spec))));
	if (position < CURSOR_EPOCH || position > GetCurrentTimestamp() + MAX_AHEAD_US)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("position of cursor \"%s\" in storage \"%s\" is out of range", spec->name, spec->storage),
				 errdetail("It lies between 1970-01-01 and now."),
				 errhint("Write a position there, such as \"%s\", or delete what is there to begin anew.",
						 example(spec))));
	return position;
}

/* Two cursors of one name would move each other: the rows in between would be lost. */
static void
check_sharing(const CursorRow *row, const CursorSpec *spec)
{
	Oid			other = cursor_sharing(row->id, row->name, spec->storage);

	if (OidIsValid(other))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("storage \"%s\" keeps another cursor named \"%s\" already", spec->storage, spec->name),
				 errdetail("That cursor belongs to role \"%s\".", GetUserNameFromId(other, false)),
				 errhint("Give the cursor another name, or use another storage.")));
}

/* Is what the storage holds what we left there, or else nothing that counts? */
static bool
is_ours(const CursorRow *row, const CursorSpec *spec, const char *text)
{
	if (same_text(text, cursor_storage_text(spec, row->position.known, row->position.at)))
		return true;

	/* A new storage that is empty, or a cursor that was just set by hand. */
	if (!same_text(row->storage, spec->storage))
		return text == NULL || (row->moves > 0 && row->server == NULL);
	return same_text(text, row->stored) || same_text(text, row->storing);
}

/* Say that somebody has moved the cursor, and that this is where we begin. */
static void
report_move(const CursorRow *old, const CursorRow *next, const CursorSpec *spec)
{
	char	   *before = old->position.known ? pstrdup(timestamptz_to_str(old->position.at)) : NULL;
	bool		ahead = before && next->position.known && next->position.at > old->position.at;

	if (!next->position.known)
		ereport(NOTICE,
				(errmsg("storage \"%s\" holds nothing for cursor \"%s\" any more", spec->storage, spec->name),
				 errdetail("It stood at %s; now it begins anew.", before ? before : "the beginning")));
	else if (!ahead)
		ereport(NOTICE,
				(errmsg("cursor \"%s\" was moved in storage \"%s\"", spec->name, spec->storage),
				 errdetail("It stood at %s, and begins at %s.", before ? before : "the beginning",
						   timestamptz_to_str(next->position.at))));
	else
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("cursor \"%s\" was moved ahead in storage \"%s\"", spec->name, spec->storage),
				 errdetail("It stood at %s, and begins at %s: what changed in between is not fetched.",
						   before, timestamptz_to_str(next->position.at)),
				 errhint("If that is not what you want, run: SELECT resolute.set_cursor(%s, '%s');",
						 quote_literal_cstr(spec->name), before)));
}

/* Take the position of the storage. */
static void
adopt(CursorRow *next, const CursorSpec *spec, const char *text)
{
	next->position.known = text != NULL;
	next->position.at = text ? cursor_storage_position(spec, text) : 0;
	next->walk = NULL;
	next->walk_bound.known = next->walk_started.known = next->walk_sweep = false;
	next->stored = next->storing = unconstify(char *, text);
}

void
cursor_settle(Cursor *cursor, const CursorStorage *storage)
{
	const CursorSpec *spec = &cursor->spec;
	const CursorRow *row = cursor->row;
	CursorRow	next = *row;
	CursorMove	move = {"storage", 0, {false, 0}, 0};
	bool		attached = same_text(row->storage, spec->storage);
	bool		ours = is_ours(row, spec, storage->text);
	char	   *wanted;

	if (!attached)
		check_sharing(row, spec);
	next.storage = unconstify(char *, spec->storage);
	if (!ours)
	{
		adopt(&next, spec, storage->text);
		report_move(row, &next, spec);
	}
	cursor->stored = storage->text ? pstrdup(storage->text) : NULL;
	wanted = cursor_storage_text(spec, next.position.known, next.position.at);

	/*
	 * What was written down before may be sent.  What is to be sent beyond that is
	 * written down first, and committed, which is not ours to do in the caller's transaction.
	 */
	cursor->committed = !storage->atomic ||
		(attached && ours && same_text(wanted, row->storing));
	if (!storage->atomic && !same_text(wanted, next.storing))
	{
		next.stored = cursor->stored;
		next.storing = wanted;
	}
	else if (!attached)
		next.stored = next.storing = cursor->stored;
	if (!storage->look && (!attached || !ours || !same_text(next.storing, row->storing)))
	{
		if (!cursor_write(row, &next, &move))
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("cursor \"%s\" was moved by somebody else", spec->name),
					 errhint("Run the flow again.")));
		next.moves++;
	}
	cursor->row = cursor_row_copy(&next);
}

void
cursor_note_storage(const Cursor *cursor, CursorRow *next)
{
	const CursorSpec *spec = &cursor->spec;

	next->storage = unconstify(char *, spec->storage);
	next->stored = spec->storage ? cursor->stored : NULL;
	next->storing = spec->storage ?
		cursor_storage_text(spec, next->position.known, next->position.at) : NULL;
}

bool
cursor_to_store(const Cursor *cursor, bool opening, const char **expected, const char **value)
{
	if (opening && !cursor->committed)
		return false;
	*expected = cursor->stored;
	*value = cursor->row->storing;
	return !same_text(*expected, *value);
}

void
cursor_is_stored(Cursor *cursor, const char *value)
{
	char	   *copy = value ? MemoryContextStrdup(cursor->context, value) : NULL;

	if (cursor->stored)
		pfree(cursor->stored);
	cursor->stored = copy;
}
