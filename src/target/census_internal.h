/*
 * census_internal.h
 *		What the files of the census share.
 *
 * census.c		begin one, and add keys
 * census_sql.c	compare it with the target
 */
#ifndef RESOLUTE_CENSUS_INTERNAL_H
#define RESOLUTE_CENSUS_INTERNAL_H

#include "postgres.h"

#include "target/census.h"
#include "target/upsert_internal.h"
#include "utils/tuplestore.h"

#define CENSUS_NAME "resolute_census"

struct Census
{
	CensusSpec	spec;
	MemoryContext context;
	Oid			relation;
	char	   *name;			/* qualified and quoted, after ONLY if needed */
	bool		soft;			/* rows are marked */
	bool		dated;			/* spec.version can be compared with a time */
	char	   *match;			/* "t.key = c.k1 AND ..." */

	int			nkeys;
	const char **keys;			/* names of the columns, and so of the fields */
	const char **members;		/* the same in UTF-8 */
	ColumnType **types;
	TupleDesc	desc;
	Tuplestorestate *store;
	int64		count;
};

#endif							/* RESOLUTE_CENSUS_INTERNAL_H */
