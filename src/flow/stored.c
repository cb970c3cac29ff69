/*
 * stored.c
 *		The storage of a stream's cursor: read before the cursor is opened, written
 *		after the commit that holds the rows.
 *
 * In the caller's transaction nothing of this run is written, since nobody can write
 * after its commit: the next run begins with that.
 */
#include "flow/stream.h"

#include "flow/unit.h"
#include "utils/memutils.h"

/* Unit: find the storage, and ask it if it is here. */
static void
find_unit(Run *run, void *arg)
{
	Stream	   *stream = arg;
	const CursorSpec *cursor = stream->fetch->cursor;
	StepContext context;

	step_context_push(&context, run->flow, stream->fetch);
	stream->storage = storage_open(cursor->storage, cursor->name, run->flow->owner);
	if (!storage_is_remote(stream->storage))
		stream->stored = storage_read(stream->storage);
	step_context_pop(&context);
}

/* Unit: ask a storage beyond the network. */
static void
read_unit(Run *run, void *arg)
{
	Stream	   *stream = arg;
	StepContext context;

	step_context_push(&context, run->flow, stream->fetch);
	stream->stored = storage_read(stream->storage);
	step_context_pop(&context);
}

bool
stream_read_storage(Run *run, Stream *stream)
{
	const CursorSpec *cursor = stream->fetch->cursor;

	if (cursor == NULL || cursor->storage == NULL || run->dry)
		return true;
	return run_unit(run, UNIT_DATABASE, stream->context, find_unit, stream) &&
		run_commit(run) &&
		(!storage_is_remote(stream->storage) ||
		 run_unit(run, UNIT_NETWORK, stream->context, read_unit, stream));
}

typedef struct WriteArg
{
	Stream	   *stream;
	const char *expected;
	const char *value;
} WriteArg;

/* Unit: write what is committed. */
static void
write_unit(Run *run, void *arg)
{
	WriteArg   *write = arg;
	const CursorSpec *cursor = write->stream->fetch->cursor;
	StepContext context;

	step_context_push(&context, run->flow, write->stream->fetch);
	if (!storage_write(write->stream->storage, write->expected, write->value))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("cursor \"%s\" was moved in storage \"%s\" by somebody else",
						cursor->name, cursor->storage),
				 errhint("Run the flow again: it goes on from there.")));
	step_context_pop(&context);
}

bool
stream_write_storage(Run *run, Stream *stream, bool opening)
{
	WriteArg	write = {stream, NULL, NULL};
	MemoryContext context;
	bool		remote;
	bool		written;

	if (stream->storage == NULL || run->preview || (run->atomic && !opening) ||
		!cursor_to_store(stream->cursor, opening, &write.expected, &write.value))
		return true;
	remote = storage_is_remote(stream->storage);
	context = AllocSetContextCreate(run->context, "resolute storage", ALLOCSET_SMALL_SIZES);
	written = run_unit(run, remote ? UNIT_NETWORK : UNIT_DATABASE, context, write_unit, &write) &&
		(remote || run_commit(run));
	MemoryContextDelete(context);
	if (written)
		cursor_is_stored(stream->cursor, write.value);
	else if (!opening)
		run->fatal = true;		/* the rows are stored: no handler may have the page */
	return written;
}
