/*
 * source.h
 *		Where rows come from: a Source yields pages of rows, one provider's
 *		file per API.  Providers do not know flows.
 */
#ifndef RESOLUTE_SOURCE_H
#define RESOLUTE_SOURCE_H

#include "postgres.h"

#include "rows/batch.h"
#include "source/connection.h"

/* Requests that a source may have in flight at once, at most. */
#define SOURCE_MAX_CONCURRENCY 16

/* What a fetch step asks for. */
typedef struct SourceSpec
{
	const char *provider;		/* "jira" */
	const char *server;
	Oid			userid;			/* as whom to connect */
	const char *query;			/* the JQL; ${cursor} already substituted */
	bool		ordered;		/* add the order of the cursor where the query
								 * has none (a cursor follows this source) */
	int			page_size;		/* 0: the provider's default */
	int64		max_items;		/* 0: all */
	int			concurrency;	/* requests in flight at once, where the server
								 * pages by offset: 1 to SOURCE_MAX_CONCURRENCY;
								 * 0: one */
	List	   *references;		/* dotted chains of char * to pick: "Status",
								 * "Fields.duedate"; becomes the fields */
	bool		whole;			/* rows are used as a whole: all aliases too */
	const char *walk;			/* where to go on (SourcePage.walk), or NULL */
	bool		one_by_one;		/* ask for a page only when it is wanted (the
								 * rate is limited) */
	bool		census;			/* only what identifies items is read: as many
								 * rows a page as there can be */
} SourceSpec;

/* What is known of a page, besides its rows. */
typedef struct SourcePage
{
	RowBatch   *batch;
	int64		number;			/* 1, 2, ... within this source */
	const char *walk;			/* where to go on after this page (opaque, for
								 * SourceSpec.walk); NULL after the last one,
								 * but not where max_items ended the walk */
	TimestampTz server_date;	/* of the response's Date header, or 0 */
	Size		bytes;
	int			retries;

	/* set by source_next(): where the time went until the page was there */
	int64		wait_us;		/* nothing to do but wait for the network */
	int64		recv_us;		/* sending and receiving */
	int64		read_us;		/* the rest, which is reading the JSON */
} SourcePage;

typedef struct Source Source;

struct Source
{
	const FieldSet *fields;		/* known once opened; is_item */
	bool		ascending;		/* pages come in ascending cursor order, so that
								 * the cursor may move with each page; known
								 * after the first one */
	bool		walk_expired;	/* known after the first page: the stored walk
								 * was refused, or is of another query, and the
								 * source began anew at the query's bound */

	/*
	 * The next page in the current context (its bytes too), or NULL after the
	 * last.  Asks for the page after it before it returns, unless one_by_one.  Waits for the
	 * network: call it with nothing open.  Touches no catalog.  After an error it may be
	 * called again and then fetches the same page again.
	 */
	SourcePage *(*next) (Source *self);

	/*
	 * Would next() return without waiting?  Asks for the next page, if that has not been done,
	 * and lets started requests be repeated where they must be.  *due_ms is lowered to
	 * the time after which to ask again, if nothing happens before (see
	 * http_progress()).  May wait once for what must be known of the server.
	 */
	bool		(*ready) (Source *self, int64 *due_ms);

	/*
	 * Rows of items that were fetched before (JSON objects, in UTF-8), in the current
	 * context; their bytes stay the caller's, and each row's item is the value given.  Asks the network only
	 * for what names of fields mean, if nobody knows yet.
	 */
	RowBatch   *(*rows) (Source *self, const Value *items, int nitems);

	/*
	 * Of items that were not among the rows, although they were once: is there a reason to doubt that they
	 * are gone?  projects: what they belong to; items: ids or keys of some of them (Lists of char *, UTF-8).  Returns
	 * a sentence, palloc'd, if the account cannot see one of the projects, or if the query
	 * finds one of the items after all; else NULL.  Waits for the network, touches no catalog.
	 */
	char	   *(*doubt) (Source *self, List *projects, List *items);
};

/*
 * Open a source: checks the connection and resolves the mapping (catalogs),
 * touches no network yet (the first next() does).  Lives in the current context, and ends with it.
 */
extern Source *source_open(const SourceSpec *spec);

/* self->next(self), timed. */
extern SourcePage *source_next(Source *self);

/*
 * What the API will be asked for (List of char *), as far as that is known without asking
 * it: fields that are found by their names on the server are told as such.  Of the
 * specification only what is read of the rows counts.
 */
extern List *source_asked_fields(const SourceSpec *spec);

/* Name of the field that a cursor follows for this provider ("updated"). */
extern const char *source_cursor_field(const char *provider);

/* The names of its SQL columns (char *), in order: what a row of it is by itself. */
extern List *source_columns(const char *provider);

/*
 * Check a query as far as that is possible without the network: quotes closed, and whether it has an
 * ORDER BY of its own.  Raises SYNTAX_ERROR.
 */
typedef enum QueryOrder
{
	ORDER_NONE,					/* the source will add its own */
	ORDER_ASCENDING,			/* by the cursor field, ascending */
	ORDER_OTHER
} QueryOrder;

extern QueryOrder source_query_order(const char *provider, const char *query);

/* Does a Jira Cloud API stand behind the server (search index lags)?  Uses what
 * was learnt; *known = false if nobody asked the server yet. */
extern bool source_is_eventual(const char *server, Oid userid, bool *known);

/*
 * The time zone in which the provider reads dates that are quoted in a query. Waits for the network,
 * the first time; touches no catalog.
 */
extern const char *source_time_zone(const char *provider, Connection *connection);

#endif							/* RESOLUTE_SOURCE_H */
