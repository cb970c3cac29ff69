/*
 * server.c
 *		Foreign servers and user mappings: what is there, and who may use it.
 */
#include "source/server.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "source/options.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* The foreign data wrappers of resolute; only superusers create wrappers. */
#define WRAPPER_PREFIX "resolute_"

/* What the hints of a wrapper show: options of a server, and of a user mapping. */
typedef struct Example
{
	const char *wrapper;
	const char *server;
	const char *mapping;
} Example;

static const Example examples[] = {
	{"resolute_jira", "base_url 'https://your-org.atlassian.net'", "email '...', api_token '...'"},
	{REDIS_WRAPPER, "url 'rediss://your-host:6379/0'", "password '...'"},
};

/* How many servers a hint lists. */
#define MAX_LISTED_SERVERS 8

static const Example *
example_of(const char *wrapper)
{
	for (int i = 0; wrapper && i < (int) lengthof(examples); i++)
		if (strcmp(examples[i].wrapper, wrapper) == 0)
			return &examples[i];
	return &examples[0];
}

/* Is it the wrapper that is wanted, or with NULL, any of ours that rows come from? */
static bool
is_wanted_wrapper(const char *found, const char *wanted)
{
	if (wanted)
		return strcmp(found, wanted) == 0;
	return strncmp(found, WRAPPER_PREFIX, strlen(WRAPPER_PREFIX)) == 0 &&
		strcmp(found, REDIS_WRAPPER) != 0;
}

/* Names of the wrapper's servers, divided by commas; "" if there is none. */
static char *
list_servers(const char *wanted)
{
	Relation	relation = table_open(ForeignServerRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	StringInfoData names;
	HeapTuple	tuple;
	int			count = 0;

	initStringInfo(&names);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_foreign_server form = (Form_pg_foreign_server) GETSTRUCT(tuple);
		ForeignDataWrapper *wrapper = GetForeignDataWrapper(form->srvfdw);

		if (!is_wanted_wrapper(wrapper->fdwname, wanted) || count++ >= MAX_LISTED_SERVERS)
			continue;
		appendStringInfo(&names, "%s\"%s\"", names.len ? ", " : "", NameStr(form->srvname));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	if (count > MAX_LISTED_SERVERS)
		appendStringInfoString(&names, ", ...");
	return names.data;
}

/* Look a server up; it must be of the wrapper, or of any of ours if that is NULL. */
static ForeignServer *
find_server(const char *name, const char *wrapper, const char **wrapper_found)
{
	ForeignServer *server = GetForeignServerByName(name, true);
	const Example *example = example_of(wrapper);

	if (server == NULL)
	{
		char	   *known = list_servers(wrapper);

		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("server \"%s\" does not exist", name),
				 known[0] ?
				 errhint("Known servers are: %s.", known) :
				 errhint("Create it: CREATE SERVER %s FOREIGN DATA WRAPPER %s OPTIONS (%s).",
						 quote_identifier(name), example->wrapper, example->server)));
	}
	*wrapper_found = GetForeignDataWrapper(server->fdwid)->fdwname;
	if (!is_wanted_wrapper(*wrapper_found, wrapper))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" cannot be used here", name),
				 errdetail("It is of the foreign data wrapper \"%s\".", *wrapper_found),
				 errhint("Use a server of the foreign data wrapper \"%s\".", example->wrapper)));
	return server;
}

void
server_check_exists(const char *server, const char *wrapper)
{
	const char *found;

	find_server(server, wrapper, &found);
}

static void
check_usage(const ForeignServer *server, Oid userid)
{
	AclResult	result = foreign_server_aclcheck(server->serverid, userid, ACL_USAGE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FOREIGN_SERVER, server->servername);
}

/* The mapping of a role, or else that of PUBLIC. */
static UserMapping *
find_mapping(const ForeignServer *server, Oid userid, const char *wrapper)
{
	char	   *role;

	if (SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(userid),
							  ObjectIdGetDatum(server->serverid)) ||
		SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid),
							  ObjectIdGetDatum(server->serverid)))
		return GetUserMapping(userid, server->serverid);

	role = GetUserNameFromId(userid, false);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("role \"%s\" has no user mapping for server \"%s\"", role, server->servername),
			 errhint("Create it: CREATE USER MAPPING FOR %s SERVER %s OPTIONS (%s).",
					 quote_identifier(role), quote_identifier(server->servername),
					 example_of(wrapper)->mapping)));
}

/* The content of the file that a superuser named in an option, without the space at its end. */
static char *
read_secret_file(const char *option, const char *path)
{
	FILE	   *file = AllocateFile(path, PG_BINARY_R);
	char	   *secret = palloc0(RESOLUTE_MAX_SECRET + 2);
	Size		len;

	if (file == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open the file that option \"%s\" names: %m", option),
				 errhint("The operating system user of the database server must be able to read it.")));
	len = fread(secret, 1, RESOLUTE_MAX_SECRET + 1, file);
	FreeFile(file);
	while (len > 0 && strchr(" \t\r\n", secret[len - 1]))
		secret[--len] = '\0';
	check_secret(psprintf("the file that option \"%s\" names", option), secret);
	return secret;
}

static const char *
read_secret_env(const char *option, const char *name)
{
	const char *secret = getenv(name);

	check_secret(psprintf("the environment variable that option \"%s\" names", option),
				 secret ? secret : "");
	return secret;
}

const char *
mapping_secret(const UserMapping *mapping, const char *option)
{
	const char *secret = option_text(mapping->options, option, NULL);
	char	   *file_option = psprintf("%s_file", option);
	char	   *env_option = psprintf("%s_env", option);
	const char *file = option_text(mapping->options, file_option, NULL);
	const char *env = option_text(mapping->options, env_option, NULL);

	if (secret == NULL && file != NULL)
		secret = read_secret_file(file_option, file);
	if (secret == NULL && env != NULL)
		secret = read_secret_env(env_option, env);
	return secret;
}

const char *
server_resolve(const char *name, const char *wrapper, Oid userid,
			   ForeignServer **server, UserMapping **mapping)
{
	const char *found;

	*server = find_server(name, wrapper, &found);
	check_usage(*server, userid);
	*mapping = find_mapping(*server, userid, found);
	return found;
}
