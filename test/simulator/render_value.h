/*
 * render_value.h: one field's value as JSON
 *
 * Each function appends the value of an issue in a mode.
 */
#ifndef SIMULATOR_RENDER_VALUE_H
#define SIMULATOR_RENDER_VALUE_H

#include "render.h"

#define RENDER_FIELD(name) \
	extern void render_##name(Buffer *buf, const Issue *issue, RenderMode mode)

RENDER_FIELD(summary);
RENDER_FIELD(description);
RENDER_FIELD(created);
RENDER_FIELD(updated);
RENDER_FIELD(resolved);
RENDER_FIELD(resolution);
RENDER_FIELD(status);
RENDER_FIELD(category);
RENDER_FIELD(category_changed);
RENDER_FIELD(priority);
RENDER_FIELD(type);
RENDER_FIELD(project_field);
RENDER_FIELD(assignee);
RENDER_FIELD(reporter);
RENDER_FIELD(creator);
RENDER_FIELD(labels);
RENDER_FIELD(components);
RENDER_FIELD(versions);
RENDER_FIELD(parent);
RENDER_FIELD(due);
RENDER_FIELD(estimate);
RENDER_FIELD(time_tracking);
RENDER_FIELD(progress);
RENDER_FIELD(watches);
RENDER_FIELD(votes);
RENDER_FIELD(comments);
RENDER_FIELD(worklogs);
RENDER_FIELD(points);
RENDER_FIELD(sprint);
RENDER_FIELD(rank);
RENDER_FIELD(team);
RENDER_FIELD(customer);
RENDER_FIELD(severity);
RENDER_FIELD(flagged);
RENDER_FIELD(score);

/* A comment's body, in the mode's format. */
extern void render_paragraph(Buffer *buf, uint64_t seed, RenderMode mode);

/* The plain summary. */
extern void append_summary(Buffer *buf, const Issue *issue);

/* "3.0" and the like, NULL for null. */
extern const char *points_text(const Issue *issue);

/* The slot of the parent, or NO_SLOT. */
extern uint32_t parent_of(const Issue *issue);

/* Components and fix versions: how many, and which. */
extern int	component_of(const Issue *issue, int at);	/* -1: no more */

/* Parts that many issues share, as JSON. */
extern const Buffer *shared_user(int user, RenderMode mode);
extern const Buffer *shared_status(int status, RenderMode mode);
extern const Buffer *shared_category(int status, RenderMode mode);
extern const Buffer *shared_priority(int priority, RenderMode mode);
extern const Buffer *shared_type(int type, RenderMode mode);
extern const Buffer *shared_project(int project, RenderMode mode);

#endif
