/*
 * step_types.c
 *		The kinds of steps and their parameters: one table for all.
 */
#include "flow/step_types.h"

static const StepType step_types[] = {
	{"jira_fetch_issues", STEP_FETCH, "jira", {
			{"server", PARAM_TEXT, true, true},
			{"jql", PARAM_TEXT, true, false},
			{"cursor", PARAM_CURSOR, false, false},
			{"page_size", PARAM_INT, false, false},
			{"max_items", PARAM_INT, false, false},
			{"concurrency", PARAM_INT, false, false},
			{"paginate", PARAM_TEXT, false, false},
			{.name = NULL}
	}},
	{"map", STEP_MAP, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"template", PARAM_TEXT, true, false},
			{.name = NULL}
	}},
	{"unique", STEP_UNIQUE, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"key", PARAM_TEXT, true, false},
			{"keep", PARAM_TEXT, false, false},
			{.name = NULL}
	}},
	{"filter", STEP_ROWS, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"condition", PARAM_TEXT, true, true},
			{.name = NULL}
	}},
	{"sort", STEP_ROWS, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"by", PARAM_TEXT, true, false},
			{.name = NULL}
	}},
	{"group_by", STEP_ROWS, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"key", PARAM_TEXT, true, false},
			{.name = NULL}
	}},
	{"flatten", STEP_ROWS, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"path", PARAM_TEXT, true, false},
			{.name = NULL}
	}},
	{"chunk", STEP_ROWS, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"size", PARAM_INT, true, false},
			{.name = NULL}
	}},
	{"pick", STEP_ROWS, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"fields", PARAM_TEXT, true, false},
			{.name = NULL}
	}},
	{"omit", STEP_ROWS, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"fields", PARAM_TEXT, true, false},
			{.name = NULL}
	}},
	{"json_path", STEP_ROWS, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"path", PARAM_TEXT, true, false},
			{.name = NULL}
	}},
	{"aggregate", STEP_ROWS, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"aggregates", PARAM_TEXT, true, true},
			{"by", PARAM_TEXT, false, false},
			{.name = NULL}
	}},
	{"reduce", STEP_ROWS, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"expression", PARAM_TEXT, true, true},
			{"initial", PARAM_TEXT, false, false},
			{.name = NULL}
	}},
	{"template", STEP_ROWS, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"template", PARAM_TEXT, true, false},
			{.name = NULL}
	}},
	{"merge", STEP_MERGE, NULL, {
			{"rows", PARAM_ROWS_LIST, true, true},
			{.name = NULL}
	}},
	{"upsert", STEP_UPSERT, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{"target", PARAM_TEXT, true, false},
			{"key", PARAM_TEXT, true, false},
			{"version", PARAM_TEXT, false, false},
			{.name = NULL}
	}},
	{"node", STEP_NODE, NULL, {
			{"name", PARAM_TEXT, true, true},
			{"function", PARAM_TEXT, true, true},
			{"input", PARAM_OUTPUT, false, false},
			{.name = NULL}
	}},
	{"sql", STEP_SQL, NULL, {
			{"statement", PARAM_TEXT, true, true},
			{.name = NULL}
	}},
	{"emit_metrics", STEP_EMIT_METRICS, NULL, {
			{"function", PARAM_TEXT, true, true},
			{.name = NULL}
	}},
	{"next_page", STEP_NEXT_PAGE, NULL, {
			{"rows", PARAM_ROWS, true, true},
			{.name = NULL}
	}},
	{"dead_letter", STEP_DEAD_LETTER, NULL, {
			{.name = NULL}
	}},
	{"when", STEP_WHEN, NULL, {
			{"condition", PARAM_TEXT, true, true},
			{.name = NULL}
	}},
	{"while", STEP_WHILE, NULL, {
			{"condition", PARAM_TEXT, true, true},
			{.name = NULL}
	}},
	{"parallel", STEP_PARALLEL, NULL, {
			{.name = NULL}
	}},
};

/* Find the kind of step that a builder function makes, or NULL. */
const StepType *
step_type_find(const Value *name)
{
	for (Size i = 0; i < lengthof(step_types); i++)
	{
		if (value_is(name, step_types[i].name))
			return &step_types[i];
	}
	return NULL;
}

/* The position of a parameter in its step's table, or -1. */
int
step_param_find(const StepType *type, const char *name)
{
	for (int i = 0; type->params[i].name != NULL; i++)
	{
		if (strcmp(type->params[i].name, name) == 0)
			return i;
	}
	return -1;
}
