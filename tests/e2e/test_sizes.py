"""Large documents and many of them: memory stays, space comes back, listings come by pages.

MESHSTOW_LARGE_MB=16384 is the largest document there is.
"""
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess

import pytest

from harness import BINARY, die_with_parent, eventually, token_for

LARGE = int(os.environ.get("MESHSTOW_LARGE_MB", "192"))
GROWTH = 16 << 10  # KiB: what any size may add to the memory of a process
PIECE = 1 << 20
BOUND = 16 << 30


def pieces(count, seed):
    source = random.Random(seed)
    return (source.randbytes(PIECE) for _ in range(count))


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        peaks = [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
        return peaks[0] if peaks else 0  # 0: it has ended


def put(node, path, count, seed):
    """Streams a document in; returns its hash and the most memory of the command."""
    command = subprocess.Popen([BINARY, "--home", str(node.home), "-q", "put", path],
                               stdin=subprocess.PIPE, env=node.env, preexec_fn=die_with_parent)
    digest = hashlib.sha256()
    for piece in pieces(count, seed):
        digest.update(piece)
        command.stdin.write(piece)
    most = memory(command.pid)
    command.stdin.close()
    assert command.wait() == 0
    return digest.hexdigest(), most


def get(node, path):
    command = subprocess.Popen([BINARY, "--home", str(node.home), "-q", "get", path],
                               stdout=subprocess.PIPE, env=node.env, preexec_fn=die_with_parent)
    digest, most = hashlib.sha256(), 0
    while piece := command.stdout.read(PIECE):
        digest.update(piece)
        most = max(most, memory(command.pid))
    assert command.wait() == 0
    return digest.hexdigest(), most


@pytest.mark.parametrize("serving", [False, True], ids=["alone", "with serve"])
def test_a_large_document_takes_no_memory(world, serving):
    node = world.node()
    if serving:
        node.serve()
    _, small_put = put(node, "/private/big/small", 1, 0)
    _, small_get = get(node, "/private/big/small")
    before = memory(node.process.pid) if serving else 0
    stored, put_memory = put(node, "/private/big/large", LARGE, 1)
    read, get_memory = get(node, "/private/big/large")
    assert read == stored
    assert put_memory < small_put + GROWTH
    assert get_memory < max(small_get, small_put) + GROWTH
    if serving:
        assert memory(node.process.pid) - before < GROWTH


def test_one_byte_too_many_is_refused(world, tmp_path):
    node = world.node().serve()
    with open(tmp_path / "huge", "wb") as huge:
        huge.truncate(BOUND + 1)
    before = (node.home / "store.sqlite").stat().st_size
    done = node.run("put", "/private/big/huge", str(tmp_path / "huge"), code=14)
    assert "STORE004" in done.err and "16 GiB" in done.err
    assert (node.home / "store.sqlite").stat().st_size == before
    assert node.json("ls", "/")["items"] == []


def test_the_space_of_a_body_that_stops_comes_back_by_itself(world):
    node = world.node().serve()
    for attempt in range(4):
        command = subprocess.Popen([BINARY, "--home", str(node.home), "-q", "put", "/private/b/x"],
                                   stdin=subprocess.PIPE, env=node.env,
                                   preexec_fn=die_with_parent)
        for piece in pieces(16, attempt):
            command.stdin.write(piece)
        command.send_signal(signal.SIGKILL)
        command.wait()
        eventually(lambda: count(node, "loose") == 0 and count(node, "chunks") == 0,
                   "the end of what was left")
    assert node.json("ls", "/")["items"] == []
    size = (node.home / "store.sqlite").stat().st_size
    assert size < 2 * 16 * PIECE, "what was given back is used again"


def count(node, table):
    """Rows, of a copy: a running node has its file alone. None if it was caught writing."""
    copy = node.folder / "copy.sqlite"
    for part in ("", "-wal"):
        shutil.copy(f"{node.home / 'store.sqlite'}{part}", f"{copy}{part}")
    store = sqlite3.connect(copy)
    try:
        return store.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    except sqlite3.DatabaseError:
        return None
    finally:
        store.close()


def test_what_nobody_keeps_is_reclaimed_while_the_node_runs(world):
    node = world.node()
    node.json("history-policy", "none")
    node.serve()
    for version in range(5):
        digest, _ = put(node, "/private/b/x", 8, version)
        eventually(lambda: count(node, "loose") == 0, "the end of the version before")
    assert (node.home / "store.sqlite").stat().st_size < 3 * 8 * PIECE
    assert get(node, "/private/b/x")[0] == digest
    assert node.json("check")["whole"]


def test_large_folders_are_listed_by_pages(world):
    node = world.node().serve(http="127.0.0.1:0")
    head = {"Authorization": "Bearer " + token_for(node, "many:rw"), "Content-Type": "text/plain"}
    server = http.client.HTTPConnection(node.ready["http"].partition("//")[2])
    names = {f"n{number}" for number in range(2300)}
    for name in names:
        server.request("PUT", f"/storage/me/many/{name}", b"tiny", head)
        answer = server.getresponse()
        answer.read()
        assert answer.status == 201
    for _ in range(2):
        listing = node.json("ls", "/private/many/")
        assert sorted(item["name"] for item in listing["items"]) == sorted(names)
        assert listing["etag"] == node.json("stat", "/private/many/")["etag"]
        lines = [line.split()[0] for line in node.run("ls", "/private/many/").out.splitlines()]
        assert lines == sorted(names)
        if node.process:
            assert node.stop() == 0
    assert json.loads(node.run("--json", "ls", "/private/none/").out)["items"] == []
