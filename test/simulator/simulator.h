/*
 * simulator.h: the state of the simulator, a request, and the endpoints
 *
 * There is a thread for each connection. One lock guards all state; a thread
 * that waits (for a barrier, a delay, a log entry) gives it up in sim_wait.
 */
#ifndef SIMULATOR_H
#define SIMULATOR_H

#include <microhttpd.h>
#include <pthread.h>

#include "buffer.h"
#include "data.h"
#include "render.h"

#define NAME_SIZE			128
#define MAX_HEADERS			24
#define MAX_FIELD_NAMES		256
#define FOREVER				(-1)	/* a deadline that never comes */

typedef enum Flavour
{
	FLAVOUR_CLOUD,
	FLAVOUR_SERVER
} Flavour;

typedef enum AuthMode
{
	AUTH_CHECK,					/* bad credentials: 401 */
	AUTH_ANONYMOUS,				/* bad credentials: 200, nothing visible */
	AUTH_CAPTCHA,				/* bad credentials: 403 and a challenge */
	AUTH_OFF					/* credentials are not looked at */
} AuthMode;

typedef enum DateMode
{
	DATE_REAL,					/* the machine's clock */
	DATE_CLOCK,					/* the simulator's clock */
	DATE_NONE					/* no Date header */
} DateMode;

typedef struct Settings
{
	Flavour		flavour;
	char		context[NAME_SIZE];		/* "/jira", or "" */
	char		base_url[2 * NAME_SIZE];
	/* credentials */
	AuthMode	auth;
	char		email[NAME_SIZE];
	char		token[NAME_SIZE];
	/* pages */
	int			page_cap;				/* Cloud, with fields */
	int			id_cap;					/* Cloud, ids and keys only */
	int			server_cap;				/* Server */
	int			token_epoch;			/* older page tokens are refused */
	/* the answer of serverInfo */
	char		version[NAME_SIZE];
	char		deployment[NAME_SIZE];	/* "": by flavour, "-": left out */
	/* clocks */
	DateMode	date;
	int64_t		skew;					/* ms added to Date and serverTime */
	int64_t		now;					/* the clock of edits, if frozen */
	bool		real_clock;
	int64_t		tick;					/* ms that a change takes */
	/* rest */
	int			custom_fields;			/* so many more custom fields */
	int			custom_bytes;			/* of each of them */
	bool		second_points;			/* two story point fields on Cloud */
	bool		compress;				/* gzip where it is accepted */
	bool		ignore_fields;			/* every issue whole, whatever is asked */
} Settings;

typedef struct Counters
{
	int64_t		requests;		/* all but /_sim */
	int64_t		searches;
	int64_t		answered;		/* of the requests; or dropped */
	int64_t		connections;	/* that brought a request */
	int64_t		open;			/* of these connections, now */
	int64_t		blocked;		/* requests waiting at the barrier now */
	int64_t		hanging;		/* requests that hang, by order, now */
	int64_t		issues;			/* sent */
	int64_t		bytes;			/* of bodies sent */
	int64_t		unauthorized;
} Counters;

typedef struct Connection
{
	int64_t		id;
	bool		counted;		/* it has brought a request */
} Connection;

typedef struct Header
{
	char	   *name;
	char	   *value;
} Header;

typedef struct Request
{
	struct MHD_Connection *connection;
	int			peer;			/* its socket */
	Connection *peer_connection;
	int64_t		number;			/* among all requests, from 1 */
	int64_t		log_index;
	const char *method;
	char	   *path;			/* as it came */
	const char *route;			/* without context and flavour prefix */
	Flavour		flavour;
	bool		is_search;
	Buffer		body;
	Json	   *json;			/* of the body, or NULL */
	/* the answer */
	int			status;
	const char *content_type;
	Header		headers[MAX_HEADERS];
	int			header_count;
	Buffer		out;
	int			issues;			/* in the page */
	bool		anonymous;		/* served as nobody */
	bool		dropped;		/* the connection ends without an answer */
	bool		quits;			/* the simulator ends when it is answered */
	struct Fault *fault;		/* a copy for this request, or NULL */
} Request;

typedef struct Simulator
{
	pthread_mutex_t lock;
	Settings	settings;
	Settings	initial;		/* what reset goes back to */
	DataOptions data_options;
	Counters	counters;
	int			port;
	int			tls_port;
	struct Waiter *waiters;
	const char *log_file;
} Simulator;

extern Simulator sim;

/* The clock that edits are stamped with; sim_tick also moves it on. */
extern int64_t sim_now(void);
extern int64_t sim_tick(void);

/* wait.c */
typedef enum WaitResult
{
	WAIT_READY,
	WAIT_TIMEOUT,
	WAIT_GONE					/* the peer closed its connection */
} WaitResult;

/*
 * Wait until ready(arg), with the lock held on entry, exit and in ready. The
 * deadline is of monotonic_ms, or FOREVER. A NULL ready is never ready.
 */
extern WaitResult sim_wait(int peer, bool (*ready) (void *arg), void *arg,
						   int64_t deadline);
extern void sim_notify(void);

/* http.c */
extern enum MHD_Result http_handle(void *cls, struct MHD_Connection *connection,
								   const char *url, const char *method,
								   const char *version, const char *upload,
								   size_t *upload_size, void **state);
extern void http_completed(void *cls, struct MHD_Connection *connection,
						   void **state, enum MHD_RequestTerminationCode code);
extern void http_connection(void *cls, struct MHD_Connection *connection,
							void **socket_context,
							enum MHD_ConnectionNotificationCode code);
extern void add_header(Request *request, const char *name, const char *value);
extern const char *header_in(const Request *request, const char *name);

/* A parameter from the query string or else the JSON body; NULL if absent. */
extern const char *param(const Request *request, const char *name);
extern int64_t param_int(const Request *request, const char *name,
						 int64_t otherwise);
extern bool param_bool(const Request *request, const char *name,
					   bool otherwise);

/* Answer with Jira's error object. */
extern void jira_error(Request *request, int status, const char *message);

/* auth.c: false if the request was answered instead. */
extern bool check_credentials(Request *request);

/* jira_search.c, jira_meta.c: false if the route is not one of theirs. */
extern bool route_is_search(const Request *request);
extern void serve_search(Request *request);
extern bool serve_meta(Request *request);

/* control.c and friends: /_sim */
extern void serve_control(Request *request);
extern bool control_data(Request *request, const char *action);
extern bool control_faults(Request *request, const char *action);
extern bool control_settings(Request *request, const char *action);
extern bool control_watch(Request *request, const char *action);
extern void control_error(Request *request, const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern const char *settings_change(Request *request);

/* log.c */
extern void log_arrival(Request *request);
extern void log_answer(Request *request);
extern void log_dump(Buffer *buf, int64_t last);
extern void log_clear(void);

#endif
