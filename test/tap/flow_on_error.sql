-- on_error: what a handler sees, what is undone, and where the flow goes on.
\ir setup/flows.sql
SELECT sim.get('/_sim/reset?issues=500&seed=5&projects=PLATFORM');
SET resolute.http_attempts = 1;
SELECT no_plan();

-- A page fails: by the trigger that refuses the key, with a class that fails the step.
CREATE TABLE bad (issue_key text);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM public.bad b WHERE b.issue_key = NEW.issue_key) THEN
		RAISE EXCEPTION 'refused %', NEW.issue_key USING ERRCODE = '58030', DETAIL = 'on purpose', HINT = 'Try something else.';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON warehouse.issues FOR EACH ROW EXECUTE FUNCTION refuse();
-- The 120th issue in the order of the cursor stands on the third page of 50.
INSERT INTO bad SELECT issue_key FROM sim.issues() ORDER BY updated_at, issue_key OFFSET 119 LIMIT 1;

-- A sink with a handler ------------------------------------------------------------------------------

SELECT define('f', issues(), mapped(), resolute.on_error(stored(), note_error()), resolute.node('after', 'trace', input => 'stored'));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 150 inserted 100 failed 0 handled 1', 'a handled error ends the stream, and the run succeeds');
SELECT is((SELECT value FROM trace ORDER BY n LIMIT 1), format('{"step": "stored", "sqlstate": "58030", "message": "refused %s", "detail": "on purpose", "hint": "Try something else.", "attempts": 1, "page": 3, "rows": 50}', issue_key)::jsonb,
	'error() tells what happened') FROM bad;
SELECT is((SELECT (value->>'inserted')::int FROM trace ORDER BY n DESC LIMIT 1), 100, 'the flow goes on after the sink');
SELECT is((SELECT count(*) FROM warehouse.issues), 100::bigint, 'the pages before the failed one stand');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM warehouse.issues), 'and the cursor stands before it');
DELETE FROM bad;
CALL resolute.run('f');
SELECT sim.same_as_source('so that the next run brings the rest');
SELECT is(outcome(), 'succeeded fetched 400 inserted 400 failed 0 handled 0', 'beginning with that page');

-- The same in one transaction.
SELECT begin_again();
INSERT INTO bad SELECT issue_key FROM sim.issues() ORDER BY updated_at, issue_key OFFSET 119 LIMIT 1;
SELECT is((SELECT concat_ws(' ', status, inserted, handled_errors) FROM resolute.run_flow('f')), 'succeeded 100 1', 'run_flow handles it, too');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM warehouse.issues), 'and moves the cursor behind what is stored');
SELECT is((SELECT count(*) FROM warehouse.issues), 100::bigint, 'which is the pages before');
DELETE FROM bad;
SELECT resolute.run_flow('f');
SELECT sim.same_as_source('the next run_flow brings the rest');

-- dead_letter() ------------------------------------------------------------------------------------------

SELECT begin_again();
INSERT INTO bad SELECT issue_key FROM sim.issues() ORDER BY updated_at, issue_key OFFSET 119 LIMIT 1;
SELECT define('f', issues(), mapped(), resolute.on_error(stored(), resolute.dead_letter(), note_error()));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 500 inserted 450 failed 50 handled 1', 'dead_letter() takes the page, and the stream goes on');
SELECT results_eq('SELECT step, error_code, count(*) FROM resolute.dead_letters GROUP BY 1, 2', $$VALUES ('stored', '58030', 50::bigint)$$, 'every row of it is a dead letter');
SELECT is((SELECT count(*) FROM resolute.dead_letters d JOIN sim.issues() i ON i.issue_key = d.item->>'key'), 50::bigint, 'with the item of the source');
SELECT ok(balanced(), 'the books balance');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM sim.issues()), 'the cursor moved over it');
SELECT begin_again();
SELECT is((SELECT concat_ws(' ', status, inserted, failed, handled_errors) FROM resolute.run_flow('f')), 'succeeded 450 50 1', 'run_flow does the same');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM sim.issues()), 'with the cursor at the end');
SELECT begin_again();
INSERT INTO bad SELECT issue_key FROM sim.issues() ORDER BY updated_at, issue_key OFFSET 419 LIMIT 1;
ALTER TABLE warehouse.issues ADD CONSTRAINT no_last CHECK (issue_key NOT LIKE '%99') NOT VALID;
SELECT define('f', issues(), mapped(), resolute.with_max_failures(resolute.on_error(stored(), resolute.dead_letter()), 10));
SELECT is((SELECT concat_ws(' ', status, inserted + failed, handled_errors) FROM resolute.run_flow('f')), 'succeeded 500 2', 'max_failures does not count what dead_letter() took');
SELECT cmp_ok((SELECT count(*) FROM resolute.dead_letters WHERE error_code = '23514'), '>=', 3::bigint, 'when rows fail by themselves as well');
ALTER TABLE warehouse.issues DROP CONSTRAINT no_last;
SELECT define('f', issues(), mapped(), resolute.on_error(stored(), resolute.on_error(resolute.sql('SELECT 1/0'), resolute.dead_letter())));
SELECT begin_again();
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '55000', 'resolute.dead_letter() has no page to send', 'the page of an error is not that of another one in its handler');
SELECT define('f', issues(), mapped(), resolute.on_error(stored(), resolute.on_error(resolute.sql('SELECT 1/0'), says('inner')), resolute.dead_letter()));
SELECT begin_again();
SELECT is((SELECT concat_ws(' ', status, failed, handled_errors) FROM resolute.run_flow('f')), 'succeeded 100 4', 'but there again after that');
SELECT is((SELECT count(DISTINCT error_code || step) FROM resolute.dead_letters), 1::bigint, 'with its error');
SELECT define('f', resolute.on_error(resolute.sql('SELECT 1/0'), resolute.dead_letter()));
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '55000', 'resolute.dead_letter() has no page to send', 'an action has no page to send');
DELETE FROM bad;

-- Too many dead letters fail the step, which can be handled as well.
ALTER TABLE warehouse.issues ADD CONSTRAINT no_seven CHECK (issue_key NOT LIKE '%7') NOT VALID;
SELECT begin_again();
SELECT define('f', issues(), mapped(), resolute.on_error(resolute.with_max_failures(stored(), 12), note_error()));
SELECT is((SELECT concat_ws(' ', status, inserted, failed, handled_errors) FROM resolute.run_flow('f')), 'succeeded 90 10 1', 'with_max_failures fails the step at the page that is too much');
SELECT is((SELECT value->>'sqlstate' FROM trace), '54000', 'with an error that can be handled');
SELECT define('f', issues(), mapped(), resolute.with_max_failures(resolute.when('input', resolute.as('x', resolute.upsert('mapped', 'warehouse.issues', 'issue_key'))), 0));
SELECT throws_ok($$SELECT resolute.run_flow('f', '{"x": 1}')$$, '54000', NULL, 'that of a block holds for its steps');
ALTER TABLE warehouse.issues DROP CONSTRAINT no_seven;
-- Rows that two passes take through a step fail once.
SELECT begin_again();
SELECT define('f', issues(), resolute.with_max_failures(resolute.as('mapped', resolute.map('issues', '{"issue_key": "{{if or (eq .Key `PLATFORM-3`) (eq .Key `PLATFORM-4`)}}{{slice .Key 1000}}{{end}}{{.Key}}"}')), 2),
	stored(), resolute.sql('SELECT 1'), resolute.as('again', resolute.upsert('mapped', 'warehouse.issues', 'issue_key')));
SELECT is((SELECT concat_ws(' ', status, inserted, failed) FROM resolute.run_flow('f')), 'succeeded 498 2', 'with_max_failures counts a row once that two passes see');

-- The handler of a block.
SELECT begin_again();
INSERT INTO bad SELECT issue_key FROM sim.issues() ORDER BY updated_at, issue_key OFFSET 119 LIMIT 1;
SELECT define('f', issues(), resolute.on_error(resolute.when('issues', mapped(), stored(), says('not here')), says('block')), says('after'));
CALL resolute.run('f');
SELECT is(said(), '{"block": "stored"} {"after": "stored"}', 'a block that handles the error of its sink ends there');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM warehouse.issues), 'with the cursor before the failed page');
DELETE FROM bad;

-- Who handles it ------------------------------------------------------------------------------------------

SELECT begin_again();
SELECT sim.post('/_sim/fault', '{"skip": 2, "status": 400, "times": -1, "body": {"errorMessages": ["no"]}}');
SELECT define('f', resolute.on_error(issues(), says('fetch')), mapped(), resolute.on_error(stored(), says('sink')), says('after'));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 100 inserted 100 failed 0 handled 1', 'a source fails while a sink reads it');
SELECT is(said(), '{"fetch": "issues"} {"after": "issues"}', 'its own handler has the error');
SELECT begin_again(), sim.get('/_sim/faults?clear=1'), sim.post('/_sim/fault', '{"skip": 2, "status": 400, "times": -1, "body": {"errorMessages": ["no"]}}');
SELECT define('f', issues(), mapped(), resolute.on_error(stored(), says('sink')));
SELECT is((SELECT concat_ws(' ', status, inserted, handled_errors) FROM resolute.run_flow('f')), 'succeeded 100 1', 'without one, that of the sink');
SELECT is(said(), '{"sink": "issues"}', 'and the error names the source');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM warehouse.issues), 'what came before is stored, and the cursor there');
SELECT begin_again(), sim.get('/_sim/faults?clear=1'), sim.post('/_sim/fault', '{"skip": 2, "status": 400, "times": -1, "body": {"errorMessages": ["no"]}}');
SELECT define('f', issues(), resolute.on_error(resolute.when('input', resolute.on_error(resolute.when('input', mapped(), stored(), says('not here')), says('inner'))), says('outer')), says('after'));
SELECT is((SELECT concat_ws(' ', status, inserted, handled_errors) FROM resolute.run_flow('f', '{"x": 1}')), 'succeeded 100 1', 'without that, the nearest block');
SELECT is(said(), '{"inner": "issues"} {"after": "issues"}', 'after which the flow goes on');
SELECT begin_again(), sim.get('/_sim/faults?clear=1'), sim.post('/_sim/fault', '{"status": 400, "times": -1, "body": {"errorMessages": ["no"]}}');
SELECT define('f', resolute.on_error(issues(), says('fetch')), resolute.when('issues', mapped(), stored()), says('after'));
SELECT is((SELECT concat_ws(' ', status, inserted, handled_errors) FROM resolute.run_flow('f')), 'succeeded 0 1', 'a source may fail in a condition');
SELECT is(said(), '{"fetch": "issues"} {"after": "issues"}', 'which then is false');
SELECT begin_again(), sim.get('/_sim/faults?clear=1'), sim.post('/_sim/fault', '{"skip": 1, "status": 400, "times": -1, "body": {"errorMessages": ["no"]}}');
SELECT define('f', resolute.on_error(issues(), says('fetch')), resolute.when('issues.count', mapped(), stored()), says('after'));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 50 inserted 0 failed 0 handled 1', 'or while it is spooled');
SELECT is_empty('SELECT FROM resolute.cursors WHERE position IS NOT NULL OR walk IS NOT NULL', 'and the cursor stays');
SELECT sim.get('/_sim/faults?clear=1');

-- A row-to-rows step: the template that fails on all rows, and too often.
SELECT begin_again();
SELECT define('f', issues(), resolute.on_error(resolute.with_max_failures(resolute.as('mapped', resolute.map('issues', '{"issue_key": "{{slice .Key 1000}}"}')), 0), says('map')), stored(), says('after'));
CALL resolute.run('f');
SELECT is(said(), '{"map": "mapped"} {"after": "mapped"}', 'a map can have a handler');
-- A target that is not there any more.
SELECT begin_again();
CREATE TABLE warehouse.gone (LIKE warehouse.issues INCLUDING ALL);
SELECT define('f', issues(), mapped(), resolute.on_error(stored(target => 'warehouse.gone'), says('sink')), says('after'));
DROP TABLE warehouse.gone;
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '42P01', NULL, 'what is wrong before the first step cannot be handled');

-- Actions and conditions.
SELECT begin_again();
SELECT define('f', resolute.on_error(resolute.as('a', resolute.sql('SELECT 1/0')), says('action')),
	resolute.on_error(resolute.when('(1/((state #>> ''{input,n}'')::int))::boolean', resolute.sql('SELECT 1')), says('condition')), says('after'));
SELECT is((SELECT concat_ws(' ', status, handled_errors) FROM resolute.run_flow('f', '{"n": 0}')), 'succeeded 2', 'actions and conditions have handlers, too');
SELECT is(said(), '{"action": "a"} {"condition": "when 3"} {"after": "when 3"}', 'in order');
SELECT begin_again();
CALL resolute.run('f', '{"n": 0}');
SELECT is(said(), '{"action": "a"} {"condition": "when 3"} {"after": "when 3"}', 'under CALL as well');

-- What the failed step did is undone, what the handler did is not.
SELECT begin_again();
SELECT define('f', resolute.on_error(resolute.sql('WITH a AS (INSERT INTO public.trace (value) VALUES (''"step"'') RETURNING 1) SELECT 1/(count(*) - 1) FROM a'),
	resolute.sql('INSERT INTO public.trace (value) VALUES (''"handler"'')')));
CALL resolute.run('f');
SELECT results_eq('SELECT value FROM trace', $$VALUES ('"handler"'::jsonb)$$, 'what the failed step did is undone');

-- Handlers that fail, and handlers of these.
SELECT begin_again();
SELECT define('f', resolute.on_error(resolute.as('a', resolute.sql('SELECT 1/0')), says('first'), resolute.as('b', resolute.sql('SELECT sqrt(-1)'))), says('not here'));
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '2201F', 'cannot take square root of a negative number', 'a handler that fails fails the run');
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f');
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT matches((SELECT error_message FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'square root.*while this error of step "a" was handled: division by zero', 'which names both errors');
SELECT is(outcome(), 'failed fetched 0 inserted 0 failed 0 handled 0 2201F', 'and nothing counts as handled');
SELECT begin_again();
SELECT define('f', resolute.on_error(resolute.on_error(resolute.as('a', resolute.sql('SELECT 1/0')), says('inner'), resolute.as('b', resolute.sql('SELECT sqrt(-1)'))), says('outer')), says('after'));
SELECT is((SELECT concat_ws(' ', status, handled_errors) FROM resolute.run_flow('f')), 'succeeded 1', 'an outer handler handles what the inner one raised');
SELECT is(said(), '{"inner": "a"} {"outer": "b"} {"after": "b"}', 'and sees that error');
SELECT begin_again();
SELECT define('f', resolute.on_error(resolute.as('a', resolute.sql('SELECT 1/0')), resolute.on_error(resolute.as('b', resolute.sql('SELECT sqrt(-1)')), says('of handler')), says('handler')), says('after'));
SELECT is((SELECT concat_ws(' ', status, handled_errors) FROM resolute.run_flow('f')), 'succeeded 2', 'a step of a handler may have a handler');
SELECT is(said(), '{"of handler": "b"} {"handler": "a"} {"after": "a"}', 'and the first handler goes on, with its own error');

-- error() and state().
SELECT is(resolute.error(), NULL, 'error() is null outside of a run');
SELECT is(resolute.state(), NULL, 'and so is state()');
SELECT begin_again();
SELECT define('f', resolute.as('one', resolute.sql('SELECT 1')), resolute.on_error(resolute.as('a', resolute.sql('SELECT 1/0')),
	resolute.sql('INSERT INTO public.trace (value) SELECT resolute.state()')), resolute.when('error.sqlstate', says('when')), resolute.node('seen', 'trace'));
SELECT resolute.run_flow('f', '{"n": 7}');
SELECT ok(value @> '{"one": {"rows": 1}, "input": {"n": 7}, "error": {"step": "a", "sqlstate": "22012"}, "run": {"flow": "f"}}', 'state() is what conditions and nodes see')
	FROM trace ORDER BY n LIMIT 1;
SELECT ok(value @> '{"error": {"step": "a"}}', 'the error stays in the state') FROM trace ORDER BY n DESC LIMIT 1;
SELECT is((SELECT count(*) FROM trace WHERE value = '{"when": "a"}'), 1::bigint, 'for conditions');
SELECT is(resolute.state(), NULL, 'until the run is over');
SELECT throws_ok($$SELECT resolute.run_flow('nobody')$$, '42704', NULL, 'errors of run_flow itself');
SELECT is(resolute.state(), NULL, 'leave nothing behind');

-- What cannot be handled: a cancel.
SELECT define('f', resolute.on_error(resolute.sql('SELECT pg_sleep(60)'), says('not here')));
SET statement_timeout = '100ms';
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f');
\set ON_ERROR_STOP on
\set VERBOSITY default
RESET statement_timeout;
SELECT is(outcome(), 'cancelled fetched 0 inserted 0 failed 0 handled 0 57014', 'a cancel is not handled');

-- A conflict under run_flow is the caller's.
SELECT define('f', resolute.on_error(resolute.sql($$DO 'BEGIN RAISE EXCEPTION ''conflict'' USING ERRCODE = ''40001''; END'$$), says('not here')));
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '40001', 'conflict', 'a conflict is raised in the caller''s transaction');
SELECT begin_again();
SELECT define('f', resolute.on_error(resolute.sql($$DO 'BEGIN RAISE EXCEPTION ''conflict'' USING ERRCODE = ''40001''; END'$$), says('conflict')));
CALL resolute.run('f');
SELECT is(said(), '{"conflict": "sql 1"}', 'and can be handled under CALL');

SELECT * FROM finish();
