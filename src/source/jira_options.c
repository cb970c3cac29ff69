/*
 * jira_options.c
 *		Options of servers and user mappings of resolute_jira.
 */
#include "source/options_table.h"

#include <curl/curl.h>


static const char *url_problem(const char *url);

static const Option options[] = {
	ON_SERVER("base_url", OPTION_URL, .problem = url_problem),
	ON_SERVER("browse_url", OPTION_URL, .problem = url_problem),
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

/* What is wrong with a URL that goes to parsed; a phrase, or NULL. */
static const char *
parsed_problem(CURLU *parsed, const char *url)
{
	char	   *part = NULL;
	bool		is_web;

	/* libcurl parses it, since libcurl will use it. */
	if (!option_is_printable(url, false, " \\") ||
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

/* What is wrong with a URL: a phrase, or NULL. */
static const char *
url_problem(const char *url)
{
	CURLU	   *parsed = curl_url();
	const char *problem;

	if (parsed == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	problem = parsed_problem(parsed, url);
	curl_url_cleanup(parsed);
	return problem;
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
	int			nsecrets = options_check_single(list, secrets, lengthof(secrets));
	bool		email = option_element(list, "email") != NULL;

	if (email && (nsecrets == 0 || option_element(list, "token")))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("option \"email\" needs option \"api_token\""),
				 errhint("Use email and api_token together (Jira Cloud), or token alone (a personal access token or an OAuth token).")));
	if (!email && option_element(list, "api_token"))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("option \"api_token\" needs option \"email\""),
				 errhint("Use email and api_token together (Jira Cloud), or token alone (a personal access token or an OAuth token).")));
}

/* Check the options of an object of the foreign data wrapper resolute_jira. */
Datum
resolute_jira_validator(PG_FUNCTION_ARGS)
{
	options_validate(fcinfo, options, lengthof(options), check_server, check_mapping);
	PG_RETURN_VOID();
}
