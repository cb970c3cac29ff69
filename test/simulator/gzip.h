/*
 * gzip.h: compresses runs of equal bytes, and nothing else
 */
#ifndef SIMULATOR_GZIP_H
#define SIMULATOR_GZIP_H

#include "buffer.h"

/* Append a gzip stream of the bytes. */
extern void gzip(Buffer *out, const char *bytes, size_t len);

#endif
