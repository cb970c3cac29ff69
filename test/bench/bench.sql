-- One line: rows/s of a first sync, rows/s of one that reads everything again
-- and changes nothing, peak memory of this backend in MB, WAL of the second in MB.
SET client_min_messages = warning;
\set sim `echo "$RESOLUTE_SIM"`
\set jql 'project = PLATFORM AND updated >= ${cursor}'
\o /dev/null
CREATE SERVER jira FOREIGN DATA WRAPPER resolute_jira
    OPTIONS (base_url :'sim', allow_http 'true', allow_private 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER jira
    OPTIONS (email 'ada@example.com', api_token 'sim-token');
\ir ../demo/flow.sql
CALL resolute.run('jira-warehouse-sync');
SELECT resolute.reset_cursor('jira-sync');
SELECT pg_catalog.pg_current_wal_insert_lsn() AS before \gset
CALL resolute.run('jira-warehouse-sync');
SELECT pg_catalog.pg_current_wal_insert_lsn() AS after \gset
\o
-- A run that did not store or skip every issue is no measurement: no line then.
SELECT first.inserted / first.duration_seconds,
       second.unchanged / second.duration_seconds,
       (high - shared) / 1024.0,
       (:'after'::pg_lsn - :'before'::pg_lsn) / 1048576.0
FROM (SELECT * FROM resolute.runs ORDER BY run_id LIMIT 1) AS first,
     (SELECT * FROM resolute.runs ORDER BY run_id DESC LIMIT 1) AS second,
     pg_catalog.pg_read_file('/proc/self/status') AS memory(text),
     LATERAL (SELECT (pg_catalog.regexp_match(memory.text, 'VmHWM:\s+(\d+)'))[1]::numeric AS high,
                     (pg_catalog.regexp_match(memory.text, 'RssShmem:\s+(\d+)'))[1]::numeric AS shared) AS peak
WHERE first.inserted = :issues AND second.unchanged = :issues;
