#!/usr/bin/env python3
"""Runs clang-tidy over our sources, each once per content.

tidy.py BUILD_DIR JOBS: BUILD_DIR holds compile_commands.json. A file that was clean is not looked
at again until it, a header of ours that it includes, its flags or .clang-tidy change
(build/tidy/<hash>).
"""
import hashlib
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from own_sources import ROOT, own_files

TIDY = "clang-tidy-16"
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.M)


def closure(path, seen):
    """Adds to `seen` (path -> bytes) the file and every header of ours that it reaches."""
    if path in seen:
        return
    seen[path] = path.read_bytes()
    for name in INCLUDE.findall(seen[path]):
        for folder in (ROOT / "src", path.parent):
            header = (folder / name.decode()).resolve()
            if header.is_file():
                closure(header, seen)
                break


def fingerprint(entry):
    seen = {}
    closure(Path(entry["file"]), seen)
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes() + entry["command"].encode())
    for path in sorted(seen):
        digest.update(str(path).encode() + b"\0" + seen[path] + b"\0")
    return digest.hexdigest()


def print_new(output, seen):
    """Each complaint once, however many files include the header that it is about."""
    for complaint in re.split(r"^(?=\S+:\d+:\d+: (?:error|warning):)", output, flags=re.M):
        if complaint.strip() and complaint not in seen:
            seen.add(complaint)
            print(complaint, end="", flush=True)


def main():
    build, jobs = Path(sys.argv[1]), int(sys.argv[2])
    ours = {str(ROOT / p) for p in own_files(".cpp", under=("src", "apps", "examples", "bench"))}
    entries = [e for e in json.loads((build / "compile_commands.json").read_text())
               if e["file"] in ours]
    cache = ROOT / "build" / "tidy"
    cache.mkdir(parents=True, exist_ok=True)
    todo = [(e, mark) for e in entries if not (mark := cache / fingerprint(e)).exists()]
    print(f"tidy: {len(todo)} of {len(entries)} files changed since they were clean", flush=True)

    seen = set()

    def look(job):
        entry, mark = job
        run = subprocess.run([TIDY, "-p", str(build), "--quiet", "--warnings-as-errors=*",
                              entry["file"]], capture_output=True, text=True)
        if run.returncode == 0:
            mark.touch()
        else:
            print_new(run.stdout, seen)
        return run.returncode

    with ThreadPoolExecutor(jobs) as pool:
        failed = sum(code != 0 for code in pool.map(look, todo))
    print(f"tidy: {failed} files with complaints" if failed else "tidy: clean")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
