-- What `make bench` measures with: the flow of the README, its peers, and a way
-- to see what a statement takes.
CREATE EXTENSION resolute;
CREATE EXTENSION resolute_unit;
\set sim `echo "$RESOLUTE_SIM"`
CREATE SERVER jira FOREIGN DATA WRAPPER resolute_jira
    OPTIONS (base_url :'sim', allow_http 'true', allow_private 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER jira
    OPTIONS (email 'ada@example.com', api_token 'sim-token');

-- The steps of the README's flow; the flow itself has no schedule.
CREATE SCHEMA bench;
CREATE TABLE bench.issues (
    issue_key text PRIMARY KEY, project text, summary text, status text, assignee text, priority text,
    created_at timestamptz, updated_at timestamptz, story_points numeric, labels jsonb, sync_timestamp timestamptz);
CREATE TABLE bench.peer (LIKE bench.issues INCLUDING ALL);
CREATE TABLE bench.few (LIKE bench.issues INCLUDING ALL);
-- Autovacuum would write to the tables while others are measured.
ALTER TABLE bench.issues SET (autovacuum_enabled = off);
ALTER TABLE bench.peer SET (autovacuum_enabled = off);
CREATE TABLE bench.templates (name text PRIMARY KEY, body text);
INSERT INTO bench.templates VALUES ('issue', $json${
    "issue_key": "{{.Key}}",          "project":  "{{.Project}}",
    "summary":   "{{.Summary}}",      "status":   "{{.Status}}",
    "assignee":  "{{.Assignee}}",     "priority": "{{.Priority}}",
    "created_at": "{{.Created}}",     "updated_at": "{{.Updated}}",
    "story_points": {{.StoryPoints}}, "labels": {{json .Labels}},
    "sync_timestamp": "{{now}}"}$json$);

-- A flow of these steps into a table, which reads so many issues (0: all).
CREATE FUNCTION bench.create_flow(flow text, target text, max_items bigint) RETURNS integer
LANGUAGE sql AS $sql$
SELECT resolute.create_flow(flow, resolute.manual(),
    resolute.as('issues', resolute.jira_fetch_issues('jira',
        jql       => 'project = PLATFORM AND updated >= ${cursor}',
        cursor    => resolute.cursor_for(flow),
        page_size => 100, max_items => NULLIF(max_items, 0))),
    resolute.as('transformed', resolute.map('issues', template => (SELECT body FROM bench.templates))),
    resolute.as('unique',   resolute.unique('transformed', key => 'issue_key')),
    resolute.as('upserted', resolute.upsert('unique', target => target, key => 'issue_key')))
$sql$;
SELECT bench.create_flow('bench', 'bench.issues', 0);

-- What this backend has used so far: CPU in ns and, in ticks of 10 ms, by user and system.
CREATE FUNCTION bench.usage(OUT at timestamptz, OUT cpu bigint, OUT "user" bigint, OUT system bigint,
                            OUT lsn pg_lsn) LANGUAGE sql AS $sql$
SELECT clock_timestamp(), split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint,
       stat[12]::bigint, stat[13]::bigint, pg_current_wal_insert_lsn()
FROM string_to_array(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\) ', ''), ' ') AS stat
$sql$;

-- Peak memory of this backend in kB, less the shared memory that it touched.
CREATE FUNCTION bench.peak_kb() RETURNS bigint LANGUAGE sql AS $sql$
SELECT (regexp_match(status, 'VmHWM:\s+(\d+)'))[1]::bigint - (regexp_match(status, 'RssShmem:\s+(\d+)'))[1]::bigint
FROM pg_read_file('/proc/self/status') AS status
$sql$;

-- Records in the WAL that change a table, its indexes or its toast table; PostgreSQL 15 can tell.
SELECT current_setting('server_version_num')::integer >= 150000 AS reads_wal \gset
\if :reads_wal
CREATE EXTENSION pg_walinspect;
CREATE FUNCTION bench.changes(since pg_lsn, until pg_lsn, target regclass) RETURNS bigint LANGUAGE sql AS $sql$
SELECT count(*) FROM pg_get_wal_records_info(since, least(until, pg_current_wal_flush_lsn())) AS r
WHERE r.resource_manager IN ('Heap', 'Heap2', 'Btree') AND EXISTS (
    SELECT FROM pg_class c WHERE r.block_ref LIKE '%/' || pg_relation_filenode(c.oid) || ' %'
    AND (c.oid = target OR c.oid = (SELECT reltoastrelid FROM pg_class WHERE oid = target)
         OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = target)))
$sql$;
\else
CREATE FUNCTION bench.changes(since pg_lsn, until pg_lsn, target regclass) RETURNS bigint LANGUAGE sql AS 'SELECT NULL::bigint';
\endif

-- The pages as they came, not compressed: decompression would be counted against the peer.
CREATE UNLOGGED TABLE bench.pages (n bigint GENERATED ALWAYS AS IDENTITY, body text);
ALTER TABLE bench.pages ALTER body SET STORAGE EXTERNAL;
CREATE UNLOGGED TABLE bench.arrays (items jsonb);

-- The rows of the target, typed, as arrays of 100: what unnest needs, at no cost.
CREATE UNLOGGED TABLE bench.batches (
    n bigint, changed boolean, issue_key text[], project text[], summary text[], status text[], assignee text[],
    priority text[], created_at timestamptz[], updated_at timestamptz[], story_points numeric[], labels jsonb[],
    sync_timestamp timestamptz[]);
ALTER TABLE bench.batches ALTER issue_key SET STORAGE EXTERNAL, ALTER project SET STORAGE EXTERNAL,
    ALTER summary SET STORAGE EXTERNAL, ALTER status SET STORAGE EXTERNAL, ALTER assignee SET STORAGE EXTERNAL,
    ALTER priority SET STORAGE EXTERNAL, ALTER created_at SET STORAGE EXTERNAL, ALTER updated_at SET STORAGE EXTERNAL,
    ALTER story_points SET STORAGE EXTERNAL, ALTER labels SET STORAGE EXTERNAL, ALTER sync_timestamp SET STORAGE EXTERNAL;

CREATE PROCEDURE bench.make_batches() LANGUAGE sql AS $sql$
TRUNCATE bench.batches;
INSERT INTO bench.batches
SELECT (n - 1) / 100, changed, array_agg(issue_key ORDER BY n), array_agg(project ORDER BY n),
       array_agg(summary || CASE WHEN changed THEN '!' ELSE '' END ORDER BY n), array_agg(status ORDER BY n),
       array_agg(assignee ORDER BY n), array_agg(priority ORDER BY n), array_agg(created_at ORDER BY n),
       array_agg(updated_at ORDER BY n), array_agg(story_points ORDER BY n), array_agg(labels ORDER BY n),
       array_agg(sync_timestamp ORDER BY n)
FROM (SELECT row_number() OVER (ORDER BY updated_at, issue_key) AS n, * FROM bench.issues) AS i,
     (VALUES (false), (true)) AS c (changed)
GROUP BY changed, (n - 1) / 100 ORDER BY 2, 1
$sql$;

-- The floor of the upsert: typed rows, in batches of 100, and no question asked.
CREATE PROCEDURE bench.floor_upsert(changes boolean) LANGUAGE plpgsql AS $plpgsql$
DECLARE b bench.batches;
BEGIN
    FOR b IN SELECT * FROM bench.batches WHERE changed = changes ORDER BY n LOOP
        INSERT INTO bench.peer
        SELECT * FROM unnest(b.issue_key, b.project, b.summary, b.status, b.assignee, b.priority, b.created_at,
                             b.updated_at, b.story_points, b.labels, b.sync_timestamp)
        ON CONFLICT (issue_key) DO UPDATE SET
            project = excluded.project, summary = excluded.summary, status = excluded.status,
            assignee = excluded.assignee, priority = excluded.priority, created_at = excluded.created_at,
            updated_at = excluded.updated_at, story_points = excluded.story_points, labels = excluded.labels,
            sync_timestamp = excluded.sync_timestamp;
    END LOOP;
END
$plpgsql$;

-- The sync as people write it in PL/pgSQL, over pages that are there already.
CREATE PROCEDURE bench.plpgsql_sync() LANGUAGE plpgsql AS $plpgsql$
DECLARE page text;
BEGIN
    FOR page IN SELECT body FROM bench.pages ORDER BY n LOOP
        INSERT INTO bench.peer
        SELECT DISTINCT ON (i->>'key')
               i->>'key', i->'fields'->'project'->>'key', i->'fields'->>'summary', i->'fields'->'status'->>'name',
               i->'fields'->'assignee'->>'displayName', i->'fields'->'priority'->>'name',
               (i->'fields'->>'created')::timestamptz, (i->'fields'->>'updated')::timestamptz,
               (i->'fields'->>'customfield_10016')::numeric, i->'fields'->'labels', now()
        FROM jsonb_array_elements(page::jsonb->'issues') AS i
        ORDER BY i->>'key', i->'fields'->>'updated' DESC
        ON CONFLICT (issue_key) DO UPDATE SET
            project = excluded.project, summary = excluded.summary, status = excluded.status,
            assignee = excluded.assignee, priority = excluded.priority, created_at = excluded.created_at,
            updated_at = excluded.updated_at, story_points = excluded.story_points, labels = excluded.labels,
            sync_timestamp = excluded.sync_timestamp;
    END LOOP;
END
$plpgsql$;

-- Nothing but a durable commit for each page.
CREATE TABLE bench.commits (n integer);
CREATE PROCEDURE bench.commit_pages(pages integer) LANGUAGE plpgsql AS $plpgsql$
BEGIN
    FOR i IN 1 .. pages LOOP
        INSERT INTO bench.commits VALUES (i);
        COMMIT;
    END LOOP;
END
$plpgsql$;

-- Cancel the backend that works on a flow; milliseconds until it is idle again.
CREATE PROCEDURE bench.cancel(flow text, INOUT ms double precision) LANGUAGE plpgsql AS $plpgsql$
DECLARE victim integer := (SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%resolute.run%' || flow || '%'
                           AND pid <> pg_backend_pid());
        started timestamptz := clock_timestamp();
BEGIN
    PERFORM pg_cancel_backend(victim);
    LOOP
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = victim AND state = 'active');
        PERFORM pg_sleep(0.0005);
    END LOOP;
    ms := extract(epoch FROM clock_timestamp() - started) * 1000;
END
$plpgsql$;
