/*
 * redis.c
 *		A client of Redis for one key at a time.
 */
#include "source/redis.h"

#include <hiredis/hiredis.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "resolute.h"
#include "source/server.h"
#include "source/http_private.h"
#include "source/link.h"
#include "source/options.h"
#include "utils/memutils.h"

/* Positions have some 30 bytes; whoever sends more than this is up to something else. */
#define MAX_REPLY 65536

/* The prefix of keys, unless the server's option says otherwise. */
#define DEFAULT_PREFIX "resolute:"

struct Redis
{
	MemoryContext context;		/* where it was made */
	const char *server;
	const char *role;			/* of the mapping, for hints */
	const char *prefix;
	const char *key;			/* with the prefix, in UTF-8 */
	const char *username;		/* or NULL */
	const char *password;		/* or NULL; a secret */
	int			database;
	HttpSettings settings;

	/* while connected */
	MemoryContext session;		/* or NULL */
	Link	   *link;
	bool		busy;			/* within a command: of no use after an error */
};

/* What hiredis allocates; its callback frees it. */
typedef struct Reader
{
	MemoryContextCallback callback;
	redisReader *reader;
	redisReply *reply;
	char	   *command;
} Reader;

static void
reader_release(void *arg)
{
	Reader	   *reader = arg;

	if (reader->reader)
		redisReaderFree(reader->reader);
	if (reader->reply)
		freeReplyObject(reader->reply);
	free(reader->command);
}

/* What hiredis uses during one exchange, freed with the current memory context. */
static Reader *
reader_create(void)
{
	Reader	   *reader = palloc0(sizeof(Reader));

	reader->callback.func = reader_release;
	reader->callback.arg = reader;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &reader->callback);
	reader->reader = redisReaderCreate();
	if (reader->reader == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return reader;
}

Redis *
redis_create(const char *name, const char *key, Oid userid)
{
	Redis	   *redis = palloc0(sizeof(Redis));
	ForeignServer *server;
	UserMapping *mapping;
	List	   *options;
	RedisUrl	url = {0};

	server_resolve(name, REDIS_WRAPPER, userid, &server, &mapping);
	options = server->options;
	if (redis_parse_url(option_text(options, "url", ""), &url) != NULL)
		elog(ERROR, "server \"%s\" has no valid url", name);
	redis->context = CurrentMemoryContext;
	redis->server = server->servername;
	redis->role = GetUserNameFromId(userid, false);
	redis->prefix = option_text(options, "key_prefix", DEFAULT_PREFIX);
	redis->key = psprintf("%s%s", redis->prefix, key);
	redis->key = pg_server_to_any(redis->key, strlen(redis->key), PG_UTF8);
	redis->username = option_text(mapping->options, "username", NULL);
	redis->password = mapping_secret(mapping, "password");
	redis->database = url.database;
	redis->settings.server = redis->server;
	redis->settings.mapping = redis->role;
	redis->settings.url_option = "url";
	redis->settings.base_url = psprintf("%s://%s", url.encrypted ? "https" : "http", url.address);
	redis->settings.user_agent = "";
	redis->settings.ca_file = option_text(options, "ca_file", NULL);
	redis->settings.connect_timeout = (int) (1000 * option_seconds(options, "connect_timeout", RESOLUTE_DEFAULT_CONNECT_TIMEOUT_S));
	redis->settings.timeout = (int) (1000 * option_seconds(options, "timeout", RESOLUTE_DEFAULT_REDIS_TIMEOUT_S));
	redis->settings.max_body = MAX_REPLY;
	redis->settings.allow_http = option_bool(options, "allow_plain", false);
	redis->settings.allow_private = option_bool(options, "allow_private", false);
	return redis;
}

/* What the server says as a detail. */
static int
server_words(const char *text)
{
	return errdetail("The server says: %s.", http_printable(text, strlen(text)));
}

static void raise_reply(const Redis *redis, const char *text) pg_attribute_noreturn();

/* Raise what the server reports as an error. */
static void
raise_reply(const Redis *redis, const char *text)
{
	if (strncmp(text, "WRONGPASS", 9) == 0 || strncmp(text, "NOAUTH", 6) == 0 ||
		strncmp(text, "ERR AUTH", 8) == 0 || strncmp(text, "ERR invalid password", 20) == 0 ||
		strstr(text, "without any password configured"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("the credentials were rejected by server \"%s\"", redis->server),
				 server_words(text),
				 errhint("Check options \"username\" and \"password\" of the user mapping for \"%s\".",
						 redis->role)));
	if (strncmp(text, "NOPERM", 6) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied by server \"%s\"", redis->server),
				 server_words(text),
				 errhint("The user needs the commands SELECT, GET, SET, DEL, WATCH, UNWATCH, MULTI and EXEC for keys that begin with \"%s\".",
						 redis->prefix)));
	if (strncmp(text, "WRONGTYPE", 9) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a key of server \"%s\" holds no text", redis->server),
				 server_words(text),
				 errhint("Something else uses that key; option \"key_prefix\" of the server leads to other ones.")));
	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("server \"%s\" reports an error", redis->server),
			 server_words(text)));
}

static void raise_no_redis(const Redis *redis) pg_attribute_noreturn();

static void
raise_no_redis(const Redis *redis)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("server \"%s\" does not speak the protocol of Redis", redis->server),
			 errhint("Check option \"url\" of the server.")));
}

/* Send one command; words as for hiredis. */
static void
send_command(Redis *redis, Reader *reader, int nwords, const char **words)
{
	int			len;

	free(reader->command);
	reader->command = NULL;
	len = redisFormatCommandArgv(&reader->command, nwords, words, NULL);
	if (len < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	link_send(redis->link, reader->command, len);
}

/* Wait for the next reply; raises what is an error.  It is good until the next one. */
static const redisReply *
receive_reply(Redis *redis, Reader *reader)
{
	char		bytes[4096];
	Size		received = 0;
	void	   *reply = NULL;

	if (reader->reply)
		freeReplyObject(reader->reply);
	reader->reply = NULL;
	for (;;)
	{
		Size		n;

		if (redisReaderGetReply(reader->reader, &reply) != REDIS_OK)
			raise_no_redis(redis);
		if (reply)
			break;
		n = link_receive(redis->link, bytes, sizeof(bytes));
		received += n;
		if (received > MAX_REPLY)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("answer of server \"%s\" is too large", redis->server),
					 errdetail("It has more than %d bytes.", MAX_REPLY)));
		if (redisReaderFeed(reader->reader, bytes, n) != REDIS_OK)
			raise_no_redis(redis);
	}
	reader->reply = reply;
	if (reader->reply->type == REDIS_REPLY_ERROR)
		raise_reply(redis, reader->reply->str);
	return reader->reply;
}

/* Send a command of some words, and wait for its reply. */
static const redisReply *
command(Redis *redis, Reader *reader, const char *verb, const char *first, const char *second)
{
	const char *words[] = {verb, first, second};

	send_command(redis, reader, first == NULL ? 1 : second == NULL ? 2 : 3, words);
	return receive_reply(redis, reader);
}

/* Say who we are, and which database is meant. */
static void
introduce(Redis *redis, Reader *reader)
{
	if (redis->password && redis->username)
		command(redis, reader, "AUTH", redis->username, redis->password);
	else if (redis->password)
		command(redis, reader, "AUTH", redis->password, NULL);
	if (redis->database != 0)
		command(redis, reader, "SELECT", psprintf("%d", redis->database), NULL);
}

/* Connect, unless there is a connection that is as it should be. */
static void
need_session(Redis *redis)
{
	MemoryContext caller;

	if (redis->session && !redis->busy && redis->link && link_is_idle(redis->link))
	{
		link_set_deadline(redis->link);
		redis->busy = true;
		return;
	}
	if (redis->session)
		MemoryContextDelete(redis->session);
	redis->link = NULL;
	redis->session = AllocSetContextCreate(redis->context, "resolute redis", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(redis->session);
	redis->link = link_open(&redis->settings);
	redis->busy = true;
	introduce(redis, reader_create());
	MemoryContextSwitchTo(caller);
}

/* The text of a reply, or NULL where there is nothing. */
static char *
reply_text(const Redis *redis, const redisReply *reply)
{
	StringInfoData text;

	if (reply->type == REDIS_REPLY_NIL)
		return NULL;
	if (reply->type != REDIS_REPLY_STRING)
		raise_no_redis(redis);
	initStringInfo(&text);
	for (Size i = 0; i < (Size) reply->len; i++)
	{
		char		c = reply->str[i];

		appendStringInfoChar(&text, c >= ' ' && c < 0x7f ? c : '?');
	}
	return text.data;
}

char *
redis_get(Redis *redis)
{
	Reader	   *reader;
	char	   *text;

	need_session(redis);
	reader = reader_create();
	text = reply_text(redis, command(redis, reader, "GET", redis->key, NULL));
	redis->busy = false;
	return text;
}

/* Write in a transaction of the server, which EXEC refuses if somebody has changed the key. */
static bool
write_watched(Redis *redis, Reader *reader, const char *value)
{
	command(redis, reader, "MULTI", NULL, NULL);
	if (value)
		command(redis, reader, "SET", redis->key, value);
	else
		command(redis, reader, "DEL", redis->key, NULL);
	return command(redis, reader, "EXEC", NULL, NULL)->type != REDIS_REPLY_NIL;
}

bool
redis_set(Redis *redis, const char *expected, const char *value)
{
	Reader	   *reader;
	char	   *found;
	bool		written;

	need_session(redis);
	reader = reader_create();
	command(redis, reader, "WATCH", redis->key, NULL);
	found = reply_text(redis, command(redis, reader, "GET", redis->key, NULL));
	if (same_text(found, expected) && !same_text(found, value))
		written = write_watched(redis, reader, value);
	else
	{
		command(redis, reader, "UNWATCH", NULL, NULL);
		written = same_text(found, value);
	}
	redis->busy = false;
	return written;
}
