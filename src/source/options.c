/*
 * options.c
 *		Options of foreign servers and user mappings: how they are checked by the
 *		tables of what there is, and read.
 */
#include "source/options_table.h"

#include "access/reloptions.h"
#include "commands/defrem.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

/* Look an option up, of this catalog or else of another; NULL if there is none. */
static const Option *
find_option(const Option *table, int n, const char *name, Oid catalog)
{
	const Option *found = NULL;

	for (int i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0 && (found == NULL || table[i].catalog == catalog))
			found = &table[i];
	return found;
}

DefElem *
option_element(List *list, const char *name)
{
	ListCell   *cell;

	foreach(cell, list)
	{
		DefElem    *element = lfirst(cell);

		if (strcmp(element->defname, name) == 0)
			return element;
	}
	return NULL;
}

static void reject_option(const Option *table, int n, const char *name,
						  const Option *elsewhere, Oid catalog) pg_attribute_noreturn();

/* Refuse an option that does not exist here; the hint says what does. */
static void
reject_option(const Option *table, int n, const char *name, const Option *elsewhere, Oid catalog)
{
	StringInfoData valid;

	initStringInfo(&valid);
	for (int i = 0; i < n; i++)
		if (table[i].catalog == catalog)
			appendStringInfo(&valid, "%s%s", valid.len ? ", " : "", table[i].name);

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\"", name),
			 elsewhere && elsewhere->secret ?
			 errdetail("It is secret: it belongs into a user mapping, where other users cannot read it.") :
			 elsewhere ? errdetail("It is an option of a %s.",
								   elsewhere->catalog == UserMappingRelationId ?
								   "user mapping" : "server") : 0,
			 valid.len > 0 ?
			 errhint("Valid options in this context are: %s.", valid.data) :
			 errhint("There are no valid options in this context.")));
}

/* what is a phrase such as "must be a boolean". */
static void
option_reject_value(const char *name, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\"", name),
			 errdetail("The value %s.", what)));
}

bool
option_is_printable(const char *value, bool ascii, const char *except)
{
	if (*value == '\0')
		return false;
	for (; *value; value++)
	{
		unsigned char c = (unsigned char) *value;

		if (c < ' ' || c == 0x7f || (ascii && c > 0x7f) || strchr(except, c))
			return false;
	}
	return true;
}

/* Read a number with its unit; in seconds or bytes. */
static bool
parse_number(OptionType type, const char *value, double *result)
{
	int			bytes;

	if (type == OPTION_SECONDS)
		return parse_real(value, result, GUC_UNIT_S, NULL);
	if (!parse_int(value, &bytes, GUC_UNIT_BYTE, NULL))
		return false;
	*result = bytes;
	return true;
}

static void
check_number(const Option *option, const char *value)
{
	double		number;

	if (!parse_number(option->type, value, &number))
		option_reject_value(option->name, option->type == OPTION_SECONDS ?
					 "must be a time such as \"30s\" or \"1.5\" (seconds)" :
					 "must be a size such as \"64MB\" or a number of bytes");
	if (number < option->min || number > option->max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\"", option->name),
				 errdetail("The value must be from %.10g to %.10g %s.", option->min, option->max,
						   option->type == OPTION_SECONDS ? "seconds" : "bytes")));
}

/* Is the value one of the words of the option? */
static void
check_choice(const Option *option, const char *value)
{
	Size		len = strlen(value);
	const char *at = strstr(option->choices, value);

	if (len == 0 || at == NULL || strpbrk(value, ", ") ||
		(at != option->choices && at[-1] != ' ') || (at[len] != ',' && at[len] != '\0'))
		option_reject_value(option->name, psprintf("must be one of: %s", option->choices));
}

/* Check a value by its type.  Messages never show it: it may be secret. */
static void
check_value(const Option *option, const char *value)
{
	bool		flag;

	switch (option->type)
	{
		case OPTION_TEXT:
			if (!option_is_printable(value, false, ""))
				option_reject_value(option->name, "must be printable and not empty");
			break;
		case OPTION_HEADER:
			if (!option_is_printable(value, true, ""))
				option_reject_value(option->name, "must be printable ASCII and not empty");
			break;
		case OPTION_USER:
			if (!option_is_printable(value, false, ":"))
				option_reject_value(option->name, "must be printable, without a colon, and not empty");
			break;
		case OPTION_SECRET:
			check_secret(psprintf("option \"%s\"", option->name), value);
			break;
		case OPTION_PATH:
			if (!option_is_printable(value, false, "") || !is_absolute_path(value))
				option_reject_value(option->name, "must be an absolute path");
			break;
		case OPTION_URL:
			if (option->problem(value))
				option_reject_value(option->name, option->problem(value));
			break;
		case OPTION_CHOICE:
			check_choice(option, value);
			break;
		case OPTION_BOOL:
			if (!parse_bool(value, &flag))
				option_reject_value(option->name, "must be a boolean");
			break;
		case OPTION_SECONDS:
		case OPTION_BYTES:
			check_number(option, value);
			break;
	}
}

void
check_secret(const char *source, const char *secret)
{
	if (option_is_printable(secret, true, " ") && strlen(secret) <= RESOLUTE_MAX_SECRET)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s holds no usable token", source),
			 errdetail("A token is printable ASCII without spaces, from 1 to %d characters long.",
					   RESOLUTE_MAX_SECRET)));
}

/*
 * Refuse what only superusers may set.  Also where it was set before: who
 * alters the rest of such a server (its base_url) would make use of it.
 */
static void
check_superuser(const Option *option, const char *value)
{
	bool		flag;

	if (!option->superuser_only || superuser())
		return;
	if (option->type == OPTION_BOOL && parse_bool(value, &flag) && !flag)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to set option \"%s\"", option->name),
			 errdetail("Only superusers may set it, or alter what has it set."),
			 errhint("Drop the option, or ask a superuser to make the change.")));
}

int
options_check_single(List *list, const char *const *names, int n)
{
	StringInfoData all;
	int			found = 0;

	initStringInfo(&all);
	for (int i = 0; i < n; i++)
	{
		found += option_element(list, names[i]) ? 1 : 0;
		appendStringInfo(&all, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	if (found > 1)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("conflicting options of a user mapping"),
				 errdetail("At most one of %s can be set.", all.data)));
	return found;
}

void
options_validate(FunctionCallInfo fcinfo, const Option *table, int n,
				 void (*check_server) (List *list), void (*check_mapping) (List *list))
{
	List	   *list = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid			catalog = PG_GETARG_OID(1);
	ListCell   *cell;

	foreach(cell, list)
	{
		DefElem    *element = lfirst(cell);
		const Option *option = find_option(table, n, element->defname, catalog);
		const char *value;

		if (option == NULL || option->catalog != catalog)
			reject_option(table, n, element->defname, option, catalog);
		value = defGetString(element);
		check_value(option, value);
		check_superuser(option, value);
	}
	if (catalog == ForeignServerRelationId)
		check_server(list);
	else if (catalog == UserMappingRelationId)
		check_mapping(list);
}

const char *
option_text(List *list, const char *name, const char *otherwise)
{
	DefElem    *element = option_element(list, name);

	return element ? defGetString(element) : otherwise;
}

bool
option_bool(List *list, const char *name, bool otherwise)
{
	DefElem    *element = option_element(list, name);
	bool		flag = otherwise;

	if (element && !parse_bool(defGetString(element), &flag))
		option_reject_value(name, "must be a boolean");
	return flag;
}

/* An option that parse_number() reads. */
static double
option_number(List *list, const char *name, OptionType type, double otherwise)
{
	DefElem    *element = option_element(list, name);
	double		number = otherwise;

	if (element && !parse_number(type, defGetString(element), &number))
		option_reject_value(name, type == OPTION_BYTES ? "must be a size" : "must be a time");
	return number;
}

double
option_seconds(List *list, const char *name, double otherwise)
{
	return option_number(list, name, OPTION_SECONDS, otherwise);
}

Size
option_bytes(List *list, const char *name, Size otherwise)
{
	return (Size) option_number(list, name, OPTION_BYTES, otherwise);
}
