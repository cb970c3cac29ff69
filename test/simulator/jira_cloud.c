/*
 * jira_cloud.c: search on Cloud, where a token leads from page to page
 *
 * As far as public tokens tell, Jira continues after the sort values of the
 * last row ("keyset"), and so do we: an issue that is edited during a walk by
 * updated comes again, and none is skipped.
 */
#include <stdio.h>
#include <stdlib.h>

#include "jira_search.h"

static const char unbounded_message[] =
	"Unbounded JQL queries are not allowed here. Please add a search "
	"restriction to your query.";

/* A token says where the walk stands, in base64url; it names its query. */
static void
add_token(Buffer *buf, const Search *search, const Position *position)
{
	Buffer		plain = {0};

	/* no two tokens are the same, not even for the same place */
	buf_printf(&plain, "%d %lld %u", sim.settings.token_epoch,
			   (long long) sim.counters.requests, position->slot);
	for (int i = 0; i < search->query->ordering.count; i++)
		buf_printf(&plain, " %lld", (long long) position->values[i]);
	buf_printf(&plain, "\n%s", search->jql);
	buf_base64url(buf, plain.data, plain.len);
	buf_free(&plain);
}

/* Read a token; false if it is none, too old, or of another query. */
static bool
read_token(const Search *search, Position *position)
{
	Buffer		plain = {0};
	const char *jql;
	char	   *at;
	bool		good;

	buf_clear(&plain);
	good = buf_base64_decode(&plain, search->token, strlen(search->token)) &&
		(jql = strchr(plain.data, '\n')) != NULL &&
		strcmp(jql + 1, search->jql) == 0 &&
		strtol(plain.data, &at, 10) == sim.settings.token_epoch;
	if (good)
	{
		strtoll(at, &at, 10);	/* the request that brought it */
		position->slot = strtoul(at, &at, 10);
		for (int i = 0; i < search->query->ordering.count; i++)
			position->values[i] = strtoll(at, &at, 10);
	}
	buf_free(&plain);
	return good;
}

/* Where to begin in the order: after the token, or where matches can be. */
static uint32_t
first_index(const Search *search, const Position *position)
{
	const Ordering *ordering = &search->query->ordering;

	if (position != NULL)
		return order_after(ordering, position);
	if (ordering->keys[0].field == ORDER_UPDATED &&
		!ordering->keys[0].descending)
		return order_from_updated(ordering, jql_updated_from(search->query));
	return 0;
}

/*
 * Append the rows of a page; true if there is more. The position becomes
 * that of the last row.
 */
static bool
add_rows(Request *request, const Search *search, int64_t limit,
		 bool go_on, Position *position)
{
	uint32_t	count;
	const uint32_t *slots = order_slots(&search->query->ordering, &count);
	uint32_t	at = first_index(search, go_on ? position : NULL);
	int64_t		rows = 0;

	for (; at < count; at++)
	{
		const Issue *issue = data_view(slots[at]);

		if (!jql_match(search->query, issue))
			continue;
		if (rows == limit)
			return true;
		rows++;
		search_add_row(request, search, issue);
		order_position(&search->query->ordering, issue, slots[at], position);
	}
	return false;
}

/* Append nextPageToken and isLast, or what the fault makes of them. */
static void
add_page_end(Request *request, const Search *search, bool more,
			 const Position *position)
{
	TokenFault	fault = request->fault ? request->fault->token : TOKEN_RIGHT;
	bool		is_last = !more && fault == TOKEN_RIGHT;
	Buffer	   *out = &request->out;

	if (fault == TOKEN_NULL)
		buf_lit(out, ",\"nextPageToken\":null");
	else if (fault == TOKEN_EMPTY)
		buf_lit(out, ",\"nextPageToken\":\"\"");
	else if (fault == TOKEN_REPEATED && search->token)
	{
		buf_lit(out, ",\"nextPageToken\":");
		buf_json_str(out, search->token);
	}
	else if (fault == TOKEN_REPEATED || (fault == TOKEN_RIGHT && more))
	{
		buf_lit(out, ",\"nextPageToken\":\"");
		add_token(out, search, position);
		buf_char(out, '"');
	}
	if (!(request->fault && request->fault->no_is_last))
		buf_str(out, is_last ? ",\"isLast\":true" : ",\"isLast\":false");
}

static void
serve_cloud_page(Request *request, const Search *search)
{
	const Fault *fault = request->fault;
	Position	position = {0};
	bool		go_on = search->token != NULL;
	bool		more = false;

	if (go_on && !read_token(search, &position))
	{
		jira_error(request, 400, "Invalid or expired nextPageToken, or it "
				   "belongs to another query.");
		return;
	}
	if (fault && fault->ignore_position)
		go_on = false;
	buf_str(&request->out, fault && fault->no_issues ? "{\"names\":{}" :
			"{\"issues\":[");
	if (fault && fault->empty_page)
	{
		/* the position before all rows, to go on from it */
		if (!go_on)
		{
			for (int i = 0; i < MAX_ORDER_KEYS; i++)
				position.values[i] =
					search->query->ordering.keys[i].descending ?
					INT64_MAX : INT64_MIN;
		}
		more = true;
	}
	else if (!request->anonymous && !(fault && fault->no_issues))
		more = add_rows(request, search, search_limit(request, search), go_on,
						&position);
	if (!(fault && fault->no_issues))
		buf_char(&request->out, ']');
	add_page_end(request, search, more, &position);
	buf_char(&request->out, '}');
}

/* The index catches up with the issues that a request wants to be consistent. */
static void
reconcile_issues(const Request *request)
{
	const Json *list = json_get(request->json, "reconcileIssues");

	for (const Json *id = list ? list->child : NULL; id; id = id->next)
	{
		uint32_t	slot = data_find(id->text ? id->text : "");

		if (slot != NO_SLOT)
			data_reveal(slot);
	}
}

void
serve_cloud(Request *request)
{
	Search		search = {0};

	reconcile_issues(request);
	if (search_read(request, &search))
	{
		if (search.query->where == NULL)
			jira_error(request, 400, unbounded_message);
		else
			serve_cloud_page(request, &search);
	}
	search_free(&search);
}
