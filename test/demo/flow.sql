-- The flow of the README: Jira issues into warehouse.issues, every hour.
CREATE SCHEMA warehouse;
CREATE TABLE warehouse.issues (
    issue_key text PRIMARY KEY, project text, summary text, status text, assignee text, priority text,
    created_at timestamptz, updated_at timestamptz, story_points numeric, labels jsonb, sync_timestamp timestamptz);
CREATE TABLE warehouse.sync_log (at timestamptz DEFAULT now(), stats jsonb);
CREATE FUNCTION warehouse.log_sync_stats(stats jsonb) RETURNS jsonb LANGUAGE sql AS
    'INSERT INTO warehouse.sync_log (stats) VALUES ($1) RETURNING stats';

SELECT resolute.create_flow('jira-warehouse-sync',
    resolute.schedule('0 * * * *'),
    resolute.as('issues', resolute.jira_fetch_issues('jira',
        jql       => :'jql',
        cursor    => resolute.cursor_for('jira-sync'),
        page_size => 100)),
    resolute.when('issues',
        resolute.as('transformed', resolute.map('issues', template => $json${
            "issue_key": "{{.Key}}",          "project":  "{{.Project}}",
            "summary":   "{{.Summary}}",      "status":   "{{.Status}}",
            "assignee":  "{{.Assignee}}",     "priority": "{{.Priority}}",
            "created_at": "{{.Created}}",     "updated_at": "{{.Updated}}",
            "story_points": {{.StoryPoints}}, "labels": {{json .Labels}},
            "sync_timestamp": "{{now}}"}$json$)),
        resolute.as('unique',   resolute.unique('transformed', key => 'issue_key')),
        resolute.as('upserted', resolute.upsert('unique', target => 'warehouse.issues', key => 'issue_key')),
        resolute.node('log-stats', 'warehouse.log_sync_stats', input => 'upserted')));
