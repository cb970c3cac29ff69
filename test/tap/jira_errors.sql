-- What goes wrong at the source is an error with an SQLSTATE and a remedy, never "no rows".
BEGIN;
\ir setup/jira.sql
SELECT no_plan();
SET LOCAL resolute.http_attempts = 2;
SELECT sim.post('/_sim/reset', '{"issues": 250}') IS NULL AS x \gset
SELECT sim.connect(server, options, $q$email 'ada@example.com', api_token 'sim-token'$q$, path) FROM (VALUES
    ('jira', 'api ''cloud''', ''), ('dc', 'api ''server''', '/server'), ('auto', NULL, ''), ('fresh', 'api ''cloud''', ''), ('small', 'api ''cloud'', max_body ''2kB''', '')) AS v (server, options, path);

CREATE FUNCTION sim.read(server text, fields text DEFAULT '{summary,updated}') RETURNS text LANGUAGE sql AS
    $$ SELECT format('SELECT count(*) FROM resolute.jira_issues(%L, %L, %L)', server, 'updated >= 0', fields) $$;

-- A fault, and the error that it must be: a pattern of "SQLSTATE message / detail / hint".
CREATE FUNCTION sim.check_fault(server text, title text, fault jsonb, pattern text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sim.get('/_sim/faults?clear=1'), sim.post('/_sim/fault', fault);
    RETURN matches(sim.error(sim.read(server)), pattern, server || ': ' || title);
END $$;

-- ---------------------------------------------------------------------------
-- Arguments
-- ---------------------------------------------------------------------------
SELECT is(sim.error('SELECT resolute.jira_issues(' || arguments || ')'), wanted, arguments) FROM (VALUES
    ($$NULL, 'x'$$, '22004 server must not be null / Call jira_issues(''server'', ''project = X'').'),
    ($$'jira', NULL$$, '22004 jql must not be null / Call jira_issues(''server'', ''project = X'').'),
    ($$'jira', 'x', '{a,NULL}'$$, '22004 fields must not contain nulls'),
    ($$'jira', 'x', page_size => 0$$, '22023 page_size 0 is out of range / Jira gives 1 to 5000 issues a page; the default is 100.'),
    ($$'jira', 'x', page_size => 5001$$, '22023 page_size 5001 is out of range / Jira gives 1 to 5000 issues a page; the default is 100.'),
    ($$'jira', 'x', max_items => 0$$, '22023 max_items must be at least 1 / Leave it out to fetch all issues.'),
    ($$'jira', 'summary ~ "x'$$, '42601 unterminated quoted string in JQL / The quote at character 11 is not closed. / Close the string, or write a quote inside it as \".'),
    ($$'jira', 'summary ~ "ü" AND text ~ ''x'$$, '42601 unterminated quoted string in JQL / The quote at character 26 is not closed. / Close the string, or write a quote inside it as \''.')
) AS v (arguments, wanted);
SELECT is((SELECT count(*) FROM sim.log()), 0::bigint, 'none of these asked the server anything');
SELECT matches(sim.error(sim.read('nowhere')), '^42704 server "nowhere" does not exist / Known servers are: ', 'unknown server');

-- ---------------------------------------------------------------------------
-- Queries and credentials
-- ---------------------------------------------------------------------------
SELECT matches(sim.error($$SELECT resolute.jira_issues('jira', 'ORDER BY key')$$), '^22023 .* / .*Unbounded JQL queries are not allowed here', 'an unbounded query');
SELECT matches(sim.error($$SELECT resolute.jira_issues('jira', 'project = NOPE')$$), '^22023 .* / .*does not exist for the field ''project''', 'an unknown project');
SELECT matches(sim.error($$SELECT resolute.jira_issues('jira', 'colour = red')$$), '^22023 could not fetch issues from server "jira".* / .+ / .+', 'an unknown field');
SELECT is((SELECT count(*) FROM sim.searches()), 3::bigint, 'are asked once');

SELECT sim.check_fault(server, title, fault, pattern) FROM unnest('{jira,dc}'::text[]) AS server, (VALUES
    ('401', '{"status": 401}'::jsonb, '^28000 could not fetch issues from server "\w+".* / .+ / .*user mapping for "PUBLIC"'),
    ('403', '{"status": 403}', '^28000 could not fetch issues from server "\w+".* / .+ / .*user mapping for "PUBLIC"'),
    ('captcha', '{"status": 403, "headers": {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=https://x/login.jsp"}}', '^28000 .*could not fetch issues.*[Cc][Aa][Pp][Tt][Cc][Hh][Aa]'),
    ('anonymous', '{"seraph": true}', '^28000 could not fetch issues from server "\w+".* / .+ / .*token'),
    ('404', '{"status": 404}', '^08004 could not fetch issues from server "\w+".* / .+ / .*"api"'),
    ('410', '{"status": 410}', '^08004 could not fetch issues from server "\w+".* / .+ / .*"api"'),
    ('a web page', '{"html": true}', '^08P01 could not fetch issues from server "\w+".*web page / .+ / .+'),
    -- pages that break the protocol
    ('truncated JSON', '{"times": -1, "body": "{\"issues\":[{\"id\":\"1\","}', '^08P01 server "\w+" sent an answer that cannot be read / 2 attempts ended'),
    ('a body that ends early', '{"times": -1, "truncate": 900}', '^08(006|P01) '),
    ('an empty body', '{"times": -1, "body": ""}', '^08P01 '),
    ('an array', '{"not_object": true}', '^08P01 could not fetch issues from server "\w+" / The answer is not a JSON object\. / Check option "base_url"'),
    ('a string', '{"body": "\"issues\""}', '^08P01 could not fetch issues from server "\w+" / The answer is not a JSON object\.'),
    ('no issues', '{"no_issues": true}', '^08P01 could not fetch issues from server "\w+" / The answer has no list of issues\. / .+'),
    ('issues that are no list', '{"body": {"issues": {"a": 1}}}', '^08P01 could not fetch issues from server "\w+" / The answer has no list of issues\.'),
    ('503', '{"times": -1, "status": 503, "headers": {"Retry-After": "0"}}', '^08\w+ .*503')) AS v (title, fault, pattern);

-- ---------------------------------------------------------------------------
-- Walks that cannot be followed
-- ---------------------------------------------------------------------------
SELECT sim.check_fault('jira', title, fault, pattern) FROM (VALUES
    ('the same token again', '{"skip": 1, "repeat_token": true}'::jsonb, '^08P01 could not fetch issues from server "jira" / The server repeated the token of an earlier page\. / .+'),
    ('the first page for ever', '{"skip": 1, "ignore_position": true, "times": -1}', '^08P01 could not fetch issues from server "jira" / The server sent the issues of an earlier page again\. / .+'),
    ('more, but no token', '{"no_token": true}', '^08P01 could not fetch issues from server "jira" / The page says that it is not the last one, but names no next page\. / .+'),
    ('more, but a null token', '{"token_null": true}', '^08P01 .* names no next page\.'),
    ('more, but an empty token', '{"token_empty": true}', '^08P01 .* names no next page\.'),
    ('a token that is a number', '{"body": {"issues": [], "nextPageToken": 7}}', '^08P01 .*token of the next page is not a string')) AS v (title, fault, pattern);
SELECT sim.check_fault('dc', title, fault, pattern) FROM (VALUES
    ('fewer issues than it counts', '{"skip": 1, "body": {"startAt": 49, "total": 200, "issues": []}}'::jsonb, '^08P01 could not fetch issues from server "dc" / The server (counts 200 issues but sent none|sent issues from)'),
    ('none of those it counts', '{"body": {"startAt": 0, "total": 250, "issues": []}}', '^08P01 could not fetch issues from server "dc" / The server counts 250 issues but sent none from 0 on\. / .+')) AS v (title, fault, pattern);
SELECT sim.post('/_sim/bulk', '{"count": 250}') IS NULL AS x \gset
SELECT sim.check_fault('dc', 'the first page for ever', '{"skip": 1, "times": -1, "ignore_position": true}',
    '^08P01 could not fetch issues from server "dc" / The server sent (the issues of an earlier page again|issues from 0 on rather than)');

-- a server that goes on sending empty pages, each with a new token
SELECT sim.post('/_sim/reset', '{"issues": 1100}') IS NULL AS x \gset
SELECT sim.post('/_sim/fault', '{"empty_page": true, "times": -1}') IS NULL AS x \gset
SELECT matches(sim.error($$SELECT resolute.jira_issues('jira', 'updated >= 0', '{}', page_size => 1)$$),
    '^08P01 could not fetch issues from server "jira" / The server sent 1000 empty pages in a row, each naming another one\. / .+', 'empty pages without end');
SELECT sim.get('/_sim/faults?clear=1') IS NULL AS x \gset
SELECT count(*) AS x FROM sim.log() \gset

-- ---------------------------------------------------------------------------
-- Which API is it?
-- ---------------------------------------------------------------------------
CREATE FUNCTION sim.check_info(title text, fault jsonb, pattern text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sim.get('/_sim/faults?clear=1'), sim.post('/_sim/fault', jsonb_build_array(
        fault || '{"match": "/rest/api/2/serverInfo"}', fault || '{"match": "/rest/api/3/serverInfo"}'));
    RETURN matches(sim.error(sim.read('auto')), pattern, 'serverInfo: ' || title);
END $$;
SELECT sim.check_info(title, fault, pattern) FROM (VALUES
    ('404', '{"status": 404}'::jsonb, '^08004 could not find out which Jira API server "auto" has.* / .+ / .*"api"'),
    ('a web page', '{"html": true}', '^08P01 could not find out which Jira API server "auto" has.*web page'),
    ('an array', '{"body": []}', '^08P01 could not find out which Jira API server "auto" has / The answer is not a JSON object\. / .*option "api"'),
    ('no Jira', '{"body": {"name": "x"}}', '^08P01 could not find out which Jira API server "auto" has / The answer names neither a deployment type nor a version\. / .*option "api"'),
    ('truncated', '{"body": "{\"deploymentType\":", "times": -1}', '^08P01 ')) AS v (title, fault, pattern);
SELECT is((SELECT count(*) FROM sim.searches()), 0::bigint, 'nothing is searched before that is known');
SELECT sim.get('/_sim/faults?clear=1') IS NULL AS x \gset

CREATE FUNCTION sim.check_deployment(deployment text, path text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sim.post('/_sim/settings', jsonb_build_object('deployment', deployment, 'flavour', CASE WHEN path LIKE '%/3/%' THEN 'cloud' ELSE 'server' END));
    ALTER SERVER auto OPTIONS (SET timeout '31 s');     -- a changed server is a new connection
    PERFORM sim.log();
    EXECUTE sim.read('auto');
    RETURN is((SELECT array_agg(DISTINCT l.path) FROM sim.searches() AS l), ARRAY[path], 'deployment type ' || deployment);
END $$;
ALTER SERVER auto OPTIONS (ADD timeout '30 s');
SELECT sim.check_deployment(deployment, path) FROM (VALUES
    ('Cloud', '/rest/api/3/search/jql'), ('Server', '/rest/api/2/search'), ('DataCenter', '/rest/api/2/search'),
    ('Data Center', '/rest/api/2/search'), ('cloud', '/rest/api/2/search'), ('-', '/rest/api/2/search')) AS v (deployment, path);
-- a site that moves to the Cloud: the old search is 410 there, and the next call finds that out
SELECT sim.post('/_sim/settings', '{"flavour": "cloud", "deployment": "Cloud"}') IS NULL AS x \gset
SELECT matches(sim.error(sim.read('auto')), '^08004 ', 'a site that moved to the Cloud');
SELECT is(sim.error(sim.read('auto')), 'no error', 'is asked again the next time');

-- ---------------------------------------------------------------------------
-- The list of fields
-- ---------------------------------------------------------------------------
SELECT sim.post('/_sim/fault', '{"match": "/rest/api/3/field", "status": 404}') IS NULL AS x \gset
SELECT matches(sim.error(sim.read('fresh', '{story_points}')), '^08004 could not fetch the list of fields of server "fresh".* / .+ / .*"story_points_field"', 'no list of fields');
SELECT sim.post('/_sim/fault', '{"match": "/rest/api/3/field", "body": {}}') IS NULL AS x \gset
SELECT matches(sim.error(sim.read('fresh', '{story_points}')), '^08P01 could not fetch the list of fields of server "fresh" / The answer is not a JSON array\.', 'a list of fields that is none');
SELECT is(sim.error(sim.read('fresh', '{story_points}')), 'no error', 'is asked for again');

-- ---------------------------------------------------------------------------
-- Limits, rights
-- ---------------------------------------------------------------------------
SELECT matches(sim.error(sim.read('small')), '^54000 answer of server "small" is too large / .+ / .*"max_body"', 'a body over the cap');

CREATE ROLE stranger;
GRANT USAGE ON SCHEMA resolute, sim, public TO stranger;
SET LOCAL ROLE stranger;
SELECT is(sim.error(sim.read('jira')), '42501 permission denied for function jira_issues', 'the function is nobody''s at first');
RESET ROLE;
GRANT EXECUTE ON FUNCTION resolute.jira_issues TO stranger;
SET LOCAL ROLE stranger;
SELECT is(sim.error(sim.read('jira')), '42501 permission denied for foreign server jira', 'USAGE on the server is needed');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER jira TO stranger;
SET LOCAL ROLE stranger;
SELECT is(sim.error(sim.read('jira')), 'no error', 'and is enough');
RESET ROLE;
DROP USER MAPPING FOR PUBLIC SERVER jira;
SELECT matches(sim.error(sim.read('jira')), '^28000 role ".+" has no user mapping for server "jira" / Create it: CREATE USER MAPPING', 'no user mapping');

-- ---------------------------------------------------------------------------
-- Odd values are no errors
-- ---------------------------------------------------------------------------
SET LOCAL client_min_messages = error;
SELECT sim.post('/_sim/page?match=search', '{"issues": [1, null, "x", [], {}, {"id": 5, "key": null, "fields": []}, {"id": "7", "key": "X-7", "fields": {
    "summary": ["a"], "status": "Open", "project": 5, "issuetype": null, "priority": {}, "assignee": [], "reporter": {"displayName": 3},
    "labels": ["a", null, 7, {"b": 1}], "components": "c", "created": "tomorrow", "updated": 1, "resolutiondate": "51502-03-04T05:06:07.008+0000",
    "customfield_10016": "x", "parent": false, "description": 12}}]}') IS NULL AS x \gset
SELECT is(array_agg(to_jsonb(i)), ARRAY['{}', '{}', '{}', '{}', '{}',
    '{"id": "5", "fields": []}', '{"id": "7", "key": "X-7", "summary": "[\"a\"]", "reporter": "3", "labels": ["a", null, "7", "{\"b\": 1}"], "resolved": "51502-03-04T05:06:07.008+00:00",
    "description": "12"}']::jsonb[], 'odd values')
    FROM (SELECT jsonb_strip_nulls(to_jsonb(i) - CASE WHEN key IS NULL THEN 'x' ELSE 'fields' END - 'url') AS i FROM resolute.jira_issues('auto', 'x = 1') AS i) AS i;
SELECT sim.post('/_sim/fault', f) IS NULL AS x FROM (VALUES ('[{"row": 0, "nul_escape": true}, {"row": 0, "lone_surrogate": true}, {"row": 0, "bad_utf8": true}]'::jsonb)) AS v (f) \gset
SELECT matches(i.summary || (i.fields ->> 'summary'), U&'^.*\FFFD.*\FFFD', title)
    FROM unnest('{NUL,a lone surrogate,broken UTF-8}'::text[]) AS title,
        LATERAL resolute.jira_issues('auto', 'updated >= 0' || left(title, 0), max_items => 1) AS i;
SELECT sim.post('/_sim/fault', '{"row": 0, "no_updated": true}') IS NULL AS x \gset
SELECT is((SELECT (key IS NOT NULL, updated) FROM resolute.jira_issues('auto', 'updated >= 0', '{updated}', max_items => 1))::text, '(t,)', 'no time');
-- no type of PostgreSQL holds such a number, so "fields" cannot either
SELECT sim.post('/_sim/fault', '{"row": 0, "huge_number": true}') IS NULL AS x \gset
SELECT matches(sim.error(sim.read('auto', '{story_points}')), '^22003 ', 'a number beyond all numbers');
SELECT sim.get('/_sim/faults?clear=1') IS NULL AS x \gset

SELECT * FROM finish();
ROLLBACK;
