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
