-- Rows that could not be handled.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION resolute_unit;
SELECT * FROM no_plan();
CREATE FUNCTION pg_temp.letters(which integer) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', step, item ->> 'id', item ->> 'v', error_code, error_message, attempts, CASE WHEN resolved_at IS NULL THEN 'open' ELSE 'resolved' END), '; ' ORDER BY id)
	FROM resolute.dead_letters WHERE flow_id = which $$;

-- One letter for each flow, step and item ---------------------------------------

SELECT unit.write_letters(1, ARRAY['{"id": "a", "v": 1}', '{"id": "b", "v": 1}'], 'upserted', 'bad');
SELECT is(pg_temp.letters(1), 'upserted a 1 23514 bad 1 open; upserted b 1 23514 bad 1 open', 'two items, two letters');
SELECT is((SELECT concat_ws(' ', flow, owner, version, run_id) FROM resolute.dead_letters WHERE item ->> 'id' = 'a'), 'flow postgres 1 42', 'they tell where they come from');
SELECT unit.write_letters(1, ARRAY['{"id": "a", "v": 2, "more": true}', '{"id": "c"}', '{"id": "c", "v": 7}'], 'upserted', 'worse');
SELECT is(pg_temp.letters(1), 'upserted a 2 23514 worse 2 open; upserted b 1 23514 bad 1 open; upserted c 7 23514 worse 1 open',
	'a newer version of an item counts an attempt; twice in a page is one letter, the last one');
SELECT unit.write_letters(1, ARRAY['{"id": "a", "v": 3}'], 'mapped', 'map');
SELECT unit.write_letters(2, ARRAY['{"id": "a", "v": 4}'], 'upserted', 'other');
SELECT is(pg_temp.letters(2), 'upserted a 4 23514 other 1 open', 'another flow has letters of its own');
SELECT is((SELECT count(*) FROM resolute.dead_letters WHERE flow_id = 1 AND item ->> 'id' = 'a'), 2::bigint, 'and so has another step');

-- What an item is known by ---------------------------------------------------------

SELECT unit.write_letters(3, ARRAY['{"id": 1, "self": "https://a/1"}', '{"id": 1, "self": "https://b/1"}', '{"id": 1}', '{"key": "K", "v": 1}', '{"key": "K", "v": 2}',
	'{"v": 1}', '{"v": 2}', '{"id": {"x": 1}}', '{"id": null, "v": 3}'], 's', 'e');
SELECT is((SELECT count(*) FROM resolute.dead_letters WHERE flow_id = 3), 8::bigint, 'by self, url and id; else by key; else by all of it');
-- Items that jsonb refuses are kept as their text.
SELECT unit.write_letters(4, ARRAY['{"n": 1e999999}', '{"broken": '], 's', 'e');
SELECT results_eq('SELECT item #>> ''{}'' FROM resolute.dead_letters WHERE flow_id = 4 ORDER BY 1', ARRAY['{"broken": ', '{"n": 1e999999}'], 'no item is lost, whatever it is');
SELECT unit.write_letters(4, ARRAY[]::text[], 's', 'e');

-- Resolving --------------------------------------------------------------------------

SELECT is(unit.resolve_letters(9, '{}', '[{"id": "a"}]'), 0::bigint, 'a flow without letters has none to resolve');
SELECT is(unit.resolve_letters(1, '{upserted}', '[{"id": "a", "v": 9}, {"id": "c"}, {"id": "z"}]', '[{"id": "c", "v": 8}]'), 1::bigint, 'a newer version that is stored resolves a letter; one that failed does not');
SELECT is(pg_temp.letters(1), 'upserted a 2 23514 worse 2 resolved; upserted b 1 23514 bad 1 open; upserted c 7 23514 worse 1 open; mapped a 3 23514 map 1 open', '... of the steps that it came through');
SELECT is(unit.resolve_letters(1, '{}', '[{"id": "a", "v": 9}]'), 1::bigint, 'or of all steps');
SELECT is(pg_temp.letters(2), 'upserted a 4 23514 other 1 open', 'not of another flow');
SELECT unit.write_letters(1, ARRAY['{"id": "a", "v": 10}'], 'upserted', 'again');
SELECT matches(pg_temp.letters(1), 'upserted a 10 23514 again 3 open', 'a resolved letter opens again');

-- Who sees them -----------------------------------------------------------------------

CREATE ROLE unit_owner;
CREATE ROLE unit_member IN ROLE unit_owner;
CREATE ROLE unit_stranger;
UPDATE resolute.dead_letters SET owner = 'unit_owner' WHERE flow_id = 1;
GRANT USAGE ON SCHEMA resolute TO unit_owner, unit_member, unit_stranger;
GRANT SELECT ON resolute.dead_letters TO unit_owner, unit_member, unit_stranger;
SET ROLE unit_owner;
SELECT count(*) AS own FROM resolute.dead_letters \gset
SET ROLE unit_member;
SELECT count(*) AS members FROM resolute.dead_letters \gset
SET ROLE unit_stranger;
SELECT count(*) AS strangers FROM resolute.dead_letters \gset
RESET ROLE;
SELECT is(concat_ws(' ', :own, :members, :strangers), '4 4 0', 'members of the owner see the letters of a flow, strangers do not');
DROP OWNED BY unit_owner, unit_member, unit_stranger;
DROP ROLE unit_owner, unit_member, unit_stranger;

SELECT * FROM finish();
