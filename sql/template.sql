-- Templates as documents: resolute.render(); as text they are compared with Go in test/go.
\pset format unaligned
\pset tuples_only on
SET timezone = 'UTC';

-- The template of the README, as fields of any name
\set readme '{ "issue_key": "{{.Key}}", "project": "{{.Project}}", "summary": "{{.Summary}}", "status": "{{.Status}}", "assignee": "{{.Assignee}}", "priority": "{{.Priority}}", "created_at": "{{.Created}}", "updated_at": "{{.Updated}}", "story_points": {{.StoryPoints}}, "labels": {{json .Labels}}, "sync_timestamp": "{{now}}"}'
SELECT resolute.render(:'readme', '{"key": "ENG-1", "project": "ENG", "summary": "A \"quoted\" line\nand {{another}} \\ é 世界 🎉", "status": "Done", "assignee": null, "created": "2024-01-15T10:30:00.000+0000", "story_points": 3.10, "labels": ["a", "b\"c"]}') - 'sync_timestamp';
SELECT (resolute.render(:'readme', '{}') ->> 'sync_timestamp')::timestamptz = now();
SELECT resolute.render(:'readme', '{}') - 'sync_timestamp';

-- Names: exactly first, then ignoring case and underscores
SELECT resolute.render('{"a": {{.StoryPoints}}, "b": {{.story_points}}, "c": {{.STORYPOINTS}}}', '{"story_points": 1, "StoryPoints": 2}');
SELECT resolute.render('{"a": {{.Fields.DueDate}}, "b": {{index .fields "due_date"}}}', '{"fields": {"due_date": "2024-01-01"}}');

-- Values of every kind, in quotes and without
SELECT t.name, resolute.render('{"bare": {{.v}}, "quoted": "{{.v}}", "amid": "<{{.v}}>", "json": {{json .v}}, "json text": "{{json .v}}"}', jsonb_build_object('v', t.v))
FROM (VALUES ('null', 'null'::jsonb), ('bool', 'true'), ('int', '42'), ('decimal', '1.50'), ('huge', '123456789012345678901234567890.123456789'), ('tiny', '0.000000000000000000000000000001'), ('empty', '""'), ('text', '"a \"b\" \\ / \t é"'), ('looks like a number', '"1.50"'), ('array', '[1, "x\"y", null, 2.0]'), ('empty array', '[]'), ('object', '{"a": {"b": 1.0}}')) t (name, v);
SELECT resolute.render('{"bare": {{.v}}, "quoted": "{{.v}}", "amid": "<{{.v}}>", "deep": {{.v.x.y}}, "json": {{json .v}}}', '{}');
SELECT resolute.render('{"deep": {{.v.x.y}}, "quoted": "{{.v.x}}"}', '{"v": null}');

-- The same through a rendered document rather than columns
SELECT t.name, resolute.render('[{{with $}}{"bare": {{.v}}, "quoted": "{{.v}}", "amid": "<{{.v}}>", "json": {{json .v}}, "json text": "{{json .v}}", {{.v}}: 1, "{{.v}}!": 2}{{end}}]', jsonb_build_object('v', t.v))
FROM (VALUES ('null', 'null'::jsonb), ('bool', 'true'), ('decimal', '1.50'), ('huge', '123456789012345678901234567890.123456789'), ('empty', '""'), ('text', '"a \"b\" \\ / \t é"'), ('array', '[1, "x\"y", null, 2.0]'), ('object', '{"a": {"b": 1.0}}')) t (name, v);

-- Values may be any mixture, keys any constant
SELECT resolute.render('{"a": "{{.p}}-{{.n}}", "b": {"c": [{{.n}}, "{{.p}}", null]}, "d": {{if .n}}{{.n}}{{else}}0{{end}}, "e": [{{range $i, $x := .l}}{{if $i}}, {{end}}{"x": {{$x}}}{{end}}], "f\n\u00e9": 1, "": -1.5e3, "g": {}, "h": true}', '{"p": "ENG", "n": 7, "l": [1, "two", null]}');
SELECT resolute.render('{{$f := .fields}}{"a": "{{$f.x}}", {{$g := $f.y}}"b": {{$g}}, "c": {{/* nothing */}}{{$g | add 1}} }{{$h := 1}}', '{"fields": {"x": "X", "y": 2}}');
SELECT resolute.render('{{define "who"}}{"name": "{{.name}}", "boss": {{if .boss}}{{template "who" .boss}}{{else}}null{{end}}}{{end}}{"who": {{template "who" .who}}}', '{"who": {"name": "A", "boss": {"name": "B", "boss": {"name": "C"}}}}');
SELECT resolute.render('{ {{- range $k, $v := .m}}{{if ne $k "a"}},{{end}}"{{$k}}": {{$v}}{{end -}} }', '{"m": {"b": 1, "a": "x", "c": null}}');
SELECT resolute.render('{{if .a}}{"a": {{.a}}}{{else}}[]{{end}}', '{}'), resolute.render('{{.}}', '[1, "x"]'), resolute.render('"{{.}}"', '"x"'), resolute.render(' "{{.}}" ', 'null'), resolute.render('{{.}}', '"x"');
SELECT resolute.render('{"nothing": "{{if .x}}{{.x}}{{end}}", "break": [{{range $i, $x := .l}}{{if eq $x 3}}{{break}}{{end}}{{if $i}},{{end}}{{$x}}{{end}}]}', '{"l": [1, 2, 3, 4]}');
SELECT resolute.render('{"html": "{{html .x}}", "js": "{{js .x}}", "printf": {{printf "%05.1f" 2.25}}, "number": {{printf "%.1f" 2.25 | float}}, "v": "{{printf "%v" .n}}", "null": {{html .null}}}', '{"x": "<\"a\">", "n": 12345678901234567890}');

-- A document may be deeper than any stack of ours
SELECT length(resolute.render('{"deep": {{.}}}', (repeat('[', 900) || repeat(']', 900))::jsonb)::text);

-- Functions of our own
\set values '{"s": "  Gruen, a b,c  ", "u": "Grün", "n": 7, "f": 2.50, "null": null, "l": ["x", 1, null, "y"], "big": 9223372036854775807, "t": "2024-03-05T06:07:08.9+0100", "ms": 1700000000123, "zero": 0, "q": "12.7", "m": {"a": 1}}'
SELECT f, resolute.render('{"x": {{' || f || '}}}', :'values') -> 'x' FROM unnest(ARRAY[
	'lower .s', 'upper .s', 'trim .s', 'trim .s | upper | lower', 'upper .n', 'upper .null', 'trim ""', 'trim " \t"',
	'replace "a" "-" .s', 'replace "" "-" "abc"', 'replace "x" "" "xaxbx"', 'replace "aa" "a" "aaaa"', '"a.b" | replace "." "/"', 'replace "a" "b" .null',
	'split "," .s', 'split "" "aé世"', 'split "," ""', 'split "ab" "ab"', 'split "," .null', '"a,b" | split ","', 'index (split "-" "ENG-12") 1',
	'join ", " .l', 'join "" (split "," "a,b")', 'join "," .null', 'join "," "text"', '.l | join "+"',
	'default "d" .null', 'default "d" .missing', 'default 1 .zero', 'default "d" ""', 'default "d" .n', '.null | default "d"', '.l | default "d"',
	'coalesce .null .missing "" 0 .n', 'coalesce .null .zero', 'coalesce .s',
	'add 1 2', 'add 1 2 3.5', 'add .big 1', 'add 0.1 0.2', 'add .n .null', 'add "1" "2.5"', '.n | add 1', 'sub 10 .n', '.n | sub 10', 'mul 2 .f', 'mul .big .big', 'mul 2 3 4', 'div 7 2', 'div -7 2', 'div 7 2.0', 'div .big -1',
	'int .f', 'int "12.7"', 'int -2.9', 'int true', 'int .null', 'int .big', 'float 3', 'float "3.10"', 'float .null', 'eq (float 3) 3.0',
	'json .m', 'json "a\"b"', 'json .null', 'json (split "," "a,b")', 'len (json .m)', 'json .s | printf "%s"',
	'date "2006-01-02 15:04:05 -0700" .t', 'date "Mon Jan _2 03:04PM 2006" .t', 'date "2006-01-02T15:04:05.000Z07:00" .ms', 'date "02/01/06" "2024-12-31"', 'date "2006" .null', 'date "2006" ""', '.ms | date "2006-01-02"', 'now | date "2006" | len',
	'eq .f 2.5', 'eq .n 7.0', 'gt .f 2', 'lt 2 .f', 'and .null 1', 'or .null "x"', 'not .null', 'index .l 0', 'index .m "A"', 'index .null "a"', 'slice .l 1 2', 'slice .u 2 4', 'slice .u 2 3', 'len .s', 'printf "%d items" (len .l)', 'print .f .n']) f;
SET timezone = 'America/New_York';
SELECT resolute.render('{"x": "{{date "2006-01-02 15:04 -0700 MST" .t}}"}', :'values');
SET timezone = 'UTC';

-- As text
SELECT resolute.render_text('{{.Key}}: {{range .Labels}}[{{.}}]{{end}}{{.nope}} {{.key}}', '{"Key": "ENG-1", "Labels": ["a", 1.50, 1e3]}');
SELECT resolute.render_text('{{slice .s 0 1}}{{"\x00"}}{{slice .s 1}}', '{"s": "é"}');
SELECT resolute.render_text('', '{}') = '', resolute.render_text(NULL, '{}') IS NULL, resolute.render('{}', NULL) IS NULL;

-- Rows of documents, and the items of an array
SELECT * FROM resolute.map_items('[{"a": 1, "b": "x"}, {"a": null}, {}]', '{"A": {{.a}}, "b": "{{.b}}"}');
SELECT * FROM resolute.map_items('[{"a": 1}, {"b": 2}]', '{ {{range $k, $v := .}}"{{$k}}": "{{$v}}"{{end}} }');
SELECT * FROM resolute.map_items('[]', '{}');

-- Mistakes in the template, with line and column
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.refused(template text, item jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	RETURN 'made ' || resolute.render(template, item)::text;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n   ', sqlstate || ': ' || sqlerrm, nullif(detail, ''), nullif(hint, ''));
END $$;
SELECT t || E'\n => ' || pg_temp.refused(t) FROM unnest(ARRAY[
	'{"a": {{.a}', '{"a": {{.a', E'{"a":\n  "é{{uper .a}}"}', '{"a": {{frobnicate .a}}}', '{"a": {{$x}}}', '{"a": {{if .a}}1}', '{"a": 1{{end}}}', '{"a": {{else}}}', '{"a": {{.a | 1}}}', '{"a": {{"x}}}', '{"a": {{''xy''}}}',
	'{"a": {{1i}}}', '{"a": {{1+2i}}}', '{"a": {{99999999999999999999}}}', '{"a": {{08}}}', '{"a": {{template "x"}}}', '{"a": {{break}}}', '{"a": {{call .a}}}', '{"a": {{(.a}}}', '{"a": {{.a)}}}', '{"a": {{}}}', '{"a": {{nil.x}}}', '{"a": {{.a-b}}}', '{"a": {{range $i, $j, $k := .a}}{{end}}}', '{"a": {{/* x}}}', '{"a": {{ /* x */ }}}',
	'{{define "a"}}1{{end}}{{define "a"}}2{{end}}{}']) t;

-- Templates that can never make JSON
SELECT t || E'\n => ' || pg_temp.refused(t) FROM unnest(ARRAY[
	'', 'x', '{', '{"a"}', '{"a": }', '{"a": 1,}', '{a: 1}', E'{"a": "x\ny"}', '{"a": {{.a}}', '{"a": {{.a}}]', '{"a": {{.a}}{{.b}}}', '{"a": "{{.a}}" "{{.b}}"}', '{"a": 1{{.b}}}', '{"a": -{{.b}}}', '{"a": tru{{.b}}}', '{"a": "\{{.b}}"}', '{"a": "\u12{{.b}}"}', '{"a": "\q"}', '{"a": 01}', '{"a": 1.}', '{"a": +1}', '{"a": nul}', '{"a": True}', '{} {}', '{}{{.a}}', '[1 2]', '[1,,2]', '{"a" {{.b}}: 1}', '{"a": 1 {{if .b}}"b": 2{{end}}}', '{"a": [{{range .b}}{{.}}{{end}}{{.c}}]', '{"a": {{if .b}}]{{else}}1{{end}}}', '{"a": 1, "b": 2, "a": 3}', E'{\n\t"a": "é", "b" 1\n}']) t;

-- Items that a template cannot handle
SELECT t || E'\n => ' || pg_temp.refused(t, '{"s": "x", "n": 1, "l": [1], "m": {}, "t": true, "big": 1e400}') FROM unnest(ARRAY[
	'{"a": {{.s.x}}}', '{"a": {{len .n}}}', '{"a": {{index .l 5}}}', '{"a": {{index .l "x"}}}', '{"a": {{lt .s .n}}}', '{"a": {{eq .l .l}}}', '{"a": {{range .s}}1{{end}}}', '{"a": {{if .nope}}1{{end}}}', '{"a": [{{range .m}}1{{end}}1{{range .l}}1{{end}},]}', '[{{range .l}}{{.}}{{end}},]', '{"a": {{add .s 1}}}', '{"a": {{div 1 0}}}', '{"a": {{div 1.5 0}}}', '{"a": {{int .s}}}', '{"a": {{upper .l}}}', '{"a": {{date "2006" .s}}}', '{"a": {{date "2006" .t}}}', '{"a": {{date "2006" 9999999999999999999}}}', '{"a": {{date "2006" 9223372036854775807}}}', '{"a": {{print 1 2 | len 3}}}', '{"a": {{.s 1}}}', '{"a": {{printf .n}}}', '{"a": {{len}}}', '{"a": {{date "x"}}}', '{"a": {{nil}}}', '{"a": {{printf "%d" .big}}}', '{"a": {{.big}}}', E'{"a":\n\t"é {{len\n .n}}"}']) t;
SELECT sqlstate_of FROM (SELECT left(pg_temp.refused('{{define "x"}}[{{template "x"}}]{{end}}{{template "x"}}'), 5)) s (sqlstate_of);
SELECT * FROM resolute.map_items('[{"a": 1}, {"a": "x"}]', '{"a": {{add .a 1}}}');
SELECT * FROM resolute.map_items('{"a": 1}', '{"a": {{.a}}}');
SELECT resolute.render_text('{{if .a}}', '{}');

-- Whatever is thrown at it, it answers with a document or with a refusal
CREATE FUNCTION pg_temp.survives(template text, item jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM resolute.render(template, item);
	RETURN 'made';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE WHEN sqlstate ~ '^(22|42601|54001)' THEN 'refused' ELSE 'BROKEN ' || sqlstate || ' ' || sqlerrm || ' by ' || template END;
END $$;
SELECT setseed(0.42);
WITH pieces (p) AS (VALUES (ARRAY['{', '}', '[', ']', ',', ':', '"', '"a"', '"b": ', '1', 'null', ' ', '\', '{{.a}}', '{{.b.c}}', '"{{.a}}"', '{{if .a}}', '{{else}}', '{{end}}', '{{range .l}}', '{{range $i, $e := .l}}', '{{if $i}},{{end}}', '{{with .b}}', '{{$x := .a}}', '{{json .b}}', '{{template "t" .}}', '{{define "t"}}', '{{break}}', '{{continue}}', '{{', '}}', '{{- ', ' -}}', '|', '(', ')', '.', '$', 'é', '"a": {{.a}}', '"a": "{{.a}}"', '{"a": {{.a}}, "b": "{{.b}}"}'])),
texts AS MATERIALIZED (SELECT n, string_agg(p[1 + floor(random() * cardinality(p))::int], '') AS t FROM pieces, generate_series(1, 10000) n, LATERAL generate_series(1, 2 + n % 12) GROUP BY n)
SELECT DISTINCT CASE WHEN v ~ '^BROKEN' THEN v ELSE 'survived' END FROM (SELECT pg_temp.survives(t, '{"a": "x\"", "b": {"c": null}, "l": [1, 2]}') AS v FROM texts) s;

-- Permissions
CREATE ROLE template_user;
GRANT USAGE ON SCHEMA resolute TO template_user;
SET ROLE template_user;
\set VERBOSITY default
SELECT resolute.render('{}', '{}');
SELECT resolute.render_text('', '{}');
SELECT * FROM resolute.map_items('[]', '{}');
RESET ROLE;
REVOKE USAGE ON SCHEMA resolute FROM template_user;
DROP ROLE template_user;
