/*
 * template_emit.c
 *		Output of a template: text and values.
 *
 * In JSON mode the state of the document follows the text, so that each action
 * knows whether it stands in a string, for a value or for a key.
 */
#include "postgres.h"

#include "transform/template_print.h"
#include "transform/template_rune.h"

static void
json_error(Exec *exec, const JsonState *state, int pos)
{
	exec->node = node_make(NODE_TEXT, pos);
	exec_error(exec, ERRCODE_INVALID_TEXT_REPRESENTATION, "result is not JSON: %s",
			   json_state_expected(state));
}

void
emit_text(Exec *exec, const TmplNode *node, int from)
{
	if (exec->json)
	{
		for (int i = from; i < node->len; i++)
		{
			JsonState	before = *exec->json;

			if (!json_state_step(exec->json, node->text[i]))
				json_error(exec, &before, node->pos + i);
			if (exec->json->place == PLACE_STRING && before.place != PLACE_STRING)
				exec->string_start = exec->out->len + i - from + 1;
		}
	}
	appendBinaryStringInfo(exec->out, node->text + from, node->len - from);
}

/* What a value reads as inside of a JSON string. */
static void
emit_in_string(Exec *exec, TmplValue *value)
{
	StringInfoData text;
	Value		string;
	const char *data;
	Size		len;

	if (tmpl_is_nil(value))
		return;
	if (value->kind == KIND_STRING)
	{
		string = tmpl_text(value);
		len = string.len;
		data = json_valid_utf8(string.data, &len);
		json_append_escaped(exec->out, data, len);
		return;
	}
	initStringInfo(&text);
	tmpl_print(exec, &text, value);
	json_append_escaped(exec->out, text.data, text.len);
	pfree(text.data);
}

/* An action where a value must come. */
static void
emit_as_value(Exec *exec, TmplValue *value)
{
	Value		result;

	if (value->kind == KIND_STRING && !value->is_json)
	{
		appendStringInfoChar(exec->out, '"');
		emit_in_string(exec, value);
		appendStringInfoChar(exec->out, '"');
		return;
	}
	result = tmpl_to_value(exec, value);
	value_append_json(exec->out, &result);
}

/*
 * "{{.A}}" of null is null: take the quote back, and see that the one behind
 * the action is skipped.
 */
static bool
string_becomes_null(Exec *exec, const TmplValue *value, const TmplNode *next)
{
	if (!tmpl_is_nil(value) || exec->json->in_key ||
		exec->string_start != exec->out->len || exec->out->len == 0 ||
		!next || next->kind != NODE_TEXT || next->text[0] != '"')
		return false;
	exec->out->data[--exec->out->len] = '\0';
	appendStringInfoString(exec->out, "null");
	exec->json->place = PLACE_AFTER;
	exec->skip_quote = true;
	return true;
}

static void
emit_json(Exec *exec, TmplValue *value, const TmplNode *next)
{
	switch (json_state_hole(exec->json))
	{
		case HOLE_STRING:
			if (!string_becomes_null(exec, value, next))
				emit_in_string(exec, value);
			exec->string_start = -1;
			break;
		case HOLE_VALUE:
			emit_as_value(exec, value);
			break;
		case HOLE_KEY:
			appendStringInfoChar(exec->out, '"');
			emit_in_string(exec, value);
			appendStringInfoChar(exec->out, '"');
			break;
		case HOLE_NOWHERE:
			json_error(exec, exec->json, exec->node->pos);
	}
	json_state_filled(exec->json);
}

void
emit_value(Exec *exec, TmplValue *value, const TmplNode *next)
{
	if (exec->json)
		emit_json(exec, value, next);
	else if (value->kind == KIND_INVALID)
		appendStringInfoString(exec->out, "<no value>");
	else
		tmpl_print(exec, exec->out, value);
}

void
emit_repair(StringInfo out)
{
	const char *end = out->data + out->len;
	const char *at = out->data;
	StringInfoData repaired;
	int			size;

	for (; at < end; at += size)
		if (rune_decode(at, end, &size) == 0 || (size == 1 && (unsigned char) *at >= 0x80))
			break;
	if (at >= end)
		return;
	initStringInfo(&repaired);
	for (at = out->data; at < end; at += size)
	{
		uint32		rune = rune_decode(at, end, &size);

		append_rune(&repaired, rune == 0 ? RUNE_ERROR : rune);
	}
	resetStringInfo(out);
	appendBinaryStringInfo(out, repaired.data, repaired.len);
	pfree(repaired.data);
}
