/*
 * data.h: the issues, and what the search index believes of them
 *
 * An issue is a small record; everything else about it is derived from its
 * seed when it is rendered, so a million of them fit in 80 MB. Issues live
 * in slots that never move; their id is the slot plus FIRST_ISSUE_ID.
 *
 * All functions want the simulator's lock to be held.
 */
#ifndef SIMULATOR_DATA_H
#define SIMULATOR_DATA_H

#include "buffer.h"

#define FIRST_ISSUE_ID		10001
#define FIRST_PROJECT_ID	10100
#define MAX_PROJECTS		60
#define PROJECT_KEY_SIZE	32
#define NO_SLOT				UINT32_MAX
#define NO_POINTS			255		/* story points: null */
#define UNTIL_REVEALED		INT64_MAX

/* One field whose JSON a test has dictated. */
typedef struct Override
{
	char	   *field;
	char	   *raw;			/* NULL: the field is left out */
} Override;

/* What was edited by hand; shared by copies of the issue, hence counted. */
typedef struct Edit
{
	int			refs;
	char	   *summary;		/* NULL: derived from the seed */
	char	   *description;	/* plain text, NULL: derived from the seed */
	Override   *overrides;
	int			override_count;
} Edit;

typedef struct Issue
{
	int64_t		id;
	int64_t		created;
	int64_t		updated;
	int64_t		resolved;		/* meaningful where the status is done */
	uint64_t	seed;			/* of everything that is derived */
	Edit	   *edit;			/* or NULL */
	struct Issue *previous;		/* the state before the last edit, or NULL */
	struct Lag *lag;			/* where the index is behind, or NULL */
	int32_t		number;			/* of the key */
	int16_t		project;
	uint16_t	labels;			/* set of bits into the label names */
	uint8_t		status;
	uint8_t		priority;
	uint8_t		type;
	uint8_t		assignee;		/* a user, or NO_USER */
	uint8_t		reporter;
	uint8_t		points;			/* or NO_POINTS */
	bool		deleted;
} Issue;

/* What the search index still believes of an issue. */
typedef struct Lag
{
	Issue		seen;			/* the old state */
	bool		hidden;			/* the index does not know the issue */
	int64_t		until;			/* search request that ends it */
} Lag;

typedef struct Project
{
	char		key[PROJECT_KEY_SIZE];
	char		name[PROJECT_KEY_SIZE + 16];
	int			rank;			/* among the keys in order */
	bool		visible;		/* to the account */
	uint32_t   *slots;			/* by number of the key; moved ones too */
	int			count;			/* greatest number in use */
	int			size;
} Project;

typedef struct DataOptions
{
	int64_t		issues;
	uint64_t	seed;
	int64_t		end;			/* the newest issue is just before */
	char		projects[1024];	/* keys, separated by commas */
} DataOptions;

typedef struct DataSet
{
	DataOptions options;
	Issue	   *issues;
	uint32_t	count;
	uint32_t	size;
	Project		projects[MAX_PROJECTS];
	int			project_count;
	uint32_t   *lagging;		/* slots with a lag */
	uint32_t	lagging_count;
	uint32_t	lagging_size;
	uint64_t	version;		/* changes when a search could */
} DataSet;

extern DataSet data;

/* Build the data set anew; NULL or what is wrong with the options. */
extern const char *data_build(const DataOptions *options);

/* Issue by key ("PLATFORM-7", an old key of a moved one too) or id. */
extern uint32_t data_find(const char *key_or_id);
extern int	data_find_project(const char *key);	/* or -1 */
extern int	data_add_project(const char *key);		/* or -1: no room */

/*
 * Change an issue: between begin and end the caller may write any member.
 * With lag > 0 the search index goes on seeing the old state for that many
 * search requests. A copy of the old state is kept for data_stale.
 */
extern Issue *data_change_begin(uint32_t slot, int64_t lag);
extern void data_change_end(uint32_t slot);

/* The same for many issues: orders are sorted anew instead of adjusted. */
extern void data_bulk_begin(void);
extern void data_bulk_end(void);

/* data.c, for data_change.c: a new slot, its content, its next key. */
extern uint32_t data_new_slot(void);
extern void data_derive(Issue *issue, uint64_t seed, int64_t updated);
extern void data_assign_key(uint32_t slot, int project);

extern uint32_t data_add(int project, uint64_t seed, int64_t now, int64_t lag);
extern void data_move(uint32_t slot, int project, int64_t now, int64_t lag);
extern void data_delete(uint32_t slot, int64_t lag);
extern void data_hide(uint32_t slot, int64_t until);
extern bool data_stale(uint32_t slot, int64_t until);
extern void data_reveal(uint32_t slot);

/* Let the index catch up with all that is due at that search request. */
extern void data_catch_up(int64_t searches);

/* A private Edit of the issue, to be written between begin and end. */
extern Edit *data_edit(Issue *issue);
extern void data_override(Issue *issue, const char *field, const char *raw);
extern void data_drop_edit(Edit *edit);
extern const Override *data_overridden(const Issue *issue, const char *field);

/* A well mixed number from a seed; the base of all that is derived. */
static inline uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* What the search index sees in a slot, or NULL for nothing. */
static inline const Issue *
data_view(uint32_t slot)
{
	const Issue *issue = &data.issues[slot];

	if (issue->lag == NULL)
		return issue->deleted ? NULL : issue;
	return issue->lag->hidden ? NULL : &issue->lag->seen;
}

#endif
