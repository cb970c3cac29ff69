/*
 * store.h
 *		Flows as they are stored in resolute.flows and resolute.flow_versions.
 *
 * All functions need a connection to SPI and allocate in the context given, or
 * in the current one.
 */
#ifndef RESOLUTE_STORE_H
#define RESOLUTE_STORE_H

#include "flow/step.h"
#include "fmgr.h"

/*
 * Load a flow by name into context, unparsed.  Raises 42704 with a hint where there is
 * none (NULL if missing_ok).
 */
extern Flow *flow_load(const char *name, bool missing_ok, MemoryContext context);

/*
 * A hint that lists those things in a table of resolute's (its name is their plural) that
 * belong to roles of the current user; or what to say if there are none.
 */
extern char *own_names(const char *table, const char *none);

/* Raises 22004 where an argument is null: what it is, and of what kind of thing. */
extern void check_given(FunctionCallInfo fcinfo, int arg, const char *what, const char *of);

/* Raises 42602 for a name that is empty or too long. */
#define STORE_MAX_NAME 200		/* bytes; it is part of the name of a flow's job */
extern void check_name(const char *of, const char *name);

/* Raises 42501 unless the new owner of a thing is a role that the current user could become. */
extern void check_new_owner(const char *what, const char *name, Oid owner);

/*
 * Put the definition of an earlier (or later) version in the flow's place, unparsed.  False
 * if there is no such version.
 */
extern bool flow_load_version(Flow *flow, int version);

/* The same, but raises 42704 where there is none. */
extern void flow_require_version(Flow *flow, int version);

/* Raises 42501 unless the current user is the flow's owner, a member or superuser. */
extern void flow_check_access(const Flow *flow);

/*
 * Store the definition: a new flow (flow->id = 0 before), or a new version of it.  Sets id and
 * version.
 */
extern void flow_store(Flow *flow);

/* Let no run of the flow begin before this time. */
extern void flow_defer(const Flow *flow, TimestampTz not_before);

/* Take the flow's lock without waiting; false if somebody holds it. */
extern bool flow_lock(int flow_id, bool session);
extern void flow_unlock(int flow_id);

/*
 * Take the flow's lock for the transaction, so that no run of it goes on meanwhile.  Raises
 * 55006 where one does.
 */
extern void flow_lock_or_raise(const Flow *flow);

#endif							/* RESOLUTE_STORE_H */
