# What the tests of flows against the simulator share: sessions, the simulator's
# control, a flow, and the comparison of its target with the source.
package Flow;
use strict;
use warnings;
use Exporter 'import';
use File::Temp qw(tempfile);
use HTTP::Tiny;
use IPC::Open3;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

our @EXPORT = qw(psql must start_session start_blocked start_waiting end_session until_sql sim searches served
  use_simulator create_target create_flow same_as_source last_run running_pid time);

# Nothing here takes half as long; longer means that it hangs.
use constant PATIENCE_S => 60;

my @psql = qw(psql -XqAtw -v VERBOSITY=verbose);
my $http = HTTP::Tiny->new(proxy => undef, http_proxy => undef, timeout => PATIENCE_S);

plan skip_all => 'there is no simulator here' unless $ENV{RESOLUTE_SIM};

# A psql that cannot connect, while the server starts again, may be gone before it has read a word.
$SIG{PIPE} = sub { };

# What has to succeed for a test to mean anything.
sub must
{
	my ($sql) = @_;
	my $text = psql($sql);

	die $text if $text =~ /^(?:psql:|ERROR|FATAL)/m;
	return $text;
}

# Begin SQL in a session of its own.
sub start_session
{
	my ($sql) = @_;
	my ($out, $path) = tempfile('resolute-session.XXXXXX', TMPDIR => 1, UNLINK => 1);
	my $pid = open3(my $in, '>&' . fileno($out), undef, @psql);

	print $in "SET client_min_messages = warning;\n$sql\n";
	close $in;
	return { pid => $pid, path => $path };
}

# Wait for its end; returns what it printed, errors with their SQLSTATE.
sub end_session
{
	my ($session) = @_;
	local $SIG{ALRM} = sub { kill 'TERM', $session->{pid}; die "a session does not end\n" };
	local $/;

	alarm PATIENCE_S;
	waitpid $session->{pid}, 0;
	alarm 0;
	open my $file, '<', $session->{path} or die "$session->{path}: $!\n";
	my $text = <$file>;
	unlink $session->{path};
	$text =~ s/^LOCATION:.*\n//mg;
	return $text;
}

# Begin SQL and let it come to wait for the simulator, which blocks as told.
sub start_blocked
{
	my ($sql, %barrier) = @_;

	sim('log', clear => 1);
	sim('block', %barrier);
	my $session = start_session($sql);
	sim('wait', blocked => 1);
	return $session;
}

# The same, until it has come to rest there: a request may be sent before the work on the page
# before.  Returns its session and its process.
sub start_waiting
{
	my $session = start_blocked(@_);
	my $waiting = "FROM pg_stat_activity WHERE application_name = 'psql' AND wait_event_type = 'Extension'";

	until_sql("SELECT count(*) $waiting;", '1');
	return ($session, psql("SELECT pid $waiting;"));
}

sub psql
{
	my $text = end_session(start_session($_[0]));

	chomp $text;
	return $text;
}

# Ask again until the answer is the one expected: whatever else it is meanwhile.
sub until_sql
{
	my ($sql, $expected) = @_;
	my $end = time + PATIENCE_S;
	my $answer = '';

	while (time < $end)
	{
		return 1 if ($answer = psql($sql)) eq $expected;
	}
	die "still \"$answer\", not \"$expected\": $sql\n";
}

# Call an action of the simulator's control; returns its answer, decoded.
sub sim
{
	my ($action, %parameters) = @_;
	my $query = $http->www_form_urlencode(\%parameters);
	my $answer = $http->get("$ENV{RESOLUTE_SIM}/_sim/$action?$query");

	die "$action: $answer->{status} $answer->{content}\n" unless $answer->{success};
	return $answer->{content} =~ /^\s*[\[{]/ ? decode_json($answer->{content}) : $answer->{content};
}

# The searches of the log since it was cleared last.
sub searches
{
	return grep { $_->{path} =~ m{/search} } @{ sim('log', clear => 1) };
}

# The issues in their answers.
sub served
{
	my $issues = 0;

	$issues += $_->{issues} // 0 for @_;
	return $issues;
}

# Servers that reach the simulator: jira, as path says.
sub use_simulator
{
	my ($path) = @_;

	return must("CREATE SERVER jira FOREIGN DATA WRAPPER resolute_jira OPTIONS ("
		  . "base_url '$ENV{RESOLUTE_SIM}" . ($path // '') . "', allow_http 'on', allow_private 'on');\n"
		  . "CREATE USER MAPPING FOR CURRENT_USER SERVER jira OPTIONS (email 'ada\@example.com', api_token 'sim-token');");
}

sub create_target
{
	my ($table) = @_;

	return must("CREATE TABLE $table (id bigint PRIMARY KEY, key text, summary text, status text,"
		  . " assignee text, updated timestamptz, labels jsonb, synced timestamptz);");
}

# The flow that these tests run: all issues into a table, by id, so that a moved issue stays one.
sub create_flow
{
	my ($name, %with) = @_;
	my $target = $with{target} // 'issues';
	my $cursor = $with{cursor} // $name;
	my $page_size = $with{page_size} // 10;
	my $bound = $with{bound} // '${cursor}';
	my $format = $with{format} ? ", format => '$with{format}'" : '';
	my $storage = $with{storage} ? ", storage => '$with{storage}'" : '';
	my $field = $with{field} // '';
	my $overlap = defined $with{overlap} ? ", overlap => '$with{overlap}'" : '';
	my $concurrency = $with{concurrency} ? ", concurrency => $with{concurrency}" : '';
	my ($open, $close) = $with{when} ? ("resolute.when('issues',", ')') : ('', '');

	return must(<<SQL);
SELECT resolute.create_or_replace_flow('$name', resolute.manual(),
    resolute.as('issues', resolute.jira_fetch_issues('jira',
        jql => 'updated >= $bound', cursor => resolute.cursor_for('$cursor'$storage$format$overlap), page_size => $page_size$concurrency)),
    $open resolute.as('rows', resolute.map('issues', template => \$\${
        $field "id": {{.Id}}, "key": "{{.Key}}", "summary": "{{.Summary}}", "status": "{{.Status}}",
        "assignee": "{{.Assignee}}", "updated": "{{.Updated}}", "labels": {{json .Labels}}, "synced": "{{now}}"}\$\$)),
    resolute.as('unique', resolute.unique('rows', key => 'id')),
    resolute.as('stored', resolute.upsert('unique', target => '$target', key => 'id'))$close);
SQL
}

# Does the table hold exactly what the source holds?
sub same_as_source
{
	my ($name, $table) = @_;
	my $columns = 'id, key, summary, status, assignee, updated, labels';

	$table //= 'issues';
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(psql(<<SQL), '', $name);
CREATE TEMP TABLE answer (item jsonb);
\\copy answer FROM PROGRAM 'curl -sS --noproxy "*" $ENV{RESOLUTE_SIM}/_sim/issues' WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')
CREATE TEMP VIEW source AS
SELECT (item->>'id')::bigint AS id, item->>'key' AS key, item->>'summary' AS summary, item->>'status' AS status,
    item->>'assignee' AS assignee, to_timestamp((item->>'updated_ms')::bigint / 1000) + (item->>'updated_ms')::bigint % 1000 * interval '1 ms' AS updated,
    item->'labels' AS labels
FROM answer;
SELECT count(*) || ' rows of the source are not in the table', min(key)
FROM (SELECT $columns FROM source EXCEPT ALL SELECT $columns FROM $table) t HAVING count(*) > 0;
SELECT count(*) || ' rows of the table are not in the source', min(key)
FROM (SELECT $columns FROM $table EXCEPT ALL SELECT $columns FROM source) t HAVING count(*) > 0;
SELECT 'the source is empty' WHERE NOT EXISTS (SELECT FROM answer);
SQL
}

# Some columns of the latest run.
sub last_run
{
	my ($columns) = @_;

	return psql("SELECT $columns FROM resolute.runs ORDER BY run_id DESC LIMIT 1;");
}

# The process that runs a flow at this moment.
sub running_pid
{
	my ($flow) = @_;
	my $pid = psql("SELECT pid FROM resolute.runs WHERE status = 'running' AND flow = '$flow';");

	$pid =~ /^\d+$/ or die "flow $flow does not run: $pid\n";
	return $pid;
}

1;
