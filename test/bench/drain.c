/*
 * drain.c: read all pages of a search with libcurl, and do nothing with them
 *
 *   drain URL BODY [PAGES [FILE]]
 *
 * BODY is the JSON of the first request, an object; each further one gets the
 * nextPageToken of the page before.  PAGES bounds the walk (0: to its end), FILE
 * keeps the pages, one a line.  One line of JSON tells what it took.  This is the least
 * that a sync can do: one connection, kept alive, pages one by one.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define USER_PASSWORD	"ada@example.com:sim-token"

/* A page while it arrives; the memory is used again for the next one. */
typedef struct Page
{
	char	   *data;
	size_t		len;
	size_t		size;
} Page;

static void
die(const char *what)
{
	fprintf(stderr, "drain: %s\n", what);
	exit(1);
}

static size_t
receive(char *data, size_t size, size_t n, void *arg)
{
	Page	   *page = arg;
	size_t		len = size * n;

	if (page->len + len + 1 > page->size)
	{
		page->size = 2 * (page->len + len + 1);
		page->data = realloc(page->data, page->size);
		if (page->data == NULL)
			return 0;
	}
	memcpy(page->data + page->len, data, len);
	page->len += len;
	page->data[page->len] = '\0';
	return len;
}

static double
seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* The token at the end of the page, of the characters of base64url; NULL if none. */
static char *
next_token(const Page *page)
{
	static const char name[] = "\"nextPageToken\":\"";
	const char *end = page->data + page->len;
	const char *at;

	/* The page ends with it, so there is no need to read all of it. */
	for (at = end - sizeof(name); at > page->data; at--)
	{
		if (*at == ']')
			return NULL;
		if (*at == '"' && strncmp(at, name, sizeof(name) - 1) == 0)
		{
			at += sizeof(name) - 1;
			return strndup(at, strcspn(at, "\""));
		}
	}
	return NULL;
}

/* The body with the token in it. */
static char *
next_body(const char *body, const char *token)
{
	size_t		len = strlen(body) + strlen(token) + 32;
	char	   *next = malloc(len);

	snprintf(next, len, "{\"nextPageToken\":\"%s\",%s", token,
			 strchr(body, '{') + 1);
	return next;
}

static CURL *
open_handle(const char *url, Page *page)
{
	CURL	   *curl = curl_easy_init();
	struct curl_slist *headers =
		curl_slist_append(NULL, "Content-Type: application/json");

	headers = curl_slist_append(headers, "Accept: application/json");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_USERPWD, USER_PASSWORD);
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, page);
	return curl;
}

static void
fetch(CURL *curl, const char *body, Page *page)
{
	long		status;

	page->len = 0;
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	if (curl_easy_perform(curl) != CURLE_OK)
		die("a request failed");
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		die(page->data);
}

static void
report(int pages, double bytes, double wall, double cpu)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("{\"pages\":%d,\"bytes\":%.0f,\"wall_ms\":%.3f,\"cpu_ms\":%.3f,"
		   "\"peak_kb\":%ld}\n", pages, bytes, wall * 1000, cpu * 1000,
		   usage.ru_maxrss);
}

int
main(int argc, char **argv)
{
	Page		page = {0};
	int			limit = argc > 3 ? atoi(argv[3]) : 0;
	FILE	   *file = argc > 4 ? fopen(argv[4], "w") : NULL;
	double		wall = seconds(CLOCK_MONOTONIC);
	double		cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	double		bytes = 0;
	int			pages = 0;
	CURL	   *curl;
	char	   *body;
	char	   *token;

	if (argc < 3 || (argc > 4 && file == NULL))
		die("usage: drain URL BODY [PAGES [FILE]]");
	curl = open_handle(argv[1], &page);
	body = strdup(argv[2]);
	do
	{
		fetch(curl, body, &page);
		pages++;
		bytes += page.len;
		if (file)
			fprintf(file, "%s\n", page.data);
		free(body);
		token = next_token(&page);
		body = token ? next_body(argv[2], token) : NULL;
		free(token);
	} while (body && pages != limit);
	if (file && fclose(file) != 0)
		die("could not write the file");
	report(pages, bytes, seconds(CLOCK_MONOTONIC) - wall,
		   seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	return 0;
}
