/*
 * fault_parse.c: a fault from the JSON object that describes it
 */
#include "fault.h"

#include <stddef.h>
#include <stdlib.h>

#define DEEP_NESTING 20000		/* levels, where only true is given */

typedef enum MemberType
{
	MEMBER_INT,
	MEMBER_INT64,
	MEMBER_BOOL,
	MEMBER_TEXT
} MemberType;

static const struct
{
	const char *name;
	MemberType	type;
	size_t		offset;
}			members[] =
{
	{"match", MEMBER_TEXT, offsetof(Fault, match)},
	{"containing", MEMBER_TEXT, offsetof(Fault, containing)},
	{"skip", MEMBER_INT64, offsetof(Fault, skip)},
	{"times", MEMBER_INT64, offsetof(Fault, times)},
	{"status", MEMBER_INT, offsetof(Fault, status)},
	{"content_type", MEMBER_TEXT, offsetof(Fault, content_type)},
	{"redirect", MEMBER_TEXT, offsetof(Fault, redirect)},
	{"html", MEMBER_BOOL, offsetof(Fault, html)},
	{"seraph", MEMBER_BOOL, offsetof(Fault, seraph)},
	{"delay_ms", MEMBER_INT64, offsetof(Fault, delay)},
	{"drip", MEMBER_INT64, offsetof(Fault, drip_bytes)},
	{"drip_ms", MEMBER_INT64, offsetof(Fault, drip_ms)},
	{"truncate", MEMBER_INT64, offsetof(Fault, truncate)},
	{"big_body", MEMBER_INT64, offsetof(Fault, pad)},
	{"gzip", MEMBER_BOOL, offsetof(Fault, compress)},
	{"chunked", MEMBER_BOOL, offsetof(Fault, chunked)},
	{"no_is_last", MEMBER_BOOL, offsetof(Fault, no_is_last)},
	{"empty_page", MEMBER_BOOL, offsetof(Fault, empty_page)},
	{"no_issues", MEMBER_BOOL, offsetof(Fault, no_issues)},
	{"duplicate_rows", MEMBER_BOOL, offsetof(Fault, duplicate_rows)},
	{"ignore_position", MEMBER_BOOL, offsetof(Fault, ignore_position)},
	{"rows", MEMBER_INT64, offsetof(Fault, rows)},
	{"total", MEMBER_INT64, offsetof(Fault, total)},
	{"row", MEMBER_INT64, offsetof(Fault, row)},
	{NULL, 0, 0}
};

/* Set a plain member; false if the name is none. */
static bool
set_member(Fault *fault, const Json *json)
{
	for (int i = 0; members[i].name; i++)
	{
		void	   *at = (char *) fault + members[i].offset;

		if (strcmp(members[i].name, json->name) != 0)
			continue;
		switch (members[i].type)
		{
			case MEMBER_INT:
				*(int *) at = json->text ? atoi(json->text) : 0;
				break;
			case MEMBER_INT64:
				*(int64_t *) at = json->text ? atoll(json->text) : 0;
				break;
			case MEMBER_BOOL:
				*(bool *) at = json->text && strcmp(json->text, "false") != 0;
				break;
			case MEMBER_TEXT:
				free(*(char **) at);
				*(char **) at = json->text ? strdup(json->text) : NULL;
		}
		return true;
	}
	return false;
}

static void
dictate(Fault *fault, const char *field, const char *raw)
{
	if (fault->override_count == MAX_FAULT_OVERRIDES)
		return;
	fault->overrides[fault->override_count].field = strdup(field);
	fault->overrides[fault->override_count].raw = raw ? strdup(raw) : NULL;
	fault->override_count++;
}

/* {"fields":{name: JSON}} and {"remove":[name]} of the dictated row. */
static void
dictate_fields(Fault *fault, const Json *json)
{
	for (const Json *member = json->child; member; member = member->next)
	{
		char	   *raw;

		if (json->type == JSON_ARRAY)
		{
			dictate(fault, member->text ? member->text : "", NULL);
			continue;
		}
		raw = strndup(member->raw, member->raw_len);
		dictate(fault, member->name, raw);
		free(raw);
	}
}

static void
set_headers(Fault *fault, const Json *json)
{
	for (const Json *member = json->child;
		 member && fault->header_count < MAX_HEADERS; member = member->next)
		fault->headers[fault->header_count++] =
			(Header) {strdup(member->name),
			strdup(member->text ? member->text : "")};
}

/* A string is the body itself, anything else its own text. */
static void
set_body(Fault *fault, const char *bytes, size_t len)
{
	free(fault->body);
	fault->body = malloc(len + 1);
	memcpy(fault->body, bytes, len);
	fault->body[len] = '\0';
	fault->body_len = len;
}

/* A custom field that nests arrays so deep. */
static void
dictate_deep(Fault *fault, const Json *json)
{
	long		depth = json->type == JSON_NUMBER ? atol(json->text) :
		DEEP_NESTING;
	Buffer		raw = {0};

	for (long i = 0; i < depth; i++)
		buf_char(&raw, '[');
	for (long i = 0; i < depth; i++)
		buf_char(&raw, ']');
	dictate(fault, "customfield_10035", raw.data);
	buf_free(&raw);
}

/* Names for combinations that tests often want. */
static bool
set_shorthand(Fault *fault, const Json *json)
{
	const char *name = json->name;

	if (strcmp(name, "repeat_token") == 0)
		fault->token = TOKEN_REPEATED;
	else if (strcmp(name, "no_token") == 0)
		fault->token = TOKEN_MISSING;
	else if (strcmp(name, "token_null") == 0)
		fault->token = TOKEN_NULL;
	else if (strcmp(name, "token_empty") == 0)
		fault->token = TOKEN_EMPTY;
	else if (strcmp(name, "not_object") == 0)
		set_body(fault, "[1, 2, 3]", 9);
	else if (strcmp(name, "nul_escape") == 0)
		dictate(fault, "summary", "\"before\\u0000after\"");
	else if (strcmp(name, "lone_surrogate") == 0)
		dictate(fault, "summary", "\"before\\ud83dafter\"");
	else if (strcmp(name, "bad_utf8") == 0)
		dictate(fault, "summary", "\"before\xff\xc3(after\"");
	else if (strcmp(name, "huge_number") == 0)
	{
		dictate(fault, "customfield_10016", "1e999999");
		dictate(fault, "customfield_10002", "1e999999");
	}
	else if (strcmp(name, "no_updated") == 0)
		dictate(fault, "updated", NULL);
	else if (strcmp(name, "deep_nesting") == 0)
		dictate_deep(fault, json);
	else if (strcmp(name, "close") == 0)
		fault->drop = DROP_RESET;
	else if (strcmp(name, "hang") == 0)
		fault->drop = DROP_HANG;
	else
		return false;
	/* "close": "fin" ends the connection in order */
	if (json->text && strcmp(json->text, "fin") == 0)
		fault->drop = DROP_CLOSE;
	return true;
}

const char *
fault_parse(Fault *fault, const Json *json)
{
	static char problem[NAME_SIZE];

	fault->match = strdup("search");
	fault->times = 1;
	fault->truncate = fault->rows = fault->total = -1;
	fault->drip_ms = 1;
	for (json = json ? json->child : NULL; json; json = json->next)
	{
		bool		off = json->text && strcmp(json->text, "false") == 0;

		if (json->name == NULL)
			return "a fault is a JSON object";
		if (strcmp(json->name, "headers") == 0)
			set_headers(fault, json);
		else if (strcmp(json->name, "fields") == 0 ||
				 strcmp(json->name, "remove") == 0)
			dictate_fields(fault, json);
		else if (strcmp(json->name, "body") == 0 &&
				 json->type == JSON_STRING)
			set_body(fault, json->text, json->text_len);
		else if (strcmp(json->name, "body") == 0)
			set_body(fault, json->raw, json->raw_len);
		else if (!off && !set_shorthand(fault, json) &&
				 !set_member(fault, json))
		{
			strcpy(problem, "unknown member of a fault: ");
			strncat(problem, json->name, NAME_SIZE - 40);
			return problem;
		}
	}
	return fault->match ? NULL : "match is a string";
}
