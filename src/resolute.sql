-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION resolute" to load this file. \quit

COMMENT ON SCHEMA resolute IS 'flows that sync REST APIs into tables, their cursors and their runs';
