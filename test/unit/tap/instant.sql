-- Instants as APIs write them, read without timestamptz, mean what timestamptz makes of them.
\set ON_ERROR_STOP on
CREATE EXTENSION resolute_unit;
SET TimeZone = 'America/New_York';
SET DateStyle = 'German, DMY';
SELECT plan(5);

SELECT is(unit.rfc3339('2024-02-29T12:34:56.789+0530'), '2024-02-29 07:04:56.789Z'::timestamptz, 'as Jira writes them');

CREATE TEMP TABLE zone AS SELECT unnest(ARRAY['Z', '+0000', '-00:00', '+0100', '-0730', '+15:59', '-1559']) AS zone;
SELECT is_empty($$
	SELECT t, unit.rfc3339(t), t::timestamptz
	FROM generate_series('0001-01-02'::timestamp, '9999-12-31', '1000 days 7 hours 11 minutes 13.123457 seconds') AS i, zone,
	     unnest(ARRAY['', '.US', '.MS', '.000000']) AS fraction,
	     LATERAL (SELECT to_char(i, 'YYYY-MM-DD"T"HH24:MI:SS' || fraction) || zone) AS n (t)
	WHERE unit.rfc3339(t) IS DISTINCT FROM t::timestamptz$$, 'thousands of instants of all years');

SELECT is_empty($$
	SELECT t FROM generate_series('1896-01-01'::date, '2104-12-31', '1 day') AS d, to_char(d, 'YYYY-MM-DD"T23:59:59.9Z"') AS t
	WHERE unit.rfc3339(t) IS DISTINCT FROM t::timestamptz$$, 'every day of two centuries');

SELECT is_empty($$
	SELECT t FROM unnest(ARRAY['', '2024', '2024-01-01', '2024-01-01T00:00:00', '2024-01-01T00:00:00.', '2024-01-01T00:00:00.Z',
		'2024-01-01T00:00:00.1', '2024-01-01T00:00:00.1234567Z', '2024-01-01T00:00:00z', '2024-01-01t00:00:00Z', '2024-01-01 00:00:00Z',
		'2024-02-30T00:00:00Z', '2023-02-29T00:00:00Z', '1900-02-29T00:00:00Z', '2024-00-01T00:00:00Z', '2024-13-01T00:00:00Z',
		'2024-01-00T00:00:00Z', '2024-04-31T00:00:00Z', '2024-01-01T24:00:00Z', '2024-01-01T00:60:00Z', '2024-01-01T00:00:60Z',
		'0000-01-01T00:00:00Z', '-024-01-01T00:00:00Z', '2024-01-01T00:00:00+', '2024-01-01T00:00:00+01', '2024-01-01T00:00:00+1600',
		'2024-01-01T00:00:00+0160', '2024-01-01T00:00:00+01:0', '2024-01-01T00:00:00+010', '2024-01-01T00:00:00+01.00',
		'2024-01-01T00:00:00Zx', '2024-01-01T00:00:00Z BC', '12024-01-01T00:00:00Z', 'now', 'infinity', '2024/01/01T00:00:00Z']) AS t
	WHERE unit.rfc3339(t) IS NOT NULL$$, 'anything else is left to timestamptz');

SELECT is_empty($$
	SELECT t FROM generate_series(0, 25) AS at, unnest(ARRAY['x', '/', ':', ' ', '-']) AS c,
		overlay('2024-02-29T12:34:56.789+0100' PLACING c FROM at + 1 FOR 1) AS t
	WHERE unit.rfc3339(t) IS NOT NULL AND t <> '2024-02-29T12:34:56.789-0100' AND t <> '2024-02-29T12:34:56.789+0100'$$,
	'a foreign character at any place but the fraction''s');
SELECT * FROM finish();
