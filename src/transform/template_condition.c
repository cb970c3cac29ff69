/*
 * template_condition.c
 *		Conditions: one pipeline of a template, without its braces.
 */
#include "postgres.h"

#include "transform/template_exec.h"

/* Lines and columns in messages are those of the condition in its braces. */
static void
condition_context(void *arg)
{
	errcontext("condition %s", (char *) arg);
}

/* Anything but one action, such as "1}} {{2", is no condition. */
static void
check_condition(const Template *tmpl)
{
	TmplNode   *node = tmpl->main ? linitial(tmpl->main) : NULL;

	if (list_length(tmpl->main) != 1 || list_length(tmpl->trees) > 1 ||
		node->kind != NODE_ACTION || node->pipe->declared != NIL)
		tmpl_syntax_error(tmpl->source, 0,
						  "A condition is what stands between {{ and }} of a template, such as eq .Status \"Done\".",
						  "a condition is one pipeline");
}

Template *
condition_compile(const char *source)
{
	char	   *text = psprintf("{{%s}}", source);
	ErrorContextCallback callback = {error_context_stack, condition_context, text};
	Template   *tmpl;

	error_context_stack = &callback;
	/* It makes no document, but sees its rows as one that does. */
	tmpl = template_make(text, TEMPLATE_JSON);
	check_condition(tmpl);
	error_context_stack = callback.previous;
	return tmpl;
}

bool
condition_true(Template *tmpl, const Row *row, TimestampTz now)
{
	Exec		exec;
	StringInfoData out;
	TmplNode   *node = linitial(tmpl->main);
	TmplValue	dot;
	TmplValue	value;
	bool		truth;

	initStringInfo(&out);
	exec_init(&exec, tmpl, row, now, &out);
	exec_begin(&exec);
	exec.node = node;
	dot = exec_row(&exec);
	value = eval_pipeline(&exec, &dot, node->pipe);
	truth = tmpl_truth(&exec, &value);
	exec_end(&exec);
	pfree(out.data);
	return truth;
}
