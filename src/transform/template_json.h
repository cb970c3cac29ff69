/*
 * template_json.h
 *		The JSON document around the holes of a template: where in it are we,
 *		and can it be one at all?
 */
#ifndef RESOLUTE_TEMPLATE_JSON_H
#define RESOLUTE_TEMPLATE_JSON_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "transform/template.h"

struct TmplNode;

typedef enum JsonPlace
{
	PLACE_VALUE,				/* a value must come */
	PLACE_FIRST_ELEMENT,		/* a value, or the end of the array */
	PLACE_FIRST_KEY,			/* a key, or the end of the object */
	PLACE_KEY,
	PLACE_COLON,
	PLACE_AFTER,				/* behind a value */
	PLACE_STRING,
	PLACE_ESCAPE,				/* behind a backslash */
	PLACE_HEX,					/* within \uXXXX; detail digits are left */
	PLACE_MINUS,				/* numbers, by what came last */
	PLACE_ZERO,
	PLACE_DIGITS,
	PLACE_POINT,
	PLACE_FRACTION,
	PLACE_E,
	PLACE_E_SIGN,
	PLACE_EXPONENT,
	PLACE_LITERAL				/* within true, false, null; detail says where */
} JsonPlace;

typedef struct JsonState
{
	uint8		place;			/* a JsonPlace */
	uint8		detail;
	bool		in_key;			/* the string is a key */
	int			depth;
	int			size;			/* of stack */
	char	   *stack;			/* '{' or '[' for each level; palloc'd */
} JsonState;

typedef enum HolePlace
{
	HOLE_VALUE,
	HOLE_KEY,					/* a key without quotes */
	HOLE_STRING,
	HOLE_NOWHERE				/* no action can stand here */
} HolePlace;

extern void json_state_init(JsonState *state);
extern void json_state_copy(JsonState *to, const JsonState *from);
extern bool json_state_equal(const JsonState *a, const JsonState *b);
extern bool json_state_step(JsonState *state, char c);
extern HolePlace json_state_hole(const JsonState *state);
extern void json_state_filled(JsonState *state);	/* an action filled the hole */
extern bool json_state_complete(const JsonState *state);
extern const char *json_state_expected(const JsonState *state);

/* Refuse a template that can never make JSON, and find its columns. */
extern void template_check_json(Template *tmpl);

/* The states that a document may be in, for template_check.c and _columns.c. */
typedef struct JsonStates
{
	int			count;
	JsonState  *states;
} JsonStates;

typedef struct CheckContext
{
	Template   *tmpl;
	bool		unknown;		/* too intricate to follow: stop checking */
	bool		crossed;		/* a member of the outermost object has ended */
	int			depth;			/* of templates within templates */
	int64		budget;			/* nodes to visit before giving up */
	List	   *failures;		/* of CheckFailure */
	JsonStates *breaks;			/* where {{break}} of the innermost range leads */
	JsonStates *continues;
} CheckContext;

extern void json_states_add(CheckContext *check, JsonStates *states, const JsonState *state);
extern void check_text_byte(CheckContext *check, JsonStates *states, char c);
extern void check_node(CheckContext *check, JsonStates *states, struct TmplNode *node);
extern void template_find_columns(Template *tmpl);

#endif							/* RESOLUTE_TEMPLATE_JSON_H */
