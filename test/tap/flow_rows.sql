-- Steps that make rows of rows: filter, sort, group_by, flatten, chunk, pick, omit, json_path, aggregate, reduce, template.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=600&seed=5');
SELECT no_plan();
SELECT count(*) AS total FROM sim.issues() \gset

CREATE TABLE warehouse.made (n serial, item jsonb);
CREATE FUNCTION warehouse.keep(items jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ INSERT INTO warehouse.made (item) SELECT jsonb_array_elements(items); SELECT jsonb_build_object('rows', jsonb_array_length(items)) $$;
CREATE FUNCTION issues() RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('issues', resolute.jira_fetch_issues('jira', 'project = PLATFORM', page_size => 50)) $$;
CREATE FUNCTION mapped() RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('mapped', resolute.map('issues', '{"issue_key": "{{.Key}}", "status": "{{.Status}}", "priority": "{{.Priority}}", "story_points": {{.StoryPoints}}, "labels": {{json .Labels}}, "updated_at": "{{.Updated}}"}')) $$;
-- Run these steps, feed rows to a node that keeps them, and give what the sink says; in a transaction or under CALL.
CREATE FUNCTION keep(rows text) RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.node('kept', 'warehouse.keep', input => rows) $$;
CREATE FUNCTION run(VARIADIC steps resolute.step[]) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE warehouse.made RESTART IDENTITY;
	PERFORM resolute.create_or_replace_flow('f', resolute.manual(), VARIADIC steps);
	PERFORM resolute.run_flow('f');
	RETURN QUERY SELECT item FROM warehouse.made ORDER BY n;
END $$;
-- The rows as they were mapped, in the order of the source, to compare with.
CREATE TABLE warehouse.all AS SELECT row_number() OVER () AS n, item FROM run(issues(), mapped(), keep('mapped')) item;
SELECT is((SELECT count(*) FROM warehouse.all), :total::bigint, 'all rows to compare with');

-- filter
SELECT set_eq($$SELECT run(issues(), mapped(), resolute.as('done', resolute.filter('mapped', 'eq .status "Done"')), keep('done'))$$,
	$$SELECT item FROM warehouse.all WHERE item->>'status' = 'Done'$$, 'filter: a template''s condition');
SELECT set_eq($$SELECT item->>'key' FROM run(issues(), resolute.as('done', resolute.filter('issues', 'and (eq .Status "Done") .StoryPoints')), keep('done')) item$$,
	$$SELECT item->>'issue_key' FROM warehouse.all WHERE item->>'status' = 'Done' AND (item->>'story_points')::numeric <> 0$$, 'filter: over a source''s items, by their aliases');
SELECT set_eq($$SELECT run(issues(), mapped(), resolute.as('large', resolute.filter('mapped', $q$ (item->>'story_points')::numeric > 3 $q$)), keep('large'))$$,
	$$SELECT item FROM warehouse.all WHERE (item->>'story_points')::numeric > 3$$, 'filter: SQL over the item');
SELECT is((SELECT count(*) FROM run(issues(), resolute.as('none', resolute.filter('issues', $q$ item->>'key' = 'NO-1' $q$)), keep('none'))), 0::bigint, 'filter: nothing passes');
SELECT sim.get('/_sim/log?clear=1');
SELECT count(*) FROM run(issues(), resolute.as('done', resolute.filter('issues', 'eq .Status "Done"')),
	resolute.as('keys', resolute.map('done', '{"issue_key": "{{.Key}}"}')), keep('keys'));
SELECT is((SELECT DISTINCT (l->>'body')::jsonb->'fields' FROM jsonb_array_elements(sim.get('/_sim/log')) l), '["status"]', 'filter: its fields are asked of the API, and no others');

-- sort
SELECT results_eq($$SELECT run(issues(), mapped(), resolute.as('sorted', resolute.sort('mapped', 'priority, story_points desc nulls last, issue_key')), keep('sorted'))$$,
	$$SELECT item FROM warehouse.all ORDER BY item->'priority' = 'null', item->'priority', item->'story_points' = 'null', item->'story_points' DESC, item->'issue_key'$$, 'sort: as ORDER BY');
SELECT results_eq($$SELECT run(issues(), mapped(), resolute.as('sorted', resolute.sort('mapped', 'status')), keep('sorted'))$$,
	$$SELECT item FROM warehouse.all ORDER BY item->'status', n$$, 'sort: ties stay as they came');
SELECT results_eq($$SELECT item->>'key' FROM run(issues(), resolute.as('sorted', resolute.sort('issues', 'StoryPoints desc, Key')), keep('sorted')) item$$,
	$$SELECT item->>'issue_key' FROM warehouse.all ORDER BY nullif(item->'story_points', 'null') DESC NULLS FIRST, item->'issue_key'$$, 'sort: items of a source; nulls come first where it is descending');

-- group_by
SELECT results_eq($$SELECT run(issues(), mapped(), resolute.as('groups', resolute.group_by('mapped', 'status, priority')), keep('groups'))$$,
	$$SELECT jsonb_build_object('status', item->'status', 'priority', item->'priority', 'count', count(*), 'items', jsonb_agg(item ORDER BY n))
	  FROM warehouse.all GROUP BY item->'status', item->'priority' ORDER BY item->'status', nullif(item->'priority', 'null')$$, 'group_by: as GROUP BY, with the items');

-- flatten
SELECT results_eq($$SELECT run(issues(), mapped(), resolute.as('flat', resolute.flatten('mapped', 'labels')), keep('flat'))$$,
	$$SELECT item || jsonb_build_object('labels', l) FROM warehouse.all, jsonb_array_elements(item->'labels') WITH ORDINALITY e (l, o) ORDER BY n, o$$, 'flatten: as a join with the elements');
SELECT results_eq($$SELECT item FROM run(issues(), resolute.as('flat', resolute.flatten('issues', 'Labels')),
		resolute.as('pairs', resolute.map('flat', '{"issue_key": "{{.Key}}", "label": "{{.Labels}}"}')), keep('pairs')) item$$,
	$$SELECT jsonb_build_object('issue_key', item->'issue_key', 'label', l) FROM warehouse.all, jsonb_array_elements(item->'labels') WITH ORDINALITY e (l, o) ORDER BY n, o$$, 'flatten: items of a source');
SELECT results_eq($$SELECT item->'key', item->'fields'->'labels' FROM run(issues(), resolute.as('flat', resolute.flatten('issues', 'Labels')), keep('flat')) item$$,
	$$SELECT item->'issue_key', l FROM warehouse.all, jsonb_array_elements(item->'labels') WITH ORDINALITY e (l, o) ORDER BY n, o$$, 'flatten: the whole item has the element as well');

-- chunk
SELECT results_eq($$SELECT run(issues(), mapped(), resolute.as('chunks', resolute.chunk('mapped', 70)), keep('chunks'))$$,
	$$SELECT jsonb_build_object('chunk', (n - 1) / 70 + 1, 'count', count(*), 'items', jsonb_agg(item ORDER BY n)) FROM warehouse.all GROUP BY (n - 1) / 70 ORDER BY 1$$, 'chunk: over pages, the last one is smaller');

-- pick and omit
SELECT results_eq($$SELECT run(issues(), mapped(), resolute.as('picked', resolute.pick('mapped', 'status, issue_key')), keep('picked'))$$,
	$$SELECT jsonb_build_object('status', item->'status', 'issue_key', item->'issue_key') FROM warehouse.all ORDER BY n$$, 'pick');
SELECT results_eq($$SELECT run(issues(), resolute.as('picked', resolute.pick('issues', 'Key, Status')), keep('picked'))$$,
	$$SELECT jsonb_build_object('Status', item->'status', 'Key', item->'issue_key') FROM warehouse.all ORDER BY n$$, 'pick: items of a source');
SELECT results_eq($$SELECT run(issues(), mapped(), resolute.as('rest', resolute.omit('mapped', 'labels, updated_at')), keep('rest'))$$,
	$$SELECT item - 'labels' - 'updated_at' FROM warehouse.all ORDER BY n$$, 'omit');
SELECT set_eq($$SELECT DISTINCT k FROM run(issues(), resolute.as('rest', resolute.omit('issues', 'fields, description')), keep('rest')) item, jsonb_object_keys(item) k$$,
	$$SELECT k FROM (SELECT to_jsonb(i) AS i FROM resolute.jira_issues('jira', 'project = PLATFORM', max_items => 1) i) s, jsonb_object_keys(i) k WHERE k NOT IN ('fields', 'description')$$, 'omit: of a source, the columns of its function without some');

-- json_path
SELECT results_eq($$SELECT run(issues(), resolute.as('found', resolute.json_path('issues', '$.fields.labels[*]')), keep('found'))$$,
	$$SELECT jsonb_build_object('value', l) FROM warehouse.all, jsonb_array_elements(item->'labels') WITH ORDINALITY e (l, o) ORDER BY n, o$$, 'json_path: what is no object becomes one');
SELECT results_eq($$SELECT run(issues(), mapped(), resolute.as('groups', resolute.group_by('mapped', 'status')), resolute.as('back', resolute.json_path('groups', '$.items[*]')), keep('back'))$$,
	$$SELECT item FROM warehouse.all ORDER BY item->'status', n$$, 'json_path: the items of groups, as rows again');

-- aggregate
SELECT results_eq($$SELECT run(issues(), mapped(), resolute.as('sums', resolute.aggregate('mapped', 'count(*), count(story_points) AS estimated, sum(story_points) AS points, avg(story_points), min(updated_at) first, max(updated_at) AS last', by => 'status')), keep('sums'))$$,
	$$SELECT jsonb_build_object('status', item->'status', 'count', count(*), 'estimated', count(item->>'story_points'), 'points', sum((item->>'story_points')::numeric),
		'avg', avg((item->>'story_points')::numeric), 'first', min(item->>'updated_at'), 'last', max(item->>'updated_at')) FROM warehouse.all GROUP BY item->'status' ORDER BY item->'status'$$, 'aggregate: as in SQL');
SELECT results_eq($$SELECT run(issues(), resolute.as('sums', resolute.aggregate('issues', 'count(*), sum(StoryPoints) AS points')), keep('sums'))$$,
	$$SELECT jsonb_build_object('count', count(*), 'points', sum((item->>'story_points')::numeric)) FROM warehouse.all$$, 'aggregate: one row for all items of a source');

-- reduce
SELECT results_eq($$SELECT run(issues(), mapped(), resolute.as('longest', resolute.reduce('mapped', $q$ CASE WHEN length(item->>'issue_key') > length(acc->>'issue_key') THEN item ELSE acc END $q$, '{"issue_key": ""}')), keep('longest'))$$,
	$$SELECT item FROM warehouse.all ORDER BY length(item->>'issue_key') DESC, n LIMIT 1$$, 'reduce: over all pages');
SELECT results_eq($$SELECT run(issues(), resolute.as('n', resolute.reduce('issues', $q$ acc::int + 1 $q$, '0')), keep('n'))$$,
	$$SELECT jsonb_build_object('value', count(*)) FROM warehouse.all$$, 'reduce: to a number');

-- template
SELECT results_eq($$SELECT run(issues(), mapped(), resolute.as('sorted', resolute.sort('mapped', 'issue_key')), resolute.as('digest', resolute.template('sorted', '{{len .}}{{range .}} {{.issue_key}}{{end}}')), keep('digest'))$$,
	$$SELECT jsonb_build_object('text', count(*) || ' ' || string_agg(item->>'issue_key', ' ' ORDER BY item->'issue_key')) FROM warehouse.all$$, 'template: one text out of all rows');

SELECT * FROM finish();
