#!/usr/bin/perl
# Runs that cannot keep their books: what is cancelled while it writes them, and what fails at a commit.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use Test::More;

my $held = "SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid IN ('resolute.flows'::regclass, 'resolute.cursors'::regclass);";

# Start a run, hold its books back when it is on its second page, and cancel whatever waits for them.
sub cancel_in_the_books
{
	my ($statement) = @_;

	sim('block', skip => 1);
	my $session = start_session("$statement\nSELECT 'alive', current_user, current_setting('search_path');\n$held");
	sim('wait', blocked => 1);
	my $pid = psql("SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '\%resolute.run\%' AND pid <> pg_backend_pid();");
	open my $psql, '|-', 'psql -XqAtw -o /dev/null' or die $!;

	$psql->autoflush(1);
	print $psql "BEGIN; LOCK TABLE resolute.runs IN SHARE MODE;\n";
	until_sql("SELECT count(*) FROM pg_locks WHERE relation = 'resolute.runs'::regclass AND mode = 'ShareLock' AND granted;", 1);
	sim('release');
	until_sql("SELECT count(*) FROM pg_locks WHERE relation = 'resolute.runs'::regclass AND NOT granted AND pid = $pid;", 1);

	# Its end waits for the books, too, so that one cancel is not enough.
	until_sql("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE pid = $pid AND state = 'active';", 0);
	close $psql;
	return end_session($session);
}

sim('reset', issues => 60);
use_simulator();
create_target('issues');
create_flow('books');

my $alive = qr/^ERROR:  57014: .*?^alive\|postgres\|"\$user", public\n0\n/ms;
like(cancel_in_the_books("CALL resolute.run('books');"), $alive, 'a run that is cancelled in its books leaves a clean session');
like(psql('SELECT status FROM resolute.runs;'), qr/^(?:running|cancelled)$/, 'its books may be open');
is(psql("SELECT status FROM resolute.run_flow('books');"), 'succeeded', 'the next run closes them');
is(psql("SELECT count(*) FROM resolute.runs WHERE status = 'running';"), 0, 'none is left open');
same_as_source('and brings the rest');

# A deferred constraint that fails at the commit of a step
must(<<'SQL');
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
SELECT resolute.create_flow('commit', resolute.manual(), resolute.sql('INSERT INTO child VALUES (1)'), resolute.sql('DELETE FROM child'));
SQL
is(psql("CALL resolute.run('commit');\n$held") =~ s/^(?:DETAIL|HINT|CONTEXT|SCHEMA NAME|TABLE NAME|CONSTRAINT NAME):.*\n//mgr,
	"ERROR:  23503: insert or update on table \"child\" violates foreign key constraint \"child_id_fkey\"\n0",
	'a commit that fails fails the run, and frees the flow');
is(last_run('flow, status, error_code'), 'commit|failed|23503', 'which its books say');
is(psql('SELECT count(*) FROM child;'), 0, 'the step is undone');
done_testing();
