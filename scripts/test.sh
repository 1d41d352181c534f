#!/usr/bin/env bash
# Runs the tests: all of them, or the parts named (need lint unit race ui pages). Prints each part's time.
set -euo pipefail
cd "$(dirname "$0")/.."
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(need lint unit race ui pages)

# with_postgres runs a command with one throw-away PostgreSQL that all packages share.
with_postgres() { go run ./platform/store/storetest/pg "$@"; }

part_need() { scripts/need.sh; }

part_lint() {
  go vet ./...
  local bad
  bad=$(git ls-files -z --cached --others --exclude-standard --deduplicate '*.go' | xargs -0 -r ls 2>/dev/null | xargs -r go tool -modfile=tools/go.mod gofumpt -l)
  if [ -n "$bad" ]; then
    echo "not gofumpt-formatted; run: go tool -modfile=tools/go.mod gofumpt -w" $bad
    return 1
  fi
  go tool -modfile=tools/go.mod golangci-lint run ./...
}

# raced are the packages whose tests run under the race detector; the others run without.
raced=(./platform/bus/... ./platform/ledger/... ./platform/sip/... ./platform/rtp/... ./platform/audio/... ./modules/voice/... ./modules/routing/...)

# What fails is tried once more, alone, and then named as unsteady: test/again says what is not.
# Each package runs once, here or in the next part; so do the calls of test/calls, with the detector in the program.
# Two packages at a time: many tests keep time, and a crowd would tell them it is later than they think.
part_unit() {
  local packages
  mapfile -t packages < <(comm -23 <(go list ./... | grep -v /test/calls | sort) <(go list "${raced[@]}" | sort))
  with_postgres go run ./test/again -p 2 -timeout 15m "${packages[@]}"
  go test -run NothingIsAllocated ./platform/rtp # the detector allocates, too
  (cd test/sipgofail && go test -timeout 5m ./...)
}

# The detector makes everything some ten times slower, so packages run once all are built.
# The modules are watched at work: the program itself is built with the detector and put through the calls.
part_race() {
  local program
  go test -race -run '^$' "${raced[@]}" >/dev/null
  with_postgres go run ./test/again -race -p 2 -timeout 15m "${raced[@]}"
  program=$(mktemp -d)/kapok
  go build -race -o "$program" ./cmd/kapok
  KAPOK_PROGRAM=$program go run ./test/again -count=1 -timeout 15m ./test/calls
  rm -rf "$(dirname "$program")"
}

part_ui() {
  [ -d node_modules ] || scripts/node.sh npm ci --no-audit --no-fund --silent
  scripts/api.sh -n
  scripts/node.sh npm run --silent check
  scripts/node.sh npm test --silent
  scripts/ui.sh
  if [ -n "$(git status --porcelain -- web/dist)" ]; then
    echo "web/dist is not what the sources build; run 'make ui' and commit it:"
    git status --porcelain -- web/dist | head
    return 1
  fi
}

part_pages() { scripts/node.sh node test/pages/run.mjs; }

running=
trap 'status=$?; [ -z "$running" ] || echo "== $running FAILED after $((SECONDS - start)) s" >&2; exit $status' EXIT
for running in "${parts[@]}"; do
  if ! declare -F "part_$running" >/dev/null; then
    echo "there is no part $running; there are: need lint unit race ui pages" >&2
    running=
    exit 2
  fi
  start=$SECONDS
  echo "== $running"
  "part_$running"
  echo "== $running: $((SECONDS - start)) s"
done
running=
echo "all parts passed in $SECONDS s"
