/*
 * http_check.c
 *		Answers that are not what was asked for, in the words of SQL.
 */
#include "source/http_private.h"

/* What a status means, since HTTP/2 no longer says it. */
static const struct
{
	int			status;
	const char *meaning;
}			meanings[] = {
	{301, "Moved Permanently"},
	{302, "Found"},
	{303, "See Other"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{410, "Gone"},
	{413, "Payload Too Large"},
	{414, "URI Too Long"},
	{422, "Unprocessable Entity"},
	{429, "Too Many Requests"},
	{500, "Internal Server Error"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
};

/* "404 Not Found" */
static char *
describe_status(int status)
{
	for (int i = 0; i < (int) lengthof(meanings); i++)
		if (meanings[i].status == status)
			return psprintf("%d %s", status, meanings[i].meaning);
	return psprintf("%d", status);
}

/* Does a header's value contain a word, whatever its case? */
static bool
header_has(const HttpRequest *request, const char *name, const char *word)
{
	const char *value = NULL;
	Size		len = strlen(word);

	while ((value = http_header_after(request, name, value)) != NULL)
	{
		for (const char *at = value; *at; at++)
			if (pg_strncasecmp(at, word, len) == 0)
				return true;
	}
	return false;
}

/* A page for people: an error page, or a login page. */
static bool
is_web_page(const HttpRequest *request, const HttpResponse *response)
{
	const char *body = response->body;

	if (header_has(request, "Content-Type", "text/html"))
		return true;
	if (strncmp(body, "\xef\xbb\xbf", 3) == 0)
		body += 3;
	return body[strspn(body, " \t\r\n")] == '<';
}

/*
 * Does Jira say that it took the request for an anonymous one, since the
 * credentials were wrong?  Its status is 200 nevertheless.
 */
static bool
is_anonymous(const HttpRequest *request)
{
	return header_has(request, "X-Seraph-LoginReason", "AUTHENTICATED_FAILED") ||
		header_has(request, "X-Seraph-LoginReason", "AUTHENTICATION_DENIED");
}

/* The sentence about what the server answered, with its own words if any. */
static char *
describe_answer(const HttpRequest *request, const HttpResponse *response)
{
	const char *status = describe_status(response->status);
	const char *words;

	if (is_web_page(request, response))
		return psprintf("The server answered %s with a web page.", status);
	words = http_server_words(request, response);
	if (words == NULL)
		return psprintf("The server answered %s.", status);
	return psprintf("The server answered %s: %s", status, words);
}

/* The credentials do not do. */
static void
raise_unauthorized(const HttpRequest *request, const HttpResponse *response, const char *what)
{
	const HttpSettings *settings = &request->client->settings;

	if (header_has(request, "X-Authentication-Denied-Reason", "CAPTCHA"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("%s: the account must pass a CAPTCHA", what),
				 errdetail("The server answered %s after too many failed logins.",
						   describe_status(response->status)),
				 errhint("Log in with a web browser at \"%s\" as the account of the user mapping for \"%s\", and pass the CAPTCHA; then check the token of the mapping.",
						 request->client->host, settings->mapping)));
	if (response->status < 300)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("%s: the credentials were rejected", what),
				 errdetail("The server answered %s to an anonymous user, since it did not accept the credentials.",
						   describe_status(response->status)),
				 errhint("Check the token in the user mapping for \"%s\" on server \"%s\"; it may have expired.",
						 settings->mapping, settings->server)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("%s: %s", what, describe_status(response->status)),
			 errdetail_internal("%s", describe_answer(request, response)),
			 settings->authorization == NULL ?
			 errhint("The user mapping for \"%s\" on server \"%s\" has no credentials; add email and api_token, or token.",
					 settings->mapping, settings->server) :
			 response->status == 401 ?
			 errhint("Check the credentials in the user mapping for \"%s\" on server \"%s\"; the token may have expired, or be made for another base URL.",
					 settings->mapping, settings->server) :
			 errhint("Check that the account in the user mapping for \"%s\" on server \"%s\" may see this.",
					 settings->mapping, settings->server)));
}

/* The server wants us to go elsewhere; the credentials must not go along. */
static void
raise_redirect(const HttpRequest *request, const HttpResponse *response, const char *what)
{
	const char *location = http_header(request, "Location");
	const char *host = request->client->host;
	CURLU	   *url = location ? curl_url() : NULL;
	char	   *part = NULL;

	/* Only the host is named: the rest of the URL may hold secrets. */
	if (url != NULL)
	{
		if (curl_url_set(url, CURLUPART_URL, request->url, 0) == CURLUE_OK &&
			curl_url_set(url, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
			curl_url_get(url, CURLUPART_HOST, &part, 0) == CURLUE_OK)
		{
			host = http_printable(part, strlen(part));
			curl_free(part);
		}
		curl_url_cleanup(url);
	}
	ereport(ERROR,
			(errcode(ERRCODE_SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION),
			 errmsg("%s: the server redirects to \"%s\"", what, host),
			 errdetail("The server answered %s. No redirect is followed, since the credentials would go along.",
					   describe_status(response->status)),
			 errhint("If it is a login page, check the user mapping for \"%s\"; if the site moved, set option \"base_url\" of server \"%s\" to its new address.",
					 request->client->settings.mapping, request->client->settings.server)));
}

/* Something that should be JSON is a page for people. */
static void
raise_web_page(const HttpRequest *request, const HttpResponse *response, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("%s: the server answered with a web page", what),
			 errdetail("The server answered %s with HTML instead of JSON.",
					   describe_status(response->status)),
			 errhint("It may be a login page: check the user mapping for \"%s\" on server \"%s\", and the server's option \"base_url\".",
					 request->client->settings.mapping, request->client->settings.server)));
}

/* The code of a status that no other rule covers. */
static int
status_errcode(int status)
{
	if (status == 400 || status == 413 || status == 414 || status == 422)
		return ERRCODE_INVALID_PARAMETER_VALUE;
	if (status == 404 || status == 410)
		return ERRCODE_SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION;
	return status >= 500 ? ERRCODE_CONNECTION_FAILURE : ERRCODE_PROTOCOL_VIOLATION;
}

static int
status_hint(const HttpRequest *request, int status, const char *hint_404)
{
	if (status == 404 || status == 410)
		return hint_404 ? errhint("%s", hint_404) :
			errhint("Check option \"base_url\" of server \"%s\".", request->client->settings.server);
	if (status == 400 || status == 422)
		return errhint("Check the query; the server does not accept it.");
	if (status >= 500)
		return errhint("The last of %d attempts ended so; try again later.", request->attempts);
	return 0;
}

void
http_check(const HttpRequest *request, const HttpResponse *response,
		   const char *what, const char *hint_404)
{
	int			status = response->status;

	/* Too many requests may look like "forbidden". */
	if (http_is_rate_limited(request))
		http_defer(request, http_asked_wait_ms(request));
	if (status == 401 || status == 403 || (status < 300 && is_anonymous(request)))
		raise_unauthorized(request, response, what);
	if (status >= 300 && status < 400)
		raise_redirect(request, response, what);
	if (status >= 400)
		ereport(ERROR,
				(errcode(status_errcode(status)),
				 errmsg("%s: %s", what, describe_status(status)),
				 errdetail_internal("%s", describe_answer(request, response)),
				 status_hint(request, status, hint_404)));
	if (is_web_page(request, response))
		raise_web_page(request, response, what);
}
