-- The offset paging of Jira Server and Data Center, as resolute.jira_issues() shows it.
BEGIN;
\ir setup/jira.sql
SELECT no_plan();
SELECT sim.post('/_sim/reset', '{"issues": 250, "flavour": "server"}') IS NULL AS x \gset
SELECT sim.connect('jira');

-- ---------------------------------------------------------------------------
-- Works
-- ---------------------------------------------------------------------------
SELECT sim.same_issues('jira', 'every column of every issue is the server''s');
SELECT is((sim.requests())[1:3], '{GET /rest/api/2/serverInfo,GET /rest/api/2/field,POST /rest/api/2/search}',
    'what has to be learnt is asked once');
SELECT is(cardinality(sim.keys('jira', '')), 250, 'a query without a restriction');
SELECT is((SELECT array_agg(DISTINCT body ->> 'jql') FROM sim.searches() WHERE body ->> 'jql' NOT LIKE 'updated >= _% ORDER BY %'),
    '{"ORDER BY updated ASC, key ASC"}', 'asks for nothing but an order');

SELECT is(cardinality(sim.keys('jira', 'project = DATA OR project = MOBILE OR project = PLATFORM')), 250, 'a query with OR');
SELECT is((SELECT count(*) FROM sim.searches() WHERE body ->> 'jql' LIKE '(project % OR %) AND updated >= %'), 2::bigint,
    'is put in parentheses before the anchor');

SELECT is(sim.keys('jira', 'updated >= 0', '{}', n), sim.all_keys(), 'page_size => ' || n) FROM unnest('{1,2,7,100,5000}'::int[]) AS n;
SELECT sim.post('/_sim/settings', '{"server_cap": 9}') IS NULL AS x \gset
SELECT is(sim.keys('jira', 'updated >= 0'), sim.all_keys(), 'pages that the server makes smaller');
SELECT sim.post('/_sim/settings', '{"server_cap": 1}') IS NULL AS x \gset
SELECT is(sim.keys('jira', 'updated >= 0'), sim.all_keys(), 'pages of one row');
SELECT sim.post('/_sim/settings', '{"server_cap": 1000}') IS NULL AS x \gset

SELECT is((SELECT count(*) FROM resolute.jira_issues('jira', 'updated >= 0', max_items => n)), n, 'max_items => ' || n)
    FROM unnest('{1,99,100,101,250}'::bigint[]) AS n;
SELECT is((SELECT count(*) FROM resolute.jira_issues('jira', 'updated < 0')), 0::bigint, 'no issues');

-- orders that a user gives
SELECT count(*) AS x FROM sim.log() \gset
SELECT is(sim.keys('jira', jql, '{}', 40), sim.all_keys(), jql)
    FROM unnest(ARRAY['updated >= 0 ORDER BY updated DESC', 'ORDER BY key', 'updated > 0 order by created asc, id desc',
        'ORDER BY updated ASC']) AS jql;
SELECT is((SELECT array_agg(DISTINCT body ->> 'jql' ORDER BY body ->> 'jql') FROM sim.searches() WHERE body ->> 'jql' NOT LIKE 'updated >= _____% ORDER BY updated ASC, key ASC'),
    '{ORDER BY key,"ORDER BY updated ASC, key ASC","updated > 0 ORDER BY created asc, id desc","updated >= 0 ORDER BY updated DESC, key ASC"}',
    'are kept, and made total');

SELECT sim.post('/_sim/settings', '{"timezone": "Asia/Kolkata"}') IS NULL AS x \gset
SELECT sim.same_issues('jira', 'offsets of +0530');
SELECT sim.post('/_sim/settings', '{"timezone": "Europe/Berlin"}') IS NULL AS x \gset

-- ---------------------------------------------------------------------------
-- What a page may be
-- ---------------------------------------------------------------------------
SELECT sim.check_walk('jira', 'fewer rows than asked for', '{"rows": 7, "skip": 1}');
SELECT sim.check_walk('jira', 'a truncated page is asked for again', '{"truncate": 900, "skip": 1}');
SELECT sim.check_walk('jira', 'rows without the time they were updated', '{"no_updated": true, "row": -1, "times": -1}');
SELECT sim.check_walk('jira', 'a row without it at the end of a page', '{"no_updated": true, "row": 99, "times": -1}', twice => true);
-- as if the row had been edited between search and answer: its time is beyond all others
SELECT sim.check_walk('jira', 'a time that is newer than the place of its row',
    '{"fields": {"updated": "2027-01-01T00:00:00.000+0000"}, "row": 99, "times": 1}', twice => true);

-- ---------------------------------------------------------------------------
-- Data that changes while it is read
-- ---------------------------------------------------------------------------
SELECT sim.check_moving('jira', 'an issue edited before it was read',  '/_sim/edit?lag=2&summary=new&key=', 200);
SELECT sim.check_moving('jira', 'an issue edited after it was read',  '/_sim/edit?lag=2&summary=new&key=', 20);
SELECT sim.check_moving('jira', 'the last row of a page edited',  '/_sim/edit?lag=2&summary=new&key=', 99);
SELECT sim.check_moving('jira', 'an issue deleted after it was read',  '/_sim/delete?lag=2&key=', 30);
SELECT sim.check_moving('jira', 'the last row of a page deleted',  '/_sim/delete?lag=2&key=', 99);
SELECT sim.check_moving('jira', 'an issue that moved to another project',  '/_sim/move?lag=2&to=NEW&key=', 40);

-- The whole minute is one run of pages by offset: an edit takes rows out of its front.
SELECT sim.post('/_sim/reset', '{"issues": 5100, "flavour": "server"}') IS NULL AS x \gset
SELECT sim.post('/_sim/bulk', '{"count": 5000, "status": "Done"}') IS NULL AS x \gset
SELECT is(sim.keys('jira', 'updated >= 0'), sim.all_keys(), '5000 issues edited at one instant');
SELECT cmp_ok((SELECT count(*) FROM sim.searches()), '<=', 54::bigint, 'are read once');
SELECT sim.post('/_sim/bulk', '{"count": 5000, "step_ms": 10}') IS NULL AS x \gset
SELECT is(sim.keys('jira', 'updated >= 0'), sim.all_keys(), '5000 issues edited within a minute');
SELECT cmp_ok((SELECT count(*) FROM sim.searches()), '<=', 54::bigint, 'are read once');

SELECT sim.post('/_sim/reset', '{"issues": 1000, "flavour": "server"}') IS NULL AS x \gset
SELECT sim.post('/_sim/bulk', '{"count": 1000, "status": "Done"}') IS NULL AS x \gset
SELECT sim.post('/_sim/clock', '{"advance_ms": 600000}') IS NULL AS x \gset
SELECT sim.post('/_sim/bulk', '{"from": 150, "count": 400, "lag": 5}') IS NULL AS x \gset
CREATE TEMP TABLE got AS SELECT DISTINCT key, updated FROM resolute.jira_issues('jira', 'updated >= 0', '{updated}');
SELECT is((SELECT count(*) FROM sim.issues() AS i LEFT JOIN got g ON g.key = i ->> 'key' AND g.updated = (i ->> 'updated')::timestamptz WHERE g.key IS NULL),
    0::bigint, 'rows that leave a full minute while it is read take no others with them');

SELECT * FROM finish();
ROLLBACK;
