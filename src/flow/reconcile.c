/*
 * reconcile.c
 *		CALL reconcile(): which rows does the source no longer have?
 *
 * The flow's rows without their contents: sources are asked only for what keys are
 * made of, and nothing reaches a sink but the census.
 */
#include "flow/vanish.h"

#include "executor/spi.h"
#include "flow/pass.h"
#include "flow/unit.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(resolute_reconcile);

/* Unit: begin the censuses, and leave out of the flow what they do not need. */
static void
prepare_unit(Run *run, void *arg)
{
	vanish_prepare_unit(run, arg);
	vanish_reduce(run);
}

/* Is there an upsert among the sinks that are fed together with this one? */
static bool
feeds_upsert(const Run *run, const Step *leader)
{
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		const Step *step = lfirst(lc);

		if (step->leader == leader && step->type->kind == STEP_UPSERT)
			return true;
	}
	return false;
}

/* Read all rows that upserts would be given, whatever block these stand in. */
static bool
read_sources(Run *run)
{
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		Step	   *step = lfirst(lc);

		if (step->leader == step && feeds_upsert(run, step) && !run_drain(run, step))
			return false;
	}
	return true;
}

/* The work of a reconciliation, in place of run_execute(). */
static bool
reconcile_work(Run *run)
{
	if (!run_unit(run, UNIT_DATABASE, run->context, prepare_unit, run->job) ||
		!run_commit(run) ||
		!read_sources(run) ||
		!vanish_check(run) ||
		!run_unit(run, UNIT_DATABASE, run->context, vanish_remove_unit, run->job) ||
		!run_commit(run))
		return false;
	vanish_report(run);
	return true;
}

/* reconcile(flow, delete, max_shrink, shared, check_access) */
Datum
resolute_reconcile(PG_FUNCTION_ARGS)
{
	bool		atomic = run_call_is_atomic(fcinfo);
	Vanish		vanish = {.procedure = "reconcile"};
	Run		   *run;

	PreventCommandIfReadOnly("CALL reconcile()");
	vanish_arguments(&vanish, fcinfo, 2);
	vanish.may_delete = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC);
	run = run_create(text_to_cstring(PG_GETARG_TEXT_PP(0)), run_no_input(), atomic);
	run->record.kind = RUN_RECONCILE;
	run->dry = true;
	run->work = reconcile_work;
	run->job = &vanish;
	run->saw_rows = vanish_saw_rows;
	run_call(run);
	SPI_finish();
	PG_RETURN_VOID();
}
