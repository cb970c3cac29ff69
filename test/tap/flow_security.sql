-- Whose rights count: what the owner of a flow and the one who runs it could do to each other, and to the books.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=60&seed=5&projects=PLATFORM');
SELECT no_plan();
DROP ROLE IF EXISTS resolute_owner, resolute_gone;
CREATE ROLE resolute_owner;
CREATE ROLE resolute_gone;
GRANT USAGE ON SCHEMA resolute TO resolute_owner, resolute_gone;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA resolute TO resolute_owner, resolute_gone;
GRANT SELECT ON ALL TABLES IN SCHEMA resolute TO resolute_owner;
GRANT USAGE ON FOREIGN SERVER jira TO resolute_owner;
CREATE SCHEMA trap AUTHORIZATION resolute_owner;

-- A trap: it notes as whom it was sprung.
SET ROLE resolute_owner;
CREATE TABLE trap.sprung (who text);
CREATE FUNCTION trap.note() RETURNS void LANGUAGE sql AS 'INSERT INTO trap.sprung VALUES (current_user)';
CREATE FUNCTION trap.on_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.note(); RETURN NULL; END $$;
CREATE TABLE trap.issue (issue_key text PRIMARY KEY);
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON trap.issue DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trap.on_row();
SELECT resolute.create_flow('rows', resolute.manual(), resolute.as('issues', resolute.jira_fetch_issues('jira', 'updated >= ${cursor}', cursor => resolute.cursor_for('c'))),
	resolute.as('mapped', resolute.map('issues', '{"issue_key": "{{.Key}}"}')), resolute.upsert('mapped', 'trap.issue', 'issue_key'));
SELECT resolute.create_flow('statement', resolute.manual(), resolute.sql($$INSERT INTO trap.issue VALUES ('X-1')$$));
RESET ROLE;

-- What the owner defers never runs as somebody else.
CALL resolute.run('rows');
SELECT is((SELECT array_agg(DISTINCT who) FROM trap.sprung), '{resolute_owner}', 'deferred triggers of a target run as the owner of the flow');
SELECT throws_ok($$SELECT resolute.run_flow('statement')$$, '42501', NULL, 'those that a statement leaves behind are refused');
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('statement');
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is((SELECT array_agg(DISTINCT who) FROM trap.sprung), '{resolute_owner}', 'under CALL, too');
SELECT is(status, 'failed', 'and the run has failed') FROM resolute.runs ORDER BY run_id DESC LIMIT 1;
SET ROLE resolute_owner;
CALL resolute.run('statement');
RESET ROLE;
SELECT is(status, 'succeeded', 'the owner can run it') FROM resolute.runs ORDER BY run_id DESC LIMIT 1;

-- Operators, casts and functions of the caller's search_path are not run as the owner of the books.
SET ROLE resolute_owner;
TRUNCATE trap.sprung;
CREATE FUNCTION trap.equal(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT trap.note(); SELECT $1 OPERATOR(pg_catalog.=) $2 $$;
CREATE FUNCTION trap.less(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS $$ SELECT trap.note(); SELECT $1 OPERATOR(pg_catalog.<) $2 $$;
CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT trap.note(); SELECT pg_catalog.now() $$;
CREATE FUNCTION trap.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT trap.note(); SELECT pg_catalog.clock_timestamp() $$;
CREATE FUNCTION trap.pg_has_role(oid, text) RETURNS boolean LANGUAGE sql AS $$ SELECT trap.note(); SELECT true $$;
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.equal);
CREATE OPERATOR trap.< (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = trap.less);
SET search_path = trap, pg_catalog;
CALL resolute.run('rows');
SELECT status FROM resolute.run_flow('rows') \g /dev/null
SELECT count(*) FROM resolute.preview_flow('rows') \g /dev/null
SELECT resolute.reset_cursor('c') \g /dev/null
SELECT resolute.set_cursor('c', '2026-01-01') \g /dev/null
SELECT resolute.rollback_cursor('c') \g /dev/null
SELECT resolute.prune('0') \g /dev/null
SELECT count(*) FROM resolute.flow_status \g /dev/null
SELECT resolute.alter_flow('rows', max_failures => 5) \g /dev/null
SELECT resolute.disable_flow('rows') \g /dev/null
RESET search_path;
RESET ROLE;
SELECT is((SELECT array_agg(DISTINCT who) FROM trap.sprung WHERE who <> 'resolute_owner'), NULL, 'nobody''s operators run as the owner of the books');

-- prune() takes what is old, and one's own.
INSERT INTO resolute.runs (flow, flow_id, owner, status, started_at, finished_at) VALUES ('old', 0, 'resolute_owner', 'succeeded', now() - interval '41 days', now() - interval '40 days'),
	('old', 0, 'postgres', 'succeeded', now() - interval '41 days', now() - interval '40 days'), ('old', 0, 'resolute_owner', 'running', now() - interval '41 days', NULL);
SELECT resolute.run_flow('rows') \g /dev/null
SET ROLE resolute_owner;
SELECT is(resolute.prune(), 1::bigint, 'prune() deletes what is older than 30 days and belongs to one''s roles');
RESET ROLE;
SELECT results_eq($$SELECT owner::text, status FROM resolute.runs WHERE flow = 'old' ORDER BY 1$$, $$VALUES ('postgres', 'succeeded'), ('resolute_owner', 'running')$$, 'runs of others and those that are not over stay');
SELECT is(resolute.prune('39 days'), 1::bigint, 'a superuser prunes everything');
SELECT cmp_ok(resolute.prune('0'), '>', 1::bigint, 'of any age');
SELECT is((SELECT count(*) FROM resolute.run_steps), 0::bigint, 'steps go with their runs');
SELECT isnt((SELECT position FROM resolute.cursors WHERE name = 'c'), NULL, 'cursors stay');

-- An owner who is gone.
SET ROLE resolute_gone;
SELECT resolute.create_flow('orphan', resolute.manual(), resolute.sql('SELECT 1'));
RESET ROLE;
DROP OWNED BY resolute_gone;
DROP ROLE resolute_gone;
SELECT throws_ok($$SELECT resolute.run_flow('orphan')$$, '42704', 'the owner of flow "orphan" does not exist any more', 'a flow without an owner does not run');
SELECT resolute.alter_flow('orphan', owner => 'postgres');
SELECT is((SELECT status FROM resolute.run_flow('orphan')), 'succeeded', 'until it is given to another role');

SELECT resolute.drop_flow(name) FROM resolute.flows \g /dev/null
DROP OWNED BY resolute_owner CASCADE;
DROP ROLE resolute_owner;
SELECT * FROM finish();
