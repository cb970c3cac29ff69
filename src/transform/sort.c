/*
 * sort.c
 *		All rows in order, as ORDER BY has them.
 *
 * Values compare as jsonb does: numbers by their value, texts by the collation of the database.
 * Null and missing come last, or first where the order is descending.
 */
#include "transform/collect.h"

#include "rows/names.h"

typedef struct SortRows
{
	Collector	base;			/* must be first */
	int			nkeys;
	SpoolOrder *orders;
	List	   *paths;			/* of FieldPath * */
} SortRows;

static void
bad_keys(const char *what, const char *text)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("invalid %s: \"%s\"", what, text),
			 errhint("Give names of fields as in ORDER BY: 'priority desc, created'.")));
}

/* Cut the last word off a key if it is this one. */
static bool
cut_word(char *key, const char *word)
{
	Size		len = strlen(key);
	Size		wlen = strlen(word);

	while (len > 0 && key[len - 1] == ' ')
		key[--len] = '\0';
	if (len <= wlen || key[len - wlen - 1] != ' ' || pg_strcasecmp(key + len - wlen, word) != 0)
		return false;
	key[len - wlen] = '\0';
	return true;
}

/* One key: a name, perhaps in quotes, then asc or desc, then nulls first or last. */
static SortKey *
sort_key(const char *what, const char *all, char *text)
{
	SortKey    *key = palloc0(sizeof(SortKey));
	bool		first = cut_word(text, "first");
	bool		last = !first && cut_word(text, "last");
	List	   *names;

	if ((first || last) && !cut_word(text, "nulls"))
		bad_keys(what, all);
	key->descending = cut_word(text, "desc");
	if (!key->descending)
		cut_word(text, "asc");
	key->nulls_first = first || (key->descending && !last);

	/* A space is part of a name in quotes only: "decs" is no direction. */
	for (Size len = strlen(text); len > 0 && text[len - 1] == ' ';)
		text[--len] = '\0';
	while (*text == ' ')
		text++;
	if (*text == '\0' || (*text != '"' && strchr(text, ' ')))
		bad_keys(what, all);
	names = names_from_text(what, text);
	key->path = field_path_make(what, linitial(names));
	return key;
}

List *
sort_keys_from_text(const char *what, const char *text)
{
	List	   *keys = NIL;
	char	   *copy = pstrdup(text);
	char	   *begin = copy;
	bool		quoted = false;

	for (char *at = copy;; at++)
	{
		bool		end = *at == '\0';

		if (*at == '"')
			quoted = !quoted;
		if (!end && (*at != ',' || quoted))
			continue;
		*at = '\0';
		keys = lappend(keys, sort_key(what, text, begin));
		begin = at + 1;
		if (end)
			return keys;
	}
}

static Spool *
sort_conclude(Collector *collector, PageContext *page pg_attribute_unused())
{
	SortRows   *self = (SortRows *) collector;

	return spool_sorted(collector->rows, self->nkeys, self->orders, path_key, self->paths);
}

Transform *
sort_create(const char *step, List *keys, const FieldSet *input)
{
	SortRows   *self = palloc0(sizeof(SortRows));
	ListCell   *lc;

	collector_init(&self->base, step, input, input);
	self->base.conclude = sort_conclude;
	self->orders = palloc0(sizeof(SpoolOrder) * list_length(keys));
	foreach(lc, keys)
	{
		const SortKey *key = lfirst(lc);
		FieldPath  *path = palloc(sizeof(FieldPath));

		*path = *key->path;
		field_path_bind(path, psprintf("key of step \"%s\"", step), input);
		self->orders[self->nkeys].descending = key->descending;
		self->orders[self->nkeys++].nulls_first = key->nulls_first;
		self->paths = lappend(self->paths, path);
	}
	return &self->base.base;
}
