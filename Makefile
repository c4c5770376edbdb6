# smtp-deepid: build, test, install.  GNU make.
#
#   make              both cores (Lua 5.3 and 5.4); fetches what the build needs
#   make demo         names real mail servers; TARGETS="ADDRESS ..." scans these instead
#   make test         every test; fetches what the tests need
#   make lint         warnings of gcc, clang and luacheck
#   make check-asan   the C tests alone, under ASan and UBSan
#   make install      into Nmap's own data folder, or under PREFIX; DESTDIR for packagers
#   make uninstall    removes all of that
#   make deps, make test-deps, make clean

CFLAGS ?= -O2 -g
STRICT := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wvla
MODULE := -std=c11 -fPIC -fvisibility=hidden $(STRICT)
# Static and hidden: some builds of Nmap export half of another PCRE2.
PCRE   := -l:libpcre2-8.a -Wl,--exclude-libs,ALL
CORES  := lua/deepid/core-5.3.so lua/deepid/core-5.4.so

all: deps
	@$(MAKE) --no-print-directory $(CORES)

lua/deepid/core-%.so: csrc/*.c csrc/*.h Makefile
	$(CC) $(CPPFLAGS) $(CFLAGS) $(MODULE) -I$(or $(LUA_INCDIR),/usr/include/lua$*) -shared -o $@ csrc/*.c $(LDFLAGS) $(PCRE)

# --- What the build and the tests need, by the names of Debian's packages ---

BUILD_PACKAGES := libc6-dev libpcre2-dev liblua5.3-dev liblua5.4-dev

SUDO = $(if $(filter-out 0,$(shell id -u)),sudo)
APT  = $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600

# $(call packages,NAMES) installs those that are missing.
define packages
	@command -v dpkg-query >/dev/null || { echo 'Not Debian: please see to $(1)'; exit 0; }; \
	missing=; for name in $(1); do \
	    dpkg-query -W -f '$${db:Status-Status}\n' $$name 2>/dev/null | grep -qx installed || missing="$$missing $$name"; \
	done; \
	[ -z "$$missing" ] || { echo "Installing$$missing"; \
	    $(APT) install -qy --no-install-recommends $$missing || \
	    { $(APT) update -q && $(APT) install -qy --no-install-recommends $$missing; }; }
endef

deps:
	$(call packages,$(BUILD_PACKAGES))

clean:
	rm -rf build $(CORES)

.PHONY: all deps clean
