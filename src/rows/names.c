/*
 * names.c
 *		Lists of field and column names in parameters such as key.
 */
#include "rows/names.h"

#include "lib/stringinfo.h"

static void
bad_names(const char *what, const char *text)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid %s: \"%s\"", what, text),
			 errhint("Give one or more names separated by commas; a name with a comma or a space stands in double quotes.")));
}

/* Read one name at *at, which is left behind it. */
static char *
read_name(const char *what, const char *text, const char **at)
{
	StringInfoData name;
	bool		quoted = **at == '"';

	initStringInfo(&name);
	if (quoted)
		(*at)++;
	for (; **at; (*at)++)
	{
		if (quoted && (*at)[0] == '"' && (*at)[1] == '"')
			(*at)++;
		else if (quoted ? **at == '"' : (**at == ',' || **at == '"'))
			break;
		appendStringInfoChar(&name, **at);
	}
	if (quoted && *(*at)++ != '"')
		bad_names(what, text);
	while (!quoted && name.len > 0 && name.data[name.len - 1] == ' ')
		name.data[--name.len] = '\0';
	if (name.len == 0)
		bad_names(what, text);
	return name.data;
}

List *
names_from_text(const char *what, const char *text)
{
	List	   *names = NIL;
	const char *at = text;

	for (;;)
	{
		while (*at == ' ')
			at++;
		names = lappend(names, read_name(what, text, &at));
		while (*at == ' ')
			at++;
		if (*at == '\0')
			return names;
		if (*at++ != ',')
			bad_names(what, text);
	}
}
