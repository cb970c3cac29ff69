#!/usr/bin/perl
# A cursor whose position is kept in Redis: it is written there after the rows, and
# whatever happens to Redis, nothing is skipped and nothing fails in silence.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use HTTP::Tiny;
use IO::Socket::INET;
use POSIX ();
use Redis;
use Test::More;

plan skip_all => 'there is no redis-server here' unless Redis::is_here();

use constant ISSUES => 1000;
use constant PAGE => 100;

# The words of psql are terse: the first line of an error, with its code.
sub error_of { my ($text) = @_; return $text =~ /^(?:psql:.*?: )?ERROR:  (\w{5})/m ? $1 : $text; }
sub run { return psql("CALL resolute.run('redis');"); }
sub noticed { return psql("SET client_min_messages = notice; CALL resolute.run('redis');"); }

sim('reset', issues => ISSUES, projects => 'PLATFORM,MOBILE');
use_simulator();
create_target('issues');
my $redis = Redis->start;
my $key = 'resolute:redis';

must("CREATE SERVER store FOREIGN DATA WRAPPER resolute_redis"
	  . " OPTIONS (url 'redis://127.0.0.1:$redis->{port}', allow_plain 'on', allow_private 'on', timeout '2s');"
	  . "CREATE USER MAPPING FOR CURRENT_USER SERVER store;");

sub define { my (%with) = @_; return create_flow('redis', page_size => PAGE, storage => 'store', %with); }
sub position_ms { return psql("SELECT (extract(epoch FROM position) * 1000)::bigint FROM resolute.cursors WHERE name = 'redis';"); }
sub writes { return $redis->cli('INFO', 'commandstats') =~ /^cmdstat_set:calls=(\d+)/m ? $1 : 0; }
sub fetched { return last_run('source_records'); }

# Begin with nothing read.
sub begin_again
{
	must("DELETE FROM resolute.cursors; TRUNCATE issues;");
	$redis->cli('FLUSHALL');
	define(@_);
	sim('log', clear => 1);
	return;
}

# Something new in the source: an issue that no run has seen.
sub add { sim('add', project => 'PLATFORM', count => $_[0]); return; }

# What it is for ------------------------------------------------------------------------------

define();
is(run(), '', 'a run with a cursor in Redis succeeds');
same_as_source('and stores everything');
is($redis->cli('GET', $key), position_ms(), 'the key holds the position, in milliseconds');
my $writes = writes();
cmp_ok($writes, '>=', ISSUES / PAGE - 1, 'it was written page by page');
add(1);
is(run(), '', 'the next run succeeds');
cmp_ok(fetched(), '<', 100, 'and reads what is new');
$writes = writes();
is(run() . fetched() . (writes() - $writes), '' . fetched() . '0', 'a run with nothing new writes nothing');
is($redis->cli('CONFIG', 'RESETSTAT'), 'OK', '(the statistics begin again)');

# Somebody else moves it: that rules ------------------------------------------------------------

my $earlier = psql("SELECT (extract(epoch FROM (SELECT updated FROM issues ORDER BY updated DESC OFFSET 300 LIMIT 1)) * 1000)::bigint;");
$redis->cli('SET', $key, $earlier);
like(noticed(), qr/NOTICE:  00000: cursor "redis" was moved in storage "store"/, 'a position that was set back is noticed');
cmp_ok(fetched(), '>=', 300, 'and read from');
cmp_ok(fetched(), '<', 400, 'no further');
is($redis->cli('GET', $key), position_ms(), 'and the key is brought up to date');

$redis->cli('DEL', $key);
like(noticed(), qr/NOTICE:  00000: storage "store" holds nothing for cursor "redis" any more/, 'a key that was deleted is noticed');
is(fetched(), ISSUES + 1, 'and everything is read');

must("SELECT resolute.set_cursor('redis', '$earlier');");
is(run(), '', 'a cursor that was set by hand');
cmp_ok(fetched(), '>=', 300, 'is read from');
is($redis->cli('GET', $key), position_ms(), 'and the key follows');
my $ahead = position_ms() + 60_000;
$redis->cli('SET', $key, $ahead);
like(run(), qr/WARNING:  01000: cursor "redis" was moved ahead in storage "store"/, 'a position ahead of the rows is a warning');
is(psql("SELECT old_position < new_position, run_id IS NULL FROM resolute.cursor_history WHERE action = 'storage' ORDER BY history_id DESC LIMIT 1;"),
	't|t', 'and stands in the history');

# By hand ---------------------------------------------------------------------------------------

begin_again();
run();
my $end = position_ms();
must("SELECT resolute.reset_cursor('redis');");
is($redis->cli('GET', $key), $end, 'a reset changes nothing in Redis by itself');
HTTP::Tiny->new(proxy => undef, http_proxy => undef)->post("$ENV{RESOLUTE_SIM}/_sim/fault",
	{ content => '{"status": 400, "body": {"errorMessages": ["no"]}}' })->{success} or die "no fault\n";
is(error_of(run()), '22023', 'a run that begins and fails');
is($redis->cli('EXISTS', $key), '0', 'has deleted the key first');
is(run() . fetched(), ISSUES + 1, 'and the next one reads everything');
must("SELECT resolute.reset_cursor('redis'); SELECT resolute.set_cursor('redis', '$earlier');");
is(run(), '', 'of several moves by hand');
cmp_ok(fetched(), '<', 400, 'the last one counts');
is($redis->cli('GET', $key), $end, 'and the key is up to date again');
add(3);
run();
must("SELECT resolute.rollback_cursor('redis');");
is(run() . $redis->cli('GET', $key), position_ms(), 'a rollback reaches the key');
psql("BEGIN; SELECT resolute.set_cursor('redis', now()::text); ROLLBACK;");
is(noticed() =~ /moved/ ? 'moved' : position_ms(), $redis->cli('GET', $key), 'a move that was rolled back has not happened');

# In somebody's transaction: the run after writes it ----------------------------------------------

begin_again();
is(psql("SELECT status FROM resolute.run_flow('redis');"), 'succeeded', 'run_flow succeeds');
is($redis->cli('EXISTS', $key), '0', 'and writes nothing before its commit');
same_as_source('its rows are stored');
$end = position_ms();
is(psql("SELECT status, source_records < 100 FROM resolute.run_flow('redis');"), 'succeeded|t', 'the next one goes on from there');
is($redis->cli('GET', $key), $end, 'and has written what was committed');
add(2);
psql("BEGIN; SELECT status FROM resolute.run_flow('redis'); ROLLBACK;");
is($redis->cli('GET', $key), $end, 'a run that was rolled back has written nothing');
is(psql("SELECT status FROM resolute.run_flow('redis');"), 'succeeded', 'nor has one that was not');
is(psql("SELECT count(*) FROM resolute.preview_flow('redis', 1);"), '1', 'nor does a preview write what it left');
is($redis->cli('GET', $key), $end, 'as the key shows');
is(run(), '', 'but the next run does');
same_as_source('which has everything');
is($redis->cli('GET', $key), position_ms(), 'and the key as well');

# Formats -----------------------------------------------------------------------------------------

begin_again(format => '2006-01-02 15:04', bound => '"${cursor}"');
is(run(), '', 'a cursor with a layout');
is($redis->cli('GET', $key), psql("SELECT to_char(position AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM resolute.cursors;"), 'is written by it, cut off');
define(format => '2006/01/02 15:04', bound => '"${cursor}"');
is(run(), '', 'another layout');
cmp_ok(fetched(), '<', 100, 'is no reason to begin anew');
is($redis->cli('GET', $key), psql("SELECT to_char(position AT TIME ZONE 'UTC', 'YYYY/MM/DD HH24:MI') FROM resolute.cursors;"), 'and is written at once');
my $before = position_ms();
run();
is(position_ms(), $before, 'the table still knows the rest');
$redis->cli('SET', $key, '2026/01/02 03:04');
add(1);
like(noticed(), qr/was moved in storage/, 'a position of that format');
is(psql("SELECT new_position FROM resolute.cursor_history WHERE action = 'storage' ORDER BY history_id DESC LIMIT 1;"),
	'2026-01-02 03:04:00+00', 'is read, in UTC');
is(error_of(psql("SELECT resolute.create_or_replace_flow('x', resolute.manual(), resolute.as('i', resolute.jira_fetch_issues('jira',"
	. " jql => 'updated >= \"\${cursor}\"', cursor => resolute.cursor_for('x', storage => 'store', format => '200612'))));")),
	'22023', 'a format that cannot be read back is refused');

# What goes wrong before anything is read -----------------------------------------------------------

# The run fails with that code, and leaves table, cursor and key as they are.
sub fails_with
{
	my ($code, $name, $key_after) = @_;
	my $state = "SELECT (SELECT count(*) FROM issues), (SELECT (position, walk, moves)::text FROM resolute.cursors);";
	my $before = psql($state);
	my $text = run();

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(error_of($text), $code, $name);
	is(last_run('status, error_code'), "failed|$code", '... and the run says so');
	is(psql($state), $before, '... and nothing has moved');
	unlike($text, qr/sesame/, '... and no secret is told');
	return $text;
}

begin_again();
run();
add(1);
$redis->cli('SET', $key, 'yesterday');
like(fails_with('22007', 'garbage in the key'), qr/HINT:  Write a position there, such as "\d{13}"/, '... and how a position is written');
is($redis->cli('GET', $key), 'yesterday', '... which is still there');
$redis->cli('SET', $key, "17\x0117");
fails_with('22007', 'bytes in the key');
$redis->cli('SET', $key, '99999999999999');
fails_with('22008', 'a position in the future');
$redis->cli('SET', $key, 'x' x 100_000);
fails_with('54000', 'a value without end');
$redis->cli('DEL', $key);
$redis->cli('RPUSH', $key, 'a', 'b');
fails_with('42804', 'a list at the key');
is($redis->cli('LLEN', $key), '2', '... which is still there');
must("SELECT resolute.reset_cursor('redis');");
fails_with('42804', 'a list at the key, after a reset');
is($redis->cli('LLEN', $key), '2', '... is not deleted either');
$redis->cli('DEL', $key);
is(run(), '', 'and without it the flow runs');

$redis->cli('CONFIG', 'SET', 'requirepass', 'sesame');
fails_with('28000', 'a password that is wanted, and not given');
must("ALTER USER MAPPING FOR CURRENT_USER SERVER store OPTIONS (ADD password 'not-sesame');");
fails_with('28000', 'a wrong password');
must("ALTER USER MAPPING FOR CURRENT_USER SERVER store OPTIONS (SET password 'sesame');");
is(run(), '', 'the right password');
must("ALTER USER MAPPING FOR CURRENT_USER SERVER store OPTIONS (ADD username 'nobody');");
fails_with('28000', 'an unknown user');
$redis->cli('-a', 'sesame', '--no-auth-warning', 'ACL', 'SETUSER', 'nobody', 'on', '>sesame', '~other:*', '+@all');
fails_with('42501', 'a user who may not read the key');
$redis->cli('-a', 'sesame', '--no-auth-warning', 'ACL', 'SETUSER', 'nobody', '~resolute:*');
is(run(), '', 'a user who may');
must("ALTER USER MAPPING FOR CURRENT_USER SERVER store OPTIONS (DROP username, DROP password);");
$redis->cli('-a', 'sesame', '--no-auth-warning', 'CONFIG', 'SET', 'requirepass', '');
must("DROP USER MAPPING FOR CURRENT_USER SERVER store;");
fails_with('28000', 'no user mapping');
must("CREATE USER MAPPING FOR CURRENT_USER SERVER store;");

sub url { my ($url, $more) = @_; must("ALTER SERVER store OPTIONS (SET url '$url'" . ($more // '') . ");"); return; }

url("redis://127.0.0.1:$redis->{port}/77");
fails_with('38000', 'a database that is not there');
url("redis://127.0.0.1:" . Redis::free_port());
fails_with('08001', 'a port where nobody listens');
url("redis://no-such-host.invalid");
fails_with('08001', 'a host that does not exist');
my $listener = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "no free port: $!\n";
defined(my $web = fork) or die "fork: $!\n";
if ($web == 0)
{
	my $peer = $listener->accept;
	print $peer "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
	1 while <$peer>;
	POSIX::_exit(0);
}
url('redis://127.0.0.1:' . $listener->sockport);
fails_with('08P01', 'a server that is no Redis');
waitpid $web, 0;
url("rediss://127.0.0.1:$redis->{port}", ", ADD connect_timeout '1s'");
fails_with('08006', 'a Redis that does not encrypt');
url("redis://127.0.0.1:$redis->{port}/0", ", DROP allow_private");
like(fails_with('08001', 'a private address'), qr/HINT:  A superuser may set option "allow_private"/, '... which a superuser may allow');
url("redis://localhost:$redis->{port}", ", ADD allow_private 'on'");
is(run(), '', 'and with all put right the flow runs');
same_as_source('and has everything');

# A Redis that hangs --------------------------------------------------------------------------------

$redis->hang;
my $started = time;
fails_with('08006', 'a Redis that says nothing');
cmp_ok(time - $started, '<', 30, '... for as long as option "timeout" says');
must("ALTER SERVER store OPTIONS (SET timeout '10min');");
my $session = start_session("SET application_name = 'hung'; CALL resolute.run('redis'); SELECT 'alive';");
until_sql("SELECT wait_event_type, backend_xmin IS NULL, backend_xid IS NULL FROM pg_stat_activity WHERE application_name = 'hung';", 'Extension|t|t');
is(psql("SELECT string_agg(DISTINCT locktype, ' ') FROM pg_locks WHERE pid = " . running_pid('redis') . " AND locktype NOT IN ('object', 'virtualxid');"),
	'', 'whoever waits for Redis holds no lock but those of flow and cursor');
$started = time;
is(psql("SELECT pg_cancel_backend(" . running_pid('redis') . ");"), 't', 'a cancel while it waits');
like(end_session($session), qr/ERROR:  57014.*alive/s, '... works');
cmp_ok(time - $started, '<', 5, '... at once');
is(last_run('status'), 'cancelled', '... and the run is cancelled');
$redis->go_on;
must("ALTER SERVER store OPTIONS (SET timeout '5s');");

# A Redis that dies in the middle ---------------------------------------------------------------------

# A run that has stored some pages, and waits for the next one.
sub half_a_run
{
	begin_again(@_);
	sim('block', skip => 5);
	my $session = start_session("CALL resolute.run('redis');");
	sim('wait', blocked => 1);
	until_sql("SELECT count(*) FROM issues;", 5 * PAGE);

	# The write of the last page to Redis comes after its commit; asked twice, Redis has answered it.
	my $end = time + 60;
	for (1 .. 2)
	{
		until ($redis->cli('GET', $key) eq position_ms())
		{
			die "the key does not follow\n" if time > $end;
		}
	}
	return $session;
}

# ... and goes on.
sub rest_of_run
{
	my ($session) = @_;

	sim('release');
	return end_session($session);
}

$session = half_a_run();
my $at = $redis->cli('GET', $key);
$redis->stop;
is(error_of(rest_of_run($session)), '08001', 'Redis is killed in the middle: the run fails');
is(last_run('status, error_code'), 'failed|08001', '... and says so');
is(psql('SELECT count(*) FROM issues;'), 6 * PAGE, '... its rows stay');
$redis->again;
is($redis->cli('GET', $key), $at, '... the key is behind them');
is(run(), '', 'the next run succeeds');
is(fetched(), psql('SELECT count(*) FROM issues;') - 6 * PAGE, '... goes on where the rows end');
same_as_source('... the table is the source');
is($redis->cli('GET', $key), position_ms(), '... and the key is up to date');

$session = half_a_run();
$redis->forget;
is(error_of(rest_of_run($session)), '40001', 'a Redis that lost everything in the middle: the run fails');
is(psql('SELECT count(*) FROM issues;'), 6 * PAGE, '... its rows stay');
like(noticed(), qr/holds nothing for cursor/, '... the next run begins anew');
cmp_ok(fetched(), '>=', ISSUES, '... and repeats everything');
same_as_source('... the table is the source');
is($redis->cli('GET', $key), position_ms(), '... and the key is there again');

$session = half_a_run();
$redis->cli('SET', $key, $earlier);
is(error_of(rest_of_run($session)), '40001', 'somebody else moves the key in the middle: the run fails');
is($redis->cli('GET', $key), $earlier, '... and does not overwrite that');
like(noticed(), qr/WARNING:.*moved ahead/, '... with which the next run begins');

$session = half_a_run();
$redis->cli('CONFIG', 'SET', 'maxmemory', '1');
is(error_of(rest_of_run($session)), '38000', 'a Redis that takes no more writes: the run fails');
$redis->cli('CONFIG', 'SET', 'maxmemory', '0');
is(run(), '', '... the next run succeeds');
same_as_source('... the table is the source');

$session = half_a_run();
$redis->cli('CLIENT', 'KILL', 'TYPE', 'normal');
is(rest_of_run($session), '', 'a connection that was closed meanwhile is opened again');
same_as_source('... the table is the source');
is($redis->cli('GET', $key), position_ms(), '... and the key is up to date');

$session = half_a_run();
$at = $redis->cli('GET', $key);
$redis->hang;
sim('release');
until_sql("SELECT count(*) FROM issues;", 6 * PAGE);
until_sql("SELECT wait_event_type, backend_xmin IS NULL, backend_xid IS NULL FROM pg_stat_activity WHERE pid = " . running_pid('redis') . ";", 'Extension|t|t');
is(psql("SELECT string_agg(DISTINCT locktype, ' ') FROM pg_locks WHERE pid = " . running_pid('redis') . " AND locktype NOT IN ('object', 'virtualxid');"),
	'', 'a run that waits for its write holds no lock but those of flow and cursor');
is(psql("SELECT pg_terminate_backend(" . running_pid('redis') . ");"), 't', 'a run that dies between its commit and its write');
like(end_session($session), qr/57P01/, '... is over');
$redis->go_on;
is($redis->cli('GET', $key), $at, '... the key is behind');
is(run(), '', '... the next run succeeds');
same_as_source('... the table is the source');
is($redis->cli('GET', $key), position_ms(), '... and the key is up to date');

# Who may -----------------------------------------------------------------------------------------

must("CREATE ROLE sync_store; GRANT USAGE ON SCHEMA resolute TO sync_store; GRANT EXECUTE ON ALL ROUTINES IN SCHEMA resolute TO sync_store;"
	. "GRANT USAGE ON FOREIGN SERVER jira TO sync_store; GRANT ALL ON issues TO sync_store;"
	. "CREATE USER MAPPING FOR sync_store SERVER jira OPTIONS (email 'ada\@example.com', api_token 'sim-token');"
	. "CREATE USER MAPPING FOR sync_store SERVER store;"
	. "SELECT resolute.alter_flow('redis', owner => 'sync_store');");
is(error_of(run()), '42501', 'an owner who may not use the server');
must("GRANT USAGE ON FOREIGN SERVER store TO sync_store;");
is(run(), '', 'and one who may');
must("SET ROLE sync_store; SELECT resolute.rollback_cursor('redis');");
psql("SELECT resolute.drop_flow('redis'); DROP OWNED BY sync_store; DROP ROLE sync_store;");

# Encrypted -----------------------------------------------------------------------------------------

my $certs = $redis->{folder};
system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
	. " -keyout $certs/key.pem -out $certs/cert.pem >/dev/null 2>&1");
chmod 0755, $certs;
chmod 0644, "$certs/key.pem", "$certs/cert.pem";
my $secure = Redis->start('tls-port' => Redis::free_port(), 'tls-cert-file' => "$certs/cert.pem", 'tls-key-file' => "$certs/key.pem",
	'tls-ca-cert-file' => "$certs/cert.pem", 'tls-auth-clients' => 'no');
my ($tls_port) = $secure->cli('CONFIG', 'GET', 'tls-port') =~ /(\d+)$/;
must("DELETE FROM resolute.cursors; TRUNCATE issues;");
url("rediss://localhost:$tls_port", ", DROP allow_plain");
define();
is(error_of(run()), '08001', 'a certificate that nobody has signed');
must("ALTER SERVER store OPTIONS (ADD ca_file '$certs/cert.pem');");
is(run(), '', 'an encrypted connection');
same_as_source('... the table is the source');
is($secure->cli('GET', $key), position_ms(), '... and the key is there');

done_testing;
