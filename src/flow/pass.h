/*
 * pass.h
 *		Passes: what the pages of some sources go through on their way into sinks.
 *
 * Sinks that are fed together share a pass; the first of them is its leader.  A pass holds
 * the transforms and upserts of its steps.  Each page goes through all of them in one unit,
 * which is committed before the next page; what a page adds to the books is staged until then.
 *
 *		pass.c		a pass and its steps
 *		pass_page.c	a page on its way through them
 *		drain.c		a pass at work: one page after the other
 *		rest.c		... and then what its steps have held back
 *		foresee.c	how many rows there will be
 */
#ifndef RESOLUTE_PASS_H
#define RESOLUTE_PASS_H

#include "flow/run.h"
#include "flow/stream.h"

/* Lives in a context of its own until the next pass of the same leader. */
struct Pass
{
	Step	   *leader;			/* the first of its sinks */
	MemoryContext context;
	List	   *roots;			/* of Step *: the fetch steps it reads */
	int64		opened;			/* how often these had been opened */
	int			nsteps;
	Step	  **steps;			/* transforms and sinks in the order written */
	Transform **transforms;		/* of each, or NULL */
	Upsert	  **upserts;
	bool	   *counts;			/* is this the pass that keeps the step's books? */
};

/* A page on its way through a pass. */
struct PageWork
{
	Pass	   *pass;
	Stream	   *stream;
	Step	   *from;			/* the step that has held the rows back, or NULL */
	SourcePage *page;
	PageContext context;
	int			attempt;		/* 1, 2, ... */
	bool		taken;			/* dead_letter() took it: the stream goes on */
};

/* The step whose rows the page holds. */
static inline const Step *
page_origin(const PageWork *work)
{
	return work->from ? work->from : work->stream->fetch;
}

/* pass.c */

/*
 * The pass of a leader, ready for pages; makes its transforms and upserts, unless it goes on
 * with the same sources as before.  Within a unit.
 */
extern Pass *pass_begin(Run *run, Step *leader);

/*
 * A pass without a sink, which only makes the rows of a step; it keeps no books.  Let go of it with
 * pass_end().
 */
extern Pass *pass_of_rows(Run *run, Step *step);
extern void pass_end(Run *run, Pass *pass);

/* A pass of these steps, in the order written, for rows of one source.  Within a unit. */
extern Pass *pass_of_steps(Run *run, Step *fetch, List *steps);

/* Does the pass of this leader read the source? */
extern bool pass_reads(Run *run, const Step *leader, const Step *fetch);

/* pass_page.c */

/*
 * Put a page of one source (from), or rows that one of its steps has held back, through the
 * steps of the pass that read from it; batches by step->number - 1 become what each step
 * made of it.
 */
extern void pass_page(Run *run, Pass *pass, const Step *from, RowBatch *batch,
					  PageContext *page, RowBatch **batches);

/* The page is committed (keep) or not. */
extern void pass_settle(Run *run, Pass *pass, bool keep);

/* drain.c */

/* Put all rows of its sources through the pass of a leader, page by page.  False on error. */
extern bool run_drain(Run *run, Step *leader);

/* A page is one execution of each sink it goes to, for with_rate_limit(). */
extern bool drain_take_turns(Run *run, const PageWork *work);

/* Work on one page until it is committed. */
extern bool drain_page(Run *run, PageWork *work, MemoryContext context);

/* rest.c */

/* What the steps of a pass have held back, in the order in which they read each other. */
extern bool drain_rest(Run *run, Pass *pass);

/* foresee.c */

/* Find out how many rows a step will yield, whose sources are spooled.  False on error. */
extern bool run_foresee(Run *run, Step *step);

#endif							/* RESOLUTE_PASS_H */
