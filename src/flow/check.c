/*
 * check.c
 *		Checks of a flow that look at the database.
 */
#include "flow/check.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "compat.h"
#include "cursor/storage.h"
#include "flow/node.h"
#include "flow/row_step.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "parser/parser.h"
#include "rows/json.h"
#include "source/server.h"
#include "source/source.h"
#include "target/target.h"
#include "transform/transform.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

/* What is known of a source's fields before it is opened. */
static FieldSet *
expected_fields(const Step *fetch)
{
	const char *cursor_field = source_cursor_field(fetch->type->provider);
	FieldSet   *fields = fieldset_create(list_length(fetch->references));
	ListCell   *lc;
	int			i = 0;

	fields->is_item = true;
	foreach(lc, fetch->references)
	{
		const char *name = lfirst(lc);

		fields->fields[i].name = name;
		if (names_agree(name, strlen(name), cursor_field, strlen(cursor_field)))
			fields->fields[i].flags = FIELD_CURSOR;
		i++;
	}
	return fields;
}

/* The fields of a merge, or NULL where those of an input are not known. */
static const FieldSet *
merged_fields(const Step *step)
{
	const FieldSet **inputs = palloc(sizeof(FieldSet *) * list_length(step->inputs));
	ListCell   *lc;
	int			n = 0;

	foreach(lc, step->inputs)
	{
		inputs[n] = step_fields(lfirst(lc));
		if (inputs[n++] == NULL)
			return NULL;
	}
	return merge_fields(n, inputs);
}

/* The fields of a step's rows; those of documents that can be anything are items. */
static const FieldSet *
known_fields(const Step *step)
{
	const FieldSet *fields = step_fields(step);
	FieldSet   *none;

	if (fields)
		return fields;
	none = fieldset_create(0);
	none->is_item = true;
	return none;
}

const FieldSet *
step_fields(const Step *step)
{
	const FieldSet *input;

	switch (step->type->kind)
	{
		case STEP_FETCH:
			return expected_fields(step);
		case STEP_UNIQUE:
			return step_fields(step->input);
		case STEP_MERGE:
			return merged_fields(step);
		case STEP_ROWS:
			return row_step_create(step, known_fields(step->input))->fields;
		case STEP_NODE:
			return node_rows_create(NULL, step)->fields;
		case STEP_MAP:
		case STEP_UPSERT:
			if (step->tmpl == NULL)
				return step_fields(step->input);
			input = step_fields(step->input);
			if (input == NULL)
				return NULL;
			template_bind(step->tmpl, input);
			return template_columns(step->tmpl);
		default:
			return NULL;
	}
}

/* The keys of unique() must be fields that the map makes. */
static void
check_unique(const Step *step)
{
	const FieldSet *fields = step_fields(step->input);

	if (fields && !fields->is_item)
		unique_create(step->name, step->keys, step->keep_first, fields);
}

/* Check the target as far as it exists already. */
static void
check_upsert(const Step *step, bool missing_ok, bool quiet)
{
	UpsertSpec	spec = {step->name, step_text(step, "target"), step->keys,
	step_text(step, "version"), quiet};
	const FieldSet *fields = step_fields(step);

	if (fields && !fields->is_item)
		upsert_check(upsert_create(&spec, fields), missing_ok);
}

/* A statement of sql() must be one statement that may run in a transaction. */
static void
check_statement(const char *statement)
{
	List	   *parsed = parse_statements(statement);
	Node	   *node;

	if (list_length(parsed) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("resolute.sql() takes one statement, not %d", list_length(parsed)),
				 errhint("Use one resolute.sql() for each statement.")));
	node = linitial_node(RawStmt, parsed)->stmt;
	if (IsA(node, TransactionStmt) || IsA(node, CallStmt) || IsA(node, CopyStmt) ||
		(IsA(node, VacuumStmt) && castNode(VacuumStmt, node)->is_vacuumcmd) || IsA(node, CreatedbStmt) || IsA(node, DropdbStmt))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("resolute.sql() cannot run this kind of statement"),
				 errhint("Use a statement that may run inside a transaction and inside a function.")));
}

const char *
condition_sql(const char *condition)
{
	return psprintf("SELECT (%s)::pg_catalog.bool FROM (SELECT $1::pg_catalog.jsonb AS state) s",
					condition);
}

/* An SQL condition must parse, with state as its only column. */
static void
check_condition(const Step *step)
{
	Oid			types[] = {JSONBOID};

	if (step->is_path)
		return;
	if (SPI_prepare(condition_sql(step_text(step, "condition")), 1, types) == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
}

static void
check_step(const Step *step)
{
	bool		returns_void;

	switch (step->type->kind)
	{
		case STEP_FETCH:
			server_check_exists(step_text(step, "server"),
									psprintf("resolute_%s", step->type->provider));
			if (step->cursor && step->cursor->storage)
				storage_check(step->cursor->storage);
			break;
		case STEP_MAP:
			break;
		case STEP_UNIQUE:
			check_unique(step);
			break;
		case STEP_ROWS:
			row_step_create(step, known_fields(step->input));
			row_step_check(step);
			break;
		case STEP_UPSERT:
			/* See flow_check_targets(). */
			break;
		case STEP_NODE:
			node_check(step);
			break;
		case STEP_SQL:
			check_statement(step_text(step, "statement"));
			break;
		case STEP_EMIT_METRICS:
			metrics_function(step_text(step, "function"), &returns_void);
			break;
		case STEP_WHEN:
		case STEP_WHILE:
			check_condition(step);
			break;
		default:
			break;
	}
}

void
flow_check_targets(const Flow *flow, bool missing_ok, bool quiet)
{
	ListCell   *lc;

	foreach(lc, flow->all)
	{
		Step	   *step = lfirst(lc);
		StepContext context;

		step_context_push(&context, flow, step);
		if (step->type->kind == STEP_UPSERT)
			check_upsert(step, missing_ok, quiet);
		step_context_pop(&context);
		if (step->type->kind == STEP_SQL || step->type->kind == STEP_NODE)
			missing_ok = true;
	}
}

void
flow_check(Flow *flow)
{
	ListCell   *lc;

	flow_compile(flow);
	foreach(lc, flow->all)
	{
		StepContext context;

		step_context_push(&context, flow, lfirst(lc));
		check_step(lfirst(lc));
		step_context_pop(&context);
	}
	flow_check_targets(flow, true, false);
}
