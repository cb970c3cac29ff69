/*
 * template_parse.c
 *		The frame of a template and its control actions, by the rules of Go's
 *		text/template/parse/parse.go.
 */
#include "postgres.h"

#include <ctype.h>

#include "miscadmin.h"

#include "transform/template_parse.h"

static List *parse_items(Parser *parser, TmplNode **end);
static TmplNode *parse_action(Parser *parser);

/* ------------------------------------------------------------------------
 * Tokens: up to three may be given back.
 * ------------------------------------------------------------------------
 */

Token
parser_next(Parser *parser)
{
	if (parser->peeked > 0)
		parser->peeked--;
	else
		parser->token[0] = lexer_next(&parser->lexer);
	return parser->token[parser->peeked];
}

void
parser_back(Parser *parser)
{
	parser->peeked++;
}

/* Give back first, which came before the token at hand. */
void
parser_back2(Parser *parser, Token first)
{
	parser->token[1] = first;
	parser->peeked = 2;
}

void
parser_back3(Parser *parser, Token first, Token second)
{
	parser->token[1] = second;
	parser->token[2] = first;
	parser->peeked = 3;
}

Token
parser_peek(Parser *parser)
{
	Token		token = parser_next(parser);

	parser_back(parser);
	return token;
}

Token
parser_next_non_space(Parser *parser)
{
	Token		token;

	do
		token = parser_next(parser);
	while (token.kind == TOKEN_SPACE);
	return token;
}

Token
parser_peek_non_space(Parser *parser)
{
	Token		token = parser_next_non_space(parser);

	parser_back(parser);
	return token;
}

/* How a token is called in messages. */
static const char *
token_text(Token token)
{
	switch (token.kind)
	{
		case TOKEN_EOF:
			return "end of template";
		case TOKEN_TEXT:
			return "text";
		case TOKEN_SPACE:
			return "space";
		default:
			return psprintf("\"%.*s\"", token.len, token.text);
	}
}

void
parser_unexpected(Parser *parser, Token token, const char *context)
{
	tmpl_syntax_error(parser->lexer.source, token.pos, NULL, "unexpected %s in %s of template",
					  token_text(token), context);
}

static Token
expect(Parser *parser, TokenKind kind, const char *context)
{
	Token		token = parser_next_non_space(parser);

	if (token.kind != kind)
		parser_unexpected(parser, token, context);
	return token;
}

TmplNode *
node_make(NodeKind kind, int pos)
{
	TmplNode	   *node = palloc0(sizeof(TmplNode));

	node->kind = kind;
	node->pos = pos;
	return node;
}

/* ------------------------------------------------------------------------
 * Named templates
 * ------------------------------------------------------------------------
 */

/* Nothing but space and no action? */
static bool
tree_is_empty(List *nodes)
{
	ListCell   *cell;

	foreach(cell, nodes)
	{
		TmplNode	   *node = lfirst(cell);

		if (node->kind != NODE_TEXT)
			return false;
		for (int i = 0; i < node->len; i++)
			if (!isspace((unsigned char) node->text[i]))
				return false;
	}
	return true;
}

TmplTree *
tmpl_tree(const Template *tmpl, const char *name, int len)
{
	ListCell   *cell;

	foreach(cell, tmpl->trees)
	{
		TmplTree   *tree = lfirst(cell);

		if (tree->name_len == len && memcmp(tree->name, name, len) == 0)
			return tree;
	}
	return NULL;
}

/* An empty definition never replaces another; two others are an error. */
static void
add_tree(Parser *parser, const char *name, int len, List *root, int pos)
{
	TmplTree   *tree = tmpl_tree(parser->tmpl, name, len);

	if (tree && !tree_is_empty(tree->root))
	{
		if (!tree_is_empty(root))
			tmpl_syntax_error(parser->lexer.source, pos, NULL,
							  "template \"%.*s\" is defined more than once", len, name);
		return;
	}
	if (!tree)
	{
		tree = palloc0(sizeof(TmplTree));
		tree->name = name;
		tree->name_len = len;
		parser->tmpl->trees = lappend(parser->tmpl->trees, tree);
	}
	tree->root = root;
}

static TmplNode *
parse_name(Parser *parser, NodeKind kind, const char *context)
{
	Token		token = parser_next_non_space(parser);
	TmplNode	   *node = node_make(kind, token.pos);
	char	   *name;

	if (token.kind != TOKEN_STRING && token.kind != TOKEN_RAW_STRING)
		parser_unexpected(parser, token, context);
	if (!literal_unquote(token.text, token.len, &name, &node->len))
		tmpl_syntax_error(parser->lexer.source, token.pos, NULL,
						  "invalid string %.*s in template", token.len, token.text);
	node->text = name;
	return node;
}

/* The body of {{define}} or {{block}}: a template with variables of its own. */
static void
parse_definition(Parser *parser, const TmplNode *name, const char *context)
{
	List	   *variables = parser->variables;
	int			range_depth = parser->range_depth;
	List	   *root;
	TmplNode	   *end;

	parser->variables = list_make1("$");
	parser->range_depth = 0;
	root = parse_items(parser, &end);
	if (end->kind != NODE_END)
		tmpl_syntax_error(parser->lexer.source, end->pos, NULL,
						  "unexpected {{else}} in %s of template", context);
	add_tree(parser, name->text, name->len, root, name->pos);
	parser->variables = variables;
	parser->range_depth = range_depth;
}

/* {{block "name" pipeline}} is a definition and its use. */
static TmplNode *
parse_block(Parser *parser)
{
	TmplNode	   *node = parse_name(parser, NODE_TEMPLATE, "block clause");

	node->pipe = parse_pipeline(parser, "block clause", TOKEN_RIGHT_DELIM);
	parse_definition(parser, node, "block clause");
	return node;
}

static TmplNode *
parse_template(Parser *parser)
{
	TmplNode	   *node = parse_name(parser, NODE_TEMPLATE, "template clause");

	if (parser_next_non_space(parser).kind != TOKEN_RIGHT_DELIM)
	{
		parser_back(parser);
		node->pipe = parse_pipeline(parser, "template clause", TOKEN_RIGHT_DELIM);
	}
	return node;
}

/* ------------------------------------------------------------------------
 * Control actions
 * ------------------------------------------------------------------------
 */

static TmplNode *parse_control(Parser *parser, NodeKind kind, const char *context, int pos);

/*
 * What follows {{else}}: {{else if}} and {{else with}} are an action of their
 * own, whose {{end}} is ours as well.
 */
static List *
parse_else(Parser *parser, NodeKind kind, const char *context)
{
	Token		token = parser_peek(parser);
	List	   *items;
	TmplNode	   *end;

	if ((kind == NODE_IF && token.kind == TOKEN_IF) ||
		(kind == NODE_WITH && token.kind == TOKEN_WITH))
	{
		parser_next(parser);
		return list_make1(parse_control(parser, kind, context, token.pos));
	}
	items = parse_items(parser, &end);
	if (end->kind != NODE_END)
		tmpl_syntax_error(parser->lexer.source, end->pos, NULL,
						  "expected {{end}}, found {{else}} in template");
	return items;
}

/* if, with and range, whose keyword is past. */
static TmplNode *
parse_control(Parser *parser, NodeKind kind, const char *context, int pos)
{
	int			in_scope = list_length(parser->variables);
	TmplNode	   *node = node_make(kind, pos);
	TmplNode	   *end;

	check_stack_depth();
	node->pipe = parse_pipeline(parser, context, TOKEN_RIGHT_DELIM);
	parser->range_depth += kind == NODE_RANGE;
	node->body = parse_items(parser, &end);
	parser->range_depth -= kind == NODE_RANGE;
	if (end->kind == NODE_ELSE)
		node->otherwise = parse_else(parser, kind, context);

	/* Variables end with the action that declared them. */
	parser->variables = list_truncate(parser->variables, in_scope);
	return node;
}

static TmplNode *
parse_jump(Parser *parser, NodeKind kind, Token token)
{
	expect(parser, TOKEN_RIGHT_DELIM, kind == NODE_BREAK ? "{{break}}" : "{{continue}}");
	if (parser->range_depth == 0)
		tmpl_syntax_error(parser->lexer.source, token.pos, NULL,
						  "{{%.*s}} outside of {{range}} in template",
						  token.len, token.text);
	return node_make(kind, token.pos);
}

/* {{else}}; before "if" and "with" the rest is left to parse_else(). */
static TmplNode *
parse_else_mark(Parser *parser, Token token)
{
	Token		after = parser_peek_non_space(parser);

	if (after.kind != TOKEN_IF && after.kind != TOKEN_WITH)
		expect(parser, TOKEN_RIGHT_DELIM, "{{else}}");
	return node_make(NODE_ELSE, token.pos);
}

/* One action, whose left delimiter is past. */
static TmplNode *
parse_action(Parser *parser)
{
	Token		token = parser_next_non_space(parser);
	TmplNode	   *node;

	switch (token.kind)
	{
		case TOKEN_BLOCK:
			return parse_block(parser);
		case TOKEN_BREAK:
			return parse_jump(parser, NODE_BREAK, token);
		case TOKEN_CONTINUE:
			return parse_jump(parser, NODE_CONTINUE, token);
		case TOKEN_ELSE:
			return parse_else_mark(parser, token);
		case TOKEN_END:
			expect(parser, TOKEN_RIGHT_DELIM, "{{end}}");
			return node_make(NODE_END, token.pos);
		case TOKEN_IF:
			return parse_control(parser, NODE_IF, "if", token.pos);
		case TOKEN_RANGE:
			return parse_control(parser, NODE_RANGE, "range", token.pos);
		case TOKEN_TEMPLATE:
			return parse_template(parser);
		case TOKEN_WITH:
			return parse_control(parser, NODE_WITH, "with", token.pos);
		default:
			parser_back(parser);
			node = node_make(NODE_ACTION, token.pos);
			node->pipe = parse_pipeline(parser, "command", TOKEN_RIGHT_DELIM);
			return node;
	}
}

static TmplNode *
parse_item(Parser *parser)
{
	Token		token = parser_next_non_space(parser);
	TmplNode	   *node;

	if (token.kind == TOKEN_LEFT_DELIM)
		return parse_action(parser);
	if (token.kind != TOKEN_TEXT)
		parser_unexpected(parser, token, "input");
	node = node_make(NODE_TEXT, token.pos);
	node->text = token.text;
	node->len = token.len;
	return node;
}

/* Items up to {{end}} or {{else}}, which is left in *end. */
static List *
parse_items(Parser *parser, TmplNode **end)
{
	List	   *items = NIL;

	check_stack_depth();
	while (parser_peek_non_space(parser).kind != TOKEN_EOF)
	{
		TmplNode	   *node = parse_item(parser);

		if (node->kind == NODE_END || node->kind == NODE_ELSE)
		{
			*end = node;
			return items;
		}
		items = lappend(items, node);
	}
	tmpl_syntax_error(parser->lexer.source, parser->lexer.len,
					  "Each {{if}}, {{range}}, {{with}}, {{block}} and {{define}} needs an {{end}}.",
					  "unexpected end of template");
}

/* The main template: items up to the end, and {{define}} between them. */
void
template_parse(Template *tmpl)
{
	Parser		parser = {.tmpl = tmpl};
	List	   *root = NIL;

	lexer_init(&parser.lexer, tmpl->source, tmpl->len);
	parser.variables = list_make1("$");
	while (parser_peek(&parser).kind != TOKEN_EOF)
	{
		Token		token = parser_next(&parser);
		TmplNode	   *node;

		if (token.kind == TOKEN_LEFT_DELIM)
		{
			if (parser_next_non_space(&parser).kind == TOKEN_DEFINE)
			{
				node = parse_name(&parser, NODE_TEMPLATE, "define clause");
				expect(&parser, TOKEN_RIGHT_DELIM, "define clause");
				parse_definition(&parser, node, "define clause");
				continue;
			}
			parser_back2(&parser, token);
		}
		else
			parser_back(&parser);

		node = parse_item(&parser);
		if (node->kind == NODE_END || node->kind == NODE_ELSE)
			tmpl_syntax_error(tmpl->source, node->pos, NULL, "unexpected {{%s}} in template",
							  node->kind == NODE_END ? "end" : "else");
		root = lappend(root, node);
	}
	add_tree(&parser, "", 0, root, 0);
	tmpl->main = tmpl_tree(tmpl, "", 0)->root;
}
