# make test is the one command that proves everything; the others are parts of it or measure.
SHELL := /bin/bash

.PHONY: build test unit race pages lint ui soak bench fuzz prompts

build:            ## the binary, without cgo
	CGO_ENABLED=0 go build -o kapok ./cmd/kapok

test:             ## installs what is missing, then runs everything
	scripts/test.sh

unit:             ## unit and store tests on both databases
	scripts/test.sh unit

race:             ## the race detector on voice, routing, bus and ledger
	scripts/test.sh race

pages:            ## pages in headless Chromium
	scripts/test.sh pages

lint:             ## gofumpt, golangci-lint, type check of the pages
	scripts/test.sh lint

ui:               ## rebuild web/dist
	scripts/ui.sh

soak:             ## 50,000 mixed calls with every verb and mishap and a kill -9, then kapok doctor
	go run ./test/soak -calls 50000 -rate 25

bench:            ## the table of goals and measured figures (-json for machines)
	go run ./test/bench $(BENCH)

fuzz:             ## every fuzz target for 30 seconds
	scripts/fuzz.sh 30s

prompts:          ## make the shipped voice prompts again (needs espeak-ng and sox)
	scripts/prompts.sh
