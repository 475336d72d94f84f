# make test | lint | bench | fuzz | fleet | chaos | build

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME ?= 30s
MODULES := internal/e2e internal/h2spec bench

.PHONY: build test setup lint bench fuzz fleet chaos

build:
	go build -o bin/freshet ./cmd/freshet

# What the end-to-end tests drive: a browser and the clients from npm.
setup:
	scripts/setup

test: setup
	go test -race ./...
	cd internal/h2spec && go test -count=1 ./...
	cd internal/e2e && go test -count=1 .

lint:
	scripts/lint
	go vet ./...
	for m in $(MODULES); do (cd $$m && go vet ./...) || exit 1; done
	go run $(STATICCHECK) ./...
	for m in $(MODULES); do (cd $$m && go run $(STATICCHECK) ./...) || exit 1; done

bench:
	cd bench && go run .

# Redis, three servers and haproxy on this machine, to try things out.
fleet:
	@go build -o bin/fleet ./internal/fleet/run
	@bin/fleet

# Two minutes of faults to a fleet at work; CHAOS='-duration 1h' or CHAOS=-help.
chaos:
	@go run ./internal/chaos/run $(CHAOS)

fuzz:
	FUZZTIME=$(FUZZTIME) scripts/fuzz
