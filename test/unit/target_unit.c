/*
 * target_unit.c
 *		Pages of rows through unique, upsert and dead letters, as SQL functions.
 */
#include "unit.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "rows/batch.h"
#include "rows/names.h"
#include "target/upsert_internal.h"
#include "transform/seen_set.h"
#include "transform/transform.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(unit_upsert_pages);
PG_FUNCTION_INFO_V1(unit_upsert_preview);
PG_FUNCTION_INFO_V1(unit_upsert_check);
PG_FUNCTION_INFO_V1(unit_target_has_rows);
PG_FUNCTION_INFO_V1(unit_unique_pages);
PG_FUNCTION_INFO_V1(unit_seen_set);
PG_FUNCTION_INFO_V1(unit_write_letters);
PG_FUNCTION_INFO_V1(unit_resolve_letters);

/* The rows of a page: the members of its items as fields, with these flags. */
static RowBatch *
page_rows(Datum items, const char *volatile_field, const char *cursor_field)
{
	RowBatch   *batch = upsert_members(batch_from_jsonb_array(items));

	for (int i = 0; i < batch->fields->nfields; i++)
	{
		Field	   *field = &batch->fields->fields[i];

		if (strcmp(field->name, volatile_field) == 0)
			field->flags |= FIELD_VOLATILE;
		if (strcmp(field->name, cursor_field) == 0)
			field->flags |= FIELD_CURSOR;
	}
	return batch;
}

static PageContext
page_begin(void)
{
	PageContext page = {
		.context = AllocSetContextCreate(CurrentMemoryContext, "page", ALLOCSET_DEFAULT_SIZES),
		.now = GetCurrentTransactionStartTimestamp()
	};

	return page;
}

/* The elements of a jsonb[]. */
static int
pages_of(ArrayType *array, Datum **pages)
{
	int			n;

	deconstruct_array(array, JSONBOID, -1, false, TYPALIGN_INT, pages, NULL, &n);
	return n;
}

static Datum
texts_array(List *texts)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	ListCell   *lc;

	foreach(lc, texts)
		elements[foreach_current_index(lc)] = CStringGetTextDatum(lfirst(lc));
	return PointerGetDatum(construct_array(elements, list_length(texts), TEXTOID,
										   -1, false, TYPALIGN_INT));
}

static Upsert *
make_upsert(FunctionCallInfo fcinfo, int target, int key, int version, const FieldSet *fields)
{
	UpsertSpec	spec = {.step = "upserted"};

	spec.target = text_to_cstring(PG_GETARG_TEXT_PP(target));
	spec.keys = names_from_text("key", text_to_cstring(PG_GETARG_TEXT_PP(key)));
	spec.version = PG_ARGISNULL(version) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(version));
	return upsert_create(&spec, fields);
}

/* What the run holds, and the cache of plans and catalogs. */
static Size
memory_of(MemoryContext run)
{
	return MemoryContextMemAllocated(run, true) +
		MemoryContextMemAllocated(CacheMemoryContext, true);
}

/*
 * upsert_pages(target, pages jsonb[], key, version, volatile_field, cursor_field)
 * -> for each page "inserted updated unchanged stale failed duplicates" and its errors.
 */
Datum
unit_upsert_pages(PG_FUNCTION_ARGS)
{
	Datum	   *pages;
	int			npages = pages_of(PG_GETARG_ARRAYTYPE_P(1), &pages);
	Upsert	   *upsert = NULL;
	List	   *report = NIL;
	MemoryContext run = AllocSetContextCreate(CurrentMemoryContext, "run", ALLOCSET_DEFAULT_SIZES);
	Size		at_first = 0;

	for (int i = 0; i < npages; i++)
	{
		PageContext page = page_begin();
		StepCounts	c = {0};
		RowBatch   *batch = page_rows(pages[i], text_to_cstring(PG_GETARG_TEXT_PP(4)),
									  text_to_cstring(PG_GETARG_TEXT_PP(5)));
		StringInfoData line;
		ListCell   *lc;

		if (upsert == NULL)
		{
			MemoryContext caller = MemoryContextSwitchTo(run);

			upsert = make_upsert(fcinfo, 0, 2, 3, batch->fields);
			MemoryContextSwitchTo(caller);
		}
		upsert_page(upsert, batch, &page, &c);
		if (c.rows_in != batch->nrows ||
			c.rows_in != c.inserted + c.updated + c.unchanged + c.stale + c.failed + c.duplicates)
			elog(ERROR, "the books do not balance");
		initStringInfo(&line);
		appendStringInfo(&line, "%d %d %d %d %d %d", (int) c.inserted, (int) c.updated,
						 (int) c.unchanged, (int) c.stale, (int) c.failed, (int) c.duplicates);
		foreach(lc, page.failures)
		{
			RowFailure *failure = lfirst(lc);

			appendStringInfo(&line, " %s", unpack_sql_state(failure->sqlerrcode));
		}
		report = lappend(report, line.data);
		MemoryContextDelete(page.context);

		/* Memory is flat over pages. */
		if (i == 2)
			at_first = memory_of(run);
		else if (i > 2 && memory_of(run) > at_first + 65536)
			elog(ERROR, "after page %d the upsert has grown by %zu bytes",
				 i + 1, memory_of(run) - at_first);
	}
	PG_RETURN_DATUM(texts_array(report));
}

/* upsert_preview(target, items jsonb, key, version) -> verdicts */
Datum
unit_upsert_preview(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"insert", "update", "unchanged", "stale", "duplicate", "dead"};
	PageContext page = page_begin();
	RowBatch   *batch = page_rows(PG_GETARG_DATUM(1), "", "");
	UpsertVerdict *verdicts = palloc(sizeof(UpsertVerdict) * Max(batch->nrows, 1));
	List	   *report = NIL;

	upsert_preview(make_upsert(fcinfo, 0, 2, 3, batch->fields), batch, &page, verdicts);
	for (int i = 0; i < batch->nrows; i++)
		report = lappend(report, unconstify(char *, names[verdicts[i]]));
	PG_RETURN_DATUM(texts_array(report));
}

/* upsert_check(target, fields text[], key, version, missing_ok), twice */
Datum
unit_upsert_check(PG_FUNCTION_ARGS)
{
	int			n;
	const char **names = cstrings_of(PG_GETARG_ARRAYTYPE_P(1), &n);
	FieldSet   *fields = fieldset_create(n);
	Upsert	   *upsert;

	for (int i = 0; i < n; i++)
		fields->fields[i].name = names[i];
	fields->is_item = n == 0;
	upsert = make_upsert(fcinfo, 0, 2, 3, fields);
	upsert_check(upsert, PG_GETARG_BOOL(4));
	PG_RETURN_BOOL(upsert_check(upsert, PG_GETARG_BOOL(4)));
}

Datum
unit_target_has_rows(PG_FUNCTION_ARGS)
{
	UpsertSpec	spec = {.step = "upserted", .target = text_to_cstring(PG_GETARG_TEXT_PP(0))};

	PG_RETURN_BOOL(upsert_target_has_rows(upsert_create(&spec, fieldset_create(0))));
}

/*
 * unique_pages(pages jsonb[], key, keep_first, volatile_field, retry) -> the rows
 * of each page; with retry each page is first worked on in vain.
 */
Datum
unit_unique_pages(PG_FUNCTION_ARGS)
{
	Datum	   *pages;
	int			npages = pages_of(PG_GETARG_ARRAYTYPE_P(0), &pages);
	List	   *keys = names_from_text("key", text_to_cstring(PG_GETARG_TEXT_PP(1)));
	Transform  *unique = NULL;
	List	   *report = NIL;

	for (int i = 0; i < npages; i++)
	{
		PageContext page = page_begin();
		StepCounts	c = {0};
		RowBatch   *batch = page_rows(pages[i], text_to_cstring(PG_GETARG_TEXT_PP(3)), "");
		RowBatch   *out;
		StringInfoData line;

		if (unique == NULL)
			unique = unique_create("unique", keys, PG_GETARG_BOOL(2), batch->fields);
		if (PG_GETARG_BOOL(4))
		{
			StepCounts	vain = {0};

			unique->process(unique, batch, &page, &vain);
			unique->drop(unique);
			list_free(page.failures);
			page.failures = NIL;
		}
		out = unique->process(unique, batch, &page, &c);
		unique->keep(unique);
		if (c.rows_in != batch->nrows || c.rows_out != out->nrows ||
			c.rows_in != c.rows_out + c.duplicates + c.failed ||
			c.failed != list_length(page.failures))
			elog(ERROR, "the books do not balance");
		initStringInfo(&line);
		for (int row = 0; row < out->nrows; row++)
		{
			row_append_json(&line, out->fields, &out->rows[row]);
			appendStringInfoChar(&line, ' ');
		}
		appendStringInfo(&line, "- %d", (int) c.failed);
		report = lappend(report, line.data);
	}
	PG_RETURN_DATUM(texts_array(report));
}

/* A number that looks random but is not. */
static uint64
scatter(uint64 n)
{
	n = (n ^ (n >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	n = (n ^ (n >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return n ^ (n >> 31);
}

/*
 * seen_set(n, distinct, tags_are_keys) -> spills.  Puts n entries in, of which so many are
 * distinct, and raises if a look-up finds what it should not.
 */
Datum
unit_seen_set(PG_FUNCTION_ARGS)
{
	int64		n = PG_GETARG_INT64(0);
	int64		distinct = PG_GETARG_INT64(1);
	bool		tags_are_keys = PG_GETARG_BOOL(2);
	SeenSet    *set = seen_set_create(tags_are_keys);

	for (int64 i = 0; i < n; i++)
	{
		SeenEntry	entry = {scatter(i % distinct), scatter(i % distinct + 7)};
		uint64		tag = 0;
		bool		found;

		/* Without tags_are_keys the tag changes with each round. */
		if (!tags_are_keys)
			entry.tag = i / distinct;
		found = seen_set_find(set, &entry, &tag);
		if (found != (i >= distinct))
			elog(ERROR, "entry " INT64_FORMAT " was %s", i, found ? "found" : "not found");
		if (found && tag != (tags_are_keys ? entry.tag : entry.tag - 1))
			elog(ERROR, "entry " INT64_FORMAT " has tag " UINT64_FORMAT, i, tag);
		seen_set_reserve(set, 1);
		seen_set_put(set, &entry);
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_INT32(seen_set_spills(set));
}

/* write_letters(flow_id, items text[] (JSON), step, message) */
Datum
unit_write_letters(PG_FUNCTION_ARGS)
{
	DeadLetters *letters = dead_letters_create(PG_GETARG_INT32(0), "flow", GetUserId(), 1, 42);
	PageContext page = page_begin();
	ErrorData	edata = {.sqlerrcode = ERRCODE_CHECK_VIOLATION};
	int			n;
	const char **items = cstrings_of(PG_GETARG_ARRAYTYPE_P(1), &n);

	edata.message = text_to_cstring(PG_GETARG_TEXT_PP(3));
	for (int i = 0; i < n; i++)
	{
		Row			row = {.item = value_make(VALUE_JSON, items[i], strlen(items[i]))};

		page_fail_row(&page, text_to_cstring(PG_GETARG_TEXT_PP(2)), &row, &edata);
	}
	dead_letters_write(letters, &page);
	PG_RETURN_VOID();
}

/* resolve_letters(flow_id, steps text[], stored jsonb, failed jsonb) -> resolved */
Datum
unit_resolve_letters(PG_FUNCTION_ARGS)
{
	DeadLetters *letters = dead_letters_create(PG_GETARG_INT32(0), "flow", GetUserId(), 1, 43);
	PageContext page = page_begin();
	RowBatch   *failed = batch_from_jsonb_array(PG_GETARG_DATUM(3));
	ErrorData	edata = {.sqlerrcode = ERRCODE_CHECK_VIOLATION, .message = "failed"};
	List	   *steps = NIL;
	int			n;
	const char **names = cstrings_of(PG_GETARG_ARRAYTYPE_P(1), &n);

	for (int i = 0; i < n; i++)
		steps = lappend(steps, unconstify(char *, names[i]));
	for (int i = 0; i < failed->nrows; i++)
		page_fail_row(&page, "other", &failed->rows[i], &edata);
	PG_RETURN_INT64(dead_letters_resolve(letters, steps,
										 batch_from_jsonb_array(PG_GETARG_DATUM(2)), &page));
}
