/*
 * upsert_write.c
 *		The write, and the search for the rows that make it fail.
 *
 * The rows are written by one statement in a subtransaction.  If a row error
 * comes out of it, the batch is halved until the bad rows stand alone: k bad rows of n cost
 * O(k log n) statements.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "target/upsert_internal.h"

/* A row that the table refused. */
typedef struct Refused
{
	int			row;
	ErrorData  *edata;
} Refused;

typedef struct Writer
{
	Incoming   *in;
	List	   *refused;		/* of Refused * */
	uint64		written;		/* rows in statements that went through */
	uint64		processed;		/* rows that these statements wrote */
} Writer;

/* Rows that are to be written at once. */
typedef struct Rows
{
	Incoming   *in;
	const int  *rows;
	int			nrows;
	uint64		processed;		/* how many of them were */
} Rows;

static void
write_rows(void *arg)
{
	Rows	   *rows = arg;

	rows->processed = upsert_run_write(rows->in, rows->rows, rows->nrows);
}

/* Write what can be written of the rows; the rest is refused. */
static void
write_or_halve(Writer *writer, const int *rows, int nrows)
{
	Rows		all = {writer->in, rows, nrows, 0};
	ErrorData  *edata;

	CHECK_FOR_INTERRUPTS();
	check_stack_depth();
	if (nrows == 0)
		return;
	edata = guard_call(write_rows, &all);
	if (edata == NULL)
	{
		writer->written += nrows;
		writer->processed += all.processed;
		return;
	}
	if (nrows == 1)
	{
		Refused    *refused = palloc(sizeof(Refused));

		refused->row = rows[0];
		refused->edata = edata;
		writer->refused = lappend(writer->refused, refused);
		return;
	}
	FreeErrorData(edata);
	write_or_halve(writer, rows, nrows / 2);
	write_or_halve(writer, rows + nrows / 2, nrows - nrows / 2);
}

/* Could the row have been refused only since another one was not there yet? */
static bool
may_depend_on_others(const Refused *refused)
{
	return ERRCODE_TO_CATEGORY(refused->edata->sqlerrcode) ==
		ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION;
}

/*
 * Halving takes rows apart that belong together, such as a child and the parent that
 * it refers to: try the refused ones again as long as that stores some.
 */
static void
write_refused_again(Writer *writer)
{
	List	   *refused = writer->refused;
	int		   *rows = palloc(sizeof(int) * list_length(refused));
	int			nrows = 0;
	ListCell   *lc;

	writer->refused = NIL;
	foreach(lc, refused)
	{
		Refused    *one = lfirst(lc);

		if (may_depend_on_others(one))
			rows[nrows++] = one->row;
		else
			writer->refused = lappend(writer->refused, one);
	}
	write_or_halve(writer, rows, nrows);
	pfree(rows);
}

/* The rows that are to be written, in the order of the page. */
static int *
rows_to_write(Incoming *in, int *nrows)
{
	int		   *rows = palloc(sizeof(int) * Max(in->nrows, 1));

	*nrows = 0;
	for (int row = 0; row < in->nrows; row++)
		if (in->verdicts[row] == VERDICT_INSERT || in->verdicts[row] == VERDICT_UPDATE)
			rows[(*nrows)++] = row;
	return rows;
}

/*
 * Some rows were not written although no error came: another session stored a
 * newer version since the probe, or a trigger suppressed them.  Look again which ones they
 * are: stale where a newer version is stored, otherwise unchanged, since nothing happened.
 */
static void
find_unwritten(Incoming *in, uint64 missing)
{
	UpsertVerdict *before = palloc(sizeof(UpsertVerdict) * in->nrows);

	memcpy(before, in->verdicts, sizeof(UpsertVerdict) * in->nrows);
	for (int row = 0; row < in->nrows; row++)
		if (before[row] == VERDICT_UPDATE)
			in->verdicts[row] = VERDICT_INSERT;
	upsert_compare(in);

	/* Those that are stored as we have them were written. */
	for (int pass = 0; pass < 3; pass++)
	{
		static const UpsertVerdict doubt[] = {VERDICT_STALE, VERDICT_INSERT, VERDICT_UPDATE};

		for (int row = 0; row < in->nrows && missing > 0; row++)
		{
			if (before[row] != VERDICT_INSERT && before[row] != VERDICT_UPDATE)
				continue;
			if (in->verdicts[row] != doubt[pass])
				continue;
			before[row] = pass == 0 ? VERDICT_STALE : VERDICT_UNCHANGED;
			missing--;
		}
	}
	memcpy(in->verdicts, before, sizeof(UpsertVerdict) * in->nrows);
	pfree(before);
}

static void
insert_rows(void *arg)
{
	Rows	   *rows = arg;

	upsert_run_bulk(rows->in, rows->rows, rows->nrows);
}

/* To be called inside SPI_connect(). */
bool
upsert_insert_new(Incoming *in)
{
	Rows		all = {.in = in};
	ErrorData  *edata;

	all.rows = rows_to_write(in, &all.nrows);
	edata = guard_call(insert_rows, &all);
	if (edata == NULL)
		return true;
	FreeErrorData(edata);
	return false;
}

/* To be called inside SPI_connect(). */
void
upsert_write(Incoming *in)
{
	Writer		writer = {.in = in};
	int			nrows;
	int		   *rows = rows_to_write(in, &nrows);
	ListCell   *lc;

	write_or_halve(&writer, rows, nrows);
	while (writer.refused != NIL)
	{
		uint64		before = writer.written;

		if (before == 0)
			break;
		write_refused_again(&writer);
		if (writer.written == before)
			break;
	}

	foreach(lc, writer.refused)
	{
		Refused    *refused = lfirst(lc);

		in->verdicts[refused->row] = VERDICT_DEAD;
		page_fail_row(in->page, in->upsert->step, &in->batch->rows[refused->row],
					  refused->edata);
	}
	if (writer.processed < writer.written)
		find_unwritten(in, writer.written - writer.processed);
}
