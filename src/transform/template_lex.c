/*
 * template_lex.c
 *		Tokens of a template, by the rules of Go's text/template/parse/lex.go.
 *
 * Trim markers ("{{- " and " -}}") and comments are dealt with here; the
 * parser never sees them.
 */
#include "transform/template_lex.h"

#include <ctype.h>

#include "transform/template_node.h"
#include "transform/template_rune.h"

#define DELIM_LEN 2
#define TRIM_MARKER_LEN 2		/* the minus and the space beside it */
#define END_OF_SOURCE 0xFFFFFFFF

static const struct
{
	const char *word;
	TokenKind	kind;
}			keywords[] =
{
	{"block", TOKEN_BLOCK},
	{"break", TOKEN_BREAK},
	{"continue", TOKEN_CONTINUE},
	{"define", TOKEN_DEFINE},
	{"else", TOKEN_ELSE},
	{"end", TOKEN_END},
	{"if", TOKEN_IF},
	{"nil", TOKEN_NIL},
	{"range", TOKEN_RANGE},
	{"template", TOKEN_TEMPLATE},
	{"with", TOKEN_WITH},
	{"true", TOKEN_BOOL},
	{"false", TOKEN_BOOL},
};

void
lexer_init(Lexer *lexer, const char *source, int len)
{
	memset(lexer, 0, sizeof(Lexer));
	lexer->source = source;
	lexer->len = len;
}

static bool
is_space(uint32 c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_alphanumeric(uint32 c)
{
	if (c < 0x80)
		return c == '_' || isalnum((unsigned char) c);
	return c != END_OF_SOURCE && unicode_is(c, UNICODE_ALNUM);
}

/* The character at the current position, without consuming it. */
static uint32
peek(const Lexer *lexer, int *size)
{
	if (lexer->pos >= lexer->len)
	{
		*size = 0;
		return END_OF_SOURCE;
	}
	return rune_decode(lexer->source + lexer->pos, lexer->source + lexer->len, size);
}

static uint32
next(Lexer *lexer)
{
	int			size;
	uint32		c = peek(lexer, &size);

	lexer->pos += size;
	return c;
}

/* Does the source go on with this text at pos? */
static bool
looking_at(const Lexer *lexer, int pos, const char *text)
{
	int			len = strlen(text);

	return lexer->len - pos >= len && memcmp(lexer->source + pos, text, len) == 0;
}

static bool
left_trim_marker(const Lexer *lexer, int pos)
{
	return pos + 1 < lexer->len && lexer->source[pos] == '-' &&
		is_space((unsigned char) lexer->source[pos + 1]);
}

static bool
right_trim_marker(const Lexer *lexer, int pos)
{
	return pos + 1 < lexer->len && is_space((unsigned char) lexer->source[pos]) &&
		lexer->source[pos + 1] == '-';
}

/* Is there a right delimiter, perhaps with a trim marker before it? */
static bool
at_right_delim(const Lexer *lexer, bool *trim)
{
	*trim = right_trim_marker(lexer, lexer->pos) &&
		looking_at(lexer, lexer->pos + TRIM_MARKER_LEN, "}}");
	return *trim || looking_at(lexer, lexer->pos, "}}");
}

static Token
emit(Lexer *lexer, TokenKind kind)
{
	Token		token = {kind, lexer->start, lexer->source + lexer->start,
	lexer->pos - lexer->start};

	lexer->start = lexer->pos;
	return token;
}

static void
skip_spaces(Lexer *lexer)
{
	while (lexer->pos < lexer->len &&
		   is_space((unsigned char) lexer->source[lexer->pos]))
		lexer->pos++;
}

/* Skip a comment, whose opening is at hand, and its delimiters. */
static void
skip_comment(Lexer *lexer, int delim)
{
	bool		trim;

	lexer->pos += DELIM_LEN;
	while (!looking_at(lexer, lexer->pos, "*/"))
		if (lexer->pos++ >= lexer->len)
			tmpl_syntax_error(lexer->source, delim, NULL, "comment is not closed in template");
	lexer->pos += DELIM_LEN;
	if (!at_right_delim(lexer, &trim))
		tmpl_syntax_error(lexer->source, delim, "A comment fills its action: {{/* like this */}}.",
						  "comment ends before the closing delimiter in template");
	lexer->pos += DELIM_LEN + (trim ? TRIM_MARKER_LEN : 0);
	if (trim)
		skip_spaces(lexer);
	lexer->start = lexer->pos;
}

/* Text up to the next action, or the left delimiter of the action itself. */
static Token
lex_text(Lexer *lexer)
{
	for (;;)
	{
		int			at = lexer->pos;
		int			end;
		int			after;

		while (at < lexer->len && !looking_at(lexer, at, "{{"))
			at++;
		if (at >= lexer->len)
		{
			lexer->pos = lexer->len;
			return emit(lexer, lexer->pos > lexer->start ? TOKEN_TEXT : TOKEN_EOF);
		}

		/* Text before the action, without what its trim marker takes. */
		after = at + DELIM_LEN;
		end = at;
		if (left_trim_marker(lexer, after))
		{
			while (end > lexer->start && is_space((unsigned char) lexer->source[end - 1]))
				end--;
			after += TRIM_MARKER_LEN;
		}
		if (end > lexer->start)
		{
			Token		token;

			lexer->pos = end;
			token = emit(lexer, TOKEN_TEXT);
			lexer->pos = lexer->start = at;
			return token;
		}

		lexer->start = at;
		if (looking_at(lexer, after, "/*"))
		{
			lexer->pos = after;
			skip_comment(lexer, at);
			continue;
		}
		lexer->pos = at + DELIM_LEN;
		lexer->inside_action = true;
		lexer->paren_depth = 0;
		{
			Token		token = emit(lexer, TOKEN_LEFT_DELIM);

			lexer->pos = lexer->start = after;
			return token;
		}
	}
}

static Token
lex_right_delim(Lexer *lexer, bool trim)
{
	Token		token;

	if (trim)
		lexer->pos = lexer->start = lexer->pos + TRIM_MARKER_LEN;
	lexer->pos += DELIM_LEN;
	token = emit(lexer, TOKEN_RIGHT_DELIM);
	if (trim)
		skip_spaces(lexer);
	lexer->start = lexer->pos;
	lexer->inside_action = false;
	return token;
}

/* A run of spaces, except one that belongs to a trim marker. */
static Token
lex_space(Lexer *lexer)
{
	bool		trim;

	skip_spaces(lexer);
	lexer->pos--;
	if (at_right_delim(lexer, &trim) && trim)
	{
		if (lexer->pos == lexer->start)
			return lex_right_delim(lexer, true);
		return emit(lexer, TOKEN_SPACE);
	}
	lexer->pos++;
	return emit(lexer, TOKEN_SPACE);
}

/* May an identifier, field or variable end here? */
static bool
at_terminator(const Lexer *lexer)
{
	int			size;
	uint32		c = peek(lexer, &size);

	return c == END_OF_SOURCE || is_space(c) || (c < 0x80 && strchr(".,|:)(", (int) c)) ||
		looking_at(lexer, lexer->pos, "}}");
}

static void
check_terminator(const Lexer *lexer)
{
	int			size;
	uint32		c;

	if (at_terminator(lexer))
		return;
	c = peek(lexer, &size);
	tmpl_syntax_error(lexer->source, lexer->pos,
					  c == '}' ? "An action ends with \"}}\"." :
					  "Operands are separated by spaces; there are no infix operators.",
					  "unexpected character \"%.*s\" in template",
					  size, lexer->source + lexer->pos);
}

static void
skip_alphanumeric(Lexer *lexer)
{
	int			size;

	while (is_alphanumeric(peek(lexer, &size)))
		lexer->pos += size;
}

static Token
lex_identifier(Lexer *lexer)
{
	Token		token;

	skip_alphanumeric(lexer);
	check_terminator(lexer);
	token = emit(lexer, TOKEN_IDENTIFIER);
	for (int i = 0; i < (int) lengthof(keywords); i++)
		if ((int) strlen(keywords[i].word) == token.len &&
			memcmp(keywords[i].word, token.text, token.len) == 0)
			token.kind = keywords[i].kind;
	return token;
}

/* .name or $name, whose first character has been consumed. */
static Token
lex_name(Lexer *lexer, TokenKind kind)
{
	if (at_terminator(lexer))
		return emit(lexer, kind == TOKEN_FIELD ? TOKEN_DOT : kind);
	skip_alphanumeric(lexer);
	check_terminator(lexer);
	return emit(lexer, kind);
}

/* A literal up to its closing quote, which may be escaped except in `...`. */
static Token
lex_quoted(Lexer *lexer, char quote, TokenKind kind)
{
	for (;;)
	{
		uint32		c = next(lexer);

		if (c == '\\' && quote != '`')
			c = next(lexer) == '\n' ? '\n' : 0;
		if (c == END_OF_SOURCE || lexer->pos > lexer->len ||
			(c == '\n' && quote != '`') ||
			(c == 0 && lexer->pos >= lexer->len))
			tmpl_syntax_error(lexer->source, lexer->start, NULL,
							  "%s is not closed in template",
							  quote == '\'' ? "character constant" : "string");
		if (c == (unsigned char) quote)
			return emit(lexer, kind);
	}
}

static bool
accept_any(Lexer *lexer, const char *set)
{
	if (lexer->pos >= lexer->len || lexer->source[lexer->pos] == '\0' ||
		!strchr(set, lexer->source[lexer->pos]))
		return false;
	lexer->pos++;
	return true;
}

/* A number, roughly; literal_number() is exact. */
static Token
lex_number(Lexer *lexer)
{
	const char *digits = "0123456789_";
	int			size;

	accept_any(lexer, "+-");
	if (accept_any(lexer, "0"))
	{
		if (accept_any(lexer, "xX"))
			digits = "0123456789abcdefABCDEF_";
		else if (accept_any(lexer, "oO"))
			digits = "01234567_";
		else if (accept_any(lexer, "bB"))
			digits = "01_";
	}
	while (accept_any(lexer, digits));
	if (accept_any(lexer, "."))
		while (accept_any(lexer, digits));
	if ((strlen(digits) == 11 && accept_any(lexer, "eE")) ||
		(strlen(digits) == 23 && accept_any(lexer, "pP")))
	{
		accept_any(lexer, "+-");
		while (accept_any(lexer, "0123456789_"));
	}
	accept_any(lexer, "i");
	if (is_alphanumeric(peek(lexer, &size)))
	{
		skip_alphanumeric(lexer);
		tmpl_syntax_error(lexer->source, lexer->start, NULL, "bad number \"%.*s\" in template",
						  lexer->pos - lexer->start, lexer->source + lexer->start);
	}
	if (accept_any(lexer, "+-"))
		tmpl_syntax_error(lexer->source, lexer->start,
						  "Use {{add 1 2}}, {{sub 1 2}} and the like for arithmetic.",
						  "complex numbers are not supported in templates");
	return emit(lexer, TOKEN_NUMBER);
}

/* Punctuation, and what begins with it; c is the character at hand. */
static Token
lex_operator(Lexer *lexer, uint32 c, int size)
{
	lexer->pos += size;
	switch (c)
	{
		case '=':
			return emit(lexer, TOKEN_ASSIGN);
		case ':':
			if (next(lexer) == '=')
				return emit(lexer, TOKEN_DECLARE);
			tmpl_syntax_error(lexer->source, lexer->start, NULL,
							  "expected \":=\" in template");
		case '|':
			return emit(lexer, TOKEN_PIPE);
		case '"':
			return lex_quoted(lexer, '"', TOKEN_STRING);
		case '`':
			return lex_quoted(lexer, '`', TOKEN_RAW_STRING);
		case '\'':
			return lex_quoted(lexer, '\'', TOKEN_CHAR_CONSTANT);
		case '$':
			return lex_name(lexer, TOKEN_VARIABLE);
		case '.':
			return lex_name(lexer, TOKEN_FIELD);
		case '(':
			lexer->paren_depth++;
			return emit(lexer, TOKEN_LEFT_PAREN);
		case ')':
			if (--lexer->paren_depth < 0)
				tmpl_syntax_error(lexer->source, lexer->start, NULL,
								  "unexpected \")\" in template");
			return emit(lexer, TOKEN_RIGHT_PAREN);
		default:
			if (c > ' ' && c < 0x7f)
				return emit(lexer, TOKEN_CHAR);
			tmpl_syntax_error(lexer->source, lexer->start, NULL,
							  "unexpected character \"%.*s\" in template",
							  size, lexer->source + lexer->start);
	}
}

static Token
lex_action(Lexer *lexer)
{
	bool		trim;
	uint32		c;
	int			size;

	if (at_right_delim(lexer, &trim))
	{
		if (lexer->paren_depth == 0)
			return lex_right_delim(lexer, trim);
		tmpl_syntax_error(lexer->source, lexer->pos, NULL,
						  "parenthesis is not closed in template");
	}
	c = peek(lexer, &size);
	if (c == END_OF_SOURCE)
		tmpl_syntax_error(lexer->source, lexer->pos, "An action ends with \"}}\".",
						  "action is not closed in template");
	if (is_space(c))
		return lex_space(lexer);
	if (c == '+' || c == '-' || (c >= '0' && c <= '9') ||
		(c == '.' && lexer->pos + 1 < lexer->len &&
		 isdigit((unsigned char) lexer->source[lexer->pos + 1])))
		return lex_number(lexer);
	if (is_alphanumeric(c))
		return lex_identifier(lexer);

	return lex_operator(lexer, c, size);
}

Token
lexer_next(Lexer *lexer)
{
	return lexer->inside_action ? lex_action(lexer) : lex_text(lexer);
}
