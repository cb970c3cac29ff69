-- Reading what a time layout describes, as Go's time.Parse does.
\set ON_ERROR_STOP on
CREATE EXTENSION resolute_unit;
SET TimeZone = 'UTC';
SELECT * FROM no_plan();

CREATE TEMP TABLE example (layout text, text text, instant timestamptz);
INSERT INTO example VALUES
	('2006-01-02T15:04:05Z07:00', '2024-02-29T12:34:56Z', '2024-02-29 12:34:56'),
	('2006-01-02T15:04:05Z07:00', '2024-07-03T05:46:40-04:00', '2024-07-03 09:46:40'),
	('2006-01-02T15:04:05Z07:00', '2023-11-15T03:58:20+05:45', '2023-11-14 22:13:20'),
	('2006-01-02T15:04:05Z07:00', '2024-02-29T12:34:56.789Z', '2024-02-29 12:34:56.789'),
	('2006-01-02T15:04:05.999999999Z07:00', '2024-02-29T12:34:56.789012Z', '2024-02-29 12:34:56.789012'),
	('2006-01-02T15:04:05.999999999Z07:00', '2024-02-29T12:34:56Z', '2024-02-29 12:34:56'),
	('2006-01-02T15:04:05.000Z07:00', '2024-02-29T12:34:56.789Z', '2024-02-29 12:34:56.789'),
	('2006-01-02T15:04:05.999999999Z07:00', '2024-02-29T12:34:56.789012999Z', '2024-02-29 12:34:56.789012'),
	('2006-01-02T15:04:05,000Z', '2024-02-29T12:34:56,7890Z', NULL),
	('2006-01-02T15:04:05Z', '2024-02-29T12:34:56Z', '2024-02-29 12:34:56'),
	('Mon, 02 Jan 2006 15:04:05 MST', 'Thu, 29 Feb 2024 12:34:56 UTC', '2024-02-29 12:34:56'),
	('Mon, 02 Jan 2006 15:04:05 MST', 'Thu, 29 Feb 2024 12:34:56 GMT', '2024-02-29 12:34:56'),
	('Mon, 02 Jan 2006 15:04:05 MST', 'Thu, 29 Feb 2024 12:34:56 CET', NULL),
	('Mon, 02 Jan 2006 15:04:05 -0700', 'Wed, 15 Nov 2023 03:58:20 +0545', '2023-11-14 22:13:20'),
	('Monday, 02-Jan-06 15:04:05 -07', 'Thursday, 29-Feb-24 12:34:56 +01', '2024-02-29 11:34:56'),
	('January 2 2006 3:04:05PM', 'february 29 2024 12:34:56AM', '2024-02-29 00:34:56'),
	('January 2 2006 3:04:05pm', 'February 29 2024 12:34:56pm', '2024-02-29 12:34:56'),
	('Jan 2 2006 03PM', 'Feb 29 2024 03PM', '2024-02-29 15:00:00'),
	('Mon Jan _2 15:04:05 2006', 'Wed Jul  3 05:46:40 2024', '2024-07-03 05:46:40'),
	('2006-01-02 15:04', '2024-07-03 05:46', '2024-07-03 05:46'),
	('2006-1-2 15:4:5', '2024-7-3 5:6:7', '2024-07-03 05:06:07'),
	('20060102150405', '20240703054640', '2024-07-03 05:46:40'),
	('2006-002', '2024-060', '2024-02-29 00:00'),
	('2006-__2', '2024- 60', '2024-02-29 00:00'),
	('2006/01/02', '2024/02/29', '2024-02-29 00:00'),
	('06-01-02', '69-01-02', '1969-01-02 00:00'),
	('06-01-02', '68-01-02', '2068-01-02 00:00'),
	('2006-01-02T15:04:05-07:00:00', '2024-02-29T12:34:56+01:00:30', '2024-02-29 11:34:26'),
	-- What is refused.
	('2006-01-02T15:04:05Z07:00', '', NULL),
	('2006-01-02T15:04:05Z07:00', 'tomorrow', NULL),
	('2006-01-02T15:04:05Z07:00', '2024-02-29T12:34:56', NULL),
	('2006-01-02T15:04:05Z07:00', '2024-02-29T12:34:56Z ', NULL),
	('2006-01-02T15:04:05Z07:00', '2024-02-29T24:00:00Z', NULL),
	('2006-01-02T15:04:05Z07:00', '2024-02-29T12:60:00Z', NULL),
	('2006-01-02T15:04:05Z07:00', '2024-02-29T12:00:60Z', NULL),
	('2006-01-02T15:04:05Z07:00', '2024-02-29T12:00:00+25:00', NULL),
	('2006-01-02', '2023-02-29', NULL),
	('2006-01-02', '2024-13-01', NULL),
	('2006-01-02', '2024-00-01', NULL),
	('2006-01-02', '2024-1-01', NULL),
	('2006-002', '2023-366', NULL),
	('2006-01-02 002', '2024-02-29 061', NULL),
	('2006-01-02 03:04PM', '2024-02-29 13:00PM', NULL),
	('Jan 2 2006', 'Fev 29 2024', NULL),
	('2006-01-02', '2024-02-29x', NULL);
CREATE FUNCTION parsed(layout text, text text) RETURNS timestamptz LANGUAGE plpgsql AS
	$$ BEGIN RETURN unit.layout_parse(layout, text); EXCEPTION WHEN invalid_datetime_format THEN RETURN NULL; END $$;

SELECT is(parsed(layout, text), instant, format('%s: "%s"', layout, text)) FROM example;

-- What a layout writes in UTC it reads again: never later than it was, and the same text once more.
CREATE TEMP VIEW written AS
	SELECT layout, instant, unit.layout(layout, instant, 'UTC') AS text
	FROM (SELECT DISTINCT layout FROM example) l,
		unnest('{1970-01-01 00:00,1999-12-31 23:59:59.999999,2024-02-29 12:34:56.789012,2024-12-31 01:02:03.4,2026-07-04 00:00:00.001}'::timestamptz[]) instant;
SELECT is_empty('SELECT * FROM written WHERE parsed(layout, text) IS NULL', 'every layout reads what it writes');
SELECT is_empty('SELECT * FROM written WHERE parsed(layout, text) > instant', 'never later than it was');
SELECT is_empty($$SELECT * FROM written WHERE unit.layout(layout, parsed(layout, text), 'UTC') <> text$$, 'and writes it again');
SELECT * FROM finish();
