-- Helpers to talk to the simulator from tests: \ir setup/sim.sql
--
--   sim.url()                   its base URL
--   sim.get(path)               GET of a control endpoint, as jsonb
--   sim.post(path, body)        POST of jsonb to one
--   sim.error(statement)        what it raises
--   sim.connect(server, options, mapping, path)
--                               a server for it, and a user mapping for PUBLIC
--
-- They call curl, so that what tests the client does not depend on it.
-- Everything is in the schema sim, which a test that rolls back leaves no trace of.
\ir psql.sql
CREATE SCHEMA sim;
CREATE TABLE sim.answer (ordinal serial, line text);

CREATE FUNCTION sim.url() RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT pg_catalog.current_setting('test.simulator') $$;

-- Run a shell command and return what it prints.
CREATE FUNCTION sim.shell(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE sim.answer RESTART IDENTITY;
    EXECUTE pg_catalog.format(
        'COPY sim.answer (line) FROM PROGRAM %L WITH (FORMAT csv, DELIMITER E''\x01'', QUOTE E''\x02'')',
        command);
    RETURN (SELECT pg_catalog.string_agg(coalesce(line, ''), E'\n' ORDER BY ordinal) FROM sim.answer);
END $$;

CREATE FUNCTION sim.quote_shell(word text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT '''' || pg_catalog.replace(word, '''', '''\''''') || '''' $$;

CREATE FUNCTION sim.get(path text) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT nullif(sim.shell('curl -sS --fail --noproxy "*" ' || sim.quote_shell(sim.url() || path)), '')::jsonb $$;

CREATE FUNCTION sim.post(path text, body jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS
    $$ SELECT nullif(sim.shell('curl -sS --fail --noproxy "*" -H "Content-Type: application/json" --data-binary '
            || sim.quote_shell(body::text) || ' ' || sim.quote_shell(sim.url() || path)), '')::jsonb $$;

-- Create a server for the simulator; options and mapping are written as in OPTIONS (…).
CREATE FUNCTION sim.connect(server text DEFAULT 'jira', options text DEFAULT NULL,
    mapping text DEFAULT $q$email 'ada@example.com', api_token 'sim-token'$q$,
    path text DEFAULT '') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE pg_catalog.format(
        'CREATE SERVER %I FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url %L, allow_http ''true'', allow_private ''true''%s)',
        server, sim.url() || path, ', ' || options);
    EXECUTE pg_catalog.format('CREATE USER MAPPING FOR PUBLIC SERVER %I OPTIONS (%s)', server, mapping);
END $$;

-- What a statement raises: "SQLSTATE message / detail / hint".
CREATE FUNCTION sim.error(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' / ', state || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;
