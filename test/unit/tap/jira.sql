-- The Jira source as a fetch step sees it: names of fields, what is asked for, walks.
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
CREATE EXTENSION resolute_unit;
SET TimeZone = 'UTC';
SELECT current_setting('test.simulator', true) IS NULL AS alone \gset
SELECT * FROM no_plan();

-- ---------------------------------------------------------------------------
-- Orders of queries
-- ---------------------------------------------------------------------------
SELECT is(unit.query_order(query), wanted, query) FROM (VALUES
	('project = X', 'none'),
	('', 'none'),
	('project = X ORDER BY updated ASC', 'ascending'),
	('project = X order  by UpdatedDate asc, key', 'ascending'),
	('ORDER BY "updated" ASC', 'ascending'),
	('project = X ORDER BY updated', 'other'),
	('project = X ORDER BY updated DESC', 'other'),
	('project = X ORDER BY created ASC, updated ASC', 'other'),
	('summary ~ "order by updated asc"', 'none'),
	('summary ~ ''a \'' order by updated asc''', 'none'),
	('summary ~ "a \\" ORDER BY updated ASC', 'ascending'),
	('order = 5 AND by = 6', 'none'),
	('reporter="x"ORDER BY updated ASC', 'ascending')) AS v (query, wanted);
SELECT throws_ok($$SELECT unit.query_order('summary ~ "x')$$, '42601', 'unterminated quoted string in JQL');
SELECT throws_ok($$SELECT unit.query_order('project = X ORDER BY ''x')$$, '42601', 'unterminated quoted string in JQL');
SELECT throws_ok($$SELECT unit.query_order('summary ~ "x\"')$$, '42601', 'unterminated quoted string in JQL');

-- ---------------------------------------------------------------------------
-- Rich text
-- ---------------------------------------------------------------------------
CREATE FUNCTION pg_temp.doc(content text) RETURNS text LANGUAGE sql AS
	$$ SELECT '{"version": 1, "content": [' || content || '], "type": "doc"}' $$;
CREATE FUNCTION pg_temp.para(content text) RETURNS text LANGUAGE sql AS
	$$ SELECT '{"type": "paragraph", "content": [' || content || ']}' $$;

SELECT is(unit.adf_text(document), wanted, title) FROM (VALUES
	('a string', '"as it \u0069s\n"', E'as it is\n'),
	('an empty string', '""', ''),
	('null', 'null', NULL),
	('no document', '[1, 2]', '[1, 2]'),
	('an empty document', pg_temp.doc(''), ''),
	('text', pg_temp.doc(pg_temp.para('{"type": "text", "text": "a \"b\""}, {"text": " c", "type": "text", "marks": [{"type": "strong"}]}')), 'a "b" c'),
	('blocks', pg_temp.doc('{"type": "heading", "attrs": {"level": 1}, "content": [{"type": "text", "text": "H"}]}, '
		|| pg_temp.para('{"type": "text", "text": "a"}, {"type": "hardBreak"}, {"type": "text", "text": "b"}') || ', {"type": "rule"}, '
		|| pg_temp.para('') || ', ' || pg_temp.para('{"type": "text", "text": "c"}')), E'H\na\nb\nc'),
	('inline nodes', pg_temp.doc(pg_temp.para('{"type": "mention", "attrs": {"id": "1", "text": "@Ada"}}, {"type": "text", "text": " "},
		{"type": "emoji", "attrs": {"shortName": ":x:", "text": "😀"}}, {"type": "emoji", "attrs": {"shortName": ":y:"}}, {"type": "text", "text": " "},
		{"type": "date", "attrs": {"timestamp": "1582152559000"}}, {"type": "status", "attrs": {"text": "DONE"}}, {"type": "text", "text": " "},
		{"type": "inlineCard", "attrs": {"url": "https://x.example"}}')), '@Ada 😀:y: 2020-02-19DONE https://x.example'),
	('a list', pg_temp.doc('{"type": "bulletList", "content": [{"type": "listItem", "content": [' || pg_temp.para('{"type": "text", "text": "a"}')
		|| ', {"type": "orderedList", "content": [{"type": "listItem", "content": [' || pg_temp.para('{"type": "text", "text": "b"}') || ']}]}]}]}'), E'a\nb'),
	('a table', pg_temp.doc('{"type": "table", "content": [{"type": "tableRow", "content": [{"type": "tableHeader", "content": [' || pg_temp.para('{"type": "text", "text": "a"}')
		|| ']}, {"type": "tableHeader", "content": [' || pg_temp.para('{"type": "text", "text": "b"}') || ']}]}, {"type": "tableRow", "content": [{"type": "tableCell", "content": [' || pg_temp.para('')
		|| ']}, {"type": "tableCell", "content": [' || pg_temp.para('{"type": "text", "text": "d"}') || ']}]}]}'), E'a\tb\t\n\td'),
	('code, a panel, a card', pg_temp.doc('{"type": "codeBlock", "content": [{"type": "text", "text": "x\n  y"}]}, {"type": "panel", "content": [' || pg_temp.para('{"type": "text", "text": "p"}')
		|| ']}, {"type": "blockCard", "attrs": {"url": "https://y.example"}}, {"type": "expand", "attrs": {"title": "T"}, "content": [' || pg_temp.para('{"type": "text", "text": "e"}') || ']}'),
		E'x\n  y\np\nhttps://y.example\nT\ne'),
	('what it does not know', pg_temp.doc('{"type": "new", "content": [{"type": "text", "text": "t"}, 5, null, "s", [], {"type": {}, "content": {}}]}'), 't'),
	('an absurd date', pg_temp.doc(pg_temp.para('{"type": "date", "attrs": {"timestamp": "99999999999999999999"}}, {"type": "date", "attrs": {}}, {"type": "text", "text": "x"}')), 'x')
) AS v (title, document, wanted);
SELECT is(unit.adf_text(pg_temp.doc(repeat('{"type": "panel", "content": [', 5000) || '{"type": "text", "text": "x"}' || repeat(']}', 5000))), '',
	'what lies too deep is left out');

\if :alone
SELECT skip('there is no simulator (test/with-simulator)', 1);
\else
\ir ../../tap/setup/jira.sql

-- All rows of the source that is open.
CREATE FUNCTION pg_temp.drain() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	page record;
	rows jsonb := '[]';
BEGIN
	LOOP
		SELECT * INTO page FROM unit.source_next();
		EXIT WHEN page.number IS NULL;
		rows := rows || page.rows;
	END LOOP;
	RETURN rows;
END $$;
-- What was asked for in the one search since the last call.
CREATE FUNCTION pg_temp.asked() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(f, ' ' ORDER BY o) FROM sim.searches(), jsonb_array_elements_text(body -> 'fields') WITH ORDINALITY AS e (f, o) $$;

SELECT sim.connect('jira', mapping => $q$email 'ada@example.com', api_token 'sim-token'$q$);
SELECT sim.connect('dc', mapping => $q$email 'ada@example.com', api_token 'sim-token'$q$, path => '/server');
SELECT sim.post('/_sim/reset', '{"issues": 300}') IS NULL AS x \gset

-- ---------------------------------------------------------------------------
-- Names, and what is asked for
-- ---------------------------------------------------------------------------
SELECT is(unit.source_eventual('jira'), NULL, 'nobody knows yet whether the search lags behind');
SELECT is(unit.source_open('jira', 'updated >= 0', '{}', max_items => 1), '', 'no names, no fields');
SELECT is(pg_temp.drain(), '[[]]', 'and no values');
SELECT is(pg_temp.asked(), 'id key', 'asked for are id and key');
SELECT is(unit.source_eventual('jira'), true, 'the Cloud''s search lags behind');
SELECT is(unit.source_open('dc', 'updated >= 0', '{}', max_items => 1), '', 'the same of a Server');
SELECT is(pg_temp.drain(), '[[]]', 'and yields');
SELECT is(unit.source_eventual('dc'), false, 'a Server''s search does not lag behind');
SELECT count(*) AS x FROM sim.log() \gset

SELECT is(unit.source_open('jira', 'updated >= 0', '{Key,ID,Url}', max_items => 1), 'Key,ID,Url', 'names that need no field');
SELECT matches(pg_temp.drain() #>> '{0,2}', '^http://127.0.0.1:\d+/browse/[A-Z]+-\d+$', 'the url of an issue');
SELECT is(pg_temp.asked(), 'id key', 'cost nothing');

SELECT is(unit.source_open('jira', 'updated >= 0', '{Summary}', ordered => true, max_items => 1), 'Summary,updated* ascending', 'a cursor adds its field');
SELECT ok(pg_temp.drain() #>> '{0,1}' ~ '^\d{4}-\d\d-\d\dT', 'which has a value');
SELECT is(body ->> 'jql', 'updated >= 0 ORDER BY updated ASC, key ASC', 'and the order') FROM sim.searches();
SELECT is(unit.source_open('jira', 'updated >= 0', '{UPDATED,Fields.updated}', ordered => true, max_items => 1), 'UPDATED*,Fields.updated* ascending', 'unless it is there');
SELECT ok(rows #>> '{0,0}' = rows #>> '{0,1}', 'under both names') FROM pg_temp.drain() AS rows;
SELECT is(pg_temp.asked(), 'updated', 'it is asked for once');

-- one issue whose fields are dictated
SELECT sim.post('/_sim/fault', '{"times": -1, "row": 0, "fields": {
	"summary": "S \u00e9", "status": {"id": "3", "name": "Done", "statusCategory": {"key": "done", "id": 3}},
	"duedate": "2026-02-03", "votes": {"votes": 7}, "project": {"key": "P", "id": "9", "name": "Pro"},
	"customfield_10016": 2.5, "customfield_10021": {"value": "High", "child": {"value": "x"}},
	"assignee": {"displayName": "", "name": "ada", "key": "JIRAUSER1"}, "reporter": null,
	"components": [{"name": "A"}, {"id": "2"}, "b", null], "fixVersions": [],
	"description": {"type": "doc", "content": [{"type": "text", "text": "d"}]}, "timetracking": {"originalEstimate": "1d"}}}') IS NULL AS x \gset
CREATE FUNCTION pg_temp.value_of(name text, server text DEFAULT 'jira') RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM unit.source_open(server, 'updated >= 0', ARRAY[name], max_items => 1);
	RETURN pg_temp.drain() #> '{0,0}';
END $$;
SELECT is(pg_temp.value_of(name), wanted, name) FROM (VALUES
	('Summary', '"S é"'::jsonb), ('summary', '"S é"'), ('Status', '"Done"'), ('StatusCategory', '"done"'), ('status_id', '"3"'),
	('Status.Name', '"Done"'), ('Status.StatusCategory.Key', '"done"'), ('Status.nothing.there', 'null'),
	('Fields.Status.name', '"Done"'), ('fields.status', '{"id": "3", "name": "Done", "statusCategory": {"key": "done", "id": 3}}'),
	('DueDate', '"2026-02-03"'), ('Fields.DUE_DATE', '"2026-02-03"'), ('duedate', '"2026-02-03"'), ('votes.votes', '7'), ('TimeTracking.OriginalEstimate', '"1d"'),
	('Project', '"P"'), ('ProjectName', '"Pro"'), ('project.id', '"9"'), ('StoryPoints', '2.5'), ('story_points', '2.5'),
	('Fields.customfield_10016', '2.5'), ('CustomField_10021.Value', '"High"'), ('Fields.customfield_10021.child.value', '"x"'),
	('Assignee', '"ada"'), ('AssigneeId', '"JIRAUSER1"'), ('assignee.name', '"ada"'), ('Reporter', 'null'), ('reporter_id', 'null'),
	('Components', '["A", null, "b", null]'), ('FixVersions', '[]'), ('Description', '"d"'), ('Fields.Description.type', '"doc"'),
	('Fields.customfield_99999', 'null'), ('key.x', 'null')) AS v (name, wanted);
SELECT is(pg_temp.value_of('StoryPointEstimate'), '2.5', 'a custom field by its display name');
SELECT count(*) AS x FROM sim.log() \gset

-- everything
SELECT is(unit.source_open('jira', 'updated >= 0', '{STATUS}', whole => true, max_items => 1),
	'STATUS,key,id,project,summary,issue_type,priority,assignee,assignee_id,reporter,labels,components,created,updated*,resolved,story_points,parent,description,url,fields,'
	'type,project_id,project_name,status_id,status_category,reporter_id,creator,creator_id,resolution,due_date,fix_versions,affects_versions,environment', 'rows used as a whole have all names');
SELECT is(jsonb_array_length(pg_temp.drain() -> 0), 33, 'and values');
SELECT ok(pg_temp.asked() LIKE '% *navigable%', 'all fields are asked for');
SELECT is(unit.source_open('jira', 'updated >= 0', '{*all,-comment}', max_items => 1), '*all,-comment', 'words of the API');
SELECT is(pg_temp.drain(), '[[null, null]]', 'yield nothing themselves');
SELECT is(pg_temp.asked(), '*all -comment', 'and are passed on');
SELECT sim.get('/_sim/faults?clear=1') IS NULL AS x \gset

-- story points
SELECT sim.post('/_sim/settings', '{"second_points": true}') IS NULL AS x \gset
CREATE FUNCTION pg_temp.points(company jsonb, team jsonb, simplified boolean) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim.get('/_sim/faults?clear=1'), sim.post('/_sim/fault', jsonb_build_object('row', 0, 'times', -1, 'fields',
		jsonb_build_object('customfield_10026', company, 'customfield_10016', team, 'project', jsonb_build_object('key', 'P', 'simplified', simplified))));
	RETURN pg_temp.value_of('StoryPoints', 'both');
END $$;
SELECT sim.connect('both', mapping => $q$email 'ada@example.com', api_token 'sim-token'$q$);
SELECT is(pg_temp.points('3', 'null', 'true'), '3', 'story points: only the company''s field has a value');
SELECT is(pg_temp.asked(), 'customfield_10026 customfield_10016 project', 'and both are asked for');
SELECT is(pg_temp.points('null', '5', 'false'), '5', 'story points: only the team''s');
SELECT is(pg_temp.points('3', '5', 'true'), '5', 'story points: both, in a team-managed project');
SELECT is(pg_temp.points('3', '5', 'false'), '3', 'story points: both, in a company-managed one');
SELECT sim.get('/_sim/faults?clear=1') IS NULL AS x \gset
SELECT sim.connect('chosen', 'story_points_field ''customfield_10026''', $q$email 'ada@example.com', api_token 'sim-token'$q$);
SELECT count(*) AS x FROM sim.log() \gset
SELECT isnt(pg_temp.value_of('StoryPoints', 'chosen'), 'false', 'story points: chosen by option');
SELECT is(sim.requests(), '{GET /rest/api/2/serverInfo,POST /rest/api/3/search/jql}', 'need no list of fields');

SELECT sim.connect('doubt', mapping => $q$email 'ada@example.com', api_token 'sim-token'$q$);
SELECT sim.post('/_sim/fault', '{"match": "/rest/api/3/field", "times": 2, "body": [
	{"id": "customfield_1", "name": "Story Points", "schema": {"custom": "com.atlassian.jira.plugin.system.customfieldtypes:float"}},
	{"id": "customfield_2", "name": "story points", "schema": {"custom": "com.atlassian.jira.plugin.system.customfieldtypes:float"}},
	{"id": "customfield_3", "name": "Size"}, {"id": "customfield_4", "name": "Size"}, {"name": "no id"}, 5]}') IS NULL AS x \gset
SELECT is(sim.error($$SELECT pg_temp.value_of('StoryPoints', 'doubt')$$),
	'42702 the story points field of server "doubt" is ambiguous / It could be one of: customfield_1 ("Story Points"), customfield_2 ("story points"). / '
	'Set option "story_points_field" of the server to the id of the right one.', 'story points are never guessed');
SELECT is(sim.error($$SELECT pg_temp.value_of('Size', 'doubt')$$),
	'42702 issue field "Size" of server "doubt" is ambiguous / It could be one of: customfield_3 ("Size"), customfield_4 ("Size"). / '
	'Name the field by its id, as in "Fields.customfield_10016".', 'nor are other names');
SELECT is(pg_temp.value_of('Fields.customfield_4', 'doubt'), 'null', 'an id is never ambiguous');
SELECT sim.get('/_sim/faults?clear=1') IS NULL AS x \gset

-- ---------------------------------------------------------------------------
-- Walks
-- ---------------------------------------------------------------------------
-- Read n pages, then go on from the last one's walk in another source, as a killed run does.
CREATE FUNCTION pg_temp.resume(server text, n int, meanwhile text DEFAULT 'SELECT 1',
	OUT keys int, OUT repeated int, OUT expired boolean, OUT searches bigint) LANGUAGE plpgsql AS $$
DECLARE
	page record;
	walk text;
	found text[] := '{}';
BEGIN
	PERFORM unit.source_open(server, 'updated >= 0', '{key}', ordered => true, page_size => 50);
	FOR i IN 1..n LOOP
		SELECT * INTO page FROM unit.source_next();
		found := found || ARRAY(SELECT r ->> 0 FROM jsonb_array_elements(page.rows) AS r);
	END LOOP;
	walk := page.walk;
	EXECUTE meanwhile;
	PERFORM sim.log();
	PERFORM unit.source_open(server, 'updated >= 0', '{key}', ordered => true, page_size => 50, walk => walk);
	SELECT * INTO page FROM unit.source_next();
	expired := page.expired;
	WHILE page.number IS NOT NULL LOOP
		found := found || ARRAY(SELECT r ->> 0 FROM jsonb_array_elements(page.rows) AS r);
		SELECT * INTO page FROM unit.source_next();
	END LOOP;
	SELECT count(DISTINCT k), count(*) - count(DISTINCT k) INTO keys, repeated FROM unnest(found) AS k;
	searches := count(*) FROM sim.searches();
END $$;
SELECT is(pg_temp.resume('jira', 3)::text, '(300,0,f,3)', 'a killed walk goes on (Cloud)');
SELECT is(pg_temp.resume('dc', 3)::text, '(300,0,f,4)', 'a killed walk goes on (Server)');
SELECT is(pg_temp.resume('jira', 3, $$SELECT sim.post('/_sim/settings', '{"expire_tokens": 1}')$$)::text, '(300,150,t,7)',
	'a token that is refused begins anew');
SELECT is((pg_temp.resume('dc', 3, $$SELECT sim.post('/_sim/bulk', '{"from": 100, "count": 60, "updated": "2026-02-01T00:00:00Z"}')$$)).keys, 300,
	'rows that moved meanwhile are found (Server)');

SELECT sim.post('/_sim/reset', '{"issues": 2000}') IS NULL AS x \gset
SELECT sim.post('/_sim/bulk', '{"count": 2000}') IS NULL AS x \gset
SELECT is((r).keys, 2000, 'a walk killed within one instant goes on (Server)') FROM pg_temp.resume('dc', 20) AS r;
SELECT cmp_ok((SELECT count(*) FROM pg_temp.resume('dc', 20) AS r WHERE (r).searches <= 22 AND (r).repeated = 0), '=', 1::bigint, 'and does not start over');

SELECT unit.source_open('jira', 'updated >= 0', '{key}', ordered => true, page_size => 50) AS x \gset
SELECT walk FROM unit.source_next() \gset
SELECT unit.source_open('jira', 'updated >= 1', '{key}', ordered => true, page_size => 50, walk => :'walk') AS x \gset
SELECT is(expired, true, 'a walk of another query is not taken up') FROM unit.source_next();
SELECT unit.source_open('dc', 'updated >= 0', '{key}', ordered => true, page_size => 50, walk => :'walk') AS x \gset
SELECT is(expired, true, 'nor one of another kind of API') FROM unit.source_next();
SELECT unit.source_open('jira', 'updated >= 0', '{key}', ordered => true, walk => 'rubbish') AS x \gset
SELECT is(expired, true, 'nor one that is none') FROM unit.source_next();

-- max_items ends a walk that can go on
SELECT unit.source_open('jira', 'updated >= 0', '{key}', page_size => 50, max_items => 70) AS x \gset
SELECT is(jsonb_array_length(rows), 50, 'first page') FROM unit.source_next();
SELECT is(jsonb_array_length(rows) || ' ' || (walk IS NOT NULL), '20 true', 'the last page of max_items has a walk') FROM unit.source_next();
SELECT is(number, NULL, 'and is the last one') FROM unit.source_next();

-- ---------------------------------------------------------------------------
-- A call that fails can be repeated
-- ---------------------------------------------------------------------------
CREATE FUNCTION pg_temp.stumble(server text, fault jsonb, OUT keys bigint, OUT failures int, OUT rows int) LANGUAGE plpgsql AS $$
DECLARE
	page record;
	found text[] := '{}';
BEGIN
	PERFORM sim.post('/_sim/reset', '{"issues": 300}');
	PERFORM sim.post('/_sim/fault', fault);
	failures := 0;
	PERFORM unit.source_open(server, 'updated >= 0', '{key}', ordered => true);
	LOOP
		BEGIN
			SELECT * INTO page FROM unit.source_next();
			EXIT WHEN page.number IS NULL;
			found := found || ARRAY(SELECT r ->> 0 FROM jsonb_array_elements(page.rows) AS r);
		EXCEPTION WHEN OTHERS THEN
			failures := failures + 1;
		END;
	END LOOP;
	SELECT count(DISTINCT k), count(*) INTO keys, rows FROM unnest(found) AS k;
END $$;
SELECT is(pg_temp.stumble(server, fault)::text, '(300,1,300)', server || ': ' || fault::text)
	FROM unnest('{jira,dc}'::text[]) AS server,
		unnest(ARRAY['{"skip": 1, "no_issues": true}', '{"skip": 1, "status": 400}', '{"skip": 2, "not_object": true}']::jsonb[]) AS fault;
\endif

SELECT * FROM finish();
