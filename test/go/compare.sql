-- Renders each pair and compares what comes out with what Go made of it.
-- Where both refuse, that is enough: messages need not agree.
-- The tables pair and outcome hold a line of JSON each; see run.

-- An internal error is never a refusal.
CREATE FUNCTION pg_temp.rendered(template text, data text, OUT output text, OUT error text) AS $$
BEGIN
	output := resolute.render_text(template, data::jsonb);
EXCEPTION WHEN OTHERS THEN
	error := sqlstate || ' ' || sqlerrm;
	IF sqlstate LIKE 'XX%' THEN
		output := 'internal error';
	END IF;
END $$ LANGUAGE plpgsql;

CREATE TEMP TABLE result AS
SELECT p.n, p.line::jsonb->>'group' AS "group", p.line::jsonb->>'template' AS template,
	p.line::jsonb->>'data' AS data, o.line::jsonb->>'output' AS go_output,
	o.line::jsonb->>'error' AS go_error, r.output, r.error
FROM pair p JOIN outcome o USING (n),
	pg_temp.rendered(p.line::jsonb->>'template', p.line::jsonb->>'data') r;
ALTER TABLE result ADD ok boolean;
UPDATE result SET ok = CASE WHEN go_error IS NOT NULL THEN error IS NOT NULL AND output IS NULL
	ELSE coalesce(output = go_output, false) END;

WITH groups AS (
	SELECT "group", min(n) AS first, count(*) AS pairs, count(*) FILTER (WHERE go_error IS NOT NULL) AS errors,
		count(*) FILTER (WHERE NOT ok) AS different
	FROM result GROUP BY 1)
SELECT '1..' || count(*) FROM groups
UNION ALL
(SELECT CASE WHEN different = 0 THEN 'ok ' ELSE 'not ok ' END || row_number() OVER (ORDER BY first) ||
	' - ' || "group" || ': ' || pairs || ' pairs, ' || errors || ' of them errors' ||
	CASE WHEN different = 0 THEN '' ELSE ', ' || different || ' DIFFERENT' END
FROM groups ORDER BY first);

SELECT '# template: ' || to_json(template) || E'\n#   data: ' || CASE WHEN length(data) > 400 THEN 'the shared document' ELSE data END ||
	E'\n#   go:   ' || coalesce('ERROR ' || to_json(go_error), to_json(go_output)::text) ||
	E'\n#   here: ' || coalesce(to_json(output)::text, 'ERROR ' || error)
FROM result WHERE NOT ok ORDER BY n LIMIT :show;

-- psql stops with an error, so that the run fails, if anything differs
SELECT CASE WHEN count(*) > 0 THEN 'SELECT 1/0 AS "templates differ from Go"' ELSE 'SELECT' END AS verdict
FROM result WHERE NOT ok \gset
:verdict;
