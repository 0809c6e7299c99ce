"""The care of a store: history, checks, backups, quota, and a ground that gives way."""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import urllib.request
from pathlib import Path

import pytest

from harness import (BINARY, PATIENCE, Node, die_with_parent, eventually, one_line, token_for,
                     tree)

NOTE = "/private/notes/today.txt"
LARGE = random.Random(1).randbytes(2 << 20)


def another_home(world, node):
    """A home with the same identities and keys, and an empty store."""
    other = world.node()
    shutil.copytree(node.home / "identities", other.home / "identities", dirs_exist_ok=True)
    shutil.copy(node.home / "keyring", other.home / "keyring")
    for name in ("store.sqlite", "store.sqlite-wal", "store.sqlite-mark", "incarnation"):
        (other.home / name).unlink(missing_ok=True)
    return other


@pytest.mark.parametrize("serving", [False, True], ids=["alone", "with serve"])
def test_what_was_overwritten_and_deleted_comes_back(world, serving):
    node = world.node()
    if serving:
        node.serve()
    first = node.json("put", NOTE, data=b"one")
    second = node.json("put", NOTE, data=LARGE)
    node.run("rm", NOTE)
    versions = node.json("history", NOTE)["versions"]
    assert [(each["deleted"], each["size"]) for each in versions] == [
        (True, 0), (False, len(LARGE)), (False, 3)]
    assert [each["version"] for each in versions[1:]] == [second["version"], first["version"]]
    assert node.run("get", NOTE, "--version", first["version"]).stdout == b"one"
    assert node.json("stat", NOTE, "--version", second["version"])["size"] == len(LARGE)
    assert "STORE001" in one_line(node.run("get", NOTE, code=11))
    restored = node.json("restore", NOTE, "--version", second["version"])
    assert restored["version"] != second["version"]
    assert node.run("get", NOTE).stdout == LARGE
    assert node.json("stat", NOTE)["etag"] == restored["etag"]
    assert "STORE001" in one_line(node.run("restore", NOTE, "--version", "none", code=11))
    assert "STORE001" in one_line(node.run("history", "/private/notes/none", code=11))
    assert second["version"] in node.run("history", NOTE).out


def test_the_policy_of_history_is_the_owners(world):
    node = world.node()
    assert node.json("history-policy") == {"module": None, "days": 30, "versions": 10}
    node.json("history-policy", "none", "--module", "notes")
    assert node.json("history-policy", "--module", "notes") == {
        "module": "notes", "days": 0, "versions": 0}
    for body in (b"1", b"2", b"3"):
        node.run("put", NOTE, data=body)
        node.run("put", "/private/other/x", data=body)
    assert len(node.json("history", NOTE)["versions"]) == 1
    assert len(node.json("history", "/private/other/x")["versions"]) == 3
    assert node.json("history-policy", "all")["versions"] is None
    assert node.json("history-policy", "7d,2") == {"module": None, "days": 7, "versions": 2}
    assert node.json("history-policy", "default")["days"] == 30
    assert "STORE004" in one_line(node.run("history-policy", "sometimes", code=14))


@pytest.mark.parametrize("serving", [False, True], ids=["alone", "with serve"])
def test_a_quota_is_asked_before_anything_is_written(world, serving, tmp_path):
    node = world.node()
    if serving:
        node.serve()
    assert node.json("quota")["quota"] is None
    shown = node.json("quota", "1M")
    assert (shown["quota"], shown["space_left"]) == (1 << 20, 1 << 20)
    (tmp_path / "large").write_bytes(LARGE)
    assert "STORE003" in one_line(node.run("put", NOTE, str(tmp_path / "large"), code=13))
    assert "STORE003" in one_line(node.run("put", NOTE, data=LARGE, code=13))  # in mid-stream
    node.run("put", NOTE, data=b"x" * 1000)
    status = node.json("status")
    assert (status["quota"], status["space_left"]) == (1 << 20, (1 << 20) - 1000)
    node.run("quota", "--module", "notes", "500")
    assert "STORE003" in one_line(node.run("put", "/public/notes/more", data=b"y", code=13))
    node.run("put", "/public/other/more", data=b"y")
    assert node.json("quota", "--module", "notes")["quota"] == 500
    for unset in (["quota", ""], ["quota", "", "--module", "notes"], ["history-policy", ""]):
        assert "empty" in node.run(*unset, code=2).err
    node.run("quota", "none", "--module", "notes")
    node.run("put", "/public/notes/more", data=b"y")
    assert node.json("quota", "none")["quota"] is None
    assert "STORE004" in one_line(node.run("quota", "much", code=14))
    node.run("put", NOTE, str(tmp_path / "large"))


def test_a_backup_of_a_running_node_is_proved_and_restored(world, tmp_path):
    node = world.node().serve()
    put = node.json("put", NOTE, data=LARGE)
    node.run("put", NOTE, data=b"two")
    copy = tmp_path / "copy"
    made = node.json("backup", str(copy))
    assert made == {"file": str(copy), "bytes": copy.stat().st_size}
    assert copy.stat().st_mode & 0o777 == 0o600
    assert b"today" not in copy.read_bytes()
    before = copy.read_bytes()
    assert str(copy) in one_line(node.run("backup", str(copy), code=1))
    assert copy.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["copy"]
    node.run("put", NOTE, data=b"three")

    assert "stop it" in one_line(node.run("restore-backup", str(copy), code=1))
    assert node.stop() == 0
    assert "--replace" in one_line(node.run("restore-backup", str(copy), code=1))
    assert node.run("get", NOTE).stdout == b"three"

    other = another_home(world, node)
    restored = other.json("restore-backup", str(copy))
    assert (restored["documents"], restored["versions"], restored["kept"]) == (1, 1, None)
    assert copy.read_bytes() == before, "the copy itself is left alone"
    assert other.run("get", NOTE).stdout == b"two"
    assert other.run("get", NOTE, "--version", put["version"]).stdout == LARGE
    # It writes a log of its own, which it keeps.
    logs = {other.json("put", NOTE, data=b"%d" % i)["version"].split("-")[0] for i in range(2)}
    assert len(logs) == 1 and put["version"].split("-")[0] not in logs
    assert other.json("check")["whole"]

    kept = node.json("restore-backup", str(copy), "--replace")["kept"]
    assert os.path.exists(kept) and node.run("get", NOTE).stdout == b"two"
    assert node.json("check")["whole"]


def test_a_backup_that_is_damaged_foreign_or_none_is_refused(world, tmp_path):
    node = world.node()
    node.run("put", NOTE, data=LARGE)
    copy = tmp_path / "copy"
    node.run("backup", str(copy))
    other = another_home(world, node)
    before = tree(other.home)
    flip(copy, LARGE_CHUNKS)
    assert "damaged" in one_line(other.run("restore-backup", str(copy), code=1))
    (tmp_path / "text").write_bytes(b"no store at all" * 1000)
    (tmp_path / "empty").write_bytes(b"")
    for name in ("text", "empty", "none"):
        one_line(other.run("restore-backup", str(tmp_path / name), code=1))
    assert tree(other.home) == before
    stranger = world.node()
    node.run("backup", str(tmp_path / "whole"))
    assert "owner" in one_line(stranger.run("restore-backup", str(tmp_path / "whole"), code=1))


ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def hear_endings():
    """A shell or nohup may have told the tests to ignore them."""
    die_with_parent()
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_DFL)


def stop_while_there(node, arguments, there, made=None):
    """The command, stopped while what `there` lists is there; given again if it was quicker."""
    while True:
        process = subprocess.Popen([BINARY, "--home", str(node.home), *map(str, arguments)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=node.env,
                                   preexec_fn=hear_endings)
        stat = Path(f"/proc/{process.pid}/stat")
        state = lambda: stat.read_text().rpartition(")")[2].split()[0]
        while state() != "Z":
            if there():
                process.send_signal(signal.SIGSTOP)
                eventually(lambda: state() in "TZ")
                if there() and state() == "T":
                    return process
                process.send_signal(signal.SIGCONT)
        process.wait()
        if made:
            made.unlink(missing_ok=True)


def end(process, how):
    process.send_signal(how)
    process.send_signal(signal.SIGCONT)
    return process.wait(timeout=PATIENCE)


BODY = random.Random(4).randbytes(48 << 20)


@pytest.mark.parametrize("serving", [False, True], ids=["alone", "with serve"])
def test_a_backup_that_is_broken_off_leaves_nothing_for_good(world, tmp_path, serving):
    node = world.node()
    node.run("put", NOTE, data=BODY)
    if serving:
        node.serve()
    copy = tmp_path / "copy"
    there = lambda: list(tmp_path.glob("copy.partial-??????"))
    for how in ENDINGS:
        while True:
            process = stop_while_there(node, ["backup", copy], there, copy)
            assert end(process, how) == -how
            if not copy.exists():
                break
            copy.unlink()  # it was at its end already
        eventually(lambda: not there(), "the end of the partial file")
        assert list(tmp_path.iterdir()) == []
    process = stop_while_there(node, ["backup", copy], there, copy)
    node.kill()
    assert end(process, signal.SIGKILL) == -signal.SIGKILL
    if not serving:
        assert there()
    (tmp_path / "copy.partial-mine").write_text("the user's")
    copy.unlink(missing_ok=True)
    node.run("backup", copy)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["copy", "copy.partial-mine"]


def test_a_restoration_that_is_broken_off_leaves_nothing_for_good(world, tmp_path):
    node = world.node()
    node.run("put", NOTE, data=BODY)
    copy = tmp_path / "copy"
    node.run("backup", copy)
    there = lambda: list(node.home.glob(".restore-??????/store.sqlite"))
    restore = ["restore-backup", copy, "--replace"]
    before = set(tree(node.home))
    for how in ENDINGS:
        assert end(stop_while_there(node, restore, there), how) == -how
        assert not list(node.home.glob(".restore-*"))
    assert end(stop_while_there(node, restore, there), signal.SIGKILL) == -signal.SIGKILL
    assert there()
    (node.home / ".restore-mine").mkdir()
    node.run("restore-backup", tmp_path / "none", code=1)
    assert [each.name for each in node.home.glob(".restore-*")] == [".restore-mine"]
    assert {name for name in tree(node.home) if ".replaced" not in name} == before
    assert node.run("get", NOTE).stdout == BODY


def test_what_is_no_file_is_no_backup(world, tmp_path):
    node = world.node()
    os.mkfifo(tmp_path / "pipe")
    for file in ("/dev/zero", tmp_path / "pipe", tmp_path):
        assert "no regular file" in one_line(node.run("restore-backup", file, code=1))
    assert not list(node.home.glob(".restore-*"))


LARGE_CHUNKS = "SELECT data FROM chunk_data ORDER BY id LIMIT 1 OFFSET 2"


def flip(file, query):
    """Changes one bit of a stored value, below SQLite."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
        value = store.execute(query).fetchone()[0]
    store.close()
    content = bytearray(file.read_bytes())
    at = content.index(value[2000:2100]) + 50
    content[at] ^= 1
    file.write_bytes(content)


def test_a_damaged_backup_is_restored_on_request_and_its_damage_stays_refused(world, tmp_path):
    node = world.node()
    node.run("put", NOTE, data=LARGE)
    node.run("put", "/private/notes/whole", data=b"whole")
    flip(node.home / "store.sqlite", LARGE_CHUNKS)
    copy = tmp_path / "copy"
    node.run("backup", str(copy))
    other = another_home(world, node)
    before = tree(other.home)
    refused = one_line(other.run("restore-backup", copy, code=1))
    assert f"({NOTE})" in refused and "//" not in refused and "--damaged" in refused
    assert tree(other.home) == before
    restored = other.run("restore-backup", copy, "--damaged")
    assert "Restored 2 documents" in restored.out and f"{NOTE}: " in restored.err
    about = other.json("restore-backup", copy, "--damaged", "--replace")
    assert about["found"] == 1 and about["damages"][0]["path"] == NOTE
    assert NOTE in one_line(other.run("get", NOTE, "-o", os.devnull, code=14))
    assert other.run("get", "/private/notes/whole").stdout == b"whole"
    other.run("put", NOTE, data=b"anew")
    assert other.run("get", NOTE).stdout == b"anew"
    (tmp_path / "text").write_bytes(b"no store at all" * 1000)
    one_line(other.run("restore-backup", tmp_path / "text", "--damaged", "--replace", code=1))
    stranger = world.node()
    assert "owner" in one_line(stranger.run("restore-backup", copy, "--damaged", code=1))


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
    assert not found["whole"] and [each["what"] for each in found["damages"] if str(kept) in each["what"]]
    kept.unlink()
    assert node.json("check")["whole"]
    node.run("put", NOTE, data=b"goes on")
    assert node.run("get", NOTE).stdout == b"goes on"


def test_a_small_change_of_a_large_document_stores_little(world):
    node = world.node()
    store = node.home / "store.sqlite"
    size = lambda: store.stat().st_size
    body = bytearray(random.Random(3).randbytes(16 << 20))
    node.run("put", "/private/notes/disk", data=body)
    assert len(body) < size() < 1.06 * len(body)
    before = size()
    body[9_000_000:9_000_000] = b"some bytes more"
    node.run("put", "/private/notes/disk", data=body)
    assert size() - before < 1 << 20
    before = size()
    node.run("put", "/private/notes/again", data=body)
    node.run("put", "/shared/other/again", data=body)
    assert size() - before < 1 << 20
    assert node.run("get", "/shared/other/again").stdout == body
    assert node.run("get", "/private/notes/disk").stdout == body
    assert node.json("check")["whole"]


def test_the_store_of_a_newer_program_is_refused_in_words_and_left_alone(world):
    node = world.node()
    node.run("put", NOTE, data=b"one")
    with sqlite3.connect(node.home / "store.sqlite") as store:
        store.execute("PRAGMA user_version = 99")
    store.close()
    before = (node.home / "store.sqlite").read_bytes()
    for arguments in (("get", NOTE), ("put", NOTE), ("check",), ("serve", "--http", "off")):
        refused = one_line(node.run(*arguments, code=1))
        assert "newer program" in refused and "not changed" in refused
    assert (node.home / "store.sqlite").read_bytes() == before


def test_opening_a_store_writes_nothing_into_it(world):
    node = world.node()
    node.run("put", NOTE, data=b"one")
    before = tree(node.home)
    for arguments in (("get", NOTE), ("ls", "/"), ("status",), ("history", NOTE), ("check",)):
        node.run(*arguments)
    assert tree(node.home) == before
    log = node.json("put", NOTE, data=b"two")["version"].split("-")[0]
    assert node.json("put", NOTE, data=b"three")["version"].split("-")[0] == log


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


def test_a_killed_serve_starts_again_at_once(world):
    node = world.node().serve()
    for _ in range(10):
        process, node.process = node.process, None
        process.kill()  # without waiting for its end
        node.serve()
        process.wait()


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


@pytest.mark.parametrize("serving", [False, True], ids=["alone", "with serve"])
def test_compaction_makes_the_file_small(world, serving):
    node = world.node()
    node.json("history-policy", "none")
    if serving:
        node.serve()
    for number in range(8):
        node.run("put", f"/private/notes/{number}", data=os.urandom(1 << 20))
    for number in range(8):
        node.run("rm", f"/private/notes/{number}")
    node.run("put", NOTE, data=b"stays")
    node.run("compact")
    assert node.run("get", NOTE).stdout == b"stays"
    assert node.json("check")["whole"]
    if serving:
        assert node.stop() == 0
    assert (node.home / "store.sqlite").stat().st_size < 1 << 20


def test_a_store_that_is_taken_away_is_missed_and_not_made_anew(world):
    node = world.node().serve()
    node.run("put", NOTE, data=b"one")
    (node.home / "store.sqlite").unlink()
    assert "taken away" in one_line(node.run("put", NOTE, data=b"two", code=1))
    assert not (node.home / "store.sqlite").exists()
    assert node.stop() == 0
    assert not (node.home / "store.sqlite").exists()
    assert "gone" in one_line(node.run("get", NOTE, code=1))
    assert not (node.home / "store.sqlite").exists()


def test_two_processes_do_not_share_a_home(world):
    node = world.node().serve()
    second = subprocess.run([BINARY, "--home", str(node.home), "serve", "--http", "off"],
                            capture_output=True, env=node.env, preexec_fn=die_with_parent)
    assert second.returncode == 1 and str(node.process.pid) in second.stderr.decode()


def test_a_body_that_stops_in_the_middle_leaves_nothing(world):
    node = world.node().serve()
    put = subprocess.Popen([BINARY, "--home", str(node.home), "put", NOTE], stdin=subprocess.PIPE,
                           env=node.env, preexec_fn=die_with_parent)
    put.stdin.write(LARGE)
    put.stdin.flush()
    put.send_signal(signal.SIGKILL)
    put.wait()
    assert node.json("ls", "/")["items"] == []
    node.run("put", NOTE, data=b"next")
    assert node.json("check")["whole"]


class Mount:
    """A small file system of its own; only root can make one."""

    def __init__(self, folder, size="8m"):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
                              capture_output=True)
        if made.returncode != 0:
            pytest.skip("no file system can be mounted here")

    def __enter__(self):
        return self

    def remount(self, options):
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.folder)], check=True)

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.folder)], check=False)


@pytest.mark.parametrize("serving", [False, True], ids=["alone", "with serve"])
def test_a_full_disk_refuses_and_goes_on_once_there_is_room(world, serving):
    node = Node(world.node(init=False).folder, world.env)
    with Mount(node.home) as mount:
        node.init()
        if serving:
            node.serve()
        node.run("put", NOTE, data=b"before")
        kept = 0
        while node.run("put", f"/private/full/{kept}", data=os.urandom(1 << 20),
                       code=None).returncode == 0:
            kept += 1
            assert kept < 20
        body = os.urandom(1 << 20)
        done = node.run("put", "/private/full/last", data=body, code=13)
        assert "STORE003" in one_line(done)
        assert node.run("get", NOTE).stdout == b"before"
        assert len(node.json("ls", "/private/full/")["items"]) == kept
        if serving:
            node.kill()
        mount.remount("size=64m")
        if serving:
            node.serve()
        assert node.json("check")["whole"]
        node.run("put", "/private/full/last", data=body)
        node.kill()


def test_an_announced_body_that_the_disk_cannot_hold_is_refused_at_once(world, tmp_path):
    node = Node(world.node(init=False).folder, world.env)
    with open(tmp_path / "huge", "wb") as huge:
        huge.truncate(1 << 34)
    with Mount(node.home):
        node.init()
        before = (node.home / "store.sqlite").stat().st_size
        done = node.run("put", NOTE, str(tmp_path / "huge"), code=13)
        assert "STORE003" in one_line(done)
        assert (node.home / "store.sqlite").stat().st_size == before


def test_a_home_on_a_read_only_file_system_is_read(world):
    node = Node(world.node(init=False).folder, world.env)
    with Mount(node.home) as mount:
        node.init()
        node.run("put", NOTE, data=LARGE)
        mount.remount("ro")
        assert node.run("get", NOTE).stdout == LARGE
        assert node.json("status")["documents"] == 1
        assert node.json("check")["whole"]
        assert "cannot be written" in one_line(node.run("put", NOTE, data=b"x", code=1))
        assert "Read-only" in one_line(node.run("serve", "--http", "off", code=1))
        mount.remount("rw")
        node.run("put", NOTE, data=b"x")
