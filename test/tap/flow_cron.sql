-- pg_cron runs a scheduled flow; its job follows the flow.
-- database: resolute
\set ON_ERROR_STOP on
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = error;
DROP SCHEMA IF EXISTS warehouse, sim CASCADE;
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=300&seed=5');
SELECT no_plan();
CREATE TEMP VIEW job AS SELECT jobname::text, schedule, command, active, username::text, database::text FROM cron.job WHERE jobname LIKE 'resolute: %';

SELECT sim.flow(trigger => resolute.schedule('5 4 * * *'));
SELECT results_eq('SELECT jobname, schedule, command, active, username, database FROM job',
	$$VALUES ('resolute: jira-warehouse-sync', '5 4 * * *', 'CALL resolute.run(''jira-warehouse-sync'', scheduled => true)', true, current_user::text, current_database()::text)$$,
	'create_flow schedules a job');
SELECT sim.flow(trigger => resolute.schedule('6 4 * * *'));
SELECT results_eq('SELECT schedule FROM job', $$VALUES ('6 4 * * *')$$, 'replacing the flow changes it');
SELECT throws_ok($$SELECT sim.flow(trigger => resolute.schedule('61 * * * *'))$$, '22023', NULL, 'a bad cron text is refused');
SELECT throws_like($$SELECT sim.flow(trigger => resolute.schedule('often'))$$, '%jira-warehouse-sync%', 'with the name of the flow');
SELECT results_eq('SELECT schedule FROM job', $$VALUES ('6 4 * * *')$$, 'and changes nothing');
SELECT resolute.disable_flow('jira-warehouse-sync');
SELECT is((SELECT count(*) FROM job WHERE active), 0::bigint, 'disable_flow stops the job');
SELECT resolute.enable_flow('jira-warehouse-sync');
SELECT is((SELECT count(*) FROM job WHERE active), 1::bigint, 'enable_flow starts it');
SELECT sim.flow(trigger => resolute.manual());
SELECT is((SELECT count(*) FROM job), 0::bigint, 'a manual flow has no job');

-- A tick that a run has covered already is skipped.
SELECT sim.flow(trigger => resolute.schedule('0 0 1 1 *'));
CALL resolute.run('jira-warehouse-sync', scheduled => true);
CALL resolute.run('jira-warehouse-sync', scheduled => true);
SELECT results_eq('SELECT status, scheduled FROM resolute.runs ORDER BY run_id',
	$$VALUES ('succeeded', true), ('skipped', true)$$, 'a stacked tick is skipped');
SELECT is((SELECT status FROM resolute.run_flow('jira-warehouse-sync')), 'succeeded', 'a run by hand is not');
SELECT resolute.disable_flow('jira-warehouse-sync');
CALL resolute.run('jira-warehouse-sync', scheduled => true);
SELECT is((SELECT status FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'skipped', 'a disabled flow is not started by its schedule');
SELECT resolute.enable_flow('jira-warehouse-sync');

-- pg_cron really fires it: wait for its request, which comes within a minute.
SELECT resolute.reset_cursor('jira-sync');
TRUNCATE warehouse.issues, resolute.runs CASCADE;
SELECT sim.flow(trigger => resolute.schedule('* * * * *'));
SELECT sim.get('/_sim/stats?clear=1');
SELECT is((sim.get('/_sim/wait?searches=1&timeout_ms=70000')->>'searches')::int > 0, true, 'pg_cron starts the flow');
SELECT sim.get('/_sim/wait?searches=2&timeout_ms=5000');
SELECT resolute.disable_flow('jira-warehouse-sync');

-- The run holds the flow until it is over: wait for its lock.
CREATE FUNCTION pg_temp.wait_for_run() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	FOR i IN 1 .. 20000 LOOP
		SELECT status INTO result FROM resolute.runs WHERE scheduled AND status <> 'running';
		EXIT WHEN FOUND;
		PERFORM count(*) FROM generate_series(1, 5000);
	END LOOP;
	RETURN result;
END $$;
SELECT is(pg_temp.wait_for_run(), 'succeeded', 'which succeeds');
SELECT sim.same_as_source('and brings the issues');
SELECT resolute.drop_flow('jira-warehouse-sync');
SELECT is((SELECT count(*) FROM job), 0::bigint, 'drop_flow removes the job');
SELECT * FROM finish();
