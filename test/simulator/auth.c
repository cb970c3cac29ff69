/*
 * auth.c: who asks
 */
#include <strings.h>

#include "simulator.h"

/* Does "Basic base64(user:token)" name the account? */
static bool
basic_is_right(const Request *request, const char *encoded)
{
	Buffer		plain = {0};
	const char *colon;
	size_t		user;
	bool		right = false;

	buf_clear(&plain);
	if (buf_base64_decode(&plain, encoded, strlen(encoded)) &&
		(colon = strchr(plain.data, ':')) != NULL)
	{
		user = colon - plain.data;
		right = strcmp(colon + 1, sim.settings.token) == 0 &&
			((strlen(sim.settings.email) == user &&
			  memcmp(plain.data, sim.settings.email, user) == 0) ||
			 (request->flavour == FLAVOUR_SERVER && user == 3 &&
			  memcmp(plain.data, "ada", 3) == 0));
	}
	buf_free(&plain);
	return right;
}

static bool
credentials_right(const Request *request)
{
	const char *value = header_in(request, "Authorization");

	if (value == NULL)
		return false;
	if (strncasecmp(value, "Basic ", 6) == 0)
		return basic_is_right(request, value + 6);
	if (strncasecmp(value, "Bearer ", 7) == 0)
		return strcmp(value + 7, sim.settings.token) == 0;
	return false;
}

/* These answer anybody. */
static bool
is_public(const Request *request)
{
	return strstr(request->route, "/serverInfo") != NULL ||
		strcmp(request->route, "/_edge/tenant_info") == 0;
}

static void
refuse(Request *request)
{
	if (sim.settings.auth == AUTH_CAPTCHA)
	{
		add_header(request, "X-Authentication-Denied-Reason",
				   "CAPTCHA_CHALLENGE; login-url=https://jira.example.com/"
				   "login.jsp");
		add_header(request, "X-Seraph-LoginReason", "AUTHENTICATION_DENIED");
		jira_error(request, 403, "Basic Authentication Failure - Reason : "
				   "AUTHENTICATION_DENIED");
		return;
	}
	add_header(request, "WWW-Authenticate",
			   request->flavour == FLAVOUR_CLOUD ?
			   "OAuth realm=\"https%3A%2F%2Fjira.example.com\"" :
			   "Basic realm=\"Jira\"");
	add_header(request, "X-Seraph-LoginReason", "AUTHENTICATED_FAILED");
	jira_error(request, 401, "Client must be authenticated to access this "
			   "resource.");
}

bool
check_credentials(Request *request)
{
	if (sim.settings.auth == AUTH_OFF || credentials_right(request))
	{
		if (request->flavour == FLAVOUR_SERVER)
			add_header(request, "X-Seraph-LoginReason", "OK");
		return true;
	}
	if (is_public(request))
		return true;
	sim.counters.unauthorized++;
	request->anonymous = true;
	if (sim.settings.auth == AUTH_ANONYMOUS)
	{
		add_header(request, "X-Seraph-LoginReason", "AUTHENTICATED_FAILED");
		return true;
	}
	refuse(request);
	return false;
}
