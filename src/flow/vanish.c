/*
 * vanish.c
 *		Rows that the source no longer has: which targets, and what the source has
 *		for them.
 */
#include "flow/vanish.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "resolute.h"
#include "source/source.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

/* What stands in a flow's definition, at any depth. */
#define TARGETS_SQL \
	"SELECT DISTINCT f.name, f.owner::pg_catalog.oid, t #>> '{}' " \
	"FROM resolute.flows f JOIN resolute.flow_versions v " \
	"ON v.flow_id OPERATOR(pg_catalog.=) f.flow_id AND v.version OPERATOR(pg_catalog.=) f.version, " \
	"pg_catalog.jsonb_path_query(v.steps, 'strict $.** ? (@.step == \"upsert\").target') t " \
	"WHERE f.flow_id OPERATOR(pg_catalog.<>) $1"

void
vanish_arguments(Vanish *vanish, FunctionCallInfo fcinfo, int first)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("flow must not be null")));
	vanish->max_shrink = PG_ARGISNULL(first) ? VANISH_DEFAULT_MAX_SHRINK : PG_GETARG_FLOAT8(first);
	vanish->shared = !PG_ARGISNULL(first + 1) && PG_GETARG_BOOL(first + 1);
	vanish->check_access = PG_ARGISNULL(first + 2) || PG_GETARG_BOOL(first + 2);
	if (!(vanish->max_shrink >= 0 && vanish->max_shrink <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_shrink is out of range"),
				 errhint("It is the part of a table that may vanish at most, from 0 to 1; the default is %g.",
						 VANISH_DEFAULT_MAX_SHRINK)));
}

/* ------------------------------------------------------------------------
 * Targets
 * ------------------------------------------------------------------------
 */

/* The column that says how new a row is: the version, or the one that follows the cursor. */
static const char *
version_column(const Step *sink, const Template *tmpl)
{
	const char *version = step_text(sink, "version");

	if (version == NULL && tmpl)
		version = template_column_of(tmpl, source_cursor_field(sink->root->type->provider));
	return version;
}

/* The template that makes the sink's rows of items, or NULL. */
static const Template *
row_template(const Step *sink)
{
	for (const Step *step = sink; step != NULL; step = step->input)
	{
		if (step->tmpl)
			return step->tmpl;
	}
	return NULL;
}

/* Does every item that its sources have reach the sink? */
static bool
takes_all(const Run *run, const Step *sink)
{
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		const Step *step = lfirst(lc);
		StepKind	kind = step->type->kind;

		if (step != sink && step_reads_from(sink, step) && kind != STEP_FETCH && kind != STEP_MAP &&
			kind != STEP_UNIQUE && kind != STEP_MERGE)
			return false;
	}
	return true;
}

/*
 * Which columns tell what a row is called at its source?  Where a filter may have left an
 * item out, that the query finds it says nothing.
 */
static void
find_columns(const Run *run, VanishTarget *target, const Step *sink, const Template *tmpl)
{
	const char *key = template_column_of(tmpl, "Key");
	const char *id = template_column_of(tmpl, "Id");

	if (takes_all(run, sink))
		target->issue_column = id ? id : key;
	target->project_column = template_column_of(tmpl, "Project");
	target->project_prefix = target->project_column == NULL && key;
	if (target->project_prefix)
		target->project_column = key;
}

/* The target of that table, or NULL. */
static VanishTarget *
find_target(const Vanish *vanish, Oid relation)
{
	ListCell   *lc;

	foreach(lc, vanish->targets)
	{
		VanishTarget *target = lfirst(lc);

		if (census_relation(target->census) == relation)
			return target;
	}
	return NULL;
}

static RangeVar *
range_var(const char *name)
{
	return makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
}

/*
 * The table that another flow means.  Whoever asks may have no USAGE on its schema, and is to be
 * told nothing about it: no more than whether it is one of their own targets.
 */
static Oid
relation_of_other(const char *name, Oid owner)
{
	RangeVar   *range = range_var(name);
	Oid			relation;
	Oid			userid;
	int			sec_context;

	if (range->schemaname && strcmp(range->schemaname, "pg_temp") != 0)
	{
		Oid			schema = get_namespace_oid(range->schemaname, true);

		return OidIsValid(schema) ? get_relname_relid(range->relname, schema) : InvalidOid;
	}

	/* The search path may hold a schema of the owner's; after an error the unit switches back. */
	GetUserIdAndSecContext(&userid, &sec_context);
	SetUserIdAndSecContext(owner, sec_context | SECURITY_LOCAL_USERID_CHANGE);
	relation = RangeVarGetRelid(range, NoLock, true);
	SetUserIdAndSecContext(userid, sec_context);
	return relation;
}

/* Rows that max_items leaves out are not gone. */
static void
check_complete(const Run *run, const Vanish *vanish, const Step *sink)
{
	ListCell   *lc;

	foreach(lc, sink->roots)
	{
		const Step *fetch = lfirst(lc);

		if (!value_is_null(step_param(fetch, "max_items")))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("%s needs everything that the source has, but step \"%s\" of flow \"%s\" has max_items",
							vanish->procedure, fetch->name, run->flow->name),
					 errhint("Leave max_items out of the step.")));
	}
}

/* Begin the census of a table. */
static VanishTarget *
add_target(Run *run, Vanish *vanish, Step *sink)
{
	VanishTarget *target = palloc0(sizeof(VanishTarget));
	const Template *tmpl = row_template(sink);
	CensusSpec	spec = {0};

	spec.step = sink->name;
	spec.target = step_text(sink, "target");
	spec.keys = sink->keys;
	spec.version = version_column(sink, tmpl);
	spec.before = run->record.started_at;
	spec.may_delete = vanish->may_delete;
	target->name = spec.target;
	target->census = census_create(&spec);
	if (tmpl)
		find_columns(run, target, sink, tmpl);
	vanish->targets = lappend(vanish->targets, target);
	return target;
}

/* Add a step that upserts. */
static void
add_sink(Run *run, Vanish *vanish, Step *sink)
{
	VanishTarget *target = find_target(vanish, RangeVarGetRelid(range_var(step_text(sink, "target")),
																NoLock, true));

	check_complete(run, vanish, sink);
	if (target == NULL)
		target = add_target(run, vanish, sink);
	else if (!census_has_keys(target->census, sink->keys))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("steps \"%s\" and \"%s\" of flow \"%s\" upsert into \"%s\" by different keys",
						((Step *) linitial(target->sinks))->name, sink->name, run->flow->name,
						target->name),
				 errdetail("%s compares the table with the source by one key.", vanish->procedure)));
	target->sinks = lappend(target->sinks, sink);
}

/* A row that another flow has brought is not gone because this one's source lacks it. */
static void
check_not_shared(Run *run, const Vanish *vanish)
{
	Oid			types[] = {INT4OID};
	Datum		values[] = {Int32GetDatum(run->flow->id)};
	MemoryContext caller = CurrentMemoryContext;

	catalog_execute(TARGETS_SQL, 1, types, values, NULL);
	MemoryContextSwitchTo(caller);	/* SPI has left its own */
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Oid			owner = result_oid(i, 2);
		const VanishTarget *target =
			find_target(vanish, relation_of_other(result_text(i, 3), owner));

		if (target == NULL)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is the target of another flow, too", target->name),
				 is_member_of_role(GetUserId(), owner) ?
				 errdetail("Flow \"%s\" upserts into it. Its rows would be taken for rows that the source no longer has.",
						   result_text(i, 1)) :
				 errdetail("A flow of another owner upserts into it. Its rows would be taken for rows that the source no longer has."),
				 errhint("If both flows bring the same rows, say so: CALL resolute.%s(%s, shared => true);",
						 vanish->procedure, quote_literal_cstr(run->flow->name))));
	}
}

/* What a handler stores is not what the source has. */
static bool
is_in_handler(const Step *step)
{
	for (; step; step = step->parent)
	{
		if (step->handler > 0)
			return true;
	}
	return false;
}

void
vanish_prepare_unit(Run *run, void *arg)
{
	Vanish	   *vanish = arg;
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);
		StepContext context;

		if (step->type->kind != STEP_UPSERT || is_in_handler(step))
			continue;
		step_context_push(&context, run->flow, step);
		add_sink(run, vanish, step);
		step_context_pop(&context);
	}
	if (vanish->targets == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("flow \"%s\" has no upsert step", run->flow->name),
				 errdetail("Without the key of an upsert, rows cannot be compared with the source.")));
	if (!vanish->shared)
		check_not_shared(run, vanish);
}

void
vanish_saw_rows(Run *run, Step *sink, RowBatch *rows, PageContext *page)
{
	Vanish	   *vanish = run->job;
	ListCell   *lc;

	foreach(lc, vanish->targets)
	{
		VanishTarget *target = lfirst(lc);

		if (!list_member_ptr(target->sinks, sink))
			continue;
		census_add(target->census, rows);
		vanish_add_failed(run, target, sink, page);
	}
}
