/*
 * spool.h
 *		Rows kept aside, so that they can be read more than once: in memory up
 *		to work_mem, then in a temporary file; over commits.
 */
#ifndef RESOLUTE_SPOOL_H
#define RESOLUTE_SPOOL_H

#include "postgres.h"

#include "rows/batch.h"

typedef struct Spool Spool;

/* A spool for rows with these fields; lives in the current context. */
extern Spool *spool_create(const FieldSet *fields);

/* The fields of its rows. */
extern const FieldSet *spool_fields(const Spool *spool);

/* Add the rows of a batch; everything is copied. */
extern void spool_append(Spool *spool, const RowBatch *batch);

/* Start reading from the first row (again). */
extern void spool_rewind(Spool *spool);

/* The next rows, at most limit, in the current context; NULL at the end. */
extern RowBatch *spool_next(Spool *spool, int limit);

#endif							/* RESOLUTE_SPOOL_H */
