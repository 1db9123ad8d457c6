# SPDX-License-Identifier: Apache-2.0
# swiftmem: `make help` lists the targets. Two are enough: `make run`, `make test`.

PREFIX ?= /usr/local
DESTDIR ?=
CONFIG ?= release
ARGS ?= cachestat 1 5

SWIFT ?= swift
# what `make swift` installed, for a shell that was there before
export PATH := $(PATH):$(or $(SWIFTLY_BIN_DIR),$(or $(SWIFTLY_HOME_DIR),$(HOME)/.local/share/swiftly)/bin)
# the machine that is built for, as the kernel's sources call it: x86 or arm64
HOST_ARCH := $(subst aarch64,arm64,$(subst x86_64,x86,$(shell uname -m)))
ARCH ?= $(HOST_ARCH)
BUILD := .build$(if $(filter-out $(HOST_ARCH),$(ARCH)),/$(ARCH))/$(CONFIG)
BINARY := $(BUILD)/swiftmem
SWIFT_FLAGS := -c $(CONFIG) --static-swift-stdlib
RUNNER := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# ---- kernel side -------------------------------------------------------------
# Swift's own clang has the BPF target; a machine without it uses the system's.
CLANG ?= $(shell own=$$(dirname "$$(readlink -f "$$(command -v $(SWIFT))")" 2>/dev/null)/clang; \
	if "$$own" --print-targets 2>/dev/null | grep -q bpf; then echo "$$own"; else echo clang; fi)
ARCHES := x86 arm64
BPF_HEADERS := $(wildcard BPF/*/*.h Sources/TraceRecords/include/*.h)
# where objects of a directory's sources go, an architecture each; images.h there embeds them all
OBJECTS_OF_BPF := Sources/CBPFObjects/objects
OBJECTS_OF_Tests/TestObjects := Tests/TestObjects/objects
OBJECTS_OF_Examples/Objects := Examples/Objects/objects
OBJECT_SOURCES := BPF Tests/TestObjects Examples/Objects
# the kernel's user headers lie in a directory named after the compiler's target
MULTIARCH := $(shell gcc -print-multiarch 2>/dev/null || echo $(shell uname -m)-linux-gnu)
BPF_FLAGS := --target=bpf -mcpu=v3 -O2 -g -std=gnu17 -Wall -Wextra -Werror \
	-Wno-unused-parameter -ffile-prefix-map=$(CURDIR)=. -I BPF -I Sources/TraceRecords/include \
	-idirafter /usr/include/$(MULTIARCH)

KERNELS ?=

SUITES ?=

.PHONY: pictures swift test-swift test-completions soak sampler test-sampler dist test-dist test-package help deps deps-test build bpf run test test-unit test-live mutants fuzz test-kernels bench install uninstall docs docs-library fmt lint new-tool test-new-tool clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install what building needs (apt; sudo only if needed)
	@Scripts/deps build

swift: ## get Swift where there is none: the distribution's, else swift.org's, signature checked; says each step first
	@Scripts/swift

# objects of SOURCES for ARCHITECTURE
define OBJECT_RULES
BPF_OBJECTS += $(patsubst $(1)/%.bpf.c,$(OBJECTS_OF_$(1))/$(2)/%.bpf.o,$(wildcard $(1)/*.bpf.c)) $(OBJECTS_OF_$(1))/$(2)/images.h

$(OBJECTS_OF_$(1))/$(2)/%.bpf.o: $(1)/%.bpf.c $(BPF_HEADERS) Makefile
	@mkdir -p $$(@D)
	@echo BPF $$< $(2)
	@$(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_$(2) -c $$< -o $$@.tmp && mv $$@.tmp $$@

# written anew when there are others than before
$(OBJECTS_OF_$(1))/$(2)/images.h: FORCE
	@mkdir -p $$(@D)
	@{ for name in $(patsubst $(1)/%.bpf.c,%,$(wildcard $(1)/*.bpf.c)); do \
	   printf 'IMAGE(%s) = {\n#embed "%s.bpf.o"\n};\n' $$$$name $$$$name; done; \
	   printf '#define IMAGES(ROW)'; printf ' ROW(%s)' $(patsubst $(1)/%.bpf.c,%,$(wildcard $(1)/*.bpf.c)); echo; } >$$@.tmp
	@cmp -s $$@.tmp $$@ && rm $$@.tmp || mv $$@.tmp $$@
endef
$(foreach sources,$(OBJECT_SOURCES),$(foreach arch,$(ARCHES),$(eval $(call OBJECT_RULES,$(sources),$(arch)))))
FORCE:

bpf: $(BPF_OBJECTS) ## compile the kernel programs, for each architecture

# ---- the sampler --------------------------------------------------------------
# It is loaded into others' programs: it needs no library, and exports only what is marked so.
SAMPLER := .build$(if $(filter-out $(HOST_ARCH),$(ARCH)),/$(ARCH))/sampler/libswiftmem-sampler.so
# another machine's by clang, which has every target
SAMPLER_CC ?= $(if $(filter-out $(HOST_ARCH),$(ARCH)),$(CLANG) --target=$(if $(filter arm64,$(ARCH)),aarch64,x86_64)-linux-gnu \
	-fuse-ld=lld,$(CC))
SAMPLER_FLAGS := -std=gnu17 -O2 -fPIC -fvisibility=hidden -fexceptions -ffreestanding -fno-plt -fno-stack-protector \
	-Wall -Wextra -Werror -ffile-prefix-map=$(CURDIR)=. -shared -nostdlib -Wl,-soname,libswiftmem-sampler.so \
	$(if $(filter arm64,$(ARCH)),-mno-outline-atomics) -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -Wl,--build-id -Wl,-s

$(SAMPLER): $(wildcard Sampler/*.c Sampler/*.h) Makefile
	@mkdir -p $(@D)
	@echo CC $@
	@$(SAMPLER_CC) $(SAMPLER_FLAGS) -o $@.tmp $(wildcard Sampler/*.c) && mv $@.tmp $@

sampler: $(SAMPLER) ## build the library that samples in the process: .build/sampler/libswiftmem-sampler.so

test-sampler: sampler ## the sampler in programs of known truth
	@Scripts/test-sampler

# ---- user side ---------------------------------------------------------------
build: deps bpf sampler ## build the command: .build/release/swiftmem; with ARCH=arm64 for that machine: .build/arm64/release/swiftmem
	@$(if $(filter-out $(HOST_ARCH),$(ARCH)),Scripts/cross/build $(ARCH),Scripts/build) $(SWIFT_FLAGS) --product swiftmem
	@touch $(BINARY)

# what is newer than the command it makes anew; without that it starts at once
STALE = $(shell [ -x $(BINARY) ] && find Package.swift Makefile Sources BPF -type f -newer $(BINARY) -print -quit || echo all)

run: $(if $(STALE),build) ## build and run: cachestat 1 5, or make run ARGS="oomkill"
	@$(RUNNER) $(BINARY) $(ARGS)

test: deps bpf ## all tests this machine can run, live ones included; says which could not run
	@Scripts/test all

test-unit: deps bpf ## the tests that need no privilege
	@Scripts/test unit

test-live: deps bpf ## the tests against the running kernel (root); a skip is a failure
	@Scripts/test live

deps-test: ## install what the kernel matrix needs (QEMU and the like)
	@Tests/VM/deps

mutants: bpf ## do the unit tests notice N random changes to the modules that touch no kernel? make mutants N=40 SEED=1
	@Scripts/mutants -n $(or $(N),40) $(if $(SEED),--seed $(SEED))

fuzz: ## what reads targets' files, guided by coverage: make fuzz TIME=60 (seconds)
	@Scripts/fuzz $(or $(TIME),60)

test-kernels: deps deps-test bpf ## the live tests in VMs of real kernels: make test-kernels KERNELS="6.1 6.12"
	@Scripts/test kernels $(KERNELS)

soak: build ## an hour's worth of intervals of each tool, six minutes: memory and descriptors stay as they were
	@Scripts/soak

bench: build ## what tracing costs, side by side, as ratios
	@Scripts/bench

install: ## install command, completions, man pages: make install PREFIX=/usr DESTDIR=/tmp/x
	@Scripts/install --at "$(PREFIX)" "$(DESTDIR)$(PREFIX)" "$(BINARY)"

uninstall: ## remove what install put there
	@Scripts/install --remove "$(DESTDIR)$(PREFIX)" "$(BINARY)"

dist: deps ## what is handed out, into dist/: .deb, tarball, OCI image, SPDX, sums; ARCH=arm64 for that machine
	@Scripts/dist/build $(ARCH)

test-dist: deps ## build it twice, compare the bytes, check each file (lintian, SPDX, sums), run it from a chroot
	@Scripts/dist/check $(ARCH)

test-package: ## install dist/*.deb on Debian bookworm, trixie, sid; a true row of each tool; purge (root; SUITES=..., ARCH=arm64)
	@$(if $(filter-out $(HOST_ARCH),$(ARCH)),Scripts/test-package-emulated $(ARCH),Scripts/test-package $(SUITES))

test-swift: ## what `make swift` does, against a copy of swift.org on loopback
	@Scripts/test-swift

test-completions: build ## completion in bash, zsh and fish, typed at a terminal
	@Scripts/test-completions $(BINARY)

pictures: build ## make the README's pictures anew, of real runs in tmux (root)
	@Scripts/pictures $(BINARY)

docs: build ## man pages and completions into .build/docs
	@Scripts/docs "$(BINARY)" .build/docs

docs-library: ## the library's pages into .build/docs-library; a warning is a failure
	@$(SWIFT) package --allow-writing-to-directory .build/docs-library generate-documentation --target LibBPF \
		--warnings-as-errors --output-path .build/docs-library

fmt: ## format all sources in place
	@Scripts/lint --fix

lint: ## check format and style of every language, links and words
	@Scripts/lint

new-tool: ## lay down a tool that works, to be changed: make new-tool NAME=pagefault TYPE=PageFault
	@Scripts/new-tool "$(NAME)" $(TYPE)

test-new-tool: ## make such a tool in a copy of the tree, build and test it there (minutes)
	@Scripts/test-new-tool

clean: ## remove what was built
	rm -rf .build $(foreach sources,$(OBJECT_SOURCES),$(OBJECTS_OF_$(sources)))
