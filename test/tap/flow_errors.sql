-- What goes wrong with a source fails the run: loudly, with nothing written and the cursor where it was.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=700&seed=5');
SET resolute.http_attempts = 2;
SELECT no_plan();

SELECT is((SELECT status FROM resolute.run_flow('jira-warehouse-sync')), 'succeeded', 'a run to begin with');
CREATE TABLE issues_before AS SELECT * FROM warehouse.issues;
CREATE TABLE cursors_before AS SELECT * FROM resolute.cursors;
CREATE TABLE history_before AS SELECT count(*) FROM resolute.cursor_history;

-- The flow fails with this SQLSTATE and message, has a hint, and leaves no trace but its row in the books.
CREATE FUNCTION fails_with(state text, pattern text, description text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	got_state text; message text; detail text; hint text; context text;
BEGIN
	BEGIN
		PERFORM resolute.run_flow('jira-warehouse-sync');
		RETURN NEXT fail(description || ': did not fail');
		RETURN;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS got_state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
			hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	END;
	RETURN NEXT is(got_state, state, description || ': SQLSTATE');
	RETURN NEXT ok(message || ' | ' || detail ~* pattern, description || ': ' || message || ' | ' || detail);
	RETURN NEXT ok(hint <> '', description || ': has a hint: ' || hint);
	RETURN NEXT ok(message || context ~ 'jira', description || ': names the flow, step or server');
	RETURN NEXT ok(message || detail || hint !~ 'sim-token|YWRhQ', description || ': shows no secret');
	RETURN NEXT set_eq('SELECT * FROM warehouse.issues', 'SELECT * FROM issues_before', description || ': nothing is written');
	RETURN NEXT set_eq('SELECT * FROM resolute.cursors', 'SELECT * FROM cursors_before', description || ': the cursor stays');
	PERFORM sim.get('/_sim/faults?clear=1');
END $$;
CREATE FUNCTION fault_fails_with(fault jsonb, state text, pattern text, description text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim.post('/_sim/fault', '{"times": -1}' || fault);
	RETURN QUERY SELECT * FROM fails_with(state, pattern, description);
END $$;

SELECT fault_fails_with('{"status": 401}', '28000', '401', '401');
SELECT fault_fails_with('{"status": 403, "headers": {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=https://x/login.jsp"}}', '28000', 'CAPTCHA', '403 with CAPTCHA');
SELECT fault_fails_with('{"status": 404}', '08004', '404', '404');
SELECT fault_fails_with('{"status": 410, "body": {"errorMessages": ["The requested API has been removed. Please migrate to the /rest/api/3/search/jql API."], "errors": {}}}', '08004', '410.*has been removed', '410');
SELECT fault_fails_with('{"status": 400, "body": {"errorMessages": ["Unbounded JQL queries are not allowed here."], "errors": {}}}', '22023', 'Unbounded JQL', '400');
SELECT fault_fails_with('{"html": true}', '08P01', 'web page', '200 with a login page');
SELECT fault_fails_with('{"seraph": true}', '28000', 'anonymous|credential', '200 that was answered anonymously');
SELECT fault_fails_with('{"truncate": 500}', '08006', 'short|closed|end|bytes', 'a body shorter than promised');
SELECT fault_fails_with('{"body": "{\"issues\": [{\"key\": \"A-1\", "}', '08P01', 'byte|JSON', 'JSON that ends early');
SELECT fault_fails_with('{"not_object": true}', '08P01', 'not a JSON object', 'JSON that is no object');
SELECT fault_fails_with('{"no_issues": true}', '08P01', 'no list of issues', 'no issues');
SELECT fault_fails_with('{"no_token": true}', '08P01', 'names no next page', 'isLast: false without a token');
SELECT fault_fails_with('{"status": 500}', '08006', '500', '500, again and again');
SELECT fault_fails_with('{"status": 429, "headers": {"Retry-After": "3600"}}', '53400', '429|wait', '429 with a long wait');
SELECT fault_fails_with('{"redirect": "https://evil.example.com/"}', '08004', 'evil.example.com', 'a redirect to another host');

-- A repeated page token: on the second page.
SELECT resolute.reset_cursor('jira-sync');
TRUNCATE warehouse.issues, issues_before, cursors_before;
INSERT INTO cursors_before SELECT * FROM resolute.cursors;
SELECT fault_fails_with('{"skip": 1, "repeat_token": true}', '08P01', 'token', 'repeated token');
SELECT is((SELECT status FROM resolute.run_flow('jira-warehouse-sync')), 'succeeded', 'after all that the flow runs');
SELECT sim.same_as_source('and brings everything');
INSERT INTO issues_before SELECT * FROM warehouse.issues;
TRUNCATE cursors_before; INSERT INTO cursors_before SELECT * FROM resolute.cursors;

-- Options of the server and the mapping.
ALTER SERVER jira OPTIONS (ADD max_body '10kB');
SELECT resolute.set_cursor('jira-sync', '1970-01-01');
TRUNCATE cursors_before; INSERT INTO cursors_before SELECT * FROM resolute.cursors;
SELECT fails_with('54000', 'too large', 'a body over the cap');
ALTER SERVER jira OPTIONS (DROP max_body, ADD timeout '300ms');
SELECT fault_fails_with('{"hang": true}', '08006', 'time', 'a silent peer');
ALTER SERVER jira OPTIONS (DROP timeout);
SELECT sim.get('/_sim/settings?auth=check&token=another');
SELECT fails_with('28000', '401', 'an expired token');
SELECT sim.get('/_sim/settings?token=sim-token');
DROP USER MAPPING FOR PUBLIC SERVER jira;
SELECT fails_with('28000', 'mapping', 'no user mapping');
CREATE USER MAPPING FOR CURRENT_USER SERVER jira OPTIONS (email 'ada@example.com', api_token 'sim-token');
SELECT url AS old_url FROM sim.url() url \gset
ALTER SERVER jira OPTIONS (SET base_url 'http://127.0.0.1:1');
SELECT fails_with('08001', 'connect|refused', 'connection refused');
ALTER SERVER jira OPTIONS (SET base_url 'http://nowhere.invalid');
SELECT fails_with('08001', 'could not find the host', 'a name that is not found');
ALTER SERVER jira OPTIONS (SET base_url :'old_url');

-- Cursors.
SELECT sim.flow(jql => 'project = MOBILE AND updated >= ${cursor}');
SELECT resolute.set_cursor('jira-sync', '2026-01-30');
SELECT sim.flow();
SELECT is((SELECT status FROM resolute.run_flow('jira-warehouse-sync')), 'succeeded', 'the cursor is bound again');
TRUNCATE cursors_before; INSERT INTO cursors_before SELECT * FROM resolute.cursors;
TRUNCATE issues_before; INSERT INTO issues_before SELECT * FROM warehouse.issues;
SELECT sim.flow(jql => 'project = MOBILE AND updated >= ${cursor}');
SELECT fails_with('55000', 'query', 'a cursor used with another query');
SELECT sim.flow();
TRUNCATE warehouse.issues, issues_before;
SELECT fails_with('55000', 'empty|emptied', 'an emptied target with a moved cursor');
SELECT resolute.reset_cursor('jira-sync');
SELECT is((SELECT status FROM resolute.run_flow('jira-warehouse-sync')), 'succeeded', 'reset_cursor is the remedy');
SELECT sim.same_as_source('and brings everything back');
TRUNCATE cursors_before; INSERT INTO cursors_before SELECT * FROM resolute.cursors;
INSERT INTO issues_before SELECT * FROM warehouse.issues;

-- The target is gone, or has changed, since the flow was made.
ALTER TABLE warehouse.issues RENAME TO elsewhere;
SELECT throws_ok($$SELECT resolute.run_flow('jira-warehouse-sync')$$, '42P01', NULL, 'a missing table');
ALTER TABLE warehouse.elsewhere RENAME TO issues;
ALTER TABLE warehouse.issues RENAME summary TO title;
SELECT throws_ok($$SELECT resolute.run_flow('jira-warehouse-sync')$$, '42703', NULL, 'a missing column');
ALTER TABLE warehouse.issues RENAME title TO summary;
ALTER TABLE warehouse.issues DROP CONSTRAINT issues_pkey;
SELECT throws_ok($$SELECT resolute.run_flow('jira-warehouse-sync')$$, '42P10', NULL, 'a missing unique index');
ALTER TABLE warehouse.issues ADD PRIMARY KEY (issue_key);

-- Who may run it.
SELECT throws_ok($$SELECT resolute.run_flow('nobody')$$, '42704', 'flow "nobody" does not exist', 'an unknown flow');
SELECT throws_ok($$SELECT resolute.run_flow(NULL)$$, '22004', NULL, 'no name');
SELECT throws_ok($$SELECT resolute.run_flow('jira-warehouse-sync', input => '[]')$$, '22023', 'input of flow "jira-warehouse-sync" must be a JSON object', 'input that is no object');
SELECT throws_ok($$SELECT * FROM resolute.jira_issues('jira', 'updated >= ${cursor}')$$, '22023', '${cursor} has no meaning outside a flow', '${cursor} outside a flow');
SELECT throws_ok($$SELECT resolute.prune('-3 days')$$, '22023', 'keep_for must not be negative', 'a negative time to keep');
SELECT throws_ok($$SELECT resolute.render('{"a": "{{date `YYYY-MM-DD` .t}}"}', '{"t": "2026-01-01"}')$$, '22023', NULL, 'a layout that is none');
CREATE ROLE stranger;
GRANT USAGE ON SCHEMA resolute TO stranger;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA resolute TO stranger;
GRANT SELECT ON ALL TABLES IN SCHEMA resolute TO stranger;
SET ROLE stranger;
SELECT throws_ok($$SELECT resolute.run_flow('jira-warehouse-sync')$$, '42501', 'permission denied for flow "jira-warehouse-sync"', 'a stranger may not run it');
SELECT throws_ok($$CALL resolute.run('jira-warehouse-sync')$$, '42501', 'permission denied for flow "jira-warehouse-sync"', 'nor call it');
SELECT throws_ok($$SELECT resolute.drop_flow('jira-warehouse-sync')$$, '42501', NULL, 'nor drop it');
SELECT throws_ok($$SELECT resolute.preview_flow('jira-warehouse-sync')$$, '42501', NULL, 'nor preview it');
SELECT throws_ok($$SELECT resolute.flow_definition('jira-warehouse-sync')$$, '42501', NULL, 'nor see its definition');
SELECT is_empty('SELECT 1 FROM resolute.flows UNION ALL SELECT 1 FROM resolute.flow_versions UNION ALL SELECT 1 FROM resolute.cursors UNION ALL SELECT 1 FROM resolute.runs
	UNION ALL SELECT 1 FROM resolute.run_steps UNION ALL SELECT 1 FROM resolute.dead_letters UNION ALL SELECT 1 FROM resolute.cursor_history UNION ALL SELECT 1 FROM resolute.flow_status', 'nor any of its books');
SELECT throws_ok($$SELECT resolute.jira_issues('jira', 'project = PLATFORM')$$, '42501', NULL, 'nor use the server');
RESET ROLE;
REVOKE ALL ON ALL ROUTINES IN SCHEMA resolute FROM stranger;
REVOKE ALL ON ALL TABLES IN SCHEMA resolute FROM stranger;
REVOKE ALL ON SCHEMA resolute FROM stranger;
DROP ROLE stranger;
SELECT is((SELECT count(*) FROM pg_proc p WHERE pronamespace = 'resolute'::regnamespace AND has_function_privilege('public', p.oid, 'EXECUTE')), 0::bigint, 'PUBLIC may execute nothing');

SELECT * FROM finish();
