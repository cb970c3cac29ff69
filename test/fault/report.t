#!/usr/bin/perl
# What a run tells while it runs and at its end; and that both ways to run a flow, on
# both kinds of Jira, bring the same table.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use Test::More;

# What a statement says at the level of NOTICE.
sub notices
{
	my ($sql) = @_;

	return join "\n", psql("\\set VERBOSITY default\nSET client_min_messages = notice;\n\\o /dev/null\n$sql") =~ /^(?:psql:<stdin>:\d+: )?(NOTICE: .*)/mg;
}

my $columns = 'id, key, summary, status, assignee, updated, labels';

# Both ways to run the flow leave the same table.
sub compare_ways
{
	my ($jira) = @_;

	create_target('called');
	create_target('selected');
	create_flow('called', target => 'called');
	create_flow('selected', target => 'selected');
	must("CALL resolute.run('called');");
	must("SELECT status FROM resolute.run_flow('selected');");
	same_as_source("$jira: CALL brings what the source holds", 'called');
	is(psql("SELECT $columns FROM called EXCEPT ALL SELECT $columns FROM selected; SELECT count(*) FROM called;"),
		psql("SELECT $columns FROM selected EXCEPT ALL SELECT $columns FROM called; SELECT count(*) FROM selected;"),
		"$jira: and run_flow the same");
	must("DROP TABLE called, selected; SELECT resolute.drop_flow(name) FROM resolute.flows; DELETE FROM resolute.cursors;");
}

sim('reset', issues => 25);
use_simulator();
create_target('issues');
create_flow('my "flow"');

# The summary, and a line for each page
like(notices("CALL resolute.run('my \"flow\"');"),
	qr/^NOTICE:  flow "my "flow"": 25 fetched, 25 inserted, 0 updated, 0 unchanged, 0 failed in \d+\.\d s$/, 'a run tells what it did');
sim('edit', id => 10001, summary => 'new');
like(notices("SET resolute.progress = on; SELECT resolute.run_flow('my \"flow\"');"),
	qr/^NOTICE:  flow "my "flow"": page 1, 10 fetched, 0 inserted, 0 updated, 10 unchanged, 0 failed\n(?:.* page .*\n)+NOTICE:  flow "my "flow"": \d+ fetched, 0 inserted, 1 updated, \d+ unchanged, 0 failed in \d+\.\d s$/,
	'and each page, if resolute.progress is on');
must("TRUNCATE issues; SELECT resolute.reset_cursor('my \"flow\"');");
is(join(' ', notices("SET resolute.progress = on; CALL resolute.run('my \"flow\"');") =~ /page (\d+), (\d+) fetched, (\d+) inserted/g),
	'1 10 10 2 20 20 3 25 25', 'with what it has done so far');

# Rows that fail are told, too
must("TRUNCATE issues; SELECT resolute.reset_cursor('my \"flow\"'); ALTER TABLE issues ADD CHECK (id <> 10003);");
like(notices("CALL resolute.run('my \"flow\"');"), qr/: 25 fetched, 24 inserted, 0 updated, 0 unchanged, 1 failed in /, 'rows that failed are counted');
must("ALTER TABLE issues DROP CONSTRAINT issues_id_check; DROP TABLE issues; DELETE FROM resolute.dead_letters; SELECT resolute.drop_flow('my \"flow\"'); DELETE FROM resolute.cursors;");

# A run that is skipped says why
must("SELECT resolute.create_flow('off', resolute.schedule('\@daily'), resolute.sql('SELECT 1')); SELECT resolute.disable_flow('off');");
is(notices("CALL resolute.run('off', scheduled => true);"), 'NOTICE:  flow "off" skipped: it is disabled', 'a run that is skipped says why');
must("SELECT resolute.drop_flow('off');");

compare_ways('Cloud');
must("DROP SERVER jira CASCADE;");
use_simulator('/server');
compare_ways('Server');

done_testing();
