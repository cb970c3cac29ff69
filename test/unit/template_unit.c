/*
 * template_unit.c
 *		The template engine behind the JSON reader, as in a flow.
 */
#include "unit.h"

#include "access/xact.h"
#include "rows/batch.h"
#include "transform/template.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(unit_map_page);

/* The references of a template as fields of the rows that it will see. */
static FieldSet *
referenced_fields(const Template *tmpl, const char ***paths)
{
	bool		whole;
	List	   *references = template_references(tmpl, &whole);
	FieldSet   *fields = fieldset_create(list_length(references));
	ListCell   *lc;

	*paths = palloc(sizeof(char *) * Max(list_length(references), 1));
	foreach(lc, references)
	{
		fields->fields[foreach_current_index(lc)].name = lfirst(lc);
		(*paths)[foreach_current_index(lc)] = lfirst(lc);
	}
	return fields;
}

/*
 * map_page(page text, items_path text, template text) -> bigint
 *
 * Reads the page and makes a jsonb of each item, as the template says; returns how
 * many.  References are paths in the item.
 */
Datum
unit_map_page(PG_FUNCTION_ARGS)
{
	text	   *document = PG_GETARG_TEXT_PP(0);
	Template   *tmpl = template_compile(text_to_cstring(PG_GETARG_TEXT_PP(2)), TEMPLATE_JSON);
	const FieldSet *columns = template_columns(tmpl);
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	JsonShape	shape = {0};
	JsonPage	page;
	const char **paths;
	char	   *error;
	FieldSet   *fields = referenced_fields(tmpl, &paths);
	Row			mapped = {0};

	if (columns == NULL)
		elog(ERROR, "the template is not an object of columns");
	template_bind(tmpl, fields);
	shape.items_path = text_to_cstring(PG_GETARG_TEXT_PP(1));
	shape.nitem = fields->nfields;
	shape.item = json_paths_compile(paths, shape.nitem);
	if (!json_read_page(VARDATA_ANY(document), VARSIZE_ANY_EXHDR(document), &shape, &page, &error))
		elog(ERROR, "%s", error);
	mapped.values = palloc(columns->nfields * sizeof(Value));
	for (int i = 0; i < page.nitems; i++)
	{
		Row			row = {.item = page.items[i], .values = page.fields + (Size) i * shape.nitem};

		template_row(tmpl, &row, now, mapped.values);
		(void) row_jsonb(columns, &mapped);
	}
	PG_RETURN_INT64(page.nitems);
}
