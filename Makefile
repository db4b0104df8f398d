# Everything is one line of go commands that a person could type.

FUZZTIME ?= 10s
TOOL = go tool -modfile=tools/go.mod
FUZZED = ./ioutil ./decode ./flowtable ./stats ./fuzz
SYSTEMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64
STATIC = CGO_ENABLED=0 go build -trimpath -ldflags=-s

.PHONY: help build test check fuzz bench cross conformance

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

build: ## make the static binary ./flowfast
	$(STATIC) -o flowfast ./cmd/flowfast

test: ## run all tests
	go test ./...
	go test -tags invariants ./flowtable ./fuzz

check: ## gofmt, vet, staticcheck, golangci-lint, go.mod
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	go vet ./...
	$(TOOL) staticcheck ./...
	$(TOOL) golangci-lint run ./...
	go fix -diff ./...
	go mod tidy -diff
	go mod verify

fuzz: ## fuzz every target for FUZZTIME
	@for package in $(FUZZED); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$package || exit 1; \
	  done; \
	done

bench: ## run every benchmark
	go test -run '^$$' -bench . ./...

cross: ## compile for every system that is supported
	@for system in $(SYSTEMS); do \
	  echo $$system; \
	  GOOS=$${system%/*} GOARCH=$${system#*/} $(STATIC) -o /dev/null ./cmd/flowfast || exit 1; \
	  GOOS=$${system%/*} GOARCH=$${system#*/} go vet ./... || exit 1; \
	done

conformance: ## compare with the reference on the shared captures (needs tshark)
	go test -count=1 -v ./conformance
