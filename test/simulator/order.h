/*
 * order.h: sorted views of the search index, and the matches of a query
 */
#ifndef SIMULATOR_ORDER_H
#define SIMULATOR_ORDER_H

#include "data.h"

#define MAX_ORDER_KEYS 7		/* Jira's limit */

typedef enum OrderField
{
	ORDER_UPDATED,
	ORDER_CREATED,
	ORDER_ID,
	ORDER_KEY
} OrderField;

typedef struct OrderKey
{
	OrderField	field;
	bool		descending;
} OrderKey;

typedef struct Ordering
{
	OrderKey	keys[MAX_ORDER_KEYS];
	int			count;
} Ordering;

/* Where a walk stands: the sort values of an issue, and its slot. */
typedef struct Position
{
	int64_t		values[MAX_ORDER_KEYS];
	uint32_t	slot;
} Position;

extern void order_position(const Ordering *ordering, const Issue *issue,
						   uint32_t slot, Position *position);

/* All visible slots in that order; valid until the data change. */
extern const uint32_t *order_slots(const Ordering *ordering, uint32_t *count);

/* Index of the first slot that sorts after the position. */
extern uint32_t order_after(const Ordering *ordering,
							const Position *position);

/* Index of the first slot updated at or after; for updated ascending only. */
extern uint32_t order_from_updated(const Ordering *ordering, int64_t updated);

/* Take a slot out of every order before it changes, put it back after. */
extern void order_remove(uint32_t slot);
extern void order_insert(uint32_t slot);

/* Everything may have changed: sort anew when next asked. */
extern void order_invalidate(void);

#endif
