/*
 * jira_search.h: a search request, for the search endpoints
 */
#ifndef SIMULATOR_JIRA_SEARCH_H
#define SIMULATOR_JIRA_SEARCH_H

#include "fault.h"
#include "jql.h"
#include "simulator.h"

/* What a request asks, read from its query string or body. */
typedef struct Search
{
	const char *jql;
	const char *token;			/* or NULL */
	int64_t		start;
	int64_t		limit;
	char	   *names[MAX_FIELD_NAMES];
	int			name_count;
	RenderMode	mode;
	FieldSet	set;
	Query	   *query;
} Search;

extern bool is_post(const Request *request);
extern RenderMode render_mode(const Request *request);

/* Read what is asked; false if the request was answered with an error. */
extern bool search_read(Request *request, Search *search);
extern void search_free(Search *search);

/* How many rows a page may have; append one of them. */
extern int64_t search_limit(const Request *request, const Search *search);
extern void search_add_row(Request *request, const Search *search,
						   const Issue *issue);

/* The endpoints: jira_cloud.c, jira_server.c. */
extern void serve_cloud(Request *request);
extern void serve_server(Request *request);

/* The number of matches, by jira_server.c. */
extern int64_t search_count(const Search *search);

#endif
