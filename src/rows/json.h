/*
 * json.h
 *		The JSON reader: picks the wanted paths out of a page in one pass and
 *		builds nothing for the rest.
 *
 * What is picked comes back as Values, slices of the page.  What nobody asked
 * for is skipped over (strings closed, brackets balanced), not parsed; where
 * a part is used later, value_jsonb() or the reader itself checks it then.
 * A page that is truncated, or broken in a part that is read, is an error.
 */
#ifndef RESOLUTE_JSON_H
#define RESOLUTE_JSON_H

#include "postgres.h"

#include "rows/value.h"

/*
 * A set of wanted paths.  A path is a list of object keys ("fields", "status",
 * "name"), or, written as one text, keys joined by dots: "fields.status.name".
 * The same path may be wanted twice; a path may be a prefix of another one
 * (both values are delivered).
 */
typedef struct JsonPaths JsonPaths;

/*
 * Compile n dotted paths; palloc'd in the current context, reusable forever.
 * "" is the document itself; otherwise there is a key, perhaps empty, before,
 * between and after the dots.  A path that meets an array finds nothing.
 */
extern JsonPaths *json_paths_compile(const char *const *paths, int n);

/*
 * The shape of a page: an object with the items in an array at items_path
 * ("issues"; "" when the page itself is the array), and some fields beside it.
 */
typedef struct JsonShape
{
	const char *items_path;
	JsonPaths  *envelope;		/* paths from the page, or NULL */
	int			nenvelope;
	JsonPaths  *item;			/* paths from each item, or NULL */
	int			nitem;
} JsonShape;

typedef struct JsonPage
{
	Value	   *envelope;		/* nenvelope values */
	bool		has_items;		/* was the array there at all? */
	int			nitems;
	Value	   *items;			/* nitems raw items */
	Value	   *fields;			/* nitems * nitem values, item by item */
} JsonPage;

/*
 * Read a page of len bytes of valid UTF-8 (see json_valid_utf8).  On success
 * fills *page (palloc'd here) and returns true.  Otherwise returns false and
 * sets *error to a palloc'd reason ("unexpected end of input at byte 4711") that
 * quotes no content.  A byte order mark is passed over.  Of a key that stands
 * twice in one object the last counts.
 */
extern bool json_read_page(const char *data, Size len, const JsonShape *shape,
						   JsonPage *page, char **error);

/*
 * Pick paths out of one object.  values has room for all paths; those not
 * found become VALUE_MISSING.  Returns false with *error as above.
 */
extern bool json_pick(const char *data, Size len, const JsonPaths *paths,
					  Value *values, char **error);

/*
 * The member of an object by its exact name; VALUE_MISSING if there is none or
 * the value is no object.  With loose set, a member whose name differs only in
 * case and underscores is taken where no exact one exists.
 */
extern Value json_member(const Value *object, const char *name, Size len, bool loose);

/*
 * Walk over the members of an object or elements of an array.
 *
 *		JsonIter it = json_iter(&value);
 *		while (json_next(&it, &key, &element)) ...
 *
 * key is a VALUE_STRING (VALUE_MISSING in arrays).  Ends early on broken input
 * with it.broken set.
 */
typedef struct JsonIter
{
	const char *at;
	const char *end;
	bool		is_object;
	bool		broken;
	bool		started;
} JsonIter;

extern JsonIter json_iter(const Value *value);
extern bool json_next(JsonIter *it, Value *key, Value *element);

/* Number of members or elements; 0 for anything else. */
extern int	json_length(const Value *value);

/* A whole document as a Value (leading and trailing space allowed), or false. */
extern bool json_document(const char *data, Size len, Value *value);

/*
 * The bytes as valid UTF-8: data itself if it is valid (*len unchanged),
 * otherwise a palloc'd copy in which every invalid sequence is U+FFFD.
 */
extern const char *json_valid_utf8(const char *data, Size *len);

/* Do two names agree, apart from case and underscores?  StoryPoints = story_points */
extern bool names_agree(const char *a, Size alen, const char *b, Size blen);

#endif							/* RESOLUTE_JSON_H */
