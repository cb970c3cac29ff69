-- run_steps tells where the time of a run went.
\ir setup/warehouse.sql
SET client_min_messages = warning;
SELECT sim.get('/_sim/reset?issues=400&seed=5&projects=PLATFORM');
SELECT no_plan();

-- Two sinks are fed together, four pages come 100 ms late each, and one is asked for again after a second.
CREATE TABLE warehouse.copies (LIKE warehouse.issues INCLUDING ALL);
SELECT resolute.create_or_replace_flow('jira-warehouse-sync', resolute.manual(),
	resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}', cursor => resolute.cursor_for('jira-sync'), page_size => 100)),
	resolute.as('transformed', resolute.map('issues', sim.template())),
	resolute.as('upserted', resolute.upsert('transformed', 'warehouse.issues', 'issue_key')),
	resolute.as('copied', resolute.upsert('transformed', 'warehouse.copies', 'issue_key')));
CREATE VIEW last_steps AS SELECT * FROM resolute.run_steps WHERE run_id = (SELECT max(run_id) FROM resolute.runs);
SELECT sim.post('/_sim/fault', '[{"skip": 1, "status": 503, "headers": {"Retry-After": "1"}}, {"times": -1, "delay_ms": 100}]');
CALL resolute.run('jira-warehouse-sync');
SELECT is((SELECT pages || ' ' || retries FROM last_steps WHERE step = 'issues'), '4 1', 'four pages, one of them twice');
SELECT cmp_ok((SELECT wait_ms FROM last_steps WHERE step = 'issues'), '>=', 4 * 95 + 1000::double precision, 'what a page is late, and a retry, is waited for');
SELECT cmp_ok((SELECT recv_ms FROM last_steps WHERE step = 'issues'), '>', 0::double precision, 'receiving takes time');
SELECT cmp_ok((SELECT recv_ms + work_ms FROM last_steps WHERE step = 'issues'), '<', 1000::double precision, 'in which no waiting is');
SELECT set_eq('SELECT step FROM last_steps WHERE work_ms > 0', '{issues,transformed,upserted,copied}'::text[], 'every step works');
SELECT set_eq('SELECT step FROM last_steps WHERE wait_ms > 0 OR recv_ms > 0', '{issues}'::text[], 'one has to do with the network');
SELECT set_eq('SELECT step FROM last_steps WHERE books_ms > 0', '{upserted}'::text[], 'the first sink of those that store a page has the books');
SELECT set_eq('SELECT step FROM last_steps WHERE commit_ms > 0', '{upserted}'::text[], 'and the commits');
SELECT cmp_ok((SELECT sum(wait_ms + recv_ms + work_ms + books_ms + commit_ms) FROM last_steps), '<=',
	(SELECT duration_seconds * 1000 + 1 FROM resolute.runs WHERE run_id = (SELECT max(run_id) FROM resolute.runs)), 'no time counts twice');

-- A page that comes drop by drop is waited for as well.
SELECT sim.get('/_sim/faults?clear=1');
SELECT resolute.reset_cursor('jira-sync');
SELECT sim.post('/_sim/fault', '{"drip": 4000, "drip_ms": 2}');
SELECT status FROM resolute.run_flow('jira-warehouse-sync') \gset
SELECT cmp_ok((SELECT wait_ms FROM last_steps WHERE step = 'issues'), '>', (SELECT recv_ms FROM last_steps WHERE step = 'issues'), 'a page that trickles in is waited for');
SELECT cmp_ok((SELECT books_ms FROM last_steps WHERE step = 'upserted'), '>', 0::double precision, 'run_flow keeps books, too');

SELECT * FROM finish();
