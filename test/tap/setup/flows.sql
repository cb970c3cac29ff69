-- What tests of flows share, and what is in setup/warehouse.sql: \ir setup/flows.sql
--
--   define('f', step, …)     make or change a flow
--   issues(…), mapped(…), stored(…)   the steps of a plain sync into warehouse.issues
--   outcome()                what the last run did, in one line
--   trace, trace(jsonb)      a table, and a function for nodes that writes to it
--   note_error()             a step that writes down the error that is being handled
--   says('who'), said()      a step that writes its name and the step that failed; all that was written
--   balanced()               do the books of the last run balance?
--   begin_again()            no rows, no cursors, no traces
--   cursor_at('c')           where a cursor stands
\ir warehouse.sql
CREATE FUNCTION define(name text, VARIADIC steps resolute.step[]) RETURNS int LANGUAGE sql AS
	$$ SELECT resolute.create_or_replace_flow(name, resolute.manual(), VARIADIC steps) $$;
CREATE FUNCTION issues(name text DEFAULT 'issues', cursor text DEFAULT 'c', page_size int DEFAULT 50,
	jql text DEFAULT 'project = PLATFORM AND updated >= ${cursor}', server text DEFAULT 'jira', paginate text DEFAULT NULL)
RETURNS resolute.step LANGUAGE sql AS $$
	SELECT resolute.as(name, resolute.jira_fetch_issues(server, jql, cursor => resolute.cursor_for(cursor), page_size => page_size, paginate => paginate))
$$;
CREATE FUNCTION mapped(name text DEFAULT 'mapped', rows text DEFAULT 'issues') RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.as(name, resolute.map(rows, sim.template())) $$;
CREATE FUNCTION stored(name text DEFAULT 'stored', rows text DEFAULT 'mapped', target text DEFAULT 'warehouse.issues')
RETURNS resolute.step LANGUAGE sql AS $$ SELECT resolute.as(name, resolute.upsert(rows, target, 'issue_key')) $$;
CREATE FUNCTION outcome() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', status, 'fetched', source_records, 'inserted', inserted, 'failed', failed, 'handled', handled_errors, error_code)
	FROM resolute.runs ORDER BY run_id DESC LIMIT 1
$$;
CREATE TABLE trace (n serial, value jsonb);
CREATE FUNCTION trace(value jsonb) RETURNS jsonb LANGUAGE sql AS 'INSERT INTO trace (value) VALUES ($1) RETURNING value';
-- A step that writes down the error that is being handled.
CREATE FUNCTION note_error() RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.sql('INSERT INTO public.trace (value) SELECT resolute.error()') $$;
-- A handler that writes its name and that of the step that failed; and what was written.
CREATE FUNCTION says(who text) RETURNS resolute.step LANGUAGE sql AS
	$$ SELECT resolute.sql(format('INSERT INTO public.trace (value) SELECT jsonb_build_object(%L, resolute.error()->>''step'')', who)) $$;
CREATE FUNCTION said() RETURNS text LANGUAGE sql AS 'SELECT string_agg(value::text, '' '' ORDER BY n) FROM trace';
CREATE FUNCTION begin_again() RETURNS void LANGUAGE sql AS
	'TRUNCATE warehouse.issues, trace; DELETE FROM resolute.cursors; DELETE FROM resolute.dead_letters';
-- The books of the last run balance for each of its sinks.
CREATE FUNCTION balanced() RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and((output->>'source_records')::int = (output->>'inserted')::int + (output->>'updated')::int + (output->>'unchanged')::int
		+ (output->>'stale')::int + (output->>'duplicates')::int + (output->>'filtered')::int + (output->>'failed')::int)
	FROM resolute.run_steps WHERE kind = 'upsert' AND run_id = (SELECT max(run_id) FROM resolute.runs)
$$;
CREATE FUNCTION cursor_at(name text DEFAULT 'c') RETURNS timestamptz LANGUAGE sql AS 'SELECT position FROM resolute.cursors c WHERE c.name = $1';
