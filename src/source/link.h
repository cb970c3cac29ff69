/*
 * link.h
 *		A stream of bytes to another server, plain or encrypted, for protocols other
 *		than HTTP.
 *
 * libcurl looks the host up, checks its address and connects as it does for
 * requests, and never blocks; nothing here touches a catalog.
 */
#ifndef RESOLUTE_LINK_H
#define RESOLUTE_LINK_H

#include "postgres.h"

#include "source/http.h"

typedef struct Link Link;

/*
 * Connect to the host of base_url (https: encrypted), and wait for it, interruptibly.  The
 * link belongs to the current memory context, which closes it.  Raises 08001, and 08006 where
 * connecting takes too long.
 */
extern Link *link_open(const HttpSettings *settings);

/* From now on, sending and receiving take as long as the timeout of the settings, all in all. */
extern void link_set_deadline(Link *link);

/* Send all of it.  Raises 08006 when the connection breaks or the deadline has passed. */
extern void link_send(Link *link, const char *data, Size len);

/* Receive some bytes, at least 1.  Raises as link_send(), also when the server closes. */
extern Size link_receive(Link *link, char *data, Size size);

/* Is the connection still open, with nothing to be received? */
extern bool link_is_idle(Link *link);

#endif							/* RESOLUTE_LINK_H */
