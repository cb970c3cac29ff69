# resolute: PostgreSQL extension that syncs REST APIs into tables.
# `make help` lists what can be made.

EXTENSION = resolute
MODULE_big = resolute
EXTVERSION = 1.0

# Every folder of src/ is one concern; a new file needs no change here.
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))

# The SQL of each folder, joined in dependency order into one install script.
SQL_PARTS = src/resolute.sql src/observe/observe.sql src/source/source.sql \
	src/transform/transform.sql src/target/target.sql src/cursor/cursor.sql \
	src/flow/queue.sql src/flow/flow.sql
DATA_built = resolute--$(EXTVERSION).sql
EXTRA_CLEAN = resolute--$(EXTVERSION).sql src/*.gcda src/*/*.gcda

# The tests in sql/ speak to a simulator, which the launcher starts anew for
# every file.  Where it cannot be built, the files that need it are left out.
REGRESS = $(filter-out $(without_simulator),$(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql))))
REGRESS_OPTS = --inputdir=. --load-extension=resolute --launcher=test/with-simulator
REGRESS_PREP = simulator
without_simulator = $(shell test/with-simulator --check || \
	grep -lE 'RESOLUTE_SIM|test\.simulator' sql/*.sql | sed 's,sql/\(.*\)\.sql,\1,')

PG_CONFIG ?= pg_config

# As a system folder, PostgreSQL's own headers may warn without failing us.
PG_CPPFLAGS = -I$(srcdir)/src -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CFLAGS = -Wall -Wextra
SHLIB_LINK += -lcurl -lhiredis

# What follows is made by scripts of test/: they also work on a machine that
# has no PostgreSQL yet, and PGXS has a "check" of its own, which refuses.
SCRIPTED = help deps check demo demo-stop bench bench-plot sanitize valgrind format lint
export PG_CONFIG

ifeq (,$(filter $(SCRIPTED),$(MAKECMDGOALS)))

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS writes no dependencies of its own objects on headers.
$(OBJS): $(wildcard src/*.h src/*/*.h)

resolute--$(EXTVERSION).sql: $(SQL_PARTS)
	cat $^ > $@

clean: clean-tests

else

# A goal of PGXS beside one of these, as in "make clean check".
$(filter-out $(SCRIPTED),$(MAKECMDGOALS)):
	@$(MAKE) --no-print-directory $@

help:
	@echo 'make               build resolute.so and its install script'
	@echo 'make install       install them into the PostgreSQL of PG_CONFIG ($(PG_CONFIG))'
	@echo 'make installcheck  run the tests of sql/ on the running server (PGHOST, PGPORT)'
	@echo 'make deps          install what building and testing need (Debian, Ubuntu)'
	@echo 'make check         build, run every test in a throwaway server, clean up'
	@echo 'make demo          a server, a simulated Jira and a flow to look at'
	@echo 'make demo-stop     remove them'
	@echo 'make bench         measure against floor and peers (SCALE=1000000, FORMAT=markdown)'
	@echo 'make bench-plot    draw what it measured'
	@echo 'make sanitize      make check with the undefined-behaviour sanitizer'
	@echo 'make valgrind      the tests of sql/ with the server under valgrind'
	@echo 'make format        clang-format the lines of C that were changed (since HEAD, or SINCE=…)'
	@echo 'make lint          cppcheck them'

deps:
	@test/deps

check: deps
	@test/check $(PARTS)

demo: deps
	@test/demo/demo start

demo-stop:
	@test/demo/demo stop

bench: deps
	@test/bench/bench

bench-plot:
	@test/bench/plot

sanitize: deps
	@test/sanitize undefined

valgrind: deps
	@test/sanitize valgrind

# The sources in the order of the folders; test/ has C of its own.
C_FILES = $(wildcard src/*.[ch] src/*/*.[ch] test/*/*.[ch])

# Changed lines only: clang-format cannot align declarations as PostgreSQL does,
# so that it would rewrite every file.
format:
	@git clang-format --force $(SINCE) -- $(C_FILES)

# The macros of postgres.h are named, since cppcheck does not follow it.
lint:
	@test/lint $(C_FILES)

endif

# The simulator and the unit tests have makefiles of their own.
simulator:
	@test/with-simulator --build

clean-tests:
	@for dir in test/simulator test/unit; do \
		[ ! -f $$dir/Makefile ] || $(MAKE) -s -C $$dir clean; \
	done

.PHONY: $(SCRIPTED) simulator clean-tests
