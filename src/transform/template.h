/*
 * template.h
 *		Go's text/template over rows, JSON-aware.
 *
 * A template is compiled once, bound to the fields of the rows it will see,
 * and then executed row by row.  In TEMPLATE_JSON mode the text of the template is a JSON
 * document with holes, and three things differ from Go on purpose: inside a
 * JSON string an action is escaped as JSON, a missing field in value position
 * is null, and a string that is exactly one hole holding null is null.
 *
 *		template_lex.c			source -> tokens
 *		template_parse.c		tokens -> nodes: the frame and control actions
 *		template_pipeline.c		tokens -> nodes: pipelines and operands
 *		template_literal.c		literals of Go
 *		template_rune.c			characters; template_unicode.c: their classes
 *		template_value.c		values as Go's reflect would see them
 *		template_eval.c			pipelines -> values
 *		template_exec.c			nodes -> text
 *		template_emit.c			the text itself
 *		template_functions.c	table of functions, and those of Go
 *		template_compare.c		eq ne lt le gt ge
 *		template_own.c			functions that Go lacks
 *		template_arithmetic.c	those of them that calculate
 *		template_print.c		fmt.Sprint
 *		template_printf.c		fmt.Sprintf
 *		template_number.c		numbers as fmt prints them
 *		template_escape.c		quoting, html, js, urlquery
 *		template_json.c			state machine of a JSON document
 *		template_check.c		can the template make JSON at all?
 *		template_columns.c		templates that are objects of holes
 *		template_row.c			execution of those
 *		template_bind.c			which fields of the row are meant
 *		template_condition.c	conditions: a pipeline on its own
 *		template.c				compilation
 *		template_keep.c			what a template keeps of the rows it sees
 *		template_sql.c			functions of SQL
 */
#ifndef RESOLUTE_TEMPLATE_H
#define RESOLUTE_TEMPLATE_H

#include "postgres.h"

#include "rows/batch.h"

typedef struct Template Template;

typedef enum TemplateMode
{
	TEMPLATE_JSON,				/* makes a JSON document */
	TEMPLATE_TEXT				/* makes text, exactly as Go does */
} TemplateMode;

/*
 * Compile a template.  Everything is allocated in the current context.  Raises
 * SYNTAX_ERROR (42601) whose detail gives line and column, with a hint; in JSON
 * mode also where the document around the holes cannot be JSON.
 */
extern Template *template_compile(const char *source, TemplateMode mode);

/*
 * What the template reads of a row, as dotted chains in order of first use:
 * {{.Status}} gives "Status", {{$.Fields.duedate}} gives "Fields.duedate".
 * List of char *.  *whole is set if it also looks at the row as a whole ({{.}},
 * {{json .}}, {{range .}}, {{index . "x"}}, {{template "x" .}}), so that all fields are needed.
 */
extern List *template_references(const Template *tmpl, bool *whole);

/*
 * If the template is an object of holes, {"a": "{{.A}}", "b": {{.B}}, "c": 1},
 * the fields of the object in order, else NULL.  Flags: FIELD_VOLATILE for
 * values made from now; FIELD_CURSOR is set by template_bind().  Such a template is
 * executed with template_row() and never rendered to text.  An object whose keys are constant
 * but whose values are any mixture of text and actions qualifies as well (the
 * value alone is rendered); one with {{if}} around its members does not.
 */
extern const FieldSet *template_columns(const Template *tmpl);

/*
 * Keep only the columns of these names (List of char *), so that template_references() tells
 * what they alone read.  False, and nothing has changed, where the template has no
 * columns, lacks one of these, or its columns share variables.
 */
extern bool template_keep_columns(Template *tmpl, List *names);

/* Name of the column that is exactly one hole of this field ("Key"), or NULL. */
extern const char *template_column_of(const Template *tmpl, const char *field);

/*
 * Bind the template to the fields of its input: each reference is looked up
 * among them by its name (case and underscores do not matter), so that execution
 * reads row->values[i].  A reference not found there is looked up in the row's
 * item at execution, loosely as well; it is no error.  Columns that are exactly
 * one hole of a FIELD_CURSOR field get FIELD_CURSOR.  May be called again.
 */
extern void template_bind(Template *tmpl, const FieldSet *input);

/*
 * Execute for one row.  Values are slices of the row where that is possible,
 * otherwise palloc'd in the current context; now is what {{now}} means.
 * template_row: columns only; fills out[0 .. template_columns()->nfields - 1].
 * template_render: appends the rendered text (UTF-8).
 * Raise row errors (class 22) for what goes wrong with this one row: a function
 * given the wrong type, a document that is not JSON after all (22P02), too deep
 * recursion (54001 is not a row error) and the like.
 */
extern void template_row(Template *tmpl, const Row *row, TimestampTz now, Value *out);
extern void template_render(Template *tmpl, const Row *row, TimestampTz now,
							StringInfo out);

/*
 * Conditions: what stands between {{ and }}, such as `eq .Status "Done"`, in JSON mode.
 * Compiled, bound and asked for references like any template.  True by the rules of Go.
 */
extern Template *condition_compile(const char *source);
extern bool condition_true(Template *tmpl, const Row *row, TimestampTz now);

#endif							/* RESOLUTE_TEMPLATE_H */
