-- Your own Jira.  The token stays in a file that only the server can read, so
-- that it is in no statement, no log and no process list.
CREATE EXTENSION resolute;
\set base_url `echo "$JIRA_BASE_URL"`
\set email `echo "$JIRA_EMAIL"`
\set token_file `echo "$TOKEN_FILE"`
CREATE SERVER jira FOREIGN DATA WRAPPER resolute_jira
    OPTIONS (base_url :'base_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER jira
    OPTIONS (email :'email', api_token_file :'token_file');
SELECT * FROM resolute.check_connection('jira');
