/*
 * render_text.c: descriptions and comments, as ADF or as wiki text
 */
#include "render_value.h"

#include <stdlib.h>

#include "names.h"

/* One issue in so many has no description, or an empty one. */
#define NULL_EVERY	16
#define EMPTY_EVERY	23

static void
adf_text(Buffer *buf, const char *text, const char *mark)
{
	buf_lit(buf, "{\"type\":\"text\",\"text\":");
	buf_json_str(buf, text);
	if (mark != NULL)
	{
		buf_lit(buf, ",\"marks\":[{\"type\":\"");
		buf_str(buf, mark);
		buf_lit(buf, "\"}]");
	}
	buf_char(buf, '}');
}

static void
adf_sentence(Buffer *buf, uint64_t seed)
{
	Buffer		sentence = {0};

	name_sentence(&sentence, seed);
	adf_text(buf, sentence.data, NULL);
	buf_free(&sentence);
}

/* Lines of a hand-edited text become paragraphs. */
static void
adf_lines(Buffer *buf, const char *text)
{
	buf_lit(buf, "{\"type\":\"doc\",\"version\":1,\"content\":[");
	while (*text)
	{
		size_t		len = strcspn(text, "\n");

		buf_lit(buf, "{\"type\":\"paragraph\",\"content\":[");
		if (len > 0)
		{
			buf_lit(buf, "{\"type\":\"text\",\"text\":");
			buf_json(buf, text, len);
			buf_char(buf, '}');
		}
		buf_lit(buf, "]}");
		text += len;
		if (*text == '\n')
			text++;
		if (*text)
			buf_char(buf, ',');
	}
	buf_lit(buf, "]}");
}

static void
adf_list_item(Buffer *buf, uint64_t seed)
{
	buf_lit(buf, "{\"type\":\"listItem\",\"content\":[{\"type\":"
			"\"paragraph\",\"content\":[");
	adf_sentence(buf, seed);
	buf_lit(buf, "]}]}");
}

/* Somebody is mentioned, in a paragraph of its own. */
static void
adf_mention(Buffer *buf, const User *user)
{
	Buffer		name = {0};

	buf_lit(buf, ",{\"type\":\"paragraph\",\"content\":[{\"type\":"
			"\"mention\",\"attrs\":{\"id\":");
	buf_json_str(buf, user->account_id);
	buf_lit(buf, ",\"text\":");
	buf_char(&name, '@');
	buf_str(&name, user->display_name);
	buf_json(buf, name.data, name.len);
	buf_lit(buf, "}},");
	adf_text(buf, " please have a look", NULL);
	buf_lit(buf, "]}");
	buf_free(&name);
}

/* Which of the optional parts a description has. */
static bool
has_mention(uint64_t seed)
{
	return seed >> 20 & 1;
}

static bool
has_code(uint64_t seed)
{
	return seed >> 21 & 1;
}

/* A document with the node types that occur most. */
static void
adf_description(Buffer *buf, uint64_t seed)
{
	buf_lit(buf, "{\"type\":\"doc\",\"version\":1,\"content\":["
			"{\"type\":\"paragraph\",\"content\":[");
	adf_text(buf, "Context", "strong");
	buf_char(buf, ',');
	adf_text(buf, ": ", NULL);
	buf_char(buf, ',');
	adf_sentence(buf, seed + 1);
	buf_lit(buf, ",{\"type\":\"hardBreak\"},");
	adf_text(buf, "Since 4.2", "em");
	buf_lit(buf, "]},{\"type\":\"bulletList\",\"content\":[");
	adf_list_item(buf, seed + 2);
	buf_char(buf, ',');
	adf_list_item(buf, seed + 3);
	buf_lit(buf, "]}");
	if (has_mention(seed))
		adf_mention(buf, &users[seed % user_count]);
	if (has_code(seed))
		buf_lit(buf, ",{\"type\":\"codeBlock\",\"attrs\":{\"language\":"
				"\"sql\"},\"content\":[{\"type\":\"text\",\"text\":\"SELECT "
				"count(*)\\nFROM orders\\tWHERE note = 'a\\\\b';\"}]}");
	buf_lit(buf, "]}");
}

static void
wiki_description(Buffer *buf, uint64_t seed)
{
	Buffer		text = {0};

	buf_lit(&text, "*Context*: ");
	name_sentence(&text, seed + 1);
	buf_lit(&text, "\r\n_Since 4.2_\r\n\r\n * ");
	name_sentence(&text, seed + 2);
	buf_lit(&text, "\r\n * ");
	name_sentence(&text, seed + 3);
	if (has_mention(seed))
		buf_printf(&text, "\r\n\r\n[~%s] please have a look",
				   users[seed % user_count].name);
	if (has_code(seed))
		buf_lit(&text, "\r\n{code:sql}\r\nSELECT count(*)\r\nFROM orders\t"
				"WHERE note = 'a\\b';\r\n{code}");
	buf_json(buf, text.data, text.len);
	buf_free(&text);
}

void
render_description(Buffer *buf, const Issue *issue, RenderMode mode)
{
	uint64_t	h = mix(issue->seed ^ 0x64657363ULL);
	bool		adf = mode == RENDER_CLOUD_V3;

	if (issue->edit && issue->edit->description)
	{
		if (adf)
			adf_lines(buf, issue->edit->description);
		else
			buf_json_str(buf, issue->edit->description);
	}
	else if (h % NULL_EVERY == 0)
		buf_lit(buf, "null");
	else if (h % EMPTY_EVERY == 0)
		buf_str(buf, adf ? "{\"type\":\"doc\",\"version\":1,\"content\":[]}" :
				"\"\"");
	else if (adf)
		adf_description(buf, h);
	else
		wiki_description(buf, h);
}

void
render_paragraph(Buffer *buf, uint64_t seed, RenderMode mode)
{
	if (mode == RENDER_CLOUD_V3)
	{
		buf_lit(buf, "{\"type\":\"doc\",\"version\":1,\"content\":[{\"type\":"
				"\"paragraph\",\"content\":[");
		adf_sentence(buf, seed);
		buf_lit(buf, "]}]}");
	}
	else
	{
		Buffer		sentence = {0};

		name_sentence(&sentence, seed);
		buf_json(buf, sentence.data, sentence.len);
		buf_free(&sentence);
	}
}
