/*
 * jira_server.c
 *		The offset paging of Jira Server and Data Center: /rest/api/2/search.
 *
 * startAt counts rows of a result that changes while it is read: an issue that
 * is edited moves to the end, and all rows behind it come one place
 * nearer, so that a reader who just adds up skips one (singer-io/tap-jira#110).
 * Two things make up for it:
 *
 * Anchor.  As soon as the rows reach a new minute, the query itself starts from that
 * minute ("... AND updated >= <ms>"), and startAt only steps through what that
 * minute has.  Minutes, since nobody promises that JQL compares any finer.
 *
 * Seam.  Each page begins with the last row that was read.  If another row is
 * there, rows have moved; then we step back until the first row is a
 * known one again, and drop those that were read before.
 */
#include "source/jira.h"

#include "common/hashfn.h"
#include "rows/instant.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define MS_PER_MINUTE INT64CONST(60000)

/* Rows remembered; with more of them in one minute, older ones are forgotten. */
#define MAX_SEEN_ROWS 100000

/* A result that moves this often in one walk has no stable order at all. */
#define MAX_BACK_STEPS 1000

/* A fresh set of row hashes. */
static void
forget_rows(JiraSource *js)
{
	HASHCTL		ctl = {.keysize = sizeof(uint64), .entrysize = sizeof(uint64), .hcxt = js->context};

	if (js->seen)
		hash_destroy(js->seen);
	js->seen = hash_create("jira rows", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void
jira_server_begin(JiraSource *js)
{
	js->at = (JiraOffset) {.anchor_ms = -1, .trusted_ms = -1};
	forget_rows(js);
}

/* The position is "anchor offset trusted last_row". */
static char *
position_text(const JiraOffset *at)
{
	return psprintf(INT64_FORMAT " " INT64_FORMAT " " INT64_FORMAT " " UINT64_FORMAT,
					at->anchor_ms, at->offset, at->trusted_ms, at->last_row);
}

/* Where the next request starts: at the last row that was read. */
static void
aim_at_seam(JiraOffset *at)
{
	at->start = Max(at->offset - 1, 0);
	at->check_seam = at->offset > 0;
}

bool
jira_server_resume(JiraSource *js, const char *position)
{
	JiraOffset	at = {0};
	long long	anchor;
	long long	offset;
	long long	trusted;
	unsigned long long last_row;

	/* that is a place among rows in another order */
	if (js->ahead)
		return false;
	if (sscanf(position, "%lld %lld %lld %llu", &anchor, &offset, &trusted, &last_row) != 4 ||
		offset < 0)
		return false;
	at.anchor_ms = anchor;
	at.offset = offset;
	at.trusted_ms = trusted;
	at.last_row = last_row;
	aim_at_seam(&at);
	js->at = at;
	if (offset > 0)
		hash_search(js->seen, &at.last_row, HASH_ENTER, NULL);
	return true;
}

void
jira_server_ask(JiraSource *js, const char *bound, const char *order, int64 start, int64 rows)
{
	char	   *extra = psprintf(",\"startAt\":" INT64_FORMAT, start);
	char	   *jql = psprintf("%s%s%s%s", js->restriction, *bound && *js->restriction ? " AND " : "",
							   bound, order);

	jira_ask(js, JIRA_SERVER_SEARCH, *jql == ' ' ? jql + 1 : jql, extra, rows);
	pfree(extra);
	pfree(jql);
}

/* Send the request for the page at this place. */
static void
ask_page(JiraSource *js, const JiraOffset *at, int64 delivered)
{
	int64		rows = jira_rows_to_ask(js, delivered);
	char		bound[64] = "";

	if (at->anchor_ms >= 0)
		snprintf(bound, sizeof(bound), "updated >= " INT64_FORMAT, at->anchor_ms);

	/* one row is the seam; a page of that alone would lead nowhere */
	jira_server_ask(js, bound, js->order, at->start, at->check_seam ? Max(rows, 2) : rows);
}

void
jira_server_ask_next(JiraSource *js)
{
	ask_page(js, &js->at, js->delivered);
}

/* A whole number of the envelope, or -1 if it is not there. */
static int64
envelope_number(const JsonPage *json, JiraEnvelope which)
{
	const Value *value = &json->envelope[which];
	char		digits[24];

	if (value->kind != VALUE_NUMBER || value->len >= sizeof(digits))
		return -1;
	memcpy(digits, value->data, value->len);
	digits[value->len] = '\0';
	return Max(strtoll(digits, NULL, 10), -1);
}

int64
jira_server_total(const JsonPage *json)
{
	return envelope_number(json, ENVELOPE_TOTAL);
}

JiraRows
jira_server_look(JiraSource *js, const JsonPage *json)
{
	JiraRows	rows = {.n = json->nitems};

	rows.hashes = palloc(sizeof(uint64) * Max(rows.n, 1));
	rows.updated_ms = palloc(sizeof(int64) * Max(rows.n, 1));
	rows.keep = palloc(sizeof(bool) * Max(rows.n, 1));
	for (int i = 0; i < rows.n; i++)
	{
		const Value *picked = json->fields + (Size) i * js->plan->npaths;
		const Value *id = &picked[js->plan->id];
		const Value *updated = &picked[js->plan->updated];
		TimestampTz at;

		rows.hashes[i] = hash_bytes_extended((const unsigned char *) id->data, id->len,
											 hash_bytes_extended((const unsigned char *) updated->data,
																 updated->len, 0));
		rows.updated_ms[i] = instant_from_value(updated, &at) ?
			at / 1000 + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * INT64CONST(1000) : -1;

		/* without an id every row is another one */
		rows.keep[i] = value_is_null(id) ||
			hash_search(js->seen, &rows.hashes[i], HASH_FIND, NULL) == NULL;
		rows.nkept += rows.keep[i];
	}
	return rows;
}

/* Is the first row one that was read before, so that none was skipped? */
static bool
seam_holds(const JiraSource *js, const JiraRows *rows)
{
	if (!js->at.check_seam)
		return true;
	if (rows->n == 0)
		return false;
	return !rows->keep[0] ||
		(rows->updated_ms[0] >= 0 && rows->updated_ms[0] < js->at.trusted_ms);
}

void
jira_server_check(const JiraSource *js, const JsonPage *json, int64 start)
{
	int64		said = envelope_number(json, ENVELOPE_START_AT);
	int64		total = jira_server_total(json);

	if (said >= 0 && said != start)
		jira_protocol_error(js, psprintf("The server sent issues from " INT64_FORMAT " on rather than from " INT64_FORMAT ".",
										 said, start),
							JIRA_HINT_PAGING);
	if (json->nitems == 0 && total > start)
		jira_protocol_error(js, psprintf("The server counts " INT64_FORMAT " issues but sent none from " INT64_FORMAT " on.",
										 total, start),
							JIRA_HINT_PAGING);
}

/* Rows have moved: go back by a page. */
static void
step_back(JiraSource *js)
{
	if (++js->back_steps > MAX_BACK_STEPS)
		jira_protocol_error(js, "The order of the issues changed again and again while they were read.",
							JIRA_HINT_PAGING);
	js->at.start = Max(js->at.start - js->page_size, 0);
	js->at.check_seam = js->at.start > 0;
}

/*
 * The least time in the later half of the page, or -1.  A row that was edited
 * after the server searched may show its new time in its old place; several
 * in a row hardly do, so that times up to this one have been read.
 */
static int64
trusted_time(const JiraRows *rows)
{
	int64		least = -1;

	for (int i = rows->n / 2; i < rows->n; i++)
	{
		if (rows->updated_ms[i] >= 0 && (least < 0 || rows->updated_ms[i] < least))
			least = rows->updated_ms[i];
	}
	return least;
}

/* The place behind this page, with the query anchored anew if time has moved on. */
static JiraOffset
place_behind(const JiraSource *js, const JiraRows *rows)
{
	JiraOffset	at = js->at;
	int64		minute;
	int			first = rows->n;

	at.offset = at.start + rows->n;
	at.last_row = rows->hashes[rows->n - 1];
	if (js->jql->kind != ORDER_OTHER)
	{
		at.trusted_ms = Max(trusted_time(rows), at.trusted_ms);
		minute = at.trusted_ms - at.trusted_ms % MS_PER_MINUTE;
		if (at.trusted_ms >= 0 && minute > at.anchor_ms)
		{
			while (first > 0 && (rows->updated_ms[first - 1] >= minute || rows->updated_ms[first - 1] < 0))
				first--;
			at.anchor_ms = minute;
			at.offset = rows->n - first;
		}
	}
	aim_at_seam(&at);

	/* a server that gives one row a page gives nothing but the seam */
	if (rows->n == 1 && rows->nkept == 0)
	{
		at.start++;
		at.check_seam = false;
	}
	return at;
}

void
jira_server_remember(JiraSource *js, const JiraRows *rows, bool forgetful)
{
	if (forgetful || hash_get_num_entries(js->seen) > MAX_SEEN_ROWS)
		forget_rows(js);
	for (int i = 0; i < rows->n; i++)
		hash_search(js->seen, &rows->hashes[i], HASH_ENTER, NULL);
}

/*
 * Refuse a page that brings nothing new although it goes on beyond its seam: a
 * server that ignores startAt sends the first page for ever.
 */
static void
check_progress(const JiraSource *js, const JiraRows *rows)
{
	if (js->at.check_seam && rows->n > 1 && rows->nkept == 0)
		jira_protocol_error(js, "The server sent the issues of an earlier page again.",
							JIRA_HINT_PAGING);
}

/* Read the page at js->at, stepping back until it joins what was read. */
static JiraRows
read_page(JiraSource *js, JsonPage *json, SourcePage *page)
{
	int			back_steps = js->back_steps;

	for (;;)
	{
		JiraRows	rows;

		if (!js->request)
			jira_server_ask_next(js);
		jira_read(js, false, json, page);
		rows = jira_server_look(js, json);
		jira_server_check(js, json, js->at.start);
		if (seam_holds(js, &rows))
		{
			/* where we stepped back, known rows are what we looked for */
			if (js->back_steps == back_steps)
				check_progress(js, &rows);
			return rows;
		}
		step_back(js);
	}
}

/* Is this the last page?  Without a total, one that brings nothing new is. */
static bool
is_last(const JiraSource *js, const JsonPage *json, const JiraRows *rows)
{
	int64		total = jira_server_total(json);

	if (rows->n == 0)
		return true;
	return total >= 0 ? js->at.start + rows->n >= total : rows->nkept == 0;
}

SourcePage *
jira_server_next(JiraSource *js)
{
	SourcePage	   *page = palloc0(sizeof(SourcePage));
	int64		left = js->max_items > 0 ? js->max_items - js->delivered : PG_INT64_MAX;
	JiraOffset	behind = js->at;
	JiraRows	rows;
	JsonPage	json;
	bool		last;

	rows = read_page(js, &json, page);
	last = is_last(js, &json, &rows);
	if (!last)
		behind = place_behind(js, &rows);

	/* the network works on the next page while we and our caller do on this */
	if (!last && rows.nkept < left && !js->one_by_one)
		ask_page(js, &behind, js->delivered + rows.nkept);
	jira_fill(js, &json, rows.keep, left, page);

	/* more rows than we asked for: the rest of the page is still to be read */
	if (rows.nkept > left)
		page->walk = jira_walk(js, position_text(&js->at));
	else if (!last)
		page->walk = jira_walk(js, position_text(&behind));

	jira_server_remember(js, &rows, behind.anchor_ms != js->at.anchor_ms);
	js->at = behind;
	js->done = last || rows.nkept >= left;
	return page;
}
