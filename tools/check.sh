#!/usr/bin/env bash
# The checks of `make check`. Every check runs, so that one run shows everything;
# the exit code says whether all of them passed.
set -uo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go}
failed=0

check() { # NAME COMMAND…
  local name=$1 out
  shift
  if out=$("$@" 2>&1); then
    case $out in
      skipped:*) printf 'skip   %s (%s)\n' "$name" "${out#skipped: }" ;;
      *) printf 'ok     %s\n' "$name" ;;
    esac
  else
    printf 'FAILED %s\n%s\n' "$name" "$out"
    failed=1
  fi
}

# Tools and modules are fetched first, so that their download lines stay out of the results.
fetch() { "$GO" list -deps -test ./... >/dev/null && "$GO" tool -modfile=tools/go.mod staticcheck -version && "$GO" tool -modfile=tools/go.mod templ version; }

formatted() {
  local files
  files=$(find . -name '*.go' -not -path '*/node_modules/*' -exec gofmt -l {} +) || return 1
  [ -z "$files" ] || { printf 'not formatted; run gofmt -w on\n%s\n' "$files"; return 1; }
}

generated_sums() { find . \( -name '*_templ.go' -o -path '*/ui/static/*.js' -o -path '*/lang/catalogue/en.yaml' \) -not -path '*/node_modules/*' -exec sha256sum {} + | sort -k2; }

undrifted() {
  local before after
  before=$(generated_sums)
  "$GO" tool -modfile=tools/go.mod templ generate -log-level error && tools/scripts.sh && (cd tools && "$GO" run ./texts ..) || return 1
  after=$(generated_sums)
  [ "$before" = "$after" ] || {
    printf 'generated files did not match what they are made from and were written anew; commit them:\n'
    diff <(printf '%s\n' "$before") <(printf '%s\n' "$after") | sed -n 's/^> [0-9a-f]*  //p'
    return 1
  }
}

check "modules can be had"        fetch
check "gofmt"                     formatted
check "generated files" undrifted
check "types of the scripts"      tools/types.sh
check "go vet"                    "$GO" vet ./...
check "staticcheck"               "$GO" tool -modfile=tools/go.mod staticcheck ./...
check "go.mod is tidy"            "$GO" mod tidy -diff
check "rules of the house"        "$GO" test -count=1 ./internal/archtest

exit "$failed"
