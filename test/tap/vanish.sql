-- Rows that the source no longer has: reconcile() and resync().
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=400&seed=5&projects=PLATFORM,MOBILE,DATA');
SELECT no_plan();

-- What a CALL raises; its own transactions need a session of their own.
CREATE FUNCTION sim.call(statement text) RETURNS text LANGUAGE plpgsql AS $f$
DECLARE
	result text;
BEGIN
	result := sim.shell(format('psql -XqAt -v VERBOSITY=verbose -c %s %s 2>&1 | sed "/^LOCATION:/d"',
		sim.quote_shell(statement), sim.quote_shell('dbname=' || current_database())));
	RETURN coalesce(result, '');
END $f$;
CREATE FUNCTION sim.last_run() RETURNS text LANGUAGE sql AS
	$$ SELECT concat_ws(' ', kind, status, deleted, error_code) FROM resolute.runs ORDER BY run_id DESC LIMIT 1 $$;
-- The searches since the last call: fields, page size, JQL.
CREATE FUNCTION sim.asked() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT (b->>'fields') || ' ' || (b->>'maxResults') || ' ' || (b->>'jql')
	FROM (SELECT (l->>'body')::jsonb AS b FROM jsonb_array_elements(sim.get('/_sim/log?clear=1')) l WHERE l->>'path' LIKE '%/search/jql') x $$;
-- The rows that are there, as far as anybody can see.
CREATE FUNCTION sim.same_keys(description text) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT set_eq('SELECT issue_key FROM warehouse.issues', 'SELECT issue_key FROM sim.issues()', description) $$;

CALL resolute.run('jira-warehouse-sync');
SELECT sim.same_as_source('a table to begin with');
CREATE TABLE cursors_before AS SELECT * FROM resolute.cursors;
CREATE TABLE keys AS SELECT issue_key, row_number() OVER (ORDER BY md5(issue_key)) AS n FROM sim.issues();

-- reconcile: nothing is missing.
SELECT sim.get('/_sim/log?clear=1') IS NULL AS x \gset
SELECT matches(sim.call($$CALL resolute.reconcile('jira-warehouse-sync')$$), '55000: table warehouse.issues has no column "deleted_at".*ALTER TABLE warehouse.issues ADD COLUMN deleted_at timestamptz; or have them deleted with delete => true', 'without a column deleted_at reconcile asks before it deletes');
SELECT is((SELECT count(*) FROM sim.asked()), 0::bigint, '... before it asks the source');
SELECT is(sim.last_run(), 'reconcile failed 0 55000', '... and records it');
SELECT unalike(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true)$$), '%ERROR%', 'reconcile where nothing is missing');
SELECT results_eq('SELECT sim.asked()', $$SELECT '["id", "key"] 5000 project = PLATFORM AND updated >= 0'$$, 'one page of 5000 keys is asked for, from the beginning');
SELECT is(sim.last_run(), 'reconcile succeeded 0', '... nothing is deleted');
SELECT is((SELECT source_records FROM resolute.runs ORDER BY run_id DESC LIMIT 1), (SELECT count(*) FROM warehouse.issues), '... of as many rows as there are');
SELECT sim.same_as_source('the table is as it was');
SELECT set_eq('SELECT * FROM resolute.cursors', 'SELECT * FROM cursors_before', 'and so is the cursor');

-- Deleted and moved issues.
SELECT sim.get('/_sim/delete?key=' || issue_key) FROM keys WHERE n <= 3;
SELECT sim.get('/_sim/move?to=MOBILE&key=' || issue_key) FROM keys WHERE n BETWEEN 4 AND 5;
CALL resolute.run('jira-warehouse-sync');
SELECT is((SELECT count(*) FROM warehouse.issues JOIN keys USING (issue_key) WHERE n <= 5), 5::bigint, 'a run does not see that issues were deleted or moved');
SELECT sim.get('/_sim/edit?status=Done&key=' || issue_key) FROM keys WHERE n = 6;
SELECT alike(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true)$$), '%table "warehouse.issues": 5 of % rows are not in the source any more%', 'reconcile finds them');
SELECT is(sim.last_run(), 'reconcile succeeded 5', '... and records how many');
SELECT sim.same_keys('... and deletes them, and no others');
SELECT isnt((SELECT status FROM warehouse.issues JOIN keys USING (issue_key) WHERE n = 6), 'Done', 'it changes no row');
SELECT is((SELECT status || ' ' || (last_success = (SELECT max(finished_at) FROM resolute.runs WHERE kind = 'run')) FROM resolute.flow_status), 'succeeded true', 'for flow_status it is no sync');

-- Marked instead, and unmarked when they are back.
ALTER TABLE warehouse.issues ADD deleted_at timestamptz;
SELECT sim.get('/_sim/delete?key=' || issue_key) FROM keys WHERE n = 7;
SELECT sim.get('/_sim/hide?key=' || issue_key) FROM keys WHERE n = 8;
SELECT sim.call($$CALL resolute.reconcile('jira-warehouse-sync', check_access => false)$$) LIKE '%ERROR%' AS x \gset
SELECT set_eq('SELECT issue_key FROM warehouse.issues WHERE deleted_at IS NOT NULL', 'SELECT issue_key FROM keys WHERE n IN (7, 8)', 'with a column deleted_at rows are marked');
SELECT is(sim.last_run(), 'reconcile succeeded 2', '... and counted');
SELECT sim.get('/_sim/reveal');
CREATE TABLE marked AS SELECT * FROM warehouse.issues JOIN keys USING (issue_key) WHERE n = 7;
SELECT alike(sim.call($$CALL resolute.reconcile('jira-warehouse-sync')$$), '%: 0 of % rows are not in the source any more, 1 are back%', 'a row that is back');
SELECT results_eq('SELECT issue_key, deleted_at FROM warehouse.issues WHERE deleted_at IS NOT NULL', 'SELECT issue_key, deleted_at FROM marked', '... is unmarked; the other one keeps its time');
SELECT matches(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true)$$), '0 of', 'what is marked does not vanish once more, whatever delete says');
ALTER TABLE warehouse.issues ALTER deleted_at TYPE text;
SELECT matches(sim.call($$CALL resolute.reconcile('jira-warehouse-sync')$$), '42804: column "deleted_at" of table warehouse.issues has type text', 'a column deleted_at of another type');
ALTER TABLE warehouse.issues DROP deleted_at;
SELECT sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true)$$) LIKE '%ERROR%' AS x \gset
SELECT sim.same_keys('the table is the source again');

-- Too many.
CREATE TABLE issues_before AS SELECT * FROM warehouse.issues;
SELECT count(*) AS stored FROM warehouse.issues \gset
SELECT sim.get('/_sim/delete?key=' || issue_key) FROM (SELECT issue_key FROM warehouse.issues ORDER BY md5(issue_key) LIMIT (:stored * 0.2)::int + 2) t;
SELECT matches(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true)$$), '54000: the source no longer has [0-9]+ of [0-9]+ rows of table "warehouse.issues".*At most 20 % of them may vanish at once. No row was removed.*max_shrink => 0\.2[0-9]', 'more than a fifth is refused');
SELECT set_eq('TABLE warehouse.issues', 'TABLE issues_before', '... nothing is removed');
SELECT is(sim.last_run(), 'reconcile failed 0 54000', '... and it is recorded');
SELECT matches(sim.call($$CALL resolute.resync('jira-warehouse-sync')$$), '54000: the source no longer has', 'resync refuses it, too');
SELECT set_eq('SELECT issue_key FROM warehouse.issues', 'SELECT issue_key FROM issues_before', '... nothing is removed');
SELECT unalike(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true, max_shrink => 0.5)$$), '%ERROR%', 'with a higher limit');
SELECT sim.same_keys('... they are removed');
SELECT matches(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', max_shrink => 1.5)$$), '22023: max_shrink is out of range', 'a limit that is none');
SELECT matches(sim.call($$CALL resolute.resync('jira-warehouse-sync', max_shrink => 'NaN')$$), '22023: max_shrink is out of range', 'nor is this one');

-- Out of sight: the project, all of it or in part.
TRUNCATE issues_before; INSERT INTO issues_before SELECT * FROM warehouse.issues;
SELECT sim.get('/_sim/project?key=PLATFORM&visible=0');
SELECT matches(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true, max_shrink => 1)$$), '22023.*PLATFORM', 'a project without access is an error of the query');
SELECT sim.get('/_sim/project?key=PLATFORM&visible=1');
SELECT sim.get('/_sim/auth?auth=anonymous&token=another');
SELECT matches(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true, max_shrink => 1)$$), '28000', 'an expired token is an error');
SELECT sim.get('/_sim/auth?auth=check&token=sim-token');
SELECT sim.post('/_sim/fault', '{"body": {"issues": [], "isLast": true}}');
SELECT matches(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true, max_shrink => 1)$$), '55000: the source has no row at all for table "warehouse.issues".*check_access => false', 'an empty census is refused');
SELECT set_eq('TABLE warehouse.issues', 'TABLE issues_before', 'after all that nothing is removed');

CREATE TABLE warehouse.all_issues (LIKE warehouse.issues INCLUDING ALL);
SELECT sim.flow(jql => 'updated >= ${cursor}', name => 'all', target => 'warehouse.all_issues', cursor => resolute.cursor_for('all'));
CALL resolute.run('all');
CREATE TABLE all_before AS SELECT * FROM warehouse.all_issues;
SELECT sim.get('/_sim/project?key=DATA&visible=0');
SELECT matches(sim.call($$CALL resolute.reconcile('all', delete => true, max_shrink => 0.9)$$), '55000: rows of table "warehouse.all_issues" that the source did not show may not be gone.*The account cannot browse project DATA. No row was removed.*check_access => false', 'a project that has gone out of sight is noticed');
SELECT matches(sim.call($$CALL resolute.resync('all', max_shrink => 0.9)$$), '55000: rows of table "warehouse.all_issues" that the source did not show may not be gone.*DATA', 'by resync as well');
SELECT set_eq('TABLE warehouse.all_issues', 'TABLE all_before', 'nothing is removed');
SELECT unalike(sim.call($$CALL resolute.reconcile('all', delete => true, max_shrink => 0.9, check_access => false)$$), '%ERROR%', 'unless one says so');
SELECT is((SELECT count(*) FROM warehouse.all_issues WHERE project = 'DATA'), 0::bigint, '... then they are removed');
SELECT sim.get('/_sim/project?key=DATA&visible=1');
SELECT sim.call($$CALL resolute.resync('all')$$) LIKE '%ERROR%' AS x \gset
SELECT set_eq('SELECT issue_key FROM warehouse.all_issues', 'SELECT issue_key FROM all_before', 'resync brings them back');

-- An issue that the index has lost for a while.
SELECT sim.get('/_sim/hide?key=' || issue_key) FROM warehouse.all_issues ORDER BY issue_key LIMIT 1;
SELECT matches(sim.call($$CALL resolute.reconcile('all', delete => true)$$), '55000: rows of table "warehouse.all_issues" that the source did not show may not be gone.*Issue [A-Z]+-[0-9]+ was not in the answers, but the query finds it', 'an issue that the index lacks, but that is there, is noticed');
SELECT set_eq('SELECT issue_key FROM warehouse.all_issues', 'SELECT issue_key FROM all_before', '... and not removed');
SELECT sim.get('/_sim/reveal');

-- resync: a full run that removes what did not come.
SELECT sim.flow(jql => 'project = PLATFORM AND updated >= ${cursor}');
CALL resolute.run('jira-warehouse-sync');
UPDATE warehouse.issues SET summary = 'spoilt' WHERE issue_key = (SELECT min(issue_key) FROM warehouse.issues);
SELECT sim.get('/_sim/delete?key=' || max(issue_key)) FROM warehouse.issues;
SELECT sim.get('/_sim/add?project=PLATFORM&count=2');
SELECT sim.get('/_sim/log?clear=1') IS NULL AS x \gset
SELECT unalike(sim.call($$CALL resolute.resync('jira-warehouse-sync')$$), '%ERROR%', 'resync');
SELECT sim.same_as_source('the table is the source, through and through');
SELECT is(sim.last_run(), 'resync succeeded 1', 'it is recorded');
SELECT ok((SELECT count(*) > 0 AND bool_and(a LIKE '%updated >= 0%') FROM sim.asked() a WHERE a NOT LIKE '%id in%'), 'it begins at the beginning');
SELECT is((SELECT position FROM resolute.cursors WHERE name = 'jira-sync'), (SELECT max(updated_at) FROM sim.issues()), 'the cursor stands at the newest issue');
SELECT is((SELECT walk FROM resolute.cursors WHERE name = 'jira-sync'), NULL, '... between walks');
SELECT sim.call($$CALL resolute.run('jira-warehouse-sync')$$) LIKE '%ERROR%' AS x \gset
SELECT is((SELECT updated + inserted FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 0::bigint, 'the next run has nothing to do');
SELECT is((SELECT count(*) FROM resolute.runs WHERE kind = 'resync' AND source_records <> inserted + updated + unchanged + stale + duplicates + filtered + failed), 0::bigint, 'the books of a resync balance');
SELECT is((SELECT status || ' ' || (last_success >= (SELECT max(finished_at) FROM resolute.runs WHERE kind = 'resync')) FROM resolute.flow_status WHERE flow = 'jira-warehouse-sync'), 'succeeded true', 'for flow_status it is a sync');

-- It is the remedy for another query, too.
SELECT sim.flow(jql => 'project = MOBILE AND updated >= ${cursor}');
SELECT matches(sim.call($$CALL resolute.run('jira-warehouse-sync')$$), '55000: cursor "jira-sync" belongs to another query', 'another query needs a decision');
SELECT unalike(sim.call($$CALL resolute.resync('jira-warehouse-sync', max_shrink => 1)$$), '%ERROR%', 'resync is one');
SELECT set_eq('SELECT issue_key FROM warehouse.issues', $$SELECT i->>'key' FROM jsonb_array_elements(sim.get('/_sim/issues?project=MOBILE&array=1')) i$$, 'the table has what that query finds');
SELECT unalike(sim.call($$CALL resolute.run('jira-warehouse-sync')$$), '%ERROR%', 'and runs go on with it');

-- Rows that become dead letters are there.
SELECT sim.flow();
SELECT sim.call($$CALL resolute.resync('jira-warehouse-sync', max_shrink => 1)$$) LIKE '%ERROR%' AS x \gset
ALTER TABLE warehouse.issues ADD CONSTRAINT refused CHECK (summary <> 'refused');
SELECT sim.get('/_sim/edit?summary=refused&key=' || min(issue_key)) FROM warehouse.issues;
SELECT sim.get('/_sim/edit?summary=fails&key=' || max(issue_key)) FROM warehouse.issues;
SELECT sim.flow(template => '{"issue_key": "{{.Key}}", "project": "{{.Project}}", "summary": "{{if eq .Summary `fails`}}{{int .Summary}}{{end}}{{.Summary}}", "updated_at": "{{.Updated}}"}');
SELECT unalike(sim.call($$CALL resolute.resync('jira-warehouse-sync')$$), '%ERROR%', 'resync with rows that fail');
SELECT is((SELECT failed || ' ' || deleted FROM resolute.runs ORDER BY run_id DESC LIMIT 1), '2 0', '... in the target and in the template');
SELECT sim.same_keys('... their former rows stay');
SELECT sim.flow(template => '{"issue_key": "{{if eq .Summary `fails`}}{{int .Summary}}{{end}}{{.Key}}", "project": "{{.Project}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}');
SELECT matches(sim.call($$CALL resolute.resync('jira-warehouse-sync')$$), '55000: 1 items of flow "jira-warehouse-sync" failed before their keys were known', 'where the key itself fails, nobody knows');
SELECT matches(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true)$$), '55000: 1 items of flow "jira-warehouse-sync" failed before their keys were known', '... nor does reconcile');
SELECT sim.same_keys('... nothing is removed');

-- What a census cannot be made for.
SELECT sim.flow();
ALTER TABLE warehouse.issues DROP CONSTRAINT refused;
SELECT sim.flow(name => 'other', cursor => resolute.cursor_for('other'));
SELECT matches(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true)$$), '55000: table "warehouse.issues" is the target of another flow, too.*Flow "other" upserts into it.*shared => true', 'a target of two flows');
SELECT matches(sim.call($$CALL resolute.resync('jira-warehouse-sync')$$), '55000: table "warehouse.issues" is the target of another flow, too', '... for resync');
SELECT unalike(sim.call($$CALL resolute.resync('jira-warehouse-sync', shared => true)$$), '%ERROR%', '... unless one says that they bring the same');
SELECT resolute.drop_flow('other');
SELECT resolute.create_flow('no-upsert', resolute.manual(), resolute.as('i', resolute.jira_fetch_issues('jira', 'project = PLATFORM')), resolute.sql('SELECT 1'));
SELECT matches(sim.call($$CALL resolute.reconcile('no-upsert')$$), '55000: flow "no-upsert" has no upsert step.*Without the key of an upsert', 'a flow without a key');
SELECT matches(sim.call($$CALL resolute.resync('no-upsert')$$), '55000: flow "no-upsert" has no upsert step', '... for resync');
SELECT resolute.create_flow('limited', resolute.manual(), resolute.as('i', resolute.jira_fetch_issues('jira', 'project = PLATFORM', max_items => 10)),
	resolute.as('r', resolute.map('i', sim.template())), resolute.upsert('r', target => 'warehouse.issues', key => 'issue_key'));
SELECT matches(sim.call($$CALL resolute.reconcile('limited', delete => true, shared => true)$$), '0A000: reconcile needs everything that the source has, but step "i" of flow "limited" has max_items', 'a source that max_items cuts short');
SELECT resolute.drop_flow('limited');
ALTER TABLE warehouse.issues RENAME TO elsewhere;
SELECT matches(sim.call($$CALL resolute.reconcile('jira-warehouse-sync')$$), '42P01', 'a missing target');
ALTER TABLE warehouse.elsewhere RENAME TO issues;
SELECT matches(sim.call($$CALL resolute.reconcile('nobody')$$), '42704: flow "nobody" does not exist', 'an unknown flow');
SELECT matches(sim.call($$CALL resolute.resync(NULL)$$), '22004: flow must not be null', 'no flow');

-- A row that is newer than the census was not in it.
SELECT sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true)$$) LIKE '%ERROR%' AS x \gset
INSERT INTO warehouse.issues (issue_key, updated_at) VALUES ('PLATFORM-99999', now() + interval '1 h'), ('PLATFORM-99998', now() - interval '1 h');
SELECT alike(sim.call($$CALL resolute.reconcile('jira-warehouse-sync', delete => true)$$), '%: 1 of %', 'a row whose version is newer than the census is left alone');
SELECT is((SELECT array_agg(issue_key) FROM warehouse.issues WHERE issue_key LIKE '%9999%'), '{PLATFORM-99999}', '... an older one is not');
DELETE FROM warehouse.issues WHERE issue_key = 'PLATFORM-99999';

-- Two steps into one table, a composite key, a table with partitions, an upsert of issues as they are, and two targets.
CREATE TABLE warehouse.parts (id bigint, created timestamptz, key text, PRIMARY KEY (id, created)) PARTITION BY RANGE (created);
CREATE TABLE warehouse.parts_all PARTITION OF warehouse.parts DEFAULT;
CREATE TABLE warehouse.plain (LIKE warehouse.issues INCLUDING ALL);
CREATE TABLE warehouse.bare (key text PRIMARY KEY, id text, project text, summary text, status text, issue_type text, priority text, assignee text, assignee_id text, reporter text, labels jsonb, components jsonb,
	created timestamptz, updated timestamptz, resolved timestamptz, story_points numeric, parent text, description text, url text, fields jsonb);
SELECT resolute.create_flow('several', resolute.manual(),
	resolute.as('a', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}', resolute.cursor_for('several a'))),
	resolute.as('b', resolute.jira_fetch_issues('jira', 'project = MOBILE AND updated >= ${cursor}', resolute.cursor_for('several b'))),
	resolute.as('pa', resolute.map('a', '{"id": {{.Id}}, "created": "{{.Created}}", "key": "{{.Key}}"}')),
	resolute.as('pb', resolute.map('b', '{"id": {{.Id}}, "created": "{{.Created}}", "key": "{{.Key}}"}')),
	resolute.upsert('pa', target => 'warehouse.parts', key => 'id, created'),
	resolute.upsert('a', target => 'warehouse.bare', key => 'key'),
	resolute.upsert('pb', target => 'warehouse.parts', key => 'id, created'));
CALL resolute.run('several');
SELECT count(*) AS parts FROM warehouse.parts \gset
SELECT count(*) AS bare FROM warehouse.bare \gset
SELECT sim.get('/_sim/delete?key=' || min(key)) FROM warehouse.bare;
SELECT sim.get('/_sim/delete?key=' || max(key)) FROM warehouse.parts WHERE key LIKE 'MOBILE%';
SELECT sim.get('/_sim/log?clear=1') IS NULL AS x \gset
SELECT unalike(sim.call($$CALL resolute.reconcile('several', delete => true)$$), '%ERROR%', 'reconcile of several targets and sources');
SELECT set_eq($$SELECT regexp_replace(a, ' .*', '') FROM sim.asked() a WHERE a NOT LIKE '%id in%'$$, ARRAY['["created"]'], '... asks for what feeds the keys');
SELECT is((SELECT count(*) FROM warehouse.parts), :parts::bigint - 2, '... removes from the one');
SELECT is((SELECT count(*) FROM warehouse.bare), :bare::bigint - 1, '... and the other');
SELECT is(sim.last_run(), 'reconcile succeeded 3', '... and sums up');
SELECT sim.get('/_sim/delete?key=' || min(key)) FROM warehouse.bare;
SELECT unalike(sim.call($$CALL resolute.resync('several')$$), '%ERROR%', 'resync of several targets and sources');
SELECT is((SELECT count(*) FROM warehouse.parts) || ' ' || (SELECT count(*) FROM warehouse.bare), (:parts - 3) || ' ' || (:bare - 2), '... removes from both');

-- Jira Server.
SELECT sim.connect('dc', path => '/server');
SELECT sim.flow(server => 'dc', jql => 'updated >= ${cursor}', name => 'dc', target => 'warehouse.plain', cursor => resolute.cursor_for('dc'));
CALL resolute.run('dc');
SELECT sim.get('/_sim/delete?key=' || min(issue_key)) FROM warehouse.plain;
SELECT unalike(sim.call($$CALL resolute.reconcile('dc', delete => true)$$), '%ERROR%', 'reconcile with Jira Server');
SELECT set_eq('SELECT issue_key FROM warehouse.plain', $$SELECT i->>'key' FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) i$$, '... removes what is gone');
SELECT sim.get('/_sim/project?key=DATA&visible=0');
SELECT matches(sim.call($$CALL resolute.reconcile('dc', delete => true, max_shrink => 0.9)$$), '55000.*The account cannot browse project DATA', '... and notices what is out of sight');
SELECT sim.get('/_sim/project?key=DATA&visible=1');

-- In a transaction of the caller's.
SELECT sim.get('/_sim/delete?key=' || min(issue_key)) FROM warehouse.plain;
BEGIN;
CALL resolute.reconcile('dc', delete => true);
SELECT is(sim.last_run(), 'reconcile succeeded 1', 'reconcile works within a transaction');
ROLLBACK;
SELECT is((SELECT count(*) FROM warehouse.plain), (SELECT jsonb_array_length(sim.get('/_sim/issues?array=1'))) + 1::bigint, '... and is undone with it');
BEGIN;
CALL resolute.resync('dc');
SELECT is(sim.last_run(), 'resync succeeded 1', 'resync works within a transaction');
COMMIT;
SELECT is((SELECT count(*) FROM warehouse.plain), jsonb_array_length(sim.get('/_sim/issues?array=1'))::bigint, '... and is kept');

-- As the owner, with the owner's rights.
CREATE ROLE vanish_owner;
GRANT USAGE ON SCHEMA warehouse TO vanish_owner;
GRANT SELECT, INSERT, UPDATE ON warehouse.plain TO vanish_owner;
GRANT USAGE ON FOREIGN SERVER dc TO vanish_owner;
SELECT resolute.alter_flow('dc', owner => 'vanish_owner');
SELECT matches(sim.call($$CALL resolute.reconcile('dc', delete => true)$$), '42501: permission denied for table warehouse.plain.*GRANT DELETE ON warehouse.plain TO vanish_owner', 'without the right to delete');
SELECT matches(sim.call($$CALL resolute.resync('dc')$$), '42501: permission denied for table warehouse.plain', '... for resync, before it fetches anything');
GRANT DELETE ON warehouse.plain TO vanish_owner;
SELECT sim.get('/_sim/delete?key=' || min(issue_key)) FROM warehouse.plain;
SELECT unalike(sim.call($$CALL resolute.reconcile('dc', delete => true)$$), '%ERROR%', 'with it');
SELECT is(sim.last_run(), 'reconcile succeeded 1', '... it deletes');

-- Targets of others, in schemas that the owner may not look into or does not see.
CREATE ROLE vanish_other;
CREATE SCHEMA vanish_owner AUTHORIZATION vanish_owner;
CREATE SCHEMA vanish_other AUTHORIZATION vanish_other;
CREATE TABLE vanish_other.mine (LIKE warehouse.issues INCLUDING ALL);
ALTER TABLE vanish_other.mine OWNER TO vanish_other;
GRANT USAGE ON SCHEMA vanish_other TO vanish_owner;
GRANT ALL ON vanish_other.mine TO vanish_owner;
CREATE FUNCTION sim.small_flow(name text, target text) RETURNS int LANGUAGE sql AS $$
	SELECT resolute.create_or_replace_flow(name, resolute.manual(),
		resolute.as('issues', resolute.jira_fetch_issues('dc', 'updated >= ${cursor}', resolute.cursor_for(name))),
		resolute.as('rows', resolute.map('issues', sim.template())),
		resolute.upsert('rows', target => target, key => 'issue_key')) $$;
SELECT sim.small_flow('dc', 'vanish_other.mine');
SELECT resolute.reset_cursor('dc', owner => 'vanish_owner');
CALL resolute.run('dc');
REVOKE USAGE ON SCHEMA warehouse FROM vanish_owner;
SELECT is((SELECT owner FROM resolute.flows WHERE name = 'dc')::text || has_schema_privilege('vanish_owner', 'warehouse', 'USAGE'), 'vanish_ownerfalse', 'an owner without USAGE on the schema of another flow''s target');
SELECT unalike(sim.call($$CALL resolute.resync('dc')$$), '%ERROR%', '... resyncs');
SELECT is(sim.last_run(), 'resync succeeded 0', '... all of it');
SELECT unalike(sim.call($$CALL resolute.reconcile('dc', delete => true)$$), '%ERROR%', '... and reconciles');
BEGIN;
SET LOCAL search_path = vanish_other, public;
SELECT sim.small_flow('mine', 'mine');
COMMIT;
GRANT USAGE ON FOREIGN SERVER dc TO vanish_other;
SELECT resolute.alter_flow('mine', owner => 'vanish_other');
SELECT matches(sim.call($$CALL resolute.resync('dc')$$), '55000: table "vanish_other.mine" is the target of another flow, too.*A flow of another owner upserts into it', 'a name without a schema means what its owner sees');
SELECT resolute.drop_flow('mine');

CREATE ROLE vanish_stranger;
GRANT USAGE ON SCHEMA resolute TO vanish_stranger;
GRANT EXECUTE ON PROCEDURE resolute.reconcile, resolute.resync TO vanish_stranger;
SET ROLE vanish_stranger;
SELECT throws_ok($$CALL resolute.reconcile('dc')$$, '42501', NULL, 'a stranger may not reconcile');
SELECT throws_ok($$CALL resolute.resync('dc')$$, '42501', NULL, 'nor resync');
RESET ROLE;
DROP OWNED BY vanish_stranger; DROP ROLE vanish_stranger;
SELECT resolute.drop_flow('dc');
DROP OWNED BY vanish_other; DROP ROLE vanish_other;
DROP OWNED BY vanish_owner; DELETE FROM resolute.cursors WHERE owner = 'vanish_owner'::regrole; DROP ROLE vanish_owner;

SELECT * FROM finish();
