/*
 * order.c: sorted views of the search index
 *
 * For each ORDER BY that was asked there is an array of slots, so that the
 * next page of a walk is found by bisection. A single change moves one entry
 * (a memmove); after a bulk change the arrays are sorted anew.
 */
#include "order.h"

#include <stdlib.h>

#define MAX_ORDERS 6			/* the least recently used makes room */

typedef struct Order
{
	Ordering	ordering;
	uint32_t   *slots;
	uint32_t	count;
	uint32_t	size;
	bool		sorted;			/* else to be built before use */
	uint64_t	used;			/* by a counter, for eviction */
} Order;

static Order orders[MAX_ORDERS];
static int	order_count;
static uint64_t uses;

/* What qsort compares by; it has no argument for it. */
static const Ordering *sorting;

/* A number that sorts as the field does, ascending. */
static int64_t
sort_value(OrderField field, const Issue *issue)
{
	switch (field)
	{
		case ORDER_UPDATED:
			return issue->updated;
		case ORDER_CREATED:
			return issue->created;
		case ORDER_ID:
			return issue->id;
		case ORDER_KEY:
			return (int64_t) data.projects[issue->project].rank << 32 |
				issue->number;
	}
	return 0;
}

void
order_position(const Ordering *ordering, const Issue *issue, uint32_t slot,
			   Position *position)
{
	memset(position, 0, sizeof(*position));
	for (int i = 0; i < ordering->count; i++)
		position->values[i] = sort_value(ordering->keys[i].field, issue);
	position->slot = slot;
}

/* Compare an issue with a position; ties go by slot. */
static int
compare_position(const Ordering *ordering, uint32_t slot,
				 const Position *position)
{
	const Issue *issue = data_view(slot);

	for (int i = 0; i < ordering->count; i++)
	{
		int64_t		value = sort_value(ordering->keys[i].field, issue);

		if (value != position->values[i])
			return ((value < position->values[i]) ^
					ordering->keys[i].descending) ? -1 : 1;
	}
	return slot < position->slot ? -1 : slot > position->slot;
}

static int
compare_slots(const void *a, const void *b)
{
	uint32_t	slot = *(const uint32_t *) b;
	Position	position;

	order_position(sorting, data_view(slot), slot, &position);
	return compare_position(sorting, *(const uint32_t *) a, &position);
}

/* Sort, unless the slots are in order already, as fresh data are. */
static void
sort_order(Order *order)
{
	bool		in_order = true;

	sorting = &order->ordering;
	for (uint32_t i = 1; i < order->count && in_order; i++)
		in_order = compare_slots(&order->slots[i - 1], &order->slots[i]) < 0;
	if (!in_order)
		qsort(order->slots, order->count, sizeof(uint32_t), compare_slots);
	order->sorted = true;
}

/* Fill an order with all that the index sees, and sort it. */
static void
build_order(Order *order)
{
	if (order->size < data.count)
	{
		order->size = data.size;
		order->slots = realloc(order->slots, order->size * sizeof(uint32_t));
	}
	order->count = 0;
	for (uint32_t slot = 0; slot < data.count; slot++)
		if (data_view(slot) != NULL)
			order->slots[order->count++] = slot;
	sort_order(order);
}

static bool
same_ordering(const Ordering *a, const Ordering *b)
{
	if (a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++)
		if (a->keys[i].field != b->keys[i].field ||
			a->keys[i].descending != b->keys[i].descending)
			return false;
	return true;
}

/* The array of an ordering, made if there is none yet. */
static Order *
find_order(const Ordering *ordering)
{
	Order	   *order = NULL;

	for (int i = 0; i < order_count && order == NULL; i++)
		if (same_ordering(&orders[i].ordering, ordering))
			order = &orders[i];
	if (order == NULL && order_count < MAX_ORDERS)
		order = &orders[order_count++];
	else if (order == NULL)
	{
		order = &orders[0];
		for (int i = 1; i < order_count; i++)
			if (orders[i].used < order->used)
				order = &orders[i];
		order->sorted = false;
	}
	order->ordering = *ordering;
	order->used = ++uses;
	if (!order->sorted)
		build_order(order);
	return order;
}

const uint32_t *
order_slots(const Ordering *ordering, uint32_t *count)
{
	Order	   *order = find_order(ordering);

	*count = order->count;
	return order->slots;
}

/* First index whose slot sorts after the position. */
static uint32_t
bisect(const Order *order, const Position *position)
{
	uint32_t	low = 0;
	uint32_t	high = order->count;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (compare_position(&order->ordering, order->slots[middle],
							 position) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t
order_after(const Ordering *ordering, const Position *position)
{
	return bisect(find_order(ordering), position);
}

uint32_t
order_from_updated(const Ordering *ordering, int64_t updated)
{
	const Order *order = find_order(ordering);
	uint32_t	low = 0;
	uint32_t	high = order->count;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (data_view(order->slots[middle])->updated < updated)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
order_remove(uint32_t slot)
{
	const Issue *issue = data_view(slot);

	for (int i = 0; i < order_count && issue != NULL; i++)
	{
		Order	   *order = &orders[i];
		Position	position;
		uint32_t	after;

		if (!order->sorted)
			continue;
		order_position(&order->ordering, issue, slot, &position);
		after = bisect(order, &position);
		memmove(order->slots + after - 1, order->slots + after,
				(order->count - after) * sizeof(uint32_t));
		order->count--;
	}
}

void
order_insert(uint32_t slot)
{
	const Issue *issue = data_view(slot);

	for (int i = 0; i < order_count && issue != NULL; i++)
	{
		Order	   *order = &orders[i];
		Position	position;
		uint32_t	at;

		if (!order->sorted)
			continue;
		if (order->count == order->size)
		{
			order->size = order->size ? order->size * 2 : 64;
			order->slots = realloc(order->slots,
								   order->size * sizeof(uint32_t));
		}
		order_position(&order->ordering, issue, slot, &position);
		at = bisect(order, &position);
		memmove(order->slots + at + 1, order->slots + at,
				(order->count - at) * sizeof(uint32_t));
		order->slots[at] = slot;
		order->count++;
	}
}

void
order_invalidate(void)
{
	for (int i = 0; i < order_count; i++)
		orders[i].sorted = false;
}
