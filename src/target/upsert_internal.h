/*
 * upsert_internal.h
 *		What the files of the upsert share.
 *
 * upsert.c			the steps of one page, and the books
 * upsert_members.c	items as rows: their members as fields
 * upsert_shape.c	the target as it is now: columns, arbiter, rights
 * upsert_arbiter.c	the unique index on the key
 * upsert_sql.c		the two statements, their plans and parameters
 * upsert_plan.c	the plan of the probe, through the key's index
 * upsert_type.c	values to datums of the columns' types
 * upsert_compare.c duplicates within the page; incoming against stored rows
 * upsert_write.c	the write, and the bisection of a batch that failed
 * upsert_bulk.c	new rows, put into the table as COPY does
 */
#ifndef RESOLUTE_UPSERT_INTERNAL_H
#define RESOLUTE_UPSERT_INTERNAL_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/rel.h"

#include "target/target.h"

/* ------------------------------------------------------------------------
 * Types (upsert_type.c)
 * ------------------------------------------------------------------------
 */

/* How a value becomes the text that the type's input function reads. */
typedef enum LiteralKind
{
	LITERAL_PLAIN,				/* what the value reads as */
	LITERAL_JSON,				/* the value as a JSON document */
	LITERAL_INTEGER,			/* 5.0 and 1e3 are whole numbers as well */
	LITERAL_ARRAY,				/* a JSON array becomes an array literal */
	LITERAL_RECORD				/* a JSON object becomes a row literal */
} LiteralKind;

typedef struct ColumnType
{
	Oid			type;
	int32		typmod;
	bool		is_domain;		/* its input function must see nulls, too */
	LiteralKind kind;			/* by the base type of a domain */
	FmgrInfo	input;
	Oid			ioparam;
	int16		len;
	bool		byval;
	struct ColumnType *element; /* of an array */
	TupleDesc	record;			/* of a composite type */
	struct ColumnType **attributes; /* record->natts, NULL where dropped */

	/* The latest value and its datum: many rows of a page have the same one */
	Value		latest;			/* a slice of the page, or missing */
	Datum		latest_datum;	/* in the context of the page */
} ColumnType;

/* Look the type up; everything is allocated in the current context. */
extern ColumnType *column_type_create(Oid type, int32 typmod);

/*
 * The value as a datum of the type, with the precision and length of the
 * typmod, in the current context, which is that of the page.  Null and missing are SQL NULL,
 * whatever the type.  Raises what the type's input function raises.  The latest datum is
 * returned again for the same value until column_type_forget(), to be called before each page.
 */
extern Datum column_type_datum(ColumnType *type, const Value *value,
							   bool *isnull);
extern void column_type_forget(ColumnType *type);

/* ------------------------------------------------------------------------
 * The target as it is now (upsert_shape.c)
 * ------------------------------------------------------------------------
 */
typedef struct UpsertColumn
{
	char	   *name;
	AttrNumber	attnum;
	int			field;			/* index in the field set */
	uint8		flags;			/* FIELD_... */
	bool		is_key;
	bool		compared;		/* a difference here makes the row a changed one */
	Oid			collation;
	ColumnType *type;

	/*
	 * Arrays and composite values cannot be elements of a parameter of unnest(): it
	 * would take them apart.  They travel as text and are cast.
	 */
	bool		as_text;
	Oid			travel;			/* type of the elements of the parameter */
	char	   *cast_to;		/* qualified type name, if as_text */
	FmgrInfo	output;			/* if as_text */
} UpsertColumn;

typedef struct UpsertKey
{
	int			column;			/* index in columns */
	Oid			equality;		/* operator of the arbiter index */
	Oid			collation;		/* of the arbiter index */
	bool		hashable;		/* by a hash that agrees with the equality */
	FmgrInfo	hash;
	FmgrInfo	equals;
} UpsertKey;

typedef struct UpsertShape
{
	MemoryContext context;		/* holds all of this */
	uint64		generation;		/* see upsert_shape() */
	const FieldSet *fields;		/* a copy, with its own names */
	Oid			relation;
	char	   *name;			/* qualified and quoted */
	bool		with_children;	/* inherited by other tables: read ONLY it */

	int			ncolumns;
	UpsertColumn *columns;
	int			nkeys;
	UpsertKey  *keys;			/* in the order of the arbiter index */
	int			version;		/* index in columns, or -1 */
	Oid			version_ge;		/* operator >= of its type */
	FmgrInfo	version_cmp;

	/* May new rows be put into it in bulk, as far as the table knows? */
	bool		bulk;
	List	   *defaults;		/* expressions, of columns not written */
	List	   *default_columns;	/* their numbers, integers */

	/* Statements and their plans, saved beyond transactions */
	char	   *probe_sql;
	char	   *write_sql;
	SPIPlanPtr	probe;			/* NULL until first used */
	SPIPlanPtr	write;
} UpsertShape;

struct Upsert
{
	MemoryContext context;		/* as long as the run */
	const char *step;
	List	   *target;			/* qualified name, list of String */
	const char *target_text;	/* as written */
	List	   *keys;			/* of char * */
	const char *version;		/* or NULL */
	const FieldSet *fields;
	bool		noticed;		/* has the NOTICE about no version been sent? */
	bool		quiet;			/* no such NOTICE wanted */
	bool		all_new;		/* was nothing stored of the latest page's rows? */
	UpsertShape *shape;			/* of the latest page, or NULL */
};

/*
 * The target for rows with these fields, checked as upsert_check() says, and
 * locked as INSERT does.  It is looked up by name again each time; what was
 * built for the latest page is used again if no catalog change came in.
 * NULL if missing_ok and there is no such table.
 */
extern UpsertShape *upsert_shape(Upsert *upsert, const FieldSet *fields,
								 bool missing_ok);

/* Resolve the name and lock; InvalidOid if missing_ok and there is no table. */
extern Oid	upsert_relation(Upsert *upsert, LOCKMODE lock, bool missing_ok);

/* Raise INSUFFICIENT_PRIVILEGE, with a hint, unless the user may do it all. */
extern void upsert_check_rights(UpsertShape *shape);

/* ------------------------------------------------------------------------
 * Arbiter (upsert_arbiter.c)
 * ------------------------------------------------------------------------
 */

/* Fill shape->keys from the unique index on exactly the key columns. */
extern void upsert_find_arbiter(UpsertShape *shape, Relation relation);

/* ------------------------------------------------------------------------
 * One page
 * ------------------------------------------------------------------------
 */
typedef struct Incoming
{
	Upsert	   *upsert;
	UpsertShape *shape;
	RowBatch   *batch;
	PageContext *page;
	int			nrows;
	Datum	   *values;			/* nrows * ncolumns */
	bool	   *nulls;
	uint32	   *hashes;			/* of the keys */
	UpsertVerdict *verdicts;	/* nrows; VERDICT_INSERT until proven otherwise */
} Incoming;

#define incoming_at(in, row) ((Size) (row) * (in)->shape->ncolumns)

/* Statements (upsert_sql.c).  All are called inside SPI_connect(). */
extern void upsert_write_statements(UpsertShape *shape);
extern void upsert_free_plans(UpsertShape *shape);
extern void upsert_run_probe(Incoming *in, const int *rows, int nrows);
extern uint64 upsert_run_write(Incoming *in, const int *rows, int nrows);
extern char *upsert_operator_name(Oid operator);

/* " COLLATE x" where the index does not use the column's own collation, else "". */
extern const char *upsert_collate_clause(const UpsertKey *key, const UpsertColumn *column);

/* The plan of the probe (upsert_plan.c). */
extern void upsert_plan_probe(UpsertShape *shape);

/* Set a setting until the current GUC nest level ends. */
extern void upsert_set_locally(const char *setting, const char *value);

/*
 * The batch of items with one field for each member that any of them has, in
 * the current context; values is NULL in a row whose item is broken JSON.
 */
extern RowBatch *upsert_members(RowBatch *batch);

/* Duplicates, and verdicts by the stored rows (upsert_compare.c). */
extern void upsert_find_duplicates(Incoming *in);
extern void upsert_compare(Incoming *in);

/* Bulk insertion (upsert_bulk.c) */

/* Fill in whether and how it is done. */
extern void upsert_describe_bulk(UpsertShape *shape, Relation relation);

/* Is it possible here and now, as the current user? */
extern bool upsert_takes_bulk(const UpsertShape *shape);

/*
 * Put the rows into table and indexes.  Raises what an INSERT would, UNIQUE_VIOLATION
 * among others: for use inside a subtransaction.
 */
extern void upsert_run_bulk(Incoming *in, const int *rows, int nrows);

/*
 * Insert the rows without a look at what is stored.  False, and nothing has
 * happened, unless all of them are new and good.
 */
extern bool upsert_insert_new(Incoming *in);

/* Write the rows to be inserted or updated; failed ones become VERDICT_DEAD. */
extern void upsert_write(Incoming *in);

#endif							/* RESOLUTE_UPSERT_INTERNAL_H */
