#!/usr/bin/env bash
# Bundles the scripts of the pages: each internal/web/ui/script/*.ts becomes one file
# of internal/web/ui/static, which is committed and embedded.
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${GO:-go}" tool -modfile=tools/go.mod esbuild internal/web/ui/script/*.ts \
  --bundle --minify --format=esm --target=es2022 --charset=utf8 --legal-comments=none \
  --log-level=warning --outdir=internal/web/ui/static
