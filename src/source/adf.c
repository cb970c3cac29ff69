/*
 * adf.c
 *		Atlassian Document Format to plain text: the text of its nodes, one line
 *		for each block.
 *
 * Node types: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
 */
#include "source/jira.h"

#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/* Documents are a dozen levels deep; what is deeper than this is left out. */
#define ADF_MAX_DEPTH 200

/* 9999-12-31, in days since 1970 */
#define MAX_DATE_DAYS 2932896

/* The members of a node that matter. */
typedef struct AdfNode
{
	Value		type;
	Value		text;
	Value		content;
	Value		attrs;
} AdfNode;

/* Pick the members of a node in one pass. */
static AdfNode
adf_node(const Value *value)
{
	AdfNode		node = {0};
	JsonIter	it = json_iter(value);
	Value		key;
	Value		member;

	while (json_next(&it, &key, &member))
	{
		if (value_is(&key, "type"))
			node.type = member;
		else if (value_is(&key, "text"))
			node.text = member;
		else if (value_is(&key, "content"))
			node.content = member;
		else if (value_is(&key, "attrs"))
			node.attrs = member;
	}
	return node;
}

/* Append an attribute's text; false if it has none. */
static bool
append_attr(StringInfo out, const AdfNode *node, const char *name)
{
	Value		attr = json_member(&node->attrs, name, strlen(name), false);

	if (value_is_null(&attr) || attr.kind == VALUE_JSON || attr.len == 0)
		return false;
	value_append_text(out, &attr);
	return true;
}

/* Append the day of a date node, whose timestamp is in milliseconds (UTC). */
static void
append_date(StringInfo out, const AdfNode *node)
{
	Value		attr = json_member(&node->attrs, "timestamp", strlen("timestamp"), false);
	char		digits[24];
	int64		days;
	int			year;
	int			month;
	int			day;

	if (attr.len == 0 || attr.len >= sizeof(digits) || attr.kind == VALUE_JSON)
		return;
	memcpy(digits, attr.data, attr.len);
	digits[attr.len] = '\0';
	days = strtoll(digits, NULL, 10) / 1000 / SECS_PER_DAY;
	if (days < 0 || days > MAX_DATE_DAYS)
		return;
	j2date((int) days + UNIX_EPOCH_JDATE, &year, &month, &day);
	appendStringInfo(out, "%04d-%02d-%02d", year, month, day);
}

/* Begin a new line, unless the text is at the start of one. */
static void
end_line(StringInfo out)
{
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		appendStringInfoChar(out, '\n');
}

/* Append a node that is no block; false if it is none of those. */
static bool
append_inline(StringInfo out, const AdfNode *node)
{
	const Value *type = &node->type;

	if (value_is(type, "text"))
		value_append_text(out, &node->text);
	else if (value_is(type, "hardBreak"))
		appendStringInfoChar(out, '\n');
	else if (value_is(type, "mention") || value_is(type, "status"))
		append_attr(out, node, "text");
	else if (value_is(type, "emoji"))
	{
		if (!append_attr(out, node, "text"))
			append_attr(out, node, "shortName");
	}
	else if (value_is(type, "date"))
		append_date(out, node);
	else if (value_is(type, "inlineCard"))
		append_attr(out, node, "url");
	else
		return false;
	return true;
}

/* Append a node and everything below it. */
static void
append_node(StringInfo out, const Value *value, int depth)
{
	AdfNode		node = adf_node(value);
	int			start = out->len;
	JsonIter	it;
	Value		key;
	Value		child;

	check_stack_depth();
	if (append_inline(out, &node))
		return;

	/* a card or media that stands alone has only attributes */
	if (value_is(&node.type, "blockCard") || value_is(&node.type, "embedCard"))
		append_attr(out, &node, "url");
	else if (value_is(&node.type, "media"))
		append_attr(out, &node, "alt");
	else if (value_is(&node.type, "expand") || value_is(&node.type, "nestedExpand"))
	{
		append_attr(out, &node, "title");
		end_line(out);
	}

	if (depth < ADF_MAX_DEPTH && node.content.kind == VALUE_JSON)
	{
		it = json_iter(&node.content);
		while (json_next(&it, &key, &child))
			append_node(out, &child, depth + 1);
	}

	/* the cells of a table's row share its line */
	if (value_is(&node.type, "tableCell") || value_is(&node.type, "tableHeader"))
	{
		while (out->len > start && out->data[out->len - 1] == '\n')
			out->data[--out->len] = '\0';
		appendStringInfoChar(out, '\t');
	}
	else
		end_line(out);
}

Value
adf_text(const Value *value)
{
	StringInfoData out;
	Value		type;

	/* what is no document stays what it is */
	type = json_member(value, "type", strlen("type"), false);
	if (type.kind != VALUE_STRING)
		return *value;

	initStringInfo(&out);
	append_node(&out, value, 0);
	while (out.len > 0 && strchr("\n\t ", out.data[out.len - 1]) != NULL)
		out.data[--out.len] = '\0';
	return value_string(out.data, out.len);
}
