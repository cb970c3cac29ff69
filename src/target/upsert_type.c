/*
 * upsert_type.c
 *		Values of a page to datums of a column's type.
 *
 * A value is first written as the text that the type's input function reads,
 * then read by that function with the column's typmod, so that the datum is the one that
 * the table would hold: numeric(10,2) is rounded, char(3) padded, and a
 * domain's constraints are checked.  text, jsonb and timestamptz take a short cut.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "rows/encoding.h"
#include "rows/instant.h"
#include "rows/json.h"
#include "target/upsert_internal.h"

static void append_literal(StringInfo out, const ColumnType *type,
						   const Value *value);

/* How is the literal of a (base) type written? */
static LiteralKind
literal_kind(Oid base)
{
	switch (base)
	{
		case JSONOID:
		case JSONBOID:
			return LITERAL_JSON;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return LITERAL_INTEGER;
		default:
			if (OidIsValid(get_element_type(base)))
				return LITERAL_ARRAY;
			if (get_typtype(base) == TYPTYPE_COMPOSITE)
				return LITERAL_RECORD;
			return LITERAL_PLAIN;
	}
}

/* The attributes of a composite type. */
static void
describe_record(ColumnType *result, Oid base)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(base, -1);

	result->record = desc;
	result->attributes = palloc0(sizeof(ColumnType *) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped)
			result->attributes[i] = column_type_create(att->atttypid, att->atttypmod);
	}
}

ColumnType *
column_type_create(Oid type, int32 typmod)
{
	ColumnType *result = palloc0(sizeof(ColumnType));
	int32		base_typmod = typmod;
	Oid			base = getBaseTypeAndTypmod(type, &base_typmod);
	Oid			input;

	check_stack_depth();
	result->type = type;
	result->typmod = typmod;
	result->is_domain = base != type;
	result->kind = literal_kind(base);
	getTypeInputInfo(type, &input, &result->ioparam);
	fmgr_info_cxt(input, &result->input, CurrentMemoryContext);
	get_typlenbyval(type, &result->len, &result->byval);

	if (result->kind == LITERAL_ARRAY)
		result->element = column_type_create(get_element_type(base), base_typmod);
	else if (result->kind == LITERAL_RECORD)
		describe_record(result, base);
	return result;
}

/* Append a text as a quoted element of an array or row literal. */
static void
append_quoted(StringInfo out, const StringInfo text)
{
	appendStringInfoCharMacro(out, '"');
	for (int i = 0; i < text->len; i++)
	{
		if (text->data[i] == '"' || text->data[i] == '\\')
			appendStringInfoCharMacro(out, '\\');
		appendStringInfoCharMacro(out, text->data[i]);
	}
	appendStringInfoCharMacro(out, '"');
}

/*
 * Append a JSON array as an array literal.  Arrays inside it are further
 * dimensions, except where the elements are documents themselves.
 */
static void
append_array(StringInfo out, const ColumnType *type, const Value *value)
{
	JsonIter	iter = json_iter(value);
	Value		key;
	Value		element;
	bool		first = true;

	check_stack_depth();
	appendStringInfoCharMacro(out, '{');
	while (json_next(&iter, &key, &element))
	{
		if (!first)
			appendStringInfoCharMacro(out, ',');
		first = false;

		if (value_is_null(&element))
			appendStringInfoString(out, "NULL");
		else if (type->element->kind != LITERAL_JSON &&
				 element.kind == VALUE_JSON && element.data[0] == '[')
			append_array(out, type, &element);
		else
		{
			StringInfoData text;

			initStringInfo(&text);
			append_literal(&text, type->element, &element);
			append_quoted(out, &text);
			pfree(text.data);
		}
	}
	if (iter.broken)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid JSON array")));
	appendStringInfoCharMacro(out, '}');
}

/* Append a JSON object as a row literal: members by the attributes' names. */
static void
append_record(StringInfo out, const ColumnType *type, const Value *value)
{
	bool		first = true;

	check_stack_depth();
	appendStringInfoCharMacro(out, '(');
	for (int i = 0; i < type->record->natts; i++)
	{
		char	   *name;
		Value		member;
		StringInfoData text;

		if (type->attributes[i] == NULL)
			continue;
		if (!first)
			appendStringInfoCharMacro(out, ',');
		first = false;

		name = NameStr(TupleDescAttr(type->record, i)->attname);
		name = pg_server_to_any(name, strlen(name), PG_UTF8);
		member = json_member(value, name, strlen(name), false);
		if (value_is_null(&member))
			continue;			/* nothing between the commas is null */
		initStringInfo(&text);
		append_literal(&text, type->attributes[i], &member);
		append_quoted(out, &text);
		pfree(text.data);
	}
	appendStringInfoCharMacro(out, ')');
}

/* Append a number; JSON's 5.0 and 1e3 are integers, while 5.5 will be refused. */
static void
append_integer(StringInfo out, const Value *value)
{
	bool		plain = true;

	if (value->kind == VALUE_NUMBER)
		for (uint32 i = 0; i < value->len; i++)
			if (strchr(".eE", value->data[i]) != NULL)
				plain = false;

	if (!plain)
	{
		Datum		number = DirectFunctionCall3(numeric_in,
												 CStringGetDatum(value_cstring(value)),
												 ObjectIdGetDatum(InvalidOid),
												 Int32GetDatum(-1));
		Datum		whole = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));

		if (DatumGetBool(DirectFunctionCall2(numeric_eq, number, whole)))
		{
			appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(numeric_out, whole)));
			return;
		}
	}
	value_append_text(out, value);
}

/* Append the text that the type's input function shall read, in UTF-8. */
static void
append_literal(StringInfo out, const ColumnType *type, const Value *value)
{
	bool		is_array = value->kind == VALUE_JSON && value->data[0] == '[';
	bool		is_object = value->kind == VALUE_JSON && value->data[0] == '{';

	if (type->kind == LITERAL_JSON)
		value_append_json(out, value);
	else if (type->kind == LITERAL_INTEGER)
		append_integer(out, value);
	else if (type->kind == LITERAL_ARRAY && is_array)
		append_array(out, type, value);
	else if (type->kind == LITERAL_RECORD && is_object)
		append_record(out, type, value);
	else if ((type->kind == LITERAL_ARRAY || type->kind == LITERAL_RECORD) &&
			 value->kind == VALUE_JSON)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("a JSON %s cannot be stored as type %s",
						is_object ? "object" : "array", format_type_be(type->type))));
	else
		value_append_text(out, value);
}

/* Is it the value that was converted last? */
static bool
is_latest(const ColumnType *type, const Value *value)
{
	return type->latest.kind == value->kind && type->latest.len == value->len &&
		type->latest.flags == value->flags &&
		memcmp(type->latest.data, value->data, value->len) == 0;
}

void
column_type_forget(ColumnType *type)
{
	type->latest.kind = VALUE_MISSING;
}

/* Convert a value that is not null. */
static Datum
convert(ColumnType *type, const Value *value)
{
	StringInfoData text;
	char	   *literal;
	Datum		result;
	TimestampTz instant;

	if (type->type == TEXTOID || (type->type == VARCHAROID && type->typmod < 0))
		return value_text(value);
	if (type->type == JSONBOID)
		return value_jsonb(value);
	if (type->type == TIMESTAMPTZOID && type->typmod < 0 && value->kind == VALUE_STRING &&
		!(value->flags & VALUE_ESCAPED) &&
		instant_from_rfc3339(value->data, value->len, &instant))
		return TimestampTzGetDatum(instant);

	initStringInfo(&text);
	append_literal(&text, type, value);
	literal = database_is_utf8() ? text.data : utf8_to_database(text.data, text.len, NULL);
	result = InputFunctionCall(&type->input, literal, type->ioparam, type->typmod);
	if (literal != text.data)
		pfree(literal);
	pfree(text.data);
	return result;
}

Datum
column_type_datum(ColumnType *type, const Value *value, bool *isnull)
{
	*isnull = value_is_null(value);
	if (*isnull)
	{
		/* A domain may be NOT NULL. */
		if (type->is_domain)
			InputFunctionCall(&type->input, NULL, type->ioparam, type->typmod);
		return (Datum) 0;
	}
	if (!is_latest(type, value))
	{
		type->latest_datum = convert(type, value);
		type->latest = *value;
	}
	return type->latest_datum;
}
