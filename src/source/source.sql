-- Connections and sources.

CREATE FUNCTION resolute.jira_validator(text[], oid)
RETURNS void LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'resolute_jira_validator';
REVOKE ALL ON FUNCTION resolute.jira_validator(text[], oid) FROM PUBLIC;
COMMENT ON FUNCTION resolute.jira_validator(text[], oid)
IS 'checks the options of servers and user mappings of resolute_jira';

CREATE FOREIGN DATA WRAPPER resolute_jira VALIDATOR resolute.jira_validator;
COMMENT ON FOREIGN DATA WRAPPER resolute_jira
IS 'Jira sites (Cloud, Server, Data Center) as sources of resolute';
