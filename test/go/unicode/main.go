// Writes src/transform/template_unicode.c: which characters Go's libraries
// take for printable (quoting, js) and for parts of an identifier (templates).
//
//	go run ./unicode >../../src/transform/template_unicode.c
package main

import (
	"fmt"
	"strconv"
	"unicode"
)

const head = `/*
 * template_unicode.c
 *		Which characters are printable, and which are letters or digits.
 *
 * Made from the tables of Go's unicode package (Unicode %s) by
 * test/go/unicode; do not edit.
 */
#include "postgres.h"

#include "transform/template_rune.h"

static const struct
{
	uint32		first;
	uint32		last;
	uint8		class;
}			ranges[] =
{
`

const tail = `};

/* Is a character beyond ASCII of this class? */
bool
unicode_is(uint32 rune, uint8 class)
{
	int			low = 0;
	int			high = lengthof(ranges) - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;

		if (rune < ranges[middle].first)
			high = middle - 1;
		else if (rune > ranges[middle].last)
			low = middle + 1;
		else
			return (ranges[middle].class & class) != 0;
	}
	return false;
}
`

func class(r rune) int {
	c := 0
	if strconv.IsPrint(r) {
		c |= 1
	}
	if unicode.IsLetter(r) || unicode.IsDigit(r) {
		c |= 2
	}
	return c
}

func main() {
	fmt.Printf(head, unicode.Version)
	n := 0
	for r := rune(0x80); r <= unicode.MaxRune; {
		c, first := class(r), r
		for r <= unicode.MaxRune && class(r) == c {
			r++
		}
		if c == 0 {
			continue
		}
		if n%4 == 0 {
			fmt.Print("\t")
		}
		fmt.Printf("{0x%X, 0x%X, %d},", first, r-1, c)
		n++
		if n%4 == 0 {
			fmt.Print("\n")
		} else {
			fmt.Print(" ")
		}
	}
	if n%4 != 0 {
		fmt.Print("\n")
	}
	fmt.Print(tail)
}
