/*
 * template_exec.h
 *		Execution of a template over a row: from its nodes to text.
 */
#ifndef RESOLUTE_TEMPLATE_EXEC_H
#define RESOLUTE_TEMPLATE_EXEC_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "transform/template_json.h"
#include "transform/template_node.h"
#include "transform/template_value.h"

typedef struct TmplVariable
{
	const char *name;
	TmplValue	value;
} TmplVariable;

struct Exec
{
	Template   *tmpl;
	const Row  *row;
	TimestampTz now;
	StringInfo	out;
	JsonState  *json;			/* follows out, or NULL */
	int			string_start;	/* where in out the string began, if nothing was
								 * added since; else -1 */
	bool		skip_quote;		/* of the text that comes next: a null took it */
	TmplVariable *variables;
	int			nvariables;
	int			variables_room;
	int			first_variable; /* of the template being executed */
	const TmplNode *node;		/* at hand, for errors */
	ErrorContextCallback callback;	/* adds the place to errors of others */
};

#define exec_is_json(exec) ((exec)->tmpl->mode == TEMPLATE_JSON)

typedef enum WalkResult
{
	WALK_ON,
	WALK_BREAK,
	WALK_CONTINUE
} WalkResult;

/* template_exec.c */
extern void exec_init(Exec *exec, Template *tmpl, const Row *row, TimestampTz now,
					  StringInfo out);

/* Between these two, errors of the row have line and column. */
extern void exec_begin(Exec *exec);
extern void exec_end(Exec *exec);

/* Execute nodes as a JSON document, or as text if the template is one. */
extern void exec_document(Exec *exec, List *nodes);
extern WalkResult exec_list(Exec *exec, const TmplValue *dot, List *nodes);

/* The row as a value. */
extern TmplValue exec_row(const Exec *exec);

/* Raise a row error: this row cannot be handled by the template. */
extern void exec_error(const Exec *exec, int sqlerrcode, const char *format,...)
			pg_attribute_printf(3, 4) pg_attribute_noreturn();

/* template_eval.c: variables are a stack, searched from the top. */
extern void exec_variable_push(Exec *exec, const char *name, const TmplValue *value);
extern TmplValue eval_pipeline(Exec *exec, const TmplValue *dot, const TmplNode *pipe);

/* template_emit.c */

/* Text from offset from on; the document's state follows it. */
extern void emit_text(Exec *exec, const TmplNode *node, int from);

/* What an action prints; next is the node behind it, or NULL. */
extern void emit_value(Exec *exec, TmplValue *value, const TmplNode *next);

/*
 * Text may hold bytes that the template cut or wrote itself; each that is no
 * UTF-8, and each zero byte, becomes U+FFFD.
 */
extern void emit_repair(StringInfo out);

#endif							/* RESOLUTE_TEMPLATE_EXEC_H */
