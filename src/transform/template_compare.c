/*
 * template_compare.c
 *		eq ne lt le gt ge, by the rules of Go's text/template/funcs.go.
 */
#include "postgres.h"

#include "transform/template_functions.h"

/* Values of one class can be compared. */
typedef enum CompareClass
{
	CLASS_NONE,
	CLASS_BOOL,
	CLASS_INTEGER,
	CLASS_FLOAT,
	CLASS_STRING
} CompareClass;

static CompareClass
compare_class(const TmplValue *value)
{
	switch ((TmplKind) value->kind)
	{
		case KIND_BOOL:
			return CLASS_BOOL;
		case KIND_INT:
		case KIND_INT64:
		case KIND_UINT8:
			return CLASS_INTEGER;
		case KIND_FLOAT:
			return CLASS_FLOAT;
		case KIND_STRING:
			return CLASS_STRING;
		default:
			return CLASS_NONE;
	}
}

static void
incompatible(Exec *exec, const TmplValue *a, const TmplValue *b)
{
	exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "cannot compare values of types %s and %s",
			   tmpl_type_name(a), tmpl_type_name(b));
}

static int
compare_strings(const TmplValue *a, const TmplValue *b)
{
	Value		left = tmpl_text(a);
	Value		right = tmpl_text(b);
	uint32		len = Min(left.len, right.len);
	int			order = len ? memcmp(left.data, right.data, len) : 0;

	return order ? order : (left.len > right.len) - (left.len < right.len);
}

/*
 * Whole numbers and floats do not compare in Go.  APIs send 3 or 3.0 as they
 * like, so that in JSON documents they do.
 */
static bool
mixed_numbers(Exec *exec, CompareClass a, CompareClass b)
{
	return exec_is_json(exec) &&
		((a == CLASS_INTEGER && b == CLASS_FLOAT) || (a == CLASS_FLOAT && b == CLASS_INTEGER));
}

static double
as_real(const TmplValue *value)
{
	return value->kind == KIND_FLOAT ? value->u.real : (double) value->u.integer;
}

/* Compare two values of one class, or mixed numbers. */
static int
compare(const TmplValue *a, const TmplValue *b, CompareClass class, bool mixed)
{
	if (mixed || class == CLASS_FLOAT)
		return (as_real(a) > as_real(b)) - (as_real(a) < as_real(b));
	switch (class)
	{
		case CLASS_BOOL:
			return (int) a->u.boolean - (int) b->u.boolean;
		case CLASS_INTEGER:
			return (a->u.integer > b->u.integer) - (a->u.integer < b->u.integer);
		default:
			return compare_strings(a, b);
	}
}

static bool
values_equal(Exec *exec, const TmplValue *a, const TmplValue *b)
{
	CompareClass class = compare_class(a);
	bool		mixed = mixed_numbers(exec, class, compare_class(b));

	if (class != compare_class(b) && !mixed)
	{
		if (!tmpl_is_nil(a) && !tmpl_is_nil(b))
			incompatible(exec, a, b);
		return false;
	}
	if (class == CLASS_NONE)
	{
		/* arrays and objects can be compared with null only */
		if (!tmpl_is_nil(a) && !tmpl_is_nil(b))
			incompatible(exec, a, b);
		return tmpl_is_nil(a) && tmpl_is_nil(b);
	}
	return compare(a, b, class, mixed) == 0;
}

/* eq a b c is a == b || a == c */
TmplValue
function_eq(FUNCTION_ARGS)
{
	if (nargs < 2)
		exec_error(exec, ERRCODE_INVALID_PARAMETER_VALUE, "missing argument for comparison");
	for (int i = 1; i < nargs; i++)
		if (values_equal(exec, &args[0], &args[i]))
			return tmpl_bool(true);
	return tmpl_bool(false);
}

TmplValue
function_ne(FUNCTION_ARGS)
{
	return tmpl_bool(!values_equal(exec, &args[0], &args[1]));
}

/* Order of two numbers or strings; anything else has none. */
static int
order_of(Exec *exec, TmplValue *args)
{
	CompareClass class = compare_class(&args[0]);
	bool		mixed = mixed_numbers(exec, class, compare_class(&args[1]));

	if (class == CLASS_NONE || class == CLASS_BOOL ||
		(class != compare_class(&args[1]) && !mixed))
		incompatible(exec, &args[0], &args[1]);
	return compare(&args[0], &args[1], class, mixed);
}

TmplValue
function_lt(FUNCTION_ARGS)
{
	return tmpl_bool(order_of(exec, args) < 0);
}

TmplValue
function_le(FUNCTION_ARGS)
{
	return tmpl_bool(order_of(exec, args) <= 0);
}

TmplValue
function_gt(FUNCTION_ARGS)
{
	return tmpl_bool(order_of(exec, args) > 0);
}

TmplValue
function_ge(FUNCTION_ARGS)
{
	return tmpl_bool(order_of(exec, args) >= 0);
}
