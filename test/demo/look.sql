\pset null '·'
\echo
\echo 'The warehouse:'
SELECT count(*) AS issues, max(updated_at) AS newest FROM warehouse.issues;
SELECT issue_key, left(summary, 40) AS summary, status, assignee, story_points AS points, updated_at
    FROM warehouse.issues ORDER BY updated_at DESC, issue_key LIMIT 5;
\echo 'The runs:'
SELECT run_id, status, source_records AS fetched, inserted, updated, unchanged, failed, pages,
       cursor_position
    FROM resolute.runs ORDER BY run_id;
\echo 'The schedule:'
SELECT jobid, schedule, jobname, command FROM cron.job;
