/*
 * unit.h
 *		What the unit tests share.
 */
#ifndef RESOLUTE_UNIT_H
#define RESOLUTE_UNIT_H

#include "postgres.h"

#include "resolute.h"
#include "rows/json.h"
#include "utils/array.h"

/* A document whose end is the end of readable memory. */
typedef struct FencedText
{
	const char *data;
	Size		len;
	void	   *area;
	Size		area_size;
} FencedText;

/*
 * Copy the bytes to where reading one byte too many is a segmentation fault.
 * What points into them does not outlive fence_free().
 */
extern FencedText fence_make(const char *data, Size len);
extern void fence_free(FencedText *text);

/* Choose how the reader scans: "auto" or "scalar". */
extern void use_scan(text *mode);

/*
 * Check the whole document strictly (RFC 8259, any depth, no recursion).
 * Returns false and the offset of the first offending byte.
 */
extern bool json_check(const char *data, Size len, Size *offset);

/* The elements of a text[] as C strings. */
extern const char **cstrings_of(ArrayType *array, int *n);

/* Values as a jsonb[], in which NULL stands for what is missing. */
extern Datum jsonb_array_of(const Value *values, int n);

#endif							/* RESOLUTE_UNIT_H */
