\echo Use "CREATE EXTENSION resolute_unit" to load this file. \quit

-- Documents are bytea in UTF-8, whatever the encoding of the database; scan is "auto" or "scalar".

CREATE FUNCTION unit.pick(document bytea, paths text[], scan text DEFAULT 'auto', OUT error text, OUT picked jsonb[])
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_pick';
CREATE FUNCTION unit.read_page(document bytea, items_path text, envelope_paths text[], item_paths text[], scan text DEFAULT 'auto',
	OUT error text, OUT has_items boolean, OUT envelope jsonb[], OUT items jsonb[], OUT fields jsonb[])
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_read_page';
CREATE FUNCTION unit.rebuild(document bytea, scan text DEFAULT 'auto') RETURNS text
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_rebuild';
CREATE FUNCTION unit.validate(document bytea, scan text DEFAULT 'auto') RETURNS bigint
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_validate';
CREATE FUNCTION unit.valid_utf8(bytes bytea) RETURNS bytea
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_valid_utf8';
CREATE FUNCTION unit.disagreements(document bytea, paths text[], seed integer, flips integer) RETURNS integer
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_disagreements';
CREATE FUNCTION unit.throughput(document bytea, items_path text, paths text[], rounds integer, scan text) RETURNS float8
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_throughput';

CREATE FUNCTION unit.map_page(page text, items_path text, template text) RETURNS bigint LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_map_page';
CREATE FUNCTION unit.value_text(document bytea) RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'unit_value_text';
CREATE FUNCTION unit.value_cstring(document bytea) RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'unit_value_cstring';
CREATE FUNCTION unit.value_jsonb(document bytea) RETURNS jsonb LANGUAGE c AS 'MODULE_PATHNAME', 'unit_value_jsonb';
CREATE FUNCTION unit.value_plain(document bytea) RETURNS bytea LANGUAGE c AS 'MODULE_PATHNAME', 'unit_value_plain';
CREATE FUNCTION unit.value_json(document bytea) RETURNS bytea LANGUAGE c AS 'MODULE_PATHNAME', 'unit_value_json';
CREATE FUNCTION unit.value_equal(a bytea, b bytea) RETURNS boolean LANGUAGE c AS 'MODULE_PATHNAME', 'unit_value_equal';
CREATE FUNCTION unit.value_is(document bytea, plain text) RETURNS boolean LANGUAGE c AS 'MODULE_PATHNAME', 'unit_value_is';
CREATE FUNCTION unit.value_truth(document bytea) RETURNS boolean LANGUAGE c AS 'MODULE_PATHNAME', 'unit_value_truth';
CREATE FUNCTION unit.escaped(plain text) RETURNS text LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_escaped';
CREATE FUNCTION unit.member(document bytea, name text, loose boolean) RETURNS jsonb LANGUAGE c AS 'MODULE_PATHNAME', 'unit_member';
CREATE FUNCTION unit.length(document bytea) RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'unit_length';
CREATE FUNCTION unit.names_agree(a text, b text) RETURNS boolean LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_names_agree';
CREATE FUNCTION unit.items(items jsonb, paths text[] DEFAULT '{}') RETURNS jsonb[] LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_items';
CREATE FUNCTION unit.guard_rows(statements text[]) RETURNS text LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_guard_rows';

CREATE FUNCTION unit.layout(layout text, instant timestamptz, zone text) RETURNS text LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_layout';
CREATE FUNCTION unit.layout_parse(layout text, text text) RETURNS timestamptz LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_layout_parse';
CREATE FUNCTION unit.cron_problem(expression text) RETURNS text LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_cron_problem';
CREATE FUNCTION unit.tick(expression text, now timestamptz, zone text, next boolean) RETURNS timestamptz
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_tick';
CREATE FUNCTION unit.rfc3339(notation text) RETURNS timestamptz LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_rfc3339';

CREATE FUNCTION unit.cursor_ensure(owner regrole, name text) RETURNS bigint LANGUAGE c AS 'MODULE_PATHNAME', 'unit_cursor_ensure';
CREATE FUNCTION unit.cursor_lock(id bigint, session boolean) RETURNS boolean LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_cursor_lock';
CREATE FUNCTION unit.cursor_unlock(id bigint) RETURNS void LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_cursor_unlock';
CREATE FUNCTION unit.cursor_open(id bigint, spec jsonb, server text DEFAULT 's', query text DEFAULT 'q', target text DEFAULT 't',
	eventual boolean DEFAULT true, target_empty boolean DEFAULT false,
	OUT bound timestamptz, OUT resumed boolean, OUT sweeping boolean, OUT walk text, OUT "position" timestamptz)
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_cursor_open';
CREATE FUNCTION unit.cursor_page("position" timestamptz, walk text, run bigint) RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'unit_cursor_page';
CREATE FUNCTION unit.cursor_end(keep boolean) RETURNS timestamptz LANGUAGE c AS 'MODULE_PATHNAME', 'unit_cursor_end';
CREATE FUNCTION unit.set_cursor(name text, value text, owner regrole DEFAULT NULL) RETURNS timestamptz LANGUAGE c AS 'MODULE_PATHNAME', 'resolute_set_cursor';
CREATE FUNCTION unit.reset_cursor(name text, owner regrole DEFAULT NULL) RETURNS timestamptz LANGUAGE c AS 'MODULE_PATHNAME', 'resolute_reset_cursor';
CREATE FUNCTION unit.cursor_spec(spec jsonb, OUT name text, OUT format text, OUT overlap bigint, OUT sweep bigint, OUT initial timestamptz)
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_cursor_spec';
CREATE FUNCTION unit.cursor_bound(format text, bound timestamptz, zone text) RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'unit_cursor_bound';
CREATE FUNCTION unit.cursor_query(query text, value text) RETURNS text LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_cursor_query';

CREATE FUNCTION unit.upsert_pages(target text, pages jsonb[], key text, version text DEFAULT NULL, volatile_field text DEFAULT '', cursor_field text DEFAULT '')
	RETURNS text[] LANGUAGE c AS 'MODULE_PATHNAME', 'unit_upsert_pages';
CREATE FUNCTION unit.upsert_preview(target text, items jsonb, key text, version text DEFAULT NULL) RETURNS text[]
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_upsert_preview';
CREATE FUNCTION unit.upsert_check(target text, fields text[], key text, version text DEFAULT NULL, missing_ok boolean DEFAULT false) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_upsert_check';
CREATE FUNCTION unit.target_has_rows(target text) RETURNS boolean LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_target_has_rows';
CREATE FUNCTION unit.unique_pages(pages jsonb[], key text, keep_first boolean DEFAULT false, volatile_field text DEFAULT '', retry boolean DEFAULT false)
	RETURNS text[] LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_unique_pages';
CREATE FUNCTION unit.seen_set(n bigint, distinct_keys bigint, tags_are_keys boolean) RETURNS integer LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_seen_set';
CREATE FUNCTION unit.write_letters(flow_id integer, items text[], step text, message text) RETURNS void LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_write_letters';
CREATE FUNCTION unit.resolve_letters(flow_id integer, steps text[], stored jsonb, failed jsonb DEFAULT '[]') RETURNS bigint
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_resolve_letters';

CREATE FUNCTION unit.http_is_private(address text) RETURNS boolean LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_http_is_private';
CREATE FUNCTION unit.http_fetch(url text, paths text[], timeout_ms int DEFAULT 5000, away_ms int DEFAULT 0, connect boolean DEFAULT true) RETURNS int[]
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_http_fetch';
CREATE FUNCTION unit.http_outlive(url text, path text, wait boolean) RETURNS void LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_http_outlive';
CREATE FUNCTION unit.http_url_encode(source text) RETURNS text LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_http_url_encode';

CREATE FUNCTION unit.source_open(server text, query text, names text[] DEFAULT '{}', whole boolean DEFAULT false, ordered boolean DEFAULT false,
	page_size integer DEFAULT 0, max_items bigint DEFAULT 0, walk text DEFAULT NULL) RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'unit_source_open';
CREATE FUNCTION unit.source_next(OUT number bigint, OUT rows jsonb, OUT walk text, OUT expired boolean) LANGUAGE c AS 'MODULE_PATHNAME', 'unit_source_next';
CREATE FUNCTION unit.source_eventual(server text) RETURNS boolean LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_source_eventual';
CREATE FUNCTION unit.query_order(query text) RETURNS text LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_query_order';
CREATE FUNCTION unit.adf_text(document text) RETURNS text LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_adf_text';
