/*
 * expression.h
 *		SQL expressions over rows: the condition of filter, the step of reduce,
 *		functions that nodes call.
 *
 * Needs a connection to SPI.  What they do is done as the current user.
 */
#ifndef RESOLUTE_EXPRESSION_H
#define RESOLUTE_EXPRESSION_H

#include "postgres.h"

#include "executor/spi.h"
#include "rows/batch.h"

/*
 * Is a condition of filter SQL, rather than a template's pipeline?  It is where the
 * word item stands in it by itself: not in quotes, and not as a field (.item).
 */
extern bool condition_is_sql(const char *condition);

/*
 * Prepare a statement, which must be a single one and take n arguments of jsonb or jsonb[];
 * the plan is freed with the current context.  Raises what PostgreSQL finds wrong, and 42601.
 */
extern SPIPlanPtr expression_prepare(const char *sql, int n, const Oid *types);

/* Rows from .. from + nrows - 1 as an array of jsonb. */
extern Datum rows_jsonb_array(const RowBatch *batch, int from, int nrows);

/*
 * Make a row of a document: the object itself, or {"value": document} for
 * anything else.  It comes from the row origin, unless that is NULL.
 */
extern void row_set_document(Row *row, Datum jsonb, const Row *origin);

/* A jsonb as a document in UTF-8, palloc'd. */
extern Value jsonb_to_value(Datum jsonb);

#endif							/* RESOLUTE_EXPRESSION_H */
