-- A full reindex as a flow: the cursor reset, the table emptied, filled page by page, and its indexes built anew.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=700&seed=5');
SELECT no_plan();
SELECT sim.flow(page_size => 50);
SELECT resolute.create_flow('full-reindex', resolute.manual(),
	resolute.sql($$SELECT resolute.reset_cursor('jira-sync')$$),
	resolute.sql('TRUNCATE warehouse.issues'),
	resolute.as('page', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}',
		resolute.cursor_for('jira-sync'), page_size => 50, paginate => 'manual')),
	resolute.while('page.has_more',
		resolute.as('rows', resolute.map('page', sim.template())),
		resolute.as('unique', resolute.unique('rows', key => 'issue_key')),
		resolute.as('stored', resolute.upsert('unique', target => 'warehouse.issues', key => 'issue_key')),
		resolute.next_page('page')),
	resolute.sql('REINDEX TABLE warehouse.issues'));

CALL resolute.run('jira-warehouse-sync');
SELECT sim.same_as_source('an hourly sync to begin with');
SELECT count(*) AS stored FROM warehouse.issues \gset
CREATE FUNCTION pg_temp.index_file() RETURNS oid LANGUAGE sql AS $$ SELECT relfilenode FROM pg_class WHERE oid = 'warehouse.issues_pkey'::regclass $$;

-- Change what an hourly run cannot see, and what it can.
CREATE FUNCTION pg_temp.change(n int) RETURNS void LANGUAGE sql AS $$
	SELECT sim.get('/_sim/delete?key=' || issue_key) FROM warehouse.issues ORDER BY md5(issue_key || n) LIMIT 3;
	SELECT sim.get('/_sim/edit?summary=again&key=' || issue_key) FROM (SELECT issue_key FROM warehouse.issues ORDER BY md5(issue_key || n) OFFSET 10 LIMIT 3) AS x;
	SELECT sim.get('/_sim/add?project=PLATFORM&count=4');
	UPDATE warehouse.issues SET summary = 'spoilt' WHERE issue_key = (SELECT issue_key FROM warehouse.issues ORDER BY md5(issue_key || n) OFFSET 20 LIMIT 1);
$$;
SELECT pg_temp.change(1);
SELECT pg_temp.index_file() AS file \gset
CALL resolute.run('full-reindex');
SELECT sim.same_as_source('CALL run of the full reindex: the table is the source');
SELECT isnt(pg_temp.index_file(), :file::oid, '... the index was built anew');
SELECT results_eq('SELECT status, source_records, inserted FROM resolute.runs ORDER BY run_id DESC LIMIT 1',
	'SELECT $$succeeded$$, count(*), count(*) FROM warehouse.issues', '... of all issues');
SELECT is((SELECT position FROM resolute.cursors WHERE name = 'jira-sync'), (SELECT max(updated_at) FROM sim.issues()), '... and the cursor stands at the newest one');
CALL resolute.run('jira-warehouse-sync');
SELECT is((SELECT inserted + updated FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 0::bigint, 'the hourly sync has nothing to do after it');

SELECT pg_temp.change(2);
SELECT is((SELECT status FROM resolute.run_flow('full-reindex')), 'succeeded', 'run_flow of the full reindex');
SELECT sim.same_as_source('... the table is the source');
SELECT is((SELECT status FROM resolute.run_flow('jira-warehouse-sync')), 'succeeded', 'the hourly sync goes on');

-- reconcile and resync of such a flow.
SELECT sim.get('/_sim/delete?key=' || max(issue_key)) FROM warehouse.issues;
CALL resolute.reconcile('full-reindex', delete => true, shared => true);
SELECT sim.same_as_source('reconcile of a flow that turns pages by hand');
SELECT is((SELECT deleted FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 1::bigint, '... deletes what is gone');
SELECT sim.get('/_sim/delete?key=' || max(issue_key)) FROM warehouse.issues;
CALL resolute.resync('full-reindex', shared => true);
SELECT sim.same_as_source('resync of it');

SELECT * FROM finish();
