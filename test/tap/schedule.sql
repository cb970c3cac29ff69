-- database: resolute
-- pg_cron's job of a flow follows the flow, and fires it.
\ir setup/psql.sql
SET client_min_messages = warning;
SELECT * FROM no_plan();
CREATE EXTENSION IF NOT EXISTS pg_cron;
DELETE FROM cron.job;

CREATE FUNCTION pg_temp.jobs() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws('|', jobname, schedule, command, database, username, active) FROM cron.job ORDER BY jobname
$$;
-- Wait until a query gives true; a minute is what pg_cron counts in.
CREATE PROCEDURE pg_temp.await(query text) LANGUAGE plpgsql AS $$
DECLARE
	found boolean := false;
	started timestamptz := clock_timestamp();
BEGIN
	WHILE NOT found AND clock_timestamp() < started + interval '150 seconds' LOOP
		PERFORM pg_sleep(0.1);
		EXECUTE query INTO found;
		COMMIT;
	END LOOP;
END
$$;

-- A flow that is fired, while the rest is tested ------------------------------------------

CREATE SCHEMA firing;
CREATE TABLE firing.log (at timestamptz DEFAULT clock_timestamp(), who text DEFAULT current_user);
SELECT is(resolute.create_flow('every minute', resolute.schedule('* * * * *'), resolute.sql('INSERT INTO firing.log DEFAULT VALUES')), 1, 'a flow with a schedule');
SELECT results_eq('SELECT pg_temp.jobs()',
	$$VALUES ('resolute: every minute|* * * * *|CALL resolute.run(''every minute'', scheduled => true)|resolute|postgres|t')$$, 'makes a job');

-- The job follows the flow -----------------------------------------------------------------

SELECT resolute.create_flow('it''s "f"', resolute.schedule('5 4 * * sun'), resolute.sql('SELECT 1'));
SELECT is(jobs, 'resolute: it''s "f"|5 4 * * sun|CALL resolute.run(''it''''s "f"'', scheduled => true)|resolute|postgres|t', 'odd names are quoted')
FROM pg_temp.jobs() AS jobs WHERE jobs ~ 'it''s';
SELECT resolute.create_or_replace_flow('it''s "f"', resolute.schedule('@hourly'), resolute.sql('SELECT 1'));
SELECT is(array_agg(schedule), '{@hourly}', 'a new schedule changes the job') FROM cron.job WHERE jobname ~ 'it''s';
SELECT resolute.disable_flow('it''s "f"');
SELECT is_empty($$SELECT FROM cron.job WHERE jobname ~ 'it''s'$$, 'a disabled flow has no job');
SELECT resolute.create_or_replace_flow('it''s "f"', resolute.schedule('@daily'), resolute.sql('SELECT 1'));
SELECT is_empty($$SELECT FROM cron.job WHERE jobname ~ 'it''s'$$, 'and gets none when it is replaced');
SELECT resolute.enable_flow('it''s "f"');
SELECT is(array_agg(schedule), '{@daily}', 'an enabled one has its job again') FROM cron.job WHERE jobname ~ 'it''s';
SELECT resolute.create_or_replace_flow('it''s "f"', resolute.manual(), resolute.sql('SELECT 1'));
SELECT is_empty($$SELECT FROM cron.job WHERE jobname ~ 'it''s'$$, 'a flow without a schedule has none');
SELECT resolute.create_or_replace_flow('it''s "f"', resolute.schedule('@daily'), resolute.sql('SELECT 1'));
SELECT resolute.drop_flow('it''s "f"');
SELECT is_empty($$SELECT FROM cron.job WHERE jobname ~ 'it''s'$$, 'nor has one that was dropped');
BEGIN;
SELECT resolute.create_flow('undone', resolute.schedule('@daily'), resolute.sql('SELECT 1'));
ROLLBACK;
SELECT is_empty($$SELECT FROM cron.job WHERE jobname ~ 'undone'$$, 'a job goes with the transaction');

-- The job belongs to the owner of the flow, whoever changes it.
CREATE ROLE firing_owner;
GRANT USAGE ON SCHEMA resolute, cron TO firing_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA resolute TO firing_owner;
SET ROLE firing_owner;
SELECT resolute.create_flow('owned', resolute.schedule('@daily'), resolute.sql('SELECT 1'));
RESET ROLE;
SELECT is(username, 'firing_owner', 'the job runs as the owner') FROM cron.job WHERE jobname ~ 'owned';
SELECT resolute.create_or_replace_flow('owned', resolute.schedule('@weekly'), resolute.sql('SELECT 1'));
SELECT results_eq($$SELECT username, schedule FROM cron.job WHERE jobname ~ 'owned'$$, $$VALUES ('firing_owner', '@weekly')$$,
	'even if a superuser changes the flow');
SELECT resolute.alter_flow('owned', owner => 'postgres');
SELECT results_eq($$SELECT username, schedule FROM cron.job WHERE jobname ~ 'owned'$$, $$VALUES ('postgres', '@weekly')$$,
	'and moves with the flow to another owner');
SELECT resolute.drop_flow('owned');

-- An owner who may not use pg_cron gets a flow and a notice.
REVOKE USAGE ON SCHEMA cron FROM firing_owner;
SET ROLE firing_owner;
SELECT lives_ok($$SELECT resolute.create_flow('unscheduled', resolute.schedule('@daily'), resolute.sql('SELECT 1'))$$, 'without USAGE the flow is made');
SELECT throws_ok($$SELECT resolute.create_flow('bad', resolute.schedule('@nightly'), resolute.sql('SELECT 1'))$$, '22023',
	'schedule "@nightly" of flow "bad" is not valid', 'unless its schedule is wrong');
RESET ROLE;
GRANT USAGE ON SCHEMA cron TO firing_owner;
SET ROLE firing_owner;
SELECT is(resolute.create_or_replace_flow('unscheduled', resolute.schedule('@daily'), resolute.sql('SELECT 1')), 1, 'the same flow again');
SELECT results_eq($$SELECT schedule FROM cron.job WHERE jobname ~ 'unscheduled'$$, $$VALUES ('@daily')$$, 'makes the missing job');
RESET ROLE;
SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname ~ 'unscheduled';
REVOKE USAGE ON SCHEMA cron FROM firing_owner;
SET ROLE firing_owner;
SELECT lives_ok($$SELECT resolute.disable_flow('unscheduled')$$, 'and it can be disabled');
SELECT lives_ok($$SELECT resolute.drop_flow('unscheduled')$$, 'and dropped');
RESET ROLE;
SELECT is_empty($$SELECT FROM cron.job WHERE jobname ~ 'unscheduled'$$, 'there is no job');

-- Invalid input ------------------------------------------------------------------------------

SELECT throws_ok(format('SELECT resolute.create_flow(''bad'', resolute.schedule(%L), resolute.sql(''SELECT 1''))', cron), '22023',
	format('schedule "%s" of flow "bad" is not valid', cron), format('"%s" is refused', cron))
FROM unnest(ARRAY['', '* * * *', '60 * * * *', '0 25 * * *', '@sometimes', 'every day']) AS cron;
SELECT is_empty($$SELECT FROM resolute.flows WHERE name = 'bad'$$, 'and makes no flow');
SELECT throws_ok($$SELECT resolute.create_or_replace_flow('every minute', resolute.schedule('61 * * * *'), resolute.sql('SELECT 2'))$$, '22023',
	NULL, 'a flow is not changed either');
SELECT results_eq($$SELECT version FROM resolute.flows WHERE name = 'every minute'$$, 'VALUES (1)', 'it keeps its version');
SELECT results_eq($$SELECT schedule FROM cron.job WHERE jobname ~ 'every minute'$$, $$VALUES ('* * * * *')$$, 'and its job');

-- The job of a flow of the same name in another database is left alone.
SELECT cron.schedule('resolute: elsewhere', '@daily', 'SELECT 1');
UPDATE cron.job SET database = 'elsewhere' WHERE jobname = 'resolute: elsewhere';
SELECT throws_ok($$SELECT resolute.create_flow('elsewhere', resolute.schedule('@hourly'), resolute.sql('SELECT 1'))$$, '42710',
	'flow "elsewhere" could not be scheduled', 'a name that another database uses');
SELECT resolute.create_flow('elsewhere', resolute.manual(), resolute.sql('SELECT 1'));
SELECT resolute.drop_flow('elsewhere');
SELECT results_eq($$SELECT database, schedule FROM cron.job WHERE jobname = 'resolute: elsewhere'$$, $$VALUES ('elsewhere', '@daily')$$,
	'its job is neither changed nor removed');

-- Names longer than a name of a job can be are told apart.
SELECT resolute.create_flow(repeat('é', 40) || n, resolute.schedule('@daily'), resolute.sql('SELECT 1')) FROM generate_series(1, 2) AS n;
SELECT is(count(DISTINCT jobname), 2::bigint, 'two long names make two jobs') FROM cron.job WHERE jobname ~ 'é';
SELECT resolute.drop_flow(repeat('é', 40) || n) FROM generate_series(1, 2) AS n;
SELECT is_empty($$SELECT FROM cron.job WHERE jobname ~ 'é'$$, 'and both are found again');

-- pg_cron fires the flow -------------------------------------------------------------------------

CALL pg_temp.await($$SELECT EXISTS (SELECT FROM resolute.runs WHERE flow = 'every minute' AND status = 'succeeded')$$);
SELECT results_eq($$SELECT status, scheduled FROM resolute.runs WHERE flow = 'every minute' ORDER BY started_at LIMIT 1$$,
	$$VALUES ('succeeded', true)$$, 'pg_cron has run the flow');
SELECT ok(count(*) >= 1, 'which did what it says') FROM firing.log WHERE who = 'postgres';
CALL pg_temp.await($$SELECT EXISTS (SELECT FROM cron.job_run_details WHERE command ~ 'every minute' AND status = 'succeeded')$$);
SELECT ok(count(*) >= 1, 'and pg_cron knows that it succeeded') FROM cron.job_run_details WHERE command ~ 'every minute' AND status = 'succeeded';

-- A second start for the same tick, as pg_cron makes them after a run that took too long.  Only
-- a minute that begins in between would be a tick of its own.
DO $$
DECLARE
	minute timestamptz;
BEGIN
	LOOP
		minute := date_trunc('minute', clock_timestamp());
		EXIT WHEN EXISTS (SELECT FROM resolute.runs WHERE flow = 'every minute' AND status <> 'skipped' AND started_at >= minute);
		PERFORM pg_sleep(0.1);
		EXIT WHEN clock_timestamp() > now() + interval '150 seconds';
	END LOOP;
END
$$;
CALL resolute.run('every minute', scheduled => true);
SELECT ok(status = 'skipped' OR date_trunc('minute', started_at) > (SELECT max(date_trunc('minute', r.started_at)) FROM resolute.runs r
	WHERE r.flow = 'every minute' AND r.run_id < last.run_id), 'a second start for the same tick is skipped')
FROM (SELECT * FROM resolute.runs WHERE flow = 'every minute' ORDER BY run_id DESC LIMIT 1) AS last;

SELECT resolute.drop_flow('every minute');
DROP SCHEMA firing CASCADE;
DELETE FROM cron.job;
REVOKE USAGE ON SCHEMA resolute FROM firing_owner;
DROP OWNED BY firing_owner;
DROP ROLE firing_owner;
SELECT * FROM finish();
