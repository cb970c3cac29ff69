/*
 * log.c: the requests that came, for tests to read
 */
#include <stdio.h>
#include <stdlib.h>

#include "simulator.h"
#include "zone.h"

#define LOG_MAX_ENTRIES		50000	/* later requests replace older ones */
#define LOG_MAX_BODY		8192

typedef struct Entry
{
	int64_t		number;
	int64_t		connection;
	int64_t		arrived;		/* monotonic ms */
	int64_t		took;			/* ms to the answer, -1: none yet */
	int			status;
	int			issues;
	size_t		bytes;
	bool		dropped;
	Buffer		request;		/* members method to headers */
} Entry;

static Entry *entries;
static int64_t entry_count;		/* ever made since cleared */

static const char *const logged_headers[] = {
	"Authorization", "Accept", "Accept-Encoding", "Content-Type",
	"User-Agent", "Cookie", "X-Force-Accept-Language", "Accept-Language",
	NULL
};

/* The scheme is of interest, the secret is not. */
static void
add_logged_header(Buffer *buf, const char *name, const char *value)
{
	buf_json_str(buf, name);
	buf_char(buf, ':');
	if (strcmp(name, "Authorization") == 0)
		buf_json(buf, value, strcspn(value, " "));
	else
		buf_json_str(buf, value);
}

static enum MHD_Result
add_argument(void *arg, enum MHD_ValueKind kind, const char *key,
			 const char *value)
{
	Buffer	   *buf = arg;

	(void) kind;
	if (buf->data[buf->len - 1] != '{')
		buf_char(buf, ',');
	buf_json_str(buf, key);
	buf_char(buf, ':');
	buf_json_str(buf, value ? value : "");
	return MHD_YES;
}

/* Describe what came, once, at arrival. */
static void
describe_request(Buffer *buf, const Request *request)
{
	size_t		body = request->body.len < LOG_MAX_BODY ? request->body.len :
		LOG_MAX_BODY;
	bool		first = true;

	buf_clear(buf);
	buf_printf(buf, "\"method\":\"%s\",\"path\":", request->method);
	buf_json_str(buf, request->path);
	buf_printf(buf, ",\"search\":%s,\"query\":{",
			   request->is_search ? "true" : "false");
	MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND,
							  add_argument, buf);
	buf_lit(buf, "},\"body\":");
	if (request->json && body == request->body.len)
		buf_add(buf, request->json->raw, request->json->raw_len);
	else
		buf_json(buf, body ? request->body.data : "", body);
	buf_lit(buf, ",\"headers\":{");
	for (int i = 0; logged_headers[i]; i++)
	{
		const char *value = header_in(request, logged_headers[i]);

		if (value == NULL)
			continue;
		if (!first)
			buf_char(buf, ',');
		first = false;
		add_logged_header(buf, logged_headers[i], value);
	}
	buf_char(buf, '}');
}

static void
dump_entry(Buffer *buf, const Entry *entry)
{
	buf_printf(buf, "{\"n\":%lld,\"connection\":%lld,",
			   (long long) entry->number, (long long) entry->connection);
	buf_add(buf, entry->request.data, entry->request.len);
	if (entry->took >= 0)
		buf_printf(buf, ",\"status\":%d,\"issues\":%d,\"bytes\":%zu,"
				   "\"ms\":%lld", entry->status, entry->issues, entry->bytes,
				   (long long) entry->took);
	else
		buf_lit(buf, ",\"status\":null");
	buf_str(buf, entry->dropped ? ",\"dropped\":true}" : "}");
}

/* Append the entry, as one line, to a file that tests may remove. */
static void
write_entry(const Entry *entry)
{
	FILE	   *file = fopen(sim.log_file, "a");
	Buffer		line = {0};

	if (file == NULL)
		return;
	dump_entry(&line, entry);
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] == '\n')
			line.data[i] = ' ';
	fprintf(file, "%s\n", line.data);
	fclose(file);
	buf_free(&line);
}

void
log_arrival(Request *request)
{
	Entry	   *entry;

	if (entries == NULL)
		entries = calloc(LOG_MAX_ENTRIES, sizeof(Entry));
	request->log_index = entry_count++;
	entry = &entries[request->log_index % LOG_MAX_ENTRIES];
	entry->number = request->number;
	entry->connection = request->peer_connection->id;
	entry->arrived = monotonic_ms();
	entry->took = -1;
	entry->status = 0;
	entry->dropped = false;
	describe_request(&entry->request, request);
}

void
log_answer(Request *request)
{
	Entry	   *entry = &entries[request->log_index % LOG_MAX_ENTRIES];

	if (entry->number != request->number)
		return;					/* cleared or replaced meanwhile */
	entry->took = monotonic_ms() - entry->arrived;
	entry->status = request->dropped ? 0 : request->status;
	entry->dropped = request->dropped;
	entry->issues = request->issues;
	entry->bytes = request->out.len;
	if (sim.log_file)
		write_entry(entry);
}

void
log_dump(Buffer *buf, int64_t last)
{
	int64_t		from = entry_count > LOG_MAX_ENTRIES ?
		entry_count - LOG_MAX_ENTRIES : 0;

	if (last >= 0 && entry_count - from > last)
		from = entry_count - last;
	buf_char(buf, '[');
	for (int64_t i = from; i < entry_count; i++)
	{
		if (i > from)
			buf_lit(buf, ",\n");
		dump_entry(buf, &entries[i % LOG_MAX_ENTRIES]);
	}
	buf_lit(buf, "]\n");
}

void
log_clear(void)
{
	for (int64_t i = 0; i < entry_count && i < LOG_MAX_ENTRIES; i++)
		entries[i].number = 0;
	entry_count = 0;
}
