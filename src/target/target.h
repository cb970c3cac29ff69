/*
 * target.h
 *		Where rows go: the upsert into a table, and dead letters.
 */
#ifndef RESOLUTE_TARGET_H
#define RESOLUTE_TARGET_H

#include "postgres.h"

#include "rows/batch.h"

/* What upsert() asks for. */
typedef struct UpsertSpec
{
	const char *step;			/* name of the step, for failures */
	const char *target;			/* table as written: "warehouse.issues" */
	List	   *keys;			/* of char *: exact column names */
	const char *version;		/* column name; NULL: the FIELD_CURSOR field, if any */
	bool		quiet;			/* no NOTICE where there is no version column */
} UpsertSpec;

typedef struct Upsert Upsert;

/*
 * Prepare to upsert rows with these fields; allocates in the current context,
 * which must live as long as the run.  Checks nothing yet.  Fields that are
 * is_item are matched by the members of the items of each batch (upsert_items).
 */
extern Upsert *upsert_create(const UpsertSpec *spec, const FieldSet *fields);

/*
 * Check target, columns, key and arbiter index as the current user, as they are
 * now.  Raises, each with a hint: UNDEFINED_TABLE, WRONG_OBJECT_TYPE (a view, a foreign
 * table), UNDEFINED_COLUMN (names the field), DUPLICATE_COLUMN, INVALID_COLUMN_REFERENCE (no valid, immediate,
 * non-partial unique index on exactly these plain columns; the hint is the CREATE UNIQUE INDEX
 * statement), INSUFFICIENT_PRIVILEGE, GENERATED_ALWAYS.  NOTICE once where there is no version column.
 * With missing_ok, a table that does not exist yet is no error (returns false).
 */
extern bool upsert_check(Upsert *upsert, bool missing_ok);

/*
 * Store a page of rows as the current user, in the current transaction: probe,
 * compare, then one INSERT ... ON CONFLICT for the new and changed ones.  Row
 * errors go to page_fail_row() (a failed batch is bisected); all others are raised.
 * Adds to *counts: rows_in = inserted + updated + unchanged + stale + duplicates + failed.
 * The table is resolved anew, so DDL between pages is seen.
 *
 * Null and missing values are SQL NULL, in json columns, too.  Of rows with the same key, as its
 * type sees it, the newest version wins, of those the last one.  A null version is
 * older than any other; the same version with other contents is written.  A stored
 * key keeps its spelling.  A row that a trigger suppressed counts as unchanged;
 * where another session wrote between probe and write, the probe's verdict counts,
 * unless the row turned out to be stale.  Sets all constraints of the transaction to IMMEDIATE.
 */
extern void upsert_page(Upsert *upsert, RowBatch *batch, PageContext *page,
						StepCounts *counts);

/* What would upsert_page do with each row?  Writes nothing. */
typedef enum UpsertVerdict
{
	VERDICT_INSERT,
	VERDICT_UPDATE,
	VERDICT_UNCHANGED,
	VERDICT_STALE,
	VERDICT_DUPLICATE,
	VERDICT_DEAD
} UpsertVerdict;

/* verdicts has room for batch->nrows. */
extern void upsert_preview(Upsert *upsert, RowBatch *batch, PageContext *page,
						   UpsertVerdict *verdicts);

/* Does the target hold any row?  (For the check of an emptied target.) */
extern bool upsert_target_has_rows(Upsert *upsert);

/* The dead letters of one flow, for the length of one run. */
typedef struct DeadLetters DeadLetters;

/* Allocates in the current context, which must live as long as the run. */
extern DeadLetters *dead_letters_create(int flow_id, const char *flow, Oid owner,
										int version, int64 run_id);

/*
 * Write page->failures to resolute.dead_letters (as the catalog's owner): one letter per
 * (flow, step, item); meeting it again counts an attempt and opens it again.  An item is
 * known again by its members "self", "url" and "id", else by its "key", else by all of it.
 */
extern void dead_letters_write(DeadLetters *letters, PageContext *page);

/*
 * Resolve the open letters of these steps (List of char *; NIL for all of the flow) whose items
 * are among the rows that a sink was given and that are not in
 * page->failures.  Returns how many.  Costs nothing while the flow has no open letters.
 */
extern int64 dead_letters_resolve(DeadLetters *letters, List *steps,
								  const RowBatch *batch, PageContext *page);

/* An open letter that is to be tried again. */
typedef struct Letter
{
	int64		id;
	const char *step;			/* where it failed */
	const char *source;			/* step that fetched it, or NULL: not known */
	int			version;		/* of the flow, when it failed last; 0: not known */
	Value		item;			/* once it was read */
} Letter;

/*
 * The open letters of a flow, at most limit of them (0: all), those tried longest ago
 * first: n of them, palloc'd, ordered by step and source.  Only those of one step, unless
 * that is NULL.
 */
extern Letter *dead_letters_open(int flow_id, const char *step, int64 limit, int *n);

/*
 * Read the items of n letters into the current context.  An item that is no JSON
 * object is left VALUE_MISSING.
 */
extern void dead_letters_read(Letter *letters, int n);

/*
 * Keep what became of n letters that were tried again: where page->failures has
 * the very item of a letter, that counts an attempt of the step that refused it;
 * a letter that got beyond its own step is resolved.  Returns how many of the n
 * have not failed at all.
 */
extern int	dead_letters_settle(DeadLetters *self, const Letter *letters, int n, PageContext *page);

#endif							/* RESOLUTE_TARGET_H */
