#!/usr/bin/env bash
# Makes sure that PostgreSQL's programs are on this machine. Nothing is started
# here: the tests run a private cluster of their own from them.
set -euo pipefail

present() {
  local initdb
  for initdb in /usr/lib/postgresql/*/bin/initdb; do
    [ -x "$initdb" ] && return 0
  done
  command -v initdb >/dev/null 2>&1
}

present && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "PostgreSQL 15 or newer is missing, and this machine has no apt-get to install it with." >&2
  echo "Install its server programs (initdb, pg_ctl, postgres) by hand and run again." >&2
  exit 1
fi

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    echo "PostgreSQL is missing, and installing it needs root or sudo: run 'apt-get install postgresql' as root." >&2
    exit 1
  fi
}

echo "Installing PostgreSQL's programs for the tests …"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1" >>"$log" 2>&1
}

as_root apt-get update >>"$log" 2>&1 || true
install postgresql-15 || install postgresql || {
  echo "PostgreSQL could not be installed:" >&2
  tail -n 20 "$log" >&2
  exit 1
}
present || { echo "PostgreSQL was installed, but no initdb is found in /usr/lib/postgresql/*/bin." >&2; exit 1; }
