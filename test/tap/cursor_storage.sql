-- Cursors whose position is kept in another storage as well: SQL functions, and what is checked
-- of servers.  test/fault/redis.t has a Redis.
SET TimeZone = 'UTC';
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=250&seed=5&projects=PLATFORM');
SELECT resolute.drop_flow('jira-warehouse-sync');
DELETE FROM resolute.cursors;
SELECT no_plan();
CREATE TABLE issue (issue_key text PRIMARY KEY, summary text, updated_at timestamptz);

-- A storage: a table, and every call of its functions.
CREATE SCHEMA keep;
CREATE TABLE keep.value (name text PRIMARY KEY, value text);
CREATE TABLE keep.call (n bigint GENERATED ALWAYS AS IDENTITY, value text, rows bigint);
CREATE FUNCTION keep.it_read(name text) RETURNS text LANGUAGE sql AS 'SELECT value FROM keep.value v WHERE v.name = $1';
CREATE FUNCTION keep.it_write(name text, value text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO keep.call (value, rows) SELECT $2, count(*) FROM public.issue;
	DELETE FROM keep.value v WHERE v.name = $1;
	INSERT INTO keep.value SELECT $1, $2 WHERE $2 IS NOT NULL;
$$;

CREATE FUNCTION define(storage text DEFAULT 'keep.it', format text DEFAULT NULL, max_items bigint DEFAULT NULL, condition text DEFAULT NULL,
	jql text DEFAULT 'updated >= ${cursor}', name text DEFAULT 'f', more resolute.step[] DEFAULT '{}') RETURNS int LANGUAGE sql AS $$
	SELECT resolute.create_or_replace_flow(name, resolute.manual(), VARIADIC ARRAY[
		resolute.as('issues', resolute.jira_fetch_issues('jira', jql, cursor => resolute.cursor_for('c', storage => storage, format => format),
			page_size => 50, max_items => max_items)),
		resolute.as('rows', resolute.map('issues', '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}')),
		resolute.when(coalesce(condition, 'issues'), resolute.upsert('rows', target => 'issue', key => 'issue_key'))] || more)
$$;
CREATE FUNCTION ms(t timestamptz) RETURNS text LANGUAGE sql AS 'SELECT (extract(epoch FROM t) * 1000)::bigint::text';
CREATE FUNCTION newest() RETURNS timestamptz LANGUAGE sql AS 'SELECT max(updated_at) FROM issue';
CREATE FUNCTION kept() RETURNS text LANGUAGE sql AS $$ SELECT value FROM keep.value WHERE name = 'c' $$;
CREATE FUNCTION last_run() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', status, source_records, error_code) FROM resolute.runs ORDER BY run_id DESC LIMIT 1
$$;
CREATE FUNCTION missing() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) AS i
	WHERE NOT EXISTS (SELECT FROM issue WHERE issue_key = i ->> 'key' AND summary = i ->> 'summary' AND updated_at = (i ->> 'updated')::timestamptz)
$$;
CREATE FUNCTION begin_again() RETURNS void LANGUAGE sql AS 'TRUNCATE issue, keep.value, keep.call; DELETE FROM resolute.cursors';

-- A pair of functions -----------------------------------------------------------------------------

SELECT define();
CALL resolute.run('f');
SELECT is(missing(), 0::bigint, 'a cursor whose position is kept by functions');
SELECT is(kept(), ms(newest()), 'they have it, in milliseconds');
SELECT is((SELECT array_agg(rows ORDER BY n) FROM keep.call), '{50,100,150,200,250}', 'written page by page, after the rows');
CALL resolute.run('f');
SELECT is((SELECT count(*) FROM keep.call), 5::bigint, 'a run with nothing new writes nothing');
SELECT matches(resolute.flow_definition('f'), 'cursor_for\(''c'', storage => ''keep\.it''\)', 'a definition names the storage');
SELECT is((SELECT concat_ws(' ', storage, stored = storing) FROM resolute.cursors WHERE name = 'c'), 'keep.it f', 'the table knows what the storage may hold');

-- What the storage says rules.
UPDATE keep.value SET value = ms((SELECT updated_at FROM issue ORDER BY updated_at DESC OFFSET 99 LIMIT 1));
CALL resolute.run('f');
SELECT cmp_ok((SELECT source_records FROM resolute.runs ORDER BY run_id DESC LIMIT 1), '>=', 100::bigint, 'a value that was set back is read from');
SELECT is(kept(), ms(newest()), 'and is brought up to date');
SELECT is((SELECT string_agg(action, ' ' ORDER BY history_id) FROM resolute.cursor_history WHERE action <> 'page'), 'storage finish storage finish', 'the history tells of it');
TRUNCATE keep.value;
CALL resolute.run('f');
SELECT is(last_run(), 'succeeded 250', 'without a value everything is read');
SELECT is(kept(), ms(newest()), 'and it is there again');

-- By hand -------------------------------------------------------------------------------------------

SELECT resolute.reset_cursor('c');
CALL resolute.run('f');
SELECT is(last_run(), 'succeeded 250', 'a reset reaches the storage');
SELECT is((SELECT value FROM keep.call ORDER BY n DESC OFFSET 5 LIMIT 1), NULL, 'as null, before anything is read');
SELECT resolute.set_cursor('c', ms((SELECT updated_at FROM issue ORDER BY updated_at DESC OFFSET 99 LIMIT 1)));
SELECT resolute.set_cursor('c', ms((SELECT updated_at FROM issue ORDER BY updated_at DESC OFFSET 49 LIMIT 1)));
CALL resolute.run('f');
SELECT cmp_ok((SELECT source_records FROM resolute.runs ORDER BY run_id DESC LIMIT 1), '<', 100::bigint, 'of two positions set by hand the last one counts');
SELECT sim.get('/_sim/add?project=PLATFORM&count=5');
CALL resolute.run('f');
SELECT resolute.rollback_cursor('c');
CALL resolute.run('f');
SELECT is(kept(), ms(newest()), 'after a rollback the storage is up to date');
-- To where the storage has been before: nothing is to be written, and nothing is.
SELECT resolute.set_cursor('c', stored) FROM resolute.cursors;
TRUNCATE keep.call;
CALL resolute.run('f');
SELECT is(kept(), ms(newest()), 'a move back by one page ends up to date as well');
SELECT is(missing(), 0::bigint, 'and all of this has lost nothing');

-- Within a flow.
SELECT begin_again();
SELECT define(more => ARRAY[resolute.sql($$SELECT resolute.reset_cursor('c')$$)]);
CALL resolute.run('f');
CALL resolute.run('f');
SELECT is(last_run(), 'succeeded 255', 'a flow that resets its cursor reads everything again');
SELECT define();
CALL resolute.run('f');
SELECT is(last_run(), 'succeeded 255', 'until it no longer does');
SELECT is(kept(), ms(newest()), 'and the storage follows');

-- In somebody's transaction ------------------------------------------------------------------------

SELECT begin_again();
SELECT is((SELECT status FROM resolute.run_flow('f')), 'succeeded', 'run_flow with a storage');
SELECT is(kept(), NULL, 'leaves it alone');
SELECT cmp_ok((SELECT source_records FROM resolute.run_flow('f')), '<', 100::bigint, 'the next one goes on from the table');
SELECT is(kept(), ms(newest()), 'and has written what was committed');
SELECT sim.get('/_sim/add?project=PLATFORM&count=5');
BEGIN;
SELECT FROM resolute.run_flow('f');
SELECT isnt(kept(), ms(newest()), 'nothing that is not committed is written');
ROLLBACK;
SELECT is((SELECT count(*) FROM issue), 255::bigint, '(which was rolled back)');
SELECT FROM resolute.run_flow('f');
SELECT FROM resolute.run_flow('f');
SELECT is(kept(), ms(newest()), 'what is, is');
SELECT sim.get('/_sim/add?project=PLATFORM&count=1');
SELECT FROM resolute.run_flow('f');
SELECT resolute.reset_cursor('c');
TRUNCATE keep.call;
SELECT FROM resolute.run_flow('f');
SELECT is(last_run(), 'succeeded 261', 'a reset counts for run_flow');
SELECT is((SELECT count(*) FROM keep.call), 0::bigint, 'which does not write what was reset');
CALL resolute.run('f');
SELECT is(kept(), ms(newest()), 'and the next run writes what is true');
UPDATE keep.value SET value = ms('2026-01-30 22:00');
BEGIN READ ONLY;
SELECT is((SELECT count(*) FROM resolute.preview_flow('f', 1)), 1::bigint, 'a preview looks, and writes nothing');
COMMIT;
CALL resolute.run('f');
SELECT is(kept(), ms(newest()), '(and the run after it is as ever)');

-- Where cursors move at the end ----------------------------------------------------------------------

SELECT begin_again();
SELECT define(condition => 'issues.count');
CALL resolute.run('f');
SELECT is((SELECT array_agg(rows ORDER BY n) FROM keep.call), '{261}', 'a spooled source is written at its end');
SELECT begin_again();
SELECT define(jql => 'updated >= ${cursor} ORDER BY updated DESC');
CALL resolute.run('f');
SELECT is((SELECT array_agg(rows ORDER BY n) FROM keep.call), '{261}', 'and so is one of another order');
SELECT begin_again();
SELECT define(max_items => 70);
CALL resolute.run('f');
SELECT is(kept(), ms(newest()), 'a walk that max_items ends');
CALL resolute.run('f');
SELECT is(last_run(), 'succeeded 70', 'goes on');
SELECT is((SELECT count(*) FROM issue), 140::bigint, 'where it ended');
DELETE FROM issue WHERE issue_key IN (SELECT issue_key FROM issue ORDER BY updated_at LIMIT 10);
UPDATE keep.value SET value = ms('2026-01-01');
CALL resolute.run('f');
SELECT is((SELECT count(*) FROM issue), 140::bigint, 'unless the storage was set back: then it begins there');

-- Page by page by hand.
SELECT begin_again();
SELECT resolute.create_flow('manual', resolute.manual(),
	resolute.as('page', resolute.jira_fetch_issues('jira', 'updated >= ${cursor}', cursor => resolute.cursor_for('c', storage => 'keep.it'), page_size => 50, paginate => 'manual')),
	resolute.while('page.has_more',
		resolute.as('rows', resolute.map('page', '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}')),
		resolute.upsert('rows', target => 'issue', key => 'issue_key'),
		resolute.next_page('page')));
CALL resolute.run('manual');
SELECT is((SELECT array_agg(rows ORDER BY n) FROM keep.call), '{50,100,150,200,250,261}', 'pages that are taken by hand are written one by one');
SELECT is(kept(), ms(newest()), 'to the end');
SELECT resolute.drop_flow('manual');

-- A storage for a cursor that had none, and none for one that had ------------------------------------

SELECT begin_again();
SELECT define('table');
CALL resolute.run('f');
SELECT define();
CALL resolute.run('f');
SELECT cmp_ok((SELECT source_records FROM resolute.runs ORDER BY run_id DESC LIMIT 1), '<', 100::bigint, 'a cursor brings its position to an empty storage');
SELECT is(kept(), ms(newest()), 'which has it then');
SELECT define(NULL);
CALL resolute.run('f');
SELECT is((SELECT storage FROM resolute.cursors), NULL, 'and can do without');
SELECT begin_again();
INSERT INTO keep.value VALUES ('c', ms('2026-01-30 22:00'));
SELECT define();
CALL resolute.run('f');
SELECT ok(min(updated_at) BETWEEN '2026-01-30 21:44' AND '2026-01-30 22:15', 'a new cursor begins with the position that the storage has') FROM issue;
SELECT begin_again();
INSERT INTO keep.value VALUES ('c', ms('2026-01-30 22:00'));
SELECT define('keep.it', format => 'epoch_ms');
SELECT resolute.set_cursor('c', '2026-01-30 23:00+00');
CALL resolute.run('f');
SELECT ok(min(updated_at) BETWEEN '2026-01-30 22:44' AND '2026-01-30 23:15' AND kept() = ms(newest()), 'unless somebody has set it by hand') FROM issue;

-- Formats ---------------------------------------------------------------------------------------------

SELECT begin_again();
SELECT define(format => '2006-01-02 15:04', jql => 'updated >= "${cursor}"');
CALL resolute.run('f');
SELECT is(kept(), to_char(newest(), 'YYYY-MM-DD HH24:MI'), 'a layout cuts off what it does not show');
UPDATE keep.value SET value = '2026-01-15 00:00';
CALL resolute.run('f');
SELECT is((SELECT new_position FROM resolute.cursor_history WHERE action = 'storage' ORDER BY history_id DESC LIMIT 1), '2026-01-15 00:00+00', 'and is read as UTC');
SELECT throws_ok($$SELECT define(format => '200612', jql => 'updated >= "${cursor}"', name => 'g')$$, '22023', NULL, 'a layout that reads its own text as a later time is refused');
SELECT lives_ok($$SELECT define('table', format => '200612', jql => 'updated >= "${cursor}"', name => 'g')$$, 'where it need not be read, it is not');

-- Bad storages ----------------------------------------------------------------------------------------

CREATE FUNCTION keep.nobody_read(name text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION keep.number_read(name text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION keep.number_write(name text, value text) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION keep.set_read(name text) RETURNS SETOF text LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION keep.set_write(name text, value text) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION keep.strict_read(name text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION keep.strict_write(name text, value text) RETURNS void LANGUAGE sql STRICT AS '';
CREATE FUNCTION keep.call_read(name text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
CREATE PROCEDURE keep.call_write(name text, value text) LANGUAGE sql AS '';
SELECT throws_ok($$SELECT define('nowhere', name => 'g')$$, '42704', 'storage "nowhere" does not exist', 'an unknown storage');
SELECT throws_ok($$SELECT define('', name => 'g')$$, '42704', NULL, 'a storage without a name');
SELECT throws_ok($$SELECT define('a.b.c', name => 'g')$$, '42704', NULL, 'a name of three parts');
SELECT throws_ok($$SELECT define('a."b', name => 'g')$$, '42704', NULL, 'a name with half a quote');
SELECT throws_ok($$SELECT define('jira', name => 'g')$$, '42809', NULL, 'a server that is no Redis');
SELECT throws_ok($$SELECT define('nowhere.it', name => 'g')$$, '42883', NULL, 'functions in a schema that does not exist');
SELECT throws_ok($$SELECT define('keep.nothing', name => 'g')$$, '42883', 'function keep.nothing_read(text) does not exist', 'functions that do not exist');
SELECT throws_ok($$SELECT define('keep.nobody', name => 'g')$$, '42883', 'function keep.nobody_write(text, text) does not exist', 'only one of them');
SELECT throws_ok($$SELECT define('keep.number', name => 'g')$$, '42P13', NULL, 'a reader that returns no text');
SELECT throws_ok($$SELECT define('keep.set', name => 'g')$$, '42P13', NULL, 'a reader that returns a set');
SELECT throws_ok($$SELECT define('keep.strict', name => 'g')$$, '42P13', NULL, 'a writer that is strict');
SELECT throws_ok($$SELECT define('keep.call', name => 'g')$$, '42883', NULL, 'a procedure');

-- The run fails, and nothing has moved.
CREATE FUNCTION fails(code text, description text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before text := (SELECT concat_ws(' ', (SELECT count(*) FROM issue), position, moves, kept()) FROM resolute.cursors);
BEGIN
	RETURN NEXT throws_ok($q$SELECT resolute.run_flow('f')$q$, code, NULL, description);
	RETURN NEXT is((SELECT concat_ws(' ', (SELECT count(*) FROM issue), position, moves, kept()) FROM resolute.cursors), before, '... and nothing has moved');
END $$;
SELECT begin_again();
SELECT define();
CALL resolute.run('f');
SELECT sim.get('/_sim/add?project=PLATFORM&count=1');
UPDATE keep.value SET value = 'garbage';
SELECT fails('22007', 'a value that is no position');
UPDATE keep.value SET value = '';
SELECT fails('22007', 'an empty value');
UPDATE keep.value SET value = '-5';
SELECT fails('22007', 'a negative value');
UPDATE keep.value SET value = '99999999999999';
SELECT fails('22008', 'a value in the future');
UPDATE keep.value SET value = '9999999999999999999999';
SELECT fails('22007', 'a value with too many digits');
UPDATE keep.value SET value = ms(newest());
ALTER FUNCTION keep.it_read(text) RENAME TO it_hidden;
SELECT fails('42883', 'a reader that was dropped meanwhile');
ALTER FUNCTION keep.it_hidden(text) RENAME TO it_read;
CREATE OR REPLACE FUNCTION keep.it_read(name text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
SELECT fails('P0001', 'a reader that raises');
CREATE OR REPLACE FUNCTION keep.it_read(name text) RETURNS text LANGUAGE sql AS 'SELECT value FROM keep.value v WHERE v.name = $1';

-- A writer that raises: the rows stay, the run fails, the next one goes on.
ALTER FUNCTION keep.it_write(text, text) RENAME TO it_working;
CREATE FUNCTION keep.it_write(name text, value text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
	IF (SELECT count(*) FROM public.issue) >= 100 THEN RAISE 'no'; END IF; PERFORM keep.it_working(name, value); END $$;
SELECT begin_again();
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f') \g /dev/null
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is(last_run(), 'failed 100 P0001', 'a writer that raises fails the run');
SELECT is((SELECT count(*) FROM issue), 100::bigint, '... the rows stay');
SELECT is(kept(), ms((SELECT updated_at FROM issue ORDER BY updated_at OFFSET 49 LIMIT 1)), '... the storage has what it has taken');
SELECT is((SELECT position FROM resolute.cursors), newest(), '... the table is ahead');

-- No handler has it: the page is stored, and no dead letter.
SELECT resolute.create_flow('handled', resolute.manual(),
	resolute.as('issues', resolute.jira_fetch_issues('jira', 'updated >= ${cursor}', cursor => resolute.cursor_for('h', storage => 'keep.it'), page_size => 50)),
	resolute.as('rows', resolute.map('issues', '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}')),
	resolute.on_error(resolute.upsert('rows', target => 'issue', key => 'issue_key'), resolute.dead_letter()));
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('handled') \g /dev/null
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is(last_run(), 'failed 50 P0001', '... with a handler as well');
SELECT is((SELECT count(*) FROM resolute.dead_letters), 0::bigint, '... which does not take rows for dead that are stored');
SELECT resolute.drop_flow('handled');

DROP FUNCTION keep.it_write(text, text);
ALTER FUNCTION keep.it_working(text, text) RENAME TO it_write;
CALL resolute.run('f');
SELECT is((SELECT count(*) FROM issue), 262::bigint, '... the next run succeeds');
SELECT is(last_run(), 'succeeded 162', '... beginning where the rows end');
SELECT is(kept(), ms(newest()), '... and the storage is up to date');
SELECT is(missing(), 0::bigint, '... nothing is missing');

-- Somebody else writes to it meanwhile.
ALTER FUNCTION keep.it_write(text, text) RENAME TO it_working;
CREATE FUNCTION keep.it_write(name text, value text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
	PERFORM keep.it_working(name, CASE (SELECT count(*) FROM public.issue) WHEN 100 THEN '1' ELSE value END); END $$;
SELECT begin_again();
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('f') \g /dev/null
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is(last_run(), 'failed 150 40001', 'a storage that somebody else writes to fails the run');
SELECT is((SELECT count(*) FROM issue), 150::bigint, '... the rows stay');
SELECT is(kept(), '1', '... and what was written');
DROP FUNCTION keep.it_write(text, text);
ALTER FUNCTION keep.it_working(text, text) RENAME TO it_write;
CALL resolute.run('f');
SELECT is(missing(), 0::bigint, '... with which the next run begins');

-- The owner's rights count.
CREATE ROLE keeper;
GRANT USAGE ON SCHEMA resolute TO keeper;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA resolute TO keeper;
GRANT USAGE ON FOREIGN SERVER jira TO keeper;
GRANT ALL ON issue TO keeper;
CREATE USER MAPPING FOR keeper SERVER jira OPTIONS (email 'ada@example.com', api_token 'sim-token');
SELECT resolute.alter_flow('f', owner => 'keeper');
SELECT fails('42501', 'an owner who may not use the schema of the functions');
GRANT USAGE ON SCHEMA keep TO keeper;
GRANT ALL ON ALL TABLES IN SCHEMA keep TO keeper;
REVOKE EXECUTE ON FUNCTION keep.it_read(text) FROM PUBLIC;
SELECT fails('42501', 'an owner who may not call them');
GRANT EXECUTE ON FUNCTION keep.it_read(text) TO keeper;
CALL resolute.run('f');
SELECT matches(last_run(), '^succeeded \d\d$', 'and one who may');
SELECT define(name => 'g');
SELECT throws_ok($$SELECT resolute.run_flow('g')$$, '42710', NULL, 'a cursor of the same name of another role in the same storage');
SELECT resolute.drop_flow('g');
SELECT resolute.drop_flow('f');
DROP OWNED BY keeper;
DROP ROLE keeper;

-- Options of servers --------------------------------------------------------------------------------

CREATE FUNCTION server(options text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
	EXECUTE format('CREATE SERVER try FOREIGN DATA WRAPPER resolute_redis OPTIONS (%s)', options);
	DROP SERVER try;
END $$;
SELECT lives_ok($$SELECT server('url ''rediss://cache.example.com''')$$, 'a host alone');
SELECT lives_ok($$SELECT server('url ''rediss://cache.example.com:6380/15'', key_prefix ''a:'', timeout ''5s'', connect_timeout ''1s''')$$, 'all parts');
SELECT lives_ok($$SELECT server('url ''redis://[::1]:6380/0'', allow_plain ''on'', allow_private ''on'', ca_file ''/etc/ca.pem''')$$, 'what superusers may set');
SELECT throws_ok($$SELECT server('timeout ''5s''')$$, 'HV002', NULL, 'no url');
SELECT throws_ok(format('SELECT server(%L)', 'url ' || quote_literal(url)), '22023', NULL, format('"%s" is no url', url))
FROM unnest('{"",cache,http://cache,redis:/cache,rediss://,rediss://:6379,rediss://cache:,rediss://cache:0,rediss://cache:65536,rediss://cache:x,rediss://cache/x,rediss://cache/-1,
	rediss://cache/1/2,rediss://cache/0?a=b,rediss://cache#1,rediss://user:word@cache,rediss://ca che,rediss://cache/9999999,rediss://[::1]x}'::text[]) url;
SELECT throws_ok($$SELECT server('url ''redis://cache.example.com''')$$, '22023', NULL, 'no encryption, which nobody has allowed');
SELECT throws_ok($$SELECT server('url ''rediss://cache'', password ''x''')$$, 'HV00D', NULL, 'a secret of a server');
SELECT throws_ok($$SELECT server('url ''rediss://cache'', base_url ''https://x''')$$, 'HV00D', NULL, 'an option of another wrapper');
SELECT throws_ok($$SELECT server('url ''rediss://cache'', timeout ''0''')$$, '22023', NULL, 'no time at all');
CREATE SERVER store FOREIGN DATA WRAPPER resolute_redis OPTIONS (url 'rediss://cache.example.com');
SELECT throws_ok($$CREATE USER MAPPING FOR PUBLIC SERVER store OPTIONS (password 'a', password_env 'B')$$, 'HV00D', NULL, 'two passwords');
SELECT throws_ok($$CREATE USER MAPPING FOR PUBLIC SERVER store OPTIONS (username 'a')$$, 'HV00D', NULL, 'a user without a password');
SELECT throws_ok($$CREATE USER MAPPING FOR PUBLIC SERVER store OPTIONS (password 'a b')$$, '22023', NULL, 'a password with a space');
SELECT throws_ok($$CREATE USER MAPPING FOR PUBLIC SERVER store OPTIONS (email 'a')$$, 'HV00D', NULL, 'an option of a mapping of another wrapper');
SELECT throws_ok($$SELECT * FROM resolute.jira_issues('store', 'project = PLATFORM')$$, '42809', NULL, 'no rows come from a Redis');
SELECT throws_ok($$SELECT * FROM resolute.check_connection('store')$$, '42809', NULL, 'nor is it checked as a source');
CREATE ROLE keeper;
GRANT USAGE ON FOREIGN DATA WRAPPER resolute_redis TO keeper;
GRANT USAGE ON FOREIGN SERVER store TO keeper;
SET ROLE keeper;
SELECT throws_ok($$CREATE SERVER try FOREIGN DATA WRAPPER resolute_redis OPTIONS (url 'redis://10.0.0.1', allow_plain 'on')$$, '42501', NULL, 'only superusers may allow plain connections');
SELECT throws_ok($$CREATE SERVER try FOREIGN DATA WRAPPER resolute_redis OPTIONS (url 'rediss://10.0.0.1', allow_private 'on')$$, '42501', NULL, 'and private addresses');
SELECT throws_ok($$CREATE USER MAPPING FOR keeper SERVER store OPTIONS (password_file '/etc/passwd')$$, '42501', NULL, 'and name files');
RESET ROLE;
DROP OWNED BY keeper;
DROP ROLE keeper;
SELECT * FROM finish();
