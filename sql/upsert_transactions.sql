-- Upserts inside of transactions, triggers and restricted operations.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- in a security-restricted operation no trigger may be deferred, so constraints are made immediate first
CREATE TABLE s (id integer PRIMARY KEY, n integer, parent integer REFERENCES s DEFERRABLE INITIALLY DEFERRED);
CREATE MATERIALIZED VIEW mv AS SELECT * FROM resolute.upsert_items('public.s', '[{"id":1,"n":1,"parent":null},{"id":2,"n":1,"parent":1},{"id":3,"n":1,"parent":77}]', 'id') WITH NO DATA;
REFRESH MATERIALIZED VIEW mv;
TABLE mv;
TABLE s;
-- all constraints are made immediate, so what the caller left unchecked is checked
BEGIN;
INSERT INTO s VALUES (9,1,99);
SELECT * FROM resolute.upsert_items('s', '[{"id":5,"n":1,"parent":null}]', 'id');
ROLLBACK;
-- an error leaves the transaction to its savepoints
BEGIN;
SAVEPOINT a;
SELECT * FROM resolute.upsert_items('s', '[{"id":5,"nope":1}]', 'id');
ROLLBACK TO a;
SELECT * FROM resolute.upsert_items('s', '[{"id":5,"n":1}]', 'id');
COMMIT;
-- commits between the calls
DO $$ BEGIN FOR i IN 1..3 LOOP PERFORM resolute.upsert_items('s', jsonb_build_array(jsonb_build_object('id', i, 'n', 5+i))  , 'id'); COMMIT; END LOOP; END $$;
TABLE s;
DROP MATERIALIZED VIEW mv;
DROP TABLE s;
-- domains over composite types, and arrays of them; a type that changes
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE pair AS (a positive, b text);
CREATE DOMAIN okpair AS pair CHECK ((VALUE).a < 10);
CREATE TABLE o (id uuid PRIMARY KEY, p okpair, ps okpair[], t tsvector, pt point);
SELECT * FROM resolute.upsert_items('o', '[{"id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","p":{"a":5,"b":"x"},"ps":[{"a":1},{"a":2,"b":""}],"t":"a b","pt":"(1,2)"}, {"id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12","p":{"a":-1}},{"id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a13","p":{"a":10}}, {"id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a14","p":[1]}]', 'id');
SELECT * FROM resolute.upsert_items('o', '[{"id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","p":{"a":5,"b":"x"},"ps":[{"a":1},{"a":2,"b":""}],"t":"a b","pt":"(1,2)"}]', 'id');
TABLE o;
ALTER TYPE pair ADD ATTRIBUTE c text CASCADE;
SELECT * FROM resolute.upsert_items('o', '[{"id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","p":{"a":5,"b":"x","c":"new"}}]', 'id');
TABLE o;
DROP TABLE o; DROP DOMAIN okpair; DROP TYPE pair; DROP DOMAIN positive;
-- an upsert inside an upsert
CREATE TABLE a1 (id int primary key, v text); CREATE TABLE a2 (id int primary key, v text);
CREATE FUNCTION rec() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM resolute.upsert_items('a2', jsonb_build_array(to_jsonb(NEW)), 'id'); RETURN NEW; END $$;
CREATE TRIGGER rec AFTER INSERT OR UPDATE ON a1 FOR EACH ROW EXECUTE FUNCTION rec();
SELECT * FROM resolute.upsert_items('a1', '[{"id":1,"v":"x"},{"id":2,"v":"y"}]', 'id');
TABLE a2;
DROP TABLE a1, a2; DROP FUNCTION rec();
