/*
 * failure.h
 *		What happens when a step fails: retries, handlers, dead letters.
 *
 * A step that fails is tried again as its with_retry() says.  After that its handlers
 * (on_error()) have the error; one of them may take the page to the dead letters.  An error
 * that nobody handles stays in run->error and ends the run.
 *
 *		failure.c	retries, turns of with_rate_limit(), handlers
 *		handling.c	what a handler has at hand: error() and dead_letter()
 *		page_failures.c	rows that failed in a page: too many of them, and the letters before
 */
#ifndef RESOLUTE_FAILURE_H
#define RESOLUTE_FAILURE_H

#include "flow/pass.h"
#include "flow/run.h"
#include "flow/stream.h"
#include "flow/unit.h"

/*
 * After a failure of a step in its attempt-th attempt: wait, and return true if there shall be
 * another one, as policy (a step with with_retry(), or NULL) says.  Otherwise run->error stays.
 */
extern bool run_try_again(Run *run, const Step *step, const Step *policy, int attempt);

/* Wait, with nothing open; other requests go on meanwhile.  False if cancelled. */
extern bool run_pause(Run *run, int64 us);

/*
 * Take a turn of with_rate_limit() of the step, and (blocks) of the blocks around it: 0 if it may
 * begin now, else how many us to wait and try again; or wait until it may.
 */
extern int64 run_try_turn(Run *run, const Step *step, bool blocks);
extern bool run_take_turn(Run *run, const Step *step, bool blocks);

/*
 * Let the step's own handlers have the error.  True if one of them has handled it:
 * then there is no error any more.  page is what it was raised for, or NULL.
 */
extern bool run_handle(Run *run, const Step *step, PageWork *page);

/*
 * Something has failed for good in a leader's pass: see who handles that.  What cannot go on then
 * is given up; true if the pass goes on with the rest.  stream is the source that was read,
 * work the page that failed, NULL where it was something else.
 */
extern bool run_handle_pass(Run *run, const Step *leader, Stream *stream, PageWork *work);

/* Raise an error that is not one of a unit; returns false. */
extern bool run_fail(Run *run, const Step *step, UnitFunction fn, void *arg);

/* page_failures.c, within the unit of a page */

/* Too many dead letters fail the step, and so do those that may be none: raises the error. */
extern void page_check_failures(Run *run, PageWork *work);

/* Tell of the first failed row, for whoever may not read the letters. */
extern void page_log_failures(Run *run, const PageContext *page);

/*
 * Rows that reached a sink need the earlier dead letters no more that it, or a step before it, wrote
 * (not those of other sinks); nor do those that are part of another row from here on.
 */
extern void page_resolve_letters(Run *run, PageWork *work, RowBatch **batches);

/* handling.c */

/* Run dead_letter(). */
extern bool run_dead_letter(Run *run, const Step *step);

#endif							/* RESOLUTE_FAILURE_H */
