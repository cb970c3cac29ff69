/*
 * template.c
 *		Compilation of templates.
 */
#include "transform/template.h"

#include "mb/pg_wchar.h"

#include "transform/template_json.h"
#include "transform/template_parse.h"

void
tmpl_position(const char *source, int pos, int *line, int *column)
{
	*line = 1;
	*column = 1;
	for (int i = 0; i < pos && source[i]; i++)
	{
		if (source[i] == '\n')
		{
			(*line)++;
			*column = 1;
		}
		else if (((unsigned char) source[i] & 0xC0) != 0x80)
			(*column)++;
	}
}

char *
tmpl_message(const char *format, va_list args)
{
	StringInfoData message;

	initStringInfo(&message);
	for (;;)
	{
		va_list		copy;
		int			needed;

		va_copy(copy, args);
		needed = appendStringInfoVA(&message, format, copy);
		va_end(copy);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	return pg_any_to_server(message.data, message.len, PG_UTF8);
}

void
tmpl_syntax_error(const char *source, int pos, const char *hint, const char *format,...)
{
	char	   *message;
	va_list		args;
	int			line;
	int			column;

	va_start(args, format);
	message = tmpl_message(format, args);
	va_end(args);
	tmpl_position(source, pos, &line, &column);
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg_internal("%s", message),
			 errdetail("Line %d, column %d of the template.", line, column),
			 hint ? errhint("%s", hint) : 0));
}

Template *
template_make(const char *source, TemplateMode mode)
{
	Template   *tmpl = palloc0(sizeof(Template));
	char	   *utf8 = pg_server_to_any(source, strlen(source), PG_UTF8);

	/* a copy, since nodes and columns are slices of it */
	tmpl->source = pstrdup(utf8);
	tmpl->len = strlen(utf8);
	tmpl->mode = mode;
	template_parse(tmpl);
	template_find_references(tmpl);
	return tmpl;
}

Template *
template_compile(const char *source, TemplateMode mode)
{
	Template   *tmpl = template_make(source, mode);

	if (mode == TEMPLATE_JSON)
		template_check_json(tmpl);
	return tmpl;
}
