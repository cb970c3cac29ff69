-- A simulated Jira on this machine.  Plain http and a private address are
-- refused unless a superuser allows them, as here.
CREATE EXTENSION resolute;
\set sim `echo "$RESOLUTE_SIM"`
CREATE SERVER jira FOREIGN DATA WRAPPER resolute_jira
    OPTIONS (base_url :'sim', allow_http 'true', allow_private 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER jira
    OPTIONS (email 'ada@example.com', api_token 'sim-token');
