/*
 * json_scan.c
 *		Classification of blocks, and values read with its help.
 */
#include "postgres.h"

#include "port/pg_bswap.h"

#include "resolute.h"
#include "rows/json_escape.h"
#include "rows/json_scan.h"

#define UTF8_BOM "\xEF\xBB\xBF"

/* The bits of one block before it is known what is inside a string. */
typedef struct BlockBits
{
	uint64		quotes;
	uint64		backslashes;
	uint64		opens;
	uint64		closes;
} BlockBits;

#define BYTES(c) (~UINT64CONST(0) / 0xFF * (c))

/* A bit for each byte of the word that is c; the first byte has the lowest. */
static inline uint64
matches(uint64 word, uint8 c)
{
	uint64		differ = word ^ BYTES(c);
	uint64		high;

	/* The high bit of each byte that does not differ, ... */
	high = ~(((differ & BYTES(0x7F)) + BYTES(0x7F)) | differ) & BYTES(0x80);
	/* ... collected in the highest byte by one multiplication. */
	return ((high >> 7) * UINT64CONST(0x0102040810204080)) >> 56;
}

/* Classify 64 bytes, eight at a time, in plain arithmetic. */
static void
classify_portable(const char *bytes, BlockBits *bits)
{
	for (int i = 0; i < JSON_BLOCK; i += sizeof(uint64))
	{
		uint64		word;
		uint64		folded;

		memcpy(&word, bytes + i, sizeof(word));
#ifdef WORDS_BIGENDIAN
		word = pg_bswap64(word);
#endif
		/* Setting bit 5 makes { of [ and } of ], and of nothing else. */
		folded = word | BYTES(0x20);
		bits->quotes |= matches(word, '"') << i;
		bits->backslashes |= matches(word, '\\') << i;
		bits->opens |= matches(folded, '{') << i;
		bits->closes |= matches(folded, '}') << i;
	}
}

#ifndef USE_NO_SIMD

/*
 * Classify 64 bytes, a vector at a time.  Compilers leave loops rolled up, and arrays in
 * memory: so it is written out.
 */
static inline void
classify_vector(const char *bytes, BlockBits *bits)
{
	const Vector8 fold = vector8_broadcast(0x20);
	const uint8 *at = (const uint8 *) bytes;
	Vector8		a,
				b,
				c,
				d,
				wanted;

	StaticAssertStmt(4 * sizeof(Vector8) == JSON_BLOCK, "a block is four vectors");
	vector8_load(&a, at);
	vector8_load(&b, at + sizeof(Vector8));
	vector8_load(&c, at + 2 * sizeof(Vector8));
	vector8_load(&d, at + 3 * sizeof(Vector8));

#define BITS_EQUAL(byte) \
	(wanted = vector8_broadcast(byte), \
	 (uint64) vector8_highbit_mask(vector8_eq(a, wanted)) | \
	 (uint64) vector8_highbit_mask(vector8_eq(b, wanted)) << 16 | \
	 (uint64) vector8_highbit_mask(vector8_eq(c, wanted)) << 32 | \
	 (uint64) vector8_highbit_mask(vector8_eq(d, wanted)) << 48)
	bits->quotes = BITS_EQUAL('"');

	/* Most blocks have no backslash. */
	wanted = vector8_broadcast('\\');
	if (unlikely(vector8_is_highbit_set(vector8_or(vector8_or(vector8_eq(a, wanted), vector8_eq(b, wanted)),
												   vector8_or(vector8_eq(c, wanted), vector8_eq(d, wanted))))))
		bits->backslashes = BITS_EQUAL('\\');

	/* Setting bit 5 makes { of [ and } of ], and of nothing else. */
	a = vector8_or(a, fold);
	b = vector8_or(b, fold);
	c = vector8_or(c, fold);
	d = vector8_or(d, fold);
	bits->opens = BITS_EQUAL('{');
	bits->closes = BITS_EQUAL('}');
#undef BITS_EQUAL
}

#endif

/* The bytes that a backslash makes literal; *carry goes from block to block. */
static inline uint64
escaped_bytes(uint64 backslashes, uint64 *carry)
{
	uint64		escaped = *carry;

	/* An escaped backslash escapes nothing. */
	backslashes &= ~*carry;
	*carry = 0;
	while (backslashes != 0)
	{
		int			i = pg_rightmost_one_pos64(backslashes);

		if (i == JSON_BLOCK - 1)
			*carry = 1;
		else
			escaped |= UINT64CONST(2) << i;
		backslashes &= ~(UINT64CONST(3) << i);
	}
	return escaped;
}

/* Each bit becomes the parity of the bits up to and including it. */
static inline uint64
prefix_xor(uint64 bits)
{
	bits ^= bits << 1;
	bits ^= bits << 2;
	bits ^= bits << 4;
	bits ^= bits << 8;
	bits ^= bits << 16;
	bits ^= bits << 32;
	return bits;
}

/* Classify the 64 bytes as the block that begins at `block`. */
static inline void
load_bytes(JsonScan *scan, const char *block, const char *bytes)
{
	BlockBits	bits = {0};
	uint64		strings;

#ifndef USE_NO_SIMD
	if (likely(!scan->portable))
		classify_vector(bytes, &bits);
	else
#endif
		classify_portable(bytes, &bits);

	if (unlikely((bits.backslashes | scan->escaped) != 0))
		bits.quotes &= ~escaped_bytes(bits.backslashes, &scan->escaped);
	strings = prefix_xor(bits.quotes) ^ scan->in_string;

	scan->block = block;
	scan->quotes = bits.quotes;
	scan->backslashes = bits.backslashes;
	scan->opens = bits.opens & ~strings;
	scan->closes = bits.closes & ~strings;
	scan->in_string = (strings >> (JSON_BLOCK - 1)) ? ~UINT64CONST(0) : 0;
}

/* The last block is filled up with spaces, which mean nothing. */
static pg_noinline void
load_last(JsonScan *scan, const char *block)
{
	char		padded[JSON_BLOCK];

	memset(padded, ' ', JSON_BLOCK);
	memcpy(padded, block, scan->end - block);
	load_bytes(scan, block, padded);
}

void
scan_load(JsonScan *scan, const char *block)
{
	if (likely(scan->end - block >= JSON_BLOCK))
		load_bytes(scan, block, block);
	else
		load_last(scan, block);
}

void
scan_init(JsonScan *scan, const char *data, const char *end)
{
	memset(scan, 0, sizeof(*scan));
	scan->start = scan->at = data;
	scan->end = end;
	scan->portable = (resolute_json_scan == JSON_SCAN_SCALAR);
	scan_load(scan, data);
}

bool
scan_begin(JsonScan *scan)
{
	/* Lengths in a Value have 32 bits. */
	if (scan->end - scan->at > (int64) PG_UINT32_MAX)
		return scan_fail(scan, "document too long", scan->at + PG_UINT32_MAX);
	if (scan->end - scan->at >= 3 && memcmp(scan->at, UTF8_BOM, 3) == 0)
		scan->at += 3;
	return scan_space(scan) || scan_unexpected(scan);
}

/* Number of ones; the compiler's own would be a call for baseline x86-64. */
static inline int
count_bits(uint64 bits)
{
	bits -= (bits >> 1) & UINT64CONST(0x5555555555555555);
	bits = (bits & UINT64CONST(0x3333333333333333)) +
		((bits >> 2) & UINT64CONST(0x3333333333333333));
	bits = (bits + (bits >> 4)) & UINT64CONST(0x0f0f0f0f0f0f0f0f);
	return (int) ((bits * UINT64CONST(0x0101010101010101)) >> 56);
}

/* With `at` on an opening bracket, move behind the one that closes it. */
static bool
scan_container(JsonScan *scan)
{
	int64		depth = 0;

	while (scan_reach(scan))
	{
		uint64		from = ~UINT64CONST(0) << (scan->at - scan->block);
		uint64		opens = scan->opens & from;
		uint64		closes = scan->closes & from;
		int			nclosed = count_bits(closes);

		if (nclosed < depth)
		{
			/* It cannot end in this block, whatever the order of brackets. */
			depth += count_bits(opens) - nclosed;
		}
		else
		{
			for (uint64 brackets = opens | closes; brackets != 0; brackets &= brackets - 1)
			{
				if ((opens & brackets & -brackets) != 0)
					depth++;
				else if (--depth == 0)
				{
					scan->at = scan->block + pg_rightmost_one_pos64(brackets) + 1;
					return true;
				}
			}
		}
		scan->at = scan->block + JSON_BLOCK;
	}
	scan->at = scan->end;
	return scan_fail(scan, "unexpected end of input", scan->end);
}

/* Skip digits; false if there is none. */
static inline bool
scan_digits(JsonScan *scan)
{
	const char *first = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return scan->at > first;
}

/* Skip a number by the grammar of RFC 8259. */
static bool
scan_number(JsonScan *scan)
{
	if (*scan->at == '-')
		scan->at++;
	if (scan->at < scan->end && *scan->at == '0')
		scan->at++;
	else if (!scan_digits(scan))
		return scan_unexpected(scan);
	if (scan->at < scan->end && *scan->at == '.')
	{
		scan->at++;
		if (!scan_digits(scan))
			return scan_unexpected(scan);
	}
	if (scan->at < scan->end && (*scan->at | 0x20) == 'e')
	{
		scan->at++;
		if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
			scan->at++;
		if (!scan_digits(scan))
			return scan_unexpected(scan);
	}
	return true;
}

/* Skip true, false or null. */
static inline bool
scan_literal(JsonScan *scan, const char *literal, Size len)
{
	if ((Size) (scan->end - scan->at) < len || memcmp(scan->at, literal, len) != 0)
	{
		/* Point at the first byte that differs. */
		while (scan->at < scan->end && *scan->at == *literal)
			scan->at++, literal++;
		return scan_unexpected(scan);
	}
	scan->at += len;
	return true;
}

bool
scan_value(JsonScan *scan, bool strict, Value *value)
{
	const char *first = scan->at;
	ValueKind	kind;
	bool		ok;

	if (first >= scan->end)
		return scan_unexpected(scan);
	switch (*first)
	{
		case '"':
			scan->at++;
			if (!scan_string(scan, value))
				return false;
			if (strict && (first = json_string_fault(value)) != NULL)
				return scan_fail(scan, "invalid string", first);
			return true;
		case '{':
		case '[':
			kind = VALUE_JSON;
			ok = scan_container(scan);
			break;
		case 'n':
			kind = VALUE_NULL;
			ok = scan_literal(scan, "null", 4);
			break;
		case 't':
			kind = VALUE_BOOL;
			ok = scan_literal(scan, "true", 4);
			break;
		case 'f':
			kind = VALUE_BOOL;
			ok = scan_literal(scan, "false", 5);
			break;
		default:
			kind = VALUE_NUMBER;
			ok = scan_number(scan);
	}
	*value = value_make(kind, first, (uint32) (scan->at - first));
	return ok;
}

char *
scan_message(const JsonScan *scan)
{
	return psprintf("%s at byte %zu", scan->reason,
					(Size) (scan->reason_at - scan->start));
}
