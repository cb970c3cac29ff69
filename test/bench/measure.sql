-- Run :statement; one line of JSON tells what it took.  :figure, :issues, :round name the line,
-- :prepare comes before and is not measured, :extra is more for the line (SQL, jsonb).
\o /dev/null
SET client_min_messages = warning;
:prepare
\set cleared `curl -fsS --noproxy '*' "$RESOLUTE_SIM/_sim/stats?clear=1"`
-- A look takes time itself, which is between the second and the third one as well (the first
-- one fills caches).
SELECT * FROM bench.usage() \gset look_
SELECT * FROM bench.usage() \gset look_
SELECT * FROM bench.usage() \gset before_
:statement
SELECT * FROM bench.usage() \gset after_
\o
\set sim `curl -fsS --noproxy '*' "$RESOLUTE_SIM/_sim/stats"`
SELECT jsonb_build_object('figure', :'figure', 'issues', :issues, 'round', :round,
    'wall_ms', extract(epoch FROM :'after_at'::timestamptz - :'before_at'::timestamptz) * 1000,
    'cpu_ms', (:after_cpu - :before_cpu - (:before_cpu - :look_cpu)) / 1e6,
    'user_ms', (:after_user - :before_user) * 10, 'system_ms', (:after_system - :before_system) * 10,
    'wal_bytes', :'after_lsn'::pg_lsn - :'before_lsn'::pg_lsn,
    'requests', :'sim'::jsonb->'requests', 'searches', :'sim'::jsonb->'searches', 'peak_kb', bench.peak_kb()) || :extra;
