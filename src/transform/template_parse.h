/*
 * template_parse.h
 *		From the tokens of a template to its nodes.
 */
#ifndef RESOLUTE_TEMPLATE_PARSE_H
#define RESOLUTE_TEMPLATE_PARSE_H

#include "postgres.h"

#include "transform/template_lex.h"
#include "transform/template_node.h"

#define TOKEN_LOOKAHEAD 3

typedef struct Parser
{
	Template   *tmpl;
	Lexer		lexer;
	Token		token[TOKEN_LOOKAHEAD];
	int			peeked;			/* tokens that were given back */
	List	   *variables;		/* of char *, those in scope */
	int			range_depth;
	int			first_variable; /* of the template being defined */
} Parser;

/* The next token, taken or looked at only; and the same behind spaces. */
extern Token parser_next(Parser *parser);
extern Token parser_peek(Parser *parser);
extern Token parser_next_non_space(Parser *parser);
extern Token parser_peek_non_space(Parser *parser);

/* Give back the last token, or the last two or three, which come again in their order. */
extern void parser_back(Parser *parser);
extern void parser_back2(Parser *parser, Token first);
extern void parser_back3(Parser *parser, Token first, Token second);

/* Raise SYNTAX_ERROR: this token cannot stand here. */
extern void parser_unexpected(Parser *parser, Token token, const char *context) pg_attribute_noreturn();

/* The pipeline up to the token that ends it. */
extern TmplNode *parse_pipeline(Parser *parser, const char *context, TokenKind end);

/* Make the nodes of all of the template's source. */
extern void template_parse(Template *tmpl);

/* The value of a string with its quotes; false if it is none. */
extern bool literal_unquote(const char *text, int len, char **value, int *value_len);

/* The value of a number or character constant; false if it is none. */
extern bool literal_number(Parser *parser, Token token, TmplValue *number);

#endif							/* RESOLUTE_TEMPLATE_PARSE_H */
