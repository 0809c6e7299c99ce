"""Input that waits, readers that are slow, files that are there already."""
import os
import stat
import subprocess
import threading

import pytest

from harness import BINARY, PATIENCE, die_with_parent, eventually, one_line, token_for

NOTE = "/private/notes/today.txt"
SECRET = b"the treasure is under the old oak tree; "


def start(node, *arguments, **more):
    return subprocess.Popen([BINARY, "--home", str(node.home), *map(str, arguments)],
                            stdout=more.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                            env=node.env, bufsize=0, preexec_fn=die_with_parent, **more)


def nameless_files(process, folder):
    """The bytes of the files without a name that a process holds in this folder."""
    found = []
    for link in os.scandir(f"/proc/{process.pid}/fd"):
        try:
            name = os.readlink(link.path)
            if name.startswith(f"{folder}/") and "(deleted)" in name:
                with open(link.path, "rb") as file:
                    found.append(file.read())
        except FileNotFoundError:
            pass
    return found


def test_a_put_that_waits_for_its_input_does_not_hold_the_home(world):
    node = world.node()
    waiting = start(node, "put", NOTE, stdin=subprocess.PIPE)
    waiting.stdin.write(b"a first part")
    waiting.stdin.flush()
    for number in range(3):
        node.run("put", "/private/notes/other", data=b"%d" % number)
    assert node.run("get", "/private/notes/other").stdout == b"2"
    node.serve()
    node.run("put", "/private/notes/other", data=b"with serve")
    out, err = waiting.communicate(b", and the rest", timeout=PATIENCE)
    assert waiting.returncode == 0, err
    assert node.run("get", NOTE).stdout == b"a first part, and the rest"


def test_many_puts_that_wait_keep_nobody_out_of_serve(world):
    node = world.node().serve()
    waiting = [start(node, "put", f"/private/waiting/{number}", stdin=subprocess.PIPE)
               for number in range(70)]
    for each in waiting:
        each.stdin.write(b"x" * 70_000)
        each.stdin.flush()
    node.run("put", NOTE, data=b"in time")
    assert node.run("get", NOTE).stdout == b"in time"
    for each in waiting:
        _, err = each.communicate(timeout=PATIENCE)
        assert each.returncode == 0, err
    assert len(node.json("ls", "/private/waiting/")["items"]) == 70


def test_a_path_that_is_none_is_refused_before_anything_is_read(world):
    node = world.node()
    for path in ("/private/../x", "/private/notes/", "nowhere"):
        refused = start(node, "put", path, stdin=subprocess.PIPE)
        assert refused.wait(PATIENCE) == 14
        refused.stdin.close()


@pytest.mark.parametrize("where", ["here", "at another node"])
def test_input_that_waits_on_disk_is_sealed(world, where):
    node, at = world.node(), ()
    reader = node
    if where != "here":
        reader = world.serving_node()
        at = ("--at", reader.destination, "--token", token_for(reader, "storage:write:/public/"))
        config = node.home / "config"
        config.write_text(config.read_text().replace(
            "[meshstow]", f"[meshstow]\nreticulum = off\ntcp_connect = 127.0.0.1:{reader.port}", 1))
    body = SECRET * 100_000
    path = NOTE if where == "here" else "/public/notes/x"
    writing = start(node, "put", path, *at, stdin=subprocess.PIPE)
    writing.stdin.write(body[:-1])
    writing.stdin.flush()
    held = eventually(lambda: nameless_files(writing, node.home), "what waits on disk")
    assert sum(map(len, held)) > 1 << 20
    assert not any(SECRET in each for each in held)
    _, err = writing.communicate(body[-1:], timeout=PATIENCE)
    assert writing.returncode == 0, err
    assert reader.run("get", path).stdout == body


def test_a_reader_that_is_slow_does_not_hold_the_home(world):
    node = world.node()
    body = os.urandom(900_000)
    node.run("put", NOTE, data=body)
    reading = start(node, "get", NOTE)
    assert reading.stdout.read(10) == body[:10], "it is at it, and the pipe is full"
    node.run("put", "/private/notes/other", data=b"meanwhile")
    rest, err = reading.communicate(timeout=PATIENCE)
    assert reading.returncode == 0, err
    assert rest == body[10:]


def test_a_file_that_is_there_keeps_mode_and_links(world, tmp_path):
    node = world.node()
    node.run("put", NOTE, data=b"new")
    target, link, second = tmp_path / "target", tmp_path / "link", tmp_path / "second"
    target.write_bytes(b"old and longer")
    target.chmod(0o640)
    link.symlink_to("target")
    node.run("get", NOTE, "-o", link)
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640

    target.write_bytes(b"old and longer")
    os.link(target, second)
    node.run("get", NOTE, "-o", second)
    assert target.read_bytes() == b"new" and target.samefile(second)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640

    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "made")
    node.run("get", NOTE, "-o", dangling)
    assert dangling.is_symlink() and (tmp_path / "made").read_bytes() == b"new"

    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    one_line(node.run("get", NOTE, "-o", loop, code=1))
    assert loop.is_symlink()
    node.run("get", "/private/notes/none", "-o", target, code=11)
    assert target.read_bytes() == b"new"
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "dangling", "link", "loop", "made", "second", "target"]


def test_pipes_and_devices_are_written_straight(world, tmp_path):
    node = world.node()
    node.run("put", NOTE, data=b"new")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    node.run("get", NOTE, "-o", pipe)
    reader.join(PATIENCE)
    assert got == [b"new"] and stat.S_ISFIFO(pipe.stat().st_mode)
    node.run("get", NOTE, "-o", "/dev/null")
    assert node.run("get", NOTE, "-o", "/dev/stdout").stdout.startswith(b"new")
    assert "directory" in one_line(node.run("get", NOTE, "-o", tmp_path, code=1))


@pytest.mark.parametrize("serving", [False, True], ids=["alone", "with serve"])
def test_what_is_no_file_is_no_app_and_stalls_nobody(world, tmp_path, serving):
    node = world.node()
    if serving:
        node.serve()
    pipe = tmp_path / "app.zip"
    os.mkfifo(pipe)
    assert "a pipe" in one_line(node.run("apps", "add", pipe, code=1))
    assert "a device" in one_line(node.run("apps", "add", "/dev/zero", code=1))
    app = tmp_path / "app"
    app.mkdir()
    (app / "index.html").write_text("<title>App</title>")
    os.mkfifo(app / "pipe")
    assert "pipe is no file" in one_line(node.run("apps", "add", app, code=1))
    (app / "pipe").unlink()
    node.run("apps", "add", app)
    assert node.json("apps", "list")["apps"][0]["files"] == 1
