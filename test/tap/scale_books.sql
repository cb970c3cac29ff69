-- Many flows, and long books: neither a run, nor a look at flow_status, nor pruning reads
-- more of them than it needs.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=60&seed=3');
SELECT no_plan();

-- What this transaction has read of the books; a difference counts, since what came before may be in it.
CREATE FUNCTION pg_temp.rows_read() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables
	WHERE schemaname = 'resolute' AND relname NOT IN ('flows', 'cursors')
$$;
CREATE FUNCTION pg_temp.reads(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint := pg_temp.rows_read();
BEGIN
	EXECUTE statement;
	RETURN pg_temp.rows_read() - before;
END $$;

-- 200 flows.  The first one has a history of success, the next one has always failed, another has always
-- been skipped; one dead letter of 20 is open.
SELECT flow_id AS flow, cursor_id AS cursor FROM resolute.flows, resolute.cursors \gset
INSERT INTO resolute.flows (flow_id, name, owner, version) SELECT 1000 + i, 'flow ' || i, current_user::regrole, 1 FROM generate_series(1, 199) i;
INSERT INTO resolute.flow_versions (flow_id, version, trigger, steps, created_by)
SELECT 1000 + i, 1, '{"trigger": "schedule", "cron": "*/5 * * * *"}', '[]', current_user::regrole FROM generate_series(1, 199) i;
INSERT INTO resolute.flow_versions (flow_id, version, trigger, steps, created_by)
SELECT :flow, 1000 + i, '{"trigger": "manual"}', '[]', current_user::regrole FROM generate_series(1, 20000) i;
INSERT INTO resolute.runs (run_id, flow, version, status, started_at, finished_at, error_code, flow_id, owner)
SELECT -i, 'a flow', 1, (ARRAY['succeeded', 'failed', 'skipped'])[i % 3 + 1], at, at, CASE i % 3 WHEN 1 THEN '08006' END, (ARRAY[:flow, 1001, 1002])[i % 3 + 1], current_user::regrole
FROM (SELECT i, now() - i * interval '1 minute' AS at FROM generate_series(1, 60000) i) s;
INSERT INTO resolute.run_steps (run_id, step_no, step, kind) SELECT -i, 1, 'upserted', 'upsert' FROM generate_series(1, 20000) i;
INSERT INTO resolute.dead_letters (flow_id, flow, owner, step, item_hash, error_code, error_message, resolved_at)
SELECT CASE WHEN i % 2 = 0 THEN :flow ELSE 1003 END, 'a flow', current_user::regrole, 'upserted', decode(lpad(to_hex(i), 64, '0'), 'hex'), '22P02', 'x', CASE WHEN i % 20 <> 1 THEN now() END
FROM generate_series(1, 40000) i;
INSERT INTO resolute.cursor_history (cursor_id, run_id, moved_at, action, old_position, new_position, old_binding)
SELECT :cursor, -i / 10, now(), 'page', to_timestamp(1577836800 + i), to_timestamp(1577836801 + i), CASE WHEN i % 10 = 0 THEN '{}'::jsonb END FROM generate_series(0, 39999) i;

-- Twice: without statistics, as after a restore, and with them.
\set state 'without statistics'
\ir setup/scale_checks.sql
ANALYZE;
\set state 'with statistics'
\ir setup/scale_checks.sql

-- What is old goes; the latest history stays.
SELECT is(resolute.prune('20 days 30 seconds'), (SELECT count(*) FROM generate_series(1, 60000) i WHERE i * interval '1 minute' > interval '20 days 30 seconds'), 'old runs are pruned');
SELECT is((SELECT count(*) FROM resolute.run_steps s WHERE run_id < 0 AND NOT EXISTS (SELECT FROM resolute.runs r WHERE r.run_id = s.run_id)), 0::bigint, 'and their steps');

-- A run in one transaction does not become slower with each page: its cursor moves once.
SELECT sim.get('/_sim/reset?issues=60&seed=3');
UPDATE resolute.cursors SET position = NULL, server = NULL, query = NULL, target = NULL, moves = 0;
TRUNCATE warehouse.issues;
SELECT sim.flow(page_size => 5);
SELECT is((SELECT pages >= 6 FROM resolute.run_flow('jira-warehouse-sync')), true, 'a run of some pages');
SELECT is((SELECT moves FROM resolute.cursors), 1::bigint, 'moves its cursor once in one transaction');
SELECT is((SELECT position FROM resolute.cursors), (SELECT max(updated_at) FROM warehouse.issues), '... to the end');
SELECT sim.same_as_source('and brings the table');
SELECT resolute.reset_cursor('jira-sync');
CALL resolute.run('jira-warehouse-sync');
SELECT cmp_ok((SELECT moves FROM resolute.cursors), '>=', 7::bigint, 'under CALL it moves with every page');

-- Where max_items ends a run before the walk is over, the cursor keeps what was read.
UPDATE resolute.cursors SET position = NULL, server = NULL, query = NULL, target = NULL, walk = NULL, moves = 0;
TRUNCATE warehouse.issues;
SELECT resolute.create_or_replace_flow('jira-warehouse-sync', resolute.manual(),
	resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}', cursor => resolute.cursor_for('jira-sync'), page_size => 5, max_items => 10)),
	resolute.as('transformed', resolute.map('issues', sim.template())), resolute.upsert('transformed', 'warehouse.issues', 'issue_key'));
SELECT is((SELECT inserted FROM resolute.run_flow('jira-warehouse-sync')), 10::bigint, 'max_items ends a run');
SELECT is((SELECT moves || ' ' || (walk IS NOT NULL) FROM resolute.cursors), '1 true', 'the cursor stands in the middle of its walk');
SELECT is((SELECT inserted FROM resolute.run_flow('jira-warehouse-sync')), 10::bigint, 'the next run goes on from there');

SELECT * FROM finish();
