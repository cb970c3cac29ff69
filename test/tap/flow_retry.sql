-- with_retry: what failed is tried again, and only that.
\ir setup/flows.sql
SELECT sim.get('/_sim/reset?issues=500&seed=5&projects=PLATFORM');
SET resolute.http_attempts = 1;
SELECT no_plan();

-- A database trigger that fails every second attempt ------------------------------------------------

CREATE SEQUENCE attempts;
CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('public.attempts') % 2 = 1 THEN
		RAISE EXCEPTION 'stumbled' USING ERRCODE = current_setting('test.code');
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER stumble AFTER INSERT ON warehouse.issues EXECUTE FUNCTION stumble();
-- What the books said after each page that was committed.
CREATE TABLE pages (pages bigint, balance bigint);
CREATE FUNCTION audit(items jsonb) RETURNS jsonb LANGUAGE sql AS $$
	INSERT INTO pages SELECT pages, source_records - inserted - updated - unchanged - stale - duplicates - filtered - failed
	FROM resolute.runs ORDER BY run_id DESC LIMIT 1 RETURNING '{}'::jsonb
$$;
SELECT define('f', issues(page_size => 10), mapped(), resolute.with_retry(stored(), 3, '1 ms'), resolute.node('audit', 'audit', input => 'issues'));

SET test.code = '58030';
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 500 inserted 500 failed 0 handled 0', 'a sync of 50 pages ends complete');
SELECT sim.same_as_source('and the table is as the source');
SELECT is((SELECT concat_ws(' ', pages, retries) FROM resolute.runs ORDER BY run_id DESC LIMIT 1), '50 50', 'each of its pages was tried twice');
SELECT set_eq('SELECT pages, balance FROM pages', 'SELECT g, 0 FROM generate_series(0, 49) g', 'and the books balance on every page');
SELECT ok(balanced(), 'and at the end');
SELECT is((SELECT retries FROM resolute.run_steps WHERE step = 'stored' ORDER BY run_id DESC LIMIT 1), 50::bigint, 'the step counts its retries');
SELECT is((SELECT count(DISTINCT new_position) FROM resolute.cursor_history), 50::bigint, 'the cursor moved with every page');

SELECT begin_again();
SELECT is((SELECT concat_ws(' ', status, inserted, pages, retries) FROM resolute.run_flow('f')), 'succeeded 500 50 50', 'run_flow does the same');
SELECT sim.same_as_source('with the same result');

-- A plain RAISE would make dead letters of rows; with attempts left it does not.
SET test.code = 'P0001';
SELECT begin_again();
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 500 inserted 500 failed 0 handled 0', 'what a trigger raises is tried again as well');
SELECT is_empty('SELECT FROM resolute.dead_letters', 'before it becomes a dead letter');
DROP TRIGGER stumble ON warehouse.issues;

-- ... but not for ever.
SELECT begin_again();
ALTER TABLE warehouse.issues ADD CONSTRAINT no_nine CHECK (issue_key NOT LIKE '%9');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.issue_key LIKE '%7' THEN RAISE EXCEPTION 'no sevens'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON warehouse.issues FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT define('f', issues(), mapped(), resolute.with_retry(stored(), 2, '1 ms'));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 500 inserted 400 failed 100 handled 0', 'rows that fail every time are dead letters in the end');
SELECT is((SELECT retries FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 10::bigint, 'after one more attempt for each page');
SELECT results_eq('SELECT error_code, count(*) FROM resolute.dead_letters GROUP BY 1 ORDER BY 1', $$VALUES ('23514', 50::bigint), ('P0001', 50::bigint)$$, 'with their errors');
SELECT ok(balanced(), 'the books balance');
DROP TRIGGER refuse ON warehouse.issues;
ALTER TABLE warehouse.issues DROP CONSTRAINT no_nine;

-- Attempts come to an end --------------------------------------------------------------------------

SET test.code = '58030';
CREATE FUNCTION fail_always() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('public.attempts'); RAISE EXCEPTION 'always' USING ERRCODE = '58030'; END $$;
CREATE TRIGGER fail_always AFTER INSERT ON warehouse.issues EXECUTE FUNCTION fail_always();
SELECT begin_again(), setval('attempts', 1, false);
SELECT define('f', issues(), mapped(), resolute.on_error(resolute.with_retry(stored(), 4, '1 ms'), note_error()));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 50 inserted 0 failed 0 handled 1', 'after the last attempt the handler has the error');
SELECT is((SELECT last_value FROM attempts), 4::bigint, 'so many attempts were made');
SELECT is((SELECT value - 'hint' FROM trace), '{"step": "stored", "sqlstate": "58030", "message": "always", "detail": null, "attempts": 4, "page": 1, "rows": 50}',
	'and error() counts them');
SELECT begin_again(), setval('attempts', 1, false);
SELECT define('f', issues(), mapped(), resolute.with_retry(resolute.on_error(stored(), note_error()), 4, '1 ms'));
CALL resolute.run('f');
SELECT is((SELECT last_value FROM attempts), 4::bigint, 'whichever wrapper encloses the other');
SELECT define('f', issues(), mapped(), resolute.with_retry(stored(), 2, '1 ms'));
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '58030', 'always', 'without a handler the run fails with the last error');
DROP TRIGGER fail_always ON warehouse.issues;

-- The wait holds nothing, and can be cancelled: by another session, once this one waits.
CREATE EXTENSION dblink;
CREATE TABLE held (snapshot xid, transaction xid, locks bigint);
CREATE FUNCTION cancel_waiting(waiting int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = waiting AND wait_event_type = 'Extension'
		AND EXISTS (SELECT FROM resolute.runs r WHERE r.pid = waiting AND r.status = 'running')) LOOP
		PERFORM pg_stat_clear_snapshot();
	END LOOP;

	-- The row of a backend is older than its wait event: it takes a second look.
	PERFORM pg_stat_clear_snapshot();
	INSERT INTO held SELECT backend_xmin, backend_xid, (SELECT count(*) FROM pg_locks l WHERE l.pid = a.pid AND l.relation = 'warehouse.issues'::regclass)
		FROM pg_stat_activity a WHERE pid = waiting;
	PERFORM pg_cancel_backend(waiting);
END $$;
SELECT define('f', resolute.with_retry(resolute.sql('WITH a AS (INSERT INTO warehouse.issues (issue_key) VALUES (''x'') RETURNING 1) SELECT 1/(count(*) - 1) FROM a'), 2, '300 days'));
SELECT dblink_connect('other', format('host=%s dbname=%s', current_setting('unix_socket_directories'), current_database()));
SELECT dblink_send_query('other', format('SELECT cancel_waiting(%s)', pg_backend_pid()));
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '57014', 'a cancel ends the wait for the next attempt');
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is((SELECT status FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'cancelled', 'and the run');
SELECT count(*) FROM dblink_get_result('other') AS t(x text) \g /dev/null
SELECT results_eq('SELECT * FROM held', 'SELECT NULL::xid, NULL::xid, 0::bigint', 'while it waits under CALL it holds no snapshot, no transaction work and no lock');

-- Actions ------------------------------------------------------------------------------------------

-- Succeeds in the third attempt.
CREATE FUNCTION third_time() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.trace (value) VALUES ('"tried"');
	IF nextval('public.attempts') < 3 THEN RAISE EXCEPTION 'not yet'; END IF;
END $$;
SELECT begin_again(), setval('attempts', 1, false);
SELECT define('f', resolute.with_retry(resolute.sql('SELECT public.third_time()'), 3, '0'));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 0 inserted 0 failed 0 handled 0', 'an action is tried again');
SELECT is((SELECT count(*) FROM trace), 1::bigint, 'and what failed attempts did is undone');
SELECT begin_again(), setval('attempts', 1, false);
SELECT is((SELECT concat_ws(' ', status, retries) FROM resolute.run_flow('f')), 'succeeded 2', 'run_flow does the same');
SELECT is((SELECT count(*) FROM trace), 1::bigint, 'also undone');

-- What a block says holds for the steps in it: the step is repeated, not the block.
SELECT begin_again(), setval('attempts', 1, false);
SELECT define('f', resolute.with_retry(resolute.when('input', resolute.sql($$INSERT INTO public.trace (value) VALUES ('"before"')$$), resolute.sql('SELECT public.third_time()')), 3, '0'));
SELECT is((SELECT status FROM resolute.run_flow('f', '{"x": 1}')), 'succeeded', 'a step inherits the attempts of the block');
SELECT results_eq('SELECT value FROM trace ORDER BY n', $$VALUES ('"before"'::jsonb), ('"tried"')$$, 'and the steps before it are not repeated');
SELECT setval('attempts', 1, false);
SELECT define('f', resolute.with_retry(resolute.when('input', resolute.with_retry(resolute.sql('SELECT public.third_time()'), 1)), 3, '0'));
SELECT throws_ok($$SELECT resolute.run_flow('f', '{"x": 1}')$$, 'P0001', 'not yet', 'unless it says something else');

-- Sources ------------------------------------------------------------------------------------------

SELECT begin_again(), sim.get('/_sim/log?clear=1') \g /dev/null
SELECT sim.post('/_sim/fault', '{"skip": 3, "status": 503, "times": 2}');
SELECT define('f', resolute.with_retry(issues(), 3, '1 ms'), mapped(), stored());
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 500 inserted 500 failed 0 handled 0', 'a source is asked again for the page that failed');
SELECT is((SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/log')) l WHERE l->>'path' ~ 'search'), 12::bigint, 'and for no other');
SELECT is((SELECT retries FROM resolute.run_steps WHERE step = 'issues' ORDER BY run_id DESC LIMIT 1), 2::bigint, 'which counts as retries of the source');
SELECT begin_again();
SELECT sim.post('/_sim/fault', '{"skip": 3, "status": 503, "times": 5}');
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '08006', NULL, 'until there is no attempt left');
SELECT sim.get('/_sim/faults?clear=1');

-- The server's own wish counts more.
SELECT begin_again();
SELECT define('f', resolute.on_error(resolute.with_retry(issues(), 5, '1 ms'), note_error()), mapped(), stored());
SELECT sim.post('/_sim/fault', '{"status": 429, "headers": {"Retry-After": "3600"}}');
CALL resolute.run('f');
SELECT is(outcome(), 'deferred fetched 0 inserted 0 failed 0 handled 0 53400', 'a long Retry-After defers the run, whatever retries and handlers there are');
SELECT is_empty('SELECT FROM trace', 'and is no failure');
SELECT is((SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/log?last=1')) l WHERE l->>'status' = '429'), 1::bigint, 'nothing was asked after it');

SELECT * FROM finish();
