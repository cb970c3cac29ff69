/*
 * dead_letters.c
 *		Rows that could not be handled are kept, each with its error.
 *
 * A letter belongs to a flow, a step and an item.  An item is known again by
 * what sources identify it with (see identify_item), so that a newer version of it
 * meets the same letter: it counts an attempt, or resolves it once it is stored.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "resolute.h"
#include "rows/json.h"
#include "target/dead_letters.h"

/* In the order of the columns that are written. */
enum
{
	LETTER_STEP,
	LETTER_SOURCE,
	LETTER_HASH,
	LETTER_ITEM,
	LETTER_CODE,
	LETTER_MESSAGE,
	LETTER_COLUMNS
};

static const Oid letter_types[LETTER_COLUMNS] = {TEXTOID, TEXTOID, BYTEAOID, JSONBOID, TEXTOID, TEXTOID};

struct DeadLetters
{
	int32		flow_id;
	const char *flow;
	Oid			owner;
	int32		version;
	int64		run_id;

	/* Might there be open letters?  Looked up once: nobody else makes them. */
	bool		looked;
	bool		open;
};

#define FIND_LETTERS \
	"SELECT 1 FROM resolute.dead_letters" \
	" WHERE flow_id OPERATOR(pg_catalog.=) $1 AND resolved_at IS NULL ORDER BY item_hash LIMIT 1"

/* Of an item that failed twice in one step of the page the last error counts. */
#define WRITE_LETTERS \
	"INSERT INTO resolute.dead_letters AS d" \
	" (flow_id, flow, owner, version, run_id, step, source, item_hash, item, error_code, error_message)" \
	" SELECT $1, $2, CAST($3 AS pg_catalog.regrole), $4, $5," \
	" f.step, f.source, f.item_hash, f.item, f.error_code, f.error_message" \
	" FROM (SELECT DISTINCT ON (u.step, u.item_hash) u.* FROM ROWS FROM" \
	" (pg_catalog.unnest($6), pg_catalog.unnest($7), pg_catalog.unnest($8)," \
	" pg_catalog.unnest($9), pg_catalog.unnest($10), pg_catalog.unnest($11)) WITH ORDINALITY" \
	" AS u (step, source, item_hash, item, error_code, error_message, o)" \
	" ORDER BY u.step, u.item_hash, u.o DESC) AS f ORDER BY f.o" \
	" ON CONFLICT (flow_id, step, item_hash) DO UPDATE SET" \
	" flow = excluded.flow, owner = excluded.owner, version = excluded.version," \
	" run_id = excluded.run_id, source = excluded.source, item = excluded.item," \
	" error_code = excluded.error_code, error_message = excluded.error_message," \
	" attempts = d.attempts OPERATOR(pg_catalog.+) 1," \
	" last_attempt_at = pg_catalog.now(), resolved_at = NULL"

#define RESOLVE_LETTERS \
	"UPDATE resolute.dead_letters SET resolved_at = pg_catalog.now()" \
	" WHERE flow_id OPERATOR(pg_catalog.=) $1 AND resolved_at IS NULL" \
	" AND item_hash OPERATOR(pg_catalog.=) ANY ($2)" \
	" AND ($3 IS NULL OR step OPERATOR(pg_catalog.=) ANY ($3))"

DeadLetters *
dead_letters_create(int flow_id, const char *flow, Oid owner, int version, int64 run_id)
{
	DeadLetters *letters = palloc0(sizeof(DeadLetters));

	letters->flow_id = flow_id;
	letters->flow = pstrdup(flow);
	letters->owner = owner;
	letters->version = version;
	letters->run_id = run_id;
	return letters;
}

/* Run a statement where SPI may not be connected; how many rows did it find or change? */
static uint64
run_statement(const char *sql, int nargs, const Oid *types, Datum *values, const char *nulls)
{
	uint64		processed;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	processed = catalog_execute(sql, nargs, types, values, nulls);
	SPI_finish();
	return processed;
}

/* ------------------------------------------------------------------------
 * Identity
 * ------------------------------------------------------------------------
 */

/* Append "name=value" if the item has a plain value of that name. */
static bool
append_member(StringInfo out, const Value *item, const char *name)
{
	Value		member = json_member(item, name, strlen(name), false);

	if (member.kind != VALUE_STRING && member.kind != VALUE_NUMBER)
		return false;
	appendStringInfo(out, "%s=", name);
	value_append_text(out, &member);
	appendStringInfoChar(out, '\n');
	return true;
}

/*
 * What an item is known by: Jira, Confluence and GitHub give each an "id", and
 * an address ("self" or "url") that tells the items of two sites apart;
 * where there is neither, a "key"; and else its whole text, so that only the
 * same version meets the same letter.  Returns a SHA-256 as bytea.
 */
static Datum
identify_item(const Value *item)
{
	StringInfoData identity;
	bytea	   *bytes;
	bool		found;

	initStringInfo(&identity);
	found = append_member(&identity, item, "self");
	found = append_member(&identity, item, "url") || found;
	found = append_member(&identity, item, "id") || found;
	if (!found && !append_member(&identity, item, "key"))
		value_append_json(&identity, item);

	bytes = palloc(VARHDRSZ + identity.len);
	SET_VARSIZE(bytes, VARHDRSZ + identity.len);
	memcpy(VARDATA(bytes), identity.data, identity.len);
	pfree(identity.data);
	return DirectFunctionCall1(sha256_bytea, PointerGetDatum(bytes));
}

static bool
same_hash(Datum a, Datum b)
{
	return DatumGetBool(DirectFunctionCall2(byteaeq, a, b));
}

/* ------------------------------------------------------------------------
 * Writing
 * ------------------------------------------------------------------------
 */
typedef struct Letters
{
	PageContext *page;
	int			count;
	RowFailure **failures;
	Datum	   *columns[LETTER_COLUMNS];
	bool	   *nulls[LETTER_COLUMNS];
} Letters;

/* The item as jsonb (for guard_rows): it may be one that jsonb refuses. */
static void
make_item(void *arg, int i)
{
	Letters    *letters = arg;
	MemoryContext caller = MemoryContextSwitchTo(letters->page->context);

	letters->columns[LETTER_ITEM][i] = value_jsonb(&letters->failures[i]->item);
	letters->nulls[LETTER_ITEM][i] = letters->failures[i]->item.kind == VALUE_MISSING;
	MemoryContextSwitchTo(caller);
}

/* Then it is kept as a JSON string of its text, so that nothing is lost. */
static void
make_item_text(void *arg, int i, ErrorData *edata)
{
	Letters    *letters = arg;
	const Value *item = &letters->failures[i]->item;
	MemoryContext caller = MemoryContextSwitchTo(letters->page->context);
	Value		text = value_string(item->data, item->len);

	(void) edata;
	letters->columns[LETTER_ITEM][i] = value_jsonb(&text);
	letters->nulls[LETTER_ITEM][i] = false;
	MemoryContextSwitchTo(caller);
}

static Datum
text_datum(const char *string)
{
	return CStringGetTextDatum(string ? string : "");
}

/* The columns of the letters to be; the current context is the page's. */
static Letters *
collect_letters(PageContext *page)
{
	Letters    *letters = palloc0(sizeof(Letters));
	ListCell   *lc;

	letters->page = page;
	letters->count = list_length(page->failures);
	letters->failures = palloc(sizeof(RowFailure *) * letters->count);
	for (int column = 0; column < LETTER_COLUMNS; column++)
	{
		letters->columns[column] = palloc0(sizeof(Datum) * letters->count);
		letters->nulls[column] = palloc0(sizeof(bool) * letters->count);
	}
	foreach(lc, page->failures)
	{
		int			i = foreach_current_index(lc);
		RowFailure *failure = lfirst(lc);

		letters->failures[i] = failure;
		letters->columns[LETTER_STEP][i] = text_datum(failure->step);
		letters->columns[LETTER_SOURCE][i] = text_datum(failure->source);
		letters->nulls[LETTER_SOURCE][i] = failure->source == NULL;
		letters->columns[LETTER_HASH][i] = identify_item(&failure->item);
		letters->columns[LETTER_CODE][i] = text_datum(unpack_sql_state(failure->sqlerrcode));
		letters->columns[LETTER_MESSAGE][i] = text_datum(failure->message);
	}
	guard_rows(letters->count, make_item, make_item_text, letters);
	return letters;
}

void
dead_letters_head(const DeadLetters *self, Datum *values)
{
	values[0] = Int32GetDatum(self->flow_id);
	values[1] = text_datum(self->flow);
	values[2] = ObjectIdGetDatum(self->owner);
	values[3] = Int32GetDatum(self->version);
	values[4] = Int64GetDatum(self->run_id);
}

/* n datums of a type with a varlena header as an array. */
static Datum
array_datum(Datum *values, bool *nulls, int n, Oid type)
{
	int			lower = 1;
	int16		len;
	bool		byval;
	char		align;

	get_typlenbyvalalign(type, &len, &byval, &align);
	return PointerGetDatum(construct_md_array(values, nulls, 1, &n, &lower,
											  type, len, byval, align));
}

void
dead_letters_write(DeadLetters *self, PageContext *page)
{
	Oid			types[LETTER_HEAD + LETTER_COLUMNS] = {LETTER_HEAD_TYPES};
	Datum		values[LETTER_HEAD + LETTER_COLUMNS];
	MemoryContext caller;
	Letters    *letters;

	if (page->failures == NIL)
		return;
	caller = MemoryContextSwitchTo(page->context);
	letters = collect_letters(page);

	dead_letters_head(self, values);
	for (int i = 0; i < LETTER_COLUMNS; i++)
	{
		types[LETTER_HEAD + i] = get_array_type(letter_types[i]);
		values[LETTER_HEAD + i] = array_datum(letters->columns[i], letters->nulls[i],
									letters->count, letter_types[i]);
	}
	run_statement(WRITE_LETTERS, lengthof(types), types, values, NULL);
	self->looked = self->open = true;
	MemoryContextSwitchTo(caller);
}

/* ------------------------------------------------------------------------
 * Resolving
 * ------------------------------------------------------------------------
 */

/* Does the flow have open letters? */
static bool
has_open_letters(DeadLetters *self)
{
	if (!self->looked)
	{
		Oid			types[] = {INT4OID};
		Datum		values[] = {Int32GetDatum(self->flow_id)};

		self->open = run_statement(FIND_LETTERS, 1, types, values, NULL) > 0;
		self->looked = true;
	}
	return self->open;
}

/* The hashes of the items of the rows that did not fail, as a bytea[]. */
static Datum
stored_hashes(const RowBatch *batch, const PageContext *page)
{
	Datum	   *failed = palloc(sizeof(Datum) * Max(list_length(page->failures), 1));
	Datum	   *stored = palloc(sizeof(Datum) * Max(batch->nrows, 1));
	int			nfailed = 0;
	int			nstored = 0;
	ListCell   *lc;

	foreach(lc, page->failures)
		failed[nfailed++] = identify_item(&((RowFailure *) lfirst(lc))->item);
	for (int row = 0; row < batch->nrows; row++)
	{
		const Row  *r = &batch->rows[row];
		Datum		hash = identify_item(r->source.kind != VALUE_MISSING ? &r->source : &r->item);
		bool		found = false;

		for (int i = 0; i < nfailed && !found; i++)
			found = same_hash(failed[i], hash);
		if (!found)
			stored[nstored++] = hash;
		CHECK_FOR_INTERRUPTS();
	}
	return array_datum(stored, NULL, nstored, BYTEAOID);
}

int64
dead_letters_resolve(DeadLetters *self, List *steps, const RowBatch *batch, PageContext *page)
{
	Oid			types[] = {INT4OID, get_array_type(BYTEAOID), TEXTARRAYOID};
	Datum		values[3];
	char		nulls[] = "   ";
	MemoryContext caller;
	int64		resolved;

	if (batch->nrows == 0 || !has_open_letters(self))
		return 0;
	caller = MemoryContextSwitchTo(page->context);
	values[0] = Int32GetDatum(self->flow_id);
	values[1] = stored_hashes(batch, page);
	if (steps == NIL)
		nulls[2] = 'n';
	else
	{
		Datum	   *names = palloc(sizeof(Datum) * list_length(steps));
		ListCell   *lc;

		foreach(lc, steps)
			names[foreach_current_index(lc)] = text_datum(lfirst(lc));
		values[2] = array_datum(names, NULL, list_length(steps), TEXTOID);
	}
	resolved = run_statement(RESOLVE_LETTERS, 3, types, values, nulls);
	MemoryContextSwitchTo(caller);
	return resolved;
}
