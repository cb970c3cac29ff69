/*
 * jira_concurrent.c
 *		The offset paging of Jira Server and Data Center with several requests in
 *		flight at once.
 *
 * The first page tells how many issues there are and how many the server gives
 * at a time; from then on the pages behind the one that is read are under way.
 * They are read in order, so that the rows come in the same order every time.
 *
 * Order.  By id, which no edit changes.  By the time of update, an edit would
 * move a row from a page that is still to be searched into one that was: lost.
 *
 * Seam.  Each page begins with the last row of the one before.  If the first row of
 * a page is one that was read, then all rows behind it in the order are there: it does
 * not matter that the two pages were searched at different times.  If it is not,
 * rows in front of it have left the result; then the page before is read again,
 * and so on until a page begins with a known row, and then on from there.
 *
 * What changes behind our back.  A row that enters the result at a place that was
 * read (it was edited, or moved) is not seen.  Its time of update is later than the
 * first search, and so the cursor must not move beyond that, whatever later
 * pages bring: no page may claim a later date than the first one's.
 */
#include "source/jira.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#define ORDER_BY_ID " ORDER BY id ASC"

/* Pages that are planned; reading again may need more than are in flight. */
#define MAX_PLANNED (4 * SOURCE_MAX_CONCURRENCY)

/* Backward steps in one walk, beside one for each page that was read. */
#define MAX_BACK_STEPS 1000

/* A Date header counts whole seconds. */
#define DATE_PRECISION_US USECS_PER_SEC

/* A page that is wanted; its request may still have to be sent. */
typedef struct PlannedPage
{
	int64		start;
	bool		again;			/* was read before, but rows have moved */
	HttpRequest *request;		/* NULL: not sent yet */
	MemoryContext context;		/* of the request */
} PlannedPage;

struct JiraAhead
{
	PlannedPage pages[MAX_PLANNED]; /* in the order of their start */
	int			npages;
	int			window;			/* requests in flight now: fewer than allowed
								 * after the server has refused some */

	/* known with the first page */
	bool		begun;
	int64		rows;			/* of a page; each begins rows - 1 behind the other */
	TimestampTz date;			/* not after the search for the first page */

	/* of the latest page, to notice that another one is the same */
	uint64		first_row;
	uint64		last_row;
};

void
jira_concurrent_begin(JiraSource *js)
{
	js->ahead = MemoryContextAllocZero(js->context, sizeof(JiraAhead));
	js->ahead->window = js->concurrency;
	js->source.ascending = false;
}

/* Give up a page that was planned. */
static void
drop_page(PlannedPage *planned)
{
	if (planned->request)
		MemoryContextDelete(planned->context);
	planned->request = NULL;
}

void
jira_concurrent_drop(JiraSource *js)
{
	JiraAhead  *ahead = js->ahead;

	while (ahead->npages > 0)
		drop_page(&ahead->pages[--ahead->npages]);
}

/* Plan a page before all others; the last one of too many is forgotten. */
static void
plan_first(JiraAhead *ahead, int64 start, bool again)
{
	if (ahead->npages == MAX_PLANNED)
		drop_page(&ahead->pages[--ahead->npages]);
	memmove(&ahead->pages[1], &ahead->pages[0], sizeof(PlannedPage) * ahead->npages);
	ahead->pages[0] = (PlannedPage) {.start = start, .again = again};
	ahead->npages++;
}

/* Plan pages behind the planned ones, up to where "end" is the last row's place + 1. */
static void
plan_on(JiraSource *js, int64 end)
{
	JiraAhead  *ahead = js->ahead;

	while (ahead->npages > 0 && ahead->npages < js->concurrency)
	{
		int64		start = ahead->pages[ahead->npages - 1].start + ahead->rows - 1;

		/* a page of the seam alone is not worth a request */
		if (start + 1 >= end)
			break;
		ahead->pages[ahead->npages++] = (PlannedPage) {.start = start};
	}
}

/* Send the request for a planned page. */
static void
send_page(JiraSource *js, PlannedPage *planned)
{
	int64		rows = js->ahead->rows;

	/* the seam comes on top of what is wanted, and leads nowhere alone */
	if (!js->ahead->begun)
		rows = Max(jira_rows_to_ask(js, js->delivered), 2);
	jira_server_ask(js, "", ORDER_BY_ID, planned->start, rows);
	planned->request = js->request;
	planned->context = js->request_context;
	js->request = NULL;
}

/* The planned page that the server has refused for coming too fast, or NULL. */
static PlannedPage *
held_back(JiraAhead *ahead)
{
	for (int i = 0; i < ahead->npages; i++)
	{
		if (ahead->pages[i].request && http_is_held_back(ahead->pages[i].request))
			return &ahead->pages[i];
	}
	return NULL;
}

/*
 * Send the requests for the planned pages, as many as may be in flight.  While one
 * is held back, no other is sent.
 */
static void
send_pages(JiraSource *js)
{
	JiraAhead  *ahead = js->ahead;
	int			in_flight = 0;

	for (int i = 0; i < ahead->npages; i++)
		in_flight += ahead->pages[i].request != NULL;
	for (int i = 0; i < ahead->npages && in_flight < ahead->window; i++)
	{
		if (ahead->pages[i].request)
			continue;
		if (held_back(ahead))
			return;
		send_page(js, &ahead->pages[i]);
		in_flight++;
	}
}

/* Take the first of the planned pages, whose request is sent in any case. */
static PlannedPage
take_first(JiraSource *js)
{
	JiraAhead  *ahead = js->ahead;
	PlannedPage first;

	send_pages(js);
	if (!ahead->pages[0].request)
	{
		PlannedPage *other = held_back(ahead);

		if (other)
			http_wait(other->request);
		send_page(js, &ahead->pages[0]);
	}
	first = ahead->pages[0];
	ahead->npages--;
	memmove(&ahead->pages[0], &ahead->pages[1], sizeof(PlannedPage) * ahead->npages);
	return first;
}

/* After a refusal half as many requests are in flight, then one more with each page. */
static void
adapt_window(JiraSource *js, int retries)
{
	int		   *window = &js->ahead->window;

	*window = retries > 0 ? Max(*window / 2, 1) : Min(*window + 1, js->concurrency);
}

/* Note that we are not getting on. */
static void
count_back_step(JiraSource *js)
{
	if (++js->back_steps > MAX_BACK_STEPS + js->pages)
		jira_protocol_error(js, "The order of the issues changed again and again while they were read.",
							JIRA_HINT_PAGING);
}

/*
 * Refuse a page that is the one before it: a server that ignores startAt sends the
 * first page for ever.  Other known rows are fine, since rows may have come in front.
 */
static void
check_progress(JiraSource *js, const PlannedPage *here, const JiraRows *rows)
{
	JiraAhead  *ahead = js->ahead;
	bool		same = ahead->begun && rows->n > 1 && rows->nkept == 0 &&
		rows->hashes[0] == ahead->first_row && rows->hashes[rows->n - 1] == ahead->last_row;

	if (same && !here->again)
		jira_protocol_error(js, "The server sent the issues of an earlier page again.",
							JIRA_HINT_PAGING);
	ahead->first_row = rows->n > 0 ? rows->hashes[0] : 0;
	ahead->last_row = rows->n > 0 ? rows->hashes[rows->n - 1] : 0;
}

/* Read the first of the planned pages, stepping back until one joins what was read. */
static JiraRows
read_page(JiraSource *js, JsonPage *json, SourcePage *page, PlannedPage *here)
{
	JiraAhead  *ahead = js->ahead;

	for (;;)
	{
		int			retries = page->retries;
		JiraRows	rows;

		*here = take_first(js);
		js->request = here->request;
		js->request_context = here->context;
		jira_read(js, false, json, page);
		adapt_window(js, page->retries - retries);
		rows = jira_server_look(js, json);
		jira_server_check(js, json, here->start);
		if (here->start == 0 || (rows.n > 0 && !rows.keep[0]))
		{
			check_progress(js, here, &rows);
			return rows;
		}
		count_back_step(js);
		plan_first(ahead, here->start, true);
		plan_first(ahead, Max(here->start - (ahead->rows - 1), 0), true);
	}
}

/*
 * Note what the first page tells.  Returns false if it cannot be gone on from: we do
 * not know how far, or how far the cursor may move, or pages have no room for a seam.
 */
static bool
begin_walk(JiraSource *js, const JsonPage *json, const JiraRows *rows, const SourcePage *page)
{
	JiraAhead  *ahead = js->ahead;
	int64		total = jira_server_total(json);

	if (total < 0)
		return false;
	if (rows->n < total && (rows->n < 2 || page->server_date == 0))
		return false;
	ahead->begun = true;
	ahead->rows = rows->n;
	if (page->server_date != 0)
		ahead->date = page->server_date - js->answer_us - DATE_PRECISION_US;
	return true;
}

/* Read one by one after all. */
static SourcePage *
fall_back(JiraSource *js, const SourcePage *first)
{
	SourcePage *page;

	jira_concurrent_drop(js);
	js->ahead = NULL;
	page = jira_server_next(js);
	page->bytes += first->bytes;
	page->retries += first->retries;
	return page;
}

/* Plan and send what follows this page; "wanted" rows beside its own. */
static void
go_on(JiraSource *js, const PlannedPage *here, const JiraRows *rows, int64 total, int64 wanted)
{
	JiraAhead  *ahead = js->ahead;
	int64		seam = here->start + rows->n - 1;

	/* nothing but the seam, or fewer rows than the pages in flight reckon with */
	if (rows->n == 1)
		count_back_step(js);
	if (ahead->npages == 0 || ahead->pages[0].start > seam)
		plan_first(ahead, seam, rows->n == 1);
	plan_on(js, wanted < total - seam ? seam + 1 + wanted : total);
	send_pages(js);
}

HttpRequest *
jira_concurrent_ask(JiraSource *js)
{
	JiraAhead  *ahead = js->ahead;

	if (ahead->npages == 0)
		plan_first(ahead, js->at.start, js->pages > 0);
	send_pages(js);
	return ahead->pages[0].request;
}

SourcePage *
jira_concurrent_next(JiraSource *js)
{
	JiraAhead  *ahead = js->ahead;
	SourcePage *page = palloc0(sizeof(SourcePage));
	int64		left = js->max_items > 0 ? js->max_items - js->delivered : PG_INT64_MAX;
	PlannedPage here;
	JiraRows	rows;
	JsonPage	json;
	int64		total;
	bool		last;
	bool		done;

	if (ahead->npages == 0)
		plan_first(ahead, js->at.start, js->pages > 0);
	rows = read_page(js, &json, page, &here);
	total = jira_server_total(&json);
	if (!ahead->begun && !begin_walk(js, &json, &rows, page))
		return fall_back(js, page);
	if (total < 0)
		jira_protocol_error(js, "The server no longer tells how many issues there are.",
							JIRA_HINT_PAGING);
	last = here.start + rows.n >= total;
	if (ahead->date != 0 && (page->server_date == 0 || page->server_date > ahead->date))
		page->server_date = ahead->date;

	/* the network works on the next pages while we and our caller do on this one */
	done = last || rows.nkept >= left;
	if (done)
		jira_concurrent_drop(js);
	else
		go_on(js, &here, &rows, total, left - rows.nkept);
	jira_fill(js, &json, rows.keep, left, page);
	if (!last || rows.nkept > left)
		page->walk = jira_walk(js, "by id");

	/* where we are moves only now, since an error has this page read again */
	jira_server_remember(js, &rows, false);
	js->done = done;
	if (!done)
		js->at.start = ahead->pages[0].start;
	return page;
}
