-- Moving cursors by hand: set_cursor, reset_cursor, rollback_cursor.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
CREATE ROLE resolute_alice;
CREATE ROLE resolute_bob;
CREATE ROLE resolute_lead IN ROLE resolute_alice;
GRANT USAGE ON SCHEMA resolute TO resolute_alice, resolute_bob;
GRANT SELECT ON resolute.cursors, resolute.cursor_history TO resolute_alice, resolute_bob;
GRANT EXECUTE ON FUNCTION resolute.set_cursor, resolute.reset_cursor, resolute.rollback_cursor TO resolute_alice, resolute_bob;

-- What three runs and a walk that is not over left behind.
INSERT INTO resolute.cursors (cursor_id, owner, name, position, walk, walk_bound, walk_started_at, swept_at, server, query, target, moves, moved_by_run)
VALUES (1, 'resolute_alice', 'jira', '2024-01-04 10:00+00', 'token', '2024-01-03 09:45+00', '2024-01-04 10:00+00', '2024-01-01+00', 'jira', 'updated >= ${cursor}', 'issues', 7, 13);
INSERT INTO resolute.cursor_history (cursor_id, run_id, moved_at, action, old_position, new_position, old_walk, new_walk, old_swept_at, old_binding) VALUES
	(1, 11, '2024-01-02', 'page',   NULL,                  '2024-01-01 10:00+00', NULL,  'one', NULL,            '{"server": null, "query": null, "target": null}'),
	(1, 11, '2024-01-02', 'page',   '2024-01-01 10:00+00', '2024-01-02 10:00+00', 'one', 'two', NULL,            NULL),
	(1, 11, '2024-01-02', 'finish', '2024-01-02 10:00+00', '2024-01-02 10:00+00', 'two', NULL,  NULL,            NULL),
	(1, 12, '2024-01-03', 'finish', '2024-01-02 10:00+00', '2024-01-03 10:00+00', NULL,  NULL,  '2024-01-01+00', NULL),
	(1, 20, '2024-01-03', 'finish', '2024-01-03 10:00+00', '2024-01-03 10:00+00', NULL,  NULL,  '2024-01-01+00', NULL),
	(1, 13, '2024-01-04', 'page',   '2024-01-03 10:00+00', '2024-01-04 09:00+00', NULL,  'a',   '2024-01-01+00', NULL),
	(1, 13, '2024-01-04', 'page',   '2024-01-04 09:00+00', '2024-01-04 10:00+00', 'a',   'token', '2024-01-01+00', NULL);
INSERT INTO resolute.cursors (cursor_id, owner, name, position) VALUES (2, 'resolute_bob', 'jira', '2024-02-02+00'), (3, 'resolute_bob', 'it''s', NULL);

CREATE VIEW state AS SELECT owner, name, position, walk, walk_bound, swept_at, server, query, target, moves, moved_by_run FROM resolute.cursors ORDER BY cursor_id;
CREATE VIEW moves AS SELECT run_id, moved_by, action, old_position, new_position, old_binding, undone_from - min(history_id) OVER () + 1 AS undone_from
	FROM resolute.cursor_history ORDER BY history_id;

-- A rollback undoes the runs that moved the position, one after the other.
SET ROLE resolute_alice;
SELECT resolute.rollback_cursor('jira');
RESET ROLE;
SELECT * FROM state WHERE owner = 'resolute_alice'::regrole;
SET ROLE resolute_alice;
SELECT resolute.rollback_cursor('jira');
SELECT resolute.rollback_cursor('jira');
RESET ROLE;
SELECT * FROM state WHERE owner = 'resolute_alice'::regrole;
SET ROLE resolute_alice;
SELECT resolute.rollback_cursor('jira');

-- Setting it keeps no walk and no binding.
SELECT resolute.set_cursor('jira', '2024-01-03 10:00:30+02');
SELECT resolute.set_cursor('jira', '1732877091123');
RESET ROLE;
SELECT position, walk, server, query, target, swept_at > now() - interval '1 minute' AS sweep_is_a_day_away FROM resolute.cursors WHERE cursor_id = 1;

-- Two runs at once, over what was done by hand in between.  Whatever the caller has in
-- front of pg_catalog, the books are kept with PostgreSQL's own operators.
INSERT INTO resolute.cursor_history (cursor_id, run_id, moved_at, action, old_position, new_position, old_binding) VALUES
	(1, 14, now(), 'finish', '2024-11-29 10:44:51.123+00', '2024-12-01+00', '{"server": null, "query": null, "target": null}');
INSERT INTO resolute.cursor_history (cursor_id, moved_at, action, old_position, new_position) VALUES
	(1, now(), 'set', '2024-12-01+00', '2024-06-01+00');
INSERT INTO resolute.cursor_history (cursor_id, run_id, moved_at, action, old_position, new_position, old_binding) VALUES
	(1, 15, now(), 'finish', '2024-06-01+00', '2024-12-02+00', '{"server": "jira", "query": "q", "target": null}');
UPDATE resolute.cursors SET position = '2024-12-02+00', server = 'other', query = 'q', target = 't' WHERE cursor_id = 1;
CREATE SCHEMA evil;
CREATE FUNCTION evil.called(timestamptz, timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'called as %', current_user; END $$;
CREATE OPERATOR evil.= (FUNCTION = evil.called, LEFTARG = timestamptz, RIGHTARG = timestamptz);
CREATE OPERATOR evil.<> (FUNCTION = evil.called, LEFTARG = timestamptz, RIGHTARG = timestamptz);
GRANT USAGE ON SCHEMA evil TO resolute_alice;
SET ROLE resolute_alice;
SET search_path = evil, pg_catalog;
SELECT resolute.rollback_cursor('jira', 2, owner => 'resolute_alice');
RESET search_path;
RESET ROLE;
SELECT * FROM state WHERE owner = 'resolute_alice'::regrole;
SELECT resolute.reset_cursor('jira', 'resolute_alice');
SELECT * FROM state WHERE owner = 'resolute_alice'::regrole;
SELECT * FROM moves;

-- Everybody sees and moves the cursors of the roles that they are members of.
SET ROLE resolute_alice;
SELECT owner, name FROM resolute.cursors ORDER BY cursor_id;
SELECT count(*) > 0 AS own_moves FROM resolute.cursor_history;
SELECT resolute.reset_cursor('jira', owner => 'resolute_bob');
SET ROLE resolute_bob;
SELECT owner, name FROM resolute.cursors ORDER BY cursor_id;
SELECT count(*) AS moves_of_others FROM resolute.cursor_history;
SELECT resolute.set_cursor('it''s', '2024-05-05');
SET ROLE resolute_lead;
SELECT resolute.reset_cursor('jira');
SELECT resolute.set_cursor('jira', '2024-05-05', owner => 'resolute_alice');
SELECT resolute.set_cursor('jira', '2024-05-05', owner => 'resolute_bob');
RESET ROLE;
SELECT owner, name, position FROM resolute.cursors ORDER BY cursor_id;

-- Invalid input
SET ROLE resolute_bob;
SELECT resolute.set_cursor('jir', 'now');
SELECT resolute.set_cursor('it''s', 'yesteryear');
SELECT resolute.set_cursor('it''s', '2024-02-30');
SELECT resolute.set_cursor('it''s', '2999-01-01');
SELECT resolute.set_cursor('it''s', 'infinity');
SELECT resolute.set_cursor('it''s', '-infinity');
SELECT resolute.set_cursor('it''s', '1969-12-31');
SELECT resolute.set_cursor('it''s', '99999999999999999999');
SELECT resolute.set_cursor('it''s', '');
SELECT resolute.set_cursor('it''s', NULL);
SELECT resolute.set_cursor(NULL, 'now');
SELECT resolute.reset_cursor('');
SELECT resolute.rollback_cursor('it''s', 0);
SELECT resolute.rollback_cursor('it''s');
RESET ROLE;
SELECT resolute.reset_cursor('jira', 'nobody_of_that_name');
SET ROLE resolute_lead;
SELECT resolute.reset_cursor('none');
RESET ROLE;
DELETE FROM resolute.cursors;
SELECT count(*) AS moves_of_no_cursor FROM resolute.cursor_history;
SELECT resolute.reset_cursor('none');

-- Nobody else may call them.
REVOKE EXECUTE ON FUNCTION resolute.set_cursor, resolute.reset_cursor, resolute.rollback_cursor FROM resolute_bob;
SET ROLE resolute_bob;
SELECT resolute.set_cursor('jira', 'now');
SELECT resolute.reset_cursor('jira');
SELECT resolute.rollback_cursor('jira');
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA evil CASCADE;
DROP VIEW state, moves;
DROP OWNED BY resolute_alice, resolute_bob, resolute_lead;
DROP ROLE resolute_alice, resolute_bob, resolute_lead;
