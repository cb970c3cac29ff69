/*
 * redis_options.c
 *		Options of servers and user mappings of resolute_redis.
 */
#include "source/redis.h"

#include "common/string.h"
#include "source/options_table.h"

#define MAX_PORT 65535

/* More databases than any server has. */
#define MAX_DATABASE 1000000

static const char *url_problem(const char *url);

static const Option options[] = {
	ON_SERVER("url", OPTION_URL, .problem = url_problem),
	ON_SERVER("key_prefix", OPTION_TEXT),
	ON_SERVER("timeout", OPTION_SECONDS,
			  .min = RESOLUTE_MIN_TIMEOUT_S, .max = RESOLUTE_MAX_TIMEOUT_S),
	ON_SERVER("connect_timeout", OPTION_SECONDS,
			  .min = RESOLUTE_MIN_TIMEOUT_S, .max = RESOLUTE_MAX_CONNECT_TIMEOUT_S),
	/* what reaches into the network or the files of the machine */
	ON_SERVER("allow_plain", OPTION_BOOL, .superuser_only = true),
	ON_SERVER("allow_private", OPTION_BOOL, .superuser_only = true),
	ON_SERVER("ca_file", OPTION_PATH, .superuser_only = true),

	ON_MAPPING("username", OPTION_USER),
	ON_MAPPING("password", OPTION_SECRET, .secret = true),
	ON_MAPPING("password_file", OPTION_PATH, .superuser_only = true),
	ON_MAPPING("password_env", OPTION_TEXT, .superuser_only = true),
};

PG_FUNCTION_INFO_V1(resolute_redis_validator);

/* A number of at most so much, all of the text; -1 if it is none. */
static int
parse_number(const char *text, int max)
{
	Size		len = strlen(text);
	int			number = 0;

	if (len == 0 || len > 7 || strspn(text, "0123456789") != len)
		return -1;
	number = atoi(text);
	return number <= max ? number : -1;
}

const char *
redis_parse_url(const char *url, RedisUrl *parts)
{
	const char *slash;
	const char *port;
	Size		length;

	if (strncmp(url, "rediss://", 9) == 0)
		parts->encrypted = true;
	else if (strncmp(url, "redis://", 8) == 0)
		parts->encrypted = false;
	else
		return "must begin with \"rediss://\" or \"redis://\"";
	url += parts->encrypted ? 9 : 8;
	if (!option_is_printable(url, true, " \\\"'<>^`{|}%"))
		return "must be a URL such as \"rediss://your-host:6379/0\"";
	if (strchr(url, '@'))
		return "must not contain credentials, which belong into a user mapping";
	if (strpbrk(url, "?#"))
		return "must end with the number of the database, without \"?\" and \"#\"";
	slash = strchr(url, '/');
	length = slash ? (Size) (slash - url) : strlen(url);
	parts->database = slash && slash[1] ? parse_number(slash + 1, MAX_DATABASE) : 0;
	if (parts->database < 0)
		return "must end with the number of a database, such as \"/0\"";

	/* "[::1]:6379": the colons within the brackets are not that of the port. */
	parts->address = pnstrdup(url, length);
	if (*url == '[')
	{
		port = strchr(parts->address, ']');
		port = port ? port + 1 : parts->address;
	}
	else
		port = parts->address + strcspn(parts->address, ":[]");
	if (port == parts->address ||
		(*port && (*port != ':' || parse_number(port + 1, MAX_PORT) < 1)))
		return "must have a host, and a port from 1 to 65535 or none";
	if (*port == '\0')
		parts->address = psprintf("%s:6379", parts->address);
	return NULL;
}

static const char *
url_problem(const char *url)
{
	RedisUrl	parts;

	return redis_parse_url(url, &parts);
}

/* Check what the options of a server say together. */
static void
check_server(List *list)
{
	const char *url = option_text(list, "url", NULL);
	RedisUrl	parts;

	if (url == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("option \"url\" is required"),
				 errhint("Add OPTIONS (url 'rediss://your-host:6379/0').")));
	if (redis_parse_url(url, &parts) == NULL && !parts.encrypted &&
		!option_bool(list, "allow_plain", false))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"url\""),
				 errdetail("Without encryption the password would be sent in clear."),
				 errhint("Use rediss. A superuser may set option \"allow_plain\" of the server.")));
}

/* Check what the options of a user mapping say together. */
static void
check_mapping(List *list)
{
	static const char *const secrets[] = {"password", "password_file", "password_env"};
	int			nsecrets = options_check_single(list, secrets, lengthof(secrets));

	if (nsecrets == 0 && option_element(list, "username"))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("option \"username\" needs option \"password\""),
				 errhint("Leave both out for a server without a password.")));
}

/* Check the options of an object of the foreign data wrapper resolute_redis. */
Datum
resolute_redis_validator(PG_FUNCTION_ARGS)
{
	options_validate(fcinfo, options, lengthof(options), check_server, check_mapping);
	PG_RETURN_VOID();
}
