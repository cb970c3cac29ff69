/*
 * names.h
 *		Lists of field and column names in parameters such as key.
 */
#ifndef RESOLUTE_NAMES_H
#define RESOLUTE_NAMES_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * The names (char *) in a text, separated by commas; a name that holds a comma or
 * begins or ends with a space stands in double quotes.  Case is kept.  Raises 22023, where
 * what ("key of step x") is wrong.
 */
extern List *names_from_text(const char *what, const char *text);

#endif							/* RESOLUTE_NAMES_H */
