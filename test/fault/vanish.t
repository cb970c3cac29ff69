#!/usr/bin/perl
# resync and reconcile among others: alone, in nobody's way, and without effect unless they come to their end.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use HTTP::Tiny;
use JSON::PP;
use Test::More;

use constant { ISSUES => 600, DELETED => 5 };

sim('reset', issues => ISSUES);
sim('settings', id_cap => 50);
use_simulator();
create_target('issues');
create_flow('heal', page_size => 50);
is(psql("CALL resolute.run('heal');"), '', 'a table to begin with');
sim('delete', key => psql('SELECT key FROM issues ORDER BY id OFFSET ' . 100 * $_ . ' LIMIT 1;')) for 1 .. DELETED;
sim('edit', id => 10500, summary => 'edited');

my $cursor = 'SELECT position, walk IS NULL, server, query FROM resolute.cursors;';
my $before = psql($cursor);
my %call = (resync => "CALL resolute.resync('heal');", reconcile => "CALL resolute.reconcile('heal', delete => true);");

# Let the simulator do something wrong.
sub fault
{
	my ($fault) = @_;
	my $answer = HTTP::Tiny->new(proxy => undef, http_proxy => undef)
	  ->post("$ENV{RESOLUTE_SIM}/_sim/fault", { content => encode_json($fault) });

	die $answer->{content} unless $answer->{success};
}

# All rows are there still, and the cursor has not moved.
sub untouched
{
	my ($how) = @_;

	is(psql('SELECT count(*) FROM issues;'), ISSUES, "$how: no row is removed");
	is(psql($cursor), $before, "$how: the cursor is where it was");
}

for my $what (sort keys %call)
{
	for my $where ([ 'between pages', skip => 3 ], [ 'while it asks about what is missing', match => '/rest/api/3/project/search' ])
	{
		my ($place, %barrier) = @$where;
		my ($session, $pid) = start_waiting($call{$what}, %barrier);

		is(psql("SELECT backend_xmin IS NULL, backend_xid IS NULL FROM pg_stat_activity WHERE pid = $pid;"),
			't|t', "$what $place: no snapshot, no transaction id");
		is(psql("SELECT relation::regclass, mode FROM pg_locks WHERE pid = $pid AND locktype = 'relation';"),
			'', "$what $place: no lock on any table");
		untouched("$what $place");

		# Others stand back.
		is(psql("SET client_min_messages = notice; CALL resolute.run('heal', scheduled => true);"),
			'NOTICE:  00000: flow "heal" skipped: another run holds the flow', "$what $place: an hourly run is skipped");
		like(psql("SET client_min_messages = notice; $call{resync} $call{reconcile}"), qr/skipped.*\n.*skipped/, "$what $place: so are others");
		like(psql("SELECT resolute.replay_dead_letters('heal');"), qr/^ERROR:  55006: flow "heal" is running/, "$what $place: replay is refused");
		is(psql("SELECT count(*) FROM resolute.runs WHERE status = 'running' AND kind = '$what';"), '1', "$what $place: it shows as running");

		# A cancel ends it at once.
		is(psql("SELECT pg_cancel_backend($pid);"), 't', "$what $place: cancel is sent");
		like(end_session($session), qr/^ERROR:  57014/, "$what $place: it ends");
		sim('release');
		untouched("$what, cancelled $place");
		is(psql("SELECT status, error_code, deleted FROM resolute.runs WHERE kind = '$what' AND status <> 'skipped' ORDER BY run_id DESC LIMIT 1;"),
			'cancelled|57014|0', "$what, cancelled $place: that is recorded");
	}
}

# SIGKILL in its middle, and in the middle of the deletion.
sub killed
{
	my ($how, $session, $pid) = @_;
	my $witness = start_session('SELECT pg_sleep(600);');

	until_sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep';", '1');
	kill 'KILL', $pid;
	end_session($session);
	end_session($witness);
	until_sql('SELECT 1;', '1');
	sim('release');
	untouched($how);
}

for my $what (sort keys %call)
{
	killed("$what, killed between pages", start_waiting($call{$what}, skip => 3));
}

# The deletion waits for a lock in its middle.
psql(<<'SQL');
CREATE TABLE gate (id int);
INSERT INTO gate VALUES (1);
CREATE SEQUENCE deletions;
CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('deletions') % 5 = 3 THEN PERFORM FROM public.gate FOR UPDATE; END IF;
	RETURN OLD;
END $$;
CREATE TRIGGER wait_at_gate BEFORE DELETE ON issues FOR EACH ROW EXECUTE FUNCTION wait_at_gate();
SQL
for my $what (sort keys %call)
{
	psql("SELECT setval('deletions', 5);");
	my $keeper = start_session("BEGIN; UPDATE gate SET id = 1; SELECT pg_sleep(600);");
	until_sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep';", '1');
	my $session = start_session($call{$what});
	until_sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock';", '1');
	my $pid = running_pid('heal');
	is(psql("SELECT last_value FROM deletions;"), '8', "$what: some rows are deleted, others are not");
	kill 'KILL', $pid;
	end_session($session);
	end_session($keeper);
	until_sql('SELECT 1;', '1');
	is(psql('SELECT count(*) FROM issues;'), ISSUES, "$what, killed while it deletes: no row is removed");
	is(psql($cursor), $before, "$what, killed while it deletes: the cursor is where it was");
}
psql('DROP TRIGGER wait_at_gate ON issues;');

# A run that was under way before goes on where it stopped, whatever resync was up to.
is(psql("CALL resolute.run('heal');"), '', 'an hourly run goes on');
is(psql("SELECT status FROM resolute.runs WHERE kind = 'run' ORDER BY run_id DESC LIMIT 1;"), 'succeeded', '... as if nothing had been');

# The source changes while it is read.
my ($session) = start_waiting($call{reconcile}, skip => 4);
sim('delete', key => psql('SELECT key FROM issues ORDER BY id DESC OFFSET 7 LIMIT 1;'));
sim('edit', id => $_, summary => 'edited meanwhile') for 10003, 10300, 10590;
sim('add', project => 'PLATFORM', count => 3);
sim('release');
unlike(end_session($session), qr/ERROR/, 'reconcile while the source changes');
is(psql("CALL resolute.run('heal');"), '', '... and the next run');
is(psql($call{reconcile}), '', '... and the next reconcile');
same_as_source('the table is the source');

($session) = start_waiting($call{resync}, skip => 4);
sim('delete', key => psql('SELECT key FROM issues ORDER BY updated DESC OFFSET 20 LIMIT 1;'));
sim('edit', id => $_, summary => 'edited again') for 10003, 10300, 10590;
sim('add', project => 'MOBILE', count => 3);
sim('release');
unlike(end_session($session), qr/ERROR/, 'resync while the source changes');
same_as_source('the table is the source at once');
is(psql("SELECT status, deleted FROM resolute.runs WHERE kind = 'resync' ORDER BY run_id DESC LIMIT 1;"), 'succeeded|1', '... and its books say so');

# Transient errors on the way are retried; lasting ones remove nothing.
sim('delete', key => psql('SELECT max(key) FROM issues;'));
fault({ skip => 2, status => 503 });
is(psql($call{reconcile}), '', 'reconcile survives a 503');
same_as_source('... and does its work');
sim('delete', key => psql('SELECT max(key) FROM issues;'));
$before = psql($cursor);
my $rows = psql('SELECT count(*) FROM issues;');
for my $fault ({ skip => 3, status => 401 }, { skip => 3, html => JSON::PP::true }, { skip => 3, no_token => JSON::PP::true },
	{ skip => 3, truncate => 300, times => -1 }, { match => '/rest/api/3/project/search', status => 401 },
	{ match => '/rest/api/3/issue', status => 500, times => -1 })
{
	my $text = encode_json($fault);

	for my $what (sort keys %call)
	{
		fault($fault);
		like(psql("SET resolute.http_attempts = 2; $call{$what}"), qr/^ERROR/m, "$what with $text fails");
		sim('faults', clear => 1);
		is(psql('SELECT count(*) FROM issues;'), $rows, '... and removes nothing');
		is(psql($cursor), $before, '... and leaves the cursor alone');
	}
}

# A full reindex as a flow of its own holds the cursor, so that an hourly run stands back.
must(<<'SQL');
SELECT resolute.create_flow('reindex', resolute.manual(),
    resolute.sql($$SELECT resolute.reset_cursor('heal')$$),
    resolute.sql('TRUNCATE issues'),
    resolute.as('page', resolute.jira_fetch_issues('jira', 'updated >= ${cursor}', resolute.cursor_for('heal'), page_size => 50, paginate => 'manual')),
    resolute.while('page.has_more',
        resolute.as('rows', resolute.map('page', '{"id": {{.Id}}, "key": "{{.Key}}", "summary": "{{.Summary}}", "status": "{{.Status}}", "assignee": "{{.Assignee}}", "updated": "{{.Updated}}", "labels": {{json .Labels}}}')),
        resolute.upsert('rows', target => 'issues', key => 'id'),
        resolute.next_page('page')),
    resolute.sql('REINDEX TABLE issues'));
SQL
$session = start_blocked("CALL resolute.run('reindex');", skip => 3);
is(psql("SET client_min_messages = notice; CALL resolute.run('heal', scheduled => true);"),
	'NOTICE:  00000: flow "heal" skipped: another run holds one of its cursors', 'an hourly run beside a full reindex is skipped');
like(psql("SET client_min_messages = notice; $call{resync}"), qr/skipped: another run holds one of its cursors/, 'so is a resync');
is(last_run('status, error_message'), 'skipped|another run holds one of its cursors', '... and recorded as such');
sim('release');
is(end_session($session), '', 'the reindex goes on');
same_as_source('the table is the source');
is(psql("CALL resolute.run('heal');"), '', 'the next hourly run works');
same_as_source('... and finds nothing amiss');

done_testing;
