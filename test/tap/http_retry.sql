-- Which requests are repeated, and how long resolute waits before.
BEGIN;
\ir setup/sim.sql
SELECT no_plan();

SELECT sim.connect('jira', $q$timeout '500ms'$q$);

-- Check the connection while the first request for the account has a fault: it must be repeated
-- once, after a time between these seconds.
CREATE FUNCTION pg_temp.repeats(fault jsonb, at_least numeric DEFAULT 0, at_most numeric DEFAULT 4)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    took numeric;
BEGIN
    PERFORM sim.get('/_sim/faults?clear=1'), sim.get('/_sim/log?clear=1');
    PERFORM sim.post('/_sim/fault', '{"match": "/rest/api/2/myself"}'::jsonb || fault);
    started := clock_timestamp();
    PERFORM resolute.check_connection('jira');
    took := extract(epoch FROM clock_timestamp() - started);
    RETURN NEXT is((SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/log')) AS request
                    WHERE request->>'path' LIKE '%/myself'), 2::bigint, fault::text || ' is repeated');
    RETURN NEXT ok(took BETWEEN at_least AND at_most, fault::text || ' is repeated in time: ' || took || ' s');
END $$;

-- failures that may pass
SELECT pg_temp.repeats('{"status": 500}');
SELECT pg_temp.repeats('{"status": 502}');
SELECT pg_temp.repeats('{"status": 503, "html": true}');
SELECT pg_temp.repeats('{"status": 504}');
SELECT pg_temp.repeats('{"hang": true}', 0.5);
SELECT pg_temp.repeats('{"close": true}');
SELECT pg_temp.repeats('{"truncate": 20}');
SELECT pg_temp.repeats('{"not_object": true}');

-- servers that ask to wait, in all the ways they do
SELECT pg_temp.repeats('{"status": 429}');
SELECT pg_temp.repeats('{"status": 429, "headers": {"Retry-After": "0"}}');
SELECT pg_temp.repeats('{"status": 429, "headers": {"Retry-After": "1"}}', 1);
SELECT pg_temp.repeats('{"status": 503, "headers": {"Retry-After": "1"}}', 1);
SELECT pg_temp.repeats('{"status": 403, "headers": {"Retry-After": "1"}}', 1);
SELECT pg_temp.repeats('{"status": 429, "headers": {"Retry-After": "{now+2}"}}', 1);
SELECT pg_temp.repeats('{"status": 429, "headers": {"X-RateLimit-Reset": "{epoch+2}"}}', 1);
SELECT pg_temp.repeats('{"status": 403, "headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "{epoch+2}"}}', 1);
-- a minute is the grain of Jira's reset, so only one that has passed is quick
SELECT pg_temp.repeats('{"status": 429, "headers": {"X-RateLimit-Reset": "{minute-90}"}}');
-- nonsense counts as no hint
SELECT pg_temp.repeats('{"status": 429, "headers": {"Retry-After": "soon", "X-RateLimit-Reset": "2026-13-01T00:00Z"}}');

-- longer than resolute.max_wait: the request fails at once, to be made later
SET LOCAL resolute.max_wait = '5s';
SELECT throws_ok($$SELECT pg_temp.repeats('{"status": 429, "headers": {"Retry-After": "6"}}')$$, '53400');
SELECT throws_ok($$SELECT pg_temp.repeats('{"status": 503, "headers": {"Retry-After": "{now+60}"}}')$$, '53400');
SELECT throws_ok($$SELECT pg_temp.repeats('{"status": 429, "headers": {"X-RateLimit-Reset": "{minute+120}"}}')$$, '53400');
SELECT throws_ok($$SELECT pg_temp.repeats('{"status": 403, "headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "{epoch+60}"}}')$$, '53400');

-- what is never repeated
SELECT throws_ok(pg_catalog.format($$SELECT pg_temp.repeats('{"status": %s, "match": "/rest/api/", "times": -1}')$$, status), code)
    FROM (VALUES (400, '22023'), (401, '28000'), (403, '28000'), (404, '08004'), (410, '08004')) AS never (status, code);
SELECT throws_ok($$SELECT pg_temp.repeats('{"status": 403, "headers": {"Retry-After": "0", "X-RateLimit-Remaining": "5"}}')$$, '28000');

-- Data Center sends Retry-After: 0 with every answer
SELECT lives_ok($$SELECT sim.get('/_sim/faults?clear=1'), sim.post('/_sim/fault', '{"match": "/rest/api/2/serverInfo", "status": 200, "headers": {"Retry-After": "0"}, "body": {"deploymentType": "DataCenter"}}')$$);
SELECT is((SELECT deployment_type FROM resolute.check_connection('jira')), 'DataCenter', 'Retry-After: 0 beside a good answer means go on');

-- resolute.http_attempts
SET LOCAL resolute.http_attempts = 3;
SELECT lives_ok($$SELECT sim.get('/_sim/log?clear=1'), sim.post('/_sim/fault', '{"match": "/rest/api/2/myself", "status": 503, "times": -1}')$$);
SELECT throws_ok('SELECT resolute.check_connection(''jira'')', '08006');
SELECT is((SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/log')) AS request WHERE request->>'path' LIKE '%/myself'),
    3::bigint, 'a request is tried as often as the setting says');

-- A page that the server cannot send, or not all of it, is asked for by halves; refusals for coming too fast make none smaller.
SET LOCAL resolute.http_attempts = 5;
CREATE FUNCTION pg_temp.asked() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg((request->'body')::jsonb->>'maxResults', ' ' ORDER BY (request->>'n')::int)
    FROM jsonb_array_elements(sim.get('/_sim/log')) AS request WHERE (request->>'search')::boolean $$;
CREATE FUNCTION pg_temp.fetched(server text, fault jsonb, page_size integer) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sim.get('/_sim/faults?clear=1'), sim.get('/_sim/log?clear=1'), sim.post('/_sim/fault', fault);
    RETURN (SELECT count(DISTINCT key) FROM resolute.jira_issues(server, 'project = DATA ORDER BY key', page_size => fetched.page_size));
END $$;
SELECT lives_ok($$SELECT sim.connect('server', $q$timeout '500ms'$q$, path => '/server'), sim.get('/_sim/reset?issues=800')$$);
CREATE FUNCTION pg_temp.comes(server text, fault jsonb, sizes text, description text, page_size integer DEFAULT 80) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN NEXT is(pg_temp.fetched(server, fault, page_size), jsonb_array_length(sim.get('/_sim/issues?project=DATA&array=1'))::bigint, server || ': ' || description);
    RETURN NEXT matches(pg_temp.asked(), sizes, '... by pages of ' || sizes);
END $$;
SELECT pg_temp.comes(server, '{"status": 503, "containing": "\"maxResults\":80", "times": -1}', '^80 80 40( 40)*$', 'all comes where pages are too large')
    FROM unnest('{jira,server}'::text[]) AS server;
SELECT pg_temp.comes(server, '{"status": 503, "times": 2}', '^4 4 2( 2){49,50}( 4)+$', 'after fifty small pages larger ones are tried again', 4)
    FROM unnest('{jira,server}'::text[]) AS server;
SELECT pg_temp.comes(server, '{"status": 503, "containing": "\"maxResults\":4", "times": -1}', '^4 4 2( 2){49,50} 4 4( 2)+$', '... once, if they are still too large', 4)
    FROM unnest('{jira,server}'::text[]) AS server;
SELECT pg_temp.comes('jira', '{"truncate": 900, "containing": "\"maxResults\":80", "times": -1}', '^80 80 40( 40)*$', '... or are cut off');
SELECT pg_temp.comes('jira', '[{"status": 500, "times": 4}]', '^80 80 40 20 10( 10)*$', 'each further failure halves the page again');
SELECT pg_temp.comes('jira', '[{"status": 429, "times": 4}]', '^80( 80)*$', 'a server that wants to wait gets the same request again');

SELECT * FROM finish();
ROLLBACK;
