#!/usr/bin/env python3
"""Says what ctest's summary leaves out: second tries, and what was skipped, also inside a test.

  test_report.py [--no-skips] LOG…     LOGs are LastTest.log of one run, and of its second tries

Named and counted are tests that failed at first and passed when they were tried again, and skips
with their reasons: of a whole ctest test, of a pytest or of a Node test inside one. The last line
is `N passed, N failed, N skipped`. Exit code 1 if anything failed, and with --no-skips if anything
was skipped.
"""
import re
import sys
from pathlib import Path

TEST = re.compile(r"^\d+/\d+ Test: (?P<name>.+)\n(?P<about>(?:.*\n)*?)Output:\n-+\n"
                  r"(?P<output>(?:.*\n)*?)<end of output>\n(?P<end>(?:.*\n)*?)\".*\" end time:",
                  re.MULTILINE)
OF_PYTEST = re.compile(r"^SKIPPED \[(\d+)\] (.+)$", re.MULTILINE)
OF_NODE = re.compile(r"^\s*\N{SMALL HYPHEN-MINUS} (.+) \([\d.]+ms\) # (.+)$", re.MULTILINE)
OF_GTEST = re.compile(r": Skipped\n(.*(?:\n.+)*?)\n\n?\[  SKIPPED \]")


def results(logs):
    """name -> [(passed | failed | skipped, output)], one for each try."""
    found = {}
    for log in logs:
        for test in TEST.finditer(log):
            how = ("passed" if "Test Passed." in test["end"]
                   else "skipped" if "Skip re" in test["end"] else "failed")
            found.setdefault(test["name"], []).append((how, test["output"]))
    return found


def skips(name, how, output):
    """(count, text) of each skip of one try."""
    if how == "skipped":
        reason = OF_GTEST.search(output)
        yield 1, f"{name}: {' '.join(reason[1].split()) if reason else 'no reason is given'}"
    else:
        for count, reason in OF_PYTEST.findall(output):
            yield int(count), f"{name}: {reason}"
        for test, reason in OF_NODE.findall(output):
            yield 1, f"{name}: {test}: {reason}"


def main(arguments):
    may_skip = "--no-skips" not in arguments
    logs = [Path(name).read_text(encoding="utf-8", errors="replace")
            for name in arguments if not name.startswith("--")]
    tests = results(logs)
    again = sorted(name for name, tries in tests.items()
                   if tries[0][0] == "failed" and tries[-1][0] == "passed")
    failed = sorted(name for name, tries in tests.items() if tries[-1][0] == "failed")
    skipped = [skip for name, tries in sorted(tests.items()) for skip in skips(name, *tries[-1])]
    count = sum(number for number, _ in skipped)
    passed = sum(tries[-1][0] == "passed" for tries in tests.values())
    for title, number, lines in (("Passed only at the second try", len(again), again),
                                 ("Skipped", count, [text for _, text in skipped]),
                                 ("Failed", len(failed), failed)):
        print(f"{title}: {number}", *lines, sep="\n  ")
    if count and not may_skip:
        print("Here nothing may be skipped: install or allow what the reasons name.")
    if len(logs) > 1:
        share = 100 * (len(tests) - len(failed)) // len(tests)
        print(f"In both runs {share}% tests passed, {len(failed)} tests failed "
              f"out of {len(tests)}")
    print(f"{passed} passed, {len(failed)} failed, {count} skipped")
    return bool(failed or (count and not may_skip) or not tests)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
