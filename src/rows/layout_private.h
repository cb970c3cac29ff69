/*
 * layout_private.h
 *		What the writer (layout.c) and the reader (layout_parse.c) of layouts share.
 */
#ifndef RESOLUTE_LAYOUT_PRIVATE_H
#define RESOLUTE_LAYOUT_PRIVATE_H

#include "rows/layout.h"

/* The elements of a layout; the order is that of the table below. */
typedef enum ElementKind
{
	GO_LITERAL,
	GO_LONG_MONTH, GO_SHORT_MONTH, GO_NUM_MONTH, GO_ZERO_MONTH,
	GO_LONG_WEEKDAY, GO_SHORT_WEEKDAY,
	GO_DAY, GO_UNDER_DAY, GO_ZERO_DAY, GO_UNDER_YEAR_DAY, GO_ZERO_YEAR_DAY,
	GO_HOUR, GO_HOUR12, GO_ZERO_HOUR12,
	GO_MINUTE, GO_ZERO_MINUTE, GO_SECOND, GO_ZERO_SECOND,
	GO_LONG_YEAR, GO_YEAR, GO_UPPER_PM, GO_LOWER_PM, GO_ZONE_NAME,
	GO_ISO_OFFSET, GO_NUM_OFFSET, GO_FRACTION_ZEROS, GO_FRACTION_NINES
} ElementKind;

/* How an offset is written. */
#define WITH_MINUTES	0x01
#define WITH_SECONDS	0x02
#define WITH_COLON	0x04

/* One element as found in a layout. */
typedef struct Element
{
	ElementKind kind;
	int			bit;
	int			detail;			/* WITH_..., or the digits of a fraction */
	int			length;			/* bytes of the layout that it takes */
} Element;

/* The element that begins here, or one byte of plain text. */
extern Element go_layout_element(const char *at);

/* Names of months, January first. */
extern const char *const go_long_months[MONTHS_PER_YEAR];

#endif							/* RESOLUTE_LAYOUT_PRIVATE_H */
