-- The token paging of Jira Cloud, as resolute.jira_issues() shows it.
BEGIN;
\ir setup/jira.sql
SELECT no_plan();
SELECT sim.post('/_sim/reset', '{"issues": 250, "flavour": "cloud"}') IS NULL AS x \gset
SELECT sim.connect('jira');

-- ---------------------------------------------------------------------------
-- Works
-- ---------------------------------------------------------------------------
SELECT sim.same_issues('jira', 'every column of every issue is the server''s');
SELECT is(sim.requests(), '{GET /rest/api/2/serverInfo,GET /rest/api/3/field,POST /rest/api/3/search/jql,POST /rest/api/3/search/jql,POST /rest/api/3/search/jql}',
    'what has to be learnt is asked once');
SELECT sim.same_issues('jira', 'again');
SELECT is(sim.requests(), '{POST /rest/api/3/search/jql,POST /rest/api/3/search/jql,POST /rest/api/3/search/jql}',
    'and is known the next time');

SELECT is((SELECT count(*) FROM resolute.jira_issues('jira', 'updated >= 0', '{}', page_size => 30)), 250::bigint, 'smaller pages');
SELECT is((SELECT array_agg(DISTINCT body -> 'maxResults') FROM sim.searches()), ARRAY['30'::jsonb], 'are asked for');
SELECT is(sim.keys('jira', 'updated >= 0', '{}', 5000), sim.all_keys(), 'the largest pages');
SELECT is((SELECT count(*) FROM sim.searches()), 1::bigint, 'of ids and keys are one request');

SELECT is((SELECT count(*) FROM resolute.jira_issues('jira', 'updated >= 0', max_items => n)), n, 'max_items => ' || n)
    FROM unnest('{1,99,100,101,250}'::bigint[]) AS n;
SELECT is((SELECT array_agg(body -> 'maxResults' ORDER BY n) FROM sim.searches()),
    ARRAY[1, 99, 100, 100, 1, 100, 100, 50]::text[]::jsonb[], 'no more is asked for than max_items needs');
SELECT is((SELECT count(*) FROM resolute.jira_issues('jira', 'updated >= 0', max_items => 1000)), 250::bigint, 'max_items beyond the end');
SELECT is((SELECT count(*) FROM resolute.jira_issues('jira', 'project = "MOBILE" AND updated < 0')), 0::bigint, 'no issues');

SELECT sim.post('/_sim/settings', jsonb_build_object('timezone', zone)) IS NULL AS x FROM (VALUES ('Asia/Kolkata')) v (zone) \gset
SELECT sim.same_issues('jira', 'offsets of +0530');
SELECT sim.post('/_sim/settings', '{"timezone": "America/Los_Angeles"}') IS NULL AS x \gset
SELECT sim.same_issues('jira', 'offsets of -0800');
SELECT sim.post('/_sim/settings', '{"timezone": "Europe/Berlin"}') IS NULL AS x \gset

-- ---------------------------------------------------------------------------
-- How a walk may end, and what a page may be
-- ---------------------------------------------------------------------------
SELECT sim.check_walk('jira', 'a last page without isLast', '{"no_is_last": true, "times": -1}');
SELECT sim.check_walk('jira', 'fewer rows than asked for', '{"rows": 7, "skip": 1}');
SELECT sim.check_walk('jira', 'an empty page with a token', '{"empty_page": true}');
SELECT sim.check_walk('jira', 'empty pages with a token, in the middle', '{"empty_page": true, "skip": 1, "times": 20}');
SELECT sim.check_walk('jira', 'a truncated page is asked for again', '{"truncate": 900, "skip": 1}');
SELECT sim.check_walk('jira', 'so is one that is too short to be JSON', '{"body": "{\"issues\":[{\"id\":\"1", "skip": 1}');
SELECT sim.check_walk('jira', 'and one that is busy', '{"status": 503, "headers": {"Retry-After": "0"}, "skip": 2}');

SELECT sim.post('/_sim/page?skip=0', page) IS NULL AS x
    FROM (VALUES ('{"issues": [{"id": "1", "key": "X-1"}], "nextPageToken": null}'::jsonb)) v (page) \gset
SELECT is(sim.keys('jira', 'project = X'), '{X-1}', 'a token that is null is the end');
SELECT sim.post('/_sim/page', '{"issues": [{"id": "1", "key": "X-1"}], "nextPageToken": ""}') IS NULL AS x \gset
SELECT is(sim.keys('jira', 'project = X'), '{X-1}', 'one that is empty is the end');
SELECT sim.post('/_sim/page', '{"issues": [{"id": "1", "key": "X-1"}]}') IS NULL AS x \gset
SELECT is(sim.keys('jira', 'project = X'), '{X-1}', 'none is the end');
SELECT sim.post('/_sim/page', '{"issues": [{"id": "1", "key": "X-1"}], "nextPageToken": "more", "isLast": true}') IS NULL AS x \gset
SELECT is(sim.keys('jira', 'project = X'), '{X-1}', 'isLast is the end, even with a token');

-- ---------------------------------------------------------------------------
-- Data that changes while it is read
-- ---------------------------------------------------------------------------
SELECT sim.check_moving('jira', 'an issue edited before it was read',  '/_sim/edit?lag=2&summary=new&key=', 200);
SELECT sim.check_moving('jira', 'an issue edited after it was read',  '/_sim/edit?lag=2&summary=new&key=', 20);
SELECT sim.check_moving('jira', 'an issue deleted after it was read',  '/_sim/delete?lag=2&key=', 30);
SELECT sim.check_moving('jira', 'an issue that moved to another project',  '/_sim/move?lag=2&to=NEW&key=', 40);

SELECT sim.post('/_sim/reset', '{"issues": 6000}') IS NULL AS x \gset
SELECT sim.post('/_sim/bulk', '{"count": 5000, "status": "Done"}') IS NULL AS x \gset
SELECT is(cardinality(sim.keys('jira', 'updated >= 0 ORDER BY updated ASC')), 6000, '5000 issues edited at one instant');
SELECT is((SELECT count(*) FROM sim.searches()), 60::bigint, 'are read once');

SELECT * FROM finish();
ROLLBACK;
