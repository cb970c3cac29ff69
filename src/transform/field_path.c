/*
 * field_path.c
 *		Fields of rows, and paths into them.
 */
#include "transform/field_path.h"

#include "mb/pg_wchar.h"

#include "rows/json.h"
#include "rows/names.h"

FieldPath *
field_path_make(const char *what, const char *text)
{
	FieldPath  *path = palloc0(sizeof(FieldPath));
	Size		len = strlen(text);

	if (len == 0 || text[0] == '.' || text[len - 1] == '.' || strstr(text, "..") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid %s: \"%s\" is no path", what, text),
				 errhint("A path is the name of a field, or names joined by dots: 'status', 'fields.priority.name'.")));
	path->text = pstrdup(pg_server_to_any(text, len, PG_UTF8));
	path->field = -1;
	return path;
}

List *
field_paths_from_text(const char *what, const char *text)
{
	List	   *paths = NIL;
	ListCell   *lc;

	foreach(lc, names_from_text(what, text))
		paths = lappend(paths, field_path_make(what, lfirst(lc)));
	return paths;
}

List *
field_path_references(List *paths)
{
	List	   *references = NIL;
	ListCell   *lc;

	foreach(lc, paths)
		references = lappend(references, pstrdup(((FieldPath *) lfirst(lc))->text));
	return references;
}

void
report_unknown_field(const char *what, const char *name, const FieldSet *input)
{
	char	   *list = fieldset_names(input);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("%s: \"%s\" is not a field of its rows", what,
					pg_any_to_server(name, strlen(name), PG_UTF8)),
			 *list ? errhint("The fields are %s.", list)
			 : errhint("The rows have no fields.")));
}

void
field_path_bind(FieldPath *path, const char *what, const FieldSet *input)
{
	int			len = strlen(path->text);

	for (path->field = -1; len > 0; len--)
	{
		path->field = fieldset_find_loosely(input, path->text, len);
		path->taken = len;
		if (path->field >= 0)
			return;
		while (len > 0 && path->text[len - 1] != '.')
			len--;
	}
	path->taken = 0;
	if (!input->is_item)
		report_unknown_field(what, path->text, input);
}

void
field_paths_bind(List *paths, const char *what, const FieldSet *input)
{
	ListCell   *lc;

	foreach(lc, paths)
		field_path_bind(lfirst(lc), what, input);
}

bool
field_path_is_deep(const FieldPath *path)
{
	return path->field >= 0 && path->text[path->taken] != '\0';
}

/* Follow the names in text into a document. */
static Value
walk(Value value, const char *text)
{
	while (*text && value.kind == VALUE_JSON)
	{
		Size		len = strcspn(text, ".");

		value = json_member(&value, text, len, true);
		text += text[len] ? len + 1 : len;
	}
	return *text ? value_make(VALUE_MISSING, NULL, 0) : value;
}

Value
field_path_value(const FieldPath *path, const Row *row)
{
	Value		value;

	if (path->field >= 0)
	{
		value = row->values[path->field];
		if (!field_path_is_deep(path))
			return value;

		/* The field may be an alias of something that is no object. */
		if (value.kind == VALUE_JSON && *value.data == '{')
			return walk(value, path->text + path->taken + 1);
	}
	value = json_member(&row->item, path->text, strlen(path->text), true);
	return value.kind != VALUE_MISSING ? value : walk(row->item, path->text);
}
