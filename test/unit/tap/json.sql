-- The JSON reader against jsonb, and its two ways of scanning against each other.
\set ON_ERROR_STOP on
\set fixtures `echo "$RESOLUTE_FIXTURES"`
CREATE EXTENSION resolute_unit;
SELECT * FROM no_plan();

-- Every path of keys in a document, as far as dots can write it.
CREATE FUNCTION pg_temp.paths_of(document jsonb) RETURNS text[] LANGUAGE sql AS $$
	WITH RECURSIVE member (path, value) AS (
		SELECT key, value
		FROM jsonb_each(CASE WHEN jsonb_typeof(document) = 'object' THEN document ELSE '{}' END)
		UNION ALL
		SELECT m.path || '.' || e.key, e.value
		FROM member AS m, jsonb_each(CASE WHEN jsonb_typeof(m.value) = 'object' THEN m.value ELSE '{}' END) AS e
	)
	SELECT coalesce(array_agg(path ORDER BY path), '{}') FROM (
		SELECT DISTINCT path FROM member WHERE path <> '' AND cardinality(string_to_array(path, '.')) < 40) AS p
$$;

-- What the reader should pick, by jsonb.
CREATE FUNCTION pg_temp.expected(document jsonb, paths text[]) RETURNS jsonb[] LANGUAGE sql AS $$
	SELECT array_agg(document #> string_to_array(path, '.') ORDER BY n)
	FROM unnest(paths) WITH ORDINALITY AS p (path, n)
$$;

-- Does the reader agree with jsonb on a valid document?  An empty text if so.
CREATE FUNCTION pg_temp.check_document(source text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	document jsonb := source::jsonb;
	bytes bytea := convert_to(source, 'UTF8');
	paths text[] := pg_temp.paths_of(document) || '{nowhere,no.where,""}'::text[];
	expected jsonb[] := pg_temp.expected(document, paths);
	mode text;
	result record;
BEGIN
	-- A key that holds a dot is no path.
	IF EXISTS (SELECT FROM unnest(paths) AS p (path) WHERE document #> string_to_array(path, '.') IS NULL
			   AND path NOT IN ('nowhere', 'no.where')) THEN
		paths := ARRAY(SELECT path FROM unnest(paths) AS p (path) WHERE document #> string_to_array(path, '.') IS NOT NULL);
		expected := pg_temp.expected(document, paths);
	END IF;
	FOREACH mode IN ARRAY '{auto,scalar}'::text[] LOOP
		SELECT * INTO result FROM unit.pick(bytes, paths, mode);
		IF result.error IS NOT NULL OR result.picked IS DISTINCT FROM expected THEN
			RETURN format('%s: pick: %s %s instead of %s in %s', mode, result.error, result.picked, expected, source);
		ELSIF unit.rebuild(bytes, mode)::jsonb IS DISTINCT FROM document THEN
			RETURN format('%s: iteration over %s', mode, source);
		ELSIF unit.validate(bytes, mode) IS NOT NULL THEN
			RETURN format('%s: validation at %s of %s', mode, unit.validate(bytes, mode), source);
		END IF;
	END LOOP;
	RETURN '';
END
$$;

-- Recorded answers -------------------------------------------------------

CREATE TEMP TABLE fixture AS
	SELECT folder || '/' || file AS name, pg_read_binary_file(:'fixtures' || '/' || folder || '/' || file) AS bytes
	FROM unnest('{jira,confluence,github}'::text[]) AS folder,
		pg_ls_dir(:'fixtures' || '/' || folder, true, false) AS file
	WHERE :'fixtures' <> '' AND file LIKE '%.json';
SELECT count(*) > 0 AS have_fixtures FROM fixture \gset
\if :have_fixtures
SELECT is(pg_temp.check_document(convert_from(bytes, 'UTF8')), '', name || ' reads as jsonb does')
FROM fixture ORDER BY name;

-- The same with every array of the top level read as a page of items.
SELECT is(to_jsonb(r.items), e.value, f.name || ' "' || e.key || '" is a page')
FROM fixture AS f, convert_from(f.bytes, 'UTF8') AS t (source),
	jsonb_each(CASE WHEN jsonb_typeof(source::jsonb) = 'object' THEN source::jsonb ELSE '{}' END) AS e,
	unit.read_page(f.bytes, e.key, '{total}', '{id,key,fields.summary}') AS r
WHERE jsonb_typeof(e.value) = 'array' AND e.value <> '[]' AND e.key NOT LIKE '%.%'
ORDER BY f.name, e.key;

-- Every truncation, and changed bytes: no crash, no difference, never accepted.
SELECT is(sum(unit.disagreements(convert_to(rtrim(convert_from(bytes, 'UTF8'), E' \r\n'), 'UTF8'),
		'{id,key,fields.summary,fields.status.name,fields.description,values,issues}', 0, 0)),
	0::bigint, 'fixtures cut off anywhere are refused alike')
FROM fixture WHERE length(bytes) < 8000;
SELECT is(sum(unit.disagreements(bytes, '{id,key,fields.summary,fields.status.name,fields.description,values,issues}', 7, 200)),
	0::bigint, 'fixtures with changed bytes are read alike')
FROM fixture WHERE length(bytes) < 20000;
\else
SELECT skip('no recorded answers: set RESOLUTE_FIXTURES', 1);
\endif

-- Generated documents ----------------------------------------------------

CREATE FUNCTION pg_temp.one_of(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE AS
	$$ SELECT choices[1 + floor(random() * cardinality(choices))::int] $$;

CREATE FUNCTION pg_temp.space() RETURNS text LANGUAGE sql VOLATILE AS
	$$ SELECT CASE WHEN random() < 0.8 THEN '' ELSE pg_temp.one_of(' ', E'\n', E'\t', E'\r\n', repeat(' ', 70)) END $$;

CREATE FUNCTION pg_temp.string() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	result text := '"';
BEGIN
	FOR i IN 1 .. (random() * random() * 12)::int LOOP
		result := result || pg_temp.one_of('a', 'Z', ' ', '{', ']', ',', ':', '\"', '\\', '\/', '\n', '\u0041', '\u00e9',
			'\uD83D\uDE00', 'é', '漢', '😀', '\\\\', '\\\"', repeat('long ', 20));
	END LOOP;
	RETURN result || '"';
END
$$;

-- Duplicate keys are likely, and so are keys written with escapes.
CREATE FUNCTION pg_temp.document(depth integer) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	result text := '';
	choice float8 := random();
	is_object boolean := choice < 0.7;
BEGIN
	IF depth = 0 OR choice > 0.85 THEN
		RETURN pg_temp.one_of(pg_temp.string(), pg_temp.string(), 'null', 'true', 'false', '0', '-0.5', '12e3', '1.25E-2', '12345678901234567890.123');
	END IF;
	FOR i IN 1 .. (random() * 6)::int LOOP
		result := result || CASE WHEN i > 1 THEN ',' ELSE '' END || pg_temp.space();
		IF is_object THEN
			result := result || pg_temp.one_of('"a"', '"b"', '"c"', '"key"', '"k\u0065y"', '"é"', '"\u00e9"', '""', '"a b"', pg_temp.string())
				|| pg_temp.space() || ':' || pg_temp.space();
		END IF;
		result := result || pg_temp.document(depth - 1) || pg_temp.space();
	END LOOP;
	RETURN CASE WHEN is_object THEN '{' || result || pg_temp.space() || '}' ELSE '[' || result || ']' END;
END
$$;

SELECT setseed(0.25) \g /dev/null
CREATE TEMP TABLE generated AS SELECT n, pg_temp.space() || pg_temp.document(5) || pg_temp.space() AS source FROM generate_series(1, 600) AS n;
SELECT ok(max(length(source)) > 2000, 'there are long documents among the generated ones') FROM generated;
SELECT is((SELECT string_agg(wrong, E'\n') FROM (
	SELECT nullif(pg_temp.check_document(source), '') AS wrong FROM generated) AS w), NULL, 'generated documents read as jsonb does');
SELECT is(sum(unit.disagreements(convert_to(source, 'UTF8'), '{a,a.b,b,key,key.a,é}', n, 30)), 0::bigint,
	'generated documents with changed bytes are read alike') FROM generated;
SELECT is(sum(unit.disagreements(convert_to(source, 'UTF8'), '{a,a.b,b,key,key.a,é}', n, 0)), 0::bigint,
	'generated objects cut off anywhere are refused alike') FROM generated WHERE source ~ '^\s*[{[]' AND length(source) < 3000 AND source !~ '\s$';

-- Backslashes and quotes at every place of a block of 64 bytes.
SELECT is((SELECT string_agg(wrong, E'\n') FROM (
	SELECT nullif(pg_temp.check_document('{"p":"' || repeat('x', pad) || repeat('\\', run) || tail || '","q":[{"]":"}"}],"z":' || pad || '}'), '') AS wrong
	FROM generate_series(0, 130) AS pad, generate_series(0, 5) AS run, unnest('{"","\\\"",y}'::text[]) AS tail) AS w), NULL,
	'runs of backslashes are read right wherever they stand');
SELECT is((SELECT string_agg(wrong, E'\n') FROM (
	SELECT nullif(pg_temp.check_document(repeat(' ', pad) || '{"a":' || repeat('[', depth) || repeat(']', depth) || ',"b":{"c":1}}'), '') AS wrong
	FROM generate_series(0, 70) AS pad, unnest('{1,2,31,63,64,65,130}'::int[]) AS depth) AS w), NULL,
	'brackets are balanced wherever they stand');

-- What is no JSON: the same answer as jsonb where the broken part is read --

CREATE FUNCTION pg_temp.is_jsonb(source text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM source::jsonb;
	RETURN true;
EXCEPTION WHEN data_exception THEN
	RETURN false;
END
$$;

SELECT is(unit.validate(convert_to(source, 'UTF8')), wrong_at::bigint, format('validate %s', source))
FROM (VALUES ('', 0), (' ', 1), ('{', 1), ('[1,]', 3), ('{"a":1,}', 7), ('{"a"}', 4), ('{a:1}', 1), ('[1 2]', 3), ('nul', 3), ('truth', 3),
	('01', 1), ('1.', 2), ('-', 1), ('1e', 2), ('+1', 0), ('.5', 0), ('"abc', 4), ('"\x"', 1), ('"\u12g4"', 1), (E'"a\tb"', 2),
	('[1}', 2), ('{"a":1]', 6), ('1 2', 2), ('[]]', 2), ('"\', 2), ('{"a\q":1}', 3), (E'\uFEFF[]', 0), ('[[[]', 4)) AS v (source, wrong_at);
SELECT is(unit.validate(convert_to(source, 'UTF8')) IS NULL, pg_temp.is_jsonb(source), format('%s is judged as jsonb does', source))
FROM unnest(ARRAY['1', '-0', '1.0e+5', '1E400', '""', '"\ud83d\ude00"', '[[],{}]', '{"":{"":[]}}', ' [ 1 , 2 ] ', '[1,,2]', '{"a"::1}', '[NaN]', '''a''', '{"a":1 "b":2}', '{1:2}',
	'[true false]', '"a" "b"', 'tru', 'nullx', '--1', '1.e1', '0x1', '[-]']) AS source;
SELECT is(p.error, message, format('pick from %s', source))
FROM (VALUES ('', 'unexpected end of input at byte 0'), ('{"a":{"b":"x', 'unexpected end of input at byte 12'), ('{"a":{"b":tru}}', 'unexpected character at byte 13'),
	('{"a":{"b":"\x"}}', 'invalid string at byte 11'), ('{"a":1} x', 'unexpected character at byte 8'), ('{"skipped":[[1]', 'unexpected end of input at byte 15'),
	('{"a":{"b":01}}', 'unexpected character at byte 11'), ('{"a" 1}', 'unexpected character at byte 5'), ('<html>', 'unexpected character at byte 0')) AS v (source, message),
	unit.pick(convert_to(source, 'UTF8'), '{a.b}') AS p;

-- Broken copies that jsonb does accept must give what jsonb gives.
CREATE FUNCTION pg_temp.flip(source bytea) RETURNS bytea LANGUAGE sql VOLATILE AS
	$$ SELECT set_byte(source, (random() * (length(source) - 1))::int, ascii(pg_temp.one_of('"', '\', '{', '}', '[', ']', ',', ':', ' ', '0', 'a', 'u'))) $$;
CREATE FUNCTION pg_temp.check_flipped(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM convert_from(bytes, 'UTF8')::jsonb;
	RETURN CASE WHEN unit.validate(bytes) IS NULL THEN pg_temp.check_document(convert_from(bytes, 'UTF8'))
		ELSE 'refused ' || convert_from(bytes, 'UTF8') END;
EXCEPTION WHEN data_exception THEN
	-- jsonb refuses more: lone surrogates, \u0000, and what is no UTF-8 at all.
	RETURN '';
END
$$;
SELECT setseed(0.5) \g /dev/null
SELECT is((SELECT string_agg(wrong, E'\n') FROM (
	SELECT nullif(pg_temp.check_flipped(pg_temp.flip(convert_to(source, 'UTF8'))), '') AS wrong
	FROM generated, generate_series(1, 5) WHERE length(source) BETWEEN 3 AND 2000) AS w), NULL,
	'what jsonb accepts of documents with a changed byte reads as jsonb does');

-- Particular cases -------------------------------------------------------

SELECT is(picked, expected::jsonb[], what)
FROM (VALUES
	('of a repeated key the last counts', '{"a":1,"a":2}', '{a}', '{2}'),
	('a later object replaces an earlier one wholly', '{"a":{"b":1,"c":2},"a":{"c":3}}', '{a.b,a.c,a}', '{NULL,3,"{\"c\":3}"}'),
	('a later scalar replaces an object', '{"a":{"b":1},"a":5}', '{a.b,a}', '{NULL,5}'),
	('a key with escapes is the key', '{"k\u0065y":1,"\u00e9":2}', '{key,é}', '{1,2}'),
	('a path may be wanted twice', '{"a":{"b":1}}', '{a.b,a,a.b,a}', '{1,"{\"b\":1}",1,"{\"b\":1}"}'),
	('null on the way is missing', '{"a":null}', '{a.b,a}', '{NULL,"null"}'),
	('an array on the way is missing', '{"a":[{"b":1}]}', '{a.b}', '{NULL}'),
	('the empty path is the document', '[1]', '{"",a}', '{[1],NULL}'),
	('empty keys have paths, too', '{"":{"":1,"a":2}}', '{.,.a}', '{1,2}'),
	('no paths are fine', '{"a":1}', '{}', '{}'),
	('a byte order mark is passed over', U&'\FEFF{"a":1}', '{a}', '{1}'),
	('huge numbers keep their digits', '{"a":123456789012345678901234567890.5}', '{a}', '{123456789012345678901234567890.5}')
) AS v (what, source, paths, expected), unit.pick(convert_to(source, 'UTF8'), paths::text[]);

SELECT is(length(picked[1]::text), 5000002, 'very long strings are read')
FROM unit.pick(convert_to('{"a":"' || repeat('0123456789', 500000) || '"}', 'UTF8'), '{a}');
SELECT is(picked[1], '1', 'nesting has no limit where nobody looks')
FROM unit.pick(convert_to('{"deep":' || repeat('[', 1000000) || repeat(']', 1000000) || ',"a":1}', 'UTF8'), '{a}');
SELECT is(unit.validate(convert_to(repeat('[', 1000000) || repeat(']', 1000000), 'UTF8')), NULL, 'nor where everything is checked');
SELECT is(unit.validate(convert_to(repeat('{"a":', 100000) || '1' || repeat('}', 99999) || ']', 'UTF8')), 600000::bigint, 'a wrong bracket in the depth is found');
SELECT is(picked[1], '7', 'nor for the length of a path')
FROM unit.pick(convert_to(repeat('{"a":', 3000) || '7' || repeat('}', 3000), 'UTF8'), ARRAY[rtrim(repeat('a.', 3000), '.')]);

-- Pages ------------------------------------------------------------------

SELECT is((has_items, envelope, items, fields)::text, expected, what)
FROM (VALUES
	('items before the fields of the envelope', '{"issues":[{"k":1,"f":{"s":"x"}},{"k":2}],"total":9}', 'issues',
		(true, '{9,NULL}'::jsonb[], '{"{\"f\":{\"s\":\"x\"},\"k\":1}","{\"k\":2}"}'::jsonb[], '{1,"\"x\"",2,NULL}'::jsonb[])::text),
	('the page itself is the array', '[{"k":1},{"k":2,"f":{"s":null}}]', '',
		(true, '{NULL,NULL}'::jsonb[], '{"{\"k\":1}","{\"k\":2,\"f\":{\"s\":null}}"}'::jsonb[], '{1,NULL,2,"null"}'::jsonb[])::text),
	('items deep inside', '{"data":{"page":{"total":3,"rows":[{"k":1}]}},"total":4}', 'data.page.rows',
		(true, '{4,3}'::jsonb[], '{"{\"k\":1}"}'::jsonb[], '{1,NULL}'::jsonb[])::text),
	('an empty array', '{"issues":[ ],"total":0}', 'issues', (true, '{0,NULL}'::jsonb[], '{}'::jsonb[], '{}'::jsonb[])::text),
	('no array', '{"issues":{"k":1},"total":0}', 'issues', (false, '{0,NULL}'::jsonb[], '{}'::jsonb[], '{}'::jsonb[])::text),
	('no items at all', '{"errorMessages":["x"]}', 'issues', (false, '{NULL,NULL}'::jsonb[], '{}'::jsonb[], '{}'::jsonb[])::text),
	('of repeated items the last count', '{"issues":[{"k":1},{"k":2}],"issues":[{"k":3}]}', 'issues',
		(true, '{NULL,NULL}'::jsonb[], '{"{\"k\":3}"}'::jsonb[], '{3,NULL}'::jsonb[])::text),
	('... also if they are none', '{"issues":[{"k":1}],"issues":null}', 'issues', (false, '{NULL,NULL}'::jsonb[], '{}'::jsonb[], '{}'::jsonb[])::text),
	('... also if what holds them is repeated', '{"data":{"rows":[{"k":1}]},"data":{}}', 'data.rows', (false, '{NULL,NULL}'::jsonb[], '{}'::jsonb[], '{}'::jsonb[])::text),
	('items that are no objects', '{"issues":[1,"a",null,[2]]}', 'issues',
		(true, '{NULL,NULL}'::jsonb[], '{1,"\"a\"","null",[2]}'::jsonb[], '{NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL}'::jsonb[])::text)
) AS v (what, source, items_path, expected), unit.read_page(convert_to(source, 'UTF8'), items_path, '{total,data.page.total}', '{k,f.s}');
SELECT is(error, message, 'a broken page: ' || source)
FROM (VALUES ('{"issues":[{"k":1},]}', 'unexpected character at byte 19'), ('{"issues":[{"k":1}', 'unexpected end of input at byte 18'),
	('{"issues":[{"k":1}]', 'unexpected end of input at byte 19'), ('{"issues":[{"k":1]}', 'unexpected character at byte 17'),
	('{"issues":[', 'unexpected end of input at byte 11')) AS v (source, message),
	unit.read_page(convert_to(source, 'UTF8'), 'issues', '{total}', '{k}');
SELECT is(cardinality(fields), 3000, 'a page of 1000 items keeps them all')
FROM unit.read_page(convert_to((SELECT jsonb_build_object('issues', jsonb_agg(jsonb_build_object('k', n))) FROM generate_series(1, 1000) AS n)::text, 'UTF8'),
	'issues', '{}', '{k,f,f.s}');
SELECT is((SELECT sum(f::int) FROM unnest(fields) AS f), 500500::bigint, '... in their places')
FROM unit.read_page(convert_to((SELECT jsonb_build_object('issues', jsonb_agg(jsonb_build_object('k', n))) FROM generate_series(1, 1000) AS n)::text, 'UTF8'),
	'issues', '{}', '{k}');

-- UTF-8 --------------------------------------------------------------------

SELECT is(unit.valid_utf8(bytes), expected, what)
FROM (VALUES
	('ASCII stays', 'abc'::bytea, 'abc'::bytea),
	('valid letters stay', convert_to('é漢😀', 'UTF8'), convert_to('é漢😀', 'UTF8')),
	('nothing stays nothing', ''::bytea, ''::bytea),
	('a stray byte', '\x61ff62', convert_to(U&'a\FFFDb', 'UTF8')),
	('a truncated letter is one replacement', '\x61f09f98', convert_to(U&'a\FFFD', 'UTF8')),
	('an overlong form is one for each byte', '\xc0af', convert_to(U&'\FFFD\FFFD', 'UTF8')),
	('a surrogate is one for each byte', '\xeda080', convert_to(U&'\FFFD\FFFD\FFFD', 'UTF8')),
	('beyond U+10FFFF', '\xf4908080', convert_to(U&'\FFFD\FFFD\FFFD\FFFD', 'UTF8')),
	('NUL', '\x610062', convert_to(U&'a\FFFDb', 'UTF8')),
	('Latin-1', '\x636166e9', convert_to(U&'caf\FFFD', 'UTF8'))
) AS v (what, bytes, expected);
SELECT is((SELECT count(*) FROM generate_series(0, 200) AS pad,
	unit.valid_utf8(convert_to(repeat('x', pad) || 'é', 'UTF8') || '\xe9'::bytea || convert_to(repeat('y', 100), 'UTF8')) AS v (bytes)
	WHERE bytes <> convert_to(repeat('x', pad) || U&'\00e9\FFFD' || repeat('y', 100), 'UTF8')), 0::bigint, 'invalid bytes are found wherever they stand');

SELECT * FROM finish();
