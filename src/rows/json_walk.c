/*
 * json_walk.c
 *		Walks over members and elements; compares names.
 */
#include "postgres.h"

#include "rows/json.h"
#include "rows/json_escape.h"
#include "rows/json_scan.h"

JsonIter
json_iter(const Value *value)
{
	JsonIter	iter = {0};

	/* Anything else is empty. */
	if (value->kind != VALUE_JSON || value->len < 2)
		return iter;
	iter.is_object = value->data[0] == '{';
	iter.at = value->data + 1;
	iter.end = value->data + value->len;
	return iter;
}

/* json_next() over a scanner; *done is set at the closing bracket. */
static bool
next_element(JsonScan *scan, const JsonIter *it, Value *key, Value *element, bool *done)
{
	memset(key, 0, sizeof(*key));
	if (!scan_space(scan))
		return scan_unexpected(scan);
	if (*scan->at == (it->is_object ? '}' : ']'))
	{
		*done = true;
		return false;
	}
	if (it->started && !scan_expect(scan, ','))
		return false;
	if (it->is_object)
	{
		if (!scan_expect(scan, '"') || !scan_string(scan, key) ||
			!scan_expect(scan, ':'))
			return false;
		if (json_string_fault(key) != NULL)
			return scan_unexpected(scan);
	}
	return (scan_space(scan) || scan_unexpected(scan)) &&
		scan_value(scan, true, element);
}

bool
json_next(JsonIter *it, Value *key, Value *element)
{
	JsonScan	scan;
	bool		done = false;

	if (it->at == it->end)
		return false;
	scan_init(&scan, it->at, it->end);
	if (!next_element(&scan, it, key, element, &done))
	{
		it->broken = !done;
		it->at = it->end;
		return false;
	}
	it->at = scan.at;
	it->started = true;
	return true;
}

int
json_length(const Value *value)
{
	JsonIter	it = json_iter(value);
	Value		key;
	Value		element;
	int			n = 0;

	while (json_next(&it, &key, &element))
		n++;
	return n;
}

Value
json_member(const Value *object, const char *name, Size len, bool loose)
{
	JsonIter	it = json_iter(object);
	Value		wanted = value_string(name, (uint32) len);
	Value		found = {0};
	Value		similar = {0};
	Value		key;
	Value		element;

	if (!it.is_object)
		return found;
	/* Of a name that stands twice the last counts, so go on to the end. */
	while (json_next(&it, &key, &element))
	{
		Value		plain = value_unescaped(&key);

		if (value_equal(&plain, &wanted))
			found = element;
		else if (loose && names_agree(plain.data, plain.len, name, len))
			similar = element;
	}
	return found.kind != VALUE_MISSING ? found : similar;
}

bool
json_document(const char *data, Size len, Value *value)
{
	JsonScan	scan;

	scan_init(&scan, data, data + len);
	return scan_begin(&scan) && scan_value(&scan, true, value) && !scan_space(&scan);
}

/* The byte in lower case; names of fields are compared in ASCII only. */
static inline char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

bool
names_agree(const char *a, Size alen, const char *b, Size blen)
{
	const char *aend = a + alen;
	const char *bend = b + blen;

	for (;;)
	{
		while (a < aend && *a == '_')
			a++;
		while (b < bend && *b == '_')
			b++;
		if (a == aend || b == bend)
			return a == aend && b == bend;
		if (fold(*a++) != fold(*b++))
			return false;
	}
}
