/*
 * jql.c
 *		Jira's query language, as far as resolute has to understand it: where the
 *		quotes are, and whether the query has an order of its own.
 *
 * Everything else is for the server to judge.  Reserved words and quoting:
 * https://support.atlassian.com/jira-software-cloud/docs/what-is-advanced-search-in-jira-cloud/
 */
#include "source/jira.h"

#include <ctype.h>

#include "mb/pg_wchar.h"

/* Jira takes no more terms than this in ORDER BY. */
#define JQL_MAX_ORDER_TERMS 7

#define JQL_DEFAULT_ORDER "updated ASC, key ASC"

/* One word, quoted string or operator character of a query. */
typedef struct Token
{
	const char *start;			/* of the inside, for a quoted string */
	Size		len;
	const char *end;			/* just behind it */
	bool		quoted;
} Token;

/* Characters that end a word. */
static bool
is_delimiter(char c)
{
	return c == '\0' || isspace((unsigned char) c) || strchr("()=!<>,~&|\"'", c) != NULL;
}

/* Read a quoted string whose quote is at "at". */
static void
read_quoted(const char *query, const char *at, Token *token)
{
	const char *p = at + 1;

	while (*p != '\0' && *p != *at)
		p += (*p == '\\' && p[1] != '\0') ? 2 : 1;
	if (*p == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("unterminated quoted string in JQL"),
				 errdetail("The quote at character %d is not closed.",
						   pg_mbstrlen_with_len(query, at - query) + 1),
				 errhint("Close the string, or write a quote inside it as \\%c.", *at)));
	token->start = at + 1;
	token->len = p - token->start;
	token->end = p + 1;
	token->quoted = true;
}

/* Read the token at or behind "at"; false at the end of the query. */
static bool
next_token(const char *query, const char *at, Token *token)
{
	const char *p = at;

	while (isspace((unsigned char) *p))
		p++;
	if (*p == '\0')
		return false;
	if (*p == '"' || *p == '\'')
	{
		read_quoted(query, p, token);
		return true;
	}

	/* a word, in which a backslash escapes; or else one operator character */
	token->start = p;
	token->quoted = false;
	while (!is_delimiter(*p))
		p += (*p == '\\' && p[1] != '\0') ? 2 : 1;
	if (p == token->start)
		p++;
	token->len = p - token->start;
	token->end = p;
	return true;
}

/* Is the token this word, in any case? */
static bool
token_is(const Token *token, const char *word)
{
	return token->len == strlen(word) &&
		pg_strncasecmp(token->start, word, token->len) == 0;
}

/* Classify what follows ORDER BY. */
static void
parse_order(Jql *jql)
{
	const char *at = jql->order;
	Token		token;
	bool		at_field = true;
	bool		first_is_updated = false;

	jql->kind = ORDER_OTHER;
	while (next_token(jql->order, at, &token))
	{
		at = token.end;
		if (!token.quoted && token_is(&token, ","))
			at_field = true;
		else if (at_field)
		{
			at_field = false;
			jql->terms++;
			if (jql->terms == 1)
				first_is_updated = token_is(&token, "updated") || token_is(&token, "updateddate");
			if (token_is(&token, "key") || token_is(&token, "issuekey") ||
				token_is(&token, "id") || token_is(&token, "issue"))
				jql->breaks_ties = true;
		}
		else if (jql->terms == 1 && first_is_updated && token_is(&token, "asc"))
		{
			/* without a direction Jira sorts times newest first */
			jql->kind = ORDER_ASCENDING;
		}
	}
}

/* The text between two points, without white space around it. */
static char *
trimmed(const char *start, const char *end)
{
	while (start < end && isspace((unsigned char) *start))
		start++;
	while (end > start && isspace((unsigned char) end[-1]))
		end--;
	return pnstrdup(start, end - start);
}

Jql *
jql_parse(const char *query)
{
	Jql		   *jql = palloc0(sizeof(Jql));
	const char *at = query;
	const char *order_at = NULL;	/* the word ORDER, if it was the last token */
	const char *end = query + strlen(query);
	int			depth = 0;
	Token		token;

	while (next_token(query, at, &token))
	{
		bool		is_word = !token.quoted;

		at = token.end;
		if (is_word && order_at && token_is(&token, "by"))
		{
			jql->order = trimmed(token.end, end);
			end = order_at;
			break;
		}
		order_at = (is_word && depth == 0 && token_is(&token, "order")) ? token.start : NULL;
		if (is_word && (token_is(&token, "or") || *token.start == '|'))
			jql->has_or = true;
		else if (is_word && *token.start == '(')
			depth++;
		else if (is_word && *token.start == ')')
			depth--;
	}
	jql->restriction = trimmed(query, end);

	if (jql->order)
	{
		/* reads on to the end, so that quotes are checked there as well */
		parse_order(jql);
	}
	return jql;
}

/* A palloc'd copy of the text in UTF-8. */
static char *
to_utf8(const char *text)
{
	char	   *utf8 = pg_server_to_any(text, strlen(text), PG_UTF8);

	return utf8 == text ? pstrdup(text) : utf8;
}

char *
jql_restriction(const Jql *jql)
{
	char	   *text = to_utf8(jql->restriction);

	return jql->has_or ? psprintf("(%s)", text) : text;
}

char *
jql_total_order(const Jql *jql)
{
	const char *tie = "";

	if (!jql->order)
		return pstrdup(" ORDER BY " JQL_DEFAULT_ORDER);
	if (!jql->breaks_ties && jql->terms < JQL_MAX_ORDER_TERMS)
		tie = ", key ASC";
	return psprintf(" ORDER BY %s%s", to_utf8(jql->order), tie);
}

char *
jql_query(const Jql *jql, bool ordered)
{
	char	   *text = to_utf8(jql->restriction);
	const char *order = jql->order ? to_utf8(jql->order) : JQL_DEFAULT_ORDER;

	if (!jql->order && !ordered)
		return text;
	return psprintf("%s%sORDER BY %s", text, *text ? " " : "", order);
}
