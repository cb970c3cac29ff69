/*
 * template_value.c
 *		Values of templates: what Go would hold after decoding the JSON, but
 *		as slices of the page that are decoded only when someone looks inside.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "common/shortest_dec.h"

#include "transform/template_functions.h"

#define NUMBER_BUFFER 64		/* longer numbers are copied to the heap */

/* Numbers: int64 when they are written as whole ones and fit, else double. */
static void
decode_number(TmplValue *result, const Value *value)
{
	char		buffer[NUMBER_BUFFER];
	char	   *text = value->len < NUMBER_BUFFER ? buffer : palloc(value->len + 1);
	char	   *end;

	memcpy(text, value->data, value->len);
	text[value->len] = '\0';
	if (!strpbrk(text, ".eE"))
	{
		errno = 0;
		result->kind = KIND_INT64;
		result->u.integer = strtoll(text, &end, 10);
		if (errno == 0 && *end == '\0')
			return;
	}
	result->kind = KIND_FLOAT;
	result->u.real = strtod(text, &end);
}

TmplValue
tmpl_from_value(const Value *value)
{
	TmplValue	result = {0};

	result.raw = *value;
	switch ((ValueKind) value->kind)
	{
		case VALUE_MISSING:
			result.kind = KIND_INVALID;
			break;
		case VALUE_NULL:
			result.kind = KIND_NIL;
			break;
		case VALUE_BOOL:
			result.kind = KIND_BOOL;
			result.u.boolean = *value->data == 't';
			break;
		case VALUE_NUMBER:
			decode_number(&result, value);
			break;
		case VALUE_STRING:
			result.kind = KIND_STRING;
			break;
		case VALUE_JSON:
			result.kind = *value->data == '[' ? KIND_ARRAY : KIND_MAP;
			break;
	}
	return result;
}

TmplValue
tmpl_nothing(void)
{
	TmplValue	value = {0};

	return value;
}

TmplValue
tmpl_bool(bool boolean)
{
	TmplValue	result = {.kind = KIND_BOOL};

	result.u.boolean = boolean;
	return result;
}

TmplValue
tmpl_int(int64 integer)
{
	TmplValue	result = {.kind = KIND_INT};

	result.u.integer = integer;
	return result;
}

/* The caller keeps the bytes alive. */
TmplValue
tmpl_string(const char *data, int len)
{
	TmplValue	result = {.kind = KIND_STRING};

	result.raw = value_string(data, len);
	return result;
}

TmplValue
tmpl_array(TmplValue *items, int length)
{
	TmplValue	result = {.kind = KIND_ARRAY};

	/* not NULL even if it is empty: there is nothing to decode */
	result.u.array.items = items ? items : palloc(sizeof(TmplValue));
	result.u.array.length = result.u.array.capacity = length;
	return result;
}

const char *
tmpl_type_name(const TmplValue *value)
{
	switch ((TmplKind) value->kind)
	{
		case KIND_INVALID:
		case KIND_NIL:
			return "<nil>";
		case KIND_BOOL:
			return "bool";
		case KIND_INT:
			return "int";
		case KIND_INT64:
			return "int64";
		case KIND_UINT8:
			return "uint8";
		case KIND_FLOAT:
			return "float64";
		case KIND_STRING:
			return "string";
		case KIND_ARRAY:
			return "[]interface {}";
		case KIND_MAP:
		case KIND_ROW:
			break;
	}
	return "map[string]interface {}";
}

Value
tmpl_text(const TmplValue *string)
{
	return value_unescaped(&string->raw);
}

/* The row as a document: its item, or its fields as an object. */
static Value
row_document(Exec *exec)
{
	const FieldSet *fields = exec->tmpl->input;
	StringInfoData out;

	if (!fields || fields->is_item)
		return exec->row->item;
	initStringInfo(&out);
	row_append_json(&out, fields, exec->row);
	return value_make(VALUE_JSON, out.data, out.len);
}

/* A member of the row: one of its fields, otherwise a member of its item. */
static bool
row_member(Exec *exec, const char *name, int len, Value *member)
{
	const FieldSet *fields = exec->tmpl->input;
	bool		loose = exec_is_json(exec);
	int			found = -1;

	for (int i = 0; fields && i < fields->nfields; i++)
	{
		const char *field = fields->fields[i].name;

		if ((int) strlen(field) == len && memcmp(field, name, len) == 0)
		{
			found = i;
			break;
		}
		if (loose && found < 0 && names_agree(field, strlen(field), name, len))
			found = i;
	}
	*member = found >= 0 ? exec->row->values[found] :
		json_member(&exec->row->item, name, len, loose);
	return member->kind != VALUE_MISSING;
}

bool
tmpl_member(Exec *exec, const TmplValue *map, const char *name, int len, TmplValue *member)
{
	Value		value;

	if (map->kind == KIND_ROW)
		row_member(exec, name, len, &value);
	else
		value = json_member(&map->raw, name, len, exec_is_json(exec));
	*member = tmpl_from_value(&value);
	member->is_element = true;
	return value.kind != VALUE_MISSING;
}

TmplValue *
tmpl_elements(TmplValue *array)
{
	JsonIter	iter;
	Value		key;
	Value		element;
	int			room;
	int			n = 0;

	if (array->u.array.items)
		return array->u.array.items;
	room = json_length(&array->raw) + 1;
	array->u.array.items = palloc_extended(room * sizeof(TmplValue), MCXT_ALLOC_HUGE);
	iter = json_iter(&array->raw);
	while (n < room && json_next(&iter, &key, &element))
	{
		array->u.array.items[n] = tmpl_from_value(&element);
		array->u.array.items[n++].is_element = true;
	}
	array->u.array.length = array->u.array.capacity = n;
	return array->u.array.items;
}

/* By key, bytewise as Go does; of the same key the last one first. */
static int
compare_members(const void *a, const void *b)
{
	const TmplMember *left = a;
	const TmplMember *right = b;
	uint32		len = Min(left->key.len, right->key.len);
	int			order = len ? memcmp(left->key.data, right->key.data, len) : 0;

	if (order == 0 && left->key.len != right->key.len)
		order = left->key.len < right->key.len ? -1 : 1;
	return order ? order : right->order - left->order;
}

int
tmpl_members(Exec *exec, const TmplValue *map, TmplMember **members)
{
	Value		document = map->kind == KIND_ROW ? row_document(exec) : map->raw;
	int			room = json_length(&document) + 1;
	TmplMember *all = palloc_extended(room * sizeof(TmplMember), MCXT_ALLOC_HUGE);
	JsonIter	iter = json_iter(&document);
	Value		key;
	Value		value;
	int			n = 0;
	int			kept = 0;

	while (n < room && json_next(&iter, &key, &value))
	{
		all[n].key = value_unescaped(&key);
		all[n].value = value;
		all[n].order = n;
		n++;
	}
	qsort(all, n, sizeof(TmplMember), compare_members);

	/* of a key that stands twice the last one counts */
	for (int i = 0; i < n; i++)
		if (i == 0 || all[i].key.len != all[kept - 1].key.len ||
			memcmp(all[i].key.data, all[kept - 1].key.data, all[i].key.len) != 0)
			all[kept++] = all[i];
	*members = all;
	return kept;
}

int
tmpl_length(Exec *exec, TmplValue *value)
{
	TmplMember *members;

	switch ((TmplKind) value->kind)
	{
		case KIND_STRING:
			return tmpl_text(value).len;
		case KIND_ARRAY:
			tmpl_elements(value);
			return value->u.array.length;
		case KIND_MAP:
		case KIND_ROW:
			return tmpl_members(exec, value, &members);
		default:
			return -1;
	}
}

bool
tmpl_truth(Exec *exec, const TmplValue *value)
{
	switch ((TmplKind) value->kind)
	{
		case KIND_INVALID:
		case KIND_NIL:
			return false;
		case KIND_BOOL:
			return value->u.boolean;
		case KIND_INT:
		case KIND_INT64:
		case KIND_UINT8:
			return value->u.integer != 0;
		case KIND_FLOAT:
			return value->u.real != 0;
		case KIND_STRING:
			return value->raw.len > 0;
		case KIND_ARRAY:
			if (value->u.array.items)
				return value->u.array.length > 0;
			return value_truth(&value->raw);
		case KIND_MAP:
			return value_truth(&value->raw);
		case KIND_ROW:
			break;
	}
	if (!exec->tmpl->input || exec->tmpl->input->is_item)
		return value_truth(&exec->row->item);
	return exec->tmpl->input->nfields > 0;
}

static Value
number_value(Exec *exec, const TmplValue *value)
{
	char	   *text;

	if (value->raw.kind == VALUE_NUMBER)
		return value->raw;
	if (value->kind == KIND_FLOAT)
	{
		if (isinf(value->u.real) || isnan(value->u.real))
			exec_error(exec, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range");
		text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);
		return value_make(VALUE_NUMBER, text,
						  double_to_shortest_decimal_buf(value->u.real, text));
	}
	text = psprintf(INT64_FORMAT, value->u.integer);
	return value_make(VALUE_NUMBER, text, strlen(text));
}

/* An array that was made here, as JSON. */
static Value
array_value(Exec *exec, const TmplValue *array)
{
	StringInfoData out;

	check_stack_depth();
	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < array->u.array.length; i++)
	{
		Value		element = tmpl_to_value(exec, &array->u.array.items[i]);

		if (i > 0)
			appendStringInfoChar(&out, ',');
		value_append_json(&out, &element);
	}
	appendStringInfoChar(&out, ']');
	return value_make(VALUE_JSON, out.data, out.len);
}

Value
tmpl_to_value(Exec *exec, TmplValue *value)
{
	Value		result;

	switch ((TmplKind) value->kind)
	{
		case KIND_INVALID:
		case KIND_NIL:
			return value_null();
		case KIND_BOOL:
			return value->u.boolean ? value_make(VALUE_BOOL, "true", 4) :
				value_make(VALUE_BOOL, "false", 5);
		case KIND_INT:
		case KIND_INT64:
		case KIND_UINT8:
		case KIND_FLOAT:
			return number_value(exec, value);
		case KIND_STRING:
			if (value->is_json && json_document(value->raw.data, value->raw.len, &result))
				return result;
			return value->raw;
		case KIND_ARRAY:
			return value->raw.kind == VALUE_JSON ? value->raw : array_value(exec, value);
		case KIND_MAP:
			return value->raw;
		case KIND_ROW:
			break;
	}
	return row_document(exec);
}

void
tmpl_append_json(Exec *exec, StringInfo out, const TmplValue *value)
{
	TmplValue	copy = *value;
	Value		result = tmpl_to_value(exec, &copy);

	value_append_json(out, &result);
}
