/*
 * template_row.c
 *		Rows of templates that are columns: fields are passed on as slices, and
 *		only what must be made is executed.
 */
#include "postgres.h"

#include "transform/template_exec.h"

/* In quotes everything but null becomes a string that reads the same. */
static Value
quoted_value(Value value)
{
	switch ((ValueKind) value.kind)
	{
		case VALUE_MISSING:
		case VALUE_NULL:
			return value_null();
		case VALUE_STRING:
			return value;
		default:
			return value_string(value.data, value.len);
	}
}

/* Strings that functions made may hold bytes that are no UTF-8. */
static Value
valid_string(Value value)
{
	Size		len = value.len;

	if (value.kind != VALUE_STRING)
		return value;
	value.data = json_valid_utf8(value.data, &len);
	value.len = len;
	return value;
}

/* What is there already is passed on as it is; false if it must be made. */
static inline bool
copy_column(const TmplColumn *column, const Row *row, Value *out)
{
	if (column->before != NIL)
		return false;
	if (column->kind == COLUMN_CONSTANT)
	{
		*out = column->constant;
		return true;
	}
	if (column->kind != COLUMN_FIELD || !column_is_bound(column))
		return false;
	*out = row->values[column->reference->field];
	if (column->quoted || out->kind == VALUE_MISSING)
		*out = quoted_value(*out);
	return true;
}

static Value
hole_value(Exec *exec, const TmplColumn *column)
{
	TmplValue	dot = exec_row(exec);
	TmplValue	value = eval_pipeline(exec, &dot, column->action->pipe);
	Value		result;

	exec->node = column->action;
	value.is_json = value.is_json && !column->quoted;
	result = valid_string(tmpl_to_value(exec, &value));
	return column->quoted ? quoted_value(result) : result;
}

static Value
rendered_value(Exec *exec, const TmplColumn *column)
{
	StringInfoData out;
	Value		result;

	initStringInfo(&out);
	exec->out = &out;
	exec_document(exec, column->nodes);
	exec->out = NULL;
	if (!json_document(out.data, out.len, &result))
		exec_error(exec, ERRCODE_INVALID_TEXT_REPRESENTATION, "result is not JSON");
	return result;
}

static void
declare(Exec *exec, List *nodes)
{
	TmplValue	dot = exec_row(exec);

	if (nodes != NIL)
		exec_list(exec, &dot, nodes);
}

/* One column that is not simply there. */
static Value
column_value(Exec *exec, const TmplColumn *column)
{
	declare(exec, column->before);
	switch (column->kind)
	{
		case COLUMN_CONSTANT:
			return column->constant;
		case COLUMN_RENDERED:
			return rendered_value(exec, column);
		default:
			return hole_value(exec, column);
	}
}

/* The columns from first on, and what is declared behind them. */
static void
execute_columns(Template *tmpl, const Row *row, TimestampTz now, int first, Value *out)
{
	Exec		exec;

	exec_init(&exec, tmpl, row, now, NULL);
	exec_begin(&exec);
	for (int i = first; i < tmpl->fields->nfields; i++)
		if (!copy_column(&tmpl->columns[i], row, &out[i]))
			out[i] = column_value(&exec, &tmpl->columns[i]);
	declare(&exec, tmpl->after);
	exec_end(&exec);
	pfree(exec.variables);
}

void
template_row(Template *tmpl, const Row *row, TimestampTz now, Value *out)
{
	int			n = tmpl->fields->nfields;

	for (int i = 0; i < n; i++)
		if (!copy_column(&tmpl->columns[i], row, &out[i]))
		{
			execute_columns(tmpl, row, now, i, out);
			return;
		}
	if (tmpl->after != NIL)
		execute_columns(tmpl, row, now, n, out);
}
