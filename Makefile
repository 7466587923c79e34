# meshfed: everything a person or CI runs. `make help` lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CLUSTERS ?= 2
PROVIDER ?= embedded
ENGINE   ?= builtin
TAGS     ?=
AIRGAPPED ?=
RUNS     ?= 3

# Where the meshes live and who federates them: the same for every target that makes some.
PLACE = --provider $(PROVIDER) --engine $(ENGINE) --clusters $(CLUSTERS) $(if $(AIRGAPPED),--airgapped)

BIN := bin
# One directory of commands for all targets; Go's own cache makes it cheap.
GO_BUILD := go build -o $(BIN)/
# The same for build, vet and test: a package built with and without it is
# compiled twice, which costs a fresh machine minutes.
export GOFLAGS := $(strip -trimpath $(GOFLAGS))

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: build
build: ## bin/conformance and bin/federator
	@mkdir -p $(BIN)
	@$(GO_BUILD) ./cmd/...

.PHONY: test
test: ## vet and unit tests (no cluster needed; those that need one say so)
	go vet ./...
	go test ./...

.PHONY: race
race: ## the unit tests under the race detector
	CGO_ENABLED=1 go test -race ./...

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (10s); FUZZ narrows it, such as FUZZ=FuzzPath
	@targets=$$(grep -rHoE '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' --exclude-dir=tools . | sed -E 's|/[^/]*:func | |; s| *$$||' | sort -u); \
	[ -n "$$targets" ] || { echo "fuzz: no target found" >&2; exit 1; }; \
	failed=0; ran=0; \
	while read -r package target; do \
	  [[ "$$target" == $(if $(FUZZ),$(FUZZ),*) ]] || continue; \
	  echo "fuzz $$package $$target"; ran=$$((ran+1)); \
	  go test "$$package" -run '^$$' -fuzz "^$$target\$$" -fuzztime $${FUZZTIME:-10s} || failed=$$((failed+1)); \
	done <<< "$$targets"; \
	echo "fuzz: $$ran targets, $$failed failed"; [ $$ran -gt 0 ] && [ $$failed -eq 0 ]

.PHONY: lint
lint: ## golangci-lint with .golangci.yml
	@mkdir -p $(BIN)
	cd tools/lint && go build -o ../../$(BIN)/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	$(BIN)/golangci-lint run ./...

.PHONY: generate
generate: ## definitions and deep copies from the declarations' types
	cd federator/crd && go generate ./...

# What breaks the meshes on purpose is for `make soak`, and what takes long to
# tell how much, not whether, for `make all-scenarios` and `make load`.
.PHONY: conformance
conformance: build ## bring up meshes, federate them, run the features, write out/latest
	$(BIN)/conformance run $(PLACE) --tags '$(or $(TAGS),not @faults and not @long)'

.PHONY: all-scenarios
all-scenarios: build ## the same with every scenario that there is, as a submission needs it
	$(BIN)/conformance run $(PLACE)

.PHONY: mutants
mutants: build ## break the engine in every way known; who notices? LAB=default uses a lab that is up; docs/mutants.md
	$(BIN)/conformance mutants $(if $(LAB),--lab $(LAB)) --write docs/mutants.md $(MUTANTS)

.PHONY: false-alarms
false-alarms: build ## ORDERS (10) random orders on one lab, then as many with all cores kept busy; do the verdicts differ?
	$(BIN)/conformance false-alarms $(if $(LAB),--lab $(LAB)) --tags '$(or $(TAGS),@core)' --orders $(or $(ORDERS),10)
	$(BIN)/conformance false-alarms $(if $(LAB),--lab $(LAB)) --tags '$(or $(TAGS),@core)' --orders $(or $(ORDERS),10) --first 1001 --busy --more --write docs/false-alarms.md

.PHONY: load
load: build ## what the gateways add to latency, and what refusals cost others, on meshes of its own
	$(BIN)/conformance run $(PLACE) --tags '@load'

.PHONY: page-test
page-test: ## the report's page in a headless browser (installs Debian's chromium if there is none)
	@command -v chromium >/dev/null || apt-get install -y --no-install-recommends chromium
	go test -count=1 ./reports/page

.PHONY: bench-load
bench-load: ## how late the load generator is by itself, at 5,000 requests a second
	go test ./traffic/load -run '^$$' -bench '^BenchmarkOwnLag$$' -benchtime $(RUNS)x

.PHONY: soak
soak: build ## break what the meshes run on, again and again for FOR (10m): nothing that is denied may be accepted
	$(BIN)/conformance run $(PLACE) --tags '@faults' --for $${FOR:-10m}

.PHONY: lab-test
lab-test: ## what a person expects of a cluster, and the life of labs, on real ones
	go test -count=1 ./cluster/embedded

.PHONY: kind-test
kind-test: build ## the life of kind labs: fence, logs, kill -9, clean-up (root; makes the images first)
	$(BIN)/conformance images build
	MESHFED_KIND=1 go test -count=1 -timeout 20m -v -run TestLive ./cluster/kind

.PHONY: critest
critest: ## Kubernetes' own tests of a container runtime, against ours (root; needs busybox-static)
	@mkdir -p $(BIN)
	@command -v busybox >/dev/null || apt-get install -y busybox-static
	cd cluster/embedded/tools/critools && go test -c -o ../../../../$(BIN)/critest sigs.k8s.io/cri-tools/cmd/critest
	MESHFED_CRITEST=$(CURDIR)/$(BIN)/critest MESHFED_BUSYBOX=$$(command -v busybox) \
	  go test ./cluster/embedded/internal/cri -count=1 -v -run TestKubernetesOwnRuntimeTestsPass

.PHONY: bench-lab
bench-lab: build ## time from nothing to serving gateways, and memory, for 1, 2 and 3 meshes
	$(BIN)/conformance lab bench --runs $(RUNS)

.PHONY: bench-render
bench-render: ## render the boundary of one mesh among 100, 10,000 services, on 2 cores: time, memory, growth
	go test ./federator -run '^$$' -bench '^BenchmarkRender$$' -benchtime 3x -cpu 2 -v

.PHONY: clean
clean: ## remove what the build and the runs wrote here
	rm -rf $(BIN) out
