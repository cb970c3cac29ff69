/*
 * chain.c
 *		Two transforms one after the other, for a step that needs both.
 */
#include "postgres.h"

#include "transform/transform.h"

typedef struct Chain
{
	Transform	base;			/* must be first */
	Transform  *first;			/* holds nothing back */
	Transform  *second;
} Chain;

static RowBatch *
chain_process(Transform *transform, RowBatch *in, PageContext *page, StepCounts *counts)
{
	Chain	   *self = (Chain *) transform;
	StepCounts	between = {0};

	in = self->first->process(self->first, in, page, &between);
	counts->failed += between.failed;
	return self->second->process(self->second, in, page, counts);
}

static void
chain_keep(Transform *transform)
{
	Chain	   *self = (Chain *) transform;

	if (self->first->keep)
		self->first->keep(self->first);
	if (self->second->keep)
		self->second->keep(self->second);
}

static void
chain_drop(Transform *transform)
{
	Chain	   *self = (Chain *) transform;

	if (self->first->drop)
		self->first->drop(self->first);
	if (self->second->drop)
		self->second->drop(self->second);
}

static RowBatch *
chain_finish(Transform *transform, PageContext *page)
{
	Chain	   *self = (Chain *) transform;

	return self->second->finish(self->second, page);
}

Transform *
chain_create(Transform *first, Transform *second)
{
	Chain	   *self = palloc0(sizeof(Chain));

	Assert(first->finish == NULL);
	self->base.step = second->step;
	self->base.fields = second->fields;
	self->base.process = chain_process;
	self->base.keep = chain_keep;
	self->base.drop = chain_drop;
	self->base.finish = second->finish ? chain_finish : NULL;
	self->first = first;
	self->second = second;
	return &self->base;
}
