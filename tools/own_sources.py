"""The files that the checks look at: what git knows of ours, plus what is new and not ignored."""
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def own_files(*suffixes, under=("src", "apps", "examples", "bench", "tests", "tools")):
    """Paths relative to ROOT, sorted, of existing files with one of the suffixes."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *under],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return sorted({Path(f) for f in listed if f.endswith(suffixes) and (ROOT / f).is_file()})


def blank_comments_and_strings(text, keep_strings=False):
    """The same text with comments (and string contents) as spaces: offsets and lines stay."""
    out, i, n = [], 0, len(text)

    def blank(end):
        out.append("".join(c if c == "\n" else " " for c in text[i:end]))
        return end

    while i < n:
        if text.startswith("//", i):
            end = text.find("\n", i)
            i = blank(n if end < 0 else end)
        elif text.startswith("/*", i):
            end = text.find("*/", i + 2)
            i = blank(n if end < 0 else end + 2)
        elif text.startswith('R"', i):
            delimiter = text[i + 2:text.index("(", i)]
            end = text.index(")" + delimiter + '"', i) + len(delimiter) + 2
            i = blank(end)
        elif text[i] == '"' or (text[i] == "'" and not (i and text[i - 1].isalnum())):
            end = i + 1
            while end < n and text[end] != text[i] and text[end] != "\n":
                end += 2 if text[end] == "\\" else 1
            end = min(end + 1, n)
            if keep_strings:
                out.append(text[i:end])
                i = end
            else:
                i = blank(end)
        else:
            out.append(text[i])
            i += 1
    return "".join(out)
