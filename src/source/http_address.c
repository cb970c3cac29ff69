/*
 * http_address.c
 *		Which addresses lie inside the network of the database server, where a
 *		user of the database must not reach by way of resolute.
 *
 * Called back by libcurl after the name lookup and before the connect, so that
 * a name that resolves to a private address is caught as well.
 */
#include "source/http_private.h"

#include <netinet/in.h>
#include <sys/socket.h>

typedef struct AddressRange
{
	uint32		prefix;
	int			bits;
} AddressRange;

/* What the IANA registry of special-purpose IPv4 addresses does not call global. */
static const AddressRange private_ranges[] = {
	{0x00000000, 8},			/* 0.0.0.0/8: this host */
	{0x0a000000, 8},			/* 10.0.0.0/8: private */
	{0x64400000, 10},			/* 100.64.0.0/10: carrier-grade NAT */
	{0x7f000000, 8},			/* 127.0.0.0/8: loopback */
	{0xa9fe0000, 16},			/* 169.254.0.0/16: link-local, cloud metadata */
	{0xac100000, 12},			/* 172.16.0.0/12: private */
	{0xc0000000, 24},			/* 192.0.0.0/24: protocol assignments */
	{0xc0a80000, 16},			/* 192.168.0.0/16: private */
	{0xc6120000, 15},			/* 198.18.0.0/15: benchmarks */
	{0xe0000000, 3},			/* 224.0.0.0/3: multicast, reserved, broadcast */
};

/* Is an IPv4 address, in host byte order, private? */
static bool
is_private_v4(uint32 address)
{
	for (int i = 0; i < (int) lengthof(private_ranges); i++)
	{
		const AddressRange *range = &private_ranges[i];

		if ((address ^ range->prefix) >> (32 - range->bits) == 0)
			return true;
	}
	return false;
}

/* The IPv4 address in four bytes of a longer address. */
static uint32
embedded_v4(const uint8 *bytes)
{
	return (uint32) bytes[0] << 24 | (uint32) bytes[1] << 16 |
		(uint32) bytes[2] << 8 | bytes[3];
}

/* Is an IPv6 address private, or a private IPv4 address in disguise? */
static bool
is_private_v6(const uint8 *bytes)
{
	static const uint8 zeros[12] = {0};
	static const uint8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	static const uint8 translated[12] = {0, 0x64, 0xff, 0x9b};

	/* ::, ::1 and the obsolete v4-compatible ::a.b.c.d */
	if (memcmp(bytes, zeros, 12) == 0)
		return true;
	if (memcmp(bytes, mapped, 12) == 0 || memcmp(bytes, translated, 12) == 0)
		return is_private_v4(embedded_v4(bytes + 12));
	/* 64:ff9b:1::/48, translation within one network */
	if (memcmp(bytes, translated, 4) == 0)
		return true;
	/* 6to4 carries the address in the prefix, Teredo hides it: refuse that one. */
	if (bytes[0] == 0x20 && bytes[1] == 0x02)
		return is_private_v4(embedded_v4(bytes + 2));
	if (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0 && bytes[3] == 0)
		return true;
	/* fc00::/7 unique local, fe80::/10 link-local, fec0::/10, ff00::/8 multicast */
	return (bytes[0] & 0xfe) == 0xfc || bytes[0] == 0xff ||
		(bytes[0] == 0xfe && (bytes[1] & 0x80) != 0);
}

bool
http_address_is_private(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return is_private_v4(ntohl(((const struct sockaddr_in *) address)->sin_addr.s_addr));
	if (address->sa_family == AF_INET6)
		return is_private_v6(((const struct sockaddr_in6 *) address)->sin6_addr.s6_addr);
	return true;				/* a Unix socket, or something even odder */
}
