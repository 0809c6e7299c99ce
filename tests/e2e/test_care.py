"""The care of a store: history, checks, backups, quota, and a ground that gives way."""
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from harness import (BINARY, LARGE_CHUNKS, PATIENCE, Node, die_with_parent, eventually, flip,
                     one_line, tree)

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

    done = node.json("restore-backup", str(copy), "--replace")
    assert "take this older state for the truth" in done["warning"]
    kept = done["kept"]
    assert os.path.exists(kept) and node.run("get", NOTE).stdout == b"two"
    assert node.json("check")["whole"]


def reads_with(node, token):
    """The status of an app's read."""
    request = urllib.request.Request(node.ready["http"] + "/storage/me/notes/",
                                     headers={"Authorization": f"Bearer {token}"})
    try:
        return urllib.request.urlopen(request, timeout=PATIENCE).status
    except urllib.error.HTTPError as error:
        return error.code


def test_no_token_comes_back_with_a_backup(world, tmp_path):
    def make():
        return node.json("token", "create", "--scope", "notes:rw")

    node = world.node()
    node.run("put", NOTE, data=b"one")
    kept, revoked = make(), make()
    copy = tmp_path / "copy"
    node.run("backup", copy)
    node.run("token", "revoke", revoked["id"])
    later, both = make(), make()
    node.run("token", "revoke", both["id"])
    carried = node.json("restore-backup", copy, "--replace")["carried"]
    assert carried == {"revocations": 2, "tokens": 1, "passphrase": False, "lost": None}

    node.serve(http="localhost:0")
    status = {each["id"]: each["revoked"] for each in node.json("token", "list")["tokens"]}
    assert status == {kept["id"]: False, revoked["id"]: True, later["id"]: False, both["id"]: True}
    for each in (kept, revoked, later, both):
        assert reads_with(node, each["token"]) == (401 if status[each["id"]] else 200)
    assert node.json("token", "revoke", later["id"])["known"]
    assert reads_with(node, later["token"]) == 401


def test_what_a_lost_store_knew_of_tokens_is_said_and_a_full_id_is_revoked_all_the_same(
        world, tmp_path):
    node = world.node()
    node.run("put", NOTE, data=b"one")
    old = node.json("token", "create", "--scope", "notes:rw")
    copy = tmp_path / "copy"
    node.run("backup", copy)
    node.run("token", "revoke", old["id"])
    later = node.json("token", "create", "--scope", "notes:rw")
    (node.home / "store.sqlite").write_bytes(b"no store at all" * 1000)
    told = node.run("restore-backup", copy, "--replace").err
    assert "revocation" in told and "`token revoke ID`" in told
    about = node.json("restore-backup", copy, "--replace")
    assert about["carried"]["lost"] is None, "the one that is replaced now can be read"

    node.serve(http="localhost:0")
    assert reads_with(node, old["token"]) == reads_with(node, later["token"]) == 200
    assert "STORE001" in one_line(node.run("token", "revoke", later["id"][:15], code=11))
    revoked = node.json("token", "revoke", later["id"])
    assert revoked == {"id": later["id"], "known": False}
    assert "not known" in node.run("token", "revoke", "00112233aabbccdd").out
    assert reads_with(node, later["token"]) == 401
    assert reads_with(node, old["token"]) == 200
    assert node.stop() == 0
    node.serve(http="localhost:0")
    assert reads_with(node, later["token"]) == 401
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
            eventually(lambda: not there(), "the end of the partial file")
            if not copy.exists():
                break
            copy.unlink()  # it was at its end already
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


def test_a_killed_serve_starts_again_at_once(world):
    node = world.node().serve()
    for _ in range(10):
        process, node.process = node.process, None
        process.kill()  # without waiting for its end
        node.serve()
        process.wait()


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
