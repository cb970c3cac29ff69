-- Several requests in flight at once: what resolute.jira_issues() and flows find on Jira Server.
-- (Edits while pages are on their way, cancel and the wire: test/fault/concurrency.t.)
\ir setup/jira.sql
SET client_min_messages = warning;
SELECT no_plan();
SELECT sim.post('/_sim/reset', '{"issues": 250, "flavour": "server"}') IS NULL AS x \gset
SELECT sim.connect('jira');

-- The keys as they come, and sorted, with so many requests in flight.
CREATE FUNCTION walk(n int, page_size int DEFAULT 20, max_items bigint DEFAULT NULL) RETURNS text[] LANGUAGE sql AS $$
    SELECT array_agg(key) FROM resolute.jira_issues('jira', 'updated >= 0', '{}', page_size, max_items, n) $$;
CREATE FUNCTION found(n int, page_size int DEFAULT 20) RETURNS text[] LANGUAGE sql AS $$
    SELECT array_agg(k ORDER BY k) FROM unnest(walk(n, page_size)) AS k $$;
-- The same with the server doing something wrong meanwhile.
CREATE FUNCTION found_despite(fault jsonb, n int DEFAULT 4) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    keys text[];
BEGIN
    PERFORM sim.get('/_sim/faults?clear=1'), sim.post('/_sim/fault', fault), sim.get('/_sim/log?clear=1');
    keys := found(n);
    PERFORM sim.get('/_sim/faults?clear=1');
    RETURN keys;
END $$;

-- ---------------------------------------------------------------------------
-- Works
-- ---------------------------------------------------------------------------
SELECT is(found(n, size), sim.all_keys(), format('the same rows, concurrency => %s, page_size => %s', n, size))
    FROM unnest('{1,2,3,8,16}'::int[]) AS n, unnest('{1,2,7,20,125,250,5000}'::int[]) AS size;
SELECT is(walk(n), walk(2), 'in the same order, concurrency => ' || n) FROM unnest('{3,5,16}'::int[]) AS n;
SELECT is((SELECT array_agg(id::bigint) FROM resolute.jira_issues('jira', 'updated >= 0', '{}', 20, concurrency => 4)),
    (SELECT array_agg((i ->> 'id')::bigint ORDER BY (i ->> 'id')::bigint) FROM sim.issues() AS i), 'which is that of the ids');
SELECT count(*) AS x FROM sim.log() \gset
SELECT walk(4) IS NULL AS x \gset
SELECT is((SELECT array_agg(DISTINCT body ->> 'jql') FROM sim.searches()), '{updated >= 0 ORDER BY id ASC}', 'as the server is asked for');
SELECT walk(4) IS NULL AS x \gset
SELECT is((SELECT array_agg((body ->> 'startAt')::int ORDER BY (body ->> 'startAt')::int) FROM sim.searches()), '{0,19,38,57,76,95,114,133,152,171,190,209,228,247}',
    'each page begins with the last row of the one before, and none is asked for in vain');
SELECT is((SELECT count(*) FROM resolute.jira_issues('jira', 'updated < 0', concurrency => 8)), 0::bigint, 'no issues');
SELECT is((SELECT count(*) FROM resolute.jira_issues('jira', 'project = DATA OR project = MOBILE OR project = PLATFORM', page_size => 20, concurrency => 8)), 250::bigint, 'a query with OR');
SELECT is((SELECT count(*) FROM resolute.jira_issues('jira', '', page_size => 20, concurrency => 8)), 250::bigint, 'a query without a restriction');

-- max_items
SELECT is((walk(8, 20, n)), (walk(8))[1:n], 'max_items => ' || n) FROM unnest('{1,2,19,20,21,39,100,249,250,251}'::bigint[]) AS n;
SELECT count(*) AS x FROM sim.log() \gset
SELECT walk(16, 20, 50) IS NULL AS x \gset
SELECT is((SELECT count(*) FROM sim.searches()), 3::bigint, 'max_items => 50 asks for three pages of 20 and no more');

-- pages that the server makes smaller
SELECT sim.post('/_sim/settings', '{"server_cap": 9}') IS NULL AS x \gset
SELECT is(found(8, 100), sim.all_keys(), 'pages that the server makes smaller');
SELECT sim.post('/_sim/settings', '{"server_cap": 1}') IS NULL AS x \gset
SELECT is(found(8, 100), sim.all_keys(), 'pages of one row are read one by one');
SELECT sim.post('/_sim/settings', '{"server_cap": 1000}') IS NULL AS x \gset
SELECT is(found_despite('{"skip": 3, "rows": 7}'), sim.all_keys(), 'one page is shorter');
SELECT is(found_despite('{"skip": 3, "rows": 1}'), sim.all_keys(), 'one page has nothing but the seam');
SELECT is(found_despite('{"skip": 2, "times": -1, "rows": 7}'), sim.all_keys(), 'all pages but the first are shorter');

-- without what it takes, one by one
SELECT sim.post('/_sim/settings', '{"date": "none"}') IS NULL AS x \gset
SELECT count(*) AS x FROM sim.log() \gset
SELECT is(found(8), sim.all_keys(), 'without a Date header');
SELECT ok(count(*) FILTER (WHERE body ->> 'jql' LIKE '%ORDER BY id ASC') = 1, 'issues are read one by one') FROM sim.searches();
SELECT sim.post('/_sim/settings', '{"date": "real"}') IS NULL AS x \gset

-- Cloud pages by token
SELECT sim.post('/_sim/settings', '{"flavour": "cloud"}') IS NULL AS x \gset
SELECT sim.connect('cloud');
SELECT is((SELECT array_agg(key ORDER BY key) FROM resolute.jira_issues('cloud', 'updated >= 0', '{}', 20, concurrency => 8)), sim.all_keys(), 'Cloud');
SELECT sim.post('/_sim/fault', '{"status": 503, "containing": "\"maxResults\":20", "times": -1}'), sim.get('/_sim/log?clear=1') IS NULL AS x \gset
SELECT is((SELECT count(*) FROM resolute.jira_issues('cloud', 'updated >= 0', '{}', 20, concurrency => 8)), 250::bigint, '... where pages are too large');
SELECT matches((SELECT string_agg(body ->> 'maxResults', ' ' ORDER BY n) FROM sim.searches()), '^20 20 10( 10)*$', '... learns it once');
SELECT sim.get('/_sim/faults?clear=1') IS NULL AS x \gset
SELECT sim.post('/_sim/settings', '{"flavour": "server"}') IS NULL AS x \gset

-- ---------------------------------------------------------------------------
-- Faults
-- ---------------------------------------------------------------------------
SELECT is(found_despite('{"skip": 4, "status": 429, "headers": {"Retry-After": "1"}}'), sim.all_keys(), 'a 429 in the middle');
SELECT is((SELECT array_agg(status ORDER BY n) FROM sim.searches()), '{200,200,200,200,429,200,200,200,200,200,200,200,200,200,200}', 'is asked for again');
SELECT is(found_despite('{"skip": 4, "times": 4, "status": 429, "headers": {"Retry-After": "1"}}'), sim.all_keys(), 'four 429 at once');
SELECT is((SELECT count(*) FROM sim.searches()), 18::bigint, 'are waited for together');
SELECT is(found_despite('{"skip": 4, "status": 503}'), sim.all_keys(), 'a 503 in the middle');
SELECT is(found_despite('{"skip": 5, "close": true}'), sim.all_keys(), 'a connection that is reset');
SELECT is(found_despite('{"skip": 5, "truncate": 900}'), sim.all_keys(), 'a body that is cut off');
SET statement_timeout = '30s';
SELECT sim.post('/_sim/fault', '[{"status": 503, "containing": "\"startAt\":20,\"maxResults\":6", "times": -1}, {"status": 503, "containing": "\"startAt\":20,\"maxResults\":3", "times": -1}]') IS NULL AS x \gset
SELECT is(found(2, 6), sim.all_keys(), 'a page of which the server can send the seam and one row');
RESET statement_timeout;
SELECT is(found_despite('{"skip": 5, "delay_ms": 100}'), sim.all_keys(), 'a page that is late');
SELECT matches(sim.error($$SELECT found_despite('{"skip": 1, "times": -1, "ignore_position": true}')$$),
    '^08P01 .* The server sent the issues of an earlier page again\.', 'a server that always sends the first page');
SELECT matches(sim.error($$SELECT found_despite('{"skip": 5, "status": 400, "body": {"errorMessages": ["no"]}}')$$), '^22023 .*no', 'a refusal');
SELECT sim.get('/_sim/faults?clear=1') IS NULL AS x \gset
SELECT is(found(8), sim.all_keys(), 'after errors all is well');

-- ---------------------------------------------------------------------------
-- Invalid input
-- ---------------------------------------------------------------------------
SELECT matches(sim.error(format('SELECT resolute.jira_issues(''jira'', ''updated >= 0'', concurrency => %s)', n)),
    '^22023 concurrency ' || n || ' is out of range / It is the number', 'concurrency => ' || n) FROM unnest('{-1,0,17}'::int[]) AS n;
SELECT matches(sim.error($$SELECT resolute.jira_issues('jira', 'updated >= 0 ORDER BY created', concurrency => 2)$$),
    '^22023 a query with an order of its own', 'an order of its own');
SELECT is((SELECT count(*) FROM resolute.jira_issues('jira', 'updated >= 0 ORDER BY created', concurrency => 1)), 250::bigint, 'which does one by one');

CREATE FUNCTION define(concurrency int, jql text DEFAULT 'updated >= ${cursor}', max_items bigint DEFAULT NULL, cursor jsonb DEFAULT resolute.cursor_for('c'))
RETURNS int LANGUAGE sql AS $$
    SELECT resolute.create_or_replace_flow('f', resolute.manual(),
        resolute.as('issues', resolute.jira_fetch_issues('jira', jql, cursor, 20, max_items, concurrency)),
        resolute.as('rows', resolute.map('issues', '{"issue_key": "{{.Key}}", "summary": "{{.Summary}}", "updated_at": "{{.Updated}}"}')),
        resolute.upsert('rows', target => 'issue', key => 'issue_key')) $$;
CREATE TABLE issue (issue_key text PRIMARY KEY, summary text, updated_at timestamptz);
SELECT matches(sim.error(format('SELECT define(%s)', n)), '^22023 ', 'a flow with concurrency => ' || n) FROM unnest('{-1,0,17,2000000000}'::int[]) AS n;
SELECT matches(sim.error($$SELECT define(2, 'updated >= ${cursor} ORDER BY updated ASC')$$), '^22023 step "issues" of flow "f" has concurrency', 'and an order of its own');
SELECT matches(sim.error($$SELECT define(2, max_items => 10)$$), '^22023 step "issues" of flow "f" has a cursor, max_items and concurrency', 'and max_items with a cursor');
SELECT lives_ok($$SELECT define(2, 'updated >= 0', 10, NULL)$$, 'max_items without one will do');

-- ---------------------------------------------------------------------------
-- Flows
-- ---------------------------------------------------------------------------
SELECT is((SELECT concat_ws(' ', status, inserted, pages) FROM resolute.run_flow('f')), 'succeeded 10 1', 'a flow with max_items');
TRUNCATE issue;
SELECT define(8) IS NULL AS x \gset
SELECT matches(resolute.flow_definition('f'), 'concurrency => 8', 'a flow shows its concurrency');
SELECT is((SELECT concat_ws(' ', status, source_records, inserted) FROM resolute.run_flow('f')), 'succeeded 250 250', 'run_flow');
SELECT is((SELECT array_agg(issue_key ORDER BY issue_key) FROM issue), sim.all_keys(), 'brings all issues');
SELECT ok(walk IS NULL AND position = (SELECT max(updated_at) FROM issue), 'and moves the cursor at the end') FROM resolute.cursors;
SELECT count(*) AS x FROM sim.log() \gset
SELECT is((SELECT inserted FROM resolute.run_flow('f')), 0::bigint, 'and the next run finds nothing new');
SELECT is((SELECT count(*) FROM sim.searches()), 1::bigint, 'with one request');
SELECT resolute.reset_cursor('c') IS NULL AS x \gset
TRUNCATE issue;
SELECT sim.post('/_sim/fault', '{"skip": 6, "status": 400, "body": {"errorMessages": ["no"]}}') IS NULL AS x \gset
SELECT throws_ok($$SELECT resolute.run_flow('f')$$, '22023', NULL, 'a run that fails');
SELECT is((SELECT position FROM resolute.cursors), NULL, 'leaves the cursor');
SELECT is((SELECT count(*) FROM resolute.preview_flow('f', 5)), 5::bigint, 'preview_flow');
SELECT * FROM finish();
