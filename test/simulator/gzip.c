/*
 * gzip.c: compresses runs of equal bytes, and nothing else (RFC 1951, 1952)
 *
 * Enough to see that a client asks for compression and undoes it, and to send
 * it a megabyte of blanks as one kilobyte, without depending on zlib. One
 * block with the fixed Huffman codes; a run is a match at distance 1.
 */
#include "gzip.h"

#define MAX_MATCH		258
#define END_OF_BLOCK	256
#define CODE_OF_258		285

typedef struct BitWriter
{
	Buffer	   *out;
	uint32_t	bits;
	int			count;
} BitWriter;

/* Append bits, the least significant first. */
static void
put_bits(BitWriter *writer, uint32_t bits, int count)
{
	writer->bits |= bits << writer->count;
	writer->count += count;
	while (writer->count >= 8)
	{
		buf_char(writer->out, writer->bits & 0xff);
		writer->bits >>= 8;
		writer->count -= 8;
	}
}

/* Huffman codes go the most significant bit first. */
static void
put_code(BitWriter *writer, uint32_t code, int count)
{
	for (int i = count - 1; i >= 0; i--)
		put_bits(writer, code >> i & 1, 1);
}

/* Append a literal or length symbol in the fixed code. */
static void
put_symbol(BitWriter *writer, int symbol)
{
	if (symbol < 144)
		put_code(writer, 0x30 + symbol, 8);
	else if (symbol < 256)
		put_code(writer, 0x190 + symbol - 144, 9);
	else if (symbol < 280)
		put_code(writer, symbol - 256, 7);
	else
		put_code(writer, 0xc0 + symbol - 280, 8);
}

static uint32_t
crc32(const char *bytes, size_t len)
{
	static uint32_t table[256];
	uint32_t	crc = 0xffffffff;

	for (uint32_t i = 0; i < 256 && table[255] == 0; i++)
	{
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
	}
	for (size_t i = 0; i < len; i++)
		crc = crc >> 8 ^ table[(crc ^ (unsigned char) bytes[i]) & 0xff];
	return ~crc;
}

static void
put_int32(Buffer *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		buf_char(out, value >> (8 * i) & 0xff);
}

void
gzip(Buffer *out, const char *bytes, size_t len)
{
	static const char header[] = {0x1f, (char) 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	BitWriter	writer = {out, 0, 0};
	size_t		at = 0;

	buf_add(out, header, sizeof(header));
	put_bits(&writer, 1, 1);	/* the last block */
	put_bits(&writer, 1, 2);	/* fixed codes */
	while (at < len)
	{
		size_t		run = 0;

		while (at > 0 && run < MAX_MATCH && at + run < len &&
			   bytes[at + run] == bytes[at - 1])
			run++;
		if (run == MAX_MATCH)
		{
			put_symbol(&writer, CODE_OF_258);
			put_code(&writer, 0, 5);	/* distance 1 */
			at += run;
		}
		else
			put_symbol(&writer, (unsigned char) bytes[at++]);
	}
	put_symbol(&writer, END_OF_BLOCK);
	if (writer.count > 0)
		put_bits(&writer, 0, 8 - writer.count);
	put_int32(out, crc32(bytes, len));
	put_int32(out, len);
}
