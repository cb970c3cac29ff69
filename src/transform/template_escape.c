/*
 * template_escape.c
 *		Text made safe for elsewhere: Go literals, HTML, JavaScript, URLs.
 */
#include "postgres.h"

#include <ctype.h>

#include "transform/template_functions.h"
#include "transform/template_print.h"
#include "transform/template_rune.h"

#define BYTE_ORDER_MARK 0xFEFF

static bool
is_print(uint32 rune)
{
	return rune < 0x80 ? rune >= 0x20 && rune < 0x7f : unicode_is(rune, UNICODE_PRINT);
}

/* ------------------------------------------------------------------------
 * %q
 * ------------------------------------------------------------------------
 */

static void
append_quoted_rune(StringInfo out, uint32 rune, char quote, bool ascii)
{
	static const char special[] = "\a\b\f\n\r\t\v";
	static const char letters[] = "abfnrtv";
	const char *found;

	if (rune == (unsigned char) quote || rune == '\\')
		appendStringInfo(out, "\\%c", (char) rune);
	else if (is_print(rune) && (!ascii || rune < 0x80))
		append_rune(out, rune);
	else if (rune != 0 && rune < 0x80 && (found = strchr(special, (int) rune)) != NULL)
		appendStringInfo(out, "\\%c", letters[found - special]);
	else if (rune < ' ' || rune == 0x7f)
		appendStringInfo(out, "\\x%02x", rune);
	else if (rune < 0x10000)
		appendStringInfo(out, "\\u%04x", rune);
	else
		appendStringInfo(out, "\\U%08x", rune);
}

/* May the text stand between backquotes as it is? */
static bool
can_backquote(const char *text, const char *end)
{
	int			size;

	for (; text < end; text += size)
	{
		uint32		rune = rune_decode(text, end, &size);

		if (rune == BYTE_ORDER_MARK || (rune == RUNE_ERROR && size == 1) ||
			(rune < ' ' && rune != '\t') || rune == '`' || rune == 0x7f)
			return false;
	}
	return true;
}

/* A string as a Go literal; of bytes that are no UTF-8 the code is given. */
void
format_quoted(Format *format, const char *text, int len)
{
	const char *end = text + len;
	StringInfoData out;
	int			size;

	initStringInfo(&out);
	if (format->sharp && can_backquote(text, end))
		appendStringInfo(&out, "`%.*s`", len, text);
	else
	{
		appendStringInfoChar(&out, '"');
		for (; text < end; text += size)
		{
			uint32		rune = rune_decode(text, end, &size);

			if (rune == RUNE_ERROR && size == 1)
				appendStringInfo(&out, "\\x%02x", (unsigned char) *text);
			else
				append_quoted_rune(&out, rune, '"', format->plus);
		}
		appendStringInfoChar(&out, '"');
	}
	format_pad(format, out.data, out.len);
	pfree(out.data);
}

/* An integer as a character literal of Go. */
void
format_quoted_rune(Format *format, int64 integer)
{
	uint32		rune = integer < 0 || integer > 0x10FFFF ||
		(integer >= 0xD800 && integer <= 0xDFFF) ? RUNE_ERROR : (uint32) integer;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '\'');
	append_quoted_rune(&out, rune, '\'', format->plus);
	appendStringInfoChar(&out, '\'');
	format_pad(format, out.data, out.len);
	pfree(out.data);
}

/* ------------------------------------------------------------------------
 * html, js, urlquery
 * ------------------------------------------------------------------------
 */

/* The arguments as text; here null reads "<no value>", as in an action. */
static Value
arguments_text(FUNCTION_ARGS)
{
	StringInfoData out;

	if (nargs == 1 && args[0].kind == KIND_STRING)
		return tmpl_text(&args[0]);
	for (int i = 0; i < nargs; i++)
		if (tmpl_is_nil(&args[i]))
			args[i] = tmpl_string("<no value>", strlen("<no value>"));
	initStringInfo(&out);
	tmpl_sprint(exec, &out, args, nargs);
	return value_string(out.data, out.len);
}

/* Append the character that text begins with, escaped; returns how many bytes of text it is. */
typedef int (*AppendEscaped) (StringInfo out, const char *text, const char *end);

/* The arguments as text, escaped; in documents null stays null. */
static TmplValue
escape(FUNCTION_ARGS, AppendEscaped append)
{
	Value		text;
	const char *end;
	StringInfoData out;

	if (nargs == 1 && tmpl_is_nil(&args[0]) && exec_is_json(exec))
		return args[0];
	text = arguments_text(exec, args, nargs);
	end = text.data + text.len;
	initStringInfo(&out);
	for (const char *at = text.data; at < end;)
		at += append(&out, at, end);
	return tmpl_string(out.data, out.len);
}

static int
append_html(StringInfo out, const char *text, const char *end pg_attribute_unused())
{
	switch (*text)
	{
		case '\0':
			append_rune(out, RUNE_ERROR);
			break;
		case '"':
			appendStringInfoString(out, "&#34;");
			break;
		case '\'':
			appendStringInfoString(out, "&#39;");
			break;
		case '&':
			appendStringInfoString(out, "&amp;");
			break;
		case '<':
			appendStringInfoString(out, "&lt;");
			break;
		case '>':
			appendStringInfoString(out, "&gt;");
			break;
		default:
			appendStringInfoCharMacro(out, *text);
	}
	return 1;
}

static int
append_js(StringInfo out, const char *text, const char *end)
{
	int			size;
	uint32		rune = rune_decode(text, end, &size);

	if (rune == '\\' || rune == '\'' || rune == '"')
		appendStringInfo(out, "\\%c", (char) rune);
	else if (rune < ' ' || (rune != 0 && rune < 0x80 && strchr("<>&=", (int) rune)))
		appendStringInfo(out, "\\u%04X", rune);
	else if (rune < 0x80 || is_print(rune))
		appendBinaryStringInfo(out, text, size);
	else
		appendStringInfo(out, "\\u%04X", rune);
	return size;
}

static int
append_urlquery(StringInfo out, const char *text, const char *end pg_attribute_unused())
{
	unsigned char c = *text;

	if (c < 0x80 && (isalnum(c) || (c != 0 && strchr("-_.~", c))))
		appendStringInfoCharMacro(out, c);
	else if (c == ' ')
		appendStringInfoChar(out, '+');
	else
		appendStringInfo(out, "%%%02X", c);
	return 1;
}

TmplValue
function_html(FUNCTION_ARGS)
{
	return escape(exec, args, nargs, append_html);
}

TmplValue
function_js(FUNCTION_ARGS)
{
	return escape(exec, args, nargs, append_js);
}

TmplValue
function_urlquery(FUNCTION_ARGS)
{
	return escape(exec, args, nargs, append_urlquery);
}
