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

/* A cursor that a run holds. */
typedef struct Cursor
{
	int64		id;				/* resolute.cursors.cursor_id */
	CursorSpec	spec;
	bool		has_position;
	TimestampTz position;		/* greatest updated among stored rows */
	TimestampTz bound;			/* where this walk starts */
	bool		resumed;		/* goes on in a stored walk */
	bool		sweeping;		/* this walk is the daily sweep */
	char	   *walk;			/* stored token of the next page, or NULL */
	int64		moves;			/* version for the compare-and-set */
} Cursor;

#endif							/* RESOLUTE_CURSOR_H */
