/*
 * node.h
 *		Functions that nodes call.
 */
#ifndef RESOLUTE_NODE_H
#define RESOLUTE_NODE_H

#include "flow/run.h"

/* Does the function of that name return a set, as far as that is known?  Raises nothing, needs no rights. */
extern bool node_function_is_set(const char *name);

/* Check that the function goes with what the node is given, and with what is read of it. */
extern void node_check(const Step *step);

/* The rows that a node's function returns for each row, as a transform. */
extern Transform *node_rows_create(Run *run, const Step *step);

/* Within a unit: feed a page to a node that is a sink. */
extern void node_page(Run *run, Step *step, RowBatch *batch, PageContext *page);

/* Within a unit: call the function once; NULL for a null result. */
extern char *node_call(Run *run, const Step *step, Datum argument);

#endif							/* RESOLUTE_NODE_H */
