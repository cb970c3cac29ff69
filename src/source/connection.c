/*
 * connection.c
 *		Connections: a foreign server and a user mapping resolved to an HTTP
 *		client, cached for the session.
 */
#include "source/connection.h"

#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_user_mapping.h"
#include "common/base64.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "resolute.h"
#include "source/options.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* A connection, and who needs it. */
typedef struct CachedConnection
{
	Connection	connection;		/* must be first */
	dlist_node	node;			/* in connections */
	Oid			mapping;
	uint32		server_hash;	/* of the syscache entries it was made of */
	uint32		mapping_hash;
	bool		stale;			/* one of them changed: never handed out again */
	int			pins;			/* memory contexts that hold it */
	char	   *authorization;	/* as the client has it, or NULL */
} CachedConnection;

typedef struct Pin
{
	MemoryContextCallback callback;
	CachedConnection *cached;
} Pin;

static dlist_head connections = DLIST_STATIC_INIT(connections);

/* Mark the connections that were made of a catalog row that changed. */
static void
on_invalidation(Datum arg, int cacheid, uint32 hash)
{
	dlist_iter	iter;

	(void) arg;
	dlist_foreach(iter, &connections)
	{
		CachedConnection *cached = dlist_container(CachedConnection, node, iter.cur);

		if (hash == 0 ||
			(cacheid == FOREIGNSERVEROID && cached->server_hash == hash) ||
			(cacheid == USERMAPPINGOID && cached->mapping_hash == hash))
			cached->stale = true;
	}
}

static void
watch_catalogs(void)
{
	static bool watching = false;

	if (watching)
		return;
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, on_invalidation, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, on_invalidation, (Datum) 0);
	watching = true;
}

/* Close a connection; its context's callback closes the handles. */
static void
connection_close(CachedConnection *cached)
{
	dlist_delete(&cached->node);
	MemoryContextDelete(cached->connection.context);
}

/* Close what is stale and held by nobody. */
static void
close_stale(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &connections)
	{
		CachedConnection *cached = dlist_container(CachedConnection, node, iter.cur);

		if (cached->stale && cached->pins == 0)
			connection_close(cached);
	}
}

static void
unpin(void *arg)
{
	CachedConnection *cached = ((Pin *) arg)->cached;

	if (--cached->pins == 0 && cached->stale)
		connection_close(cached);
}

/* Keep a connection until the current memory context is reset. */
static void
pin(CachedConnection *cached)
{
	Pin		   *held = palloc0(sizeof(Pin));

	held->cached = cached;
	held->callback.func = unpin;
	held->callback.arg = held;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &held->callback);
	cached->pins++;
}

/*
 * The role whose mapping it is, InvalidOid for PUBLIC.  (GetUserMapping puts
 * the role that was asked for into the result.)
 */
static Oid
mapping_role(const UserMapping *mapping)
{
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(mapping->umid));
	Oid			role;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for user mapping %u", mapping->umid);
	role = ((Form_pg_user_mapping) GETSTRUCT(tuple))->umuser;
	ReleaseSysCache(tuple);
	return role;
}

/* "Basic base64(user:password)" */
static char *
basic_header(const char *user, const char *password)
{
	char	   *pair = psprintf("%s:%s", user, password);
	const void *bytes = pair;	/* char until 17, uint8 since */
	int			size = pg_b64_enc_len(strlen(pair)) + 1;
	char	   *encoded = palloc0(size);

	if (pg_b64_encode(bytes, strlen(pair), encoded, size - 1) < 0)
		elog(ERROR, "could not encode credentials");
	return psprintf("Basic %s", encoded);
}

/* The Authorization header of a mapping; NULL for an anonymous one. */
static char *
authorization(const UserMapping *mapping)
{
	const char *email = option_text(mapping->options, "email", NULL);
	const char *secret = option_text(mapping->options, "token", NULL);

	if (secret == NULL)
		secret = mapping_secret(mapping, "api_token");
	if (secret == NULL)
		return NULL;
	return email ? basic_header(email, secret) : psprintf("Bearer %s", secret);
}

/* An URL of an option without the slash at its end. */
static char *
without_slash(const char *url)
{
	Size		len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	return pnstrdup(url, len);
}

static JiraApi
api_of(List *options)
{
	const char *api = option_text(options, "api", "auto");

	return strcmp(api, "cloud") == 0 ? JIRA_API_CLOUD :
		strcmp(api, "server") == 0 ? JIRA_API_SERVER : JIRA_API_AUTO;
}

/* Fill a connection in, in its own context, which is the current one. */
static void
connection_fill(CachedConnection *cached, ForeignServer *server, UserMapping *mapping,
				const char *wrapper)
{
	Connection *connection = &cached->connection;
	List	   *options = server->options;
	const char *story_points = option_text(options, "story_points_field", NULL);
	Oid			role = mapping_role(mapping);
	HttpSettings settings = {0};

	settings.server = server->servername;
	settings.url_option = "base_url";
	settings.mapping = OidIsValid(role) ? GetUserNameFromId(role, false) : "PUBLIC";
	settings.base_url = without_slash(option_text(options, "base_url", ""));
	settings.authorization = cached->authorization;
	settings.user_agent = option_text(options, "user_agent", "resolute/" RESOLUTE_VERSION);
	settings.ca_file = option_text(options, "ca_file", NULL);
	settings.connect_timeout = (int) (1000 * option_seconds(options, "connect_timeout", RESOLUTE_DEFAULT_CONNECT_TIMEOUT_S));
	settings.timeout = (int) (1000 * option_seconds(options, "timeout", RESOLUTE_DEFAULT_TIMEOUT_S));
	settings.max_body = option_bytes(options, "max_body", (Size) RESOLUTE_DEFAULT_MAX_BODY);
	settings.allow_http = option_bool(options, "allow_http", false);
	settings.allow_private = option_bool(options, "allow_private", false);

	connection->server = server->serverid;
	connection->userid = role;
	connection->name = pstrdup(server->servername);
	connection->wrapper = pstrdup(wrapper);
	connection->browse_url = without_slash(option_text(options, "browse_url", settings.base_url));
	connection->api = api_of(options);
	connection->story_points_field = story_points ? pstrdup(story_points) : NULL;
	connection->anonymous = cached->authorization == NULL;
	connection->client = http_client_create(&settings);
}

/* Make a connection, to be kept for the session. */
static CachedConnection *
connection_open(ForeignServer *server, UserMapping *mapping, const char *wrapper,
				const char *authorization)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "resolute connection",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	CachedConnection *cached = palloc0(sizeof(CachedConnection));

	cached->connection.context = context;
	cached->mapping = mapping->umid;
	cached->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID,
												ObjectIdGetDatum(server->serverid));
	cached->mapping_hash = GetSysCacheHashValue1(USERMAPPINGOID,
												 ObjectIdGetDatum(mapping->umid));
	cached->authorization = authorization ? pstrdup(authorization) : NULL;
	connection_fill(cached, server, mapping, wrapper);
	MemoryContextSwitchTo(caller);

	/* It is complete: from here on it survives errors. */
	MemoryContextSetParent(context, TopMemoryContext);
	dlist_push_head(&connections, &cached->node);
	return cached;
}

/* The cached connection of a mapping, if it is still as it was made. */
static CachedConnection *
connection_find(Oid mapping, const char *authorization)
{
	dlist_iter	iter;

	dlist_foreach(iter, &connections)
	{
		CachedConnection *cached = dlist_container(CachedConnection, node, iter.cur);
		const char *known = cached->authorization;

		if (cached->mapping != mapping || cached->stale)
			continue;
		if ((known != NULL) == (authorization != NULL) &&
			(known == NULL || strcmp(known, authorization) == 0))
			return cached;
		/* A token in a file or in the environment was replaced. */
		cached->stale = true;
	}
	return NULL;
}

Connection *
connection_get(const char *name, Oid userid)
{
	const char *wrapper;
	ForeignServer *server;
	UserMapping *mapping;
	CachedConnection *cached;
	char	   *header;

	watch_catalogs();
	wrapper = server_resolve(name, NULL, userid, &server, &mapping);
	header = authorization(mapping);

	cached = connection_find(mapping->umid, header);
	close_stale();
	if (cached == NULL)
		cached = connection_open(server, mapping, wrapper, header);
	pin(cached);
	return &cached->connection;
}
