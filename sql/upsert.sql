-- Rows into tables: resolute.upsert_items().
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE EXTENSION citext;
CREATE SCHEMA warehouse;
SET client_min_messages = notice;

-- insert, then nothing, then one change
CREATE TABLE warehouse.issues (issue_key text PRIMARY KEY, status text, points numeric(10,2), updated_at timestamptz);
SELECT * FROM resolute.upsert_items('warehouse.issues', '[{"issue_key": "A-1", "status": "Open", "points": 3},
	{"issue_key": "A-2", "status": "Done", "points": null}]', 'issue_key');
SELECT ctid, xmin AS row_xmin FROM warehouse.issues WHERE issue_key = 'A-1' \gset
SELECT * FROM resolute.upsert_items('warehouse.issues', '[{"issue_key": "A-1", "status": "Open", "points": 3.001},
	{"issue_key": "A-2", "status": "Closed"}, {"issue_key": "A-3"}]', 'issue_key');
SELECT * FROM warehouse.issues ORDER BY 1;
-- an unchanged row was neither written nor locked
SELECT ctid = :'ctid' AS same_place, xmin = :'row_xmin' AS same_version, xmax = 0 AS not_locked
FROM warehouse.issues WHERE issue_key = 'A-1';
-- no items, no rows
SELECT * FROM resolute.upsert_items('warehouse.issues', '[]', 'issue_key');
SELECT * FROM resolute.upsert_items('warehouse.issues', NULL, 'issue_key');

-- every type takes what the source has, is compared as it is stored, and a second time nothing changes
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN tag_list AS text[] CHECK (cardinality(VALUE) <= 3);
CREATE TYPE person AS (name text, age integer, tags text[]);
CREATE TABLE warehouse.kinds (
	id bigint PRIMARY KEY, t text, v varchar(5), c char(4), i2 smallint, i4 integer, i8 bigint, n numeric, n2 numeric(6,2),
	f4 real, f8 double precision, b boolean, d date, ts timestamp(0), tz timestamptz, tz0 timestamptz(0), tm time, u uuid, js json, jb jsonb,
	ta text[], ia integer[], ja jsonb[], na numeric(6,1)[], m mood, ma mood[], p percent, tl tag_list, ci citext, bin bytea, iv interval,
	r int4range, pe person, pa person[], ip inet, nm name, "Mixed Case" text);
CREATE FUNCTION pg_temp.kinds() RETURNS jsonb LANGUAGE sql AS $$ SELECT $json$[{
	"id": 1, "t": "tab\there \"q\" \\ é 漢 😀", "v": "abcde", "c": "ab", "i2": -32768, "i4": 5.0, "i8": 1e3, "n": 1.10, "n2": 1.005,
	"f4": 0.1, "f8": 1e300, "b": true, "d": "2024-02-29", "ts": "2024-01-02T03:04:05.678", "tz": "2024-01-02T03:04:05.678+0000",
	"tz0": "2024-01-02T03:04:05.678-0730", "tm": "03:04:05", "u": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "js": {"b": 1,  "a": [1, 2]}, "jb": {"b": 1, "a": [1, 2]},
	"ta": ["a", "b,c", "d\"e", "{f}", "g\\h", "", "NULL", null, 1.5, true, {"x": "y"}], "ia": [[1, 2], [3, 4]], "ja": [{"a": 1}, [1, 2], "x", 5, null],
	"na": [1.26, 2], "m": "happy", "ma": ["sad", "ok"], "p": 100, "tl": ["x"], "ci": "CaseLess", "bin": "\\xDEADbeef", "iv": "1 day 02:00",
	"r": "[1,5)", "pe": {"name": "Ann \"A\", (b)", "tags": ["x", "y\"z"], "more": 1}, "pa": [{"name": "Bob", "age": 3}, null], "ip": "10.0.0.1", "nm": "a name",
	"Mixed Case": "yes"},
	{"id": 2, "jb": "text", "js": "text", "ta": [], "ia": [], "t": {"a": [1]}, "v": 12.50, "b": "off", "tz": "2024-01-02T03:04:05Z", "ci": 5, "n": "NaN"},
	{"id": 3, "t": "", "jb": null, "js": null}]$json$::jsonb $$;
SELECT * FROM resolute.upsert_items('warehouse.kinds', pg_temp.kinds(), 'id');
\x on
SELECT * FROM warehouse.kinds ORDER BY id;
\x off
SELECT * FROM resolute.upsert_items('warehouse.kinds', pg_temp.kinds(), 'id');

-- a row with a value that its column refuses is refused, the others are stored
CREATE TABLE warehouse.strict (id integer PRIMARY KEY, v varchar(3), m mood, p percent, tz timestamptz, need text NOT NULL DEFAULT 'x',
	n integer CHECK (n > 0), alt text UNIQUE, parent integer REFERENCES warehouse.strict DEFERRABLE INITIALLY DEFERRED);
SELECT * FROM resolute.upsert_items('warehouse.strict', '[{"id": 1, "v": "toolong"}, {"id": 2, "v": "ok  "}, {"id": 3, "m": "angry"}, {"id": 4, "p": 101},
	{"id": 5, "tz": ""}, {"id": 6, "tz": "2024-13-01"}, {"id": 7.5}, {"id": 99999999999}, {"id": null}, {"v": "x"}]', 'id');
SELECT id, v FROM warehouse.strict;
-- more than ten of them are counted in one warning
SELECT * FROM resolute.upsert_items('warehouse.strict', (SELECT jsonb_agg(jsonb_build_object('id', 'x')) FROM generate_series(1, 12)), 'id');
-- what only the statement finds out: NOT NULL, CHECK, UNIQUE, a deferred FOREIGN KEY; children stand before their parents
SELECT * FROM resolute.upsert_items('warehouse.strict', '[{"id": 14, "need": "x", "n": 1, "parent": 13}, {"id": 13, "need": "x", "n": 1, "parent": 12},
	{"id": 10, "need": null, "n": 1}, {"id": 11, "need": "x", "n": 0}, {"id": 15, "need": "x", "n": 2, "parent": 4711},
	{"id": 16, "need": "x", "n": 1, "alt": "a"}, {"id": 17, "need": "x", "n": 1, "alt": "a"}, {"id": 12, "need": "x", "n": 1}]', 'id');
SELECT id, need, n, alt, parent FROM warehouse.strict ORDER BY id;
-- constraints that are declared on a domain see nulls, too
CREATE DOMAIN must AS text NOT NULL;
CREATE TABLE warehouse.musts (id integer PRIMARY KEY, m must);
SELECT * FROM resolute.upsert_items('warehouse.musts', '[{"id": 1, "m": "x"}, {"id": 2, "m": null}]', 'id');
-- errors of a trigger: P0001 refuses the row, others fail the statement
CREATE FUNCTION warehouse.guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.m = 'skip' THEN RETURN NULL; END IF;
	IF NEW.m = 'raise' THEN RAISE EXCEPTION 'not this one'; END IF;
	IF NEW.m = 'crash' THEN RAISE EXCEPTION 'disk gone' USING ERRCODE = '58030'; END IF;
	NEW.m := upper(NEW.m);
	RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON warehouse.musts FOR EACH ROW EXECUTE FUNCTION warehouse.guard();
SELECT * FROM resolute.upsert_items('warehouse.musts', '[{"id": 3, "m": "skip"}, {"id": 4, "m": "raise"}, {"id": 5, "m": "fine"}, {"id": 1, "m": "skip"}]', 'id');
SELECT * FROM warehouse.musts ORDER BY id;
SELECT * FROM resolute.upsert_items('warehouse.musts', '[{"id": 6, "m": "good"}, {"id": 7, "m": "crash"}]', 'id');
SELECT count(*) FROM warehouse.musts WHERE id > 5;

-- keys: composite, in any order, in mixed case; equal as their type sees it
CREATE TABLE warehouse."Odd ""Name" ("Key" citext, site integer, "Value" text, UNIQUE (site, "Key"));
SELECT * FROM resolute.upsert_items('warehouse."Odd ""Name"', '[{"Key": "a", "site": 1, "Value": "x"}, {"Key": "A", "site": 1, "Value": "y"},
	{"Key": "a", "site": 2, "Value": "z"}, {"Key": "b", "site": null}]', 'Key, site');
SELECT * FROM resolute.upsert_items('warehouse."Odd ""Name"', '[{"Key": "A", "site": 1, "Value": "y"}, {"Key": "A", "site": 2, "Value": "n"}]', 'site,Key');
SELECT * FROM warehouse."Odd ""Name" ORDER BY site;
CREATE TABLE warehouse.numbers (n numeric PRIMARY KEY, v text);
SELECT * FROM resolute.upsert_items('warehouse.numbers', '[{"n": 1, "v": "a"}, {"n": 1.0, "v": "b"}]', 'n');
SELECT * FROM resolute.upsert_items('warehouse.numbers', '[{"n": 1.00, "v": "b"}]', 'n');
SELECT * FROM warehouse.numbers;
-- keys of every kind of type: arrays, enums, records, domains, char(n), uuid
CREATE TABLE warehouse.keys_a (k integer[] PRIMARY KEY, v text);
CREATE TABLE warehouse.keys_e (k mood PRIMARY KEY, v text);
CREATE TABLE warehouse.keys_r (k person PRIMARY KEY, v text);
CREATE TABLE warehouse.keys_d (k percent PRIMARY KEY, v text);
CREATE TABLE warehouse.keys_c (k char(4) PRIMARY KEY, v varchar(10));
CREATE TABLE warehouse.keys_v (k varchar(40) COLLATE "C", v text);
CREATE UNIQUE INDEX ON warehouse.keys_v (k COLLATE "POSIX");
CREATE TABLE warehouse.keys_b (k bit(3) PRIMARY KEY, v text);
SELECT t, first.inserted, first.duplicates, second.updated, second.unchanged
FROM (VALUES ('a', '[1,2]'::jsonb), ('e', '"ok"'), ('r', '{"name": "x"}'), ('d', '5'), ('c', '"ab"'), ('v', '"ab"'), ('b', '"101"')) AS k (t, v),
	resolute.upsert_items('warehouse.keys_' || t, jsonb_build_array(jsonb_build_object('k', v, 'v', 'a'), jsonb_build_object('k', v, 'v', 'b')), 'k') AS first,
	resolute.upsert_items('warehouse.keys_' || t, jsonb_build_array(jsonb_build_object('k', v, 'v', CASE WHEN t < 'd' THEN 'b' ELSE 'c' END)), 'k') AS second;
-- nothing but a key
CREATE TABLE warehouse.only_keys (a integer, b integer, PRIMARY KEY (a, b));
SELECT * FROM resolute.upsert_items('warehouse.only_keys', '[{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 1}]', 'a,b');
SELECT * FROM resolute.upsert_items('warehouse.only_keys', '[{"a": 1, "b": 1}, {"a": 2, "b": 2}]', 'a,b');

-- versions: an older copy never overwrites a newer row; null is the oldest; the same version may have other contents
CREATE TABLE warehouse.versions (id integer PRIMARY KEY, v text, at timestamptz);
SELECT * FROM resolute.upsert_items('warehouse.versions', '[{"id": 1, "v": "new", "at": "2024-02-01Z"}, {"id": 1, "v": "old", "at": "2024-01-01Z"},
	{"id": 2, "v": "new", "at": "2024-02-01Z"}, {"id": 3, "v": "none", "at": null}, {"id": 4, "v": "a", "at": "2024-01-01Z"}, {"id": 4, "v": "b", "at": "2024-01-01Z"}]', 'id', 'at');
SELECT * FROM resolute.upsert_items('warehouse.versions', '[{"id": 1, "v": "older", "at": "2024-01-31Z"}, {"id": 2, "v": "same time", "at": "2024-02-01Z"},
	{"id": 3, "v": "dated", "at": "2020-01-01Z"}, {"id": 4, "v": "undated", "at": null}]', 'id', 'at');
SELECT * FROM warehouse.versions ORDER BY id;
-- and of the same content the version alone is a change, but not backwards
SELECT * FROM resolute.upsert_items('warehouse.versions', '[{"id": 1, "v": "new", "at": "2024-03-01Z"}, {"id": 2, "v": "same time", "at": "2024-01-01Z"}]', 'id', 'at');
-- without a version the last one wins
SELECT * FROM resolute.upsert_items('warehouse.versions', '[{"id": 1, "v": "older", "at": "2000-01-01Z"}]', 'id');

-- columns that are not in the rows keep their default, or what they have
CREATE TABLE warehouse.extras (no integer GENERATED BY DEFAULT AS IDENTITY, always integer GENERATED ALWAYS AS IDENTITY, id text PRIMARY KEY, v integer,
	twice integer GENERATED ALWAYS AS (v * 2) STORED, seen date DEFAULT '2000-01-01', note text);
SELECT * FROM resolute.upsert_items('warehouse.extras', '[{"id": "a", "v": 1}, {"id": "b", "v": 2}]', 'id');
UPDATE warehouse.extras SET note = 'mine', seen = '2024-01-01';
SELECT * FROM resolute.upsert_items('warehouse.extras', '[{"id": "a", "v": 3}]', 'id');
SELECT * FROM resolute.upsert_items('warehouse.extras', '[{"id": "c", "no": 77}]', 'id');
-- but a member that only other items have is null
SELECT * FROM resolute.upsert_items('warehouse.extras', '[{"id": "a", "note": "yours"}, {"id": "b"}]', 'id');
SELECT * FROM warehouse.extras ORDER BY id;

-- partitioned and inherited tables
CREATE TABLE warehouse.parts (id integer, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE warehouse.parts_eu PARTITION OF warehouse.parts FOR VALUES IN ('eu');
CREATE TABLE warehouse.parts_us PARTITION OF warehouse.parts FOR VALUES IN ('us');
SELECT * FROM resolute.upsert_items('warehouse.parts', '[{"id": 1, "region": "eu", "v": "a"}, {"id": 1, "region": "us", "v": "b"}, {"id": 2, "region": "mars", "v": "c"}]', 'id,region');
SELECT * FROM resolute.upsert_items('warehouse.parts', '[{"id": 1, "region": "eu", "v": "a"}, {"id": 1, "region": "us", "v": "c"}]', 'id,region');
SELECT tableoid::regclass, * FROM warehouse.parts ORDER BY 1;
CREATE TABLE warehouse.parent (id integer PRIMARY KEY, v text);
CREATE TABLE warehouse.child () INHERITS (warehouse.parent);
INSERT INTO warehouse.child VALUES (1, 'child');
SELECT * FROM resolute.upsert_items('warehouse.parent', '[{"id": 1, "v": "child"}]', 'id');
SELECT tableoid::regclass, * FROM warehouse.parent ORDER BY 1;

-- the name is looked up as in any statement; a table made anew is found again
SET search_path = warehouse, public;
SELECT inserted FROM resolute.upsert_items('numbers', '[{"n": 2, "v": "c"}]', 'n');
CREATE TEMP TABLE numbers (n integer PRIMARY KEY);
SELECT inserted FROM resolute.upsert_items('numbers', '[{"n": 2}]', 'n');
DROP TABLE pg_temp.numbers;
RESET search_path;

-- Invalid input -----------------------------------------------------------
CREATE VIEW warehouse.a_view AS SELECT 1 AS id;
CREATE TABLE warehouse.no_key (id integer, v text);
CREATE TABLE warehouse.poor_keys (a integer, b integer, c integer UNIQUE DEFERRABLE, d text);
CREATE UNIQUE INDEX poor_partial ON warehouse.poor_keys (a) WHERE b > 0;
CREATE UNIQUE INDEX poor_expression ON warehouse.poor_keys (lower(d));
CREATE UNIQUE INDEX poor_wider ON warehouse.poor_keys (a, b);
CREATE FUNCTION pg_temp.try(target text, items jsonb, key text, version text DEFAULT NULL) RETURNS TABLE (code text, message text, detail text, hint text)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM resolute.upsert_items(try.target, try.items, try.key, try.version);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT;
END $$;
\x on
SELECT * FROM pg_temp.try('warehouse.nothing', '[{"id": 1}]', 'id');
SELECT * FROM pg_temp.try('nowhere.nothing', '[{"id": 1}]', 'id');
SELECT * FROM pg_temp.try('a.b.c.d', '[{"id": 1}]', 'id');
SELECT * FROM pg_temp.try('"unfinished', '[{"id": 1}]', 'id');
SELECT * FROM pg_temp.try('warehouse.a_view', '[{"id": 1}]', 'id');
SELECT * FROM pg_temp.try('warehouse.issues', '[{"issue_key": 1, "sumary": "x"}]', 'issue_key');
SELECT * FROM pg_temp.try('warehouse.issues', '[{"issue_key": 1, "ctid": "x"}]', 'issue_key');
SELECT * FROM pg_temp.try('warehouse.issues', '[{"status": 1}]', 'issue_key');
SELECT * FROM pg_temp.try('warehouse.issues', '[{"issue_key": 1}]', '');
SELECT * FROM pg_temp.try('warehouse.issues', '[{"issue_key": 1}]', 'issue_key', 'updated_at');
SELECT * FROM pg_temp.try('warehouse.kinds', '[{"id": 1, "js": 1}]', 'id', 'js');
SELECT * FROM pg_temp.try('warehouse.no_key', '[{"id": 1, "v": 1}]', 'id');
SELECT * FROM pg_temp.try('warehouse.poor_keys', '[{"a": 1}]', 'a');
SELECT * FROM pg_temp.try('warehouse.poor_keys', '[{"c": 1}]', 'c');
SELECT * FROM pg_temp.try('warehouse.poor_keys', '[{"d": 1}]', 'd');
SELECT * FROM pg_temp.try('warehouse.parts', '[{"id": 1}]', 'id');
SELECT * FROM pg_temp.try('warehouse.extras', '[{"id": 1, "twice": 1}]', 'id');
SELECT * FROM pg_temp.try('warehouse.extras', '[{"id": 1, "always": 1}]', 'id');
SELECT * FROM pg_temp.try('warehouse.issues', '{"issue_key": 1}', 'issue_key');
SELECT * FROM pg_temp.try('warehouse.issues', '[1]', 'issue_key');
SELECT * FROM pg_temp.try(NULL, '[]', 'issue_key');
SELECT * FROM pg_temp.try('warehouse.issues', '[]', NULL);
\x off

-- Permissions --------------------------------------------------------------
CREATE ROLE upsert_user;
GRANT USAGE ON SCHEMA warehouse TO upsert_user;
SET ROLE upsert_user;
SELECT code, message FROM pg_temp.try('warehouse.issues', '[{"issue_key": 1}]', 'issue_key');
RESET ROLE;
GRANT USAGE ON SCHEMA resolute TO upsert_user;
GRANT EXECUTE ON FUNCTION resolute.upsert_items TO upsert_user;
SET ROLE upsert_user;
SELECT code, message FROM pg_temp.try('warehouse.issues', '[{"issue_key": 1}]', 'issue_key');
RESET ROLE;
GRANT INSERT ON warehouse.issues TO upsert_user;
SET ROLE upsert_user;
SELECT code, message FROM pg_temp.try('warehouse.issues', '[{"issue_key": 1, "status": 1}]', 'issue_key');
RESET ROLE;
-- column by column is enough
GRANT SELECT (issue_key, status), UPDATE (status) ON warehouse.issues TO upsert_user;
SET ROLE upsert_user;
SELECT * FROM resolute.upsert_items('warehouse.issues', '[{"issue_key": "A-1", "status": "Mine"}, {"issue_key": "A-9", "status": "Mine"}]', 'issue_key');
RESET ROLE;
-- row-level security holds
CREATE TABLE warehouse.secured (id integer PRIMARY KEY, who name, v text);
INSERT INTO warehouse.secured VALUES (1, 'upsert_user', 'a'), (2, 'somebody', 'b');
ALTER TABLE warehouse.secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON warehouse.secured USING (who = current_user);
GRANT SELECT, INSERT, UPDATE ON warehouse.secured TO upsert_user;
SET ROLE upsert_user;
SELECT * FROM resolute.upsert_items('warehouse.secured', '[{"id": 1, "who": "upsert_user", "v": "c"}, {"id": 3, "who": "upsert_user", "v": "c"}]', 'id');
SELECT code, message FROM pg_temp.try('warehouse.secured', '[{"id": 4, "who": "somebody", "v": "c"}]', 'id');
SELECT code, message FROM pg_temp.try('warehouse.secured', '[{"id": 2, "who": "upsert_user", "v": "c"}]', 'id');
RESET ROLE;
SELECT * FROM warehouse.secured ORDER BY id;

SET client_min_messages = warning;
DROP SCHEMA warehouse CASCADE;
DROP TYPE mood, person CASCADE;
DROP DOMAIN percent, tag_list, must;
DROP OWNED BY upsert_user;
DROP ROLE upsert_user;
DROP EXTENSION citext;
