/*
 * unit.c
 *		What the unit tests share.
 */
#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

/* The setting itself is in resolute.so, which this module does without. */
int			resolute_json_scan = JSON_SCAN_AUTO;

FencedText
fence_make(const char *data, Size len)
{
	FencedText	text = {0};
	Size		page = sysconf(_SC_PAGESIZE);
	Size		usable = (len + page - 1) / page * page;
	char	   *area;

	text.area_size = usable + page;
	area = mmap(NULL, text.area_size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED || mprotect(area + usable, page, PROT_NONE) != 0)
		elog(ERROR, "could not fence %zu bytes: %m", len);
	text.area = area;
	text.len = len;
	text.data = memcpy(area + usable - len, data, len);
	return text;
}

void
fence_free(FencedText *text)
{
	munmap(text->area, text->area_size);
}

void
use_scan(text *mode)
{
	resolute_json_scan = strcmp(text_to_cstring(mode), "scalar") == 0 ?
		JSON_SCAN_SCALAR : JSON_SCAN_AUTO;
}

const char **
cstrings_of(ArrayType *array, int *n)
{
	Datum	   *elements;
	const char **strings;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, n);
	strings = palloc(sizeof(char *) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
		strings[i] = TextDatumGetCString(elements[i]);
	return strings;
}

Datum
jsonb_array_of(const Value *values, int n)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(n, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(n, 1));
	int			lower = 1;

	for (int i = 0; i < n; i++)
	{
		nulls[i] = values[i].kind == VALUE_MISSING;
		elements[i] = nulls[i] ? (Datum) 0 : value_jsonb(&values[i]);
	}
	return PointerGetDatum(construct_md_array(elements, nulls, 1, &n, &lower,
											  JSONBOID, -1, false, TYPALIGN_INT));
}
