/*
 * json_check.c
 *		Checks a whole document against RFC 8259, with the scanner of the JSON reader.
 */
#include "unit.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "rows/json.h"
#include "rows/json_escape.h"
#include "rows/json_scan.h"

/* Interrupts are looked for every so many values. */
#define VALUES_PER_CHECK 4096

/*
 * What is open, as text: one bracket for each object and array.  That is as
 * long as the document is deep, and on the heap.
 */
typedef struct Validator
{
	JsonScan	scan;
	StringInfoData open;
} Validator;

/* Read a key and its colon. */
static bool
check_key(JsonScan *scan)
{
	Value		key;
	const char *fault;

	if (!scan_expect(scan, '"') || !scan_string(scan, &key))
		return false;
	if ((fault = json_string_fault(&key)) != NULL)
		return scan_fail(scan, "invalid string", fault);
	return scan_expect(scan, ':');
}

/*
 * Enter the object or array at `at`; sets *empty and leaves it at once if
 * nothing is inside.
 */
static bool
check_open(Validator *validator, bool *empty)
{
	JsonScan   *scan = &validator->scan;
	char		close = *scan->at == '{' ? '}' : ']';

	scan->at++;
	*empty = scan_space(scan) && *scan->at == close;
	if (*empty)
	{
		scan->at++;
		return true;
	}
	appendStringInfoChar(&validator->open, close);
	return close == ']' || check_key(scan);
}

/* After a value: leave what ends here, or go on to the next value. */
static bool
check_after(Validator *validator)
{
	JsonScan   *scan = &validator->scan;
	StringInfo	open = &validator->open;

	while (open->len > 0 && scan_space(scan) && *scan->at == open->data[open->len - 1])
	{
		scan->at++;
		open->data[--open->len] = '\0';
	}
	if (open->len == 0)
		return true;
	if (!scan_expect(scan, ','))
		return false;
	return open->data[open->len - 1] == ']' || check_key(scan);
}

static bool
check_document(Validator *validator)
{
	JsonScan   *scan = &validator->scan;
	uint32		nvalues = 0;

	do
	{
		bool		complete = true;
		Value		value;

		if (++nvalues % VALUES_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (!scan_space(scan))
			return scan_unexpected(scan);
		if (*scan->at == '{' || *scan->at == '[')
		{
			if (!check_open(validator, &complete))
				return false;
		}
		else if (!scan_value(scan, true, &value))
			return false;
		if (complete && !check_after(validator))
			return false;
	} while (validator->open.len > 0);
	return !scan_space(scan) || scan_unexpected(scan);
}

bool
json_check(const char *data, Size len, Size *offset)
{
	Validator	validator;
	bool		ok;

	scan_init(&validator.scan, data, data + len);
	initStringInfo(&validator.open);
	ok = check_document(&validator);
	pfree(validator.open.data);
	if (!ok)
		*offset = validator.scan.reason_at - data;
	return ok;
}
