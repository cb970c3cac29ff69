/*
 * step.h
 *		The definition of a flow as a tree of steps.
 *
 * The builder functions of SQL describe a step as jsonb: {"step": kind, "as": name,
 * parameters ...}.  One table (step_types) says which parameters a kind has; parsing,
 * checking and flow_definition() all go by it.
 */
#ifndef RESOLUTE_STEP_H
#define RESOLUTE_STEP_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "rows/batch.h"
#include "transform/template.h"
#include "cursor/cursor.h"

#define STEP_MAX_PARAMS 12
#define FLOW_MAX_STEPS 1000		/* keeps a run's books and locks bounded */
#define FLOW_MAX_DEPTH 50

typedef enum StepKind
{
	STEP_FETCH,					/* source: yields rows */
	STEP_MAP,					/* rows to rows */
	STEP_UNIQUE,
	STEP_ROWS,					/* ... filter, sort and so on: see row_step.h */
	STEP_MERGE,
	STEP_UPSERT,				/* sink */
	STEP_NODE,					/* sink or action */
	STEP_SQL,					/* actions */
	STEP_EMIT_METRICS,
	STEP_NEXT_PAGE,
	STEP_DEAD_LETTER,			/* of a handler */
	STEP_WHEN,					/* blocks */
	STEP_WHILE,
	STEP_PARALLEL
} StepKind;

typedef enum ParamType
{
	PARAM_TEXT,
	PARAM_INT,
	PARAM_ROWS,					/* name of a step that yields rows */
	PARAM_ROWS_LIST,			/* JSON array of such names */
	PARAM_OUTPUT,				/* name of any step with an output */
	PARAM_CURSOR				/* what cursor_for() makes */
} ParamType;

typedef struct StepParam
{
	const char *name;
	ParamType	type;
	bool		required;
	bool		positional;		/* flow_definition() writes it without name => */
} StepParam;

typedef struct StepType
{
	const char *name;			/* of the builder function */
	StepKind	kind;
	const char *provider;		/* of a fetch step */
	StepParam	params[STEP_MAX_PARAMS];	/* ends with a NULL name */
} StepType;

/* What the wrappers around a step ask for (with_retry() and the like). */
typedef struct StepPolicy
{
	int			retry_attempts; /* in all; 0: not given */
	int64		retry_first_us; /* wait before the second one */
	int64		timeout_us;		/* 0: none */
	int64		rate_n;			/* so many in rate_per_us; 0: no limit */
	int64		rate_per_us;
	int64		max_failures;	/* -1: not given */
	int64		max_iterations; /* while; 0: not given */

	/* The intervals as they were written, for flow_definition(). */
	const char *retry_first;
	const char *timeout;
	const char *rate_per;
} StepPolicy;

typedef struct Step
{
	const StepType *type;
	int			number;			/* 1, 2, ... in the order they are written */
	const char *name;			/* of its output, or "upsert 3" without one */
	bool		named;
	Value		params[STEP_MAX_PARAMS];	/* as in type->params */
	StepPolicy	policy;			/* its own; see policy.h for what it inherits */
	List	   *children;		/* of a block: Step * */
	List	   *handlers;		/* of on_error(), innermost first: each a List
								 * of Step * */
	struct Step *parent;		/* the block that holds it, or the step whose
								 * error it handles; NULL for the outermost */
	int			handler;		/* of parent's handlers, counted from 1; 0 if
								 * it is among the parent's children */

	/* What checking the flow found out. */
	List	   *inputs;			/* of Step *: what PARAM_ROWS or PARAM_OUTPUT
								 * name, several for merge */
	struct Step *input;			/* the first of them, or NULL */
	List	   *roots;			/* the fetch steps its rows come from */
	struct Step *root;			/* the first of them, or NULL if it yields or
								 * takes no rows */
	bool		manual;			/* a fetch: paginate => 'manual' */
	bool		needs_spool;	/* a fetch: its rows are read more than once */
	bool		at_end;			/* a fetch: a step holds its rows back, so that
								 * its cursor moves when all are stored */
	bool		foreseen;		/* a condition asks for its rows before a sink
								 * has read them */
	bool		streams;		/* a node: other steps read the rows that its
								 * function returns for each row */
	struct Step *leader;		/* a sink: the first one of those that are fed
								 * together, page by page */
	bool		is_path;		/* when, while: the condition is a path */

	/* What flow_compile() made. */
	Template   *tmpl;			/* map; upsert of a source's rows: its columns */
	List	   *keys;			/* unique, upsert: of char * */
	bool		keep_first;		/* unique */
	CursorSpec *cursor;			/* fetch, or NULL */
	List	   *references;		/* fetch: what is read of its rows, of char * */
	bool		whole;			/* fetch: its rows are used as a whole, too */
	struct RowStep *rows;		/* of STEP_ROWS */
} Step;

/* A flow as it is stored. */
typedef struct Flow
{
	int			id;
	const char *name;
	Oid			owner;
	int			version;
	bool		enabled;
	int64		max_runtime_us; /* 0: no limit */
	int			max_failures;
	const char *queue;			/* NULL: in none */
	TimestampTz not_before;		/* 0: none */
	const char *cron;			/* NULL: manual */
	const char *label;			/* of a manual trigger, or NULL */
	Datum		trigger;		/* jsonb */
	Datum		definition;		/* jsonb array of steps */

	/* Parsed from the definition. */
	List	   *steps;			/* of Step *, outermost */
	List	   *all;			/* of Step *, all of them in the order written */
} Flow;

/*
 * Parse flow->definition into steps and check everything that can be known without
 * looking at the database: kinds, parameters, names, order.  Allocates in the
 * current context.  Raises 22023, 42704 (unknown step name) or 42710 (a name
 * twice), with the flow's name.
 */
extern void flow_parse(Flow *flow);

/* Raise 22023: what is wrong with the definition, and a hint or NULL. */
extern void flow_definition_error(const Flow *flow, const char *detail, const char *hint)
			pg_attribute_noreturn();

/* A parameter's text in the database's encoding, or NULL. */
extern char *step_text(const Step *step, const char *param);

/* A parameter that is an integer; fallback where it is absent. */
extern int64 step_int(const Step *step, const char *param, int64 fallback);

extern const Value *step_param(const Step *step, const char *param);

/* Does the step yield rows? */
static inline bool
step_yields_rows(const Step *step)
{
	return step->type->kind == STEP_FETCH || step->type->kind == STEP_MAP ||
		step->type->kind == STEP_UNIQUE || step->type->kind == STEP_MERGE ||
		step->type->kind == STEP_ROWS || step->streams;
}

/* Does it hold other steps? */
static inline bool
step_is_block(const Step *step)
{
	return step->type->kind == STEP_WHEN || step->type->kind == STEP_WHILE ||
		step->type->kind == STEP_PARALLEL;
}

/* Does it hold a page until next_page() asks for the next one? */
static inline bool
step_is_manual(const Step *step)
{
	return step->type->kind == STEP_FETCH && step->manual;
}

/* Does it take rows, page by page? */
static inline bool
step_is_sink(const Step *step)
{
	return step->type->kind == STEP_UPSERT ||
		(step->type->kind == STEP_NODE && step->root != NULL && !step->streams);
}

/* Does the step read (directly or not) from the other one? */
extern bool step_reads_from(const Step *step, const Step *other);

/* Is the step in this block, or in this handler (counted from 1) of a step? */
extern bool step_stands_in(const Step *step, const Step *block, int handler);

/* The step of that name among the steps written before "before", or NULL. */
extern Step *flow_find_step(const Flow *flow, const char *name, const Step *before);

/*
 * Check what goes together with what in a parsed flow: handlers, pages by hand, merges.
 * Raises 22023.
 */
extern void flow_check_rules(const Flow *flow);

/*
 * Check the conditions of a parsed flow, and decide which sinks are fed together
 * and which sources must be spooled.  Raises 42704 for an unknown path.
 */
extern void flow_analyze(Flow *flow);

/*
 * The step whose output a path condition looks at ("issues", "issues.count"),
 * or NULL where it looks at input, run, error or state; *rest is what follows the first
 * name, "" if nothing.
 */
extern Step *condition_step(const Flow *flow, const Step *when, const char **rest);

/* Does the condition of a block speak of the output of a step? */
extern bool step_mentions(const Flow *flow, const Step *when, const Step *step);

/*
 * Compile the templates, keys and cursors of a parsed flow, and find out what is
 * read of each source's rows.  Raises what template_compile() and
 * cursor_spec_from_json() raise, with the step as context, and 22023 where ${cursor} and cursor do
 * not go together.
 */
extern void flow_compile(Flow *flow);

/* Do the rows of the step stand for items of a source, or has a step made others of them? */
extern bool step_yields_items(const Step *step);

/*
 * Note that these fields (List of char *: references) are read of the rows of the step, or rows as a
 * whole, so that their sources ask for them.
 */
extern void step_read_fields(const Step *step, List *references, bool whole);

/* A template that makes the columns that a source's function has in SQL. */
extern char *source_template(const Step *fetch);

/*
 * Errors raised between these two get the context "step ... of flow ...".
 */
typedef struct StepContext
{
	ErrorContextCallback callback;
	const Flow *flow;
	const Step *step;
	int64		page;			/* 0: none */
	const Step *outer_step;
	int64		outer_page;
} StepContext;

extern void step_context_push(StepContext *context, const Flow *flow, const Step *step);
extern void step_context_set_page(StepContext *context, int64 page);
extern void step_context_pop(StepContext *context);

/* The step that is being worked on. */
typedef struct StepPlace
{
	const Step *step;			/* NULL: none */
	int64		page;			/* 0: none */
} StepPlace;

/*
 * Begin where no step is known yet; whoever catches an error before the end learns where it
 * was raised.  The end wants what begin returned.
 */
extern StepPlace step_place_begin(void);
extern StepPlace step_place(void);
extern void step_place_end(StepPlace outer);

#endif							/* RESOLUTE_STEP_H */
