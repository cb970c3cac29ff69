-- Cursors of a run: where a walk begins, what a page leaves behind.
\set ON_ERROR_STOP on
CREATE EXTENSION resolute_unit;
SET TimeZone = 'UTC';
SELECT * FROM no_plan();

-- One page of the cursor that is open.
CREATE FUNCTION pg_temp.page(at timestamptz, walk text, run bigint, keep boolean DEFAULT true) RETURNS timestamptz
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM unit.cursor_page(at, walk, run);
	RETURN unit.cursor_end(keep);
END
$$;
-- The state of a cursor, and the number of its moves in the history.
CREATE FUNCTION pg_temp.state(cursor text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws('|', position, coalesce(walk, '-'), walk_bound, walk_sweep, server, query, target, moves, moved_by_run,
		(SELECT count(*) FROM resolute.cursor_history h WHERE h.cursor_id = c.cursor_id))
	FROM resolute.cursors c WHERE name = cursor AND owner = 'postgres'::regrole
$$;

-- A cursor is made once --------------------------------------------------------

SELECT unit.cursor_ensure('postgres', 'c') AS id \gset
SELECT is(unit.cursor_ensure('postgres', 'c'), :id::bigint, 'a cursor is made once');
SELECT isnt(unit.cursor_ensure('pg_monitor', 'c'), :id::bigint, 'another owner has another one');
SELECT throws_ok($$SELECT unit.cursor_ensure('postgres', '')$$, '22023');
SELECT throws_ok($$SELECT unit.cursor_ensure('postgres', repeat('x', 201))$$, '22023');

-- The first walk ------------------------------------------------------------------

SELECT is(c::text, '("1970-01-01 00:00:00+00",f,f,,)', 'the first walk begins at the epoch')
FROM unit.cursor_open(:id, '{"name": "c"}') AS c;
SELECT is(bound, '2024-03-01 10:07'::timestamptz, 'or at the initial position, on a minute')
FROM unit.cursor_open(:id, '{"name": "c", "initial": "2024-03-01T10:07:59Z"}');
SELECT is(bound, '1970-01-01'::timestamptz, 'never below the epoch')
FROM unit.cursor_open(:id, '{"name": "c", "initial": "1905-03-01T10:07:59Z"}');
SELECT is(bound, '1970-01-01'::timestamptz, 'not even for -infinity')
FROM unit.cursor_open(:id, '{"name": "c", "initial": "-infinity"}');

SELECT FROM unit.cursor_open(:id, '{"name": "c"}');
SELECT is(pg_temp.page('2024-01-01 10:00:30', 'two', 1), '2024-01-01 10:00:30', 'a page moves the position');
SELECT is(pg_temp.state('c'), '2024-01-01 10:00:30+00|two|1970-01-01 00:00:00+00|f|s|q|t|1|1|1', 'and keeps the place of the next one');
SELECT is(pg_temp.page('2024-01-01 09:00:30', 'three', 1), '2024-01-01 10:00:30', 'the position never goes back');
SELECT is(pg_temp.page(NULL, 'four', 1), '2024-01-01 10:00:30', 'a page without a time leaves it');

-- A page that was rolled back leaves nothing behind.
BEGIN;
SELECT unit.cursor_page('2024-01-01 11:00:30', 'five', 1);
ROLLBACK;
SELECT is(unit.cursor_end(false), '2024-01-01 10:00:30', 'a page that is dropped leaves the position');
SELECT is(pg_temp.page('2024-01-01 11:00:30', 'five', 1), '2024-01-01 11:00:30', 'and can be repeated');

-- Two pages before the first is kept, as in one transaction.
SELECT unit.cursor_page('2024-01-01 12:00:00', 'six', 1);
SELECT unit.cursor_page('2024-01-01 12:00:30', 'seven', 1);
SELECT is(unit.cursor_end(true), '2024-01-01 12:00:30', 'two pages can be kept at once');

-- A walk that was not over is resumed ---------------------------------------------------

SELECT is(c::text, '("1970-01-01 00:00:00+00",t,f,seven,"2024-01-01 12:00:30+00")', 'a walk is resumed with its own bound')
FROM unit.cursor_open(:id, '{"name": "c", "initial": "2020-01-01T00:00:00Z", "overlap": "3 days"}') AS c;
SELECT FROM unit.cursor_open(:id, '{"name": "c"}');
SELECT is(pg_temp.page('2024-01-02 12:00:30', NULL, 2), '2024-01-02 12:00:30', 'the last page');
SELECT is(pg_temp.state('c'), '2024-01-02 12:00:30+00|-|f|s|q|t|7|2|7', 'ends the walk');

-- A new walk ---------------------------------------------------------------------------------

SELECT is(bound, expected::timestamptz, what)
FROM (VALUES
	('{}', true, '2024-01-02 11:45', 'it overlaps by 15 minutes where the index lags'),
	('{}', false, '2024-01-02 12:00', 'by none elsewhere, but for the minute'),
	('{"overlap": "01:00:00"}', true, '2024-01-02 11:00', 'by what is asked for'),
	('{"overlap": "0"}', true, '2024-01-02 12:00', 'by none, if asked for'),
	('{"overlap": "1 mon 2 days"}', true, '2023-12-01 12:00', 'a month has 30 days'),
	('{"overlap": "100 years"}', true, '1970-01-01', 'never below the epoch'),
	('{"overlap": "7 days", "initial": "2024-01-01T00:00:30Z"}', true, '2024-01-01 00:00', 'never below the initial position'),
	('{"overlap": "1 day", "initial": "2025-01-01T00:00:00Z"}', true, '2024-01-01 12:00', 'unless the cursor was set below that')
) AS v (spec, eventual, expected, what),
unit.cursor_open(:id, '{"name": "c"}'::jsonb || spec::jsonb, eventual => eventual);

-- Nothing new: nothing is written.
SELECT FROM unit.cursor_open(:id, '{"name": "c"}');
SELECT is(pg_temp.page('2024-01-02 12:00:30', NULL, 3), '2024-01-02 12:00:30', 'a run with nothing new');
SELECT is(pg_temp.state('c'), '2024-01-02 12:00:30+00|-|f|s|q|t|7|2|7', 'writes nothing');

-- Sweeps -------------------------------------------------------------------------------------------

SELECT ok(swept_at > now() - interval '1 minute', 'the first walk counts as a sweep') FROM resolute.cursors WHERE cursor_id = :id;
SELECT is(sweeping, false, 'none is due') FROM unit.cursor_open(:id, '{"name": "c"}');
UPDATE resolute.cursors SET swept_at = now() - interval '23 hours';
SELECT is(sweeping, false, 'none is due after 23 hours') FROM unit.cursor_open(:id, '{"name": "c"}');
UPDATE resolute.cursors SET swept_at = now() - interval '24 hours';
SELECT is(concat(sweeping, ' ', bound), expected, what)
FROM (VALUES
	('{}', true, 't 2024-01-01 12:00:00+00', 'a day later one is due where the index lags'),
	('{}', false, 'f 2024-01-02 12:00:00+00', 'none elsewhere'),
	('{"sweep": "2 days"}', false, 't 2023-12-31 12:00:00+00', 'but where it is asked for'),
	('{"sweep": "0"}', true, 'f 2024-01-02 11:45:00+00', 'and none where that is asked for'),
	('{"sweep": "10 minutes"}', true, 'f 2024-01-02 11:45:00+00', 'a sweep within the overlap is none')
) AS v (spec, eventual, expected, what),
unit.cursor_open(:id, '{"name": "c"}'::jsonb || spec::jsonb, eventual => eventual);

SELECT FROM unit.cursor_open(:id, '{"name": "c"}');
SELECT is(pg_temp.page('2024-01-01 13:00', 'sweep two', 4), '2024-01-02 12:00:30', 'a sweep walks below the position');
SELECT is(c::text, '("2024-01-01 12:00:00+00",t,t,"sweep two","2024-01-02 12:00:30+00")', 'it is resumed as a sweep')
FROM unit.cursor_open(:id, '{"name": "c"}') AS c;
SELECT FROM unit.cursor_open(:id, '{"name": "c"}');
SELECT is(pg_temp.page(NULL, NULL, 5), '2024-01-02 12:00:30', 'it ends');
SELECT is(sweeping, false, 'and the next one is a day away') FROM unit.cursor_open(:id, '{"name": "c"}');

-- Other queries and targets ---------------------------------------------------------------------------

SELECT throws_ok(format($$SELECT unit.cursor_open(%s, '{"name": "c"}', %s)$$, :id, arguments), '55000', message)
FROM (VALUES
	($$server => 's2'$$, 'cursor "c" belongs to another query'),
	($$query => 'q2'$$, 'cursor "c" belongs to another query'),
	($$target => 't2'$$, 'cursor "c" belongs to another query'),
	($$target => NULL$$, 'cursor "c" belongs to another query'),
	($$target_empty => true$$, 'the target of cursor "c" was emptied')
) AS v (arguments, message);
SELECT lives_ok(format($$SELECT unit.cursor_open(%s, '{"name": "c"}')$$, :id), 'the same query is welcome');

SELECT is(unit.set_cursor('c', '2024-01-02 12:00:30+00'), '2024-01-02 12:00:30', 'set_cursor accepts another query and an empty target');
SELECT is(bound, '2024-01-02 11:45', 'which goes on from there') FROM unit.cursor_open(:id, '{"name": "c"}', query => 'q2', target_empty => true);
SELECT is(pg_temp.page(NULL, NULL, 6), '2024-01-02 12:00:30', 'a run with nothing new');
SELECT throws_ok(format($$SELECT unit.cursor_open(%s, '{"name": "c"}')$$, :id), '55000', 'cursor "c" belongs to another query', 'binds it nevertheless');

SELECT unit.cursor_ensure('postgres', 'empty') AS empty \gset
SELECT FROM unit.cursor_open(:empty, '{"name": "empty"}');
SELECT is(pg_temp.page(NULL, NULL, 7), NULL, 'a run that found no row');
SELECT lives_ok(format($$SELECT unit.cursor_open(%s, '{"name": "empty"}', query => 'q2', target_empty => true)$$, :empty), 'binds nothing');
SELECT is(pg_temp.page(NULL, 'walk', 7), NULL, 'a page without a time');
SELECT throws_ok(format($$SELECT unit.cursor_open(%s, '{"name": "empty"}', query => 'q3')$$, :empty), '55000', NULL, 'but a walk is bound to its query');
SELECT throws_ok($$SELECT unit.cursor_open(0, '{"name": "gone"}')$$, '42704');

-- Moved by hand in the middle of a walk -------------------------------------------------------------------

SELECT unit.cursor_ensure('postgres', 'hand') AS id \gset
SELECT FROM unit.cursor_open(:id, '{"name": "hand"}');
SELECT is(pg_temp.page('2024-01-01 10:00', 'two', 1), '2024-01-01 10:00', 'a walk');
SELECT is(unit.reset_cursor('hand'), NULL, 'a step of the flow resets the cursor');
SELECT is(pg_temp.page('2024-01-01 11:00', 'three', 1), NULL, 'the walk leaves it alone from there on');
SELECT is(pg_temp.page('2024-01-01 12:00', NULL, 1), NULL, 'up to its end');
SELECT is(pg_temp.state('hand'), '-|f|2|2', 'so the reset stands');

SELECT FROM unit.cursor_open(:id, '{"name": "hand"}');
SELECT is(pg_temp.page('2024-01-01 10:00', 'two', 2), '2024-01-01 10:00', 'the next walk');
BEGIN;
SAVEPOINT a;
SELECT unit.reset_cursor('hand');
ROLLBACK TO a;
SELECT is(pg_temp.page('2024-01-01 11:00', 'three', 2), '2024-01-01 11:00', 'a reset that was rolled back does not count');
COMMIT;

-- Moved by anybody else, behind the lock's back.
UPDATE resolute.cursors SET moves = moves + 1 WHERE cursor_id = :id;
SELECT throws_ok($$SELECT unit.cursor_page('2024-01-01 12:00', 'four', 2)$$, '40001');

-- Locks ------------------------------------------------------------------------------------------------------

SELECT ok(unit.cursor_lock(:id, true), 'a run takes the lock for the session');
SELECT ok(NOT unit.cursor_lock(:id, true), 'a run within the run does not get it');
SELECT ok(NOT unit.cursor_lock(:id, false), 'nor for a transaction');
SELECT lives_ok($$SELECT unit.reset_cursor('hand')$$, 'a step of the run can move the cursor');
SELECT is(mode, 'ExclusiveLock', 'the lock is on the row of the table')
FROM pg_locks WHERE locktype = 'object' AND classid = 'resolute.cursors'::regclass AND objid = :id;
SELECT unit.cursor_unlock(:id);
SELECT is(count(*), 0::bigint, 'and freed at once, however often it was asked for')
FROM pg_locks WHERE locktype = 'object' AND classid = 'resolute.cursors'::regclass;
SELECT unit.cursor_lock(:id, true);
BEGIN; ROLLBACK;
SELECT is(count(*), 0::bigint, 'an abort frees it') FROM pg_locks WHERE locktype = 'object' AND classid = 'resolute.cursors'::regclass;
BEGIN;
SELECT unit.set_cursor('hand', '2024-01-01');
SELECT ok(unit.cursor_lock(:id, false), 'who moved it by hand can run the flow in the same transaction');
COMMIT;

-- What cursor_for() asks for ---------------------------------------------------------------------------------

SELECT is(c::text, expected)
FROM (VALUES
	('{"name": "c"}', '(c,,-1,-1,"1970-01-01 00:00:00+00")'),
	('{"name": "c", "format": null, "storage": "table", "overlap": "15 minutes", "sweep": "1 day"}', '(c,,900000000,86400000000,"1970-01-01 00:00:00+00")'),
	('{"name": "c", "format": "epoch_ms", "initial": "2024-05-01T12:00:00+02:00"}', '(c,epoch_ms,-1,-1,"2024-05-01 10:00:00+00")'),
	('{"name": "c", "format": "2006-01-02 15:04"}', '(c,"2006-01-02 15:04",-1,-1,"1970-01-01 00:00:00+00")')
) AS v (spec, expected), unit.cursor_spec(spec::jsonb) AS c;
SELECT throws_ok(format('SELECT unit.cursor_spec(%L)', spec), code, NULL, spec || ' is refused')
FROM (VALUES
	('{"name": "c", "storage": "s", "format": "200612"}', '22023'), ('{"name": ""}', '22023'), ('{}', '22023'), ('[]', '22023'), ('"c"', '22023'),
	('{"name": "c", "overlap": "-1 minute"}', '22023'), ('{"name": "c", "sweep": "-1 day"}', '22023'), ('{"name": "c", "overlap": "101 years"}', '22023'),
	('{"name": "c", "overlap": "soon"}', '22007'), ('{"name": "c", "overlap": 15}', '22023'), ('{"name": "c", "initial": "infinity"}', '22023'),
	('{"name": "c", "initial": "someday"}', '22007'), ('{"name": "c", "colour": "red"}', '22023'), ('{"name": 1}', '22023'),
	('{"name": "c", "format": "YYYY-MM-DD"}', '22023'), ('{"name": "c", "format": "15:04"}', '22023'), ('{"name": "c", "format": "2006-01-02 03:04"}', '22023'),
	('{"name": "c", "format": "2006-01-02 :04"}', '22023'), ('{"name": "c", "format": "2006-01-02''15"}', '22023'), ('{"name": "c", "format": ""}', '22023')
) AS v (spec, code);

-- ${cursor} in a query ---------------------------------------------------------------------------------------

SELECT is(unit.cursor_query(query, '7'), expected)
FROM (VALUES
	('a = 1', '0 bare a = 1'), ('updated >= ${cursor}', '1 bare updated >= 7'), ('u >= "${cursor}"', '1 quoted u >= "7"'),
	('u >= ''${cursor}''', '1 quoted u >= ''7'''), ('a = "x\" y" AND u >= ${cursor} OR v > ${cursor}', '2 bare a = "x\" y" AND u >= 7 OR v > 7'),
	('a = "it''s" AND u >= ${cursor}', '1 bare a = "it''s" AND u >= 7'), ('a = "\\" AND u >= ${cursor}', '1 bare a = "\\" AND u >= 7'),
	('${cursor', '0 bare ${cursor'), ('$${cursor}${cursor}', '2 bare $77')
) AS v (query, expected);

-- The bound as text -------------------------------------------------------------------------------------------

SELECT is(unit.cursor_bound(format, bound, zone), expected, what)
FROM (VALUES
	(NULL, '2024-11-29 10:44:00'::timestamptz, 'Europe/Berlin', '1732877040000', 'milliseconds since 1970'),
	('epoch_ms', '1970-01-01', NULL, '0', 'by name'),
	('2006-01-02 15:04', '2024-11-29 10:44', 'Europe/Berlin', '2024-11-29 11:44', 'in the zone of the account'),
	('2006-01-02 15:04', '2024-11-29 10:44', NULL, '2024-11-29 10:44', 'in UTC without one'),
	('2006-01-02', '2024-11-29 23:44', 'Europe/Berlin', '2024-11-30', 'the day of that zone'),
	('2006-01-02T15:04:05Z', '2024-07-29 10:44', 'Europe/Berlin', '2024-07-29T10:44:00Z', 'a Z means UTC'),
	('2006-01-02T15:04:05Z07:00', '2024-10-27 00:30', 'Europe/Berlin', '2024-10-27T02:30:00+02:00', 'an offset tells the two hours apart'),
	('2006-01-02 15:04', '2024-10-26 23:59', 'Europe/Berlin', '2024-10-27 01:59', 'the last minute that comes once'),
	('2006-01-02 15:04', '2024-10-27 00:00', 'Europe/Berlin', '2024-10-27 01:59', 'the first that comes twice is too late to name'),
	('2006-01-02 15:04', '2024-10-27 00:59', 'Europe/Berlin', '2024-10-27 01:59', 'and all of that hour'),
	('2006-01-02 15:04', '2024-10-27 01:30', 'Europe/Berlin', '2024-10-27 02:30', 'the second time is not'),
	('2006-01-02 15:04', '2024-03-31 01:00', 'Europe/Berlin', '2024-03-31 03:00', 'in spring nothing comes twice'),
	('2006-01-02 15:04', '2024-04-06 14:45', 'Australia/Lord_Howe', '2024-04-07 01:29', 'half an hour that comes twice')
) AS v (format, bound, zone, expected, what);
SELECT throws_ok($$SELECT unit.cursor_bound('2006-01-02', now(), 'Middle/Earth')$$, '22023');

SELECT * FROM finish();
