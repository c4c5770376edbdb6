# smtp-deepid: build, test, install.  GNU make.
#
#   make              both cores (Lua 5.3 and 5.4); fetches what the build needs
#   make demo         names real mail servers; TARGETS="ADDRESS ..." scans these instead
#   make test         every test; fetches what the tests need
#   make simulate     a simulated world against the verdicts, some minutes; SCANS=N SEED=N
#   make test-matrix  those through Nmap again, with Debian's newer Nmaps as well
#   make test-path-long  interception end to end, the large scans too
#   make coverage-table  what our rules and the installed Nmap's know, product by product
#   make agreement    both asked the same, class by class (doc/agreement.md)
#   make knowledge    writes anew what tests keep of the rules: read the diff (doc/knowledge.md)
#   make learn        from these recordings to the table of how servers answer
#   make accuracy     how often that table is right, some minutes; keeps the tables in doc/accuracy.md
#   make record       records real servers of Debian's releases and npm into test/transcripts (root, an hour)
#   make lint         warnings of gcc, clang and luacheck
#   make check-asan   the C tests alone, under ASan and UBSan
#   make fuzz         random bytes for FUZZ_S seconds (60) at each thing that reads them in C
#   make bench        the engine and scans against others, some minutes; keeps the tables in bench/RESULTS.md; ROUNDS=N, LAB=1 for the whole lab (ten more)
#   make soak         five million hosts, in the core and by the command: memory, and the time it takes
#   make install      into Nmap's own folders, or under PREFIX; DESTDIR for packagers
#   make uninstall    removes all of that
#   make deps, make test-deps, make clean

CFLAGS ?= -O2 -g
STRICT := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wvla
MODULE := -std=c11 -fPIC -fvisibility=hidden $(STRICT)
# Static and hidden: some builds of Nmap export half of another PCRE2.
PCRE   := -l:libpcre2-8.a -Wl,--exclude-libs,ALL
CORES  := lua/deepid/core-5.3.so lua/deepid/core-5.4.so
CSRC   := $(wildcard csrc/*.c)
ENGINE := $(filter-out csrc/l%,$(CSRC))
# What is packed by one core is not for another.
SOURCES  = $(shell cat csrc/* | cksum)
HEADERS := $(wildcard csrc/*.h test/c/*.h) Makefile
PACKED := nselib/data/deepid/knowledge.packed
TEXTS  := $(filter-out $(PACKED),$(wildcard nselib/data/deepid/*))

all: $(CORES) $(PACKED)

# LuaRocks says where Lua's headers are, and fetches nothing.
lua/deepid/core-%.so: $(CSRC) $(HEADERS) | $(if $(LUA_INCDIR),,deps)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(MODULE) -DDEEPID_SOURCES='"$(SOURCES)"' -I$(or $(LUA_INCDIR),/usr/include/lua$*) -shared -o $@ $(CSRC) $(LDFLAGS) $(PCRE)
	chmod a+rx $@ # whatever the umask of whoever builds: Nmap may run as somebody else

# The knowledge as it loads fast; without it, or when the text files have changed since, these are read.
$(PACKED): $(TEXTS) $(wildcard lua/deepid/*.lua) lua/bin/pack $(CORES)
	for lua in lua5.4 lua5.3 lua; do \
	    if command -v $$lua >/dev/null; then $$lua lua/bin/pack $@ && chmod a+r $@; exit; fi; \
	done; echo 'No Lua is here to pack the knowledge: its text files will be read, which takes longer.'

# --- What is needed, by the names of Debian's packages ---

BUILD_PACKAGES := libc6-dev libpcre2-dev libxxhash-dev liblua5.3-dev liblua5.4-dev lua5.4
# Other makers' packages of Node have npm inside, and conflict with Debian's.
DEMO_PACKAGES  := nmap lua5.4 $(if $(shell command -v npm),,npm)
TEST_PACKAGES  := $(DEMO_PACKAGES) lua5.3 gcc clang lua-check luarocks python3 openssl libxml2-utils iproute2 nftables publicsuffix

FUZZ_PACKAGES  := clang libclang-rt-dev

BENCH_PACKAGES := gcc g++ nmap python3 iproute2 mawk gawk lua5.3 lua5.4 libhyperscan-dev libre2-dev lua-rex-pcre2 valgrind

SUDO = $(if $(filter-out 0,$(shell id -u)),sudo)
APT  = $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600

# $(call fetch,PACKAGES) installs those that are missing.
define fetch
	@command -v dpkg-query >/dev/null || { echo 'Not Debian; needed are what it calls: $(1)'; exit 0; }; \
	missing=; for name in $(1); do \
	    dpkg-query -W -f '$${db:Status-Status}\n' $$name 2>/dev/null | grep -qx installed || missing="$$missing $$name"; \
	done; \
	[ -z "$$missing" ] || { echo "Installing$$missing"; \
	    $(APT) install -y --no-install-recommends $$missing || \
	    { $(APT) update && $(APT) install -y --no-install-recommends $$missing; }; }
endef

deps:
	$(call fetch,$(BUILD_PACKAGES))

demo-deps:
	$(call fetch,$(DEMO_PACKAGES))

test-deps:
	$(call fetch,$(TEST_PACKAGES))

fuzz-deps:
	$(call fetch,$(FUZZ_PACKAGES))

# --- Demonstration and tests ---

C_TESTS  := $(addprefix build/test/,fpset forms filter filter-portable frozen memory mask mask-portable survey spill shelf greeting greeting-portable binding-5.3 binding-5.4)
# The tables of cases leave out what is zero.
C_STRICT := -std=c11 $(STRICT) -Wno-missing-field-initializers -Werror -Icsrc
SANITIZE := -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all

demo: all demo-deps
	test/lab/demo $(TARGETS)

test: all test-deps
	+$(MAKE) --no-print-directory -j2 $(C_TESTS)
	test/lab/lab get
	test/nmap/nmaps --get bookworm-backports
	test/run

# A short form is in `make test`; what this prints is kept in doc/uniformity.md.
SCANS ?= 32000
SEED  ?= 1000
simulate: test-deps
	LUA_PATH='lua/?.lua;test/simulate/lib/?.lua;test/?.lua;;' lua5.4 test/simulate/lib/run.lua $(SCANS) $(SEED)

# What these print is of the Nmap that is installed; doc/agreement.md explains it.
PROBES =
coverage-table: all demo-deps
	LUA_PATH='lua/?.lua;test/?.lua;;' lua5.4 test/nmap/lib/coverage_table.lua $(PROBES)

agreement: all demo-deps
	LUA_PATH='lua/?.lua;test/?.lua;;' lua5.4 test/nmap/lib/agreement_report.lua $(PROBES)

knowledge: all
	LUA_PATH='lua/?.lua;test/?.lua;;' lua5.4 test/knowledge/lib/write_kept.lua

agreed: all
	@LUA_PATH='lua/?.lua;test/?.lua;;' lua5.4 test/nmap/lib/agreed.lua

test-matrix: all test-deps
	test/lab/lab get
	test/nmap/nmaps --get bookworm-backports trixie sid
	test/run test/nmap/*.lua test/nmap/*.sh test/hostile/*.lua

test-path-long: all test-deps
	LONG=1 test/run test/path/path.sh

record: all test-deps
	test/lab/record-all $(SUITES)

# From the recordings to the table of dialects; reviewed as a diff.
learn: all test-deps
	LUA_PATH='lua/?.lua;test/?.lua;;' lua5.4 test/accuracy/lib/learn.lua >nselib/data/deepid/dialects.new
	mv nselib/data/deepid/dialects.new nselib/data/deepid/dialects.tsv

# How often that table is right: writes the tables of doc/accuracy.md anew, and prints them. Some minutes.
accuracy: all test-deps
	LUA_PATH='lua/?.lua;test/?.lua;;' lua5.4 test/accuracy/lib/accuracy.lua write

check-asan: test-deps $(C_TESTS)
	test/run $(C_TESTS)

build/test:
	mkdir -p $@

build/test/binding-%: test/c/binding.c $(CSRC) $(HEADERS) | deps build/test
	$(CC) $(C_STRICT) $(SANITIZE) -I/usr/include/lua$* -Wl,--wrap=malloc -o $@ $< $(CSRC) -l:libpcre2-8.a -l:liblua$*.a -lm -ldl

build/test/%: test/c/%.c $(ENGINE) $(HEADERS) | deps build/test
	$(CC) $(C_STRICT) $(SANITIZE) -o $@ $< $(ENGINE) -l:libpcre2-8.a

FUZZERS := mask shelf fpset frozen
FUZZ_S  ?= 60

fuzz: deps $(addprefix build/fuzz/,$(FUZZERS))
	for name in $(FUZZERS); do \
	    mkdir -p build/fuzz/$$name.corpus; \
	    build/fuzz/$$name -max_total_time=$(FUZZ_S) -max_len=20000 -timeout=10 -artifact_prefix=build/fuzz/ build/fuzz/$$name.corpus || exit 1; \
	done

build/fuzz/%: test/fuzz/%.c $(ENGINE) $(HEADERS) | fuzz-deps
	mkdir -p build/fuzz
	clang $(C_STRICT) -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $< $(ENGINE) -l:libpcre2-8.a

# The same without vector instructions.
build/test/%-portable: test/c/%.c $(ENGINE) $(HEADERS) | deps build/test
	$(CC) $(C_STRICT) $(SANITIZE) -DDEEPID_PORTABLE -o $@ $< $(ENGINE) -l:libpcre2-8.a

# Prints to the file's side first: half a benchmark is none.
bench: all bench-deps $(addprefix build/bench/,bench replies count survey)
	bench/run >build/bench/RESULTS.md
	mv build/bench/RESULTS.md bench/RESULTS.md
	cat bench/RESULTS.md

bench-deps:
	$(call fetch,$(BENCH_PACKAGES))

BENCH_C := -std=c11 -D_POSIX_C_SOURCE=200809L $(CFLAGS) $(STRICT) -Wno-missing-field-initializers -Icsrc -Itest/c -Ibench

build/bench/re2set.o: bench/re2set.cc bench/bench.h Makefile | bench-deps
	mkdir -p build/bench
	$(CXX) $(CFLAGS) -Wall -Wextra -c -o $@ $<

build/bench/replies: bench/replies.c bench/corpus.c $(ENGINE) $(HEADERS) $(wildcard bench/*.h) | bench-deps
	mkdir -p build/bench
	$(CC) $(BENCH_C) -o $@ $< bench/corpus.c $(ENGINE) -l:libpcre2-8.a

build/bench/survey: bench/survey.c $(ENGINE) $(HEADERS) | bench-deps
	mkdir -p build/bench
	$(CC) $(BENCH_C) -o $@ $< $(ENGINE) -l:libpcre2-8.a

build/bench/%: bench/%.c bench/peers.c bench/corpus.c build/bench/re2set.o $(ENGINE) $(HEADERS) $(wildcard bench/*.h) | bench-deps
	$(CC) $(BENCH_C) -o $@ $< bench/peers.c bench/corpus.c build/bench/re2set.o $(ENGINE) -l:libpcre2-8.a -lhs -lre2 -lstdc++ -lm

soak: all test-deps build/soak/survey
	build/soak/survey
	test/soak/command.py

build/soak/%: test/soak/%.c $(ENGINE) $(HEADERS) | deps
	mkdir -p build/soak
	$(CC) $(C_STRICT) $(CFLAGS) -Itest/c -o $@ $< $(ENGINE) -l:libpcre2-8.a

lint: deps test-deps | build/test
	luacheck -q --no-color lua test bench lua/bin/deepid lua/bin/pack $(wildcard nselib/deepid scripts/*.nse)
	for cc in gcc clang; do for lua in 5.3 5.4; do \
	    for file in csrc/*.c; do $$cc -O2 $(MODULE) -Werror -I/usr/include/lua$$lua -c -o build/lint.o $$file || exit 1; done; \
	    for file in test/c/*.c test/fuzz/*.c test/soak/*.c; do $$cc -O2 $(C_STRICT) -Itest/c -I/usr/include/lua$$lua -c -o build/lint.o $$file || exit 1; done; \
	done; done

# --- Installation ---

# Nmap finds its data beside its program: PREFIX/bin/nmap, PREFIX/share/nmap.
NMAP   := $(realpath $(shell command -v nmap))
OWN    := $(patsubst %/share/nmap/nse_main.lua,%,$(wildcard $(NMAP:%/bin/nmap=%/share/nmap/nse_main.lua)))
PREFIX ?= $(or $(OWN),$(if $(DESTDIR),/usr,$(error Nmap is not found: say where with PREFIX=)))

ROOT   = $(DESTDIR)/$(patsubst /%,%,$(PREFIX))
SHARE  = $(ROOT)/share/nmap
NSELIB = $(SHARE)/nselib

# Nmap's index of scripts: only its own, and by name of the folder, since it would else prefer ~/.nmap.
define updatedb
	$(if $(and $(OWN),$(filter $(OWN),$(abspath $(ROOT)))),$(NMAP) --datadir '$(SHARE)' --script-updatedb)
endef

define remove
	rm -rf '$(NSELIB)/deepid' '$(NSELIB)/data/deepid'
	rm -f '$(NSELIB)/deepid.lua' '$(SHARE)/scripts/smtp-deepid.nse' '$(ROOT)/bin/deepid'
endef

# What an older version had and this one has not must not stay: all goes first.
install: all
	$(remove)
	install -d '$(NSELIB)/deepid/bin' '$(NSELIB)/data/deepid' '$(SHARE)/scripts' '$(ROOT)/bin'
	install -m 644 lua/deepid.lua '$(NSELIB)'
	install -m 644 lua/deepid/*.lua $(wildcard nselib/deepid/*.lua) $(CORES) '$(NSELIB)/deepid'
	install -m 644 lua/bin/deepid '$(NSELIB)/deepid/bin'
	install -m 755 lua/bin/installed.sh '$(ROOT)/bin/deepid'
	install -m 644 nselib/data/deepid/* '$(NSELIB)/data/deepid'
	install -m 644 scripts/smtp-deepid.nse '$(SHARE)/scripts'
	$(updatedb)

uninstall:
	$(remove)
	cd '$(DESTDIR)/' && for folder in share/nmap/nselib/data share/nmap/scripts bin; do \
	    rmdir -p --ignore-fail-on-non-empty '$(patsubst /%,%,$(PREFIX))'/$$folder 2>/dev/null || true; \
	done
	$(updatedb)

# For LuaRocks, which gives LUA, LUA_INCDIR, LUADIR, LIBDIR and BINDIR: one Lua, and no Nmap.
ROCK_CORE = lua/deepid/core-$(shell $(LUA) -e 'io.write(_VERSION:match "%d.%d")').so

rock:
	$(MAKE) $(ROCK_CORE)
	$(LUA) lua/bin/pack $(PACKED)

rock-install:
	install -d '$(LUADIR)/deepid/data' '$(LIBDIR)/deepid' '$(BINDIR)'
	install -m 644 lua/deepid.lua '$(LUADIR)'
	install -m 644 lua/deepid/*.lua '$(LUADIR)/deepid'
	install -m 644 nselib/data/deepid/* '$(LUADIR)/deepid/data'
	install -m 644 $(ROCK_CORE) '$(LIBDIR)/deepid'
	install -m 755 lua/bin/deepid '$(BINDIR)'

clean:
	rm -rf build $(CORES) $(PACKED)

.PHONY: all learn accuracy record deps demo-deps test-deps fuzz-deps demo test coverage-table agreement agreed knowledge test-matrix test-path-long simulate check-asan fuzz bench bench-deps soak lint install uninstall rock rock-install clean
