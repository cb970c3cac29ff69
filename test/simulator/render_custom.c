/*
 * render_custom.c: many more custom fields, so that issues are wide
 *
 * None unless settings say how many.  They are the same in every issue, and
 * rendered once: a wide page costs the simulator no more than copying it.
 */
#include "render.h"

#include <stdio.h>

/* One after the other: "customfield_20001":…,"customfield_20002":…, */
static Buffer members;
static size_t ends[CUSTOM_MAX];	/* of each of them */
static int	count;

static const char *const types[] = {"string", "option", "string"};
static const char *const kinds[] = {"textfield", "select", "textarea"};

/* Words, as many bytes of them. */
static void
fill(Buffer *buf, int at, int bytes)
{
	static const char words[] = "the quick brown fox jumps over the lazy dog, ";

	for (int i = 0; i < bytes; i++)
		buf_char(buf, words[(at + i) % (sizeof(words) - 1)]);
}

void
render_custom_prepare(int fields, int bytes)
{
	count = fields;
	buf_clear(&members);
	for (int i = 0; i < count; i++)
	{
		buf_printf(&members, "\"customfield_%d\":", CUSTOM_FIRST + i);
		switch (i % 3)
		{
			case 0:
				buf_char(&members, '"');
				fill(&members, i, bytes);
				buf_char(&members, '"');
				break;
			case 1:
				buf_lit(&members, "{\"self\":\"");
				render_api(&members, RENDER_CLOUD_V2);
				buf_printf(&members, "customFieldOption/%d\",\"value\":\"", i);
				fill(&members, i, bytes);
				buf_printf(&members, "\",\"id\":\"%d\"}", 30000 + i);
				break;
			case 2:
				buf_lit(&members, "\"He said: \\\"Grüße\\\"\\n");
				fill(&members, i, bytes);
				buf_char(&members, '"');
				break;
		}
		buf_char(&members, ',');
		ends[i] = members.len;
	}
}

void
render_custom_choose(FieldSet *set, bool wanted)
{
	for (int i = 0; i < count; i++)
		render_custom_set(set, i, wanted);
}

void
render_custom_set(FieldSet *set, int field, bool wanted)
{
	uint64_t	bit = 1ULL << (field % 64);

	if (field < 0 || field >= count)
		return;
	if (wanted)
		set->custom[field / 64] |= bit;
	else
		set->custom[field / 64] &= ~bit;
}

bool
render_custom_any(FieldSet set)
{
	for (int i = 0; i < CUSTOM_MAX / 64; i++)
		if (set.custom[i])
			return true;
	return false;
}

int
render_custom_number(const char *id)
{
	int			number;
	int			len = 0;

	if (sscanf(id, "customfield_%d%n", &number, &len) != 1 || id[len] != '\0' ||
		number < CUSTOM_FIRST || number >= CUSTOM_FIRST + count)
		return -1;
	return number - CUSTOM_FIRST;
}

void
render_custom(Buffer *buf, FieldSet set, bool (*skip) (const char *id, void *arg), void *arg)
{
	size_t		start = 0;

	for (int i = 0; i < count; start = ends[i++])
	{
		char		id[32];

		if (!(set.custom[i / 64] & 1ULL << (i % 64)))
			continue;
		snprintf(id, sizeof(id), "customfield_%d", CUSTOM_FIRST + i);
		if (skip && skip(id, arg))
			continue;
		buf_add(buf, members.data + start, ends[i] - start);
	}
}

void
render_custom_describe(Buffer *buf)
{
	for (int i = 0; i < count; i++)
	{
		int			id = CUSTOM_FIRST + i;

		buf_printf(buf, ",{\"id\":\"customfield_%d\",\"key\":\"customfield_%d\","
				   "\"name\":\"Custom %d\",\"custom\":true,\"orderable\":true,"
				   "\"navigable\":true,\"searchable\":true,\"clauseNames\":"
				   "[\"cf[%d]\",\"Custom %d\"],\"schema\":{\"type\":\"%s\","
				   "\"custom\":\"com.atlassian.jira.plugin.system.customfieldtypes:%s\","
				   "\"customId\":%d}}", id, id, i + 1, id, i + 1,
				   types[i % 3], kinds[i % 3], id);
	}
}
