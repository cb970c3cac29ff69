/*
 * jql_clause.c: what the clauses of JQL mean, and whether an issue matches
 */
#include "jql.h"

#include <stdio.h>
#include <stdlib.h>

#include "names.h"
#include "simulator.h"
#include "zone.h"

static const struct
{
	const char *name;
	JqlField	field;
}			field_names[] =
{
	{"updated", JQL_UPDATED}, {"updatedDate", JQL_UPDATED},
	{"created", JQL_CREATED}, {"createdDate", JQL_CREATED},
	{"resolved", JQL_RESOLVED}, {"resolutiondate", JQL_RESOLVED},
	{"id", JQL_ISSUE}, {"key", JQL_ISSUE}, {"issue", JQL_ISSUE},
	{"issuekey", JQL_ISSUE}, {"issueid", JQL_ISSUE},
	{"project", JQL_PROJECT}, {"status", JQL_STATUS},
	{"statusCategory", JQL_CATEGORY}, {"priority", JQL_PRIORITY},
	{"issuetype", JQL_TYPE}, {"type", JQL_TYPE},
	{"assignee", JQL_ASSIGNEE}, {"reporter", JQL_REPORTER},
	{NULL, 0}
};

bool
jql_field_known(const char *name, JqlField *field)
{
	for (int i = 0; field_names[i].name; i++)
	{
		if (strcasecmp(field_names[i].name, name) != 0)
			continue;
		*field = field_names[i].field;
		return true;
	}
	return false;
}

Node *
jql_node(NodeKind kind, Node *left, Node *right)
{
	Node	   *node = calloc(1, sizeof(Node));

	node->kind = kind;
	node->left = left;
	node->right = right;
	return node;
}

void
jql_free_node(Node *node)
{
	if (node == NULL)
		return;
	jql_free_node(node->left);
	jql_free_node(node->right);
	free(node->ids);
	free(node);
}

/* Read "-15m", "4w 2d": periods from now, minutes where no unit is given. */
static bool
parse_period(const char *text, int64_t *instant)
{
	static const char units[] = "mhdw";
	static const int64_t lengths[] = {MINUTE_MS, HOUR_MS, DAY_MS, 7 * DAY_MS};
	int64_t		sum = 0;
	int			sign = *text == '-' ? -1 : 1;

	if (*text == '-' || *text == '+')
		text++;
	if (*text == '\0')
		return false;
	while (*text)
	{
		char	   *end;
		int64_t		amount = strtoll(text, &end, 10);
		const char *unit = *end ? strchr(units, *end) : units;

		if (end == text || unit == NULL)
			return false;
		sum += amount * lengths[unit - units];
		text = *end ? end + 1 : end;
		while (*text == ' ')
			text++;
	}
	*instant = sim_now() + sign * sum;
	return true;
}

/* Unquoted digits are ms since 1970; quoted dates are in the zone. */
static bool
parse_time(const JqlValue *value, int64_t *instant)
{
	char	   *end;

	if (strcmp(value->text, "now()") == 0 && !value->quoted)
	{
		*instant = sim_now();
		return true;
	}
	if (!value->quoted && value->text[0] >= '0' && value->text[0] <= '9')
	{
		*instant = strtoll(value->text, &end, 10);
		if (*end == '\0')
			return true;
	}
	return zone_parse_local(value->text, instant) ||
		parse_period(value->text, instant);
}

static Node *
time_clause(const char *name, JqlField field, Operator op,
			const JqlValue *value, Buffer *error)
{
	Node	   *node;
	int64_t		instant;

	if (op > OP_LESS_EQUAL)
	{
		buf_printf(error, "The operator '%s' is not supported by the '%s' "
				   "field.", op == OP_IN ? "in" : op == OP_NOT_IN ? "not in" :
				   op == OP_IS ? "is" : "is not", name);
		return NULL;
	}
	if (value->empty || !parse_time(value, &instant))
	{
		buf_printf(error, "Date value '%s' for field '%s' is invalid. Valid "
				   "formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', "
				   "'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. "
				   "'-5d', '4w 2d'.", value->text, name);
		return NULL;
	}
	node = jql_node(NODE_TIME, NULL, NULL);
	node->field = field;
	node->op = op;
	node->value = instant;
	return node;
}

static int
compare_ids(const void *a, const void *b)
{
	int64_t		left = *(const int64_t *) a;
	int64_t		right = *(const int64_t *) b;

	return left < right ? -1 : left > right;
}

/* key > "A-7" compares numbers within a project, id > 7 compares ids. */
static Node *
issue_range(Operator op, const JqlValue *value)
{
	const char *dash = strrchr(value->text, '-');
	char		key[PROJECT_KEY_SIZE];
	Node	   *node = jql_node(dash ? NODE_KEY : NODE_ID, NULL, NULL);

	node->op = op;
	node->value = atoll(dash ? dash + 1 : value->text);
	if (dash != NULL)
	{
		snprintf(key, sizeof(key), "%.*s", (int) (dash - value->text),
				 value->text);
		node->field = data_find_project(key);
	}
	return node;
}

/* Resolve a key or id as the search index would: deleted ones are unknown. */
static bool
find_issue_id(const char *name, const JqlValue *value, int64_t *id,
			  Buffer *error)
{
	uint32_t	slot = data_find(value->text);

	if (slot != NO_SLOT && data_view(slot) != NULL &&
		data.projects[data_view(slot)->project].visible)
	{
		*id = data.issues[slot].id;
		return true;
	}
	if (strchr(value->text, '-'))
		buf_printf(error, "An issue with key '%s' does not exist for field "
				   "'%s'.", value->text, name);
	else
		buf_printf(error, "A value with ID '%s' does not exist for the field "
				   "'%s'.", value->text, name);
	return false;
}

static Node *
issue_clause(const char *name, Operator op, const JqlValue *values, int count,
			 Buffer *error)
{
	Node	   *node;

	if (op >= OP_GREATER && op <= OP_LESS_EQUAL)
		return issue_range(op, &values[0]);
	node = jql_node(NODE_IDS, NULL, NULL);
	node->ids = calloc(count, sizeof(int64_t));
	for (int i = 0; i < count; i++)
	{
		if (values[i].empty)
			continue;			/* no issue is without a key */
		if (!find_issue_id(name, &values[i], &node->ids[node->id_count],
						   error))
		{
			jql_free_node(node);
			return NULL;
		}
		node->id_count++;
	}
	qsort(node->ids, node->id_count, sizeof(int64_t), compare_ids);
	if (op == OP_NOT_EQUAL || op == OP_NOT_IN || op == OP_IS_NOT)
		node = jql_node(NODE_NOT, node, NULL);
	return node;
}

/* Statuses of a category, by its name or key. */
static uint64_t
category_mask(const char *text)
{
	const char *key = strcasecmp(text, "Done") == 0 ? "done" :
		strcasecmp(text, "In Progress") == 0 ? "indeterminate" :
		strcasecmp(text, "To Do") == 0 ? "new" : text;
	uint64_t	mask = 0;

	for (int i = 0; i < status_count; i++)
		if (strcasecmp(statuses[i].category, key) == 0)
			mask |= 1ULL << i;
	return mask;
}

/* A project by key, name or id, if the account may see it. */
static int
find_visible_project(const char *text)
{
	int			project = data_find_project(text);
	long		id = atol(text);

	for (int i = 0; i < data.project_count && project < 0; i++)
		if (strcasecmp(data.projects[i].name, text) == 0 ||
			id == FIRST_PROJECT_ID + i)
			project = i;
	return project >= 0 && data.projects[project].visible ? project : -1;
}

/* The bits of one value, 0 if there is no such value. */
static uint64_t
value_mask(JqlField field, const JqlValue *value)
{
	const char *text = value->text;
	int			found = -1;

	if (value->empty)
		return 1ULL << NO_USER;
	if (field == JQL_CATEGORY)
		return category_mask(text);
	if (field == JQL_PROJECT)
		found = find_visible_project(text);
	else if (field == JQL_STATUS)
		found = find_status(text);
	else if (field == JQL_PRIORITY)
		found = find_priority(text);
	else if (field == JQL_TYPE)
		found = find_issue_type(text);
	else
		found = strcmp(text, "currentUser()") == 0 ? 0 : find_user(text);
	for (int i = 0; i < user_count && found < 0 && field >= JQL_ASSIGNEE; i++)
		if (strcmp(users[i].account_id, text) == 0)
			found = i;
	return found < 0 ? 0 : 1ULL << found;
}

static Node *
set_clause(const char *name, JqlField field, Operator op,
		   const JqlValue *values, int count, Buffer *error)
{
	Node	   *node;
	uint64_t	mask = 0;

	if (op >= OP_GREATER && op <= OP_LESS_EQUAL)
	{
		static const char *const signs[] = {">", ">=", "<", "<="};

		buf_printf(error, "The operator '%s' is not supported by the '%s' "
				   "field.", signs[op - OP_GREATER], name);
		return NULL;
	}
	for (int i = 0; i < count; i++)
	{
		uint64_t	bits = value_mask(field, &values[i]);

		if (bits == 0)
		{
			buf_printf(error, "The value '%s' does not exist for the field "
					   "'%s'.", values[i].text, name);
			return NULL;
		}
		mask |= bits;
	}
	node = jql_node(NODE_SET, NULL, NULL);
	node->field = field;
	node->mask = mask;
	if (op == OP_NOT_EQUAL || op == OP_NOT_IN || op == OP_IS_NOT)
		node->mask = ~mask;
	return node;
}

Node *
jql_clause(const char *name, JqlField field, Operator op,
		   const JqlValue *values, int count, Buffer *error)
{
	if (field <= JQL_RESOLVED)
		return time_clause(name, field, op, values, error);
	if (field == JQL_ISSUE)
		return issue_clause(name, op, values, count, error);
	return set_clause(name, field, op, values, count, error);
}

static bool
compare(int64_t left, Operator op, int64_t right)
{
	switch (op)
	{
		case OP_EQUAL:
			return left == right;
		case OP_NOT_EQUAL:
			return left != right;
		case OP_GREATER:
			return left > right;
		case OP_GREATER_EQUAL:
			return left >= right;
		case OP_LESS:
			return left < right;
		case OP_LESS_EQUAL:
			return left <= right;
		default:
			return false;
	}
}

static int
set_value(int field, const Issue *issue)
{
	switch (field)
	{
		case JQL_PROJECT:
			return issue->project;
		case JQL_STATUS:
		case JQL_CATEGORY:
			return issue->status;
		case JQL_PRIORITY:
			return issue->priority;
		case JQL_TYPE:
			return issue->type;
		case JQL_ASSIGNEE:
			return issue->assignee;
		default:
			return issue->reporter;
	}
}

static bool
match_time(const Node *node, const Issue *issue)
{
	if (node->field == JQL_RESOLVED && !status_is_done(issue->status))
		return false;
	return compare(node->field == JQL_UPDATED ? issue->updated :
				   node->field == JQL_CREATED ? issue->created :
				   issue->resolved, node->op, node->value);
}

static bool
match_node(const Node *node, const Issue *issue)
{
	switch (node->kind)
	{
		case NODE_AND:
			return match_node(node->left, issue) &&
				match_node(node->right, issue);
		case NODE_OR:
			return match_node(node->left, issue) ||
				match_node(node->right, issue);
		case NODE_NOT:
			return !match_node(node->left, issue);
		case NODE_TIME:
			return match_time(node, issue);
		case NODE_ID:
			return compare(issue->id, node->op, node->value);
		case NODE_KEY:
			return issue->project == node->field &&
				compare(issue->number, node->op, node->value);
		case NODE_IDS:
			return bsearch(&issue->id, node->ids, node->id_count,
						   sizeof(int64_t), compare_ids) != NULL;
		case NODE_SET:
			return node->mask >> set_value(node->field, issue) & 1;
	}
	return false;
}

bool
jql_match(const Query *query, const Issue *issue)
{
	return data.projects[issue->project].visible &&
		(query->where == NULL || match_node(query->where, issue));
}

static int64_t
updated_from(const Node *node)
{
	if (node != NULL && node->kind == NODE_AND)
	{
		int64_t		left = updated_from(node->left);
		int64_t		right = updated_from(node->right);

		return left > right ? left : right;
	}
	if (node != NULL && node->kind == NODE_TIME &&
		node->field == JQL_UPDATED &&
		(node->op == OP_GREATER || node->op == OP_GREATER_EQUAL ||
		 node->op == OP_EQUAL))
		return node->value;
	return INT64_MIN;
}

int64_t
jql_updated_from(const Query *query)
{
	return updated_from(query->where);
}
