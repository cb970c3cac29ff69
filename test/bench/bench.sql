-- One line: rows/s of a first sync, rows/s of one that reads everything again
-- and changes nothing, peak memory of this backend in MB, WAL of the second in MB.
SET client_min_messages = warning;
\set sim `echo "$RESOLUTE_SIM"`
\ir ../demo/simulated.sql
\ir ../demo/flow.sql
