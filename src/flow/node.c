/*
 * node.c
 *		Functions that nodes call: with an output, with a page of rows, or with
 *		each row.
 */
#include "flow/node.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "resolute.h"
#include "rows/json.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "transform/expression.h"
#include "transform/row_work.h"

#define NODE_HINT \
	"A node calls a function f(jsonb) or f(jsonb, state jsonb) that returns jsonb or, for each row, setof jsonb."

/* ------------------------------------------------------------------------
 * Which function?
 * ------------------------------------------------------------------------
 */

/* A function as a node may call it. */
typedef struct NodeFunction
{
	const char *call;			/* "schema.f", quoted */
	bool		with_state;		/* f(jsonb, state jsonb) */
	bool		set;			/* returns setof jsonb: called for each row */
} NodeFunction;

static NodeFunction
describe_function(const char *name, Oid function, int nargs)
{
	NodeFunction result;

	if (get_func_rettype(function) != JSONBOID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function %s(%s) does not return jsonb", name,
						nargs == 1 ? "jsonb" : "jsonb, jsonb"),
				 errhint(NODE_HINT)));
	result.call = quote_qualified_identifier(get_namespace_name(get_func_namespace(function)),
											 get_func_name(function));
	result.with_state = nargs == 2;
	result.set = get_func_retset(function);
	return result;
}

/* The function of that name: the one of one parameter where there are both.  Raises 42883 or 42P13. */
static NodeFunction
node_function(const char *name)
{
	List	   *names = qualified_name_list(name);
	Oid			types[] = {JSONBOID, JSONBOID};

	for (int nargs = 1; nargs <= 2; nargs++)
	{
		Oid			function = LookupFuncName(names, nargs, types, true);

		if (OidIsValid(function))
			return describe_function(name, function, nargs);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("function %s(jsonb) does not exist", name),
			 errhint(NODE_HINT)));
}

/* The function with so many parameters of jsonb in a schema: 1 if it returns a set, 0 if not, -1 without one. */
static int
set_in_schema(Oid schema, const char *name, int nargs)
{
	Oid			types[] = {JSONBOID, JSONBOID};
	oidvector  *arguments = buildoidvector(types, nargs);
	HeapTuple	tuple = SearchSysCache3(PROCNAMEARGSNSP, CStringGetDatum(name),
										PointerGetDatum(arguments), ObjectIdGetDatum(schema));
	int			result;

	if (!HeapTupleIsValid(tuple))
		return -1;
	result = ((Form_pg_proc) GETSTRUCT(tuple))->proretset ? 1 : 0;
	ReleaseSysCache(tuple);
	return result;
}

bool
node_function_is_set(const char *name)
{
	char	   *schema;
	char	   *function;
	List	   *schemas;
	ListCell   *lc;

	DeconstructQualifiedName(qualified_name_list(name), &schema, &function);
	schemas = schema ? list_make1_oid(get_namespace_oid(schema, true)) : fetch_search_path(true);
	for (int nargs = 1; nargs <= 2; nargs++)
	{
		foreach(lc, schemas)
		{
			int			set = set_in_schema(lfirst_oid(lc), function, nargs);

			if (set >= 0)
				return set == 1;
		}
	}
	return false;
}

void
node_check(const Step *step)
{
	NodeFunction function = node_function(step_text(step, "function"));

	if (function.set && step->root == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function %s returns a set, but node \"%s\" has no rows to call it with",
						function.call, step->name),
				 errhint("Name a step that yields rows as input; or let the function return one jsonb.")));
	if (!function.set && step->streams)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function %s returns one jsonb, but rows are read of node \"%s\"",
						function.call, step->name),
				 errhint("A node yields rows if its function returns setof jsonb for each row that it is given.")));
}

/* ------------------------------------------------------------------------
 * Called once, or with a page
 * ------------------------------------------------------------------------
 */

char *
node_call(Run *run, const Step *step, Datum argument)
{
	NodeFunction function = node_function(step_text(step, "function"));
	Oid			types[] = {JSONBOID, JSONBOID};
	Datum		values[] = {argument, 0};
	char	   *result;

	if (function.with_state)
		values[1] = run_jsonb(run_state(run));
	if (SPI_execute_with_args(psprintf("SELECT %s(%s)", function.call,
									   function.with_state ? "$1, $2" : "$1"),
							  function.with_state ? 2 : 1, types, values, NULL,
							  false, 1) != SPI_OK_SELECT)
		elog(ERROR, "call of a node is no query");
	if (SPI_processed == 0)
		return NULL;
	result = result_text(0, 1);
	return result ? pg_server_to_any(result, strlen(result), PG_UTF8) : NULL;
}

/* The sum of two JSON numbers, as text. */
static char *
add_numbers(const Value *a, const Value *b)
{
	Datum		x = DirectFunctionCall3(numeric_in, CStringGetDatum(value_cstring(a)),
										ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	Datum		y = DirectFunctionCall3(numeric_in, CStringGetDatum(value_cstring(b)),
										ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	return DatumGetCString(DirectFunctionCall1(numeric_out,
											   DirectFunctionCall2(numeric_add, x, y)));
}

/* Append a member of the merged object. */
static void
append_member(StringInfo out, const Value *key, const char *text)
{
	appendStringInfoString(out, out->len > 1 ? ", \"" : "\"");
	appendBinaryStringInfo(out, key->data, key->len);
	appendStringInfo(out, "\": %s", text);
}

static char *
value_text_json(const Value *value)
{
	StringInfoData out;

	initStringInfo(&out);
	value_append_json(&out, value);
	return out.data;
}

static char *merge_values(const Value *before, const Value *now);

/* The members of both objects. */
static char *
merge_objects(const Value *before, const Value *now)
{
	StringInfoData out;
	Value		key,
				value;
	JsonIter	it;

	check_stack_depth();
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	for (it = json_iter(before); json_next(&it, &key, &value);)
	{
		Value		name = value_unescaped(&key);
		Value		other = json_member(now, name.data, name.len, false);

		append_member(&out, &key, merge_values(&value, other.kind == VALUE_MISSING ? NULL : &other));
	}
	for (it = json_iter(now); json_next(&it, &key, &value);)
	{
		Value		name = value_unescaped(&key);

		if (json_member(before, name.data, name.len, false).kind == VALUE_MISSING)
			append_member(&out, &key, value_text_json(&value));
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}

static bool
is_object(const Value *value)
{
	return value->kind == VALUE_JSON && *value->data == '{';
}

/* Numbers add up, also within objects; of anything else the later value counts. */
static char *
merge_values(const Value *before, const Value *now)
{
	if (now == NULL)
		return value_text_json(before);
	if (before->kind == VALUE_NUMBER && now->kind == VALUE_NUMBER)
		return add_numbers(before, now);
	if (is_object(before) && is_object(now))
		return merge_objects(before, now);
	return value_text_json(now);
}

/* What a node returned for earlier pages and for this one. */
static char *
merge_outputs(const char *before, const char *now)
{
	Value		old,
				new;

	if (before == NULL || !json_document(before, strlen(before), &old) ||
		!json_document(now, strlen(now), &new))
		return pstrdup(now);
	return merge_values(&old, &new);
}

/* The rows of a page as an array. */
static Datum
page_array(const RowBatch *batch)
{
	StringInfoData items;

	initStringInfo(&items);
	appendStringInfoChar(&items, '[');
	for (int i = 0; i < batch->nrows; i++)
	{
		if (i > 0)
			appendStringInfoChar(&items, ',');
		row_append_json(&items, batch->fields, &batch->rows[i]);
	}
	appendStringInfoChar(&items, ']');
	return run_jsonb(items.data);
}

/* ------------------------------------------------------------------------
 * Called with each row
 * ------------------------------------------------------------------------
 */

typedef struct NodeRows
{
	Transform	base;			/* must be first */
	MemoryContext context;
	Run		   *run;
	const Step *node;
	NodeFunction function;
	SPIPlanPtr	plan;			/* once it was needed */
} NodeRows;

typedef struct NodeWork
{
	RowWork		work;			/* must be first */
	int			settled;		/* rows of out that stay whatever fails */
	Datum		state;
} NodeWork;

/* Call the function with a range of rows. */
static void
call_range(void *arg, int from, int nrows)
{
	NodeWork   *nw = arg;
	RowWork    *work = &nw->work;
	MemoryContext caller = CurrentMemoryContext;
	Datum		values[] = {rows_jsonb_array(work->in, from, nrows), nw->state};
	int			result = SPI_execute_plan(((NodeRows *) work->self)->plan, values, NULL, false, 0);
	SPITupleTable *table = SPI_tuptable;
	int64		last = 0;
	int			yielded = 0;

	if (result != SPI_OK_SELECT)
		elog(ERROR, "call of a node: %s", SPI_result_code_string(result));
	MemoryContextSwitchTo(caller);
	work->out->nrows = nw->settled;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		int64		number = DatumGetInt64(SPI_getbinval(table->vals[i], table->tupdesc, 1, &isnull));
		Datum		document = SPI_getbinval(table->vals[i], table->tupdesc, 2, &isnull);

		if (isnull)
			continue;
		yielded += number != last;
		last = number;
		row_set_document(batch_add(work->out), document, &work->in->rows[from + number - 1]);
	}
	SPI_freetuptable(table);
	nw->settled = work->out->nrows;
	work->counts->filtered += nrows - yielded;
}

/* In the select list, so that the function is called row by row, in order. */
static void
prepare_call(NodeRows *self)
{
	Oid			types[] = {JSONBARRAYOID, JSONBOID};
	MemoryContext caller = MemoryContextSwitchTo(self->context);

	self->function = node_function(step_text(self->node, "function"));
	node_check(self->node);
	self->plan = expression_prepare(psprintf("SELECT row_number, %s(item%s) FROM pg_catalog.unnest($1)"
											 " WITH ORDINALITY AS s (item, row_number)",
											 self->function.call,
											 self->function.with_state ? ", $2" : ""), 2, types);
	MemoryContextSwitchTo(caller);
}

static RowBatch *
node_rows_process(Transform *transform, RowBatch *in, PageContext *page, StepCounts *counts)
{
	NodeRows   *self = (NodeRows *) transform;
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	NodeWork	nw = {{transform, page, in, NULL, counts}, 0, 0};

	if (self->plan == NULL)
		prepare_call(self);
	nw.work.out = batch_create(transform->fields, in->nrows);
	nw.state = run_jsonb(self->function.with_state ? run_state(self->run) : "null");
	guard_ranges(in->nrows, call_range, work_failed, &nw);
	nw.work.out->nrows = nw.settled;
	counts->rows_in += in->nrows;
	counts->rows_out += nw.settled;
	MemoryContextSwitchTo(caller);
	return nw.work.out;
}

Transform *
node_rows_create(Run *run, const Step *step)
{
	NodeRows   *self = palloc0(sizeof(NodeRows));
	FieldSet   *fields = fieldset_create(0);

	fields->is_item = true;
	self->base.step = step->name;
	self->base.fields = fields;
	self->base.process = node_rows_process;
	self->context = CurrentMemoryContext;
	self->run = run;
	self->node = step;
	return &self->base;
}

/* ------------------------------------------------------------------------
 * Sinks
 * ------------------------------------------------------------------------
 */

/* Each row to a function that returns rows, which nobody reads: count them. */
static char *
count_rows(Run *run, Step *step, RowBatch *batch, PageContext *page)
{
	StepState  *state = step_state(run, step);
	Transform  *rows = node_rows_create(run, step);
	StepCounts	counts = {0};
	RowBatch   *out = rows->process(rows, batch, page, &counts);

	state->staged.counts.failed += counts.failed;
	return psprintf("{\"rows\": %d}", out->nrows);
}

void
node_page(Run *run, Step *step, RowBatch *batch, PageContext *page)
{
	StepState  *state = step_state(run, step);
	char	   *result;

	if (batch->nrows == 0)
		return;
	if (node_function(step_text(step, "function")).set)
		result = count_rows(run, step, batch, page);
	else
		result = node_call(run, step, page_array(batch));
	if (result)
		state->staged_output = MemoryContextStrdup(run->context,
												   merge_outputs(state->output, result));
}
