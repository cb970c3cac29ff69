#!/usr/bin/perl
# A database that was dumped and restored keeps its flows, their cursors and their books.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Temp qw(tempdir);
use Flow;
use Test::More;

my $folder = tempdir(CLEANUP => 1);
my $old = $ENV{PGDATABASE};
my $new = "${old}_restored";

# Run a program that must succeed.
sub run
{
	system(@_) == 0 or die "@_ failed\n";
}

# The tables of resolute as text.
sub books
{
	my $tables = psql("SELECT relname FROM pg_class WHERE relnamespace = 'resolute'::regnamespace AND relkind = 'r' ORDER BY 1;");

	return map { ($_ => psql("SELECT t::text FROM resolute.$_ AS t ORDER BY 1;")) } split /\n/, $tables;
}

sim('reset', issues => 60);
use_simulator();
create_target('issues');
must('ALTER TABLE issues ADD CHECK (id <> 10003);');
must('CREATE ROLE restored_owner; GRANT ALL ON issues TO restored_owner; GRANT USAGE ON FOREIGN SERVER jira TO restored_owner;'
	  . " CREATE USER MAPPING FOR restored_owner SERVER jira OPTIONS (email 'ada\@example.com', api_token 'sim-token');");
create_flow('kept', page_size => 10);
must("SELECT resolute.create_queue('sync', max_running => 1), resolute.alter_flow('kept', owner => 'restored_owner', max_failures => 7, queue => 'sync');");

# A run that is broken off, so that there is a walk, and another one that fails
run('curl', '-sS', '--noproxy', '*', '-o', "$folder/fault", '-d', '{"skip": 3, "status": 400}', "$ENV{RESOLUTE_SIM}/_sim/fault");
like(psql("CALL resolute.run('kept');"), qr/^ERROR:  22023/m, 'a run that stops on its way');
my %before = books();
is(join(' ', sort grep { $before{$_} eq '' } keys %before), '', 'every table has rows');

run('pg_dump', '-w', '-Fc', '-f', "$folder/dump", $old);
run('createdb', '-w', '-T', 'template0', $new);
$ENV{PGDATABASE} = $new;
run('pg_restore', '-w', '-e', '-d', $new, "$folder/dump");
is_deeply({ books() }, \%before, 'all of them are restored as they were');

sim('log', clear => 1);
must("CALL resolute.run('kept');");
is(served(searches()), 30, 'the restored flow goes on with its walk');
same_as_source_but_one();
is(psql('SELECT count(*) FROM (SELECT flow_id FROM resolute.flows UNION ALL SELECT version FROM resolute.flow_versions) t;'), 2, 'nothing was defined anew');
is(psql("SELECT resolute.create_flow('another', resolute.manual(), resolute.sql('SELECT 1'));"), 1, 'and new flows get new numbers');

# The dead letter's row is in the source only.
sub same_as_source_but_one
{
	is(psql('SELECT count(*), count(*) FILTER (WHERE id = 10003) FROM issues;'), '59|0', 'and brings the rest');
	is(psql("SELECT attempts, resolved_at IS NULL FROM resolute.dead_letters;"), '1|t', 'the dead letter waits');
}

$ENV{PGDATABASE} = $old;
run('dropdb', '-w', '-f', $new);
must('DROP OWNED BY restored_owner; DROP ROLE restored_owner;');
done_testing();
