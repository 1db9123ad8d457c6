# SPDX-License-Identifier: Apache-2.0
# swiftmem: `make help` lists the targets. Two are enough: `make run`, `make test`.

PREFIX ?= /usr/local
DESTDIR ?=
CONFIG ?= release
ARGS ?= cachestat 1 5

SWIFT ?= swift
BUILD := .build/$(CONFIG)
BINARY := $(BUILD)/swiftmem
SWIFT_FLAGS := -c $(CONFIG) --static-swift-stdlib
RUNNER := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# ---- kernel side -------------------------------------------------------------
# Swift's own clang has the BPF target; a machine without it uses the system's.
CLANG ?= $(shell own=$$(dirname "$$(readlink -f "$$(command -v $(SWIFT))")" 2>/dev/null)/clang; \
	if "$$own" --print-targets 2>/dev/null | grep -q bpf; then echo "$$own"; else echo clang; fi)
ARCH := $(subst aarch64,arm64,$(subst x86_64,x86,$(shell uname -m)))
OTHER_ARCH := $(if $(filter x86,$(ARCH)),arm64,x86)
OBJECTS := Sources/CBPFObjects/objects
BPF_SOURCES := $(wildcard BPF/*.bpf.c)
BPF_HEADERS := $(wildcard BPF/*/*.h Sources/TraceRecords/include/*.h)
BPF_OBJECTS := $(BPF_SOURCES:BPF/%.bpf.c=$(OBJECTS)/%.bpf.o)
BPF_CHECKS := $(BPF_SOURCES:BPF/%.bpf.c=.build/bpf-$(OTHER_ARCH)/%.bpf.o)
# the kernel's user headers lie in a directory named after the compiler's target
MULTIARCH := $(shell gcc -print-multiarch 2>/dev/null || echo $(shell uname -m)-linux-gnu)
BPF_FLAGS := --target=bpf -mcpu=v3 -O2 -g -std=gnu17 -Wall -Wextra -Werror \
	-Wno-unused-parameter -ffile-prefix-map=$(CURDIR)/= -I BPF -I Sources/TraceRecords/include \
	-idirafter /usr/include/$(MULTIARCH)

KERNELS ?=

.PHONY: help deps deps-test build bpf run test test-unit test-live mutants fuzz test-kernels bench install uninstall docs docs-library fmt lint new-tool test-new-tool clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install what building needs (apt; sudo only if needed)
	@Scripts/deps build

TEST_OBJECTS := $(patsubst %.bpf.c,Tests/TestObjects/objects/%.bpf.o,$(notdir $(wildcard Tests/TestObjects/*.bpf.c)))

EXAMPLE_OBJECTS := $(patsubst %.bpf.c,Examples/Objects/objects/%.bpf.o,$(notdir $(wildcard Examples/Objects/*.bpf.c)))

bpf: $(BPF_OBJECTS) $(OBJECTS)/images.h $(TEST_OBJECTS) $(EXAMPLE_OBJECTS) $(BPF_CHECKS) ## compile the kernel programs, for this machine and the other architecture

$(OBJECTS)/%.bpf.o: BPF/%.bpf.c $(BPF_HEADERS) Makefile
	@mkdir -p $(@D)
	@echo BPF $<
	@$(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_$(ARCH) -c $< -o $@.tmp && mv $@.tmp $@

# what embeds them all: written anew when there are others than before
TOOL_OBJECTS := $(BPF_SOURCES:BPF/%.bpf.c=%)
$(OBJECTS)/images.h: FORCE
	@mkdir -p $(@D)
	@{ for tool in $(TOOL_OBJECTS); do printf 'IMAGE(%s) = {\n#embed "%s.bpf.o"\n};\n' $$tool $$tool; done; \
	   printf '#define IMAGES(ROW)'; printf ' ROW(%s)' $(TOOL_OBJECTS); echo; } >$@.tmp
	@cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@
FORCE:

Tests/TestObjects/objects/%.bpf.o: Tests/TestObjects/%.bpf.c $(BPF_HEADERS)
	@mkdir -p $(@D)
	@echo BPF $<
	@$(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_$(ARCH) -c $< -o $@

Examples/Objects/objects/%.bpf.o: Examples/Objects/%.bpf.c Makefile
	@mkdir -p $(@D)
	@echo BPF $<
	@$(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_$(ARCH) -c $< -o $@.tmp && mv $@.tmp $@

.build/bpf-$(OTHER_ARCH)/%.bpf.o: BPF/%.bpf.c $(BPF_HEADERS) Makefile
	@mkdir -p $(@D)
	@$(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_$(OTHER_ARCH) -c $< -o $@

# ---- user side ---------------------------------------------------------------
build: deps bpf ## build the command: .build/release/swiftmem
	@Scripts/build $(SWIFT_FLAGS) --product swiftmem
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

fuzz: ## the C parsers of targets' files, guided by coverage: make fuzz TIME=60 (seconds)
	@Scripts/fuzz $(or $(TIME),60)

test-kernels: deps deps-test bpf ## the live tests in VMs of real kernels: make test-kernels KERNELS="6.1 6.12"
	@Scripts/test kernels $(KERNELS)

bench: build ## what tracing costs, side by side, as ratios
	@Scripts/bench

install: ## install command, completions, man pages: make install PREFIX=/usr DESTDIR=/tmp/x
	@Scripts/install "$(DESTDIR)$(PREFIX)" "$(BINARY)"

uninstall: ## remove what install put there
	@Scripts/install --remove "$(DESTDIR)$(PREFIX)" "$(BINARY)"

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
	rm -rf .build $(OBJECTS)
