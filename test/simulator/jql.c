/*
 * jql.c: parses JQL, with the error messages that Jira gives
 */
#include "jql.h"

#include <ctype.h>
#include <stdlib.h>

#define MAX_VALUES		1000	/* of an IN list */
#define MAX_JQL_DEPTH	100

typedef enum TokenKind
{
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_QUOTED,
	TOKEN_SIGN					/* an operator, parenthesis or comma */
} TokenKind;

typedef struct Parser
{
	const char *text;
	const char *at;				/* after the current token */
	TokenKind	kind;
	Buffer		token;
	int			start;			/* offset of the current token */
	int			depth;
	bool		failed;
	Buffer	   *error;
} Parser;

static const char *const reserved[] = {
	"abort", "access", "add", "after", "alias", "all", "alter", "and", "any",
	"as", "asc", "audit", "avg", "before", "begin", "between", "boolean",
	"break", "by", "byte", "catch", "cf", "char", "check", "column", "commit",
	"connect", "continue", "count", "create", "current", "date", "decimal",
	"default", "define", "delete", "desc", "distinct", "do", "double", "drop",
	"else", "empty", "end", "equals", "escape", "exec", "exists", "explain",
	"false", "fetch", "field", "file", "first", "float", "for", "from",
	"function", "go", "goto", "grant", "group", "having", "if", "in", "index",
	"initial", "inner", "input", "insert", "int", "into", "is", "join",
	"last", "left", "less", "like", "limit", "lock", "long", "max", "min",
	"minus", "mode", "more", "next", "not", "null", "number", "object", "of",
	"on", "option", "or", "order", "outer", "output", "power", "previous",
	"prior", "public", "raise", "raw", "rename", "resource", "return",
	"revoke", "right", "row", "rows", "select", "session", "set", "share",
	"size", "start", "string", "sum", "table", "then", "to", "trigger",
	"true", "union", "unique", "update", "user", "values", "view", "when",
	"where", "while", "with", NULL
};

/* Give up with a message about the place; the first one stays. */
static void
fail(Parser *parser, const char *message)
{
	int			line = 1;
	int			column = 1;

	if (parser->failed)
		return;
	parser->failed = true;
	for (int i = 0; i < parser->start; i++)
	{
		column = parser->text[i] == '\n' ? 1 : column + 1;
		line += parser->text[i] == '\n';
	}
	buf_printf(parser->error, "Error in the JQL Query: %s", message);
	if (parser->kind != TOKEN_END)
		buf_printf(parser->error, " (line %d, character %d)", line, column);
}

static void
fail_expecting(Parser *parser, const char *expected)
{
	Buffer		message = {0};

	if (parser->kind == TOKEN_END)
		buf_printf(&message, "Expecting %s before the end of the query.",
				   expected);
	else
		buf_printf(&message, "Expecting %s but got '%s'.", expected,
				   parser->token.data);
	fail(parser, message.data);
	buf_free(&message);
}

static void
read_quoted(Parser *parser, char quote)
{
	Buffer		message = {0};

	parser->kind = TOKEN_QUOTED;
	while (*parser->at && *parser->at != quote)
	{
		if (*parser->at == '\\' && parser->at[1])
			parser->at++;
		buf_char(&parser->token, *parser->at++);
	}
	if (*parser->at++ == quote)
		return;
	parser->at--;
	buf_printf(&message, "The quoted string '%s' has not been completed.",
			   parser->token.data);
	fail(parser, message.data);
	buf_free(&message);
}

/* Read the next token. */
static void
advance(Parser *parser)
{
	static const char signs[] = "()=<>!~,";

	while (isspace((unsigned char) *parser->at))
		parser->at++;
	parser->start = parser->at - parser->text;
	buf_clear(&parser->token);
	parser->kind = TOKEN_END;
	if (*parser->at == '\0')
		return;
	if (*parser->at == '"' || *parser->at == '\'')
	{
		read_quoted(parser, *parser->at++);
		return;
	}
	if (strchr(signs, *parser->at))
	{
		parser->kind = TOKEN_SIGN;
		buf_char(&parser->token, *parser->at++);
		if (strchr("<>!", parser->token.data[0]) &&
			(*parser->at == '=' || *parser->at == '~'))
			buf_char(&parser->token, *parser->at++);
		return;
	}
	parser->kind = TOKEN_WORD;
	while (*parser->at && !isspace((unsigned char) *parser->at) &&
		   !strchr(signs, *parser->at) && !strchr("\"'", *parser->at))
		buf_char(&parser->token, *parser->at++);
}

/* Is this keyword or sign next? If so take it. */
static bool
accept_token(Parser *parser, const char *text)
{
	if (parser->failed || parser->kind == TOKEN_QUOTED ||
		parser->kind == TOKEN_END ||
		strcasecmp(parser->token.data, text) != 0)
		return false;
	advance(parser);
	return true;
}

/* An unquoted word that Jira keeps for itself is an error. */
static bool
check_reserved(Parser *parser, const char *use)
{
	Buffer		message = {0};

	if (parser->kind != TOKEN_WORD)
		return true;
	for (int i = 0; reserved[i]; i++)
	{
		if (strcasecmp(reserved[i], parser->token.data) != 0)
			continue;
		buf_printf(&message, "'%s' is a reserved JQL word. You must surround "
				   "it in quotation marks to use it as a %s.",
				   parser->token.data, use);
		fail(parser, message.data);
		buf_free(&message);
		return false;
	}
	return true;
}

static Operator
parse_operator(Parser *parser)
{
	static const char *const signs[] = {"=", "!=", ">", ">=", "<", "<="};
	Buffer		message = {0};

	for (int i = 0; i < 6; i++)
		if (accept_token(parser, signs[i]))
			return OP_EQUAL + i;
	if (accept_token(parser, "in"))
		return OP_IN;
	if (accept_token(parser, "not"))
	{
		if (!accept_token(parser, "in"))
			fail_expecting(parser, "'IN' after 'NOT'");
		return OP_NOT_IN;
	}
	if (accept_token(parser, "is"))
		return accept_token(parser, "not") ? OP_IS_NOT : OP_IS;
	buf_printf(&message, parser->kind == TOKEN_END ?
			   "Expecting operator before the end of the query. " :
			   "Expecting operator but got '%s'. ", parser->token.data);
	buf_str(&message, "The valid operators are '=', '!=', '<', '>', '<=', "
			"'>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'.");
	fail(parser, message.data);
	buf_free(&message);
	return OP_EQUAL;
}

/* One value: quoted, a word, EMPTY, or a function such as now(). */
static void
parse_value(Parser *parser, JqlValue *values, int *count)
{
	JqlValue   *value = &values[*count];

	if (parser->failed)
		return;
	if (parser->kind == TOKEN_END || parser->kind == TOKEN_SIGN ||
		*count == MAX_VALUES)
	{
		fail_expecting(parser, "either a value, list or function");
		return;
	}
	value->quoted = parser->kind == TOKEN_QUOTED;
	value->empty = !value->quoted &&
		(strcasecmp(parser->token.data, "empty") == 0 ||
		 strcasecmp(parser->token.data, "null") == 0);
	if (!value->empty && !check_reserved(parser, "value"))
		return;
	value->text = strdup(parser->token.data);
	(*count)++;
	advance(parser);
	if (!value->quoted && accept_token(parser, "("))
	{
		if (!accept_token(parser, ")"))
			fail_expecting(parser, "')'");
		value->text = realloc(value->text, strlen(value->text) + 3);
		strcat(value->text, "()");
	}
}

static void
parse_list(Parser *parser, JqlValue *values, int *count)
{
	if (!accept_token(parser, "("))
	{
		fail_expecting(parser, "'('");
		return;
	}
	do
		parse_value(parser, values, count);
	while (accept_token(parser, ","));
	if (!parser->failed && !accept_token(parser, ")"))
		fail_expecting(parser, "',' or ')'");
}

/* field operator value(s) */
static Node *
parse_clause(Parser *parser)
{
	JqlValue   *values = calloc(MAX_VALUES, sizeof(JqlValue));
	Node	   *node = NULL;
	JqlField	field;
	Operator	op;
	int			count = 0;
	char	   *name;

	if (parser->kind == TOKEN_END || parser->kind == TOKEN_SIGN)
		fail_expecting(parser, "a field name");
	else
		check_reserved(parser, "field name");
	name = strdup(parser->token.data);
	if (!parser->failed)
		advance(parser);
	op = parse_operator(parser);
	if (op == OP_IN || op == OP_NOT_IN)
		parse_list(parser, values, &count);
	else
		parse_value(parser, values, &count);
	if (!parser->failed && !jql_field_known(name, &field))
	{
		buf_printf(parser->error, "Field '%s' does not exist or you do not "
				   "have permission to view it.", name);
		parser->failed = true;
	}
	if (!parser->failed)
		node = jql_clause(name, field, op, values, count, parser->error);
	parser->failed = parser->failed || node == NULL;
	for (int i = 0; i < count; i++)
		free(values[i].text);
	free(values);
	free(name);
	return node;
}

static Node *parse_or(Parser *parser);

static Node *
parse_not(Parser *parser)
{
	Node	   *node;

	if (++parser->depth > MAX_JQL_DEPTH)
		fail(parser, "The query is nested too deeply.");
	if (parser->failed)
		return NULL;
	if (accept_token(parser, "not") || accept_token(parser, "!"))
		node = jql_node(NODE_NOT, parse_not(parser), NULL);
	else if (accept_token(parser, "("))
	{
		node = parse_or(parser);
		if (!parser->failed && !accept_token(parser, ")"))
			fail_expecting(parser, "')'");
	}
	else
		node = parse_clause(parser);
	parser->depth--;
	return node;
}

static Node *
parse_and(Parser *parser)
{
	Node	   *node = parse_not(parser);

	while (accept_token(parser, "and") || accept_token(parser, "&&"))
		node = jql_node(NODE_AND, node, parse_not(parser));
	return node;
}

static Node *
parse_or(Parser *parser)
{
	Node	   *node = parse_and(parser);

	while (accept_token(parser, "or") || accept_token(parser, "||"))
		node = jql_node(NODE_OR, node, parse_and(parser));
	return node;
}

/* One key of ORDER BY; dates come newest first where nothing is said. */
static bool
parse_order_key(Parser *parser, Ordering *ordering)
{
	JqlField	field;
	bool		is_id = strcasecmp(parser->token.data, "id") == 0;
	OrderKey   *key = &ordering->keys[ordering->count];

	if (parser->kind == TOKEN_END || parser->kind == TOKEN_SIGN)
	{
		fail_expecting(parser, "a field name");
		return false;
	}
	if (!jql_field_known(parser->token.data, &field) ||
		(field != JQL_UPDATED && field != JQL_CREATED && field != JQL_ISSUE))
	{
		buf_printf(parser->error, "Not able to sort using field '%s'.",
				   parser->token.data);
		return false;
	}
	if (ordering->count == MAX_ORDER_KEYS)
	{
		buf_printf(parser->error, "The number of fields in the ORDER BY "
				   "clause exceeds the limit of %d.", MAX_ORDER_KEYS);
		return false;
	}
	ordering->count++;
	key->field = field == JQL_UPDATED ? ORDER_UPDATED :
		field == JQL_CREATED ? ORDER_CREATED : is_id ? ORDER_ID : ORDER_KEY;
	advance(parser);
	key->descending = accept_token(parser, "desc") ||
		(!accept_token(parser, "asc") && field != JQL_ISSUE);
	return true;
}

static void
parse_order(Parser *parser, Ordering *ordering)
{
	if (!accept_token(parser, "order"))
	{
		fail_expecting(parser, "either 'OR' or 'AND'");
		return;
	}
	if (!accept_token(parser, "by"))
	{
		fail_expecting(parser, "'BY'");
		return;
	}
	do
		if (!parse_order_key(parser, ordering))
			parser->failed = true;
	while (accept_token(parser, ","));
	if (!parser->failed && parser->kind != TOKEN_END)
		fail_expecting(parser, "',' or the end of the query");
}

Query *
jql_parse(const char *text, Buffer *error)
{
	Parser		parser = {.text = text,.at = text,.error = error};
	Query	   *query = calloc(1, sizeof(Query));

	advance(&parser);
	if (parser.kind != TOKEN_END &&
		!(parser.kind == TOKEN_WORD &&
		  strcasecmp(parser.token.data, "order") == 0))
		query->where = parse_or(&parser);
	if (!parser.failed && parser.kind != TOKEN_END)
		parse_order(&parser, &query->ordering);
	/* without ORDER BY the newest issue comes first */
	if (query->ordering.count == 0)
		query->ordering = (Ordering) {{{ORDER_ID, true}}, 1};
	buf_free(&parser.token);
	if (!parser.failed)
		return query;
	jql_free(query);
	return NULL;
}

void
jql_free(Query *query)
{
	if (query == NULL)
		return;
	jql_free_node(query->where);
	free(query);
}
