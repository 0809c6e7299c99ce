"""docs/BENCHMARKS.md: a page of sections, each written by the benchmark that has its heading."""
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
