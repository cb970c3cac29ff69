#!/usr/bin/perl
# Several requests in flight at once, while issues change behind them.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use Test::More;

use constant {
	MANY => 600,
	PAGE => 20,					# rows; 32 pages, each of which begins with the last row of another
	FLIGHT => 8,
};

# A source of many issues, dated by its own clock, and an empty table.
sub server
{
	sim('reset', issues => MANY, projects => 'PLATFORM,MOBILE', flavour => 'server', date => 'clock');
	psql("DROP SERVER IF EXISTS jira CASCADE; DROP TABLE IF EXISTS issues;"
		  . "DO 'BEGIN PERFORM resolute.drop_flow(flow) FROM resolute.flow_status; END';"
		  . "SELECT resolute.reset_cursor(name) FROM resolute.cursors; DELETE FROM resolute.runs;");
	use_simulator('/server');
	create_target('issues');
	sim('log', clear => 1);
}

sub flow
{
	create_flow('fast', page_size => PAGE, concurrency => FLIGHT, overlap => '0', @_);
}

my %skip = (CALL => 5, run_flow => 1);
my %run = (CALL => "CALL resolute.run('fast');", run_flow => "SELECT status FROM resolute.run_flow('fast') \\g /dev/null\n");

# Stand behind the first so many searches, with requests in flight: after the first one, all that may
# be; later fewer, since the page that has to be read next may be among those that wait.
sub in_flight
{
	my ($skip, $sql, $action) = @_;

	sim('block', skip => $skip);
	my $session = start_session($sql);
	sim('wait', blocked => FLIGHT + 1 - $skip);
	$action->();
	sim('release');
	my $text = end_session($session);
	sim('wait', open => 0);
	return $text;
}

# Issues that are in the source, from this id on, but not in the table as they are now.
sub missing
{
	my ($from) = @_;

	return psql(<<SQL);
CREATE TEMP TABLE answer (item jsonb);
\\copy answer FROM PROGRAM 'curl -sS --noproxy "*" $ENV{RESOLUTE_SIM}/_sim/issues' WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')
SELECT count(*) FROM answer WHERE (item->>'id')::bigint >= $from AND NOT EXISTS (SELECT FROM issues WHERE id = (item->>'id')::bigint AND key = item->>'key'
    AND summary = item->>'summary' AND status = item->>'status');
SQL
}

# Issues that were there all the time, untouched, from this id on, and are not in the table.
sub untouched_missing
{
	my ($from) = @_;

	return psql(<<SQL);
CREATE TEMP TABLE answer (item jsonb);
\\copy answer FROM PROGRAM 'curl -sS --noproxy "*" $ENV{RESOLUTE_SIM}/_sim/issues' WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')
SELECT count(*) FROM answer WHERE (item->>'id')::bigint >= $from AND (item->>'updated')::timestamptz < '2026-01-31' AND NOT EXISTS (SELECT FROM issues WHERE id = (item->>'id')::bigint);
SQL
}

my @ids = map { 10001 + $_ } 0 .. MANY - 1;

sub edit { sim('edit', id => $_, summary => "edited $_") for @_ }
sub remove { sim('delete', id => $_) for @_ }

# What happens while some pages were searched and others are in flight.
my %change = (
	'edits' => sub { edit(@ids[0, 50, 118, 119, 120, 300, 599]) },
	'an edit of each row that joins two pages' => sub { edit(map { $ids[19 * $_] } 1 .. 31) },
	'a deletion of what was read' => sub { remove($ids[10]) },
	'deletions of what was read' => sub { remove(@ids[0 .. 39]) },
	'deletions of almost all that was read' => sub { remove(@ids[0 .. 90]) },
	'deletions of what is in flight' => sub { remove(@ids[96, 110, 115, 150 .. 160, 240]) },
	'a deletion of each row that joins two pages' => sub { remove(map { $ids[19 * $_] } 1 .. 31) },
	'deletions behind' => sub { remove(@ids[400 .. 599]) },
	'additions' => sub { sim('add', project => 'PLATFORM', count => 45) },
	'moves' => sub { sim('move', key => sim_key($_), to => 'MOBILE') for @ids[3, 118, 400] },
	'rows that come in front' => sub { sim('reveal') },
	'a bulk edit' => sub { sim('bulk', project => 'PLATFORM', count => MANY, priority => 'High') },
);

sub sim_key
{
	my ($id) = @_;

	return (grep { $_->{id} == $id } @{ sim('issues', array => 1) })[0]{key};
}

for my $name (sort keys %change)
{
	for my $how (sort keys %run)
	{
		server();
		flow();

		# what search shows only later, without any edit, is nobody's promise
		my $from = $ids[0];
		if ($name =~ /come in front/)
		{
			sim('hide', key => sim_key($_), lag => 'forever') for @ids[0 .. 30];
			$from = $ids[31];
		}
		sim('clock', advance_ms => 60_000);
		my $text = in_flight(
			$skip{$how}, $run{$how},
			sub {
				sim('clock', advance_ms => 3600_000);
				$change{$name}->();
				# and one that every later page brings, so that the cursor is tempted
				sim('clock', advance_ms => 3600_000);
				edit($ids[350]) unless $name =~ /delet/;
			});
		is($text, '', "$name, $how: the run succeeds");
		is(untouched_missing($from), '0', "$name, $how: no issue that nobody touched is missing");
		note("$name, $how: " . searches() . " searches");
		is(psql($run{$how}), '', "$name, $how: the next run succeeds");
		is(missing($from), '0', "$name, $how: then none is missing");
	}
}

# a bulk of pages is asked for at once, in order, and no more of them
server();
flow();
my $text = in_flight(
	1,
	$run{CALL},
	sub {
		my @starts = sort { $a <=> $b } map { $_->{body}{startAt} } searches();
		is("@starts", join(' ', map { 19 * $_ } 0 .. FLIGHT), 'as many pages are asked for at once as may be');
		is(sim('stats')->{blocked}, FLIGHT, 'and no more');
		my $pid = running_pid('fast');
		until_sql("SELECT wait_event_type FROM pg_stat_activity WHERE pid = $pid;", 'Extension');
		is(psql("SELECT backend_xmin IS NULL FROM pg_stat_activity WHERE pid = $pid;"), 't', 'and nothing is held meanwhile');
	});
is($text, '', 'the run succeeds');
same_as_source('all is there');

# Cancel the session that runs the flow, and wait until it has noticed.
sub cancel
{
	my $pid = psql("SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%fast%' AND pid <> pg_backend_pid();");

	must("SELECT pg_cancel_backend($pid);");
	until_sql("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND state = 'active';", '0');
}

# cancel, with all in flight
for my $how (sort keys %run)
{
	server();
	flow();
	$text = in_flight(
		5,
		$run{$how},
		sub {
			my $start = time;
			cancel();
			cmp_ok(time - $start, '<', 5, "$how: a cancel is served while all requests wait");
		});
	like($text, qr/57014/, "$how: and is what is reported");
	is(psql("SELECT position IS NULL FROM resolute.cursors WHERE name = 'fast';"), 't', "$how: the cursor stays");
	is(psql($run{$how}), '', "$how: the next run succeeds");
	same_as_source("$how: and brings the rest");
}

# a flow that was read one by one, cut off, and then defined anew
server();
flow(concurrency => 1);
$text = in_flight(FLIGHT, $run{CALL}, \&cancel);
like($text, qr/57014/, 'a run one by one ends in the middle');
is(psql("SELECT walk IS NOT NULL FROM resolute.cursors WHERE name = 'fast';"), 't', 'and leaves a walk');
flow();
is(psql($run{CALL}), '', 'with concurrency the next one succeeds');
same_as_source('and begins anew where that one began');

done_testing;
