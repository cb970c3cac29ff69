/*
 * jql.h: the part of JQL that a sync uses
 *
 * project, id and key, updated, created, resolved, status, statusCategory,
 * priority, issuetype, assignee and reporter with the operators of each; AND,
 * OR, NOT, parentheses; ORDER BY updated, created, id, key.
 */
#ifndef SIMULATOR_JQL_H
#define SIMULATOR_JQL_H

#include "order.h"

typedef enum NodeKind
{
	NODE_AND,
	NODE_OR,
	NODE_NOT,
	NODE_TIME,					/* field, op, value */
	NODE_ID,					/* op, value */
	NODE_KEY,					/* op, value = number, field = project */
	NODE_IDS,					/* one of a sorted list */
	NODE_SET					/* field's value is a bit of the mask */
} NodeKind;

typedef enum Operator
{
	OP_EQUAL,
	OP_NOT_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_IN,
	OP_NOT_IN,
	OP_IS,
	OP_IS_NOT
} Operator;

/* Fields; the ones from JQL_PROJECT on are small numbers, told by a mask. */
typedef enum JqlField
{
	JQL_UPDATED,
	JQL_CREATED,
	JQL_RESOLVED,
	JQL_ISSUE,
	JQL_PROJECT,
	JQL_STATUS,
	JQL_CATEGORY,
	JQL_PRIORITY,
	JQL_TYPE,
	JQL_ASSIGNEE,
	JQL_REPORTER
} JqlField;

typedef struct Node
{
	NodeKind	kind;
	int			field;
	Operator	op;
	int64_t		value;
	uint64_t	mask;
	int64_t    *ids;
	int			id_count;
	struct Node *left;
	struct Node *right;
} Node;

typedef struct Query
{
	Node	   *where;			/* NULL: no restriction ("unbounded") */
	Ordering	ordering;
} Query;

/* Parse; NULL with Jira's message appended to error if it is wrong. */
extern Query *jql_parse(const char *text, Buffer *error);
extern void jql_free(Query *query);

/* Does the search index's view of an issue match? */
extern bool jql_match(const Query *query, const Issue *issue);

/* The greatest instant before which no match can have been updated. */
extern int64_t jql_updated_from(const Query *query);

/*
 * Build one clause from a field, an operator and its values (as written;
 * quoted tells which were in quotes): jql_clause.c. NULL with a message.
 */
typedef struct JqlValue
{
	char	   *text;
	bool		quoted;
	bool		empty;			/* EMPTY or NULL */
} JqlValue;

extern bool jql_field_known(const char *name, JqlField *field);
extern Node *jql_clause(const char *name, JqlField field, Operator op,
						const JqlValue *values, int count, Buffer *error);
extern Node *jql_node(NodeKind kind, Node *left, Node *right);
extern void jql_free_node(Node *node);

#endif
