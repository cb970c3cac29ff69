-- Runs that take too long, and servers that ask to wait.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=600&seed=5');
SELECT no_plan();

-- A wait longer than resolute.max_wait defers the run; what was committed stands.
SELECT sim.post('/_sim/fault', '{"skip": 2, "status": 429, "headers": {"Retry-After": "900"}}');
SELECT sim.flow(page_size => 20);
CALL resolute.run('jira-warehouse-sync');
SELECT results_eq('SELECT status, error_code, pages, inserted FROM resolute.runs', $$VALUES ('deferred', '53400', 2::bigint, 40::bigint)$$, 'CALL ends as deferred, and keeps its pages');
SELECT ok((SELECT next_attempt_at - started_at BETWEEN '890 s' AND '1000 s' FROM resolute.runs), 'with the time of the next attempt');
SELECT is((SELECT not_before FROM resolute.flow_status), (SELECT next_attempt_at FROM resolute.runs), 'which flow_status shows');
SELECT sim.get('/_sim/log?clear=1');
SELECT is((SELECT status FROM resolute.run_flow('jira-warehouse-sync')), 'skipped', 'runs before that time are skipped');
SELECT is(jsonb_array_length(sim.get('/_sim/log')), 0, 'without a request');
UPDATE resolute.flows SET not_before = now();
SELECT is((SELECT status FROM resolute.run_flow('jira-warehouse-sync')), 'succeeded', 'after it the next run goes on');
SELECT sim.same_as_source('and completes the table');
SELECT is((SELECT sum(inserted) FROM resolute.runs), (SELECT count(*)::numeric FROM warehouse.issues), 'nothing was fetched into the table twice');

-- Within max_wait it waits.
SELECT sim.post('/_sim/fault', '{"status": 429, "headers": {"Retry-After": "1"}}');
SELECT is((SELECT status FROM resolute.run_flow('jira-warehouse-sync')), 'succeeded', 'a short wait is waited for');
SET resolute.max_wait = 0;
SELECT sim.post('/_sim/fault', '{"status": 429, "headers": {"Retry-After": "1"}}');
SELECT is((SELECT status FROM resolute.run_flow('jira-warehouse-sync', raise => false)), 'deferred', 'max_wait is a setting');
UPDATE resolute.flows SET not_before = NULL;
SELECT sim.post('/_sim/fault', '{"status": 429, "headers": {"Retry-After": "1"}}');
SELECT throws_ok($$SELECT resolute.run_flow('jira-warehouse-sync')$$, '53400', NULL, 'run_flow raises');
RESET resolute.max_wait;
SELECT sim.get('/_sim/faults?clear=1');

-- max_runtime.
SELECT resolute.alter_flow('jira-warehouse-sync', max_runtime => '500 ms');
SELECT sim.post('/_sim/fault', '{"hang": true}');
CREATE FUNCTION cancelled() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM resolute.run_flow('jira-warehouse-sync');
	RETURN 'not cancelled';
EXCEPTION WHEN query_canceled THEN
	RETURN SQLERRM;
END $$;
SELECT is(cancelled(), 'canceling flow "jira-warehouse-sync" because it ran longer than its max_runtime', 'max_runtime ends a run');
SELECT sim.get('/_sim/faults?clear=1');
SELECT sim.post('/_sim/fault', '{"hang": true}');
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('jira-warehouse-sync');
\set VERBOSITY default
\set ON_ERROR_STOP on
SELECT sim.get('/_sim/faults?clear=1');
SELECT results_eq('SELECT status, error_code FROM resolute.runs ORDER BY run_id DESC LIMIT 1', $$VALUES ('cancelled', '57014')$$, 'under CALL, too');
SELECT is((SELECT status FROM resolute.run_flow('jira-warehouse-sync')), 'succeeded', 'and the next run is not disturbed');
SELECT count(*) FROM generate_series(1, 3000000) \g /dev/null
SELECT pass('nor is any other statement after it');

-- A run inside a run: the limit of the outer one still counts after the inner one has ended.
CREATE FUNCTION run_inner(state jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(status) FROM resolute.run_flow('inner') $$;
SELECT resolute.create_flow('inner', resolute.manual(), resolute.sql('SELECT 1'));
SELECT resolute.create_flow('outer', resolute.manual(), resolute.node('inner', 'run_inner'),
	resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM')), resolute.node('n', 'warehouse.log_sync_stats', input => 'issues'));
SELECT resolute.alter_flow('outer', max_runtime => '300 ms');
CREATE FUNCTION outer_cancelled() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM resolute.run_flow('outer');
	RETURN 'not cancelled';
EXCEPTION WHEN query_canceled THEN
	RETURN SQLERRM;
END $$;
SELECT sim.post('/_sim/fault', '{"hang": true}');
SET statement_timeout = '20 s';
SELECT is(outer_cancelled(), 'canceling flow "outer" because it ran longer than its max_runtime', 'a run inside a run leaves the limit of the outer one');
RESET statement_timeout;
SELECT sim.get('/_sim/faults?clear=1');
SELECT resolute.alter_flow('outer', max_runtime => '1 hour');
SELECT resolute.create_or_replace_flow('inner', resolute.manual(),
	resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM')), resolute.node('n', 'warehouse.log_sync_stats', input => 'issues'));
SELECT resolute.alter_flow('inner', max_runtime => '300 ms');
SELECT sim.post('/_sim/fault', '{"hang": true}');
SELECT is(outer_cancelled(), 'canceling flow "inner" because it ran longer than its max_runtime', 'and has its own, which is said of it');
SELECT sim.get('/_sim/faults?clear=1');
SELECT count(*) FROM generate_series(1, 3000000) \g /dev/null
SELECT pass('nor is any other statement after it');
SELECT * FROM finish();
