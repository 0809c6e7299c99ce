"""tools/test_report.py on logs that ctest writes here and now."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPORT = Path(__file__).resolve().parents[2] / "tools" / "test_report.py"
FLAKY = "if [ -e tried ]; then exit 0; fi; touch tried; echo broke; exit 1"
PYTEST = ("echo 'SKIPPED [2] test_x.py:7: no file system can be mounted here'; "
          "echo '1 passed, 2 skipped in 0.10s'")
NODE = "echo '\N{SMALL HYPHEN-MINUS} a full disk (0.25ms) # no mount here'"
GTEST = "printf 'x.cpp:5: Skipped\\nno sandbox\\n\\n[  SKIPPED ] A.b (0 ms)\\n'"


class Report(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder = Path(self.scratch.name)
        self.logs = []

    def ctest(self, **tests):
        """Runs the commands as tests; keeps the log."""
        lines = []
        for name, command in tests.items():
            lines.append(f"add_test({name} bash -c [=[{command}]=])")
            lines.append(f"set_tests_properties({name} PROPERTIES "
                         "SKIP_REGULAR_EXPRESSION [=[\\[  SKIPPED \\]]=])")
        (self.folder / "CTestTestfile.cmake").write_text("\n".join(lines), encoding="utf-8")
        subprocess.run(["ctest", "-j2"], cwd=self.folder, check=False, capture_output=True)
        log = self.folder / f"log{len(self.logs)}"
        (self.folder / "Testing/Temporary/LastTest.log").rename(log)
        self.logs.append(str(log))

    def report(self, *flags):
        done = subprocess.run([sys.executable, REPORT, *flags, *self.logs], capture_output=True,
                              text=True, check=False, env={"PYTHONIOENCODING": "utf-8"})
        return done.stdout.splitlines(), done.returncode

    def test_counts_what_passed(self):
        self.ctest(one="true", two="echo 'SKIPPED is only a word'")
        said, code = self.report("--no-skips")
        self.assertEqual(said[-1], "2 passed, 0 failed, 0 skipped")
        self.assertEqual(code, 0)

    def test_names_what_failed(self):
        self.ctest(one="true", two="false")
        said, code = self.report()
        self.assertIn("Failed: 1", said)
        self.assertIn("  two", said)
        self.assertEqual(said[-1], "1 passed, 1 failed, 0 skipped")
        self.assertEqual(code, 1)

    def test_names_what_passed_only_at_the_second_try(self):
        self.ctest(one="true", flaky=FLAKY, broken="false")
        self.ctest(flaky=FLAKY, broken="false")
        said, code = self.report()
        self.assertEqual(said[:2], ["Passed only at the second try: 1", "  flaky"])
        self.assertIn("In both runs 66% tests passed, 1 tests failed out of 3", said)
        self.assertEqual(said[-1], "2 passed, 1 failed, 0 skipped")
        self.assertEqual(code, 1)

    def test_names_skips_with_reasons_wherever_they_are(self):
        self.ctest(one="true", py=PYTEST, node=NODE, gtest=GTEST)
        said, code = self.report()
        self.assertEqual(code, 0)
        self.assertIn("Skipped: 4", said)
        self.assertIn("  py: test_x.py:7: no file system can be mounted here", said)
        self.assertIn("  node: a full disk: no mount here", said)
        self.assertIn("  gtest: no sandbox", said)
        self.assertEqual(said[-1], "3 passed, 0 failed, 4 skipped")

    def test_fails_for_a_skip_where_none_is_allowed(self):
        for command in (PYTEST, NODE, GTEST):
            with self.subTest(command=command):
                self.logs.clear()
                self.ctest(one=command)
                self.assertEqual(self.report("--no-skips")[1], 1)

    def test_a_run_without_tests_has_not_passed(self):
        self.ctest()
        self.assertEqual(self.report()[1], 1)


if __name__ == "__main__":
    unittest.main()
