/*
 * server.h
 *		Foreign servers of resolute's wrappers and their user mappings.  Touches catalogs, but no
 *		network.
 */
#ifndef RESOLUTE_SERVER_H
#define RESOLUTE_SERVER_H

#include "postgres.h"

#include "foreign/foreign.h"

/* The wrapper of servers that keep positions, and yield no rows. */
#define REDIS_WRAPPER "resolute_redis"

/*
 * A server of that wrapper (NULL: of any that rows come from) and the mapping of a role, its own or PUBLIC's;
 * returns the wrapper.  Raises UNDEFINED_OBJECT with the list of known servers or the CREATE statement
 * as hint, WRONG_OBJECT_TYPE, INSUFFICIENT_PRIVILEGE without USAGE, and 28000 for no user mapping.
 */
extern const char *server_resolve(const char *name, const char *wrapper, Oid userid,
								  ForeignServer **server, UserMapping **mapping);

/* Only the checks that make sense when a flow is defined. */
extern void server_check_exists(const char *name, const char *wrapper);

/*
 * The secret that a mapping has in that option, or in the file or the environment
 * variable that "option_file" or "option_env" names; NULL if there is none.
 */
extern const char *mapping_secret(const UserMapping *mapping, const char *option);

#endif							/* RESOLUTE_SERVER_H */
