/*
 * upsert_write.c
 *		The write, and the search for the rows that make it fail.
 *
 * The rows are written by one statement in a subtransaction.  If a row error
 * comes out of it, the batch is halved until the bad rows stand alone: k bad rows of n cost
 * O(k log n) statements.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

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
	List	   *refused;		/* of Refused *, in the page's context */
	uint64		written;		/* rows in statements that went through */
	uint64		processed;		/* rows that these statements wrote */
} Writer;

/*
 * Write the rows in a subtransaction of their own.  NULL if that went well,
 * otherwise the row error; any other error is raised.
 */
static ErrorData *
try_write(Writer *writer, const int *rows, int nrows)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile edata = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		uint64		processed = upsert_run_write(writer->in, rows, nrows);

		ReleaseCurrentSubTransaction();
		writer->written += nrows;
		writer->processed += processed;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(writer->in->page->context);
		edata = CopyErrorData();
		FlushErrorState();

		/* Even if the error goes on: nobody else would end the subtransaction. */
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (!is_row_error(edata->sqlerrcode))
			ReThrowError(edata);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return edata;
}

/* Write what can be written of the rows; the rest is refused. */
static void
write_or_halve(Writer *writer, const int *rows, int nrows)
{
	ErrorData  *edata;

	CHECK_FOR_INTERRUPTS();
	check_stack_depth();
	if (nrows == 0)
		return;
	edata = try_write(writer, rows, nrows);
	if (edata == NULL)
		return;
	if (nrows == 1)
	{
		MemoryContext caller = MemoryContextSwitchTo(writer->in->page->context);
		Refused    *refused = palloc(sizeof(Refused));

		refused->row = rows[0];
		refused->edata = edata;
		writer->refused = lappend(writer->refused, refused);
		MemoryContextSwitchTo(caller);
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
		{
			MemoryContext caller = MemoryContextSwitchTo(writer->in->page->context);

			writer->refused = lappend(writer->refused, one);
			MemoryContextSwitchTo(caller);
		}
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

/* To be called inside SPI_connect(). */
bool
upsert_insert_new(Incoming *in)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	int			nrows;
	int		   *rows = rows_to_write(in, &nrows);
	ErrorData  *volatile edata = NULL;
	volatile bool inserted = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		upsert_run_bulk(in, rows, nrows);
		ReleaseCurrentSubTransaction();
		inserted = true;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(in->page->context);
		edata = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	if (!inserted)
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (edata != NULL && !is_row_error(edata->sqlerrcode))
		ReThrowError(edata);
	return inserted;
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
