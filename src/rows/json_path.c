/*
 * json_path.c
 *		Compiles dotted paths into a tree of keys.
 */
#include "postgres.h"

#include "rows/json_path.h"

/* A tree under construction: nodes in the order in which they were met. */
typedef struct PathBuilder
{
	PathNode   *nodes;
	int			nnodes;
	int		   *ends;			/* for each path, the node where it ends */
} PathBuilder;

/* The child with this key, appended after its siblings if there is none. */
static int
add_child(PathBuilder *builder, int parent, const char *key, uint32 len)
{
	int		   *link = &builder->nodes[parent].first_child;
	PathNode   *node;

	while (*link != 0)
	{
		node = &builder->nodes[*link];
		if (node->len == len && memcmp(node->key, key, len) == 0)
			return *link;
		link = &node->next_sibling;
	}
	*link = builder->nnodes++;
	node = &builder->nodes[*link];
	node->key = key;
	node->len = len;
	node->tag = path_tag(key, len);
	builder->nodes[parent].child_filter |= path_filter(node->tag);
	return *link;
}

/* Add a path key by key; "" is the document itself.  Returns its last node. */
static int
add_path(PathBuilder *builder, const char *path, int *depth)
{
	int			node = 0;

	*depth = 0;
	if (*path == '\0')
		return node;
	for (;;)
	{
		Size		len = strcspn(path, ".");

		node = add_child(builder, node, path, (uint32) len);
		(*depth)++;
		if (path[len] == '\0')
			return node;
		path += len + 1;
	}
}

/* More keys than this the paths cannot have together, and the root. */
static int
count_keys(const char *const *paths, int n)
{
	int			count = 1;

	for (int i = 0; i < n; i++)
	{
		count++;
		for (const char *c = paths[i]; *c != '\0'; c++)
			count += (*c == '.');
	}
	return count;
}

/*
 * Number the targets in depth-first order.  The way back up is kept in
 * `parents`, so that the length of a path costs no stack.
 */
static void
number_targets(JsonPaths *paths, const PathBuilder *builder)
{
	int		   *parents = palloc0(sizeof(int) * builder->nnodes);
	int			ntargets = 0;
	int			at = 0;

	for (;;)
	{
		PathNode   *node = &paths->nodes[at];

		/* Going down: the node's own targets first. */
		node->first_target = ntargets;
		for (int i = 0; i < paths->npaths; i++)
		{
			if (builder->ends[i] == at)
				paths->targets[ntargets++] = i;
		}
		node->own_targets = ntargets - node->first_target;
		if (node->first_child != 0)
		{
			parents[node->first_child] = at;
			at = node->first_child;
			continue;
		}

		/* Going up, until there is somewhere else to go down. */
		for (;;)
		{
			paths->nodes[at].end_target = ntargets;
			if (at == 0)
			{
				pfree(parents);
				return;
			}
			if (paths->nodes[at].next_sibling != 0)
				break;
			at = parents[at];
		}
		parents[paths->nodes[at].next_sibling] = parents[at];
		at = paths->nodes[at].next_sibling;
	}
}

JsonPaths *
json_paths_compile(const char *const *paths, int n)
{
	JsonPaths  *compiled = palloc0(sizeof(JsonPaths));
	PathBuilder builder = {0};

	builder.nodes = palloc0(sizeof(PathNode) * count_keys(paths, n));
	builder.nnodes = 1;
	builder.ends = palloc0(sizeof(int) * Max(n, 1));

	compiled->npaths = n;
	compiled->paths = palloc0(sizeof(char *) * Max(n, 1));
	compiled->targets = palloc0(sizeof(int) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		int			depth;

		/* Our own copy: the keys of the nodes point into it. */
		compiled->paths[i] = pstrdup(paths[i]);
		builder.ends[i] = add_path(&builder, compiled->paths[i], &depth);
		compiled->depth = Max(compiled->depth, depth);
	}
	compiled->nodes = builder.nodes;
	number_targets(compiled, &builder);
	pfree(builder.ends);
	return compiled;
}

const PathNode *
path_find_escaped(const JsonPaths *paths, const PathNode *node, const Value *key)
{
	Value		plain = value_unescaped(key);
	const PathNode *found = path_child(paths, node, &plain);

	pfree(unconstify(char *, plain.data));
	return found;
}
