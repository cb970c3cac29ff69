/*
 * preview.c
 *		preview_flow(): what a flow would do with the first rows, writing
 *		nothing.
 */
#include "flow/run.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "flow/pass.h"
#include "flow/store.h"
#include "flow/stream.h"
#include "flow/unit.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "resolute.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(resolute_preview_flow);

#define PREVIEW_COLUMNS 4

typedef struct Preview
{
	Run		   *run;
	ReturnSetInfo *result;
	int			limit;			/* rows of each source */
	Stream	   *stream;
	SourcePage *page;
} Preview;

/* By UpsertVerdict. */
static const char *const verdicts[] = {
	"insert", "update", "unchanged", "stale", "duplicate", "dead"
};

static void
put_row(Preview *preview, const char *step, const char *verdict, Datum item, const char *error)
{
	Datum		values[PREVIEW_COLUMNS];
	bool		nulls[PREVIEW_COLUMNS] = {false, false, false, error == NULL};

	values[0] = CStringGetTextDatum(step);
	values[1] = CStringGetTextDatum(verdict);
	values[2] = item;
	values[3] = error ? CStringGetTextDatum(error) : (Datum) 0;
	tuplestore_putvalues(preview->result->setResult, preview->result->setDesc, values, nulls);
}

/* The rows of a sink, each with what would become of it. */
static void
put_sink(Preview *preview, Step *sink, RowBatch *batch, PageContext *page)
{
	Upsert	   *upsert = step_state(preview->run, sink)->upsert;
	UpsertVerdict *found = palloc0(sizeof(UpsertVerdict) * Max(batch->nrows, 1));

	if (upsert)
		upsert_preview(upsert, batch, page, found);
	for (int i = 0; i < batch->nrows; i++)
	{
		if (upsert && found[i] == VERDICT_DEAD)
			continue;			/* see put_failures() */
		put_row(preview, sink->name, upsert ? verdicts[found[i]] : "call",
				row_jsonb(batch->fields, &batch->rows[i]), NULL);
	}
}

static void
put_failures(Preview *preview, PageContext *page)
{
	ListCell   *lc;

	foreach(lc, page->failures)
	{
		RowFailure *failure = lfirst(lc);

		put_row(preview, failure->step, verdicts[VERDICT_DEAD], value_jsonb(&failure->item),
				psprintf("%s (SQLSTATE %s)", failure->message,
						 unpack_sql_state(failure->sqlerrcode)));
	}
}

/* What has come to the sinks of a pass. */
static void
put_pass(Preview *preview, const Pass *pass, PageContext *page, RowBatch **batches)
{
	for (int i = 0; i < pass->nsteps; i++)
	{
		Step	   *step = pass->steps[i];

		if (step_is_sink(step) && batches[step->number - 1])
			put_sink(preview, step, batches[step->number - 1], page);
	}
}

/* What steps have held back until the end of the page, which is all there is. */
static void
put_rest(Preview *preview, Pass *pass, PageContext *page)
{
	for (int i = 0; i < pass->nsteps; i++)
	{
		Transform  *transform = pass->transforms[i];
		RowBatch   *batch;

		if (transform && transform->keep)
			transform->keep(transform);
		while (transform && transform->finish && (batch = transform->finish(transform, page)))
		{
			RowBatch  **batches = palloc0(sizeof(RowBatch *) * list_length(preview->run->flow->all));

			pass_page(preview->run, pass, pass->steps[i], batch, page, batches);
			put_pass(preview, pass, page, batches);
		}
	}
}

/* Unit: a page through all passes of its source. */
static void
preview_unit(Run *run, void *arg)
{
	Preview    *preview = arg;
	ListCell   *lc;

	foreach(lc, run->flow->all)
	{
		RowBatch  **batches = palloc0(sizeof(RowBatch *) * list_length(run->flow->all));
		Step	   *sink = lfirst(lc);
		const Step *fetch = preview->stream->fetch;
		PageContext page = {CurrentMemoryContext, GetCurrentTimestamp(), NIL, fetch->name};
		Pass	   *pass;

		if (sink->leader != sink || !pass_reads(run, sink, fetch))
			continue;
		pass = pass_begin(run, sink);
		pass_page(run, pass, fetch, preview->page->batch, &page, batches);
		put_pass(preview, pass, &page, batches);
		put_rest(preview, pass, &page);
		put_failures(preview, &page);
	}
}

/* Read the first rows of one source and show what becomes of them. */
static bool
preview_stream(Preview *preview, Stream *stream)
{
	MemoryContext context;
	bool		has_rows;
	bool		done;

	preview->stream = stream;
	if (!stream_has_rows(preview->run, stream, &has_rows))
		return false;
	if (!has_rows)
		return true;
	if (!stream_next(preview->run, stream, &preview->page, &context))
		return false;
	preview->page->batch->nrows = Min(preview->page->batch->nrows, preview->limit);
	done = run_unit(preview->run, UNIT_DATABASE, context, preview_unit, preview);
	if (stream->fetch->manual)
		stream_close(stream);
	else
		MemoryContextDelete(context);
	return done;
}

/* Is it read by an error handler only? */
static bool
is_for_errors(const Stream *stream)
{
	for (const Step *step = stream->fetch; step; step = step->parent)
	{
		if (step->handler > 0)
			return true;
	}
	return false;
}

/*
 * Preview all sources inside a subtransaction that is undone: a cursor that was never used
 * needs a row to look at.
 */
static void
preview_run(Preview *preview)
{
	MemoryContext old = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ListCell   *lc;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(old);
	if (run_prepare(preview->run))
	{
		/* A merge needs to know the fields of all its sources. */
		foreach(lc, preview->run->streams)
		{
			if (!stream_open(preview->run, lfirst(lc)))
				break;
		}
		foreach(lc, preview->run->streams)
		{
			if (preview->run->error || (!is_for_errors(lfirst(lc)) && !preview_stream(preview, lfirst(lc))))
				break;
		}
	}
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(old);
	CurrentResourceOwner = owner;
}

Datum
resolute_preview_flow(PG_FUNCTION_ARGS)
{
	Preview		preview = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_GETARG_INT32(1) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("preview_flow() needs the name of a flow and a number of rows greater than zero")));
	InitMaterializedSRF(fcinfo, 0);
	preview.result = (ReturnSetInfo *) fcinfo->resultinfo;
	preview.limit = PG_GETARG_INT32(1);
	SPI_connect();
	preview.run = run_create(text_to_cstring(PG_GETARG_TEXT_PP(0)),
							 run_no_input(), true);
	preview.run->preview = true;
	preview_run(&preview);
	if (preview.run->error)
		ReThrowError(preview.run->error);
	SPI_finish();
	return (Datum) 0;
}
