/*
 * options.c
 *		Options of foreign servers and user mappings: one table of what there
 *		is, and the validator of the foreign data wrapper.
 */
#include "source/options.h"

#include <curl/curl.h>

#include "access/reloptions.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

typedef enum OptionType
{
	OPTION_TEXT,				/* printable, not empty */
	OPTION_HEADER,				/* printable ASCII, goes into a header */
	OPTION_USER,				/* the same without a colon, which ends it */
	OPTION_SECRET,				/* printable ASCII without spaces */
	OPTION_PATH,				/* absolute, of the database server's machine */
	OPTION_URL,
	OPTION_CHOICE,				/* one of choices */
	OPTION_BOOL,
	OPTION_SECONDS,				/* "30", "1.5", "500ms", "2min" */
	OPTION_BYTES				/* "1000000", "64MB" */
} OptionType;

typedef struct Option
{
	const char *name;
	Oid			catalog;		/* where it may stand */
	OptionType	type;
	double		min;			/* of numbers */
	double		max;
	const char *choices;		/* of OPTION_CHOICE, divided by ", " */
	bool		superuser_only;
	bool		secret;			/* never shown */
} Option;

#define ON_SERVER(name_, type_, ...) \
	{.name = name_, .type = type_, .catalog = ForeignServerRelationId, __VA_ARGS__}
#define ON_MAPPING(name_, type_, ...) \
	{.name = name_, .type = type_, .catalog = UserMappingRelationId, __VA_ARGS__}

static const Option options[] = {
	ON_SERVER("base_url", OPTION_URL),
	ON_SERVER("browse_url", OPTION_URL),
	ON_SERVER("api", OPTION_CHOICE, .choices = "auto, cloud, server"),
	ON_SERVER("timeout", OPTION_SECONDS,
			  .min = RESOLUTE_MIN_TIMEOUT_S, .max = RESOLUTE_MAX_TIMEOUT_S),
	ON_SERVER("connect_timeout", OPTION_SECONDS,
			  .min = RESOLUTE_MIN_TIMEOUT_S, .max = RESOLUTE_MAX_CONNECT_TIMEOUT_S),
	ON_SERVER("max_body", OPTION_BYTES,
			  .min = RESOLUTE_MIN_MAX_BODY, .max = RESOLUTE_MAX_MAX_BODY),
	ON_SERVER("story_points_field", OPTION_TEXT),
	ON_SERVER("user_agent", OPTION_HEADER),
	/* what reaches into the network or the files of the machine */
	ON_SERVER("allow_http", OPTION_BOOL, .superuser_only = true),
	ON_SERVER("allow_private", OPTION_BOOL, .superuser_only = true),
	ON_SERVER("ca_file", OPTION_PATH, .superuser_only = true),

	ON_MAPPING("email", OPTION_USER),
	ON_MAPPING("api_token", OPTION_SECRET, .secret = true),
	ON_MAPPING("token", OPTION_SECRET, .secret = true),
	ON_MAPPING("api_token_file", OPTION_PATH, .superuser_only = true),
	ON_MAPPING("api_token_env", OPTION_TEXT, .superuser_only = true),
};

PG_FUNCTION_INFO_V1(resolute_jira_validator);

/* Look an option of any catalog up; NULL if there is none. */
static const Option *
find_option(const char *name)
{
	for (int i = 0; i < (int) lengthof(options); i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static DefElem *
find_element(List *list, const char *name)
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

static void reject_option(const char *name, const Option *elsewhere, Oid catalog)
			pg_attribute_noreturn();

/* Refuse an option that does not exist here; the hint says what does. */
static void
reject_option(const char *name, const Option *elsewhere, Oid catalog)
{
	StringInfoData valid;

	initStringInfo(&valid);
	for (int i = 0; i < (int) lengthof(options); i++)
		if (options[i].catalog == catalog)
			appendStringInfo(&valid, "%s%s", valid.len ? ", " : "", options[i].name);

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

/* Refuse a value; what is a phrase such as "must be a boolean". */
static void
reject_value(const char *name, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\"", name),
			 errdetail("The value %s.", what)));
}

/* Are all bytes printable?  Bytes of multibyte characters are, unless ascii. */
static bool
is_printable(const char *value, bool ascii, const char *except)
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

/* What is wrong with a URL, or NULL. */
static const char *
url_problem(CURLU *parsed, const char *url)
{
	char	   *part = NULL;
	bool		is_web;

	/* libcurl parses it, since libcurl will use it. */
	if (!is_printable(url, false, " \\") ||
		curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		return "must be a URL such as \"https://your-org.atlassian.net\"";
	if (curl_url_get(parsed, CURLUPART_SCHEME, &part, 0) != CURLUE_OK)
		return "must begin with \"https://\"";
	is_web = pg_strcasecmp(part, "https") == 0 || pg_strcasecmp(part, "http") == 0;
	curl_free(part);
	if (!is_web)
		return "must begin with \"https://\"";
	if (curl_url_get(parsed, CURLUPART_USER, &part, 0) == CURLUE_OK ||
		curl_url_get(parsed, CURLUPART_PASSWORD, &part, 0) == CURLUE_OK)
	{
		curl_free(part);
		return "must not contain credentials, which belong into a user mapping";
	}
	if (strpbrk(url, "?#") != NULL)
		return "must end with the path, without \"?\" and \"#\"";
	if (strstr(url, "/..") != NULL || strstr(url, "/./") != NULL)
		return "must not contain relative segments";
	return NULL;
}

static void
check_url(const char *name, const char *url)
{
	CURLU	   *parsed = curl_url();
	const char *problem;

	if (parsed == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	problem = url_problem(parsed, url);
	curl_url_cleanup(parsed);
	if (problem)
		reject_value(name, problem);
}

/* Read a number with its unit; in seconds or bytes. */
static bool
parse_number(const Option *option, const char *value, double *result)
{
	int			bytes;

	if (option->type == OPTION_SECONDS)
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

	if (!parse_number(option, value, &number))
		reject_value(option->name, option->type == OPTION_SECONDS ?
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
		reject_value(option->name, psprintf("must be one of: %s", option->choices));
}

/* Check a value by its type.  Messages never show it: it may be secret. */
static void
check_value(const Option *option, const char *value)
{
	bool		flag;

	switch (option->type)
	{
		case OPTION_TEXT:
			if (!is_printable(value, false, ""))
				reject_value(option->name, "must be printable and not empty");
			break;
		case OPTION_HEADER:
			if (!is_printable(value, true, ""))
				reject_value(option->name, "must be printable ASCII and not empty");
			break;
		case OPTION_USER:
			if (!is_printable(value, false, ":"))
				reject_value(option->name, "must be printable, without a colon, and not empty");
			break;
		case OPTION_SECRET:
			check_secret(psprintf("option \"%s\"", option->name), value);
			break;
		case OPTION_PATH:
			if (!is_printable(value, false, "") || !is_absolute_path(value))
				reject_value(option->name, "must be an absolute path");
			break;
		case OPTION_URL:
			check_url(option->name, value);
			break;
		case OPTION_CHOICE:
			check_choice(option, value);
			break;
		case OPTION_BOOL:
			if (!parse_bool(value, &flag))
				reject_value(option->name, "must be a boolean");
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
	if (is_printable(secret, true, " ") && strlen(secret) <= RESOLUTE_MAX_SECRET)
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

/* Check what the options of a server say together. */
static void
check_server(List *list)
{
	const char *url = option_text(list, "base_url", NULL);

	if (url == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("option \"base_url\" is required"),
				 errhint("Add OPTIONS (base_url 'https://your-org.atlassian.net').")));
	if (pg_strncasecmp(url, "https:", 6) != 0 && !option_bool(list, "allow_http", false))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"base_url\""),
				 errdetail("Plain http would send the credentials in clear."),
				 errhint("Use https. A superuser may set option \"allow_http\" of the server.")));
}

/* Check what the options of a user mapping say together. */
static void
check_mapping(List *list)
{
	static const char *const secrets[] = {"api_token", "token", "api_token_file", "api_token_env"};
	int			nsecrets = 0;
	bool		email = find_element(list, "email") != NULL;

	for (int i = 0; i < (int) lengthof(secrets); i++)
		if (find_element(list, secrets[i]))
			nsecrets++;
	if (nsecrets > 1)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("conflicting options of a user mapping"),
				 errdetail("At most one of api_token, token, api_token_file, api_token_env can be set.")));
	if (email && (nsecrets == 0 || find_element(list, "token")))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("option \"email\" needs option \"api_token\""),
				 errhint("Use email and api_token together (Jira Cloud), or token alone (a personal access token or an OAuth token).")));
	if (!email && find_element(list, "api_token"))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("option \"api_token\" needs option \"email\""),
				 errhint("Use email and api_token together (Jira Cloud), or token alone (a personal access token or an OAuth token).")));
}

/* Check the options of an object of the foreign data wrapper resolute_jira. */
Datum
resolute_jira_validator(PG_FUNCTION_ARGS)
{
	List	   *list = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid			catalog = PG_GETARG_OID(1);
	ListCell   *cell;

	foreach(cell, list)
	{
		DefElem    *element = lfirst(cell);
		const Option *option = find_option(element->defname);
		const char *value;

		if (option == NULL || option->catalog != catalog)
			reject_option(element->defname, option, catalog);
		value = defGetString(element);
		check_value(option, value);
		check_superuser(option, value);
	}
	if (catalog == ForeignServerRelationId)
		check_server(list);
	else if (catalog == UserMappingRelationId)
		check_mapping(list);
	PG_RETURN_VOID();
}

const char *
option_text(List *list, const char *name, const char *otherwise)
{
	DefElem    *element = find_element(list, name);

	return element ? defGetString(element) : otherwise;
}

bool
option_bool(List *list, const char *name, bool otherwise)
{
	DefElem    *element = find_element(list, name);
	bool		flag = otherwise;

	if (element && !parse_bool(defGetString(element), &flag))
		reject_value(name, "must be a boolean");
	return flag;
}

double
option_number(List *list, const char *name, double otherwise)
{
	DefElem    *element = find_element(list, name);
	double		number = otherwise;

	if (element && !parse_number(find_option(name), defGetString(element), &number))
		reject_value(name, "must be a number");
	return number;
}
