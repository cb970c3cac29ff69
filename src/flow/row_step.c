/*
 * row_step.c
 *		From the parameters of filter, sort, group_by and so on to their transforms.
 */
#include "flow/row_step.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "transform/expression.h"
#include "transform/field_path.h"
#include "rows/names.h"
#include "source/source.h"

/* What is special about a kind. */
#define KEEPS_ITEMS		0x01
#define HOLDS_ROWS		0x02
#define RESHAPES		0x04
#define WHOLE_ROWS		0x08	/* looks at rows as a whole */
#define MAY_DROP_ALL	0x10

typedef struct RowStepType
{
	const char *name;
	int			flags;
	void		(*compile) (const Step *step, RowStep *rows);
	Transform  *(*create) (const Step *step, const RowStep *rows, const FieldSet *input);
} RowStepType;

/* "key of step x" */
static char *
what(const Step *step, const char *param)
{
	return psprintf("%s of step \"%s\"", param, step->name);
}

static void
compile_filter(const Step *step, RowStep *rows)
{
	char	   *condition = step_text(step, "condition");
	List	   *references;
	bool		whole;

	if (condition_is_sql(condition))
	{
		rows->sql = condition;
		step_read_fields(step->input, NIL, true);
		return;
	}
	rows->tmpl = condition_compile(condition);
	references = template_references(rows->tmpl, &whole);
	step_read_fields(step->input, references, whole);
}

/* The fields that a template's condition reads must be there, if fields are known. */
static void
check_references(const Step *step, Template *tmpl, const FieldSet *input)
{
	bool		whole;
	ListCell   *lc;

	if (input->is_item)
		return;
	foreach(lc, template_references(tmpl, &whole))
	{
		FieldPath	path = {.text = lfirst(lc)};

		field_path_bind(&path, what(step, "condition"), input);
	}
}

static Transform *
create_filter(const Step *step, const RowStep *rows, const FieldSet *input)
{
	if (rows->tmpl)
		check_references(step, rows->tmpl, input);
	return filter_create(step->name, rows->tmpl, rows->sql, input);
}

static void
compile_sort(const Step *step, RowStep *rows)
{
	List	   *paths = NIL;
	ListCell   *lc;

	rows->keys = sort_keys_from_text(what(step, "by"), step_text(step, "by"));
	foreach(lc, rows->keys)
		paths = lappend(paths, ((SortKey *) lfirst(lc))->path);
	step_read_fields(step->input, field_path_references(paths), false);
}

static Transform *
create_sort(const Step *step, const RowStep *rows, const FieldSet *input)
{
	return sort_create(step->name, rows->keys, input);
}

static void
compile_group_by(const Step *step, RowStep *rows)
{
	rows->keys = field_paths_from_text(what(step, "key"), step_text(step, "key"));
	step_read_fields(step->input, field_path_references(rows->keys), true);
}

static Transform *
create_group_by(const Step *step, const RowStep *rows, const FieldSet *input)
{
	return group_create(step->name, rows->keys, input);
}

static void
compile_flatten(const Step *step, RowStep *rows)
{
	rows->keys = list_make1(field_path_make(what(step, "path"), step_text(step, "path")));
	step_read_fields(step->input, field_path_references(rows->keys), false);
}

static Transform *
create_flatten(const Step *step, const RowStep *rows, const FieldSet *input)
{
	return flatten_create(step->name, linitial(rows->keys), input);
}

static void
compile_chunk(const Step *step, RowStep *rows)
{
	rows->size = step_int(step, "size", 1);
}

static Transform *
create_chunk(const Step *step, const RowStep *rows, const FieldSet *input)
{
	return chunk_create(step->name, rows->size, input);
}

static void
compile_pick(const Step *step, RowStep *rows)
{
	rows->keys = field_paths_from_text(what(step, "fields"), step_text(step, "fields"));
	step_read_fields(step->input, field_path_references(rows->keys), false);
}

static Transform *
create_pick(const Step *step, const RowStep *rows, const FieldSet *input)
{
	return pick_create(step->name, rows->keys, input);
}

/* Rows of a source have the columns of its function in SQL: see compile_upsert(). */
static void
compile_omit(const Step *step, RowStep *rows)
{
	List	   *references;
	bool		whole;

	rows->keys = names_from_text(what(step, "fields"), step_text(step, "fields"));
	if (!step_yields_items(step->input))
		return;
	rows->tmpl = template_compile(source_template(step->root), TEMPLATE_JSON);
	references = template_references(rows->tmpl, &whole);
	step_read_fields(step->input, references, whole);
}

static Transform *
create_omit(const Step *step, const RowStep *rows, const FieldSet *input)
{
	Transform  *columns;

	if (rows->tmpl == NULL)
		return omit_create(step->name, rows->keys, input);
	columns = map_create(step->name, rows->tmpl, input);
	return chain_create(columns, omit_create(step->name, rows->keys, columns->fields));
}

static void
compile_json_path(const Step *step, RowStep *rows)
{
	rows->text = step_text(step, "path");
}

static Transform *
create_json_path(const Step *step, const RowStep *rows, const FieldSet *input)
{
	return json_path_create(step->name, rows->text, input);
}

static void
compile_aggregate(const Step *step, RowStep *rows)
{
	char	   *by = step_text(step, "by");
	List	   *paths;
	ListCell   *lc;

	rows->aggregates = aggregates_from_text(what(step, "aggregates"),
											step_text(step, "aggregates"));
	if (by)
		rows->keys = field_paths_from_text(what(step, "by"), by);
	paths = list_copy(rows->keys);
	foreach(lc, rows->aggregates)
	{
		Aggregate  *aggregate = lfirst(lc);

		if (aggregate->path)
			paths = lappend(paths, aggregate->path);
	}
	step_read_fields(step->input, field_path_references(paths), false);
}

static Transform *
create_aggregate(const Step *step, const RowStep *rows, const FieldSet *input)
{
	return aggregate_create(step->name, rows->aggregates, rows->keys, input);
}

static void
compile_reduce(const Step *step, RowStep *rows)
{
	rows->sql = step_text(step, "expression");
	rows->text = step_text(step, "initial");
	if (rows->text == NULL)
		rows->text = "{}";
}

static Transform *
create_reduce(const Step *step, const RowStep *rows, const FieldSet *input)
{
	return reduce_create(step->name, rows->sql, rows->text, input);
}

static void
compile_template(const Step *step, RowStep *rows)
{
	rows->tmpl = template_compile(step_text(step, "template"), TEMPLATE_TEXT);
}

static Transform *
create_template(const Step *step, const RowStep *rows, const FieldSet *input)
{
	return text_create(step->name, rows->tmpl, input);
}

static const RowStepType row_step_types[] = {
	{"filter", KEEPS_ITEMS | MAY_DROP_ALL, compile_filter, create_filter},
	{"sort", KEEPS_ITEMS | HOLDS_ROWS, compile_sort, create_sort},
	{"group_by", HOLDS_ROWS | RESHAPES | WHOLE_ROWS, compile_group_by, create_group_by},
	{"flatten", KEEPS_ITEMS | RESHAPES | MAY_DROP_ALL, compile_flatten, create_flatten},
	{"chunk", HOLDS_ROWS | RESHAPES | WHOLE_ROWS, compile_chunk, create_chunk},
	{"pick", 0, compile_pick, create_pick},
	{"omit", 0, compile_omit, create_omit},
	{"json_path", RESHAPES | WHOLE_ROWS | MAY_DROP_ALL, compile_json_path, create_json_path},
	{"aggregate", HOLDS_ROWS | RESHAPES | MAY_DROP_ALL, compile_aggregate, create_aggregate},
	{"reduce", HOLDS_ROWS | RESHAPES | WHOLE_ROWS | MAY_DROP_ALL, compile_reduce, create_reduce},
	{"template", HOLDS_ROWS | RESHAPES | WHOLE_ROWS | MAY_DROP_ALL, compile_template, create_template},
};

static const RowStepType *
row_step_type(const Step *step)
{
	for (Size i = 0; i < lengthof(row_step_types); i++)
	{
		if (strcmp(row_step_types[i].name, step->type->name) == 0)
			return &row_step_types[i];
	}
	elog(ERROR, "step kind \"%s\" makes no rows of rows", step->type->name);
}

static bool
has_flag(const Step *step, int flag)
{
	return step->type->kind == STEP_ROWS && (row_step_type(step)->flags & flag) != 0;
}

void
row_step_compile(Step *step)
{
	const RowStepType *type = row_step_type(step);

	step->rows = palloc0(sizeof(RowStep));
	type->compile(step, step->rows);
	if (type->flags & WHOLE_ROWS)
		step_read_fields(step->input, NIL, true);
}

Transform *
row_step_create(const Step *step, const FieldSet *input)
{
	return row_step_type(step)->create(step, step->rows, input);
}

void
row_step_check(const Step *step)
{
	Oid			filter_types[] = {JSONBARRAYOID};
	Oid			reduce_types[] = {JSONBOID, JSONBOID};

	if (step->rows->sql && strcmp(step->type->name, "filter") == 0)
		expression_prepare(filter_sql(step->rows->sql), 1, filter_types);
	else if (step->rows->sql)
		expression_prepare(reduce_sql(step->rows->sql), 2, reduce_types);
}

bool
row_step_keeps_items(const Step *step)
{
	return has_flag(step, KEEPS_ITEMS);
}

bool
step_holds_rows(const Step *step)
{
	return has_flag(step, HOLDS_ROWS);
}

bool
step_gathers_rows(const Step *step)
{
	return has_flag(step, HOLDS_ROWS) && has_flag(step, RESHAPES);
}

bool
step_reshapes(const Step *step)
{
	return step->streams || has_flag(step, RESHAPES) || has_flag(step, HOLDS_ROWS);
}

bool
step_may_drop_all(const Step *step)
{
	return step->streams || has_flag(step, MAY_DROP_ALL);
}
