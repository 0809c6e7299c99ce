#!/usr/bin/env bash
# Drives a built meshstow from outside: remotestorage.js in Node and in Chromium, raw sockets, load.
#
#   tests/web/run.sh [--full] [FILE.test.mjs…]     all of them by default
#
# --full runs what is claimed rather than a minute of it: 1 GiB documents, ten minutes of kill -9.
# Needs nodejs, npm and chromium (Debian packages). MESHSTOW_BINARY names the program, else
# build/release/meshstow.
# The packages are installed once, into build/web; further settings stand at the top of each test.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export MESHSTOW_BINARY=${MESHSTOW_BINARY:-$root/build/release/meshstow}
export MESHSTOW_WEB_MODULES=${MESHSTOW_WEB_MODULES:-$root/build/web}

die() { printf 'web tests: %s\n' "$*" >&2; exit 1; }

for program in node npm; do
  command -v "$program" >/dev/null ||
    die "no $program: install the packages nodejs, npm and chromium"
done
[ -n "${MESHSTOW_WEB_SERVER:-}" ] || [ -x "$MESHSTOW_BINARY" ] ||
  die "no program at $MESHSTOW_BINARY: run ./dev build"

mkdir -p "$MESHSTOW_WEB_MODULES"
(
  flock 9  # ctest starts several of us at once
  if ! cmp -s "$here/package-lock.json" "$MESHSTOW_WEB_MODULES/installed"; then
    cp "$here/package.json" "$here/package-lock.json" "$MESHSTOW_WEB_MODULES"
    npm --prefix "$MESHSTOW_WEB_MODULES" ci --prefer-offline --no-audit --no-fund \
      --loglevel=error >&2
    cp "$here/package-lock.json" "$MESHSTOW_WEB_MODULES/installed"
  fi
) 9>"$MESHSTOW_WEB_MODULES/lock"

if [ "${1:-}" = --full ]; then
  shift
  export MESHSTOW_WEB_LARGE_MIB=${MESHSTOW_WEB_LARGE_MIB:-1024}
  export MESHSTOW_WEB_LOAD_SECONDS=${MESHSTOW_WEB_LOAD_SECONDS:-600}
fi
ulimit -n "$(ulimit -Hn)" || true  # for the test with 10,000 connections

cd "$here"
[ $# -gt 0 ] || set -- *.test.mjs
# One file at a time: some of them measure memory and time.
exec node --test --test-concurrency=1 --test-reporter=spec "$@"
