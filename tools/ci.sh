#!/usr/bin/env bash
# `./dev test --ci`: every test on the release build, the unit tests under sanitizers, a short run
# of each fuzz target. ROOT JOBS
#
# Two cores are the measure. One clang build serves the address and undefined-behaviour sanitizers
# and the fuzz targets.
# The summary of the release tests comes last, with second tries and skips named before it: only
# tests with real peers may have a second try, and nothing may be skipped.
set -u
root=$1 jobs=$2
fuzz_seconds=${MESHSTOW_FUZZ_SECONDS:-20}
logs=$root/build/ci
mkdir -p "$logs"
cd "$root" || exit 1
failed=()
started=$SECONDS

step() { printf '\n== %s (%d s)\n' "$1" $((SECONDS - started)); }
# Runs a command quietly; its output is shown only if it fails.
quietly() {
  local name=$1
  shift
  "$@" >"$logs/$name.log" 2>&1 </dev/null && return 0
  tail -n 200 "$logs/$name.log"
  failed+=("$name")
  return 1
}
configure_and_build() {
  local preset=$1
  shift
  cmake --preset "$preset" "${options[@]}" && nice cmake --build "build/$preset" -j "$jobs" "$@"
}

# The release tests, or some of them: NAME.log is what ctest says, NAME.record what the tests said.
run_tests() {
  local name=$1 written=build/release/Testing/Temporary status=0
  shift
  rm -f "$written"/LastTest*.log
  ctest --test-dir build/release --output-on-failure -j "$jobs" "$@" \
    >"$logs/$name.log" 2>&1 </dev/null || status=1
  touch "$written/LastTest.log" "$written/LastTestsFailed.log"
  mv "$written/LastTest.log" "$logs/$name.record"
  mv "$written/LastTestsFailed.log" "$logs/$name.failed"
  return $status
}
# Of the tests that failed, those with real peers once more: their names begin with their labels.
second_tries() {
  local with_peers='^[0-9]+:((e2e|web)\..*)' again
  again=$(sed -nE "s/$with_peers/\1/p" "$logs/release-tests.failed" | paste -sd'|')
  [ -n "$again" ] || return 1
  step 'second tries'
  runs+=(second-tries)
  run_tests second-tries -R "^($again)\$" &&
    ! grep -qvE "$with_peers" "$logs/release-tests.failed"
}
# What ctest says of all runs; what it leaves out stands just before its summary.
show_tests() {
  local last=${runs[-1]} run report begin
  report=$(python3 tools/test_report.py --no-skips "${runs[@]/%/.record}") ||
    failed+=(release-tests)
  for run in "${runs[@]}"; do
    begin=$(grep -nE '^[0-9]+% tests passed' "$run.log" | tail -n 1 | cut -d: -f1)
    head -n $((${begin:-1} - 1)) "$run.log"
    [ "$run" != "$last" ] || grep -vE '^(In both runs |[0-9]+ passed, )' <<<"$report"
    tail -n +$((${begin:-1})) "$run.log"
  done
  [ ${#failed[@]} -eq 0 ] || echo "FAILED: $(printf '%s\n' "${failed[@]}" | sort -u | paste -sd' ')"
  grep -E '^(In both runs |[0-9]+ passed, )' <<<"$report"
}

step 'release build'
options=()
if ! quietly build-release configure_and_build release; then
  echo "the release build failed"
  exit 1
fi

# Alone: tests with real peers on two cores suffer from compilers beside them.
step 'release tests'
runs=(release-tests)
run_tests release-tests || second_tries || failed+=(release-tests)

step 'sanitizer and fuzz build'
# The layers that read bytes from outside. Storage and io are run under sanitizers by hand
# (CONTRIBUTING.md); their parsers are fuzzed here.
sanitized=(base crypto codec access protocol reticulum http node)
mapfile -t fuzz_targets < <(
  sed -n 's/^meshstow_fuzz(\([a-z_]*\).*/fuzz_\1/p' tests/fuzz/CMakeLists.txt)
options=(-DBUILD_TESTING=ON)
if quietly build-fuzz configure_and_build fuzz --target "${fuzz_targets[@]}" \
  "${sanitized[@]/%/_test}"; then
  step 'unit tests under the address and undefined-behaviour sanitizers'
  layers=$(IFS='|' && echo "${sanitized[*]}")
  quietly sanitized-unit \
    ctest --test-dir build/fuzz -R "^($layers)\\." --output-on-failure -j "$jobs" &&
    tail -n 4 "$logs/sanitized-unit.log"
  step "fuzz targets, $fuzz_seconds s each"
  find build/fuzz -name 'fuzz_*' -type f -perm -u+x | sed 's|.*/fuzz_||' | sort >"$logs/targets"
  quietly fuzz xargs -a "$logs/targets" -P "$jobs" -I{} \
    bash tools/fuzz_one.sh "$root" {} "$fuzz_seconds" "$logs/fuzz-{}.log"
  sed 's/^/fuzzed /' "$logs/targets"
fi

step 'the disk thread under the thread sanitizer'
options=()
if quietly build-tsan configure_and_build tsan --target io_test; then
  quietly tsan ctest --test-dir build/tsan -R '^io\.DiskThread' --output-on-failure -j "$jobs" &&
    tail -n 4 "$logs/tsan.log"
fi

step 'summary of the release tests'
runs=("${runs[@]/#/$logs/}")
show_tests
[ ${#failed[@]} -eq 0 ]
