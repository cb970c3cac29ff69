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
		MemoryContextSwitchTo(context);
		*error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;

		if (row >= nrows || !is_row_error((*error)->sqlerrcode))
			ReThrowError(*error);
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
