/*
 * census.h
 *		Which rows of a target does the source no longer have?
 *
 * A census takes the keys of all rows that the source has, page by page, and is
 * then compared with the target in SQL.
 */
#ifndef RESOLUTE_CENSUS_H
#define RESOLUTE_CENSUS_H

#include "postgres.h"

#include "rows/batch.h"
#include "utils/timestamp.h"

/* A column of this name marks rows that are gone, instead of their deletion. */
#define CENSUS_SOFT_COLUMN "deleted_at"

typedef struct CensusSpec
{
	const char *step;			/* that upserts into the target, for messages */
	const char *target;			/* table as written */
	List	   *keys;			/* of char *, as the upsert has them */
	const char *version;		/* column that says how new a row is, or NULL */
	TimestampTz before;			/* rows whose version is as new as this are
								 * left alone: the census may be older */
	bool		may_delete;		/* where there is no column to mark them in */
} CensusSpec;

typedef struct Census Census;

/*
 * Begin a census of the target as it is now, as the current user; needs SPI.  Lives in the
 * current context; keys beyond work_mem go to a temporary file that
 * survives commits.  Raises what upsert_check() raises, 42501 without the right to
 * remove rows, 42804 for a column deleted_at that holds no time, and 55000 where there is no such
 * column and may_delete is not set.
 */
extern Census *census_create(const CensusSpec *spec);

extern Oid	census_relation(const Census *census);
extern bool census_has_keys(const Census *census, List *keys);

/*
 * Add the keys of rows that have them as fields or, where is_item, as members.  Keys
 * that are null or do not fit their columns are passed over: no row has them.
 */
extern void census_add(Census *census, const RowBatch *batch);

/* How many keys were added; the same key may have been added twice. */
extern int64 census_count(const Census *census);

/* Compare.  Raises 55000 where the table is another one by now. */
typedef struct CensusResult
{
	int64		stored;			/* rows of the target that are not marked yet */
	int64		vanished;		/* those of them that the source does not have */
} CensusResult;

extern void census_compare(Census *census, CensusResult *result);

/*
 * Distinct values, as text (List of char *, in the database's encoding), of a column of
 * the vanished rows, at most limit of them.  Without what follows the last "-", if
 * "prefix" is set: the project of an issue's key.
 */
extern List *census_vanished(Census *census, const char *column, bool prefix, int limit);

/*
 * Delete or mark the vanished rows, and unmark those that are back.  Returns how many
 * have been removed.
 */
extern int64 census_remove(Census *census, int64 *restored);

#endif							/* RESOLUTE_CENSUS_H */
