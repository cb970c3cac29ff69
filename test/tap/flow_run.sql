-- A flow brings what is new, and only that; rows, cursor and books agree.
-- sim: --issues 1200
\ir setup/warehouse.sql
SET client_min_messages = warning;
SELECT sim.get('/_sim/reset?issues=1200&seed=5');
SELECT no_plan();

-- The first run.
CREATE TABLE run1 AS SELECT * FROM resolute.run_flow('jira-warehouse-sync');
SELECT is((SELECT status FROM run1), 'succeeded', 'the first run succeeds');
SELECT cmp_ok((SELECT inserted FROM run1), '>', 300::bigint, 'and inserts the issues of the project');
SELECT sim.same_as_source('the table is the source');
SELECT is((SELECT source_records FROM run1), (SELECT count(*) FROM warehouse.issues), 'each was delivered once');
SELECT is((SELECT cursor_position FROM run1), (SELECT max(updated_at) FROM warehouse.issues), 'the cursor is at the greatest updated');
SELECT is((SELECT position FROM resolute.cursors), (SELECT max(updated_at) FROM warehouse.issues), 'and stored there');
SELECT is((SELECT walk FROM resolute.cursors), NULL, 'no walk is left open');
SELECT is((SELECT count(*) FROM resolute.runs), 1::bigint, 'the run is in the books');
SELECT is((SELECT run1 FROM run1), (SELECT r FROM resolute.runs r)::text::run1, 'as it was returned');
SELECT results_eq('SELECT step, kind, rows_in, rows_out FROM resolute.run_steps ORDER BY step_no',
	format($$VALUES ('issues', 'jira_fetch_issues', 0::bigint, %1$s::bigint), ('transformed', 'map', %1$s, %1$s),
		('unique', 'unique', %1$s, %1$s), ('upserted', 'upsert', %1$s, 0), ('log-stats', 'node', 0, 0)$$, (SELECT source_records FROM run1)),
	'each step has its own');
SELECT is((SELECT (stats->>'inserted')::bigint FROM warehouse.sync_log), (SELECT inserted FROM run1), 'the node was called with the counts of the upsert');
SELECT is((SELECT count(*) FROM warehouse.issues WHERE sync_timestamp IS NULL), 0::bigint, 'now was filled in');

-- Nothing new: one request, nothing written.
SELECT sim.get('/_sim/log?clear=1');
CREATE TABLE before AS SELECT xmin::text AS writer, * FROM warehouse.issues;
CREATE TABLE run2 AS SELECT * FROM resolute.run_flow('jira-warehouse-sync');
SELECT is((SELECT inserted + updated + failed FROM run2), 0::bigint, 'a run with nothing new writes nothing');
SELECT is((SELECT unchanged FROM run2), (SELECT source_records FROM run2), 'what the overlap brought was unchanged');
SELECT set_eq('SELECT xmin::text AS writer, issue_key FROM warehouse.issues', 'SELECT writer, issue_key FROM before', 'no row was touched');
SELECT is(jsonb_array_length(sim.get('/_sim/log')), 1, 'it took one request');
SELECT is((sim.get('/_sim/log')->0->'body'->>'jql') ~ 'updated >= \d{13} ', true, 'with the cursor as milliseconds')
	FROM (SELECT 1) one WHERE jsonb_typeof(sim.get('/_sim/log')->0->'body') = 'object';

-- Changes.
SELECT sim.post('/_sim/edit', '{"key": "PLATFORM-7", "fields": {"summary": "a \"quote\" and \\ a backslash", "status": "Done"}}');
SELECT sim.get('/_sim/bulk?project=PLATFORM&from=20&count=30&priority=High');
SELECT sim.get('/_sim/add?project=PLATFORM&count=5');
CREATE TABLE run3 AS SELECT * FROM resolute.run_flow('jira-warehouse-sync');
SELECT is((SELECT inserted FROM run3), 5::bigint, 'new issues are inserted');
SELECT is((SELECT updated FROM run3), 31::bigint, 'changed ones updated');
SELECT sim.same_as_source('the table is the source again');
SELECT cmp_ok((SELECT source_records FROM run3), '<', 100::bigint, 'only what changed was fetched');

-- The books balance, per run and sink.
SELECT is((SELECT count(*) FROM resolute.runs WHERE source_records <> inserted + updated + unchanged + stale + duplicates + filtered + failed),
	0::bigint, 'the books balance');

-- CALL does the same, page by page.
SELECT resolute.reset_cursor('jira-sync');
CREATE TABLE by_run_flow AS SELECT * FROM warehouse.issues;
TRUNCATE warehouse.issues;
CALL resolute.run('jira-warehouse-sync');
SELECT set_eq($$SELECT (to_jsonb(i) - 'sync_timestamp')::text FROM warehouse.issues i$$,
	$$SELECT (to_jsonb(i) - 'sync_timestamp')::text FROM by_run_flow i$$, 'CALL gives the same table');
SELECT cmp_ok((SELECT count(DISTINCT xmin::text) FROM warehouse.issues), '>', 3::bigint, 'in more than one transaction');
SELECT is((SELECT count(*) FROM resolute.runs WHERE status <> 'succeeded'), 0::bigint, 'all runs succeeded');

-- Inside a transaction block CALL works like run_flow.
SELECT resolute.reset_cursor('jira-sync');
TRUNCATE warehouse.issues;
BEGIN;
CALL resolute.run('jira-warehouse-sync');
ROLLBACK;
SELECT is((SELECT count(*) FROM warehouse.issues), 0::bigint, 'a CALL in a transaction block is rolled back with it');
SELECT is((SELECT position FROM resolute.cursors), NULL, 'and so is the cursor');
BEGIN;
SELECT status FROM resolute.run_flow('jira-warehouse-sync') \gset
ROLLBACK;
SELECT is((SELECT count(*) FROM warehouse.issues), 0::bigint, 'so is run_flow');
CALL resolute.run('jira-warehouse-sync');

-- An older copy never overwrites a newer row.
UPDATE warehouse.issues SET updated_at = '2027-01-01', summary = 'newer' WHERE issue_key = 'PLATFORM-9';
SELECT resolute.reset_cursor('jira-sync');
CREATE TABLE run4 AS SELECT * FROM resolute.run_flow('jira-warehouse-sync');
SELECT is((SELECT stale FROM run4), 1::bigint, 'an older copy is stale');
SELECT is((SELECT summary FROM warehouse.issues WHERE issue_key = 'PLATFORM-9'), 'newer', 'and does not overwrite');
DELETE FROM warehouse.issues WHERE issue_key = 'PLATFORM-9';

-- Rows that the target refuses, or a template, become dead letters.
ALTER TABLE warehouse.issues ADD CONSTRAINT short CHECK (summary <> 'too bad');
SELECT sim.post('/_sim/edit', '{"key": "PLATFORM-3", "fields": {"summary": "too bad"}}');
SELECT sim.post('/_sim/edit', '{"key": "PLATFORM-4", "fields": {"summary": "good"}}');
CREATE TABLE run5 AS SELECT * FROM resolute.run_flow('jira-warehouse-sync');
SELECT results_eq('SELECT status, updated, failed FROM run5', $$VALUES ('succeeded', 1::bigint, 1::bigint)$$, 'a row that the target refuses does not fail the run');
SELECT is((SELECT summary FROM warehouse.issues WHERE issue_key = 'PLATFORM-4'), 'good', 'the other rows of the page are stored');
SELECT results_eq('SELECT step, item->>''key'', error_code, attempts FROM resolute.dead_letters',
	$$VALUES ('upserted', 'PLATFORM-3', '23514', 1)$$, 'the row is a dead letter');
SELECT is((SELECT open_dead_letters FROM resolute.flow_status), 1::bigint, 'that flow_status counts');
SELECT is((SELECT count(*) FROM resolute.runs WHERE source_records <> inserted + updated + unchanged + stale + duplicates + filtered + failed),
	0::bigint, 'the books balance with failures');
SELECT status, failed FROM resolute.run_flow('jira-warehouse-sync') \gset
SELECT results_eq('SELECT error_code, attempts FROM resolute.dead_letters', $$VALUES ('23514', 2)$$, 'meeting it again counts an attempt');
ALTER TABLE warehouse.issues DROP CONSTRAINT short;
SELECT sim.get('/_sim/edit?key=PLATFORM-3&summary=better');
SELECT status FROM resolute.run_flow('jira-warehouse-sync') \gset
SELECT is((SELECT resolved_at IS NOT NULL FROM resolute.dead_letters), true, 'a newer version that is stored resolves it');
SELECT is((SELECT summary FROM warehouse.issues WHERE issue_key = 'PLATFORM-3'), 'better', 'and is stored');
SELECT sim.flow(template => replace(sim.template(), '"{{.Summary}}"', '"{{if eq .Key `PLATFORM-5`}}{{slice .Summary 100000}}{{end}}{{.Summary}}"'));
SELECT sim.get('/_sim/edit?key=PLATFORM-5&summary=short');
SELECT sim.get('/_sim/edit?key=PLATFORM-6&summary=fine');
CREATE TABLE run6 AS SELECT * FROM resolute.run_flow('jira-warehouse-sync');
SELECT is((SELECT failed FROM run6), 1::bigint, 'a template that fails on one item');
SELECT is((SELECT item->>'key' FROM resolute.dead_letters WHERE step = 'transformed'), 'PLATFORM-5', 'makes that item a dead letter');
SELECT is((SELECT summary FROM warehouse.issues WHERE issue_key = 'PLATFORM-6'), 'fine', 'and the rest goes on');

-- More of them than max_failures fail the run.
SELECT resolute.alter_flow('jira-warehouse-sync', max_failures => 3);
ALTER TABLE warehouse.issues ADD CONSTRAINT refused CHECK (summary <> 'Refused');
SELECT sim.flow();
SELECT sim.get('/_sim/bulk?project=PLATFORM&from=40&count=4&summary=Refused');
CREATE TABLE cursor_before AS SELECT position, moves FROM resolute.cursors;
SELECT throws_ok($$SELECT resolute.run_flow('jira-warehouse-sync')$$, '54000', 'step "upserted" of flow "jira-warehouse-sync" failed for more than 3 rows', 'more failures than max_failures');
SELECT matches(sim.error($$SELECT resolute.run_flow('jira-warehouse-sync')$$), 'violates check constraint "refused".* \(SQLSTATE 23514\)', 'with the error of a row, as no dead letter tells of it');
SELECT is((SELECT count(*) FROM resolute.dead_letters WHERE error_code = '23514' AND error_message ~ '"refused"'), 0::bigint, '... indeed');
SELECT set_eq('SELECT position, moves FROM resolute.cursors', 'SELECT * FROM cursor_before', 'leave the cursor');
SELECT resolute.alter_flow('jira-warehouse-sync', max_failures => 4);
SELECT is((SELECT failed FROM resolute.run_flow('jira-warehouse-sync')), 4::bigint, 'as many as max_failures do not');

-- raise => false reports a failure in the row, and undoes the work.
SELECT sim.get('/_sim/edit?key=PLATFORM-8&summary=undone');
SELECT sim.post('/_sim/fault', '{"status": 400, "times": -1}');
CREATE TABLE run7 AS SELECT * FROM resolute.run_flow('jira-warehouse-sync', raise => false);
SELECT results_eq('SELECT status, error_code, inserted + updated FROM run7', $$VALUES ('failed', '22023', 0::bigint)$$, 'raise => false tells of the failure in the row');
SELECT is((SELECT status FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'failed', 'which stays in the books');
SELECT is((SELECT last_error_code FROM resolute.flow_status), '22023', 'and in flow_status');
SELECT sim.get('/_sim/faults?clear=1');

-- The books can be cut.
SELECT is(resolute.prune('1 day'), 0::bigint, 'prune leaves what is younger');
SELECT count(*) AS open FROM resolute.dead_letters WHERE resolved_at IS NULL \gset
CREATE TABLE pruned AS SELECT resolute.prune('0') AS n;
SELECT cmp_ok(n, '>', 20::bigint, 'prune drops what is older') FROM pruned;
SELECT is_empty('SELECT FROM resolute.runs UNION ALL SELECT FROM resolute.cursor_history UNION ALL SELECT FROM resolute.run_steps', 'finished runs and moves');
SELECT is((SELECT count(*) FROM resolute.dead_letters), :open::bigint, 'but no open dead letter');

-- The moved issue keeps its old row (the key is the conflict key), the deleted one stays.
SELECT * FROM finish();
