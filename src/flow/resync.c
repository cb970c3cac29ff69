/*
 * resync.c
 *		CALL resync(): the flow from the beginning, and then the deletion of
 *		what did not come.
 *
 * A run as any other, except that its sources are read from their initial bounds and
 * that cursors move at the end only, in the transaction that removes the rows.
 */
#include "flow/vanish.h"

#include "executor/spi.h"
#include "flow/stream.h"
#include "flow/unit.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(resolute_resync);

/* Move the cursors of all sources that were read to their end. */
static void
finish_streams(Run *run)
{
	ListCell   *lc;

	foreach(lc, run->streams)
	{
		Stream	   *stream = lfirst(lc);

		if (stream->cursor && stream->source && stream_is_complete(stream))
			stream_finish_within(run, stream);
	}
}

/* Unit: everything that the end of a resync changes. */
static void
end_unit(Run *run, void *arg)
{
	vanish_remove_unit(run, arg);
	finish_streams(run);
}

/* The work of a resync, in place of run_execute(). */
static bool
resync_work(Run *run)
{
	ListCell   *lc;

	if (!run_unit(run, UNIT_DATABASE, run->context, vanish_prepare_unit, run->job) ||
		!run_commit(run) ||
		!run_steps(run, run->flow->steps) ||
		!vanish_check(run) ||
		!run_unit(run, UNIT_DATABASE, run->context, end_unit, run->job) ||
		!run_commit(run))
		return false;
	foreach(lc, run->streams)
	{
		stream_keep(lfirst(lc));
		if (!stream_write_storage(run, lfirst(lc), false))
			return false;
	}
	vanish_report(run);
	return true;
}

/* resync(flow, max_shrink, shared, check_access) */
Datum
resolute_resync(PG_FUNCTION_ARGS)
{
	bool		atomic = run_call_is_atomic(fcinfo);
	Vanish		vanish = {.procedure = "resync",.may_delete = true};
	Run		   *run;

	PreventCommandIfReadOnly("CALL resync()");
	vanish_arguments(&vanish, fcinfo, 1);
	SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC);
	run = run_create(text_to_cstring(PG_GETARG_TEXT_PP(0)), run_no_input(), atomic);
	run->record.kind = RUN_RESYNC;
	run->work = resync_work;
	run->job = &vanish;
	run->saw_rows = vanish_saw_rows;
	run_call(run);
	SPI_finish();
	PG_RETURN_VOID();
}
