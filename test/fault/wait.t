#!/usr/bin/perl
# A run that waits for the network: it is in nobody's way, obeys at once, and is alone.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use Test::More;

sim('reset', issues => 300);
use_simulator();
create_target('issues');
create_flow('wait');
create_flow('other', cursor => 'wait');

sub start_anew
{
	psql("TRUNCATE issues; SELECT resolute.reset_cursor('wait') FROM resolute.cursors WHERE name = 'wait'; DELETE FROM resolute.runs;");
}

# It is in nobody's way: between pages, before the first, and while it learns about the server.
sub is_good_guest
{
	my ($where, %barrier) = @_;
	my ($session, $pid) = start_waiting("CALL resolute.run('wait');", %barrier);

	is(psql("SELECT backend_xmin IS NULL, backend_xid IS NULL FROM pg_stat_activity WHERE pid = $pid;"),
		't|t', "$where: no snapshot, no transaction id");
	is(psql("SELECT relation::regclass, mode FROM pg_locks WHERE pid = $pid AND locktype = 'relation';"),
		'', "$where: no lock on any table");
	is(psql("SET lock_timeout = '1s'; ALTER TABLE issues ADD x int; ALTER TABLE issues DROP x; VACUUM FULL issues;"),
		'', "$where: the target can be altered meanwhile");
	sim('release');
	is(end_session($session), '', "$where: the run goes on");
	same_as_source("$where: to its end");
	start_anew();
}

is_good_guest('between pages', skip => 3);
is_good_guest('before the first page');
is_good_guest('while it asks for the kind of server', match => '/rest/api/2/serverInfo');
psql('ALTER TABLE issues ADD points numeric;');
create_flow('wait', field => '"points": {{.StoryPoints}},');
is_good_guest('while it asks for the fields', match => '/rest/api/3/field');
create_flow('wait', bound => '"${cursor}"', format => '2006-01-02 15:04');
is_good_guest('while it asks for the time zone', match => '/rest/api/2/myself');
create_flow('wait', when => 1);
is_good_guest('while it looks for a first row');
is_good_guest('between pages below a condition', skip => 3);
create_flow('wait');

# It obeys at once.  The time is taken in the server, from the signal to the end of the statement.
sub obeys
{
	my ($what, $sql, $signal, $code) = @_;
	my ($session, $pid) = start_waiting("$sql\n", skip => 2);
	my $ms = psql(<<SQL);
CREATE TEMP TABLE answer (ms numeric);
DO \$\$
DECLARE
    start timestamptz := clock_timestamp();
BEGIN
    PERFORM $signal($pid);
    WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid AND state = 'active')
    LOOP
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
    INSERT INTO answer VALUES (extract(epoch FROM clock_timestamp() - start) * 1000);
END \$\$;
SELECT round(ms, 1) FROM answer;
SQL
	like(end_session($session), qr/^\w+:  $code: /m, "$what ends by $signal");
	cmp_ok($ms, '<', 1000, "$what ends soon");
	diag("$what ends $ms ms after $signal");
	sim('release');
	is(psql("SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND pid <> pg_backend_pid();"), '0', "$what leaves no lock");
}

for my $case (["CALL", "CALL resolute.run('wait');"],
	["run_flow", "SELECT * FROM resolute.run_flow('wait');"],
	["run_flow that does not raise", "SELECT * FROM resolute.run_flow('wait', raise => false);"],
	["jira_issues", "SELECT count(*) FROM resolute.jira_issues('jira', 'project = PLATFORM', page_size => 10);"])
{
	obeys(@$case, 'pg_cancel_backend', '57014');
	start_anew();
	obeys(@$case, 'pg_terminate_backend', '57P01');
	start_anew();
	sim('block', skip => 2);
	my $text = psql("SET statement_timeout = 300;\n\\timing\n$case->[1]\n");
	sim('release');
	like($text, qr/^ERROR:  57014: .*statement timeout/m, "$case->[0] ends by statement_timeout");
	my ($ms) = $text =~ /^Time: ([0-9.]+) ms/m;
	cmp_ok($ms, '<', 1300, "$case->[0] ends soon after it");
	diag("$case->[0] ends after $ms ms of 300");
	start_anew();
}

# So does its own limit end it.
psql("SELECT resolute.alter_flow('wait', max_runtime => '300ms');");
sim('block', skip => 2);
like(psql("CALL resolute.run('wait');"), qr/^ERROR:  57014: .*max_runtime/m, 'a run that takes too long is ended');
sim('release');
is(last_run('status, error_code'), 'cancelled|57014', 'and recorded as cancelled');
psql("SELECT resolute.alter_flow('wait', max_runtime => '1h');");
is(psql("CALL resolute.run('wait');"), '', 'with more time it goes on');
same_as_source('to its end');
start_anew();

# It is alone.
sub is_alone
{
	my ($what, $sql) = @_;
	my ($session) = start_waiting($sql, skip => 2);
	my $skipped = "SELECT status, error_message FROM resolute.runs WHERE status <> 'running' ORDER BY run_id DESC LIMIT 1;";

	for my $name ('wait', 'other')
	{
		my $reason = $name eq 'wait' ? 'the flow' : 'one of its cursors';

		is(psql("CALL resolute.run('$name');\n$skipped"), "skipped|another run holds $reason", "$what: CALL of flow $name is skipped");
		is(psql("SELECT status, error_message FROM resolute.run_flow('$name');"),
			"skipped|another run holds $reason", "$what: run_flow of flow $name is skipped");
	}
	for my $move ("reset_cursor('wait')", "rollback_cursor('wait')", "set_cursor('wait', '2026-01-01')")
	{
		like(psql("SELECT resolute.$move;"), qr/^ERROR:  55006: /, "$what: $move has to wait");
	}
	sim('release');
	unlike(end_session($session), qr/ERROR/, "$what: the run goes on");
	same_as_source("$what: to its end");
	is(psql("CALL resolute.run('other');\nSELECT status FROM resolute.runs ORDER BY run_id DESC LIMIT 1;"),
		'succeeded', "$what: then the next may run");
	start_anew();
}

is_alone('CALL', "CALL resolute.run('wait');");
is_alone('run_flow', "SELECT * FROM resolute.run_flow('wait');");

done_testing;
