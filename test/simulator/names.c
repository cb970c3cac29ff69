/*
 * names.c: the people, states and words that issues are made of
 *
 * All invented. Names of several scripts, quotes, backslashes and characters
 * beyond the basic plane are in here on purpose: they are what a sync gets
 * wrong first.
 */
#include "names.h"

#include <strings.h>

#include "data.h"

#define COUNT(list) ((int) (sizeof(list) / sizeof((list)[0])) - 1)

/* The first user is the account that asks. */
const User	users[] = {
	{"712020:5f1c0a52-0b7e-4c1e-9a55-000000000001", "ada", "Ada Sync", NULL},
	{"712020:5f1c0a52-0b7e-4c1e-9a55-000000000002", "zoe", "Zoë Ångström", "Europe/Stockholm"},
	{"5b10a2844c20165700ede2003", "lukasz", "Łukasz Żółć", "Europe/Warsaw"},
	{"5b10a2844c20165700ede2004", "taro", "山田 太郎", "Asia/Tokyo"},
	{"5b10a2844c20165700ede2005", "obrien", "Seán O'Brien \\ \"Shay\"", "Europe/Dublin"},
	{"712020:5f1c0a52-0b7e-4c1e-9a55-000000000006", "maria", "María-José Núñez", "America/Bogota"},
	{"5b10a2844c20165700ede2007", "olga", "Ольга Иванова", "Asia/Yekaterinburg"},
	{"5b10a2844c20165700ede2008", "fatima", "فاطمة الزهراء", "Africa/Casablanca"},
	{"712020:5f1c0a52-0b7e-4c1e-9a55-000000000009", "sam", "Sam 🚀 Carter", "America/Los_Angeles"},
	{"5b10a2844c20165700ede2010", "nils", "Nils Holgersson", "Europe/Berlin"},
	{"5b10a2844c20165700ede2011", "priya", "Priya <Ops> & Co", "Asia/Kolkata"},
	{"712020:5f1c0a52-0b7e-4c1e-9a55-000000000012", "bot", "Automation", "UTC"},
	{NULL, NULL, NULL, NULL}
};

const Status statuses[] = {
	{"10000", "To Do", "new"},
	{"10003", "Selected for Development", "new"},
	{"3", "In Progress", "indeterminate"},
	{"10004", "In Review", "indeterminate"},
	{"10010", "Приёмка", "indeterminate"},
	{"10005", "Done", "done"},
	{"10011", "Won't Do", "done"},
	{NULL, NULL, NULL}
};

const IssueType issue_types[] = {
	{"10001", "Task", 0},
	{"10002", "Story", 0},
	{"10004", "Bug", 0},
	{"10000", "Epic", 1},
	{"10003", "Sub-task", -1},
	{NULL, NULL, 0}
};

const char *const priorities[] = {
	"Highest", "High", "Medium", "Low", "Lowest", NULL
};

const char *const labels[] = {
	"backend", "frontend", "infra", "customer-reported", "größe-xl",
	"regression", "security", "tech_debt", "перевод", "q\"uoted", NULL
};

const char *const components[] = {
	"API", "Web / Checkout", "Datenbank", "Mobile", "Search & Index", NULL
};

const int	user_count = COUNT(users);
const int	status_count = COUNT(statuses);
const int	issue_type_count = COUNT(issue_types);
const int	priority_count = COUNT(priorities);
const int	label_count = COUNT(labels);
const int	component_count = COUNT(components);

static const char *const verbs[] = {
	"Fix", "Investigate", "Document", "Migrate", "Speed up", "Remove",
	"Überprüfe", "Replace", "Test", "Deprecate", NULL
};

static const char *const subjects[] = {
	"the login page", "invoice export", "naïve cache eviction",
	"search results for \"quoted phrases\"", "C:\\temp\\uploads handling",
	"the checkout button", "日本語の検索", "retry of failed webhooks",
	"memory growth in the worker", "time zone of reports", NULL
};

static const char *const circumstances[] = {
	"on slow networks", "after the upgrade", "for façade customers",
	"when the token expires", "in Safari", "under load 🔥",
	"with 50% of users", "before the release", "für große Mandanten",
	"at midnight", NULL
};

static const char *const sentences[] = {
	"The request ends with a time-out when more than 1000 rows are asked for.",
	"Steps: open the page, sort by date, press \"Export\" and wait.",
	"Expected: a file with every row. Actual: the file ends in the middle.",
	"Nach dem Update auf Version 4.2 fehlen die Übersetzungen für Größe und Maß.",
	"Пользователь видит пустую страницу после входа в систему.",
	"再現手順は以下の通りです。検索欄に日本語を入力してください。",
	"See path C:\\Program Files\\App\\log.txt for the trace, or /var/log/app.",
	"It happens to about 3 % of the accounts, mostly those created before 2021.",
	"We should keep the old behaviour behind a switch until the next release 🎉.",
	"Acceptance: p95 below 200 ms & no error <500> in the gateway for a day.",
	NULL
};

/* Find a name among count pointers that lie stride bytes apart. */
static int
find_name(const void *first, size_t stride, int count, const char *name)
{
	const char *at = first;

	for (int i = 0; i < count; i++, at += stride)
		if (strcasecmp(*(const char *const *) at, name) == 0)
			return i;
	return -1;
}

int
find_user(const char *name)
{
	int			user = find_name(&users[0].display_name, sizeof(User),
								 user_count, name);

	return user >= 0 ? user :
		find_name(&users[0].name, sizeof(User), user_count, name);
}

int
find_status(const char *name)
{
	return find_name(&statuses[0].name, sizeof(Status), status_count, name);
}

int
find_issue_type(const char *name)
{
	return find_name(&issue_types[0].name, sizeof(IssueType),
					 issue_type_count, name);
}

int
find_priority(const char *name)
{
	return find_name(&priorities[0], sizeof(char *), priority_count, name);
}

int
find_label(const char *name, size_t len)
{
	for (int i = 0; i < label_count; i++)
		if (strlen(labels[i]) == len && memcmp(labels[i], name, len) == 0)
			return i;
	return -1;
}

void
name_summary(Buffer *buf, uint64_t seed)
{
	uint64_t	h = mix(seed ^ 0x73756d6dULL);

	buf_str(buf, verbs[h % COUNT(verbs)]);
	buf_char(buf, ' ');
	buf_str(buf, subjects[(h >> 16) % COUNT(subjects)]);
	buf_char(buf, ' ');
	buf_str(buf, circumstances[(h >> 32) % COUNT(circumstances)]);
}

void
name_sentence(Buffer *buf, uint64_t seed)
{
	buf_str(buf, sentences[mix(seed) % COUNT(sentences)]);
}
