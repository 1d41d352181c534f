#!/usr/bin/env bash
# Writes the description of the REST interface (test/openapi/openapi.json) and the pages' types made from it
# (web/src/openapi.d.ts). With -n nothing is written: it fails when the types are not what the description gives.
set -euo pipefail
cd "$(dirname "$0")/.."
types() { scripts/node.sh npx --no-install openapi-typescript test/openapi/openapi.json --output "$1" --alphabetize --root-types --root-types-no-schema-prefix >/dev/null; }
if [ "${1:-}" = -n ]; then
  fresh=$(mktemp -d)
  trap 'rm -rf "$fresh"' EXIT
  types "$fresh/openapi.d.ts"
  cmp -s "$fresh/openapi.d.ts" web/src/openapi.d.ts || { echo "web/src/openapi.d.ts is not what test/openapi/openapi.json gives; run scripts/api.sh and commit it"; exit 1; }
  exit 0
fi
go test -count=1 -timeout 3m ./test/openapi -run TestInterfaceIsAsWritten -update
types web/src/openapi.d.ts
