/*
 * jira_plan.c
 *		From names to the plan of what to ask for and what to pick.
 *
 * A name is a dotted chain, in which case and underscores do not matter:
 *
 *		Status, story_points	an alias (jira_fields.c)
 *		Status.StatusCategory	the field behind an alias, followed further
 *		Fields.customfield_10016, fields.duedate
 *								a field by its id
 *		duedate, SeverityLevel	a system field, or one by its display name
 */
#include "source/jira.h"

#include <ctype.h>

/*
 * How /field shows estimates, the same on every site: the type of the field of
 * team-managed projects, and type and name of that of company-managed ones.
 */
#define TEAM_MANAGED_POINTS "com.pyxis.greenhopper.jira:jsw-story-points"
#define FLOAT_FIELD "com.atlassian.jira.plugin.system.customfieldtypes:float"
#define COMPANY_MANAGED_POINTS "Story Points"

/* "customfield_10016" however it was written, palloc'd, or NULL. */
static char *
custom_field_id(const char *name)
{
	const char *digits = name + strlen(name);

	while (digits > name && isdigit((unsigned char) digits[-1]))
		digits--;
	if (*digits == '\0' || !names_agree(name, digits - name, "customfield", strlen("customfield")))
		return NULL;
	return psprintf("customfield_%s", digits);
}

/*
 * Does a name agree with a display name?  Templates cannot write the spaces
 * and dashes of "Severity - Level", so only letters and digits count.
 */
static bool
display_name_agrees(const char *name, const char *display)
{
	for (;;)
	{
		while (*name && !IS_HIGHBIT_SET(*name) && !isalnum((unsigned char) *name))
			name++;
		while (*display && !IS_HIGHBIT_SET(*display) && !isalnum((unsigned char) *display))
			display++;
		if (*name == '\0' || *display == '\0')
			return *name == *display;
		if (pg_tolower((unsigned char) *name) != pg_tolower((unsigned char) *display))
			return false;
		name++;
		display++;
	}
}

/* Raise that several fields could be meant. */
static void
raise_ambiguous(const char *what, List *infos, const char *hint) pg_attribute_noreturn();

static void
raise_ambiguous(const char *what, List *infos, const char *hint)
{
	StringInfoData list;
	ListCell   *cell;

	initStringInfo(&list);
	foreach(cell, infos)
	{
		const JiraFieldInfo *info = lfirst(cell);

		appendStringInfo(&list, "%s%s (\"%s\")", list.len ? ", " : "", info->id, info->name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_COLUMN),
			 errmsg("%s is ambiguous", what),
			 errdetail("It could be one of: %s.", list.data),
			 errhint("%s", hint)));
}

/*
 * The id of the field that a name means, palloc'd; asks for the list of fields
 * only if it is neither a system field nor the id of a custom one.  NULL
 * where the server knows no such field.  Without a connection, what to tell of it.
 */
static const char *
find_field(Connection *connection, const char *name)
{
	const char *id = jira_system_field(name);
	List	   *found = NIL;
	ListCell   *cell;

	if (!id)
		id = custom_field_id(name);
	if (id)
		return id;
	if (connection == NULL)
		return psprintf("\"%s\" (found by its name)", name);

	foreach(cell, jira_field_list(connection))
	{
		JiraFieldInfo *info = lfirst(cell);

		if (strcmp(info->id, name) == 0)
			return pstrdup(info->id);
		if (display_name_agrees(name, info->name) || display_name_agrees(name, info->id))
			found = lappend(found, info);
	}
	if (list_length(found) > 1)
		raise_ambiguous(psprintf("issue field \"%s\" of server \"%s\"", name, connection->name),
						found, "Name the field by its id, as in \"Fields.customfield_10016\".");
	return found ? pstrdup(((JiraFieldInfo *) linitial(found))->id) : NULL;
}

/* Ask the API for a field, once. */
static void
ask_for(JiraPlan *plan, const char *field)
{
	ListCell   *cell;

	foreach(cell, plan->asked)
	{
		if (strcmp(lfirst(cell), field) == 0)
			return;
	}
	plan->asked = lappend(plan->asked, pstrdup(field));
}

/* Pick one more path of the issue; returns its index. */
static int
add_path(JiraPlan *plan, const char *path)
{
	plan->path_list = lappend(plan->path_list, pstrdup(path));
	return plan->npaths++;
}

/* Add a field of the API to what is picked for a name. */
static void
pick_field(JiraPlan *plan, JiraPick *pick, const char *field)
{
	ask_for(plan, field);
	add_path(plan, psprintf("fields.%s", field));
	pick->npaths++;
}

/* The fields whose custom type, and name unless NULL, are these. */
static List *
fields_of_type(List *infos, const char *custom, const char *name)
{
	List	   *found = NIL;
	ListCell   *cell;

	foreach(cell, infos)
	{
		JiraFieldInfo *info = lfirst(cell);

		if (strcmp(info->custom, custom) == 0 &&
			(name == NULL || pg_strcasecmp(info->name, name) == 0))
			found = lappend(found, info);
	}
	return found;
}

/* Pick the story points by the field that the server's option names. */
static void
pick_points_by_option(Connection *connection, JiraPlan *plan, JiraPick *pick)
{
	const char *field = find_field(connection, connection->story_points_field);

	if (!field)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("server \"%s\" has no issue field \"%s\"",
						connection->name, connection->story_points_field),
				 errhint("Set option \"story_points_field\" to the id of the field, such as \"customfield_10016\".")));
	pick_field(plan, pick, field);
}

/*
 * Pick the story points: company-managed projects keep them in a number field
 * of that name, team-managed ones in a field of a type of its own.  A site
 * often has both, and then the kind of project decides (jira_value.c).
 */
static void
pick_points(Connection *connection, JiraPlan *plan, JiraPick *pick)
{
	List	   *infos;
	List	   *company;
	List	   *team;

	pick->compute = JIRA_STORY_POINTS;
	if (connection == NULL)
	{
		ask_for(plan, "story points (found by their name or type)");
		return;
	}
	if (connection->story_points_field)
	{
		pick_points_by_option(connection, plan, pick);
		return;
	}

	infos = jira_field_list(connection);
	company = fields_of_type(infos, FLOAT_FIELD, COMPANY_MANAGED_POINTS);
	team = fields_of_type(infos, TEAM_MANAGED_POINTS, NULL);
	if (list_length(company) > 1 || list_length(team) > 1)
		raise_ambiguous(psprintf("the story points field of server \"%s\"", connection->name),
						list_length(company) > 1 ? company : team,
						"Set option \"story_points_field\" of the server to the id of the right one.");
	if (company)
		pick_field(plan, pick, ((JiraFieldInfo *) linitial(company))->id);
	if (team)
		pick_field(plan, pick, ((JiraFieldInfo *) linitial(team))->id);
	if (company && team)
	{
		ask_for(plan, "project");
		add_path(plan, "fields.project.simplified");
		pick->npaths++;
	}
}

/* Pick what an alias stands for. */
static void
pick_alias(Connection *connection, JiraPlan *plan, JiraPick *pick, const JiraAlias *alias)
{
	if (alias->compute == JIRA_STORY_POINTS)
	{
		pick_points(connection, plan, pick);
		return;
	}
	pick->compute = alias->compute;
	if (alias->field)
		ask_for(plan, alias->field);
	for (int i = 0; i < (int) lengthof(alias->paths) && alias->paths[i]; i++)
	{
		add_path(plan, alias->paths[i]);
		pick->npaths++;
	}
}

/* Pick a field by its id or display name; unknown names are null, loudly. */
static void
pick_by_name(Connection *connection, JiraPlan *plan, JiraPick *pick, const char *name)
{
	const char *field = find_field(connection, name);

	if (!field)
	{
		ereport(WARNING,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("server \"%s\" has no issue field \"%s\"", connection->name, name),
				 errdetail("It is null in every row."),
				 errhint("Write a custom field by its name without spaces, or as \"Fields.customfield_10016\".")));
		field = name;
	}
	pick_field(plan, pick, field);
}

/* The keys of a dotted chain, List of char *. */
static List *
split_chain(const char *name)
{
	List	   *keys = NIL;
	char	   *rest = pstrdup(name);

	for (char *dot; (dot = strchr(rest, '.')) != NULL; rest = dot + 1)
	{
		*dot = '\0';
		keys = lappend(keys, rest);
	}
	return lappend(keys, rest);
}

/* Plan one name. */
static JiraPick
plan_name(Connection *connection, JiraPlan *plan, const char *name)
{
	JiraPick	pick = {JIRA_FIRST, plan->npaths, 0, NIL};
	List	   *keys = split_chain(name);
	const char *head = linitial(keys);
	const JiraAlias *alias = jira_find_alias(head);
	const char *member = jira_issue_member(head);

	if (*name == '*' || *name == '-')
	{
		/* "*all", "-comment": words of the API, which yield nothing themselves */
		ask_for(plan, name);
		return pick;
	}
	if (alias && list_length(keys) == 1)
	{
		pick_alias(connection, plan, &pick, alias);
		return pick;
	}

	/* a chain: its head, or what follows "Fields", is a field */
	keys = list_delete_first(keys);
	if (alias && strcmp(alias->name, "fields") == 0)
	{
		pick_by_name(connection, plan, &pick, linitial(keys));
		keys = list_delete_first(keys);
	}
	else if (alias && alias->field)
		pick_field(plan, &pick, alias->field);
	else if (alias)
		pick_alias(connection, plan, &pick, alias);
	else if (member)
	{
		add_path(plan, member);
		pick.npaths = 1;
	}
	else
		pick_by_name(connection, plan, &pick, head);
	pick.rest = keys;
	return pick;
}

/* Plan all names, and what is needed besides; connection as in find_field(). */
static JiraPlan *
plan_names(Connection *connection, const char *const *names, int n, bool with_updated)
{
	JiraPlan   *plan = palloc0(sizeof(JiraPlan));

	plan->picks = palloc(sizeof(JiraPick) * Max(n, 1));
	for (int i = 0; i < n; i++)
		plan->picks[i] = plan_name(connection, plan, names[i]);
	if (with_updated)
		ask_for(plan, "updated");
	plan->id = add_path(plan, "id");
	plan->updated = add_path(plan, "fields.updated");

	/* with no field at all the Cloud gives the id alone */
	if (plan->asked == NIL)
		plan->asked = list_make2("id", "key");
	return plan;
}

List *
jira_asked_fields(const SourceSpec *spec)
{
	FieldSet   *fields = jira_fieldset(spec);
	const char **names = palloc(sizeof(char *) * Max(fields->nfields, 1));

	for (int i = 0; i < fields->nfields; i++)
		names[i] = fields->fields[i].name;
	return plan_names(NULL, names, fields->nfields, false)->asked;
}

JiraPlan *
jira_plan(Connection *connection, const char *const *names, int n, bool with_updated)
{
	JiraPlan   *plan = plan_names(connection, names, n, with_updated);
	const char **paths;
	ListCell   *cell;

	plan->browse_url = pstrdup(connection->browse_url);

	paths = palloc(sizeof(char *) * plan->npaths);
	foreach(cell, plan->path_list)
		paths[foreach_current_index(cell)] = lfirst(cell);
	plan->paths = json_paths_compile(paths, plan->npaths);
	return plan;
}
