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

-- Rows that could not be handled.  No foreign keys, so that a restore in any order works.
CREATE TABLE resolute.dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow_id integer NOT NULL,
    flow text NOT NULL,
    owner regrole NOT NULL,
    version integer,
    run_id bigint,
    step text NOT NULL,
    source text,
    item jsonb,
    item_hash bytea NOT NULL,
    error_code text NOT NULL,
    error_message text NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    last_attempt_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    resolved_at timestamptz,
    UNIQUE (flow_id, step, item_hash));
CREATE INDEX dead_letters_open ON resolute.dead_letters (flow_id, item_hash) WHERE resolved_at IS NULL;
CREATE INDEX dead_letters_resolved_at ON resolute.dead_letters (resolved_at) WHERE resolved_at IS NOT NULL;
COMMENT ON TABLE resolute.dead_letters IS 'rows that could not be handled, one letter for each flow, step and item';
COMMENT ON COLUMN resolute.dead_letters.owner IS 'owner of the flow at the latest attempt; members of that role see the letter';
COMMENT ON COLUMN resolute.dead_letters.version IS 'version of the flow at the latest attempt';
COMMENT ON COLUMN resolute.dead_letters.run_id IS 'run of the latest attempt';
COMMENT ON COLUMN resolute.dead_letters.source IS 'step that fetched the item';
COMMENT ON COLUMN resolute.dead_letters.item IS 'the item as the source sent it (a JSON string of its text where jsonb cannot hold it)';
COMMENT ON COLUMN resolute.dead_letters.item_hash IS 'SHA-256 of what identifies the item: its members self, url and id, else its key, else all of it';
COMMENT ON COLUMN resolute.dead_letters.error_code IS 'SQLSTATE of the latest attempt';
COMMENT ON COLUMN resolute.dead_letters.attempts IS 'how often the item has failed in this step';
COMMENT ON COLUMN resolute.dead_letters.resolved_at IS 'when the item was stored after all; null: the letter is open';

-- A role sees the letters of the roles that it is a member of.
ALTER TABLE resolute.dead_letters ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON resolute.dead_letters USING (pg_catalog.pg_has_role(owner, 'MEMBER'));
COMMENT ON POLICY own ON resolute.dead_letters IS 'dead letters of roles that one is a member of';

SELECT pg_catalog.pg_extension_config_dump('resolute.dead_letters', '');
SELECT pg_catalog.pg_extension_config_dump('resolute.dead_letters_id_seq', '');
