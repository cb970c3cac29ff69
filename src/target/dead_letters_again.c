/*
 * dead_letters_again.c
 *		Dead letters that are tried again: which there are, and what became of
 *		them.
 *
 * They are known by their id here, not by what identifies the item: an item as jsonb
 * gives it back may read otherwise than it came.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "resolute.h"
#include "rows/json.h"
#include "target/dead_letters.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define OPEN_LETTERS \
	"SELECT l.id, l.step, l.source, COALESCE(l.version, 0) FROM (" \
	"SELECT d.id, d.step, d.source, d.version FROM resolute.dead_letters d" \
	" WHERE d.flow_id OPERATOR(pg_catalog.=) $1 AND d.resolved_at IS NULL AND d.item IS NOT NULL" \
	" AND ($2 IS NULL OR d.step OPERATOR(pg_catalog.=) $2)" \
	" ORDER BY d.last_attempt_at, d.id LIMIT $3) AS l ORDER BY l.step, l.source, l.id"

/* What jsonb could not hold is kept as a string. */
#define READ_ITEMS \
	"SELECT d.id, CASE WHEN pg_catalog.jsonb_typeof(d.item) OPERATOR(pg_catalog.=) 'string'" \
	" THEN d.item OPERATOR(pg_catalog.#>>) '{}' ELSE d.item::pg_catalog.text END" \
	" FROM resolute.dead_letters d WHERE d.id OPERATOR(pg_catalog.=) ANY ($1)"

/* An item has one letter for each step that refuses it. */
#define FAILED_AGAIN \
	"INSERT INTO resolute.dead_letters AS d" \
	" (flow_id, flow, owner, version, run_id, step, source, item_hash, item, error_code, error_message)" \
	" SELECT DISTINCT ON (f.step, l.item_hash) $1, $2, CAST($3 AS pg_catalog.regrole), $4, $5," \
	" f.step, l.source, l.item_hash, l.item, f.error_code, f.error_message" \
	" FROM ROWS FROM (pg_catalog.unnest($6), pg_catalog.unnest($7), pg_catalog.unnest($8)," \
	" pg_catalog.unnest($9)) AS f (id, step, error_code, error_message)" \
	" JOIN resolute.dead_letters l ON l.id OPERATOR(pg_catalog.=) f.id" \
	" ORDER BY f.step, l.item_hash, f.id DESC" \
	" ON CONFLICT (flow_id, step, item_hash) DO UPDATE SET" \
	" flow = excluded.flow, owner = excluded.owner, version = excluded.version," \
	" run_id = excluded.run_id, error_code = excluded.error_code," \
	" error_message = excluded.error_message," \
	" attempts = d.attempts OPERATOR(pg_catalog.+) 1," \
	" last_attempt_at = pg_catalog.clock_timestamp(), resolved_at = NULL"

#define RESOLVE_IDS \
	"UPDATE resolute.dead_letters SET resolved_at = pg_catalog.clock_timestamp()" \
	" WHERE id OPERATOR(pg_catalog.=) ANY ($1)"

/* The text, or the same one that the letter before has: they come in order. */
static const char *
shared_text(const char *before, char *text)
{
	if (before == NULL || text == NULL || strcmp(before, text) != 0)
		return text;
	pfree(text);
	return before;
}

Letter *
dead_letters_open(int flow_id, const char *step, int64 limit, int *n)
{
	Oid			types[] = {INT4OID, TEXTOID, INT8OID};
	Datum		values[] = {Int32GetDatum(flow_id), (Datum) 0, Int64GetDatum(limit)};
	char		nulls[] = {' ', step ? ' ' : 'n', limit > 0 ? ' ' : 'n', '\0'};
	MemoryContext caller = CurrentMemoryContext;
	Letter	   *letters;

	if (step)
		values[1] = CStringGetTextDatum(step);
	catalog_execute(OPEN_LETTERS, lengthof(types), types, values, nulls);
	MemoryContextSwitchTo(caller);	/* SPI has left its own */
	*n = (int) SPI_processed;
	letters = palloc_extended(sizeof(Letter) * Max(*n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < *n; i++)
	{
		letters[i].id = result_int64(i, 1);
		letters[i].step = shared_text(i > 0 ? letters[i - 1].step : NULL, result_text(i, 2));
		letters[i].source = shared_text(i > 0 ? letters[i - 1].source : NULL, result_text(i, 3));
		letters[i].version = result_int32(i, 4);
	}
	return letters;
}

/* int8 datums as an array. */
static Datum
id_array(const int64 *ids, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		datums[i] = Int64GetDatum(ids[i]);
	return PointerGetDatum(construct_array(datums, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

static Datum
text_array(Datum *texts, int n)
{
	return PointerGetDatum(construct_array(texts, n, TEXTOID, -1, false, TYPALIGN_INT));
}

void
dead_letters_read(Letter *letters, int n)
{
	Oid			types[] = {INT8ARRAYOID};
	Datum		values[1];
	int64	   *ids = palloc(sizeof(int64) * n);
	MemoryContext caller = CurrentMemoryContext;

	for (int i = 0; i < n; i++)
		ids[i] = letters[i].id;
	values[0] = id_array(ids, n);
	catalog_execute(READ_ITEMS, 1, types, values, NULL);
	MemoryContextSwitchTo(caller);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		int64		id = result_int64(row, 1);
		char	   *text = result_text(row, 2);
		int			i = 0;
		Value		item;

		while (i < n && letters[i].id != id)
			i++;
		text = pg_server_to_any(text, strlen(text), PG_UTF8);
		if (i < n && json_document(text, strlen(text), &item) &&
			item.kind == VALUE_JSON && *item.data == '{')
			letters[i].item = item;
	}
}

/* The letter whose item this is, not a copy of it; or -1. */
static int
letter_of(const Letter *letters, int n, const Value *item)
{
	for (int i = 0; i < n; i++)
	{
		if (letters[i].item.kind != VALUE_MISSING && letters[i].item.data == item->data)
			return i;
	}
	return -1;
}

/* Write the failures of the page; marks the letters that failed, and those that did in their own step. */
static void
write_failures(DeadLetters *self, const Letter *letters, int n, PageContext *page,
			   bool *failed, bool *stuck)
{
	int			max = list_length(page->failures);
	Oid			types[] = {LETTER_HEAD_TYPES, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	Datum		values[lengthof(types)];
	int64	   *ids = palloc(sizeof(int64) * max);
	Datum	   *steps = palloc(sizeof(Datum) * max);
	Datum	   *codes = palloc(sizeof(Datum) * max);
	Datum	   *messages = palloc(sizeof(Datum) * max);
	int			count = 0;
	ListCell   *lc;

	foreach(lc, page->failures)
	{
		RowFailure *failure = lfirst(lc);
		int			i = letter_of(letters, n, &failure->item);

		if (i < 0)
			elog(ERROR, "a row that failed in step \"%s\" comes from no letter", failure->step);
		failed[i] = true;
		stuck[i] |= strcmp(failure->step, letters[i].step) == 0;
		ids[count] = letters[i].id;
		steps[count] = CStringGetTextDatum(failure->step);
		codes[count] = CStringGetTextDatum(unpack_sql_state(failure->sqlerrcode));
		messages[count++] = CStringGetTextDatum(failure->message);
	}
	dead_letters_head(self, values);
	values[LETTER_HEAD] = id_array(ids, count);
	values[LETTER_HEAD + 1] = text_array(steps, count);
	values[LETTER_HEAD + 2] = text_array(codes, count);
	values[LETTER_HEAD + 3] = text_array(messages, count);
	catalog_execute(FAILED_AGAIN, lengthof(types), types, values, NULL);
}

int
dead_letters_settle(DeadLetters *self, const Letter *letters, int n, PageContext *page)
{
	Oid			types[] = {INT8ARRAYOID};
	Datum		values[1];
	bool	   *failed = palloc0(sizeof(bool) * n);
	bool	   *stuck = palloc0(sizeof(bool) * n);
	int64	   *beyond = palloc(sizeof(int64) * n);
	int			nbeyond = 0;
	int			good = 0;

	if (page->failures != NIL)
		write_failures(self, letters, n, page, failed, stuck);
	for (int i = 0; i < n; i++)
	{
		good += !failed[i];
		if (!stuck[i])
			beyond[nbeyond++] = letters[i].id;
	}
	values[0] = id_array(beyond, nbeyond);
	catalog_execute(RESOLVE_IDS, 1, types, values, NULL);
	return good;
}
