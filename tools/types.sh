#!/usr/bin/env bash
# Checks the types of the pages' scripts with TypeScript's own compiler, which is the
# only part of the checks that needs Node. Nothing of it is shipped: bundling is
# tools/scripts.sh, a Go program.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
  [ "${CI:-}" = true ] && { echo "Node 20 or newer is missing." >&2; exit 1; }
  echo "skipped: Node 20 or newer is missing" >&2
  exit 0
fi
if [ ! -x node_modules/.bin/tsc ] || [ package-lock.json -nt node_modules ]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  touch node_modules
fi
exec node_modules/.bin/tsc -p ../internal/web/ui/script/tsconfig.json
