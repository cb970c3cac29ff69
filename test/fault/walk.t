#!/usr/bin/perl
# Walks over a source that makes them hard: thousands of issues of one instant, and
# edits while pages are on their way.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use Test::More;

use constant MANY => 5000;

# What each kind of server asks for: 5 000 issues by the hundred, and some.
my $flow;

sub server
{
	my ($kind) = @_;

	sim('reset', issues => MANY, projects => 'PLATFORM', flavour => $kind);
	psql("DROP SERVER IF EXISTS jira CASCADE; DROP TABLE IF EXISTS issues;"
		  . "DO 'BEGIN PERFORM resolute.drop_flow(flow) FROM resolute.flow_status; END';"
		  . "SELECT resolute.reset_cursor(name) FROM resolute.cursors; DELETE FROM resolute.runs;");
	use_simulator("/$kind");
	create_target('issues');
	create_flow('walk', page_size => 100);
	sim('log', clear => 1);
}

# Run it; the run must not ask for more than these many issues, in pages without end.
sub walks
{
	my ($what, $served) = @_;

	sim('log', clear => 1);
	is(psql("CALL resolute.run('walk');"), '', "$what: the run succeeds");
	same_as_source("$what: the table is the source");
	my @searches = searches();
	my $issues = served(@searches);
	cmp_ok($issues, '<=', $served, "$what: no more than $served issues were fetched");
	note("$what: " . @searches . " searches, $issues issues");
	is(psql("SELECT walk IS NULL FROM resolute.cursors WHERE name = 'walk';"), 't', "$what: the walk is over");
}

# Stand in the middle of a run, do something, and let it end as it may.
sub in_the_middle
{
	my ($skip, $action) = @_;

	sim('block', skip => $skip);
	my $session = start_session("CALL resolute.run('walk');");
	sim('wait', blocked => 1);
	$action->();
	sim('release');
	my $text = end_session($session);
	sim('wait', open => 0);
	return $text;
}

sub cancel
{
	psql('SELECT pg_cancel_backend(' . running_pid('walk') . ');');
	until_sql("SELECT count(*) FROM resolute.runs WHERE status = 'running';", '0');
}

for my $kind ('cloud', 'server')
{
	# the first run, all of one instant
	server($kind);
	sim('bulk', project => 'PLATFORM', count => MANY, priority => 'High');
	walks("$kind, all at one instant", MANY + 100);

	# a bulk edit after that; the overlap of Cloud may reach back over the edit before
	sim('clock', advance_ms => 3600_000);
	sim('bulk', project => 'PLATFORM', count => MANY, priority => 'Low');
	walks("$kind, a bulk edit", MANY + 200);

	# and again, killed in the middle of it
	sim('clock', advance_ms => 3600_000);
	sim('bulk', project => 'PLATFORM', count => MANY, status => 'Done');
	sim('log', clear => 1);
	in_the_middle(25, \&cancel);
	my $served = served(searches());
	walks("$kind, a bulk edit in two runs", MANY - $served + 300);

	# all within a minute, but not at once
	sim('clock', advance_ms => 3600_000);
	sim('bulk', project => 'PLATFORM', count => MANY, summary => 'spread', step_ms => 10);
	in_the_middle(25, \&cancel);
	walks("$kind, edits of a minute in two runs", MANY);

	# edits, additions and moves while pages are on their way
	server($kind);
	my $edits = 0;
	my $text = in_the_middle(
		25,
		sub {
			for my $id (10001 .. 10010, 12001 .. 12010, 14990 .. 15000)
			{
				sim('edit', id => $id, summary => 'edited ' . ++$edits);
			}
			sim('add', project => 'PLATFORM', count => 250);
		});
	is($text, '', "$kind, edits between pages: the run succeeds");
	walks("$kind, the run after edits between pages", 400);

	# a whole bulk edit between two pages
	server($kind);
	$text = in_the_middle(25, sub { sim('bulk', project => 'PLATFORM', count => MANY, priority => 'Lowest') });
	is($text, '', "$kind, a bulk edit between pages: the run succeeds");
	walks("$kind, the run after a bulk edit between pages", MANY + 200);

	# another one, of which no field that is asked for tells: the same pages come again
	sim('clock', advance_ms => 3600_000);
	sim('bulk', project => 'PLATFORM', count => MANY, priority => 'High', step_ms => 10);
	sim('clock', advance_ms => 3600_000);
	sim('block', skip => 3);
	my $session = start_session("SELECT count(DISTINCT key) FROM resolute.jira_issues('jira', 'updated >= 0 ORDER BY updated ASC', '{summary}', 100);");
	sim('wait', blocked => 1);
	sim('bulk', project => 'PLATFORM', count => MANY, priority => 'Low', step_ms => 10);
	sim('release');
	is(end_session($session), MANY . "\n", "$kind, a bulk edit that no field shows");
}

done_testing;
