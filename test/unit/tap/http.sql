-- The HTTP client: addresses, paths, several requests at once, neglect.
\set ON_ERROR_STOP on
CREATE EXTENSION resolute_unit;
SELECT * FROM no_plan();

-- Addresses ----------------------------------------------------------------

SELECT ok(unit.http_is_private(address), address || ' is private')
FROM unnest('{0.0.0.0,0.255.255.255,10.0.0.0,10.255.255.255,100.64.0.0,100.127.255.255,127.0.0.1,127.255.255.255,169.254.169.254,
	172.16.0.0,172.31.255.255,192.0.0.8,192.168.0.0,192.168.255.255,198.18.0.0,198.19.255.255,224.0.0.0,239.1.1.1,240.0.0.1,255.255.255.255,
	::,::1,::127.0.0.1,::ffff:10.1.2.3,::ffff:192.168.1.1,64:ff9b::10.0.0.1,64:ff9b:1::8.8.8.8,2002:a01:203::1,2002:c0a8:101::,2001:0:4136:e378::,
	fc00::,fdff::1,fe80::1,febf::1,fec0::1,ff02::1}'::text[]) AS address;
SELECT ok(NOT unit.http_is_private(address), address || ' is public')
FROM unnest('{1.1.1.1,9.255.255.255,11.0.0.0,100.63.255.255,100.128.0.0,126.255.255.255,128.0.0.0,169.253.255.255,169.255.0.0,172.15.255.255,172.32.0.0,
	192.0.1.0,192.167.255.255,192.169.0.0,198.17.255.255,198.20.0.0,223.255.255.255,::ffff:8.8.8.8,64:ff9b::8.8.8.8,2002:808:808::,
	2606:4700:4700::1111,2001:4860:4860::8888,2a00:1450::1}'::text[]) AS address;

-- Paths --------------------------------------------------------------------

SELECT throws_ok(format('SELECT unit.http_fetch(%L, ARRAY[%L], connect => false)', 'http://127.0.0.1:1', path), '22023', NULL, 'the path ' || replace(path, E'\n', '\n') || ' is refused')
FROM unnest(ARRAY['', 'x', '//evil.example/', '/..', '/../x', '/a/../b', '/a/..', '/a/..?x', '/%2e%2E/x', '/.%2e/x', '/./x', '/a b', E'/a\nb', '/a\b', '/a#b', '/ä', '@evil.example/'])
	AS path;
SELECT throws_ok(format('SELECT unit.http_fetch(%L, ARRAY[%L], connect => false)', 'http://127.0.0.1:1', path), '08001', NULL, 'the path ' || path || ' is accepted')
FROM unnest(ARRAY['/', '/a..b', '/...', '/a?x=../y', '/a?x=//y', '/a/.b', '/%2f']) AS path;
SELECT is(unit.http_url_encode(E'aZ09-._~ /?&=+%ä\n'), 'aZ09-._~%20%2F%3F%26%3D%2B%25%C3%A4%0A', 'a parameter is encoded');

-- Requests -------------------------------------------------------------------

SELECT current_setting('test.simulator', true) IS NOT NULL AS simulated \gset
\if :simulated
\ir ../../tap/setup/sim.sql

CREATE FUNCTION pg_temp.seconds(statement text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	started timestamptz := clock_timestamp();
BEGIN
	EXECUTE statement;
	RETURN extract(epoch FROM clock_timestamp() - started);
END $$;

CREATE FUNCTION pg_temp.requests() RETURNS bigint LANGUAGE sql AS
	$$ SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/log?clear=1')) $$;

-- eight answers that come after 300 ms each
SELECT lives_ok($$SELECT sim.post('/_sim/fault', '{"match": "/rest", "delay_ms": 300, "times": 8, "status": 200, "body": "{}"}')$$);
SELECT cmp_ok(pg_temp.seconds($$SELECT unit.http_fetch(sim.url(), array_fill('/rest/api/2/serverInfo'::text, '{8}'))$$), '<', 1.5, 'requests are in flight at once');
SELECT is(pg_temp.requests(), 9::bigint, 'every one of them came once');

-- a backend that is busy for longer than the timeout while the answer is there, or does not come
SELECT cmp_ok((unit.http_fetch(sim.url(), '{/rest/api/2/serverInfo}', 500, 2400))[1], '>', 100, 'an answer that waited for the backend is not lost');
SELECT cmp_ok(pg_temp.requests(), '<=', 3::bigint, 'and asked for again once at most');
SELECT lives_ok($$SELECT sim.post('/_sim/fault', '{"match": "/rest", "hang": true}')$$);
SELECT cmp_ok((unit.http_fetch(sim.url(), '{/rest/api/2/serverInfo}', 500, 2400))[1], '>', 100, 'a timeout while the backend was away does not count');
SELECT is(pg_temp.requests(), 3::bigint, 'the request was repeated, although there is only one attempt');
SELECT cmp_ok((unit.http_fetch(sim.url(), '{/rest/api/2/serverInfo}', 500, 2400, false))[1], '>', 100, 'nor does one while it should have connected');
SELECT lives_ok($$SELECT sim.post('/_sim/fault', '{"match": "/rest", "hang": true, "times": 2}')$$);
SELECT throws_ok($$SELECT unit.http_fetch(sim.url(), '{/rest/api/2/serverInfo}', 500, 2400)$$, '08006', NULL, 'but a server that stays silent is found out');
SELECT lives_ok($$SELECT sim.get('/_sim/faults?clear=1')$$);

-- who owns what
SELECT lives_ok($$SELECT unit.http_outlive(sim.url(), '/rest/api/2/serverInfo', false)$$, 'a request may outlive its client');
SELECT throws_ok($$SELECT unit.http_outlive(sim.url(), '/rest/api/2/serverInfo', true)$$, 'XX000', NULL, 'but cannot be waited for then');
SELECT is((unit.http_fetch(sim.url(), '{/rest/api/2/serverInfo}'))[1] > 100, true, 'and the next client works');
\endif
SELECT * FROM finish();
