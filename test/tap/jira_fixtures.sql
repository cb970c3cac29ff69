-- Recorded answers of real servers: every column of every issue in them is
-- compared with what PostgreSQL's jsonb operators find in the file.

\set folder `cd "${RESOLUTE_FIXTURES:-../shared/fixtures}/jira" 2>/dev/null && pwd || echo none`
SELECT :'folder' = 'none' AS absent, current_setting('test.simulator', true) IS NULL AS alone \gset

BEGIN;
\if :absent
SELECT plan(1);
SELECT skip('the recorded answers are not here (../shared/fixtures/jira, or RESOLUTE_FIXTURES)', 1);
\elif :alone
SELECT plan(1);
SELECT skip('there is no simulator to serve the recorded answers (test/with-simulator)', 1);
\else
\ir setup/sim.sql

-- ---------------------------------------------------------------------------
-- The files: whole search pages as they are, issues as the page around them
-- ---------------------------------------------------------------------------
CREATE TABLE sim.file (file text, flavour text, answer text);
\set answer `cat :'folder'/server_v2_search_page_1.json`
INSERT INTO sim.file VALUES ('server_v2_search_page_1', 'server', :'answer');
\set answer `cat :'folder'/server_v2_search_page_empty.json`
INSERT INTO sim.file VALUES ('server_v2_search_page_empty', 'server', :'answer');
\set answer `cat :'folder'/cloud_v2_search_legacy.json`
INSERT INTO sim.file VALUES ('cloud_v2_search_legacy', 'cloud', :'answer');
\set answer `cat :'folder'/agile_sprint_issues.json`
INSERT INTO sim.file VALUES ('agile_sprint_issues', 'cloud', :'answer');
\set answer `cat :'folder'/cloud_v3_issue_adf_a.json`
INSERT INTO sim.file VALUES ('cloud_v3_issue_adf_a', 'cloud', '{"isLast":true,"issues":[' || :'answer' || ']}');
\set answer `cat :'folder'/cloud_v3_issue_adf_b.json`
INSERT INTO sim.file VALUES ('cloud_v3_issue_adf_b', 'cloud', '{"issues":[' || :'answer' || ']}');
\set answer `cat :'folder'/agile_board_issues_changelog_cloud.json`
INSERT INTO sim.file VALUES ('agile_board_issues_changelog_cloud', 'cloud', '{"issues":' || :'answer' || ',"nextPageToken":""}');
\set answer `cat :'folder'/spec_examples_jira_cloud_v3.json`
INSERT INTO sim.file
    SELECT 'spec_examples: ' || key, 'cloud', value::text
    FROM jsonb_each(:'answer'::jsonb) WHERE jsonb_typeof(value -> 'issues') = 'array';

-- ---------------------------------------------------------------------------
-- What jsonb finds
-- ---------------------------------------------------------------------------

-- The first text at these paths that is not empty.
CREATE FUNCTION sim.first_text(document jsonb, VARIADIC paths text[]) RETURNS text LANGUAGE sql AS $$
    SELECT document #>> p::text[] FROM unnest(paths) WITH ORDINALITY AS u (p, o)
    WHERE document #>> p::text[] <> '' ORDER BY o LIMIT 1 $$;

CREATE FUNCTION sim.time_at(document jsonb, path text[]) RETURNS timestamptz LANGUAGE sql AS $$
    SELECT CASE WHEN jsonb_typeof(document #> path) = 'string' THEN (document #>> path)::timestamptz END $$;

-- All text of a rich-text field, without white space: what lies between blocks is
-- tested in jira_fields.sql.
CREATE FUNCTION sim.squashed_text(field jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(CASE jsonb_typeof(field)
        WHEN 'object' THEN (SELECT string_agg(t #>> '{}', '') FROM jsonb_path_query(field, 'strict $.**.text') AS t)
        ELSE field #>> '{}' END, '\s', '', 'g') $$;

CREATE FUNCTION sim.expected(issue jsonb, points text, base text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object(
        'key', issue ->> 'key', 'id', issue ->> 'id', 'project', issue #>> '{fields,project,key}',
        'summary', issue #>> '{fields,summary}', 'status', issue #>> '{fields,status,name}',
        'issue_type', issue #>> '{fields,issuetype,name}', 'priority', issue #>> '{fields,priority,name}',
        'assignee', sim.first_text(issue, '{fields,assignee,displayName}', '{fields,assignee,name}'),
        'assignee_id', sim.first_text(issue, '{fields,assignee,accountId}', '{fields,assignee,key}', '{fields,assignee,name}'),
        'reporter', sim.first_text(issue, '{fields,reporter,displayName}', '{fields,reporter,name}'),
        'labels', CASE WHEN jsonb_typeof(issue #> '{fields,labels}') = 'array' THEN issue #> '{fields,labels}' END,
        'components', CASE WHEN jsonb_typeof(issue #> '{fields,components}') = 'array'
            THEN jsonb_path_query_array(issue, '$.fields.components[*].name') END,
        'created', sim.time_at(issue, '{fields,created}'), 'updated', sim.time_at(issue, '{fields,updated}'),
        'resolved', sim.time_at(issue, '{fields,resolutiondate}'),
        'story_points', issue -> 'fields' -> points, 'parent', issue #>> '{fields,parent,key}',
        'description', sim.squashed_text(issue #> '{fields,description}'),
        'url', base || '/browse/' || (issue ->> 'key'), 'fields', issue -> 'fields') $$;

-- ---------------------------------------------------------------------------
-- Serve each file, and read it
-- ---------------------------------------------------------------------------

-- Line breaks never are in a JSON string, so blanks in their place change nothing.
CREATE FUNCTION sim.serve(answer text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY (SELECT translate(%L, E''\n\r'', ''  '')) TO PROGRAM %L '
        '(FORMAT csv, DELIMITER E''\x01'', QUOTE E''\x02'')', answer,
        'curl -sS --fail --noproxy "*" -o /dev/null --data-binary @- ' || sim.url() || '/_sim/page');
END $$;

CREATE FUNCTION sim.check_file(which text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    file sim.file := f FROM sim.file f WHERE f.file = which;
    page jsonb := file.answer::jsonb;
    base text := sim.url() || '/' || file.flavour;
    points text := CASE file.flavour WHEN 'cloud' THEN 'customfield_10016' ELSE 'customfield_10002' END;
    row record;
    n int := 0;
BEGIN
    PERFORM sim.serve(file.answer);
    FOR row IN
        SELECT to_jsonb(i) AS got, e.issue, sim.expected(e.issue, points, base) AS wanted
        FROM (SELECT *, row_number() OVER () AS ordinality
            FROM resolute.jira_issues(file.flavour, 'project = X',
                max_items => nullif(jsonb_array_length(page -> 'issues'), 0))) AS i
        FULL JOIN jsonb_array_elements(page -> 'issues') WITH ORDINALITY AS e (issue, ordinality) USING (ordinality)
    LOOP
        n := n + 1;
        row.got := jsonb_set(row.got - 'ordinality', '{description}',
            coalesce(to_jsonb(regexp_replace(row.got ->> 'description', '\s', '', 'g')), 'null'));
        RETURN NEXT is(row.got, row.wanted, which || ': ' || coalesce(row.issue ->> 'key', 'an issue without a key'));
    END LOOP;
    RETURN NEXT is(n, jsonb_array_length(page -> 'issues'), which || ': all issues');
END $$;

SET LOCAL client_min_messages = error;    -- the examples of the specification have a number as time
SELECT sim.connect(flavour, mapping => $q$email 'ada@example.com', api_token 'sim-token'$q$, path => '/' || flavour)
    FROM (VALUES ('cloud'), ('server')) AS v (flavour);

SELECT no_plan();
SELECT cmp_ok((SELECT sum(jsonb_array_length(answer::jsonb -> 'issues')) FROM sim.file), '>=', 12::bigint,
    'the files hold issues');
SELECT sim.check_file(file) FROM sim.file;
\endif

SELECT * FROM finish();
ROLLBACK;
