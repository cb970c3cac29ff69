/*
 * template_functions.h
 *		The functions that a template can call: those of Go, and our own.
 *
 *		template_functions.c	the table of all, and those of Go
 *		template_compare.c		eq ne lt le gt ge
 *		template_print.c		print println
 *		template_printf.c		printf
 *		template_escape.c		html js urlquery
 *		template_own.c			those that Go lacks
 *		template_arithmetic.c	those of them that calculate
 */
#ifndef RESOLUTE_TEMPLATE_FUNCTIONS_H
#define RESOLUTE_TEMPLATE_FUNCTIONS_H

#include "postgres.h"

#include "transform/template_exec.h"

/* The arguments of each function; few need them all. */
#define FUNCTION_ARGS \
	Exec *exec pg_attribute_unused(), TmplValue *args pg_attribute_unused(), \
	int nargs pg_attribute_unused()

typedef TmplValue (*TmplFunctionBody) (FUNCTION_ARGS);

#define FUNCTION_SHORT_CIRCUIT	0x01	/* and, or: arguments evaluated in turn */
#define FUNCTION_OR				0x02
#define FUNCTION_FORMAT			0x04	/* first argument must be a string */
#define FUNCTION_VOLATILE		0x08	/* now */
#define FUNCTION_REFUSED		0x10	/* call: can only fail, so that documents refuse
									 * it at once */

#define ANY_NUMBER (-1)

struct TmplFunction
{
	const char *name;
	int			min_args;
	int			max_args;		/* or ANY_NUMBER */
	uint8		flags;
	TmplFunctionBody body;
};

extern const TmplFunction *function_find(const char *name, int len);
extern const char *function_hint(const char *name, int len);

extern TmplValue function_eq(FUNCTION_ARGS);
extern TmplValue function_ne(FUNCTION_ARGS);
extern TmplValue function_lt(FUNCTION_ARGS);
extern TmplValue function_le(FUNCTION_ARGS);
extern TmplValue function_gt(FUNCTION_ARGS);
extern TmplValue function_ge(FUNCTION_ARGS);

extern TmplValue function_print(FUNCTION_ARGS);
extern TmplValue function_println(FUNCTION_ARGS);
extern TmplValue function_printf(FUNCTION_ARGS);
extern TmplValue function_html(FUNCTION_ARGS);
extern TmplValue function_js(FUNCTION_ARGS);
extern TmplValue function_urlquery(FUNCTION_ARGS);

extern TmplValue function_json(FUNCTION_ARGS);
extern TmplValue function_now(FUNCTION_ARGS);
extern TmplValue function_default(FUNCTION_ARGS);
extern TmplValue function_coalesce(FUNCTION_ARGS);
extern TmplValue function_lower(FUNCTION_ARGS);
extern TmplValue function_upper(FUNCTION_ARGS);
extern TmplValue function_trim(FUNCTION_ARGS);
extern TmplValue function_replace(FUNCTION_ARGS);
extern TmplValue function_split(FUNCTION_ARGS);
extern TmplValue function_join(FUNCTION_ARGS);
extern TmplValue function_date(FUNCTION_ARGS);
extern TmplValue function_add(FUNCTION_ARGS);
extern TmplValue function_sub(FUNCTION_ARGS);
extern TmplValue function_mul(FUNCTION_ARGS);
extern TmplValue function_div(FUNCTION_ARGS);
extern TmplValue function_int(FUNCTION_ARGS);
extern TmplValue function_float(FUNCTION_ARGS);

/* Is any of them null or missing? */
extern bool tmpl_any_nil(const TmplValue *args, int nargs);

/* A scalar as text; raises a row error for arrays and objects. */
extern Value tmpl_scalar_text(Exec *exec, TmplValue *value);

#endif							/* RESOLUTE_TEMPLATE_FUNCTIONS_H */
