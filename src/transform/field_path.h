/*
 * field_path.h
 *		How steps such as sort and pick name what they look at: a field of the
 *		rows ("status"), or a path into one ("fields.priority.name").
 *
 * A field is found as templates find it: by its exact name, else by one that agrees
 * apart from case and underscores; of a path the longest beginning that is a field counts, and the
 * rest leads on into its objects.
 */
#ifndef RESOLUTE_FIELD_PATH_H
#define RESOLUTE_FIELD_PATH_H

#include "postgres.h"

#include "rows/batch.h"

typedef struct FieldPath
{
	const char *text;			/* as written, UTF-8 */
	int			field;			/* index of the bound field, or -1 */
	int			taken;			/* bytes of text that the field stands for */
} FieldPath;

/*
 * The path that a text in the database's encoding is; palloc'd.  Raises 22023 for one
 * with an empty name in it; what ("key of step x") is wrong.
 */
extern FieldPath *field_path_make(const char *what, const char *text);

/* Paths (FieldPath *) separated by commas, quoted as in names_from_text(). */
extern List *field_paths_from_text(const char *what, const char *text);

/* Their texts, as the references that a source is asked for: a list of char *. */
extern List *field_path_references(List *paths);

/*
 * Find the field among those of the rows.  Raises 42703 with the list of fields where there is
 * none, unless the rows are items, in which it is looked up.
 */
extern void field_path_bind(FieldPath *path, const char *what, const FieldSet *input);
extern void field_paths_bind(List *paths, const char *what, const FieldSet *input);

/* Does the path lead into a field, rather than to it? */
extern bool field_path_is_deep(const FieldPath *path);

/* What the row has there; VALUE_MISSING if there is nothing. */
extern Value field_path_value(const FieldPath *path, const Row *row);

/* Raise 42703: the fields of the rows do not have this name. */
extern void report_unknown_field(const char *what, const char *name, const FieldSet *input)
			pg_attribute_noreturn();

#endif							/* RESOLUTE_FIELD_PATH_H */
