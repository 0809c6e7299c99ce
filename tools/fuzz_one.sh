#!/usr/bin/env bash
# Runs one fuzz target on its corpus; what it finds lands in build/fuzz, not in the tree.
# ROOT TARGET SECONDS [LOG]: with LOG, output goes there and is shown only on failure.
set -euo pipefail
root=$1 target=$2 seconds=$3 log=${4:-}
program=$(find "$root/build/fuzz" -name "fuzz_$target" -type f -perm -u+x | head -n 1)
[ -n "$program" ] || { echo "no fuzz target '$target'" >&2; exit 1; }
found=$root/build/fuzz/found/$target
mkdir -p "$found"
run=("$program" "$found" "$root/tests/fuzz/corpus/$target" -max_total_time="$seconds" -timeout=60
  -rss_limit_mb=2048 -artifact_prefix="$root/build/fuzz/crash-$target-" -print_final_stats=1)
[ -n "$log" ] || exec "${run[@]}"
"${run[@]}" >"$log" 2>&1 && exit 0
echo "fuzz target '$target' failed:"
tail -n 60 "$log"
exit 255
