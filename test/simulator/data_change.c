/*
 * data_change.c: changes of issues, and when the search index sees them
 */
#include <stdio.h>
#include <stdlib.h>

#include "data.h"
#include "order.h"

static bool in_bulk;

/* Remember that a slot has a lag. */
static void
note_lag(uint32_t slot)
{
	if (data.lagging_count == data.lagging_size)
	{
		data.lagging_size = data.lagging_size ? data.lagging_size * 2 : 16;
		data.lagging = realloc(data.lagging,
							   data.lagging_size * sizeof(uint32_t));
	}
	data.lagging[data.lagging_count++] = slot;
}

/* Freeze what the index sees of an issue. */
static Lag *
make_lag(uint32_t slot, int64_t until)
{
	Issue	   *issue = &data.issues[slot];

	if (issue->lag == NULL)
	{
		issue->lag = calloc(1, sizeof(Lag));
		issue->lag->seen = *issue;
		issue->lag->seen.lag = NULL;
		issue->lag->seen.previous = NULL;
		if (issue->edit)
			issue->edit->refs++;
		note_lag(slot);
	}
	issue->lag->until = until;
	return issue->lag;
}

/* Keep a copy of the state that is about to change. */
static void
keep_previous(Issue *issue)
{
	if (issue->previous)
		data_drop_edit(issue->previous->edit);
	else
		issue->previous = malloc(sizeof(Issue));
	*issue->previous = *issue;
	issue->previous->previous = NULL;
	issue->previous->lag = NULL;
	if (issue->edit)
		issue->edit->refs++;
}

Issue *
data_change_begin(uint32_t slot, int64_t lag)
{
	if (!in_bulk)
		order_remove(slot);
	if (lag > 0)
		make_lag(slot, lag);
	keep_previous(&data.issues[slot]);
	return &data.issues[slot];
}

void
data_change_end(uint32_t slot)
{
	if (!in_bulk)
		order_insert(slot);
	data.version++;
}

void
data_bulk_begin(void)
{
	in_bulk = true;
	order_invalidate();
}

void
data_bulk_end(void)
{
	in_bulk = false;
	data.version++;
}

uint32_t
data_add(int project, uint64_t seed, int64_t now, int64_t lag)
{
	uint32_t	slot = data_new_slot();
	Issue	   *issue = &data.issues[slot];

	data_derive(issue, mix(mix(data.options.seed ^ seed) + slot), now);
	issue->created = now;
	issue->resolved = now;
	data_assign_key(slot, project);
	if (lag > 0)
		make_lag(slot, lag)->hidden = true;
	data_change_end(slot);
	return slot;
}

void
data_move(uint32_t slot, int project, int64_t now, int64_t lag)
{
	data_change_begin(slot, lag);
	data_assign_key(slot, project);
	data.issues[slot].updated = now;
	data_change_end(slot);
}

void
data_delete(uint32_t slot, int64_t lag)
{
	data_change_begin(slot, lag);
	data.issues[slot].deleted = true;
	data_change_end(slot);
}

void
data_hide(uint32_t slot, int64_t until)
{
	order_remove(slot);
	make_lag(slot, until)->hidden = true;
	data_change_end(slot);
}

/* Show the state before the last edit again; false if there was no edit. */
bool
data_stale(uint32_t slot, int64_t until)
{
	Issue	   *issue = &data.issues[slot];
	Lag		   *lag;

	if (issue->previous == NULL)
		return false;
	order_remove(slot);
	lag = make_lag(slot, until);
	data_drop_edit(lag->seen.edit);
	lag->seen = *issue->previous;
	lag->hidden = false;
	if (lag->seen.edit)
		lag->seen.edit->refs++;
	data_change_end(slot);
	return true;
}

void
data_reveal(uint32_t slot)
{
	Issue	   *issue = &data.issues[slot];

	if (issue->lag == NULL)
		return;
	order_remove(slot);
	data_drop_edit(issue->lag->seen.edit);
	free(issue->lag);
	issue->lag = NULL;
	for (uint32_t i = 0; i < data.lagging_count; i++)
		if (data.lagging[i] == slot)
		{
			data.lagging[i] = data.lagging[--data.lagging_count];
			break;
		}
	data_change_end(slot);
}

void
data_catch_up(int64_t searches)
{
	for (uint32_t i = data.lagging_count; i > 0; i--)
		if (data.issues[data.lagging[i - 1]].lag->until <= searches)
			data_reveal(data.lagging[i - 1]);
}

void
data_drop_edit(Edit *edit)
{
	if (edit == NULL || --edit->refs > 0)
		return;
	for (int i = 0; i < edit->override_count; i++)
	{
		free(edit->overrides[i].field);
		free(edit->overrides[i].raw);
	}
	free(edit->overrides);
	free(edit->summary);
	free(edit->description);
	free(edit);
}

Edit *
data_edit(Issue *issue)
{
	const Edit *old = issue->edit;
	Edit	   *edit = calloc(1, sizeof(Edit));

	edit->refs = 1;
	if (old != NULL)
	{
		edit->summary = old->summary ? strdup(old->summary) : NULL;
		edit->description = old->description ? strdup(old->description) : NULL;
	}
	for (int i = 0; old != NULL && i < old->override_count; i++)
	{
		const Override *from = &old->overrides[i];

		edit->overrides = realloc(edit->overrides,
								  (i + 1) * sizeof(Override));
		edit->overrides[i].field = strdup(from->field);
		edit->overrides[i].raw = from->raw ? strdup(from->raw) : NULL;
		edit->override_count = i + 1;
	}
	data_drop_edit(issue->edit);
	issue->edit = edit;
	return edit;
}

void
data_override(Issue *issue, const char *field, const char *raw)
{
	Edit	   *edit = data_edit(issue);
	Override   *override = (Override *) data_overridden(issue, field);

	if (override == NULL)
	{
		edit->overrides = realloc(edit->overrides,
								  (edit->override_count + 1) *
								  sizeof(Override));
		override = &edit->overrides[edit->override_count++];
		override->field = strdup(field);
	}
	else
		free(override->raw);
	override->raw = raw ? strdup(raw) : NULL;
}

const Override *
data_overridden(const Issue *issue, const char *field)
{
	for (int i = 0; issue->edit && i < issue->edit->override_count; i++)
		if (strcmp(issue->edit->overrides[i].field, field) == 0)
			return &issue->edit->overrides[i];
	return NULL;
}
