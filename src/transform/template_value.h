/*
 * template_value.h
 *		Values in a template, as Go's reflect would see them.
 *
 * Each kind of value is one that Go has over data decoded from JSON.  A value that comes from
 * a row keeps the slice that it was read from, and is decoded only where somebody looks into it.
 */
#ifndef RESOLUTE_TEMPLATE_VALUE_H
#define RESOLUTE_TEMPLATE_VALUE_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "rows/batch.h"
#include "rows/json.h"
#include "transform/template.h"

/*
 * The kinds that Go would have over data decoded from JSON.  INVALID is its
 * zero reflect.Value ("<no value>"), NIL an interface that holds nothing; they
 * differ in a few error conditions only.
 */
typedef enum TmplKind
{
	KIND_INVALID = 0,
	KIND_NIL,
	KIND_BOOL,
	KIND_INT,					/* constants, lengths: Go's int */
	KIND_INT64,					/* whole numbers of the data */
	KIND_UINT8,					/* a byte of a string */
	KIND_FLOAT,
	KIND_STRING,
	KIND_ARRAY,
	KIND_MAP,
	KIND_ROW					/* a row: a map whose members are fields */
} TmplKind;

typedef struct TmplValue TmplValue;

struct TmplValue
{
	uint8		kind;			/* a TmplKind */
	bool		is_element;		/* taken out of an array or object as it is:
								 * Go's slice takes no such index */
	bool		is_json;		/* KIND_STRING made by json: stands for itself
								 * at value position */
	Value		raw;			/* slice behind it: always for strings; for
								 * others where there is one, else missing */
	union
	{
		bool		boolean;
		int64		integer;	/* INT, INT64, UINT8 */
		double		real;
		const Row  *row;
		struct
		{
			TmplValue  *items;	/* NULL until decoded from raw */
			int			length;
			int			capacity;	/* as in Go: how far slice may go */
		}			array;
	}			u;
};

#define kind_is_integer(kind) \
	((kind) == KIND_INT || (kind) == KIND_INT64 || (kind) == KIND_UINT8)
#define tmpl_is_nil(v) ((v)->kind <= KIND_NIL)

typedef struct Exec Exec;

extern TmplValue tmpl_from_value(const Value *value);
extern TmplValue tmpl_nothing(void);
extern TmplValue tmpl_bool(bool boolean);
extern TmplValue tmpl_int(int64 integer);
extern TmplValue tmpl_string(const char *data, int len);
extern TmplValue tmpl_array(TmplValue *items, int length);

/* Go's name of the type, as %T prints it. */
extern const char *tmpl_type_name(const TmplValue *value);

/* Truth by the rules of Go. */
extern bool tmpl_truth(Exec *exec, const TmplValue *value);

/* The text of a KIND_STRING: a slice without escapes. */
extern Value tmpl_text(const TmplValue *string);

/* Decode an array's elements (kept in the value); returns them. */
extern TmplValue *tmpl_elements(TmplValue *array);

/* A member of a map or row; false if there is none. */
extern bool tmpl_member(Exec *exec, const TmplValue *map, const char *name, int len,
						TmplValue *member);

typedef struct TmplMember
{
	Value		key;			/* without escapes */
	Value		value;
	int			order;			/* of appearance */
} TmplMember;

/* Members of a map or row, sorted by key, each key once; returns their number. */
extern int	tmpl_members(Exec *exec, const TmplValue *map, TmplMember **members);

/* Bytes, elements, members; -1 if the value has no length. */
extern int	tmpl_length(Exec *exec, TmplValue *value);

/* The value as a slice that may leave the engine; palloc'd where it must be. */
extern Value tmpl_to_value(Exec *exec, TmplValue *value);

/* Append as JSON, in the manner of the json function. */
extern void tmpl_append_json(Exec *exec, StringInfo out, const TmplValue *value);

#endif							/* RESOLUTE_TEMPLATE_VALUE_H */
