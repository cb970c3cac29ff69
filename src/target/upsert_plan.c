/*
 * upsert_plan.c
 *		The plan of the probe: through the key's unique index, whatever the
 *		statistics say.
 *
 * The plan is made once and used while the table grows.  What is cheapest for the table as the
 * statistics know it may be ruinous later: a sequential scan, a scan of the whole index in order,
 * another index that begins with one column of the key.  So while this one plan
 * is made, the planner is shown the key's index only, and as one without order.
 */
#include "postgres.h"

#include "nodes/pathnodes.h"
#include "optimizer/plancat.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/resowner.h"

#include "compat.h"
#include "target/upsert_internal.h"

static UpsertShape *planned = NULL; /* whose probe is being planned */
static get_relation_info_hook_type next_hook = NULL;

/* Is it a unique index on exactly the key?  Partitions may number columns differently. */
static bool
is_key_index(Oid relation, const IndexOptInfo *index)
{
	if (!index->unique || index->indpred != NIL || index->nkeycolumns != planned->nkeys)
		return false;
	for (int i = 0; i < index->nkeycolumns; i++)
	{
		const char *name = planned->columns[planned->keys[i].column].name;
		char	   *attribute;

		if (index->indexkeys[i] == 0)
			return false;
		attribute = get_attname(relation, index->indexkeys[i], true);
		if (attribute == NULL || strcmp(attribute, name) != 0)
			return false;
	}
	return true;
}

/* Hide all indexes but the key's, if the table has that one. */
static void
show_key_index(PlannerInfo *root, Oid relation, bool inhparent, RelOptInfo *rel)
{
	List	   *shown = NIL;
	ListCell   *lc;

	if (next_hook)
		next_hook(root, relation, inhparent, rel);
	if (relation != planned->relation && rel->reloptkind != RELOPT_OTHER_MEMBER_REL)
		return;
	foreach(lc, rel->indexlist)
	{
		IndexOptInfo *index = lfirst(lc);

		if (is_key_index(relation, index))
		{
			index->sortopfamily = NULL;
			shown = lappend(shown, index);
		}
	}
	if (shown != NIL)
		rel->indexlist = shown;
}

void
upsert_set_locally(const char *setting, const char *value)
{
	(void) set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * See to it that the probe has such a plan.  Settings and hook are gone when a
 * plan is rebuilt, so this is done before each execution; it costs little
 * while the plan is valid.
 */
void
upsert_plan_probe(UpsertShape *shape)
{
	static const char *const settings[][2] = {
		{"enable_seqscan", "off"}, {"enable_bitmapscan", "off"},
		{"enable_indexonlyscan", "off"}, {"enable_hashjoin", "off"},
		{"enable_mergejoin", "off"}, {"enable_indexscan", "on"},
		{"enable_nestloop", "on"}, {"jit", "off"}, {"plan_cache_mode", "auto"}
	};
	int			level = NewGUCNestLevel();
	UpsertShape *outer = planned;
	get_relation_info_hook_type outer_hook = next_hook;
	get_relation_info_hook_type hook = get_relation_info_hook;

	for (int i = 0; i < (int) lengthof(settings); i++)
		upsert_set_locally(settings[i][0], settings[i][1]);
	planned = shape;
	if (hook != show_key_index)
		next_hook = hook;
	get_relation_info_hook = show_key_index;
	PG_TRY();
	{
		CachedPlan *plan = SPI_plan_get_cached_plan(shape->probe);

		if (plan != NULL)
			ReleaseCachedPlanCompat(plan);
	}
	PG_FINALLY();
	{
		get_relation_info_hook = hook;
		next_hook = outer_hook;
		planned = outer;
	}
	PG_END_TRY();
	AtEOXact_GUC(true, level);
}
