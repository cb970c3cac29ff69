/*
 * template_lex.h
 *		The tokens of a template.
 *
 * The rules are those of Go's text/template/parse: text outside of {{ and }},
 * and inside of them a small language in which spaces count.
 */
#ifndef RESOLUTE_TEMPLATE_LEX_H
#define RESOLUTE_TEMPLATE_LEX_H

#include "postgres.h"

typedef enum TokenKind
{
	TOKEN_EOF,
	TOKEN_TEXT,					/* outside of actions */
	TOKEN_LEFT_DELIM,
	TOKEN_RIGHT_DELIM,
	TOKEN_SPACE,
	TOKEN_BOOL,
	TOKEN_CHAR,					/* a single character such as a comma */
	TOKEN_CHAR_CONSTANT,		/* 'x', with its quotes */
	TOKEN_NUMBER,
	TOKEN_STRING,				/* "x", with its quotes */
	TOKEN_RAW_STRING,			/* `x`, with its quotes */
	TOKEN_ASSIGN,				/* = */
	TOKEN_DECLARE,				/* := */
	TOKEN_FIELD,				/* .name */
	TOKEN_IDENTIFIER,
	TOKEN_VARIABLE,				/* $ or $name */
	TOKEN_LEFT_PAREN,
	TOKEN_RIGHT_PAREN,
	TOKEN_PIPE,
	TOKEN_DOT,
	TOKEN_NIL,
	/* keywords of control actions */
	TOKEN_BLOCK,
	TOKEN_BREAK,
	TOKEN_CONTINUE,
	TOKEN_DEFINE,
	TOKEN_ELSE,
	TOKEN_END,
	TOKEN_IF,
	TOKEN_RANGE,
	TOKEN_TEMPLATE,
	TOKEN_WITH
} TokenKind;

typedef struct Token
{
	TokenKind	kind;
	int			pos;			/* offset of its first byte in the source */
	const char *text;			/* slice of the source */
	int			len;
} Token;

typedef struct Lexer
{
	const char *source;			/* UTF-8 */
	int			len;
	int			pos;			/* next byte to read */
	int			start;			/* first byte of the token at hand */
	int			paren_depth;
	bool		inside_action;
} Lexer;

extern void lexer_init(Lexer *lexer, const char *source, int len);

/* The next token; raises SYNTAX_ERROR with line and column. */
extern Token lexer_next(Lexer *lexer);

#endif							/* RESOLUTE_TEMPLATE_LEX_H */
