"""The contract of the commands: output, exit codes, and what happens when something is wrong."""
import base64
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest

from harness import (BINARY, PATIENCE, Lines, die_with_parent, eventually, free_port, one_line,
                     token_for, tree)

NOTE = "/private/notes/today.txt"
HASH = re.compile(r"[0-9a-f]{32}\Z")


def test_init_says_who_it_made_and_refuses_to_overwrite(world):
    node = world.node()
    assert set(node.identities) == {"owner", "device", "destination"}
    assert all(HASH.match(value) for value in node.identities.values())
    before = tree(node.home)
    assert str(node.home) in one_line(node.run("init", code=1))
    assert tree(node.home) == before
    about = node.json("id")
    assert {key: about[key] for key in node.identities} == node.identities


def test_the_home_is_the_flag_else_the_variable_else_in_the_users_home(world, tmp_path):
    node = world.node(init=False)
    node.run("init", home=False, env={"MESHSTOW_HOME": str(tmp_path / "by variable")})
    assert (tmp_path / "by variable" / "config").is_file()
    node.run("init", home=False)
    assert (node.folder / ".meshstow" / "config").is_file()
    node.run("init", env={"MESHSTOW_HOME": str(tmp_path / "by variable")})
    assert (node.home / "config").is_file()


@pytest.mark.parametrize("serving", [False, True], ids=["alone", "with serve"])
def test_documents(world, serving, tmp_path):
    node = world.node()
    if serving:
        node.serve()
    put = node.json("put", NOTE, data=b"one")
    assert node.run("get", NOTE).stdout == b"one"
    source = tmp_path / "source"
    source.write_bytes(b"two")
    node.run("put", NOTE, str(source), "--if-match", put["etag"])
    target = tmp_path / "target"
    target.write_bytes(b"what was there before")
    node.run("get", NOTE, "-o", str(target))
    assert target.read_bytes() == b"two"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["source", "target"]
    about = node.json("stat", NOTE)
    assert about["path"] == NOTE and about["size"] == 3
    assert about["content_type"].startswith("text/plain")
    assert node.json("get", NOTE, "--version", about["version"])["etag"] == about["etag"]
    assert base64.b64decode(node.json("get", NOTE)["data"]) == b"two"

    items = node.json("ls", "/private/notes/")["items"]
    assert [(item["name"], item["size"]) for item in items] == [("today.txt", 3)]
    assert [item["name"] for item in node.json("ls")["items"]] == ["private"]
    assert node.json("ls", NOTE)["items"] == items
    assert node.run("ls", NOTE).out == node.run("ls", "/private/notes/").out != ""
    status = node.json("status")
    assert (status["documents"], status["bytes"]) == (1, 3)
    assert {"owner", "device", "destination", "pending_changes", "conflicts", "fingerprint",
            "peers"} <= set(status)
    node.run("rm", NOTE)
    assert node.json("ls", "/")["items"] == []


def test_exit_codes_and_errors_for_refusals(world):
    node = world.node().serve()
    node.run("put", NOTE, data=b"x")
    refused = [
        (("get", "/private/notes/none"), "STORE001", 11),
        (("rm", "/private/notes/none"), "STORE001", 11),
        (("stat", "/private/none"), "STORE001", 11),
        (("put", "/elsewhere/x"), "STORE004", 14),
        (("put", "/private/notes/"), "STORE004", 14),
        (("put", "/private/../x"), "STORE004", 14),
        (("get", "private/notes"), "STORE004", 14),
        (("put", NOTE, "--if-none-match", "*"), "STORE005", 15),
        (("put", NOTE, "--if-match", "other"), "STORE005", 15),
        (("rm", NOTE, "--if-match", "other"), "STORE005", 15),
        (("rm", "/private/notes/none", "--if-match", '"match me"'), "STORE005", 15),
        (("rm", NOTE, "--if-match", ""), "STORE005", 15),
        (("put", NOTE, "--if-match", ""), "STORE005", 15),
        (("put", NOTE, "--if-none-match", '"*"'), "STORE005", 15),
        (("put", NOTE, "--if-none-match", '"match me"'), "STORE004", 14),
        (("put", NOTE, "--if-none-match", ""), "STORE004", 14),
        (("put", NOTE + "/below"), "STORE005", 15),
        (("put", "/private/notes"), "STORE005", 15),
    ]
    for arguments, code, exit_code in refused:
        data = b"y" if arguments[0] == "put" else None
        assert code in one_line(node.run(*arguments, data=data, code=exit_code))
        done = node.run("--json", *arguments, data=data, code=exit_code)
        error = json.loads(done.out)
        assert (error["type"], error["code"]) == ("storage_error", code)
        assert error["message"] and "path" in error and "timestamp" in error
        assert json.loads(one_line(done)) == error
    assert node.run("get", NOTE).stdout == b"x"


def test_wrong_use_is_exit_code_2(world, tmp_path):
    node = world.node()
    before = tree(node.home)
    wrong = [(), ("frobnicate",), ("get",), ("put",), ("get", NOTE, "--frobnicate"),
             ("ls", "/", "extra"), ("token",), ("token", "create"), ("token", "revoke"),
             ("--home",), ("get", NOTE, "--token", "x"), ("serve", "--http", "nowhere"),
             ("serve", "--tcp-listen", "nowhere"), ("serve", "--tcp-connect", "127.0.0.1:99999")]
    for arguments in wrong:
        one_line(node.run(*arguments, code=2))
        done = node.run("--json", *arguments, code=2)
        assert json.loads(done.out)["message"]
    assert tree(node.home) == before
    assert node.run("--help").out and node.run("put", "--help").out
    assert re.match(r"meshstow \d+\.\d+\.\d+$", node.run("--version").out.strip())
    assert "[meshstow]" in node.run("--exampleconfig", home=False).out
    missing = tmp_path / "missing"
    for arguments in (("put", NOTE, str(missing)), ("put", NOTE, str(tmp_path)),
                      ("get", NOTE, "-o", str(missing / "x"))):
        one_line(node.run(*arguments, code=1))
    for scope in ("everything", "storage:admin:/x", "storage:read:notes", "public:rw", ""):
        one_line(node.run("token", "create", "--scope", scope, code=None))
        assert node.json("token", "list")["tokens"] == []
    for expires in ("soon", "-1s", "99999999999999d"):
        assert node.run("token", "create", "--scope", "*:r", "--expires", expires,
                        code=None).returncode not in (0, -6, -11)
    assert node.run("token", "create", "--scope", "*:r", "--for", "xyz", code=None).returncode


def test_without_a_home_it_says_how_to_make_one(world):
    node = world.node(init=False)
    for arguments in (("serve",), ("status",), ("get", NOTE), ("id",), ("token", "list")):
        assert "init" in one_line(node.run(*arguments, code=1))
    assert not node.home.exists()


def test_a_home_that_cannot_be_written(world, tmp_path):
    node = world.node(init=False)
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    one_line(node.run("--home", str(blocked), "init", home=False, code=1))
    one_line(node.run("--home", str(blocked / "below"), "init", home=False, code=1))
    one_line(node.run("--home", "/proc/meshstow", "init", home=False, code=1))
    assert blocked.read_text() == "no folder"
    if os.geteuid() != 0:  # root may write everywhere
        node.init()
        os.chmod(node.home, 0o500)
        one_line(node.run("put", NOTE, data=b"x", code=1))
        os.chmod(node.home, 0o700)


def test_a_second_serve_on_the_same_home(world):
    node = world.node().serve()
    before = node.json("status")
    line = one_line(node.run("serve", "--reticulum", "off", "--http", "off", code=1))
    assert str(node.home) in line
    after = node.json("status")
    before.pop("space_left"), after.pop("space_left")  # others use the disk too
    assert after == before and node.stop() == 0


def test_a_port_in_use(world):
    first = world.serving_node()
    second = world.node()
    line = one_line(second.run("serve", "--reticulum", "off", "--http", "off", "--tcp-listen",
                               f"127.0.0.1:{first.port}", code=1))
    assert str(first.port) in line
    second.serve()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_cleanly_on_a_signal(world, how):
    node = world.serving_node()
    assert (node.ready["http"], node.ready["address"]) == (None, None)
    assert node.ready["destination"] == node.identities["destination"]
    node.run("put", NOTE, data=b"x")
    assert node.stop(how) == 0
    assert not (node.home / "control.sock").exists()
    assert node.run("get", NOTE).stdout == b"x"
    node.serve()


def test_serve_says_ready_in_words_too(world):
    node = world.node()
    process = subprocess.Popen([BINARY, "--home", str(node.home), "serve", "--reticulum", "off",
                                "--tcp-listen", "127.0.0.1:0", "--http", "off"],
                               stdout=subprocess.PIPE, text=True, env=node.env)
    node.process = process
    lines, text = Lines(process.stdout), ""
    while "meshstow get" not in text:
        text += lines.next()
    assert "ready" in text and f"<{node.identities['destination']}>" in text
    assert node.stop() == 0


def test_text_output_puts_hashes_in_angle_brackets(world):
    node = world.node()
    text = node.run("id").out
    for value in node.identities.values():
        assert f": <{value}>" in text
    assert re.search(r"^ +Documents +: 0$", node.run("status").out, re.M)
    token = node.run("token", "create", "--scope", "notes:r").out
    assert len(token.split()) == 1 and len(token.strip()) < 180
    node.run("put", "/public/n/a\x1b[31m\nb", data=b"x")
    listing = node.run("ls", "/public/n/").out
    assert "\x1b" not in listing and len(listing.splitlines()) == 1


def test_nothing_but_the_document_goes_to_standard_output(world):
    node = world.node().serve()
    body = os.urandom(3_000_000)
    node.run("put", NOTE, data=body)
    done = node.run("get", NOTE)
    assert done.stdout == body and done.err == ""
    closed = subprocess.Popen([BINARY, "--home", str(node.home), "get", NOTE],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=node.env)
    closed.stdout.close()
    assert closed.wait() == 1 and closed.stderr.read()
    assert node.run("get", NOTE).stdout == body


def store_file(node):
    return next(path for path in node.home.iterdir() if path.name == "store.sqlite")


def test_a_store_of_a_newer_version_is_not_touched(world):
    node = world.node()
    node.run("put", NOTE, data=b"x")
    store = store_file(node)
    with sqlite3.connect(store) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute(f"PRAGMA user_version = {version + 1000}")
    database.close()
    before = tree(node.home)
    for arguments in (("get", NOTE), ("serve", "--reticulum", "off", "--http", "off"), ("status",)):
        assert "newer" in one_line(node.run(*arguments, code=1))
    assert before.items() <= tree(node.home).items()


@pytest.mark.parametrize("damage", ["head", "empty", "text", "cut"])
def test_a_corrupt_store_is_said_and_not_touched(world, damage):
    node = world.node()
    for count in range(20):
        node.run("put", f"/private/notes/{count}", data=os.urandom(20_000))
    store = store_file(node)
    content = store.read_bytes()
    for leftover in node.home.glob("store.sqlite-*"):
        leftover.unlink()
    store.write_bytes({"head": b"\xff" * 4096 + content[4096:], "empty": b"",
                       "text": b"this is no database" * 1000,
                       "cut": content[:len(content) // 2]}[damage])
    before = tree(node.home)
    for arguments in (("serve", "--reticulum", "off", "--http", "off"), ("put", NOTE)):
        data = b"x" if arguments[0] == "put" else None
        done = node.run(*arguments, data=data, code=None)
        assert done.returncode not in (0, -6, -11), "a corrupt store was opened"
        one_line(done)
    assert before.items() <= tree(node.home).items()


def test_damage_inside_a_document_is_never_served(world):
    node = world.node()
    body = os.urandom(200_000)
    node.run("put", NOTE, data=body)
    node.run("put", "/private/notes/other", data=b"fine")
    store = store_file(node)
    content = bytearray(store.read_bytes())
    # Sealed chunks make up nearly all of the file: turn a byte in each of its later pages.
    for at in range(len(content) // 2 + 2000, len(content), 4096):
        content[at] ^= 1
    store.write_bytes(content)
    done = node.run("get", NOTE, code=None)
    assert done.returncode != 0 or done.stdout == body
    if done.returncode:
        one_line(done)


def test_a_wrong_config_says_which_line(world):
    node = world.node()
    config = node.home / "config"
    good = config.read_text()
    for bad in ("[meshstow\n", "[meshstow]\nquota = much\n", "[meshstow]\nno equals sign\n"):
        config.write_text(bad)
        one_line(node.run("serve", "--reticulum", "off", "--http", "off", code=1))
        assert config.read_text() == bad
    config.write_text(good)
    node.serve()


def test_a_dead_socket_file_of_a_killed_serve_does_no_harm(world):
    node = world.node().serve()
    node.run("put", NOTE, data=b"x")
    node.process.kill()
    node.kill()
    assert (node.home / "control.sock").exists()
    assert node.run("get", NOTE).stdout == b"x"
    node.serve()
    assert node.run("get", NOTE).stdout == b"x"


def test_junk_on_the_control_socket_harms_nobody(world):
    node = world.node().serve()
    for junk in (b"", b"\0\0\0\1\1", b"\xff" * 9, os.urandom(5000), b"\0\0\0\2\1{}"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(node.home / "control.sock"))
            try:
                connection.sendall(junk)
            except OSError:
                pass
    assert node.json("status")["documents"] == 0 and node.stop() == 0


def test_junk_on_a_tcp_interface_harms_nobody(world):
    node = world.serving_node()
    for junk in (b"\x7e" * 1000, os.urandom(200_000), b"\x7e" + b"\0" * 30 + b"\x7e",
                 b"\x7e" + os.urandom(100_000)):
        with socket.create_connection(("127.0.0.1", node.port)) as connection:
            try:
                connection.sendall(junk)
            except OSError:
                pass
    assert node.json("status")["documents"] == 0
    peer = world.peer_of(node)
    assert peer.link_to(node.destination)


def test_a_long_home_path_still_works(world, tmp_path):
    node = world.node(init=False)
    node.home = tmp_path / ("long-" * 30)
    node.init().serve()
    node.run("put", NOTE, data=b"x")
    assert node.run("get", NOTE).stdout == b"x"


def test_ports_that_are_given_are_used(world):
    port = free_port()
    node = world.node().serve("--tcp-listen", f"127.0.0.1:{port}", "--tcp-listen", "127.0.0.1:0")
    assert node.port == port and len(node.ready["listening"]) == 2


def redirected(node, redirections, *arguments, data=None):
    """Run by a shell with these redirections of its own."""
    done = subprocess.run(["sh", "-c", f'exec "$@" {redirections}', "sh", BINARY, "--home",
                           str(node.home), *map(str, arguments)], input=data, env=node.env,
                          stdin=None if data is not None else subprocess.DEVNULL,
                          capture_output=True, timeout=PATIENCE, preexec_fn=die_with_parent)
    done.out, done.err = done.stdout.decode(errors="replace"), done.stderr.decode()
    return done


@pytest.mark.parametrize("serving", [False, True], ids=["alone", "with serve"])
def test_a_closed_stream_is_an_error_and_never_another_file(world, serving):
    node = world.node()
    if serving:
        node.serve()
    body = b"for nobody else" * 1000
    node.run("put", NOTE, data=body)
    everything = lambda: {path: path.read_bytes() for path in node.home.iterdir()
                          if path.is_file()}
    before = set(everything())
    got = redirected(node, ">&-", "get", NOTE)
    assert got.returncode == 1 and "standard output" in one_line(got)
    for closed in ("2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
        assert redirected(node, closed, "get", "/private/notes/none").returncode == 11
        assert redirected(node, closed, "get", NOTE).returncode == (0 if closed == "2>&-" else 1)
    assert set(everything()) == before
    assert not any(body[:100] in content for content in everything().values())
    put = redirected(node, "<&-", "put", "/private/notes/other")
    assert put.returncode == 1 and "cannot read standard input" in one_line(put)
    assert [item["name"] for item in node.json("ls", "/private/notes/")["items"]] == ["today.txt"]
    assert redirected(node, "<&- 2>&-", "get", NOTE).stdout == body


def stop_while_reading(process, file):
    """True: the process stands in the middle of the file. False: it has been through it."""
    folder = Path(f"/proc/{process.pid}/fd")
    while process.poll() is None:
        try:
            for link in folder.iterdir():
                if os.readlink(link) != str(file):
                    continue
                info = (folder.parent / "fdinfo" / link.name).read_text()
                if int(re.search(r"pos:\s*(\d+)", info)[1]) == 0:
                    continue
                process.send_signal(signal.SIGSTOP)
                state = lambda: (folder.parent / "stat").read_text().rpartition(")")[2].split()[0]
                eventually(lambda: state() in "TZ")
                info = (folder.parent / "fdinfo" / link.name).read_text()
                return int(re.search(r"pos:\s*(\d+)", info)[1]) < file.stat().st_size
        except FileNotFoundError:
            pass
    return False


CHANGES = {"shrinks": lambda file: os.truncate(file, file.stat().st_size - 1),
           "grows": lambda file: os.truncate(file, file.stat().st_size + 1),
           "is written over": lambda file: file.open("r+b").write(b"other")}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("where", ["alone", "with serve", "at another node", "by a redirection"])
def test_a_file_that_changes_while_it_is_read_is_not_stored(world, tmp_path, where, how):
    node = world.node()
    at, target = (), node
    if where == "with serve":
        node.serve()
    elif where == "at another node":
        target = world.serving_node()
        token = token_for(target, "storage:write:/private/notes/")
        node.serve("--tcp-connect", f"127.0.0.1:{target.port}")
        at = ("--at", target.destination, "--token", token)
    file = tmp_path / "source"
    for size in (1 << 25, 1 << 27, 1 << 29):
        with open(file, "wb") as made:
            made.truncate(size)
        named = where != "by a redirection"
        process = subprocess.Popen(
            [BINARY, "--home", str(node.home), "put", NOTE, *([str(file)] if named else []), *at],
            stdin=subprocess.DEVNULL if named else open(file, "rb"), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=node.env, preexec_fn=die_with_parent)
        in_the_middle = stop_while_reading(process, file)
        CHANGES[how](file)
        process.send_signal(signal.SIGCONT)
        _, error = process.communicate(timeout=PATIENCE)
        if in_the_middle:
            break
    assert in_the_middle and process.returncode == 1
    line, = error.splitlines()
    assert "changed while it was read; nothing was stored" in line
    assert (str(file) if named else "standard input") in line
    assert target.json("ls", "/")["items"] == [] and node.json("ls", "/")["items"] == []
    assert not list(node.home.glob(".spool*"))


def test_what_the_kernel_makes_up_is_stored_as_it_comes(world):
    node = world.node()
    node.run("put", NOTE, "/proc/filesystems")
    assert node.run("get", NOTE).stdout == open("/proc/filesystems", "rb").read()


@pytest.mark.parametrize("serving", [False, True], ids=["alone", "with serve"])
def test_output_that_cannot_be_written_is_an_error(world, tmp_path, serving):
    node = world.node()
    if serving:
        node.serve()
    node.run("put", NOTE, data=b"one")
    asking = [("ls", "/private/notes/"), ("status",), ("history", NOTE), ("id",), ("stat", NOTE),
              ("quota",), ("check",), ("peers",), ("token", "list"), ("apps", "list"),
              ("--json", "get", NOTE), ("--help",), ("--version",)]
    doing = [("put", NOTE), ("get", NOTE, "-o", str(tmp_path / "out")), ("rm", NOTE)]
    for lost, why in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
        for arguments in asking:
            for options in ((), ("--json",)):
                done = redirected(node, lost, *options, *arguments)
                assert done.returncode == 1, arguments
                assert "output could not be written" in one_line(done) and why in done.err
        node.run("put", NOTE, data=b"one")
        for arguments in doing:
            done = redirected(node, lost, *arguments, data=b"two")
            assert done.returncode == 1 and "could not be written" in one_line(done)
        assert (tmp_path / "out").read_bytes() == b"two", "it was done all the same"
        node.run("get", NOTE, code=11)
        node.run("put", NOTE, data=b"one")
        got = redirected(node, lost, "get", NOTE)
        assert got.returncode == 1 and "cannot write standard output" in one_line(got)
        known = {token["id"] for token in node.json("token", "list")["tokens"]}
        created = redirected(node, lost, "token", "create", "--scope", "notes:r")
        assert created.returncode == 1
        new, = {token["id"] for token in node.json("token", "list")["tokens"]} - known
        assert f"<{new}> was created, but could not be written" in one_line(created)
        node.run("token", "revoke", new)
        refused = redirected(node, lost, "--json", "get", "/private/notes/none")
        assert refused.returncode == 11 and "STORE001" in one_line(refused)


def test_a_reader_that_has_seen_enough_is_told_nothing(world):
    node = world.node().serve()
    for number in range(300):
        node.run("put", f"/private/notes/{number:03}-{'long' * 40}", data=b"x")
    node.run("put", NOTE, data=b"x")
    for arguments in (("ls", "/private/notes/"), ("--json", "ls", "/private/notes/"), ("status",)):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([BINARY, "--home", str(node.home), *arguments], stdout=writing,
                              stderr=subprocess.PIPE, text=True, env=node.env)
        os.close(writing)
        assert (done.returncode, done.stderr) == (1, "")
    reading, writing = os.pipe()
    os.close(reading)
    put = subprocess.run([BINARY, "--home", str(node.home), "put", NOTE], stdout=writing, input="y",
                         stderr=subprocess.PIPE, text=True, env=node.env)
    os.close(writing)
    assert put.returncode == 1 and "this was done" in put.stderr
