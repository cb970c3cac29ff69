/*
 * resolute.c
 *		Module entry: settings, and access to resolute's own tables.
 */
#include "resolute.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

PG_MODULE_MAGIC;

int			resolute_max_wait = RESOLUTE_DEFAULT_MAX_WAIT_S;
int			resolute_http_attempts = RESOLUTE_DEFAULT_HTTP_ATTEMPTS;
bool		resolute_progress = false;
int			resolute_json_scan = JSON_SCAN_AUTO;

static const struct config_enum_entry json_scan_options[] = {
	{"auto", JSON_SCAN_AUTO, false},
	{"scalar", JSON_SCAN_SCALAR, false},
	{NULL, 0, false}
};

void		_PG_init(void);

/* Define the settings; libcurl is initialised later, in the backend. */
void
_PG_init(void)
{
	DefineCustomIntVariable("resolute.max_wait",
							"Longest wait that a server may ask for before a run is deferred.",
							NULL,
							&resolute_max_wait,
							RESOLUTE_DEFAULT_MAX_WAIT_S, 0, RESOLUTE_MAX_MAX_WAIT_S,
							PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("resolute.http_attempts",
							"How often one request is tried before it fails.",
							NULL,
							&resolute_http_attempts,
							RESOLUTE_DEFAULT_HTTP_ATTEMPTS, 1, RESOLUTE_MAX_HTTP_ATTEMPTS,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("resolute.progress",
							 "Reports every page of a run with a NOTICE.",
							 NULL,
							 &resolute_progress,
							 false,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("resolute.json_scan",
							 "How the JSON reader scans a page.",
							 "\"scalar\" is the portable path, which tests compare with the fast one.",
							 &resolute_json_scan,
							 JSON_SCAN_AUTO, json_scan_options,
							 PGC_USERSET, GUC_NO_SHOW_ALL, NULL, NULL, NULL);
	MarkGUCPrefixReserved("resolute");
}

/* Look up one of resolute's own tables. */
Oid
resolute_relation(const char *name)
{
	Oid			schema = get_namespace_oid(RESOLUTE_SCHEMA, true);
	Oid			relation = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist", RESOLUTE_SCHEMA, name),
				 errhint("Run CREATE EXTENSION resolute in this database.")));
	return relation;
}

/* Who owns resolute's tables?  Row-level security does not bind that role. */
static Oid
catalog_owner(void)
{
	Oid			relation = resolute_relation("flows");
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

CatalogScope
catalog_enter(void)
{
	CatalogScope scope;

	GetUserIdAndSecContext(&scope.userid, &scope.sec_context);
	SetUserIdAndSecContext(catalog_owner(),
						   scope.sec_context | SECURITY_LOCAL_USERID_CHANGE);
	scope.guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);

	/*
	 * The books grow without end, and after a restore there are no statistics of
	 * them: the plan must go through an index where there is one.  That makes the
	 * costs of other plans look enormous, which is no reason to compile them.
	 */
	(void) set_config_option("enable_seqscan", "off",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("jit", "off",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return scope;
}

void
catalog_leave(CatalogScope scope)
{
	AtEOXact_GUC(true, scope.guc_level);
	SetUserIdAndSecContext(scope.userid, scope.sec_context);
}
