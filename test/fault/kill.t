#!/usr/bin/perl
# A run that is killed in its middle goes on where it stopped, whoever killed it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use Test::More;

use constant { ISSUES => 3000, ADDED => 13 };

# A new project would change the order of keys, and so the place that a token stands for.
sim('reset', issues => ISSUES, projects => 'PLATFORM,MOBILE,DATA,MOVED');
is(use_simulator(), '', 'there is a server');

# Begin a run and let it stand in the middle: it has work behind and ahead of it.
sub half_a_run
{
	my ($prelude) = @_;

	psql("DROP TABLE IF EXISTS issues; SELECT resolute.reset_cursor('kill') FROM resolute.cursors WHERE name = 'kill';");
	create_target('issues');
	create_flow('kill');
	sim('log', clear => 1);
	sim('block', skip => 150);
	my $session = start_session(($prelude // '') . "CALL resolute.run('kill');\nSELECT 'alive';\n"
		  . ($prelude ? "RESET ALL; SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND pid = pg_backend_pid();" : ''));
	sim('wait', blocked => 1);
	return $session;
}

# Change the source while nobody looks.  Returns how many of the changed issues are stored: three
# of the first hundred, and none of the last.
my $changes = 0;

sub change_source
{
	$changes++;
	sim('edit', id => $_, summary => "edited $changes", status => 'Done')
	  for 10001 + $changes, 10050 + $changes, 12950 + $changes;
	sim('move', key => psql('SELECT key FROM issues WHERE id = ' . (10080 + $changes) . ';'), to => 'MOVED');
	sim('add', project => 'PLATFORM', count => ADDED);
	return 3;
}

# What holds after each of these deaths.
sub goes_on
{
	my ($how, $status, $code) = @_;
	my $stored = psql('SELECT count(*) FROM issues;');

	note("$stored issues were stored");
	cmp_ok($stored, '>=', 1490, "$how: the pages before were stored");
	cmp_ok($stored, '<=', 1500, "$how: and none that did not come");
	my $walk = psql("SELECT walk IS NOT NULL FROM resolute.cursors WHERE name = 'kill';");
	is($walk, 't', "$how: the cursor knows the next page");
	until_sql("SELECT status, last_error_code, running_since IS NULL FROM resolute.flow_status;", "$status|$code|t");
	my $again = change_source();
	my $total = ISSUES + ADDED * $changes;

	sim('release');
	sim('wait', open => 0);
	sim('log', clear => 1);
	is(psql("CALL resolute.run('kill');"), '', "$how: the flow runs again at once");
	same_as_source("$how: the table is the source");
	my @searches = searches();
	is(served(@searches), $total - $stored + $again, "$how: only what was left was fetched");
	ok($searches[0]{body}{nextPageToken}, "$how: beginning with the stored token");
	is(psql("SELECT status, error_code FROM resolute.runs WHERE status <> 'succeeded';"),
		"$status|$code", "$how: the run that died is $status");
	is(last_run('status, source_records = inserted + updated + unchanged + stale + duplicates + filtered + failed'),
		'succeeded|t', "$how: the books of the second run balance");
	is(psql("SELECT walk IS NULL FROM resolute.cursors WHERE name = 'kill';"), 't', "$how: the walk is over");
	psql("DELETE FROM resolute.runs;");
}

# SIGKILL of the backend.  The server restarts, which ends every other session, too:
# when it has ended the witness, it knows that it has to.
my $session = half_a_run();
my $witness = start_session('SELECT pg_sleep(600);');
until_sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep';", '1');
kill 'KILL', running_pid('kill');
end_session($session);
end_session($witness);
until_sql('SELECT 1;', '1');
goes_on('SIGKILL of the backend', 'failed', '57P02');

# SIGKILL of everything
SKIP:
{
	skip 'no cluster that may be killed', 10 unless $ENV{RESOLUTE_CLUSTER};
	$session = half_a_run();
	my $data = psql('SHOW data_directory;');
	open my $file, '<', "$data/postmaster.pid" or die "postmaster.pid: $!\n";
	chomp(my $postmaster = <$file>);
	kill 'KILL', $postmaster, split /\n/, psql('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid();');

	# Where nobody reaps the dead they seem to hold these.
	unlink "$data/postmaster.pid", glob "$ENV{PGHOST}/.s.PGSQL.*";
	end_session($session);
	is(system("$FindBin::Bin/../cluster", 'restart', $ENV{RESOLUTE_CLUSTER}), 0, 'the cluster starts again');
	until_sql('SELECT 1;', '1');
	goes_on('SIGKILL of the cluster', 'failed', '57P02');
}

# pg_terminate_backend
$session = half_a_run();
is(psql("SELECT pg_terminate_backend(" . running_pid('kill') . ");"), 't', 'terminate is sent');
like(end_session($session), qr/57P01/, 'the session ends');
goes_on('terminate', 'failed', '57P02');

# pg_cancel_backend
$session = half_a_run("SET application_name = 'x';");
is(psql("SELECT pg_cancel_backend(" . running_pid('kill') . ");"), 't', 'cancel is sent');
like(end_session($session), qr/^ERROR:  57014: .*\n(?:CONTEXT: .*\n)?alive\n0$/m, 'the run is cancelled, its session goes on without a lock');
goes_on('cancel', 'cancelled', '57014');

# statement_timeout
$session = half_a_run("SET statement_timeout = '3s';");
like(end_session($session), qr/^ERROR:  57014: .*statement timeout\n(?:CONTEXT: .*\n)?alive\n0$/m, 'a run of too long is cancelled, its session goes on without a lock');
goes_on('statement_timeout', 'cancelled', '57014');

done_testing;
