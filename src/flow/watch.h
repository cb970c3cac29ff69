/*
 * watch.h
 *		Time limits: max_runtime of a run, and the timeouts of its steps.
 */
#ifndef RESOLUTE_WATCH_H
#define RESOLUTE_WATCH_H

#include "flow/run.h"

/* A time limit that is being watched. */
typedef struct Watch Watch;

/*
 * Begin to watch a limit of the run (step NULL) or of one of its steps; NULL where limit_us is
 * 0.  What takes longer is cancelled.  Limits end in the opposite order; the end raises 57014 if
 * the limit is over by then.
 */
extern Watch *watch_begin(Run *run, const Step *step, int64 limit_us);
extern void watch_end(Watch *watch);

/* The innermost limit; after an error, let go of all that began after it. */
extern Watch *watch_innermost(void);
extern void watch_unwind(Watch *watch);

/* Let go of all limits of a run that is over. */
extern void watch_forget(const Run *run);

/*
 * Say why a run was cancelled, if it was a limit that did it; a timeout of a step then is an
 * error of that step (54000).
 */
extern void watch_explain(Run *run);

#endif							/* RESOLUTE_WATCH_H */
