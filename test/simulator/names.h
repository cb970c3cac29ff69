/*
 * names.h: the people, states and words that issues are made of
 */
#ifndef SIMULATOR_NAMES_H
#define SIMULATOR_NAMES_H

#include "buffer.h"

#define NO_USER 63				/* assignee: nobody */

typedef struct User
{
	const char *account_id;		/* Cloud */
	const char *name;			/* Server: user name and key */
	const char *display_name;
	const char *zone;
} User;

typedef struct Status
{
	const char *id;
	const char *name;
	const char *category;		/* new, indeterminate, done */
} Status;

typedef struct IssueType
{
	const char *id;
	const char *name;
	int			level;			/* 1 epic, 0 plain, -1 sub-task */
} IssueType;

/* Each list ends with an element whose name is NULL. */
extern const User users[];
extern const Status statuses[];
extern const IssueType issue_types[];
extern const char *const priorities[];	/* id is position + 1 */
extern const char *const labels[];
extern const char *const components[];

extern const int user_count;
extern const int status_count;
extern const int issue_type_count;
extern const int priority_count;
extern const int label_count;
extern const int component_count;

/* Index by (display) name, -1 if there is none. */
extern int	find_user(const char *name);
extern int	find_status(const char *name);
extern int	find_issue_type(const char *name);
extern int	find_priority(const char *name);
extern int	find_label(const char *name, size_t len);

static inline bool
status_is_done(int status)
{
	return statuses[status].category[0] == 'd';
}

/* Append the summary, or a sentence, that follows from a seed. */
extern void name_summary(Buffer *buf, uint64_t seed);
extern void name_sentence(Buffer *buf, uint64_t seed);

#endif
