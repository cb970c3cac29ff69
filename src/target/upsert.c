/*
 * upsert.c
 *		Upsert of a page of rows into a table.
 *
 * The values become datums of the columns' types; duplicates within the page are
 * dropped; the probe fetches the stored rows of the keys, and rows that are stored
 * already as they are, or newer, are left alone; one statement writes the rest.
 * As long as all rows are new, as in a first sync, they are inserted without a probe.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "target/upsert_internal.h"

/* The saved plans live outside of the run's context. */
static void
forget_plans(void *arg)
{
	Upsert	   *upsert = arg;

	if (upsert->shape != NULL)
		upsert_free_plans(upsert->shape);
}

Upsert *
upsert_create(const UpsertSpec *spec, const FieldSet *fields)
{
	Upsert	   *upsert = palloc0(sizeof(Upsert));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

	upsert->context = CurrentMemoryContext;
	upsert->step = pstrdup(spec->step);
	upsert->target_text = pstrdup(spec->target);
	upsert->target = textToQualifiedNameList(cstring_to_text(spec->target));
	upsert->keys = list_copy(spec->keys);
	upsert->version = spec->version ? pstrdup(spec->version) : NULL;
	upsert->quiet = spec->quiet;
	upsert->fields = fields;

	callback->func = forget_plans;
	callback->arg = upsert;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return upsert;
}

/* Say once that an older copy could overwrite a newer row. */
static void
notice_no_version(Upsert *upsert, const UpsertShape *shape)
{
	if (upsert->noticed || upsert->quiet || shape->version >= 0)
		return;
	upsert->noticed = true;
	ereport(NOTICE,
			(errmsg("step \"%s\" has no version column", upsert->step),
			 errdetail("An older copy of a row would overwrite a newer one in %s.", shape->name),
			 errhint("Name the column that grows with each change: version => 'updated_at'.")));
}

/*
 * The fields that stand for items before any item has come: at least those that
 * the table must have.
 */
static const FieldSet *
fields_to_check(Upsert *upsert)
{
	FieldSet   *fields;
	bool		extra = upsert->version != NULL;
	ListCell   *lc;
	int			n = 0;

	if (!upsert->fields->is_item)
		return upsert->fields;
	foreach(lc, upsert->keys)
		if (extra && strcmp(lfirst(lc), upsert->version) == 0)
			extra = false;
	fields = fieldset_create(list_length(upsert->keys) + (extra ? 1 : 0));
	foreach(lc, upsert->keys)
		fields->fields[n++].name = lfirst(lc);
	if (extra)
		fields->fields[n++].name = upsert->version;
	return fields;
}

bool
upsert_check(Upsert *upsert, bool missing_ok)
{
	UpsertShape *shape = upsert_shape(upsert, fields_to_check(upsert), missing_ok);

	if (shape == NULL)
		return false;
	upsert_check_rights(shape);
	notice_no_version(upsert, shape);
	return true;
}

/* A key part must not be null: it would never be found again. */
static void
check_key(Incoming *in, int row)
{
	for (int k = 0; k < in->shape->nkeys; k++)
	{
		int			column = in->shape->keys[k].column;

		if (in->nulls[incoming_at(in, row) + column])
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("null value in key \"%s\" of step \"%s\"",
							in->shape->columns[column].name, in->upsert->step),
					 errdetail("A row without a key can be neither inserted nor found.")));
	}
}

/* Convert the values of one row (for guard_rows). */
static void
convert_row(void *arg, int row)
{
	Incoming   *in = arg;
	MemoryContext caller = MemoryContextSwitchTo(in->page->context);
	Size		at = incoming_at(in, row);

	if (in->batch->rows[row].values == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("the item is not valid JSON")));
	for (int i = 0; i < in->shape->ncolumns; i++)
	{
		UpsertColumn *column = &in->shape->columns[i];

		in->values[at + i] = column_type_datum(column->type,
											   &in->batch->rows[row].values[column->field],
											   &in->nulls[at + i]);
	}
	check_key(in, row);
	MemoryContextSwitchTo(caller);
	CHECK_FOR_INTERRUPTS();
}

/* The row has a value that the column's type refuses (for guard_rows). */
static void
refuse_row(void *arg, int row, ErrorData *edata)
{
	Incoming   *in = arg;

	in->verdicts[row] = VERDICT_DEAD;
	page_fail_row(in->page, in->upsert->step, &in->batch->rows[row], edata);
}

/* The rows as datums, each key once.  The caller has connected to SPI. */
static Incoming *
take_rows(Upsert *upsert, RowBatch *batch, PageContext *page)
{
	Incoming   *in = palloc0(sizeof(Incoming));
	Size		nvalues;

	if (batch->fields->is_item)
		batch = upsert_members(batch);
	in->upsert = upsert;
	in->shape = upsert_shape(upsert, batch->fields, false);
	in->batch = batch;
	in->page = page;
	in->nrows = batch->nrows;
	nvalues = (Size) in->nrows * in->shape->ncolumns;
	in->values = palloc_extended(nvalues * sizeof(Datum), MCXT_ALLOC_HUGE);
	in->nulls = palloc_extended(nvalues * sizeof(bool), MCXT_ALLOC_HUGE);
	in->hashes = palloc(sizeof(uint32) * in->nrows);
	in->verdicts = palloc(sizeof(UpsertVerdict) * in->nrows);
	for (int row = 0; row < in->nrows; row++)
		in->verdicts[row] = VERDICT_INSERT;

	for (int i = 0; i < in->shape->ncolumns; i++)
		column_type_forget(in->shape->columns[i].type);
	guard_rows(in->nrows, convert_row, refuse_row, in);
	upsert_find_duplicates(in);
	return in;
}

/* Is there a row to be written, and none that is stored already? */
static bool
all_new(const Incoming *in)
{
	bool		any = false;

	for (int row = 0; row < in->nrows; row++)
	{
		UpsertVerdict verdict = in->verdicts[row];

		if (verdict == VERDICT_UPDATE || verdict == VERDICT_UNCHANGED || verdict == VERDICT_STALE)
			return false;
		any |= verdict == VERDICT_INSERT;
	}
	return any;
}

/*
 * Judge the rows by what is stored, and write them.  After a page of new rows
 * the next one is likely to be new as well; that it is not costs little.
 */
static void
write_rows(Incoming *in)
{
	Upsert	   *upsert = in->upsert;
	bool		guessed = upsert->all_new && upsert_takes_bulk(in->shape);

	if (guessed && all_new(in) && upsert_insert_new(in))
		return;
	upsert_compare(in);
	upsert->all_new = !guessed && all_new(in);
	upsert_write(in);
}

/* Deferred constraints are checked row by row as well, and their errors found. */
static void
make_constraints_immediate(void)
{
	ConstraintsSetStmt *statement = makeNode(ConstraintsSetStmt);

	statement->deferred = false;
	AfterTriggerSetState(statement);
}

/* Count the verdicts. */
static void
count_verdicts(const Incoming *in, StepCounts *counts)
{
	int64		count[VERDICT_DEAD + 1] = {0};

	for (int row = 0; row < in->nrows; row++)
		count[in->verdicts[row]]++;
	counts->rows_in += in->nrows;
	counts->inserted += count[VERDICT_INSERT];
	counts->updated += count[VERDICT_UPDATE];
	counts->unchanged += count[VERDICT_UNCHANGED];
	counts->stale += count[VERDICT_STALE];
	counts->duplicates += count[VERDICT_DUPLICATE];
	counts->failed += count[VERDICT_DEAD];
}

/*
 * Judge the rows and, unless counts is NULL, write them.  A snapshot is held
 * all the while, for constraints of domains and stored values out of line.
 */
static Incoming *
work_on_page(Upsert *upsert, RowBatch *batch, PageContext *page, bool write)
{
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	Incoming   *in;

	PushActiveSnapshot(GetTransactionSnapshot());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(page->context);
	if (write)
		make_constraints_immediate();
	in = take_rows(upsert, batch, page);
	if (write)
		write_rows(in);
	else
		upsert_compare(in);
	SPI_finish();
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
	return in;
}

void
upsert_page(Upsert *upsert, RowBatch *batch, PageContext *page, StepCounts *counts)
{
	if (batch->nrows > 0)
		count_verdicts(work_on_page(upsert, batch, page, true), counts);
}

void
upsert_preview(Upsert *upsert, RowBatch *batch, PageContext *page,
			   UpsertVerdict *verdicts)
{
	if (batch->nrows > 0)
	{
		Incoming   *in = work_on_page(upsert, batch, page, false);

		memcpy(verdicts, in->verdicts, sizeof(UpsertVerdict) * in->nrows);
	}
}

bool
upsert_target_has_rows(Upsert *upsert)
{
	Oid			relation = upsert_relation(upsert, AccessShareLock, false);
	char	   *name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
												  get_rel_name(relation));
	bool		result;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(psprintf("SELECT 1 FROM %s LIMIT 1", name), false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look into table %s", name);
	result = SPI_processed > 0;
	SPI_finish();
	return result;
}
