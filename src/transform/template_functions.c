/*
 * template_functions.c
 *		The table of functions, and those of Go that look into values.
 */
#include "postgres.h"

#include <ctype.h>

#include "transform/template_functions.h"

/* Names further away than this are no suggestion. */
#define MAX_TYPOS 2
#define MAX_NAME_LEN 32

static TmplValue function_call(FUNCTION_ARGS);
static TmplValue function_not(FUNCTION_ARGS);
static TmplValue function_len(FUNCTION_ARGS);
static TmplValue function_index(FUNCTION_ARGS);
static TmplValue function_slice(FUNCTION_ARGS);

static const TmplFunction functions[] = {
	/* those of Go */
	{"and", 1, ANY_NUMBER, FUNCTION_SHORT_CIRCUIT, NULL},
	{"call", 1, ANY_NUMBER, FUNCTION_REFUSED, function_call},
	{"eq", 1, ANY_NUMBER, 0, function_eq},
	{"ge", 2, 2, 0, function_ge},
	{"gt", 2, 2, 0, function_gt},
	{"html", 0, ANY_NUMBER, 0, function_html},
	{"index", 1, ANY_NUMBER, 0, function_index},
	{"js", 0, ANY_NUMBER, 0, function_js},
	{"le", 2, 2, 0, function_le},
	{"len", 1, 1, 0, function_len},
	{"lt", 2, 2, 0, function_lt},
	{"ne", 2, 2, 0, function_ne},
	{"not", 1, 1, 0, function_not},
	{"or", 1, ANY_NUMBER, FUNCTION_SHORT_CIRCUIT | FUNCTION_OR, NULL},
	{"print", 0, ANY_NUMBER, 0, function_print},
	{"printf", 1, ANY_NUMBER, FUNCTION_FORMAT, function_printf},
	{"println", 0, ANY_NUMBER, 0, function_println},
	{"slice", 1, ANY_NUMBER, 0, function_slice},
	{"urlquery", 0, ANY_NUMBER, 0, function_urlquery},
	/* ours; the subject comes last, so that it can come through a pipe */
	{"add", 2, ANY_NUMBER, 0, function_add},
	{"coalesce", 1, ANY_NUMBER, 0, function_coalesce},
	{"date", 2, 2, 0, function_date},
	{"default", 2, 2, 0, function_default},
	{"div", 2, 2, 0, function_div},
	{"float", 1, 1, 0, function_float},
	{"int", 1, 1, 0, function_int},
	{"join", 2, 2, 0, function_join},
	{"json", 1, 1, 0, function_json},
	{"lower", 1, 1, 0, function_lower},
	{"mul", 2, ANY_NUMBER, 0, function_mul},
	{"now", 0, 0, FUNCTION_VOLATILE, function_now},
	{"replace", 3, 3, 0, function_replace},
	{"split", 2, 2, 0, function_split},
	{"sub", 2, 2, 0, function_sub},
	{"trim", 1, 1, 0, function_trim},
	{"upper", 1, 1, 0, function_upper},
};

const TmplFunction *
function_find(const char *name, int len)
{
	for (int i = 0; i < (int) lengthof(functions); i++)
		if ((int) strlen(functions[i].name) == len && memcmp(functions[i].name, name, len) == 0)
			return &functions[i];
	return NULL;
}

/* How many letters must change to get from one name to the other? */
static int
typos(const char *a, int alen, const char *b, int blen)
{
	int			row[MAX_NAME_LEN + 1];

	if (alen > MAX_NAME_LEN || blen > MAX_NAME_LEN)
		return MAX_NAME_LEN;
	for (int j = 0; j <= blen; j++)
		row[j] = j;
	for (int i = 1; i <= alen; i++)
	{
		int			diagonal = row[0];

		row[0] = i;
		for (int j = 1; j <= blen; j++)
		{
			int			change = diagonal + (pg_ascii_tolower(a[i - 1]) != b[j - 1]);

			diagonal = row[j];
			row[j] = Min(change, Min(row[j], row[j - 1]) + 1);
		}
	}
	return row[blen];
}

/*
 * A hint for an unknown function: one that looks alike, or all of them.  No
 * function begins with a capital, but many a field does.
 */
const char *
function_hint(const char *name, int len)
{
	const char *nearest = NULL;
	int			distance = Min(MAX_TYPOS, len - 1) + 1;
	StringInfoData out;

	if (isupper((unsigned char) *name))
		return psprintf("A field begins with a dot: \".%.*s\".", len, name);
	initStringInfo(&out);
	for (int i = 0; i < (int) lengthof(functions); i++)
	{
		const char *known = functions[i].name;
		int			n = typos(name, len, known, strlen(known));

		if (functions[i].flags & FUNCTION_REFUSED)
			continue;
		if (n < distance)
		{
			distance = n;
			nearest = known;
		}
		appendStringInfo(&out, "%s%s", out.len ? ", " : "Known functions: ", known);
	}
	if (nearest)
		return psprintf("Perhaps you meant \"%s\".", nearest);
	appendStringInfoChar(&out, '.');
	return out.data;
}

/* Nothing in JSON can be called. */
static TmplValue
function_call(FUNCTION_ARGS)
{
	exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "value of type %s is no function",
			   tmpl_type_name(&args[0]));
}

static TmplValue
function_not(FUNCTION_ARGS)
{
	return tmpl_bool(!tmpl_truth(exec, &args[0]));
}

static TmplValue
function_len(FUNCTION_ARGS)
{
	int			length = tmpl_length(exec, &args[0]);

	if (length < 0)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "value of type %s has no length",
				   tmpl_type_name(&args[0]));
	return tmpl_int(length);
}

/* An index into something of this size; as in Go size itself passes here. */
static int64
index_argument(Exec *exec, const TmplValue *index, int size)
{
	if (!kind_is_integer(index->kind))
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "index is of type %s, not an integer",
				   tmpl_type_name(index));
	if (index->u.integer < 0 || index->u.integer > size)
		exec_error(exec, ERRCODE_ARRAY_SUBSCRIPT_ERROR, "index " INT64_FORMAT " is out of range",
				   index->u.integer);
	return index->u.integer;
}

static TmplValue
index_map(Exec *exec, const TmplValue *map, const TmplValue *key)
{
	TmplValue	member;
	Value		text;

	if (key->kind != KIND_STRING)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "key of an object is of type %s, not a string",
				   tmpl_type_name(key));
	text = tmpl_text(key);
	if (!tmpl_member(exec, map, text.data, text.len, &member))
		member.kind = KIND_NIL;
	return member;
}

/* index x 1 "a" is x[1]["a"]. */
static TmplValue
function_index(FUNCTION_ARGS)
{
	TmplValue	item = args[0];

	for (int i = 1; i <= nargs; i++)
	{
		int64		at;

		/* null has no elements, and cannot be the subject even without an index */
		if (tmpl_is_nil(&item) && (i < nargs || nargs == 1))
		{
			if (exec_is_json(exec))
				return item;
			exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "index of null");
		}
		if (i == nargs)
			break;
		switch ((TmplKind) item.kind)
		{
			case KIND_STRING:
				{
					Value		text = tmpl_text(&item);

					at = index_argument(exec, &args[i], text.len);
					if (at == text.len)
						exec_error(exec, ERRCODE_ARRAY_SUBSCRIPT_ERROR,
								   "index " INT64_FORMAT " is out of range", at);
					item = tmpl_int((unsigned char) text.data[at]);
					item.kind = KIND_UINT8;
					break;
				}
			case KIND_ARRAY:
				tmpl_elements(&item);
				at = index_argument(exec, &args[i], item.u.array.length);
				if (at == item.u.array.length)
					exec_error(exec, ERRCODE_ARRAY_SUBSCRIPT_ERROR,
							   "index " INT64_FORMAT " is out of range", at);
				item = item.u.array.items[at];
				break;
			case KIND_MAP:
			case KIND_ROW:
				item = index_map(exec, &item, &args[i]);
				break;
			default:
				exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE,
						   "value of type %s cannot be indexed", tmpl_type_name(&item));
		}
	}
	return item;
}

/* slice x 1 2 is x[1:2]; strings are cut by bytes, as in Go. */
static TmplValue
function_slice(FUNCTION_ARGS)
{
	TmplValue	item = args[0];
	int64		at[3] = {0, 0, 0};
	int			capacity;

	if (nargs > 4)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "too many slice indexes: %d", nargs - 1);
	if (item.kind == KIND_STRING)
	{
		item = tmpl_string(tmpl_text(&item).data, tmpl_text(&item).len);
		at[1] = capacity = item.raw.len;
		if (nargs == 4)
			exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "a string takes two slice indexes");
	}
	else if (item.kind == KIND_ARRAY)
	{
		tmpl_elements(&item);
		at[1] = item.u.array.length;
		capacity = item.u.array.capacity;
	}
	else
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "value of type %s cannot be sliced",
				   tmpl_type_name(&item));

	for (int i = 1; i < nargs; i++)
	{
		if (args[i].is_element && !exec_is_json(exec))
			exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE,
					   "Go takes no field as a slice index; put it into parentheses");
		at[i - 1] = index_argument(exec, &args[i], capacity);
	}
	if (at[0] > at[1] || (nargs == 4 && at[1] > at[2]))
		exec_error(exec, ERRCODE_ARRAY_SUBSCRIPT_ERROR, "slice indexes are not in order");

	if (item.kind == KIND_STRING)
		return tmpl_string(item.raw.data + at[0], at[1] - at[0]);
	item.raw.kind = VALUE_MISSING;
	item.u.array.items += at[0];
	item.u.array.length = at[1] - at[0];
	item.u.array.capacity = (nargs == 4 ? at[2] : capacity) - at[0];
	return item;
}
