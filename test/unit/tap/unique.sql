-- Duplicates, within a page and over pages.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION resolute_unit;
SELECT * FROM no_plan();

SELECT is(unit.unique_pages(ARRAY['[{"k": 1, "v": "a"}, {"k": 2, "v": "a"}, {"k": 1, "v": "b"}]']::jsonb[], 'k'),
	ARRAY['{"k": 1, "v": "b"} {"k": 2, "v": "a"} - 0'], 'the last row of a key wins, in the place of the first one');
SELECT is(unit.unique_pages(ARRAY['[{"k": 1, "v": "a"}, {"k": 2, "v": "a"}, {"k": 1, "v": "b"}]', '[{"k": 2, "v": "b"}, {"k": 3, "v": "a"}]']::jsonb[], 'k', true),
	ARRAY['{"k": 1, "v": "a"} {"k": 2, "v": "a"} - 0', '{"k": 3, "v": "a"} - 0'], 'with keep_first the first one, over pages, too');
SELECT is(unit.unique_pages(ARRAY['[{"k": 1, "v": "a"}]', '[{"k": 1, "v": "a"}]', '[{"k": 1, "v": "b"}]', '[{"k": 1, "v": "a"}]', '[{"k": 1, "v": "a"}]']::jsonb[], 'k'),
	ARRAY['{"k": 1, "v": "a"} - 0', '- 0', '{"k": 1, "v": "b"} - 0', '{"k": 1, "v": "a"} - 0', '- 0'], 'an exact repeat is dropped, a change passes on, even one back');
SELECT is(unit.unique_pages(ARRAY['[{"k": 1, "v": "a", "now": 1}]', '[{"k": 1, "v": "a", "now": 2}]', '[{"k": 1, "v": "b", "now": 2}]']::jsonb[], 'k', false, 'now'),
	ARRAY['{"k": 1, "v": "a", "now": 1} - 0', '- 0', '{"k": 1, "v": "b", "now": 2} - 0'], 'what is made from now is no change');
SELECT is(unit.unique_pages(ARRAY['[{"k": null, "v": "a"}, {"k": "", "v": "b"}, {"k": null, "v": "a"}]', '[{"k": 1, "v": null}]', '[{"k": 1, "v": ""}]', '[{"k": "1", "v": ""}]']::jsonb[], 'k'),
	ARRAY['{"k": "", "v": "b"} - 2', '{"k": 1, "v": null} - 0', '{"k": 1, "v": ""} - 0', '{"k": "1", "v": ""} - 0'], 'a row without a key fails; null is not empty; 1 is "1" as a key');
SELECT is(unit.unique_pages(ARRAY['[{"a": "x", "b": "yz"}, {"a": "xy", "b": "z"}, {"a": "x", "b": "yz"}, {"a": "x", "b": null}]']::jsonb[], 'a, b'),
	ARRAY['{"a": "x", "b": "yz"} {"a": "xy", "b": "z"} - 1'], 'a key of two parts');
SELECT is(unit.unique_pages(ARRAY['[{"k": 1, "v": "a"}, {"k": 2, "v": "a"}, {"k": null, "v": "a"}]', '[{"k": 2, "v": "a"}, {"k": 3, "v": "a"}]']::jsonb[], 'k', keep_first, '', true),
	ARRAY['{"k": 1, "v": "a"} {"k": 2, "v": "a"} - 1', '{"k": 3, "v": "a"} - 0'], 'a page that was rolled back starts clean') FROM (VALUES (true), (false)) AS v (keep_first);
SELECT throws_ok($$SELECT unit.unique_pages(ARRAY['[{"a": 1}]']::jsonb[], 'k')$$, '42703', NULL, 'a key that is no field');

-- The seen-set ---------------------------------------------------------------

SET work_mem = '64kB';
SELECT is(unit.seen_set(1000, 1000, true), 0, 'a small set stays in memory');
SELECT cmp_ok(unit.seen_set(300000, 100000, keys), '>', 100, 'a set beyond work_mem spills and stays exact') FROM (VALUES (true), (false)) AS v (keys);
SELECT cmp_ok(unit.seen_set(20000, 20000, keys), '>', 5, 'without repeats, too') FROM (VALUES (true), (false)) AS v (keys);
SELECT is((SELECT count(*) FROM pg_ls_tmpdir() WHERE name LIKE 'pgsql_tmp' || pg_backend_pid() || '.%'), 0::bigint, 'its files are gone');
SET temp_file_limit = '100kB';
SELECT throws_ok('SELECT unit.seen_set(100000, 100000, true)', '53400', NULL, 'temp_file_limit is kept');
SELECT is((SELECT count(*) FROM pg_ls_tmpdir() WHERE name LIKE 'pgsql_tmp' || pg_backend_pid() || '.%'), 0::bigint, 'the files of a failed statement are gone as well');
RESET temp_file_limit;
SET work_mem = '64MB';
SELECT is(unit.seen_set(300000, 100000, true), 0, 'with enough memory nothing spills');

SELECT * FROM finish();
