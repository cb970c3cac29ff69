-- Values in a database whose encoding cannot hold everything.
\set ON_ERROR_STOP on
\set QUIET 1
SET client_min_messages = warning;
SELECT current_database() AS home, 'latin1_' || pg_backend_pid() AS name \gset
CREATE DATABASE :"name" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C';
\c :"name"
SET client_min_messages = warning;
SET client_encoding = 'UTF8';
\pset format unaligned
\pset tuples_only true
CREATE EXTENSION pgtap;
CREATE EXTENSION resolute_unit;
SELECT * FROM no_plan();

-- Bytes of UTF-8 are written in hexadecimal: é, 漢, é.
SELECT is(unit.value_text('\x22c3a9e6bca261c3a922'), 'é?aé', 'what the encoding cannot hold becomes a question mark');
SELECT is(unit.value_cstring('\x22c3a9e6bca261c3a922'), 'é?aé', '... in C strings, too');
SELECT is(unit.value_text('"\\u00e9\\u6f22\\ud83d\\ude00\\u0000"'), 'é???', '... and where it was escaped');
SELECT is(unit.value_text('\x22e6bca2e6bca2e6bca222'), '???', '... and where there is nothing else');
SELECT is(unit.value_text('""'), '', 'an empty string stays empty');
SELECT is(unit.value_jsonb('\x22c3a9e6bca222'), '"é?"', 'the same in a jsonb string');
SELECT is(unit.value_jsonb('\x7b22c3a9223a5b22e6bca2225d7d'), '{"é": ["?"]}', 'and inside a document');
SELECT is(unit.value_jsonb('{"a":"\\u00e9\\u6f22\\u0000\\u0022\\n"}'), '{"a": "é??\"\n"}', 'and where it is escaped in a document');
SELECT is(length(unit.value_text(('\x22'::bytea || decode(repeat('c3a9', 100000), 'hex') || '\x22'::bytea))), 100000, 'long texts are converted');
SELECT is((unit.items('[{"a":"é"}]'))[1], '{"a": "é"}', 'a jsonb of this database is read in UTF-8 and written back');
SELECT * FROM finish();

\c :"home"
SET client_min_messages = warning;
DROP DATABASE :"name";
