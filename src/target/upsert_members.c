/*
 * upsert_members.c
 *		Items as rows: the members of the objects become the fields.
 */
#include "postgres.h"

#include "rows/encoding.h"
#include "rows/json.h"
#include "target/upsert_internal.h"

/* The member names met so far, in UTF-8. */
typedef struct Members
{
	const char **names;
	int			count;
	int			capacity;
} Members;

/*
 * The place of the member, or -1.  Items mostly have the same members in the
 * same order, so the guess is mostly right.
 */
static int
find_member(const Members *members, const Value *key, int guess)
{
	if (guess < members->count && value_is(key, members->names[guess]))
		return guess;
	for (int i = 0; i < members->count; i++)
		if (value_is(key, members->names[i]))
			return i;
	return -1;
}

static void
add_member(Members *members, const Value *key)
{
	StringInfoData name;

	initStringInfo(&name);
	value_append_text(&name, key);
	if (members->count == members->capacity)
	{
		members->capacity *= 2;
		members->names = repalloc(members->names, sizeof(char *) * members->capacity);
	}
	members->names[members->count++] = name.data;
}

/* Collect the members of all items. */
static void
collect_members(Members *members, const RowBatch *batch)
{
	for (int row = 0; row < batch->nrows; row++)
	{
		JsonIter	iter = json_iter(&batch->rows[row].item);
		Value		key;
		Value		value;
		int			guess = 0;

		while (json_next(&iter, &key, &value))
		{
			int			place = find_member(members, &key, guess);

			if (place < 0)
			{
				place = members->count;
				add_member(members, &key);
			}
			guess = place + 1;
		}
	}
}

/* The values of one item; of a member that stands twice the last one counts. */
static Value *
member_values(const Members *members, const Value *item)
{
	Value	   *values = palloc0(sizeof(Value) * Max(members->count, 1));
	JsonIter	iter = json_iter(item);
	Value		key;
	Value		value;
	int			guess = 0;

	while (json_next(&iter, &key, &value))
	{
		int			place = find_member(members, &key, guess);

		if (place >= 0)
			values[place] = value;
		guess = place + 1;
	}
	return iter.broken ? NULL : values;
}

RowBatch *
upsert_members(RowBatch *batch)
{
	Members		members = {palloc(sizeof(char *) * 32), 0, 32};
	FieldSet   *fields;
	RowBatch   *result;

	collect_members(&members, batch);
	fields = fieldset_create(members.count);
	for (int i = 0; i < members.count; i++)
	{
		int			known;

		fields->fields[i].name = utf8_to_database(members.names[i],
												  strlen(members.names[i]), NULL);
		known = fieldset_find(batch->fields, fields->fields[i].name);
		if (known >= 0)
			fields->fields[i].flags = batch->fields->fields[known].flags;
	}

	result = batch_create(fields, batch->nrows);
	for (int row = 0; row < batch->nrows; row++)
	{
		result->rows[row] = batch->rows[row];
		result->rows[row].values = member_values(&members, &batch->rows[row].item);
	}
	result->nrows = batch->nrows;
	return result;
}
