-- Metrics of a run: in the books, in the state, and on their way out.
\ir setup/warehouse.sql
SET client_min_messages = warning;
SELECT sim.get('/_sim/reset?issues=600&seed=5');
SELECT no_plan();

-- The flow that monitors itself.
CREATE TABLE warehouse.sync_metrics (n serial, source text, metrics jsonb);
CREATE FUNCTION warehouse.emit(metrics jsonb) RETURNS void LANGUAGE sql AS
	$$ INSERT INTO warehouse.sync_metrics (source, metrics) VALUES ('emitted', $1) $$;
CREATE FUNCTION warehouse.alert(state jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ INSERT INTO warehouse.sync_metrics (source, metrics) VALUES ('state', $1->'run')
	   RETURNING jsonb_build_object('alert', (metrics->>'failed')::int > 0) $$;
SELECT resolute.create_flow('monitored-sync', resolute.schedule('*/15 * * * *'),
	resolute.as('issues', resolute.jira_fetch_issues('jira',
		jql       => 'project = PLATFORM AND updated >= ${cursor}',
		cursor    => resolute.cursor_for('monitored-sync'),
		page_size => 100)),
	resolute.as('mapped', resolute.map('issues', template => sim.template())),
	resolute.as('unique', resolute.unique('mapped', key => 'issue_key')),
	resolute.as('upserted', resolute.upsert('unique', target => 'warehouse.issues', key => 'issue_key')),
	resolute.emit_metrics('warehouse.emit'),
	resolute.node('alert', 'warehouse.alert'),
	resolute.when('alert.alert', resolute.sql('NOTIFY sync_alert')));

-- What metrics() shows of a run must be what its row says.
CREATE FUNCTION as_in_the_books(run_id bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('run_id', r.run_id, 'flow', flow, 'version', version, 'status', status, 'started_at', started_at,
		'source_records', source_records, 'processed', processed, 'inserted', inserted, 'updated', updated, 'unchanged', unchanged,
		'stale', stale, 'duplicates', duplicates, 'filtered', filtered, 'failed', failed, 'handled_errors', handled_errors,
		'pages', pages, 'retries', retries, 'duration_seconds', round(duration_seconds::numeric, 3), 'cursor_position', cursor_position)
	FROM resolute.runs r WHERE r.run_id = $1
$$;
CREATE FUNCTION last_run() RETURNS bigint LANGUAGE sql AS 'SELECT max(run_id) FROM resolute.runs';
-- What changes until the run ends.
CREATE FUNCTION steady(metrics jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT metrics - 'duration_seconds' - 'status' $$;

-- Twice, with the source edited between; under CALL and in one transaction.
CALL resolute.run('monitored-sync');
SELECT sim.same_as_source('monitored-sync: the table is the source');
SELECT is(resolute.metrics(last_run()), as_in_the_books(last_run()), 'metrics() is what the books say');
SELECT cmp_ok((resolute.metrics(last_run())->>'inserted')::bigint, '>', 100::bigint, 'of a run that brought something');
SELECT is(steady(metrics), steady(resolute.metrics(last_run())), source || ': the metrics inside the flow are those afterwards') FROM warehouse.sync_metrics;
SELECT is((SELECT array_agg(source ORDER BY n) FROM warehouse.sync_metrics), '{emitted,state}', 'both were called once');
SELECT is((SELECT array_agg(DISTINCT metrics->>'status') FROM warehouse.sync_metrics), '{running}', 'while the run went on');
SELECT ok((metrics->>'duration_seconds')::numeric BETWEEN 0 AND (resolute.metrics(last_run())->>'duration_seconds')::numeric, 'in less time than the whole run') FROM warehouse.sync_metrics;
SELECT ok(bool_and((metrics->>'cursor_position')::timestamptz = (SELECT max(updated_at) FROM warehouse.issues)), 'with the position of the cursor') FROM warehouse.sync_metrics;
SELECT is((SELECT output FROM resolute.run_steps WHERE run_id = last_run() AND step = 'alert'), '{"alert": false}', 'what the node said is its output');
TRUNCATE warehouse.sync_metrics;
SELECT sim.get('/_sim/bulk?project=PLATFORM&from=20&count=30&priority=High');
SELECT sim.get('/_sim/add?project=PLATFORM&count=5');
CREATE TABLE second AS SELECT * FROM resolute.run_flow('monitored-sync');
SELECT sim.same_as_source('monitored-sync: after edits the table is the source again');
SELECT results_eq('SELECT inserted, updated FROM second', 'VALUES (5::bigint, 30::bigint)', 'which took these changes');
SELECT is(resolute.metrics(last_run()), as_in_the_books(last_run()), 'metrics() of a run_flow');
SELECT is(steady(metrics), steady(resolute.metrics(last_run())), source || ': the same in run_flow') FROM warehouse.sync_metrics;
SELECT is((SELECT count(*) FROM resolute.runs WHERE source_records <> inserted + updated + unchanged + stale + duplicates + filtered + failed), 0::bigint, 'the books balance');

-- Runs that fail, that have no cursor, that are going on.
SELECT sim.get('/_sim/edit?key=PLATFORM-7&summary=refused');
ALTER TABLE warehouse.issues ADD CONSTRAINT refused CHECK (summary <> 'refused');
SELECT status FROM resolute.run_flow('monitored-sync') \g /dev/null
SELECT is((resolute.metrics(last_run())->>'failed')::int, 1, 'rows that became dead letters are counted');
SELECT is((SELECT output FROM resolute.run_steps WHERE run_id = last_run() AND step = 'alert'), '{"alert": true}', 'and the node sees them');
SELECT resolute.create_flow('failing', resolute.manual(), resolute.sql('SELECT 1/0'));
SELECT status FROM resolute.run_flow('failing', raise => false) \g /dev/null
SELECT is(resolute.metrics(last_run()), as_in_the_books(last_run()), 'of a run that failed');
SELECT ok(resolute.metrics(last_run()) @> '{"status": "failed", "cursor_position": null, "inserted": 0}', 'which had no cursor');
CREATE TABLE seen (metrics jsonb);
SELECT resolute.create_flow('looking "at" itself', resolute.manual(),
	resolute.sql($$INSERT INTO seen SELECT resolute.metrics(max(run_id)) FROM resolute.runs$$));
CALL resolute.run('looking "at" itself');
SELECT ok(metrics @> '{"status": "running", "flow": "looking \"at\" itself"}' AND (metrics->>'duration_seconds')::numeric < 60, 'of a run that is going on') FROM seen;

-- What the function of emit_metrics() returns is its output; what it raises fails the run.
CREATE FUNCTION warehouse.summary(metrics jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('seen', $1->'flow') $$;
CREATE FUNCTION warehouse.refuse(metrics jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb(1/0)';
CREATE FUNCTION warehouse.number(metrics jsonb) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION warehouse.numbers(metrics jsonb) RETURNS SETOF jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$;
SELECT resolute.create_flow('returning', resolute.manual(), resolute.as('out', resolute.emit_metrics('warehouse.summary')),
	resolute.when($$state->'out'->>'seen' = 'returning'$$, resolute.sql('DELETE FROM seen')));
SELECT status FROM resolute.run_flow('returning') \g /dev/null
SELECT is_empty('SELECT FROM seen', 'the output of emit_metrics() is in the state');
SELECT matches(resolute.flow_definition('returning'), $$resolute.emit_metrics\('warehouse.summary'\)$$, 'flow_definition writes emit_metrics()');
SELECT resolute.create_flow('refusing', resolute.manual(), resolute.emit_metrics('warehouse.refuse'));
SELECT throws_ok($$SELECT resolute.run_flow('refusing')$$, '22012', NULL, 'a function that fails fails the run');
SELECT throws_ok($$SELECT resolute.create_flow('x', resolute.manual(), resolute.emit_metrics('warehouse.nothing'))$$, '42883', 'function warehouse.nothing(jsonb) does not exist', 'an unknown function');
SELECT throws_ok($$SELECT resolute.create_flow('x', resolute.manual(), resolute.emit_metrics('warehouse.number'))$$, '42P13', 'function warehouse.number(jsonb) returns neither jsonb nor void', 'a function of another type');
SELECT throws_ok($$SELECT resolute.create_flow('x', resolute.manual(), resolute.emit_metrics('warehouse.numbers'))$$, '42P13', NULL, 'one that returns a set');
SELECT throws_ok($$SELECT resolute.create_flow('x', resolute.manual(), resolute.emit_metrics(NULL))$$, '22023', 'invalid definition of flow "x"', 'no function');

-- Whose runs they are.
SELECT throws_ok($$SELECT resolute.metrics(-1)$$, '42704', 'run -1 does not exist', 'metrics() of an unknown run');
SELECT is(resolute.metrics(NULL), NULL, 'of null');
DROP ROLE IF EXISTS resolute_watcher;
CREATE ROLE resolute_watcher;
GRANT USAGE ON SCHEMA resolute TO resolute_watcher;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA resolute TO resolute_watcher;
SELECT last_run() AS others \gset
SET ROLE resolute_watcher;
SELECT throws_ok(format('SELECT resolute.metrics(%s)', :others), '42704', NULL, 'runs of others are invisible');
SELECT resolute.create_flow('mine', resolute.manual(), resolute.sql('SELECT 1')) \g /dev/null
SELECT run_id AS mine FROM resolute.run_flow('mine') \gset
SELECT is(resolute.metrics(:mine)->>'flow', 'mine', 'one''s own are not, even without rights on the table');
RESET ROLE;
SELECT resolute.drop_flow(name) FROM resolute.flows \g /dev/null
DROP OWNED BY resolute_watcher CASCADE;
DROP ROLE resolute_watcher;
SELECT * FROM finish();
