-- while, and pages by hand: paginate => 'manual', page.has_more, next_page().
\ir setup/flows.sql
SELECT sim.get('/_sim/reset?issues=130&seed=5&projects=PLATFORM');
SET resolute.http_attempts = 1;
SELECT no_plan();

-- The flow paginated-sync ------------------------------------------------------------------------------

SELECT resolute.create_flow('paginated-sync', resolute.manual(),
	resolute.as('page', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}',
		cursor => resolute.cursor_for('paginated'), page_size => 50, paginate => 'manual')),
	resolute.while('page.has_more',
		resolute.as('transformed', resolute.map('page', sim.template())),
		resolute.as('unique', resolute.unique('transformed', key => 'issue_key')),
		resolute.as('upserted', resolute.upsert('unique', target => 'warehouse.issues', key => 'issue_key')),
		resolute.node('round', 'trace', input => 'page'),
		resolute.next_page('page')),
	resolute.node('last', 'trace'));
CREATE FUNCTION rounds() RETURNS bigint LANGUAGE sql AS $$
	SELECT pages FROM resolute.run_steps WHERE kind = 'while' AND run_id = (SELECT max(run_id) FROM resolute.runs)
$$;
CREATE FUNCTION edit() RETURNS void LANGUAGE sql AS $$
	SELECT sim.get('/_sim/bulk?project=PLATFORM&count=60&priority=High'), sim.get('/_sim/add?project=PLATFORM&count=5')
$$;

CALL resolute.run('paginated-sync');
SELECT is(outcome(), 'succeeded fetched 130 inserted 130 failed 0 handled 0', 'a loop over three pages');
SELECT sim.same_as_source('brings everything');
SELECT is(rounds(), 3::bigint, 'the body sees every page once');
SELECT is((SELECT sum(jsonb_array_length(value)) FROM trace WHERE jsonb_typeof(value) = 'array'), 130::bigint, 'all its sinks do');
SELECT ok(balanced(), 'the books balance');
SELECT is((SELECT value->'page' FROM trace ORDER BY n DESC LIMIT 1), '{"count": 0, "pages": 3, "has_more": false}', 'after the loop there is no page left');
SELECT is(cursor_at('paginated'), (SELECT max(updated_at) FROM warehouse.issues), 'the cursor stands at the end');
SELECT is((SELECT count(*) FROM resolute.cursor_history WHERE action = 'page'), 2::bigint, 'and moved page by page');
SELECT edit();
CALL resolute.run('paginated-sync');
SELECT sim.same_as_source('run again after edits, the table equals the source');
SELECT ok(balanced(), 'the books balance');

-- In one transaction.
SELECT begin_again();
SELECT is((SELECT concat_ws(' ', status, source_records, inserted) FROM resolute.run_flow('paginated-sync')), 'succeeded 135 135', 'run_flow does the same');
SELECT is(rounds(), 3::bigint, 'page by page');
SELECT is(cursor_at('paginated'), (SELECT max(updated_at) FROM warehouse.issues), 'and the cursor stands at the end');
SELECT edit();
SELECT resolute.run_flow('paginated-sync');
SELECT sim.same_as_source('and again after edits');

-- No page, and one page.
SELECT begin_again();
SELECT define('f', issues(jql => 'project = PLATFORM AND updated >= ${cursor} AND updated > 1900000000000', paginate => 'manual'),
	resolute.while('issues.has_more', mapped(), stored(), resolute.next_page('issues')), resolute.node('after', 'trace'));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 0 inserted 0 failed 0 handled 0', 'a source without issues');
SELECT is(rounds(), NULL, 'has no page: the body never runs');
SELECT is((SELECT value->'issues' FROM trace), '{"count": 0, "pages": 1, "has_more": false}', 'and has_more is false at once');
SELECT is((SELECT concat_ws(' ', status, source_records) FROM resolute.run_flow('f')), 'succeeded 0', 'with run_flow, too');
SELECT begin_again();
SELECT define('f', issues(page_size => 100, jql => 'project = PLATFORM AND updated >= ${cursor} AND key in ("PLATFORM-1", "PLATFORM-2")', paginate => 'manual'),
	resolute.while('issues.has_more', mapped(), stored(), resolute.next_page('issues')));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 2 inserted 2 failed 0 handled 0', 'a source with one page');
SELECT is(rounds(), 1::bigint, 'is one round');
-- An empty page with a token is no page, but there is another one behind it.
SELECT begin_again();
SELECT define('f', issues(paginate => 'manual'), resolute.while('issues.has_more', mapped(), stored(), resolute.next_page('issues')));
SELECT sim.post('/_sim/fault', '{"skip": 1, "empty_page": true}');
CALL resolute.run('f');
SELECT is(rounds(), 3::bigint, 'empty pages are passed over');
SELECT sim.same_as_source('and nothing is missing behind them');

-- Jira Server pages by offset.
SELECT begin_again(), sim.get('/_sim/settings?flavour=server&server_cap=40');
SELECT sim.connect('server');
SELECT define('f', issues(server => 'server', paginate => 'manual'), resolute.while('issues.has_more', mapped(), stored(), resolute.next_page('issues')));
CALL resolute.run('f');
SELECT sim.same_as_source('pages of Jira Server are turned as well');
SELECT cmp_ok(rounds(), '>=', 3::bigint, 'one by one');
SELECT sim.get('/_sim/settings?flavour=cloud&server_cap=1000');

-- The state of a loop -----------------------------------------------------------------------------------

-- SQL conditions; the page may be looked at.
SELECT begin_again();
SELECT define('f', issues(paginate => 'manual'), resolute.while($$(state->'issues'->>'has_more')::boolean$$,
	resolute.when('issues.count', mapped(), stored()), resolute.next_page('issues')));
CALL resolute.run('f');
SELECT sim.same_as_source('an SQL condition over the page');
-- unique() sees the pages as one stream.
SELECT begin_again();
SELECT define('f', issues(paginate => 'manual'), resolute.while('issues.has_more',
	resolute.as('mapped', resolute.map('issues', '{"issue_key": "PLATFORM-1", "summary": "s", "updated_at": "2026-01-01T00:00:00Z"}')),
	resolute.as('unique', resolute.unique('mapped', 'issue_key')), stored(rows => 'unique'), resolute.next_page('issues')));
CALL resolute.run('f');
SELECT is((SELECT concat_ws(' ', inserted, unchanged, duplicates) FROM resolute.runs ORDER BY run_id DESC LIMIT 1), format('1 0 %s', (SELECT count(*) - 1 FROM sim.issues())), 'unique() drops duplicates over the rounds');
-- Two passes over the same page.
SELECT begin_again();
SELECT define('f', issues(paginate => 'manual'), resolute.while('issues.has_more',
	mapped(), resolute.as('unique', resolute.unique('mapped', 'issue_key')), stored(rows => 'unique'), resolute.sql('SELECT 1'),
	resolute.node('again', 'trace', input => 'unique'), resolute.next_page('issues')));
CALL resolute.run('f');
SELECT is((SELECT sum(jsonb_array_length(value)) FROM trace), (SELECT count(*) FROM sim.issues()), 'two passes over a page see the same rows');
SELECT ok(balanced(), 'which count once');
SELECT sim.get('/_sim/log?clear=1') \g /dev/null
SELECT begin_again();
CALL resolute.run('f');
SELECT is((SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/log')) l WHERE l->>'path' ~ 'search'), 3::bigint, 'and every page is asked for once');

-- A loop that stops before the end: what was turned is done with, the rest comes again.
SELECT begin_again();
SELECT define('f', issues(paginate => 'manual'), resolute.while($$(state->'issues'->>'pages')::int <= 2 AND (state->'issues'->>'has_more')::boolean$$, mapped(), stored(), resolute.next_page('issues')));
CALL resolute.run('f');
SELECT is((SELECT count(*) FROM warehouse.issues), 100::bigint, 'a loop may end before the pages do');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM warehouse.issues), 'the cursor stands behind the last page that was turned');
CALL resolute.run('f');
SELECT sim.same_as_source('the next run goes on from there');
SELECT begin_again();
SELECT resolute.run_flow('f');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM warehouse.issues), 'run_flow leaves the cursor there, too');
SELECT resolute.run_flow('f');
SELECT sim.same_as_source('and goes on');

-- A page that no sink has seen is not passed over.
SELECT begin_again();
SELECT define('f', issues(paginate => 'manual'), resolute.while('issues.has_more', resolute.when($$(state->'issues'->>'pages')::int <> 2$$, mapped(), stored()), resolute.next_page('issues')));
CALL resolute.run('f');
SELECT is((SELECT count(*) FROM warehouse.issues), (SELECT count(*) - 50 FROM sim.issues()), 'a body may leave out a page');
SELECT is(cursor_at(), (SELECT updated_at FROM sim.issues() ORDER BY updated_at, issue_key OFFSET 49 LIMIT 1), 'but then the cursor stays before it');

-- A killed run resumes at its page.
SELECT begin_again();
SELECT define('f', issues(paginate => 'manual'), resolute.while('issues.has_more', mapped(), stored(), resolute.when($$(state->'issues'->>'pages')::int = 2 AND current_setting('test.fail', true) = 'on'$$, resolute.sql('SELECT 1/0')), resolute.next_page('issues')));
SET test.fail = on;
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f');
\set ON_ERROR_STOP on
\set VERBOSITY default
RESET test.fail;
SELECT is((SELECT count(*) FROM warehouse.issues), 100::bigint, 'a loop that fails in its second round');
CALL resolute.run('f');
SELECT is((SELECT concat_ws(' ', source_records, inserted, unchanged) FROM resolute.runs ORDER BY run_id DESC LIMIT 1), format('%s %s 50', (SELECT count(*) - 50 FROM sim.issues()), (SELECT count(*) - 100 FROM sim.issues())), 'begins again with that page');
SELECT sim.same_as_source('and brings everything');

-- A page that cannot be fetched, or stored.
SELECT begin_again();
SELECT sim.post('/_sim/fault', '{"skip": 1, "status": 400, "times": -1, "body": {"errorMessages": ["no"]}}') \g /dev/null
SELECT define('f', resolute.on_error(issues(paginate => 'manual'), says('fetch')), resolute.while('issues.has_more', mapped(), stored(), resolute.next_page('issues')), says('after'));
CALL resolute.run('f');
SELECT is(said(), '{"fetch": "issues"} {"after": "issues"}', 'a page that cannot be fetched is an error of the source, which ends the loop');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM warehouse.issues), 'with the cursor behind the page before');
SELECT sim.get('/_sim/faults?clear=1') \g /dev/null
CALL resolute.run('f');
SELECT sim.same_as_source('and the next run goes on there');
CREATE TABLE bad AS SELECT issue_key FROM sim.issues() ORDER BY updated_at, issue_key OFFSET 60 LIMIT 1;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT FROM public.bad b WHERE b.issue_key = NEW.issue_key) THEN RAISE EXCEPTION 'refused' USING ERRCODE = '58030'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON warehouse.issues FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT begin_again();
SELECT define('f', issues(paginate => 'manual'), resolute.while('issues.has_more', mapped(), resolute.on_error(stored(), says('sink')), resolute.next_page('issues')));
CALL resolute.run('f');
SELECT is((SELECT concat_ws(' ', status, inserted, handled_errors) FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'succeeded 50 1', 'a page that cannot be stored ends the stream, too');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM warehouse.issues), 'with the cursor before it');
SELECT begin_again();
SELECT define('f', issues(paginate => 'manual'), resolute.while('issues.has_more', mapped(), resolute.on_error(stored(), resolute.dead_letter()), resolute.next_page('issues')));
CALL resolute.run('f');
SELECT is((SELECT concat_ws(' ', status, failed, handled_errors) FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'succeeded 50 1', 'unless it goes to the dead letters');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM sim.issues()), 'with which the cursor moves on');
SELECT ok(balanced(), 'and the books balance');
DROP TRIGGER refuse ON warehouse.issues;

-- Loops of other kinds -----------------------------------------------------------------------------------

CREATE TABLE queue (jql text);
CREATE FUNCTION queue_up() RETURNS void LANGUAGE sql AS $$ TRUNCATE queue; INSERT INTO queue VALUES ('a'), ('b'), ('c') $$;
-- A fetch in the body is made anew in each round.
SELECT begin_again(), queue_up();
SELECT define('f', resolute.while('(SELECT count(*) > 0 FROM public.queue)',
	issues(jql => 'project = PLATFORM AND updated >= ${cursor}'), mapped(), stored(), resolute.node('seen', 'trace', input => 'issues'),
	resolute.sql('DELETE FROM public.queue WHERE jql = (SELECT min(jql) FROM public.queue)')));
CALL resolute.run('f');
SELECT is(rounds(), 3::bigint, 'a loop over a queue');
SELECT sim.same_as_source('with a fetch in it');
SELECT is((SELECT concat_ws(' ', status, inserted) FROM resolute.runs ORDER BY run_id DESC LIMIT 1), format('succeeded %s', (SELECT count(*) FROM sim.issues())), 'whose rows are stored once');
SELECT ok(balanced(), 'the books balance over all rounds');
SELECT cmp_ok((SELECT source_records FROM resolute.runs ORDER BY run_id DESC LIMIT 1), '>', (SELECT count(*) FROM sim.issues()), 'though it fetched in each round');
SELECT begin_again(), queue_up();
SELECT is((SELECT concat_ws(' ', status, inserted) FROM resolute.run_flow('f')), format('succeeded %s', (SELECT count(*) FROM sim.issues())), 'run_flow does the same');
-- Loops nest, and what they read from outside is there in every round.
SELECT begin_again(), queue_up();
SELECT define('f', issues(), mapped(), resolute.while('(SELECT count(*) > 0 FROM public.queue)', resolute.when('input.go',
	resolute.while($$(SELECT count(*) < 2 FROM public.trace)$$, resolute.node('inner', 'trace')), stored(),
	resolute.sql('DELETE FROM public.queue WHERE jql = (SELECT min(jql) FROM public.queue)'))));
CALL resolute.run('f', '{"go": true}');
SELECT is((SELECT concat_ws(' ', status, inserted, unchanged) FROM resolute.runs ORDER BY run_id DESC LIMIT 1),
	format('succeeded %s %s', (SELECT count(*) FROM sim.issues()), (SELECT 2 * count(*) FROM sim.issues())), 'rows from outside of a loop are read in each of its rounds');
SELECT is((SELECT count(*) FROM trace), 2::bigint, 'loops nest');

-- Limits ------------------------------------------------------------------------------------------------------

SELECT begin_again();
SELECT define('f', resolute.with_max_iterations(resolute.while('input.go', resolute.node('n', 'trace')), 7));
SELECT throws_ok($$SELECT resolute.run_flow('f', '{"go": true}')$$, '54000', 'loop "while 1" of flow "f" did not end after 7 rounds', 'a loop without end ends with an error');
SELECT define('f', resolute.on_error(resolute.with_max_iterations(resolute.while('input.go', resolute.node('n', 'trace')), 7), note_error()));
CALL resolute.run('f', '{"go": true}');
SELECT is((SELECT count(*) FROM trace), 8::bigint, 'after so many rounds');
SELECT is((SELECT value->>'step' FROM trace ORDER BY n DESC LIMIT 1), 'while 1', 'which can be handled');
SELECT define('f', resolute.while('input.go', resolute.when('input.stop', resolute.sql('SELECT 1'))));
SELECT throws_ok($$SELECT resolute.run_flow('f', '{"go": true}')$$, '54000', 'loop "while 1" of flow "f" did not end after 10000 rounds', 'by default after 10 000');
SELECT define('f', resolute.with_max_iterations(resolute.while($$(SELECT count(*) < 7 FROM public.trace)$$, resolute.node('n', 'trace')), 7));
SELECT begin_again();
SELECT is((SELECT status FROM resolute.run_flow('f')), 'succeeded', 'exactly so many rounds are fine');

-- Memory does not grow with the rounds.
SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'pg_backend_memory_contexts') AS has_contexts \gset
\if :has_contexts
CREATE TABLE used (bytes bigint);
SELECT begin_again(), sim.get('/_sim/reset?issues=2&projects=PLATFORM') \g /dev/null
SELECT define('f', resolute.while('(SELECT count(*) < 200 FROM public.used)', issues(), mapped(), stored(),
	resolute.sql($$INSERT INTO public.used SELECT sum(used_bytes) FROM pg_backend_memory_contexts c WHERE name LIKE 'resolute%' OR to_jsonb(c)->>'parent' LIKE 'resolute%'$$)));
CALL resolute.run('f');
SELECT cmp_ok(max(bytes) - min(bytes), '<', 300000::bigint, 'a loop of many rounds takes no more memory than one of few') FROM (SELECT bytes FROM used OFFSET 10) t;
\endif

SELECT * FROM finish();
