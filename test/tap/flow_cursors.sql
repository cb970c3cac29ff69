-- Cursors of flows: what max_items, spools, several sources and several flows make of them.
SET TimeZone = 'UTC';
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=250&seed=5&projects=PLATFORM,MOBILE');
SELECT no_plan();
CREATE TABLE issue (issue_key text PRIMARY KEY, summary text, updated_at timestamptz);

-- A fetch of some issues, as "issues" or another name.
CREATE FUNCTION fetched(name text DEFAULT 'issues', cursor text DEFAULT 'c', jql text DEFAULT 'updated >= ${cursor}', max_items bigint DEFAULT NULL, page_size int DEFAULT 50)
RETURNS resolute.step LANGUAGE sql AS $$
	SELECT resolute.as(name, resolute.jira_fetch_issues('jira', jql, cursor => resolute.cursor_for(cursor), page_size => page_size, max_items => max_items))
$$;
CREATE FUNCTION mapped(name text DEFAULT 'rows', source text DEFAULT 'issues') RETURNS resolute.step LANGUAGE sql AS $$
	SELECT resolute.as(name, resolute.map(source, '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}'))
$$;
CREATE FUNCTION stored(source text DEFAULT 'rows') RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.upsert(source, target => 'issue', key => 'issue_key') $$;
CREATE FUNCTION define(name text, VARIADIC steps resolute.step[]) RETURNS int LANGUAGE sql AS
	$$ SELECT resolute.create_or_replace_flow(name, resolute.manual(), VARIADIC steps) $$;
CREATE FUNCTION missing() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) AS i
	WHERE NOT EXISTS (SELECT FROM issue WHERE issue_key = i ->> 'key' AND summary = i ->> 'summary' AND updated_at = (i ->> 'updated')::timestamptz)
$$;
CREATE FUNCTION newest() RETURNS timestamptz LANGUAGE sql AS 'SELECT max(updated_at) FROM issue';
CREATE FUNCTION last_run() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', status, source_records, inserted, updated, unchanged) FROM resolute.runs ORDER BY run_id DESC LIMIT 1
$$;
-- Begin again with an empty table and no cursors.
CREATE FUNCTION begin_again() RETURNS void LANGUAGE sql AS 'TRUNCATE issue; DELETE FROM resolute.cursors';

-- max_items: the next run goes on where this one stopped -------------------------------------------

SELECT begin_again();
SELECT define('f', fetched(max_items => 70), mapped(), stored());
CALL resolute.run('f');
SELECT is(last_run(), 'succeeded 70 70 0 0', 'max_items ends a run');
SELECT ok(walk IS NOT NULL AND position = newest(), 'but not its walk') FROM resolute.cursors;
SELECT is((SELECT concat_ws(' ', status, source_records, inserted) FROM resolute.run_flow('f')), 'succeeded 70 70', 'the next run goes on from there');
CALL resolute.run('f');
CALL resolute.run('f');
SELECT is(last_run(), 'succeeded 40 40 0 0', 'run by run, to the end');
SELECT ok(walk IS NULL AND position = newest(), 'which ends the walk') FROM resolute.cursors;
SELECT is(missing(), 0::bigint, 'and nothing is missing');

-- As many issues at one instant as no run may fetch.
SELECT sim.get('/_sim/bulk?project=PLATFORM&count=100&priority=High');
CALL resolute.run('f'); CALL resolute.run('f'); CALL resolute.run('f');
SELECT is(missing(), 0::bigint, 'more issues at one instant than max_items are no trap');

-- The same where the source is spooled.
SELECT begin_again();
SELECT define('f', fetched(max_items => 70), resolute.when('issues.count', mapped(), stored()));
CALL resolute.run('f');
SELECT ok(walk IS NOT NULL AND position = newest(), 'the walk of a spooled source goes on as well') FROM resolute.cursors;
CALL resolute.run('f'); CALL resolute.run('f'); CALL resolute.run('f');
SELECT is(missing(), 0::bigint, 'until nothing is missing');

-- The newest first: the cursor must not pass what max_items left out.
SELECT throws_ok($$SELECT define('g', fetched(jql => 'updated >= ${cursor} ORDER BY updated DESC', max_items => 70), mapped(), stored())$$,
	'22023', NULL, 'max_items of a query in another order cannot have a cursor');

-- Another order: the cursor moves at the end --------------------------------------------------------

SELECT begin_again();
SELECT define('f', fetched(jql => 'updated >= ${cursor} ORDER BY updated DESC'), mapped(), stored());
SELECT sim.post('/_sim/fault', '{"skip": 2, "status": 400, "body": {"errorMessages": ["no"]}}');
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f') \g /dev/null
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is(last_run(), 'failed 100 100 0 0', 'a run of the newest first that stops on its way');
SELECT ok(position IS NULL AND walk IS NULL, 'leaves the cursor') FROM resolute.cursors;
CALL resolute.run('f');
SELECT is(missing(), 0::bigint, 'so that the next one finds everything');
SELECT ok(position = newest(), 'and moves it') FROM resolute.cursors;

-- A position is never beyond the server's own clock ---------------------------------------------------

SELECT begin_again();
SELECT sim.get('/_sim/settings?date=clock');
SELECT (sim.get('/_sim/edit?key=' || (i ->> 'key') || '&updated=2037-01-01T00:00:00Z')) FROM (SELECT jsonb_array_elements(sim.get('/_sim/issues?array=1')) AS i LIMIT 1) AS t;
SELECT define('f', fetched(), mapped(), stored());
CALL resolute.run('f');
SELECT cmp_ok(position, '<', '2036-01-01', 'an issue of the future does not take the cursor along') FROM resolute.cursors;
SELECT is(newest(), '2037-01-01', 'though it is stored');
SELECT begin_again();
SELECT define('f', fetched(), resolute.when('issues.count', mapped(), stored()));
CALL resolute.run('f');
SELECT is(newest(), '2037-01-01', 'the same where it is spooled');
SELECT cmp_ok(position, '<', '2036-01-01', 'the cursor stays behind') FROM resolute.cursors;

-- Nor is it where words for times would take it.
SELECT begin_again();
SELECT sim.get('/_sim/reset?issues=20'), sim.get('/_sim/settings?date=none'), sim.post('/_sim/fault', '{"fields": {"updated": "tomorrow"}, "row": 3}');
SELECT define('f', fetched(), resolute.as('rows', resolute.map('issues', '{"issue_key": "{{.Key}}"}')), stored());
CALL resolute.run('f');
SELECT ok(position < now(), 'no word for a time moves the cursor') FROM resolute.cursors;
SELECT sim.get('/_sim/reset');

-- Two sources in one flow -------------------------------------------------------------------------------

SELECT begin_again();
SELECT define('f', fetched('a', 'c of a', 'project = PLATFORM AND updated >= ${cursor}'), fetched('b', 'c of b', 'project = MOBILE AND updated >= ${cursor}'),
	mapped('rows of a', 'a'), mapped('rows of b', 'b'), stored('rows of a'), stored('rows of b'));
CALL resolute.run('f');
SELECT is(missing(), 0::bigint, 'two sources fill one table');
SELECT is((SELECT count(*) FROM resolute.cursors WHERE position IS NOT NULL AND walk IS NULL), 2::bigint, 'each with its cursor');
SELECT set_eq($$SELECT step, rows_out FROM resolute.run_steps WHERE kind = 'jira_fetch_issues' AND run_id = (SELECT max(run_id) FROM resolute.runs)$$,
	$$SELECT CASE WHEN issue_key LIKE 'P%' THEN 'a' ELSE 'b' END, count(*) FROM issue GROUP BY 1$$, 'and its books');
SELECT throws_ok($$SELECT define('g', fetched('a'), fetched('b'), mapped('rows of a', 'a'), mapped('rows of b', 'b'), stored('rows of a'), stored('rows of b'))$$,
	'42710', NULL, 'two sources of a flow cannot share a cursor');

-- Two flows and one cursor --------------------------------------------------------------------------------

SELECT begin_again();
SELECT define('f', fetched(), mapped(), stored());
SELECT define('g', fetched(), mapped('other rows'), resolute.as('other', stored('other rows')));
CALL resolute.run('f');
CALL resolute.run('g');
SELECT matches(last_run(), '^succeeded \d+ 0 0 \d+$', 'flows with the same query and target can share a cursor');
CREATE TABLE held (status text);
CREATE FUNCTION run_other(state jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ INSERT INTO held SELECT status FROM resolute.run_flow('g') RETURNING to_jsonb(status) $$;
SELECT define('f', fetched(), mapped(), stored(), resolute.node('other', 'run_other'));
CALL resolute.run('f');
SELECT is((SELECT status FROM held), 'skipped', 'while one runs, the other is skipped');
SELECT is(error_message, 'another run holds one of its cursors', 'and says why') FROM resolute.runs WHERE flow = 'g' ORDER BY run_id DESC LIMIT 1;
CALL resolute.run('g');
SELECT is(split_part(last_run(), ' ', 1), 'succeeded', 'after that it runs again');

-- A target that has never held a row was not emptied: where all rows were filtered, or became dead letters.
CREATE FUNCTION again(how text) RETURNS void LANGUAGE sql AS $$
	TRUNCATE issue; DELETE FROM resolute.cursors;
	SELECT define('never', fetched(), mapped(), resolute.as('some', resolute.filter('rows', how)), stored('some'));
$$;
SELECT again('eq .summary "no such"');
CALL resolute.run('never');
SELECT isnt(position, NULL, 'all rows are filtered, and the cursor moves') FROM resolute.cursors WHERE name = 'c';
CALL resolute.run('never');
SELECT is(split_part(last_run(), ' ', 1), 'succeeded', 'the next run goes on, under CALL');
SELECT is((resolute.run_flow('never')).status, 'succeeded', 'and under run_flow');
SELECT sim.get('/_sim/edit?key=PLATFORM-3&summary=no+such');
CALL resolute.run('never');
SELECT is((SELECT string_agg(issue_key, ' ') FROM issue), 'PLATFORM-3', 'until one passes');
TRUNCATE issue;
SELECT throws_ok($$SELECT resolute.run_flow('never')$$, '55000', 'the target of cursor "c" was emptied', 'from then on, an empty target is an emptied one');
SELECT again('true');
SELECT resolute.alter_flow('never', max_failures => 1000);
ALTER TABLE issue ADD CONSTRAINT refused CHECK (summary = 'no');
SELECT is((resolute.run_flow('never')).inserted, 0::bigint, 'all rows are dead letters');
SELECT is((resolute.run_flow('never')).status, 'succeeded', 'which is no reason not to go on');
ALTER TABLE issue DROP CONSTRAINT refused;
SELECT cmp_ok((resolute.replay_dead_letters('never')).resolved, '>', 0::bigint, 'they are replayed');
CALL resolute.run('never');
TRUNCATE issue;
SELECT throws_ok($$SELECT resolute.run_flow('never')$$, '55000', 'the target of cursor "c" was emptied', 'and the table may not be emptied after that');

SELECT * FROM finish();
