-- Values as text, as JSON and as datums; names; rows.
\set ON_ERROR_STOP on
CREATE EXTENSION resolute_unit;
SELECT * FROM no_plan();

CREATE FUNCTION pg_temp.j(source text) RETURNS bytea LANGUAGE sql AS $$ SELECT convert_to(source, 'UTF8') $$;

-- Text, JSON and jsonb ---------------------------------------------------

SELECT is(unit.value_text(pg_temp.j(source)), plain, 'text of ' || source)
FROM (VALUES ('null', NULL), ('true', 'true'), ('-1.50', '-1.50'), ('""', ''), ('"abc"', 'abc'), ('"a\"b\\c\/d"', 'a"b\c/d'),
	('"\b\f\n\r\t"', E'\b\f\n\r\t'), ('"\u0041\u00e9\u6F22"', 'Aé漢'), ('"\ud83d\ude00"', '😀'), ('"\uDBFF\uDFFF"', U&'\+10FFFF'),
	('"a\u0000b"', U&'a\FFFDb'), ('"\ud83d"', U&'\FFFD'), ('"\ud83dx"', U&'\FFFDx'), ('"\ude00\ud83d"', U&'\FFFD\FFFD'),
	('"\ud83d\ud83d\ude00"', U&'\FFFD😀'), ('"\ud83d\u0041"', U&'\FFFDA'), ('"\ud83d\n"', U&'\FFFD' || E'\n'), ('"\uffff"', U&'\FFFF'),
	('[1, "\n"]', '[1, "\n"]'), ('{ }', '{ }')) AS v (source, plain);
SELECT is(unit.value_cstring(pg_temp.j(source)), unit.value_text(pg_temp.j(source)), 'the C string of ' || source || ' is the same')
FROM unnest('{null,false,12,"\"a\\nb\"",[1]}'::text[]) AS source;
SELECT is(unit.value_plain(pg_temp.j('null')), ''::bytea, 'null is no text at all');
SELECT is(unit.value_plain(NULL), ''::bytea, 'nor is what is missing');

SELECT is(convert_from(unit.value_json(pg_temp.j(source)), 'UTF8'), json, 'JSON of ' || source)
FROM (VALUES ('null', 'null'), ('1E2', '1E2'), ('"a\n\u00e9"', '"a\n\u00e9"'), ('"\u0000"', '"\ufffd"'), ('"\uD800"', '"\ufffd"'),
	('"\uFFFD"', '"\uFFFD"'), ('"\\u0000"', '"\\u0000"'), ('"\\\u0000"', '"\\\ufffd"'), ('"\ud83d\ude00"', '"\ud83d\ude00"'),
	('{"a\u0000":["\udead","x"]}', '{"a\ufffd":["\ufffd","x"]}'), ('[ 1 ]', '[ 1 ]')) AS v (source, json);
SELECT is(unit.value_json(NULL), pg_temp.j('null'), 'what is missing is written as null');
SELECT is(unit.value_jsonb(pg_temp.j(source)), jsonb::jsonb, 'jsonb of ' || source)
FROM (VALUES ('null', 'null'), ('true', 'true'), ('false', 'false'), ('1.50', '1.50'), ('"a\nb"', '"a\nb"'), ('"\u0000\ud800"', '"\ufffd\ufffd"'),
	('{"a":"\u0000","b":"\ud800"}', '{"a":"\ufffd","b":"\ufffd"}'), ('[]', '[]')) AS v (source, jsonb);
SELECT is(unit.value_jsonb(NULL), 'null'::jsonb, 'what is missing is null in jsonb');
SELECT throws_ok($$SELECT unit.value_jsonb('{"a":[1,]}')$$, '22P02', NULL, 'a malformed part is found when it is used');
SELECT is(unit.escaped(plain), trim(both '"' from to_json(plain)::text), 'escaped as to_json does')
FROM unnest(ARRAY['', 'plain', E'\x01\x1f\x7f\b\f\n\r\t', 'é漢😀', repeat('x', 40) || E'\n' || repeat('y', 40)]) AS plain;
SELECT is(unit.escaped('a"b\c'), 'a\"b\\c', 'quotes and backslashes are escaped');
SELECT is((SELECT count(*) FROM generate_series(0, 70) AS pad WHERE unit.escaped(repeat('x', pad) || '"' || repeat('y', 20)) <> repeat('x', pad) || '\"' || repeat('y', 20)),
	0::bigint, 'escapes are made wherever they are due');

-- Comparison and truth ---------------------------------------------------

SELECT is(unit.value_equal(pg_temp.j(a), pg_temp.j(b)), expected, format('%s = %s is %s', a, b, expected))
FROM (VALUES ('"a"', '"a"', true), ('"a"', '"b"', false), ('"a"', '"ab"', false), ('"\u0061"', '"a"', true), ('"\n"', '"\u000a"', true), ('1', '"1"', true), ('1', '1.0', false),
	('null', 'null', true), ('null', '""', false), ('null', '"null"', false), ('true', '"true"', true), ('[1]', '[1]', true)) AS v (a, b, expected);
SELECT ok(unit.value_equal(NULL, 'null') AND unit.value_equal(NULL, NULL) AND NOT unit.value_equal(NULL, '""'), 'missing equals null only');
SELECT ok(unit.value_is(pg_temp.j('"\u0061bc"'), 'abc') AND NOT unit.value_is('"abc"', 'ab') AND NOT unit.value_is('null', '') AND unit.value_is('12', '12'), 'a value is what it reads as');
SELECT is(unit.value_truth(pg_temp.j(source)), expected, format('%s is %s', to_json(source), expected))
FROM (VALUES ('null', false), ('false', false), ('true', true), ('0', false), ('-0.0', false), ('0e5', false), ('0.001', true), ('1e-400', true), ('-2', true), ('""', false), ('"0"', true),
	('"false"', true), ('[]', false), ('[ ]', false), ('{}', false), (E'{\n}', false), ('[0]', true), ('{"a":null}', true)) AS v (source, expected);
SELECT ok(NOT unit.value_truth(NULL), 'what is missing is not true');

-- Members and names ------------------------------------------------------

SELECT is(unit.member(pg_temp.j(source), name, loose), expected::jsonb, format('member %s of %s', name, source))
FROM (VALUES ('{"a":1,"b":2}', 'b', false, '2'), ('{"a":1,"a":2}', 'a', false, '2'), ('{"A":1}', 'a', false, NULL), ('{"A":1}', 'a', true, '1'),
	('{"StoryPoints":1,"story_points":2}', 'story_points', true, '2'), ('{"story_points":2,"StoryPoints":1}', 'story_points', true, '2'),
	('{"story_points":3}', 'StoryPoints', true, '3'), ('{"k\u0065y":4}', 'key', false, '4'), ('{"\u212a":4}', 'k', true, NULL), ('[1]', 'a', true, NULL), ('"x"', 'a', true, NULL),
	('{"":5}', '', false, '5'), ('{"a":null}', 'a', false, 'null'), ('{}', 'a', false, NULL)) AS v (source, name, loose, expected);
SELECT is(unit.length(pg_temp.j(source)), expected, 'length of ' || source)
FROM (VALUES ('[]', 0), ('[1,[2,3],{"a":[4]}]', 3), ('{"a":1,"a":2}', 2), ('"abc"', 0), ('null', 0)) AS v (source, expected);
SELECT is(unit.names_agree(a, b), expected, format('%s and %s', a, b))
FROM (VALUES ('StoryPoints', 'story_points', true), ('__a_', 'A', true), ('a', 'ab', false), ('', '_', true), ('', 'a', false), ('é', 'É', false), ('a_b', 'a b', false)) AS v (a, b, expected);

-- Rows -------------------------------------------------------------------

SELECT is(unit.items('[{"a":1,"b":{"c":"x"}},{"a":null}]'), '{"{\"a\":1,\"b\":{\"c\":\"x\"}}","{\"a\":null}"}', 'a jsonb array is a batch of items');
SELECT is(unit.items('[{"a":1,"b":{"c":"x\n"}},{"a":null}]', '{a,b.c}'), '{"{\"a\":1,\"b.c\":\"x\\n\"}","{\"a\":null,\"b.c\":null}"}', 'rows of fields are objects of these');
SELECT is(unit.items('[]'), '{}', 'an empty array is an empty batch');
SELECT throws_ok(format('SELECT unit.items(%L)', items), '22023', 'items must be a JSON array of objects', items || ' is refused')
FROM unnest(ARRAY['{}', '1', 'null', '[1]', '[{}, null]', '["{"]']) AS items;

-- The guard of rows ------------------------------------------------------

CREATE TABLE public.counted (n integer PRIMARY KEY CHECK (n < 100));
CREATE FUNCTION pg_temp.raises(code text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = code, DETAIL = 'A detail.'; END $$;
SELECT is(unit.guard_rows('{}'), '', 'no rows, no work');
SELECT is(unit.guard_rows('{SELECT 1,SELECT 2}'), '', 'rows without an error pass');
SELECT is(unit.guard_rows('{INSERT INTO public.counted VALUES (1),SELECT 1/0,INSERT INTO public.counted VALUES (2)}'), '2 22012 division by zero; ', 'a row error is reported');
SELECT is(ARRAY(SELECT n FROM public.counted), '{2}', 'it takes back what was written before it, and the rest goes on');
SELECT is(unit.guard_rows('{SELECT ''x''::int,INSERT INTO public.counted VALUES (200),SELECT 1,SELECT pg_temp.raises(''P0001'')}'),
	'1 22P02 invalid input syntax for type integer: "x"; 2 23514 new row for relation "counted" violates check constraint "counted_n_check": Failing row contains (200).; 4 P0001 raised: A detail.; ',
	'every row fails by itself: data, constraint, RAISE');
SELECT throws_ok(format('SELECT unit.guard_rows(ARRAY[''SELECT 1'', %L, ''SELECT 2''])', format('SELECT pg_temp.raises(%L)', code)), code, 'raised', code || ' is no row error')
FROM unnest('{42501,53200,40001,08006,P0002,XX000}'::text[]) AS code;
CREATE FUNCTION pg_temp.cancelled(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM unit.guard_rows(ARRAY['SELECT 1', statement, 'SELECT 2']);
	RETURN false;
EXCEPTION WHEN query_canceled THEN
	RETURN true;
END
$$;
SELECT ok(pg_temp.cancelled($$SELECT pg_temp.raises('57014')$$), 'a cancel is no row error');
SET statement_timeout = '100ms';
SELECT ok(pg_temp.cancelled('SELECT pg_sleep(60)'), 'nor is one that comes from outside');
RESET statement_timeout;
SELECT lives_ok('SELECT unit.guard_rows(array_fill(''SELECT 1/0''::text, ARRAY[500]))', 'every row of a page may fail');

SELECT * FROM finish();
