/*
 * template_sql.c
 *		The template engine as plain functions: render, render_text, map_items.
 */
#include "postgres.h"

#include "access/xact.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "rows/batch.h"
#include "rows/json.h"
#include "transform/template.h"

PG_FUNCTION_INFO_V1(resolute_render);
PG_FUNCTION_INFO_V1(resolute_render_text);
PG_FUNCTION_INFO_V1(resolute_map_items);

/* The template of the last call, which is most often the one of the next. */
typedef struct TemplateCache
{
	MemoryContext context;
	text	   *source;
	Template   *tmpl;
} TemplateCache;

static Template *
cached_template(FunctionCallInfo fcinfo, text *source, TemplateMode mode)
{
	TemplateCache *cache = fcinfo->flinfo->fn_extra;
	MemoryContext previous;

	if (!cache)
	{
		cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(TemplateCache));
		cache->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "resolute template",
											   ALLOCSET_DEFAULT_SIZES);
		fcinfo->flinfo->fn_extra = cache;
	}
	if (cache->source && VARSIZE(cache->source) == VARSIZE(source) &&
		memcmp(VARDATA(cache->source), VARDATA(source), VARSIZE(source) - VARHDRSZ) == 0)
		return cache->tmpl;

	/* Forget the old one first, in case that the new one does not compile. */
	cache->source = NULL;
	MemoryContextReset(cache->context);
	previous = MemoryContextSwitchTo(cache->context);
	cache->tmpl = template_compile(text_to_cstring(source), mode);
	template_bind(cache->tmpl, NULL);
	cache->source = (text *) DatumGetTextPCopy(PointerGetDatum(source));
	MemoryContextSwitchTo(previous);
	return cache->tmpl;
}

/* A row that is the item and nothing else. */
static Row
row_of_jsonb(Jsonb *item)
{
	Row			row = {0};
	char	   *text = JsonbToCString(NULL, &item->root, VARSIZE(item));
	char	   *utf8 = pg_server_to_any(text, strlen(text), PG_UTF8);

	if (!json_document(utf8, strlen(utf8), &row.item))
		elog(ERROR, "jsonb is not JSON");
	return row;
}

/* What the template makes of the row, as jsonb. */
static Datum
rendered_jsonb(Template *tmpl, const Row *row)
{
	const FieldSet *columns = template_columns(tmpl);
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	StringInfoData out;
	Value		document;

	if (columns)
	{
		Row			mapped = {0};

		mapped.values = palloc(columns->nfields * sizeof(Value));
		template_row(tmpl, row, now, mapped.values);
		return row_jsonb(columns, &mapped);
	}
	initStringInfo(&out);
	template_render(tmpl, row, now, &out);
	if (!json_document(out.data, out.len, &document))
		elog(ERROR, "template made no JSON");
	return value_jsonb(&document);
}

Datum
resolute_render(PG_FUNCTION_ARGS)
{
	Template   *tmpl = cached_template(fcinfo, PG_GETARG_TEXT_P(0), TEMPLATE_JSON);
	Row			row = row_of_jsonb(PG_GETARG_JSONB_P(1));

	PG_RETURN_DATUM(rendered_jsonb(tmpl, &row));
}

Datum
resolute_render_text(PG_FUNCTION_ARGS)
{
	Template   *tmpl = cached_template(fcinfo, PG_GETARG_TEXT_P(0), TEMPLATE_TEXT);
	Row			row = row_of_jsonb(PG_GETARG_JSONB_P(1));
	StringInfoData out;
	char	   *text;

	initStringInfo(&out);
	template_render(tmpl, &row, GetCurrentTransactionStartTimestamp(), &out);
	text = pg_any_to_server(out.data, out.len, PG_UTF8);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(text, text == out.data ? out.len : (int) strlen(text)));
}

/* What map_items keeps from row to row. */
typedef struct MapItems
{
	Template   *tmpl;
	RowBatch   *items;
} MapItems;

Datum
resolute_map_items(PG_FUNCTION_ARGS)
{
	FuncCallContext *call;
	MapItems   *map;
	Datum		result;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext previous;

		call = SRF_FIRSTCALL_INIT();
		previous = MemoryContextSwitchTo(call->multi_call_memory_ctx);
		map = palloc(sizeof(MapItems));
		map->items = batch_from_jsonb_array(JsonbPGetDatum(PG_GETARG_JSONB_P_COPY(0)));
		map->tmpl = template_compile(text_to_cstring(PG_GETARG_TEXT_PP(1)), TEMPLATE_JSON);
		template_bind(map->tmpl, map->items->fields);
		call->user_fctx = map;
		MemoryContextSwitchTo(previous);
	}
	call = SRF_PERCALL_SETUP();
	map = call->user_fctx;
	if (call->call_cntr >= (uint64) map->items->nrows)
		SRF_RETURN_DONE(call);
	result = rendered_jsonb(map->tmpl, &map->items->rows[call->call_cntr]);
	SRF_RETURN_NEXT(call, result);
}
