-- What reading and running costs, of long books; state names it.
SELECT cmp_ok(pg_temp.reads('SELECT flow, last_success, last_error FROM resolute.flow_status'), '<', 1000::bigint, :'state' || ': the status of 200 flows');
SELECT cmp_ok(pg_temp.reads($$SELECT * FROM resolute.flow_status WHERE flow = 'flow 1'$$), '<', 10::bigint, :'state' || ': the status of a flow that always failed');
SELECT cmp_ok(pg_temp.reads($$SELECT * FROM resolute.flow_status WHERE flow = 'flow 2'$$), '<', 10::bigint, :'state' || ': the status of a flow that was always skipped');
SELECT cmp_ok(pg_temp.reads($$SELECT * FROM resolute.run_flow('jira-warehouse-sync')$$), '<', 50::bigint, :'state' || ': a run');

-- A run that refuses some rows, and one that can store them.
TRUNCATE warehouse.issues;
UPDATE resolute.cursors SET position = NULL, walk = NULL, server = NULL, query = NULL, target = NULL;
ALTER TABLE warehouse.issues ADD CONSTRAINT refused CHECK (issue_key NOT LIKE '%1');
SELECT cmp_ok(pg_temp.reads($$SELECT * FROM resolute.run_flow('jira-warehouse-sync')$$), '<', 50::bigint, :'state' || ': a run that refuses rows');
SELECT cmp_ok((SELECT count(*) FROM resolute.dead_letters WHERE item IS NOT NULL AND resolved_at IS NULL), '>', 0::bigint, '... indeed');
ALTER TABLE warehouse.issues DROP CONSTRAINT refused;
UPDATE resolute.cursors SET position = NULL, walk = NULL, server = NULL, query = NULL, target = NULL;
SELECT cmp_ok(pg_temp.reads($$SELECT * FROM resolute.run_flow('jira-warehouse-sync')$$), '<', 50::bigint, :'state' || ': a run that stores them after all');
SELECT is((SELECT count(*) FROM resolute.dead_letters WHERE item IS NOT NULL AND resolved_at IS NULL), 0::bigint, '... indeed');

SELECT cmp_ok(pg_temp.reads($$SELECT resolute.rollback_cursor('jira-sync')$$), '<', 50::bigint, :'state' || ': a cursor that is rolled back');
SELECT cmp_ok(pg_temp.reads($$SELECT resolute.rollback_cursor('jira-sync', 5)$$), '<', 300::bigint, :'state' || ': by several runs');
SELECT cmp_ok(pg_temp.reads($$SELECT resolute.prune('100 years')$$), '<', 10::bigint, :'state' || ': nothing to prune');
SELECT cmp_ok(pg_temp.reads($$SELECT resolute.create_or_replace_flow('other', resolute.manual(), resolute.sql('SELECT 1'))$$), '<', 10::bigint, :'state' || ': a definition');
