/*
 * jira.h
 *		What the files of the Jira provider share.  Nobody else includes it:
 *		the rest of resolute sees a Source (source.h).
 */
#ifndef RESOLUTE_JIRA_H
#define RESOLUTE_JIRA_H

#include "postgres.h"

#include "rows/json.h"
#include "source/connection.h"
#include "source/source.h"
#include "utils/hsearch.h"

#define JIRA_WRAPPER "resolute_jira"

/* Rows of a page: what users expect, and the most that Jira ever gives. */
#define JIRA_DEFAULT_PAGE_SIZE 100
#define JIRA_MAX_PAGE_SIZE 5000

/* Where the two kinds of API are searched. */
#define JIRA_CLOUD_SEARCH "/rest/api/3/search/jql"
#define JIRA_SERVER_SEARCH "/rest/api/2/search"

/* Asked for where an item is used as a whole: all but comments and worklogs. */
#define JIRA_ALL_FIELDS "*navigable"

/* ------------------------------------------------------------------------
 * jql.c: queries
 * ------------------------------------------------------------------------
 */

/* A query, taken apart at its ORDER BY.  Texts in the database's encoding. */
typedef struct Jql
{
	char	   *restriction;	/* trimmed; "" if there is none */
	char	   *order;			/* what follows ORDER BY; NULL if there is none */
	QueryOrder	kind;			/* of order */
	bool		has_or;			/* needs parentheses before AND is appended */
	bool		breaks_ties;	/* order names key or id, so it is total */
	int			terms;			/* in order */
} Jql;

/* Take a query apart.  Raises SYNTAX_ERROR where a quote is not closed. */
extern Jql *jql_parse(const char *query);

/*
 * The whole query as UTF-8, palloc'd; with resolute's order (updated ASC, key
 * ASC) if it has none and ordered is set.
 */
extern char *jql_query(const Jql *jql, bool ordered);

/*
 * For offset paging, as UTF-8: the restriction, so that " AND ..." may follow,
 * and " ORDER BY ..." with an order that is as total as it can be made.
 */
extern char *jql_restriction(const Jql *jql);
extern char *jql_total_order(const Jql *jql);

/* ------------------------------------------------------------------------
 * adf.c: Atlassian Document Format
 * ------------------------------------------------------------------------
 */

/*
 * The plain text of a rich-text field: a document becomes its text, one line
 * for each block; strings (API 2) and null stay as they are.  palloc'd here.
 */
extern Value adf_text(const Value *value);

/* ------------------------------------------------------------------------
 * jira_learn.c: what is asked once and kept with the connection
 * ------------------------------------------------------------------------
 */

/* One entry of /field; texts in UTF-8. */
typedef struct JiraFieldInfo
{
	const char *id;				/* "customfield_10016" */
	const char *name;			/* "Story Points" */
	const char *custom;			/* schema.custom, or "" */
} JiraFieldInfo;

/*
 * Which API the server has: the option, what was learnt, or else asks
 * serverInfo.  Raises 08P01 with a hint about option "api" where that is not
 * usable, and what http_check raises.
 */
extern JiraApi jira_api(Connection *connection);

/* The same without asking: JIRA_API_AUTO where nobody knows yet. */
extern JiraApi jira_api_known(const Connection *connection);

/* Ask again the next time, since the API that was learnt is not there. */
extern void jira_forget_api(Connection *connection);

/*
 * The time zone of the account (an IANA name), in which quoted dates of a query
 * are read; asked for once per connection.  Raises what http_check raises, and
 * 08P01 where the server does not tell.
 */
extern const char *jira_time_zone(Connection *connection);

/*
 * The answer to a request as a whole JSON document, an object or array (first is '{' or '['), asking again
 * where it is truncated.  what and hint as in http_check(), which has its say first.
 */
extern Value jira_answer(HttpRequest *request, HttpResponse *response, char first, const char *what,
						 const char *hint);

/*
 * The fields of the server, a List of JiraFieldInfo that lives with the
 * connection; asked for again after an hour.
 */
extern List *jira_field_list(Connection *connection);

/* ------------------------------------------------------------------------
 * jira_fields.c: names that every Jira has; jira_plan.c: what becomes of them
 * ------------------------------------------------------------------------
 */

/* How a field's value is made from what was picked out of the issue. */
typedef enum JiraCompute
{
	JIRA_FIRST,					/* the first of its paths that has a value */
	JIRA_TEXT,					/* ADF as plain text */
	JIRA_NAMES,					/* array of objects: JSON array of names */
	JIRA_URL,					/* browse URL made from the key */
	JIRA_STORY_POINTS			/* the estimate of this kind of project */
} JiraCompute;

/* A name that templates and SQL know a field by. */
typedef struct JiraAlias
{
	const char *name;
	bool		is_column;		/* of jira_issues(), in this order */
	JiraCompute compute;
	const char *field;			/* the API's field; NULL: always there */
	const char *paths[3];		/* in the issue; the first with a value counts */
} JiraAlias;

/*
 * Look a name up, whatever its case and underscores: an alias, the id of one of
 * Jira's own fields, a member of an issue beside "fields".  NULL: none of these.
 */
extern const JiraAlias *jira_find_alias(const char *name);
extern const char *jira_system_field(const char *name);
extern const char *jira_issue_member(const char *name);

/* Where a field's value comes from. */
typedef struct JiraPick
{
	JiraCompute compute;
	int			first;			/* its first path among the plan's */
	int			npaths;
	List	   *rest;			/* keys to follow from there, loosely */
} JiraPick;

/* What to ask for and what to pick, for all fields of a source. */
typedef struct JiraPlan
{
	List	   *asked;			/* field ids for the API, of char * */
	List	   *path_list;		/* of char *, the texts behind paths */
	JsonPaths  *paths;
	int			npaths;
	JiraPick   *picks;			/* one for each field of the FieldSet */
	int			id;				/* path of "id" */
	int			updated;		/* path of "fields.updated" */
	const char *browse_url;		/* no final slash */
} JiraPlan;

/* The fields of a source: the references, and what else it must yield. */
extern FieldSet *jira_fieldset(const SourceSpec *spec);

/*
 * Plan how to fill the fields of these names (UTF-8); asks the server for its
 * list of fields only if a name or story points need it.  with_updated asks for
 * "updated" in any case.  Warns of unknown names; raises AMBIGUOUS_COLUMN where
 * a name could mean several fields.
 */
extern JiraPlan *jira_plan(Connection *connection, const char *const *names, int n,
						   bool with_updated);

/* What jira_plan() would ask for, told without a server; see source_asked_fields(). */
extern List *jira_asked_fields(const SourceSpec *spec);

/*
 * Name of the i-th alias that is a column of jira_issues(), or NULL behind the
 * last one; *api_field is the API's field it needs, or NULL.
 */
extern const char *jira_column(int i, const char **api_field);

/* ------------------------------------------------------------------------
 * jira_value.c: values made from what was picked
 * ------------------------------------------------------------------------
 */

/* The value of a field; picked are plan->npaths values.  palloc'd or a slice. */
extern Value jira_value(const JiraPlan *plan, const JiraPick *pick,
						const Value *picked);

/* ------------------------------------------------------------------------
 * jira.c: the source; jira_ask.c: requests; jira_cloud.c and jira_server.c: paging
 * ------------------------------------------------------------------------
 */

/* Members of a page beside its issues. */
typedef enum JiraEnvelope
{
	ENVELOPE_TOKEN,				/* nextPageToken */
	ENVELOPE_IS_LAST,
	ENVELOPE_START_AT,
	ENVELOPE_TOTAL,
	ENVELOPE_COUNT
} JiraEnvelope;

/* What is known of the rows of a page. */
typedef struct JiraRows
{
	int			n;
	uint64	   *hashes;			/* of id and updated: of this state of the row */
	int64	   *updated_ms;		/* since the epoch; -1: not known */
	bool	   *keep;			/* was it not read before? */
	int			nkept;
} JiraRows;

/* The pages that several requests are in flight for; see jira_concurrent.c. */
typedef struct JiraAhead JiraAhead;

/* Where offset paging is. */
typedef struct JiraOffset
{
	int64		anchor_ms;		/* the minute that the query starts from; -1:
								 * only the query's own bound */
	int64		offset;			/* rows of that query that were read */
	int64		start;			/* startAt of the request under way */
	bool		check_seam;		/* must its first row be one that was read? */
	int64		trusted_ms;		/* rows older than this were read; -1: none */
	uint64		last_row;		/* hash of the last row that was read */
} JiraOffset;

typedef struct JiraSource
{
	Source		source;			/* must be first */
	MemoryContext context;
	Connection *connection;
	const FieldSet *fields;
	const char **names;			/* of the fields, in UTF-8 */
	JiraPlan   *plan;			/* NULL before the first page */
	bool		cloud;			/* known with the plan */

	/* the query, in UTF-8 */
	Jql		   *jql;
	char	   *query;			/* whole */
	char	   *restriction;	/* and in parts, for offset paging */
	char	   *order;
	uint64		query_hash;

	/* how much */
	int			page_size;
	int			full_size;		/* what it may be again after the server failed */
	int			small_pages;	/* that came since it changed */
	bool		grown;			/* has it been larger again since then? */
	int64		max_items;		/* 0: all */
	int64		delivered;
	int64		answer_us;		/* the latest answer was waited for, and received,
								 * in this time */
	int64		pages;
	bool		done;

	/* the request under way, in a context of its own */
	HttpRequest *request;		/* NULL if there is none */
	MemoryContext request_context;
	const char *asked;			/* Cloud: token of the page that it asks for, where
								 * that was asked for before this one was read */
	bool		in_page;		/* set during next(): still set at the next
								 * call if that failed */

	/* where we are; moved only when a page is complete */
	const char *walk;			/* stored walk to go on from, or NULL */
	bool		resumed;		/* and no page has come since */
	char	   *token;			/* Cloud: of the next page; NULL: the first */
	HTAB	   *tokens;			/* Cloud: hashes of this walk's tokens and pages */
	int			empty_pages;	/* Cloud: in a row */
	JiraOffset	at;				/* Server */
	HTAB	   *seen;			/* Server: rows read since the anchor, hashes */
	int			back_steps;		/* Server: how often pages had moved */
	bool		one_by_one;		/* no request before its page is wanted */
	int			concurrency;	/* Server: requests in flight at once */
	JiraAhead  *ahead;			/* Server: these; NULL: one at a time */
} JiraSource;

/* See Source.doubt (jira_missing.c). */
extern char *jira_doubt(Source *self, List *projects, List *items);

/* What source.c asks of a provider; see source.h. */
extern Source *jira_open(const SourceSpec *spec);
extern List *jira_columns(void);
extern QueryOrder jira_query_order(const char *query);
extern bool jira_is_eventual(Connection *connection, bool *known);

/*
 * Begin a search for at most "rows" issues.  extra is what the body has beside
 * query, page size and fields: "", or members that begin with a comma.
 */
extern void jira_ask(JiraSource *js, const char *path, const char *jql,
					 const char *extra, int64 rows);

/* How many rows to ask for once "delivered" have been: a page, or the rest. */
extern int64 jira_rows_to_ask(const JiraSource *js, int64 delivered);

/* A page has come: where pages are smaller than they should be, is it time to try larger ones? */
extern void jira_ask_for_more(JiraSource *js);

/*
 * Wait for the request under way and read its page, asking again where that is
 * truncated.  Its bytes become the current context's.  Returns false, with
 * nothing read, if the server answered 400 and may_refuse is set.
 */
extern bool jira_read(JiraSource *js, bool may_refuse, JsonPage *json, SourcePage *page);

/* Make rows of those items that keep[] marks (NULL: all), at most max. */
extern void jira_fill(JiraSource *js, const JsonPage *json, const bool *keep,
					  int64 max, SourcePage *page);

/* A stored walk with this position in it (see SourcePage.walk), palloc'd. */
extern char *jira_walk(const JiraSource *js, const char *position);

/* Raise the error that an answer is which breaks the protocol (08P01). */
extern void jira_protocol_error(const JiraSource *js, const char *detail,
								const char *hint) pg_attribute_noreturn();

/* Hints for it: no page of Jira's at all; a page that cannot be followed. */
#define JIRA_HINT_NOT_JIRA \
	"Check option \"base_url\" of the server; something else than Jira may answer there."
#define JIRA_HINT_PAGING \
	"Reading on could lose issues, or never end. Another attempt begins anew; if it ends the same way, try another page size."

/*
 * Paging: prepare it, ask for the next page, take up a position (false if it cannot be
 * read), and yield the next page (see Source.next).
 */
extern void jira_cloud_begin(JiraSource *js);
extern void jira_cloud_ask(JiraSource *js);
extern void jira_cloud_ask_early(JiraSource *js, const char *body, Size len);
extern bool jira_cloud_resume(JiraSource *js, const char *position);
extern SourcePage *jira_cloud_next(JiraSource *js);
extern void jira_server_begin(JiraSource *js);
extern void jira_server_ask_next(JiraSource *js);
extern bool jira_server_resume(JiraSource *js, const char *position);
extern SourcePage *jira_server_next(JiraSource *js);

/* What the two ways of offset paging share. */

/* Send the request for what this query has from "start" on. */
extern void jira_server_ask(JiraSource *js, const char *bound, const char *order,
							int64 start, int64 rows);

/* How many issues the server counts, or -1 if it does not say. */
extern int64 jira_server_total(const JsonPage *json);

/* Identify the rows, and find out which ones were read before; palloc'd. */
extern JiraRows jira_server_look(JiraSource *js, const JsonPage *json);

/* Check what a page that was asked for from "start" on says of itself. */
extern void jira_server_check(const JiraSource *js, const JsonPage *json, int64 start);

/* Remember the rows of a page; forgetful: those before it no longer. */
extern void jira_server_remember(JiraSource *js, const JiraRows *rows, bool forgetful);

/* The same paging with several requests in flight: begin it, go on, give them up. */
extern void jira_concurrent_begin(JiraSource *js);
extern SourcePage *jira_concurrent_next(JiraSource *js);
extern void jira_concurrent_drop(JiraSource *js);

/* Have the requests for the next pages sent; that of the first one, or NULL where none may be. */
extern HttpRequest *jira_concurrent_ask(JiraSource *js);

#endif							/* RESOLUTE_JIRA_H */
