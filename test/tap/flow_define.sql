-- Flows are checked when they are defined, and stored as versions.
\ir setup/psql.sql
SET client_min_messages = warning;
SELECT plan(64);

CREATE SERVER jira FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://jira.example.com');
CREATE USER MAPPING FOR CURRENT_USER SERVER jira OPTIONS (email 'ada@example.com', api_token 'secret');
CREATE SCHEMA warehouse;
CREATE TABLE warehouse.issues (issue_key text PRIMARY KEY, summary text, updated_at timestamptz);
CREATE VIEW warehouse.seen AS SELECT * FROM warehouse.issues;
CREATE TABLE warehouse.keyless (issue_key text, summary text, updated_at timestamptz);
CREATE FUNCTION warehouse.log(stats jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION warehouse.wrong(stats jsonb) RETURNS text LANGUAGE sql AS 'SELECT $1::text';

-- The flow that the tests change one thing of.
CREATE FUNCTION a_fetch(jql text DEFAULT 'project = A AND updated >= ${cursor}',
	cursor jsonb DEFAULT resolute.cursor_for('c'), server text DEFAULT 'jira') RETURNS resolute.step
LANGUAGE sql AS $$ SELECT resolute.as('issues', resolute.jira_fetch_issues(server, jql, cursor)) $$;
CREATE FUNCTION a_map(template text DEFAULT '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}') RETURNS resolute.step
LANGUAGE sql AS $$ SELECT resolute.as('mapped', resolute.map('issues', template)) $$;
CREATE FUNCTION an_upsert(target text DEFAULT 'warehouse.issues', key text DEFAULT 'issue_key') RETURNS resolute.step
LANGUAGE sql AS $$ SELECT resolute.as('upserted', resolute.upsert('mapped', target => target, key => key)) $$;

-- Works.
SELECT is(resolute.create_flow('f', resolute.manual(), a_fetch(), a_map(), an_upsert()), 1, 'create_flow returns version 1');
SELECT throws_ok($$SELECT resolute.create_flow('f', resolute.manual(), a_fetch(), a_map(), an_upsert())$$,
	'42710', 'flow "f" already exists', 'a flow of the same name is refused');
SELECT is(resolute.create_or_replace_flow('f', resolute.manual(), a_fetch(), a_map(), an_upsert()), 1, 'an unchanged definition makes no version');
SELECT is(resolute.create_or_replace_flow('f', resolute.manual('nightly'), a_fetch(), a_map(), an_upsert()), 2, 'a changed one does');
SELECT is((SELECT count(*) FROM resolute.flow_versions), 2::bigint, 'and the old version is kept');
CREATE FUNCTION timed() RETURNS int LANGUAGE sql AS $$ SELECT resolute.create_or_replace_flow('timed', resolute.manual(),
	resolute.with_rate_limit(resolute.with_timeout(resolute.with_retry(a_fetch(cursor => resolute.cursor_for('t', overlap => '1 day 01:00',
		initial => '2026-01-01 00:00:00+00')), 3, '1 day 01:00'), '1 day 01:00'), 1, '1 day 01:00')) $$;
SELECT is(timed(), 1, 'a definition with times');
SET TimeZone = 'Asia/Kolkata';
SET IntervalStyle = 'iso_8601';
SELECT is(timed(), 1, '... is the same whatever the settings of the session');
RESET TimeZone;
RESET IntervalStyle;
SELECT is((SELECT owner::text FROM resolute.flows WHERE name = 'f'), current_user::text, 'the flow belongs to who made it');
SELECT is(resolute.create_or_replace_flow('g', resolute.manual(), a_fetch(), a_map(), an_upsert()), 1, 'create_or_replace_flow creates');

-- The definition can be run again and gives the same flow.
SELECT matches(resolute.flow_definition('f'), '^SELECT resolute.create_flow\(''f'',', 'flow_definition is the statement');
CREATE TABLE kept AS SELECT resolute.flow_definition('f') AS text,
	(SELECT steps FROM resolute.flow_versions v JOIN resolute.flows f USING (flow_id, version) WHERE f.name = 'f') AS steps;
SELECT lives_ok($$SELECT resolute.drop_flow('f')$$, 'drop_flow');
SELECT lives_ok((SELECT text FROM kept), 'the definition runs');
SELECT is((SELECT steps FROM resolute.flow_versions v JOIN resolute.flows f USING (flow_id, version) WHERE f.name = 'f'),
	(SELECT steps FROM kept), 'and makes the same steps');
SELECT is((SELECT text FROM kept), resolute.flow_definition('f'), 'and the same definition again');
SELECT lives_ok($$SELECT resolute.create_flow('quo''ted "name"', resolute.manual('it''s'), a_fetch('summary ~ "it''s \\" AND updated > ${cursor}'),
	resolute.when('issues', resolute.when($q$ (state->'input'->>'n')::int > 0 $q$, a_map(E'{"summary": "\\u00e9 {{.Key}}"}')),
		resolute.node('log it', 'warehouse.log'), resolute.sql('SELECT ''x''')))$$, 'odd names and nesting');
CREATE TABLE odd AS SELECT resolute.flow_definition(name) AS text FROM resolute.flows WHERE name LIKE 'quo%';
SELECT resolute.drop_flow('quo''ted "name"');
SELECT lives_ok((SELECT text FROM odd), 'the definition of the odd flow runs');
SELECT is((SELECT text FROM odd), (SELECT resolute.flow_definition(name) FROM resolute.flows WHERE name LIKE 'quo%'), 'and is stable');

-- Settings.
SELECT lives_ok($$SELECT resolute.alter_flow('f', max_runtime => '1 hour', max_failures => 5)$$, 'alter_flow');
SELECT results_eq($$SELECT max_runtime, max_failures FROM resolute.flows WHERE name = 'f'$$,
	$$VALUES ('1 hour'::interval, 5)$$, 'changes what is given');
SELECT lives_ok($$SELECT resolute.alter_flow('f', max_failures => 6)$$, 'alter_flow again');
SELECT results_eq($$SELECT max_runtime, max_failures FROM resolute.flows WHERE name = 'f'$$,
	$$VALUES ('1 hour'::interval, 6)$$, 'and leaves the rest');
SELECT throws_ok($$SELECT resolute.alter_flow('f', max_failures => -1)$$, '22023', 'max_failures of a flow must not be negative', 'a negative max_failures is refused');
SELECT throws_ok($$SELECT resolute.alter_flow('f', max_runtime => '-1 s')$$, '22023', 'max_runtime of a flow must not be negative', 'nor a negative max_runtime');
SELECT lives_ok($$SELECT resolute.alter_flow('f', max_runtime => '0')$$, 'a max_runtime of zero');
SELECT is((SELECT max_runtime FROM resolute.flows WHERE name = 'f'), NULL, 'is no limit');
SELECT throws_ok($$SELECT resolute.alter_flow('nobody')$$, '42704', 'flow "nobody" does not exist', 'alter_flow of an unknown flow');
SELECT throws_ok($$SELECT resolute.drop_flow('nobody')$$, '42704', 'flow "nobody" does not exist', 'drop_flow of an unknown flow');
SELECT throws_ok($$SELECT resolute.flow_definition('nobody')$$, '42704', 'flow "nobody" does not exist', 'flow_definition of an unknown flow');
SELECT lives_ok($$SELECT resolute.disable_flow('f')$$, 'disable_flow');
SELECT is((SELECT enabled FROM resolute.flow_status WHERE flow = 'f'), false, 'is shown by flow_status');
SELECT lives_ok($$SELECT resolute.enable_flow('f')$$, 'enable_flow');

-- Refused: nothing of these is stored.
CREATE TABLE before AS SELECT count(*) FROM resolute.flow_versions;
PREPARE steps(resolute.step[]) AS SELECT resolute.create_flow('x', resolute.manual(), VARIADIC $1);
SELECT throws_ok($$EXECUTE steps(ARRAY[]::resolute.step[])$$, '22004', NULL, 'no steps');
SELECT throws_ok($$EXECUTE steps(ARRAY[NULL]::resolute.step[])$$, '22004', NULL, 'a null step');
SELECT throws_ok($$SELECT resolute.create_flow('', resolute.manual(), a_fetch())$$, '42602', NULL, 'an empty name');
SELECT throws_ok($$EXECUTE steps(ARRAY['{"step": "teleport"}'::resolute.step])$$, '22023', 'invalid definition of flow "x"', 'an unknown kind of step');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), a_fetch()])$$, '42710', 'step name "issues" is used twice in flow "x"', 'a name twice');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_map(), a_fetch()])$$, '42704', 'step "mapped" of flow "x" refers to unknown step "issues"', 'a step before its input');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), a_map(), an_upsert(), resolute.map('upserted', '{}')])$$, '42809', NULL, 'rows of a sink');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), resolute.map('issues', NULL)])$$, '22023', 'invalid definition of flow "x"', 'a missing parameter');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(server => 'nowhere')])$$, '42704', NULL, 'an unknown server');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(cursor => NULL)])$$, '22023', 'the query of step "issues" of flow "x" uses ${cursor}, but has no cursor', '${cursor} without a cursor');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(jql => 'project = A')])$$, '22023', 'step "issues" of flow "x" has a cursor, but its query does not use ${cursor}', 'a cursor without ${cursor}');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(jql => 'updated >= "${cursor}"')])$$, '22023', NULL, 'a quoted ${cursor} without a format');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(cursor => resolute.cursor_for('c', format => '2006-01-02 15:04'))])$$, '22023', NULL, 'a format without quotes');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(jql => 'summary ~ "open AND updated >= ${cursor}')])$$, '42601', NULL, 'a quote that is not closed');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), a_map('{"a": "{{.Key}"}')])$$, '42601', NULL, 'a template that is not closed');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), a_map('{"a": {{nofunction .Key}}}')])$$, '42601', NULL, 'an unknown template function');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), a_map('["a": 1')])$$, '42601', NULL, 'a template that is not JSON');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), a_map('["{{.Key}}"]')])$$, '22023', 'the template of step "mapped" makes no object', 'a template that makes an array');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), a_map(), an_upsert(key => 'nokey')])$$, '42703', NULL, 'a key without a column');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), a_map('{"issue_key": "{{.Key}}", "extra": 1}'), an_upsert()])$$, '42703', NULL, 'a field without a column');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), a_map(), an_upsert('warehouse.seen')])$$, '42809', NULL, 'a view as target');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), a_map(), an_upsert('warehouse.keyless')])$$, '42P10', NULL, 'a key without a unique index');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), a_map(), resolute.unique('mapped', 'nokey')])$$, '42703', NULL, 'unique() over an unknown field');
SELECT throws_ok($$EXECUTE steps(ARRAY[resolute.node('n', 'warehouse.nothing')])$$, '42883', 'function warehouse.nothing(jsonb) does not exist', 'an unknown function');
SELECT throws_ok($$EXECUTE steps(ARRAY[resolute.node('n', 'warehouse.wrong')])$$, '42P13', 'function warehouse.wrong(jsonb) does not return jsonb', 'a function of another type');
SELECT throws_ok($$EXECUTE steps(ARRAY[resolute.sql('SELEC 1')])$$, '42601', NULL, 'wrong SQL');
SELECT throws_ok($$EXECUTE steps(ARRAY[resolute.sql('SELECT 1; SELECT 2')])$$, '42601', 'resolute.sql() takes one statement, not 2', 'two statements');
SELECT lives_ok($$EXECUTE steps(ARRAY[resolute.sql('ANALYZE warehouse.issues')])$$, 'ANALYZE may run in a transaction');
SELECT resolute.run_flow('x'), resolute.drop_flow('x') \g /dev/null
SELECT throws_ok($$EXECUTE steps(ARRAY[resolute.sql('VACUUM warehouse.issues')])$$, '0A000', NULL, 'VACUUM may not');
SELECT throws_ok($$EXECUTE steps(ARRAY[resolute.sql('COMMIT')])$$, '0A000', NULL, 'a COMMIT');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), resolute.when('isues', a_map())])$$, '42704', NULL, 'a path to nothing');
SELECT throws_ok($$EXECUTE steps(ARRAY[a_fetch(), resolute.when('state->>''a'' >', a_map())])$$, '42601', NULL, 'a condition that is not SQL');
SELECT is((SELECT count(*) FROM resolute.flow_versions), (SELECT count FROM before), 'nothing of all that was stored');

SELECT * FROM finish();
