/*
 * group.c
 *		One row for each combination of keys, with the rows that have it.
 */
#include "transform/collect.h"

typedef struct GroupRows
{
	Collector	base;			/* must be first */
	const FieldSet *input;
	List	   *paths;			/* of FieldPath * */
} GroupRows;

/* The groups on their way into the result. */
typedef struct Grouping
{
	GroupRows  *group;
	GroupKeys	keys;
	StringInfoData items;
	int64		count;
	Spool	   *result;
} Grouping;

static void
put_group(Grouping *grouping)
{
	const FieldSet *fields = grouping->group->base.base.fields;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	append_key_members(&out, fields, &grouping->keys);
	appendStringInfo(&out, ", \"count\": " INT64_FORMAT ", \"items\": [", grouping->count);
	appendBinaryStringInfo(&out, grouping->items.data, grouping->items.len);
	appendStringInfoString(&out, "]}");
	spool_put_object(grouping->result, fields, &out);
	pfree(out.data);
}

static void
group_row(void *arg, const Row *row)
{
	Grouping   *grouping = arg;

	if (grouping->keys.begun && !group_keys_match(&grouping->keys, row))
	{
		put_group(grouping);
		grouping->keys.begun = false;
	}
	if (!grouping->keys.begun)
	{
		group_keys_take(&grouping->keys, row);
		resetStringInfo(&grouping->items);
		grouping->count = 0;
	}
	if (grouping->count++ > 0)
		appendStringInfoString(&grouping->items, ", ");
	row_append_json(&grouping->items, grouping->group->input, row);
}

static Spool *
group_conclude(Collector *collector, PageContext *page pg_attribute_unused())
{
	GroupRows  *self = (GroupRows *) collector;
	Spool	   *sorted = collector_sorted(collector, self->paths);
	Grouping	grouping = {.group = self, .result = spool_create(collector->base.fields)};

	group_keys_init(&grouping.keys, self->paths);
	initStringInfo(&grouping.items);
	spool_each(sorted, group_row, &grouping);
	if (grouping.keys.begun)
		put_group(&grouping);
	return grouping.result;
}

Transform *
group_create(const char *step, List *keys, const FieldSet *input)
{
	GroupRows  *self = palloc0(sizeof(GroupRows));
	List	   *names = field_path_references(keys);

	names = lappend(lappend(names, pstrdup("count")), pstrdup("items"));
	collector_init(&self->base, step, input, fieldset_of_names(step, names));
	self->base.conclude = group_conclude;
	self->input = input;
	self->paths = keys;
	field_paths_bind(keys, psprintf("key of step \"%s\"", step), input);
	return &self->base.base;
}
