/*
 * jira_cloud.c
 *		The token paging of Jira Cloud: POST /rest/api/3/search/jql, where each
 *		page names the next one by a token.
 *
 * A token stands for the sort values of the last row, so that an issue that is edited
 * meanwhile comes once more at the end, and nothing shifts.  How a walk may end
 * and go wrong: https://jira.atlassian.com/browse/JRACLOUD-92184
 */
#include "source/jira.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

/* What tokens are made of (base64url, and more), and how far from the end of a page they begin. */
#define TOKEN_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/.~"
#define TOKEN_SIGHT 4096

/* One is legal; so many of them in a row are a server that has lost its way. */
#define MAX_EMPTY_PAGES 1000

/*
 * So often a page of issues may come: each time that many of them are edited at once they come
 * again, in the same order, and what we ask for need not show the edit.
 */
#define MAX_SAME_PAGES 4

/* A token or a page that was there before. */
typedef struct KnownHash
{
	uint64		hash;			/* must be first */
	int			times;
} KnownHash;

void
jira_cloud_begin(JiraSource *js)
{
	HASHCTL		ctl = {.keysize = sizeof(uint64), .entrysize = sizeof(KnownHash), .hcxt = js->context};

	js->tokens = hash_create("jira page tokens", 256, &ctl,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* How often has this hash been in this walk?  Counts it if "enter" is set. */
static int
know_hash(JiraSource *js, uint64 hash, bool enter)
{
	bool		found;
	KnownHash  *known = hash_search(js->tokens, &hash, enter ? HASH_ENTER : HASH_FIND, &found);
	int			before = found ? known->times : 0;

	if (enter)
		known->times = before + 1;
	return before;
}

/* Is the token one of this walk's?  Takes note of it if "enter" is set. */
static bool
know_token(JiraSource *js, const char *token, bool enter)
{
	return know_hash(js, hash_bytes_extended((const unsigned char *) token, strlen(token), 0), enter) > 0;
}

/*
 * A hash of the page's content: a server that sends the same page for ever may
 * still name a new token each time.  The first and the last issue are enough.
 */
static uint64
page_hash(const JsonPage *json)
{
	const Value *first = &json->items[0];
	const Value *last = &json->items[json->nitems - 1];
	uint64		hash = hash_bytes_extended((const unsigned char *) first->data, first->len, json->nitems);

	return hash_bytes_extended((const unsigned char *) last->data, last->len, hash);
}

/* The position is the token of the next page, "" for the first one. */
bool
jira_cloud_resume(JiraSource *js, const char *position)
{
	if (*position != '\0')
	{
		js->token = pstrdup(position);
		know_token(js, js->token, true);
	}
	return true;
}

/* Ask for the page of this token. */
static void
ask_page(JiraSource *js, const char *token, int64 delivered)
{
	StringInfoData extra;

	initStringInfo(&extra);
	if (token)
	{
		appendStringInfoString(&extra, ",\"nextPageToken\":\"");
		json_append_escaped(&extra, token, strlen(token));
		appendStringInfoChar(&extra, '"');
	}
	jira_ask(js, JIRA_CLOUD_SEARCH, js->query, extra.data, jira_rows_to_ask(js, delivered));
	pfree(extra.data);
}

/*
 * The token of the page after this one, in the source's context, or NULL after
 * the last page.  Absent, null and "" all mean the end, unless isLast denies it.
 */
static char *
next_token(JiraSource *js, const JsonPage *json)
{
	const Value *token = &json->envelope[ENVELOPE_TOKEN];
	const Value *is_last = &json->envelope[ENVELOPE_IS_LAST];
	StringInfoData text;

	if (value_is(is_last, "true"))
		return NULL;
	if (value_is_null(token) || (token->kind == VALUE_STRING && token->len == 0))
	{
		if (value_is(is_last, "false"))
			jira_protocol_error(js, "The page says that it is not the last one, but names no next page.",
							JIRA_HINT_PAGING);
		return NULL;
	}
	if (token->kind != VALUE_STRING)
		jira_protocol_error(js, "The token of the next page is not a string.",
							JIRA_HINT_PAGING);

	initStringInfo(&text);
	value_append_text(&text, token);
	if (know_token(js, text.data, false))
		jira_protocol_error(js, "The server repeated the token of an earlier page.",
							JIRA_HINT_PAGING);
	return MemoryContextStrdup(js->context, text.data);
}

/*
 * Refuse a page that was there too often, and too many empty ones that promise more; hash is
 * that of the page's issues.
 */
static void
check_progress(JiraSource *js, const JsonPage *json, uint64 hash)
{
	if (json->nitems > 0)
	{
		js->empty_pages = 0;
		if (know_hash(js, hash, false) >= MAX_SAME_PAGES)
			jira_protocol_error(js, "The server sent the issues of an earlier page again.",
								JIRA_HINT_PAGING);
	}
	else if (++js->empty_pages > MAX_EMPTY_PAGES)
		jira_protocol_error(js, psprintf("The server sent %d empty pages in a row, each naming another one.",
										 MAX_EMPTY_PAGES),
							JIRA_HINT_PAGING);
}

/* The token that the end of a page seems to name, palloc'd; NULL if none is in sight. */
static char *
token_in_sight(const char *body, Size len)
{
	static const char name[] = "\"nextPageToken\"";
	Size		within = Min(len, TOKEN_SIGHT);
	char	   *tail = pnstrdup(body + len - within, within);
	char	   *at = strstr(tail, name);

	if (at == NULL || strstr(at, "\"isLast\":true") != NULL)
		return NULL;
	at += sizeof(name) - 1;
	at += strspn(at, " :");
	if (*at != '"')
		return NULL;
	at++;
	within = strspn(at, TOKEN_CHARACTERS);
	if (at[within] != '"')
		return NULL;
	at[within] = '\0';
	return at;
}

/*
 * A page is here, but has not been read yet: ask for the one that its end names, so that the
 * network has work meanwhile.  This is a guess; what the page really says shows when it is read.
 */
void
jira_cloud_ask_early(JiraSource *js, const char *body, Size len)
{
	int64		delivered = js->delivered + jira_rows_to_ask(js, js->delivered);
	char	   *token;

	if (js->one_by_one || (js->max_items > 0 && delivered >= js->max_items))
		return;
	token = token_in_sight(body, len);
	if (token == NULL || *token == '\0' || know_token(js, token, false))
		return;
	ask_page(js, token, delivered);
	js->asked = MemoryContextStrdup(js->request_context, token);
}

/* Has the page of this token (NULL: none) been asked for?  Gives up any other request. */
static bool
asked_early(JiraSource *js, const char *token)
{
	bool		asked = js->asked && token && strcmp(js->asked, token) == 0;

	if (js->asked && !asked)
	{
		MemoryContextDelete(js->request_context);
		js->request = NULL;
	}
	js->asked = NULL;
	return asked;
}

void
jira_cloud_ask(JiraSource *js)
{
	ask_page(js, js->token, js->delivered);
}

/* Read a page; where the stored walk is too old, begin at the query's bound. */
static void
read_page(JiraSource *js, JsonPage *json, SourcePage *page)
{
	if (!js->request)
		jira_cloud_ask(js);
	if (jira_read(js, js->resumed && js->token, json, page))
		return;
	js->source.walk_expired = true;
	js->resumed = false;
	js->token = NULL;
	ask_page(js, NULL, js->delivered);
	jira_read(js, false, json, page);
}

SourcePage *
jira_cloud_next(JiraSource *js)
{
	SourcePage	   *page = palloc0(sizeof(SourcePage));
	int64		left = js->max_items > 0 ? js->max_items - js->delivered : PG_INT64_MAX;
	JsonPage	json;
	uint64		hash;
	char	   *next;
	bool		done;

	js->asked = NULL;
	read_page(js, &json, page);
	hash = json.nitems > 0 ? page_hash(&json) : 0;
	next = next_token(js, &json);
	if (next)
		check_progress(js, &json, hash);

	/* the network works on the next page while we and our caller do on this */
	done = next == NULL || json.nitems >= left;
	if (!asked_early(js, done ? NULL : next) && !done && !js->one_by_one)
		ask_page(js, next, js->delivered + json.nitems);
	jira_fill(js, &json, NULL, left, page);

	/* more rows than we asked for: the rest of the page is still to be read */
	if (json.nitems > left)
		page->walk = jira_walk(js, js->token ? js->token : "");
	else if (next)
		page->walk = jira_walk(js, next);

	js->resumed = false;
	js->token = next;
	if (next)
		know_token(js, next, true);
	if (json.nitems > 0)
		know_hash(js, hash, true);
	js->done = done;
	return page;
}
