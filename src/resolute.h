/*
 * resolute.h
 *		Settings (GUCs) and the few things that every folder shares.
 */
#ifndef RESOLUTE_H
#define RESOLUTE_H

#include "postgres.h"

#include "compat.h"
#include "executor/spi.h"

#define RESOLUTE_VERSION "1.0"
#define RESOLUTE_SCHEMA "resolute"

/* Limits of the settings, with their reasons in resolute.c. */
#define RESOLUTE_DEFAULT_MAX_WAIT_S 60
#define RESOLUTE_MAX_MAX_WAIT_S 3600
#define RESOLUTE_DEFAULT_HTTP_ATTEMPTS 5
#define RESOLUTE_MAX_HTTP_ATTEMPTS 20

/* Are both NULL, or the same? */
static inline bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* How the JSON reader scans: the best this machine has, or the portable one. */
typedef enum JsonScanMode
{
	JSON_SCAN_AUTO,
	JSON_SCAN_SCALAR
} JsonScanMode;

extern int	resolute_max_wait;		/* s; a longer wait defers the run */
extern int	resolute_http_attempts; /* tries of one request, at least 1 */
extern bool resolute_progress;		/* a NOTICE for every page? */
extern int	resolute_json_scan;		/* a JsonScanMode; for tests */

/*
 * The OID of a relation of resolute's own schema, such as "flows".  Raises
 * UNDEFINED_TABLE where the extension is not installed in this database.
 */
extern Oid	resolute_relation(const char *name);

/*
 * Switch to the owner of resolute's catalog tables, so that resolute can keep
 * its books whoever runs the flow; leave with the returned state.  In between,
 * search_path is pg_catalog alone: nobody's operators are run as that owner.  An
 * abort of the (sub)transaction undoes the switch as well.
 */
typedef struct CatalogScope
{
	Oid			userid;
	int			sec_context;
	int			guc_level;
} CatalogScope;

extern CatalogScope catalog_enter(void);
extern void catalog_leave(CatalogScope scope);

/*
 * Run one statement on resolute's own tables through SPI (the caller is
 * connected), as their owner.  types, values and nulls as in
 * SPI_execute_with_args(); the result is in SPI_tuptable, the number of rows is
 * returned.  Its plan is kept by its text, so that should come from the source.
 */
extern uint64 catalog_execute(const char *sql, int nargs, const Oid *types, Datum *values,
							  const char *nulls);

/*
 * A column (from 1) of a row (from 0) that SPI found, whatever the statement.  A null is 0, false
 * or NULL.  Texts are palloc'd; what result_datum() gives may lie in SPI's memory.
 */
extern Datum result_datum(uint64 row, int column, bool *isnull);
extern int32 result_int32(uint64 row, int column);
extern int64 result_int64(uint64 row, int column);
extern Oid	result_oid(uint64 row, int column);
extern bool result_bool(uint64 row, int column);
extern char *result_text(uint64 row, int column);

/* The same in another context; and a value of variable length, copied to the present one. */
extern char *result_text_in(uint64 row, int column, MemoryContext context);
extern Datum result_copy(uint64 row, int column);

#endif							/* RESOLUTE_H */
