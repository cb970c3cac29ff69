#!/usr/bin/perl
# Runs that wait for a place in their queue: what they hold meanwhile, in which order they begin, and what
# becomes of a place and of the line when somebody is cancelled, terminated or killed.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use Test::More;

use constant { AT_ONCE => 3, FLOWS => 12, STARTERS => 4, ROUNDS => 200, HELD => 'SELECT count(*) FROM pg_locks WHERE locktype = \'object\' AND pid = pg_backend_pid();' };

my $places = "SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'resolute.queues'::regclass AND objsubid > 0;";
my $none;

sim('reset', issues => 40);
use_simulator();
create_target('issues');
create_flow('first');
must(<<'SQL');
CREATE FUNCTION my_places() RETURNS bigint LANGUAGE sql AS
    $$ SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'resolute.queues'::regclass AND objsubid > 0 AND pid = pg_backend_pid() $$;
CREATE FUNCTION in_line() RETURNS boolean LANGUAGE sql AS
    $$ SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'object' AND classid = 'resolute.queues'::regclass AND objsubid = 0) $$;
CREATE TABLE trace (n serial, flow text, pid int DEFAULT pg_backend_pid());
SELECT resolute.create_flow(name, resolute.manual(), resolute.sql(format('INSERT INTO trace (flow) VALUES (%L)', name)))
FROM unnest(ARRAY['second', 'third', 'fourth']) AS name;
SELECT resolute.create_queue('one', max_running => 1);
SELECT resolute.alter_flow(name, queue => 'one') FROM resolute.flows;
SQL

# A run that holds the only place, and stands at the simulator.
sub hold_place
{
	psql("SELECT resolute.reset_cursor('first'); DELETE FROM resolute.runs; TRUNCATE trace;");
	sim('block');
	my $session = start_session("CALL resolute.run('first');");
	sim('wait', blocked => 1);
	return $session;
}

# Begin another one, which has to wait.
sub wait_in_line
{
	my ($flow, $prelude) = @_;
	my $session = start_session(($prelude // '') . "CALL resolute.run('$flow');\nRESET ALL;\n" . HELD);

	until_sql("SELECT status, waiting_since IS NOT NULL, running_since IS NULL FROM resolute.flow_status WHERE flow = '$flow';", 'waiting|t|t');

	# The row is written before it stands in line.
	until_sql("SELECT count(*) FROM pg_locks l JOIN resolute.runs r USING (pid) WHERE l.locktype = 'object' AND l.classid = 'resolute.queues'::regclass"
		  . " AND l.objsubid = 0 AND r.flow = '$flow' AND r.status = 'waiting';", '1');
	return $session;
}

sub pid_of
{
	return psql("SELECT pid FROM resolute.runs WHERE flow = '$_[0]' AND status = 'waiting';");
}

# What a waiting run holds, and the order of the line.
my $first = hold_place();
my $second = wait_in_line('second');
my $third = wait_in_line('third', "SET lock_timeout = '1ms';\n");
is(psql("SELECT count(*) FROM pg_stat_activity a JOIN resolute.runs r USING (pid) WHERE r.status = 'waiting' AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL);"),
	0, 'a waiting run holds no snapshot and no transaction id');
is(psql("SELECT count(*) FROM pg_locks l JOIN resolute.runs r USING (pid) WHERE r.status = 'waiting' AND l.locktype IN ('relation', 'transactionid');"),
	0, 'and no lock on a table');
is(psql("CALL resolute.run('second');"), '', 'the same flow once more');
is(last_run("flow, status, error_message"), 'second|skipped|another run holds the flow', 'is skipped');
like(psql("SELECT resolute.alter_flow('second', queue => '');"), qr/^ERROR:  55006: flow "second" is running/, 'a flow that waits stays in its queue');
is(psql("BEGIN; SET LOCAL statement_timeout = '300ms'; SELECT status FROM resolute.run_flow('fourth');") =~ /^ERROR:  57014: .*statement timeout/m, 1,
	'in the caller\'s transaction a run waits as well, and statement_timeout ends that');
sim('release');
is(end_session($first), '', 'the run with the place ends');
is(end_session($second), "0\n", 'the first of the line begins then, and holds nothing in the end');
is(end_session($third), "0\n", 'so does the second one, whatever its lock_timeout');
is(psql('SELECT flow FROM trace ORDER BY n;'), "second\nthird", 'first come, first served');
is(psql("SELECT flow, status, queued_at IS NOT NULL, queued_at < started_at, started_at < finished_at FROM resolute.runs WHERE status <> 'skipped' ORDER BY started_at;"),
	"first|succeeded|f||t\nsecond|succeeded|t|t|t\nthird|succeeded|t|t|t", 'the books tell since when they waited and when they began');
is(psql("SELECT max(duration_seconds) < extract(epoch FROM max(started_at - queued_at)) FROM resolute.runs WHERE queued_at IS NOT NULL;"), 't', 'the wait is no part of their duration');
is(psql($places), 0, 'all places are free');

# Who comes when a place has just become free does not pass who waits.
$first = hold_place();
$second = wait_in_line('second', "SET deadlock_timeout = '2s';\n");
psql("SELECT resolute.alter_queue('one', max_running => 2);");
is(psql("CALL resolute.run('third');"), '', 'a run that comes later');
is(end_session($second), "0\n", 'and one that waits already');
is(psql('SELECT flow FROM trace ORDER BY n;'), "second\nthird", 'begin in this order');
psql("SELECT resolute.alter_queue('one', max_running => 1);");
sim('release');
end_session($first);

# max_runtime is the time that a run works.
psql("SELECT resolute.alter_flow('second', max_runtime => '200 ms');");
$first = hold_place();
$second = wait_in_line('second');
until_sql("SELECT now() - waiting_since > '400 ms' FROM resolute.flow_status WHERE flow = 'second';", 't');
sim('release');
end_session($first);
is(end_session($second), "0\n", 'a wait that is longer than max_runtime');
is(psql("SELECT status, started_at - queued_at > '400 ms' FROM resolute.runs WHERE flow = 'second';"), 'succeeded|t', 'does not count');
psql("SELECT resolute.alter_flow('second', max_runtime => '0');");

# Those in line go away.
for my $case (['pg_cancel_backend', 'cancelled|57014', qr/^ERROR:  57014: .*\n(?:CONTEXT: .*\n)?0$/m, 'cancelled|57014'],
	['pg_terminate_backend', 'failed|57P02', qr/57P01/, 'failed|57P02'])
{
	my ($how, $status, $message, $recorded) = @$case;

	$first = hold_place();
	$second = wait_in_line('second');
	$third = wait_in_line('third');
	my $fourth = wait_in_line('fourth');
	psql("SELECT $how($_);") for pid_of('third'), pid_of('second');
	like(end_session($_), $message, "$how: a waiting run ends") for $third, $second;
	is(psql("SELECT status, last_error_code FROM resolute.flow_status WHERE flow = 'second';"), $status, "$how: which flow_status tells");
	is(psql("SELECT status FROM resolute.flow_status WHERE flow = 'fourth';"), 'waiting', "$how: who stood behind it waits on");
	sim('release');
	is(end_session($first), '', "$how: the run with the place ends");
	is(end_session($fourth), "0\n", "$how: and who stood behind it begins");
	is(psql("CALL resolute.run('second');"), '', "$how: the flow runs again");
	is(psql("SELECT status, error_code FROM resolute.runs WHERE flow = 'second' ORDER BY run_id LIMIT 1;"), $recorded, "$how: the books tell");
}

# Who holds the place goes away.
for my $how ('pg_cancel_backend', 'pg_terminate_backend')
{
	$first = hold_place();
	$second = wait_in_line('second');
	psql("SELECT $how(" . running_pid('first') . ');');
	end_session($first);
	is(end_session($second), "0\n", "$how of the run that holds the place lets the next one begin");
	sim('release');
}
$first = hold_place();
$second = wait_in_line('second');
kill 'KILL', running_pid('first');
end_session($_) for $first, $second;
until_sql('SELECT 1;', '1');
sim('release');
is(psql("SELECT flow, status FROM resolute.flow_status WHERE flow IN ('first', 'second') ORDER BY 1;"), "first|failed\nsecond|failed", 'SIGKILL ends all of them');
is(psql($places), 0, 'frees the place');
is(psql("CALL resolute.run('second'); CALL resolute.run('first');"), '', 'and the flows run again');
is(psql("SELECT flow, status, error_code FROM resolute.runs ORDER BY run_id;"),
	"first|failed|57P02\nsecond|failed|57P02\nsecond|succeeded|\nfirst|succeeded|", 'the books tell of both');

# A run begins with its place, not while it looks for one.
for my $statement ("CALL resolute.run('second');", "SELECT FROM resolute.run_flow('second') \\g /dev/null\n")
{
	psql('DELETE FROM resolute.runs;');
	my $keeper = start_session(<<'SQL');
BEGIN;
LOCK TABLE resolute.queues;
DO $$
BEGIN
    LOOP
        EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE relation = 'resolute.queues'::regclass AND NOT granted);
    END LOOP;
END $$;
CREATE TABLE let_go AS SELECT clock_timestamp() AS at;
COMMIT;
SQL
	until_sql("SELECT count(*) FROM pg_locks WHERE relation = 'resolute.queues'::regclass AND granted;", '1');
	is(psql($statement), '', 'a run that is held up while it looks for a place');
	end_session($keeper);
	is(psql('SELECT status, started_at > at FROM resolute.runs, let_go; DROP TABLE let_go;'), 'succeeded|t', 'begins when it has one');
}

# Many at once.
must("SELECT resolute.create_queue('some', max_running => " . AT_ONCE . ");\n"
	  . join("\n", map { "SELECT resolute.create_flow('many $_', resolute.manual(), resolute.sql('INSERT INTO trace (flow) VALUES (''$_'')'), resolute.sql('SELECT pg_sleep(0.05)'));"
			. " SELECT resolute.alter_flow('many $_', queue => 'some');" } 1 .. FLOWS));
psql('TRUNCATE trace; DELETE FROM resolute.runs;');
my @sessions = map { start_session("CALL resolute.run('many $_');") } 1 .. FLOWS;
is(join('', map { end_session($_) } @sessions), '', 'many runs of one queue');
is(psql("SELECT status, count(*) FROM resolute.runs GROUP BY 1;"), 'succeeded|' . FLOWS, 'all of them take place');
is(psql("SELECT max(n) <= " . AT_ONCE . ", max(n) > 1 FROM (SELECT (SELECT count(*) FROM resolute.runs o WHERE o.started_at <= r.started_at AND o.finished_at > r.started_at) AS n FROM resolute.runs r) t;"),
	't|t', 'at most so many at once, but more than one');

# Many that start at the same moment after max_running was lowered: they must not all be kept out by each other's looking.
must("SELECT resolute.create_queue('lowered', max_running => 1000, on_full => 'skip'); SELECT resolute.alter_queue('lowered', max_running => 1);\n"
	  . "SELECT resolute.alter_flow('many ' || n, queue => 'lowered') FROM generate_series(1, " . STARTERS . ") n;");
must(<<'SQL');
CREATE SEQUENCE arrivals;
CREATE PROCEDURE start_together(flow text, starters int, rounds int) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. 2 * rounds LOOP
        PERFORM nextval('arrivals');
        WHILE (SELECT last_value FROM arrivals) < n * starters LOOP END LOOP;
        IF n % 2 = 1 THEN
            CALL resolute.run(flow);
            INSERT INTO trace (flow, pid) SELECT status, n FROM resolute.runs r WHERE r.flow = start_together.flow ORDER BY run_id DESC LIMIT 1;
        END IF;
        COMMIT;
    END LOOP;
END $$;
TRUNCATE trace;
SQL
my @starters = map { start_session("CALL start_together('many $_', " . STARTERS . ', ' . ROUNDS . ');') } 1 .. STARTERS;
is(join('', map { end_session($_) } @starters), '', 'many starts at a lowered queue');
$none = psql("SELECT count(*) FROM (SELECT FROM trace WHERE flow IN ('succeeded', 'skipped') GROUP BY pid HAVING bool_and(flow = 'skipped')) t;");
is($none, 0, 'of those that start together at a lowered queue, one at least begins');

# A page that is repeated gives its place away with its transaction, and waits for another.
psql("SELECT resolute.reset_cursor('first'); DELETE FROM resolute.runs; TRUNCATE trace;");
must(<<'SQL');
CREATE SEQUENCE tries;
CREATE FUNCTION fail_page() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('tries') % 2 <> 0 THEN
        RAISE EXCEPTION 'once more' USING ERRCODE = '40001';
    END IF;
    INSERT INTO trace (flow) SELECT 'first in ' || my_places();
    RETURN NULL;
END $$;
DROP TABLE issues;
SQL
create_target('issues');
must('CREATE TRIGGER fail AFTER INSERT ON issues FOR EACH STATEMENT EXECUTE FUNCTION fail_page();');
sim('block');
$first = start_session("CALL resolute.run('first');\n" . HELD);
sim('wait', blocked => 1);
$second = wait_in_line('second');
$third = wait_in_line('third');
sim('release');
is(end_session($first), "0\n", 'a run whose pages meet conflicts ends well beside others of its queue');
is(end_session($_), "0\n", 'so do they') for $second, $third;
is(psql("SELECT status, retries > 0, pages FROM resolute.runs WHERE flow = 'first';"), 'succeeded|t|4', 'each page was repeated');
is(psql("SELECT flow, count(*) FROM trace WHERE flow LIKE 'first%' GROUP BY 1;"), 'first in 1|4', 'and none without a place');
same_as_source('the table is the source');
is(psql($places), 0, 'all places are free');

# So does a handler of a conflict.
must(<<'SQL');
CREATE FUNCTION conflict_before_others() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WHILE NOT in_line() LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
    RAISE EXCEPTION 'give way' USING ERRCODE = '40001';
END $$;
SELECT resolute.create_flow('handled', resolute.manual(), resolute.on_error(resolute.sql('SELECT conflict_before_others()'),
    resolute.sql($$INSERT INTO trace (flow) SELECT 'handled in ' || my_places()$$)));
SELECT resolute.alter_flow('handled', queue => 'one');
TRUNCATE trace;
DELETE FROM resolute.runs;
SQL
$first = start_session("CALL resolute.run('handled');\n" . HELD);
until_sql("SELECT status FROM resolute.flow_status WHERE flow = 'handled';", 'running');
$second = start_session("CALL resolute.run('second');\n" . HELD);
is(end_session($_), "0\n", 'a conflict that is handled while another run waits') for $first, $second;
is(psql('SELECT flow FROM trace ORDER BY flow;'), "handled in 1\nsecond", 'leaves its handler with a place');
is(psql("SELECT status, handled_errors FROM resolute.runs WHERE flow = 'handled';"), 'succeeded|1', 'as the books tell');

# And a step whose COMMIT fails.  An abort frees the place, and then removes the files of new tables: time enough
# for the first of the line, who looks every 10 ms, and ends when the other one has waited in turn for a while (or does not).
must(<<'SQL');
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
CREATE SEQUENCE commits;
CREATE FUNCTION fail_commit_before_others() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trace (flow) SELECT 'retried in ' || my_places();
    IF nextval('commits') > 1 THEN
        RETURN;
    END IF;
    WHILE (SELECT on_full = 'wait' FROM resolute.queues WHERE name = 'one') AND NOT in_line() LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
    FOR n IN 1 .. 1000 LOOP
        EXECUTE format('CREATE TABLE gone_%s ()', n);
    END LOOP;
    INSERT INTO child VALUES (1);
END $$;
SELECT resolute.create_flow('retried', resolute.manual(),
    resolute.with_retry(resolute.sql('SELECT fail_commit_before_others()'), attempts => 2, first_wait => '1 ms'));
-- The other one is seen in the line often enough for it to go on, if it did.
CREATE FUNCTION wait_for_retried() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    seen int := 0;
BEGIN
    WHILE (SELECT last_value FROM commits) < 2 AND seen < 50 LOOP
        seen := seen + in_line()::int;
        PERFORM pg_sleep(0.01);
    END LOOP;
    INSERT INTO trace (flow) VALUES ('between');
END $$;
SELECT resolute.create_flow('between', resolute.manual(), resolute.sql('SELECT wait_for_retried()'));
SELECT resolute.alter_flow(name, queue => 'one') FROM unnest(ARRAY['retried', 'between']) AS name;
TRUNCATE trace;
DELETE FROM resolute.runs;
SQL
$first = start_session("CALL resolute.run('retried');\n" . HELD);
until_sql("SELECT status FROM resolute.flow_status WHERE flow = 'retried';", 'running');
$second = start_session("SET deadlock_timeout = '1ms';\nCALL resolute.run('between');\n" . HELD);
is(end_session($_), "0\n", 'a commit that fails while another run waits') for $first, $second;
is(psql('SELECT flow FROM trace ORDER BY n;'), "between\nretried in 1", 'lets that run, and the step is repeated with a place');
is(psql("SELECT status, retries FROM resolute.runs WHERE flow = 'retried';"), 'succeeded|1', 'as the books tell');

# Where nobody waits for a place, a run that has begun does.  The other one may be too late for it, too.
must(<<'SQL');
SELECT resolute.alter_queue('one', on_full => 'skip');
CREATE PROCEDURE insist() LANGUAGE plpgsql AS $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM trace WHERE flow = 'between') LOOP
        CALL resolute.run('between');
        COMMIT;
    END LOOP;
END $$;
ALTER SEQUENCE commits RESTART;
TRUNCATE trace;
DELETE FROM resolute.runs;
SQL
$first = start_session("SET deadlock_timeout = '1ms';\nCALL resolute.run('retried');\n" . HELD);
until_sql("SELECT status FROM resolute.flow_status WHERE flow = 'retried';", 'running');
$second = start_session("CALL insist();\n" . HELD);
is(end_session($_), "0\n", 'a commit that fails in a queue where nobody waits') for $first, $second;
is(psql('SELECT flow FROM trace ORDER BY flow;'), "between\nretried in 1", 'its step is repeated with a place, too');

done_testing;
