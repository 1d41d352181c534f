#!/usr/bin/env bash
# Builds web/dist from web/ and modules/*/ui.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || scripts/node.sh npm ci --no-audit --no-fund --silent
scripts/node.sh npm run --silent build -- --logLevel warn
