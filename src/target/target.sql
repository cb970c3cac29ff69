-- Where rows go.

CREATE FUNCTION resolute.upsert_items(
    target text, items jsonb, key text, version text DEFAULT NULL,
    OUT inserted bigint, OUT updated bigint, OUT unchanged bigint,
    OUT stale bigint, OUT failed bigint, OUT duplicates bigint)
RETURNS record
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'resolute_upsert_items';
REVOKE ALL ON FUNCTION resolute.upsert_items(text, jsonb, text, text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.upsert_items(text, jsonb, text, text) IS
'stores the objects of a JSON array in a table, one column for each member: inserts new ones, updates changed ones, leaves the others alone; each row that the table refuses is a WARNING; sets all constraints of the transaction to IMMEDIATE';
