-- merge: several sources as one stream, each with its cursor; unique() over it.
\ir setup/flows.sql
SELECT sim.get('/_sim/reset?issues=300&seed=5&projects=PLATFORM,MOBILE,WEB');
SET resolute.http_attempts = 1;
SELECT no_plan();
SELECT sim.connect('jira_2'), sim.connect('jira_3');

CREATE TABLE warehouse.canonical (canonical_id text PRIMARY KEY, source text, summary text, status text, updated_at timestamptz);
CREATE FUNCTION fetched(name text, server text, jql text, page_size int DEFAULT 30) RETURNS resolute.step LANGUAGE sql AS $$
	SELECT resolute.as(name, resolute.jira_fetch_issues(server, jql || ' AND updated >= ${cursor}', cursor => resolute.cursor_for(name), page_size => page_size))
$$;
CREATE FUNCTION canonical(name text, rows text, source text, updated text DEFAULT 'Updated') RETURNS resolute.step LANGUAGE sql AS $$
	SELECT resolute.as(name, resolute.map(rows, format('{"canonical_id": "{{.Key}}", "source": "%s", "summary": "{{.Summary}}", "status": "{{.Status}}", "updated_at": "{{.%s}}"}', source, updated)))
$$;
CREATE FUNCTION source_issues() RETURNS TABLE (canonical_id text, summary text, status text, updated_at timestamptz) LANGUAGE sql AS $$
	SELECT i->>'key', i->>'summary', i->>'status', (i->>'updated')::timestamptz FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) i
$$;
CREATE FUNCTION same(description text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT set_eq('SELECT canonical_id, summary, status, updated_at FROM warehouse.canonical', 'SELECT * FROM source_issues()', description)
$$;
CREATE FUNCTION edit() RETURNS void LANGUAGE sql AS $$
	SELECT sim.get('/_sim/clock?advance_ms=10800000'), sim.get('/_sim/bulk?project=PLATFORM&count=40&priority=High&summary=Edited'), sim.get('/_sim/bulk?project=WEB&count=20&status=Done'), sim.get('/_sim/add?project=MOBILE&count=5')
$$;
CREATE FUNCTION again() RETURNS void LANGUAGE sql AS 'TRUNCATE warehouse.canonical; SELECT begin_again()';

-- The flow multi-source-sync: three Jira servers that know some of the same issues --------------------------

SELECT resolute.create_flow('multi-source-sync', resolute.manual(),
	resolute.parallel(
		fetched('cloud', 'jira', 'project in (PLATFORM, MOBILE)'),
		fetched('team', 'jira_2', 'project in (MOBILE, WEB)'),
		fetched('legacy', 'jira_3', 'project in (WEB, PLATFORM)')),
	canonical('cloud_rows', 'cloud', 'cloud'), canonical('team_rows', 'team', 'team'), canonical('legacy_rows', 'legacy', 'legacy'),
	resolute.as('merged', resolute.merge('cloud_rows', 'team_rows', 'legacy_rows')),
	resolute.as('unique', resolute.unique('merged', key => 'canonical_id')),
	resolute.as('upserted', resolute.upsert('unique', target => 'warehouse.canonical', key => 'canonical_id')),
	resolute.node('log', 'trace', input => 'upserted'));

SELECT again();
CALL resolute.run('multi-source-sync');
SELECT same('three sources fill one table');
SELECT is((SELECT source_records FROM resolute.runs ORDER BY run_id DESC LIMIT 1), (SELECT 2 * count(*) FROM source_issues()), 'each issue came from two of them');
SELECT ok(balanced(), 'the books balance');
SELECT is((SELECT (value->>'source_records')::bigint FROM trace), (SELECT 2 * count(*) FROM source_issues()), 'over all sources');
SELECT is((SELECT rows_out FROM resolute.run_steps WHERE step = 'merged' ORDER BY run_id DESC LIMIT 1), (SELECT 2 * count(*) FROM source_issues()), 'the merge has the rows of all');
SELECT set_eq('SELECT left(canonical_id, 1), source FROM warehouse.canonical', $$VALUES ('P', 'legacy'), ('M', 'team'), ('W', 'legacy')$$, 'of equal versions that of the later source stays');
SELECT is((SELECT count(*) FROM resolute.cursors WHERE name IN ('cloud', 'team', 'legacy') AND walk IS NULL AND position IS NOT NULL), 3::bigint, 'each source has its cursor');
SELECT is(cursor_at('team'), (SELECT max(updated_at) FROM source_issues() WHERE canonical_id !~ '^P'), 'at its own end');
SELECT edit();
CALL resolute.run('multi-source-sync');
SELECT same('run again after edits, the table equals the sources');
SELECT cmp_ok(source_records, '<', (SELECT count(*) FROM source_issues()), 'which fetched what changed only') FROM resolute.runs ORDER BY run_id DESC LIMIT 1;

SELECT again();
SELECT is((SELECT status FROM resolute.run_flow('multi-source-sync')), 'succeeded', 'run_flow does the same');
SELECT same('with the same result');
SELECT set_eq('SELECT left(canonical_id, 1), source FROM warehouse.canonical', $$VALUES ('P', 'legacy'), ('M', 'team'), ('W', 'legacy')$$, 'and the same winners');
SELECT edit();
SELECT resolute.run_flow('multi-source-sync');
SELECT same('also after edits');

-- Whoever comes first: the winner is the same.
SELECT again();
SELECT sim.post('/_sim/fault', '{"containing": "project in (WEB, PLATFORM)", "delay_ms": 200}') \g /dev/null
CALL resolute.run('multi-source-sync');
SELECT set_eq('SELECT left(canonical_id, 1), source FROM warehouse.canonical', $$VALUES ('P', 'legacy'), ('M', 'team'), ('W', 'legacy')$$, 'a late source wins a tie if it is named later');
SELECT again();
SELECT sim.post('/_sim/fault', '{"containing": "project in (PLATFORM, MOBILE)", "delay_ms": 200}') \g /dev/null
CALL resolute.run('multi-source-sync');
SELECT set_eq('SELECT left(canonical_id, 1), source FROM warehouse.canonical', $$VALUES ('P', 'legacy'), ('M', 'team'), ('W', 'legacy')$$, 'and loses it if it is named earlier');
SELECT ok(duplicates >= 150, 'rows that lost are duplicates') FROM resolute.runs ORDER BY run_id DESC LIMIT 1;

-- A newer version wins, whatever the order.
CREATE FUNCTION newest(VARIADIC names text[]) RETURNS int LANGUAGE sql AS $$
	SELECT define('newest', fetched('new', 'jira', 'project = WEB'), fetched('old', 'jira_2', 'project = WEB'), canonical('new_rows', 'new', 'new'), canonical('old_rows', 'old', 'old', 'Created'),
		resolute.as('merged', resolute.merge(VARIADIC names)), resolute.as('unique', resolute.unique('merged', 'canonical_id')), resolute.as('stored', resolute.upsert('unique', 'warehouse.canonical', 'canonical_id')))
$$;
SELECT again(), newest('new_rows', 'old_rows');
CALL resolute.run('newest');
SELECT set_eq('SELECT source FROM warehouse.canonical', $$VALUES ('new')$$, 'the newest version wins over the one that came later');
SELECT again(), newest('old_rows', 'new_rows');
CALL resolute.run('newest');
SELECT set_eq('SELECT source FROM warehouse.canonical', $$VALUES ('new')$$, 'and over the one that came earlier');
SELECT is((SELECT stale FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 0::bigint, 'no old version reaches the target after a newer one');
-- Another row with the same version from the same source passes on: there are two issues at one instant, on two pages.
SELECT again(), sim.get('/_sim/reset?issues=120&projects=WEB') \g /dev/null
SELECT define('f', fetched('a', 'jira', 'project = WEB', 1), fetched('b', 'jira_2', 'project = WEB AND updated > 1900000000000'), canonical('ma', 'a', 'a'), canonical('mb', 'b', 'b'),
	resolute.as('merged', resolute.merge('ma', 'mb')), resolute.as('unique', resolute.unique('merged', 'updated_at')), resolute.node('n', 'trace', input => 'unique'));
CALL resolute.run('f');
SELECT is((SELECT sum(jsonb_array_length(value)) FROM trace), 120::bigint, 'a row that changed without another version passes on');
-- The seen-set spills.
SET work_mem = '64kB';
SELECT again(), sim.get('/_sim/reset?issues=4000&projects=WEB') \g /dev/null
SELECT newest('new_rows', 'old_rows');
CALL resolute.run('newest');
SELECT set_eq('SELECT source, count(*) FROM warehouse.canonical GROUP BY 1', $$VALUES ('new', 4000::bigint)$$, 'with a seen-set that spills, too');
RESET work_mem;
SELECT sim.get('/_sim/reset?issues=300&seed=5&projects=PLATFORM,MOBILE,WEB') \g /dev/null

-- The union of the fields.
SELECT again();
SELECT define('f', fetched('a', 'jira', 'project = PLATFORM'), fetched('b', 'jira_2', 'project = WEB'),
	resolute.as('ma', resolute.map('a', '{"canonical_id": "{{.Key}}", "summary": "{{.Summary}}"}')), resolute.as('mb', resolute.map('b', '{"updated_at": "{{.Updated}}", "canonical_id": "{{.Key}}"}')),
	resolute.as('merged', resolute.merge('ma', 'mb')), resolute.as('stored', resolute.upsert('merged', 'warehouse.canonical', 'canonical_id')));
CALL resolute.run('f');
SELECT set_eq('SELECT canonical_id ~ ''PLATFORM'' AS a, summary IS NULL AS b, updated_at IS NULL AS c FROM warehouse.canonical', 'VALUES (true, false, true), (false, true, false)', 'rows have the fields of all, null where theirs has none');
-- Unmapped rows, mapped after the merge; a merge of a merge; documents that a template renders.
SELECT again();
SELECT define('f', fetched('a', 'jira', 'project = PLATFORM'), fetched('b', 'jira_2', 'project = WEB'), fetched('c', 'jira_3', 'project = MOBILE'),
	resolute.as('ab', resolute.merge('a', 'b')), resolute.as('abc', resolute.merge('ab', 'c')), canonical('rows', 'abc', 'any'), resolute.as('stored', resolute.upsert('rows', 'warehouse.canonical', 'canonical_id')));
CALL resolute.run('f');
SELECT same('rows of sources are merged before they are mapped');
SELECT again();
SELECT define('f', fetched('a', 'jira', 'project in (PLATFORM, WEB)'), fetched('b', 'jira_2', 'project = MOBILE'), canonical('ma', 'a', 'columns'),
	resolute.as('mb', resolute.map('b', '{"canonical_id": "{{.Key}}"{{if .Summary}}, "summary": "{{.Summary}}"{{end}}, "status": "{{.Status}}", "updated_at": "{{.Updated}}"}')),
	resolute.as('merged', resolute.merge('ma', 'mb')), resolute.as('unique', resolute.unique('merged', 'canonical_id')), resolute.as('stored', resolute.upsert('unique', 'warehouse.canonical', 'canonical_id')));
CALL resolute.run('f');
SELECT same('columns and rendered documents are merged');
-- Rows of a merge that are refused, with the item of their source.
SELECT again();
ALTER TABLE warehouse.canonical ADD CONSTRAINT no_seven CHECK (canonical_id NOT LIKE '%7');
CALL resolute.run('f');
SELECT set_eq('SELECT item->>''key'' FROM resolute.dead_letters', $$SELECT canonical_id FROM source_issues() WHERE canonical_id LIKE '%7'$$, 'dead letters of a merge hold the items of the sources');
SELECT ok(balanced(), 'and the books balance');
ALTER TABLE warehouse.canonical DROP CONSTRAINT no_seven;
-- A condition and a node over a merge.
SELECT again();
SELECT define('f', fetched('a', 'jira', 'project = PLATFORM AND updated > 1900000000000'), fetched('b', 'jira_2', 'project = WEB'), resolute.as('merged', resolute.merge('a', 'b')),
	resolute.when('merged', resolute.node('n', 'trace', input => 'merged')));
CALL resolute.run('f');
SELECT is((SELECT sum(jsonb_array_length(value)) FROM trace), (SELECT count(*) FROM source_issues() WHERE canonical_id ~ 'WEB'), 'a merge has rows if any of its sources has');
-- Also read by itself, and twice.
SELECT again();
SELECT define('f', fetched('a', 'jira', 'project = PLATFORM'), fetched('b', 'jira_2', 'project = WEB'), canonical('ma', 'a', 'a'), canonical('mb', 'b', 'b'), resolute.as('merged', resolute.merge('ma', 'mb')),
	resolute.node('alone', 'trace', input => 'ma'), resolute.as('stored', resolute.upsert('merged', 'warehouse.canonical', 'canonical_id')), resolute.sql('SELECT 1'), resolute.as('twice', resolute.upsert('merged', 'warehouse.canonical', 'canonical_id')));
CALL resolute.run('f');
SELECT is((SELECT sum(jsonb_array_length(value)) FROM trace), (SELECT count(*) FROM source_issues() WHERE canonical_id ~ 'PLATFORM'), 'an input of a merge may have a sink of its own');
SELECT is((SELECT concat_ws(' ', output->>'inserted', output->>'unchanged') FROM resolute.run_steps WHERE step = 'twice' ORDER BY run_id DESC LIMIT 1), format('0 %s', (SELECT count(*) FROM source_issues() WHERE canonical_id !~ 'MOBILE')), 'and a merge may be read twice');

-- One source fails: handled by itself, the rest is merged ------------------------------------------------------------

SELECT again();
SELECT sim.post('/_sim/fault', '{"containing": "MOBILE, WEB", "skip": 1, "times": -1, "status": 400, "body": {"errorMessages": ["no"]}}') \g /dev/null
SELECT define('f', resolute.parallel(fetched('cloud', 'jira', 'project in (PLATFORM, MOBILE)'), resolute.on_error(fetched('team', 'jira_2', 'project in (MOBILE, WEB)'), note_error())),
	canonical('cloud_rows', 'cloud', 'cloud'), canonical('team_rows', 'team', 'team'), resolute.as('merged', resolute.merge('cloud_rows', 'team_rows')), resolute.as('unique', resolute.unique('merged', 'canonical_id')),
	resolute.as('stored', resolute.upsert('unique', 'warehouse.canonical', 'canonical_id')));
CALL resolute.run('f');
SELECT is((SELECT concat_ws(' ', status, handled_errors) FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'succeeded 1', 'one source of a merge fails and is handled');
SELECT is((SELECT value->>'step' FROM trace), 'team', 'by its own handler');
SELECT set_has('SELECT canonical_id FROM warehouse.canonical', $$SELECT canonical_id FROM source_issues() WHERE canonical_id !~ 'WEB'$$, 'the others are merged to their end');
SELECT is(cursor_at('team'), (SELECT max(updated_at) FROM (SELECT updated_at FROM source_issues() WHERE canonical_id !~ 'PLATFORM' ORDER BY updated_at, canonical_id LIMIT 30) t), 'the cursor of the failed one stands before its failed page');
SELECT sim.get('/_sim/faults?clear=1') \g /dev/null
CALL resolute.run('f');
SELECT same('the next run brings the rest');
-- It fails before anything is known of it.
SELECT again();
SELECT sim.connect('away');
ALTER SERVER away OPTIONS (SET base_url 'http://127.0.0.1:1');
SELECT define('f', resolute.on_error(fetched('gone', 'away', 'project = WEB'), note_error()), fetched('a', 'jira', 'project in (PLATFORM, MOBILE)'), canonical('gone_rows', 'gone', 'gone'), canonical('ma', 'a', 'a'),
	resolute.as('merged', resolute.merge('gone_rows', 'ma')), resolute.as('stored', resolute.upsert('merged', 'warehouse.canonical', 'canonical_id')));
SELECT is((SELECT concat_ws(' ', status, handled_errors) FROM resolute.run_flow('f')), 'succeeded 1', 'a server that is not there');
SELECT is((SELECT count(*) FROM warehouse.canonical), (SELECT count(*) FROM source_issues() WHERE canonical_id !~ 'WEB'), 'does not keep the others from being merged');

-- A killed run: each source goes on where it was.
SELECT again();
CREATE TABLE bad (n int);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (SELECT count(*) FROM warehouse.canonical) > 100 AND EXISTS (SELECT FROM public.bad) THEN RAISE EXCEPTION 'no' USING ERRCODE = '58030'; END IF; RETURN NULL; END $$;
CREATE TRIGGER refuse AFTER INSERT ON warehouse.canonical EXECUTE FUNCTION refuse();
INSERT INTO bad VALUES (1);
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
CALL resolute.run('multi-source-sync');
\set ON_ERROR_STOP on
\set VERBOSITY default
SELECT is((SELECT status FROM resolute.runs ORDER BY run_id DESC LIMIT 1), 'failed', 'a merge that fails on its way');
SELECT cmp_ok((SELECT count(*) FROM resolute.cursors WHERE walk IS NOT NULL), '>=', 1::bigint, 'has left its walks');
SELECT source_records AS before FROM resolute.runs ORDER BY run_id DESC LIMIT 1 \gset
DELETE FROM bad;
CALL resolute.run('multi-source-sync');
SELECT cmp_ok(source_records + :before, '<=', (SELECT 2 * count(*) + 90 FROM source_issues()), 'and goes on from there') FROM resolute.runs ORDER BY run_id DESC LIMIT 1;
SELECT same('to the same end');
DROP TRIGGER refuse ON warehouse.canonical;

-- preview_flow shows the rows of each source.
SELECT ok(count(*) = 6 AND bool_and(verdict IN ('unchanged', 'update')), 'preview_flow looks through a merge') FROM resolute.preview_flow('multi-source-sync', 2);

SELECT * FROM finish();
