#!/usr/bin/env bash
# Runs a command with TEST_POSTGRES set to a throw-away PostgreSQL on loopback, started here and stopped after.
set -euo pipefail
if [ -n "${TEST_POSTGRES:-}" ]; then exec "$@"; fi

bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
dir=$(mktemp -d /tmp/kapok-postgres-XXXXXX)
port=$((20000 + RANDOM % 20000))
as=()
if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; as=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi
cd "$dir"
"${as[@]}" "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync >"$dir/init.log" 2>&1 || { cat "$dir/init.log"; exit 1; }
"${as[@]}" "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/server.log" \
  -o "-c listen_addresses=127.0.0.1 -p $port -c unix_socket_directories=$dir -c fsync=off -c max_connections=300" start >/dev/null
trap '"${as[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1; rm -rf "$dir"' EXIT
cd "$OLDPWD"
TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable" "$@"
