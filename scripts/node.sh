#!/usr/bin/env bash
# Runs a Node command with Node >= 20.19: the machine's own, else Node 22 through npx.
set -euo pipefail
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  if [ "$(id -u)" != 0 ]; then
    echo "Node.js and npm are missing; as root: apt-get install nodejs npm" >&2
    exit 1
  fi
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends nodejs npm >/dev/null
fi
if node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>20||(a==20&&b>=19)?0:1)'; then
  exec "$@"
fi
exec npx -y -p node@22 -- "$@"
