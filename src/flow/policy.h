/*
 * policy.h
 *		What wrappers say of a step: with_retry(), with_timeout(),
 *		with_rate_limit(), with_max_failures() and with_max_iterations().
 *
 * Each is a member of the wrapped step's JSON, so that the order in which wrappers are
 * nested does not matter.  What a block says holds for the steps in it, too.
 */
#ifndef RESOLUTE_POLICY_H
#define RESOLUTE_POLICY_H

#include "flow/step.h"

/* Rounds of a loop, where with_max_iterations() says nothing else. */
#define WHILE_MAX_ITERATIONS 10000

/*
 * Read the policy of a step from its JSON object.  Raises 22023 for what makes
 * no sense, with the flow's name.
 */
extern void policy_parse(const Flow *flow, Step *step, const Value *object);

/* Is this member of a step's JSON one of a wrapper, on_error() included? */
extern bool policy_member(const Value *name);

/* The block whose policy a step inherits, or NULL. */
extern const Step *policy_block(const Step *step);

/*
 * How long to wait after so many failed attempts: first_wait, doubled with each
 * one, up to resolute.max_wait (or first_wait if that is longer); full jitter.
 */
extern int64 policy_wait_us(const Step *step, int attempts);

/*
 * The step whose policy says how often this one is tried: itself or the
 * nearest block around it; NULL if none does.
 */
extern const Step *policy_retry(const Step *step);

/* How many rows may fail in the step; -1 if neither it nor a block around it says so. */
extern int64 policy_max_failures(const Step *step);

#endif							/* RESOLUTE_POLICY_H */
