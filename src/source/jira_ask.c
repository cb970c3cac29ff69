/*
 * jira_ask.c
 *		Asks Jira for pages of issues; for smaller ones where it fails.
 */
#include "source/jira.h"

#include "utils/memutils.h"

int64
jira_rows_to_ask(const JiraSource *js, int64 delivered)
{
	if (js->max_items == 0)
		return js->page_size;
	return Min((int64) js->page_size, js->max_items - delivered);
}

/* So many smaller pages have to come before larger ones are tried again. */
#define PAGES_UNTIL_MORE 50

void
jira_ask_for_more(JiraSource *js)
{
	if (js->page_size == js->full_size)
		return;
	if (++js->small_pages < PAGES_UNTIL_MORE)
		return;
	js->page_size = Min(js->page_size * 2, js->full_size);
	js->small_pages = 0;
	js->grown = true;
}

/* What a request asks for; in its context. */
typedef struct JiraAsk
{
	JiraSource *js;
	const char *jql;
	const char *extra;
	int64		rows;
} JiraAsk;

static char *
ask_body(const JiraAsk *ask)
{
	StringInfoData body;
	ListCell   *cell;

	initStringInfo(&body);
	appendStringInfoString(&body, "{\"jql\":\"");
	json_append_escaped(&body, ask->jql, strlen(ask->jql));
	appendStringInfo(&body, "\"%s,\"maxResults\":%d,\"fields\":[", ask->extra, (int) ask->rows);
	foreach(cell, ask->js->plan->asked)
	{
		const char *field = lfirst(cell);

		appendStringInfoString(&body, foreach_current_index(cell) == 0 ? "\"" : ",\"");
		json_append_escaped(&body, field, strlen(field));
		appendStringInfoChar(&body, '"');
	}
	appendStringInfoString(&body, "]}");
	return body.data;
}

/*
 * The server cannot send the page, or not all of it: ask for half as many issues, and for no more until
 * it has sent many of these; if it fails at more then, to the end.  With several requests in flight the places of the pages are fixed, so that only this one is short;
 * the row that it shares with the page before would lead nowhere alone.
 */
static void
ask_for_less(HttpRequest *request, void *arg)
{
	JiraAsk    *ask = arg;
	JiraSource *js = ask->js;
	int64		least = js->ahead && js->pages > 0 ? 2 : 1;

	if (ask->rows <= least)
		return;
	ask->rows = Max(ask->rows / 2, least);
	if (!js->ahead)
	{
		js->page_size = Min(js->page_size, (int) ask->rows);
		js->small_pages = 0;
		if (js->grown)
			js->full_size = js->page_size;
	}
	http_set_body(request, ask_body(ask));
}

void
jira_ask(JiraSource *js, const char *path, const char *jql, const char *extra, int64 rows)
{
	MemoryContext previous;
	JiraAsk    *ask;

	/* a context of its own, which jira_read() hands over with the bytes */
	js->request_context = AllocSetContextCreate(js->context, "jira request",
												ALLOCSET_SMALL_SIZES);
	previous = MemoryContextSwitchTo(js->request_context);
	ask = palloc(sizeof(JiraAsk));
	ask->js = js;
	ask->jql = pstrdup(jql);
	ask->extra = pstrdup(extra);
	ask->rows = rows;
	js->request = http_start(js->connection->client, path, ask_body(ask));
	http_on_failure(js->request, ask_for_less, ask);
	MemoryContextSwitchTo(previous);
}
