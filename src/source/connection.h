/*
 * connection.h
 *		Foreign servers and user mappings as connections: options, the right
 *		to use them, and the clients kept alive for them.
 */
#ifndef RESOLUTE_CONNECTION_H
#define RESOLUTE_CONNECTION_H

#include "postgres.h"

#include "source/http.h"
#include "source/server.h"

typedef enum JiraApi
{
	JIRA_API_AUTO,
	JIRA_API_CLOUD,
	JIRA_API_SERVER
} JiraApi;

/*
 * A usable connection: cached per (server, user mapping) for the session,
 * rebuilt when either changed.  Also keeps what was learnt about the server
 * and seldom changes, so that a run with nothing new is one request.
 */
typedef struct Connection
{
	Oid			server;
	Oid			userid;			/* of the mapping, InvalidOid for PUBLIC's */
	const char *name;			/* of the server */
	const char *wrapper;		/* of the foreign data wrapper: "resolute_jira" */
	const char *browse_url;		/* option, or base_url */
	JiraApi		api;			/* option */
	const char *story_points_field; /* option, or NULL */
	bool		anonymous;		/* the mapping has no credentials */
	HttpClient *client;
	MemoryContext context;		/* lives as long as the connection */
	void	   *learned;		/* the provider's, in context; NULL at first */
} Connection;

/*
 * Connect as a role: checks that the server exists and is of a wrapper of resolute's, that the role has USAGE
 * on it and a mapping (its own or PUBLIC's).  Errors: UNDEFINED_OBJECT with
 * the list of known servers or the CREATE statement as hint, INSUFFICIENT_PRIVILEGE, and 28000-class for
 * no user mapping.  Touches catalogs, no network.
 *
 * The connection is held for the caller until the current memory context is
 * reset, even if the server is altered or dropped meanwhile.
 */
extern Connection *connection_get(const char *server, Oid userid);

/*
 * Where every Jira tells about itself and about the account.  Both versions of
 * the API have it on Cloud; Server and Data Center know only 2.
 */
#define JIRA_SERVER_INFO "/rest/api/2/serverInfo"
#define JIRA_SERVER_INFO_3 "/rest/api/3/serverInfo"
#define JIRA_MYSELF "/rest/api/2/myself"
#define JIRA_MYSELF_3 "/rest/api/3/myself"

#endif							/* RESOLUTE_CONNECTION_H */
