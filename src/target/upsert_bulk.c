/*
 * upsert_bulk.c
 *		Rows that are believed to be new are put into the table as COPY puts
 *		them: pages of the table are filled by many rows at a time, and the
 *		executor has no plan to run.
 *
 * That is for tables where nobody would notice the difference.  All others get the
 * rows by INSERT ... ON CONFLICT (upsert_sql.c).
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteHandler.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "compat.h"
#include "target/upsert_internal.h"

/* Rows that are put into the table at a time, as in COPY. */
#define BULK_ROWS 1000

/* A page on its way into the table. */
typedef struct Bulk
{
	Incoming   *in;
	Relation	relation;
	EState	   *estate;
	ResultRelInfo *target;
	List	   *defaults;		/* of ExprState *, as in shape->defaults */
	int			nslots;
	TupleTableSlot **slots;		/* made when they are needed */
} Bulk;

/* Does the upsert write this column? */
static bool
is_written(const UpsertShape *shape, AttrNumber attnum)
{
	for (int i = 0; i < shape->ncolumns; i++)
		if (shape->columns[i].attnum == attnum)
			return true;
	return false;
}

/* Might the function look into tables, and see there what an INSERT has done so far? */
static bool
may_look(Oid function, void *context)
{
	(void) context;
	return function >= FirstNormalObjectId && func_volatile(function) == PROVOLATILE_VOLATILE;
}

/*
 * Might the expression depend on the rows in front of its own?  These are in the table only
 * where rows are put into it one by one.
 */
static bool
wants_others(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return check_functions_in_node(node, may_look, context) ||
		expression_tree_walker(node, wants_others, context);
}

/*
 * Note the default of a column that the upsert does not write, its type's if it has none.
 * False if more than an expression is needed to fill it.
 */
static bool
note_default(UpsertShape *shape, Relation relation, Form_pg_attribute att)
{
	Node	   *expression;

	if (att->attgenerated != '\0' || get_typtype(att->atttypid) == TYPTYPE_DOMAIN)
		return false;
	expression = build_column_default(relation, att->attnum);
	if (expression == NULL)
		return true;
	if (wants_others(expression, NULL))
		return false;
	shape->defaults = lappend(shape->defaults, expression);
	shape->default_columns = lappend_int(shape->default_columns, att->attnum);
	return true;
}

/* Does every row pass the constraints or not, whatever rows there are beside it? */
static bool
checks_rows_alone(Relation relation)
{
	TupleConstr *constr = relation->rd_att->constr;

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
		if (wants_others(stringToNode(constr->check[i].ccbin), NULL))
			return false;
	return true;
}

/*
 * Would nobody notice?  Triggers (also those of foreign keys and deferred
 * constraints), rules and partitions want the executor; other tables that inherit from this
 * one may belong to an extension that routes rows, as Citus does with all that it
 * distributes.
 */
static bool
takes_bulk(const UpsertShape *shape, Relation relation)
{
	return relation->rd_rel->relkind == RELKIND_RELATION &&
		!relation->rd_rel->relispartition && !shape->with_children &&
		relation->trigdesc == NULL && relation->rd_rules == NULL &&
		checks_rows_alone(relation) &&
		!OidIsValid(get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE));
}

void
upsert_describe_bulk(UpsertShape *shape, Relation relation)
{
	TupleDesc	desc = RelationGetDescr(relation);

	shape->bulk = takes_bulk(shape, relation);
	for (int i = 0; i < desc->natts && shape->bulk; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && !is_written(shape, att->attnum))
			shape->bulk = note_default(shape, relation, att);
	}
}

bool
upsert_takes_bulk(const UpsertShape *shape)
{
	return shape->bulk && !XactReadOnly &&
		check_enable_rls(shape->relation, InvalidOid, true) != RLS_ENABLED;
}

/*
 * Ask what the executor would ask before an INSERT of these columns, about the entry
 * that it would have in its range table.
 */
static RangeTblEntry *
check_rights(const UpsertShape *shape)
{
	RangeTblEntry *rte = makeNode(RangeTblEntry);
	Bitmapset  *columns = NULL;

	rte->rtekind = RTE_RELATION;
	rte->relid = shape->relation;
	rte->relkind = RELKIND_RELATION;
	rte->rellockmode = RowExclusiveLock;
	for (int i = 0; i < shape->ncolumns; i++)
		columns = bms_add_member(columns, shape->columns[i].attnum -
								 FirstLowInvalidHeapAttributeNumber);
	check_insert_rights(rte, columns);
	return rte;
}

static void
bulk_begin(Bulk *bulk, Incoming *in, RangeTblEntry *rte, int nrows)
{
	ListCell   *lc;

	memset(bulk, 0, sizeof(*bulk));
	bulk->in = in;
	bulk->relation = table_open(in->shape->relation, NoLock);
	bulk->estate = CreateExecutorState();
	bulk->target = makeNode(ResultRelInfo);
	init_lone_relation(bulk->target, bulk->relation, rte, bulk->estate);
	ExecOpenIndices(bulk->target, false);
	foreach(lc, in->shape->defaults)
		bulk->defaults = lappend(bulk->defaults, ExecPrepareExpr(lfirst(lc), bulk->estate));
	bulk->nslots = Min(nrows, BULK_ROWS);
	bulk->slots = palloc0(sizeof(TupleTableSlot *) * bulk->nslots);
}

static void
bulk_end(Bulk *bulk)
{
	for (int i = 0; i < bulk->nslots && bulk->slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(bulk->slots[i]);
	ExecCloseIndices(bulk->target);
	FreeExecutorState(bulk->estate);
	table_close(bulk->relation, NoLock);
}

/* Fill a slot with a row: the upsert's columns, defaults, and nulls. */
static void
fill_slot(Bulk *bulk, TupleTableSlot *slot, int row)
{
	const UpsertShape *shape = bulk->in->shape;
	Size		at = incoming_at(bulk->in, row);
	ExprContext *econtext = GetPerTupleExprContext(bulk->estate);
	ListCell   *lc,
			   *lc2;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < shape->ncolumns; i++)
	{
		int			to = shape->columns[i].attnum - 1;

		slot->tts_values[to] = bulk->in->values[at + i];
		slot->tts_isnull[to] = bulk->in->nulls[at + i];
	}
	forboth(lc, bulk->defaults, lc2, shape->default_columns)
	{
		int			to = lfirst_int(lc2) - 1;

		slot->tts_values[to] = ExecEvalExprSwitchContext(lfirst(lc), econtext,
														 &slot->tts_isnull[to]);
	}
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = shape->relation;
	if (bulk->relation->rd_att->constr != NULL)
		ExecConstraints(bulk->target, slot, bulk->estate);

	/* Defaults live in the memory of one row. */
	ExecMaterializeSlot(slot);
	ResetPerTupleExprContext(bulk->estate);
}

/* Put up to BULK_ROWS rows into the table, and into its indexes. */
static void
bulk_put(Bulk *bulk, const int *rows, int nrows)
{
	for (int i = 0; i < nrows; i++)
	{
		if (bulk->slots[i] == NULL)
			bulk->slots[i] = table_slot_create(bulk->relation, NULL);
		fill_slot(bulk, bulk->slots[i], rows[i]);
		CHECK_FOR_INTERRUPTS();
	}
	table_multi_insert(bulk->relation, bulk->slots, nrows, GetCurrentCommandId(true), 0, NULL);
	for (int i = 0; i < nrows && bulk->target->ri_NumIndices > 0; i++)
	{
		insert_index_tuples(bulk->target, bulk->slots[i], bulk->estate);
		ResetPerTupleExprContext(bulk->estate);
		CHECK_FOR_INTERRUPTS();
	}
}

void
upsert_run_bulk(Incoming *in, const int *rows, int nrows)
{
	Bulk		bulk;

	bulk_begin(&bulk, in, check_rights(in->shape), nrows);
	for (int done = 0; done < nrows; done += BULK_ROWS)
		bulk_put(&bulk, rows + done, Min(nrows - done, BULK_ROWS));
	bulk_end(&bulk);
	CommandCounterIncrement();
}
