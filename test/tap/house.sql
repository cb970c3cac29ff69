-- What holds for every object of the extension.
\ir setup/psql.sql
SELECT plan(5);

CREATE VIEW object AS
	SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS name
	FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass
	WHERE e.extname = 'resolute' AND d.deptype = 'e'
	UNION ALL
	SELECT 'pg_policy'::regclass, p.oid, pg_describe_object('pg_policy'::regclass, p.oid, 0)
	FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'resolute'::regnamespace;

SELECT is_empty($$SELECT name FROM object o LEFT JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid
	WHERE obj_description(o.objid, o.classid::regclass::name) IS NULL
	  AND coalesce(c.relkind, 'r') NOT IN ('S', 'i')
	  AND NOT (o.classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t WHERE t.oid = o.objid AND (t.typrelid <> 0 OR t.typelem <> 0)))$$,
	'every object has a comment');
SELECT is_empty($$SELECT name FROM object o JOIN pg_proc p ON o.classid = 'pg_proc'::regclass AND p.oid = o.objid
	WHERE has_function_privilege('public', p.oid, 'EXECUTE')$$, 'PUBLIC may execute no function');
SELECT is_empty($$SELECT name FROM object o JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid
	WHERE c.relkind IN ('r', 'v') AND has_table_privilege('public', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')$$, 'PUBLIC may see no table');
SELECT is_empty($$SELECT name FROM object o JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid
	WHERE c.relkind = 'r' AND NOT c.relrowsecurity$$, 'every table has row-level security');
SELECT is_empty($$SELECT name FROM object o JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid
	WHERE c.relkind IN ('r', 'S') AND c.oid <> ALL (SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'resolute')$$,
	'pg_dump takes every table and sequence');
SELECT * FROM finish();
