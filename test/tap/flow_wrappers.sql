-- with_timeout and with_rate_limit; what definitions keep of wrappers, and what they refuse.
\ir setup/flows.sql
SELECT sim.get('/_sim/reset?issues=200&seed=5&projects=PLATFORM');
SET resolute.http_attempts = 1;
SELECT no_plan();

-- Timeouts -----------------------------------------------------------------------------------------------

CREATE FUNCTION slow() RETURNS resolute.step LANGUAGE sql AS $$ SELECT resolute.as('slow', resolute.sql('SELECT pg_sleep(60)')) $$;
SELECT define('f', resolute.with_timeout(slow(), '50 ms'));
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '54000', 'step "slow" of flow "f" took longer than 0.05 s', 'an action that takes too long');
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f');
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is(outcome(), 'failed fetched 0 inserted 0 failed 0 handled 0 54000', 'fails the run: it was not cancelled');
SELECT is((SELECT status FROM resolute.run_flow('f', raise => false)), 'failed', 'run_flow can report it');
SELECT define('f', resolute.on_error(resolute.with_retry(resolute.with_timeout(slow(), '20 ms'), 3, '0'), note_error()), says('after'));
SELECT begin_again();
CALL resolute.run('f');
SELECT is((SELECT concat_ws(' ', value->>'step', value->>'sqlstate', value->>'attempts') FROM trace ORDER BY n LIMIT 1), 'slow 54000 3', 'it can be retried and handled');
SELECT is((SELECT count(*) FROM trace), 2::bigint, 'and the flow goes on');
-- A block is limited as a whole; its steps cannot handle that.
SELECT begin_again();
SELECT define('f', resolute.on_error(resolute.with_timeout(resolute.when('input', says('in'), resolute.on_error(resolute.with_retry(slow(), 5, '0'), says('not here')), says('nor here')), '100 ms'), says('block')), says('after'));
SELECT is((SELECT concat_ws(' ', status, handled_errors) FROM resolute.run_flow('f', '{"x": 1}')), 'succeeded 1', 'a block that takes too long');
SELECT is(said(), '{"in": null} {"block": "when 1"} {"after": "when 1"}', 'is ended, and can be handled, as a whole');
SELECT begin_again();
CALL resolute.run('f', '{"x": 1}');
SELECT is(said(), '{"in": null} {"block": "when 1"} {"after": "when 1"}', 'under CALL, too');
SELECT begin_again();
SELECT define('f', resolute.on_error(resolute.with_timeout(resolute.with_max_iterations(resolute.while('input', resolute.when('input.none', slow())), 1000000000), '100 ms'), says('loop')));
SELECT resolute.run_flow('f', '{"x": 1}');
SELECT is(said(), '{"loop": "while 1"}', 'so is a loop');
-- A block around a sync; a pass in it ends, too.
SELECT begin_again();
CREATE FUNCTION sleepy(items jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb(pg_sleep(60)::text)';
SELECT define('f', resolute.on_error(resolute.with_timeout(resolute.when('input', issues(), mapped(), resolute.on_error(stored(), says('not here')), resolute.on_error(resolute.node('n', 'sleepy', input => 'mapped'), says('not here')), says('nor here')), '100 ms'), says('block')), says('after'));
CALL resolute.run('f', '{"x": 1}');
SELECT is(said(), '{"block": "when 1"} {"after": "when 1"}', 'a pass in such a block ends with it');
-- A step with rows: each page.
SELECT begin_again();
CREATE FUNCTION sleepy_page(items jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT CASE WHEN $1->0->>'issue_key' = (SELECT issue_key FROM warehouse.issues ORDER BY updated_at, issue_key OFFSET 100 LIMIT 1) THEN to_jsonb(pg_sleep(60)::text) ELSE '{}' END $$;
SELECT define('f', issues(), mapped(), stored(), resolute.on_error(resolute.with_timeout(resolute.node('n', 'sleepy_page', input => 'mapped'), '50 ms'), note_error()));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 150 inserted 100 failed 0 handled 1', 'a sink that takes too long for a page');
SELECT is((SELECT concat_ws(' ', value->>'step', value->>'page') FROM trace), 'n 3', 'fails on that page');
SELECT begin_again();
SELECT sim.post('/_sim/fault', '{"skip": 1, "hang": true}') \g /dev/null
SELECT define('f', resolute.with_retry(resolute.with_timeout(issues(), '150 ms'), 2, '0'), mapped(), stored());
CALL resolute.run('f');
SELECT sim.same_as_source('a page that does not come in time is asked for again');
SELECT is((SELECT retries FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 1::bigint, 'with a retry');
SELECT sim.get('/_sim/release') \g /dev/null
-- max_runtime is the limit of the run, whatever its steps have.
SELECT define('f', resolute.on_error(resolute.with_timeout(slow(), '40 s'), says('not here')));
SELECT resolute.alter_flow('f', max_runtime => '50 ms');
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f');
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is(outcome(), 'cancelled fetched 0 inserted 0 failed 0 handled 0 57014', 'max_runtime cancels the run in spite of handlers');
SELECT matches(error_message, 'max_runtime', 'and says so') FROM resolute.runs ORDER BY run_id DESC LIMIT 1;
SELECT resolute.alter_flow('f', max_runtime => '0');
-- A flow in a step of a flow: the outer limit ends both.
SELECT begin_again();
SELECT define('inner', resolute.with_timeout(slow(), '50 s'));
SELECT define('outer', resolute.on_error(resolute.with_timeout(resolute.as('call', resolute.sql($$SELECT resolute.run_flow('inner')$$)), '50 ms'), says('outer')));
CALL resolute.run('outer');
SELECT is(said(), '{"outer": "call"}', 'a limit of an outer flow ends the inner one');
SELECT define('inner', resolute.on_error(resolute.with_timeout(slow(), '50 ms'), says('inner')));
SELECT define('outer', resolute.with_timeout(resolute.sql($$SELECT resolute.run_flow('inner')$$), '50 s'), says('outer'));
SELECT begin_again();
SELECT resolute.run_flow('outer');
SELECT is(said(), '{"inner": "slow"} {"outer": null}', 'and the other way round each sees its own errors');

-- Rate limits --------------------------------------------------------------------------------------------------

SELECT begin_again(), sim.get('/_sim/log?clear=1') \g /dev/null
SELECT define('f', resolute.with_rate_limit(issues(), 2, '200 ms'), mapped(), stored());
CALL resolute.run('f');
SELECT is((SELECT inserted FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 200::bigint, 'a source with a rate limit');
SELECT cmp_ok((SELECT duration_seconds FROM resolute.runs ORDER BY run_id DESC LIMIT 1), '>=', 0.2::double precision, 'of two pages in 200 ms takes its time for four');
CREATE FUNCTION searches(items jsonb) RETURNS jsonb LANGUAGE sql AS $$ INSERT INTO trace (value) SELECT to_jsonb(count(*)) FROM jsonb_array_elements(sim.get('/_sim/log')) l WHERE l->>'path' ~ 'search' RETURNING '{}'::jsonb $$;
SELECT define('f', resolute.with_rate_limit(issues(), 100, '1 s'), resolute.node('n', 'searches', input => 'issues'));
SELECT begin_again(), sim.get('/_sim/log?clear=1') \g /dev/null
CALL resolute.run('f');
SELECT results_eq('SELECT value::text::int FROM trace ORDER BY n', 'VALUES (1), (2), (3), (4)', 'no page is asked for before its turn');
SELECT begin_again();
SELECT define('f', resolute.with_rate_limit(resolute.when('input', resolute.node('a', 'trace'), resolute.node('b', 'trace'), resolute.node('c', 'trace')), 1, '60 ms'));
SELECT cmp_ok((SELECT duration_seconds FROM resolute.run_flow('f', '{"x": 1}')), '>=', 0.12::double precision, 'the limit of a block holds for its steps together');
SELECT define('f', resolute.with_rate_limit(resolute.sql('SELECT 1'), 1, '300 days'), resolute.with_rate_limit(resolute.while('(SELECT count(*) < 5 FROM public.trace)', resolute.node('a', 'trace')), 1, '300 days'));
SET statement_timeout = '100ms';
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '57014', 'the wait for a turn can be cancelled');
\set ON_ERROR_STOP on
\set VERBOSITY default
RESET statement_timeout;

-- flow_definition() ---------------------------------------------------------------------------------------------

CREATE FUNCTION wrapped() RETURNS SETOF resolute.step LANGUAGE sql AS $$
	VALUES (resolute.on_error(resolute.with_retry(resolute.with_timeout(resolute.with_rate_limit(resolute.with_max_failures(issues(name => 'a', cursor => 'a'), 7), 3, '1 minute'), '30 seconds'), 4, '1 day 2 hours'),
			resolute.as('told', resolute.sql('SELECT 1')), resolute.when('told.rows', resolute.node('n', 'trace')))),
		(issues(name => 'page', cursor => 'b', paginate => 'manual')),
		(resolute.parallel(issues(name => 'c', cursor => 'c'), resolute.with_retry(issues(name => 'd', cursor => 'd'), 2, '0'))),
		(mapped('ma', 'a')), (mapped('mc', 'c')), (mapped('md', 'd')),
		(resolute.as('merged', resolute.merge('ma', 'mc', 'md'))),
		(resolute.as('unique', resolute.unique('merged', 'issue_key'))),
		(resolute.on_error(resolute.on_error(stored(rows => 'unique'), resolute.dead_letter()), resolute.sql('SELECT 2'), resolute.sql('SELECT 3'))),
		(resolute.on_error(resolute.with_max_iterations(resolute.while('page.has_more', mapped('mp', 'page'), stored('sp', 'mp'), resolute.next_page('page')), 50), resolute.sql('SELECT 4')))
$$;
SELECT define('f', VARIADIC (SELECT array_agg(w) FROM wrapped() w));
CREATE TABLE before AS SELECT v.steps FROM resolute.flow_versions v JOIN resolute.flows f USING (flow_id, version) WHERE f.name = 'f';
SELECT matches(resolute.flow_definition('f'), 'resolute.on_error\(resolute.on_error\(', 'the definition shows wrappers');
SELECT matches(resolute.flow_definition('f'), 'resolute.merge\(''ma'', ''mc'', ''md''\)', 'and merges');
CREATE FUNCTION run_sql(statement text) RETURNS int LANGUAGE plpgsql AS $$ DECLARE r int; BEGIN EXECUTE statement INTO r; RETURN r; END $$;
CREATE TABLE definition AS SELECT resolute.flow_definition('f') AS text;
SELECT resolute.drop_flow('f');
SELECT is(run_sql(text), 1, 'flow_definition() can be run') FROM definition;
SELECT is((SELECT v.steps FROM resolute.flow_versions v JOIN resolute.flows f USING (flow_id, version) WHERE f.name = 'f'), (SELECT steps FROM before), 'and makes the very same flow');
SELECT is(resolute.flow_definition('f'), (SELECT text FROM definition), 'with the same definition');
SELECT is(run_sql(replace(text, 'create_flow', 'create_or_replace_flow')), 1, 'which is no new version') FROM definition;
-- Whichever wrapper encloses the other, it is the same step.
SELECT is(resolute.as('x', resolute.with_retry(resolute.with_timeout(resolute.sql('SELECT 1'), '1 s'), 2, '1 s')), resolute.with_timeout(resolute.with_retry(resolute.as('x', resolute.sql('SELECT 1')), 2, '1 s'), '1 s'), 'the order of wrappers does not matter');

-- What create_flow() refuses ----------------------------------------------------------------------------------------

CREATE FUNCTION refused(state text, pattern text, description text, VARIADIC steps resolute.step[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	got text; message text; detail text; hint text;
BEGIN
	BEGIN
		PERFORM resolute.create_flow('refused', resolute.manual(), VARIADIC steps);
		RETURN NEXT fail(description || ': was not refused');
		RETURN;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS got = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	END;
	RETURN NEXT ok(got = state AND message || ' | ' || detail ~ pattern AND message ~ 'refused' AND hint <> '', concat_ws(' | ', description, got, message, detail, hint));
END $$;
CREATE FUNCTION one() RETURNS resolute.step LANGUAGE sql AS $$ SELECT resolute.as('one', resolute.sql('SELECT 1')) $$;

SELECT refused('22023', 'attempts of step "one" is 0', 'a retry of 0 attempts', resolute.with_retry(one(), 0));
SELECT refused('22023', 'attempts of step "one" is -3', 'of fewer', resolute.with_retry(one(), -3));
SELECT refused('22023', 'attempts of step "one" is null', 'of null', resolute.with_retry(one(), NULL));
SELECT refused('22023', 'first_wait of step "one" is -', 'a negative interval', resolute.with_retry(one(), 3, '-1 second'));
SELECT refused('22023', 'first_wait of step "one" is null', 'no interval', resolute.with_retry(one(), 3, NULL));
SELECT refused('22023', 'first_wait of step "one"', 'an endless interval', resolute.with_retry(one(), 3, '200 years'));
SELECT refused('22023', 'Timeout of step "one" is -', 'a negative timeout', resolute.with_timeout(one(), '-1 s'));
SELECT refused('22023', 'Timeout of step "one" is 00:00:00', 'a timeout of nothing', resolute.with_timeout(one(), '0'));
SELECT refused('22023', 'Timeout of step "one" is null', 'a timeout of null in a block', resolute.when('input', resolute.with_timeout(one(), NULL)));
SELECT refused('22023', 'Rate limit of step "one" is 0', 'a rate of nothing', resolute.with_rate_limit(one(), 0, '1 s'));
SELECT refused('22023', 'Interval of the rate limit of step "one" is -', 'a rate in a negative interval', resolute.with_rate_limit(one(), 1, '-1 s'));
SELECT refused('22023', 'max_failures of step "one" is -1', 'a negative number of failures', resolute.with_max_failures(one(), -1));
SELECT refused('22023', 'Step "one" has a limit of iterations, but is no loop', 'with_max_iterations on something that is no loop', resolute.with_max_iterations(one(), 3));
SELECT refused('22023', 'is no loop', 'nor is when() one', resolute.with_max_iterations(resolute.when('input', one()), 3));
SELECT refused('22023', 'max_iterations of step "while 1" is 0', 'no iterations', resolute.with_max_iterations(resolute.while('input', one()), 0));
SELECT refused('22023', 'on_error\(\) of step "one" has no steps', 'on_error without steps', resolute.on_error(one(), VARIADIC '{}'::resolute.step[]));
SELECT refused('22023', 'Block while 1 holds no steps', 'a loop without steps', resolute.while('input', VARIADIC '{}'::resolute.step[]));
SELECT refused('22023', 'Block parallel 1 holds no steps', 'parallel without steps', resolute.parallel(VARIADIC '{}'::resolute.step[]));
SELECT refused('42704', 'condition "nobody.has_more"', 'a loop over something unknown', resolute.while('nobody.has_more', one()));
SELECT refused('42710', 'step name "one" is used twice', 'a name used twice', one(), resolute.when('input', one()));
SELECT refused('42710', 'step name "one" is used twice', 'also in a handler', one(), resolute.on_error(resolute.sql('SELECT 1'), one()));
SELECT refused('22023', 'step "n" .* refers to step "one", which may not have run | "one" stands in block "when 1"', 'a reference into a block', resolute.when('input', one()), resolute.node('n', 'trace', input => 'one'));
SELECT refused('22023', 'may not have run', 'into a loop', resolute.while('input', one()), resolute.node('n', 'trace', input => 'one'));
SELECT refused('22023', 'may not have run | "mapped" stands in block', 'rows of a block', issues(), resolute.when('issues', mapped()), stored());
SELECT refused('22023', 'may not have run | "one" stands in the error handler of step "x"', 'a reference into a handler', resolute.on_error(resolute.as('x', resolute.sql('SELECT 1')), one()), resolute.node('n', 'trace', input => 'one'));
SELECT refused('42704', 'refers to unknown step "later"', 'a reference to a later step', resolute.merge('later'), resolute.as('later', issues()));
SELECT refused('42809', 'needs rows, but "one" yields none', 'a merge of something that yields no rows', issues(), one(), resolute.as('m', resolute.merge('issues', 'one')));
SELECT refused('42809', 'needs rows, but "stored" yields none', 'of a sink', issues(), mapped(), stored(), resolute.as('m', resolute.merge('issues', 'stored')));
SELECT refused('22023', 'takes rows of "issues" more than once', 'a merge of the same source', issues(), mapped(), resolute.as('m', resolute.merge('issues', 'mapped')));
SELECT refused('42804', 'merges rows of different kinds', 'a merge of mapped and unmapped rows', issues('a', 'a'), issues('b', 'b'), mapped('ma', 'a'), resolute.as('m', resolute.merge('ma', 'b')));
SELECT refused('22023', 'names no steps', 'a merge of nothing', resolute.as('m', resolute.merge(VARIADIC '{}'::text[])));
SELECT refused('22023', 'has no pages to turn: "issues" is read by itself', 'next_page of a source that is read by itself', issues(), resolute.next_page('issues'));
SELECT refused('22023', 'has no pages to turn', 'or of something else', issues(paginate => 'manual'), mapped(), resolute.next_page('mapped'));
SELECT refused('22023', 'condition "issues.has_more" .* asks for pages', 'has_more of a source that is read by itself', issues(), resolute.while('issues.has_more', one()));
SELECT refused('22023', 'paginate of step "issues" is "byhand"', 'another way to turn pages', issues(paginate => 'byhand'));
SELECT refused('22023', 'dead_letter\(\) is not a step of an error handler', 'dead_letter() outside of a handler', resolute.dead_letter());
SELECT refused('22023', 'reads rows of "issues", which is outside', 'rows of the failed step in its handler', issues(), mapped(), resolute.on_error(stored(), resolute.as('q', resolute.upsert('mapped', 'warehouse.issues', 'issue_key'))));

SELECT * FROM finish();
