-- Steps that make rows of rows: cursors, dead letters, the books, memory, and what is refused.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=600&seed=5');
SELECT no_plan();
SELECT count(*) AS total FROM sim.issues() \gset

CREATE TABLE warehouse.totals (status text PRIMARY KEY, count int, points numeric);
CREATE FUNCTION issues(jql text DEFAULT 'project = PLATFORM', cursor jsonb DEFAULT NULL) RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('issues', resolute.jira_fetch_issues('jira', jql, cursor, page_size => 50)) $$;
CREATE FUNCTION mapped(rows text DEFAULT 'issues') RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('mapped', resolute.map(rows, '{"issue_key": "{{.Key}}", "status": "{{.Status}}", "summary": "{{.Summary}}", "story_points": {{.StoryPoints}}, "labels": {{json .Labels}}, "updated_at": "{{.Updated}}"}')) $$;
CREATE FUNCTION flow(VARIADIC steps resolute.step[]) RETURNS int LANGUAGE sql AS
	$$ SELECT resolute.create_or_replace_flow('f', resolute.manual(), VARIADIC steps) $$;
CREATE FUNCTION run(VARIADIC steps resolute.step[]) RETURNS resolute.runs LANGUAGE plpgsql AS $$
DECLARE
	result resolute.runs;
BEGIN
	TRUNCATE warehouse.issues, warehouse.totals;
	PERFORM flow(VARIADIC steps);
	result := resolute.run_flow('f');
	RETURN result;
END $$;
CREATE FUNCTION output(name text) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT output FROM resolute.run_steps WHERE step = name ORDER BY run_id DESC LIMIT 1 $$;
CREATE FUNCTION balanced(name text) RETURNS boolean LANGUAGE sql AS $$
	SELECT (o->>'source_records')::int = (o->>'inserted')::int + (o->>'updated')::int + (o->>'unchanged')::int
		+ (o->>'stale')::int + (o->>'duplicates')::int + (o->>'filtered')::int + (o->>'failed')::int FROM output(name) o $$;

-- The books: what is filtered counts, so that they balance in the run as well.
SELECT is((SELECT (source_records, inserted, filtered, failed) FROM run(issues(), resolute.as('done', resolute.filter('issues', 'eq .Status "Done"')), mapped('done'), resolute.as('stored', resolute.upsert('mapped', 'warehouse.issues', 'issue_key')))),
	(SELECT (:total::bigint, count(*) FILTER (WHERE status = 'Done'), count(*) FILTER (WHERE status <> 'Done'), 0::bigint) FROM sim.issues()), 'filtered rows are counted');
SELECT ok(balanced('stored'), 'and the books balance');
SELECT set_eq('SELECT issue_key FROM warehouse.issues', $$SELECT issue_key FROM sim.issues() WHERE status = 'Done'$$, 'what passed is stored');
SELECT run(issues(), mapped(), resolute.as('totals', resolute.aggregate('mapped', 'count(*), sum(story_points) AS points', by => 'status')), resolute.as('stored', resolute.upsert('totals', 'warehouse.totals', 'status')));
SELECT set_eq('SELECT * FROM warehouse.totals', 'SELECT status, count(*)::int, sum(story_points) FROM sim.issues() GROUP BY status', 'aggregates in a table');
SELECT ok(balanced('stored') AND (output('stored')->>'source_records')::int = (SELECT count(*) FROM warehouse.totals), 'where rows are made of others, the books begin with those');

-- A cursor: with filter it moves page by page; where rows are held back, at the end, when they are stored.
SELECT flow(issues('project = PLATFORM AND updated >= ${cursor}', resolute.cursor_for('c')), mapped(), resolute.as('rest', resolute.filter('mapped', 'ne .status "Done"')), resolute.as('stored', resolute.upsert('rest', 'warehouse.issues', 'issue_key')));
CALL resolute.run('f');
SELECT cmp_ok((SELECT count(*) FROM resolute.cursor_history), '>', 5::bigint, 'filter: the cursor moves page by page under CALL');
SELECT is((SELECT position FROM resolute.cursors WHERE name = 'c'), (SELECT max(updated_at) FROM sim.issues()), 'filter: over rows that it dropped, too');
SELECT ok(balanced('stored'), 'filter: the books balance under CALL');
SELECT resolute.drop_flow('f');
SELECT resolute.reset_cursor('c');
TRUNCATE warehouse.issues, resolute.cursor_history;
SELECT flow(issues('project = PLATFORM AND updated >= ${cursor}', resolute.cursor_for('c')), mapped(), resolute.as('sorted', resolute.sort('mapped', 'issue_key')), resolute.as('stored', resolute.upsert('sorted', 'warehouse.issues', 'issue_key')));
-- What is stored of it fails: nothing of the cursor moves.
ALTER TABLE warehouse.issues ADD CONSTRAINT late CHECK (issue_key <> 'PLATFORM-99');
SELECT resolute.alter_flow('f', max_failures => 0);
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f');
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT cmp_ok((SELECT count(*) FROM warehouse.issues), '>', 100::bigint, 'sort: batches before the one that fails stand');
SELECT is((SELECT position FROM resolute.cursors WHERE name = 'c'), NULL, 'sort: the cursor has not moved');
ALTER TABLE warehouse.issues DROP CONSTRAINT late;
CALL resolute.run('f');
SELECT set_eq('SELECT issue_key, updated_at FROM warehouse.issues', 'SELECT issue_key, updated_at FROM sim.issues()', 'sort: the next run stores everything');
SELECT is((SELECT count(*) FROM resolute.cursor_history), 1::bigint, 'sort: the cursor moved once');
SELECT is((SELECT position FROM resolute.cursors WHERE name = 'c'), (SELECT max(updated_at) FROM sim.issues()), 'sort: to the end');
SELECT ok(balanced('stored'), 'sort: the books balance under CALL');
SELECT is((SELECT (source_records, unchanged) FROM resolute.run_flow('f')), (SELECT (count(*), count(*)) FROM sim.issues() i, resolute.cursors c WHERE c.name = 'c' AND i.updated_at >= date_trunc('minute', c.position - interval '15 minutes')), 'sort: and the run after that reads what is new only');

-- chunk holds some rows back over pages; under CALL as well nothing is lost.
CREATE TABLE warehouse.chunks (chunk int PRIMARY KEY, count int, items jsonb);
SELECT flow(issues(), mapped(), resolute.as('chunks', resolute.chunk('mapped', 7)), resolute.as('stored', resolute.upsert('chunks', 'warehouse.chunks', 'chunk')));
CALL resolute.run('f');
SELECT set_eq($$SELECT i->>'issue_key' FROM warehouse.chunks, jsonb_array_elements(items) i$$, 'SELECT issue_key FROM sim.issues()', 'chunk: all rows are in one');
SELECT is((SELECT (count(*), max(chunk), sum(count), min(count)) FROM warehouse.chunks), (SELECT ((:total + 6) / 7::bigint, (:total + 6) / 7, :total::bigint, :total % 7)), 'chunk: all full but the last');

-- Row-level errors make dead letters, with the source's item; the rest goes on.
SELECT sim.get('/_sim/log?clear=1');
CREATE FUNCTION dead(title text, step text, wanted text, VARIADIC steps resolute.step[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	r resolute.runs;
BEGIN
	DELETE FROM resolute.dead_letters;
	TRUNCATE warehouse.issues, warehouse.totals;
	PERFORM flow(VARIADIC steps);
	PERFORM resolute.alter_flow('f', max_failures => 1000);
	SELECT * INTO r FROM resolute.run_flow('f');
	RETURN NEXT set_eq(format('SELECT item->>''key'' FROM resolute.dead_letters WHERE step = %L', step), wanted, title || ': dead letters');
	RETURN NEXT ok(r.failed > 0 AND r.failed = (SELECT count(*) FROM resolute.dead_letters), title || ': are counted');
	RETURN NEXT ok(balanced('stored'), title || ': the books balance');
END $$;
SELECT dead('filter', 'large', $$SELECT issue_key FROM sim.issues() WHERE story_points IS NULL$$,
	issues(), mapped(), resolute.as('large', resolute.filter('mapped', 'gt .story_points 2')), resolute.as('stored', resolute.upsert('large', 'warehouse.issues', 'issue_key')));
SELECT dead('filter in SQL', 'bad', $$SELECT issue_key FROM sim.issues() WHERE issue_key LIKE '%7'$$,
	issues(), mapped(), resolute.as('bad', resolute.filter('mapped', $q$ CASE WHEN item->>'issue_key' LIKE '%7' THEN (item->>'issue_key')::int > 0 ELSE true END $q$)), resolute.as('stored', resolute.upsert('bad', 'warehouse.issues', 'issue_key')));
SELECT set_eq('SELECT issue_key FROM warehouse.issues', $$SELECT issue_key FROM sim.issues() WHERE issue_key NOT LIKE '%7'$$, 'filter in SQL: the others are stored');
SELECT dead('flatten', 'flat', $$SELECT issue_key FROM sim.issues()$$,
	issues(), mapped(), resolute.as('flat', resolute.flatten('mapped', 'status')), resolute.as('stored', resolute.upsert('flat', 'warehouse.issues', 'issue_key')));
SELECT dead('json_path', 'found', $$SELECT issue_key FROM sim.issues() WHERE story_points IS NULL$$,
	issues(), mapped(), resolute.as('found', resolute.json_path('mapped', '$.story_points + 1')), resolute.as('totals', resolute.map('found', '{"status": "{{.value}}"}')), resolute.as('stored', resolute.upsert('totals', 'warehouse.totals', 'status')));
SELECT dead('aggregate', 'totals', $$SELECT issue_key FROM sim.issues()$$,
	issues(), mapped(), resolute.as('totals', resolute.aggregate('mapped', 'count(*), sum(issue_key) AS points', by => 'status')), resolute.as('stored', resolute.upsert('totals', 'warehouse.totals', 'status')));
SELECT dead('reduce', 'n', $$SELECT issue_key FROM sim.issues() WHERE issue_key LIKE '%7'$$,
	issues(), mapped(), resolute.as('n', resolute.reduce('mapped', $q$ jsonb_build_object('status', 'all', 'count', (acc->>'count')::int + CASE WHEN item->>'issue_key' LIKE '%7' THEN (item->>'issue_key')::int ELSE 1 END) $q$, '{"count": 0}')), resolute.as('stored', resolute.upsert('n', 'warehouse.totals', 'status')));
SELECT is((SELECT count FROM warehouse.totals), (SELECT count(*)::int FROM sim.issues() WHERE issue_key NOT LIKE '%7'), 'reduce: goes on with the rest');
-- A row that a step has made is refused by the table.
DELETE FROM resolute.dead_letters;
ALTER TABLE warehouse.totals ADD CONSTRAINT open CHECK (status <> 'Done');
SELECT run(issues(), mapped(), resolute.as('totals', resolute.aggregate('mapped', 'count(*)', by => 'status')), resolute.as('stored', resolute.upsert('totals', 'warehouse.totals', 'status')));
SELECT results_eq('SELECT step, item FROM resolute.dead_letters', $$SELECT 'stored'::text, jsonb_build_object('status', 'Done', 'count', count(*)) FROM sim.issues() WHERE status = 'Done'$$, 'a row made of others is a dead letter as it is');
ALTER TABLE warehouse.totals DROP CONSTRAINT open;

-- A row that a step takes in after all needs its dead letter no more.
CREATE FUNCTION sums(field text) RETURNS resolute.step LANGUAGE sql AS $$ SELECT resolute.as('totals', resolute.aggregate('mapped', format('count(*), sum(%s) AS points', field), by => 'status')) $$;
DELETE FROM resolute.dead_letters;
SELECT flow(issues(), mapped(), sums('issue_key'), resolute.as('stored', resolute.upsert('totals', 'warehouse.totals', 'status')));
SELECT resolute.run_flow('f');
SELECT is((SELECT count(*) FROM resolute.dead_letters WHERE resolved_at IS NULL), :total::bigint, 'dead letters of an aggregate');
SELECT flow(issues(), mapped(), sums('story_points'), resolute.as('stored', resolute.upsert('totals', 'warehouse.totals', 'status')));
SELECT resolute.run_flow('f');
SELECT is((SELECT count(*) FROM resolute.dead_letters WHERE resolved_at IS NULL), 0::bigint, 'are resolved once it takes the rows in');

-- A page that is repeated after a conflict counts once in what is held back.
CREATE SEQUENCE conflicts;
CREATE FUNCTION warehouse.conflict(items jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('conflicts') % 2 = 1 THEN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END IF;
	RETURN NULL;
END $$;
SELECT flow(issues(), mapped(), resolute.as('totals', resolute.aggregate('mapped', 'count(*)', by => 'status')), resolute.as('n', resolute.reduce('mapped', 'acc::int + 1', '0')), resolute.as('chunks', resolute.chunk('mapped', 7)),
	resolute.node('c', 'warehouse.conflict', input => 'mapped'), resolute.as('stored', resolute.upsert('totals', 'warehouse.totals', 'status')),
	resolute.as('ns', resolute.map('n', '{"status": "all", "count": {{.value}}}')), resolute.upsert('ns', 'warehouse.totals', 'status'), resolute.upsert('chunks', 'warehouse.chunks', 'chunk'));
TRUNCATE warehouse.totals, warehouse.chunks;
CALL resolute.run('f');
SELECT set_eq($$SELECT status, count FROM warehouse.totals WHERE status <> 'all'$$, 'SELECT status, count(*)::int FROM sim.issues() GROUP BY status', 'a repeated page counts once in an aggregate');
SELECT is((SELECT count FROM warehouse.totals WHERE status = 'all'), :total, '... in a reduce');
SELECT is((SELECT sum(count) FROM warehouse.chunks), :total::bigint, '... and in a chunk');
SELECT cmp_ok((SELECT retries FROM resolute.runs ORDER BY run_id DESC LIMIT 1), '>', 5::bigint, '... indeed');

-- Several passes, and a spooled source.
SELECT is((SELECT inserted FROM run(issues(), mapped(), resolute.as('sorted', resolute.sort('mapped', 'summary desc')), resolute.as('stored', resolute.upsert('sorted', 'warehouse.issues', 'issue_key')), resolute.sql('SELECT 1'),
	resolute.as('totals', resolute.aggregate('sorted', 'count(*)', by => 'status')), resolute.as('stored2', resolute.upsert('totals', 'warehouse.totals', 'status')))), :total + (SELECT count(DISTINCT status) FROM sim.issues()), 'rows held back in two passes');
SELECT is((SELECT sum(count) FROM warehouse.totals), :total::bigint, 'both see all of them');
SELECT is((SELECT (inserted, unchanged) FROM run(issues('project = PLATFORM AND updated > 1900000000000'), resolute.as('n', resolute.aggregate('issues', 'count(*)')), resolute.as('one', resolute.map('n', '{"status": "all", "count": {{.count}}}')), resolute.upsert('one', 'warehouse.totals', 'status'))), (1::bigint, 0::bigint), 'no rows have a count of 0');

-- Conditions on rows that a step may drop, or whose number is asked for, look ahead.
CREATE FUNCTION reached(condition text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM run(issues(), mapped(), resolute.as('done', resolute.filter('mapped', 'eq .status "Done"')), resolute.as('none', resolute.filter('done', 'eq .status "Open"')), resolute.as('groups', resolute.group_by('done', 'status')),
		resolute.as('all', resolute.aggregate('none', 'count(*)')), resolute.as('flat', resolute.flatten('none', 'labels')),
		resolute.when(condition, resolute.as('stored', resolute.upsert('done', 'warehouse.issues', 'issue_key'))));
	RETURN (SELECT count(*) FROM warehouse.issues) = (SELECT count(*) FROM sim.issues() WHERE status = 'Done') AND (SELECT bool_and(balanced('stored')) FROM resolute.run_steps WHERE run_id = (SELECT max(run_id) FROM resolute.runs) AND step = 'stored');
END $$;
SELECT is(reached('done'), true, 'a condition on filtered rows is true if some pass');
SELECT is(reached('none'), false, 'and false if none does');
SELECT is(reached('groups'), true, 'also through a step that holds rows back');
SELECT is(reached('all'), true, 'an aggregate of no rows is a row');
SELECT is(reached('flat'), false, 'flattened rows of none are none');
SELECT is(reached('done.count'), true, 'a path to their number');
SELECT is(reached(format($$ (state->'done'->>'count')::int = %s $$, (SELECT count(*) FROM sim.issues() WHERE status = 'Done'))), true, 'SQL over their number');
SELECT is(reached($$ (state->'none'->>'count')::int > 0 $$), false, '... of none');
SELECT is(reached($$ (state->'groups'->>'count')::int = 1 $$), true, '... of groups');
CREATE FUNCTION warehouse.twice(item jsonb) RETURNS SETOF jsonb LANGUAGE sql AS 'SELECT $1 UNION ALL SELECT $1';
SELECT throws_ok($$SELECT flow(issues(), resolute.node('t', 'warehouse.twice', input => 'issues'), resolute.when('t', resolute.node('c', 'warehouse.conflict', input => 't')))$$, '0A000', NULL, 'a function that would be called twice is refused in a condition');

-- preview_flow shows what is held back.
SELECT flow(issues(), mapped(), resolute.as('sorted', resolute.sort('mapped', 'issue_key desc')), resolute.as('stored', resolute.upsert('sorted', 'warehouse.issues', 'issue_key')));
SELECT results_eq($$SELECT item->>'issue_key' FROM resolute.preview_flow('f', 5)$$, $$SELECT item->>'issue_key' FROM resolute.preview_flow('f', 5) ORDER BY 1 DESC$$, 'preview_flow sorts its rows');
SELECT is((SELECT count(*) FROM resolute.preview_flow('f', 5)), 5::bigint, 'all of them');

-- flow_definition() gives the same flow again.
SELECT resolute.create_flow('whole', resolute.manual(), issues(), mapped(),
	resolute.as('a', resolute.filter('mapped', 'eq .status "Done"')), resolute.as('b', resolute.filter('a', $$ item->>'x' = 'it''s' $$)), resolute.as('c', resolute.sort('b', 'status desc, "issue_key"')),
	resolute.as('d', resolute.group_by('c', 'status')), resolute.as('e', resolute.flatten('d', 'items')), resolute.as('f', resolute.chunk('e', 10)), resolute.as('g', resolute.pick('f', 'chunk, items')),
	resolute.as('h', resolute.omit('g', 'chunk')), resolute.as('i', resolute.json_path('h', '$.items[*]')), resolute.as('j', resolute.aggregate('i', 'count(*) AS n, max(x)', by => 'status')), resolute.as('k', resolute.aggregate('j', 'sum(n)')),
	resolute.as('l', resolute.reduce('k', 'acc || item')), resolute.as('m', resolute.reduce('l', 'item', '{"a": null, "b": [1]}')), resolute.as('n', resolute.template('m', '{{len .}}')), resolute.node('o', 'warehouse.conflict', input => 'n'));
CREATE TABLE definition AS SELECT trigger, steps FROM resolute.flow_versions JOIN resolute.flows USING (flow_id, version) WHERE name = 'whole';
SELECT resolute.flow_definition('whole') AS statement \gset
SELECT resolute.drop_flow('whole');
:statement
SELECT results_eq($$SELECT trigger::jsonb, steps FROM resolute.flow_versions JOIN resolute.flows USING (flow_id, version) WHERE name = 'whole'$$, 'SELECT trigger::jsonb, steps FROM definition', 'flow_definition() round-trips');

-- Memory: rows held back go to disk beyond work_mem.
\set has_contexts false
SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'pg_backend_memory_contexts') AS has_contexts \gset
\if :has_contexts
SET work_mem = '64kB';
CREATE TABLE memory (bytes bigint);
CREATE FUNCTION warehouse.measure(items jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ INSERT INTO memory SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name = 'resolute rows held back'; SELECT NULL::jsonb $$;
SELECT run(issues(), resolute.as('wide', resolute.map('issues', '{"issue_key": "{{.Key}}", "text": "{{range split "" (printf "%05000d" 1)}}{{.}}{{.}}{{.}}{{.}}{{end}}"}')),
	resolute.as('sorted', resolute.sort('wide', 'issue_key')), resolute.node('m', 'warehouse.measure', input => 'sorted'));
SELECT cmp_ok((SELECT max(bytes) FROM memory), '<', (:total * 20000)::bigint / 10, 'what is held back beyond work_mem is not in memory');
RESET work_mem;
DELETE FROM memory;
SELECT run(resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM', max_items => 12)), resolute.as('wide', resolute.map('issues', '{"issue_key": "{{.Key}}", "text": "{{printf "%01000000d" 1}}"}')),
	resolute.as('sorted', resolute.sort('wide', 'issue_key')), resolute.node('m', 'warehouse.measure', input => 'sorted'));
SELECT is((SELECT count(*) FROM memory), 3::bigint, 'and large rows go on a few at a time');
\endif

-- Refused at definition, each with its step.
SELECT throws_ok(format('SELECT flow(issues(), mapped(), resolute.as(''x'', resolute.%s), resolute.node(''n'', ''warehouse.conflict'', input => ''x''))', s), code, NULL, s) FROM (VALUES
	($$filter('mapped', '')$$, '42601'), ($$filter('mapped', 'eq .statsu "Done"')$$, '42703'), ($$filter('mapped', 'frobnicate .status')$$, '42601'), ($$filter('mapped', '{{.status}}')$$, '42601'), ($$filter('mapped', 'item->>''x''')$$, '42804'), ($$filter('mapped', 'item = nothing')$$, '42703'), ($$filter('mapped', NULL)$$, '22023'), ($$filter('nothing', '.x')$$, '42704'),
	($$sort('mapped', '')$$, '42601'), ($$sort('mapped', 'stats')$$, '42703'), ($$sort('mapped', 'status decs')$$, '42601'), ($$sort('mapped', NULL)$$, '22023'), ($$group_by('mapped', '')$$, '22023'), ($$group_by('mapped', 'nothing')$$, '42703'), ($$group_by('issues', 'items')$$, '42701'),
	($$flatten('mapped', '')$$, '22023'), ($$flatten('mapped', 'a..b')$$, '22023'), ($$flatten('mapped', 'nothing')$$, '42703'), ($$chunk('mapped', 0)$$, '22023'), ($$chunk('mapped', -5)$$, '22023'), ($$chunk('mapped', NULL)$$, '22023'),
	($$pick('mapped', '')$$, '22023'), ($$pick('mapped', 'status, status')$$, '42701'), ($$pick('mapped', 'nothing')$$, '42703'), ($$omit('mapped', 'nothing')$$, '42703'), ($$omit('mapped', 'issue_key, status, summary, story_points, labels, updated_at')$$, '22023'), ($$omit('issues', 'nothing')$$, '42703'),
	($$json_path('mapped', '$.[')$$, '42601'), ($$json_path('mapped', '')$$, '22P02'), ($$aggregate('mapped', '')$$, '42601'), ($$aggregate('mapped', 'median(status)')$$, '42601'), ($$aggregate('mapped', 'sum(nothing)')$$, '42703'), ($$aggregate('mapped', 'count(*)', 'nothing')$$, '42703'), ($$aggregate('mapped', 'count(*), count(status)')$$, '42701'),
	($$reduce('mapped', '')$$, '42601'), ($$reduce('mapped', 'nothing')$$, '42703'), ($$template('mapped', '{{range .}}')$$, '42601')) v (s, code);
SELECT is((SELECT count(*) FROM resolute.flow_versions v JOIN resolute.flows f USING (flow_id) WHERE f.name = 'f' AND v.steps::text LIKE '%statsu%'), 0::bigint, 'nothing of that is stored');

SELECT * FROM finish();
