/*
 * redis.h
 *		Redis servers (foreign data wrapper resolute_redis), in which cursors may keep their
 *		position: one key, one text.
 *
 * The protocol is hiredis's, the connection libcurl's, so that nothing blocks.
 */
#ifndef RESOLUTE_REDIS_H
#define RESOLUTE_REDIS_H

#include "postgres.h"

/* Parts of option "url". */
typedef struct RedisUrl
{
	bool		encrypted;		/* rediss */
	const char *address;		/* "host[:port]" */
	int			database;
} RedisUrl;

/* Take an URL apart; what is wrong with it as a phrase ("must …"), or NULL. */
extern const char *redis_parse_url(const char *url, RedisUrl *parts);

typedef struct Redis Redis;

/*
 * A key (after the server's prefix) of a server as the role may use it, resolved as connection_get() does and with the same errors;
 * touches catalogs, but no network.  Belongs to the current memory context.
 */
extern Redis *redis_create(const char *server, const char *key, Oid userid);

/*
 * The text at the key, palloc'd; NULL if there is none.  Bytes that are no
 * printable ASCII become '?'.  Waits for the network, interruptibly, and touches no
 * catalog.  Raises 08001 and 08006 for the connection, 28000 for a refused password, 42501
 * for a command that the user may not run, 42804 for a key that holds no text, 08P01 for a server
 * that is no Redis, and 38000 for other errors that it reports.
 */
extern char *redis_get(Redis *redis);

/*
 * Set the key to value (NULL: delete it), if it still holds expected (NULL: nothing) or
 * value.  False otherwise.  Errors as redis_get().
 */
extern bool redis_set(Redis *redis, const char *expected, const char *value);

#endif							/* RESOLUTE_REDIS_H */
