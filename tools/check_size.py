#!/usr/bin/env python3
"""Checks sizes: functions of at most 60 lines, files of 600, lines of 100 columns."""
import re
import sys

from own_sources import ROOT, blank_comments_and_strings, own_files

FUNCTION_LINES, FILE_LINES, COLUMNS = 60, 600, 100
# What opens a block that holds declarations rather than statements.
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b"
                   r"[^;(){}=]*(\([^()]*\)[^;(){}=]*)*$")
TAIL = re.compile(r"\)[^;{}=]*(->|:)[^;]*$")  # a return type or initialisers after the parameters


def functions(text):
    """(first line, lines) of every outermost block that is neither a scope nor an initialiser."""
    code = re.sub(r"^[ \t]*#.*(\\\n.*)*", "", blank_comments_and_strings(text), flags=re.M)
    stack, head, line, inside = [], "", 1, 0
    for char in code:
        if char == "\n":
            line += 1
        if char == "{":
            is_body = not inside and not SCOPE.search(head.strip()) and head.rstrip().endswith(
                (")", "const", "noexcept", "override", "else", "try", "mutable", "final"))
            is_body = is_body or (not inside and TAIL.search(head) is not None)
            stack.append((is_body, line))
            inside += is_body
            head = ""
        elif char == "}":
            if stack:
                was_body, start = stack.pop()
                inside -= was_body
                if was_body:
                    yield start, line - start + 1
            head = ""
        elif char == ";" and not head.count("(") > head.count(")"):
            head = ""
        else:
            head += char


def complaints(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = text.splitlines()
    if len(lines) > FILE_LINES:
        yield f"{path}: {len(lines)} lines; more than {FILE_LINES} are two subjects"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            yield f"{path}:{number}: {len(line)} columns, at most {COLUMNS}"
    if path.suffix in (".cpp", ".hpp"):
        for start, length in functions(text):
            if length > FUNCTION_LINES:
                yield f"{path}:{start}: a function of {length} lines, at most {FUNCTION_LINES}"


def main():
    files = own_files(".cpp", ".hpp", ".py", ".sh", "CMakeLists.txt")
    found = [c for path in files for c in complaints(path)]
    print("\n".join(found) if found else f"sizes: {len(files)} files within their limits")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
