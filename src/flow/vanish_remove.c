/*
 * vanish_remove.c
 *		Rows that the source no longer has: how many, are they gone, and off they
 *		go.
 */
#include "flow/vanish.h"

#include <math.h>

#include "flow/stream.h"
#include "flow/unit.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

/* So many vanished rows are asked about, one by one. */
#define SAMPLE_ISSUES 10

/* No site has more projects than this in sight of one flow. */
#define MAX_PROJECTS 10000

/* ------------------------------------------------------------------------
 * Comparison
 * ------------------------------------------------------------------------
 */

/* The streams whose rows go to the target, List of Stream *. */
static List *
streams_of(Run *run, const VanishTarget *target)
{
	List	   *streams = NIL;
	ListCell   *lc;
	ListCell   *root;

	foreach(lc, target->sinks)
	{
		foreach(root, ((Step *) lfirst(lc))->roots)
			streams = list_append_unique_ptr(streams, run_stream(run, lfirst(root)));
	}
	return streams;
}

/* Was everything read that the sources have for this target, whoever took it? */
static bool
was_read(Run *run, const VanishTarget *target)
{
	ListCell   *lc;

	foreach(lc, streams_of(run, target))
	{
		const Stream *stream = lfirst(lc);

		if (!stream_is_complete(stream) || stream->walk != NULL || stream->source == NULL)
			return false;
	}
	return true;
}

/*
 * Did every step that upserts into the target take part?  One that a condition has skipped has
 * shown its rows to no census, even where another step has read their source.
 */
static bool
was_fed(Run *run, const VanishTarget *target)
{
	ListCell   *lc;
	ListCell   *root;

	foreach(lc, target->sinks)
	{
		const Step *sink = lfirst(lc);

		foreach(root, sink->roots)
		{
			if (!stream_has_fed(run_stream(run, lfirst(root)), sink->leader))
				return false;
		}
	}
	return true;
}

/* Is the census of the target whole? */
static bool
is_whole(Run *run, const VanishTarget *target)
{
	return was_read(run, target) && was_fed(run, target);
}

/* Nothing may be missing from what the censuses were made of. */
static void
check_all_seen(Run *run, const Vanish *vanish)
{
	if (run->record.handled_errors > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("flow \"%s\" has handled errors, so that rows may be missing", run->flow->name),
				 errdetail("No row was removed.")));
	if (vanish->unknown > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg(INT64_FORMAT " items of flow \"%s\" failed before their keys were known",
						vanish->unknown, run->flow->name),
				 errdetail("No row was removed. The first error is: %s", vanish->unknown_error),
				 errhint("Mend the template so that it makes the key of every item.")));
}

/* Refuse to remove more than max_shrink allows. */
static void
check_shrink(const Run *run, const Vanish *vanish, const VanishTarget *target, int64 removed)
{
	if (removed <= vanish->max_shrink * target->result.stored)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the source no longer has " INT64_FORMAT " of " INT64_FORMAT " rows of table \"%s\"",
					removed, target->result.stored, target->name),
			 errdetail("At most %g %% of them may vanish at once. No row was removed.",
					   vanish->max_shrink * 100),
			 errhint("If they are gone indeed, raise the limit: CALL resolute.%s(%s, max_shrink => %.2g);",
					 vanish->procedure, quote_literal_cstr(run->flow->name),
					 Min(1.0, ceil(removed * 100.0 / target->result.stored) / 100))));
}

/* A source that has nothing at all is more often one that cannot be seen. */
static void
check_not_empty(const Run *run, const Vanish *vanish, const VanishTarget *target)
{
	if (census_count(target->census) > 0 || target->result.vanished == 0 || !vanish->check_access)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the source has no row at all for table \"%s\"", target->name),
			 errdetail("An account that has lost its permissions sees the same. No row was removed."),
			 errhint("If the source is empty indeed: CALL resolute.%s(%s, max_shrink => 1, check_access => false);",
					 vanish->procedure, quote_literal_cstr(run->flow->name))));
}

/* Texts of a column in UTF-8, while catalogs may be read. */
static List *
utf8_values(List *values)
{
	ListCell   *lc;

	foreach(lc, values)
		lfirst(lc) = pg_server_to_any(lfirst(lc), strlen(lfirst(lc)), PG_UTF8);
	return values;
}

/* Unit: how many rows are missing, and what are they called? */
static void
compare_unit(Run *run, void *arg)
{
	Vanish	   *vanish = arg;
	ListCell   *lc;

	check_all_seen(run, vanish);
	foreach(lc, vanish->targets)
	{
		VanishTarget *target = lfirst(lc);

		if (!is_whole(run, target))
			continue;
		census_compare(target->census, &target->result);
		check_not_empty(run, vanish, target);
		check_shrink(run, vanish, target, target->result.vanished);
		if (target->result.vanished == 0 || !vanish->check_access)
			continue;
		if (target->issue_column)
			target->issues = utf8_values(census_vanished(target->census, target->issue_column,
														 false, SAMPLE_ISSUES));
		if (target->project_column)
			target->projects = utf8_values(census_vanished(target->census, target->project_column,
														   target->project_prefix, MAX_PROJECTS));
	}
}

/* ------------------------------------------------------------------------
 * Proof
 * ------------------------------------------------------------------------
 */

/* A reason to doubt that the vanished rows are gone, or NULL. */
static char *
find_doubt(List *streams, const VanishTarget *target)
{
	ListCell   *lc;

	if (list_length(streams) == 1)
	{
		Source	   *source = ((Stream *) linitial(streams))->source;

		return source->doubt(source, target->projects, target->issues);
	}

	/* With several sources nobody knows which one a row is of: some must see its project. */
	foreach(lc, target->projects)
	{
		char	   *doubt = NULL;
		ListCell   *other;

		foreach(other, streams)
		{
			Source	   *source = ((Stream *) lfirst(other))->source;

			doubt = source->doubt(source, list_make1(lfirst(lc)), NIL);
			if (doubt == NULL)
				break;
		}
		if (doubt)
			return doubt;
	}
	return NULL;
}

/* Unit: ask the source about what is missing. */
static void
proof_unit(Run *run, void *arg)
{
	Vanish	   *vanish = arg;
	ListCell   *lc;

	foreach(lc, vanish->targets)
	{
		VanishTarget *target = lfirst(lc);
		char	   *doubt = NULL;

		if (target->projects != NIL || target->issues != NIL)
			doubt = find_doubt(streams_of(run, target), target);
		if (doubt)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("rows of table \"%s\" that the source did not show may not be gone", target->name),
					 errdetail("%s No row was removed.", doubt),
					 errhint("Check the permissions of the account. If the rows are gone indeed: CALL resolute.%s(%s, check_access => false);",
							 vanish->procedure, quote_literal_cstr(run->flow->name))));
	}
}

bool
vanish_check(Run *run)
{
	return run_unit(run, UNIT_DATABASE, run->context, compare_unit, run->job) &&
		run_commit(run) &&
		run_unit(run, UNIT_NETWORK, run->context, proof_unit, run->job);
}

/* ------------------------------------------------------------------------
 * Removal
 * ------------------------------------------------------------------------
 */

void
vanish_remove_unit(Run *run, void *arg)
{
	Vanish	   *vanish = arg;
	ListCell   *lc;

	run->record.deleted = 0;
	foreach(lc, vanish->targets)
	{
		VanishTarget *target = lfirst(lc);

		if (!is_whole(run, target))
			continue;
		census_compare(target->census, &target->result);
		check_shrink(run, vanish, target, target->result.vanished);
		target->removed = census_remove(target->census, &target->restored);
		check_shrink(run, vanish, target, target->removed);
		run->record.deleted += target->removed;
	}
}

void
vanish_report(Run *run)
{
	Vanish	   *vanish = run->job;
	ListCell   *lc;

	foreach(lc, vanish->targets)
	{
		VanishTarget *target = lfirst(lc);

		if (!was_read(run, target))
			ereport(NOTICE,
					(errmsg("table \"%s\" was left alone: the flow did not read its source", target->name)));
		else if (!was_fed(run, target))
			ereport(NOTICE,
					(errmsg("table \"%s\" was left alone: the flow skipped a step that upserts into it",
							target->name)));
		else
			ereport(NOTICE,
					(errmsg("table \"%s\": " INT64_FORMAT " of " INT64_FORMAT
							" rows are not in the source any more, " INT64_FORMAT " are back",
							target->name, target->removed, target->result.stored, target->restored)));
	}
}
