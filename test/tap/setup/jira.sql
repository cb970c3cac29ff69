-- Helpers for tests of the Jira source, and those of setup/sim.sql: \ir setup/jira.sql
\ir sim.sql

-- Everything that the server asked for since the last call, oldest first.
CREATE FUNCTION sim.log() RETURNS TABLE (n bigint, method text, path text, body jsonb, status int) LANGUAGE sql AS $$
    SELECT (l ->> 'n')::bigint, l ->> 'method', l ->> 'path',
        CASE WHEN l ->> 'body' LIKE '{%' THEN (l ->> 'body')::jsonb END, (l ->> 'status')::int
    FROM jsonb_array_elements(sim.get('/_sim/log?clear=1')) AS l ORDER BY 1 $$;

CREATE FUNCTION sim.requests() RETURNS text[] LANGUAGE sql AS
    $$ SELECT array_agg(method || ' ' || path ORDER BY n) FROM sim.log() $$;

CREATE FUNCTION sim.searches() RETURNS TABLE (n bigint, method text, path text, body jsonb, status int) LANGUAGE sql AS
    $$ SELECT * FROM sim.log() WHERE path LIKE '%/search%' $$;

-- The issues as they are on the server.
CREATE FUNCTION sim.issues() RETURNS SETOF jsonb LANGUAGE sql AS
    $$ SELECT jsonb_array_elements(sim.get('/_sim/issues?array=1')) $$;

CREATE FUNCTION sim.all_keys() RETURNS text[] LANGUAGE sql AS
    $$ SELECT array_agg(i ->> 'key' ORDER BY i ->> 'key') FROM sim.issues() AS i $$;

-- The keys that jira_issues() finds, each as often as it does.
CREATE FUNCTION sim.keys(server text, jql text, fields text[] DEFAULT '{}', page_size int DEFAULT NULL) RETURNS text[] LANGUAGE sql AS
    $$ SELECT array_agg(key ORDER BY key) FROM resolute.jira_issues(server, jql, fields, page_size) $$;

-- Do all columns of all issues agree with what the simulator says of them?
CREATE FUNCTION sim.same_issues(server text, title text) RETURNS text LANGUAGE sql AS $$
    WITH got AS (
        SELECT key, id, project, summary, status, issue_type, priority, assignee, assignee_id, reporter,
            to_jsonb(labels) AS labels, to_jsonb(components) AS components, created, updated, resolved,
            story_points, parent, url
        FROM resolute.jira_issues(server, 'updated >= 0')),
    wanted AS (
        SELECT i ->> 'key', i ->> 'id', i ->> 'project', i ->> 'summary', i ->> 'status', i ->> 'issue_type',
            i ->> 'priority', i ->> 'assignee', i ->> 'assignee_id', i ->> 'reporter', i -> 'labels',
            i -> 'components', (i ->> 'created')::timestamptz, (i ->> 'updated')::timestamptz,
            (i ->> 'resolved')::timestamptz, (i ->> 'story_points')::numeric, i ->> 'parent', i ->> 'url'
        FROM sim.issues() AS i),
    difference AS (
        SELECT 'got' AS side, g.* FROM (TABLE got EXCEPT ALL TABLE wanted) AS g
        UNION ALL SELECT 'wanted', w.* FROM (TABLE wanted EXCEPT ALL TABLE got) AS w)
    SELECT ok((SELECT count(*) = 0 FROM difference) AND (SELECT count(*) > 0 FROM got), title)
        || coalesce(E'\n' || diag((SELECT string_agg(d::text, E'\n') FROM (SELECT * FROM difference ORDER BY 2 LIMIT 4) AS d)), '') $$;

-- Read everything while the server does this wrong: nothing is missing, and nothing
-- comes twice, unless an issue that is sent in two states may.
CREATE FUNCTION sim.check_walk(server text, title text, fault jsonb, twice boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    keys text[];
BEGIN
    PERFORM sim.get('/_sim/faults?clear=1'), sim.post('/_sim/fault', fault);
    keys := sim.keys(server, 'updated >= 0 ORDER BY updated ASC');
    IF twice THEN
        keys := ARRAY(SELECT DISTINCT k FROM unnest(keys) AS k ORDER BY k);
    END IF;
    PERFORM sim.get('/_sim/faults?clear=1');
    RETURN is(keys, sim.all_keys(), title);
END $$;

-- Read everything while the n-th issue changes between the first page and the second:
-- whatever is on the server then was read, and as it is now.
CREATE FUNCTION sim.check_moving(server text, title text, change text, n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    key text;
    missing text;
BEGIN
    PERFORM sim.post('/_sim/reset', jsonb_build_object('issues', 250, 'flavour', sim.get('/_sim/settings') ->> 'flavour'));
    SELECT i ->> 'key' INTO key FROM sim.issues() AS i ORDER BY (i ->> 'updated_ms')::bigint, i ->> 'id' OFFSET n LIMIT 1;
    PERFORM sim.get(change || key);
    CREATE TEMP TABLE got ON COMMIT DROP AS
        SELECT * FROM resolute.jira_issues(server, 'updated >= 0 ORDER BY updated ASC, key ASC', '{summary,updated,project}');
    SELECT string_agg(i ->> 'key', ' ') INTO missing FROM sim.issues() AS i
        WHERE NOT EXISTS (SELECT FROM got g WHERE g.id = i ->> 'id' AND g.key = i ->> 'key'
            AND g.summary = i ->> 'summary' AND g.updated = (i ->> 'updated')::timestamptz);
    DROP TABLE got;
    RETURN is(missing, NULL, title);
END $$;
