-- Cron expressions: what they mean, and when they fire.
\set ON_ERROR_STOP on
CREATE EXTENSION resolute_unit;
SET TimeZone = 'UTC';
SELECT * FROM no_plan();

-- Ticks: the last one at or before now, and the next one after it, as looking
-- at every single minute finds them.
CREATE TEMP TABLE tick (cron text, now timestamptz, zone text, last timestamptz, next timestamptz);
INSERT INTO tick VALUES
	('0 * * * *', '2024-03-10 10:00:00', 'GMT', '2024-03-10 10:00', '2024-03-10 11:00'),
	('0 * * * *', '2024-03-10 10:00:59', 'GMT', '2024-03-10 10:00', '2024-03-10 11:00'),
	('0 * * * *', '2024-03-10 09:59:59', 'GMT', '2024-03-10 09:00', '2024-03-10 10:00'),
	('*/15 * * * *', '2024-03-10 10:14:59', 'GMT', '2024-03-10 10:00', '2024-03-10 10:15'),
	('*/7 * * * *', '2024-03-10 10:57:00', 'GMT', '2024-03-10 10:56', '2024-03-10 11:00'),
	('5,35 * * * *', '2024-03-10 10:35:00', 'GMT', '2024-03-10 10:35', '2024-03-10 11:05'),
	('10-20/5 8-18 * * *', '2024-03-10 18:20:30', 'GMT', '2024-03-10 18:20', '2024-03-11 08:10'),
	('10-20/5 8-18 * * *', '2024-03-10 07:20:30', 'GMT', '2024-03-09 18:20', '2024-03-10 08:10'),
	('0 0 * * *', '2024-02-29 00:00:00', 'GMT', '2024-02-29 00:00', '2024-03-01 00:00'),
	('0 0 29 2 *', '2023-06-01 00:00:00', 'GMT', '2020-02-29 00:00', '2024-02-29 00:00'),
	('0 0 31 * *', '2024-04-15 12:00:00', 'GMT', '2024-03-31 00:00', '2024-05-31 00:00'),
	('0 12 13 * fri', '2024-09-01 00:00:00', 'GMT', '2024-08-30 12:00', '2024-09-06 12:00'),
	('0 12 13 * *', '2024-09-01 00:00:00', 'GMT', '2024-08-13 12:00', '2024-09-13 12:00'),
	('0 12 * * fri', '2024-09-01 00:00:00', 'GMT', '2024-08-30 12:00', '2024-09-06 12:00'),
	('0 12 */2 * fri', '2024-09-01 00:00:00', 'GMT', '2024-08-23 12:00', '2024-09-13 12:00'),
	('0 12 1-31 * fri', '2024-09-07 00:00:00', 'GMT', '2024-09-06 12:00', '2024-09-07 12:00'),
	('0 12 13 * */2', '2024-09-07 00:00:00', 'GMT', '2024-08-13 12:00', '2024-10-13 12:00'),
	('0 0 * * 0', '2024-09-03 00:00:00', 'GMT', '2024-09-01 00:00', '2024-09-08 00:00'),
	('0 0 * * 7', '2024-09-03 00:00:00', 'GMT', '2024-09-01 00:00', '2024-09-08 00:00'),
	('0 0 * * 6-7', '2024-09-03 00:00:00', 'GMT', '2024-09-01 00:00', '2024-09-07 00:00'),
	('0 0 * * Sun', '2024-09-01 00:00:00', 'GMT', '2024-09-01 00:00', '2024-09-08 00:00'),
	('30 4 1 jan,JUL *', '2024-03-03 00:00:00', 'GMT', '2024-01-01 04:30', '2024-07-01 04:30'),
	('0 0 1 mar-may *', '2024-03-03 00:00:00', 'GMT', '2024-03-01 00:00', '2024-04-01 00:00'),
	('59 23 31 12 *', '2024-12-31 23:59:59', 'GMT', '2024-12-31 23:59', '2025-12-31 23:59'),
	('0 0 1 1 *', '2024-12-31 23:59:59', 'GMT', '2024-01-01 00:00', '2025-01-01 00:00'),
	('@hourly', '2024-03-10 10:30:00', 'GMT', '2024-03-10 10:00', '2024-03-10 11:00'),
	('@daily', '2024-03-10 10:30:00', 'GMT', '2024-03-10 00:00', '2024-03-11 00:00'),
	('@midnight', '2024-03-10 00:00:00', 'GMT', '2024-03-10 00:00', '2024-03-11 00:00'),
	('@weekly', '2024-03-13 10:30:00', 'GMT', '2024-03-10 00:00', '2024-03-17 00:00'),
	('@monthly', '2024-03-13 10:30:00', 'GMT', '2024-03-01 00:00', '2024-04-01 00:00'),
	('@yearly', '2024-03-13 10:30:00', 'GMT', '2024-01-01 00:00', '2025-01-01 00:00'),
	('@annually', '2024-03-13 10:30:00', 'GMT', '2024-01-01 00:00', '2025-01-01 00:00'),
	('0 9 * * mon-fri', '2024-03-09 00:00:00', 'Europe/Berlin', '2024-03-08 08:00', '2024-03-11 08:00'),
	('30 2 * * *', '2024-03-31 12:00:00', 'Europe/Berlin', '2024-03-30 01:30', '2024-04-01 00:30'),
	('30 2 * * *', '2024-03-30 12:00:00', 'Europe/Berlin', '2024-03-30 01:30', '2024-04-01 00:30'),
	('0 3 * * *', '2024-03-31 01:00:00', 'Europe/Berlin', '2024-03-31 01:00', '2024-04-01 01:00'),
	('30 2 * * *', '2024-10-27 00:30:00', 'Europe/Berlin', '2024-10-27 00:30', '2024-10-27 01:30'),
	('30 2 * * *', '2024-10-27 01:29:00', 'Europe/Berlin', '2024-10-27 00:30', '2024-10-27 01:30'),
	('30 2 * * *', '2024-10-27 12:00:00', 'Europe/Berlin', '2024-10-27 01:30', '2024-10-28 01:30'),
	('0 * * * *', '2024-10-27 00:30:00', 'Europe/Berlin', '2024-10-27 00:00', '2024-10-27 01:00'),
	('45 1 * * *', '2024-04-06 15:10:00', 'Australia/Lord_Howe', '2024-04-06 14:45', '2024-04-06 15:15'),
	('15 2 * * *', '2024-10-06 12:00:00', 'Australia/Lord_Howe', '2024-10-04 15:45', '2024-10-06 15:15'),
	('45 23 * * *', '2005-10-30 02:40:00', 'America/St_Johns', '2005-10-30 02:15', '2005-10-30 03:15'),
	('0 0 * * *', '2005-10-30 03:00:00', 'America/St_Johns', '2005-10-30 02:30', '2005-10-30 03:30'),
	('30 0 * * *', '2024-11-03 04:45:00', 'America/Havana', '2024-11-03 04:30', '2024-11-03 05:30'),
	('30 0 * * *', '2024-03-10 12:00:00', 'America/Havana', '2024-03-09 05:30', '2024-03-11 04:30'),
	('0 12 30 12 *', '2011-12-29 12:00:00', 'Pacific/Apia', '2010-12-30 22:00', '2012-12-29 22:00'),
	('0 12 * * *', '2011-12-30 23:00:00', 'Pacific/Apia', '2011-12-30 22:00', '2011-12-31 22:00'),
	('0 6 * * *', '2024-06-15 00:30:00', 'Asia/Kolkata', '2024-06-15 00:30', '2024-06-16 00:30'),
	('0 6 * * *', '2024-06-15 00:29:59', 'Asia/Kolkata', '2024-06-14 00:30', '2024-06-15 00:30');

SELECT is(unit.tick(cron, now, zone, false), last, format('"%s" at %s in %s: last', cron, now, zone)) FROM tick;
SELECT is(unit.tick(cron, now, zone, true), next, format('"%s" at %s in %s: next', cron, now, zone)) FROM tick;

-- The last day of the month, which only newer versions of pg_cron know.
SELECT is(unit.tick('0 12 $ * *', '2024-02-10', 'GMT', true), '2024-02-29 12:00'::timestamptz, '$ in a leap year');
SELECT is(unit.tick('0 12 $ * *', '2023-02-10', 'GMT', true), '2023-02-28 12:00'::timestamptz, '$ in another');
SELECT is(unit.tick('0 12 1,$ * *', '2023-04-10', 'GMT', false), '2023-04-01 12:00'::timestamptz, '$ in a list');

-- Rare ones are found, and those that never come are given up.
SELECT is(unit.tick('0 0 */29 2 1', '2024-03-01', 'Europe/Berlin', true), '2027-01-31 23:00'::timestamptz, 'a star with a step is a star: both days must match');
SELECT is(unit.tick('0 0 29 2 *', '2096-03-01', 'GMT', true), '2104-02-29'::timestamptz, 'there is no leap day in 2100');
SELECT is(unit.tick('0 0 30 2 *', '2024-03-01', zone, next), NULL, format('February 30 in %s', zone))
FROM unnest(ARRAY['GMT', 'Europe/Berlin']) AS zone, unnest(ARRAY[false, true]) AS next;
SELECT is(unit.tick('30 seconds', now(), 'GMT', next), NULL, 'an interval has no fixed ticks') FROM unnest(ARRAY[false, true]) AS next;
SELECT is(unit.tick('@reboot', now(), 'GMT', next), NULL, 'nor has a start') FROM unnest(ARRAY[false, true]) AS next;

-- What is understood ...
SELECT is(unit.cron_problem(cron), NULL, format('"%s" is understood', cron))
FROM unnest(ARRAY['* * * * *', E' 0\t*  * * * ', '0,5,10-20/5 */2 1-31 jan-mar,DEC sun,MON-fri', '1 second', '59 seconds', ' 5  Seconds ',
	'@reboot', '@restart', '00 09 01 01 07', '0 0 $ * *']) AS cron;

-- ... and what is not.
SELECT matches(coalesce(unit.cron_problem(cron), 'accepted'), problem, format('"%s" is refused', cron))
FROM (VALUES
	('', 'It has 0 of the 5 fields'), ('0 * * *', 'It has 4 of the 5 fields'), ('0 * * * * *', 'more than 5 fields'),
	('60 * * * *', 'Field 1, the minute'), ('0 24 * * *', 'Field 2, the hour'), ('0 0 0 * *', 'Field 3, the day of the month'),
	('0 0 32 * *', 'Field 3'), ('0 0 * 0 *', 'Field 4, the month'), ('0 0 * 13 *', 'Field 4'), ('0 0 * * 8', 'Field 5, the day of the week'),
	('0 0 * jam *', 'Field 4'), ('0 0 * * janu', 'Field 5'), ('0 jan * * *', 'Field 2'), ('1/2 * * * *', 'Field 1'), ('*/0 * * * *', 'Field 1'),
	('5-1 * * * *', 'Field 1'), ('1,,2 * * * *', 'Field 1'), ('1, * * * *', 'Field 1'), ('1- * * * *', 'Field 1'), ('-1 * * * *', 'Field 1'),
	('1.5 * * * *', 'Field 1'), ('1x * * * *', 'Field 1'), ('$ * * * *', 'Field 1'), ('? * * * *', 'Field 1'), ('99999999999 * * * *', 'Field 1'),
	('*5 * * * *', 'Field 1'), ('@nightly', 'The words are'), ('0 seconds', '1 to 59 seconds'), ('60 seconds', '1 to 59 seconds')
) AS v (cron, problem);

SELECT * FROM finish();
