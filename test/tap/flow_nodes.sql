-- Nodes: functions that are called with an output, with pages of rows, with each row, and with the state.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=600&seed=5');
SELECT no_plan();
SELECT count(*) AS total FROM sim.issues() \gset

CREATE TABLE warehouse.seen (n serial, item jsonb, state jsonb);
CREATE TABLE warehouse.labels (issue_key text, label text, updated_at timestamptz, PRIMARY KEY (issue_key, label));
CREATE FUNCTION issues() RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM', page_size => 50)) $$;
CREATE FUNCTION mapped() RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('mapped', resolute.map('issues', '{"issue_key": "{{.Key}}", "labels": {{json .Labels}}, "updated_at": "{{.Updated}}"}')) $$;
CREATE FUNCTION run(VARIADIC steps resolute.step[]) RETURNS resolute.runs LANGUAGE plpgsql AS $$
DECLARE
	result resolute.runs;
BEGIN
	TRUNCATE warehouse.seen, warehouse.labels, warehouse.issues;
	PERFORM resolute.create_or_replace_flow('f', resolute.manual(), VARIADIC steps);
	result := resolute.run_flow('f', '{"limit": 3}');
	RETURN result;
END $$;
-- The output of a step of the latest run.
CREATE FUNCTION output(name text) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT output FROM resolute.run_steps WHERE step = name ORDER BY run_id DESC LIMIT 1 $$;
-- The books of a sink balance.
CREATE FUNCTION balanced(name text) RETURNS boolean LANGUAGE sql AS $$
	SELECT (o->>'source_records')::int = (o->>'inserted')::int + (o->>'updated')::int + (o->>'unchanged')::int
		+ (o->>'stale')::int + (o->>'duplicates')::int + (o->>'filtered')::int + (o->>'failed')::int FROM output(name) o $$;

-- f(jsonb, state jsonb)
CREATE FUNCTION warehouse.with_state(items jsonb, state jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ INSERT INTO warehouse.seen (item, state) VALUES ($1, $2); SELECT jsonb_build_object('n', jsonb_array_length(items), 'limit', state->'input'->'limit') $$;
SELECT is((run(issues(), mapped(), resolute.node('pages', 'warehouse.with_state', input => 'mapped'))).status, 'succeeded', 'a function that takes the state as well');
SELECT is(output('pages'), jsonb_build_object('n', :total, 'limit', 3 * ceil(:total / 50.0)::int), 'its numbers add up over the pages');
SELECT is((SELECT count(DISTINCT state->'run'->'run_id') FROM warehouse.seen), 1::bigint, 'it sees the run');
CREATE FUNCTION warehouse.by_label(items jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('by', jsonb_object_agg(label, n), 'sizes', jsonb_build_array(jsonb_array_length(items)))
	FROM (SELECT coalesce(item->'labels'->>0, 'none') AS label, count(*) AS n FROM jsonb_array_elements(items) item GROUP BY 1) s $$;
CREATE FUNCTION warehouse.how_many(items jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb(jsonb_array_length(items))';
SELECT run(issues(), mapped(), resolute.node('by label', 'warehouse.by_label', input => 'mapped'), resolute.node('number', 'warehouse.how_many', input => 'mapped'));
SELECT is(output('by label')->'by', (SELECT jsonb_object_agg(label, n) FROM (SELECT coalesce(labels->>0, 'none') AS label, count(*) AS n FROM sim.issues() GROUP BY 1) s), '... within objects as well');
SELECT is(output('by label')->'sizes', jsonb_build_array((:total - 1) % 50 + 1), '... while anything else is that of the last page');
SELECT is(output('number'), to_jsonb(:total), '... and so does an output that is a number');
CREATE FUNCTION warehouse.after(output jsonb, state jsonb) RETURNS jsonb LANGUAGE plpgsql AS
	$$ BEGIN RETURN jsonb_build_object('got', output->'n', 'same', output = state->'pages'); END $$;
SELECT run(issues(), mapped(), resolute.node('pages', 'warehouse.with_state', input => 'mapped'), resolute.node('after', 'warehouse.after', input => 'pages'));
SELECT is(output('after'), jsonb_build_object('got', :total, 'same', true), 'an action gets an output and the state');

-- f(item jsonb) returns setof jsonb, in SQL and in PL/pgSQL
CREATE FUNCTION warehouse.labels_of(item jsonb) RETURNS SETOF jsonb LANGUAGE sql AS
	$$ SELECT jsonb_build_object('issue_key', item->'issue_key', 'label', l, 'updated_at', item->'updated_at') FROM jsonb_array_elements(item->'labels') l $$;
CREATE FUNCTION warehouse.labels_of_too(item jsonb, state jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
	label text;
BEGIN
	FOR label IN SELECT jsonb_array_elements_text(item->'labels') LOOP
		RETURN NEXT jsonb_build_object('issue_key', item->'issue_key', 'label', label, 'updated_at', item->'updated_at');
	END LOOP;
	IF item->>'issue_key' = 'PLATFORM-2' THEN RETURN NEXT NULL; END IF;
END $$;
CREATE VIEW wanted AS SELECT issue_key, l AS label, updated_at FROM sim.issues(), jsonb_array_elements_text(labels) l;
SELECT run(issues(), mapped(), resolute.node('labels', 'warehouse.labels_of', input => 'mapped'), resolute.as('stored', resolute.upsert('labels', 'warehouse.labels', 'issue_key, label')));
SELECT set_eq('SELECT * FROM warehouse.labels', 'SELECT * FROM wanted', 'a node may make rows of each row');
SELECT ok(balanced('stored'), 'the books balance');
SELECT is((output('stored')->>'inserted')::bigint, (SELECT count(*) FROM wanted), '... over the rows that it made');
SELECT run(issues(), mapped(), resolute.as('labels', resolute.node('x', 'warehouse.labels_of_too', input => 'mapped')),
	resolute.as('again', resolute.filter('labels', 'ne .label ""')), resolute.upsert('again', 'warehouse.labels', 'issue_key, label'));
SELECT set_eq('SELECT * FROM warehouse.labels', 'SELECT * FROM wanted', 'in any language, with the state, and steps behind it');
SELECT run(issues(), mapped(), resolute.node('labels', 'warehouse.labels_of', input => 'mapped'), resolute.node('pages', 'warehouse.with_state', input => 'labels'));
SELECT is((output('pages')->>'n')::bigint, (SELECT count(*) FROM wanted), 'a node may read the rows of a node');
SELECT run(issues(), mapped(), resolute.node('labels', 'warehouse.labels_of', input => 'mapped'));
SELECT is(output('labels'), jsonb_build_object('rows', (SELECT count(*) FROM wanted)), 'where nobody reads its rows it is called all the same, and they are counted');
CREATE FUNCTION warehouse.keys_of(item jsonb) RETURNS SETOF jsonb LANGUAGE sql AS $$ SELECT item->'key' $$;
SELECT run(issues(), resolute.node('keys', 'warehouse.keys_of', input => 'issues'), resolute.as('all', resolute.aggregate('keys', 'count(value), max(value)')), resolute.node('n', 'warehouse.with_state', input => 'all'));
SELECT is((SELECT item->0->'count' FROM warehouse.seen), to_jsonb(:total), 'what is no object becomes one: {"value": ...}');

-- Row-level errors make dead letters of the items; other errors fail the step.
CREATE FUNCTION warehouse.refuses(item jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO warehouse.seen (item) VALUES (item);
	IF item->>'issue_key' LIKE '%3' THEN RAISE EXCEPTION 'I do not like %', item->>'issue_key'; END IF;
	IF item->>'issue_key' LIKE '%41' THEN PERFORM 'x'::int; END IF;
	RETURN NEXT item - 'labels';
END $$;
SELECT is((run(issues(), mapped(), resolute.node('liked', 'warehouse.refuses', input => 'mapped'), resolute.as('stored', resolute.upsert('liked', 'warehouse.issues', 'issue_key')))).failed,
	(SELECT count(*) FROM sim.issues() WHERE issue_key LIKE '%3' OR issue_key LIKE '%41'), 'rows that the function refuses are counted');
SELECT set_eq('SELECT issue_key FROM warehouse.issues', $$SELECT issue_key FROM sim.issues() WHERE NOT (issue_key LIKE '%3' OR issue_key LIKE '%41')$$, 'the others are stored');
SELECT set_eq($$SELECT item->>'key', step, error_code, error_message FROM resolute.dead_letters WHERE flow = 'f'$$,
	$$SELECT issue_key, 'liked'::text, CASE WHEN issue_key LIKE '%3' THEN 'P0001' ELSE '22P02' END AS code, CASE WHEN issue_key LIKE '%3' THEN 'I do not like ' || issue_key ELSE 'invalid input syntax for type integer: "x"' END
	  FROM sim.issues() WHERE issue_key LIKE '%3' OR issue_key LIKE '%41'$$, 'and each is a dead letter with the source''s item');
SELECT set_eq($$SELECT item->>'issue_key' FROM warehouse.seen$$, $$SELECT issue_key FROM warehouse.issues$$, 'what the function did for a row that it refused is undone');
SELECT is((SELECT count(*) FROM warehouse.seen), (SELECT count(*) FROM warehouse.issues), '... and for the others was done once');
SELECT ok(balanced('stored'), 'the books balance');
CREATE FUNCTION warehouse.fails(item jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 FROM warehouse.nothing; END $$;
SELECT throws_ok($$SELECT run(issues(), resolute.node('x', 'warehouse.fails', input => 'issues'))$$, '42P01', NULL, 'an error of another class fails the run');

-- A function that is changed between definition and run.
SELECT resolute.create_or_replace_flow('f', resolute.manual(), issues(), mapped(), resolute.node('labels', 'warehouse.labels_of', input => 'mapped'), resolute.upsert('labels', 'warehouse.labels', 'issue_key, label'));
DROP FUNCTION warehouse.labels_of(jsonb);
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '42883', 'function warehouse.labels_of(jsonb) does not exist', 'a function that is gone');
SELECT ok(resolute.flow_definition('f') LIKE '%warehouse.labels_of%', 'the definition can be had without it');
CREATE FUNCTION warehouse.labels_of(item jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '42P13', 'function warehouse.labels_of returns one jsonb, but rows are read of node "labels"', 'a function that returns no set any more');

-- Refused at definition.
CREATE FUNCTION warehouse.a_set(state jsonb) RETURNS SETOF jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION warehouse.of_text(text) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb($1)';
CREATE FUNCTION warehouse.to_text(jsonb, jsonb) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
CREATE FUNCTION warehouse.to_table(jsonb) RETURNS TABLE (a jsonb, b jsonb) LANGUAGE sql AS 'SELECT $1, $1';
SELECT throws_ok($$SELECT run(resolute.node('n', 'warehouse.a_set'))$$, '42P13', 'function warehouse.a_set returns a set, but node "n" has no rows to call it with', 'a set without rows');
SELECT throws_ok($$SELECT run(resolute.as('one', resolute.sql('SELECT 1')), resolute.node('n', 'warehouse.a_set', input => 'one'))$$, '42P13', NULL, 'a set of an output that is no rows');
SELECT throws_ok($$SELECT run(issues(), resolute.node('n', 'warehouse.of_text', input => 'issues'))$$, '42883', 'function warehouse.of_text(jsonb) does not exist', 'a function of text');
SELECT throws_ok($$SELECT run(issues(), resolute.node('n', 'warehouse.to_text', input => 'issues'))$$, '42P13', 'function warehouse.to_text(jsonb, jsonb) does not return jsonb', 'a function that returns text');
SELECT throws_ok($$SELECT run(issues(), resolute.node('n', 'warehouse.to_table', input => 'issues'))$$, '42P13', NULL, 'a function that returns a table');
SELECT throws_ok($$SELECT run(issues(), resolute.node('n', 'warehouse.with_state', input => 'issues'), resolute.upsert('n', 'warehouse.issues', 'issue_key'))$$, '42P13', 'function warehouse.with_state returns one jsonb, but rows are read of node "n"', 'rows of a function that returns none');
SELECT throws_ok($$SELECT run(resolute.as('one', resolute.sql('SELECT 1')), resolute.node('n', 'warehouse.after', input => 'one'), resolute.upsert('n', 'warehouse.issues', 'issue_key'))$$, '42809', NULL, 'rows of a node that takes none');

SELECT * FROM finish();
