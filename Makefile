# SPDX-License-Identifier: GPL-2.0
#
# The front door: every command a person needs. `make help` lists them.

# stock: the distribution's kernel image. test: the same source with KUnit and the kernel's checkers.
KERNEL	?= stock
# An own prepared kernel tree instead (absolute path): builds on this host without the build root.
KDIR	?=
CPUS	?= 2
MEMORY	?=
ONLY	?=
# Of fuzzing, for each check.
SECONDS	?= 60

export ONLY

.DEFAULT_GOAL := help
.PHONY: help env kernel module tool kunit e2e hosttest simulate lint fmt fuzz coverage doc shell demo test bench profile bench-paths bench-core bench-steering soak figures install clean distclean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Variables: KERNEL=stock|test  KDIR=<prepared kernel tree>  CPUS=2  MEMORY=1G  ONLY=<scenario pattern>  SECONDS=60"

env: ## make the build root (pinned Debian packages, outside the checkout)
	@scripts/root

kernel: env ## prepare the stock kernel's tree, or build the test kernel (KERNEL=test)
	@scripts/kernel/$(KERNEL)

ifeq ($(KDIR),)
module: kernel ## build the modules for KERNEL into build/, or for KDIR
	@scripts/module $(KERNEL)
else
module:
	@scripts/module $(KDIR)
endif

tool: env ## build the mptcp-rs command, its man pages and shell completions into build/tool
	@scripts/tool

hosttest: env ## run the unit and property tests of the core on this host
	@scripts/test host

simulate: ## simulate SCENARIOS connections over hostile networks, from SEED on
	@cargo run --quiet --release -p mptcp_simulator -- --seed $(or $(SEED),0) --scenarios $(or $(SCENARIOS),10000)

kunit: ## run the KUnit suites in QEMU on the test kernel
	@$(MAKE) --no-print-directory module KERNEL=test KDIR=
	@scripts/test kunit

e2e: ## run the scenarios in QEMU on KERNEL (ONLY=pattern selects)
	@$(MAKE) --no-print-directory module KDIR=
	@$(MAKE) --no-print-directory tool
	@scripts/selftests
	@scripts/test e2e $(KERNEL)

lint: ## check format, clippy, dependency arrows, panics, licences, shell scripts
	@$(MAKE) --no-print-directory module KERNEL=stock KDIR=
	@scripts/lint

fmt: env ## format the Rust sources
	@scripts/enter scripts/format

fuzz: env ## fuzz the core against its slow models, SECONDS for each check (ONLY='check...')
	@scripts/fuzz --seconds $(SECONDS) $(ONLY)

coverage: env ## which lines of the core its tests do not reach
	@scripts/coverage

doc: module ## write the API documentation to build/doc
	@scripts/doc

shell: module ## a shell in QEMU on KERNEL, checkout at /src
	@scripts/boot --kernel $(KERNEL) --cpus $(CPUS) $(if $(MEMORY),--memory $(MEMORY)) --shell

demo: ## transfers by unmodified programs, over one path and over several; draws build/demo/goodput.svg
	@$(MAKE) --no-print-directory module KERNEL=stock KDIR=
	@$(MAKE) --no-print-directory tool
	@scripts/demo

test: ## host tests, KUnit, scenarios on both kernels (THOROUGH=1: all in full length)
	@$(MAKE) --no-print-directory module KERNEL=stock KDIR=
	@$(MAKE) --no-print-directory module KERNEL=test KDIR=
	@$(MAKE) --no-print-directory tool
	@scripts/selftests
	@scripts/test $(if $(THOROUGH),all,brief)

bench: ## paired throughput and latency against plain TCP and the kernel's own MPTCP
	@$(MAKE) --no-print-directory module KERNEL=stock KDIR=
	@scripts/bench

profile: ## instructions of the bench by function (ONLY='connect pingpong' and others)
	@$(MAKE) --no-print-directory module KERNEL=stock KDIR=
	@scripts/profile $(ONLY)

bench-paths: ## goodput of two paths together, and the gap when one of them dies
	@$(MAKE) --no-print-directory module KERNEL=stock KDIR=
	@scripts/bench-paths

bench-core: ## instructions and time of the core's decisions on this host
	@scripts/bench-core

bench-steering: ## on which processors data arrives, with 4 and 8 of them
	@$(MAKE) --no-print-directory module KERNEL=stock KDIR=
	@scripts/bench-steering

soak: ## connections whose networks change at random, on the test kernel (SECONDS, SEED, CONNECTIONS)
	@$(MAKE) --no-print-directory module KERNEL=test KDIR=
	@scripts/soak $(SECONDS) $(or $(SEED),8684) $(or $(CONNECTIONS),50)

figures: ## steering under simulated caches: renews the picture and table of Documentation/steering.md
	@$(MAKE) --no-print-directory module KERNEL=stock KDIR=
	@scripts/figures

install: ## install the module for KDIR (the running kernel's tree unless set)
	@scripts/module --install $(or $(KDIR),/lib/modules/$(shell uname -r)/build)

clean: ## remove what was built from this checkout
	rm -rf -- build target

distclean: clean ## remove the build root and the kernels too
	@scripts/distclean
