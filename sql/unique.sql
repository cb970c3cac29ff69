-- Duplicates out of a JSON array: resolute.unique_items().
\pset format unaligned
\pset tuples_only on
SELECT * FROM resolute.unique_items('[{"id": 1, "v": "a"}, {"id": 2}, {"id": 1, "v": "b"}]', 'id');
SELECT * FROM resolute.unique_items('[{"id": 1, "v": "a"}, {"id": 2}, {"id": 1, "v": "b"}]', 'id', keep => 'first');
-- the key is compared as text, so 1 is "1", but 1.0 is not; the members may be in any order
SELECT * FROM resolute.unique_items('[{"id": 1}, {"id": "1"}, {"id": 1.0}, {"x": 1, "id": "é"}, {"id": "é", "x": 2}]', 'id');
-- a key of several members, in any case
SELECT * FROM resolute.unique_items('[{"Id": 1, "a b": "x"}, {"Id": 1, "a b": "y"}, {"Id": 1, "a b": "x", "n": 2}]', 'Id, "a b"');
-- nothing in, nothing out
SELECT * FROM resolute.unique_items('[]', 'id');
SELECT * FROM resolute.unique_items(NULL, 'id');
-- far more rows than fit into work_mem
SET work_mem = '64kB';
SELECT count(*), sum((u ->> 'v')::int) FROM resolute.unique_items((SELECT jsonb_agg(jsonb_build_object('id', n % 10000, 'v', n)) FROM generate_series(1, 30000) n), 'id') AS u;
SELECT count(*), sum((u ->> 'v')::int) FROM resolute.unique_items((SELECT jsonb_agg(jsonb_build_object('id', n % 10000, 'v', n)) FROM generate_series(1, 30000) n), 'id', 'first') AS u;
RESET work_mem;

-- Invalid input
\set VERBOSITY default
SELECT * FROM resolute.unique_items('[{"id": 1}, {"ID": 1}]', 'id');
SELECT * FROM resolute.unique_items('[{"id": null}]', 'id');
SELECT * FROM resolute.unique_items('[{"id": 1}]', '');
SELECT * FROM resolute.unique_items('[{"id": 1}]', 'id', 'newest');
SELECT * FROM resolute.unique_items('{"id": 1}', 'id');
SELECT * FROM resolute.unique_items('[1]', 'id');

-- Permissions
CREATE ROLE unique_user;
GRANT USAGE ON SCHEMA resolute TO unique_user;
SET ROLE unique_user;
SELECT * FROM resolute.unique_items('[]', 'id');
RESET ROLE;
REVOKE USAGE ON SCHEMA resolute FROM unique_user;
DROP ROLE unique_user;
