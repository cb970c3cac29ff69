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
	src/flow/flow.sql
DATA_built = resolute--$(EXTVERSION).sql
EXTRA_CLEAN = resolute--$(EXTVERSION).sql src/*.gcda src/*/*.gcda

REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS_OPTS = --inputdir=. --load-extension=resolute

PG_CONFIG ?= pg_config

# As a system folder, PostgreSQL's own headers may warn without failing us.
PG_CPPFLAGS = -I$(srcdir)/src -isystem $(shell $(PG_CONFIG) --includedir-server)
SHLIB_LINK += -lcurl

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS writes no dependencies of its own objects on headers.
$(OBJS): $(wildcard src/*.h src/*/*.h)

resolute--$(EXTVERSION).sql: $(SQL_PARTS)
	cat $^ > $@
