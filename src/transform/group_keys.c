/*
 * group_keys.c
 *		Groups of sorted rows, and rows that are made as objects.
 */
#include "transform/collect.h"

#include "mb/pg_wchar.h"
#include "utils/datum.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "rows/json.h"
#include "transform/expression.h"

void
group_keys_init(GroupKeys *keys, List *paths)
{
	int			n = Max(list_length(paths), 1);

	keys->context = AllocSetContextCreate(CurrentMemoryContext, "resolute group",
										  ALLOCSET_DEFAULT_SIZES);
	keys->paths = paths;
	keys->begun = false;
	keys->values = palloc0(sizeof(Datum) * n);
	keys->nulls = palloc0(sizeof(bool) * n);
}

bool
group_keys_match(const GroupKeys *keys, const Row *row)
{
	for (int i = 0; i < list_length(keys->paths); i++)
	{
		bool		isnull;
		Datum		key = path_key(keys->paths, i, row, &isnull);

		if (isnull != keys->nulls[i])
			return false;
		if (!isnull && compareJsonbContainers(&DatumGetJsonbP(key)->root,
											  &DatumGetJsonbP(keys->values[i])->root) != 0)
			return false;
	}
	return true;
}

void
group_keys_take(GroupKeys *keys, const Row *row)
{
	MemoryContext caller;

	MemoryContextReset(keys->context);
	caller = MemoryContextSwitchTo(keys->context);
	for (int i = 0; i < list_length(keys->paths); i++)
		keys->values[i] = path_key(keys->paths, i, row, &keys->nulls[i]);
	keys->begun = true;
	MemoryContextSwitchTo(caller);
}

void
append_name(StringInfo out, const char *name)
{
	appendStringInfoString(out, out->len > 1 ? ", \"" : "\"");
	json_append_escaped(out, name, strlen(name));
	appendStringInfoString(out, "\": ");
}

void
append_key_members(StringInfo out, const FieldSet *fields, const GroupKeys *keys)
{
	for (int i = 0; i < list_length(keys->paths); i++)
	{
		Value		value = value_null();

		append_name(out, fields->fields[i].name);
		if (!keys->nulls[i])
			value = jsonb_to_value(keys->values[i]);
		value_append_json(out, &value);
	}
}

void
row_set_object(Row *row, const FieldSet *fields, const StringInfo out)
{
	Value		key;
	JsonIter	it;

	row->item = value_make(VALUE_JSON, out->data, out->len);
	row->values = palloc0(sizeof(Value) * Max(fields->nfields, 1));
	it = json_iter(&row->item);
	for (int i = 0; i < fields->nfields; i++)
	{
		if (!json_next(&it, &key, &row->values[i]))
			elog(ERROR, "object has no member \"%s\"", fields->fields[i].name);
	}
}

void
spool_put_object(Spool *spool, const FieldSet *fields, const StringInfo out)
{
	RowBatch   *batch = batch_create(fields, 1);

	row_set_object(batch_add(batch), fields, out);
	spool_append(spool, batch);
}

FieldSet *
fieldset_of_names(const char *step, List *names)
{
	FieldSet   *fields = fieldset_create(list_length(names));
	ListCell   *lc;
	int			i = 0;

	foreach(lc, names)
	{
		const char *name = lfirst(lc);

		for (int j = 0; j < i; j++)
		{
			if (strcmp(fields->fields[j].name, name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("step \"%s\" makes field \"%s\" twice", step,
								pg_any_to_server(name, strlen(name), PG_UTF8))));
		}
		fields->fields[i++].name = name;
	}
	return fields;
}
