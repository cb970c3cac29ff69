-- The user's flow sync-with-dlq: pages that cannot be stored go to the dead letters, the sync goes on,
-- and what went there is stored once the table takes it.
\ir setup/flows.sql
SET client_min_messages = warning;
SELECT sim.get('/_sim/reset?issues=600&seed=5');
SELECT no_plan();

-- The table breaks at some issues, in a way that no row is to blame for (class 55); and it refuses a few rows (class 23).
CREATE TABLE broken (issue_key text);
CREATE FUNCTION warehouse.break() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM public.broken b WHERE b.issue_key = NEW.issue_key) THEN
		RAISE 'the table is broken' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER break BEFORE INSERT OR UPDATE ON warehouse.issues FOR EACH ROW EXECUTE FUNCTION warehouse.break();
ALTER TABLE warehouse.issues ADD CONSTRAINT refused CHECK (summary <> 'refused');

CREATE TABLE warehouse.sync_errors (n serial, error jsonb);
CREATE FUNCTION warehouse.log_error(state jsonb) RETURNS jsonb LANGUAGE sql AS
	'INSERT INTO warehouse.sync_errors (error) VALUES ($1->''error'') RETURNING error';
SELECT resolute.create_flow('sync-with-dlq', resolute.manual(),
	resolute.as('issues', resolute.jira_fetch_issues('jira',
		jql       => 'project = PLATFORM AND updated >= ${cursor}',
		cursor    => resolute.cursor_for('dlq-sync'),
		page_size => 50)),
	resolute.as('mapped', resolute.map('issues', template => sim.template())),
	resolute.as('unique', resolute.unique('mapped', key => 'issue_key')),
	resolute.on_error(
		resolute.with_retry(resolute.as('upserted', resolute.upsert('unique', target => 'warehouse.issues', key => 'issue_key')), 2, '1 millisecond'),
		resolute.dead_letter(),
		resolute.node('log-error', 'warehouse.log_error')));
CREATE FUNCTION open_letters() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM resolute.dead_letters WHERE resolved_at IS NULL';

-- First run, under CALL: one page breaks, and two rows of other pages are refused.
CREATE TABLE ordered AS SELECT issue_key, row_number() OVER (ORDER BY updated_at, issue_key) AS n FROM sim.issues();
INSERT INTO broken SELECT issue_key FROM ordered WHERE n = 75;
SELECT sim.get('/_sim/edit?summary=refused&updated=' || (extract(epoch FROM updated_at) * 1000)::bigint || '&key=' || issue_key)
FROM sim.issues() JOIN ordered USING (issue_key) WHERE n IN (10, 290);
CALL resolute.run('sync-with-dlq');
SELECT results_eq($$SELECT status, inserted, failed, handled_errors FROM resolute.runs ORDER BY run_id DESC LIMIT 1$$,
	$$SELECT 'succeeded', count(*) - 52, 52::bigint, 1::bigint FROM ordered$$, 'the run goes on behind a page that broke, and behind rows that were refused');
SELECT ok(balanced(), 'the books balance');
SELECT is(open_letters(), 52::bigint, 'the page and the rows are dead letters');
SELECT results_eq($$SELECT error_code, count(*) FROM resolute.dead_letters GROUP BY 1 ORDER BY 1$$, $$VALUES ('23514', 2::bigint), ('55000', 50::bigint)$$, 'each with its error');
SELECT results_eq($$SELECT error->>'step', error->>'sqlstate', error->>'page', error->>'rows', error->>'attempts' FROM warehouse.sync_errors$$,
	$$VALUES ('upserted', '55000', '2', '50', '2')$$, 'the handler saw the error of the page');
SELECT is(cursor_at('dlq-sync'), (SELECT max(updated_at) FROM sim.issues()), 'the cursor has moved over all of it');
SELECT is((SELECT count(*) FROM warehouse.issues JOIN resolute.dead_letters ON item->>'key' = issue_key), 0::bigint, 'none of these rows is in the table');

-- Once the table takes them they are stored, without asking Jira.
DELETE FROM broken;
ALTER TABLE warehouse.issues DROP CONSTRAINT refused;
SELECT sim.get('/_sim/log?clear=1');
SELECT results_eq($$SELECT replayed, resolved, failed FROM resolute.replay_dead_letters('sync-with-dlq')$$, 'VALUES (52::bigint, 52::bigint, 0::bigint)', 'all of them are replayed');
SELECT is(open_letters(), 0::bigint, 'no letter stays open');
SELECT is(jsonb_array_length(sim.get('/_sim/log')), 0, '... for which nobody asks Jira');
SELECT sim.same_as_source('sync-with-dlq: the table is the source');

-- Second run, in one transaction, with the source edited between: again a page breaks.
SELECT sim.get('/_sim/bulk?project=PLATFORM&from=20&count=60&priority=High&step_ms=1000');
SELECT sim.get('/_sim/add?project=PLATFORM&count=5');
INSERT INTO broken SELECT issue_key FROM sim.issues() ORDER BY updated_at DESC LIMIT 1;
SELECT results_eq($$SELECT status, handled_errors FROM resolute.run_flow('sync-with-dlq')$$, $$VALUES ('succeeded', 1::bigint)$$, 'the second run meets a broken page as well');
SELECT ok(balanced(), 'its books balance');
SELECT cmp_ok(open_letters(), '>', 1::bigint, 'which is dead letters');
DELETE FROM broken;
SELECT ok(resolved = replayed AND failed = 0, 'until they are replayed') FROM resolute.replay_dead_letters('sync-with-dlq');
SELECT is(open_letters(), 0::bigint, '... all of them');
SELECT sim.same_as_source('sync-with-dlq: after edits the table is the source again');

SELECT * FROM finish();
