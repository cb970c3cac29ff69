-- The flow of the README against the simulator: \ir setup/warehouse.sql
--
--   server jira, schema warehouse, table warehouse.issues, flow jira-warehouse-sync
--   source_issues      what the simulator holds of project PLATFORM, as rows of the table
--   same_as_source()   a test: does the table hold exactly that?
\ir sim.sql
SELECT sim.connect('jira');

CREATE SCHEMA warehouse;
CREATE TABLE warehouse.issues (
	issue_key text PRIMARY KEY, project text, summary text, status text, assignee text, priority text,
	created_at timestamptz, updated_at timestamptz, story_points numeric, labels jsonb, sync_timestamp timestamptz);
CREATE TABLE warehouse.sync_log (at timestamptz DEFAULT now(), stats jsonb);
CREATE FUNCTION warehouse.log_sync_stats(stats jsonb) RETURNS jsonb LANGUAGE sql AS
	'INSERT INTO warehouse.sync_log (stats) VALUES ($1) RETURNING stats';

CREATE FUNCTION sim.template() RETURNS text LANGUAGE sql IMMUTABLE AS $f$ SELECT $json${
	"issue_key": "{{.Key}}",          "project":  "{{.Project}}",
	"summary":   "{{.Summary}}",      "status":   "{{.Status}}",
	"assignee":  "{{.Assignee}}",     "priority": "{{.Priority}}",
	"created_at": "{{.Created}}",     "updated_at": "{{.Updated}}",
	"story_points": {{.StoryPoints}}, "labels": {{json .Labels}},
	"sync_timestamp": "{{now}}"}$json$ $f$;

-- Make (or change) the flow, with another query, page size, template or trigger.
CREATE FUNCTION sim.flow(jql text DEFAULT 'project = PLATFORM AND updated >= ${cursor}',
	page_size int DEFAULT 100, template text DEFAULT sim.template(),
	cursor jsonb DEFAULT resolute.cursor_for('jira-sync'), server text DEFAULT 'jira',
	target text DEFAULT 'warehouse.issues', trigger resolute.trigger DEFAULT resolute.manual(),
	name text DEFAULT 'jira-warehouse-sync') RETURNS int
LANGUAGE sql AS $$
	SELECT resolute.create_or_replace_flow(name, trigger,
		resolute.as('issues', resolute.jira_fetch_issues(server, jql, cursor, page_size)),
		resolute.when('issues',
			resolute.as('transformed', resolute.map('issues', template)),
			resolute.as('unique', resolute.unique('transformed', key => 'issue_key')),
			resolute.as('upserted', resolute.upsert('unique', target => target, key => 'issue_key')),
			resolute.node('log-stats', 'warehouse.log_sync_stats', input => 'upserted')))
$$;
SELECT sim.flow();

CREATE FUNCTION sim.issues() RETURNS TABLE (issue_key text, project text, summary text, status text,
	assignee text, priority text, created_at timestamptz, updated_at timestamptz, story_points numeric, labels jsonb)
LANGUAGE sql AS $$
	SELECT i->>'key', i->>'project', i->>'summary', i->>'status', i->>'assignee', i->>'priority',
		(i->>'created')::timestamptz, (i->>'updated')::timestamptz, (i->>'story_points')::numeric, i->'labels'
	FROM jsonb_array_elements(sim.get('/_sim/issues?project=PLATFORM&array=1')) i
$$;

CREATE FUNCTION sim.same_as_source(description text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT set_eq('SELECT issue_key, project, summary, status, assignee, priority, created_at, updated_at, story_points, labels FROM warehouse.issues',
		'SELECT * FROM sim.issues()', description)
$$;
