-- Queues: their definition, and what one session sees of them.  More sessions: isolation/queue, fault/queue.
\ir setup/psql.sql
SET client_min_messages = warning;
SELECT no_plan();
DROP ROLE IF EXISTS resolute_queuer, resolute_other;
CREATE ROLE resolute_queuer;
CREATE ROLE resolute_other;
GRANT USAGE ON SCHEMA resolute TO resolute_queuer, resolute_other;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA resolute TO resolute_queuer, resolute_other;
GRANT SELECT ON ALL TABLES IN SCHEMA resolute TO resolute_queuer, resolute_other;
SELECT resolute.create_flow(name, resolute.manual(), resolute.sql('SELECT 1')) FROM unnest(ARRAY['a', 'b', 'c']) name \g /dev/null

-- Definition.
SELECT lives_ok($$SELECT resolute.create_queue('data-sync', max_running => 2)$$, 'create_queue');
SELECT results_eq($$SELECT name, owner::text, max_running, on_full FROM resolute.queues$$,
	format($$VALUES ('data-sync', %L, 2, 'wait')$$, current_user), 'stores a queue, whose runs wait by default');
SELECT throws_ok($$SELECT resolute.create_queue('data-sync', 1)$$, '42710', 'queue "data-sync" already exists', 'a name twice is refused');
SELECT throws_ok($$SELECT resolute.create_queue('', 1)$$, '42602', 'invalid name of a queue: ""', 'an empty name');
SELECT throws_ok($$SELECT resolute.create_queue(repeat('x', 201), 1)$$, '42602', NULL, 'a name that is too long');
SELECT throws_ok($$SELECT resolute.create_queue(NULL, 1)$$, '22004', 'name of a queue must not be null', 'no name');
SELECT throws_ok($$SELECT resolute.create_queue('q', NULL)$$, '22004', 'max_running of a queue must not be null', 'no max_running');
SELECT throws_ok($$SELECT resolute.create_queue('q', 1, NULL)$$, '22004', 'on_full of a queue must not be null', 'no on_full');
SELECT throws_ok($$SELECT resolute.create_queue('q', 0)$$, '22023', 'max_running of a queue is out of range: 0', 'no place at all');
SELECT throws_ok($$SELECT resolute.create_queue('q', 1001)$$, '22023', 'max_running of a queue is out of range: 1001', 'too many places');
SELECT throws_ok($$SELECT resolute.create_queue('q', 1, 'drop')$$, '22023', 'invalid on_full of a queue: "drop"', 'an unknown on_full');
SELECT lives_ok($$SELECT resolute.alter_queue('data-sync', max_running => 1)$$, 'alter_queue');
SELECT results_eq($$SELECT max_running, on_full FROM resolute.queues$$, $$VALUES (1, 'wait')$$, 'changes what is given');
SELECT lives_ok($$SELECT resolute.alter_queue('data-sync', on_full => 'skip')$$, 'alter_queue again');
SELECT results_eq($$SELECT max_running, on_full FROM resolute.queues$$, $$VALUES (1, 'skip')$$, 'and leaves the rest');
SELECT throws_ok($$SELECT resolute.alter_queue('data-sync', max_running => -1)$$, '22023', NULL, 'a negative max_running');
SELECT throws_ok($$SELECT resolute.alter_queue('data-sync', on_full => '')$$, '22023', NULL, 'an empty on_full');
SELECT throws_ok($$SELECT resolute.alter_queue('nowhere', 1)$$, '42704', 'queue "nowhere" does not exist', 'alter_queue of an unknown queue');
SELECT throws_ok($$SELECT resolute.alter_queue(NULL, 1)$$, '22004', NULL, 'alter_queue without a name');
SELECT throws_ok($$SELECT resolute.drop_queue('nowhere')$$, '42704', 'queue "nowhere" does not exist', 'drop_queue of an unknown queue');

-- Flows in it.
SELECT throws_ok($$SELECT resolute.alter_flow('a', queue => 'nowhere')$$, '42704', 'queue "nowhere" does not exist', 'a flow in an unknown queue');
SELECT lives_ok($$SELECT resolute.alter_flow('a', queue => 'data-sync')$$, 'alter_flow puts a flow into a queue');
SELECT resolute.alter_flow('b', queue => 'data-sync') \g /dev/null
SELECT is((SELECT queue FROM resolute.flow_status WHERE flow = 'a'), 'data-sync', 'which flow_status shows');
SELECT resolute.alter_flow('a', max_failures => 7) \g /dev/null
SELECT is((SELECT queue FROM resolute.flows WHERE name = 'a'), 'data-sync', 'another setting leaves it there');
SELECT throws_ok($$SELECT resolute.drop_queue('data-sync')$$, '2BP01', 'cannot drop queue "data-sync" because flow "a" is in it', 'a queue with flows stays');
SELECT is((SELECT status FROM resolute.run_flow('a')), 'succeeded', 'a run that finds a place begins');
SELECT is((SELECT queued_at FROM resolute.runs ORDER BY run_id DESC LIMIT 1), NULL, 'and has not waited');
CALL resolute.run('a');
SELECT is((SELECT status FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'succeeded', 'under CALL, too');
SELECT is_empty($$SELECT FROM pg_locks WHERE locktype = 'object' AND classid = 'resolute.queues'::regclass$$, 'and gives its place back');

-- run_flow gives its place back when it ends, whatever its transaction does then.
CREATE VIEW places AS SELECT FROM pg_locks WHERE locktype = 'object' AND classid = 'resolute.queues'::regclass;
SELECT resolute.create_flow('fails', resolute.manual(), resolute.sql('SELECT 1/0')) \g /dev/null
SELECT resolute.create_flow('conflicts', resolute.manual(), resolute.sql($$DO 'BEGIN RAISE ''no'' USING ERRCODE = ''40001''; END'$$)) \g /dev/null
SELECT resolute.create_flow('outer', resolute.manual(), resolute.sql($$SELECT resolute.run_flow('b')$$)) \g /dev/null
SELECT resolute.alter_flow(name, queue => 'data-sync') FROM unnest(ARRAY['fails', 'conflicts', 'outer']) name \g /dev/null
SET client_min_messages = error;
BEGIN;
SELECT is((SELECT status FROM resolute.run_flow('a')), 'succeeded', 'a run in a transaction');
SELECT is_empty('TABLE places', 'gives its place back before that ends');
SELECT is((SELECT status FROM resolute.run_flow('outer')), 'succeeded', 'so another run of the transaction finds it');
SELECT results_eq($$SELECT flow, status, error_message FROM resolute.runs ORDER BY run_id DESC LIMIT 2$$,
	$$VALUES ('b', 'skipped', 'queue "data-sync" is full'), ('outer', 'succeeded', NULL)$$, 'but none that it starts itself');
SELECT is_empty('TABLE places', 'it is free again');
SELECT throws_ok($$SELECT resolute.run_flow('fails')$$, '22012', NULL, 'a run that raises');
SELECT is_empty('TABLE places', 'loses it with its subtransaction');
SELECT results_eq($$SELECT status, error_code FROM resolute.run_flow('fails', raise => false)$$, $$VALUES ('failed', '22012')$$, 'a run that fails and tells');
SELECT is_empty('TABLE places', 'gives it back as well');
SELECT results_eq($$SELECT status, error_code FROM resolute.run_flow('conflicts', raise => false)$$, $$VALUES ('failed', '40001')$$, 'one that meets a conflict');
SELECT is_empty('TABLE places', 'does so, too');
ROLLBACK;
SELECT results_eq($$SELECT (resolute.run_flow(name)).status FROM unnest(ARRAY['a', 'b', 'c']) name$$, $$VALUES ('succeeded'), ('succeeded'), ('succeeded')$$, 'several runs of one statement');
SELECT resolute.drop_flow(name) FROM unnest(ARRAY['fails', 'conflicts']) name \g /dev/null
SET client_min_messages = warning;

-- A run inside a run would wait for itself.
SELECT resolute.alter_queue('data-sync', on_full => 'wait') \g /dev/null
SELECT is((SELECT status FROM resolute.run_flow('outer')), 'succeeded', 'a run inside a run of the same queue does not wait for itself');
SELECT results_eq($$SELECT flow, status FROM resolute.runs ORDER BY run_id DESC LIMIT 2$$, $$VALUES ('b', 'skipped'), ('outer', 'succeeded')$$, 'but is skipped');
CALL resolute.run('outer');
SELECT results_eq($$SELECT flow, status FROM resolute.runs ORDER BY run_id DESC LIMIT 2$$, $$VALUES ('b', 'skipped'), ('outer', 'succeeded')$$, 'under CALL, too');
SELECT resolute.alter_queue('data-sync', max_running => 2) \g /dev/null
SELECT is((SELECT status FROM resolute.run_flow('outer')), 'succeeded', 'where there is another place');
SELECT is((SELECT status FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'succeeded', 'it takes that');
-- Lowered meanwhile: places beyond count.
SELECT resolute.alter_flow('c', queue => 'data-sync') \g /dev/null
SELECT resolute.create_or_replace_flow('b', resolute.manual(), resolute.sql($$SELECT resolute.alter_queue('data-sync', max_running => 1)$$), resolute.sql($$SELECT resolute.run_flow('c')$$)) \g /dev/null
SELECT is((SELECT status FROM resolute.run_flow('outer')), 'succeeded', 'a run that lowers max_running');
SELECT results_eq($$SELECT flow, status FROM resolute.runs ORDER BY run_id DESC LIMIT 3$$, $$VALUES ('c', 'skipped'), ('b', 'succeeded'), ('outer', 'succeeded')$$, 'no run begins while there are more');
SELECT is((SELECT status FROM resolute.run_flow('c')), 'succeeded', 'and one does when they have ended');

-- A failed run gives its place back.
SELECT resolute.create_or_replace_flow('b', resolute.manual(), resolute.sql('SELECT 1/0')) \g /dev/null
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('b');
\set VERBOSITY default
\set ON_ERROR_STOP on
SELECT is_empty($$SELECT FROM pg_locks WHERE locktype = 'object' AND classid = 'resolute.queues'::regclass$$, 'a run that failed holds no place');
SELECT is((SELECT status FROM resolute.run_flow('a')), 'succeeded', 'another one may take it');

-- Whose queue it is.
SET ROLE resolute_queuer;
SELECT resolute.create_flow('mine', resolute.manual(), resolute.sql('SELECT 1')) \g /dev/null
SELECT throws_ok($$SELECT resolute.alter_flow('mine', queue => 'data-sync')$$, '42501', 'permission denied for queue "data-sync"', 'the queue of another role is refused');
SELECT throws_ok($$SELECT resolute.alter_queue('data-sync', 5)$$, '42501', NULL, 'and cannot be changed');
SELECT throws_ok($$SELECT resolute.drop_queue('data-sync')$$, '42501', NULL, 'or dropped');
SELECT is_empty('SELECT FROM resolute.queues', 'or seen');
SELECT resolute.create_queue('mine', 1) \g /dev/null
SELECT lives_ok($$SELECT resolute.alter_flow('mine', queue => 'mine')$$, 'one''s own is not');
SELECT throws_ok($$SELECT resolute.alter_queue('mine', owner => 'resolute_other')$$, '42501', 'must be member of role "resolute_other" to give it queue "mine"', 'it can be given only to roles that one is a member of');
RESET ROLE;
SELECT lives_ok($$SELECT resolute.alter_queue('mine', owner => 'resolute_other')$$, 'alter_queue changes the owner');
SELECT lives_ok($$SELECT resolute.alter_flow('mine', queue => 'data-sync')$$, 'a superuser puts any flow into any queue');
SET ROLE resolute_queuer;
SELECT is((SELECT status FROM resolute.run_flow('mine')), 'succeeded', 'where it runs');
RESET ROLE;

-- Out of it again.
SELECT lives_ok($$SELECT resolute.alter_flow('mine', queue => '')$$, 'an empty name takes a flow out of its queue');
SELECT is((SELECT queue FROM resolute.flows WHERE name = 'mine'), NULL, 'indeed');
SELECT lives_ok($$SELECT resolute.drop_queue('mine')$$, 'a queue without flows can be dropped');
SELECT is_empty($$SELECT FROM resolute.queues WHERE name = 'mine'$$, 'and is gone');

SELECT resolute.drop_flow(name) FROM resolute.flows \g /dev/null
DROP OWNED BY resolute_queuer, resolute_other CASCADE;
DROP ROLE resolute_queuer, resolute_other;
SELECT * FROM finish();
