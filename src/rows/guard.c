/*
 * guard.c
 *		Keeps the error of one row from failing the whole page.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "rows/batch.h"

bool
is_row_error(int sqlerrcode)
{
	int			category = ERRCODE_TO_CATEGORY(sqlerrcode);

	return category == ERRCODE_DATA_EXCEPTION ||
		category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
		sqlerrcode == ERRCODE_RAISE_EXCEPTION;
}

ErrorData *
guard_call(void (*fn) (void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	/* fn allocates where its caller wants it, not in the subtransaction. */
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		fn(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL && !is_row_error(error->sqlerrcode))
		ReThrowError(error);
	return error;
}

/* The rows that are still to be called. */
typedef struct Rows
{
	void		(*fn) (void *arg, int i);
	void	   *arg;
	int			next;
	int			nrows;
} Rows;

static void
run_rows(void *arg)
{
	Rows	   *rows = arg;

	for (; rows->next < rows->nrows; rows->next++)
		rows->fn(rows->arg, rows->next);
}

void
guard_rows(int nrows, void (*fn) (void *arg, int i),
		   void (*failed) (void *arg, int i, ErrorData *edata), void *arg)
{
	Rows		rows = {fn, arg, 0, nrows};

	while (rows.next < nrows)
	{
		ErrorData  *error;

		CHECK_FOR_INTERRUPTS();
		error = guard_call(run_rows, &rows);
		if (error == NULL)
			continue;
		if (rows.next == nrows) /* it is no error of a row: all went well */
			ReThrowError(error);
		failed(arg, rows.next++, error);
		FreeErrorData(error);
	}
}

/* A range of rows that is to be called. */
typedef struct Range
{
	void		(*fn) (void *arg, int from, int nrows);
	void		(*failed) (void *arg, int i, ErrorData *edata);
	void	   *arg;
	int			from;
	int			nrows;
} Range;

static void
run_range(void *arg)
{
	Range	   *range = arg;

	range->fn(range->arg, range->from, range->nrows);
}

/* The range, or its halves; no deeper than a number has bits. */
static void
halve_range(Range range)
{
	ErrorData  *error;
	Range		half = range;

	CHECK_FOR_INTERRUPTS();
	error = guard_call(run_range, &range);
	if (error == NULL)
		return;
	if (range.nrows == 1)
		range.failed(range.arg, range.from, error);
	FreeErrorData(error);
	if (range.nrows == 1)
		return;
	half.nrows = range.nrows / 2;
	halve_range(half);
	half.from = range.from + half.nrows;
	half.nrows = range.nrows - half.nrows;
	halve_range(half);
}

void
guard_ranges(int nrows, void (*fn) (void *arg, int from, int nrows),
			 void (*failed) (void *arg, int i, ErrorData *edata), void *arg)
{
	Range		all = {fn, failed, arg, 0, nrows};

	if (nrows > 0)
		halve_range(all);
}
