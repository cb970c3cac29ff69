/*
 * encoding.h
 *		From UTF-8 to the encoding of the database, whatever it can hold.
 */
#ifndef RESOLUTE_ENCODING_H
#define RESOLUTE_ENCODING_H

#include "postgres.h"

/* Can the database hold every UTF-8 text as it is? */
extern bool database_is_utf8(void);

/*
 * The valid UTF-8 bytes as a NUL-terminated string in the encoding of the database,
 * palloc'd.  What it cannot hold becomes '?'.  Sets *out_len if not NULL.
 */
extern char *utf8_to_database(const char *data, Size len, Size *out_len);

#endif							/* RESOLUTE_ENCODING_H */
