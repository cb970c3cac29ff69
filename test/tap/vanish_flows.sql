-- Dead letters are replayed, and vanished rows found, through every kind of step.
\ir setup/warehouse.sql
SELECT sim.get('/_sim/reset?issues=300&seed=5&projects=PLATFORM,MOBILE,DATA');
SELECT no_plan();
CREATE FUNCTION sim.keys_of(project text) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT i->>'key' FROM jsonb_array_elements(sim.get('/_sim/issues?array=1&project=' || project)) i $$;
CREATE FUNCTION sim.last_run() RETURNS text LANGUAGE sql AS
	$$ SELECT concat_ws(' ', kind, status, deleted, error_code) FROM resolute.runs ORDER BY run_id DESC LIMIT 1 $$;

-- Several sources, in flight at once, merged and without duplicates.
CREATE TABLE warehouse.merged (canonical_id text PRIMARY KEY, key text, project text, summary text CHECK (summary <> 'refused'), updated timestamptz);
CREATE FUNCTION sim.fetch(project text) RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as(project, resolute.jira_fetch_issues('jira', format('project = %s AND updated >= ${cursor}', project), resolute.cursor_for('of ' || project), page_size => 20)) $$;
CREATE FUNCTION sim.map(project text) RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as('rows of ' || project, resolute.map(project, '{"canonical_id": "jira-{{.Id}}", "key": "{{.Key}}", "project": "{{.Project}}", "summary": "{{.Summary}}", "updated": "{{.Updated}}"}')) $$;
SELECT resolute.create_flow('multi', resolute.manual(),
	resolute.parallel(sim.fetch('PLATFORM'), sim.fetch('MOBILE'), sim.fetch('DATA')),
	sim.map('PLATFORM'), sim.map('MOBILE'), sim.map('DATA'),
	resolute.as('all', resolute.merge('rows of PLATFORM', 'rows of MOBILE', 'rows of DATA')),
	resolute.as('unique', resolute.unique('all', key => 'canonical_id')),
	resolute.as('stored', resolute.upsert('unique', target => 'warehouse.merged', key => 'canonical_id')));
SELECT sim.get('/_sim/edit?summary=refused&key=' || k) FROM unnest(ARRAY['PLATFORM-3', 'MOBILE-3', 'DATA-3']) k;
CALL resolute.run('multi');
SELECT is((SELECT count(*) FROM warehouse.merged), 297::bigint, 'three sources but for three rows');
SELECT set_eq($$SELECT source, step FROM resolute.dead_letters$$, $$VALUES ('PLATFORM', 'stored'), ('MOBILE', 'stored'), ('DATA', 'stored')$$, 'a dead letter knows its source');
ALTER TABLE warehouse.merged DROP CONSTRAINT merged_summary_check;
SELECT is((SELECT resolved FROM resolute.replay_dead_letters('multi')), 3::bigint, 'they are replayed, each through the branch of its source');
SELECT set_eq($$SELECT key, canonical_id, project FROM warehouse.merged$$, $$SELECT i->>'key' AS k, 'jira-' || (i->>'id') AS c, i->>'project' AS p FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) i$$, 'the table is the source');
SELECT sim.get('/_sim/delete?key=' || k) FROM unnest(ARRAY['PLATFORM-5', 'MOBILE-5', 'DATA-5']) k;
SELECT sim.get('/_sim/log?clear=1') IS NULL AS x \gset
CALL resolute.reconcile('multi', delete => true);
SELECT is(sim.last_run(), 'reconcile succeeded 3', 'reconcile over a merge');
SELECT set_eq($$SELECT key FROM warehouse.merged$$, $$SELECT i->>'key' FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) i$$, '... removes what is gone from any of them');
SELECT is((SELECT count(*) FROM jsonb_array_elements(sim.get('/_sim/log?clear=1')) l WHERE l->>'path' LIKE '%/search/jql' AND l->>'body' LIKE '%"fields": ["id", "key"]%' AND l->>'body' NOT LIKE '%id in%'), 3::bigint, '... with one request for each source');
SELECT sim.get('/_sim/move?key=DATA-7&to=MOBILE');
SELECT sim.get('/_sim/delete?key=MOBILE-9');
CALL resolute.resync('multi');
SELECT is(sim.last_run(), 'resync succeeded 1', 'resync over a merge');
SELECT set_eq($$SELECT key FROM warehouse.merged$$, $$SELECT i->>'key' FROM jsonb_array_elements(sim.get('/_sim/issues?array=1')) i$$, '... a moved issue keeps its row, a deleted one does not');
SELECT sim.get('/_sim/project?key=DATA&visible=0');
SELECT alike(sim.error($$CALL resolute.reconcile('multi', delete => true, max_shrink => 1)$$), '22023%DATA%', 'a source that has gone out of sight fails it');
SELECT sim.get('/_sim/project?key=DATA&visible=1');

-- filter: rows that no longer pass are gone from the target's view of the source.
CREATE TABLE warehouse.open (key text PRIMARY KEY, status text, updated timestamptz);
SELECT resolute.create_flow('open', resolute.manual(), resolute.as('PLATFORM', resolute.jira_fetch_issues('jira', 'project = PLATFORM AND updated >= ${cursor}', resolute.cursor_for('open'))),
	resolute.as('open', resolute.filter('PLATFORM', 'ne .Status "Done"')),
	resolute.as('sorted', resolute.sort('open', 'created')),
	resolute.as('rows', resolute.map('sorted', '{"key": "{{.Key}}", "status": "{{.Status}}", "updated": "{{.Updated}}"}')),
	resolute.as('stored', resolute.upsert('rows', target => 'warehouse.open', key => 'key')));
CALL resolute.run('open');
SELECT set_eq('SELECT key FROM warehouse.open', $$SELECT i->>'key' FROM jsonb_array_elements(sim.get('/_sim/issues?array=1&project=PLATFORM')) i WHERE i->>'status' <> 'Done'$$, 'a filtered and sorted sync');
SELECT sim.get('/_sim/edit?status=Done&key=' || min(key)) FROM warehouse.open;
SELECT sim.get('/_sim/delete?key=' || max(key)) FROM warehouse.open;
CALL resolute.run('open');
CALL resolute.reconcile('open', delete => true);
SELECT set_eq('SELECT key FROM warehouse.open', $$SELECT i->>'key' FROM jsonb_array_elements(sim.get('/_sim/issues?array=1&project=PLATFORM')) i WHERE i->>'status' <> 'Done'$$, 'reconcile goes by the filter');
SELECT is(sim.last_run(), 'reconcile succeeded 2', '... and counts both');
SELECT sim.get('/_sim/delete?key=' || max(key)) FROM warehouse.open;
CALL resolute.resync('open');
SELECT set_eq('SELECT key FROM warehouse.open', $$SELECT i->>'key' FROM jsonb_array_elements(sim.get('/_sim/issues?array=1&project=PLATFORM')) i WHERE i->>'status' <> 'Done'$$, 'so does resync');

-- A step that a condition has skipped has shown its rows to nobody, even if another one has read their source.
CREATE TABLE warehouse.halves (key text PRIMARY KEY, status text, updated timestamptz);
CREATE TABLE warehouse.done (LIKE warehouse.halves INCLUDING ALL);
CREATE FUNCTION sim.halves(target text) RETURNS int LANGUAGE sql AS $$
	SELECT resolute.create_or_replace_flow('halves', resolute.manual(),
		resolute.as('i', resolute.jira_fetch_issues('jira', 'project = MOBILE AND updated >= ${cursor}', resolute.cursor_for('halves'), page_size => 20)),
		resolute.as('rest', resolute.filter('i', 'ne .Status "Done"')),
		resolute.as('rest rows', resolute.map('rest', '{"key": "{{.Key}}", "status": "{{.Status}}", "updated": "{{.Updated}}"}')),
		resolute.as('rest stored', resolute.upsert('rest rows', target => 'warehouse.halves', key => 'key')),
		resolute.as('done', resolute.filter('i', 'eq .Status "Done"')),
		resolute.as('done rows', resolute.map('done', '{"key": "{{.Key}}", "status": "{{.Status}}", "updated": "{{.Updated}}"}')),
		resolute.when('input.full', resolute.as('done stored', resolute.upsert('done rows', target => target, key => 'key')))) $$;
SELECT sim.halves('warehouse.halves') AS x \gset
CALL resolute.run('halves', '{"full": true}');
SELECT set_eq('SELECT key FROM warehouse.halves', $$SELECT sim.keys_of('MOBILE')$$, 'two steps store a half each');
SELECT cmp_ok((SELECT count(*) FROM warehouse.halves WHERE status = 'Done'), '>', 0::bigint, '... neither of them empty');
CALL resolute.resync('halves', max_shrink => 1, shared => true, check_access => false);
SELECT is(sim.last_run(), 'resync succeeded 0', 'resync where one of them is skipped');
SELECT set_eq('SELECT key FROM warehouse.halves', $$SELECT sim.keys_of('MOBILE')$$, '... deletes no rows of it');
SELECT alike(sim.shell(format($$psql -XqAtc "CALL resolute.resync('halves', max_shrink => 1, shared => true)" %s 2>&1$$, sim.quote_shell('dbname=' || current_database()))), '%table "warehouse.halves" was left alone: the flow skipped a step that upserts into it%', '... and says so');
CALL resolute.reconcile('halves', delete => true);
SELECT is(sim.last_run(), 'reconcile succeeded 0', 'reconcile skips no step');
SELECT sim.halves('warehouse.done') AS x \gset
CALL resolute.run('halves', '{"full": true}');
SELECT resolute.reset_cursor('halves');
CALL resolute.run('halves', '{"full": true}');
CALL resolute.resync('halves', max_shrink => 1);
SELECT is(sim.last_run(), 'resync succeeded ' || (SELECT count(*) FROM warehouse.done), 'a target of the skipped step alone is no obstacle for another one');
SELECT set_eq('SELECT key FROM warehouse.done', $$SELECT i->>'key' FROM jsonb_array_elements(sim.get('/_sim/issues?array=1&project=MOBILE')) i WHERE i->>'status' = 'Done'$$, '... and keeps its rows');

-- Pages by hand: one of two steps takes the first page only.
SELECT resolute.create_flow('by hand', resolute.manual(),
	resolute.as('i', resolute.jira_fetch_issues('jira', 'project = MOBILE AND updated >= ${cursor}', resolute.cursor_for('by hand'), page_size => 20, paginate => 'manual')),
	resolute.while('i.has_more',
		resolute.as('rows', resolute.map('i', '{"key": "{{.Key}}", "status": "{{.Status}}", "updated": "{{.Updated}}"}')),
		resolute.as('all stored', resolute.upsert('rows', target => 'warehouse.halves', key => 'key')),
		resolute.when($$state->'input' ? 'full' OR (state->'i'->>'pages')::int = 1$$, resolute.as('first stored', resolute.upsert('rows', target => 'warehouse.done', key => 'key'))),
		resolute.next_page('i')));
CALL resolute.run('by hand', '{"full": true}');
SELECT set_eq('SELECT key FROM warehouse.done', $$SELECT sim.keys_of('MOBILE')$$, 'two steps take all pages');
SELECT sim.get('/_sim/delete?key=' || max(key)) FROM warehouse.halves;
CALL resolute.resync('by hand', max_shrink => 1, shared => true, check_access => false);
SELECT is(sim.last_run(), 'resync succeeded 1', 'resync where one of them takes the first page only');
SELECT set_eq('SELECT key FROM warehouse.halves', $$SELECT sim.keys_of('MOBILE')$$, '... removes what is gone from the target of the other one');
SELECT is((SELECT count(*) FROM warehouse.done), (SELECT count(*) + 1 FROM sim.keys_of('MOBILE')), '... and nothing from its own');

-- Steps that need all rows: no replay through them.
ALTER TABLE warehouse.open ADD CONSTRAINT refused CHECK (status <> 'To Do') NOT VALID;
SELECT resolute.reset_cursor('open');
SELECT sim.get('/_sim/edit?status=To+Do&key=' || min(key)) FROM warehouse.open;
CALL resolute.run('open');
SELECT alike(sim.error($$SELECT resolute.replay_dead_letters('open')$$), '0A000 dead letters of step "stored" of flow "open" cannot be replayed / Their way leads through step "sorted", which needs all rows of its source at once. / %resync%', 'letters whose way leads through sort are not replayed');
SELECT is((SELECT max(attempts) FROM resolute.dead_letters WHERE flow = 'open'), 1, '... which is no attempt');

-- Letters of filter and of unique.
CREATE TABLE warehouse.numbers (number text PRIMARY KEY, key text, updated timestamptz);
CREATE FUNCTION sim.numbers(condition text, number text) RETURNS int LANGUAGE sql AS $$
	SELECT resolute.create_or_replace_flow('numbers', resolute.manual(),
		resolute.as('i', resolute.jira_fetch_issues('jira', 'project = MOBILE AND updated >= ${cursor}', resolute.cursor_for('numbers'))),
		resolute.as('f', resolute.filter('i', condition)),
		resolute.as('r', resolute.map('f', '{"number": ' || number || ', "key": "{{.Key}}", "updated": "{{.Updated}}"}')),
		resolute.as('u', resolute.unique('r', key => 'number')),
		resolute.as('s', resolute.upsert('u', target => 'warehouse.numbers', key => 'number'))) $$;
SELECT sim.numbers($$item->>'key' <> 'MOBILE-2' OR (item->>'key')::int > 0$$, '{{if eq .Key "MOBILE-4"}}null{{else}}"{{.Key}}"{{end}}') AS past \gset
CALL resolute.run('numbers');
SELECT set_eq($$SELECT step, error_code, item->>'key' FROM resolute.dead_letters WHERE flow = 'numbers'$$, $$VALUES ('f', '22P02', 'MOBILE-2'), ('u', '23502', 'MOBILE-4')$$, 'an item that filter fails on, and a row without a key');
SELECT is((SELECT failed FROM resolute.replay_dead_letters('numbers')), 2::bigint, 'replayed as it is, both fail again');
SELECT set_eq($$SELECT step, attempts FROM resolute.dead_letters WHERE flow = 'numbers'$$, $$VALUES ('f', 2), ('u', 2)$$, '... in the same steps');
SELECT sim.numbers($$item->>'key' <> 'MOBILE-2' OR (item->>'key')::int > 0$$, '"{{.Key}}"');
SELECT is((SELECT resolved FROM resolute.replay_dead_letters('numbers', step => 'u')), 1::bigint, 'with another template the one that unique has refused is stored');
SELECT sim.numbers('true', '"{{.Key}}"') AS present \gset
SELECT alike(sim.error($$SELECT resolute.replay_dead_letters('numbers')$$), '55000 step "f" of flow "numbers" has changed%', 'another condition is another step');
SELECT is((SELECT resolved FROM resolute.replay_dead_letters('numbers', version => :present)), 1::bigint, '... that may be gone by');
SELECT set_eq('SELECT key FROM warehouse.numbers', $$SELECT sim.keys_of('MOBILE')$$, 'the table is the source');

-- A whole page as dead letters.
CREATE TABLE warehouse.pages (key text PRIMARY KEY, updated timestamptz);
CREATE FUNCTION warehouse.broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '58030' USING MESSAGE = 'broken'; END $$;
CREATE TRIGGER broken BEFORE INSERT ON warehouse.pages FOR EACH STATEMENT EXECUTE FUNCTION warehouse.broken();
SELECT resolute.create_flow('dlq', resolute.manual(),
	resolute.as('i', resolute.jira_fetch_issues('jira', 'project = MOBILE AND updated >= ${cursor}', resolute.cursor_for('dlq'), page_size => 20)),
	resolute.as('r', resolute.map('i', '{"key": "{{.Key}}", "updated": "{{.Updated}}"}')),
	resolute.as('s', resolute.on_error(resolute.upsert('r', target => 'warehouse.pages', key => 'key'), resolute.dead_letter())));
CALL resolute.run('dlq');
SELECT is((SELECT count(*) FROM resolute.dead_letters WHERE flow = 'dlq' AND step = 's' AND resolved_at IS NULL), (SELECT count(*) FROM sim.keys_of('MOBILE')), 'dead_letter() has sent all pages');
SELECT alike(sim.error($$CALL resolute.resync('dlq')$$), '55000 flow "dlq" has handled errors, so that rows may be missing%', 'resync trusts no run that handled errors');
DROP TRIGGER broken ON warehouse.pages;
SELECT is((SELECT replayed = resolved FROM resolute.replay_dead_letters('dlq')), true, 'whole pages are replayed');
SELECT set_eq('SELECT key FROM warehouse.pages', $$SELECT sim.keys_of('MOBILE')$$, '... and stored');

-- A node that makes rows of an item.
CREATE TABLE warehouse.labels (key text, label text CHECK (label <> 'refused'), PRIMARY KEY (key, label));
CREATE FUNCTION warehouse.labels_of(item jsonb) RETURNS SETOF jsonb LANGUAGE sql AS
	$$ SELECT jsonb_build_object('key', item->>'key', 'label', l) FROM jsonb_array_elements_text(item->'fields'->'labels') l $$;
SELECT resolute.create_flow('labels', resolute.manual(),
	resolute.as('i', resolute.jira_fetch_issues('jira', 'project = MOBILE AND updated >= ${cursor}', resolute.cursor_for('labels'))),
	resolute.node('l', 'warehouse.labels_of', input => 'i'),
	resolute.as('s', resolute.upsert('l', target => 'warehouse.labels', key => 'key, label')));
SELECT sim.post('/_sim/edit', jsonb_build_object('key', k, 'fields', '{"labels": ["refused", "kept"]}'::jsonb)) FROM sim.keys_of('MOBILE') k ORDER BY k LIMIT 1;
CALL resolute.run('labels');
SELECT is((SELECT count(*) FROM resolute.dead_letters WHERE flow = 'labels' AND resolved_at IS NULL), 1::bigint, 'one of the rows that a node has made is refused');
ALTER TABLE warehouse.labels DROP CONSTRAINT labels_label_check;
SELECT is((SELECT resolved FROM resolute.replay_dead_letters('labels')), 1::bigint, 'its item is replayed');
SELECT is((SELECT count(*) FROM warehouse.labels WHERE label = 'refused'), 1::bigint, '... and the row stored');
SELECT sim.post('/_sim/edit', jsonb_build_object('key', k, 'fields', '{"labels": ["kept"]}'::jsonb)) FROM sim.keys_of('MOBILE') k ORDER BY k LIMIT 1;
CALL resolute.reconcile('labels', delete => true);
SELECT is((SELECT count(*) FROM warehouse.labels WHERE label = 'refused'), 0::bigint, 'reconcile removes a label that the issue has lost');
SELECT set_eq('SELECT * FROM warehouse.labels', $$SELECT DISTINCT i->>'key' AS k, l FROM jsonb_array_elements(sim.get('/_sim/issues?array=1&project=MOBILE')) i, jsonb_array_elements_text(i->'labels') l$$, '... and no other');

-- An error of the source is not handled by the flow's handlers: reconcile fails.
CREATE TABLE warehouse.handled (at timestamptz DEFAULT now());
SELECT resolute.create_flow('handler', resolute.manual(),
	resolute.as('i', resolute.on_error(resolute.jira_fetch_issues('jira', 'project = MOBILE AND updated >= ${cursor}', resolute.cursor_for('handler')), resolute.sql('INSERT INTO warehouse.handled DEFAULT VALUES'))),
	resolute.as('r', resolute.map('i', '{"key": "{{.Key}}", "updated": "{{.Updated}}"}')),
	resolute.as('s', resolute.upsert('r', target => 'warehouse.pages', key => 'key')));
SELECT sim.post('/_sim/fault', '{"status": 400, "body": {"errorMessages": ["no"]}}');
SELECT alike(sim.error($$CALL resolute.reconcile('handler', delete => true, shared => true)$$), '22023%', 'an error of the source fails reconcile');
SELECT sim.post('/_sim/fault', '{"status": 400, "body": {"errorMessages": ["no"]}}');
SELECT alike(sim.error($$CALL resolute.resync('handler', shared => true)$$), '55000 flow "handler" has handled errors%', '... and resync, although the flow handles it');
SELECT is((SELECT count(*) FROM warehouse.handled), 0::bigint, 'what was undone is undone');
SELECT set_eq('SELECT key FROM warehouse.pages', $$SELECT sim.keys_of('MOBILE')$$, 'no row is removed');

SELECT * FROM finish();
