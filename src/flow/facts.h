/*
 * facts.h
 *		What can be told of a flow and its steps without running it, for
 *		explain_flow() and flow_diagram().
 */
#ifndef RESOLUTE_FACTS_H
#define RESOLUTE_FACTS_H

#include "flow/step.h"

/* One thing that is known; texts in the database's encoding, on one line. */
typedef struct Fact
{
	const char *label;			/* "Page Size" */
	const char *text;
	const char *brief;			/* the same for a diagram; NULL: too much there */
} Fact;

/* What is known of the flow as a whole: List of Fact *; needs SPI. */
extern List *flow_facts(const Flow *flow);

/*
 * What is known of a step of a compiled flow: its parameters, wrappers, and what becomes of its
 * rows.  List of Fact *.
 */
extern List *step_facts(const Flow *flow, const Step *step);

/* In facts_rows.c: what becomes of the rows of a step; appended to the list. */
extern List *row_facts(const Flow *flow, const Step *step, List *facts);

/* Append a fact, text as psprintf() makes it; brief may be NULL, or the same text. */
extern List *add_fact(List *facts, const char *label, const char *text, const char *brief);

/* Names as a list: "a", "b". */
extern char *quoted_names(List *steps);

#endif							/* RESOLUTE_FACTS_H */
