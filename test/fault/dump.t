#!/usr/bin/perl
# A database that is dumped and restored keeps its flows and cursors, and goes on where it was.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::Bin;
use Flow;
use Test::More;

my @tables = split /\n/, psql("SELECT relname FROM pg_class WHERE relnamespace = 'resolute'::regnamespace AND relkind = 'r' ORDER BY 1;");
my $folder = tempdir(CLEANUP => 1);
my $copy = "$ENV{PGDATABASE}_copy";

# All that a table holds, as text.
sub content
{
	return psql("COPY (SELECT t FROM resolute.$_[0] t ORDER BY t::text) TO STDOUT;");
}

# Two flows: one that stands in the middle of a walk, one that has had some history and is another role's.
sim('reset', issues => 500);
use_simulator();
create_target($_) for 'issues', 'others';
must("ALTER TABLE others ADD CHECK (summary <> 'refused');");
create_flow('half');
create_flow('whole', target => 'others');
must("CREATE ROLE dump_owner; GRANT ALL ON others TO dump_owner; GRANT USAGE ON FOREIGN SERVER jira TO dump_owner;"
	  . " CREATE USER MAPPING FOR dump_owner SERVER jira OPTIONS (email 'ada\@example.com', api_token 'sim-token');"
	  . " SELECT resolute.create_queue('sync', max_running => 1), resolute.alter_flow('whole', owner => 'dump_owner', max_failures => 7, queue => 'sync');");
psql("CALL resolute.run('whole');");
sim('edit', id => $_, summary => 'refused') for 10001 .. 10003;
sim('edit', id => $_, summary => 'new') for 10101 .. 10107;
psql("CALL resolute.run('whole');");
create_flow('whole', target => 'others', page_size => 20);
psql("CALL resolute.run('whole');");
sim('block', skip => 20);
my $session = start_session("CALL resolute.run('half');");
sim('wait', blocked => 1);
until_sql('SELECT count(*) FROM issues;', '200');
psql('SELECT pg_cancel_backend(' . running_pid('half') . ');');
end_session($session);
sim('release');
sim('wait', open => 0);
is(psql("SELECT (SELECT count(*) FROM issues), (SELECT count(*) FROM resolute.dead_letters), (SELECT count(*) FROM resolute.runs), (SELECT count(*) FROM resolute.flow_versions);"),
	'200|3|4|3', 'there is something to dump');

my %before = map { $_ => content($_) } @tables;
is(join(' ', grep { $before{$_} eq '' } @tables), '', 'in every table');

for my $format ('plain', 'custom')
{
	is(system("pg_dump -w --format=$format --file=$folder/$format"), 0, "$format: the database is dumped");
	is(system("createdb -w -T template0 $copy"), 0, "$format: there is another one");
	local $ENV{PGDATABASE} = $copy;
	is(system($format eq 'plain'
			? "psql -Xqw -v ON_ERROR_STOP=1 -f $folder/plain >$folder/out"
			: "pg_restore -w --exit-on-error --dbname=$copy $folder/custom"), 0, "$format: it is restored");
	is(content($_), $before{$_}, "$format: $_ is the same") for @tables;
	is(psql("SELECT resolute.create_or_replace_flow('new', resolute.manual(), resolute.sql('SELECT 1'));\nCALL resolute.run('new');"),
		'1', "$format: flows can be added");

	# the half goes on in its walk
	sim('log', clear => 1);
	is(psql("CALL resolute.run('half');"), '', "$format: the half run goes on");
	my @searches = searches();
	is(served(@searches), 300, "$format: with what was left");
	same_as_source("$format: to its end");

	# the whole asks for what is new
	is(psql("CALL resolute.run('whole');"), '', "$format: the whole one runs");
	cmp_ok(served(searches()), '<=', 40, "$format: and asks for what is new");
	must("ALTER TABLE others DROP CONSTRAINT others_summary_check;");
	is(psql("SELECT resolute.reset_cursor('whole', owner => 'dump_owner'); CALL resolute.run('whole');\nSELECT open_dead_letters FROM resolute.flow_status WHERE flow = 'whole';"),
		"\n0", "$format: the dead letters are resolved when their rows can be stored");
	same_as_source("$format: then nothing is missing", 'others');
	is(system("dropdb -w $copy"), 0, "$format: the copy is dropped");
}

END
{
	local $?;
	system("dropdb -w --if-exists $copy 2>/dev/null");
	psql('DROP OWNED BY dump_owner; DROP ROLE dump_owner;');
}

done_testing;
