/*
 * aggregate_parse.c
 *		The list of aggregates of a step, as in a select list.
 */
#include "postgres.h"

#include <ctype.h>

#include "mb/pg_wchar.h"
#include "utils/formatting.h"

#include "transform/field_path.h"
#include "transform/transform.h"

static const struct
{
	const char *name;
	AggregateKind kind;
}			aggregate_names[] = {
	{"count", AGGREGATE_COUNT},
	{"sum", AGGREGATE_SUM},
	{"avg", AGGREGATE_AVG},
	{"min", AGGREGATE_MIN},
	{"max", AGGREGATE_MAX},
	{"array_agg", AGGREGATE_ARRAY},
};

typedef struct AggregateParser
{
	const char *what;
	const char *text;
	const char *at;
} AggregateParser;

static void
bad_aggregates(const AggregateParser *parser, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("invalid %s: \"%s\"", parser->what, parser->text),
			 errdetail("%s", detail),
			 errhint("Write them as in a select list: 'count(*), sum(story_points) AS points'. There are count, sum, avg, min, max and array_agg.")));
}

static void
skip_space(AggregateParser *parser)
{
	while (isspace((unsigned char) *parser->at))
		parser->at++;
}

/* Take this character, or not. */
static bool
take(AggregateParser *parser, char c)
{
	skip_space(parser);
	if (*parser->at != c)
		return false;
	parser->at++;
	return true;
}

/* A name up to a space or one of the characters that end it, or in double quotes; "" if there is none. */
static char *
take_name(AggregateParser *parser)
{
	StringInfoData name;

	initStringInfo(&name);
	if (take(parser, '"'))
	{
		while (*parser->at && (*parser->at != '"' || *++parser->at == '"'))
			appendStringInfoChar(&name, *parser->at++);
		if (parser->at[-1] != '"')
			bad_aggregates(parser, "A double quote is not closed.");
		return name.data;
	}
	while (*parser->at && !isspace((unsigned char) *parser->at) && !strchr("(),\"*", *parser->at))
		appendStringInfoChar(&name, *parser->at++);
	return name.data;
}

static AggregateKind
find_kind(const AggregateParser *parser, const char *name)
{
	for (Size i = 0; i < lengthof(aggregate_names); i++)
	{
		if (pg_strcasecmp(aggregate_names[i].name, name) == 0)
			return aggregate_names[i].kind;
	}
	bad_aggregates(parser, *name ? psprintf("There is no aggregate \"%s\".", name) :
				   "An aggregate is missing.");
	return AGGREGATE_COUNT;
}

/* function(field) [[as] name] */
static Aggregate *
take_aggregate(AggregateParser *parser)
{
	Aggregate  *aggregate = palloc0(sizeof(Aggregate));
	char	   *function = take_name(parser);
	char	   *name;

	aggregate->kind = find_kind(parser, function);
	if (!take(parser, '('))
		bad_aggregates(parser, psprintf("There is no \"(\" after \"%s\".", function));
	if (!take(parser, '*'))
		aggregate->path = field_path_make(parser->what, take_name(parser));
	else if (aggregate->kind != AGGREGATE_COUNT)
		bad_aggregates(parser, psprintf("Only count() takes *, not %s().", function));
	if (!take(parser, ')'))
		bad_aggregates(parser, psprintf("There is no \")\" after the field of %s().", function));
	name = take_name(parser);
	if (pg_strcasecmp(name, "as") == 0)
	{
		name = take_name(parser);
		if (*name == '\0')
			bad_aggregates(parser, "There is no name after \"AS\".");
	}
	if (*name == '\0')
		name = asc_tolower(function, strlen(function));
	aggregate->name = pstrdup(pg_server_to_any(name, strlen(name), PG_UTF8));
	return aggregate;
}

List *
aggregates_from_text(const char *what, const char *text)
{
	AggregateParser parser = {what, text, text};
	List	   *aggregates = NIL;

	do
		aggregates = lappend(aggregates, take_aggregate(&parser));
	while (take(&parser, ','));
	skip_space(&parser);
	if (*parser.at != '\0')
		bad_aggregates(&parser, psprintf("What is \"%s\"?", parser.at));
	return aggregates;
}
