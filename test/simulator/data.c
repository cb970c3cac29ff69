/*
 * data.c: the issues, and what the search index believes of them
 */
#include "data.h"

#include <stdio.h>
#include <stdlib.h>

#include "names.h"
#include "order.h"
#include "zone.h"

#define UPDATE_SPACING_MS	MINUTE_MS
#define TIE_EVERY			97	/* now and then two share an instant */
#define MAX_AGE_DAYS		90	/* from created to updated */

DataSet		data;

int
data_find_project(const char *key)
{
	for (int i = 0; i < data.project_count; i++)
		if (strcasecmp(data.projects[i].key, key) == 0)
			return i;
	return -1;
}

/* Number the projects in the order of their keys. */
static void
rank_projects(void)
{
	for (int i = 0; i < data.project_count; i++)
	{
		data.projects[i].rank = 0;
		for (int j = 0; j < data.project_count; j++)
			if (strcmp(data.projects[j].key, data.projects[i].key) < 0)
				data.projects[i].rank++;
	}
	order_invalidate();
}

int
data_add_project(const char *key)
{
	Project    *project = &data.projects[data.project_count];

	if (data.project_count == MAX_PROJECTS || *key == '\0' ||
		strlen(key) >= PROJECT_KEY_SIZE)
		return -1;
	memset(project, 0, sizeof(*project));
	snprintf(project->key, sizeof(project->key), "%s", key);
	snprintf(project->name, sizeof(project->name), "%s Project", key);
	project->visible = true;
	data.project_count++;
	rank_projects();
	return data.project_count - 1;
}

void
data_assign_key(uint32_t slot, int project_index)
{
	Project    *project = &data.projects[project_index];
	int			number = ++project->count;

	if (number >= project->size)
	{
		project->size = project->size ? project->size * 2 : 64;
		project->slots = realloc(project->slots,
								 project->size * sizeof(uint32_t));
	}
	project->slots[number] = slot;
	data.issues[slot].project = project_index;
	data.issues[slot].number = number;
}

void
data_derive(Issue *issue, uint64_t seed, int64_t updated)
{
	uint64_t	h = mix(seed);
	int64_t		age = (h >> 8) % MAX_AGE_DAYS * DAY_MS + (h >> 20) % DAY_MS;

	issue->seed = seed;
	issue->updated = updated;
	issue->created = updated - age;
	issue->resolved = updated - age / 3;
	h = mix(h);
	issue->status = h % status_count;
	issue->priority = (h >> 8) % priority_count;
	issue->type = (h >> 16) % issue_type_count;
	issue->assignee = (h >> 24) % 5 == 0 ? NO_USER : (h >> 27) % user_count;
	issue->reporter = (h >> 32) % 40 == 0 ? NO_USER : (h >> 37) % user_count;
	issue->points = (h >> 44) % 3 == 0 ? NO_POINTS : (h >> 46) % 14;
	h = mix(h);
	for (int i = h % 4; i > 0; i--)
		issue->labels |= 1 << (h >> (8 * i)) % label_count;
}

uint32_t
data_new_slot(void)
{
	Issue	   *issue;

	if (data.count == data.size)
	{
		data.size = data.size ? data.size * 2 : 1024;
		data.issues = realloc(data.issues, data.size * sizeof(Issue));
	}
	issue = &data.issues[data.count];
	memset(issue, 0, sizeof(*issue));
	issue->id = FIRST_ISSUE_ID + data.count;
	return data.count++;
}

/* The first project has about half of the issues. */
static int
choose_project(uint64_t seed)
{
	uint64_t	h = mix(seed ^ 0x70726f6aULL);

	if (data.project_count == 1 || (h & 1))
		return 0;
	return 1 + (h >> 1) % (data.project_count - 1);
}

static void
clear_data(void)
{
	for (uint32_t i = 0; i < data.count; i++)
	{
		Issue	   *issue = &data.issues[i];

		data_drop_edit(issue->edit);
		if (issue->previous)
			data_drop_edit(issue->previous->edit);
		if (issue->lag)
			data_drop_edit(issue->lag->seen.edit);
		free(issue->previous);
		free(issue->lag);
	}
	for (int i = 0; i < data.project_count; i++)
		free(data.projects[i].slots);
	data.count = 0;
	data.project_count = 0;
	data.lagging_count = 0;
}

/* Make the projects of a list "A,B,C". */
static const char *
build_projects(const char *list)
{
	char		copy[sizeof(data.options.projects)];
	char	   *rest = copy;
	char	   *key;

	snprintf(copy, sizeof(copy), "%s", list);
	while ((key = strsep(&rest, ",")) != NULL)
		if (data_find_project(key) >= 0 || data_add_project(key) < 0)
			return "projects must be up to 60 different keys, as in A,B,C";
	return NULL;
}

const char *
data_build(const DataOptions *options)
{
	DataOptions wanted = *options;
	const char *problem;

	clear_data();
	data.options = wanted;
	problem = build_projects(wanted.projects);
	if (problem != NULL)
		return problem;
	if (data.size < wanted.issues)
	{
		data.size = wanted.issues;
		data.issues = realloc(data.issues, data.size * sizeof(Issue));
	}
	for (int64_t i = 0; i < wanted.issues; i++)
	{
		uint64_t	seed = mix(mix(wanted.seed) + i);
		uint32_t	slot = data_new_slot();
		int64_t		updated = wanted.end +
			(i - wanted.issues) * UPDATE_SPACING_MS + seed % MINUTE_MS;

		if (i % TIE_EVERY == TIE_EVERY - 1)
			updated = data.issues[slot - 1].updated;
		data_derive(&data.issues[slot], seed, updated);
		data_assign_key(slot, choose_project(seed));
	}
	order_invalidate();
	data.version++;
	return NULL;
}

uint32_t
data_find(const char *key_or_id)
{
	const char *dash = strrchr(key_or_id, '-');
	char		key[PROJECT_KEY_SIZE];
	char	   *end;
	long		number;
	int			project;

	number = strtol(dash ? dash + 1 : key_or_id, &end, 10);
	if (*end != '\0' || number <= 0)
		return NO_SLOT;
	if (dash == NULL)
		return number >= FIRST_ISSUE_ID &&
			number < FIRST_ISSUE_ID + (long) data.count ?
			number - FIRST_ISSUE_ID : NO_SLOT;
	snprintf(key, sizeof(key), "%.*s", (int) (dash - key_or_id), key_or_id);
	project = data_find_project(key);
	if (project < 0 || number > data.projects[project].count)
		return NO_SLOT;
	return data.projects[project].slots[number];
}
