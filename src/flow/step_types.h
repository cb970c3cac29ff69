/*
 * step_types.h
 *		Access to the table of step kinds.
 */
#ifndef RESOLUTE_STEP_TYPES_H
#define RESOLUTE_STEP_TYPES_H

#include "flow/step.h"

/* The kind of step that a builder function makes, or NULL. */
extern const StepType *step_type_find(const Value *name);

/* The position of a parameter in its step's table, or -1. */
extern int	step_param_find(const StepType *type, const char *name);

#endif							/* RESOLUTE_STEP_TYPES_H */
