-- How psql is set up for a test: \ir setup/psql.sql (setup/sim.sql and what is built on it do so)
--
-- Tests look at errors by themselves; what else is said would stand between the lines of TAP.
\set ON_ERROR_STOP on
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = error;
