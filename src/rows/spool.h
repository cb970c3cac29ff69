/*
 * spool.h
 *		Rows kept aside, so that they can be read more than once: in memory up
 *		to work_mem, then in a temporary file; over commits.
 */
#ifndef RESOLUTE_SPOOL_H
#define RESOLUTE_SPOOL_H

#include "postgres.h"

#include "rows/batch.h"
#include "utils/tuplestore.h"

typedef struct Spool Spool;

/*
 * A tuplestore, read forwards only, that keeps work_mem in memory, survives commits and
 * ends with the current context.
 */
extern Tuplestorestate *lasting_tuplestore(void);

/* A spool for rows with these fields; lives in the current context. */
extern Spool *spool_create(const FieldSet *fields);

/* The fields of its rows. */
extern const FieldSet *spool_fields(const Spool *spool);

/* Add the rows of a batch; everything is copied. */
extern void spool_append(Spool *spool, const RowBatch *batch);

/*
 * Of rows that were added for a page: keep them, or drop what was added since the last
 * call of either.  Neither can fail where there is memory for a few bytes.
 */
extern void spool_keep(Spool *spool);
extern void spool_drop(Spool *spool);

/* Start reading from the first row (again). */
extern void spool_rewind(Spool *spool);

/* The next rows, at most limit or some megabytes, in the current context; NULL at the end. */
extern RowBatch *spool_next(Spool *spool, int limit);

/* One key to sort by. */
typedef struct SpoolOrder
{
	bool		descending;
	bool		nulls_first;
} SpoolOrder;

/* The i-th key of a row as jsonb; null where *isnull. */
typedef Datum (*SpoolKey) (void *arg, int i, const Row *row, bool *isnull);

/*
 * The rows of a spool in another one, in the current context, in the order of n keys as jsonb compares; rows with the
 * same keys stay in their order.  Sorts in work_mem, then in temporary files.
 */
extern Spool *spool_sorted(Spool *spool, int n, const SpoolOrder *orders, SpoolKey key, void *arg);

#endif							/* RESOLUTE_SPOOL_H */
