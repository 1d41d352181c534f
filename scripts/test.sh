#!/usr/bin/env bash
# Runs the tests: all of them, or the parts named (unit race pages lint). Prints each part's time.
set -euo pipefail
cd "$(dirname "$0")/.."
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(need lint unit race ui pages)

part_need() { scripts/need.sh; }

part_lint() {
  go vet ./...
  local bad
  bad=$(git ls-files '*.go' | xargs go tool -modfile=tools/go.mod gofumpt -l)
  if [ -n "$bad" ]; then echo "not gofumpt-formatted:"; echo "$bad"; return 1; fi
  go tool -modfile=tools/go.mod golangci-lint run ./...
}

part_unit() { scripts/postgres.sh go test -timeout 15m ./... && (cd test/sipgofail && go test -timeout 5m ./...); }

part_race() {
  scripts/postgres.sh go test -race -timeout 15m ./platform/bus/... ./platform/ledger/... ./platform/sip/... ./platform/rtp/... \
    ./platform/audio/... ./engine/... ./modules/voice/... ./modules/routing/...
}

part_ui() {
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

for part in "${parts[@]}"; do
  start=$SECONDS
  echo "== $part"
  "part_$part"
  echo "== $part: $((SECONDS - start)) s"
done
echo "all parts passed in $SECONDS s"
