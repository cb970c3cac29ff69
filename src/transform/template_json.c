/*
 * template_json.c
 *		Where in a JSON document are we?  A state machine that takes the text of a
 *		template byte by byte, and actions as the values they stand for.
 */
#include "postgres.h"

#include <ctype.h>

#include "transform/template_json.h"

#define FIRST_STACK 16

static const char *const literals[] = {"true", "false", "null"};

/* detail of PLACE_LITERAL: which literal, and how much of it has been read */
#define LITERAL_SHIFT 4
#define literal_detail(which, read) ((which) << LITERAL_SHIFT | (read))

void
json_state_init(JsonState *state)
{
	memset(state, 0, sizeof(JsonState));
	state->place = PLACE_VALUE;
	state->size = FIRST_STACK;
	state->stack = palloc(state->size);
}

void
json_state_copy(JsonState *to, const JsonState *from)
{
	*to = *from;
	to->stack = palloc(from->size);
	memcpy(to->stack, from->stack, from->depth);
}

bool
json_state_equal(const JsonState *a, const JsonState *b)
{
	return a->place == b->place && a->detail == b->detail && a->in_key == b->in_key &&
		a->depth == b->depth && memcmp(a->stack, b->stack, a->depth) == 0;
}

static void
push(JsonState *state, char bracket)
{
	if (state->depth == state->size)
	{
		state->size *= 2;
		state->stack = repalloc(state->stack, state->size);
	}
	state->stack[state->depth++] = bracket;
	state->place = bracket == '{' ? PLACE_FIRST_KEY : PLACE_FIRST_ELEMENT;
}

static bool
pop(JsonState *state, char bracket)
{
	if (state->depth == 0 || state->stack[state->depth - 1] != bracket)
		return false;
	state->depth--;
	state->place = PLACE_AFTER;
	return true;
}

static bool
is_json_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
begin_string(JsonState *state, bool in_key)
{
	state->place = PLACE_STRING;
	state->in_key = in_key;
}

/* The first byte of a value. */
static bool
step_value(JsonState *state, char c)
{
	switch (c)
	{
		case '{':
		case '[':
			push(state, c);
			return true;
		case '"':
			begin_string(state, false);
			return true;
		case '-':
			state->place = PLACE_MINUS;
			return true;
		case '0':
			state->place = PLACE_ZERO;
			return true;
		default:
			if (isdigit((unsigned char) c))
			{
				state->place = PLACE_DIGITS;
				return true;
			}
	}
	for (int i = 0; i < (int) lengthof(literals); i++)
	{
		if (c != literals[i][0])
			continue;
		state->place = PLACE_LITERAL;
		state->detail = literal_detail(i, 1);
		return true;
	}
	return false;
}

static bool
step_after(JsonState *state, char c)
{
	char		bracket = state->depth > 0 ? state->stack[state->depth - 1] : '\0';

	switch (c)
	{
		case ',':
			state->place = bracket == '{' ? PLACE_KEY : PLACE_VALUE;
			return bracket != '\0';
		case '}':
			return pop(state, '{');
		case ']':
			return pop(state, '[');
		default:
			return false;
	}
}

static bool
step_string(JsonState *state, char c)
{
	if (c == '"')
		state->place = state->in_key ? PLACE_COLON : PLACE_AFTER;
	else if (c == '\\')
		state->place = PLACE_ESCAPE;
	return (unsigned char) c >= 0x20;
}

static bool
step_escape(JsonState *state, char c)
{
	if (state->place == PLACE_HEX)
	{
		if (--state->detail == 0)
			state->place = PLACE_STRING;
		return isxdigit((unsigned char) c);
	}
	if (c == 'u')
	{
		state->place = PLACE_HEX;
		state->detail = 4;
		return true;
	}
	state->place = PLACE_STRING;
	return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
}

static bool
step_literal(JsonState *state, char c)
{
	const char *literal = literals[state->detail >> LITERAL_SHIFT];
	int			read = state->detail & ((1 << LITERAL_SHIFT) - 1);

	if (c != literal[read])
		return false;
	state->detail++;
	if (literal[read + 1] == '\0')
	{
		state->place = PLACE_AFTER;
		state->detail = 0;
	}
	return true;
}

/* Within a number; what cannot go on with it may stand behind it. */
static bool
step_number(JsonState *state, char c)
{
	bool		digit = isdigit((unsigned char) c);
	bool		e = c == 'e' || c == 'E';
	JsonPlace	next = PLACE_AFTER;

	switch ((JsonPlace) state->place)
	{
		case PLACE_MINUS:
			next = c == '0' ? PLACE_ZERO : PLACE_DIGITS;
			break;
		case PLACE_ZERO:
			next = c == '.' ? PLACE_POINT : e ? PLACE_E : PLACE_AFTER;
			digit = true;
			break;
		case PLACE_DIGITS:
			next = digit ? PLACE_DIGITS : c == '.' ? PLACE_POINT : e ? PLACE_E : PLACE_AFTER;
			digit = true;
			break;
		case PLACE_POINT:
			next = PLACE_FRACTION;
			break;
		case PLACE_FRACTION:
			next = digit ? PLACE_FRACTION : e ? PLACE_E : PLACE_AFTER;
			digit = true;
			break;
		case PLACE_E:
			next = c == '+' || c == '-' ? PLACE_E_SIGN : PLACE_EXPONENT;
			digit = digit || next == PLACE_E_SIGN;
			break;
		case PLACE_E_SIGN:
			next = PLACE_EXPONENT;
			break;
		default:
			next = digit ? PLACE_EXPONENT : PLACE_AFTER;
			digit = true;
	}

	/* digit: may the number be here, with this byte? */
	if (!digit)
		return false;
	state->place = next;
	return next != PLACE_AFTER || is_json_space(c) || step_after(state, c);
}

/* Take one byte; false if the document cannot go on with it. */
bool
json_state_step(JsonState *state, char c)
{
	switch ((JsonPlace) state->place)
	{
		case PLACE_STRING:
			return step_string(state, c);
		case PLACE_ESCAPE:
		case PLACE_HEX:
			return step_escape(state, c);
		case PLACE_LITERAL:
			return step_literal(state, c);
		case PLACE_VALUE:
			return is_json_space(c) || step_value(state, c);
		case PLACE_FIRST_ELEMENT:
			return is_json_space(c) || (c == ']' ? pop(state, '[') : step_value(state, c));
		case PLACE_FIRST_KEY:
		case PLACE_KEY:
			if (c == '"')
			{
				begin_string(state, true);
				return true;
			}
			return is_json_space(c) ||
				(c == '}' && state->place == PLACE_FIRST_KEY && pop(state, '{'));
		case PLACE_COLON:
			if (c == ':')
				state->place = PLACE_VALUE;
			return c == ':' || is_json_space(c);
		case PLACE_AFTER:
			return is_json_space(c) || step_after(state, c);
		default:
			return step_number(state, c);
	}
}

/* What would an action stand for here? */
HolePlace
json_state_hole(const JsonState *state)
{
	switch ((JsonPlace) state->place)
	{
		case PLACE_VALUE:
		case PLACE_FIRST_ELEMENT:
			return HOLE_VALUE;
		case PLACE_FIRST_KEY:
		case PLACE_KEY:
			return HOLE_KEY;
		case PLACE_STRING:
			return HOLE_STRING;
		default:
			return HOLE_NOWHERE;
	}
}

void
json_state_filled(JsonState *state)
{
	switch (json_state_hole(state))
	{
		case HOLE_VALUE:
			state->place = PLACE_AFTER;
			break;
		case HOLE_KEY:
			state->place = PLACE_COLON;
			break;
		default:
			break;
	}
}

/* May the document end here? */
bool
json_state_complete(const JsonState *state)
{
	switch ((JsonPlace) state->place)
	{
		case PLACE_AFTER:
		case PLACE_ZERO:
		case PLACE_DIGITS:
		case PLACE_FRACTION:
		case PLACE_EXPONENT:
			return state->depth == 0;
		default:
			return false;
	}
}

/* What the document needs here, for messages. */
const char *
json_state_expected(const JsonState *state)
{
	switch ((JsonPlace) state->place)
	{
		case PLACE_VALUE:
			return "a value is expected";
		case PLACE_FIRST_ELEMENT:
			return "a value or \"]\" is expected";
		case PLACE_FIRST_KEY:
			return "a key or \"}\" is expected";
		case PLACE_KEY:
			return "a key is expected";
		case PLACE_COLON:
			return "\":\" is expected";
		case PLACE_STRING:
			return "a string ends with a quote, and a line break in it is written \\n";
		case PLACE_ESCAPE:
		case PLACE_HEX:
			return "this is no escape of JSON";
		case PLACE_LITERAL:
			return "this is no value of JSON";
		case PLACE_AFTER:
			if (state->depth == 0)
				return "the document has ended";
			return state->stack[state->depth - 1] == '{' ? "\",\" or \"}\" is expected" :
				"\",\" or \"]\" is expected";
		default:
			return "this is no number of JSON";
	}
}
