/*
 * template_print.h
 *		Values as Go's fmt prints them: verbs, flags, numbers, quotes.
 */
#ifndef RESOLUTE_TEMPLATE_PRINT_H
#define RESOLUTE_TEMPLATE_PRINT_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "transform/template_exec.h"

/* Append as fmt.Fprint prints one operand (%v). */
extern void tmpl_print(Exec *exec, StringInfo out, const TmplValue *value);

/* Append arguments as fmt.Sprint does. */
extern void tmpl_sprint(Exec *exec, StringInfo out, const TmplValue *args, int nargs);

/* Flags, width and precision of a verb, as in Go's fmt. */
typedef struct Format
{
	StringInfo	out;
	Exec	   *exec;
	bool		minus;
	bool		plus;
	bool		sharp;
	bool		space;
	bool		zero;
	bool		plus_v;			/* %+v */
	bool		sharp_v;		/* %#v */
	bool		has_width;
	bool		has_precision;
	int			width;
	int			precision;
} Format;

extern void format_value(Format *format, const TmplValue *value, uint32 verb);
extern void format_mismatch(Format *format, TmplValue value, uint32 verb);
extern int	format_truncated(const Format *format, const char *text, int len);
extern void format_pad(Format *format, const char *text, int len);
extern bool format_integer(Format *format, int64 integer, bool is_signed, uint32 verb);
extern bool format_float(Format *format, double real, uint32 verb);
extern void format_quoted(Format *format, const char *text, int len);
extern void format_quoted_rune(Format *format, int64 integer);

#endif							/* RESOLUTE_TEMPLATE_PRINT_H */
