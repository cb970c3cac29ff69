/*
 * explain.h
 *		What explain_flow() and flow_diagram() share.
 */
#ifndef RESOLUTE_EXPLAIN_H
#define RESOLUTE_EXPLAIN_H

#include "flow/step.h"

/*
 * Load a flow that the current user may use, parsed and compiled; needs SPI.  Raises 42704
 * or 42501.
 */
extern Flow *flow_planned(const char *name);

/* Kind and name of a step: upsert "stored". */
extern char *step_title(const Step *step);

#endif							/* RESOLUTE_EXPLAIN_H */
