#!/usr/bin/perl
# Memory is flat whatever the size of a sync, and the number of syncs.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use Test::More;

plan skip_all => 'there is no /proc here' unless -r '/proc/self/status';

use constant MB => 1024;		# /proc counts in kB

# The process's own memory: the shared buffers that it has touched are not its.
my $private = <<'SQL';
\! awk '/^VmHWM|^RssAnon|^RssShmem/ { v[$1] = $2 } END { print "memory", v["VmHWM:"] - v["RssShmem:"], v["RssAnon:"] }' /proc/$PID/status
SQL
my $know_pid = "SELECT pg_backend_pid() AS pid \\gset\n\\setenv PID :pid\n";

sub start_anew
{
	my ($issues) = @_;

	sim('reset', issues => $issues);
	psql("TRUNCATE issues; SELECT resolute.reset_cursor(name) FROM resolute.cursors;");
}

# Peak of a session that runs it once, in kB.
sub peak
{
	my ($issues, $statement) = @_;

	start_anew($issues);
	my $text = psql($know_pid . "$statement\n\\o\n$private");
	my ($peak) = $text =~ /^memory (\d+)/m or die $text;

	is(psql('SELECT count(*) FROM issues;'), $issues, "$issues issues are stored");
	note("peak of $issues issues: $peak kB");
	return $peak;
}

use_simulator();
create_target('issues');
create_flow('memory', page_size => 100);

my $call = "CALL resolute.run('memory');";
my $small = peak(10_000, $call);
my $large = peak(100_000, $call);
cmp_ok($large - $small, '<', 16 * MB, 'CALL: ten times the issues need no more memory');
diag("CALL: 10 000 issues $small kB, 100 000 issues $large kB");

# run_flow, one transaction
my $run_flow = "\\o /dev/null\nSELECT * FROM resolute.run_flow('memory');";
$small = peak(10_000, $run_flow);
$large = peak(50_000, $run_flow);
cmp_ok($large - $small, '<', 16 * MB, 'run_flow: nor does one transaction');
diag("run_flow: 10 000 issues $small kB, 50 000 issues $large kB");

# Two hundred runs in one session, each with something to do; the caches are full after fifty.
start_anew(1000);
sim('log', clear => 1);
my $fifty = ("$call\n" . "\\! curl -sS --noproxy '*' \"$ENV{RESOLUTE_SIM}/_sim/bulk?project=DATA&count=30&priority=High\" -o /dev/null\n") x 50;
my $text = psql($know_pid . $fifty . $private . $fifty x 3 . $private);
my @after = $text =~ /^memory \d+ (\d+)/mg;
unlike($text, qr/ERROR/, '200 runs in one session succeed');
is(psql("SELECT count(*) FROM resolute.runs WHERE status = 'succeeded';") >= 200, 1, 'all of them');
cmp_ok($after[1] - $after[0], '<', 2 * MB, '150 runs more need no more memory');
diag("after 50 runs $after[0] kB, after 200 runs $after[1] kB");
my %connections = map { $_->{connection} => 1 } searches();
cmp_ok(scalar keys %connections, '<=', 2, 'they share their connections');
SKIP:
{
	skip 'this version does not show memory contexts', 1
	  if psql("SELECT to_regclass('pg_backend_memory_contexts') IS NULL;") eq 't';
	like(psql($fifty . <<'SQL'), qr/^0 0$/m, 'no memory context of a run is left');
SELECT count(*) || ' ' || coalesce(sum(total_bytes), 0) FROM pg_backend_memory_contexts
WHERE name IN ('resolute run', 'resolute stream', 'resolute page', 'jira request');
SQL
}

done_testing;
