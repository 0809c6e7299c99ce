#!/usr/bin/env python3
"""Checks that docs/BOUNDS.md names every limit of limits.hpp and http_limits.hpp, with its size,
and only tests that there are ("Suite.*": some of that suite)."""
import re
import sys

from own_sources import ROOT

UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "\u00b5s": 1e-6, "ms": 1e-3, "s": 1}
CHRONO = {"microseconds": 1e-6, "milliseconds": 1e-3, "seconds": 1, "minutes": 60, "hours": 3600}
LIMIT = re.compile(r"inline constexpr ([\w:]+) (k\w+)\s*(?:=\s*([^;{]+)|\{([^}]*)\});")
TEST = re.compile(r"^\s*TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.M)


def limits():
    """Name to size, times in seconds."""
    out = {}
    files = (ROOT / "src/base/limits.hpp", ROOT / "src/base/http_limits.hpp")
    text = re.sub(r"//.*", "", "".join(file.read_text() for file in files))
    for kind, name, value, braced in LIMIT.findall(text):
        plain = re.sub(r"(?<=\d)(ULL|UL|U|L)\b", "", (value or braced).replace("'", ""))
        size = eval(plain.replace("/", "//"), {}, dict(out))  # pylint: disable=eval-used
        out[name] = size * CHRONO.get(kind.rpartition("::")[2], 1)
    return out


def size_of(text):
    """"64 MiB", "4,096", "25 s": None if it is nothing of the kind."""
    found = re.fullmatch(r"([\d,.]+)(?: (\S+))?", text.strip())
    if not found or (found[2] or "B") not in UNITS:
        return None
    return float(found[1].replace(",", "")) * UNITS[found[2] or "B"]


def tests():
    names = set()
    for file in ROOT.glob("src/**/*_test.cpp"):
        names.update(".".join(each) for each in TEST.findall(file.read_text()))
    for file in (ROOT / "tests").glob("**/test_*.py"):
        names.update(f"{file.name}:{name}" for name in
                     re.findall(r"^def (test_\w+)", file.read_text(), re.M))
    names.update(file.name for file in (ROOT / "tests/web").glob("*.test.mjs"))
    names.update(name.rpartition(".")[0] + ".*" for name in tuple(names))
    return names


def main():
    wrong, seen, there, known = [], set(), limits(), tests()
    for number, line in enumerate((ROOT / "docs/BOUNDS.md").read_text().splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        names = re.findall(r"`(k\w+)`", cells[0] if line.startswith("|") else line)
        seen.update(names)
        wrong += [f"{number}: no such limit: {name}" for name in names if name not in there]
        if not line.startswith("|"):
            continue
        if names and names[0] in there and size_of(cells[1]) != there[names[0]]:
            wrong.append(f"{number}: {names[0]} is {there[names[0]]:,}, not {cells[1]}")
        for test in re.findall(r"`([\w.]+[.:][\w*]+)`", cells[-1]):
            if test not in known:
                wrong.append(f"{number}: no such test: {test}")
    wrong += [f"{name} is not on the page" for name in there if name not in seen]
    for each in wrong:
        print(f"bounds: docs/BOUNDS.md: {each}")
    if not wrong:
        print(f"bounds: {len(there)} limits on the page, with their sizes and tests")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
