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

/*
 * Undo what failed in a subtransaction, and return the error, allocated in context; re-raise
 * one that is not of a row.
 */
static ErrorData *
recover(MemoryContext context, ResourceOwner owner, bool of_row)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (!of_row || !is_row_error(error->sqlerrcode))
		ReThrowError(error);
	return error;
}

/*
 * Call fn from row `i` on, in one subtransaction.  Returns the row that raised
 * a row error, and that error, or nrows if all went well.
 */
static int
run_rows(int i, int nrows, void (*fn) (void *arg, int i), void *arg, ErrorData **error)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile int row = i;

	BeginInternalSubTransaction(NULL);
	/* fn allocates where its caller wants it, not in the subtransaction. */
	MemoryContextSwitchTo(context);

	PG_TRY();
	{
		for (; row < nrows; row++)
			fn(arg, row);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		*error = recover(context, owner, row < nrows);
	}
	PG_END_TRY();
	return row;
}

void
guard_rows(int nrows, void (*fn) (void *arg, int i),
		   void (*failed) (void *arg, int i, ErrorData *edata), void *arg)
{
	int			i = 0;

	while (i < nrows)
	{
		ErrorData  *error = NULL;

		CHECK_FOR_INTERRUPTS();
		i = run_rows(i, nrows, fn, arg, &error);
		if (error != NULL)
		{
			failed(arg, i, error);
			FreeErrorData(error);
			i++;
		}
	}
}

typedef struct Ranges
{
	void		(*fn) (void *arg, int from, int nrows);
	void		(*failed) (void *arg, int i, ErrorData *edata);
	void	   *arg;
} Ranges;

/* Call fn for a range of rows in one subtransaction; its row error, or NULL. */
static ErrorData *
run_range(Ranges *ranges, int from, int nrows)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		ranges->fn(ranges->arg, from, nrows);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		error = recover(context, owner, true);
	}
	PG_END_TRY();
	return error;
}

/* A range, or its halves; no deeper than a number has bits. */
static void
halve_range(Ranges *ranges, int from, int nrows)
{
	ErrorData  *error;

	CHECK_FOR_INTERRUPTS();
	error = run_range(ranges, from, nrows);
	if (error == NULL)
		return;
	if (nrows == 1)
		ranges->failed(ranges->arg, from, error);
	FreeErrorData(error);
	if (nrows == 1)
		return;
	halve_range(ranges, from, nrows / 2);
	halve_range(ranges, from + nrows / 2, nrows - nrows / 2);
}

void
guard_ranges(int nrows, void (*fn) (void *arg, int from, int nrows),
			 void (*failed) (void *arg, int i, ErrorData *edata), void *arg)
{
	Ranges		ranges = {fn, failed, arg};

	if (nrows > 0)
		halve_range(&ranges, 0, nrows);
}
