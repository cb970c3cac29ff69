/*
 * json_pick.c
 *		Picks the wanted paths out of a page, in one pass over its bytes.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "rows/json.h"
#include "rows/json_path.h"
#include "rows/json_scan.h"

#define INITIAL_ITEMS 128

/* An object that is being walked through, and where it began. */
typedef struct PickFrame
{
	const PathNode *node;
	const char *first;
} PickFrame;

typedef struct PageReader PageReader;

/* Picking of one set of paths. */
typedef struct Picker
{
	JsonScan   *scan;
	const JsonPaths *paths;
	Value	   *values;			/* paths->npaths of them */
	PickFrame  *stack;			/* room for paths->depth + 1 */
	PageReader *page;			/* whose array of items lies on the way, ... */
	const PathNode *items;		/* ... here; or NULL */
} Picker;

/* What json_read_page() works with. */
struct PageReader
{
	const JsonShape *shape;
	JsonPage   *page;
	int			capacity;		/* room for that many items */
	Picker		item;
};

static bool read_items(PageReader *reader);

static Picker
picker_make(JsonScan *scan, const JsonPaths *paths, Value *values)
{
	Picker		picker = {scan, paths, values, NULL, NULL, NULL};

	picker.stack = palloc(sizeof(PickFrame) * (paths->depth + 1));
	return picker;
}

/*
 * Set a node's values.  What was found below it belonged to an earlier member
 * of the same name, which no longer counts.
 */
static inline void
deliver(Picker *picker, const PathNode *node, const Value *value)
{
	const int  *targets = picker->paths->targets;
	int			i = node->first_target;

	for (; i < node->first_target + node->own_targets; i++)
		picker->values[targets[i]] = *value;
	for (; i < node->end_target; i++)
		memset(&picker->values[targets[i]], 0, sizeof(Value));
}

/* The wanted object is at its end: deliver it as a whole, too. */
static inline void
deliver_object(Picker *picker, const PickFrame *frame)
{
	const PathNode *node = frame->node;
	Value		value = value_make(VALUE_JSON, frame->first,
								   (uint32) (picker->scan->at - frame->first));

	for (int i = node->first_target; i < node->first_target + node->own_targets; i++)
		picker->values[picker->paths->targets[i]] = value;
}

/* What comes next in an object. */
typedef enum NextMember
{
	MEMBER_WANTED,				/* `at` is on the value of a wanted key */
	MEMBER_NONE,				/* `at` is behind the object */
	MEMBER_BROKEN
} NextMember;

/* Quotes and brackets of the current block from `at` on. */
static inline uint64
events_from(const JsonScan *scan)
{
	return (scan->quotes | scan->opens | scan->closes) &
		~UINT64CONST(0) << (scan->at - scan->block);
}

/*
 * With `at` behind an opening quote and events all that follows it: the string up to the next
 * event, which closes it.  Takes that out of events; `at` is behind it then.
 */
static inline bool
read_string(JsonScan *scan, uint64 *events, Value *string)
{
	const char *first = scan->at;
	int			last;

	if (unlikely(*events == 0))
	{
		if (!scan_string(scan, string))
			return false;
		*events = scan_reach(scan) ? events_from(scan) : 0;
		return true;
	}
	last = pg_rightmost_one_pos64(*events);
	*events &= *events - 1;
	scan->at = scan->block + last + 1;
	*string = value_string(first, (uint32) (scan->at - 1 - first));
	if (unlikely(scan->backslashes != 0) && memchr(first, '\\', string->len) != NULL)
		string->flags = VALUE_ESCAPED;
	return true;
}

/* Behind a string: does a colon make it a key?  Then move behind that. */
static inline bool
read_colon(JsonScan *scan)
{
	if (!scan_space(scan) || *scan->at != ':')
		return false;
	scan->at++;
	return true;
}

/*
 * Move to the next member that is wanted, in an object whose brackets lie
 * around `at`.  Only strings and brackets are looked at on the way: keys and values must
 * take turns as far as these show it, and all else between them is passed over.
 */
static NextMember
next_wanted(Picker *picker, const PathNode *node, const PathNode **child)
{
	JsonScan   *scan = picker->scan;
	bool		has_key = false;	/* has it been read, and its value not yet? */
	bool		is_key;
	uint64		events = scan_reach(scan) ? events_from(scan) : 0;

	for (;; has_key = is_key)
	{
		Value		string;

		while (unlikely(events == 0))
		{
			scan->at = scan->block + JSON_BLOCK;
			if (!scan_reach(scan))
				break;
			events = events_from(scan);
		}
		if (unlikely(events == 0))
			break;
		scan->at = scan->block + pg_rightmost_one_pos64(events);
		events &= events - 1;
		if (*scan->at == '"')
		{
			scan->at++;
			if (!read_string(scan, &events, &string))
				break;
			is_key = read_colon(scan);
			if (is_key)
			{
				*child = path_child(picker->paths, node, &string);
				if (*child != NULL)
					return scan_space(scan) ? MEMBER_WANTED : MEMBER_BROKEN;
			}
			else if (!has_key)
				break;
		}
		else if (*scan->at == '}')
		{
			scan->at++;
			return MEMBER_NONE;
		}
		else
		{
			is_key = false;
			if (!has_key || !scan_value(scan, false, &string))
				break;
			events = scan_reach(scan) ? events_from(scan) : 0;
		}
	}
	return MEMBER_BROKEN;
}

/* Read the value at `at`, which is not an object to walk into. */
static inline bool
read_value(Picker *picker, const PathNode *node)
{
	JsonScan   *scan = picker->scan;
	const char *first = scan->at;
	Value		value;

	if (node == picker->items && *first == '[')
	{
		if (!read_items(picker->page))
			return false;
		value = value_make(VALUE_JSON, first, (uint32) (scan->at - first));
	}
	else if (!scan_value(scan, true, &value))
		return false;
	deliver(picker, node, &value);
	return true;
}

/* Behind a value within an object there is another member, or the object ends. */
static inline bool
after_value(JsonScan *scan)
{
	return (scan_space(scan) && (*scan->at == ',' || *scan->at == '}')) ||
		scan_unexpected(scan);
}

/*
 * Read the value at `at`, picking what is wanted at the node and below it.
 * Objects on the way to something wanted are walked through member by member;
 * the stack is as deep as the paths are long, not as the document is.
 */
static bool
pick(Picker *picker, const PathNode *node)
{
	JsonScan   *scan = picker->scan;
	PickFrame  *frame = picker->stack;	/* one above the innermost object */

	for (;;)
	{
		NextMember	next;

		/* A value: enter it, or read it as a whole. */
		if (node->first_child != 0 && *scan->at == '{')
		{
			Value		missing = {0};

			deliver(picker, node, &missing);
			frame->node = node;
			frame->first = scan->at++;
			frame++;
		}
		else
		{
			if (!read_value(picker, node))
				return false;
			if (frame == picker->stack)
				return true;
			if (!after_value(scan))
				return false;
		}

		/* After it: the next wanted member, or the end of one or more objects. */
		while ((next = next_wanted(picker, frame[-1].node, &node)) == MEMBER_NONE)
		{
			deliver_object(picker, --frame);
			if (frame == picker->stack)
				return true;
			if (!after_value(scan))
				return false;
		}
		if (next == MEMBER_BROKEN)
			return scan_unexpected(scan);
	}
}

/* Read a whole document: nothing but white space may surround the value. */
static bool
pick_document(Picker *picker)
{
	JsonScan   *scan = picker->scan;

	memset(picker->values, 0, sizeof(Value) * picker->paths->npaths);
	return scan_begin(scan) && pick(picker, picker->paths->nodes) &&
		(!scan_space(scan) || scan_unexpected(scan));
}

bool
json_pick(const char *data, Size len, const JsonPaths *paths,
		  Value *values, char **error)
{
	JsonScan	scan;
	Picker		picker;
	bool		ok;

	scan_init(&scan, data, data + len);
	picker = picker_make(&scan, paths, values);
	ok = pick_document(&picker);
	pfree(picker.stack);
	if (!ok)
		*error = scan_message(&scan);
	return ok;
}

/* Make room for one more item. */
static void
enlarge_items(PageReader *reader)
{
	JsonPage   *page = reader->page;
	Size		nitem = reader->shape->nitem;

	if (page->nitems < reader->capacity)
		return;
	reader->capacity *= 2;
	page->items = repalloc_huge(page->items, sizeof(Value) * reader->capacity);
	if (nitem > 0)
		page->fields = repalloc_huge(page->fields,
									 sizeof(Value) * reader->capacity * nitem);
}

/* Read the item at `at`. */
static bool
read_item(PageReader *reader)
{
	JsonPage   *page = reader->page;
	Picker	   *picker = &reader->item;
	JsonScan   *scan = picker->scan;
	int			nitem = reader->shape->nitem;
	const char *first = scan->at;
	Value	   *item;

	enlarge_items(reader);
	item = &page->items[page->nitems];
	if (nitem > 0)
	{
		picker->values = page->fields + (Size) page->nitems * nitem;
		memset(picker->values, 0, sizeof(Value) * nitem);
	}
	if (*first != '{' || nitem == 0)
	{
		if (!scan_value(scan, true, item))
			return false;
		if (nitem > 0)
			deliver(picker, picker->paths->nodes, item);
	}
	else
	{
		if (!pick(picker, picker->paths->nodes))
			return false;
		*item = value_make(VALUE_JSON, first, (uint32) (scan->at - first));
	}
	page->nitems++;
	return true;
}

/* Read the array of items, with `at` on its bracket. */
static bool
read_items(PageReader *reader)
{
	JsonScan   *scan = reader->item.scan;

	reader->page->nitems = 0;	/* of a repeated key the last counts */
	scan->at++;
	if (scan_space(scan) && *scan->at == ']')
	{
		scan->at++;
		return true;
	}
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (!scan_space(scan))
			return scan_unexpected(scan);
		if (!read_item(reader))
			return false;
		if (scan_space(scan) && *scan->at == ']')
		{
			scan->at++;
			return true;
		}
		if (!scan_expect(scan, ','))
			return false;
	}
}

/* The paths of the envelope, and as the last one that of the items. */
static JsonPaths *
compile_envelope(const JsonShape *shape)
{
	int			n = shape->envelope ? shape->nenvelope : 0;
	const char **paths = palloc(sizeof(char *) * (n + 1));

	for (int i = 0; i < n; i++)
		paths[i] = shape->envelope->paths[i];
	paths[n] = shape->items_path;
	return json_paths_compile(paths, n + 1);
}

/* The node where the last path of the envelope ends. */
static const PathNode *
find_items_node(const JsonPaths *paths)
{
	for (const PathNode *node = paths->nodes;; node++)
	{
		for (int i = 0; i < node->own_targets; i++)
		{
			if (paths->targets[node->first_target + i] == paths->npaths - 1)
				return node;
		}
	}
}

bool
json_read_page(const char *data, Size len, const JsonShape *shape,
			   JsonPage *page, char **error)
{
	JsonScan	scan;
	JsonPaths  *envelope = compile_envelope(shape);
	Value	   *items;
	Picker		picker;
	PageReader	reader = {0};

	reader.shape = shape;
	reader.page = page;
	reader.capacity = INITIAL_ITEMS;
	memset(page, 0, sizeof(*page));
	page->envelope = palloc(sizeof(Value) * envelope->npaths);
	page->items = palloc(sizeof(Value) * reader.capacity);
	if (shape->nitem > 0)
		page->fields = MemoryContextAllocHuge(CurrentMemoryContext,
											  sizeof(Value) * reader.capacity * shape->nitem);

	/* One scanner under both pickers: the items are read on the way. */
	scan_init(&scan, data, data + len);
	picker = picker_make(&scan, envelope, page->envelope);
	picker.page = &reader;
	picker.items = find_items_node(envelope);
	reader.item.scan = &scan;
	if (shape->nitem > 0)
		reader.item = picker_make(&scan, shape->item, NULL);

	if (!pick_document(&picker))
	{
		*error = scan_message(&scan);
		return false;
	}

	/* A later member of the same name may have taken the array's place. */
	items = &page->envelope[envelope->npaths - 1];
	page->has_items = items->kind == VALUE_JSON && *items->data == '[';
	if (!page->has_items)
		page->nitems = 0;
	return true;
}
