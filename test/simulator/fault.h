/*
 * fault.h: scripted faults, and the barrier
 */
#ifndef SIMULATOR_FAULT_H
#define SIMULATOR_FAULT_H

#include "simulator.h"

#define MAX_FAULT_OVERRIDES 16

typedef enum DropMode
{
	DROP_NONE,
	DROP_RESET,					/* TCP reset */
	DROP_CLOSE,					/* orderly, without a byte */
	DROP_HANG					/* silence until the peer or a release */
} DropMode;

typedef enum TokenFault
{
	TOKEN_RIGHT,
	TOKEN_REPEATED,				/* the token that the request came with */
	TOKEN_MISSING,				/* isLast false and no token */
	TOKEN_NULL,
	TOKEN_EMPTY
} TokenFault;

typedef struct Fault
{
	int			id;
	/* which requests */
	char	   *match;			/* "search", "any", or a path prefix */
	char	   *containing;		/* text in the body or query, or NULL */
	int64_t		skip;			/* matching requests still let through */
	int64_t		times;			/* still to be done, < 0: always */
	int64_t		done;
	/* instead of the answer */
	int			status;			/* 0: as it is */
	char	   *body;			/* NULL: as it is */
	size_t		body_len;
	char	   *content_type;
	char	   *redirect;
	Header		headers[MAX_HEADERS];
	int			header_count;
	DropMode	drop;
	bool		html;			/* 200 and a login page */
	bool		seraph;			/* 200 and nothing visible */
	/* how it is sent */
	int64_t		delay;			/* ms before the answer */
	int64_t		drip_bytes;		/* so many bytes ... */
	int64_t		drip_ms;		/* ... each so many ms */
	int64_t		truncate;		/* cut after so many bytes, < 0: not */
	int64_t		pad;			/* fill up the body to so many bytes */
	bool		compress;
	bool		chunked;		/* no Content-Length */
	/* what the page is */
	TokenFault	token;
	bool		no_is_last;
	bool		empty_page;		/* no issues, and a token to go on */
	bool		no_issues;		/* no member issues */
	bool		duplicate_rows;
	bool		ignore_position;	/* startAt or token: always the first */
	int64_t		rows;			/* at most so many a page, < 0: as asked */
	int64_t		total;			/* Server: this total, < 0: the true one */
	int64_t		row;			/* the row that is dictated */
	Override	overrides[MAX_FAULT_OVERRIDES];
	int			override_count;
} Fault;

/* Take the fault that this request is to suffer: a copy, or NULL. */
extern Fault *fault_take(Request *request);
extern void fault_free(Fault *fault);

/* Does the request match "search", "any" or the path prefix? */
extern bool fault_matches(const Request *request, const char *match);

/* Answer as the fault says before (true: answered) and after the endpoint. */
extern bool fault_before(Request *request);
extern void fault_after(Request *request);

/* Queue a page body, as a fault. */
extern void fault_add_page(Request *request);
extern void fault_clear(void);
extern void fault_end_hangs(void);
extern const char *fault_parse(Fault *fault, const Json *json);

/* Wait where a barrier is up; false if the peer has gone. */
extern bool barrier_pass(Request *request);
extern void barrier_set(Request *request);
extern void barrier_clear(void);
extern void barrier_release(int64_t count);

#endif
