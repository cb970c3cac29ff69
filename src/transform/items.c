/*
 * items.c
 *		The transforms as functions for psql: resolute.filter_items() and the like.
 *
 * Each takes a JSON array of objects and returns rows.  There are no dead letters here, so a row
 * that cannot be handled is an error.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "rows/names.h"
#include "transform/expression.h"
#include "transform/field_path.h"
#include "transform/transform.h"

PG_FUNCTION_INFO_V1(resolute_merge_items);

/* Makes the transform out of the arguments after the first one. */
typedef Transform *(*MakeTransform) (FunctionCallInfo fcinfo, const FieldSet *input);

/* What is still to be returned. */
typedef struct ItemsCall
{
	List	   *batches;		/* of RowBatch * */
	int			row;			/* of the first one */
} ItemsCall;

/* An argument as text; raises 22004 for null. */
static char *
arg_text(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("parameter \"%s\" must not be null", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static void
check_failures(const PageContext *page)
{
	RowFailure *failure;

	if (page->failures == NIL)
		return;
	failure = linitial(page->failures);
	ereport(ERROR,
			(errcode(failure->sqlerrcode),
			 errmsg("%s", failure->message)));
}

/* The items; none at all is what jsonb_agg() makes of no rows. */
static RowBatch *
items_batch(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		return batch_from_jsonb_array(DirectFunctionCall1(jsonb_in, CStringGetDatum("[]")));
	return batch_from_jsonb_array(PG_GETARG_DATUM(0));
}

/* All that the transform makes of the items, in the current context. */
static List *
transform_items(FunctionCallInfo fcinfo, MakeTransform make)
{
	RowBatch   *batch = items_batch(fcinfo);
	Transform  *transform = make(fcinfo, batch->fields);
	PageContext *page = palloc0(sizeof(PageContext));
	StepCounts	counts = {0};
	List	   *batches = NIL;

	page->context = CurrentMemoryContext;
	page->now = GetCurrentTransactionStartTimestamp();
	batches = lappend(batches, transform->process(transform, batch, page, &counts));
	check_failures(page);
	if (transform->keep)
		transform->keep(transform);
	while (transform->finish && (batch = transform->finish(transform, page)) != NULL)
		batches = lappend(batches, batch);
	return batches;
}

/* The same with a connection to SPI, which SQL expressions need. */
static ItemsCall *
begin_items(FunctionCallInfo fcinfo, MemoryContext context, MakeTransform make)
{
	MemoryContext caller = CurrentMemoryContext;
	ItemsCall  *items;

	SPI_connect();
	MemoryContextSwitchTo(context);
	items = palloc0(sizeof(ItemsCall));
	items->batches = transform_items(fcinfo, make);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return items;
}

/* The next row; false at the end. */
static bool
next_item(ItemsCall *items, Datum *result)
{
	while (items->batches != NIL)
	{
		const RowBatch *batch = linitial(items->batches);

		if (items->row < batch->nrows)
		{
			*result = row_jsonb(batch->fields, &batch->rows[items->row++]);
			return true;
		}
		items->batches = list_delete_first(items->batches);
		items->row = 0;
	}
	return false;
}

static Datum
return_items(FunctionCallInfo fcinfo, MakeTransform make)
{
	FuncCallContext *call;
	MemoryContext caller;
	Datum		result;
	bool		found;

	if (SRF_IS_FIRSTCALL())
	{
		call = SRF_FIRSTCALL_INIT();
		call->user_fctx = begin_items(fcinfo, call->multi_call_memory_ctx, make);
	}
	call = SRF_PERCALL_SETUP();
	caller = CurrentMemoryContext;
	found = next_item(call->user_fctx, &result);
	MemoryContextSwitchTo(caller);
	if (found)
		SRF_RETURN_NEXT(call, result);
	SRF_RETURN_DONE(call);
}

/* The SQL function of the transform that make_<name>() makes. */
#define ITEMS_FUNCTION(name) \
	PG_FUNCTION_INFO_V1(resolute_##name##_items); \
	Datum \
	resolute_##name##_items(PG_FUNCTION_ARGS) \
	{ \
		return return_items(fcinfo, make_##name); \
	}

/* keep => 'first' or 'last' */
static bool
keep_is_first(const char *word)
{
	if (strcmp(word, "first") != 0 && strcmp(word, "last") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"keep\" of unique_items must not be \"%s\"", word),
				 errhint("Use 'first' or 'last'.")));
	return strcmp(word, "first") == 0;
}

static Transform *
make_unique(FunctionCallInfo fcinfo, const FieldSet *input)
{
	List	   *keys = names_from_text("key of unique_items", arg_text(fcinfo, 1, "key"));

	return unique_create("unique_items", keys, keep_is_first(arg_text(fcinfo, 2, "keep")), input);
}

ITEMS_FUNCTION(unique)

static Transform *
make_filter(FunctionCallInfo fcinfo, const FieldSet *input)
{
	char	   *condition = arg_text(fcinfo, 1, "condition");

	if (condition_is_sql(condition))
		return filter_create("filter_items", NULL, condition, input);
	return filter_create("filter_items", condition_compile(condition), NULL, input);
}

ITEMS_FUNCTION(filter)

/* The same for a transform of one argument, which is a text that parse() reads. */
#define ONE_ARGUMENT_FUNCTION(name, argument, parse, create) \
	static Transform * \
	make_##name(FunctionCallInfo fcinfo, const FieldSet *input) \
	{ \
		return create(#name "_items", \
					  parse(argument " of " #name "_items", arg_text(fcinfo, 1, argument)), input); \
	} \
	ITEMS_FUNCTION(name)

ONE_ARGUMENT_FUNCTION(sort, "by", sort_keys_from_text, sort_create)
ONE_ARGUMENT_FUNCTION(group_by, "key", field_paths_from_text, group_create)
ONE_ARGUMENT_FUNCTION(flatten, "path", field_path_make, flatten_create)
ONE_ARGUMENT_FUNCTION(pick, "fields", field_paths_from_text, pick_create)
ONE_ARGUMENT_FUNCTION(omit, "fields", names_from_text, omit_create)

static Transform *
make_chunk(FunctionCallInfo fcinfo, const FieldSet *input)
{
	if (PG_ARGISNULL(1) || PG_GETARG_INT32(1) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("size of chunk_items must be greater than zero")));
	return chunk_create("chunk_items", PG_GETARG_INT32(1), input);
}

ITEMS_FUNCTION(chunk)

static Transform *
make_json_path(FunctionCallInfo fcinfo, const FieldSet *input)
{
	return json_path_create("json_path_items", arg_text(fcinfo, 1, "path"), input);
}

ITEMS_FUNCTION(json_path)

static Transform *
make_aggregate(FunctionCallInfo fcinfo, const FieldSet *input)
{
	List	   *aggregates = aggregates_from_text("aggregates of aggregate_items",
												  arg_text(fcinfo, 1, "aggregates"));
	List	   *keys = PG_ARGISNULL(2) ? NIL :
		field_paths_from_text("by of aggregate_items", arg_text(fcinfo, 2, "by"));

	return aggregate_create("aggregate_items", aggregates, keys, input);
}

ITEMS_FUNCTION(aggregate)

static Transform *
make_reduce(FunctionCallInfo fcinfo, const FieldSet *input)
{
	char	   *initial = PG_ARGISNULL(2) ? "null" :
		DatumGetCString(DirectFunctionCall1(jsonb_out, PG_GETARG_DATUM(2)));

	return reduce_create("reduce_items", arg_text(fcinfo, 1, "expression"), initial, input);
}

ITEMS_FUNCTION(reduce)

static Transform *
make_template(FunctionCallInfo fcinfo, const FieldSet *input)
{
	return text_create("template_items",
					   template_compile(arg_text(fcinfo, 1, "template"), TEMPLATE_TEXT), input);
}

ITEMS_FUNCTION(template)

/* The items of all arrays, one array after the other. */
Datum
resolute_merge_items(PG_FUNCTION_ARGS)
{
	FuncCallContext *call;
	Datum		result;

	if (SRF_IS_FIRSTCALL())
	{
		ItemsCall  *items;
		MemoryContext caller;
		Datum	   *arrays;
		bool	   *nulls;
		int			n;

		call = SRF_FIRSTCALL_INIT();
		caller = MemoryContextSwitchTo(call->multi_call_memory_ctx);
		items = palloc0(sizeof(ItemsCall));
		deconstruct_array(PG_GETARG_ARRAYTYPE_P_COPY(0), JSONBOID, -1, false, TYPALIGN_INT,
						  &arrays, &nulls, &n);
		for (int i = 0; i < n; i++)
		{
			if (!nulls[i])
				items->batches = lappend(items->batches, batch_from_jsonb_array(arrays[i]));
		}
		call->user_fctx = items;
		MemoryContextSwitchTo(caller);
	}
	call = SRF_PERCALL_SETUP();
	if (next_item(call->user_fctx, &result))
		SRF_RETURN_NEXT(call, result);
	SRF_RETURN_DONE(call);
}
