#!/usr/bin/env python3
"""Checks the direction of includes, who may include which library, and that the core stays sans-IO.

The graph is drawn in docs/ARCHITECTURE.md; here it is law. Tests may read files, nothing else.
"""
import re
import sys

from own_sources import ROOT, blank_comments_and_strings, own_files

FOUNDATION = {"base", "codec", "crypto"}
MIDDLE = FOUNDATION | {"reticulum", "storage", "access"}
ALLOWED = {
    "base": set(),
    "codec": {"base"},
    "crypto": {"base"},
    "reticulum": FOUNDATION,
    "storage": FOUNDATION,
    "access": FOUNDATION,
    "protocol": MIDDLE,
    "sync": MIDDLE,
    "mesh": MIDDLE | {"protocol", "sync"},
    "http": MIDDLE | {"protocol", "sync"},
    "node": MIDDLE | {"protocol", "sync", "mesh", "http"},
}
ALLOWED["io"] = ALLOWED["sim"] = set(ALLOWED) - {"io", "sim"}
CORE = set(ALLOWED) - {"io"}

# Library headers that only some folders may include.
ONLY_IN = [
    (r"openssl/", {"crypto"}, "only src/crypto includes OpenSSL"),
    (r"sqlite3\.h", {"storage"}, "only src/storage includes SQLite"),
    (r"boost/(asio|beast)", {"io"}, "only src/io and apps include Asio and Beast"),
    (r"bzlib\.h|zstd\.h", {"codec", "storage"}, "compression belongs to src/codec and src/storage"),
]
CORE_HEADERS = re.compile(
    r"(sys/|netinet/|arpa/|unistd\.h|fcntl\.h|poll\.h|netdb\.h|ctime|time\.h|random|thread|future"
    r"|fstream|filesystem|iostream|condition_variable)")
CORE_CALLS = [
    (r"\b(system_clock|steady_clock|high_resolution_clock)\b", "reads a clock"),
    (r"\b(clock_gettime|gettimeofday|timespec_get|std::time|std::clock)\s*\(", "reads a clock"),
    (r"\b(random_device|getrandom|getentropy|RAND_bytes|RAND_priv_bytes|std::rand|srand)\b",
     "reads a random device"),
    (r"(::|\b)(getenv|secure_getenv)\s*\(", "reads the environment"),
    (r"(?<!\w)::(socket|connect|bind|open|read|write|send|recv)\s*\(", "makes a system call"),
    (r"\b(fopen|freopen|tmpfile|mkstemp)\s*\(", "opens a file"),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", "waits"),
]
TESTS_MAY = ("reads the environment", "opens a file")
TEST_FILE = re.compile(r"(_test\.cpp|_for_test\.[ch]pp)$")
TEST_HEADERS = re.compile(r"(fstream|filesystem|thread|iostream|unistd\.h|sys/stat\.h)")


def layer_of(path):
    return path.parts[1] if path.parts[0] == "src" and len(path.parts) > 2 else None


def complaints(path):
    text = blank_comments_and_strings((ROOT / path).read_text(encoding="utf-8"), keep_strings=True)
    layer = layer_of(path)
    is_test = bool(TEST_FILE.search(path.name))
    for number, line in enumerate(text.splitlines(), 1):
        include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if include:
            for message in include_complaints(layer, is_test, *include.groups()):
                yield f"{path}:{number}: {message}"
        elif layer in CORE:
            for pattern, message in CORE_CALLS:
                if re.search(pattern, line) and not (is_test and message in TESTS_MAY):
                    yield f"{path}:{number}: src/{layer} {message}; that is for src/io"


def include_complaints(layer, is_test, kind, name):
    for pattern, layers, message in ONLY_IN:
        if layer and layer not in layers and re.match(pattern, name):
            yield f"includes <{name}>: {message}"
    if layer in CORE and kind == "<" and CORE_HEADERS.fullmatch(name.split("/")[0] + (
            "/" if "/" in name else "")):
        if not (is_test and TEST_HEADERS.fullmatch(name)):
            yield f"includes <{name}>: src/{layer} touches no operating system"
    target = name.split("/")[0] if kind == '"' and "/" in name else None
    if layer and target in ALLOWED and target != layer and target not in ALLOWED[layer]:
        yield f'includes "{name}": src/{layer} stands before src/{target}'


def main():
    found = [c for path in own_files(".cpp", ".hpp", under=("src",)) for c in complaints(path)]
    unknown = sorted({layer_of(p) for p in own_files(".cpp", ".hpp", under=("src",))}
                     - set(ALLOWED) - {None})
    found += [f"src/{layer}: not in the graph of tools/check_layers.py" for layer in unknown]
    print("\n".join(found) if found else "layers: one direction, core without IO")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
