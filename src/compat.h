/*
 * compat.h
 *		Every difference between PostgreSQL 13 to 18, and between versions of
 *		libcurl, that resolute has to know about.
 */
#ifndef RESOLUTE_COMPAT_H
#define RESOLUTE_COMPAT_H

#if PG_VERSION_NUM < 130000
#error "resolute needs PostgreSQL 13 or later"
#endif

/* 15 renamed EmitWarningsOnPlaceholders. */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif

#endif							/* RESOLUTE_COMPAT_H */
