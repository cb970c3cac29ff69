/*
 * storage.h
 *		Where a cursor keeps its position besides the table: a Redis server, or a pair of
 *		SQL functions.
 *
 * A name of two parts stands for functions, whose names end in "_read" and "_write"; any other is
 * that of a foreign server of resolute_redis:
 *
 *		my_schema.my_storage_read(name text) RETURNS text
 *		my_schema.my_storage_write(name text, value text)
 *
 * A null value means that there is no position.
 */
#ifndef RESOLUTE_STORAGE_H
#define RESOLUTE_STORAGE_H

#include "postgres.h"

typedef struct Storage Storage;

/*
 * Does the name stand for a storage?  Raises 42704 if not, 42809 for a server of another wrapper,
 * 42883 for a missing function and 42P13 for one that is of no use.
 */
extern void storage_check(const char *name);

/*
 * The storage of that cursor as that role may use it; belongs to the current memory context.  Touches catalogs,
 * but no network.  Raises as storage_check(), and for servers as connection_get().
 */
extern Storage *storage_open(const char *name, const char *cursor, Oid userid);

/* Is it beyond the network?  Then the next two touch no catalog; else they need SPI and a snapshot. */
extern bool storage_is_remote(const Storage *storage);

/* The text that it holds for the cursor, palloc'd; NULL: none. */
extern char *storage_read(Storage *storage);

/* Make that value (NULL: none), unless it is neither expected nor value: then false. */
extern bool storage_write(Storage *storage, const char *expected, const char *value);

#endif							/* RESOLUTE_STORAGE_H */
