# A Redis server of the test's own: on a free port of this machine, in a folder
# that goes away with it.
package Redis;
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Time::HiRes qw(time);

# Nothing here takes half as long; longer means that it hangs.
use constant PATIENCE_S => 30;

sub is_here
{
	return system('command -v redis-server >/dev/null && command -v redis-cli >/dev/null') == 0;
}

sub free_port
{
	my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "no free port: $!\n";

	return $socket->sockport;
}

# start(option => value, …): options as in redis.conf; every write is on disk before its answer.
sub start
{
	my ($class, @options) = @_;
	my $self = bless { folder => tempdir(CLEANUP => 1), port => free_port(), options => \@options }, $class;

	$self->{options} = [ '--appendonly', 'yes', '--appendfsync', 'always', map { $_ % 2 ? $options[$_] : "--$options[$_]" } 0 .. $#options ];
	$self->again;
	return $self;
}

# Start it again where it was, with the data that it had.
sub again
{
	my ($self) = @_;
	my $end = time + PATIENCE_S;

	defined(my $pid = fork) or die "fork: $!\n";
	if ($pid == 0)
	{
		open STDOUT, '>', "$self->{folder}/log";
		open STDERR, '>&', \*STDOUT;
		exec 'redis-server', '--port', $self->{port}, '--bind', '127.0.0.1', '--save', '', '--dir', $self->{folder}, @{ $self->{options} };
		exit 127;
	}
	$self->{pid} = $pid;
	until ($self->cli('PING') =~ /^(?:PONG|NOAUTH.*)$/)
	{
		die "redis-server does not start: see $self->{folder}/log\n" if time > $end;
	}
	return;
}

# What redis-cli answers.
sub cli
{
	my ($self, @words) = @_;
	my @tls = $self->{tls} ? ('--tls', '--insecure') : ();

	open my $out, '-|', 'sh', '-c', 'exec redis-cli "$@" 2>&1', 'redis-cli', '-h', '127.0.0.1', '-p', $self->{port}, @tls, @words
	  or die "redis-cli: $!\n";
	local $/;
	my $text = <$out> // '';
	close $out;
	$text =~ s/\n+\z//;
	return $text;
}

sub stop
{
	my ($self, $signal) = @_;

	return unless $self->{pid};
	kill 'CONT', $self->{pid};
	kill $signal // 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	undef $self->{pid};
	return;
}

# Let it hang: it takes connections, and says nothing.
sub hang { kill 'STOP', $_[0]{pid}; return; }
sub go_on { kill 'CONT', $_[0]{pid}; return; }

# Lose what it had, as one does that keeps nothing on disk.
sub forget
{
	my ($self) = @_;

	$self->stop;
	system 'rm', '-rf', "$self->{folder}/appendonlydir", "$self->{folder}/appendonly.aof";
	$self->again;
	return;
}

sub DESTROY
{
	local ($?, $!);
	$_[0]->stop;
	return;
}

1;
