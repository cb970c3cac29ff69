/*
 * json_path.h
 *		Wanted paths as a tree of keys.
 */
#ifndef RESOLUTE_JSON_PATH_H
#define RESOLUTE_JSON_PATH_H

#include "postgres.h"

#include "rows/json.h"

/*
 * A wanted key, or one on the way to a wanted key.  Nodes stand in depth-first
 * order, and so do the numbers of the paths that end at them (JsonPaths.targets):
 * those below a node follow its own.
 */
typedef struct PathNode
{
	/* The key */
	const char *key;
	uint32		len;
	uint32		tag;			/* path_tag() of it */

	/* Where it stands; indexes of nodes, 0 (the root) for none */
	int			first_child;
	int			next_sibling;
	uint64		child_filter;	/* path_filter() of all children, or-ed */

	/* Which values it fills: targets[first_target .. end_target - 1] */
	int			first_target;
	int			own_targets;	/* that many are the node itself */
	int			end_target;		/* ... and the others lie below it */
} PathNode;

struct JsonPaths
{
	int			npaths;
	const char **paths;			/* as written */
	PathNode   *nodes;			/* nodes[0] is the root */
	int		   *targets;
	int			depth;			/* keys of the longest path */
};

/* A number that tells most keys from each other: length, first and last byte. */
static inline uint32
path_tag(const char *key, uint32 len)
{
	return len == 0 ? 0 : len << 16 | (uint32) (unsigned char) key[0] << 8 |
		(unsigned char) key[len - 1];
}

/* One bit for each tag, for the filter of a node. */
static inline uint64
path_filter(uint32 tag)
{
	return UINT64CONST(1) << (tag * 0x9E3779B1U >> 26);
}

/* path_child() for a key that holds escapes. */
extern const PathNode *path_find_escaped(const JsonPaths *paths, const PathNode *node,
										 const Value *key);

/* The child of a node that a key (between its quotes) leads to, or NULL. */
static inline const PathNode *
path_child(const JsonPaths *paths, const PathNode *node, const Value *key)
{
	uint32		tag = path_tag(key->data, key->len);

	if (unlikely((key->flags & VALUE_ESCAPED) != 0))
		return path_find_escaped(paths, node, key);
	if (likely((node->child_filter & path_filter(tag)) == 0))
		return NULL;
	for (int i = node->first_child; i != 0; i = paths->nodes[i].next_sibling)
	{
		const PathNode *child = &paths->nodes[i];

		if (child->tag == tag && child->len == key->len &&
			memcmp(child->key, key->data, key->len) == 0)
			return child;
	}
	return NULL;
}

#endif							/* RESOLUTE_JSON_PATH_H */
