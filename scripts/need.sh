#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: Debian packages (as root), Node's modules, and Go's.
# Without root it says what to install and stops.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v go >/dev/null; then
  echo "Go is missing: install Go $(awk '$1=="go"{print $2}' go.mod) or newer from https://go.dev/dl" >&2
  exit 1
fi

# program=package that has it
declare -A package=(
  [gcc]=gcc [git]=git [sipp]=sip-tester [svmap]=sipvicious [baresip]=baresip [chromium]=chromium [ip]=iproute2 [unshare]=util-linux
  [setpriv]=util-linux
)
missing=()
for program in "${!package[@]}"; do
  command -v "$program" >/dev/null || missing+=("${package[$program]}")
done
[ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
fc-list 2>/dev/null | grep -qi cjk || missing+=(fonts-noto-cjk)
if ! command -v npm >/dev/null; then missing+=(nodejs npm); fi
if [ ${#missing[@]} -gt 0 ]; then
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  if [ "$(id -u)" != 0 ]; then
    echo "These Debian packages are missing; as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  echo "installing ${missing[*]}"
  apt-get update -q >/dev/null
  # The cluster that the package would start is of no use: the tests start one of their own.
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >/dev/null
fi

# npm writes this file when it has installed what the lock says.
[ node_modules/.package-lock.json -nt package-lock.json ] || scripts/node.sh npm ci --no-audit --no-fund --silent
go mod download
