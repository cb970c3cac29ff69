-- Cursors that a flow moves by hand: rollback_cursor() in a handler, reset_cursor() before a fetch.
\ir setup/flows.sql
SELECT sim.get('/_sim/reset?issues=300&seed=5&projects=PLATFORM');
SET resolute.http_attempts = 1;
SELECT no_plan();

CREATE FUNCTION rolled_back(name text DEFAULT 'jira-sync') RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.sql(format('SELECT resolute.rollback_cursor(%L)', name)) $$;
CREATE FUNCTION edit() RETURNS void LANGUAGE sql AS $$
	SELECT sim.get('/_sim/clock?advance_ms=10800000'), sim.get('/_sim/add?project=PLATFORM&count=5'), sim.get('/_sim/bulk?project=PLATFORM&count=120&priority=High&step_ms=60000')
$$;
CREATE FUNCTION last_asked() RETURNS text LANGUAGE sql AS $$
	SELECT l->'body'->>'jql' FROM jsonb_array_elements(sim.get('/_sim/log')) WITH ORDINALITY t(l, n) WHERE l->>'path' ~ 'search' AND NOT l->'body' ? 'nextPageToken' ORDER BY n DESC LIMIT 1
$$;
-- The trigger refuses this issue, with an error that fails the step.
CREATE TABLE bad (issue_key text);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM public.bad b WHERE b.issue_key = NEW.issue_key) THEN RAISE EXCEPTION 'refused' USING ERRCODE = '58030'; END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON warehouse.issues FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE FUNCTION break(n int) RETURNS void LANGUAGE sql AS
	$$ TRUNCATE bad; INSERT INTO bad SELECT issue_key FROM sim.issues() ORDER BY updated_at, issue_key OFFSET n - 1 LIMIT 1 $$;

-- The flow safe-sync -----------------------------------------------------------------------------------

SELECT resolute.create_flow('safe-sync', resolute.manual(),
	resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}',
		cursor => resolute.cursor_for('jira-sync', overlap => '0', sweep => '0'), page_size => 50)),
	resolute.as('transformed', resolute.map('issues', sim.template())),
	resolute.on_error(resolute.as('upserted', resolute.upsert('transformed', 'warehouse.issues', 'issue_key')),
		rolled_back(), note_error()));

-- The very first run fails, on its first page, and on a later one.
SELECT begin_again(), break(10);
CALL resolute.run('safe-sync');
SELECT is(outcome(), 'succeeded fetched 50 inserted 0 failed 0 handled 1', 'the first page of all fails');
SELECT is(cursor_at('jira-sync'), NULL, 'the cursor has not begun');
SELECT break(120);
CALL resolute.run('safe-sync');
SELECT is(outcome(), 'succeeded fetched 150 inserted 100 failed 0 handled 1', 'the third page fails');
SELECT ok(position IS NULL AND walk IS NULL, 'and the cursor is back where it was before the run') FROM resolute.cursors WHERE name = 'jira-sync';
TRUNCATE bad;
SELECT sim.get('/_sim/log?clear=1') \g /dev/null
CALL resolute.run('safe-sync');
SELECT is((SELECT concat_ws(' ', source_records, inserted, unchanged, handled_errors) FROM resolute.runs ORDER BY run_id DESC LIMIT 1), '300 200 100 0', 'the next run fetches the same range again');
SELECT sim.same_as_source('and the table equals the source');

-- Again after edits, from a cursor that has moved.
SELECT cursor_at('jira-sync') AS before \gset
SELECT edit(), sim.get('/_sim/log?clear=1') \g /dev/null
CREATE TABLE asked (jql text);
SELECT break(280);
CALL resolute.run('safe-sync');
INSERT INTO asked SELECT last_asked();
SELECT is((SELECT handled_errors FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 1::bigint, 'a page of the next range fails');
SELECT is(cursor_at('jira-sync'), :'before'::timestamptz, 'the cursor is back at the end of the run before');
TRUNCATE bad;
CALL resolute.run('safe-sync');
SELECT is(last_asked(), (SELECT jql FROM asked), 'the next run asks for the same range');
SELECT sim.same_as_source('and the table equals the source again');
CALL resolute.run('safe-sync');
SELECT cmp_ok(source_records, '<=', 1::bigint, 'after which nothing is left to fetch') FROM resolute.runs ORDER BY run_id DESC LIMIT 1;

-- On the first page of a range: the run has not moved the cursor, and those before it are not meant.
SELECT cursor_at('jira-sync') AS before \gset
SELECT edit();
SELECT break(190);
CALL resolute.run('safe-sync');
SELECT is(outcome(), 'succeeded fetched 50 inserted 0 failed 0 handled 1', 'the first page of a range fails');
SELECT is(cursor_at('jira-sync'), :'before'::timestamptz, 'a run that has not moved the cursor rolls back nothing');
TRUNCATE bad;
CALL resolute.run('safe-sync');
SELECT sim.same_as_source('the next run brings everything');

-- All of it in one transaction each.
SELECT begin_again(), break(120);
SELECT is((SELECT concat_ws(' ', status, inserted, handled_errors) FROM resolute.run_flow('safe-sync')), 'succeeded 100 1', 'run_flow: the third page fails');
SELECT ok(position IS NULL AND walk IS NULL, 'and the cursor is back where it was') FROM resolute.cursors WHERE name = 'jira-sync';
TRUNCATE bad;
SELECT is((SELECT concat_ws(' ', status, source_records) FROM resolute.run_flow('safe-sync')), format('succeeded %s', (SELECT count(*) FROM sim.issues())), 'the next one fetches the same range');
SELECT sim.same_as_source('and the table equals the source');
SELECT cursor_at('jira-sync') AS before \gset
SELECT edit();
SELECT break(280);
SELECT resolute.run_flow('safe-sync');
SELECT is(cursor_at('jira-sync'), :'before'::timestamptz, 'after edits the same');
TRUNCATE bad;
SELECT resolute.run_flow('safe-sync');
SELECT sim.same_as_source('and the table equals the source again');

-- A step after the sink fails: everything had been stored, and the cursor had moved to the end ------------

SELECT define('checked', issues(cursor => 'c'), mapped(), stored(),
	resolute.on_error(resolute.sql('SELECT 1/count(*) FROM warehouse.issues WHERE public.allowed()'), rolled_back('c')));
CREATE FUNCTION allowed() RETURNS boolean LANGUAGE sql AS $$ SELECT current_setting('test.allowed') = 'on' $$;
SELECT define('checked', issues(cursor => 'c'), mapped(), stored(),
	resolute.on_error(resolute.sql('SELECT 1/count(*) FROM warehouse.issues WHERE public.allowed()'), rolled_back('c')));
SET test.allowed = off;
SELECT begin_again();
CALL resolute.run('checked');
SELECT is(cursor_at(), NULL, 'a check after the sink rolls the cursor back under CALL');
SELECT is((SELECT handled_errors FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 1::bigint, 'as a handled error');
SELECT begin_again();
SELECT resolute.run_flow('checked');
SELECT is(cursor_at(), NULL, 'and under run_flow');
SET test.allowed = on;
CALL resolute.run('checked');
SELECT is((SELECT concat_ws(' ', source_records, inserted) FROM resolute.runs ORDER BY run_id DESC LIMIT 1), format('%s 0', (SELECT count(*) FROM sim.issues())), 'the next run fetches all of it again');
SELECT ok(cursor_at() IS NOT NULL, 'and moves the cursor');
-- Two handlers of one run roll it back once.
SELECT cursor_at() AS before \gset
SET test.allowed = off;
SELECT edit();
SELECT define('checked', issues(cursor => 'c'), mapped(), stored(), resolute.on_error(resolute.sql('SELECT 1/0'), rolled_back('c')), resolute.on_error(resolute.sql('SELECT 1/0'), rolled_back('c')));
CALL resolute.run('checked');
SELECT is(cursor_at(), :'before'::timestamptz, 'two handlers of a run roll the same run back');
-- Several runs back, this one included.
SELECT begin_again();
SELECT define('plain', issues(cursor => 'c'), mapped(), stored());
CALL resolute.run('plain');
SELECT cursor_at() AS first \gset
SELECT edit();
CALL resolute.run('plain');
SELECT edit();
SELECT define('plain', issues(cursor => 'c'), mapped(), stored(), resolute.on_error(resolute.sql('SELECT 1/0'), resolute.sql($$SELECT resolute.rollback_cursor('c', runs => 2)$$)));
CALL resolute.run('plain');
SELECT is(cursor_at(), :'first'::timestamptz, 'runs => 2 is this run and the one before');

-- reset_cursor before a fetch makes it a full one --------------------------------------------------------------

SELECT define('full', resolute.sql($$SELECT resolute.reset_cursor('c')$$), issues(cursor => 'c'), mapped(), stored());
CALL resolute.run('full');
SELECT is((SELECT source_records FROM resolute.runs ORDER BY run_id DESC LIMIT 1), (SELECT count(*) FROM sim.issues()), 'reset_cursor before a fetch makes it a full one under CALL');
SELECT ok(cursor_at() IS NOT NULL, 'and the cursor moves along');
SELECT is((SELECT source_records FROM resolute.run_flow('full')), (SELECT count(*) FROM sim.issues()), 'and under run_flow');
-- In a handler: fetch all of it the next time.
SELECT define('full', issues(cursor => 'c'), mapped(), stored(), resolute.on_error(resolute.sql('SELECT 1/0'), resolute.sql($$SELECT resolute.reset_cursor('c')$$)));
SELECT resolute.run_flow('full');
SELECT is(cursor_at(), NULL, 'reset_cursor in a handler');
SELECT is((SELECT source_records FROM resolute.run_flow('full')), (SELECT count(*) FROM sim.issues()), 'makes the next run a full one');

SELECT * FROM finish();
