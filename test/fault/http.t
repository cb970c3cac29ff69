#!/usr/bin/perl
# What the network and a server can do to a request, and what becomes of it.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use IPC::Open3;
use Test::More;
use Time::HiRes qw(time);

# The database server reads files in it as another user.
my $folder = tempdir(CLEANUP => 1);
chmod 0755, $folder;
my @children;
END { kill 'TERM', @children if @children }

sub put
{
	my ($name, $content) = @_;

	open my $file, '>', "$folder/$name" or die "$name: $!\n";
	print $file $content;
	close $file;
}

# Start a program; returns the first line that it prints of a pattern.
sub start
{
	my ($pattern, @command) = @_;
	my $pid = open my $out, '-|', @command or die "$command[0]: $!\n";

	push @children, $pid;
	while (my $line = <$out>)
	{
		next unless $line =~ $pattern;
		our @open;
		push @open, $out;
		return $1;
	}
	die "$command[0] did not start\n";
}

put('log', '');
my $port = start(qr/^(\d+)$/, $^X, "$FindBin::Bin/wire_server.pl", $folder);

# Run SQL in a new session; returns what it prints, errors with their SQLSTATE.
sub psql
{
	my ($sql) = @_;
	my $pid = open3(my $in, my $out, undef, qw(psql -XqAtw -v VERBOSITY=verbose));
	local $/;

	print $in "SET client_min_messages = warning;\n$sql\n";
	close $in;
	my $text = <$out>;
	waitpid $pid, 0;
	$text =~ s/^LOCATION:.*\n//mg;
	return $text;
}

# Statements that make a server whose requests meet a behaviour.
sub server
{
	my ($behaviour, $options, $mapping) = @_;

	$options = $options ? ", $options" : '';
	$mapping = "email 'ada\@example.com', api_token 'very-secret'" unless defined $mapping;
	$mapping = "OPTIONS ($mapping)" if $mapping;
	return "DROP SERVER IF EXISTS wire CASCADE;\n"
	  . "CREATE SERVER wire FOREIGN DATA WRAPPER resolute_jira OPTIONS ("
	  . "base_url 'http://127.0.0.1:$port/$behaviour', allow_http 'on', allow_private 'on'$options);\n"
	  . "CREATE USER MAPPING FOR PUBLIC SERVER wire $mapping;\n";
}

my $check = "SELECT deployment_type, account, time_zone, server_version FROM resolute.check_connection('wire');\n";
my $once = "SET resolute.http_attempts = 1;\n";
my $good = "Cloud|Ada (ada\@example.com)|Europe/Paris|1001.0.0\n";

# The lines of the log since the last call.
sub requests
{
	open my $file, '<', "$folder/log" or die "log: $!\n";
	my @lines = <$file>;

	put('log', '');
	return @lines;
}

# What a check of a server with that behaviour prints; never the secret.
sub outcome
{
	my ($behaviour, %with) = @_;

	put('log', '');
	put('answer', $with{answer}) if defined $with{answer};
	return psql(server($behaviour, $with{options}, $with{mapping})
		  . ($with{set} // $once) . $check);
}

sub fails
{
	my ($behaviour, $code, $pattern, %with) = @_;
	my $text = outcome($behaviour, %with);
	my $name = $with{name} // $behaviour;

	like($text, qr/^ERROR:  $code: /m, "$name is $code");
	like($text, $pattern, "$name says so");
	unlike($text, qr/very-secret|dmVyeS1zZWNyZXQ|YWRhQ/, "$name shows no secret");
}

# works
is(outcome('ok'), $good, 'a connection is checked');
is(psql(server('ok') . $check . $check), $good x 2, 'and checked again');
requests();
psql($check x 5);
my %connections = map { (split)[0] => 1 } requests();
cmp_ok(scalar keys %connections, '<=', 2, 'connections are kept alive');
is(outcome('gzip'), $good, 'a compressed answer is read');
is(psql(server('early') . $check x 3), $good x 3, 'a connection that died while idle is replaced');

# credentials
outcome('ok');
like((requests())[0], qr/ Basic YWRhQGV4YW1wbGUuY29tOnZlcnktc2VjcmV0$/, 'email and api_token are sent as Basic');
outcome('ok', mapping => "token 'very-secret'");
like((requests())[0], qr/ Bearer very-secret$/, 'token is sent as Bearer');
is(outcome('ok', mapping => ''), "Cloud|||1001.0.0\n", 'an empty mapping is anonymous');
like((requests())[0], qr/ anonymous$/, 'and sends nothing');
put('token', "first-token\n");
psql(server('ok', '', "api_token_file '$folder/token'") . $check);
like((requests())[0], qr/ Bearer first-token$/, 'a token is read from a file');
psql($check . "\\! printf second-token >$folder/token\n" . $check);
like((requests())[-1], qr/ Bearer second-token$/, 'and read again when it was replaced');
psql(server('ok') . $check . "ALTER USER MAPPING FOR PUBLIC SERVER wire OPTIONS (SET api_token 'other');\n" . $check);
like((requests())[-1], qr/ Basic YWRhQGV4YW1wbGUuY29tOm90aGVy$/, 'an altered mapping is seen');
psql(server('ok') . $check . "ALTER SERVER wire OPTIONS (SET base_url 'http://127.0.0.1:$port/gzip');\n" . $check);
like((requests())[-1], qr/ gzip /, 'an altered server is seen');

# no connection
fails('ok', '08001', qr/Check option "base_url"/, name => 'a refused connection',
	options => "user_agent 'x'); ALTER SERVER wire OPTIONS (SET base_url 'http://127.0.0.1:1'");
fails('ok', '08001', qr/could not find the host/, name => 'an unknown host',
	options => "user_agent 'x'); ALTER SERVER wire OPTIONS (SET base_url 'https://" . 'x' x 64 . ".example'");
fails('garbage', '08P01', qr/does not speak HTTP/);

# answers that do not come, or not whole
fails('silent', '08006', qr/did not answer in time/, options => "timeout '0.3'");
fails('stall', '08006', qr/did not answer in time/, options => "timeout '0.3'");
fails('drip', '08006', qr/did not answer in time/, options => "timeout '0.5'");
fails('truncate', '08006', qr/broke before the answer was complete/);
fails('reset', '08006', qr/broke before the answer was complete/);
fails('cut', '08P01', qr/cannot be read/);
fails('large.100000', '54000', qr/more than 10240 bytes/, options => "max_body '10kB'");
fails('bomb.1000000', '54000', qr/more than 10240 bytes/, options => "max_body '10kB'");
fails('headers', '08P01', qr/too many headers|does not speak HTTP/);
outcome('truncate', set => "SET resolute.http_attempts = 3;\n");
is(scalar(grep { /serverInfo/ } requests()), 3, 'resolute.http_attempts is how often a request is tried');

# refusals
my $text = '{"errorMessages":["No \"x\" for you.","Nor this."],"errors":{"jql":"bad"}}';
fails('status.400', '22023', qr/400 Bad Request: No "x" for you. Nor this. jql: bad$/m, answer => "\n$text");
fails('status.400', '22023', qr/400 Bad Request: only a text$/m, answer => "\n" . '{"errorMessages":"only a text"}');
fails('status.400', '22023', qr/400 Bad Request: message$/m, answer => "\n" . '{"message":"message","errors":[]}');
fails('status.400', '22023', qr/400 Bad Request\.$/m, answer => "\nnot json", name => 'a 400 without words');
fails('status.400', '22023', qr/400 Bad Request: a\x{ef}\x{bf}\x{bd}b c$/m, answer => "\n" . "{\"message\":\"a\xffb\\nc\"}", name => 'a 400 that is not UTF-8');
like(outcome('status.400', answer => "\n{\"message\":\"" . 'long ' x 10000 . '"}'), qr/^DETAIL:  .{500,600}\.\.\.$/m, 'long words are cut');
fails('echo', '22023', qr/Accept-Language: en; X-Force-Accept-Language: true/, name => 'a server that sends the secret back');
fails('status.401', '28000', qr/user mapping for "PUBLIC" on server "wire"/, answer => "\n");
fails('status.401', '28000', qr/has no credentials/, answer => "\n", mapping => '', name => 'an anonymous 401');
fails('status.403', '28000', qr/user mapping for "PUBLIC"/, answer => "Retry-After: 0\n\n");
fails('status.403', '28000', qr/CAPTCHA/, name => 'a CAPTCHA',
	answer => "X-Authentication-Denied-Reason: CAPTCHA_CHALLENGE; login-url=https://x/login.jsp\n\n");
fails('status.200', '28000', qr/credentials were rejected/, name => 'an anonymous 200',
	answer => "X-Seraph-LoginReason: AUTHENTICATED_FAILED\n\n{}");
fails('status.200', '28000', qr/credentials were rejected/, name => 'an anonymous 200 that says OK as well',
	answer => "X-Seraph-LoginReason: OK\nX-Seraph-LoginReason: AUTHENTICATED_FAILED\n\n{}");
fails('status.200', '28000', qr/credentials were rejected/, name => 'a denied 200',
	answer => "X-Seraph-LoginReason: AUTHENTICATION_DENIED\n\n{}");
fails('status.404', '08004', qr/context path/, answer => "\n");
fails('status.410', '08004', qr/has been removed/, answer => "\n" . '{"errorMessages":["The requested API has been removed."]}');
fails('status.302', '08004', qr/redirects to "login.example.com"/, answer => "Location: https://login.example.com/a?token=very-secret\n\n");
fails('status.301', '08004', qr/redirects to "127.0.0.1"/, answer => "Location: /elsewhere\n\n");
fails('status.200', '08P01', qr/answered with a web page/, answer => "Content-Type: text/html; charset=utf-8\n\nLog in");
fails('status.200', '08P01', qr/answered with a web page/, answer => "\n \n<!DOCTYPE html>", name => 'a web page called JSON');
fails('status.500', '08006', qr/500 Internal Server Error with a web page/, answer => "Content-Type: text/html\n\n<html>very-secret");
fails('status.418', '08P01', qr/418/, answer => "\n");

# asking to wait
sub waits
{
	my ($name, $behaviour, $answer, $least, $most) = @_;
	my $begin = time;

	is(outcome($behaviour, set => '', answer => $answer), $good, "$name is waited out");
	my $took = time - $begin;
	ok($took >= $least && $took < $most, "$name takes as long as it should") or diag("$took s");
}
my $date = "Date: Thu, 01 Jan 2026 00:00:59 GMT\n";
waits('503', 'first.503', "\n", 0, 3);
waits('429 without a hint', 'first.429', "\n", 0, 3);
waits('Retry-After: 0', 'first.429', "Retry-After: 0\n\n", 0, 3);
waits('Retry-After in seconds', 'first.429', "Retry-After: 1\n\n", 1, 4);
waits('Retry-After as a date', 'first.503', "${date}Retry-After: Thu, 01 Jan 2026 00:01:00 GMT\n\n", 1, 4);
waits('X-RateLimit-Reset as ISO', 'first.429', "${date}X-RateLimit-Reset: 2026-01-01T00:01Z\n\n", 1, 4);
waits('X-RateLimit-Reset as epoch', 'first.403', "${date}x-ratelimit-remaining: 0\nx-ratelimit-reset: 1767225660\n\n", 1, 4);
waits('a reset in the past', 'first.429', "${date}X-RateLimit-Reset: 2025-01-01T00:01Z\n\n", 0, 3);
for my $header ('Retry-After: 3600', "${date}Retry-After: Thu, 01 Jan 2026 01:00:59 GMT", "${date}X-RateLimit-Reset: 2026-01-01T01:01Z")
{
	fails('status.429', '53400', qr/the next request is due at/, answer => "$header\n\n", set => '', name => $header);
}
fails('status.429', '53400', qr/limits the rate/, answer => "Retry-After: 1\n\n", name => 'a 429 of the last attempt');
fails('status.403', '53400', qr/limits the rate/, answer => "Retry-After: 600\n\n", name => 'a 403 that is a 429');
fails('status.429', '53400', qr/limits the rate/, set => "SET resolute.max_wait = 0;\n", answer => "Retry-After: 1\n\n", name => 'resolute.max_wait');

# the session goes on after an error
my $caught = "DO \$\$ BEGIN PERFORM resolute.check_connection('wire'); EXCEPTION WHEN OTHERS THEN RAISE WARNING '%', SQLSTATE; END \$\$;\n";
put('answer', "\n");
put('log', '');
# The first error gives up the second request, which may not have been seen by then.
like(psql(server('first.500') . $once . $caught . $caught . $check), qr/^WARNING:  01000: 08006\n(?:WARNING:  01000: 08006\n)?\Q$good\E$/, 'a caught error leaves the connection usable');
like(psql(server('silent', "timeout '0.2'") . $once . "SELECT pg_backend_pid();\n" . $caught x 20
	  . "SELECT count(*) < 32 FROM pg_ls_dir('/proc/self/fd') AS fd WHERE pg_stat_file('/proc/self/fd/' || fd, true) IS NOT NULL;\nSELECT 'alive';\n"),
	qr/^t\nalive$/m, 'failures leave no sockets behind') if -d '/proc/self/fd';
like(psql(server('ok') . $check . "REVOKE USAGE ON FOREIGN SERVER wire FROM PUBLIC;\n"
	  . "CREATE ROLE resolute_test_fault; GRANT USAGE ON SCHEMA resolute TO resolute_test_fault;\n"
	  . "GRANT EXECUTE ON FUNCTION resolute.check_connection(text) TO resolute_test_fault;\n"
	  . "SET ROLE resolute_test_fault;\n" . $check . "RESET ROLE;\n"
	  . "DROP OWNED BY resolute_test_fault; DROP ROLE resolute_test_fault;\n"),
	qr/ERROR:  42501: permission denied for foreign server wire/, 'USAGE is checked although the connection is cached');

# cancel, terminate, and DDL, while the server is silent
sub interrupted
{
	my ($name, $statement, $pattern, $then) = @_;
	my $pid = open3(my $in, my $out, undef, qw(psql -XqAtw -v VERBOSITY=verbose));

	print $in "SET application_name = 'silent';\n$check SELECT 'alive';\n";
	close $in;
	my $waiting = "FROM pg_stat_activity WHERE application_name = 'silent' AND wait_event_type = 'Extension'";
	my $deadline = time + 20;
	1 until psql("SELECT count(*) $waiting;") == 1 || time > $deadline;
	psql($then) if $then;
	my $begin = time;
	psql("SELECT $statement(pid) $waiting;");
	my $text = do { local $/; <$out> };
	my $took = time - $begin;
	waitpid $pid, 0;
	like($text, $pattern, $name);
	ok($took < 3, "$name is quick") or diag("$took s");
}
for my $round (['a cancel', 'pg_cancel_backend', qr/ERROR:  57014: canceling statement due to user request.*alive/s],
	['a cancel after DROP SERVER', 'pg_cancel_backend', qr/ERROR:  57014: .*alive/s, "DROP SERVER wire CASCADE;"],
	['a termination', 'pg_terminate_backend', qr/57P01|terminating connection/])
{
	my ($name, $statement, $pattern, $then) = @$round;

	psql(server('silent'));
	interrupted($name, $statement, $pattern, $then);
}
my $begin = time;
like(psql(server('silent') . "SET statement_timeout = '300ms';\n" . $check . "SELECT 'alive';\n"),
	qr/ERROR:  57014: canceling statement due to statement timeout.*alive/s, 'statement_timeout ends a wait');
ok(time - $begin < 3, 'statement_timeout is quick');

# TLS, where there is an openssl
SKIP:
{
	skip 'there is no openssl here', 6 if system('openssl version >/dev/null 2>&1') != 0;
	mkdir "$folder/tls";
	mkdir "$folder/tls/rest" and mkdir "$folder/tls/rest/api" and mkdir "$folder/tls/rest/api/2";
	for my $file (qw(serverInfo myself))
	{
		put("tls/rest/api/2/$file", "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
			  . '{"deploymentType":"Server","version":"9.12","displayName":"Ada","timeZone":"UTC"}');
	}
	system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
		  . " -keyout $folder/key.pem -out $folder/cert.pem >/dev/null 2>&1") == 0 or die "no certificate\n";
	my $tls = start(qr/^ACCEPT .*:(\d+)/, 'sh', '-c', "cd $folder/tls && exec openssl s_server -HTTP"
		  . " -accept 127.0.0.1:0 -cert ../cert.pem -key ../key.pem 2>/dev/null");
	my $move = "user_agent 'x'); ALTER SERVER wire OPTIONS (SET base_url 'https://localhost:$tls'";

	fails('ok', '08001', qr/secure connection.*ca_file/s, options => $move, name => 'a self-signed certificate');
	is(outcome('ok', options => "$move, ADD ca_file '$folder/cert.pem'"), "Server|Ada|UTC|9.12\n", 'ca_file makes it good');
	like(outcome('ok', options => "$move, ADD ca_file '$folder/none.pem'"), qr/08001/, 'a missing ca_file is an error');
	$move =~ s/localhost/127.0.0.1/;
	like(outcome('ok', options => "$move, ADD ca_file '$folder/cert.pem'"), qr/08001/, 'a certificate of another name is refused');
}
psql("DROP SERVER IF EXISTS wire CASCADE;");
done_testing();
