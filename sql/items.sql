-- Rows to rows as plain functions over a JSON array: resolute.filter_items() and the like.
\pset format unaligned
\pset tuples_only on
\set items '[{"key": "A-1", "status": "Done", "points": 3, "labels": ["x", "y"], "f": {"p": {"n": 1}}}, {"key": "A-2", "status": "Open", "points": null, "labels": [], "f": {"p": {"n": 2}}}, {"key": "A-3", "status": "Done", "points": 10, "labels": ["x"], "f": null}, {"key": "A-4", "status": null, "points": 3.0}]'

-- filter: what stands between {{ and }} of a template, or SQL where the word item stands by itself
SELECT c, (SELECT string_agg(i ->> 'key', ' ') FROM resolute.filter_items(:'items', c) i) FROM unnest(ARRAY[
	'eq .status "Done"', '.points', 'not .points', 'and .points (gt .points 2.5)', 'and .labels (ne .status "Open")', 'eq .Status "Done"', 'eq .f.p.n 2', 'eq .nothing "x"', 'true', 'and .labels (index .labels 0 | eq "x")', 'eq .status "an item"', '.item',
	$$ (item->>'points')::numeric > 3 $$, $$ item->>'status' = 'Done' $$, $$ ITEM ? 'labels' $$, $$ (item->>'points')::numeric IS NULL $$, $$ item->>'key' IN (SELECT 'A-' || n FROM generate_series(2, 3) n) $$, $$ item->>'key' = 'A-1' -- or not $$]) c;
SELECT * FROM resolute.filter_items('[]', 'eq .status "Done"');
SELECT * FROM resolute.filter_items(NULL, 'eq .status "Done"');

-- sort: as ORDER BY; numbers by value, null and missing last, ties as they came
SELECT b, (SELECT string_agg(i ->> 'key', ' ' ORDER BY o) FROM resolute.sort_items(:'items', b) WITH ORDINALITY s (i, o)) FROM unnest(ARRAY[
	'points', 'points desc', 'points nulls first', 'points DESC NULLS LAST', 'status, points desc', '"status" desc, key desc', 'f.p.n desc nulls last', 'Points asc', 'nothing', 'labels']) b;
SELECT string_agg(i ->> 'v', ' ' ORDER BY o) FROM resolute.sort_items('[{"v": "b"}, {"v": 10}, {"v": true}, {"v": "a"}, {"v": 9.5}, {"v": {"x": 1}}, {"v": null}, {"v": [1]}]', 'v') WITH ORDINALITY s (i, o);
SELECT * FROM resolute.sort_items('[{"a b": 2, "a, c": 1}, {"a b": 1, "a, c desc": 1}]', '"a b"');

-- group_by: the key, count and items
SELECT * FROM resolute.group_by_items(:'items', 'status');
SELECT * FROM resolute.group_by_items('[{"a": 1, "b": "x"}, {"a": 1.0, "b": "y"}, {"a": "1"}, {"b": "x"}, {"a": null}]', 'a');
SELECT i - 'items' FROM resolute.group_by_items(:'items', 'status, f.p.n') i;
SELECT * FROM resolute.group_by_items('[]', 'a');

-- flatten: the element in the place of the array
SELECT * FROM resolute.flatten_items(:'items', 'labels');
SELECT * FROM resolute.flatten_items('[{"a": {"b": [1, {"c": "é\""}, [2], null]}, "x": "y"}]', 'a.b');
-- chunk
SELECT i - 'items', jsonb_path_query_array(i, '$.items.key') FROM resolute.chunk_items(:'items', 3) i;
SELECT i - 'items' FROM resolute.chunk_items(:'items', 4) i;
SELECT * FROM resolute.chunk_items('[]', 4);
-- pick and omit
SELECT * FROM resolute.pick_items(:'items', 'status, key');
SELECT * FROM resolute.pick_items(:'items', 'Key, f.p, nothing');
SELECT * FROM resolute.omit_items(:'items', 'labels, f.p, nothing, points');
SELECT * FROM resolute.omit_items('[{"a.b": 1, "a": {"b": 2, "c": 3}}]', 'a.b');

-- json_path: what is no object becomes one
SELECT * FROM resolute.json_path_items(:'items', '$.labels[*]');
SELECT * FROM resolute.json_path_items(:'items', '$.f.p ? (@.n > 1)');
SELECT * FROM resolute.json_path_items(:'items', '$.labels[last]');

-- aggregate: as in SQL
SELECT * FROM resolute.aggregate_items(:'items', 'count(*), count(points) AS estimated, sum(points), avg(points) mean, MIN(key), max(points) AS "largest one", array_agg(labels) AS l');
SELECT * FROM resolute.aggregate_items(:'items', 'count(*), sum( points )', by => 'status');
SELECT * FROM resolute.aggregate_items('[{"n": "1.50"}, {"n": 2}, {"n": "-3e2"}]', 'sum(n), max(n), min(n)');
SELECT * FROM resolute.aggregate_items('[]', 'count(*), sum(n), min(n), array_agg(n)');
SELECT * FROM resolute.aggregate_items('[]', 'count(*)', by => 'n');
SELECT * FROM resolute.aggregate_items(NULL, 'count(*)');

-- reduce: an expression over acc and item
SELECT * FROM resolute.reduce_items(:'items', $$ acc || jsonb_build_object(item->>'key', item->'points') $$);
SELECT * FROM resolute.reduce_items(:'items', $$ acc::int + coalesce((item->>'points')::numeric, 0) $$, '0');
SELECT * FROM resolute.reduce_items(:'items', $$ greatest(acc->>'key', item->>'key') $$, 'null');
SELECT * FROM resolute.reduce_items('[]', 'acc', '{"a": null}');
-- template: of the array
SELECT i ->> 'text' FROM resolute.template_items(:'items', E'{{len .}} issues{{range .}}\n- {{.key}} {{.points}}{{end}}') i;
SELECT * FROM resolute.template_items('[]', '{{if .}}some{{else}}none "é"{{end}}');
-- merge: one array after the other
SELECT * FROM resolute.merge_items('[{"a": 1}, {"a": 2}]', NULL, '[]', '[{"b": 3}]');
SELECT * FROM resolute.merge_items(VARIADIC ARRAY['[{"a": 1}]', '[{"a": 1}]']::jsonb[]);

-- They go together
SELECT s FROM resolute.aggregate_items((SELECT jsonb_agg(l) FROM resolute.flatten_items(:'items', 'labels') l), 'count(*), sum(points)', by => 'labels') s;

-- Far more rows than fit into work_mem: the same as in memory
CREATE TEMP TABLE many AS SELECT jsonb_agg(jsonb_build_object('id', n * 7919 % 20011, 'g', n % 700, 'text', md5(n::text))) AS items FROM generate_series(1, 20000) n;
SET work_mem = '64kB';
SELECT count(*), bool_and(ok) FROM (SELECT (i ->> 'id')::int >= lag((i ->> 'id')::int, 1, 0) OVER (ORDER BY o) AS ok FROM many, resolute.sort_items(items, 'id') WITH ORDINALITY s (i, o)) s;
SELECT count(*), sum((i ->> 'count')::int), sum(jsonb_array_length(i -> 'items')) FROM many, resolute.group_by_items(items, 'g') i;
SELECT count(*), sum((i ->> 'sum')::int) FROM many, resolute.aggregate_items(items, 'sum(id)', by => 'g') i;
SELECT md5(i ->> 'text') = (SELECT md5(string_agg(e ->> 'text', '' ORDER BY o)) FROM many, jsonb_array_elements(items) WITH ORDINALITY a (e, o)) FROM many, resolute.template_items(items, '{{range .}}{{.text}}{{end}}') i;
RESET work_mem;

-- Mistakes
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
	detail text;
	hint text;
BEGIN
	EXECUTE format('SELECT count(*) FROM resolute.%s', statement) INTO n;
	RETURN 'made ' || n;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n   ', sqlstate || ': ' || sqlerrm, nullif(detail, ''), nullif(hint, ''));
END $$;
SELECT s || E'\n => ' || pg_temp.refused(s) FROM unnest(ARRAY[
	$$filter_items('[]', '')$$, $$filter_items('[]', 'eq .a')$$, $$filter_items('[{"a": 1}]', 'eq .a "x"')$$, $$filter_items('[]', 'eq .a 1}}{{.b')$$, $$filter_items('[]', '{{eq .a 1}}')$$, $$filter_items('[]', '$x := .a')$$, $$filter_items('[]', 'if .a')$$, $$filter_items('[]', 'frobnicate .a')$$,
	$$filter_items('[]', 'item AND')$$, $$filter_items('[]', 'item')$$, $$filter_items('[]', 'true) OR (item IS NULL')$$, $$filter_items('[]', 'item IS NULL); SELECT (1')$$, $$filter_items('[{"a": "x"}]', '(item->>''a'')::int > 1')$$, $$filter_items('{}', '.a')$$, $$filter_items('[1]', '.a')$$,
	$$sort_items('[]', '')$$, $$sort_items('[]', 'a,')$$, $$sort_items('[]', 'desc nulls')$$, $$sort_items('[]', 'a first')$$, $$sort_items('[]', 'a..b')$$, $$sort_items('[]', '"a')$$,
	$$group_by_items('[]', '')$$, $$group_by_items('[]', 'count')$$, $$group_by_items('[]', 'a, a')$$, $$group_by_items('[]', '.a')$$,
	$$flatten_items('[]', '')$$, $$flatten_items('[]', 'a.')$$, $$flatten_items('[{"a": 1}]', 'a')$$, $$flatten_items('[{"a": {}}]', 'a')$$,
	$$chunk_items('[]', 0)$$, $$chunk_items('[]', -1)$$, $$pick_items('[]', '')$$, $$pick_items('[]', 'a,,b')$$, $$pick_items('[]', 'a, a')$$, $$omit_items('[]', '')$$,
	$$json_path_items('[]', '')$$, $$json_path_items('[]', '$.a[')$$, $$json_path_items('[{}]', 'strict $.a')$$, $$json_path_items('[{"a": null}]', '$.a + 1')$$,
	$$aggregate_items('[]', '')$$, $$aggregate_items('[]', 'median(a)')$$, $$aggregate_items('[]', 'sum(*)')$$, $$aggregate_items('[]', 'sum(a')$$, $$aggregate_items('[]', 'sum')$$, $$aggregate_items('[]', 'sum()')$$, $$aggregate_items('[]', 'count(*) AS')$$, $$aggregate_items('[]', 'count(*) n m')$$, $$aggregate_items('[]', 'count(*), count(a)')$$, $$aggregate_items('[]', 'sum("a)')$$, $$aggregate_items('[]', 'count(*),')$$, $$aggregate_items('[{"a": "x"}]', 'sum(a)')$$, $$aggregate_items('[{"a": "NaN"}]', 'sum(a)')$$, $$aggregate_items('[{"a": [1]}]', 'avg(a)')$$, $$aggregate_items('[]', NULL)$$,
	$$reduce_items('[]', '')$$, $$reduce_items('[{}]', 'nothing')$$, $$reduce_items('[{}]', '1/0')$$, $$reduce_items('[{}]', 'acc); SELECT (1')$$, $$reduce_items('[]', NULL)$$,
	$$template_items('[]', '{{range .}}')$$, $$template_items('[{"a": 1}]', '{{range .}}{{.a.b}}{{end}}')$$, $$template_items('[]', NULL)$$, $$merge_items('[{}]', '{}')$$, $$merge_items('[1]')$$]) s;

-- Permissions
CREATE ROLE items_user;
GRANT USAGE ON SCHEMA resolute TO items_user;
SET ROLE items_user;
SELECT s || ' => ' || split_part(pg_temp.refused(s), E'\n', 1) FROM unnest(ARRAY['filter_items(''[]'', '''')', 'sort_items(''[]'', '''')', 'group_by_items(''[]'', '''')', 'flatten_items(''[]'', '''')', 'chunk_items(''[]'', 1)', 'pick_items(''[]'', '''')', 'omit_items(''[]'', '''')', 'json_path_items(''[]'', '''')', 'aggregate_items(''[]'', '''')', 'reduce_items(''[]'', '''')', 'template_items(''[]'', '''')', 'merge_items(''[]'')']) s;
RESET ROLE;
REVOKE USAGE ON SCHEMA resolute FROM items_user;
DROP ROLE items_user;
