-- What a Jira server can refuse, and with which SQLSTATE that ends.
BEGIN;
\ir setup/sim.sql
SELECT no_plan();

SELECT sim.connect('jira', $q$max_body '100kB', timeout '2s'$q$);
SET LOCAL resolute.http_attempts = 1;
PREPARE checked AS SELECT deployment_type, account, time_zone FROM resolute.check_connection('jira');

-- Let the next request for the account go wrong; the connection check must end with the code.
CREATE FUNCTION pg_temp.ends(fault jsonb, code text, message text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sim.get('/_sim/faults?clear=1');
    PERFORM sim.post('/_sim/fault', '{"match": "/rest/api/2/myself"}'::jsonb || fault);
    RETURN throws_like_code('EXECUTE checked', code, message, fault::text);
END $$;

-- throws_like and throws_ok at once: the code exactly, the message by its pattern.
CREATE FUNCTION throws_like_code(statement text, code text, pattern text, name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE statement;
    EXCEPTION WHEN OTHERS OR query_canceled THEN
        RETURN is(SQLSTATE, code, name || ' is ' || code) || E'\n' ||
            alike(SQLERRM, pattern, name || ' says so') || E'\n' ||
            unalike(SQLERRM, '%sim-token%', name || ' shows no secret');
    END;
    RETURN fail(name || ' raises nothing');
END $$;

-- works
SELECT results_eq('checked', $$VALUES ('Cloud', 'Ada Sync (ada@example.com)', 'Europe/Berlin')$$, 'a connection is checked');
SELECT is((SELECT clock_skew FROM resolute.check_connection('jira')), '0 s', 'clocks that agree have no skew');
SELECT lives_ok($$SELECT sim.get('/_sim/settings?skew_ms=-3600000')$$);
SELECT ok((SELECT clock_skew BETWEEN '-1:00:02' AND '-0:59:58' FROM resolute.check_connection('jira')), 'a slow clock is seen');
SELECT lives_ok($$SELECT sim.get('/_sim/settings?date=none')$$);
SELECT is((SELECT clock_skew FROM resolute.check_connection('jira')), NULL, 'without a Date header nothing is known');
SELECT lives_ok($$SELECT sim.get('/_sim/settings?skew_ms=0&date=real&flavour=server&gzip=1')$$);
SELECT is((SELECT deployment_type FROM resolute.check_connection('jira')), 'Server', 'a Server is known as one');
SELECT lives_ok($$SELECT sim.get('/_sim/settings?flavour=cloud&gzip=0')$$);

SELECT lives_ok($$SELECT sim.post('/_sim/fault', '[{"match": "/rest/api/2/serverInfo", "status": 404}, {"match": "/rest/api/2/myself", "status": 410}]')$$);
SELECT results_eq('checked', $$VALUES ('Cloud', 'Ada Sync (ada@example.com)', 'Europe/Berlin')$$, 'where version 2 of the API is gone, version 3 is asked');

-- invalid input: each fault ends with its code
SELECT pg_temp.ends('{"status": 400, "body": {"errorMessages": ["Nonsense."], "errors": {}}}', '22023', '%400 Bad Request');
SELECT pg_temp.ends('{"status": 401}', '28000', '%401 Unauthorized');
SELECT pg_temp.ends('{"status": 403}', '28000', '%403 Forbidden');
SELECT pg_temp.ends('{"status": 403, "headers": {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=x"}}', '28000', '%CAPTCHA%');
SELECT pg_temp.ends('{"status": 404, "match": "any", "times": -1}', '08004', '%404 Not Found');
SELECT pg_temp.ends('{"status": 410, "match": "any", "times": -1}', '08004', '%410 Gone');
SELECT pg_temp.ends('{"html": true}', '08P01', '%answered with a web page');
SELECT pg_temp.ends('{"seraph": true, "match": "/rest/api/2/serverInfo"}', '28000', '%credentials were rejected');
SELECT pg_temp.ends('{"redirect": "https://login.example.com/x?secret=sim-token"}', '08004', '%redirects to "login.example.com"');
SELECT pg_temp.ends('{"redirect": "https://login.example.com/", "status": 301}', '08004', '%redirects to "login.example.com"');
SELECT pg_temp.ends('{"status": 500}', '08006', '%500 Internal Server Error');
SELECT pg_temp.ends('{"status": 503, "html": true}', '08006', '%503 Service Unavailable');
SELECT pg_temp.ends('{"status": 429, "headers": {"Retry-After": "7"}}', '53400', '%limits the rate of requests');
SELECT pg_temp.ends('{"truncate": 20}', '08006', '%broke before the answer was complete');
SELECT pg_temp.ends('{"truncate": 20, "chunked": true}', '08006', '%broke before the answer was complete');
-- libcurl itself repeats what a kept connection was closed on, hence twice
SELECT pg_temp.ends('{"close": true, "times": 2}', '08006', '%broke before the answer was complete');
SELECT pg_temp.ends('{"close": "fin", "times": 2}', '08006', '%broke before the answer was complete');
SELECT pg_temp.ends('{"hang": true}', '08006', '%did not answer in time');
SELECT pg_temp.ends('{"drip": 1, "drip_ms": 500}', '08006', '%did not answer in time');
SELECT pg_temp.ends('{"big_body": 200000}', '54000', '%too large');
SELECT pg_temp.ends('{"big_body": 200000, "chunked": true}', '54000', '%too large');
SELECT pg_temp.ends('{"big_body": 2000000, "gzip": true}', '54000', '%too large');
SELECT pg_temp.ends('{"not_object": true}', '08P01', '%cannot be read');
SELECT pg_temp.ends('{"status": 200, "body": "{\"a\": "}', '08P01', '%cannot be read');
SELECT pg_temp.ends('{"status": 200, "body": ""}', '08P01', '%cannot be read');

-- and the connection is as good as before
SELECT lives_ok($$SELECT sim.get('/_sim/faults?clear=1')$$);
SELECT lives_ok('checked', 'the session goes on with the same connection');

-- wrong credentials, as the server itself judges them
SELECT lives_ok($$SELECT sim.get('/_sim/auth?token=other')$$);
SELECT throws_like_code('EXECUTE checked', '28000', '%401 Unauthorized', 'a wrong token');
SELECT lives_ok($$ALTER USER MAPPING FOR PUBLIC SERVER jira OPTIONS (SET api_token 'other')$$);
SELECT lives_ok('checked', 'the right token is used at once');
SELECT lives_ok($$ALTER USER MAPPING FOR PUBLIC SERVER jira OPTIONS (DROP email, DROP api_token, ADD token 'other')$$);
SELECT lives_ok('checked', 'a bearer token is accepted');
SELECT lives_ok($$SELECT sim.get('/_sim/auth?auth=anonymous&token=third')$$);
SELECT throws_like_code('EXECUTE checked', '28000', '%401 Unauthorized', 'an anonymous account');
SELECT lives_ok($$SELECT sim.get('/_sim/auth?auth=captcha')$$);
SELECT throws_like_code('EXECUTE checked', '28000', '%CAPTCHA%', 'a CAPTCHA');

-- a statement timeout while the server is silent
SELECT lives_ok($$SELECT sim.get('/_sim/auth?auth=check&token=other')$$);
SELECT lives_ok($$SELECT sim.post('/_sim/fault', '{"match": "any", "hang": true}')$$);
SET LOCAL statement_timeout = '200ms';
SELECT throws_like_code('EXECUTE checked', '57014', '%statement timeout', 'statement_timeout');
SET LOCAL statement_timeout = 0;
SELECT lives_ok('checked', 'the session goes on after that');

SELECT * FROM finish();
ROLLBACK;
