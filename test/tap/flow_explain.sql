-- explain_flow() and flow_diagram(): what is told of a flow without running it.
\ir setup/psql.sql
SET client_min_messages = warning;
SELECT no_plan();

CREATE SERVER jira FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://jira.example.com');
CREATE USER MAPPING FOR CURRENT_USER SERVER jira OPTIONS (email 'ada@example.com', api_token 'secret-token');
CREATE SCHEMA warehouse;
CREATE TABLE warehouse.issues (issue_key text PRIMARY KEY, summary text, updated_at timestamptz, points numeric, severity text);
CREATE FUNCTION warehouse.log(stats jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';

-- The flow that the tests change one thing of.
CREATE FUNCTION issues(jql text DEFAULT 'project = A AND updated >= ${cursor}', cursor jsonb DEFAULT resolute.cursor_for('c'), concurrency int DEFAULT NULL) RETURNS resolute.step
LANGUAGE sql AS $$ SELECT resolute.as('issues', resolute.jira_fetch_issues('jira', jql, cursor, concurrency => concurrency)) $$;
CREATE FUNCTION mapped(template text DEFAULT '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}') RETURNS resolute.step
LANGUAGE sql AS $$ SELECT resolute.as('mapped', resolute.map('issues', template)) $$;
CREATE FUNCTION stored() RETURNS resolute.step
LANGUAGE sql AS $$ SELECT resolute.as('stored', resolute.upsert('mapped', 'warehouse.issues', 'issue_key')) $$;

-- The plan as one text; and the facts of one label in it, trimmed.
CREATE FUNCTION plan(VARIADIC steps resolute.step[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM resolute.create_or_replace_flow('f', resolute.manual(), VARIADIC steps);
	RETURN (SELECT string_agg(plan, E'\n') FROM resolute.explain_flow('f'));
END $$;
CREATE FUNCTION facts(label text) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(substring(plan FROM '^ *' || label || ': (.*)$')) FILTER (WHERE plan ~ ('^ *' || label || ': ')) FROM resolute.explain_flow('f') $$;

-- A line in each row, the whole plan.
SELECT resolute.create_queue('data-sync', max_running => 2) \g /dev/null
SELECT resolute.create_flow('whole', resolute.schedule('0 * * * *'),
	resolute.as('issues', resolute.jira_fetch_issues('jira', jql => E'project = A\n  AND updated >= ${cursor}', cursor => resolute.cursor_for('whole', overlap => '10 minutes'), page_size => 50)),
	resolute.when('issues', mapped('{"issue_key": "{{.Key}}", "updated_at": "{{.Updated}}", "points": {{.StoryPoints}}, "severity": "{{.SeverityLevel}}"}'),
		resolute.as('unique', resolute.unique('mapped', key => 'issue_key')),
		resolute.as('stored', resolute.upsert('unique', 'warehouse.issues', 'issue_key')),
		resolute.node('pages', 'warehouse.log', input => 'unique')),
	resolute.sql('NOTIFY done')) \g /dev/null
SELECT resolute.alter_flow('whole', queue => 'data-sync', max_runtime => '30 minutes', max_failures => 50) \g /dev/null
SELECT is((SELECT string_agg(plan, E'\n') FROM resolute.explain_flow('whole')), format($p$Flow "whole"  (version 1)
  Trigger: schedule 0 * * * *
  Owner: %s
  Queue: data-sync (at most 2 runs at once, others wait)
  Max Runtime: 00:30:00
  Max Failures: 50 for each step
  Transactions: under CALL resolute.run() as told below; run_flow() is one, and moves cursors at its end
  ->  jira_fetch_issues "issues"
        Server: jira
        JQL: project = A AND updated >= ${cursor}
        Cursor: whole (overlap 00:10:00)
        Page Size: 50
        Fields: updated, story points (found by their name or type), "SeverityLevel" (found by its name)
        Spool: no, pages go through as they come
        Checkpoint: after each page, in the transaction that stores its rows
  ->  when 2
        Condition: issues
        Looks Ahead: to the first row of "issues"
        ->  map "mapped"
              Rows: issues
              Template: {"issue_key": "{{.Key}}", "updated_at": "{{.Updated}}", "points": {{.StoryPoints}}, "severity": "{{.SeverityLevel}}"}
              Columns: issue_key, updated_at, points, severity
        ->  unique "unique"
              Rows: mapped
              Key: issue_key
              Columns: issue_key, updated_at, points, severity
        ->  upsert "stored"
              Rows: unique
              Target: warehouse.issues
              Key: issue_key
              Columns: issue_key, updated_at, points, severity
              Version: updated_at, which is filled from what the cursor follows
              Pass: one transaction for each page of "issues"
        ->  node "pages"
              Function: warehouse.log
              Input: unique
              Pass: with "stored", in the same transactions
  ->  sql 7
        Statement: NOTIFY done$p$, current_user), 'explain_flow() prints the plan, a line in each row');
SELECT is((SELECT count(*) FROM resolute.runs), 0::bigint, 'and runs nothing');

-- Checkpoints, and why there is none after each page.
SELECT plan(issues(), mapped(), stored()) \g /dev/null
SELECT is(facts('Checkpoint'), '{"after each page, in the transaction that stores its rows"}', 'pages in the order of the cursor are checkpoints');
SELECT plan(issues('updated >= ${cursor} ORDER BY updated ASC'), mapped(), stored()) \g /dev/null
SELECT matches(facts('Checkpoint')::text, 'after each page', 'also where the query says so itself');
SELECT plan(issues('updated >= ${cursor} ORDER BY created'), mapped(), stored()) \g /dev/null
SELECT matches(facts('Checkpoint')::text, 'at the end, because the query has an order of its own', 'another order: at the end');
SELECT plan(issues(concurrency => 8), mapped(), stored()) \g /dev/null
SELECT matches(facts('Checkpoint')::text, 'at the end, because with 8 requests in flight', 'several requests at once: at the end');
SELECT plan(issues('updated >= 0', NULL), mapped(), stored()) \g /dev/null
SELECT is(facts('Checkpoint'), '{"none: without a cursor every run reads everything"}', 'no cursor: none');
SELECT plan(issues(), mapped('{"issue_key": "{{.Key}}"}'), stored()) \g /dev/null
SELECT is(facts('Version'), '{"none: an older copy may overwrite a newer row"}', 'a template without the field of the cursor gives no version');
SELECT plan(issues(), mapped()) \g /dev/null
SELECT matches(facts('Checkpoint')::text, 'none.*no step stores them', 'rows that nobody stores: none');
SELECT plan(issues(), mapped(), stored(), resolute.sql('SELECT 1'), resolute.node('again', 'warehouse.log', input => 'mapped')) \g /dev/null
SELECT matches(facts('Checkpoint')::text, 'at the end, because its rows are spooled', 'a spool: at the end');
SELECT plan(issues('updated >= ${cursor} ORDER BY created'), resolute.when('issues.count', mapped(), stored())) \g /dev/null
SELECT matches(facts('Checkpoint')::text, 'rows are spooled; and the query has an order', 'all reasons are told');

-- What is spooled, and for whom.
SELECT matches(facts('Spool')::text, 'all rows .* the condition of \\"when 2\\" looks at more than whether there are any', 'a count spools');
SELECT plan(issues(), resolute.when($$(state->'issues'->>'count')::int > 3$$, mapped(), stored())) \g /dev/null
SELECT matches(facts('Spool')::text, 'the condition of \\"when 2\\"', 'in SQL, too');
SELECT plan(issues(), mapped(), stored(), resolute.sql('SELECT 1'), resolute.node('again', 'warehouse.log', input => 'mapped')) \g /dev/null
SELECT matches(facts('Spool')::text, '\\"again\\" reads them again, after other steps', 'so does a second pass');
SELECT is(facts('Pass'), '{"one transaction for each page of the spool of \"issues\"","one transaction for each page of the spool of \"issues\""}', 'whose sinks read the spool');
SELECT plan(issues(), mapped(), stored(), resolute.when('issues.count', resolute.sql('SELECT 1'))) \g /dev/null
SELECT is(facts('Spool'), '{"no, pages go through as they come"}', 'a count after the pass does not');

-- Which fields the API is asked for.
SELECT plan(issues(), mapped('{"issue_key": "{{.Key}}", "summary": "{{.Assignee}} {{.Fields.customfield_10010}} {{.Status.StatusCategory}}"}'), stored()) \g /dev/null
SELECT is(facts('Fields'), '{"updated, assignee, customfield_10010, status"}', 'aliases, ids and chains');
SELECT plan(issues(), resolute.node('items', 'warehouse.log', input => 'issues')) \g /dev/null
SELECT matches(facts('Fields')::text, 'navigable', 'a node that takes whole items asks for all');
SELECT plan(issues('updated >= 0', NULL), mapped('{"issue_key": "{{.Key}}"}'), stored()) \g /dev/null
SELECT is(facts('Fields'), '{"id, key"}', 'or for next to nothing');

-- Loops, parallel blocks, merges.
SELECT plan(resolute.as('issues', resolute.jira_fetch_issues('jira', 'updated >= ${cursor}', resolute.cursor_for('c'), paginate => 'manual')),
	resolute.while('issues.has_more', mapped(), stored(), resolute.next_page('issues'))) AS manual \gset
SELECT is(facts('Checkpoint'), '{"by next_page(), when the page has been worked on"}', 'pages by hand are checkpoints of next_page()');
SELECT is(facts('Spool'), '{"no, one page at a time, until next_page() asks for another"}', 'and need no spool');
SELECT is(facts('Max Iterations'), '{10000}', 'a loop tells its limit');
SELECT matches(:'manual'::text, E'->  while 2\n +Condition: issues.has_more\n.*\n {8}->  upsert "stored"\n.*\n {8}->  next_page 5\n', 'and what is in it');
SELECT plan(issues(), resolute.with_max_iterations(resolute.while('input.more', mapped(), stored()), 7)) \g /dev/null
SELECT matches(facts('Spool')::text, 'all rows .* \\"stored\\" reads them in each round of a loop', 'rows that a loop reads again are spooled');
SELECT is(facts('Max Iterations'), '{7}', 'with_max_iterations');
SELECT plan(resolute.parallel(resolute.as('a', resolute.jira_fetch_issues('jira', 'project = A AND updated >= ${cursor}', resolute.cursor_for('a'))),
		resolute.as('b', resolute.jira_fetch_issues('jira', 'project = B AND updated >= ${cursor}', resolute.cursor_for('b')))),
	resolute.as('issues', resolute.merge('a', 'b')),
	resolute.as('mapped', resolute.map('issues', '{"issue_key": "{{.Key}}", "summary": "{{.Status}}", "updated_at": "{{.Updated}}"}')), stored()) \g /dev/null
SELECT is(facts('Fields'), '{"updated, status","updated, status"}', 'each source of a merge is asked for what is read behind it');
SELECT is(facts('Rows'), '{"a, b",issues,mapped}', 'a merge tells its inputs');
SELECT is(facts('Pass'), '{"one transaction for each page of \"a\", \"b\""}', 'and its sink takes pages of both');
SELECT is((SELECT count(*) FROM unnest(facts('Checkpoint')) c WHERE c LIKE 'after each page%'), 2::bigint, 'which are checkpoints of their own');
SELECT matches(resolute.flow_diagram('f'), E'subgraph s1\\["parallel 1<br/>In Flight: .*s2 --> s4\n    s3 --> s4\n', 'the diagram shows both');

-- Wrappers, whatever they are around, and handlers.
SELECT plan(issues() || '{"retry": {"attempts": 3, "first_wait": "1 second"}, "timeout": "30 seconds"}'::jsonb, mapped(),
	stored() || '{"max_failures": 7, "on_error": [[{"step": "sql", "as": "undo", "statement": "SELECT 1"}], [{"step": "sql", "statement": "SELECT 2"}]]}'::jsonb,
	resolute.when('true', resolute.node('n', 'warehouse.log') || '{"rate_limit": {"n": 10, "per": "1 minute"}}'::jsonb) || '{"retry": {"attempts": 5, "first_wait": "0"}}'::jsonb) AS wrapped \gset
SELECT is(facts('Retry'), '{"3 attempts, first wait 00:00:01","5 attempts, first wait 00:00:00, for each step in it"}', 'with_retry');
SELECT is(facts('Timeout'), '{00:00:30}', 'with_timeout');
SELECT is(facts('Rate Limit'), '{"10 per 00:01:00"}', 'with_rate_limit');
SELECT is(facts('Max Failures'), '{"100 for each step",7}', 'with_max_failures');
SELECT matches(:'wrapped'::text, E'->  upsert "stored".*\n +On Error:\n +->  sql "undo"\n +Statement: SELECT 1\n +On Error:\n +->  sql \\d+\n +Statement: SELECT 2\n', 'on_error, innermost first');

-- The diagram.
SELECT is(resolute.flow_diagram('whole'), $d$flowchart TD
    flow(("whole<br/>Trigger: schedule 0 * * * *<br/>Queue: data-sync (at most 2 runs at once, others wait)"))
    s1(["jira_fetch_issues #34;issues#34;<br/>Server: jira<br/>JQL: project = A AND updated #62;= $#123;cursor#125;<br/>Cursor: whole (overlap 00:10:00)<br/>Page Size: 50<br/>Checkpoint: after each page"])
    subgraph s2["when 2<br/>Condition: issues"]
        s3["map #34;mapped#34;"]
        s4["unique #34;unique#34;<br/>Key: issue_key"]
        s5[("upsert #34;stored#34;<br/>Target: warehouse.issues<br/>Key: issue_key")]
        s6[["node #34;pages#34;<br/>Function: warehouse.log"]]
    end
    s7[["sql 7<br/>Statement: NOTIFY done"]]
    flow -.-> s2
    s2 -.-> s7
    s1 --> s3
    s3 --> s4
    s4 --> s5
    s4 --> s6$d$, 'flow_diagram() is text for Mermaid');
SELECT matches(resolute.flow_diagram('f'), E'subgraph s3_error1\\["on_error"\\]\n.*s3 -\\. "error" \\.-> s3_error1', 'with handlers');
SELECT plan(issues(), mapped(), stored(), resolute.node('n', 'warehouse.log', input => 'stored'), resolute.node('again', 'warehouse.log', input => 'mapped')) \g /dev/null
SELECT matches(resolute.flow_diagram('f'), 's3 -\. "output" \.-> s4', 'outputs');
SELECT matches(resolute.flow_diagram('f'), 's2 -- "spooled" --> s5', 'and spools');
SELECT resolute.create_flow(E'odd "f"; #x;\nend', resolute.manual('a]] %% {b} | `c` <d> \ &'),
	resolute.as(E'x"]\n; end', resolute.sql('SELECT ''"''')), resolute.sql('SELECT ''' || repeat('ü', 200) || '''')) \g /dev/null
SELECT is((SELECT string_agg(line, E'\n' ORDER BY n) FROM unnest(string_to_array(resolute.flow_diagram(E'odd "f"; #x;\nend'), E'\n')) WITH ORDINALITY AS l(line, n)
	WHERE n < 4), $d$flowchart TD
    flow(("odd #34;f#34;#59; #35;x#59; end<br/>Trigger: manual a#93;#93; #37;#37; #123;b#125; #124; #96;c#96; #60;d#62; #92; #38;"))
    s1[["sql #34;x#34;#93; #59; end#34;<br/>Statement: SELECT '#34;'"]]$d$, 'nothing in a label means anything to Mermaid');
SELECT is((SELECT plan FROM resolute.explain_flow(E'odd "f"; #x;\nend') LIMIT 1), 'Flow "odd "f"; #x; end"  (version 1)', 'each row of explain_flow() is one line');
SELECT ok((SELECT bool_and(octet_length(plan) < 250) AND bool_or(plan LIKE '%ü …') FROM resolute.explain_flow(E'odd "f"; #x;\nend')), 'long texts are cut, between characters');

-- Settings; nothing is asked of a server, and no secret is told.
SELECT resolute.disable_flow('whole') \g /dev/null
SELECT resolute.alter_queue('data-sync', 1, 'skip') \g /dev/null
SELECT ok((SELECT bool_or(plan = '  Trigger: schedule 0 * * * * (disabled)') AND bool_or(plan = '  Queue: data-sync (at most 1 run at once, others are skipped)') FROM resolute.explain_flow('whole')), 'settings as they are now');
SELECT is((SELECT count(*) FROM resolute.flow_versions v, resolute.flows f, resolute.explain_flow(f.name) e WHERE e LIKE '%secret%' AND v.flow_id = f.flow_id), 0::bigint, 'no secret is told');

-- Bad input.
SELECT throws_ok($$SELECT resolute.explain_flow('nobody')$$, '42704', 'flow "nobody" does not exist', 'explain_flow of an unknown flow');
SELECT throws_ok($$SELECT resolute.flow_diagram('nobody')$$, '42704', 'flow "nobody" does not exist', 'flow_diagram of an unknown flow');
SELECT is_empty($$SELECT resolute.explain_flow(NULL)$$, 'of null');
DROP ROLE IF EXISTS resolute_stranger;
CREATE ROLE resolute_stranger;
GRANT USAGE ON SCHEMA resolute TO resolute_stranger;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA resolute TO resolute_stranger;
SET ROLE resolute_stranger;
SELECT throws_ok($$SELECT resolute.explain_flow('whole')$$, '42501', 'permission denied for flow "whole"', 'flows of others are not explained');
SELECT throws_ok($$SELECT resolute.flow_diagram('whole')$$, '42501', NULL, 'nor drawn');
RESET ROLE;
DROP OWNED BY resolute_stranger;
DROP ROLE resolute_stranger;
SELECT * FROM finish();
