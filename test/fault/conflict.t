#!/usr/bin/perl
# What others do to the target while a run writes it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use Test::More;

use constant { ISSUES => 200, PAGES => 20 };

my $balance = 'source_records = inserted + updated + unchanged + stale + duplicates + filtered + failed';

sub start_anew
{
	sim('reset', issues => ISSUES, projects => 'PLATFORM,MOBILE,DATA');
	psql("DROP TABLE IF EXISTS issues; SELECT resolute.reset_cursor(name) FROM resolute.cursors; DELETE FROM resolute.runs;");
	create_target('issues');
}

sim('reset', issues => ISSUES, projects => 'PLATFORM,MOBILE,DATA');
use_simulator();
create_target('issues');
create_flow('conflict');

# A trigger that fails so many times for each page.  A sequence counts what is undone, too.
sub fail_pages
{
	my ($code, $times) = @_;

	start_anew();
	must(<<SQL);
DROP SEQUENCE IF EXISTS tries;
CREATE SEQUENCE tries;
CREATE OR REPLACE FUNCTION fail_page() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
    IF nextval('tries') % ($times + 1) <> 0 THEN
        RAISE EXCEPTION 'once more' USING ERRCODE = '$code';
    END IF;
    RETURN NULL;
END \$\$;
CREATE TRIGGER fail AFTER INSERT ON issues FOR EACH STATEMENT EXECUTE FUNCTION fail_page();
SQL
}

for my $code ('40001', '40P01')
{
	fail_pages($code, 1);
	is(psql("CALL resolute.run('conflict');"), '', "$code: CALL repeats the page");
	same_as_source("$code: the table is the source");
	is(last_run("status, pages, retries, inserted, $balance"),
		join('|', 'succeeded', PAGES, PAGES, ISSUES, 't'), "$code: each page was counted once");

	fail_pages($code, 1);
	like(psql("SELECT * FROM resolute.run_flow('conflict');"), qr/^ERROR:  $code: /m, "$code: run_flow raises it");
	is(psql("SELECT (SELECT count(*) FROM issues), (SELECT count(*) FROM resolute.runs), position IS NULL, walk IS NULL FROM resolute.cursors;"),
		'0|0|t|t', "$code: and nothing has happened");
	is(psql("SELECT status, error_code FROM resolute.run_flow('conflict', raise => false);\nSELECT count(*) FROM issues;"),
		"failed|$code\n0", "$code: or tells");

	fail_pages($code, 1_000_000);
	like(psql("CALL resolute.run('conflict');"), qr/^ERROR:  $code: /m, "$code: CALL does not repeat it for ever");
	is(last_run('status, error_code, retries < 100'), "failed|$code|t", "$code: it is recorded");
	psql('DROP TRIGGER fail ON issues;');
	is(psql("CALL resolute.run('conflict');"), '', "$code: then the flow runs again");
	same_as_source("$code: to its end");
}

# A real deadlock: somebody holds the fifth issue of a page until the run waits for him, and then
# wants the first.  Who waits longest before he looks is not the victim.
start_anew();
sim('reset', issues => ISSUES, projects => 'PLATFORM');
psql("CALL resolute.run('conflict');");
sim('bulk', project => 'PLATFORM', count => ISSUES, summary => 'new');
my @ids = split /\n/, psql("SELECT id FROM issues ORDER BY id LIMIT 10;");
my $other = start_session(<<SQL);
SET deadlock_timeout = '60s';
SET application_name = 'other';
BEGIN;
UPDATE issues SET synced = NULL WHERE id = $ids[4];
DO \$\$
BEGIN
    LOOP
        EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted);
    END LOOP;
END \$\$;
UPDATE issues SET synced = NULL WHERE id = $ids[0];
COMMIT;
SELECT 'committed';
SQL
until_sql("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE application_name = 'other' AND relation = 'issues'::regclass AND mode = 'RowExclusiveLock';", '1');
is(psql("SET deadlock_timeout = '2s'; CALL resolute.run('conflict');"), '', 'a deadlock: the run goes on');
is(end_session($other), "committed\n", 'a deadlock: so does the other');
same_as_source('a deadlock: the table is the source');
is(last_run('status, retries BETWEEN 1 AND 5'), 'succeeded|t', 'a deadlock: the page was repeated');

# Whatever isolation the session prefers
for my $level ('repeatable read', 'serializable')
{
	start_anew();
	sim('block', skip => 3);
	my $session = start_session("SET default_transaction_isolation = '$level'; CALL resolute.run('conflict');");
	sim('wait', blocked => 1);
	psql("UPDATE issues SET summary = 'by hand';");
	sim('edit', id => $_, summary => 'edited') for 10001 .. 10005;
	sim('release');
	is(end_session($session), '', "$level: the run succeeds");
	is(psql("SELECT count(*) FROM issues;"), ISSUES, "$level: all is there");
	is(psql("SELECT count(*) FROM issues WHERE summary = 'edited';"), 5, "$level: rows that somebody else wrote were replaced");
}

# A conflict that shows only at COMMIT: the other has read the table before the run filled it, and the
# run reads what the other writes before that is committed.  An abort frees the locks of a session.
start_anew();
must(<<'SQL');
CREATE TABLE others (x int);
CREATE FUNCTION read_others() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count(*) FROM others;
    PERFORM pg_advisory_xact_lock_shared(1);
    RETURN NULL;
END $$;
CREATE TRIGGER read_others AFTER INSERT ON issues FOR EACH STATEMENT EXECUTE FUNCTION read_others();
SQL
$other = start_session(<<'SQL');
SET application_name = 'other';
SELECT FROM pg_advisory_lock(1);
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM issues;
INSERT INTO others VALUES (1);
DO $$
BEGIN
    LOOP
        EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted);
    END LOOP;
END $$;
COMMIT;
SELECT pg_advisory_unlock(1);
SQL
until_sql("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE application_name = 'other' AND relation = 'others'::regclass AND mode = 'RowExclusiveLock';", '1');
sim('block', skip => 5);
my $run = start_session("SET default_transaction_isolation = 'serializable'; CALL resolute.run('conflict');");
is(end_session($other), "0\nt\n", 'a conflict at COMMIT: the other commits');
sim('wait', blocked => 1);
until_sql("SELECT retries, inserted FROM resolute.runs WHERE status = 'running';", '1|50');
is(psql("SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND mode = 'ExclusiveLock';"), '2', 'a conflict at COMMIT: the run still holds its flow and its cursor');
is(psql("CALL resolute.run('conflict');\nSELECT status FROM resolute.runs ORDER BY run_id DESC LIMIT 1;"),
	'skipped', 'a conflict at COMMIT: no other may run');
sim('release');
is(end_session($run), '', 'a conflict at COMMIT: the run goes on');
same_as_source('a conflict at COMMIT: to its end');

# Somebody alters the target between two pages: the run fails loudly and loses nothing, and
# goes on where it stopped once all is as before.
sub alters
{
	my ($what, $alter, $repair, $code) = @_;

	start_anew();
	sim('block', skip => 5);
	my $session = start_session("CALL resolute.run('conflict');");
	sim('wait', blocked => 1);
	until_sql('SELECT count(*) FROM issues;', '50');
	must($alter);
	sim('release');
	my $text = end_session($session);
	if ($code)
	{
		like($text, qr/^ERROR:  $code: /m, "$what: the run fails");
		like($text, qr/flow "conflict"/, "$what: the error names the flow");
		is(last_run('status, error_code, inserted'), "failed|$code|50", "$what: it is recorded");
		is(psql("SELECT walk IS NOT NULL FROM resolute.cursors;"), 't', "$what: the cursor stays");
		must($repair);
		sim('log', clear => 1);
		is(psql("CALL resolute.run('conflict');"), '', "$what: it goes on after the repair");
		is(served(searches()), ISSUES - 50, "$what: with what was left");
	}
	else
	{
		is($text, '', "$what: the run goes on");
		must($repair);
	}
	same_as_source("$what: to its end");
}

alters('a table that is gone', 'ALTER TABLE issues RENAME TO gone;', 'ALTER TABLE gone RENAME TO issues;', '42P01');
alters('a column that is gone', 'ALTER TABLE issues RENAME status TO gone;', 'ALTER TABLE issues RENAME gone TO status;', '42703');
alters('a key that is gone', 'ALTER TABLE issues DROP CONSTRAINT issues_pkey;', 'ALTER TABLE issues ADD PRIMARY KEY (id);', '42P10');
alters('a table that became a view', 'ALTER TABLE issues RENAME TO hidden; CREATE VIEW issues AS SELECT * FROM hidden;',
	'DROP VIEW issues; ALTER TABLE hidden RENAME TO issues;', '42809');
alters('a column more', 'ALTER TABLE issues ADD more int NOT NULL DEFAULT 1;', '');
alters('a column less, that nobody fills', "ALTER TABLE issues ADD less int; ALTER TABLE issues DROP less;", '');
alters('another type', 'ALTER TABLE issues ALTER id TYPE numeric, ALTER labels TYPE text;',
	'ALTER TABLE issues ALTER id TYPE bigint, ALTER labels TYPE jsonb USING labels::jsonb;');
alters('another table', 'ALTER TABLE issues RENAME TO old; CREATE TABLE issues (LIKE old INCLUDING ALL); INSERT INTO issues SELECT * FROM old; DROP TABLE old;', '');

# A table that was dropped with all that it held is not filled from its middle.
start_anew();
sim('block', skip => 5);
my $session = start_session("CALL resolute.run('conflict');");
sim('wait', blocked => 1);
until_sql('SELECT count(*) FROM issues;', '50');
must('DROP TABLE issues;');
sim('release');
like(end_session($session), qr/^ERROR:  42P01: /m, 'a table that was dropped: the run fails');
create_target('issues');
like(psql("CALL resolute.run('conflict');"), qr/^ERROR:  55000: .*emptied.*\n.*\nHINT: .*reset_cursor/m, 'an empty one in its place is refused');
is(psql("SELECT resolute.reset_cursor('conflict'); CALL resolute.run('conflict');"), '', 'after a reset all comes again');
same_as_source('to its end');

# A flow that runs is neither replaced nor dropped.
start_anew();
sim('block', skip => 5);
$session = start_session("CALL resolute.run('conflict');");
sim('wait', blocked => 1);
my $replace = "SELECT resolute.create_or_replace_flow('conflict', resolute.manual(), resolute.sql('SELECT 1'));";
like(psql($replace), qr/^ERROR:  55006: /m, 'a flow that runs is not replaced');
like(psql("SELECT resolute.drop_flow('conflict');"), qr/^ERROR:  55006: /m, 'nor dropped');
sim('release');
is(end_session($session), '', 'the run goes on');
same_as_source('to its end');
is(psql($replace), '2', 'then it is replaced');

done_testing;
