/*
 * source.c
 *		Sources by provider: which file serves which API.
 */
#include "source/source.h"

#include "portability/instr_time.h"
#include "source/jira.h"

/* What a provider has to offer; see source.h for each. */
typedef struct Provider
{
	const char *name;
	const char *cursor_field;
	Source	   *(*open) (const SourceSpec *spec);
	List	   *(*columns) (void);
	List	   *(*asked_fields) (const SourceSpec *spec);
	QueryOrder	(*query_order) (const char *query);
	bool		(*is_eventual) (Connection *connection, bool *known);
	const char *(*time_zone) (Connection *connection);
} Provider;

static const Provider providers[] = {
	{"jira", "updated", jira_open, jira_columns, jira_asked_fields, jira_query_order,
	jira_is_eventual, jira_time_zone},
};

/* The provider of this name; flows are checked for it when they are created. */
static const Provider *
find_provider(const char *name)
{
	for (int i = 0; i < (int) lengthof(providers); i++)
	{
		if (strcmp(providers[i].name, name) == 0)
			return &providers[i];
	}
	elog(ERROR, "unknown provider \"%s\"", name);
	return NULL;				/* keep compilers quiet */
}

Source *
source_open(const SourceSpec *spec)
{
	return find_provider(spec->provider)->open(spec);
}

SourcePage *
source_next(Source *self)
{
	HttpTimes	before = http_times();
	HttpTimes	after;
	SourcePage *page;
	instr_time	begin;
	instr_time	end;

	INSTR_TIME_SET_CURRENT(begin);
	page = self->next(self);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, begin);
	after = http_times();
	if (page)
	{
		page->wait_us = after.wait_us - before.wait_us;
		page->recv_us = after.work_us - before.work_us;
		page->read_us = Max((int64) INSTR_TIME_GET_MICROSEC(end) - page->wait_us - page->recv_us, 0);
	}
	return page;
}

List *
source_asked_fields(const SourceSpec *spec)
{
	return find_provider(spec->provider)->asked_fields(spec);
}

const char *
source_cursor_field(const char *provider)
{
	return find_provider(provider)->cursor_field;
}

List *
source_columns(const char *provider)
{
	return find_provider(provider)->columns();
}

QueryOrder
source_query_order(const char *provider, const char *query)
{
	return find_provider(provider)->query_order(query);
}

const char *
source_time_zone(const char *provider, Connection *connection)
{
	return find_provider(provider)->time_zone(connection);
}

bool
source_is_eventual(const char *server, Oid userid, bool *known)
{
	Connection *connection = connection_get(server, userid);

	for (int i = 0; i < (int) lengthof(providers); i++)
	{
		const char *wrapper = connection->wrapper + strlen("resolute_");

		if (strcmp(providers[i].name, wrapper) == 0)
			return providers[i].is_eventual(connection, known);
	}
	*known = true;
	return false;
}
