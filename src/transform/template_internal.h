/*
 * template_internal.h
 *		What the files of the template engine share.
 *
 *		template_lex.c			source -> tokens
 *		template_parse.c		tokens -> nodes: the frame and control actions
 *		template_pipeline.c		tokens -> nodes: pipelines and operands
 *		template_literal.c		literals of Go
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
 */
#ifndef RESOLUTE_TEMPLATE_INTERNAL_H
#define RESOLUTE_TEMPLATE_INTERNAL_H

#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/datetime.h"

#include "rows/batch.h"
#include "rows/json.h"
#include "transform/template.h"
#include "transform/template_json.h"
#include "transform/template_lex.h"

/* ------------------------------------------------------------------------
 * Values
 * ------------------------------------------------------------------------
 */

/*
 * The kinds that Go would have over data decoded from JSON.  INVALID is its
 * zero reflect.Value ("<no value>"), NIL an interface that holds nothing; they
 * differ in a few error conditions only.
 */
typedef enum TmplKind
{
	KIND_INVALID = 0,
	KIND_NIL,
	KIND_BOOL,
	KIND_INT,					/* constants, lengths: Go's int */
	KIND_INT64,					/* whole numbers of the data */
	KIND_UINT8,					/* a byte of a string */
	KIND_FLOAT,
	KIND_STRING,
	KIND_ARRAY,
	KIND_MAP,
	KIND_ROW					/* a row: a map whose members are fields */
} TmplKind;

typedef struct TmplValue TmplValue;

struct TmplValue
{
	uint8		kind;			/* a TmplKind */
	bool		is_element;		/* taken out of an array or object as it is:
								 * Go's slice takes no such index */
	bool		is_json;		/* KIND_STRING made by json: stands for itself
								 * at value position */
	Value		raw;			/* slice behind it: always for strings; for
								 * others where there is one, else missing */
	union
	{
		bool		boolean;
		int64		integer;	/* INT, INT64, UINT8 */
		double		real;
		const Row  *row;
		struct
		{
			TmplValue  *items;	/* NULL until decoded from raw */
			int			length;
			int			capacity;	/* as in Go: how far slice may go */
		}			array;
	}			u;
};

#define kind_is_integer(kind) \
	((kind) == KIND_INT || (kind) == KIND_INT64 || (kind) == KIND_UINT8)
#define tmpl_is_nil(v) ((v)->kind <= KIND_NIL)

typedef struct Exec Exec;

extern TmplValue tmpl_from_value(const Value *value);
extern TmplValue tmpl_nothing(void);
extern TmplValue tmpl_bool(bool boolean);
extern TmplValue tmpl_int(int64 integer);
extern TmplValue tmpl_string(const char *data, int len);
extern TmplValue tmpl_array(TmplValue *items, int length);

/* Go's name of the type, as %T prints it. */
extern const char *tmpl_type_name(const TmplValue *value);

/* Truth by the rules of Go. */
extern bool tmpl_truth(Exec *exec, const TmplValue *value);

/* The text of a KIND_STRING: a slice without escapes. */
extern Value tmpl_text(const TmplValue *string);

/* Decode an array's elements (kept in the value); returns them. */
extern TmplValue *tmpl_elements(TmplValue *array);

/* A member of a map or row; false if there is none. */
extern bool tmpl_member(Exec *exec, const TmplValue *map, const char *name, int len,
						TmplValue *member);

typedef struct TmplMember
{
	Value		key;			/* without escapes */
	Value		value;
	int			order;			/* of appearance */
} TmplMember;

/* Members of a map or row, sorted by key, each key once; returns their number. */
extern int	tmpl_members(Exec *exec, const TmplValue *map, TmplMember **members);

/* Bytes, elements, members; -1 if the value has no length. */
extern int	tmpl_length(Exec *exec, TmplValue *value);

/* The value as a slice that may leave the engine; palloc'd where it must be. */
extern Value tmpl_to_value(Exec *exec, TmplValue *value);

/* ------------------------------------------------------------------------
 * Nodes
 * ------------------------------------------------------------------------
 */

typedef enum NodeKind
{
	NODE_TEXT,					/* text */
	NODE_ACTION,				/* pipe */
	NODE_IF,					/* pipe, body, otherwise */
	NODE_RANGE,
	NODE_WITH,
	NODE_TEMPLATE,				/* text is its name; pipe or NULL */
	NODE_BREAK,
	NODE_CONTINUE,
	NODE_END,					/* only while parsing */
	NODE_ELSE,					/* only while parsing */
	NODE_PIPE,					/* declared, commands */
	NODE_COMMAND,				/* arguments */
	NODE_CONSTANT,				/* constant: bool, number or string */
	NODE_DOT,
	NODE_NIL,
	NODE_FIELD,					/* names */
	NODE_VARIABLE,				/* text is $name; names of the fields of it */
	NODE_CHAIN,					/* pipe is the operand, names */
	NODE_FUNCTION				/* function */
} NodeKind;

typedef struct TmplFunction TmplFunction;

/* A field chain on the row: .Fields.duedate */
typedef struct TmplReference
{
	const char *chain;			/* "Fields.duedate" */
	bool		on_row;			/* may be evaluated on the row itself */
	int			field;			/* index among the bound fields, or -1 */
	int			taken;			/* how many names of the chain the field is */
	int			names;			/* how many there are */
} TmplReference;

typedef struct TmplName
{
	const char *name;
	int			len;
} TmplName;

struct TmplNode
{
	NodeKind	kind;
	int			pos;			/* offset in the source */
	const char *text;			/* see NodeKind */
	int			len;
	TmplNode	   *pipe;
	List	   *body;			/* of TmplNode */
	List	   *otherwise;		/* of TmplNode */
	List	   *declared;		/* of char *, "$name" */
	bool		is_assign;		/* = rather than := */
	List	   *commands;		/* of TmplNode */
	List	   *arguments;		/* of TmplNode */
	TmplName   *names;
	int			nnames;
	TmplReference *reference;	/* of a FIELD, or a VARIABLE that is $ */
	TmplValue	constant;
	const TmplFunction *function;
	bool		passable;		/* of text and actions in JSON: some path through
								 * the template gets past them */
};

/* A named template: the main one is called "". */
typedef struct TmplTree
{
	const char *name;
	int			name_len;
	List	   *root;			/* of TmplNode */
} TmplTree;

/* One field of a template that is an object of holes. */
typedef enum ColumnKind
{
	COLUMN_CONSTANT,
	COLUMN_FIELD,				/* {{.A}}: copied from the row if it is bound */
	COLUMN_HOLE,				/* one action: its value */
	COLUMN_RENDERED				/* anything else: rendered, then read */
} ColumnKind;

typedef struct TmplColumn
{
	ColumnKind	kind;
	bool		quoted;			/* "{{...}}": the value becomes a string */
	Value		constant;
	const TmplReference *reference; /* of COLUMN_FIELD */
	TmplNode	   *action;			/* of COLUMN_FIELD and COLUMN_HOLE */
	List	   *nodes;			/* all nodes of the column, in order */
	List	   *before;			/* declarations before it, to be executed first */
} TmplColumn;

#define column_is_bound(column) \
	((column)->reference->field >= 0 && \
	 (column)->reference->taken == (column)->reference->names)


struct Template
{
	TemplateMode mode;
	const char *source;			/* UTF-8 */
	int			len;
	List	   *trees;			/* of TmplTree */
	List	   *main;			/* nodes of the main template */
	List	   *references;		/* of TmplReference */
	bool		whole;			/* looks at the row as a whole? */
	const FieldSet *input;		/* bound fields, or NULL */
	TmplColumn *columns;		/* or NULL */
	FieldSet   *fields;			/* of the columns */
	bool		dollar_assigned;	/* {{$ = ...}}: $ is not the row for good */
	List	   *after;			/* declarations after the last column */
	TimestampTz now;			/* what now_text stands for */
	char		now_text[MAXDATELEN + 1];
	int			now_len;
};

extern Template *template_make(const char *source, TemplateMode mode);
extern TmplTree *tmpl_tree(const Template *tmpl, const char *name, int len);

/* Offset to line and column, both from 1; columns count characters. */
extern void tmpl_position(const char *source, int pos, int *line, int *column);

/*
 * Raise SYNTAX_ERROR at an offset of the source.  The message is a complete
 * primary message; hint may be NULL.
 */
extern void tmpl_syntax_error(const char *source, int pos, const char *hint,
							  const char *format,...) pg_attribute_printf(4, 5) pg_attribute_noreturn();

/* ------------------------------------------------------------------------
 * Parsing
 * ------------------------------------------------------------------------
 */

#define TOKEN_LOOKAHEAD 3

typedef struct Parser
{
	Template   *tmpl;
	Lexer		lexer;
	Token		token[TOKEN_LOOKAHEAD];
	int			peeked;			/* tokens that were given back */
	List	   *variables;		/* of char *, those in scope */
	int			range_depth;
	int			first_variable; /* of the template being defined */
} Parser;

extern Token parser_next(Parser *parser);
extern Token parser_peek(Parser *parser);
extern Token parser_next_non_space(Parser *parser);
extern Token parser_peek_non_space(Parser *parser);
extern void parser_back(Parser *parser);
extern void parser_back2(Parser *parser, Token first);
extern void parser_back3(Parser *parser, Token first, Token second);
extern void parser_unexpected(Parser *parser, Token token, const char *context) pg_attribute_noreturn();
extern TmplNode *node_make(NodeKind kind, int pos);
extern TmplNode *parse_pipeline(Parser *parser, const char *context, TokenKind end);
extern void template_parse(Template *tmpl);
extern void template_find_references(Template *tmpl);
extern void template_find_references_in(Template *tmpl, List *nodes);
extern bool literal_number(Parser *parser, Token token, TmplValue *number);

/* ------------------------------------------------------------------------
 * Execution
 * ------------------------------------------------------------------------
 */

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

extern void exec_init(Exec *exec, Template *tmpl, const Row *row, TimestampTz now,
					  StringInfo out);
extern void emit_text(Exec *exec, const TmplNode *node, int from);
extern void emit_value(Exec *exec, TmplValue *value, const TmplNode *next);
extern void emit_repair(StringInfo out);
extern void exec_begin(Exec *exec);
extern void exec_end(Exec *exec);
extern void exec_document(Exec *exec, List *nodes);
extern WalkResult exec_list(Exec *exec, const TmplValue *dot, List *nodes);
extern void exec_variable_push(Exec *exec, const char *name, const TmplValue *value);
extern TmplValue eval_pipeline(Exec *exec, const TmplValue *dot, const TmplNode *pipe);
extern TmplValue exec_row(const Exec *exec);

/* Raise a row error: this row cannot be handled by the template. */
extern void exec_error(const Exec *exec, int sqlerrcode, const char *format,...)
			pg_attribute_printf(3, 4) pg_attribute_noreturn();

/* ------------------------------------------------------------------------
 * Functions
 * ------------------------------------------------------------------------
 */

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

/* Append as fmt.Fprint prints one operand (%v). */
extern void tmpl_print(Exec *exec, StringInfo out, const TmplValue *value);

/* Append arguments as fmt.Sprint does. */
extern void tmpl_sprint(Exec *exec, StringInfo out, const TmplValue *args, int nargs);

/* Is any of them null or missing? */
extern bool tmpl_any_nil(const TmplValue *args, int nargs);

/* A scalar as text; raises a row error for arrays and objects. */
extern Value tmpl_scalar_text(Exec *exec, TmplValue *value);

/* Append as JSON, in the manner of the json function. */
extern void tmpl_append_json(Exec *exec, StringInfo out, const TmplValue *value);

/* ------------------------------------------------------------------------
 * Printing
 * ------------------------------------------------------------------------
 */

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
extern void append_rune(StringInfo out, uint32 rune);
extern int	count_runes(const char *text, int len);

#endif							/* RESOLUTE_TEMPLATE_INTERNAL_H */
