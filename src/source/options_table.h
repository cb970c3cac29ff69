/*
 * options_table.h
 *		What the tables of options (one per foreign data wrapper) are made of; for
 *		the validators.  Who only reads options includes options.h.
 */
#ifndef RESOLUTE_OPTIONS_TABLE_H
#define RESOLUTE_OPTIONS_TABLE_H

#include "source/options.h"

#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "fmgr.h"
#include "nodes/parsenodes.h"

typedef enum OptionType
{
	OPTION_TEXT,				/* printable, not empty */
	OPTION_HEADER,				/* printable ASCII, goes into a header */
	OPTION_USER,				/* the same without a colon, which ends it */
	OPTION_SECRET,				/* printable ASCII without spaces */
	OPTION_PATH,				/* absolute, of the database server's machine */
	OPTION_URL,					/* what problem() has no objection to */
	OPTION_CHOICE,				/* one of choices */
	OPTION_BOOL,
	OPTION_SECONDS,				/* "30", "1.5", "500ms", "2min" */
	OPTION_BYTES				/* "1000000", "64MB" */
} OptionType;

typedef struct Option
{
	const char *name;
	Oid			catalog;		/* where it may stand */
	OptionType	type;
	double		min;			/* of numbers */
	double		max;
	const char *choices;		/* of OPTION_CHOICE, divided by ", " */
	const char *(*problem) (const char *value); /* of OPTION_URL: a phrase such
												 * as "must be a URL", or NULL */
	bool		superuser_only;
	bool		secret;			/* never shown */
} Option;

#define ON_SERVER(name_, type_, ...) \
	{.name = name_, .type = type_, .catalog = ForeignServerRelationId, __VA_ARGS__}
#define ON_MAPPING(name_, type_, ...) \
	{.name = name_, .type = type_, .catalog = UserMappingRelationId, __VA_ARGS__}

/*
 * The body of a validator.  Checks each of the options by itself: that the table has it for this
 * catalog, that its value is valid, and that the current user may set it; then what check_server
 * or check_mapping have to say of all together.  Raises HV00D, 22023 or 42501.
 */
extern void options_validate(FunctionCallInfo fcinfo, const Option *table, int n,
							 void (*check_server) (List *list),
							 void (*check_mapping) (List *list));

/* How many of some options are set?  Raises HV00D for more than one. */
extern int	options_check_single(List *list, const char *const *names, int n);

/* The element of that name, or NULL. */
extern DefElem *option_element(List *list, const char *name);

/* Are all bytes printable, none of except, and is there one? ascii: no multibyte characters either. */
extern bool option_is_printable(const char *value, bool ascii, const char *except);

#endif							/* RESOLUTE_OPTIONS_TABLE_H */
