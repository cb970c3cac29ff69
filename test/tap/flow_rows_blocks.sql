-- Steps that hold rows back, amid handlers, retries, loops and merges.
\ir setup/flows.sql
SELECT sim.get('/_sim/reset?issues=500&seed=5&projects=PLATFORM');
SET resolute.http_attempts = 1;
SELECT no_plan();

CREATE TABLE bad (issue_key text);
CREATE SEQUENCE attempts;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM public.bad b WHERE b.issue_key = NEW.issue_key) THEN
		PERFORM nextval('attempts');
		RAISE EXCEPTION 'refused %', NEW.issue_key USING ERRCODE = '58030';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON warehouse.issues FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE FUNCTION sorted() RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('sorted', resolute.sort('mapped', 'issue_key')) $$;
CREATE FUNCTION stored_of(rows text) RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('stored', resolute.upsert(rows, 'warehouse.issues', 'issue_key')) $$;
-- The 120th in the order of the sort stands in the second batch of 100.
CREATE VIEW second AS SELECT issue_key FROM sim.issues() ORDER BY to_jsonb(issue_key) OFFSET 119 LIMIT 1;

-- A handled error ends what is held back; the cursor stays, so that all of it comes again.
INSERT INTO bad TABLE second;
SELECT define('f', issues(), mapped(), sorted(), resolute.on_error(stored_of('sorted'), note_error()), resolute.node('after', 'trace', input => 'stored'));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 500 inserted 100 failed 0 handled 1', 'sort: a handled error ends the stream');
SELECT is(cursor_at(), NULL, 'and leaves the cursor, as rows are not in its order');
DELETE FROM bad;
CALL resolute.run('f');
SELECT sim.same_as_source('the next run brings everything');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM warehouse.issues), 'and moves the cursor');
SELECT begin_again();
INSERT INTO bad TABLE second;
SELECT is((SELECT concat_ws(' ', status, inserted, handled_errors) FROM resolute.run_flow('f')), 'succeeded 100 1', 'run_flow handles it, too');
SELECT is(cursor_at(), NULL, 'and leaves the cursor');
SELECT begin_again();
DELETE FROM bad;

-- A step after the sink fails: what is stored is stored, and the cursor says so.
SELECT define('f', issues(), mapped(), sorted(), stored_of('sorted'), resolute.sql('SELECT 1/0'));
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f');
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is(cursor_at(), (SELECT max(updated_at) FROM warehouse.issues), 'the cursor moves when all rows of the sink are stored');
SELECT begin_again();

-- A batch goes to the dead letters, the others on.
INSERT INTO bad TABLE second;
SELECT define('f', issues(), mapped(), sorted(), resolute.on_error(stored_of('sorted'), resolute.dead_letter()));
CALL resolute.run('f');
SELECT is(outcome(), 'succeeded fetched 500 inserted 400 failed 100 handled 1', 'dead_letter() takes the batch');
SELECT is((SELECT count(*) FROM resolute.dead_letters d JOIN sim.issues() i ON i.issue_key = d.item->>'key'), 100::bigint, 'with the items of the source');
SELECT ok(balanced(), 'the books balance');
SELECT is(cursor_at(), (SELECT max(updated_at) FROM sim.issues()), 'and the cursor moves to the end');
SELECT begin_again();

-- A retry repeats the batch only.
INSERT INTO bad TABLE second;
SELECT setval('attempts', 1, false);
SELECT define('f', issues(), mapped(), sorted(), resolute.with_retry(stored_of('sorted'), 3, '1 ms'));
SELECT throws_ok($$CALL resolute.run('f')$$, '58030', NULL, 'a batch that keeps failing fails the run');
SELECT is(nextval('attempts'), 4::bigint, '... after three attempts');
SELECT begin_again();
DELETE FROM bad;

-- The source fails on the way: what was held back until then is not taken for all there is.
CREATE TABLE warehouse.totals (status text PRIMARY KEY, count int);
SELECT sim.post('/_sim/fault', '{"skip": 2, "status": 404, "times": 1}');
SELECT define('f', resolute.on_error(issues(), note_error()), mapped(), resolute.as('totals', resolute.aggregate('mapped', 'count(*)', by => 'status')), resolute.as('stored', resolute.upsert('totals', 'warehouse.totals', 'status')));
CALL resolute.run('f');
SELECT is((SELECT count(*) FROM trace WHERE value->>'step' = 'issues'), 1::bigint, 'the source failed, which was handled');
SELECT is((SELECT count(*) FROM warehouse.totals), 0::bigint, 'totals of a part are not stored');
SELECT is(cursor_at(), NULL, 'and the cursor stays');
CALL resolute.run('f');
SELECT is((SELECT sum(count) FROM warehouse.totals), 500::bigint, 'the next run has them all');
SELECT begin_again();

-- Pages by hand: each pass sorts its own page.
SELECT define('f', resolute.as('page', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}', cursor => resolute.cursor_for('c'), page_size => 90, paginate => 'manual')),
	resolute.while('page.has_more', resolute.as('mapped', resolute.map('page', sim.template())), sorted(), resolute.as('n', resolute.reduce('mapped', 'acc::int + 1', '0')), stored_of('sorted'),
		resolute.node('counted', 'trace', input => 'n'), resolute.next_page('page')));
CALL resolute.run('f');
SELECT sim.same_as_source('rows held back in a loop over pages');
SELECT results_eq($$SELECT value->0->'value' FROM trace WHERE jsonb_typeof(value) = 'array' ORDER BY n$$, $$VALUES ('90'::jsonb), ('90'), ('90'), ('90'), ('90'), ('50')$$, 'each round has those of its page');
SELECT is(cursor_at('c'), (SELECT max(updated_at) FROM warehouse.issues), 'the cursor moves');
SELECT cmp_ok((SELECT count(*) FROM resolute.cursor_history WHERE cursor_id = (SELECT cursor_id FROM resolute.cursors WHERE name = 'c') AND action = 'page'), '>=', 2::bigint, 'page by page');
SELECT begin_again();

-- Rows of several sources, held back together.
SELECT define('f', resolute.parallel(
		resolute.as('a', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND priority = High AND updated >= ${cursor}', resolute.cursor_for('a'), page_size => 50)),
		resolute.as('b', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND priority != High AND updated >= ${cursor}', resolute.cursor_for('b'), page_size => 50))),
	resolute.as('both', resolute.merge('a', 'b')), resolute.as('mapped', resolute.map('both', sim.template())), sorted(), resolute.node('rows', 'trace', input => 'sorted'), stored_of('sorted'),
	resolute.as('open', resolute.filter('both', 'ne .Status "Done"')), resolute.as('counts', resolute.aggregate('open', 'count(*)', by => 'Status')), resolute.as('totals', resolute.map('counts', '{"status": "{{.Status}}", "count": {{.count}}}')), resolute.as('counted', resolute.upsert('totals', 'warehouse.totals', 'status')));
TRUNCATE warehouse.totals;
CALL resolute.run('f');
SELECT sim.same_as_source('merged and sorted');
SELECT results_eq($$SELECT i->>'issue_key' FROM trace t, jsonb_array_elements(value) WITH ORDINALITY e (i, o) WHERE jsonb_typeof(value) = 'array' ORDER BY n, o$$, 'SELECT issue_key FROM sim.issues() ORDER BY to_jsonb(issue_key)', 'in one order over both');
SELECT set_eq('SELECT status, count FROM warehouse.totals', $$SELECT status, count(*)::int FROM sim.issues() WHERE status <> 'Done' GROUP BY status$$, 'filtered and aggregated');
SELECT ok(cursor_at('a') IS NOT NULL AND cursor_at('b') IS NOT NULL, 'both cursors move');
SELECT is(greatest(cursor_at('a'), cursor_at('b')), (SELECT max(updated_at) FROM sim.issues()), 'to the end');

SELECT * FROM finish();
