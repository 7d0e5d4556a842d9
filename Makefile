# The two commands to know: make run shows the demonstration, make test proves it.

GO    ?= go
TOOL  := $(GO) tool -modfile=tools/go.mod
BENCH ?=

# One setting for building and testing, so that nothing is compiled twice.
export CGO_ENABLED ?= 0

.PHONY: run build test check generate browser bench soak postgres

run: build
	exec bin/entente demo

build:
	$(GO) build -o bin/entente ./cmd/entente

# Everything: the pages in a real browser, then every package on both database
# engines. The race detector is `make soak`.
test: check postgres browser
	$(GO) test -timeout 20m ./...

# Fast and without a database: form, vet, staticcheck, drift, and the rules of the house.
check:
	@GO="$(GO)" tools/check.sh

generate:
	$(TOOL) templ generate
	@GO="$(GO)" tools/scripts.sh
	@cd tools && $(GO) run ./texts ..

# Every page in Chromium: accessible, fits a phone, fails nowhere.
browser: build
	@tools/browser.sh

# The figures of docs/performance.md. BENCH=… runs only some: see docs/performance.md.
bench: build postgres
	$(GO) run ./internal/bench $(BENCH)

# Long property runs and the race detector: minutes, not seconds.
soak: postgres
	CGO_ENABLED=1 $(GO) test -race -tags soak -timeout 90m ./...

# The tests start a private PostgreSQL from the system's own programs.
postgres:
	@tools/postgres.sh
