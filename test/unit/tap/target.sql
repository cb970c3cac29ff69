-- Pages of rows into tables, as flows work on them.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION resolute_unit;
CREATE EXTENSION citext;
SET client_min_messages = notice;
SELECT * FROM no_plan();

-- Pages --------------------------------------------------------------------

CREATE TABLE pages (id integer PRIMARY KEY, v text, at timestamptz, seen timestamptz);
SELECT is(unit.upsert_pages('pages', ARRAY['[{"id": 1, "v": "a"}, {"id": 2, "v": "a"}]', '[{"id": 2, "v": "b"}, {"id": 3, "v": "a"}]',
	'[{"id": 1, "v": "a"}, {"id": 3, "v": "a"}]']::jsonb[], 'id'), ARRAY['2 0 0 0 0 0', '1 1 0 0 0 0', '0 0 2 0 0 0'], 'a page sees what the pages before it stored');
SELECT is(unit.upsert_pages('pages', ARRAY['[{"id": 1, "v": "a"}]', '[{"id": 1, "v": "a", "at": "2024-01-01Z"}]', '[{"v": "b", "id": 4}]', '[{"id": 4, "v": "b"}]']::jsonb[], 'id'),
	ARRAY['0 0 1 0 0 0', '0 1 0 0 0 0', '1 0 0 0 0 0', '0 0 1 0 0 0'], 'pages may have other fields than those before');
SELECT is(unit.upsert_pages('pages', ARRAY['[{"id": 1, "seen": "2030-01-01"}]', '[{"id": 1, "seen": "2031-01-01"}]', '[{"id": 5, "seen": "2031-01-01"}]']::jsonb[], 'id', NULL, 'seen'),
	ARRAY['0 0 1 0 0 0', '0 0 1 0 0 0', '1 0 0 0 0 0'], 'what is made from now is no change by itself');
SELECT is(unit.upsert_pages('pages', ARRAY['[{"id": 1, "v": "x", "seen": "2030-01-01Z"}]']::jsonb[], 'id', NULL, 'seen'), ARRAY['0 1 0 0 0 0'], '... but is stored along with one');
SELECT is(seen, '2030-01-01Z', '... indeed') FROM pages WHERE id = 1;
SELECT is(unit.upsert_pages('pages', ARRAY['[{"id": 7, "v": "new", "at": "2024-02-01Z"}]', '[{"id": 7, "v": "old", "at": "2024-01-01Z"}]', '[{"id": 7, "v": "newer", "at": "2024-03-01Z"}]']::jsonb[],
	'id', NULL, '', 'at'), ARRAY['1 0 0 0 0 0', '0 0 0 1 0 0', '0 1 0 0 0 0'], 'the field that the cursor follows is the version');
SELECT is(unit.upsert_pages('pages', ARRAY['[{"id": 8, "v": "a", "at": "2024-01-01Z"}]', '[{"id": 8, "v": "b", "at": "2024-01-01Z"}]', '[{"id": 8, "v": "b", "at": "2024-01-01Z"}]']::jsonb[],
	'id', 'at', 'at'), ARRAY['1 0 0 0 0 0', '0 1 0 0 0 0', '0 0 1 0 0 0'], 'a version may be made from now');
SELECT is(unit.upsert_pages('pages', ARRAY['[]', '[{"id": 9, "v": "x"}]', '[{"id": 9, "v": "x"}, {"id": null}, {"id": "x"}, {"id": 9, "v": "y"}]']::jsonb[], 'id'),
	ARRAY['0 0 0 0 0 0', '1 0 0 0 0 0', '0 1 0 0 2 1 23502 22P02'], 'an empty page is nothing; failures are told');

-- Preview and checks --------------------------------------------------------

CREATE TABLE previews (id integer PRIMARY KEY, v varchar(3), at date);
INSERT INTO previews VALUES (1, 'a', '2024-01-01'), (2, 'b', '2024-01-01'), (3, 'c', '2024-01-01');
SELECT is(unit.upsert_preview('previews', '[{"id": 1, "v": "a", "at": "2024-01-01"}, {"id": 2, "v": "x", "at": "2024-01-02"}, {"id": 3, "v": "x", "at": "2023-01-01"},
	{"id": 4, "v": "x"}, {"id": 4, "v": "y"}, {"id": 5, "v": "long"}, {"v": "none"}]', 'id', 'at'), ARRAY['unchanged', 'update', 'stale', 'duplicate', 'insert', 'dead', 'dead'], 'a preview tells the verdicts');
SELECT results_eq('SELECT * FROM previews ORDER BY id', $$VALUES (1, 'a'::varchar, '2024-01-01'::date), (2, 'b', '2024-01-01'), (3, 'c', '2024-01-01')$$, '... and writes nothing');
SELECT ok(unit.target_has_rows('previews'), 'a table with rows is seen to have some');
TRUNCATE previews;
SELECT ok(NOT unit.target_has_rows('previews'), 'an emptied one is seen to have none');

SET client_min_messages = warning;
SELECT ok(unit.upsert_check('previews', '{id,v}', 'id', NULL), 'a target that fits is fine');
SELECT ok(unit.upsert_check('previews', '{}', 'id', 'at'), '... and so it is before any item is known');
SELECT ok(NOT unit.upsert_check('not_yet', '{id,v}', 'id', NULL, true), 'a table may be missing as yet');
SELECT throws_ok($$SELECT unit.upsert_check('not_yet', '{id,v}', 'id')$$, '42P01', NULL, '... or may not');
SELECT throws_ok($$SELECT unit.upsert_check('previews', '{id,other}', 'id')$$, '42703', NULL, 'a field without a column');
SELECT throws_ok($$SELECT unit.upsert_check('previews', '{id,v,id}', 'id')$$, '42701', NULL, 'a field that stands twice');
SELECT throws_ok($$SELECT unit.upsert_check('previews', '{v}', 'v')$$, '42P10', NULL, 'a key without a unique index');
SELECT throws_ok($$SELECT unit.upsert_check('pg_catalog.pg_tables', '{tablename}', 'tablename')$$, '42809', NULL, 'a view');
CREATE ROLE unit_nobody;
GRANT USAGE ON SCHEMA unit TO unit_nobody;
GRANT SELECT, INSERT ON previews TO unit_nobody;
SET ROLE unit_nobody;
SELECT throws_ok($$SELECT unit.upsert_check('previews', '{id,v}', 'id')$$, '42501', NULL, 'a right that is missing');
RESET ROLE;
DROP OWNED BY unit_nobody;
DROP ROLE unit_nobody;

-- New rows -------------------------------------------------------------------

-- After a page of new rows the next one is inserted without a probe.
CREATE TABLE fresh (id integer PRIMARY KEY, v text NOT NULL, at timestamptz, other integer UNIQUE);
CREATE TABLE fresh_triggered (LIKE fresh INCLUDING ALL);
CREATE TABLE fired (n integer);
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO fired VALUES (1); RETURN NULL; END $$;
CREATE TRIGGER fire AFTER UPDATE ON fresh_triggered EXECUTE FUNCTION fire();
CREATE FUNCTION pg_temp.fresh(target text) RETURNS text[] LANGUAGE sql AS $$
SELECT unit.upsert_pages(target, ARRAY[
	'[{"id": 1, "v": "a", "at": "2024-01-01Z", "other": 1}, {"id": 2, "v": "a", "at": "2024-01-01Z", "other": 2}]',
	'[{"id": 3, "v": "a", "at": "2024-01-01Z", "other": 3}, {"id": 3, "v": "b", "at": "2024-02-01Z", "other": 3}]',
	'[{"id": 4, "v": "a", "at": "2024-01-01Z", "other": 4}, {"id": 3, "v": "c", "at": "2024-01-01Z", "other": 3}, {"id": 2, "v": "c", "at": "2024-03-01Z", "other": 2}, {"id": 1, "v": "a", "at": "2024-01-01Z", "other": 1}]',
	'[{"id": 5, "v": "a", "at": "2024-01-01Z", "other": 5}]',
	'[{"id": 6, "v": "a", "at": "2024-01-01Z", "other": 6}, {"id": 7, "v": null, "at": "2024-01-01Z", "other": 7}]',
	'[{"id": 8, "v": "a", "at": "2024-01-01Z", "other": 8}]',
	'[{"id": 9, "v": "a", "at": "2024-01-01Z", "other": 6}, {"id": 10, "v": "a", "at": "2024-01-01Z", "other": 10}]',
	'[{"id": 10, "v": "a", "at": "2024-01-01Z", "other": 10}]']::jsonb[], 'id', 'at') $$;
SELECT is(pg_temp.fresh('fresh'), ARRAY['2 0 0 0 0 0', '1 0 0 0 0 1', '1 1 1 1 0 0', '1 0 0 0 0 0', '1 0 0 0 1 0 23502', '1 0 0 0 0 0', '1 0 0 0 1 0 23505', '0 0 1 0 0 0'],
	'new rows, and others among them');
SELECT results_eq('SELECT id, v FROM fresh ORDER BY id', $$VALUES (1, 'a'), (2, 'c'), (3, 'b'), (4, 'a'), (5, 'a'), (6, 'a'), (8, 'a'), (10, 'a')$$, '... are stored once, and nothing older replaces them');
SELECT is(pg_temp.fresh('fresh_triggered'), ARRAY['2 0 0 0 0 0', '1 0 0 0 0 1', '1 1 1 1 0 0', '1 0 0 0 0 0', '1 0 0 0 1 0 23502', '1 0 0 0 0 0', '1 0 0 0 1 0 23505', '0 0 1 0 0 0'],
	'so it is where there are triggers');
SELECT is((SELECT count(*) FROM fired) > 5, true, '... which always see the statement that may update');
CREATE TABLE unread (id integer PRIMARY KEY, v text);
CREATE TEMP TABLE before AS SELECT pg_stat_get_xact_numscans('unread_pkey'::regclass) AS scans;
SELECT is(unit.upsert_pages('unread', ARRAY(SELECT jsonb_agg(jsonb_build_object('id', p * 100 + r, 'v', 'x')) FROM generate_series(0, 9) p, generate_series(1, 100) r GROUP BY p), 'id'),
	array_fill('100 0 0 0 0 0'::text, ARRAY[10]), 'ten pages of new rows');
-- The first page is probed, and ON CONFLICT looks for its 100 rows as well; the others are put in as COPY does.
SELECT is(pg_stat_get_xact_numscans('unread_pkey'::regclass) - scans, 200::bigint, '... of which the first one was looked for') FROM before;

-- What bulk insertion has to see to: defaults, constraints, all kinds of indexes, long values.
BEGIN;
CREATE SEQUENCE tickets;
CREATE FUNCTION pg_temp.bulk_pages(pages integer) RETURNS jsonb[] LANGUAGE sql AS $$
SELECT array_agg(page ORDER BY p) FROM (
	SELECT p, jsonb_agg(jsonb_build_object('id', p * 10 + r, 'v', repeat('long value ', 1000) || r, 'tags', jsonb_build_array('a', r), 'at', '2024-01-01Z')) AS page
	FROM generate_series(0, pages - 1) p, generate_series(1, 10) r GROUP BY p) AS pages $$;
CREATE TABLE furnished (
	dropped integer, ticket integer DEFAULT nextval('tickets'), made timestamptz NOT NULL DEFAULT now(), id integer PRIMARY KEY, v text COLLATE "C",
	number bigint GENERATED BY DEFAULT AS IDENTITY, always integer GENERATED ALWAYS AS IDENTITY, tags text[], at timestamptz, nothing text,
	CHECK (id < 1000), CHECK (id <> 35 OR current_setting('test.refuse', true) IS DISTINCT FROM 'on'));
ALTER TABLE furnished DROP COLUMN dropped;
CREATE INDEX furnished_expression ON furnished (length(v));
CREATE INDEX furnished_partial ON furnished (id) WHERE id % 2 = 0;
CREATE INDEX furnished_tags ON furnished USING gin (tags);
SELECT is(unit.upsert_pages('furnished', pg_temp.bulk_pages(5), 'id', 'at'), array_fill('10 0 0 0 0 0'::text, ARRAY[5]), 'a table with all that a table may have');
SELECT is(pg_stat_get_xact_numscans('furnished_pkey'::regclass), 20::bigint, '... gets new rows in bulk');
SELECT results_eq($$SELECT count(*), count(DISTINCT ticket), count(DISTINCT number), max(always), count(made), count(nothing), sum(length(v)), max(tags[2]) FROM furnished$$,
	$$VALUES (50::bigint, 50::bigint, 50::bigint, 50, 50::bigint, 0::bigint, (SELECT sum(length(repeat('long value ', 1000) || r)) * 5 FROM generate_series(1, 10) r), '9')$$, '... with defaults and long values');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM furnished WHERE tags @> '{7}'), 5::bigint, '... and an index of keys inside');
SELECT is((SELECT count(*) FROM furnished WHERE length(v) = 11001), 45::bigint, '... one of an expression');
SELECT is((SELECT count(*) FROM furnished WHERE id % 2 = 0 AND id > 0), 25::bigint, '... and one of some rows');
RESET enable_seqscan;
TRUNCATE furnished;
SET LOCAL test.refuse = on;
SELECT is(unit.upsert_pages('furnished', pg_temp.bulk_pages(5), 'id', 'at'), ARRAY['10 0 0 0 0 0', '10 0 0 0 0 0', '10 0 0 0 0 0', '9 0 0 0 1 0 23514', '10 0 0 0 0 0'], '... and a constraint that refuses a row refuses no other');

-- Where somebody would notice, rows take the usual way.
CREATE TABLE plain (id integer PRIMARY KEY, v text, tags text[], at timestamptz);
CREATE FUNCTION pg_temp.takes_bulk(target text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE before bigint := pg_stat_get_xact_numscans((target || '_pkey')::regclass);
BEGIN
	IF unit.upsert_pages(target, pg_temp.bulk_pages(3), 'id', 'at') <> array_fill('10 0 0 0 0 0'::text, ARRAY[3]) THEN
		RETURN NULL;
	END IF;
	RETURN pg_stat_get_xact_numscans((target || '_pkey')::regclass) - before < 30;
END $$;
SELECT ok(pg_temp.takes_bulk('plain'), 'a plain table takes bulk');
CREATE TABLE parent (LIKE plain INCLUDING ALL);
CREATE TABLE child () INHERITS (parent);
SELECT ok(NOT pg_temp.takes_bulk('parent'), 'one that others inherit from does not');
CREATE TABLE ruled (LIKE plain INCLUDING ALL);
CREATE RULE noted AS ON UPDATE TO ruled DO ALSO NOTIFY ruled;
SELECT throws_ok($$SELECT pg_temp.takes_bulk('ruled')$$, '0A000', NULL, 'one with rules is no target at all');
CREATE TABLE computed (LIKE plain INCLUDING ALL, double integer GENERATED ALWAYS AS (id * 2) STORED);
SELECT ok(NOT pg_temp.takes_bulk('computed'), 'one that computes a column does not');
SELECT is((SELECT sum(double) FROM computed), (SELECT sum(id * 2) FROM computed), '... which is computed');
CREATE TABLE divided (LIKE plain INCLUDING ALL) PARTITION BY RANGE (id);
CREATE TABLE division PARTITION OF divided FOR VALUES FROM (0) TO (1000);
SELECT ok(NOT pg_temp.takes_bulk('division'), 'a partition does not');
CREATE TABLE watched (LIKE plain INCLUDING ALL);
CREATE TRIGGER fire AFTER INSERT ON watched EXECUTE FUNCTION fire();
SELECT ok(NOT pg_temp.takes_bulk('watched'), 'one with triggers does not');

-- Defaults and constraints that look into the table find the rows before their own there.
CREATE FUNCTION next_place() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) + 1 FROM placed); END $$;
CREATE TABLE placed (LIKE plain INCLUDING ALL, place bigint DEFAULT next_place());
SELECT ok(NOT pg_temp.takes_bulk('placed'), 'one with a default of its user''s making that is volatile does not');
SELECT is((SELECT count(DISTINCT place) FROM placed), 30::bigint, '... which counts each row');
CREATE FUNCTION has_room(integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM limited) < 25; END $$;
CREATE TABLE limited (LIKE plain INCLUDING ALL, CHECK (has_room(id)));
SELECT is(unit.upsert_pages('limited', pg_temp.bulk_pages(3), 'id', 'at'), ARRAY['10 0 0 0 0 0', '10 0 0 0 0 0', '5 0 0 0 5 0 23514 23514 23514 23514 23514'], '... nor does one with such a constraint');
CREATE TABLE random (LIKE plain INCLUDING ALL, mark uuid DEFAULT gen_random_uuid(), CHECK (length(v) > 0));
SELECT ok(pg_temp.takes_bulk('random'), 'what PostgreSQL brings along does not look');

-- Defaults are those of now, and a type may have one as well.
CREATE FUNCTION label() RETURNS text STABLE LANGUAGE sql AS $$ SELECT 'old' $$;
CREATE FUNCTION relabel(integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
	IF $1 = 21 THEN
		CREATE OR REPLACE FUNCTION label() RETURNS text STABLE LANGUAGE sql AS 'SELECT ''new''';
	END IF;
	RETURN true;
END $$;
CREATE DOMAIN relabelling AS integer CHECK (relabel(VALUE));
CREATE TYPE answer;
SET LOCAL client_min_messages = warning;
CREATE FUNCTION answer_in(cstring) RETURNS answer IMMUTABLE STRICT LANGUAGE internal AS 'int4in';
CREATE FUNCTION answer_out(answer) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'int4out';
SET LOCAL client_min_messages = notice;
CREATE TYPE answer (INPUT = answer_in, OUTPUT = answer_out, LIKE = integer, DEFAULT = '42');
CREATE TABLE labelled (id relabelling PRIMARY KEY, v text, tags text[], at timestamptz, label text DEFAULT label(), answer answer);
SELECT ok(pg_temp.takes_bulk('labelled'), 'a default that is only stable is no obstacle');
SELECT results_eq('SELECT label, answer::text, count(*) FROM labelled GROUP BY 1, 2 ORDER BY 1', $$VALUES ('new', '42', 10::bigint), ('old', '42', 20::bigint)$$, '... nor used beyond its time; that of a type is used');

CREATE ROLE resolute_unit_writer;
CREATE TABLE policed (LIKE plain INCLUDING ALL);
ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON policed USING (id < 25) WITH CHECK (id < 25);
CREATE TABLE granted (LIKE plain INCLUDING ALL);
GRANT SELECT, INSERT, UPDATE ON policed, granted TO resolute_unit_writer;
GRANT USAGE ON SCHEMA unit TO resolute_unit_writer;
SET LOCAL ROLE resolute_unit_writer;
SELECT ok(pg_temp.takes_bulk('granted'), 'whoever may insert may do it in bulk');
SELECT throws_ok($$SELECT pg_temp.takes_bulk('policed')$$, '42501', NULL, 'policies are obeyed');
RESET ROLE;
DROP OWNED BY resolute_unit_writer;
DROP ROLE resolute_unit_writer;
COMMIT;

-- The probe goes through the key's index -------------------------------------

-- Counters of this transaction, which may hold some of the ones before: only differences count.
CREATE FUNCTION pg_temp.seq_scans(relation text) RETURNS bigint LANGUAGE sql AS $$ SELECT pg_stat_get_xact_numscans(relation::regclass) $$;
CREATE FUNCTION pg_temp.entries_read(index text) RETURNS bigint LANGUAGE sql AS $$ SELECT pg_stat_get_xact_tuples_returned(index::regclass) $$;

CREATE TABLE growing (id integer PRIMARY KEY, v text) WITH (autovacuum_enabled = off);
CREATE TABLE growing_pairs (a text, b integer, v text, CONSTRAINT growing_pairs_pkey PRIMARY KEY (a, b)) WITH (autovacuum_enabled = off);
CREATE INDEX growing_pairs_b ON growing_pairs (b);
-- Statistics of tables with one row, for which reading all of it is the best plan.
INSERT INTO growing VALUES (0, 'x');
INSERT INTO growing_pairs VALUES ('x', 0, 'x');
CREATE TABLE growing_parts (b integer, v text, a integer, PRIMARY KEY (a, b)) PARTITION BY HASH (a);
CREATE TABLE growing_parts_0 (a integer NOT NULL, b integer NOT NULL, v text) WITH (autovacuum_enabled = off);
ALTER TABLE growing_parts ATTACH PARTITION growing_parts_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE growing_parts_1 PARTITION OF growing_parts FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (autovacuum_enabled = off);
CREATE INDEX growing_parts_b ON growing_parts (b);
INSERT INTO growing_parts SELECT 0, 'x', a FROM generate_series(1, 10) a;
VACUUM ANALYZE growing, growing_pairs, growing_parts;
BEGIN;
SELECT pg_temp.seq_scans('growing') AS seq, pg_temp.seq_scans('growing_pairs') AS seq_pairs, pg_temp.entries_read('growing_pkey') AS read,
	pg_temp.entries_read('growing_pairs_pkey') + pg_temp.entries_read('growing_pairs_b') AS read_pairs \gset
-- The plan is made while the tables are small, and used when they have grown.
SELECT unit.upsert_pages('growing', ARRAY(SELECT jsonb_agg(jsonb_build_object('id', p * 100 + r, 'v', 'x')) FROM generate_series(0, 199) p, generate_series(1, 100) r GROUP BY p), 'id');
SELECT is(pg_temp.seq_scans('growing'), :seq::bigint, 'no sequential scan of a table that grows');
SELECT is(pg_temp.entries_read('growing_pkey'), :read::bigint, '... and no more of its index than the keys');
SELECT unit.upsert_pages('growing_pairs', ARRAY(SELECT jsonb_agg(jsonb_build_object('a', p, 'b', r, 'v', 'x')) FROM generate_series(0, 99) p, generate_series(1, 100) r GROUP BY p), 'b, a');
SELECT is(pg_temp.seq_scans('growing_pairs'), :seq_pairs::bigint, 'the same with a key of two columns');
SELECT cmp_ok(pg_temp.entries_read('growing_pairs_pkey') + pg_temp.entries_read('growing_pairs_b') - :read_pairs, '=', 0::bigint, '... whatever other indexes there are');
SELECT pg_temp.seq_scans('growing_parts_0') + pg_temp.seq_scans('growing_parts_1') AS seq,
	pg_temp.entries_read('growing_parts_0_pkey') + pg_temp.entries_read('growing_parts_1_pkey') + pg_temp.entries_read('growing_parts_0_b_idx') + pg_temp.entries_read('growing_parts_1_b_idx') AS read \gset
SELECT unit.upsert_pages('growing_parts', ARRAY(SELECT jsonb_agg(jsonb_build_object('a', p, 'b', r, 'v', 'x')) FROM generate_series(0, 99) p, generate_series(1, 100) r GROUP BY p), 'b, a');
SELECT is(pg_temp.seq_scans('growing_parts_0') + pg_temp.seq_scans('growing_parts_1'), :seq::bigint, 'and in the partitions of a table');
SELECT is(pg_temp.entries_read('growing_parts_0_pkey') + pg_temp.entries_read('growing_parts_1_pkey') + pg_temp.entries_read('growing_parts_0_b_idx') + pg_temp.entries_read('growing_parts_1_b_idx'),
	:read::bigint, '... whose columns may have another order');
COMMIT;
BEGIN;
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL enable_indexscan = off;
SELECT pg_temp.seq_scans('growing') AS seq, pg_temp.entries_read('growing_pkey') AS read \gset
SELECT is((unit.upsert_pages('growing', ARRAY(SELECT jsonb_agg(jsonb_build_object('id', r, 'v', 'x')) FROM generate_series(19901, 20100) r), 'id'))[1], '100 0 100 0 0 0', 'settings of the user');
SELECT is(pg_temp.seq_scans('growing'), :seq::bigint, '... do not hinder the use of the index');
SELECT is(pg_temp.entries_read('growing_pkey') - :read, 100::bigint, '... for each key');
SELECT is(current_setting('enable_indexscan') || current_setting('enable_seqscan'), 'offon', '... and are left alone');
COMMIT;

-- Unchanged rows leave no trace in the WAL ----------------------------------

SELECT count(*) = 1 AS walinspect FROM pg_available_extensions WHERE name = 'pg_walinspect' \gset
\if :walinspect
CREATE EXTENSION pg_walinspect;
CREATE FUNCTION pg_temp.changes(since pg_lsn, tables regclass[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
	reached pg_lsn;
BEGIN
	-- What is not flushed yet would not be found.
	PERFORM pg_switch_wal();
	reached := pg_current_wal_flush_lsn();
	SELECT count(*) INTO n FROM pg_get_wal_records_info(since, reached) w
	WHERE resource_manager IN ('Heap', 'Heap2', 'Btree') AND EXISTS (SELECT FROM pg_class c WHERE c.oid = ANY (tables) AND block_ref LIKE '%/' || pg_relation_filenode(c.oid) || ' %');
	RETURN n;
END $$;
CREATE TABLE wal (id integer PRIMARY KEY, v text, at timestamptz);
SELECT pg_current_wal_insert_lsn() AS before \gset
SELECT unit.upsert_pages('wal', ARRAY(SELECT jsonb_agg(jsonb_build_object('id', r, 'v', r, 'at', '2024-01-01Z')) FROM generate_series(1, 500) r), 'id', 'at');
SELECT cmp_ok(pg_temp.changes(:'before', '{wal,wal_pkey}'), '>=', 1000::bigint, 'inserted rows are in the WAL');
SELECT pg_current_wal_insert_lsn() AS before \gset
SELECT is((unit.upsert_pages('wal', ARRAY(SELECT jsonb_agg(jsonb_build_object('id', r, 'v', r, 'at', '2024-01-01Z')) FROM generate_series(1, 500) r), 'id', 'at'))[1], '0 0 500 0 0 0', '500 rows again');
SELECT is((unit.upsert_pages('wal', ARRAY(SELECT jsonb_agg(jsonb_build_object('id', r, 'v', r, 'at', '2023-01-01Z')) FROM generate_series(1, 500) r), 'id', 'at'))[1], '0 0 0 500 0 0', '500 stale ones');
SELECT is(pg_temp.changes(:'before', '{wal,wal_pkey}'), 0::bigint, 'unchanged and stale rows are not');
\endif

-- The bisection: k bad rows of n cost O(k log n) statements -------------------

CREATE TABLE halved (id integer PRIMARY KEY, v integer CHECK (v > 0));
CREATE TABLE statements (n integer);
INSERT INTO statements VALUES (0);
-- A sequence counts statements that were rolled back as well.
CREATE SEQUENCE tries;
CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('tries'); RETURN NULL; END $$;
CREATE TRIGGER count_statement BEFORE INSERT ON halved EXECUTE FUNCTION count_statement();
SELECT matches((unit.upsert_pages('halved', ARRAY(SELECT jsonb_agg(jsonb_build_object('id', r, 'v', CASE WHEN r IN (77, 700) THEN 0 ELSE r END)) FROM generate_series(1, 1024) r), 'id'))[1],
	'^1022 0 0 0 2 0 23514 23514$', 'two bad rows of 1024');
SELECT cmp_ok(nextval('tries'), '<', 60::bigint, '... take few statements to find');
SELECT matches((unit.upsert_pages('halved', ARRAY(SELECT jsonb_agg(jsonb_build_object('id', r, 'v', 0)) FROM generate_series(2001, 2100) r), 'id'))[1],
	'^0 0 0 0 100 0( 23514){100}$', 'nothing but bad rows');

-- The target is resolved anew on every page -----------------------------------

CREATE TABLE changing (id integer PRIMARY KEY, v text);
-- A trigger that changes its own table would be refused; change another one's.
SELECT is((unit.upsert_pages('changing', ARRAY['[{"id": 1, "v": "12"}]']::jsonb[], 'id'))[1], '1 0 0 0 0 0', 'before the change');
CREATE TABLE other (id integer PRIMARY KEY);
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	ALTER TABLE changing ALTER v TYPE numeric(6,1) USING v::numeric;
	RETURN NULL;
END $$;
CREATE TRIGGER change AFTER INSERT ON other EXECUTE FUNCTION change();
DO $$
DECLARE
	report text[];
BEGIN
	report := unit.upsert_pages('changing', ARRAY['[{"id": 1, "v": "12"}]']::jsonb[], 'id');
	INSERT INTO other VALUES (1);
END $$;
SELECT is(unit.upsert_pages('changing', ARRAY['[{"id": 1, "v": "12"}, {"id": 2, "v": 0.26}]', '[{"id": 2, "v": 0.30}]']::jsonb[], 'id'), ARRAY['1 0 1 0 0 0', '0 0 1 0 0 0'], 'after it');

-- Books balance when a trigger suppresses rows --------------------------------

CREATE TABLE picky (id integer PRIMARY KEY, v text, at integer);
CREATE FUNCTION pick() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.v LIKE 'no%' THEN NULL ELSE NEW END; END $$;
CREATE TRIGGER pick BEFORE INSERT OR UPDATE ON picky FOR EACH ROW EXECUTE FUNCTION pick();
SELECT is(unit.upsert_pages('picky', ARRAY['[{"id": 1, "v": "yes", "at": 1}, {"id": 2, "v": "no", "at": 1}, {"id": 3, "v": "yes", "at": 1}]',
	'[{"id": 1, "v": "no", "at": 2}, {"id": 3, "v": "yes!", "at": 2}, {"id": 4, "v": "no", "at": 1}]']::jsonb[], 'id', 'at'), ARRAY['2 0 1 0 0 0', '0 1 2 0 0 0'], 'suppressed rows count as unchanged');

SELECT * FROM finish();
