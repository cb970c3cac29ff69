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
