#!/usr/bin/env bash
# Walks the demonstration's pages in a real Chromium (test/browser). Needs bin/entente
# and Node; installs Chromium where it can, and two packages that are only tests.
set -euo pipefail
cd "$(dirname "$0")/.."

missing() {
  if [ "${CI:-}" = true ]; then
    echo "$1" >&2
    exit 1
  fi
  echo "The browser tests are skipped: $1" >&2
  exit 0
}

command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || missing "Node 20 or newer is missing."

browser() {
  local name
  for name in /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
    [ -x "$name" ] && return 0
  done
  return 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

if ! browser; then
  command -v apt-get >/dev/null 2>&1 || missing "there is no Chromium, and no apt-get to install it with."
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1 || missing "there is no Chromium, and installing it needs root or sudo."
  echo "Installing Chromium for the browser tests …"
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  as_root apt-get update >>"$log" 2>&1 || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium >>"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; missing "Chromium could not be installed."; }
fi

cd test/browser
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules ]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
fi
# Two at a time: one waits for its browser while the other computes.
node --test --test-concurrency=2
