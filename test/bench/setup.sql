-- What `make bench` measures with: the flow of the README, its peers, and a way
-- to see what a statement takes.
CREATE EXTENSION IF NOT EXISTS resolute;
CREATE EXTENSION IF NOT EXISTS resolute_unit;
\set sim `echo "$RESOLUTE_SIM"`
\set offset_sim `echo "$RESOLUTE_SIM/server"`
CREATE SERVER jira FOREIGN DATA WRAPPER resolute_jira
    OPTIONS (base_url :'sim', allow_http 'true', allow_private 'true');
CREATE SERVER jira_token FOREIGN DATA WRAPPER resolute_jira
    OPTIONS (base_url :'sim', allow_http 'true', allow_private 'true');
CREATE SERVER jira_offset FOREIGN DATA WRAPPER resolute_jira
    OPTIONS (base_url :'offset_sim', allow_http 'true', allow_private 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER jira OPTIONS (email 'ada@example.com', api_token 'sim-token');
CREATE USER MAPPING FOR CURRENT_USER SERVER jira_token OPTIONS (email 'ada@example.com', api_token 'sim-token');
CREATE USER MAPPING FOR CURRENT_USER SERVER jira_offset OPTIONS (email 'ada@example.com', api_token 'sim-token');

-- The steps of the README's flow; the flow itself has no schedule.  Autovacuum would write
-- to the tables while others are measured.
CREATE SCHEMA bench;
CREATE TABLE bench.issues (
    issue_key text PRIMARY KEY, project text, summary text, status text, assignee text, priority text,
    created_at timestamptz, updated_at timestamptz, story_points numeric, labels jsonb, sync_timestamp timestamptz)
    WITH (autovacuum_enabled = off);
CREATE TABLE bench.narrow (issue_key text PRIMARY KEY, summary text, updated_at timestamptz) WITH (autovacuum_enabled = off);
CREATE TABLE bench.peer (LIKE bench.issues INCLUDING ALL) WITH (autovacuum_enabled = off);
CREATE TABLE bench.peer_plpgsql (LIKE bench.issues INCLUDING ALL) WITH (autovacuum_enabled = off);
CREATE TABLE bench.peer_wide (LIKE bench.issues INCLUDING ALL) WITH (autovacuum_enabled = off);
CREATE TABLE bench.peer_narrow (LIKE bench.narrow INCLUDING ALL) WITH (autovacuum_enabled = off);
CREATE TABLE bench.few (LIKE bench.issues INCLUDING ALL) WITH (autovacuum_enabled = off);
CREATE TABLE bench.wide (LIKE bench.issues INCLUDING ALL) WITH (autovacuum_enabled = off);

-- "whole" reads items as they come, without the aliases that the source gives its fields.
CREATE TABLE bench.templates (name text PRIMARY KEY, body text);
INSERT INTO bench.templates VALUES ('issue', $json${
    "issue_key": "{{.Key}}",          "project":  "{{.Project}}",
    "summary":   "{{.Summary}}",      "status":   "{{.Status}}",
    "assignee":  "{{.Assignee}}",     "priority": "{{.Priority}}",
    "created_at": "{{.Created}}",     "updated_at": "{{.Updated}}",
    "story_points": {{.StoryPoints}}, "labels": {{json .Labels}},
    "sync_timestamp": "{{now}}"}$json$), ('whole', $json${
    "issue_key": "{{.key}}",          "project":  "{{.fields.project.key}}",
    "summary":   "{{.fields.summary}}", "status":   "{{.fields.status.name}}",
    "assignee":  "{{.fields.assignee.displayName}}", "priority": "{{.fields.priority.name}}",
    "created_at": "{{.fields.created}}", "updated_at": "{{.fields.updated}}",
    "story_points": {{.fields.customfield_10016}}, "labels": {{json .fields.labels}},
    "sync_timestamp": "{{now}}"}$json$), ('narrow', $json${
    "issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}$json$);

-- A flow of these steps into a table, which reads so many issues (0: all).
CREATE FUNCTION bench.create_flow(flow text, target text, max_items bigint DEFAULT NULL, template text DEFAULT 'issue')
RETURNS integer LANGUAGE sql AS $sql$
SELECT resolute.create_flow(flow, resolute.manual(),
    resolute.as('issues', resolute.jira_fetch_issues('jira',
        jql       => 'project = PLATFORM AND updated >= ${cursor}',
        cursor    => resolute.cursor_for(flow),
        page_size => 100, max_items => create_flow.max_items)),
    resolute.as('transformed', resolute.map('issues', template => (SELECT body FROM bench.templates WHERE name = template))),
    resolute.as('unique',   resolute.unique('transformed', key => 'issue_key')),
    resolute.as('upserted', resolute.upsert('unique', target => target, key => 'issue_key')))
$sql$;
SELECT bench.create_flow('bench', 'bench.issues');
SELECT bench.create_flow('small', 'bench.few', 10000);
SELECT bench.create_flow('wide', 'bench.wide');
SELECT bench.create_flow('narrow', 'bench.narrow', template => 'narrow');

-- A flow that reads so many pages by token or by offset.  Offset pages overlap by a row
-- where several are in flight, so that each but the first brings one row less.
CREATE FUNCTION bench.create_paging(paging text, concurrency integer, pages bigint) RETURNS integer LANGUAGE sql AS $sql$
SELECT resolute.create_or_replace_flow(format('%s-%s-%s', paging, concurrency, pages), resolute.manual(),
    resolute.as('issues', resolute.jira_fetch_issues('jira_' || paging,
        jql       => CASE paging WHEN 'token' THEN 'project = PLATFORM AND updated >= ${cursor}' ELSE 'project = PLATFORM AND updated >= 0' END,
        cursor    => CASE paging WHEN 'token' THEN resolute.cursor_for(format('%s-%s-%s', paging, concurrency, pages)) END,
        page_size => 100, max_items => CASE paging WHEN 'token' THEN pages * 100 ELSE pages * 99 + 1 END,
        concurrency => NULLIF(create_paging.concurrency, 1))),
    resolute.as('transformed', resolute.map('issues', template => (SELECT body FROM bench.templates WHERE name = 'issue'))),
    resolute.as('unique',   resolute.unique('transformed', key => 'issue_key')),
    resolute.as('upserted', resolute.upsert('unique', target => 'bench.few', key => 'issue_key')))
$sql$;

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
CREATE UNLOGGED TABLE bench.pages (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text);
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

CREATE INDEX ON bench.batches (changed, n);

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
GROUP BY changed, (n - 1) / 100 ORDER BY 2, 1;
ANALYZE bench.batches
$sql$;

-- The floor of the upsert: typed rows, in batches of 100, and no question asked.
CREATE FUNCTION bench.make_floor(name text, target text, columns text) RETURNS void LANGUAGE plpgsql AS $plpgsql$
BEGIN
    EXECUTE format($sql$
        CREATE PROCEDURE bench.%I(changes boolean, pages bigint DEFAULT 1000000000) LANGUAGE plpgsql AS $body$
        DECLARE b bench.batches;
        BEGIN
            FOR b IN SELECT * FROM bench.batches WHERE changed = changes AND n < pages ORDER BY n LOOP
                INSERT INTO bench.%I SELECT * FROM unnest(%s) ON CONFLICT (issue_key) DO UPDATE SET %s;
            END LOOP;
        END $body$ $sql$, name, target,
        (SELECT string_agg('b.' || c, ', ') FROM regexp_split_to_table(columns, ' ') AS c),
        (SELECT string_agg(c || ' = excluded.' || c, ', ') FROM regexp_split_to_table(columns, ' ') AS c WHERE c <> 'issue_key'));
END
$plpgsql$;
SELECT bench.make_floor('floor_upsert', 'peer',
    'issue_key project summary status assignee priority created_at updated_at story_points labels sync_timestamp');
SELECT bench.make_floor('floor_items_wide', 'peer_wide',
    'issue_key project summary status assignee priority created_at updated_at story_points labels sync_timestamp');
SELECT bench.make_floor('floor_items_narrow', 'peer_narrow', 'issue_key summary updated_at');

-- The sync as people write it in PL/pgSQL, over pages that are there already: those
-- from the first to the last.
CREATE PROCEDURE bench.plpgsql_sync(first bigint, last bigint) LANGUAGE plpgsql AS $plpgsql$
DECLARE page text;
BEGIN
    FOR page IN SELECT body FROM bench.pages WHERE n BETWEEN first AND last ORDER BY n LOOP
        INSERT INTO bench.peer_plpgsql
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

-- Until the backend that works on a flow waits for the network.
CREATE PROCEDURE bench.wait_for_silence() LANGUAGE plpgsql AS $plpgsql$
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Extension' AND query LIKE 'CALL resolute.run%') LOOP
        PERFORM pg_sleep(0.005), pg_stat_clear_snapshot();
    END LOOP;
END
$plpgsql$;

-- Stop the backend that works on a flow; milliseconds until it is idle again, or gone.
CREATE PROCEDURE bench.stop(flow text, by text, INOUT ms double precision) LANGUAGE plpgsql AS $plpgsql$
DECLARE victim integer := (SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CALL resolute.run%' || flow || '%');
        started timestamptz := clock_timestamp();
BEGIN
    EXECUTE format('SELECT %I($1)', by) USING victim;
    LOOP
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = victim AND state = 'active');
        PERFORM pg_sleep(0.0005);
    END LOOP;
    ms := extract(epoch FROM clock_timestamp() - started) * 1000;
END
$plpgsql$;
