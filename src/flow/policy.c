/*
 * policy.c
 *		Reads what wrappers say of a step, and who inherits it.
 */
#include "flow/policy.h"

#include <math.h>

#include "resolute.h"
#include "rows/json.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Longer waits and timeouts are slips. */
#define POLICY_MAX_SPAN_US (INT64CONST(366) * USECS_PER_DAY)

/* More attempts than anybody waits for. */
#define POLICY_MAX_ATTEMPTS 1000

/* More executions than anybody counts, whose times are remembered. */
#define POLICY_MAX_RATE 100000

/* A whole number from least to most, which "what" stands for in messages. */
static int64
parse_count(const Flow *flow, const Step *step, const Value *value, const char *what,
			int64 least, int64 most)
{
	char	   *text = value_is_null(value) ? NULL : value_cstring(value);
	int64		number = 0;

	if (text && value->kind == VALUE_NUMBER && strspn(text, "-0123456789") == strlen(text) &&
		strlen(text) < 19)
		number = strtoll(text, NULL, 10);
	else
		text = NULL;
	if (text == NULL || number < least || number > most)
		flow_definition_error(flow, psprintf("%s of step \"%s\" is %s.", what, step->name,
									value_is_null(value) ? "null" : value_cstring(value)),
					 psprintf("It is a number from " INT64_FORMAT " to " INT64_FORMAT ".",
							  least, most));
	return number;
}

/* An interval in microseconds, months as 30 days; greater than zero unless zero_ok. */
static int64
parse_span(const Flow *flow, const Step *step, const Value *value, const char *what, bool zero_ok)
{
	char	   *text = value_is_null(value) ? NULL : value_cstring(value);
	Interval   *span;
	double		us = -1;

	if (text)
	{
		span = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));

		/* In floating point the sum cannot overflow. */
		us = (double) span->time +
			((double) span->month * DAYS_PER_MONTH + span->day) * (double) USECS_PER_DAY;
	}
	if (us < 0 || (us == 0 && !zero_ok) || us > (double) POLICY_MAX_SPAN_US)
		flow_definition_error(flow, psprintf("%s of step \"%s\" is %s.", what, step->name, text ? text : "null"),
					 zero_ok ? "It is an interval of 0 to 366 days, such as '1 second'." :
					 "It is an interval of more than 0 and at most 366 days, such as '30 seconds'.");
	return (int64) us;
}

static void
parse_max_iterations(const Flow *flow, Step *step, const Value *value)
{
	if (step->type->kind != STEP_WHILE)
		flow_definition_error(flow, psprintf("Step \"%s\" has a limit of iterations, but is no loop.", step->name),
					 "Wrap resolute.with_max_iterations() around resolute.while() only.");
	step->policy.max_iterations = parse_count(flow, step, value, "max_iterations", 1, PG_INT32_MAX);
}

void
policy_parse(const Flow *flow, Step *step, const Value *object)
{
	StepPolicy *policy = &step->policy;
	JsonIter	it = json_iter(object);
	Value		key,
				value;

	policy->max_failures = -1;
	while (json_next(&it, &key, &value))
	{
		if (value_is(&key, "retry"))
		{
			Value		attempts = json_member(&value, "attempts", 8, false);
			Value		wait = json_member(&value, "first_wait", 10, false);

			policy->retry_attempts = (int) parse_count(flow, step, &attempts, "Number of attempts",
													   1, POLICY_MAX_ATTEMPTS);
			policy->retry_first_us = parse_span(flow, step, &wait, "first_wait", true);
			policy->retry_first = value_cstring(&wait);
		}
		else if (value_is(&key, "timeout"))
		{
			policy->timeout_us = parse_span(flow, step, &value, "Timeout", false);
			policy->timeout = value_cstring(&value);
		}
		else if (value_is(&key, "rate_limit"))
		{
			Value		n = json_member(&value, "n", 1, false);
			Value		per = json_member(&value, "per", 3, false);

			policy->rate_n = parse_count(flow, step, &n, "Rate limit", 1, POLICY_MAX_RATE);
			policy->rate_per_us = parse_span(flow, step, &per, "Interval of the rate limit", false);
			policy->rate_per = value_cstring(&per);
		}
		else if (value_is(&key, "max_failures"))
			policy->max_failures = parse_count(flow, step, &value, "max_failures", 0, PG_INT32_MAX);
		else if (value_is(&key, "max_iterations"))
			parse_max_iterations(flow, step, &value);
	}
}

bool
policy_member(const Value *name)
{
	static const char *const members[] = {
		"retry", "timeout", "rate_limit", "max_failures", "max_iterations", "on_error"
	};

	for (Size i = 0; i < lengthof(members); i++)
	{
		if (value_is(name, members[i]))
			return true;
	}
	return false;
}

/* A handler does not inherit from the step that failed. */
const Step *
policy_block(const Step *step)
{
	while (step && step->handler > 0)
		step = step->parent;
	return step ? step->parent : NULL;
}

int64
policy_wait_us(const Step *step, int attempts)
{
	int64		first = step->policy.retry_first_us;
	int64		most = Max(first, (int64) resolute_max_wait * USECS_PER_SEC);
	double		wait = ldexp((double) first, Min(attempts - 1, 60));
	uint32		random = PG_UINT32_MAX;

	/* Those that failed together should not all come again together. */
	(void) pg_strong_random(&random, sizeof(random));
	return (int64) (Min(wait, (double) most) * random / PG_UINT32_MAX);
}

const Step *
policy_retry(const Step *step)
{
	for (; step; step = policy_block(step))
	{
		if (step->policy.retry_attempts > 0)
			return step;
	}
	return NULL;
}

int64
policy_max_failures(const Step *step)
{
	for (; step; step = policy_block(step))
	{
		if (step->policy.max_failures >= 0)
			return step->policy.max_failures;
	}
	return -1;
}
