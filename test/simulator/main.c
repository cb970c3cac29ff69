/*
 * main.c: options and life of the simulator
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "simulator.h"
#include "zone.h"

#define CONNECTION_MEMORY	(128 * 1024)	/* headers; long GET requests */
#define CONNECTION_LIMIT	1000

Simulator	sim = {.lock = PTHREAD_MUTEX_INITIALIZER};

typedef struct Options
{
	int			port;
	const char *port_file;
	int			tls_port;
	const char *tls_port_file;
	const char *tls_cert;
	const char *tls_key;
	const char *zone;
	const char *base_url;
	bool		exit_with_parent;
} Options;

static const char usage[] =
	"usage: simulator [options]\n"
	"  --issues N          size of the data set (1000)\n"
	"  --seed S            what it is derived from (1)\n"
	"  --projects A,B      project keys (PLATFORM,MOBILE,DATA)\n"
	"  --end INSTANT|now   just after the newest issue (2026-01-31T00:00:00Z);\n"
	"                      now also lets the clock run\n"
	"  --flavour F         cloud or server\n"
	"  --email E           of the account (ada@example.com)\n"
	"  --token T           of the account (sim-token)\n"
	"  --timezone Z        of the account (Europe/Berlin)\n"
	"  --context PATH      context path, such as /jira\n"
	"  --base-url URL      what self links begin with\n"
	"  --port P            0: any free one\n"
	"  --port-file F       gets the port when ready\n"
	"  --tls-cert F --tls-key F   listen with TLS, too\n"
	"  --tls-port P --tls-port-file F\n"
	"  --log F             append a JSON line for each request\n"
	"  --exit-with-parent  end when the parent process ends\n";

static void
fail(const char *message, const char *detail)
{
	fprintf(stderr, "simulator: %s%s%s\n", message, *detail ? ": " : "",
			detail);
	exit(1);
}

/* Read a whole file. */
static char *
read_file(const char *name)
{
	Buffer		buf = {0};
	char		block[4096];
	size_t		got;
	FILE	   *file = fopen(name, "r");

	if (file == NULL)
		fail(name, strerror(errno));
	while ((got = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(&buf, block, got);
	fclose(file);
	return buf.data;
}

/* Write the port; the file appears with its content, or not at all. */
static void
write_port(const char *name, int port)
{
	Buffer		temporary = {0};
	FILE	   *file;

	if (name == NULL)
		return;
	buf_printf(&temporary, "%s.%d", name, getpid());
	file = fopen(temporary.data, "w");
	if (file == NULL || fprintf(file, "%d\n", port) < 0 ||
		fclose(file) != 0 || rename(temporary.data, name) != 0)
		fail(name, strerror(errno));
	buf_free(&temporary);
}

/* Listen on the loopback interface only; returns the port. */
static int
start_daemon(int port, const char *cert, const char *key)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	const union MHD_DaemonInfo *info;
	struct MHD_Daemon *daemon;
	unsigned int flags = MHD_USE_THREAD_PER_CONNECTION |
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
		MHD_USE_SUPPRESS_DATE_NO_CLOCK | (cert ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *) cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *) key},
		{MHD_OPTION_END, 0, NULL}
	};

	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	daemon = MHD_start_daemon(flags, port, NULL, NULL, http_handle, NULL,
							  MHD_OPTION_SOCK_ADDR, &address,
							  MHD_OPTION_NOTIFY_COMPLETED, http_completed,
							  NULL,
							  MHD_OPTION_NOTIFY_CONNECTION, http_connection,
							  NULL,
							  MHD_OPTION_CONNECTION_LIMIT, CONNECTION_LIMIT,
							  MHD_OPTION_CONNECTION_MEMORY_LIMIT,
							  (size_t) CONNECTION_MEMORY,
							  MHD_OPTION_ARRAY,
							  cert ? tls : &tls[2],
							  MHD_OPTION_END);
	if (daemon == NULL)
		fail("could not listen", strerror(errno));
	info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
	return info->port;
}

static void
set_text(char *at, size_t size, const char *text)
{
	if (strlen(text) >= size)
		fail("the value of an option is too long", text);
	strcpy(at, text);
}

static void
set_end(const char *text)
{
	Settings   *settings = &sim.settings;

	if (strcmp(text, "now") == 0)
	{
		sim.data_options.end = wall_ms();
		settings->real_clock = true;
	}
	else if (!zone_parse_instant(text, &sim.data_options.end))
		fail("--end is \"now\", ms since 1970, or like 2026-01-31T00:00:00Z",
			 text);
	settings->now = sim.data_options.end;
}

static void
set_flavour(const char *text)
{
	if (strcmp(text, "cloud") != 0 && strcmp(text, "server") != 0)
		fail("--flavour is cloud or server", text);
	sim.settings.flavour = *text == 'c' ? FLAVOUR_CLOUD : FLAVOUR_SERVER;
}

static void
set_defaults(Options *options)
{
	Settings   *settings = &sim.settings;

	memset(options, 0, sizeof(*options));
	options->zone = "Europe/Berlin";
	sim.data_options.issues = 1000;
	sim.data_options.seed = 1;
	strcpy(sim.data_options.projects, "PLATFORM,MOBILE,DATA");
	set_end("2026-01-31T00:00:00Z");
	strcpy(settings->email, "ada@example.com");
	strcpy(settings->token, "sim-token");
	settings->page_cap = 100;
	settings->id_cap = 5000;
	settings->server_cap = 1000;
	settings->tick = SECOND_MS;
}

/* Take one option, by the letter that the table below gives it. */
static void
set_option(Options *options, int letter, const char *value)
{
	Settings   *settings = &sim.settings;
	DataOptions *data_options = &sim.data_options;

	switch (letter)
	{
		case 'i': data_options->issues = atoll(value); break;
		case 's': data_options->seed = strtoull(value, NULL, 10); break;
		case 'j': set_text(data_options->projects,
						   sizeof(data_options->projects), value); break;
		case 'n': set_end(value); break;
		case 'f': set_flavour(value); break;
		case 'e': set_text(settings->email, NAME_SIZE, value); break;
		case 't': set_text(settings->token, NAME_SIZE, value); break;
		case 'z': options->zone = value; break;
		case 'c': set_text(settings->context, NAME_SIZE, value); break;
		case 'b': options->base_url = value; break;
		case 'p': options->port = atoi(value); break;
		case 'P': options->port_file = value; break;
		case 'C': options->tls_cert = read_file(value); break;
		case 'K': options->tls_key = read_file(value); break;
		case 'q': options->tls_port = atoi(value); break;
		case 'Q': options->tls_port_file = value; break;
		case 'l': sim.log_file = value; break;
		case 'x': options->exit_with_parent = true; break;
		case 'h': fputs(usage, stdout); exit(0);
		default: fputs(usage, stderr); exit(2);
	}
}

static void
read_options(int argc, char **argv, Options *options)
{
	static const struct option names[] = {
		{"issues", 1, NULL, 'i'}, {"seed", 1, NULL, 's'},
		{"projects", 1, NULL, 'j'}, {"end", 1, NULL, 'n'},
		{"flavour", 1, NULL, 'f'}, {"email", 1, NULL, 'e'},
		{"token", 1, NULL, 't'}, {"timezone", 1, NULL, 'z'},
		{"context", 1, NULL, 'c'}, {"base-url", 1, NULL, 'b'},
		{"port", 1, NULL, 'p'}, {"port-file", 1, NULL, 'P'},
		{"tls-cert", 1, NULL, 'C'}, {"tls-key", 1, NULL, 'K'},
		{"tls-port", 1, NULL, 'q'}, {"tls-port-file", 1, NULL, 'Q'},
		{"log", 1, NULL, 'l'}, {"exit-with-parent", 0, NULL, 'x'},
		{"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}
	};
	int			letter;

	set_defaults(options);
	while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1)
		set_option(options, letter, optarg);
	if (optind < argc)
		set_option(options, '?', NULL);
	if (!options->tls_cert != !options->tls_key)
		fail("--tls-cert and --tls-key go together", "");
	if (sim.data_options.issues < 0 || sim.data_options.issues > 100000000)
		fail("--issues is out of range", "");
}

/* Build the data and listen; the ports are told when all is ready. */
static void
start(const Options *options)
{
	Settings   *settings = &sim.settings;
	const char *problem;

	if (!zone_set(options->zone))
		fail("unknown time zone", options->zone);
	problem = data_build(&sim.data_options);
	if (problem)
		fail(problem, sim.data_options.projects);

	pthread_mutex_lock(&sim.lock);
	sim.port = start_daemon(options->port, NULL, NULL);
	if (options->tls_cert)
		sim.tls_port = start_daemon(options->tls_port, options->tls_cert,
									options->tls_key);
	if (options->base_url)
		set_text(settings->base_url, sizeof(settings->base_url),
				 options->base_url);
	else
		snprintf(settings->base_url, sizeof(settings->base_url),
				 "http://127.0.0.1:%d%s", sim.port, settings->context);
	render_prepare(settings->base_url, settings->second_points);
	sim.initial = *settings;
	if (options->tls_cert)
		write_port(options->tls_port_file, sim.tls_port);
	write_port(options->port_file, sim.port);
	printf("http://127.0.0.1:%d%s\n", sim.port, settings->context);
	if (options->tls_cert)
		printf("https://127.0.0.1:%d%s\n", sim.tls_port, settings->context);
	fflush(stdout);
	pthread_mutex_unlock(&sim.lock);
}

int
main(int argc, char **argv)
{
	Options		options;
	sigset_t	ends;
	int			received;

	/* all threads inherit this: signals are for sigwait below */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);

	read_options(argc, argv, &options);
	if (options.exit_with_parent)
	{
		pid_t		parent = getppid();

		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			return 0;			/* it ended before we asked */
	}
	start(&options);
	sigwait(&ends, &received);
	/* connections may hang, by order; they end with the process */
	if (options.port_file)
		unlink(options.port_file);
	return 0;
}
