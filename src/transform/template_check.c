/*
 * template_check.c
 *		Can the template make JSON at all?
 *
 * The text is followed along all paths at once: a set of states that the
 * document may be in.  Text and actions that no path gets past are refused.  What is too intricate to follow (templates that call themselves,
 * ranges that nest deeper every round) is left to execution, which checks each document.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "transform/template_json.h"
#include "transform/template_node.h"

#define MAX_STATES 64
#define MAX_ROUNDS 8			/* of a range until its states must repeat */
#define MAX_TEMPLATE_DEPTH 16
#define NODE_BUDGET 100000

static void check_list(CheckContext *check, JsonStates *states, List *nodes);

/* ------------------------------------------------------------------------
 * Sets of states
 * ------------------------------------------------------------------------
 */

void
json_states_add(CheckContext *check, JsonStates *states, const JsonState *state)
{
	for (int i = 0; i < states->count; i++)
		if (json_state_equal(&states->states[i], state))
			return;
	if (states->count >= MAX_STATES)
	{
		check->unknown = true;
		return;
	}
	if (!states->states)
		states->states = palloc(MAX_STATES * sizeof(JsonState));
	json_state_copy(&states->states[states->count++], state);
}

static void
add_all(CheckContext *check, JsonStates *to, const JsonStates *from)
{
	for (int i = 0; i < from->count; i++)
		json_states_add(check, to, &from->states[i]);
}

static JsonStates
copy_states(CheckContext *check, const JsonStates *states)
{
	JsonStates	copy = {0};

	add_all(check, &copy, states);
	return copy;
}

/* Of states that have become equal keep one. */
static void
remove_doubles(JsonStates *states)
{
	int			kept = 0;

	for (int i = 0; i < states->count; i++)
	{
		bool		known = false;

		for (int j = 0; j < kept && !known; j++)
			known = json_state_equal(&states->states[i], &states->states[j]);
		if (!known)
			states->states[kept++] = states->states[i];
	}
	states->count = kept;
}

/* ------------------------------------------------------------------------
 * Steps
 * ------------------------------------------------------------------------
 */

/* Is the state between the members of the outermost object, and this their end? */
static bool
ends_member(const JsonState *state, char c)
{
	return state->depth == 1 && (c == ',' || c == '}') && state->place != PLACE_STRING &&
		state->place != PLACE_ESCAPE && state->place != PLACE_HEX;
}

/* Where no state could go on. */
typedef struct CheckFailure
{
	const TmplNode *node;
	int			pos;
	const char *expected;
} CheckFailure;

static void
note_failure(CheckContext *check, const TmplNode *node, int pos, const JsonState *before)
{
	CheckFailure *failure = palloc(sizeof(CheckFailure));

	failure->node = node;
	failure->pos = pos;
	failure->expected = json_state_expected(before);
	check->failures = lappend(check->failures, failure);
}

static void
raise_failure(const CheckContext *check, const CheckFailure *failure)
{
	if (failure->node->kind == NODE_TEXT)
		tmpl_syntax_error(check->tmpl->source, failure->pos, NULL,
						  "template does not make JSON: %s", failure->expected);
	tmpl_syntax_error(check->tmpl->source, failure->pos,
					  "An action outside of quotes makes a whole value; use {{if $i}},{{end}} for commas.",
					  "template does not make JSON: an action cannot stand here, %s",
					  failure->expected);
}

/* Take one byte of text; states that cannot go on with it are dropped. */
void
check_text_byte(CheckContext *check, JsonStates *states, char c)
{
	int			kept = 0;

	for (int i = 0; i < states->count; i++)
	{
		JsonState  *state = &states->states[i];
		bool		crosses = ends_member(state, c);
		JsonState	swap;

		if (!json_state_step(state, c))
			continue;
		check->crossed = check->crossed || crosses;
		swap = states->states[kept];
		states->states[kept++] = *state;
		*state = swap;
	}
	states->count = kept;
	if (kept > 1)
		remove_doubles(states);
}

static void
check_text(CheckContext *check, JsonStates *states, TmplNode *node)
{
	/* behind a {{break}} there is nothing to check */
	if (states->count == 0)
		return;
	for (int i = 0; i < node->len; i++)
	{
		JsonState	before = states->states[0];

		check_text_byte(check, states, node->text[i]);
		if (states->count > 0)
			continue;
		note_failure(check, node, node->pos + i, &before);
		return;
	}
	node->passable = true;
}

static void
check_action(CheckContext *check, JsonStates *states, TmplNode *node)
{
	int			kept = 0;

	if (states->count == 0)
		return;
	for (int i = 0; i < states->count; i++)
	{
		JsonState	swap;

		if (json_state_hole(&states->states[i]) == HOLE_NOWHERE)
			continue;
		json_state_filled(&states->states[i]);
		swap = states->states[kept];
		states->states[kept++] = states->states[i];
		states->states[i] = swap;
	}
	if (kept == 0)
		note_failure(check, node, node->pos, &states->states[0]);
	else
		node->passable = true;
	states->count = kept;
	remove_doubles(states);
}

static void
check_if_or_with(CheckContext *check, JsonStates *states, TmplNode *node)
{
	JsonStates	otherwise = copy_states(check, states);

	check_list(check, states, node->body);
	check_list(check, &otherwise, node->otherwise);
	add_all(check, states, &otherwise);
}

/* Rounds are added until no new states turn up. */
static void
check_range(CheckContext *check, JsonStates *states, TmplNode *node)
{
	JsonStates *breaks = check->breaks;
	JsonStates *continues = check->continues;
	JsonStates	result = copy_states(check, states);
	JsonStates	seen = copy_states(check, states);
	JsonStates	round = copy_states(check, states);
	JsonStates	broken = {0};

	check->breaks = &broken;
	check_list(check, &result, node->otherwise);
	for (int i = 0; round.count > 0 && !check->unknown; i++)
	{
		JsonStates	again = {0};
		int			known = seen.count;

		if (i >= MAX_ROUNDS)
			check->unknown = true;
		check->continues = &again;
		check_list(check, &round, node->body);
		add_all(check, &again, &round);
		add_all(check, &seen, &again);

		/* only what is new needs another round */
		round.count = 0;
		for (int j = known; j < seen.count; j++)
			json_states_add(check, &round, &seen.states[j]);
		add_all(check, &result, &again);
	}
	check->breaks = breaks;
	check->continues = continues;
	add_all(check, &result, &broken);
	*states = result;
}

static void
check_template(CheckContext *check, JsonStates *states, const TmplNode *node)
{
	TmplTree   *tree = tmpl_tree(check->tmpl, node->text, node->len);

	if (!tree)
		tmpl_syntax_error(check->tmpl->source, node->pos, NULL,
						  "template \"%.*s\" is not defined", node->len, node->text);
	if (check->depth >= MAX_TEMPLATE_DEPTH)
	{
		check->unknown = true;
		return;
	}
	check->depth++;
	check_list(check, states, tree->root);
	check->depth--;
}

static void
check_jump(CheckContext *check, JsonStates *states, JsonStates *target)
{
	if (target)
		add_all(check, target, states);
	states->count = 0;
}

void
check_node(CheckContext *check, JsonStates *states, TmplNode *node)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (--check->budget < 0)
		check->unknown = true;
	if (check->unknown)
		return;
	switch (node->kind)
	{
		case NODE_TEXT:
			check_text(check, states, node);
			break;
		case NODE_ACTION:
			if (node->pipe->declared == NIL)
				check_action(check, states, node);
			break;
		case NODE_IF:
		case NODE_WITH:
			check_if_or_with(check, states, node);
			break;
		case NODE_RANGE:
			check_range(check, states, node);
			break;
		case NODE_TEMPLATE:
			check_template(check, states, node);
			break;
		case NODE_BREAK:
			check_jump(check, states, check->breaks);
			break;
		case NODE_CONTINUE:
			check_jump(check, states, check->continues);
			break;
		default:
			elog(ERROR, "unexpected node %d in template", node->kind);
	}
}

static void
check_list(CheckContext *check, JsonStates *states, List *nodes)
{
	ListCell   *cell;

	foreach(cell, nodes)
		check_node(check, states, lfirst(cell));
}

void
template_check_json(Template *tmpl)
{
	CheckContext check = {.tmpl = tmpl,.budget = NODE_BUDGET};
	JsonStates	states = {0};
	JsonState	state;
	ListCell   *cell;

	json_state_init(&state);
	json_states_add(&check, &states, &state);
	check_list(&check, &states, tmpl->main);
	if (check.unknown)
		return;

	/* what no path gets past can never be right, whatever the row */
	foreach(cell, check.failures)
	{
		const CheckFailure *failure = lfirst(cell);

		if (!failure->node->passable || states.count == 0)
			raise_failure(&check, failure);
	}
	for (int i = 0; i < states.count; i++)
		if (json_state_complete(&states.states[i]))
		{
			template_find_columns(tmpl);
			return;
		}
	tmpl_syntax_error(tmpl->source, tmpl->len, NULL,
					  "template does not make JSON: it ends too early, %s",
					  states.count > 0 ? json_state_expected(&states.states[0]) :
					  "a value is expected");
}
