-- Where the walks of real runs begin, what resumes them, what they find.
SET TimeZone = 'UTC';
\ir setup/sim.sql
SET client_min_messages = warning;
SELECT no_plan();
SELECT sim.get('/_sim/reset?issues=350&seed=3&projects=PLATFORM');
SELECT sim.connect('jira');
CREATE TABLE issue (issue_key text PRIMARY KEY, summary text, updated_at timestamptz);

-- Define the flow, with what its cursor asks for.
CREATE FUNCTION flow(cursor jsonb, jql text DEFAULT 'updated >= ${cursor}', VARIADIC before resolute.step[] DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT resolute.create_or_replace_flow('f', resolute.manual(), VARIADIC before || ARRAY[
		resolute.as('issues', resolute.jira_fetch_issues('jira', jql, cursor => '{"name": "c"}' || cursor, page_size => 100)),
		resolute.as('rows', resolute.map('issues', '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}')),
		resolute.upsert('rows', target => 'issue', key => 'issue_key')])
$$;
-- The searches since the last call: the bound, and whether they went on with a token.
CREATE FUNCTION searches() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(coalesce(substring(body ->> 'jql' FROM 'updated >= ("[^"]*"|[0-9]+)'), '?') || CASE WHEN body ? 'nextPageToken' THEN '+' ELSE '' END, ' ' ORDER BY n)
	FROM (SELECT (l ->> 'n')::bigint AS n, (l ->> 'body')::jsonb AS body
		  FROM jsonb_array_elements(sim.get('/_sim/log?clear=1')) AS l WHERE l ->> 'path' LIKE '%/search/jql%') AS s
$$;
-- A bound as milliseconds: that much below an instant, on a minute.
CREATE FUNCTION ms(at timestamptz, below interval DEFAULT '0') RETURNS text LANGUAGE sql AS $$
	SELECT (extract(epoch FROM date_trunc('minute', at - below)) * 1000)::bigint::text
$$;
CREATE FUNCTION newest() RETURNS timestamptz LANGUAGE sql AS 'SELECT max(updated_at) FROM issue';
CREATE FUNCTION missing() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) AS i
	WHERE NOT EXISTS (SELECT FROM issue WHERE issue_key = i ->> 'key' AND summary = i ->> 'summary' AND updated_at = (i ->> 'updated')::timestamptz)
$$;
-- A failed CALL is looked up in the books (its SQLSTATE appears on standard error).
CREATE FUNCTION last_run() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', status, source_records, inserted, updated, unchanged) FROM resolute.runs ORDER BY run_id DESC LIMIT 1
$$;

-- A walk that was broken off goes on ------------------------------------------------------

SELECT flow('{}');
SELECT sim.post('/_sim/fault', '{"skip": 2, "status": 400, "body": {"errorMessages": ["no"]}}');
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f') \g /dev/null
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is(last_run(), 'failed 200 200 0 0', 'a run fails after two pages');
SELECT is(searches(), '0 0+ 0+', 'with the third');
SELECT is(position, newest(), 'the cursor covers what is stored') FROM resolute.cursors;
SELECT ok(walk IS NOT NULL AND walk_bound = '1970-01-01', 'and knows where to go on') FROM resolute.cursors;
CALL resolute.run('f');
SELECT is(last_run(), 'succeeded 150 150 0 0', 'the next run brings the rest');
SELECT is(searches(), '0+ 0+', 'in the same walk');
SELECT is(missing(), 0::bigint, 'nothing is missing');
SELECT ok(walk IS NULL AND position = newest(), 'the walk is over') FROM resolute.cursors;

-- A walk whose token is refused begins again from its bound.
SELECT resolute.reset_cursor('c');
TRUNCATE issue;
SELECT sim.post('/_sim/fault', '{"skip": 2, "status": 400, "body": {"errorMessages": ["no"]}}');
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f') \g /dev/null
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT sim.get('/_sim/settings?expire_tokens=1'), searches();
CALL resolute.run('f');
SELECT is(searches(), '0+ 0 0+ 0+ 0+', 'a refused token restarts the walk from its bound');
SELECT is(last_run(), 'succeeded 350 150 0 200', 'which changes nothing that is there');
SELECT is(missing(), 0::bigint, 'nothing is missing then, either');
SELECT ok(left(last_run(), 9) = 'succeeded' AND (SELECT walk IS NULL FROM resolute.cursors), 'and the walk is over');

-- Where a new walk begins --------------------------------------------------------------------

SELECT status FROM resolute.run_flow('f') \g /dev/null
SELECT is(searches(), ms(newest(), '15 minutes'), 'a new walk overlaps by 15 minutes');
SELECT is(split_part(last_run(), ' ', 3), '0', 'and inserts nothing');
SELECT flow('{"overlap": "2 hours"}');
SELECT status FROM resolute.run_flow('f') \g /dev/null
SELECT is(searches(), ms(newest(), '2 hours') || ' ' || ms(newest(), '2 hours') || '+', 'or by as much as is asked for');
SELECT flow(jsonb_build_object('overlap', '2 hours', 'initial', newest() - interval '30 minutes'));
SELECT status FROM resolute.run_flow('f') \g /dev/null
SELECT is(searches(), ms(newest(), '30 minutes'), 'never below the initial position');
SELECT flow('{}');
UPDATE resolute.cursors SET swept_at = now() - interval '1 day';
SELECT status FROM resolute.run_flow('f') \g /dev/null
SELECT matches(searches(), '^' || ms(newest(), '1 day') || ' ', 'a day after the last sweep it reaches back a day');
SELECT status FROM resolute.run_flow('f') \g /dev/null
SELECT is(searches(), ms(newest(), '15 minutes'), 'once');

-- Search sees an edit late: the overlap brings it.
SELECT sim.get('/_sim/edit?key=PLATFORM-7&summary=early&lag=forever');
SELECT sim.get('/_sim/edit?key=PLATFORM-8&summary=late');
SELECT status FROM resolute.run_flow('f') \g /dev/null
SELECT is(missing(), 1::bigint, 'an edit that the index does not show is not there yet');
SELECT sim.get('/_sim/reveal');
SELECT status FROM resolute.run_flow('f') \g /dev/null
SELECT is(missing(), 0::bigint, 'the next run brings it, though the cursor is beyond it');

-- A rollback goes back to before the last run that brought something; the run after it changes nothing.
SELECT searches();
CREATE TABLE stood AS SELECT newest() AS at;
SELECT sim.get('/_sim/clock?advance_ms=7200000'), sim.get('/_sim/edit?key=PLATFORM-9&summary=newer');
SELECT status FROM resolute.run_flow('f') \g /dev/null
SELECT status FROM resolute.run_flow('f') \g /dev/null
SELECT is(resolute.rollback_cursor('c'), at, 'a rollback passes over runs with nothing new') FROM stood;
SELECT searches();
SELECT status FROM resolute.run_flow('f') \g /dev/null
SELECT is(searches(), ms(at, '15 minutes'), 'the next run begins there') FROM stood;
SELECT matches(last_run(), '^succeeded \d+ 0 0 \d+$', 'and changes nothing');

-- A step of the flow ---------------------------------------------------------------------------

SELECT flow('{}', 'updated >= ${cursor}', resolute.sql('DELETE FROM issue'), resolute.sql($$SELECT resolute.reset_cursor('c')$$));
SELECT is((SELECT concat_ws(' ', status, inserted) FROM resolute.run_flow('f')), 'succeeded 350', 'a flow can empty its table and reset its cursor');
SELECT is(position, newest(), 'which is moved as ever') FROM resolute.cursors;
CALL resolute.run('f');
SELECT is(last_run(), 'succeeded 350 350 0 0', 'the same with CALL');
SELECT is(position, newest(), 'which moves it as well') FROM resolute.cursors;

-- Text in the time zone of the account ---------------------------------------------------------

SELECT flow('{"format": "2006-01-02 15:04"}', 'updated >= "${cursor}"');
SELECT resolute.set_cursor('c', newest()::text), searches();
SELECT status FROM resolute.run_flow('f') \g /dev/null
SELECT is(searches(), '"' || to_char((newest() - interval '15 minutes') AT TIME ZONE 'Europe/Berlin', 'YYYY-MM-DD HH24:MI') || '"', 'the bound is written in the zone of the account');
SELECT matches(last_run(), '^succeeded [1-9]\d* 0 0 [1-9]\d*$', 'and finds what it should');

SELECT * FROM finish();
