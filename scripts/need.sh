#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: Debian packages (as root) and Node's modules.
# Without root it says what to install and stops.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A package=(
  [gcc]=gcc [sipp]=sip-tester [baresip]=baresip [chromium]=chromium [pg_dump]=postgresql [make]=make [git]=git
)
missing=()
for program in "${!package[@]}"; do
  command -v "$program" >/dev/null || missing+=("${package[$program]}")
done
[ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
fc-list 2>/dev/null | grep -qi cjk || missing+=(fonts-noto-cjk)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "These Debian packages are missing; as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  echo "installing ${missing[*]}"
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >/dev/null
fi

scripts/node.sh npm ci --no-audit --no-fund --silent
