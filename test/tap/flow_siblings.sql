-- Several sinks of one source: what befalls one of them is not forgotten for the others.
\ir setup/flows.sql
SELECT sim.get('/_sim/reset?issues=310&seed=5');
SELECT no_plan();

CREATE TABLE a (LIKE warehouse.issues INCLUDING ALL);
CREATE TABLE b (LIKE warehouse.issues INCLUDING ALL);
CREATE TABLE broken (target text, issue_key text);
CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM public.broken WHERE target = TG_TABLE_NAME AND issue_key = NEW.issue_key) THEN
		RAISE 'the table is broken' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER break BEFORE INSERT OR UPDATE ON a FOR EACH ROW EXECUTE FUNCTION break();
CREATE TRIGGER break BEFORE INSERT OR UPDATE ON b FOR EACH ROW EXECUTE FUNCTION break();
CREATE TABLE ordered AS SELECT issue_key, row_number() OVER (ORDER BY updated_at, issue_key) AS n FROM sim.issues();
CREATE FUNCTION same(tables text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE name text;
BEGIN
	FOREACH name IN ARRAY tables LOOP
		RETURN NEXT set_eq('SELECT issue_key FROM ' || name, 'SELECT issue_key FROM ordered', name || ' has all that the source has');
	END LOOP;
END $$;

-- A page that dead_letter() takes is lost to all sinks of the pass, and so has letters of all of them.
SELECT define('siblings', issues(), mapped(),
	resolute.as('into a', resolute.upsert('mapped', 'a', 'issue_key')),
	resolute.on_error(resolute.as('into b', resolute.upsert('mapped', 'b', 'issue_key')), resolute.dead_letter()));
INSERT INTO broken SELECT 'b', issue_key FROM ordered WHERE n = 75;
CALL resolute.run('siblings');
SELECT results_eq('SELECT step, count(*) FROM resolute.dead_letters GROUP BY 1 ORDER BY 1', $$VALUES ('into a', 50::bigint), ('into b', 50::bigint)$$,
	'each sink has letters of the page');
SELECT ok(balanced(), 'the books balance');
DELETE FROM broken;
SELECT results_eq($$SELECT resolved, failed FROM resolute.replay_dead_letters('siblings')$$, 'VALUES (100::bigint, 0::bigint)', 'all of them are replayed');
SELECT same('{a,b}');

-- A page that is held goes on to the steps behind the one that failed, in the next run if need be.
TRUNCATE a, b, resolute.dead_letters;
DELETE FROM resolute.cursors;
SELECT define('held', issues(name => 'page', paginate => 'manual'),
	resolute.while('page.has_more', mapped('mapped', 'page'),
		resolute.on_error(resolute.as('into b', resolute.upsert('mapped', 'b', 'issue_key')), resolute.dead_letter()),
		resolute.sql('SELECT 1'),
		resolute.as('into a', resolute.upsert('mapped', 'a', 'issue_key')),
		resolute.next_page('page')));
INSERT INTO broken SELECT target, issue_key FROM ordered, unnest('{a,b}'::text[]) AS target WHERE n = 75;
\set ON_ERROR_STOP off
CALL resolute.run('held');
\set ON_ERROR_STOP on
SELECT is((SELECT status FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'failed', 'the run fails at the step behind');
DELETE FROM broken;
CALL resolute.run('held');
SELECT ok(failed = 0, 'the letters are replayed') FROM resolute.replay_dead_letters('held');
SELECT same('{a,b}');

-- A row that reaches one sink has not reached the other, where it is a dead letter.
TRUNCATE a, b, resolute.dead_letters;
DELETE FROM resolute.cursors;
SELECT issue_key AS key FROM ordered WHERE n = 10 \gset
SELECT format('ALTER TABLE b ADD CONSTRAINT refused CHECK (issue_key <> %L)', :'key') \gexec
SELECT define('letters', issues(), mapped(),
	resolute.as('into a', resolute.upsert('mapped', 'a', 'issue_key')),
	resolute.as('brief', resolute.map('issues', '{"issue_key": "{{.Key}}", "status": "{{.Status}}"}')),
	resolute.as('once', resolute.unique('brief', key => 'issue_key')),
	resolute.as('into b', resolute.upsert('once', 'b', 'issue_key')));
-- While the last page is on its way the issue is edited, so that it comes again: changed for a, the same for b.
CREATE FUNCTION edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.issue_key = (SELECT issue_key FROM public.ordered WHERE n = 60) THEN
		PERFORM sim.get('/_sim/edit?summary=later&key=' || (SELECT issue_key FROM public.ordered WHERE n = 10));
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER edit AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION edit();
CALL resolute.run('letters');
SELECT is((SELECT summary FROM a WHERE issue_key = :'key'), 'later', 'the row came again, and is in a');
SELECT is((SELECT count(*) FROM b WHERE issue_key = :'key'), 0::bigint, 'b refused it');
SELECT is((SELECT array_agg(resolved_at IS NULL) FROM resolute.dead_letters WHERE step = 'into b'), '{t}', 'its letter stays open');

SELECT * FROM finish();
