/*
 * jira_server.c: search on Server and Data Center, by startAt and total
 *
 * Pages are cut from all matches as they are at each request, so rows shift
 * when data change during a walk, as they do there.
 */
#include <stdio.h>
#include <stdlib.h>

#include "jira_search.h"

#define RESULT_CACHE_SIZE	4

/* The matches of a query on Server, where pages are numbered. */
typedef struct Result
{
	char	   *jql;
	uint64_t	version;		/* of the data */
	int64_t		second;			/* of the clock; relative dates move on */
	uint64_t	used;
	uint32_t   *slots;
	uint32_t	count;
} Result;

static Result results[RESULT_CACHE_SIZE];

/* All matches in order, kept while the data stay as they are. */
static const Result *
find_result(const Search *search)
{
	int64_t		second = sim.settings.real_clock ? sim_now() / 1000 : 0;
	Result	   *result = &results[0];
	static uint64_t uses;
	const uint32_t *slots;
	uint32_t	count;

	for (int i = 0; i < RESULT_CACHE_SIZE; i++)
	{
		if (results[i].jql && strcmp(results[i].jql, search->jql) == 0 &&
			results[i].version == data.version && results[i].second == second)
		{
			results[i].used = ++uses;
			return &results[i];
		}
		if (results[i].used < result->used)
			result = &results[i];
	}
	slots = order_slots(&search->query->ordering, &count);
	free(result->jql);
	result->jql = strdup(search->jql);
	result->version = data.version;
	result->second = second;
	result->used = ++uses;
	result->slots = realloc(result->slots, (count + 1) * sizeof(uint32_t));
	result->count = 0;
	for (uint32_t i = 0; i < count; i++)
		if (jql_match(search->query, data_view(slots[i])))
			result->slots[result->count++] = slots[i];
	return result;
}

static void
serve_server_page(Request *request, const Search *search)
{
	const Fault *fault = request->fault;
	const Result *result = find_result(search);
	int64_t		limit = search_limit(request, search);
	int64_t		total = request->anonymous ? 0 : result->count;
	int64_t		from = fault && fault->ignore_position ? 0 : search->start;
	int64_t		to = from + limit < total ? from + limit : total;

	if (fault && fault->empty_page)
		to = 0;
	buf_printf(&request->out, "{\"expand\":\"schema,names\",\"startAt\":%lld,"
			   "\"maxResults\":%lld,\"total\":%lld", (long long) search->start,
			   (long long) limit,
			   (long long) (fault && fault->total >= 0 ? fault->total :
							total));
	if (fault && fault->no_issues)
		to = 0;
	else
		buf_lit(&request->out, ",\"issues\":[");
	for (int64_t at = from < 0 ? 0 : from; at < to; at++)
		search_add_row(request, search, data_view(result->slots[at]));
	buf_str(&request->out, fault && fault->no_issues ? "}" : "]}");
}

void
serve_server(Request *request)
{
	Search		search = {0};

	if (search_read(request, &search))
		serve_server_page(request, &search);
	search_free(&search);
}

int64_t
search_count(const Search *search)
{
	return find_result(search)->count;
}
