-- parallel: all requests in flight at once, pages as they arrive, and what fails.
\ir setup/flows.sql
SELECT sim.get('/_sim/reset?issues=400&seed=5&projects=PLATFORM,MOBILE,WEB');
SET resolute.http_attempts = 1;
SELECT no_plan();

SELECT sim.connect('jira_2'), sim.connect('jira_3');
CREATE FUNCTION fetched(name text, server text, project text, page_size int DEFAULT 50) RETURNS resolute.step LANGUAGE sql AS $$
	SELECT resolute.as(name, resolute.jira_fetch_issues(server, format('project = %s AND updated >= ${cursor}', project), cursor => resolute.cursor_for(name), page_size => page_size))
$$;
CREATE FUNCTION all_issues() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) $$;
-- Rows of the table that are not as the source has them, and issues that are missing.
CREATE FUNCTION differences() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM (SELECT i->>'key' AS k, i->>'summary' AS s, (i->>'updated')::timestamptz AS u FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) i) a
	FULL JOIN warehouse.issues w ON w.issue_key = a.k AND w.summary = a.s AND w.updated_at = a.u WHERE a.k IS NULL OR w.issue_key IS NULL
$$;
-- Warm up, so that nothing has to be learnt of the servers.
SELECT define('f', fetched('a', 'jira', 'PLATFORM'), fetched('b', 'jira_2', 'MOBILE'), fetched('c', 'jira_3', 'WEB'),
	mapped('a rows', 'a'), mapped('b rows', 'b'), mapped('c rows', 'c'), stored('sa', 'a rows'), stored('sb', 'b rows'), stored('sc', 'c rows'));
CALL resolute.run('f');
SELECT is(differences(), 0::bigint, 'three sources, one after the other');

-- All in flight at once: the flow goes on only when all three have arrived ----------------------------------

CREATE FUNCTION branches(VARIADIC more resolute.step[] DEFAULT '{}') RETURNS resolute.step LANGUAGE sql AS $$
	SELECT resolute.parallel(VARIADIC ARRAY[fetched('a', 'jira', 'PLATFORM'), fetched('b', 'jira_2', 'MOBILE'), fetched('c', 'jira_3', 'WEB')] || more)
$$;
CREATE FUNCTION sinks() RETURNS resolute.step[] LANGUAGE sql AS $$
	SELECT ARRAY[mapped('a rows', 'a'), mapped('b rows', 'b'), mapped('c rows', 'c'), stored('sa', 'a rows'), stored('sb', 'b rows'), stored('sc', 'c rows')]
$$;
SELECT define('f', VARIADIC branches() || sinks());
CREATE FUNCTION arrived(n int) RETURNS jsonb LANGUAGE sql AS $$ SELECT sim.get(format('/_sim/wait?blocked=%s&timeout_ms=5000', n)) $$;
SELECT begin_again();
SELECT sim.get('/_sim/stats?clear=1'), sim.get('/_sim/log?clear=1') \g /dev/null
SELECT sim.get('/_sim/block') \g /dev/null
-- Another session lets them go once three are there.
CREATE EXTENSION dblink;
SELECT dblink_connect('other', format('host=%s dbname=%s options=''%s''', current_setting('unix_socket_directories'), current_database(), replace('-c test.simulator=' || current_setting('test.simulator'), ' ', '\ ')));
SELECT dblink_send_query('other', $$SELECT arrived(3)->>'blocked', (SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND query LIKE 'CALL resolute.run%'), sim.get('/_sim/release') IS NOT NULL$$);
CALL resolute.run('f');
SELECT results_eq($$SELECT * FROM dblink_get_result('other') AS t(blocked text, with_xmin bigint, released boolean)$$, $$VALUES ('3', 0::bigint, true)$$,
	'three requests are in flight at once, and no snapshot is held');
SELECT is(outcome(), format('succeeded fetched %s inserted %s failed 0 handled 0', all_issues(), all_issues()), 'and all rows are stored');
SELECT is(differences(), 0::bigint, 'as the sources have them');
SELECT ok(balanced(), 'the books of all sinks balance');
SELECT is((SELECT count(*) FROM resolute.cursors WHERE name IN ('a', 'b', 'c') AND position IS NOT NULL AND walk IS NULL), 3::bigint, 'each source has its cursor');

-- Also where one of them is waited for before the others are read.
CREATE FUNCTION let_go() RETURNS text LANGUAGE sql AS $$ SELECT arrived(3)->>'blocked' || left(sim.get('/_sim/release')::text, 0) $$;
SELECT begin_again();
SELECT define('f', VARIADIC ARRAY[branches(), resolute.when('a', resolute.sql('SELECT 1'))] || sinks());
SELECT sim.get('/_sim/block') \g /dev/null
SELECT count(*) FROM dblink_get_result('other') AS t(blocked text, with_xmin bigint, released boolean) \g /dev/null
SELECT dblink_send_query('other', 'SELECT let_go()');
CALL resolute.run('f');
SELECT is((SELECT blocked FROM dblink_get_result('other') AS t(blocked text)), '3', 'the requests are sent when the block begins');
SELECT is(differences(), 0::bigint, 'and all rows are stored');

-- Pages are handled as they arrive: the first source is slow, the others are stored meanwhile.
SELECT begin_again();
SELECT sim.post('/_sim/fault', '{"containing": "PLATFORM", "delay_ms": 300}') \g /dev/null
CREATE FUNCTION note_page(items jsonb) RETURNS jsonb LANGUAGE sql AS $$ INSERT INTO trace (value) VALUES ($1->0->'fields'->'project'->'key') RETURNING '{}'::jsonb $$;
SELECT define('f', branches(), resolute.node('pa', 'note_page', input => 'a'), resolute.node('pb', 'note_page', input => 'b'), resolute.node('pc', 'note_page', input => 'c'));
CALL resolute.run('f');
SELECT isnt((SELECT value#>>'{}' FROM trace ORDER BY n LIMIT 1), 'PLATFORM', 'pages are handled as they arrive');
SELECT cmp_ok((SELECT min(n) FROM trace WHERE value = '"PLATFORM"'), '>', (SELECT max(n) FROM trace WHERE value <> '"PLATFORM"'), 'others while one is slow');

-- Sinks may stand in the block; run_flow does the same.
SELECT define('f', branches(VARIADIC sinks()));
SELECT begin_again();
SELECT is((SELECT concat_ws(' ', status, inserted) FROM resolute.run_flow('f')), format('succeeded %s', all_issues()), 'whole branches stand in the block');
SELECT is(differences(), 0::bigint, 'nothing is missing');
SELECT sim.get('/_sim/bulk?project=MOBILE&count=60&priority=High'), sim.get('/_sim/add?project=WEB&count=5') \g /dev/null
SELECT resolute.run_flow('f');
SELECT is(differences(), 0::bigint, 'run again after edits, the table equals the sources');

-- A branch that fails ---------------------------------------------------------------------------------------------

CREATE FUNCTION break_mobile(skip int DEFAULT 0) RETURNS void LANGUAGE sql AS
	$$ SELECT sim.get('/_sim/faults?clear=1'), sim.post('/_sim/fault', format('{"containing": "MOBILE", "skip": %s, "times": -1, "status": 400, "body": {"errorMessages": ["no"]}}', skip)::jsonb) $$;
SELECT begin_again(), break_mobile();
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f');
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is((SELECT concat_ws(' ', status, error_code) FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'failed 22023', 'a branch that fails fails the block');
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '22023', NULL, 'and the run');
SELECT begin_again(), break_mobile(1);
SELECT define('f', resolute.on_error(branches(VARIADIC sinks()), says('block')), says('after'));
CALL resolute.run('f');
SELECT is(said(), '{"block": "b"} {"after": "b"}', 'the handler of the block has the error, and the flow goes on after the block');
SELECT cmp_ok((SELECT source_records FROM resolute.runs ORDER BY run_id DESC LIMIT 1), '<', all_issues(), 'the others were given up');
SELECT is((SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ResoluteHttp'), 0::bigint, 'nobody waits any more');
SELECT sim.get('/_sim/faults?clear=1') \g /dev/null
CALL resolute.run('f');
SELECT is(differences(), 0::bigint, 'the next run brings everything');

-- An action that fails gives the sources of the block up, too.
SELECT begin_again();
SELECT define('f', VARIADIC ARRAY[resolute.on_error(branches(resolute.sql('SELECT 1/0')), says('block'))] || sinks());
SELECT is((SELECT concat_ws(' ', status, handled_errors, inserted) FROM resolute.run_flow('f')), 'succeeded 1 0', 'a step of the block that fails gives its sources up');
SELECT is_empty($$SELECT FROM resolute.cursors WHERE position IS NOT NULL$$, 'and their cursors stay');

-- Unless the branch has a handler of its own.
SELECT begin_again(), break_mobile(1);
SELECT define('f', resolute.on_error(resolute.parallel(VARIADIC ARRAY[fetched('a', 'jira', 'PLATFORM'), resolute.on_error(fetched('b', 'jira_2', 'MOBILE'), says('branch')),
	fetched('c', 'jira_3', 'WEB')] || sinks()), says('block')), says('after'));
CALL resolute.run('f');
SELECT is(said(), '{"branch": "b"} {"after": "b"}', 'a branch may have a handler of its own');
SELECT is((SELECT count(*) FROM warehouse.issues WHERE project <> 'MOBILE'), (SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) i WHERE i->>'project' <> 'MOBILE'), 'then the others go on');
SELECT is((SELECT count(*) FROM warehouse.issues WHERE project = 'MOBILE'), 50::bigint, 'and of the failed one what came before stays');
SELECT is(cursor_at('b'), (SELECT max(updated_at) FROM warehouse.issues WHERE project = 'MOBILE'), 'with its cursor');
SELECT sim.get('/_sim/faults?clear=1') \g /dev/null
CALL resolute.run('f');
SELECT is(differences(), 0::bigint, 'which goes on from there');
-- A sink of one branch.
SELECT begin_again();
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.project = 'MOBILE' THEN RAISE EXCEPTION 'no' USING ERRCODE = '58030'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON warehouse.issues FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT define('f', branches(mapped('a rows', 'a'), mapped('b rows', 'b'), mapped('c rows', 'c'), stored('sa', 'a rows'), resolute.on_error(stored('sb', 'b rows'), says('sink')), stored('sc', 'c rows')));
SELECT is((SELECT concat_ws(' ', status, handled_errors) FROM resolute.run_flow('f')), 'succeeded 1', 'a sink of one branch may fail');
SELECT is((SELECT count(*) FROM warehouse.issues), (SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) i WHERE i->>'project' <> 'MOBILE'), 'without harm to the others');
DROP TRIGGER refuse ON warehouse.issues;

-- A retry while others go on: the server limits one of them.
SELECT begin_again();
SET resolute.http_attempts = 5;
SELECT sim.post('/_sim/fault', '[{"containing": "MOBILE", "status": 429, "headers": {"Retry-After": "1"}}, {"containing": "WEB", "status": 503}]') \g /dev/null
SELECT define('f', branches(), resolute.node('pa', 'note_page', input => 'a'), resolute.node('pb', 'note_page', input => 'b'), resolute.node('pc', 'note_page', input => 'c'));
CALL resolute.run('f');
SELECT is((SELECT status FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'succeeded', 'requests that are refused are repeated');
SELECT cmp_ok((SELECT min(n) FROM trace WHERE value = '"MOBILE"'), '>', (SELECT max(n) FROM trace WHERE value = '"PLATFORM"'), 'while pages of the others are handled');
-- with_retry on the block is that of each of its steps.
SET resolute.http_attempts = 1;
SELECT begin_again();
SELECT sim.post('/_sim/fault', '[{"containing": "MOBILE", "status": 503}, {"containing": "WEB", "skip": 1, "status": 503}]') \g /dev/null
SELECT define('f', resolute.with_retry(branches(VARIADIC sinks()), 2, '0'));
CALL resolute.run('f');
SELECT is(differences(), 0::bigint, 'with_retry on the block holds for each branch');
SELECT is((SELECT retries FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 2::bigint, 'which repeats its page only');


-- Limits hold in the block as well.
CREATE FUNCTION searches(items jsonb) RETURNS jsonb LANGUAGE sql AS $$ INSERT INTO trace (value) SELECT to_jsonb(count(*)) FROM jsonb_array_elements(sim.get('/_sim/log')) l WHERE l->>'path' ~ 'search' RETURNING '{}'::jsonb $$;
SELECT begin_again(), sim.get('/_sim/log?clear=1') \g /dev/null
SELECT define('f', resolute.with_rate_limit(branches(), 1, '30 ms'), resolute.node('pa', 'searches', input => 'a'), resolute.node('pb', 'searches', input => 'b'), resolute.node('pc', 'searches', input => 'c'));
CALL resolute.run('f');
SELECT cmp_ok(duration_seconds, '>=', 0.03 * (pages - 1)::double precision, 'a rate limit of the block holds for all of its sources together') FROM resolute.runs ORDER BY run_id DESC LIMIT 1;
SELECT cmp_ok(max(value::text::int - n), '<=', 3::bigint, 'and no more requests are sent than it allows') FROM (SELECT value, row_number() OVER (ORDER BY n) AS n FROM trace) t;

SELECT * FROM finish();
