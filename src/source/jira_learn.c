/*
 * jira_learn.c
 *		What a Jira server is asked once and what is then kept with the
 *		connection: which API it has, and its list of fields.
 */
#include "source/jira.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Fields come and go seldom; a new one is seen after this long (ms). */
#define JIRA_FIELD_LIST_AGE_MS (60 * 60 * 1000)

/* Kept in Connection.learned. */
typedef struct JiraLearned
{
	JiraApi		api;			/* JIRA_API_AUTO: nobody asked yet */
	MemoryContext field_context;	/* of fields; NULL before */
	List	   *fields;			/* of JiraFieldInfo */
	TimestampTz fields_at;		/* when they were asked for */
	const char *time_zone;		/* of the account; NULL before */
} JiraLearned;

#define HINT_API \
	"Check option \"base_url\" of the server, or set its option \"api\" to \"cloud\" or \"server\"."

/* What is known of this server so far. */
static JiraLearned *
learned(Connection *connection)
{
	if (!connection->learned)
		connection->learned = MemoryContextAllocZero(connection->context,
													 sizeof(JiraLearned));
	return connection->learned;
}

/* Is the answer a whole document of this kind ('{' or '[')? */
static bool
read_document(const HttpResponse *response, char first, Value *document)
{
	Size		len = response->len;
	const char *data = json_valid_utf8(response->body, &len);

	return json_document(data, len, document) && document->kind == VALUE_JSON &&
		document->data[0] == first;
}

Value
jira_answer(HttpRequest *request, HttpResponse *response, char first, const char *what,
			const char *hint)
{
	Value		document;

	http_check(request, response, what, hint);
	while (!read_document(response, first, &document))
	{
		Value		other;

		if (json_document(response->body, response->len, &other))
			ereport(ERROR,
					(errcode(ERRCODE_PROTOCOL_VIOLATION),
					 errmsg("%s", what),
					 errdetail("The answer is not a JSON %s.",
							   first == '{' ? "object" : "array"),
					 errhint("%s", hint)));
		response = http_retry(request, "the answer is not complete JSON");
		http_check(request, response, what, hint);
	}
	return document;
}

/*
 * Fetch a document of this kind into the current context: from path, or from
 * other (unless that is NULL) where there is nothing.
 */
static Value
fetch_document(Connection *connection, const char *path, const char *other, char first,
			   const char *what, const char *hint)
{
	HttpRequest *request = http_start(connection->client, path, NULL);
	HttpResponse *response = http_wait_or(&request, connection->client, other);

	return jira_answer(request, response, first, what, hint);
}

/* Ask the server which kind of Jira it is. */
static JiraApi
detect_api(Connection *connection)
{
	char	   *what = psprintf("could not find out which Jira API server \"%s\" has",
								connection->name);
	Value		info = fetch_document(connection, JIRA_SERVER_INFO, JIRA_SERVER_INFO_3, '{', what,
									   HINT_API);
	Value		deployment = json_member(&info, "deploymentType", strlen("deploymentType"), false);
	Value		version = json_member(&info, "version", strlen("version"), false);

	/*
	 * Old servers give no deployment type, and "Server", "DataCenter" and "Data
	 * Center" have all been seen; but something has to say that this is a Jira.
	 */
	if (value_is_null(&deployment) && value_is_null(&version))
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("%s", what),
				 errdetail("The answer names neither a deployment type nor a version."),
				 errhint(HINT_API)));
	return value_is(&deployment, "Cloud") ? JIRA_API_CLOUD : JIRA_API_SERVER;
}

JiraApi
jira_api_known(const Connection *connection)
{
	const JiraLearned *known = connection->learned;

	if (connection->api != JIRA_API_AUTO)
		return connection->api;
	return known ? known->api : JIRA_API_AUTO;
}

JiraApi
jira_api(Connection *connection)
{
	JiraApi		api = jira_api_known(connection);

	if (api == JIRA_API_AUTO)
	{
		MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
													  "jira server info",
													  ALLOCSET_SMALL_SIZES);
		MemoryContext previous = MemoryContextSwitchTo(scratch);

		api = detect_api(connection);
		MemoryContextSwitchTo(previous);
		MemoryContextDelete(scratch);
		learned(connection)->api = api;
	}
	return api;
}

const char *
jira_time_zone(Connection *connection)
{
	JiraLearned *known = learned(connection);

	if (known->time_zone == NULL)
	{
		char	   *what = psprintf("could not find out the time zone of the account at server \"%s\"",
									connection->name);
		Value		account = fetch_document(connection, JIRA_MYSELF, JIRA_MYSELF_3, '{', what,
												  HINT_API);
		Value		zone = json_member(&account, "timeZone", strlen("timeZone"), false);

		if (value_is_null(&zone))
			ereport(ERROR,
					(errcode(ERRCODE_PROTOCOL_VIOLATION),
					 errmsg("%s", what),
					 errdetail("The account has no time zone in the answer."),
					 errhint("Write ${cursor} without quotes and without a format: then no time zone is needed.")));
		known->time_zone = MemoryContextStrdup(connection->context, value_cstring(&zone));
	}
	return known->time_zone;
}

void
jira_forget_api(Connection *connection)
{
	if (connection->learned)
		learned(connection)->api = JIRA_API_AUTO;
}

/* A copy of a value's text, in UTF-8; "" for null. */
static const char *
value_copy(const Value *value)
{
	StringInfoData text;

	initStringInfo(&text);
	value_append_text(&text, value);
	return text.data;
}

/* Keep of a list of fields what is needed, in the current context. */
static List *
read_field_list(const Value *list)
{
	List	   *fields = NIL;
	JsonIter	it = json_iter(list);
	Value		key;
	Value		entry;

	while (json_next(&it, &key, &entry))
	{
		Value		id = json_member(&entry, "id", strlen("id"), false);
		Value		name = json_member(&entry, "name", strlen("name"), false);
		Value		schema = json_member(&entry, "schema", strlen("schema"), false);
		Value		custom = json_member(&schema, "custom", strlen("custom"), false);
		JiraFieldInfo *field;

		if (id.kind != VALUE_STRING)
			continue;
		field = palloc(sizeof(JiraFieldInfo));
		field->id = value_copy(&id);
		field->name = value_copy(&name);
		field->custom = value_copy(&custom);
		fields = lappend(fields, field);
	}
	return fields;
}

/* Ask for the list of fields; its texts live in context. */
static List *
fetch_field_list(Connection *connection, MemoryContext context)
{
	char	   *what = psprintf("could not fetch the list of fields of server \"%s\"",
								connection->name);
	bool		cloud = jira_api(connection) == JIRA_API_CLOUD;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "jira field list",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(scratch);
	Value		list;
	List	   *fields;

	list = fetch_document(connection, cloud ? "/rest/api/3/field" : "/rest/api/2/field",
						  NULL, '[', what,
						  "Set option \"story_points_field\" of the server to the id of the "
						  "field, and name custom fields by their ids, so that the list is not needed.");
	MemoryContextSwitchTo(context);
	fields = read_field_list(&list);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(scratch);
	return fields;
}

List *
jira_field_list(Connection *connection)
{
	JiraLearned *known = learned(connection);
	TimestampTz now = GetCurrentTimestamp();
	MemoryContext context;
	List	   *fields;

	if (known->field_context &&
		!TimestampDifferenceExceeds(known->fields_at, now, JIRA_FIELD_LIST_AGE_MS))
		return known->fields;

	/* an error on the way leaves what was known before */
	context = AllocSetContextCreate(CurrentMemoryContext, "jira fields",
									ALLOCSET_SMALL_SIZES);
	fields = fetch_field_list(connection, context);
	if (known->field_context)
		MemoryContextDelete(known->field_context);
	MemoryContextSetParent(context, connection->context);
	known->field_context = context;
	known->fields = fields;
	known->fields_at = now;
	return fields;
}
