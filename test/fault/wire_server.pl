#!/usr/bin/perl
# A server with bad manners, for what the simulator does not do on the wire.
#
# The first segment of a path says what happens to the request, and the rest is
# whatever the client asks for:
#
#   /ok               JSON, connection kept
#   /silent           nothing, ever
#   /drip             headers, then one byte now and then, without end
#   /stall            headers and half of the body, then nothing
#   /truncate         closes in the middle of the body
#   /reset            closes before the answer
#   /cut              a complete answer whose JSON is cut
#   /large.N          a body of N bytes
#   /bomb.N           the same, compressed
#   /gzip             JSON, compressed
#   /headers          headers without end
#   /early            JSON; then closes a connection that it said to keep
#   /garbage          not HTTP
#   /echo             the request's headers in errorMessages of a 400
#   /status.S         status S; the file "answer" below the folder of the
#                     server has more headers, an empty line, and a body
#   /first.S          the same for the first request only, then as /ok
#
# wire_server.pl FOLDER prints its port, writes a line for every request to
# FOLDER/log (connection, behaviour, path, credentials), forks for every
# connection, and ends with its parent.
use strict;
use warnings;
use IO::Compress::Gzip qw(gzip);
use IO::Socket::INET;

my $folder = shift or die "usage: wire_server.pl FOLDER\n";
my $parent = getppid;
my $server = $$;
my $json = '{"deploymentType":"Cloud","version":"1001.0.0","displayName":"Ada",'
  . '"emailAddress":"ada@example.com","timeZone":"Europe/Paris"}';

my $listener = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1')
  or die "no socket: $!\n";
$| = 1;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';
$SIG{ALRM} = sub { exit 0 if getppid != $parent; alarm 1 };
alarm 1;
print $listener->sockport, "\n";

while (1)
{
	my $client = $listener->accept or next;
	my $pid = fork;

	if (defined $pid && $pid == 0)
	{
		$client->autoflush(1);
		$SIG{ALRM} = sub { exit 0 if getppid != $server; alarm 1 };
		alarm 1;
		1 while serve($client);
		exit 0;
	}
	close $client;
}

sub slurp
{
	my ($name) = @_;

	open my $file, '<', "$folder/$name" or return '';
	local $/;
	my $content = <$file>;
	return defined $content ? $content : '';
}

sub note_request
{
	open my $log, '>>', "$folder/log" or die "no log: $!\n";
	syswrite $log, "$_[0]\n";
}

sub answer
{
	my ($client, $status, $headers, $body) = @_;

	$headers .= "Content-Type: application/json\r\n" unless $headers =~ /^content-type:/im;
	print $client "HTTP/1.1 $status X\r\n$headers", "Content-Length: ",
	  length $body, "\r\n\r\n$body";
	return 1;
}

# What the file "answer" says.
sub scripted
{
	my ($client, $status) = @_;
	my ($headers, $body) = split /^\n/m, slurp('answer'), 2;

	$headers = '' unless defined $headers;
	$headers =~ s/\n/\r\n/g;
	return answer($client, $status, $headers, defined $body ? $body : '');
}

# Wait until the client has had enough.
sub wait_for_client
{
	my ($client) = @_;

	vec(my $bits = '', fileno $client, 1) = 1;
	1 until select(my $ready = $bits, undef, undef, 10) > 0;
	return 0;
}

# Serve one request; false when the connection is to be closed.
sub serve
{
	my ($client) = @_;
	my $line = <$client>;
	my $headers = '';
	my $length = 0;

	return 0 unless defined $line && $line =~ m{^(?:GET|POST) /([a-z]+)(?:\.(\d+))?(/\S*)};
	my ($what, $number, $path) = ($1, $2, $3);
	while (defined(my $header = <$client>))
	{
		last if $header =~ /^\r?\n$/;
		$headers .= $header;
		$length = $1 if $header =~ /^content-length:\s*(\d+)/i;
	}
	read $client, my $body, $length if $length;
	my $name = defined $number ? "$what.$number" : $what;
	my $first = slurp('log') !~ m{ \Q$name\E \Q$path\E }m;
	note_request("$$ $name $path " . ($headers =~ /^authorization: *(.*?)\r?$/im ? $1 : 'anonymous'));

	return wait_for_client($client) if $what eq 'silent';
	if ($what eq 'reset') { return 0 }
	if ($what eq 'garbage') { print $client "SSH-2.0-OpenSSH_9.2\r\n"; return 0 }
	if ($what eq 'drip')
	{
		print $client "HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n{";
		while (select(undef, undef, undef, 0.1) == 0) { print $client ' ' or last }
		return 0;
	}
	if ($what eq 'stall' || $what eq 'truncate')
	{
		print $client "HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n{\"deploymentType\"";
		return $what eq 'stall' ? wait_for_client($client) : 0;
	}
	if ($what eq 'headers')
	{
		print $client "HTTP/1.1 200 X\r\n";
		for (1 .. 10000) { print $client "X-More-$_: ", 'x' x 1000, "\r\n" or last }
		return 0;
	}
	if ($what eq 'large' || $what eq 'bomb')
	{
		my $text = '{"x":"' . ' ' x ($number - 8) . '"}';
		return answer($client, 200, '', $text) if $what eq 'large';
		gzip \$text => \my $small;
		return answer($client, 200, "Content-Encoding: gzip\r\n", $small);
	}
	if ($what eq 'gzip')
	{
		gzip \$json => \my $small;
		return answer($client, 200, "Content-Encoding: gzip\r\n", $small);
	}
	if ($what eq 'echo')
	{
		$headers =~ s/[\r\n]+/; /g;
		return answer($client, 400, '', "{\"errorMessages\":[\"$headers\"],\"errors\":{}}");
	}
	return answer($client, 200, '', substr $json, 0, 50) if $what eq 'cut';
	return scripted($client, $number) if $what eq 'status' || ($what eq 'first' && $first);
	answer($client, 200, "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n", $json);
	return $what ne 'early';
}
