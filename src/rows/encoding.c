/*
 * encoding.c
 *		From UTF-8 to the encoding of the database, whatever it can hold.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "compat.h"
#include "rows/encoding.h"

#define SUBSTITUTE '?'

bool
database_is_utf8(void)
{
	/* SQL_ASCII means that nobody looks at the bytes. */
	return GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII;
}

/* A NUL-terminated copy; palloc raises an error beyond 1 GB. */
static char *
copy_cstring(const char *data, Size len)
{
	char	   *copy = palloc(len + 1);

	memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

/*
 * Convert as much of the text as the encoding can hold, up to the first
 * character that it cannot; returns the bytes of input that were converted.
 * The output is NUL-terminated.
 */
static int
convert_prefix(Oid proc, const char *data, int len, char *out, int room)
{
#if PG_VERSION_NUM >= 140000
	return pg_do_encoding_conversion_buf(proc, PG_UTF8, GetDatabaseEncoding(),
										 (unsigned char *) unconstify(char *, data), len,
										 (unsigned char *) out, room, true);
#else
	/*
	 * Before 14 conversions could only raise an error.  They touch nothing but
	 * their buffers, so that no subtransaction is needed to go on after one.
	 */
	MemoryContext context = CurrentMemoryContext;
	char	   *volatile dest = out;
	volatile int converted = 0;

	(void) room;				/* MAX_CONVERSION_GROWTH covers the worst */
	while (converted < len)
	{
		int			n = pg_utf_mblen((const unsigned char *) data + converted);
		volatile bool ok = true;

		PG_TRY();
		{
			OidFunctionCall5(proc, Int32GetDatum(PG_UTF8),
							 Int32GetDatum(GetDatabaseEncoding()),
							 CStringGetDatum(data + converted),
							 CStringGetDatum(dest), Int32GetDatum(n));
		}
		PG_CATCH();
		{
			MemoryContextSwitchTo(context);
			FlushErrorState();
			ok = false;
		}
		PG_END_TRY();
		if (!ok)
			break;
		converted += n;
		dest += strlen(dest);
	}
	*dest = '\0';
	return converted;
#endif
}

char *
utf8_to_database(const char *data, Size len, Size *out_len)
{
	Oid			proc;
	Size		room;
	Size		used = 0;
	char	   *out;

	if (out_len != NULL)
		*out_len = len;
	if (database_is_utf8() || len == 0)
		return copy_cstring(data, len);

	proc = FindDefaultConversionProc(PG_UTF8, GetDatabaseEncoding());
	if (!OidIsValid(proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("default conversion from UTF8 to %s does not exist",
						GetDatabaseEncodingName())));

	room = len * MAX_CONVERSION_GROWTH + 1;
	out = MemoryContextAllocHuge(CurrentMemoryContext, room);
	for (;;)
	{
		/* The conversion takes and tells its lengths as int. */
		int			n = convert_prefix(proc, data, (int) Min(len, MaxAllocSize),
									   out + used, (int) Min(room - used, PG_INT32_MAX));

		used += strlen(out + used);
		data += n;
		len -= n;
		if (len == 0)
			break;

		/* Stopped at a character that the encoding cannot hold. */
		n = Min(pg_utf_mblen((const unsigned char *) data), len);
		out[used++] = SUBSTITUTE;
		out[used] = '\0';
		data += n;
		len -= n;
	}
	if (out_len != NULL)
		*out_len = used;
	return out;
}
