"""docs/BENCHMARKS.md: a page of sections, each written by the benchmark that has its heading."""
import os
import platform
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "BENCHMARKS.md"
HEAD = """# Benchmarks

Measured beside what else there is, each section in one run on one machine. Figures, not promises.
"""


def put_section(text, page=PAGE):
    """`text` begins with its "## heading". It takes the place of that section, or comes last."""
    heading = text.split("\n", 1)[0]
    assert heading.startswith("## ")
    whole = page.read_text() if page.exists() else HEAD
    begin = whole.find(heading + "\n")
    if begin < 0:
        page.write_text(whole.rstrip("\n") + "\n\n" + text.rstrip("\n") + "\n")
        return
    following = whole.find("\n## ", begin)
    rest = "" if following < 0 else whole[following:]
    page.write_text(whole[:begin] + text.rstrip("\n") + "\n" + rest)


def machine():
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text()
                  .splitlines() if line.startswith("model name")), platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}"
