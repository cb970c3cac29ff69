-- Connections and sources.

CREATE FUNCTION resolute.jira_validator(text[], oid)
RETURNS void LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'resolute_jira_validator';
REVOKE ALL ON FUNCTION resolute.jira_validator(text[], oid) FROM PUBLIC;
COMMENT ON FUNCTION resolute.jira_validator(text[], oid)
IS 'checks the options of servers and user mappings of resolute_jira';

CREATE FOREIGN DATA WRAPPER resolute_jira VALIDATOR resolute.jira_validator;
COMMENT ON FOREIGN DATA WRAPPER resolute_jira
IS 'Jira sites (Cloud, Server, Data Center) as sources of resolute';

CREATE FUNCTION resolute.redis_validator(text[], oid)
RETURNS void LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'resolute_redis_validator';
REVOKE ALL ON FUNCTION resolute.redis_validator(text[], oid) FROM PUBLIC;
COMMENT ON FUNCTION resolute.redis_validator(text[], oid)
IS 'checks the options of servers and user mappings of resolute_redis';

CREATE FOREIGN DATA WRAPPER resolute_redis VALIDATOR resolute.redis_validator;
COMMENT ON FOREIGN DATA WRAPPER resolute_redis
IS 'Redis servers, where cursors of resolute may keep their position';

CREATE FUNCTION resolute.check_connection(server text, OUT deployment_type text,
    OUT account text, OUT time_zone text, OUT server_version text, OUT clock_skew interval)
RETURNS record LANGUAGE c STRICT VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'resolute_check_connection';
REVOKE ALL ON FUNCTION resolute.check_connection(text) FROM PUBLIC;
COMMENT ON FUNCTION resolute.check_connection(text)
IS 'asks a server what it is and as whom it knows us; raises the error otherwise';

CREATE FUNCTION resolute.jira_issues(
    server text, jql text, fields text[] DEFAULT NULL, page_size int DEFAULT NULL, max_items bigint DEFAULT NULL,
    concurrency int DEFAULT NULL)
RETURNS TABLE (
    key text, id text, project text, summary text, status text, issue_type text, priority text,
    assignee text, assignee_id text, reporter text, labels text[], components text[],
    created timestamptz, updated timestamptz, resolved timestamptz, story_points numeric,
    parent text, description text, url text, fields jsonb)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1000 COST 100000
AS 'MODULE_PATHNAME', 'resolute_jira_issues';
REVOKE ALL ON FUNCTION resolute.jira_issues(text, text, text[], int, bigint, int) FROM PUBLIC;
COMMENT ON FUNCTION resolute.jira_issues(text, text, text[], int, bigint, int)
IS 'issues of a Jira server that match a JQL query, one row each';
