"""Reads a store with nothing but docs/FORMAT.md in hand."""
import base64
import hashlib
import random
import re
import sqlite3
from dataclasses import dataclass

from harness import ROOT

PUBLIC = 2
LARGE = random.Random(1).randbytes(1 << 20)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def big(value, size=8):
    return value.to_bytes(size, "big", signed=True)


def open_plain(context, stored):
    plaintext, check = stored[:-16], stored[-16:]
    assert sha256(context, plaintext)[:16] == check
    return plaintext


class Fields:
    def __init__(self, data):
        self.data = data

    def take(self, size):
        taken, self.data = self.data[:size], self.data[size:]
        assert len(taken) == size
        return taken

    def number(self, size=8):
        return int.from_bytes(self.take(size), "big")

    def text(self):
        return self.take(self.number(2)).decode()


@dataclass
class Entry:
    kind: int
    name: str
    flags: int = 0
    log: bytes = b""
    sequence: int = 0
    size: int = 0
    modified: int = 0
    latest: int = 0
    body: bytes = b""
    digest: bytes = b""
    content_type: str = ""
    seen: tuple = ()


def read_entry(node, parent, stored):
    fields = Fields(open_plain(b"E" + big(node) + big(parent), stored))
    entry = Entry(fields.number(1), fields.text())
    if entry.kind == 2:
        entry.flags, entry.log, entry.sequence = fields.number(1), fields.take(16), fields.number()
        entry.size, entry.modified = fields.number(), fields.number()
        entry.latest = fields.number() if entry.flags & 8 else entry.modified
        entry.body = fields.take(16)
        if entry.flags & 2:
            entry.digest = fields.take(32)
        entry.content_type = fields.text()
        entry.seen = tuple((fields.take(16), fields.number()) for _ in range(fields.number(2)))
    assert fields.data == b""
    return entry


def read_body(store, content, entry):
    chunked, body = store.execute("SELECT chunked, body FROM contents WHERE id = ?",
                                  (content,)).fetchone()
    assert bool(chunked) == bool(entry.flags & 2)
    if not chunked:
        return open_plain(b"B" + entry.body, body)
    out, digest = b"", bytes(32)
    for start, size, address, data in store.execute(
            "SELECT start, size, address, data FROM pieces JOIN chunks ON chunks.id = chunk "
            "JOIN chunk_data ON chunk_data.id = chunk WHERE content = ? ORDER BY start",
            (content,)):
        assert start == len(out) and size == len(data) and address == sha256(data)
        assert 16_384 < size <= 262_144 or start + size == entry.size
        out += data
        digest = sha256(digest, address, big(size))
    assert digest == entry.digest
    return out


def documents(store, folder, path):
    """Every live document below a public folder: path, entry, body, folder rows on the way."""
    for node, key, kind, content, stored in store.execute(
            "SELECT id, key, kind, content, entry FROM nodes WHERE parent = ? AND live = 1 "
            "ORDER BY key", (folder,)).fetchall():
        entry = read_entry(node, folder, stored)
        assert key.decode() == entry.name and entry.kind == kind + 1 and node > folder
        if kind == 0:
            yield from documents(store, node, f"{path}{entry.name}/")
        else:
            yield path + entry.name, node, entry, read_body(store, content, entry)


def test_a_store_is_what_its_description_says(world):
    node = world.node()
    bodies = {"/public/notes/a.txt": b"a", "/public/notes/deep/er/b.bin": LARGE,
              "/public/notes/empty": b""}
    node.run("put", "/public/notes/a.txt", data=b"before")
    for path, body in bodies.items():
        node.run("put", path, data=body)
    node.run("put", "/private/secret/document", data=b"secret")
    store = sqlite3.connect(f"file:{node.home / 'store.sqlite'}?mode=ro", uri=True)
    for name, value in {"application_id": 0x4D535457, "user_version": 2, "page_size": 4096,
                        "auto_vacuum": 2, "journal_mode": "wal"}.items():
        assert store.execute(f"PRAGMA {name}").fetchone()[0] == value
    found = {}
    for path, number, entry, body in documents(store, PUBLIC, "/public/"):
        found[path] = body
        about = node.json("stat", path)
        tag = sha256(b"meshstow document tag", entry.log, big(entry.sequence))[:12]
        assert about["etag"] == base64.urlsafe_b64encode(tag).decode()
        assert about["content_type"] == entry.content_type and about["size"] == entry.size
        assert about["version"] == f"{entry.log.hex()[:12]}-{entry.sequence}"
        before = [read_entry(number, parent, stored) for parent, stored in store.execute(
            "SELECT nodes.parent, history.entry FROM history JOIN nodes ON nodes.id = document "
            "WHERE document = ?", (number,))]
        earlier = max((each.latest for each in before), default=0)
        assert bool(entry.flags & 4) == (entry.modified // 1_000_000 > earlier // 1_000_000)
        assert entry.latest == max(earlier, entry.modified)
        assert [each.size for each in before] == ([6] if path.endswith("a.txt") else [])
        assert entry.seen == tuple((each.log, each.sequence) for each in before)
    assert found == bodies
    tables = {row[0] for row in store.execute("SELECT name FROM sqlite_schema WHERE type='table'")}
    described = set(re.findall(r"^\| (\w+) \|", (ROOT / "docs/FORMAT.md").read_text(), re.M))
    assert tables <= described
    store.close()
