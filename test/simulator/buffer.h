/*
 * buffer.h: a growing byte string, and the JSON reader of control requests
 */
#ifndef SIMULATOR_BUFFER_H
#define SIMULATOR_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Buffer
{
	char	   *data;			/* NUL-terminated where not NULL */
	size_t		len;
	size_t		size;
} Buffer;

/* A literal whose length the compiler knows. */
#define buf_lit(buf, literal) buf_add(buf, literal, sizeof(literal) - 1)

/* Make room for that many more bytes (and the NUL). Never fails: exits. */
extern void buf_grow(Buffer *buf, size_t more);
extern void buf_free(Buffer *buf);
extern void buf_clear(Buffer *buf);
extern void buf_printf(Buffer *buf, const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern void buf_int(Buffer *buf, int64_t value);

/* Append bytes (UTF-8) as a quoted JSON string. */
extern void buf_json(Buffer *buf, const char *text, size_t len);
extern void buf_json_str(Buffer *buf, const char *text);

/* Append base64url with padding, as Jira's page tokens are; and read it. */
extern void buf_base64url(Buffer *buf, const char *bytes, size_t len);
extern bool buf_base64_decode(Buffer *buf, const char *text, size_t len);

static inline void
buf_add(Buffer *buf, const char *bytes, size_t len)
{
	if (buf->len + len + 1 > buf->size)
		buf_grow(buf, len);
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

static inline void
buf_str(Buffer *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

static inline void
buf_char(Buffer *buf, char c)
{
	buf_add(buf, &c, 1);
}

typedef enum JsonType
{
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
} JsonType;

typedef struct Json
{
	JsonType	type;
	char	   *name;			/* of an object's member, else NULL */
	char	   *text;			/* a string decoded; other scalars as written */
	size_t		text_len;		/* a decoded string may contain a NUL */
	const char *raw;			/* the slice of the source text */
	size_t		raw_len;
	struct Json *child;			/* first element or member */
	struct Json *next;			/* next sibling */
} Json;

/*
 * Parse one JSON value, NULL if it is not one. The slices point into the
 * source, which must outlive the tree.
 */
extern Json *json_parse(const char *source, size_t len);
extern void json_free(Json *json);

/* The member of that name (the last, if repeated), or NULL. */
extern const Json *json_get(const Json *object, const char *name);

#endif
