/*
 * render.h: an issue as JSON, in the shapes of Cloud and of Server
 */
#ifndef SIMULATOR_RENDER_H
#define SIMULATOR_RENDER_H

#include "data.h"

typedef enum RenderMode
{
	RENDER_CLOUD_V3,			/* rich text as ADF, users by account id */
	RENDER_CLOUD_V2,			/* rich text as wiki text */
	RENDER_SERVER,				/* wiki text, users by name and key */
	RENDER_MODES
} RenderMode;

/* Where a field exists, and whether *navigable has it. */
#define FIELD_CLOUD		1
#define FIELD_SERVER	2
#define FIELD_NAVIGABLE	4
#define FIELD_BOTH		(FIELD_CLOUD | FIELD_SERVER)
#define FIELD_USUAL		(FIELD_BOTH | FIELD_NAVIGABLE)
#define FIELD_SECOND	8		/* only where second story points are on */
#define FIELD_OPTIONAL	16		/* left out where it is null */

typedef void (*RenderField) (Buffer *buf, const Issue *issue,
							 RenderMode mode);

typedef struct Field
{
	const char *id;
	const char *name;
	const char *type;			/* of the schema */
	const char *custom;			/* schema key of a custom field, or NULL */
	int			flags;
	RenderField render;			/* or NULL for a constant */
	const char *constant;		/* JSON, NULL for null */
} Field;

extern const Field fields[];	/* ends with an id of NULL */

/* Custom fields beside those of the table: how many at most, and their numbers. */
#define CUSTOM_MAX		512
#define CUSTOM_FIRST	20001
#define CUSTOM_MAX_BYTES	100000

/* What a request wants of each issue. */
typedef struct FieldSet
{
	uint64_t	bits;			/* into fields[] */
	bool		id_only;		/* nothing beside id */
	bool		light;			/* id and key: pages may be long */
	uint64_t	custom[CUSTOM_MAX / 64];	/* those of render_custom.c */
} FieldSet;

/*
 * The set that a list of names asks for ("*all", "-comment", "summary").
 * Without any name it is "id" on Cloud, "*navigable" on Server.
 */
extern FieldSet fields_choose(const char *const *names, int count,
							  RenderMode mode, bool search);
extern bool field_exists(const Field *field, RenderMode mode);

/* Append the answer of /field. */
extern void fields_describe(Buffer *buf, RenderMode mode);

/* The parts that many issues share; anew when names or base URL change. */
extern void render_prepare(const char *base_url, bool second_points);
extern bool render_second_points(void);

/* Append an issue. Extra overrides come before the issue's own. */
extern void render_issue(Buffer *buf, const Issue *issue, FieldSet set,
						 RenderMode mode, const Override *extra,
						 int extra_count);

/* render_custom.c: so many more custom fields of so many bytes each. */
extern void render_custom_prepare(int fields, int bytes);

/* Put all of them, or one (from 0), into a set, or take them out. */
extern void render_custom_choose(FieldSet *set, bool wanted);
extern void render_custom_set(FieldSet *set, int field, bool wanted);

/* Which one has this id, or -1. */
extern int	render_custom_number(const char *id);

/* Is one of them in the set? */
extern bool render_custom_any(FieldSet set);

/* Append those of a set, each with a comma, but for those to skip (NULL: none). */
extern void render_custom(Buffer *buf, FieldSet set, bool (*skip) (const char *id, void *arg), void *arg);
extern void render_custom_describe(Buffer *buf);

/* Append one user. */
extern void render_user(Buffer *buf, int user, RenderMode mode);

/* Append "http://…/rest/api/3/" of a mode. */
extern void render_api(Buffer *buf, RenderMode mode);
extern void render_project(Buffer *buf, int project, RenderMode mode);

#endif
