/*
 * options.h
 *		Options of foreign servers and user mappings.
 */
#ifndef RESOLUTE_OPTIONS_H
#define RESOLUTE_OPTIONS_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* Time limits, in seconds: below the minimum no real server answers. */
#define RESOLUTE_MIN_TIMEOUT_S 0.1
#define RESOLUTE_MAX_TIMEOUT_S 3600.0
#define RESOLUTE_MAX_CONNECT_TIMEOUT_S 300.0
#define RESOLUTE_DEFAULT_TIMEOUT_S 60.0
#define RESOLUTE_DEFAULT_CONNECT_TIMEOUT_S 10.0
#define RESOLUTE_DEFAULT_REDIS_TIMEOUT_S 10.0

/* Size of an answer: the most is what a text datum can hold. */
#define RESOLUTE_MIN_MAX_BODY 1024.0
#define RESOLUTE_MAX_MAX_BODY (1023.0 * 1024 * 1024)
#define RESOLUTE_DEFAULT_MAX_BODY (64.0 * 1024 * 1024)

/* A secret in a file or in the environment is at most this long. */
#define RESOLUTE_MAX_SECRET 8192

/*
 * Read a value from a list of DefElems that the validator accepted; the
 * default where the option is not there.
 */
extern const char *option_text(List *options, const char *name, const char *otherwise);
extern bool option_bool(List *options, const char *name, bool otherwise);
extern double option_seconds(List *options, const char *name, double otherwise);
extern Size option_bytes(List *options, const char *name, Size otherwise);

/*
 * Check that a secret, wherever it came from, can be sent in a header; source
 * names it in the message.  Raises 22023.
 */
extern void check_secret(const char *source, const char *secret);

#endif							/* RESOLUTE_OPTIONS_H */
