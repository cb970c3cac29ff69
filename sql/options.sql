-- Options of servers and user mappings.
\set VERBOSITY default
SET client_min_messages = warning;

-- works: every option
CREATE SERVER jira FOREIGN DATA WRAPPER resolute_jira OPTIONS (
    base_url 'https://your-org.atlassian.net/', browse_url 'https://jira.example.com',
    api 'cloud', timeout '30', connect_timeout '1.5', max_body '16MB',
    story_points_field 'customfield_10016', user_agent 'resolute test',
    allow_http 'off', allow_private 'true', ca_file '/etc/ssl/certs/ca.pem');
ALTER SERVER jira OPTIONS (SET timeout '500ms', SET connect_timeout '2min', SET max_body '1000000');
ALTER SERVER jira OPTIONS (SET api 'server');
ALTER SERVER jira OPTIONS (SET api 'auto', DROP ca_file, DROP allow_private);
CREATE SERVER dev FOREIGN DATA WRAPPER resolute_jira
    OPTIONS (base_url 'http://[2001:db8::1]:8080/jira', allow_http 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER jira OPTIONS (email 'ada@example.com', api_token 'very-secret');
ALTER USER MAPPING FOR CURRENT_USER SERVER jira OPTIONS (SET api_token 'more-secret');
ALTER USER MAPPING FOR CURRENT_USER SERVER jira OPTIONS (DROP email, DROP api_token, ADD token 'secret-token');
ALTER USER MAPPING FOR CURRENT_USER SERVER jira OPTIONS (DROP token, ADD api_token_file '/run/secrets/jira');
ALTER USER MAPPING FOR CURRENT_USER SERVER jira OPTIONS (DROP api_token_file, ADD api_token_env 'JIRA_TOKEN', ADD email 'ada@example.com');
ALTER USER MAPPING FOR CURRENT_USER SERVER jira OPTIONS (DROP api_token_env, DROP email);

-- invalid input: option names
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example', bogus 'x');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example', api_token 'very-secret');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example', token 'very-secret');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example', email 'ada@example.com');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example', "BASE_URL" 'https://b.example');
CREATE USER MAPPING FOR PUBLIC SERVER jira OPTIONS (base_url 'https://a.example');
CREATE USER MAPPING FOR PUBLIC SERVER jira OPTIONS (password 'very-secret');
ALTER FOREIGN DATA WRAPPER resolute_jira OPTIONS (ADD timeout '3');
CREATE FOREIGN TABLE bad (a int) SERVER jira OPTIONS (timeout '3');

-- invalid input: URLs
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira;
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url '');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'your-org.atlassian.net');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'ftp://a.example');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'file:///etc/passwd');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'http://a.example');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://ada:very-secret@a.example');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example/?token=very-secret');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example/#x');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example/../b');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example/a b');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url E'https://a.example/\r\nHost: b');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example\@b.example/');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example', browse_url 'javascript:alert(1)');
-- the last thing that allowed it cannot be dropped
ALTER SERVER dev OPTIONS (DROP allow_http);
ALTER SERVER dev OPTIONS (SET allow_http 'false');

-- invalid input: other values
ALTER SERVER jira OPTIONS (SET api 'cloud server');
ALTER SERVER jira OPTIONS (SET api 'clou');
ALTER SERVER jira OPTIONS (SET api '');
ALTER SERVER jira OPTIONS (SET timeout '0');
ALTER SERVER jira OPTIONS (SET timeout '2h');
ALTER SERVER jira OPTIONS (SET timeout 'soon');
ALTER SERVER jira OPTIONS (SET timeout 'NaN');
ALTER SERVER jira OPTIONS (SET connect_timeout '301');
ALTER SERVER jira OPTIONS (SET max_body '1');
ALTER SERVER jira OPTIONS (SET max_body '1GB');
ALTER SERVER jira OPTIONS (SET max_body '10s');
ALTER SERVER jira OPTIONS (SET story_points_field '');
ALTER SERVER jira OPTIONS (SET user_agent E'a\nX-Evil: b');
ALTER SERVER jira OPTIONS (ADD allow_private 'perhaps');
ALTER SERVER jira OPTIONS (ADD ca_file 'ca.pem');
CREATE USER MAPPING FOR PUBLIC SERVER jira OPTIONS (email 'a:b', api_token 'very-secret');
CREATE USER MAPPING FOR PUBLIC SERVER jira OPTIONS (token '');
CREATE USER MAPPING FOR PUBLIC SERVER jira OPTIONS (token E'very-secret\r\nX-Evil: b');
CREATE USER MAPPING FOR PUBLIC SERVER jira OPTIONS (api_token_file 'secrets/jira');

-- invalid input: combinations
CREATE USER MAPPING FOR PUBLIC SERVER jira OPTIONS (email 'ada@example.com');
CREATE USER MAPPING FOR PUBLIC SERVER jira OPTIONS (email 'ada@example.com', token 'very-secret');
CREATE USER MAPPING FOR PUBLIC SERVER jira OPTIONS (api_token 'very-secret');
CREATE USER MAPPING FOR PUBLIC SERVER jira OPTIONS (token 'very-secret', api_token_env 'X');

-- permissions: what only superusers may set
CREATE ROLE resolute_test_owner;
GRANT USAGE ON FOREIGN DATA WRAPPER resolute_jira TO resolute_test_owner;
SET ROLE resolute_test_owner;
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'http://a.example', allow_http 'true');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example', allow_private 'on');
CREATE SERVER bad FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example', ca_file '/etc/passwd');
CREATE SERVER mine FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://a.example', allow_private 'off');
CREATE USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (api_token_file '/etc/passwd');
CREATE USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (api_token_env 'PATH');
CREATE USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (email 'me@example.com', api_token 'very-secret');
ALTER SERVER mine OPTIONS (SET allow_private 'on');
RESET ROLE;
-- what a superuser allowed for one address does not go along to another one
ALTER SERVER mine OPTIONS (SET allow_private 'on');
SET ROLE resolute_test_owner;
ALTER SERVER mine OPTIONS (SET base_url 'https://b.example');
ALTER SERVER mine OPTIONS (SET allow_private 'off', SET base_url 'https://b.example');
RESET ROLE;

-- permissions: secrets are not shown to others
CREATE ROLE resolute_test_other;
SET ROLE resolute_test_other;
SELECT srvname, usename, umoptions FROM pg_user_mappings WHERE srvname = 'mine';
SELECT * FROM resolute.check_connection('mine');
RESET ROLE;
GRANT USAGE ON SCHEMA resolute TO resolute_test_other;
SET ROLE resolute_test_other;
SELECT * FROM resolute.check_connection('mine');
RESET ROLE;
GRANT EXECUTE ON FUNCTION resolute.check_connection(text) TO resolute_test_other;
SET ROLE resolute_test_other;
SELECT * FROM resolute.check_connection('mine');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER mine TO resolute_test_other;
SET ROLE resolute_test_other;
SELECT * FROM resolute.check_connection('mine');
SELECT * FROM resolute.check_connection('nowhere');
RESET ROLE;

-- invalid input: servers that are not ours, and tokens that are not there
CREATE FOREIGN DATA WRAPPER other;
CREATE SERVER foreigner FOREIGN DATA WRAPPER other;
SELECT * FROM resolute.check_connection('foreigner');
CREATE USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (api_token_file '/nonexistent/token');
SELECT * FROM resolute.check_connection('mine');
ALTER USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (SET api_token_file '/dev/null');
SELECT * FROM resolute.check_connection('mine');
ALTER USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (DROP api_token_file, ADD api_token_env 'RESOLUTE_TEST_UNSET');
SELECT * FROM resolute.check_connection('mine');

-- private addresses
CREATE SERVER loopback FOREIGN DATA WRAPPER resolute_jira OPTIONS (base_url 'https://127.0.0.1:1');
CREATE USER MAPPING FOR PUBLIC SERVER loopback;
SELECT * FROM resolute.check_connection('loopback');
DO $$
DECLARE
    address text;
BEGIN
    FOREACH address IN ARRAY '{localhost,10.0.0.1,172.16.0.1,172.31.255.255,192.168.1.1,169.254.169.254,100.64.0.1,
        100.127.255.255,0.0.0.0,224.0.0.1,255.255.255.255,198.18.0.1,192.0.0.1,2130706433,0x7f.1,017700000001,
        [::1],[::],[fe80::1],[fec0::1],[fc00::1],[fd00::1],[ff02::1],[::ffff:127.0.0.1],[::ffff:10.0.0.1],
        [::127.0.0.1],[64:ff9b::7f00:1],[64:ff9b:1::7f00:1],[2002:7f00:1::],[2002:a00:1::],[2001:0:7f00:1::]}'::text[]
    LOOP
        EXECUTE format('ALTER SERVER loopback OPTIONS (SET base_url %L)', 'https://' || address || ':1');
        BEGIN
            PERFORM resolute.check_connection('loopback');
            RAISE WARNING '% is reachable', address;
        EXCEPTION WHEN sqlclient_unable_to_establish_sqlconnection THEN
            -- a machine without IPv6 does not even look at such an address
            IF SQLERRM NOT LIKE '%address is private' AND
                NOT (address LIKE '[%' AND SQLERRM LIKE 'could not find the host%') THEN
                RAISE WARNING '%: %', address, SQLERRM;
            END IF;
        END;
    END LOOP;
END $$;
DROP SERVER jira, dev, mine, foreigner, loopback CASCADE;
DROP FOREIGN DATA WRAPPER other;
DROP OWNED BY resolute_test_owner, resolute_test_other;
DROP ROLE resolute_test_owner, resolute_test_other;
