/*
 * template_pipeline.c
 *		Pipelines, commands and operands, by the rules of Go's
 *		text/template/parse/parse.go.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "transform/template_functions.h"
#include "transform/template_parse.h"

/* May this token begin a command? */
static bool
begins_command(TokenKind kind)
{
	switch (kind)
	{
		case TOKEN_BOOL:
		case TOKEN_CHAR_CONSTANT:
		case TOKEN_DOT:
		case TOKEN_FIELD:
		case TOKEN_IDENTIFIER:
		case TOKEN_NUMBER:
		case TOKEN_NIL:
		case TOKEN_RAW_STRING:
		case TOKEN_STRING:
		case TOKEN_VARIABLE:
		case TOKEN_LEFT_PAREN:
			return true;
		default:
			return false;
	}
}

static void
declare(Parser *parser, TmplNode *pipe, Token variable)
{
	char	   *name = pnstrdup(variable.text, variable.len);

	pipe->declared = lappend(pipe->declared, name);
	parser->variables = lappend(parser->variables, name);
}

/*
 * "$x :=", "$x =" or, in a range, "$i, $x :=".  A space counts as a token, so
 * up to three tokens are given back if it turns out to be none of these.
 */
static void
parse_declarations(Parser *parser, TmplNode *pipe, const char *context)
{
	Token		variable;
	Token		beside;
	Token		token;

	while ((variable = parser_peek_non_space(parser)).kind == TOKEN_VARIABLE)
	{
		parser_next(parser);
		beside = parser_peek(parser);
		token = parser_peek_non_space(parser);
		if (token.kind == TOKEN_ASSIGN || token.kind == TOKEN_DECLARE)
		{
			pipe->is_assign = token.kind == TOKEN_ASSIGN;
			parser_next_non_space(parser);
			declare(parser, pipe, variable);
			return;
		}
		if (token.kind != TOKEN_CHAR || *token.text != ',')
		{
			if (beside.kind == TOKEN_SPACE)
				parser_back3(parser, variable, beside);
			else
				parser_back2(parser, variable);
			return;
		}
		parser_next_non_space(parser);
		declare(parser, pipe, variable);
		if (strcmp(context, "range") != 0 || list_length(pipe->declared) >= 2)
			tmpl_syntax_error(parser->lexer.source, token.pos, NULL,
							  "too many declarations in %s of template", context);
		switch (parser_peek_non_space(parser).kind)
		{
			case TOKEN_VARIABLE:
			case TOKEN_RIGHT_DELIM:
			case TOKEN_RIGHT_PAREN:
				break;
			default:
				tmpl_syntax_error(parser->lexer.source, token.pos, NULL,
								  "range can only initialize variables in template");
		}
	}
}

/* Only the first command of a pipeline may be a plain value. */
static void
check_pipeline(Parser *parser, const TmplNode *pipe, const char *context)
{
	if (pipe->commands == NIL)
		tmpl_syntax_error(parser->lexer.source, pipe->pos, NULL,
						  "missing value for %s in template", context);
	for (int i = 1; i < list_length(pipe->commands); i++)
	{
		const TmplNode *command = list_nth(pipe->commands, i);
		const TmplNode *first = linitial(command->arguments);

		if (first->kind == NODE_CONSTANT || first->kind == NODE_DOT || first->kind == NODE_NIL)
			tmpl_syntax_error(parser->lexer.source, first->pos,
							  "Behind \"|\" stands a function, which gets the value as its last argument.",
							  "non-executable command in stage %d of pipeline in template", i + 1);
	}
}

/* What Go finds out only when it executes the command. */
static void
check_arguments(Parser *parser, const TmplNode *node, int given)
{
	const TmplFunction *function = node->function;

	if (given >= function->min_args &&
		(function->max_args == ANY_NUMBER || given <= function->max_args))
		return;
	tmpl_syntax_error(parser->lexer.source, node->pos, NULL,
					  "function \"%s\" needs %s%d argument(s), got %d in template",
					  function->name,
					  function->min_args == function->max_args ? "" : "at least ",
					  function->min_args, given);
}

/*
 * For documents a command that would fail on every row is refused at once; as
 * text it waits until it is executed, if ever.
 */
static void
check_command(Parser *parser, const TmplNode *command, bool piped)
{
	const TmplNode *first = linitial(command->arguments);
	int			nargs = list_length(command->arguments) - 1 + (piped ? 1 : 0);

	if (first->kind == NODE_NIL)
		tmpl_syntax_error(parser->lexer.source, first->pos, NULL,
						  "nil is not a command in template");
	if (first->kind == NODE_FUNCTION)
		check_arguments(parser, first, nargs);
	else if (nargs > 0)
		tmpl_syntax_error(parser->lexer.source, first->pos, NULL,
						  "only functions take arguments in template");
	for (int i = 1; i < list_length(command->arguments); i++)
	{
		const TmplNode *node = list_nth(command->arguments, i);

		if (node->kind == NODE_FUNCTION)
			check_arguments(parser, node, 0);
	}
}

/* Split "A.B.C" into names; text begins behind the leading dot. */
static void
add_names(TmplNode *node, const char *text, int len)
{
	int			start = 0;

	for (int i = 0; i <= len; i++)
	{
		if (i < len && text[i] != '.')
			continue;
		node->names = node->names ?
			repalloc(node->names, (node->nnames + 1) * sizeof(TmplName)) :
			palloc(sizeof(TmplName));
		node->names[node->nnames].name = text + start;
		node->names[node->nnames++].len = i - start;
		start = i + 1;
	}
}

static TmplNode *
parse_function(Parser *parser, Token token)
{
	TmplNode	   *node = node_make(NODE_FUNCTION, token.pos);

	node->function = function_find(token.text, token.len);
	if (!node->function)
		tmpl_syntax_error(parser->lexer.source, token.pos,
						  function_hint(token.text, token.len),
						  "function \"%.*s\" is not defined in template",
						  token.len, token.text);
	if ((node->function->flags & FUNCTION_REFUSED) && parser->tmpl->mode == TEMPLATE_JSON)
		tmpl_syntax_error(parser->lexer.source, token.pos, NULL,
						  "function \"%.*s\" is not supported: data holds no functions in template",
						  token.len, token.text);
	return node;
}

static TmplNode *
parse_variable(Parser *parser, Token token)
{
	TmplNode	   *node = node_make(NODE_VARIABLE, token.pos);
	ListCell   *cell;

	node->text = pnstrdup(token.text, token.len);
	foreach(cell, parser->variables)
	{
		if (strcmp(lfirst(cell), node->text) == 0)
			return node;
	}
	tmpl_syntax_error(parser->lexer.source, token.pos,
					  "A variable is declared by {{$name := value}} before it is used.",
					  "variable \"%s\" is not defined in template", node->text);
}

static TmplNode *
parse_literal(Parser *parser, Token token)
{
	TmplNode	   *node = node_make(NODE_CONSTANT, token.pos);

	if (token.kind == TOKEN_BOOL)
		node->constant = tmpl_bool(*token.text == 't');
	else if (token.kind == TOKEN_STRING || token.kind == TOKEN_RAW_STRING)
	{
		char	   *value;
		int			len;

		if (!literal_unquote(token.text, token.len, &value, &len))
			tmpl_syntax_error(parser->lexer.source, token.pos, NULL,
							  "invalid string %.*s in template", token.len, token.text);
		node->constant = tmpl_string(value, len);
	}
	else if (!literal_number(parser, token, &node->constant))
		tmpl_syntax_error(parser->lexer.source, token.pos, NULL,
						  "invalid number \"%.*s\" in template", token.len, token.text);
	return node;
}

/* A simple operand, or NULL if the next token begins none. */
static TmplNode *
parse_term(Parser *parser)
{
	Token		token = parser_next_non_space(parser);
	TmplNode	   *node;

	switch (token.kind)
	{
		case TOKEN_IDENTIFIER:
			return parse_function(parser, token);
		case TOKEN_DOT:
			return node_make(NODE_DOT, token.pos);
		case TOKEN_NIL:
			return node_make(NODE_NIL, token.pos);
		case TOKEN_VARIABLE:
			return parse_variable(parser, token);
		case TOKEN_FIELD:
			node = node_make(NODE_FIELD, token.pos);
			add_names(node, token.text + 1, token.len - 1);
			return node;
		case TOKEN_LEFT_PAREN:
			return parse_pipeline(parser, "parenthesized pipeline", TOKEN_RIGHT_PAREN);
		case TOKEN_BOOL:
		case TOKEN_CHAR_CONSTANT:
		case TOKEN_NUMBER:
		case TOKEN_STRING:
		case TOKEN_RAW_STRING:
			return parse_literal(parser, token);
		default:
			parser_back(parser);
			return NULL;
	}
}

/* A term and the fields behind it: .A.B, $x.A, (pipeline).A */
static TmplNode *
parse_operand(Parser *parser)
{
	TmplNode	   *node = parse_term(parser);
	TmplNode	   *chain;

	if (!node || parser_peek(parser).kind != TOKEN_FIELD)
		return node;
	if (node->kind == NODE_CONSTANT || node->kind == NODE_NIL || node->kind == NODE_DOT)
		tmpl_syntax_error(parser->lexer.source, parser_peek(parser).pos, NULL,
						  "unexpected \".\" after a term in template");
	chain = node;
	if (node->kind != NODE_FIELD && node->kind != NODE_VARIABLE)
	{
		chain = node_make(NODE_CHAIN, parser_peek(parser).pos);
		chain->pipe = node;
	}
	while (parser_peek(parser).kind == TOKEN_FIELD)
	{
		Token		token = parser_next(parser);

		add_names(chain, token.text + 1, token.len - 1);
	}
	return chain;
}

/* Operands up to "|", which is consumed, or the end of the pipeline. */
static TmplNode *
parse_command(Parser *parser)
{
	TmplNode	   *command = node_make(NODE_COMMAND, parser_peek_non_space(parser).pos);
	Token		token;

	for (;;)
	{
		TmplNode	   *operand = parse_operand(parser);

		if (operand)
			command->arguments = lappend(command->arguments, operand);
		token = parser_next(parser);
		if (token.kind == TOKEN_SPACE)
			continue;
		if (token.kind == TOKEN_RIGHT_DELIM || token.kind == TOKEN_RIGHT_PAREN)
			parser_back(parser);
		else if (token.kind != TOKEN_PIPE)
			parser_unexpected(parser, token, "operand");
		break;
	}
	if (command->arguments == NIL)
		tmpl_syntax_error(parser->lexer.source, command->pos, NULL, "empty command in template");
	return command;
}

TmplNode *
parse_pipeline(Parser *parser, const char *context, TokenKind end)
{
	TmplNode	   *pipe = node_make(NODE_PIPE, parser_peek_non_space(parser).pos);

	check_stack_depth();
	parse_declarations(parser, pipe, context);
	for (;;)
	{
		Token		token = parser_next_non_space(parser);

		if (token.kind == end)
			break;
		if (!begins_command(token.kind))
			parser_unexpected(parser, token, context);
		parser_back(parser);
		pipe->commands = lappend(pipe->commands, parse_command(parser));
	}
	check_pipeline(parser, pipe, context);
	for (int i = 0; parser->tmpl->mode == TEMPLATE_JSON && i < list_length(pipe->commands); i++)
		check_command(parser, list_nth(pipe->commands, i), i > 0);
	return pipe;
}
