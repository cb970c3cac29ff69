/*
 * storage.c
 *		Where cursors keep their position besides the table.
 */
#include "cursor/storage.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "cursor/cursor_store.h"
#include "executor/spi.h"
#include "foreign/foreign.h"
#include "parser/parse_func.h"
#include "resolute.h"
#include "source/server.h"
#include "source/redis.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

/* How the functions of a storage are declared, for hints. */
#define DECLARATION \
	"Storage %s is a pair of functions: %s_read(name text) RETURNS text, and %s_write(name text, value text)."

struct Storage
{
	const char *cursor;
	Redis	   *redis;			/* or NULL: the functions */
	char	   *read;			/* statement */
	char	   *write;			/* statement */
};

/*
 * The schema and the name that stand for functions; NIL if the name is not written so.  Then a
 * server of that name is never meant, whoever makes one.
 */
static List *
function_names(const char *name)
{
	List	   *names;

	if (!SplitIdentifierString(pstrdup(name), '.', &names) || list_length(names) != 2)
		return NIL;
	return names;
}

/* Find one of the two functions of a storage. */
static Oid
find_function(const char *storage, List *names, const char *suffix, int nargs)
{
	static const Oid types[] = {TEXTOID, TEXTOID};
	char	   *name = psprintf("%s%s", (char *) lsecond(names), suffix);
	Oid			function = LookupFuncName(list_make2(makeString(linitial(names)), makeString(name)),
										  nargs, types, true);

	/* Before 14 procedures are found as well. */
	if (!OidIsValid(function) || get_func_prokind(function) == PROKIND_PROCEDURE)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s%s(%s) does not exist", storage, suffix,
						nargs == 1 ? "text" : "text, text"),
				 errhint(DECLARATION, storage, storage, storage)));
	if (get_func_prokind(function) != PROKIND_FUNCTION || get_func_retset(function))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("%s%s is not a function that returns one value", storage, suffix),
				 errhint(DECLARATION, storage, storage, storage)));
	return function;
}

/* Check the functions of a storage; *read and *write become statements that call them. */
static void
find_functions(const char *storage, List *names, char **read, char **write)
{
	Oid			reader = find_function(storage, names, "_read", 1);
	Oid			writer = find_function(storage, names, "_write", 2);
	const char *schema = linitial(names);

	if (get_func_rettype(reader) != TEXTOID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function %s_read(text) does not return text", storage),
				 errhint(DECLARATION, storage, storage, storage)));
	if (func_strict(writer))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function %s_write(text, text) is strict", storage),
				 errdetail("It would never see the null that means that there is no position any more."),
				 errhint("Declare it CALLED ON NULL INPUT.")));
	*read = psprintf("SELECT %s($1)", quote_qualified_identifier(schema, get_func_name(reader)));
	*write = psprintf("SELECT %s($1, $2)", quote_qualified_identifier(schema, get_func_name(writer)));
}

static void raise_unknown(const char *name) pg_attribute_noreturn();

static void
raise_unknown(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("storage \"%s\" does not exist", name),
			 errhint("A storage is a server of the foreign data wrapper \"" REDIS_WRAPPER "\", or a pair of functions such as my_schema.my_storage_read and my_schema.my_storage_write, named 'my_schema.my_storage'.")));
}

void
storage_check(const char *name)
{
	List	   *names = function_names(name);
	char	   *read;
	char	   *write;

	if (names != NIL)
		find_functions(name, names, &read, &write);
	else if (GetForeignServerByName(name, true) == NULL)
		raise_unknown(name);
	else
		server_check_exists(name, REDIS_WRAPPER);
}

Storage *
storage_open(const char *name, const char *cursor, Oid userid)
{
	Storage    *storage = palloc0(sizeof(Storage));
	List	   *names = function_names(name);

	storage->cursor = pstrdup(cursor);
	if (names != NIL)
		find_functions(name, names, &storage->read, &storage->write);
	else if (GetForeignServerByName(name, true) == NULL)
		raise_unknown(name);
	else
		storage->redis = redis_create(name, cursor, userid);
	return storage;
}

bool
storage_is_remote(const Storage *storage)
{
	return storage->redis != NULL;
}

/* Call one of the functions; the result, palloc'd, or NULL for null. */
static char *
call_function(const char *statement, int nargs, const char *cursor, const char *value)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(cursor), value ? CStringGetTextDatum(value) : (Datum) 0};
	char		nulls[] = {' ', value ? ' ' : 'n'};
	MemoryContext context = CurrentMemoryContext;
	char	   *result;

	SPI_connect();
	if (SPI_execute_with_args(statement, nargs, types, values, nulls, false, 0) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "a function of a storage returned no row");
	result = result_text_in(0, 1, context);
	SPI_finish();
	return result;
}

char *
storage_read(Storage *storage)
{
	return storage->redis ? redis_get(storage->redis) :
		call_function(storage->read, 1, storage->cursor, NULL);
}

bool
storage_write(Storage *storage, const char *expected, const char *value)
{
	char	   *found;

	if (storage->redis)
		return redis_set(storage->redis, expected, value);
	found = storage_read(storage);
	if (same_text(found, value))
		return true;
	if (!same_text(found, expected))
		return false;
	call_function(storage->write, 2, storage->cursor, value);
	return true;
}
