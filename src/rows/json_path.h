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

/* A bit that tells most keys from each other without comparing them. */
static inline uint64
path_filter(const char *key, uint32 len)
{
	unsigned char last = len > 0 ? key[len - 1] : 0;
	unsigned char first = len > 0 ? key[0] : 0;

	return UINT64CONST(1) << ((len * 5 + last + first * 3) % 64);
}

/* path_child() for a key that passed the filter, or holds escapes. */
extern const PathNode *path_find_child(const JsonPaths *paths, const PathNode *node,
									   const Value *key);

/* The child of a node that a key (between its quotes) leads to, or NULL. */
static inline const PathNode *
path_child(const JsonPaths *paths, const PathNode *node, const Value *key)
{
	if (likely((node->child_filter & path_filter(key->data, key->len)) == 0 &&
			   (key->flags & VALUE_ESCAPED) == 0))
		return NULL;
	return path_find_child(paths, node, key);
}

#endif							/* RESOLUTE_JSON_PATH_H */
