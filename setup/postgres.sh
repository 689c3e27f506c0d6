#!/bin/sh
# Runs a command beside a scratch PostgreSQL, made from Debian's packages, as a user without rights, and removes it.
# Usage: setup/postgres.sh COMMAND [ARGUMENT…]   HEADSHOTLY_DATABASE_URL is set for the command.
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || { echo "PostgreSQL is not installed (Debian: apt-get install postgresql)" >&2; exit 1; }
folder=$(mktemp -d /tmp/headshotly-postgres.XXXXXX)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
if [ "$(id -u)" = 0 ]; then
  chown nobody "$folder"
  as() { runuser -u nobody -- "$@"; }
else
  as() { "$@"; }
fi
stop() {
  code=$?
  as "$bin/pg_ctl" -D "$folder/data" -m immediate -s stop >/dev/null 2>&1 || true
  rm -rf "$folder"
  exit $code
}
trap stop EXIT INT TERM
cd /
as "$bin/initdb" -D "$folder/data" -U headshotly --auth=trust -E UTF8 --locale=C.UTF-8 >/dev/null
as "$bin/pg_ctl" -D "$folder/data" -s -w -l "$folder/log" \
  -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder -c fsync=off -c max_connections=200" start
as "$bin/createdb" -h 127.0.0.1 -p "$port" -U headshotly headshotly
as "$bin/createdb" -h 127.0.0.1 -p "$port" -U headshotly headshotly_keys
cd - >/dev/null
HEADSHOTLY_DATABASE_URL="postgresql://headshotly@127.0.0.1:$port/headshotly" "$@"
