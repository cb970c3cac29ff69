/*
 * jira_value.c
 *		Values of issue fields, made from what was picked out of the issue.
 */
#include "source/jira.h"

/* Does the value say something?  Servers write "" for names they hide. */
static bool
has_value(const Value *value)
{
	return !value_is_null(value) && (value->kind != VALUE_STRING || value->len > 0);
}

/* The first value that says something, or else the first one. */
static Value
first_value(const Value *values, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (has_value(&values[i]))
			return values[i];
	}
	return n > 0 ? values[0] : value_null();
}

/* Follow keys from a value, whatever their case. */
static Value
follow(Value value, List *keys)
{
	ListCell   *cell;

	foreach(cell, keys)
		value = json_member(&value, lfirst(cell), strlen(lfirst(cell)), true);
	return value;
}

/* An array of objects as the JSON array of their names. */
static Value
names_of(const Value *objects)
{
	StringInfoData out;
	JsonIter	it;
	Value		key;
	Value		element;

	if (objects->kind != VALUE_JSON || *objects->data != '[')
		return *objects;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	it = json_iter(objects);
	while (json_next(&it, &key, &element))
	{
		if (element.kind == VALUE_JSON)
			element = json_member(&element, "name", strlen("name"), false);
		if (out.len > 1)
			appendStringInfoString(&out, ", ");
		value_append_json(&out, &element);
	}
	appendStringInfoChar(&out, ']');
	return value_make(VALUE_JSON, out.data, out.len);
}

/* Where people look at the issue. */
static Value
browse_link(const JiraPlan *plan, const Value *key)
{
	StringInfoData out;

	if (!has_value(key))
		return value_null();
	initStringInfo(&out);
	appendStringInfo(&out, "%s/browse/", plan->browse_url);
	value_append_text(&out, key);
	return value_string(out.data, out.len);
}

/*
 * The estimate, where a site has a field for each kind of project: an issue
 * that was moved may still hold both, and then that of its project counts.
 */
static Value
story_points(const Value *values, int n)
{
	if (n == 3 && has_value(&values[0]) && has_value(&values[1]))
		return value_is(&values[2], "true") ? values[1] : values[0];
	return first_value(values, Min(n, 2));
}

Value
jira_value(const JiraPlan *plan, const JiraPick *pick, const Value *picked)
{
	const Value *values = picked + pick->first;

	switch (pick->compute)
	{
		case JIRA_FIRST:
			break;
		case JIRA_TEXT:
			return adf_text(values);
		case JIRA_NAMES:
			return names_of(values);
		case JIRA_URL:
			return browse_link(plan, values);
		case JIRA_STORY_POINTS:
			return story_points(values, pick->npaths);
	}
	if (pick->rest)
		return follow(first_value(values, pick->npaths), pick->rest);
	return first_value(values, pick->npaths);
}
