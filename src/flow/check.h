/*
 * check.h
 *		Checks of a flow that look at the database, when it is defined and
 *		again when it runs.
 */
#ifndef RESOLUTE_CHECK_H
#define RESOLUTE_CHECK_H

#include "flow/step.h"

/*
 * Check a parsed flow as the current user: compiles it, then looks up servers,
 * functions and, where they exist already, target tables; SQL texts must be
 * correct.  Raises the first thing that is wrong, with the step as context.
 */
extern void flow_check(Flow *flow);

/*
 * The quoted call text of the function of emit_metrics(), "schema.f", after checking that it
 * exists as f(jsonb) and returns jsonb or void.  Raises 42883 or 42P13 with a hint.
 */
extern char *metrics_function(const char *name, bool *returns_void);

/*
 * Check the targets of a compiled flow, as they are now.  A table that does not
 * exist is only accepted where missing_ok, or where an action before might make it.  Unless quiet, a NOTICE tells
 * where older copies could overwrite newer rows.
 */
extern void flow_check_targets(const Flow *flow, bool missing_ok, bool quiet);

/*
 * The fields of the rows that a step yields (of an upsert: that it stores), as far as they are
 * known; or NULL.
 */
extern const FieldSet *step_fields(const Step *step);

/* Prepare an SQL condition over $1, the state; needs SPI. */
extern const char *condition_sql(const char *condition);

#endif							/* RESOLUTE_CHECK_H */
