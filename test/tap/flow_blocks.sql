-- Blocks, actions and passes: what runs when, and what it sees.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=600&seed=5');
SELECT no_plan();

CREATE TABLE trace (n serial, what text, value jsonb);
CREATE FUNCTION trace(value jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ INSERT INTO trace (what, value) VALUES ('trace', $1) RETURNING value $$;
CREATE FUNCTION count_rows(items jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ INSERT INTO trace (what, value) VALUES ('page', to_jsonb(jsonb_array_length($1)));
	   SELECT jsonb_build_object('rows', jsonb_array_length($1), 'last', $1->-1->>'issue_key', 'ratio', 0.1) $$;
CREATE FUNCTION issues(jql text DEFAULT 'project = PLATFORM') RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('issues', resolute.jira_fetch_issues('jira', jql, page_size => 50)) $$;
CREATE FUNCTION mapped() RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('mapped', resolute.map('issues', '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}')) $$;
CREATE FUNCTION upserted() RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('upserted', resolute.upsert('mapped', 'warehouse.issues', 'issue_key')) $$;
CREATE FUNCTION run(VARIADIC steps resolute.step[]) RETURNS resolute.runs LANGUAGE plpgsql AS $$
DECLARE
	result resolute.runs;
BEGIN
	TRUNCATE trace;
	PERFORM resolute.create_or_replace_flow('f', resolute.manual(), VARIADIC steps);
	result := resolute.run_flow('f', '{"wanted": true, "n": 3, "nothing": 0}');
	RETURN result;
END $$;
SELECT count(*) AS total FROM sim.issues() \gset

-- when: paths.
SELECT is((run(issues(), resolute.when('issues', resolute.sql('INSERT INTO trace (what) VALUES (''yes'')')))).status, 'succeeded', 'a flow without a sink');
SELECT is((SELECT count(*) FROM trace), 1::bigint, 'when(''issues'') is true if there are any');
SELECT run(issues('project = PLATFORM AND updated > 1900000000000'), resolute.when('issues', resolute.sql('INSERT INTO trace (what) VALUES (''yes'')')));
SELECT is((SELECT count(*) FROM trace), 0::bigint, 'and false if there are none');
SELECT run(resolute.when('input.wanted', resolute.sql('INSERT INTO trace (what) VALUES (''wanted'')')),
	resolute.when('input.nothing', resolute.sql('INSERT INTO trace (what) VALUES (''zero'')')),
	resolute.when('input.absent', resolute.sql('INSERT INTO trace (what) VALUES (''absent'')')));
SELECT results_eq('SELECT what FROM trace', $$VALUES ('wanted')$$, 'paths into the input follow the truth of templates');

-- when: SQL; the count of a source spools it, and its rows still arrive.
SELECT is((run(issues(), resolute.when($$(state->'issues'->>'count')::int > 10$$, mapped(), upserted()))).inserted, :total::bigint, 'SQL over the count of a source');
SELECT is((SELECT count(*) FROM warehouse.issues), :total::bigint, 'all rows arrived');
SELECT is((run(issues(), resolute.when('issues.count', mapped(), upserted()))).unchanged, :total::bigint, 'a path to the count');
SELECT is((run(issues(), resolute.when($$(state->'issues'->>'count')::int > 100000$$, mapped(), upserted()))).processed, 0::bigint, 'false conditions run nothing');
SELECT is((run(resolute.when('state->''input'' ? ''n''', resolute.when($$(state #>> '{input,n}')::int = 3$$, resolute.sql('INSERT INTO trace (what) VALUES (''both'')'))))).status, 'succeeded', 'blocks nest');
SELECT results_eq('SELECT what FROM trace', $$VALUES ('both')$$, 'and the inner one ran');
SELECT throws_ok($q$SELECT run(resolute.when('(1/((state #>> ''{input,n}'')::int - 3))::boolean', resolute.sql('SELECT 1')))$q$, '22012', NULL, 'a condition that fails fails the run');

-- Several sinks share a pass.
TRUNCATE warehouse.issues;
SELECT is((run(issues(), mapped(), upserted(), resolute.node('pages', 'count_rows', input => 'mapped'))).pages,
	ceil(:total / 50.0)::bigint, 'two sinks, one pass over the source');
SELECT is((SELECT count(*) FROM trace), ceil(:total / 50.0)::bigint, 'the node is called once a page');
SELECT is((SELECT output->>'rows' FROM resolute.run_steps WHERE step = 'pages' ORDER BY run_id DESC LIMIT 1), :'total', 'numbers that a node returns add up');
SELECT is((SELECT (output->>'ratio')::numeric FROM resolute.run_steps WHERE step = 'pages' ORDER BY run_id DESC LIMIT 1), ceil(:total / 50.0) * 0.1, 'exactly');
SELECT is((SELECT output->>'last' FROM resolute.run_steps WHERE step = 'pages' ORDER BY run_id DESC LIMIT 1),
	(SELECT issue_key FROM warehouse.issues ORDER BY ctid DESC LIMIT 1), 'texts are replaced');
-- What a node returned for earlier pages is not kept.
\set has_contexts false
SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'pg_backend_memory_contexts') AS has_contexts \gset
\if :has_contexts
CREATE FUNCTION much(items jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT jsonb_build_object('text', repeat(md5(items->0->>'issue_key'), 32768)) $$;
SELECT run(issues(), mapped(), resolute.node('much', 'much', input => 'mapped'),
	resolute.sql($$INSERT INTO trace (value) SELECT to_jsonb(max(used_bytes)) FROM pg_backend_memory_contexts WHERE name = 'resolute run'$$));
SELECT cmp_ok((SELECT value::text::bigint FROM trace), '<', 3000000::bigint, 'only the last output of a node takes memory');
\endif
-- Something between two sinks spools the source.
TRUNCATE warehouse.issues;
SELECT sim.get('/_sim/log?clear=1');
SELECT is((run(issues(), mapped(), upserted(), resolute.sql('SELECT 1'), resolute.node('pages', 'count_rows', input => 'mapped'))).inserted, :total::bigint, 'a step between two sinks');
SELECT is((SELECT sum(value::text::int) FROM trace), :total::bigint, 'both see all rows');
SELECT is((SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/log'))), ceil(:total / 50.0)::bigint, 'which were fetched once');

-- A template that is no plain object of columns.
TRUNCATE warehouse.issues;
SELECT is((run(issues(), resolute.as('mapped', resolute.map('issues',
	'{"issue_key": "{{.Key}}"{{if .Assignee}}, "assignee": "{{.Assignee}}"{{end}}, "updated_at": "{{.Updated}}"}')), upserted())).inserted, :total::bigint, 'a rendered document is a row');
SELECT set_eq('SELECT issue_key, assignee, updated_at, summary FROM warehouse.issues', 'SELECT issue_key, assignee, updated_at, NULL::text FROM sim.issues()', 'with the members it has');
SELECT is((SELECT failed FROM run(issues(), resolute.as('mapped', resolute.map('issues',
	'{"issue_key": "{{.Key}}"{{if eq .Key "PLATFORM-2"}}, {{index .Labels 99}}{{end}}}')), upserted())), 1::bigint, 'one that cannot be rendered is a dead letter');
SELECT is((SELECT item->>'key' FROM resolute.dead_letters WHERE flow = 'f' AND resolved_at IS NULL), 'PLATFORM-2', 'with its item');

-- Rows of a source may go into a table as they are.
CREATE TABLE warehouse.raw AS SELECT * FROM resolute.jira_issues('jira', 'project = PLATFORM', max_items => 1) LIMIT 0;
ALTER TABLE warehouse.raw ADD PRIMARY KEY (id);
SELECT is((run(issues(), resolute.upsert('issues', 'warehouse.raw', 'id'))).inserted, :total::bigint, 'a source without a map');
SELECT set_eq('SELECT * FROM warehouse.raw', $$SELECT * FROM resolute.jira_issues('jira', 'project = PLATFORM')$$, 'gives what jira_issues() gives');

-- Rows that a step refuses are counted once, though it sees them twice.
CREATE FUNCTION mapped_but(key text) RETURNS resolute.step LANGUAGE sql AS $f$
	SELECT resolute.as('mapped', resolute.map('issues', format('{"issue_key": "{{if eq .Key %s}}{{slice .Key 1000}}{{end}}{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}', '`' || key || '`')))
$f$;
SELECT run(issues(), mapped_but('PLATFORM-3'), upserted(), resolute.sql('SELECT 1'), resolute.as('again', resolute.upsert('mapped', 'warehouse.issues', 'issue_key')));
SELECT is((SELECT count(*) FROM resolute.run_steps WHERE run_id = (SELECT max(run_id) FROM resolute.runs) AND kind = 'upsert'
	AND (output->>'failed')::int = 1 AND (output->>'source_records')::int = (output->>'inserted')::int + (output->>'updated')::int + (output->>'unchanged')::int
		+ (output->>'stale')::int + (output->>'duplicates')::int + (output->>'filtered')::int + (output->>'failed')::int), 2::bigint, 'the books of both sinks balance');
SELECT is((SELECT failed FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 1::bigint, 'a row that failed is counted once');

-- Actions see the state, in order.
TRUNCATE warehouse.issues;
SELECT run(issues(), mapped(), upserted());
SELECT run(issues(), mapped(), upserted(), resolute.node('after', 'trace', input => 'upserted'), resolute.node('all', 'trace'));
SELECT is((SELECT (value->>'unchanged')::int FROM trace ORDER BY n LIMIT 1), :total, 'a node sees the counts of the upsert');
SELECT ok((SELECT value ?& ARRAY['input', 'run', 'issues', 'upserted', 'after'] FROM trace ORDER BY n DESC LIMIT 1), 'without an input it sees the whole state');
SELECT is((SELECT (value #>> '{run,source_records}')::int FROM trace ORDER BY n DESC LIMIT 1), :total, 'and the run');
SELECT run(resolute.as('deleted', resolute.sql('DELETE FROM warehouse.issues WHERE issue_key IN (SELECT issue_key FROM warehouse.issues LIMIT 2)')),
	resolute.when('deleted.rows', resolute.node('n', 'trace', input => 'deleted')));
SELECT is((SELECT value FROM trace), '{"rows": 2}', 'sql() tells the number of rows');
SELECT throws_ok($$SELECT run(issues(), mapped(), upserted(), resolute.sql('SELECT 1/0'))$$, '22012', NULL, 'an action that fails fails the run');
SELECT is((SELECT count(*) FROM warehouse.issues), :total::bigint - 2, 'and all that run_flow did is undone');

-- Under CALL what was committed before stands, and the failure is in the books.
SELECT resolute.create_or_replace_flow('f', resolute.manual(), issues(), mapped(), upserted(), resolute.sql('SELECT 1/0'));
SELECT throws_ok($$CALL resolute.run('f')$$, '22012', NULL, 'CALL raises the error as well');
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f');
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is((SELECT count(*) FROM warehouse.issues), :total::bigint, 'the pages before it stand');
SELECT results_eq('SELECT status, error_code FROM resolute.runs ORDER BY run_id DESC LIMIT 1', $$VALUES ('failed', '22012')$$, 'and the run is recorded as failed');
SELECT is((SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'resolute.flows'::regclass), 0::bigint, 'the flow is free again');

-- reset_cursor and TRUNCATE as steps.
TRUNCATE warehouse.issues;
SELECT resolute.create_or_replace_flow('full', resolute.manual(),
	resolute.sql($$SELECT resolute.reset_cursor('c')$$), resolute.sql('TRUNCATE warehouse.issues'),
	resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}', resolute.cursor_for('c'))), mapped(), upserted());
SELECT is((SELECT inserted FROM resolute.run_flow('full')), :total::bigint, 'a full reload the first time');
SELECT is((SELECT inserted FROM resolute.run_flow('full')), :total::bigint, 'and again');
CALL resolute.run('full');
SELECT is((SELECT inserted FROM resolute.runs ORDER BY run_id DESC LIMIT 1), :total::bigint, 'under CALL, too');

-- A cursor in a format, in the account's time zone, with overlap.
SELECT sim.get('/_sim/settings?timezone=America/New_York');
SELECT resolute.create_or_replace_flow('dated', resolute.manual(),
	resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= "${cursor}"',
		resolute.cursor_for('d', format => '2006-01-02 15:04', overlap => '1 hour', initial => '2026-01-01'))), mapped(), upserted());
SELECT is((SELECT source_records FROM resolute.run_flow('dated')), (SELECT count(*) FROM sim.issues() WHERE updated_at >= '2026-01-01'), 'a quoted cursor is in the time zone of the account');
SELECT is((SELECT source_records FROM resolute.run_flow('dated')),
	(SELECT count(*) FROM sim.issues() i, (SELECT position FROM resolute.cursors WHERE name = 'd') c WHERE i.updated_at >= date_trunc('minute', c.position - interval '1 hour')), 'and so is the next run with its overlap');

-- preview_flow writes nothing.
SELECT resolute.create_or_replace_flow('p', resolute.manual(),
	resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}', resolute.cursor_for('p'))), mapped(), upserted());
CREATE TABLE counts AS SELECT (SELECT count(*) FROM resolute.runs) AS runs, (SELECT count(*) FROM resolute.cursors) AS cursors, (SELECT count(*) FROM warehouse.issues) AS issues;
DELETE FROM warehouse.issues WHERE issue_key = (SELECT item->>'issue_key' FROM resolute.preview_flow('p', 1));
UPDATE counts SET issues = issues - 1;
UPDATE warehouse.issues SET summary = 'x' WHERE issue_key = (SELECT item->>'issue_key' FROM resolute.preview_flow('p', 2) OFFSET 1);
SELECT results_eq('SELECT step, verdict FROM resolute.preview_flow(''p'', 3)',
	$$VALUES ('upserted', 'insert'), ('upserted', 'update'), ('upserted', 'unchanged')$$, 'preview_flow tells what would happen');
SELECT set_eq('SELECT (SELECT count(*) FROM resolute.runs) AS runs, (SELECT count(*) FROM resolute.cursors) AS cursors, (SELECT count(*) FROM warehouse.issues) AS issues', 'SELECT * FROM counts', 'and writes nothing');

-- A flow runs as its owner, whoever calls it.
CREATE ROLE keeper;
CREATE ROLE operator;
GRANT keeper TO operator;
GRANT USAGE ON SCHEMA resolute, warehouse, public, sim TO keeper, operator;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA resolute TO keeper, operator;
GRANT SELECT ON ALL TABLES IN SCHEMA resolute TO keeper;
GRANT USAGE ON FOREIGN SERVER jira TO keeper;
CREATE TABLE warehouse.mine (issue_key text PRIMARY KEY, summary text, updated_at timestamptz, writer text DEFAULT current_user);
GRANT SELECT, INSERT, UPDATE ON warehouse.mine TO keeper;
SET ROLE keeper;
SELECT resolute.create_flow('owned', resolute.manual(), issues(), mapped(), resolute.upsert('mapped', 'warehouse.mine', 'issue_key'));
RESET ROLE;
SELECT is((SELECT inserted FROM resolute.run_flow('owned')), :total::bigint, 'a superuser runs the flow of another role');
SELECT is((SELECT array_agg(DISTINCT writer) FROM warehouse.mine), ARRAY['keeper'], 'as its owner');
SELECT is(current_user::text, session_user::text, 'and is who he was afterwards');
DELETE FROM warehouse.mine;
SET ROLE operator;
SELECT is((SELECT inserted FROM resolute.run_flow('owned')), :total::bigint, 'so may a member of the role');
RESET ROLE;
SELECT is((SELECT array_agg(DISTINCT writer) FROM warehouse.mine), ARRAY['keeper'], 'as its owner as well');
REVOKE UPDATE, INSERT ON warehouse.mine FROM keeper;
SELECT throws_ok($$SELECT resolute.run_flow('owned')$$, '42501', NULL, 'the rights of the owner on the target count, not those of the caller');
GRANT INSERT, UPDATE ON warehouse.mine TO keeper;
REVOKE USAGE ON FOREIGN SERVER jira FROM keeper;
SELECT throws_ok($$SELECT resolute.run_flow('owned')$$, '42501', NULL, 'and those on the server, on every run');
SELECT is(current_user::text, session_user::text, 'an error leaves one who one was');
CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'CREATE TEMP TABLE planted (x int)'; RETURN NEW; END $$;
CREATE TRIGGER evil BEFORE INSERT ON warehouse.mine FOR EACH ROW EXECUTE FUNCTION evil();
GRANT USAGE ON FOREIGN SERVER jira TO keeper;
DELETE FROM warehouse.mine;
SELECT throws_ok($$SELECT resolute.run_flow('owned')$$, '42501', NULL, 'the owner''s code cannot leave anything in the session of another caller');
DROP OWNED BY keeper, operator;
SELECT resolute.drop_flow('owned');
DROP ROLE keeper, operator;

SELECT * FROM finish();
