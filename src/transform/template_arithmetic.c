/*
 * template_arithmetic.c
 *		add sub mul div int float: whole numbers as int64 as long as they fit,
 *		all others exactly, as numeric.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "transform/template_functions.h"

static Datum
numeric_of(Exec *exec, TmplValue *value)
{
	Value		text;

	if (kind_is_integer(value->kind))
		return DirectFunctionCall1(int8_numeric, Int64GetDatum(value->u.integer));
	if (value->kind != KIND_FLOAT && value->kind != KIND_STRING)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "expected a number, got a value of type %s",
				   tmpl_type_name(value));
	text = tmpl_scalar_text(exec, value);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(value_cstring(&text)),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static TmplValue
from_numeric(Exec *exec, Datum numeric)
{
	char	   *text;
	Value		value;

	if (numeric_is_nan(DatumGetNumeric(numeric)))
		exec_error(exec, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range");
	text = DatumGetCString(DirectFunctionCall1(numeric_out, numeric));
	if (strspn(text, "-0123456789.") != strlen(text))
		exec_error(exec, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range");
	value = value_make(VALUE_NUMBER, text, strlen(text));
	return tmpl_from_value(&value);
}

typedef bool (*WholeOperation) (int64 a, int64 b, int64 *result);

static bool
divide_overflow(int64 a, int64 b, int64 *result)
{
	if (b == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DIVISION_BY_ZERO),
				 errmsg("division by zero in template")));
	if (b == -1)
		return pg_sub_s64_overflow(0, a, result);
	*result = a / b;
	return false;
}

/* Combine all arguments from left to right. */
static TmplValue
calculate(Exec *exec, TmplValue *args, int nargs, WholeOperation whole, PGFunction exact)
{
	TmplValue	result = args[0];

	if (tmpl_any_nil(args, nargs))
		return tmpl_nothing();
	for (int i = 1; i < nargs; i++)
	{
		int64		integer;

		if (kind_is_integer(result.kind) && kind_is_integer(args[i].kind) &&
			!whole(result.u.integer, args[i].u.integer, &integer))
			result = tmpl_int(integer);
		else
			result = from_numeric(exec, DirectFunctionCall2(exact, numeric_of(exec, &result),
															numeric_of(exec, &args[i])));
	}
	return result;
}

TmplValue
function_add(FUNCTION_ARGS)
{
	return calculate(exec, args, nargs, pg_add_s64_overflow, numeric_add);
}

TmplValue
function_sub(FUNCTION_ARGS)
{
	return calculate(exec, args, nargs, pg_sub_s64_overflow, numeric_sub);
}

TmplValue
function_mul(FUNCTION_ARGS)
{
	return calculate(exec, args, nargs, pg_mul_s64_overflow, numeric_mul);
}

/* 7 / 2.0 is 3.5 rather than 3.5000000000000000. */
static Datum
divide_numeric(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall1(numeric_trim_scale, numeric_div(fcinfo));
}

TmplValue
function_div(FUNCTION_ARGS)
{
	return calculate(exec, args, nargs, divide_overflow, divide_numeric);
}

TmplValue
function_int(FUNCTION_ARGS)
{
	if (tmpl_is_nil(&args[0]))
		return tmpl_nothing();
	if (kind_is_integer(args[0].kind))
		return args[0];
	if (args[0].kind == KIND_BOOL)
		return tmpl_int(args[0].u.boolean ? 1 : 0);
	return from_numeric(exec, DirectFunctionCall2(numeric_trunc, numeric_of(exec, &args[0]),
												  Int32GetDatum(0)));
}

TmplValue
function_float(FUNCTION_ARGS)
{
	TmplValue	result;

	if (tmpl_is_nil(&args[0]))
		return tmpl_nothing();
	result = from_numeric(exec, numeric_of(exec, &args[0]));
	if (kind_is_integer(result.kind))
	{
		result.u.real = (double) result.u.integer;
		result.kind = KIND_FLOAT;
	}
	return result;
}
