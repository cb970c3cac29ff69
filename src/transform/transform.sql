-- Templates, and rows to rows.

CREATE FUNCTION resolute.render(template text, item jsonb) RETURNS jsonb
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'resolute_render';
REVOKE ALL ON FUNCTION resolute.render(text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION resolute.render(text, jsonb)
IS 'makes a JSON document of an item by a template, as the step "map" does';

CREATE FUNCTION resolute.render_text(template text, item jsonb) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'resolute_render_text';
REVOKE ALL ON FUNCTION resolute.render_text(text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION resolute.render_text(text, jsonb)
IS 'makes text of an item by a template, exactly as text/template of Go does';

CREATE FUNCTION resolute.map_items(items jsonb, template text) RETURNS SETOF jsonb
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'resolute_map_items';
REVOKE ALL ON FUNCTION resolute.map_items(jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.map_items(jsonb, text)
IS 'renders each object of a JSON array by a template';

CREATE FUNCTION resolute.unique_items(items jsonb, key text, keep text DEFAULT 'last')
RETURNS SETOF jsonb
LANGUAGE c STRICT VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'resolute_unique_items';
REVOKE ALL ON FUNCTION resolute.unique_items(jsonb, text, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.unique_items(jsonb, text, text) IS
'the objects of a JSON array without duplicates: of those with the same key the last one, in the place of the first one; with keep => ''first'' the first one';

CREATE FUNCTION resolute.filter_items(items jsonb, condition text) RETURNS SETOF jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'resolute_filter_items';
REVOKE ALL ON FUNCTION resolute.filter_items(jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.filter_items(jsonb, text) IS
'the objects of a JSON array for which a condition is true: a template''s, such as eq .status "Done", or SQL over the jsonb item';

CREATE FUNCTION resolute.sort_items(items jsonb, by text) RETURNS SETOF jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'resolute_sort_items';
REVOKE ALL ON FUNCTION resolute.sort_items(jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.sort_items(jsonb, text) IS
'the objects of a JSON array in the order of some fields, as in ORDER BY';

CREATE FUNCTION resolute.group_by_items(items jsonb, key text) RETURNS SETOF jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'resolute_group_by_items';
REVOKE ALL ON FUNCTION resolute.group_by_items(jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.group_by_items(jsonb, text) IS
'one object for each combination of the fields of a key: the key, count, and the items that have it';

CREATE FUNCTION resolute.flatten_items(items jsonb, path text) RETURNS SETOF jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'resolute_flatten_items';
REVOKE ALL ON FUNCTION resolute.flatten_items(jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.flatten_items(jsonb, text) IS
'one object for each element of the array at a path, with the element in its place';

CREATE FUNCTION resolute.chunk_items(items jsonb, size integer) RETURNS SETOF jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'resolute_chunk_items';
REVOKE ALL ON FUNCTION resolute.chunk_items(jsonb, integer) FROM PUBLIC;
COMMENT ON FUNCTION resolute.chunk_items(jsonb, integer) IS
'one object for each so many of a JSON array: chunk (1, 2, ...), count and items';

CREATE FUNCTION resolute.pick_items(items jsonb, fields text) RETURNS SETOF jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'resolute_pick_items';
REVOKE ALL ON FUNCTION resolute.pick_items(jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.pick_items(jsonb, text) IS
'the objects of a JSON array with some fields only';

CREATE FUNCTION resolute.omit_items(items jsonb, fields text) RETURNS SETOF jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'resolute_omit_items';
REVOKE ALL ON FUNCTION resolute.omit_items(jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.omit_items(jsonb, text) IS
'the objects of a JSON array without some fields';

CREATE FUNCTION resolute.json_path_items(items jsonb, path text) RETURNS SETOF jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'resolute_json_path_items';
REVOKE ALL ON FUNCTION resolute.json_path_items(jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.json_path_items(jsonb, text) IS
'what an SQL/JSON path finds in each object of a JSON array; what is no object becomes {"value": ...}';

CREATE FUNCTION resolute.aggregate_items(items jsonb, aggregates text, by text DEFAULT NULL) RETURNS SETOF jsonb
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'resolute_aggregate_items';
REVOKE ALL ON FUNCTION resolute.aggregate_items(jsonb, text, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.aggregate_items(jsonb, text, text) IS
'aggregates of SQL over a JSON array, such as count(*), sum(points) AS points; one object, or one for each combination of the fields of by';

CREATE FUNCTION resolute.reduce_items(items jsonb, expression text, initial jsonb DEFAULT '{}') RETURNS SETOF jsonb
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'resolute_reduce_items';
REVOKE ALL ON FUNCTION resolute.reduce_items(jsonb, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION resolute.reduce_items(jsonb, text, jsonb) IS
'one object: what an SQL expression over the jsonb acc and item, applied to each object in turn, makes of the initial value';

CREATE FUNCTION resolute.template_items(items jsonb, template text) RETURNS SETOF jsonb
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'resolute_template_items';
REVOKE ALL ON FUNCTION resolute.template_items(jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.template_items(jsonb, text) IS
'{"text": ...}: what a template of Go makes of a JSON array';

CREATE FUNCTION resolute.merge_items(VARIADIC items jsonb[]) RETURNS SETOF jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'resolute_merge_items';
REVOKE ALL ON FUNCTION resolute.merge_items(jsonb[]) FROM PUBLIC;
COMMENT ON FUNCTION resolute.merge_items(jsonb[]) IS
'the objects of several JSON arrays, one after the other';
