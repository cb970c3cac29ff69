/*
 * aggregate.c
 *		Aggregates of SQL over all rows, or over those of each group.
 *
 * Only the keys and what is aggregated are kept aside.  As in SQL, nulls do not count, and what there
 * is nothing of is null.
 */
#include "transform/collect.h"

#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "rows/json.h"
#include "transform/expression.h"
#include "transform/row_work.h"

typedef struct AggregateStep
{
	Collector	base;			/* must be first */
	List	   *inputs;			/* of FieldPath *: keys, then what is aggregated */
	int			nkeys;
	List	   *keys;			/* of FieldPath *, among the rows kept aside */
	List	   *aggregates;		/* of Aggregate * */
	FieldSet   *taken;			/* keys, then one for each aggregate */
} AggregateStep;

/* One aggregate of the group at hand. */
typedef struct Accumulator
{
	int64		count;
	Datum		value;			/* numeric, or jsonb of min and max */
	StringInfoData items;		/* of array_agg */
} Accumulator;

/* The groups on their way into the result. */
typedef struct Aggregation
{
	AggregateStep *step;
	GroupKeys	keys;
	Accumulator *accumulators;
	Spool	   *result;
} Aggregation;

/* ------------------------------------------------------------------------
 * Taking rows in
 * ------------------------------------------------------------------------
 */

/* What a value is as a number; raises 22P02 for what is none, and 22003. */
static Value
numeric_value(const Value *value)
{
	Datum		number;
	char	   *text;

	if (value_is_null(value))
		return value_null();
	number = DirectFunctionCall3(numeric_in, CStringGetDatum(value_cstring(value)),
								 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	text = DatumGetCString(DirectFunctionCall1(numeric_out, number));
	if (strchr("0123456789", text[text[0] == '-']) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("cannot aggregate \"%s\"", text)));
	return value_make(VALUE_NUMBER, text, strlen(text));
}

static void
take_row(void *arg, int i)
{
	RowWork    *work = arg;
	AggregateStep *step = (AggregateStep *) work->self;
	Value	   *values = palloc0(sizeof(Value) * Max(step->taken->nfields, 1));
	Row		   *out;
	ListCell   *lc;
	int			n = 0;

	foreach(lc, step->inputs)
	{
		if (lfirst(lc))
			values[n] = field_path_value(lfirst(lc), &work->in->rows[i]);
		n++;
	}
	n = step->nkeys;
	foreach(lc, step->aggregates)
	{
		AggregateKind kind = ((Aggregate *) lfirst(lc))->kind;

		if (kind == AGGREGATE_SUM || kind == AGGREGATE_AVG)
			values[n] = numeric_value(&values[n]);
		n++;
	}
	out = batch_add(work->out);
	out->values = values;
}

static RowBatch *
aggregate_take(Collector *collector, RowBatch *in, PageContext *page, StepCounts *counts)
{
	RowWork		work = {&collector->base, page, in, NULL, counts};

	work.out = batch_create(((AggregateStep *) collector)->taken, in->nrows);
	guard_rows(in->nrows, take_row, work_failed, &work);
	return work.out;
}

/* ------------------------------------------------------------------------
 * The result
 * ------------------------------------------------------------------------
 */

/* Replace the value of an accumulator by a copy of another one. */
static void
set_value(Accumulator *accumulator, Datum value)
{
	if (accumulator->value)
		pfree(DatumGetPointer(accumulator->value));
	accumulator->value = datumCopy(value, false, -1);
}

static void
add_numeric(Accumulator *accumulator, const Value *value)
{
	Datum		number = DirectFunctionCall3(numeric_in, CStringGetDatum(value_cstring(value)),
											 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	if (accumulator->value)
		number = DirectFunctionCall2(numeric_add, accumulator->value, number);
	set_value(accumulator, number);
}

static void
add_extreme(Accumulator *accumulator, const Value *value, int sign)
{
	Datum		other = value_jsonb(value);

	if (accumulator->value == 0 ||
		sign * compareJsonbContainers(&DatumGetJsonbP(other)->root,
									  &DatumGetJsonbP(accumulator->value)->root) > 0)
		set_value(accumulator, other);
}

/* Values are what outlives the row, so they go into the context of the group. */
static void
add_value(Accumulator *accumulator, AggregateKind kind, const Value *value)
{
	if (kind == AGGREGATE_ARRAY)
	{
		if (accumulator->count++ > 0)
			appendStringInfoString(&accumulator->items, ", ");
		value_append_json(&accumulator->items, value);
		return;
	}
	if (value_is_null(value))
		return;
	accumulator->count++;
	if (kind == AGGREGATE_SUM || kind == AGGREGATE_AVG)
		add_numeric(accumulator, value);
	else if (kind != AGGREGATE_COUNT)
		add_extreme(accumulator, value, kind == AGGREGATE_MAX ? 1 : -1);
}

static void
append_numeric(StringInfo out, Datum number)
{
	appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(numeric_out, number)));
}

static void
append_result(StringInfo out, const Aggregate *aggregate, const Accumulator *accumulator)
{
	Value		value;

	append_name(out, aggregate->name);
	if (aggregate->kind == AGGREGATE_COUNT)
		appendStringInfo(out, INT64_FORMAT, accumulator->count);
	else if (accumulator->count == 0)
		appendStringInfoString(out, "null");
	else if (aggregate->kind == AGGREGATE_ARRAY)
		appendStringInfo(out, "[%s]", accumulator->items.data);
	else if (aggregate->kind == AGGREGATE_SUM)
		append_numeric(out, accumulator->value);
	else if (aggregate->kind == AGGREGATE_AVG)
		append_numeric(out, DirectFunctionCall2(numeric_div, accumulator->value,
												DirectFunctionCall1(int8_numeric, Int64GetDatum(accumulator->count))));
	else
	{
		value = jsonb_to_value(accumulator->value);
		value_append_json(out, &value);
	}
}

static void
put_group(Aggregation *aggregation)
{
	AggregateStep *step = aggregation->step;
	const FieldSet *fields = step->base.base.fields;
	StringInfoData out;
	ListCell   *lc;
	int			n = 0;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	append_key_members(&out, fields, &aggregation->keys);
	foreach(lc, step->aggregates)
		append_result(&out, lfirst(lc), &aggregation->accumulators[n++]);
	appendStringInfoChar(&out, '}');
	spool_put_object(aggregation->result, fields, &out);
}

/* The group of this row begins; NULL: that of all rows. */
static void
begin_group(Aggregation *aggregation, const Row *row)
{
	int			n = list_length(aggregation->step->aggregates);
	MemoryContext caller;

	group_keys_take(&aggregation->keys, row);
	caller = MemoryContextSwitchTo(aggregation->keys.context);
	aggregation->accumulators = palloc0(sizeof(Accumulator) * n);
	for (int i = 0; i < n; i++)
		initStringInfo(&aggregation->accumulators[i].items);
	MemoryContextSwitchTo(caller);
}

static void
aggregate_row(void *arg, const Row *row)
{
	Aggregation *aggregation = arg;
	AggregateStep *step = aggregation->step;
	Value		one = value_make(VALUE_BOOL, "true", 4);
	ListCell   *lc;
	int			n = 0;

	if (aggregation->keys.begun && !group_keys_match(&aggregation->keys, row))
	{
		put_group(aggregation);
		aggregation->keys.begun = false;
	}
	if (!aggregation->keys.begun)
		begin_group(aggregation, row);
	foreach(lc, step->aggregates)
	{
		const Aggregate *aggregate = lfirst(lc);
		MemoryContext caller = CurrentMemoryContext;
		const Value *value = aggregate->path ? &row->values[step->nkeys + n] : &one;

		if (aggregate->kind != AGGREGATE_ARRAY)
			MemoryContextSwitchTo(aggregation->keys.context);
		add_value(&aggregation->accumulators[n++], aggregate->kind, value);
		MemoryContextSwitchTo(caller);
	}
}

static Spool *
aggregate_conclude(Collector *collector, PageContext *page pg_attribute_unused())
{
	AggregateStep *step = (AggregateStep *) collector;
	Aggregation aggregation = {.step = step, .result = spool_create(collector->base.fields)};
	Spool	   *rows = step->keys ? collector_sorted(collector, step->keys) : collector->rows;

	group_keys_init(&aggregation.keys, step->keys);
	spool_each(rows, aggregate_row, &aggregation);

	/* Without keys there is a result of no rows, too. */
	if (!aggregation.keys.begun && step->keys == NIL)
		begin_group(&aggregation, NULL);
	if (aggregation.keys.begun)
		put_group(&aggregation);
	return aggregation.result;
}

/* ------------------------------------------------------------------------
 * The step
 * ------------------------------------------------------------------------
 */

/* The fields of the rows kept aside, and the keys among them. */
static void
describe_rows(AggregateStep *self)
{
	int			n = 0;

	self->taken = fieldset_create(list_length(self->inputs));
	for (n = 0; n < self->taken->nfields; n++)
		self->taken->fields[n].name = psprintf("%d", n + 1);
	for (n = 0; n < self->nkeys; n++)
	{
		FieldPath  *key = palloc0(sizeof(FieldPath));

		key->text = self->taken->fields[n].name;
		key->field = n;
		key->taken = strlen(key->text);
		self->keys = lappend(self->keys, key);
	}
}

Transform *
aggregate_create(const char *step, List *aggregates, List *keys, const FieldSet *input)
{
	AggregateStep *self = palloc0(sizeof(AggregateStep));
	List	   *names = field_path_references(keys);
	ListCell   *lc;

	self->aggregates = aggregates;
	self->nkeys = list_length(keys);
	self->inputs = list_copy(keys);
	field_paths_bind(keys, psprintf("by of step \"%s\"", step), input);
	foreach(lc, aggregates)
	{
		Aggregate  *aggregate = lfirst(lc);

		names = lappend(names, pstrdup(aggregate->name));
		self->inputs = lappend(self->inputs, aggregate->path);
		if (aggregate->path)
			field_path_bind(aggregate->path, psprintf("aggregates of step \"%s\"", step), input);
	}
	describe_rows(self);
	collector_init(&self->base, step, self->taken, fieldset_of_names(step, names));
	self->base.take = aggregate_take;
	self->base.conclude = aggregate_conclude;
	return &self->base.base;
}
