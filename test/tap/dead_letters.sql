-- Rows that fail are kept with their error, at little cost, and can be replayed.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=200&seed=5');
SELECT sim.get('/_sim/delete?key=' || issue_key) FROM (SELECT issue_key FROM sim.issues() ORDER BY updated_at OFFSET 100) AS rest;
SELECT no_plan();

-- A page of 100 rows with 3 bad ones.
CREATE TABLE bad AS SELECT issue_key FROM sim.issues() ORDER BY md5(issue_key) LIMIT 3;
SELECT sim.get('/_sim/edit?story_points=-1&updated=2026-01-30T12:00:00Z&key=' || issue_key) FROM bad;
ALTER TABLE warehouse.issues ADD CONSTRAINT points CHECK (story_points >= 0);

-- Statements on the table, each an insert that fires this once, whether it succeeds or not.
CREATE SEQUENCE statements;
CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('statements'); RETURN NULL; END $$;
CREATE TRIGGER count_statements BEFORE INSERT ON warehouse.issues FOR EACH STATEMENT EXECUTE FUNCTION count_statement();
SELECT results_eq($$SELECT status, source_records, inserted, failed FROM resolute.run_flow('jira-warehouse-sync')$$,
	$$SELECT 'succeeded', 100::bigint, 97::bigint, 3::bigint$$, 'of a page of 100 rows with 3 bad ones 97 are stored');
SELECT cmp_ok((SELECT last_value FROM statements), '<=', 1 + 2 * 3 * 7::bigint, 'a batch with 3 bad rows of 100 costs at most 1 + 2 * 3 * log2(100) statements');
DROP TRIGGER count_statements ON warehouse.issues;
SELECT is((SELECT count(*) FROM warehouse.issues), 97::bigint, 'they are there');
SELECT set_eq('SELECT item->>$$key$$ FROM resolute.dead_letters', 'SELECT issue_key FROM bad', 'the 3 are dead letters');
SELECT is((SELECT count(*) FROM resolute.dead_letters WHERE step = 'upserted' AND source = 'issues' AND error_code = '23514' AND error_message ~ 'points'
	AND attempts = 1 AND version = 1 AND resolved_at IS NULL), 3::bigint, 'each with its step, source, error, version and one attempt');
SELECT is((SELECT position FROM resolute.cursors WHERE name = 'jira-sync'), (SELECT max(updated_at) FROM sim.issues()), 'the cursor has moved');

-- Replay: in vain, and after the table was mended.
SELECT results_eq($$SELECT replayed, resolved, failed FROM resolute.replay_dead_letters('jira-warehouse-sync')$$,
	$$SELECT 3::bigint, 0::bigint, 3::bigint$$, 'replayed in vain, they fail again');
SELECT is((SELECT array_agg(attempts) FROM resolute.dead_letters), '{2,2,2}', 'which counts an attempt');
SELECT is((SELECT count(*) FROM resolute.dead_letters), 3::bigint, 'of the same letters');
SELECT results_eq($$SELECT kind, status, source_records, failed FROM resolute.runs ORDER BY run_id DESC LIMIT 1$$,
	$$SELECT 'replay', 'succeeded', 3::bigint, 3::bigint$$, 'a replay is in the books');
ALTER TABLE warehouse.issues DROP CONSTRAINT points;
SELECT sim.get('/_sim/log?clear=1');
SELECT results_eq($$SELECT replayed, resolved, failed FROM resolute.replay_dead_letters('jira-warehouse-sync', 2)$$,
	$$SELECT 2::bigint, 2::bigint, 0::bigint$$, 'after the table was mended 2 are replayed, as many as were asked for');
SELECT results_eq($$SELECT replayed, resolved, failed FROM resolute.replay_dead_letters('jira-warehouse-sync', 2)$$,
	$$SELECT 1::bigint, 1::bigint, 0::bigint$$, 'and then the last one');
SELECT sim.same_as_source('the table is the source');
SELECT is((SELECT count(*) FROM resolute.dead_letters WHERE resolved_at IS NULL), 0::bigint, 'no letter is open');
SELECT results_eq($$SELECT replayed, resolved, failed FROM resolute.replay_dead_letters('jira-warehouse-sync')$$,
	$$SELECT 0::bigint, 0::bigint, 0::bigint$$, 'nothing is left to replay');
SELECT is(jsonb_array_length(sim.get('/_sim/log')), 0, 'nobody asked the network');
SELECT is((SELECT count(*) FROM resolute.runs WHERE kind = 'replay' AND source_records <> inserted + updated + unchanged + stale + duplicates + filtered + failed), 0::bigint, 'the books of replays balance');
SELECT is((SELECT status || ' ' || (last_success = (SELECT finished_at FROM resolute.runs WHERE kind = 'run' ORDER BY run_id DESC LIMIT 1)) FROM resolute.flow_status), 'succeeded true', 'a replay is no sync for flow_status');

-- An older copy in a letter does not overwrite what is stored by now.
TRUNCATE resolute.dead_letters;
SELECT issue_key AS key FROM bad LIMIT 1 \gset
ALTER TABLE warehouse.issues ADD CONSTRAINT points CHECK (story_points <> -2);
SELECT sim.get('/_sim/edit?story_points=-2&summary=older&key=' || :'key');
SELECT resolute.run_flow('jira-warehouse-sync');
UPDATE resolute.dead_letters SET item_hash = 'kept apart';
SELECT sim.get('/_sim/edit?story_points=5&summary=newer&key=' || :'key');
SELECT resolute.run_flow('jira-warehouse-sync');
ALTER TABLE warehouse.issues DROP CONSTRAINT points;
SELECT is((SELECT resolved FROM resolute.replay_dead_letters('jira-warehouse-sync')), 1::bigint, 'a letter that a newer copy has overtaken is resolved');
SELECT is((SELECT summary FROM warehouse.issues WHERE issue_key = :'key'), 'newer', 'and does not overwrite the newer copy');

-- Letters of map: from that step on.
TRUNCATE resolute.dead_letters;
SELECT sim.get('/_sim/edit?summary=12x&key=' || issue_key) FROM bad;
SELECT sim.flow(template => '{"issue_key": "{{.Key}}", "summary": "{{if eq .Summary `12x`}}{{int .Summary}}{{else}}{{.Summary}}{{end}}", "updated_at": "{{.Updated}}"}');
SELECT is((SELECT failed FROM resolute.run_flow('jira-warehouse-sync')), 3::bigint, 'a template fails on 3 items');
SELECT set_eq('SELECT step FROM resolute.dead_letters', ARRAY['transformed'], 'they are letters of map');
SELECT is((SELECT failed FROM resolute.replay_dead_letters('jira-warehouse-sync')), 3::bigint, 'replayed as it is, map fails again');
SELECT is((SELECT array_agg(attempts) FROM resolute.dead_letters), '{2,2,2}', '... counted');

-- The step has changed: said, and the version named.
SELECT sim.flow(template => '{"issue_key": "{{.Key}}", "summary": "now {{.Summary}}", "updated_at": "{{.Updated}}"}') AS present \gset
SELECT version AS past FROM resolute.dead_letters LIMIT 1 \gset
CREATE FUNCTION replay_error(arguments text, OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT resolute.replay_dead_letters(''jira-warehouse-sync''' || arguments || ')';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;
SELECT results_eq($$SELECT state, message FROM replay_error('')$$,
	$$SELECT '55000', 'step "transformed" of flow "jira-warehouse-sync" has changed since its dead letters were written'$$, 'a step that has changed is refused');
SELECT is((SELECT detail FROM replay_error('')), format('Version %s of the flow wrote them; the present one is version %s.', :past, :present), 'and the version named');
SELECT matches((SELECT hint FROM replay_error('')), format('flow_definition\(''jira-warehouse-sync'', %s\).*version => %s\).*version => %s', :past, :past, :present), 'with a way out');
SELECT matches(resolute.flow_definition('jira-warehouse-sync', :past), 'if eq .Summary', 'flow_definition shows that version');
SELECT matches(resolute.flow_definition('jira-warehouse-sync'), 'now \{\{.Summary', 'and else the present one');
SELECT throws_ok($$SELECT resolute.flow_definition('jira-warehouse-sync', 99)$$, '42704', 'flow "jira-warehouse-sync" has no version 99', 'flow_definition of a version that is none');
SELECT throws_ok($$SELECT resolute.replay_dead_letters('jira-warehouse-sync', version => 99)$$, '42704', 'flow "jira-warehouse-sync" has no version 99', 'replay by a version that is none');
SELECT is((SELECT failed FROM resolute.replay_dead_letters('jira-warehouse-sync', version => :past)), 3::bigint, 'replayed by the version that wrote them');
SELECT is((SELECT count(*) FROM warehouse.issues WHERE summary = 'now 12x'), 0::bigint, '... nothing was stored');
SELECT is((SELECT resolved FROM resolute.replay_dead_letters('jira-warehouse-sync', version => :present)), 3::bigint, 'replayed by the present one');
SELECT is((SELECT count(*) FROM warehouse.issues WHERE summary = 'now 12x'), 3::bigint, '... they are stored');

-- A change elsewhere in the flow does not matter: that is how an upsert is mended.
TRUNCATE resolute.dead_letters;
ALTER TABLE warehouse.issues ADD CONSTRAINT summaries CHECK (summary NOT LIKE 'now 13x');
SELECT sim.get('/_sim/edit?summary=13x&key=' || issue_key) FROM bad;
SELECT is((SELECT failed FROM resolute.run_flow('jira-warehouse-sync')), 3::bigint, 'the table refuses 3 rows');
SELECT sim.flow(template => '{"issue_key": "{{.Key}}", "summary": "then {{.Summary}}", "updated_at": "{{.Updated}}"}');
SELECT is((SELECT resolved FROM resolute.replay_dead_letters('jira-warehouse-sync')), 3::bigint, 'with another template the letters of upsert are replayed by the present definition');
SELECT is((SELECT count(*) FROM warehouse.issues WHERE summary = 'then 13x'), 3::bigint, '... and stored');

-- The step is gone.
TRUNCATE resolute.dead_letters;
ALTER TABLE warehouse.issues ADD CONSTRAINT summaries2 CHECK (summary NOT LIKE 'then 14x');
SELECT sim.get('/_sim/edit?summary=14x&key=' || issue_key) FROM bad;
SELECT resolute.run_flow('jira-warehouse-sync');
SELECT version AS past FROM resolute.dead_letters LIMIT 1 \gset
SELECT resolute.create_or_replace_flow('jira-warehouse-sync', resolute.manual(),
	resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}', resolute.cursor_for('jira-sync'))),
	resolute.as('rows', resolute.map('issues', '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}')),
	resolute.as('stored', resolute.upsert('rows', target => 'warehouse.issues', key => 'issue_key')));
SELECT results_eq($$SELECT state, message FROM replay_error('')$$,
	$$SELECT '42704', 'step "upserted" of flow "jira-warehouse-sync" does not exist in version ' || (SELECT version FROM resolute.flows)$$, 'a step that is gone is refused');
SELECT matches((SELECT detail || hint FROM replay_error('')), format('^Version %s .*flow_definition\(.*version => %s\)', :past, :past), 'with the version that has it');
SELECT results_eq($$SELECT DISTINCT attempts FROM resolute.dead_letters$$, $$SELECT 1$$, '... which is no attempt');
SELECT is((SELECT replayed FROM resolute.replay_dead_letters('jira-warehouse-sync', step => 'stored')), 0::bigint, 'letters of another step only: none');
SELECT results_eq($$SELECT state, message FROM replay_error(', step => ''no such''')$$,
	$$VALUES ('42704', 'step "no such" of flow "jira-warehouse-sync" does not exist')$$, '... of a step that there is not: an error');
ALTER TABLE warehouse.issues DROP CONSTRAINT summaries2;
SELECT is((SELECT resolved FROM resolute.replay_dead_letters('jira-warehouse-sync', step => 'upserted', version => :past)), 3::bigint, 'by that version they are stored');

-- An item that fails later on than before: one open letter, of that step.
TRUNCATE resolute.dead_letters;
SELECT sim.get('/_sim/edit?summary=x15&key=' || issue_key) FROM bad;
SELECT sim.flow(template => '{"issue_key": "{{.Key}}", "summary": "{{if eq .Summary `x15`}}{{int .Summary}}{{end}}{{.Summary}}", "updated_at": "{{.Updated}}"}');
SELECT resolute.run_flow('jira-warehouse-sync');
SELECT sim.flow(template => '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}') AS present \gset
ALTER TABLE warehouse.issues ADD CONSTRAINT summaries2 CHECK (summary NOT LIKE 'x15');
SELECT results_eq(format($$SELECT replayed, resolved, failed FROM resolute.replay_dead_letters('jira-warehouse-sync', version => %s)$$, :present),
	$$SELECT 3::bigint, 0::bigint, 3::bigint$$, 'items that pass map and then fail in upsert have failed');
SELECT results_eq('SELECT step, resolved_at IS NULL, count(*) FROM resolute.dead_letters GROUP BY 1, 2 ORDER BY 1',
	$$VALUES ('transformed', false, 3::bigint), ('upserted', true, 3)$$, 'they have a letter of upsert instead');
ALTER TABLE warehouse.issues DROP CONSTRAINT summaries2;
SELECT is((SELECT resolved FROM resolute.replay_dead_letters('jira-warehouse-sync')), 3::bigint, '... which is replayed by itself');

-- What is not the rows' fault fails the replay as a whole.
ALTER TABLE warehouse.issues ADD CONSTRAINT summaries2 CHECK (summary NOT LIKE 'x16');
SELECT sim.get('/_sim/edit?summary=x16&key=' || issue_key) FROM bad;
SELECT resolute.run_flow('jira-warehouse-sync');
CREATE TABLE letters_before AS SELECT * FROM resolute.dead_letters;
ALTER TABLE warehouse.issues RENAME TO elsewhere;
SELECT throws_ok($$SELECT resolute.replay_dead_letters('jira-warehouse-sync')$$, '42P01', NULL, 'a missing table fails the replay');
ALTER TABLE warehouse.elsewhere RENAME TO issues;
SELECT set_eq('SELECT * FROM resolute.dead_letters', 'SELECT * FROM letters_before', 'and leaves the letters alone');

-- Arguments, and who may.
SELECT throws_ok($$SELECT resolute.replay_dead_letters(NULL)$$, '22004', NULL, 'no flow');
SELECT throws_ok($$SELECT resolute.replay_dead_letters('nobody')$$, '42704', NULL, 'an unknown flow');
SELECT throws_ok($$SELECT resolute.replay_dead_letters('jira-warehouse-sync', 0)$$, '22023', NULL, 'none of them');
CREATE ROLE replayer;
GRANT USAGE ON SCHEMA resolute TO replayer;
GRANT EXECUTE ON FUNCTION resolute.replay_dead_letters TO replayer;
SET ROLE replayer;
SELECT throws_ok($$SELECT resolute.replay_dead_letters('jira-warehouse-sync')$$, '42501', NULL, 'a stranger may not');
RESET ROLE;
DROP OWNED BY replayer;
DROP ROLE replayer;

-- It runs as the owner of the flow.
CREATE ROLE owner_of_flow;
GRANT USAGE ON SCHEMA warehouse TO owner_of_flow;
GRANT SELECT, INSERT, UPDATE ON warehouse.issues TO owner_of_flow;
GRANT USAGE ON FOREIGN SERVER jira TO owner_of_flow;
SELECT resolute.alter_flow('jira-warehouse-sync', owner => 'owner_of_flow');
ALTER TABLE warehouse.issues DROP CONSTRAINT summaries2;
CREATE FUNCTION note_user() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.assignee := current_user; RETURN NEW; END $$;
CREATE TRIGGER note_user BEFORE INSERT OR UPDATE ON warehouse.issues FOR EACH ROW EXECUTE FUNCTION note_user();
SELECT is((SELECT resolved FROM resolute.replay_dead_letters('jira-warehouse-sync')), 3::bigint, 'replayed for a flow of another owner');
SELECT set_eq($$SELECT assignee FROM warehouse.issues WHERE summary = 'x16'$$, ARRAY['owner_of_flow'], '... as that owner');
SELECT resolute.alter_flow('jira-warehouse-sync', owner => CURRENT_USER::regrole);
DROP OWNED BY owner_of_flow;
DROP ROLE owner_of_flow;

-- A step of the flow itself may do it.
TRUNCATE resolute.dead_letters;
DROP TRIGGER note_user ON warehouse.issues;
CREATE TABLE refused AS SELECT 'x17' AS summary;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.summary IN (SELECT summary FROM refused) THEN RAISE 'refused'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON warehouse.issues FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT resolute.create_or_replace_flow('jira-warehouse-sync', resolute.manual(),
	resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}', resolute.cursor_for('jira-sync'))),
	resolute.as('rows', resolute.map('issues', '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}')),
	resolute.as('unique', resolute.unique('rows', key => 'issue_key')),
	resolute.as('stored', resolute.upsert('unique', target => 'warehouse.issues', key => 'issue_key')),
	resolute.sql('DELETE FROM refused'),
	resolute.sql($$SELECT resolute.replay_dead_letters('jira-warehouse-sync')$$));
SELECT sim.get('/_sim/edit?summary=x17&key=' || issue_key) FROM bad;
CALL resolute.run('jira-warehouse-sync');
SELECT results_eq('SELECT kind, status, failed, updated FROM resolute.runs ORDER BY run_id DESC LIMIT 2',
	$$VALUES ('replay', 'succeeded', 0::bigint, 3::bigint), ('run', 'succeeded', 3, 0)$$, 'a flow replays its own dead letters');
SELECT is((SELECT count(*) FROM warehouse.issues WHERE summary = 'x17'), 3::bigint, '... although unique has seen them');

-- An item that jsonb cannot hold is replayed, too.
TRUNCATE resolute.dead_letters;
INSERT INTO refused VALUES ('huge');
SELECT sim.get('/_sim/settings?ignore_fields=1');
SELECT sim.post('/_sim/fault', '{"row": 0, "huge_number": true, "fields": {"summary": "huge"}}');
SELECT resolute.reset_cursor('jira-sync');
UPDATE warehouse.issues SET updated_at = updated_at - interval '1 s';
CALL resolute.run('jira-warehouse-sync');
SELECT is((SELECT string_agg(jsonb_typeof(item) || ' ' || (resolved_at IS NOT NULL), ', ') FROM resolute.dead_letters), 'string true', 'an item that jsonb cannot hold is kept as text, and replayed');
SELECT is((SELECT count(*) FROM warehouse.issues WHERE summary = 'huge'), 1::bigint, '... it is stored');
SELECT sim.get('/_sim/settings?ignore_fields=0');

SELECT * FROM finish();
