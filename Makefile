# Everything is one line of go commands that a person could type.

FUZZTIME ?= 10s
TOOL = go tool -modfile=tools/go.mod
FUZZED = ./ioutil ./decode ./flowtable ./stats ./block ./fuzz ./fuzz/stacks ./cmd/flowfast ./labels ./legacy ./compare
SWEEP ?= 100000
STACKS ?= 100000
SEED ?= 1
BENCH ?= .
COUNT ?= 6
VETTED = darwin/arm64 windows/amd64
SYSTEMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64
# No revision is stamped in, so that a clone and an unpacked archive give the same bytes.
STATIC = CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags=-s

.PHONY: help build test check fuzz sweep stacks bench bench-packages bench-compare pgo cross conformance

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

build: ## make the static binary ./flowfast
	$(STATIC) -o flowfast ./cmd/flowfast

test: ## run all tests
	go test ./...
	go test -tags invariants ./flowtable ./fuzz

check: ## gofmt, vet, staticcheck, errcheck, ineffassign, go.mod
	@test -z "$$(gofmt -l . | tee -a /dev/stderr)"
	go vet ./...
	$(TOOL) staticcheck ./...
	$(TOOL) errcheck -ignoretests -exclude tools/unchecked.txt ./...
	$(TOOL) ineffassign ./...
	go fix -diff ./...
	go mod tidy -diff
	go mod verify
	go mod verify -modfile=tools/go.mod

.PHONY: report-install report-check report-picture

BROWSER = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/flowfast/browser
LOOKED_AT = --labels report/browser/rules.yaml $(addprefix testdata/,web.pcap.zst scan.pcap.zst slow.pcap.zst dns.pcap)

report-install: ## put what drives a headless browser where report-check finds it (needs chromium)
	@cmp -s report/browser/requirements.txt $(BROWSER)/requirements.txt || \
	  { $(PYTHON) -m venv --clear $(BROWSER) && \
	    $(BROWSER)/bin/python -m pip install --quiet --disable-pip-version-check -r report/browser/requirements.txt && \
	    cp report/browser/requirements.txt $(BROWSER)/; }

report-check: report-install ## look at the pages of report and compare in a headless browser
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && \
	  go build -o $$temp/flowfast ./cmd/flowfast && \
	  $$temp/flowfast report -q $(LOOKED_AT) $$temp/report.html && \
	  $$temp/flowfast -q testdata/web.pcap.zst $$temp/a.csv && \
	  $$temp/flowfast -q -t 1 testdata/web.pcap.zst $$temp/b.csv && \
	  { $$temp/flowfast compare --html $$temp/compare.html $$temp/a.csv $$temp/b.csv || test $$? = 1; } && \
	  $(BROWSER)/bin/python report/browser/check.py $$temp/report.html $$temp/compare.html

report-picture: report-install ## make docs/report.png anew
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && \
	  go run ./bench/cmd/generate -scale 0.02 dos >$$temp/capture.pcap && \
	  go run ./cmd/flowfast report -q --labels report/browser/rules.yaml $$temp/capture.pcap $$temp/report.html && \
	  $(BROWSER)/bin/python report/browser/check.py --picture docs/report.png $$temp/report.html

.PHONY: vuln reproducible soak

vuln: ## look for known vulnerabilities in what is compiled (asks vuln.go.dev)
	@if found=$$($(if $(shell command -v timeout),timeout 120) $(TOOL) govulncheck ./... 2>&1); then \
	  echo "$$found"; \
	else \
	  status=$$?; echo "$$found"; \
	  case $$status,$$found in \
	  124,* | *"fetching vulnerabilities:"*) echo "VULNERABILITIES NOT CHECKED: database not reachable" ;; \
	  *) exit 1 ;; \
	  esac; \
	fi

reproducible: ## build here, then from a copy elsewhere with nothing cached: the same bytes?
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && \
	  mkdir $$temp/copy && tar -c --exclude=./.git . | tar -x -C $$temp/copy && \
	  $(STATIC) -o $$temp/one ./cmd/flowfast && \
	  (cd $$temp/copy && GOCACHE=$$temp/cache $(STATIC) -o $$temp/two ./cmd/flowfast) && \
	  cd $$temp && sha256sum one two && cmp one two

fuzz: ## fuzz every target for FUZZTIME
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && \
	  for package in $(FUZZED); do \
	    go test -c -fuzz . -o $$temp/fuzz $$package && cd $$package && targets=$$($$temp/fuzz -test.list '^Fuzz') || exit 1; \
	    for target in $$targets; do \
	      echo "$$package $$target"; \
	      $$temp/fuzz -test.run '^$$' -test.fuzz "^$$target$$" -test.fuzztime $(FUZZTIME) -test.fuzzminimizetime 20x \
	        -test.fuzzcachedir "$$(go env GOCACHE)/fuzz/$$(go list)" >$$temp/log 2>&1 || \
	        grep -q '^    context deadline exceeded$$' $$temp/log || { cat $$temp/log; exit 1; }; \
	      tail -n 2 $$temp/log; \
	    done; \
	    cd $(CURDIR); \
	  done

sweep: ## run SWEEP damaged captures; go test runs a tenth of the usual number
	FLOWFAST_SWEEP=$(SWEEP) go test -count=1 -v -run 'TestCuts|TestSweep' ./fuzz

stacks: ## compare STACKS random stacks of headers, from seed SEED on, with tshark
	go test -count=1 -v -timeout 60m -run TestStacks ./fuzz/stacks -stacks $(STACKS) -seed $(SEED)

bench: ## measure everything that bench/README.md describes
	go run ./bench/cmd/bench -svg bench all

bench-packages: ## run the Go benchmarks BENCH of every package
	go test -run '^$$' -bench '$(BENCH)' ./...

bench-compare: ## compare the benchmarks BENCH of main and of the working tree, COUNT times each in turn
	@temp=$$(mktemp -d) && \
	  trap 'git worktree remove --force '$$temp'/main; rm -r '$$temp EXIT && \
	  git worktree add --quiet --detach $$temp/main main && \
	  for i in $$(seq $(COUNT)); do \
	    echo "run $$i of $(COUNT)" >&2; \
	    (cd $$temp/main && go test -run '^$$' -bench '$(BENCH)' ./...) >> $$temp/main.txt && \
	    go test -run '^$$' -bench '$(BENCH)' ./... >> $$temp/tree.txt || exit 1; \
	  done && \
	  $(TOOL) benchstat main=$$temp/main.txt tree=$$temp/tree.txt

soak: ## watch memory and speed in a flood of 200 million packets, each a flow (SOAK: other flags)
	go run ./bench/cmd/soak $(SOAK)

.PHONY: live-captures live-loss live-flood live-soak

live-captures: ## replay all captures to flowfast live and tcpdump: the same rows? (needs root, tcpreplay, minutes)
	FLOWFAST_LIVE_CAPTURES=1 go test -count=1 -v -timeout 30m -run TestLiveCaptures ./cmd/flowfast

live-loss: ## packets lost and CPU of flowfast live, dumpcap and other flow meters at rising rates (LIVE: flags)
	go run ./bench/cmd/live $(LIVE) loss

live-flood: ## a minute of SYN packets at full speed within 256 MiB (LIVE: flags)
	go run ./bench/cmd/live $(LIVE) flood

live-soak: ## half an hour of flows: memory, descriptors, every packet in a row (LIVE: flags)
	go run ./bench/cmd/live $(LIVE) soak

pgo: ## renew the profile that the command is compiled with
	go run ./bench/cmd/bench -scale 0.2 profile cmd/flowfast/default.pgo

cross: ## compile for every system that is supported
	@for system in $(SYSTEMS); do \
	  echo $$system; \
	  GOOS=$${system%/*} GOARCH=$${system#*/} $(STATIC) -pgo=off -o /dev/null ./cmd/flowfast || exit 1; \
	done; \
	for system in $(VETTED); do \
	  echo "$$system, tests too"; \
	  GOOS=$${system%/*} GOARCH=$${system#*/} go vet ./... || exit 1; \
	done

conformance: ## compare with the reference on the shared captures (needs tshark)
	go test -count=1 -v -timeout 30m ./conformance

.PHONY: conformance-labels

LABEL_FILES ?= 300

conformance-labels: ## label the shared captures by LABEL_FILES random rule files, beside the reference
	FLOWFAST_LABEL_FILES=$(LABEL_FILES) go test -count=1 -v -timeout 60m -run TestLabels ./conformance

.PHONY: formats-install

FORMATS = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/flowfast/formats

formats-install: ## put the Python libraries that the conformance tests use where they look
	$(PYTHON) -m venv $(FORMATS)
	$(FORMATS)/bin/python -m pip install --quiet --disable-pip-version-check -r conformance/formats.txt

.PHONY: conformance-nfstream

NFSTREAM = nfstream==6.6.0
NFVENV = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/flowfast-conformance/venv

conformance-nfstream: ## compare the profile nfstream with NFStream on the shared captures (PYTHON: 3.9 or newer)
	@if $(NFVENV)/bin/python -c 'import nfstream' 2>/dev/null || \
	  { $(PYTHON) -m venv --clear $(NFVENV) && $(NFVENV)/bin/python -m pip install -q --disable-pip-version-check $(NFSTREAM); }; then \
	  FLOWFAST_NFSTREAM=$(NFVENV)/bin/python go test -count=1 -v -run TestNFStream ./conformance; \
	else \
	  echo "NFSTREAM NOT CHECKED: $(NFSTREAM) can't be installed with $(PYTHON)"; \
	fi

.PHONY: conformance-cicflowmeter

CICVENV = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/flowfast/cicflowmeter-0.5.0

conformance-cicflowmeter: ## compare the profile cicflowmeter-python with the code of cicflowmeter on captures (PYTHON: 3.12 or newer; CAPTURES)
	@$(CICVENV)/bin/python -c 'import cicflowmeter' 2>/dev/null || \
	  { $(PYTHON) -m venv --clear $(CICVENV) && $(CICVENV)/bin/python -m pip install --quiet --disable-pip-version-check cicflowmeter==0.5.0; }
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && $(STATIC) -o $$temp/flowfast ./cmd/flowfast && \
	  $(CICVENV)/bin/python -W ignore conformance/cicflowmeter/compare.py $$temp/flowfast $(or $(CAPTURES),../shared/captures/*.pcap*)

.PHONY: bench-peers bench-peers-install

bench-peers: ## run flowfast and other flow programs on the same captures
	go run ./bench/cmd/peers

PYTHON ?= python3

bench-peers-install: ## put the peers in Python where bench-peers finds them (PYTHON: 3.12 or newer)
	go run ./bench/cmd/peers -pip -python $(PYTHON)

.PHONY: packages packages-check packages-reproducible service-check

packages: ## build a deb and an rpm for each architecture, and an SPDX list of what is in them, into dist/
	go run -C packaging . -out $(CURDIR)/dist

packages-check: ## test what makes packages; build this machine's, install the deb with apt, then the rpm, and remove them (as root)
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && \
	  (cd packaging && test -z "$$(gofmt -l . | tee -a /dev/stderr)" && go vet ./... && go mod tidy -diff && go test ./...) && \
	  go run -C packaging . -only here -out $$temp && \
	  packaging/check.sh $$temp/*.deb && packaging/check.sh $$temp/*.rpm

service-check: ## boot systemd in namespaces, install the deb there, and start, reload, kill and stop the service (as root)
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && \
	  go run -C packaging . -only here -out $$temp && packaging/boot.sh $$temp/*.deb

packages-reproducible: ## make this machine's packages here and from a copy elsewhere: the same bytes?
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && \
	  mkdir $$temp/copy $$temp/tmp && tar -c --exclude=./.git --exclude=./dist . | tar -x -C $$temp/copy && \
	  go run -C packaging . -only here -out $$temp/one && \
	  TMPDIR=$$temp/tmp go run -C $$temp/copy/packaging . -only here -out $$temp/two && \
	  diff -r $$temp/one $$temp/two && echo "the same bytes"

.PHONY: wheels python

wheels: ## build a Python wheel for every system into dist/ (PYTHON: 3.11 or newer)
	$(PYTHON) python/wheels.py

.PHONY: spark spark-install blocks

# Spark brings its own runtime, but for Java.
SPARK = pyspark==4.0.1
SPARKENV = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/flowfast/spark
TESTS ?=
MASTERS = local[2] local-cluster[2,1,1024] standalone

spark-install: ## put Spark, and what its tests need, where make spark finds it (Java 17: apt-get install openjdk-17-jre-headless)
	@$(SPARKENV)/bin/python -m pip freeze 2>/dev/null | grep -qxF '$(SPARK)' || { \
	  $(PYTHON) -m venv --clear $(SPARKENV) && \
	  $(SPARKENV)/bin/python -m pip install --quiet --disable-pip-version-check '$(SPARK)' 'pyarrow>=15' 'pandas>=2.2' 'pytest>=8'; }

spark: build ## try flowfast.spark with real executors, and kill some (MASTERS: others; TESTS: some)
	@test -x $(SPARKENV)/bin/python || { echo "make spark-install comes first"; exit 1; }
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && cd python && \
	  FLOWFAST_SPARK='$(MASTERS)' FLOWFAST_BINARY=$(CURDIR)/flowfast PYTHONPATH=src \
	  $(SPARKENV)/bin/python -m pytest -q -p no:cacheprovider --basetemp $$temp/tests -k '$(TESTS)' tests/test_spark.py tests/test_spark_disk.py tests/test_spark_standalone.py

# The library of S3 that fsspec has, and a server of it.
SPARKS3 = moto[server]==5.2.5 s3fs==2026.9.0

.PHONY: spark-s3 spark-s3-install

spark-s3-install: spark-install ## add what make spark-s3 needs
	$(SPARKENV)/bin/python -m pip install --quiet --disable-pip-version-check $(SPARKS3:%='%')

spark-s3: build ## try flowfast.spark on captures in an object store, and a capture of 300 MB
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && cd python && \
	  FLOWFAST_SPARK='local[2]' FLOWFAST_BINARY=$(CURDIR)/flowfast PYTHONPATH=src \
	  $(SPARKENV)/bin/python -m pytest -q -p no:cacheprovider --basetemp $$temp/tests -k '$(TESTS)' tests/test_spark_s3.py

blocks: ## compare blocks with --join over more archives, and all shared captures
	FLOWFAST_ARCHIVES=200 go test -count=1 -timeout 30m ./block

# The libraries stay where they are; the package is installed anew.
PYVENV = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/flowfast/python-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
WHEELER ?= python3

python: ## build this system's wheel, install it in a virtual environment, and test it there (PYTHON: 3.10 or newer)
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && \
	  $(WHEELER) python/wheels.py --only here --out $$temp/wheel && \
	  { cmp -s python/tests/requirements.txt $(PYVENV)/requirements.txt || \
	    { $(PYTHON) -m venv --clear $(PYVENV) && \
	      $(PYVENV)/bin/python -m pip install --quiet --disable-pip-version-check -r python/tests/requirements.txt && \
	      cp python/tests/requirements.txt $(PYVENV)/; }; } && \
	  $(PYVENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index --force-reinstall $$temp/wheel/*.whl && \
	  cd python && env -u FLOWFAST_BINARY -u PYTHONPATH FLOWFAST_WHEEL=$$(echo $$temp/wheel/*.whl) \
	    $(PYVENV)/bin/python -m pytest -q -p no:cacheprovider --basetemp $$temp/tests tests

.PHONY: readers readers-install

READERS = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/flowfast/readers
READERS_JS = hyparquet@1.33.0 hyparquet-compressors@1.1.2 apache-arrow@21.2.0 parquet-wasm@0.8.0

readers-install: ## put the programs that make readers tries where it looks (PYTHON: 3.11 or newer; npm, Java and R if they are there)
	$(PYTHON) -m venv --clear $(READERS)
	$(READERS)/bin/python -m pip install --quiet --disable-pip-version-check -r bench/readers/requirements.txt
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --prefix $(READERS) $(READERS_JS); else echo "no npm: no readers in JavaScript"; fi

readers: ## write the files of flowfast, and tell which programs read them and what they lose
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && $(STATIC) -o $$temp/flowfast ./cmd/flowfast && \
	  FLOWFAST_READERS_JS=$(READERS) $(READERS)/bin/python bench/readers/readers.py --flowfast $$temp/flowfast

.PHONY: bench-spark

CLUSTER ?= /tmp/flowfast-cluster

bench-spark: build ## CPU time of flowfast.spark.write by that of one machine, shuffle, memory (CLUSTER: folder, 12 GB; editcap)
	@mkdir -p $(CLUSTER)/benign
	@test -n "$$(ls $(CLUSTER)/benign)" || go run ./bench/cmd/generate -scale 8 benign | editcap -F pcap -c 1100000 - $(CLUSTER)/benign/ring.pcap
	@test -e $(CLUSTER)/dos.pcap || go run ./bench/cmd/generate dos >$(CLUSTER)/dos.pcap
	@test -e $(CLUSTER)/flood.pcap || go run ./bench/cmd/generate flood >$(CLUSTER)/flood.pcap
	@export FLOWFAST_BINARY=$(CURDIR)/flowfast PYTHONPATH=python/src && \
	  cluster="$(SPARKENV)/bin/python bench/python/cluster.py --small testdata/web.pcap.zst" && \
	  $$cluster --buckets 4 $(CLUSTER)/benign && $$cluster --buckets 6 $(CLUSTER)/dos.pcap && \
	  $$cluster --buckets 64 --runs 1 --memory $(CLUSTER)/flood.pcap

.PHONY: bench-python bench-python-install

PYBENCH = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/flowfast/bench-python
SPEED ?=

bench-python-install: ## put flowfast, NFStream and cicflowmeter in Python where bench-python looks (PYTHON: 3.11 or 3.12)
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && \
	  $(WHEELER) python/wheels.py --only here --out $$temp && \
	  for name in flowfast nfstream cicflowmeter; do $(PYTHON) -m venv --clear $(PYBENCH)/$$name || exit 1; done && \
	  $(PYBENCH)/flowfast/bin/python -m pip install --quiet --disable-pip-version-check pandas $$temp/*.whl && \
	  $(PYBENCH)/nfstream/bin/python -m pip install --quiet --disable-pip-version-check $(NFSTREAM) && \
	  $(PYBENCH)/cicflowmeter/bin/python -m pip install --quiet --disable-pip-version-check pandas cicflowmeter==0.2.0 scapy==2.5.0

bench-python: ## flowfast, NFStream and cicflowmeter from a capture to a pandas frame; what .arrow() costs (SPEED: flags)
	@temp=$$(mktemp -d) && trap 'rm -rf '$$temp EXIT && \
	  $(STATIC) -o $$temp/flowfast ./cmd/flowfast && go build -o $$temp/generate ./bench/cmd/generate && \
	  $(PYTHON) bench/python/speed.py --venvs $(PYBENCH) --flowfast $$temp/flowfast --generate $$temp/generate $(SPEED)
