/*
 * vanish.h
 *		Rows that the source no longer has: what resync() and reconcile() have
 *		in common.
 *
 * Both read all that the source has and show it to a census of each target.  Then, in one
 * transaction, the rows that are in no census are deleted or marked, unless too many
 * would be, or there is reason to doubt that they are gone.
 *
 *		vanish.c		targets and their censuses
 *		vanish_keys.c	keys without all the rest
 *		vanish_remove.c	comparison, proof and removal
 */
#ifndef RESOLUTE_VANISH_H
#define RESOLUTE_VANISH_H

#include "flow/run.h"
#include "target/census.h"

#define VANISH_DEFAULT_MAX_SHRINK 0.2

/* A table that rows of the flow go to. */
typedef struct VanishTarget
{
	Census	   *census;
	const char *name;			/* as the first of its steps writes it */
	List	   *sinks;			/* of Step *: all that upsert into it */
	const char *issue_column;	/* holds what the source knows a row by, or NULL */
	const char *project_column; /* holds what it belongs to, or NULL */
	bool		project_prefix; /* ... before the last "-" */

	CensusResult result;
	List	   *issues;			/* some vanished ones, to be asked about; UTF-8 */
	List	   *projects;		/* those that vanished ones belong to; UTF-8 */
	int64		removed;
	int64		restored;
} VanishTarget;

typedef struct Vanish
{
	const char *procedure;		/* "resync", for hints */
	double		max_shrink;		/* at most this part of a target may vanish */
	bool		may_delete;		/* where rows cannot be marked */
	bool		shared;			/* other flows upsert into the targets, too */
	bool		check_access;	/* prove that rows are gone, not out of sight */
	List	   *targets;		/* of VanishTarget * */
	List	   *key_maps;		/* of KeyMap *, see vanish_keys.c */
	int64		unknown;		/* rows whose keys nobody knows */
	const char *unknown_error;	/* of the first of them */
} Vanish;

/* The arguments that both have, from number "first" on: max_shrink, shared, check_access. */
extern void vanish_arguments(Vanish *vanish, FunctionCallInfo fcinfo, int first);

/*
 * Unit: find the targets of the flow and begin their censuses.  Raises 55000 where the
 * flow has no upsert, or another flow shares a target, and 0A000 where a source is cut short.
 */
extern void vanish_prepare_unit(Run *run, void *arg);

/* For run->saw_rows: the rows of a page are there. */
extern void vanish_saw_rows(Run *run, Step *sink, RowBatch *rows, PageContext *page);

/* vanish_remove.c */

/* Compare, and prove that what is missing is gone.  False on error. */
extern bool vanish_check(Run *run);

/*
 * Unit: compare again and remove the rows.  The caller commits.
 */
extern void vanish_remove_unit(Run *run, void *arg);

/* Tell what was done, once it is committed. */
extern void vanish_report(Run *run);

/* vanish_keys.c */

/*
 * Rows that failed before they reached the sink are there, too: add their keys, made
 * from the items alone.
 */
extern void vanish_add_failed(Run *run, VanishTarget *target, Step *sink, PageContext *page);

/*
 * Leave of the flow's steps only what makes keys, and ask sources for no more than
 * that.  Before any stream is opened.
 */
extern void vanish_reduce(Run *run);

#endif							/* RESOLUTE_VANISH_H */
