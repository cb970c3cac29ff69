-- Large targets: partitioned, distributed, published, never analysed; wide items.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=120&seed=4');
SELECT no_plan();

-- What an upsert counts, in short: inserted, updated, unchanged, stale, failed, duplicates.
CREATE FUNCTION pg_temp.upserted(target text, items jsonb, key text, version text DEFAULT 'v') RETURNS text LANGUAGE sql AS
	$$ SELECT concat_ws(' ', inserted, updated, unchanged, stale, failed, duplicates) FROM resolute.upsert_items(target, items, key, version) $$;
CREATE FUNCTION pg_temp.items(first integer, last integer, v integer) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT jsonb_agg(jsonb_build_object('id', i, 'day', date '2024-01-01' + i, 'place', (ARRAY['eu', 'us', 'mars'])[i % 3 + 1], 'v', v)) FROM generate_series(first, last) i $$;
CREATE FUNCTION pg_temp.hint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ': ' || hint;
END $$;

-- Partitions ----------------------------------------------------------------

CREATE TABLE by_place (v integer, place text, day date, id integer, PRIMARY KEY (id, place)) PARTITION BY LIST (place);
CREATE TABLE by_place_eu PARTITION OF by_place FOR VALUES IN ('eu');
CREATE TABLE by_place_other PARTITION OF by_place DEFAULT;
CREATE TABLE by_hash (id integer PRIMARY KEY, day date, place text, v integer) PARTITION BY HASH (id);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
-- Three levels, with columns in another order at the second one.
CREATE TABLE by_day (id integer, day date, place text, v integer, PRIMARY KEY (id, day, place)) PARTITION BY RANGE (day);
CREATE TABLE by_day_2024 (place text NOT NULL, v integer, day date NOT NULL, id integer NOT NULL) PARTITION BY LIST (place);
CREATE TABLE by_day_2024_eu PARTITION OF by_day_2024 FOR VALUES IN ('eu') PARTITION BY HASH (id);
CREATE TABLE by_day_2024_eu_0 PARTITION OF by_day_2024_eu FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_day_2024_eu_1 PARTITION OF by_day_2024_eu FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE by_day_2024_other PARTITION OF by_day_2024 DEFAULT;
ALTER TABLE by_day ATTACH PARTITION by_day_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE by_day_other PARTITION OF by_day DEFAULT;

CREATE FUNCTION pg_temp.check_partitions(target text, key text, parts integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	n integer;
BEGIN
	RETURN NEXT is(pg_temp.upserted(target, pg_temp.items(1, 600, 1), key), '600 0 0 0 0 0', target || ': rows are inserted');
	RETURN NEXT is(pg_temp.upserted(target, pg_temp.items(1, 600, 1), key), '0 0 600 0 0 0', target || ': and found again');
	RETURN NEXT is(pg_temp.upserted(target, pg_temp.items(501, 700, 2), key), '100 100 0 0 0 0', target || ': changed ones are updated');
	RETURN NEXT is(pg_temp.upserted(target, pg_temp.items(401, 700, 1), key), '0 0 100 200 0 0', target || ': older copies are stale');
	EXECUTE format('SELECT count(DISTINCT tableoid) FROM %s', target) INTO n;
	RETURN NEXT is(n, parts, target || ': in as many partitions');
	RETURN NEXT set_eq(format('SELECT id, day, place, v FROM %s', target),
		$q$ SELECT i, date '2024-01-01' + i, (ARRAY['eu', 'us', 'mars'])[i % 3 + 1], CASE WHEN i > 500 THEN 2 ELSE 1 END FROM generate_series(1, 700) i $q$, target || ': each where it belongs');
END $$;
SELECT pg_temp.check_partitions('by_place', 'id, place', 2);
SELECT pg_temp.check_partitions('by_hash', 'id', 2);
SELECT pg_temp.check_partitions('by_day', 'place, id, day', 4);

-- A row that no partition takes is a dead letter; one partition is a target of its own.
DROP TABLE by_place_other;
SELECT is(pg_temp.upserted('by_place', pg_temp.items(1000, 1002, 1), 'id, place'), '1 0 0 0 2 0', 'a row that has no partition fails alone');
SELECT is(pg_temp.upserted('by_hash_0', (SELECT jsonb_agg(jsonb_build_object('id', id, 'v', 3)) FROM by_hash_0), 'id'), (SELECT '0 ' || count(*) || ' 0 0 0 0' FROM by_hash_0), 'a partition is a target, too');

-- A key without the partition column is refused when the flow is made, and when the table became so later.
SELECT is(pg_temp.hint($$SELECT pg_temp.upserted('by_day', pg_temp.items(1, 1, 1), 'id, place')$$), '42P10: The key of a partitioned table must contain its partition column "day".', 'a key without the partition column');
CREATE TABLE warehouse.by_status (LIKE warehouse.issues) PARTITION BY LIST (status);
CREATE TABLE warehouse.by_status_any PARTITION OF warehouse.by_status DEFAULT;
SELECT is(pg_temp.hint($$SELECT sim.flow(target => 'warehouse.by_status', name => 'by_status')$$), '42P10: The key of a partitioned table must contain its partition column "status".', 'is refused when the flow is made');
SELECT sim.flow(target => 'warehouse.not_yet', name => 'not yet');
ALTER TABLE warehouse.by_status RENAME TO not_yet;
SELECT is(pg_temp.hint($$SELECT resolute.run_flow('not yet')$$), '42P10: The key of a partitioned table must contain its partition column "status".', 'and when the flow runs');

-- Distribution: what Citus says of its tables, in a stand-in for its catalog ----

SELECT is(pg_temp.hint($$SELECT pg_temp.upserted('spread', '[{"id": 1, "v": 1}]', 'id')$$), '42P01: Create the table, or write its name with its schema.', 'before the table');
CREATE TABLE spread (org integer, id integer, v integer, PRIMARY KEY (org, id));
SELECT is(pg_temp.hint($$SELECT pg_temp.upserted('spread', '[{"id": 1, "v": 1}]', 'id')$$), '42P10: CREATE UNIQUE INDEX ON public.spread (id);', 'a table that nobody distributes');
BEGIN;
SET LOCAL allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass PRIMARY KEY, partmethod "char", partkey text);
CREATE FUNCTION pg_catalog.column_to_column_name(table_name regclass, column_var_text text) RETURNS text LANGUAGE sql AS
	$$ SELECT attname::text FROM pg_attribute WHERE attrelid = table_name AND attnum = (regexp_match(column_var_text, ':varattno (\d+)'))[1]::int $$;
SELECT is(pg_temp.hint($$SELECT pg_temp.upserted('spread', '[{"id": 1, "v": 1}]', 'id')$$), '42P10: CREATE UNIQUE INDEX ON public.spread (id);', 'a table that Citus does not know');
INSERT INTO pg_catalog.pg_dist_partition VALUES ('spread', 'h', '{VAR :varno 1 :varattno 1 :vartype 23}');
SELECT is(pg_temp.hint($$SELECT pg_temp.upserted('spread', '[{"id": 1, "v": 1}]', 'id')$$), '42P10: The key of a table that Citus distributes must contain its distribution column "org".', 'a key without the distribution column');
SELECT is(pg_temp.hint($$SELECT pg_temp.upserted('spread', '[{"org": 1, "v": 1}]', 'org')$$), '42P10: CREATE UNIQUE INDEX ON public.spread (org);', 'a key that has it, but is not unique');
SELECT is(pg_temp.upserted('spread', '[{"org": 1, "id": 1, "v": 1}]', 'org,id'), '1 0 0 0 0 0', 'a key that has it and is');
UPDATE pg_catalog.pg_dist_partition SET partkey = NULL, partmethod = 'n';
SELECT is(pg_temp.hint($$SELECT pg_temp.upserted('spread', '[{"id": 1, "v": 1}]', 'id')$$), '42P10: CREATE UNIQUE INDEX ON public.spread (id);', 'a reference table');
ROLLBACK;

-- Publications ----------------------------------------------------------------

CREATE TABLE published (id integer NOT NULL, v integer);
CREATE UNIQUE INDEX published_id ON published (id);
CREATE PUBLICATION rows FOR TABLE published, by_hash;
INSERT INTO published VALUES (1, 1);
SELECT is(pg_temp.upserted('published', '[{"id": 1, "v": 1}]', 'id'), '0 0 1 0 0 0', 'a published table may hold the rows already');
-- Not every minor release refuses that statement.
CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE EXCEPTION 'undone';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT is(pg_temp.outcome($$SELECT pg_temp.upserted('published', '[{"id": 1, "v": 2}]', 'id')$$),
	pg_temp.outcome('INSERT INTO published VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET v = excluded.v'), 'changed ones fail as loudly without a replica identity as by hand');
ALTER TABLE published REPLICA IDENTITY USING INDEX published_id;
SELECT is(pg_temp.upserted('published', '[{"id": 1, "v": 2}, {"id": 2, "v": 1}]', 'id'), '1 1 0 0 0 0', 'and are stored with the key as its identity');
ALTER TABLE published REPLICA IDENTITY FULL;
SELECT is(pg_temp.upserted('published', '[{"id": 1, "v": 3}, {"id": 2, "v": 1}, {"id": 2, "v": 0}]', 'id'), '0 1 1 0 0 1', 'or all of the row');
SELECT is(pg_temp.upserted('by_hash', pg_temp.items(1, 100, 9), 'id'), '0 100 0 0 0 0', 'as are those of a published table with partitions');

-- 200 000 rows that nobody has analysed -------------------------------------------

CREATE TABLE large (id integer PRIMARY KEY, v integer) WITH (autovacuum_enabled = off);
CREATE INDEX ON large (v);
CREATE TABLE large_parts (id integer PRIMARY KEY, v integer) PARTITION BY RANGE (id);
CREATE TABLE large_parts_0 PARTITION OF large_parts FOR VALUES FROM (0) TO (100000) WITH (autovacuum_enabled = off);
CREATE TABLE large_parts_1 PARTITION OF large_parts FOR VALUES FROM (100000) TO (200000) WITH (autovacuum_enabled = off);
INSERT INTO large SELECT i, 1 FROM generate_series(0, 199999) i;
INSERT INTO large_parts SELECT i, 1 FROM generate_series(0, 199999) i;
CREATE FUNCTION pg_temp.rows_read() RETURNS bigint LANGUAGE sql AS
	$$ SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables WHERE relname LIKE 'large%' $$;
CREATE FUNCTION pg_temp.reads(target text, items jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint := pg_temp.rows_read();
BEGIN
	PERFORM pg_temp.upserted(target, items, 'id');
	RETURN pg_temp.rows_read() - before;
END $$;
CREATE FUNCTION pg_temp.sample(v integer) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_agg(jsonb_build_object('id', i * 1999, 'v', v)) FROM generate_series(0, 100) i $$;
SELECT cmp_ok(pg_temp.reads('large', pg_temp.sample(1)), '<=', 202::bigint, 'a page reads its own rows of a large table');
SELECT cmp_ok(pg_temp.reads('large', pg_temp.sample(2)), '<=', 404::bigint, 'also where it changes them');
SELECT cmp_ok(pg_temp.reads('large_parts', pg_temp.sample(1)), '<=', 202::bigint, 'and of one with partitions');
SELECT cmp_ok(pg_temp.reads('large_parts', pg_temp.sample(2)), '<=', 404::bigint, 'also where it changes them');

-- Wide items: 50 kB in 300 custom fields, each in a column of its own ---------------

SELECT sim.post('/_sim/bulk', jsonb_build_object('project', 'PLATFORM', 'count', 1000, 'raw',
	(SELECT jsonb_object_agg('customfield_' || 20000 + i, repeat(chr(97 + i % 26), 150) || i) FROM generate_series(1, 300) i)));
SELECT format('CREATE TABLE warehouse.wide (issue_key text PRIMARY KEY, %s)', string_agg(format('c%s text', i), ', ')) FROM generate_series(1, 300) i \gexec
SELECT sim.flow(name => 'wide', target => 'warehouse.wide', page_size => 20, cursor => resolute.cursor_for('wide'),
	template => (SELECT format('{"issue_key": "{{.Key}}", %s}', string_agg(format('"c%s": "{{.Fields.customfield_%s}}"', i, 20000 + i), ', ')) FROM generate_series(1, 300) i));
SELECT is((SELECT inserted FROM resolute.run_flow('wide')), (SELECT count(*) FROM sim.issues()), 'wide items are stored');
SELECT is((SELECT count(*) FROM warehouse.wide w, LATERAL (SELECT count(*) AS n FROM jsonb_each_text(to_jsonb(w)) e, generate_series(1, 300) i WHERE e.key = 'c' || i AND e.value = repeat(chr(97 + i % 26), 150) || i) c WHERE c.n = 300),
	(SELECT count(*) FROM sim.issues()), '... whole');
SELECT cmp_ok((SELECT max(bytes) FROM resolute.run_steps WHERE run_id = (SELECT max(run_id) FROM resolute.runs)), '>', (SELECT count(*) * 45000 FROM sim.issues()), '... all of their bytes');
SELECT is((SELECT unchanged FROM (SELECT resolute.reset_cursor('wide')) r, resolute.run_flow('wide')), (SELECT count(*) FROM sim.issues()), '... and found unchanged');

SELECT * FROM finish();
