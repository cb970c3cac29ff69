/*
 * template_node.h
 *		The tree of a compiled template: nodes, named templates, columns.
 *
 * The parser makes the nodes; what comes after it only adds to them what it has found out: which
 * field of the row a chain means, which columns a document has.
 */
#ifndef RESOLUTE_TEMPLATE_NODE_H
#define RESOLUTE_TEMPLATE_NODE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/datetime.h"

#include "transform/template.h"
#include "transform/template_value.h"

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

/* Which members a kind of node uses, NodeKind says. */
typedef struct TmplNode TmplNode;

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

extern TmplNode *node_make(NodeKind kind, int pos);

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

/* Parse a template, without asking whether it makes JSON. */
extern Template *template_make(const char *source, TemplateMode mode);

/* Note the fields of the row that the template, or these nodes of it, speak of. */
extern void template_find_references(Template *tmpl);
extern void template_find_references_in(Template *tmpl, List *nodes);

/* The template of that name, or NULL. */
extern TmplTree *tmpl_tree(const Template *tmpl, const char *name, int len);

/* Offset to line and column, both from 1; columns count characters. */
extern void tmpl_position(const char *source, int pos, int *line, int *column);

/* A message whose arguments are in UTF-8, in the database's encoding. */
extern char *tmpl_message(const char *format, va_list args) pg_attribute_printf(1, 0);

/*
 * Raise SYNTAX_ERROR at an offset of the source.  The message is a complete
 * primary message; hint may be NULL.
 */
extern void tmpl_syntax_error(const char *source, int pos, const char *hint,
							  const char *format,...) pg_attribute_printf(4, 5) pg_attribute_noreturn();

#endif							/* RESOLUTE_TEMPLATE_NODE_H */
