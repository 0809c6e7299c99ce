#!/usr/bin/env bash
# The checks of `./dev check`: all of them run, the worst decides. ROOT JOBS [--fix]
set -u
root=$1 jobs=$2 fix=${3:-}
cd "$root" || exit 1
failed=0

mapfile -t sources < <(git ls-files --cached --others --exclude-standard -- '*.cpp' '*.hpp')
if [ "$fix" = --fix ]; then clang-format-16 -i "${sources[@]}"; fi
if out=$(clang-format-16 --dry-run --Werror "${sources[@]}" 2>&1); then
  echo "format: ${#sources[@]} files as clang-format wants them"
else
  grep 'error:' <<<"$out" | cut -d: -f1 | sort | uniq -c | sed 's/^/format: places in /'
  echo "format: ./dev check --fix mends it"
  failed=1
fi
python3 tools/check_layers.py || failed=1
python3 tools/check_size.py || failed=1
python3 tools/check_bounds.py || failed=1

# The compile commands and the configured headers come from the release build.
if [ ! -f build/release/build.ninja ]; then cmake --preset release >/dev/null || exit 1; fi
nice python3 tools/tidy.py build/release "$jobs" || failed=1
[ $failed -eq 0 ] && echo "check: clean"
exit $failed
