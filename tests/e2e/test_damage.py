"""A store that was damaged, cut short, put back or copied: it says so, and mixes nothing up."""
import json
import os
import random
import shutil
import sqlite3
import subprocess
import urllib.request

import pytest

from harness import LARGE_CHUNKS, flip, one_line, token_for

NOTE = "/private/notes/today.txt"
LARGE = random.Random(1).randbytes(2 << 20)


def test_check_names_the_document_that_rotted_and_get_never_serves_it(world):
    node = world.node()
    node.run("put", NOTE, data=LARGE)
    node.run("put", "/private/notes/whole", data=b"whole")
    assert node.json("check")["whole"]
    assert "Nothing is damaged" in node.run("check").out
    flip(node.home / "store.sqlite", LARGE_CHUNKS)
    rotten = (node.home / "store.sqlite").read_bytes()

    done = node.run("--json", "check", code=1)
    report = json.loads(done.out)
    assert not report["whole"] and report["found"] == 1
    assert NOTE.lstrip("/") in report["damages"][0]["path"]
    assert "today.txt" in node.run("check", code=1).out
    assert "STORE" in one_line(node.run("get", NOTE, "-o", os.devnull, code=14))
    assert node.run("get", "/private/notes/whole").stdout == b"whole"
    node.run("ls", "/private/notes/")
    node.run("status")
    assert (node.home / "store.sqlite").read_bytes() == rotten, "looking changes nothing"


TAMPERINGS = {
    "a piece is missing at the end":
        "DELETE FROM pieces WHERE content = {large} AND start = {last}",
    "a piece is missing in the middle":
        "DELETE FROM pieces WHERE content = {large} AND start = {second}",
    "two pieces have changed places":
        "UPDATE pieces SET (chunk, seal) = (SELECT chunk, seal FROM pieces AS other WHERE "
        "other.content = {large} AND other.start = CASE pieces.start WHEN 0 THEN {second} ELSE 0 "
        "END) WHERE content = {large} AND start IN (0, {second})",
    "two chunks have changed places":
        "UPDATE chunk_data SET data = (SELECT data FROM chunk_data AS other WHERE other.id = CASE "
        "chunk_data.id WHEN {a} THEN {b} ELSE {a} END) WHERE id IN ({a}, {b})",
    "a chunk of another document":
        "UPDATE pieces SET chunk = {foreign} WHERE content = {large} AND start = {second}",
    "the chunks of another document":
        "UPDATE nodes SET content = {other} WHERE content = {large}",
    "a chunk is gone": "DELETE FROM chunk_data WHERE id = {b}",
    "a chunk is shorter": "UPDATE chunk_data SET data = substr(data, 1, 999) WHERE id = {b}",
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_chunks_that_were_tampered_with_are_found_and_never_served(world, tmp_path, how):
    node = world.node()
    node.run("put", NOTE, data=LARGE)
    node.run("put", "/private/notes/other", data=random.Random(2).randbytes(2 << 20))
    with sqlite3.connect(node.home / "store.sqlite") as store:
        large, other = (row[0] for row in store.execute("SELECT id FROM contents ORDER BY id"))
        of = "SELECT start, chunk FROM pieces WHERE content = ? ORDER BY start"
        pieces = store.execute(of, (large,)).fetchall()
        foreign = store.execute(of, (other,)).fetchone()[1]
        change = TAMPERINGS[how].format(
            large=large, other=other, foreign=foreign, second=pieces[1][0], last=pieces[-1][0],
            a=pieces[0][1], b=pieces[1][1])
        assert store.execute(change).rowcount > 0
    store.close()
    got = node.run("get", NOTE, "-o", str(tmp_path / "out"), code=14)
    assert "STORE" in one_line(got) and NOTE in one_line(got)
    assert not (tmp_path / "out").exists()
    assert LARGE.startswith(node.run("get", NOTE, code=14).stdout)
    report = json.loads(node.run("--json", "check", code=1).out)
    assert any("today.txt" in damage["path"] for damage in report["damages"])


def torn(part, how):
    """What a file looks like after an accident."""
    return {"half": lambda: part[:len(part) // 2], "short": lambda: part[:-4096],
            "almost nothing": lambda: part[:100], "nothing": lambda: b"",
            "torn": lambda: part[:8192] + os.urandom(2048) + part[10_240:],
            "noise": lambda: os.urandom(len(part))}[how]()


@pytest.mark.parametrize("how", ["half", "short", "almost nothing", "torn", "noise", "nothing"])
def test_a_torn_store_says_so_and_serves_nothing_wrong(world, how):
    node = world.node()
    for number in range(40):
        node.run("put", f"/private/notes/{number}", data=b"%d" % number * 1000)
    node.run("put", "/public/notes/large", data=LARGE)
    file = node.home / "store.sqlite"
    file.write_bytes(torn(file.read_bytes(), how))
    for number in (3, 37):
        got = node.run("get", f"/private/notes/{number}", code=None)
        assert got.returncode == 0 and got.stdout == b"%d" % number * 1000 or one_line(got)
    large = node.run("get", "/public/notes/large", code=None)
    assert large.returncode in (1, 14) and LARGE.startswith(large.stdout) and one_line(large)
    checked = node.run("check", code=1)
    assert "damaged" in checked.out + checked.err or "gone" in checked.err


@pytest.mark.parametrize("how", ["half", "torn", "noise", "nothing"])
def test_a_torn_log_loses_only_what_was_in_it(world, how):
    node = world.node()
    node.run("put", NOTE, data=b"in the file")
    node.serve()
    node.run("put", "/private/notes/logged", data=os.urandom(30_000))
    log = node.home / "store.sqlite-wal"
    while log.stat().st_size < 20_000:
        node.run("put", "/private/notes/logged", data=os.urandom(30_000))
    author = node.json("stat", "/private/notes/logged")["version"].split("-")[0]
    node.kill()
    log.write_bytes(torn(log.read_bytes(), how))
    got = node.run("get", NOTE)
    assert got.stdout == b"in the file" and "lost its end" in got.err
    assert author not in node.json("put", NOTE, data=b"by another author")["version"]
    node.run("put", NOTE, data=b"in the file")
    # What is left of the log is kept, and a check tells of it until somebody has looked.
    kept = node.home / "store.sqlite-wal.damaged"
    found = json.loads(node.run("--json", "check", code=1).out)
    assert not found["whole"] and any(str(kept) in each["what"] for each in found["damages"])
    kept.unlink()
    assert node.json("check")["whole"]
    node.run("put", NOTE, data=b"goes on")
    assert node.run("get", NOTE).stdout == b"goes on"


def test_an_old_copy_of_the_store_is_a_new_author(world):
    node = world.node()
    log = node.json("put", NOTE, data=b"one")["version"].split("-")[0]
    old = (node.home / "store.sqlite").read_bytes()
    assert node.json("put", NOTE, data=b"two")["version"].split("-")[0] == log
    (node.home / "store.sqlite").write_bytes(old)
    assert node.json("put", NOTE, data=b"other")["version"].split("-")[0] != log


def log_of(put):
    return put["version"].split("-")[0]


def test_an_older_copy_of_the_whole_home_put_back_over_it_is_a_new_author(world):
    node = world.node()
    log = log_of(node.json("put", NOTE, data=b"one"))
    saved = node.folder / "saved"
    subprocess.run(["cp", "-a", node.home, saved], check=True)
    seen = node.json("put", NOTE, data=b"two")
    assert log_of(seen) == log
    subprocess.run(["cp", "-a", f"{saved}/.", node.home], check=True)
    other = node.json("put", NOTE, data=b"other")
    assert log_of(other) != log and other["etag"] != seen["etag"]
    assert node.json("check")["whole"]


def test_a_byte_changed_in_the_log_of_a_killed_node_is_noticed(world):
    node = world.node().serve()
    for number in range(20):
        node.run("put", f"/private/notes/{number}", data=os.urandom(2000))
    node.kill()
    log = node.home / "store.sqlite-wal"
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 4
    log.write_bytes(content)
    assert "lost its end" in node.run("ls", "/private/notes/").err
    assert "lost its end" in node.run("check", code=1).out
    assert (node.home / "store.sqlite-wal.damaged").read_bytes() == content


def test_a_store_of_one_byte_is_no_empty_store(world):
    node = world.node()
    node.run("put", NOTE, data=b"one")
    (node.home / "store.sqlite").write_bytes(b"S")
    assert "damaged" in one_line(node.run("ls", "/public/notes/", code=1))
    assert (node.home / "store.sqlite").read_bytes() == b"S"


def test_a_damaged_token_record_opens_nothing_and_hides_nothing(world):
    node = world.node()
    node.run("put", NOTE, data=b"one")
    token = token_for(node, "notes:r")
    store = sqlite3.connect(node.home / "store.sqlite", isolation_level=None)
    key, value = store.execute("SELECT key, value FROM records "
                               "WHERE hex(key) LIKE '52746F6B656E2F%'").fetchone()
    store.execute("UPDATE records SET value=? WHERE key=?",
                  (value[:-1] + bytes([value[-1] ^ 1]), key))
    store.close()
    done = node.run("get", NOTE)
    assert done.stdout == b"one" and "is damaged: the token opens nothing" in done.err
    assert node.run("check", code=1)
    node.serve(http="127.0.0.1:0")
    request = urllib.request.Request(node.ready["http"] + "/storage/me/notes/x",
                                     headers={"Authorization": "Bearer " + token})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 401


def test_a_copied_home_is_a_new_author_and_the_original_is_not(world):
    node = world.node()
    log = log_of(node.json("put", NOTE, data=b"one"))
    copies = [world.node(init=False) for _ in range(2)]
    for copy in copies:
        shutil.copytree(node.home, copy.home)
    (copies[1].home / "incarnation").unlink()
    for copy in copies:
        assert copy.run("get", NOTE).stdout == b"one"
        logs = {log_of(copy.json("put", NOTE, data=b"%d" % i)) for i in range(3)}
        assert len(logs) == 1 and log not in logs
        assert copy.json("check")["whole"]
    assert log_of(node.json("put", NOTE, data=b"two")) == log
    node.home.rename(node.folder / "moved")
    node.home = node.folder / "moved"
    assert log_of(node.json("put", NOTE, data=b"three")) == log


def test_a_store_that_somebody_looks_into_with_another_tool_is_used_all_the_same(world):
    node = world.node()
    node.run("put", NOTE, data=b"one")
    tool = sqlite3.connect(node.home / "store.sqlite")
    assert tool.execute("SELECT count(*) FROM nodes").fetchone()
    assert node.run("get", NOTE).stdout == b"one"
    node.run("put", NOTE, data=b"two")
    tool.close()
    assert node.run("get", NOTE).stdout == b"two"
    assert node.json("check")["whole"]
