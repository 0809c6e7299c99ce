"""A home belongs to one user: root leaves it theirs, and others get nothing into it."""
import fcntl
import json
import os
import shutil
import subprocess
import sys

import pytest

from harness import BINARY, PATIENCE, Node, die_with_parent, one_line

NOTE = "/private/notes/today.txt"
USER, GROUP = 65534, 65533


class UserNode(Node):
    """Commands run as another user, unless told otherwise."""

    as_user = ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups"]

    def by_user(self, *arguments, data=None, code=0):
        done = subprocess.run([*self.as_user, self.program, "--home", str(self.home),
                               *map(str, arguments)], input=data, env=self.env,
                              stdin=None if data is not None else subprocess.DEVNULL,
                              capture_output=True, timeout=PATIENCE * 4,
                              preexec_fn=die_with_parent)
        done.out, done.err = done.stdout.decode(), done.stderr.decode()
        assert code is None or done.returncode == code, f"{arguments}: {done.out}{done.err}"
        return done


@pytest.fixture
def node(world):
    """A home of that user, and a copy of the program that the user can reach."""
    if os.geteuid() != 0:
        pytest.skip("only root can be two users")
    if shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv here")
    world.folder.chmod(0o755)
    made = UserNode(world.node(init=False).folder, world.env)
    world.things.append(made)
    made.program = made.folder / "meshstow"
    shutil.copy(BINARY, made.program)
    made.home.mkdir(mode=0o700)
    os.chown(made.home, USER, GROUP)
    made.by_user("init")
    made.by_user("put", NOTE, data=b"of the user")
    return made


def owners(node):
    found = {node.home, *node.home.rglob("*")}
    return {(path.stat().st_uid, path.stat().st_gid) for path in found}


def log_of_document(node):
    return json.loads(node.by_user("--json", "stat", NOTE).out)["version"].rpartition("-")[0]


def test_what_root_does_stays_the_users(node):
    log = log_of_document(node)
    node.run("put", NOTE, data=b"of root")
    node.run("token", "create", "--scope", "notes:r")
    node.run("check")
    node.run("compact")
    assert owners(node) == {(USER, GROUP)}
    assert node.by_user("get", NOTE).stdout == b"of root"
    node.by_user("put", NOTE, data=b"of the user again")
    assert log_of_document(node) == log, "no log but the one that was there"
    assert node.run("get", NOTE).stdout == b"of the user again"


def test_a_serve_of_root_serves_the_user_and_leaves_nothing_in_the_way(node):
    log = log_of_document(node)
    node.serve()
    node.by_user("put", NOTE, data=b"by the socket of root")
    assert node.run("get", NOTE).stdout == b"by the socket of root"
    node.process.kill()
    node.kill()
    assert (node.home / "control.sock").exists()
    node.by_user("put", NOTE, data=b"past a dead socket")
    assert owners(node) == {(USER, GROUP)}
    assert log_of_document(node) == log


def test_a_dead_socket_of_root_locks_nobody_out(node):
    """As a program of before left it."""
    node.serve()
    node.process.kill()
    node.kill()
    os.chown(node.home / "control.sock", 0, 0)
    assert node.by_user("get", NOTE).stdout == b"of the user"


def test_root_writes_where_root_says(node, tmp_path):
    tmp_path.chmod(0o700)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"only root reads this" * 100_000)
    node.run("put", "/public/x", source)
    node.run("get", "/public/x", "-o", target)
    assert target.read_bytes() == source.read_bytes() and target.stat().st_uid == 0
    assert owners(node) == {(USER, GROUP)}


def test_a_file_that_may_not_be_written_is_not_replaced(node):
    place = node.folder / "place"
    place.mkdir()
    os.chown(place, USER, GROUP)
    target = place / "target"
    target.write_bytes(b"old")
    target.chmod(0o444)
    os.chown(target, USER, GROUP)
    assert "denied" in one_line(node.by_user("get", NOTE, "-o", target, code=1))
    assert target.read_bytes() == b"old"


def test_a_home_made_by_root_in_a_users_directory_is_the_users(node):
    other = node.folder / "other"
    other.mkdir(mode=0o700)
    os.chown(other, USER, GROUP)
    node.home = other
    node.run("init")
    node.run("put", NOTE, data=b"x")
    assert owners(node) == {(USER, GROUP)}
    assert node.by_user("get", NOTE).stdout == b"x"


@pytest.mark.parametrize("name", ["incarnation", "store.sqlite-mark", "keyring", "lock", "config"])
def test_what_cannot_be_read_is_an_error_and_not_missing(node, name):
    file = node.home / name
    file.touch()
    before = file.read_bytes()
    os.chown(file, USER, GROUP)
    file.chmod(0)
    assert name in one_line(node.by_user("put", NOTE, data=b"x", code=1))
    assert file.read_bytes() == before
    file.chmod(0o600)
    os.chown(file, 0, 0)
    if name != "config":
        said = one_line(node.by_user("put", NOTE, data=b"x", code=1))
        assert f"{name} belongs to user 0" in said and "chown" in said
    os.chown(file, USER, GROUP)
    file.chmod(0o600)
    assert node.by_user("get", NOTE).stdout == b"of the user"


def test_links_in_place_of_files_that_are_written_are_refused(node):
    victim = node.folder / "victim"
    victim.write_bytes(b"of somebody else")
    for name in ("lock", "store.sqlite-mark", "incarnation"):
        file = node.home / name
        if file.exists():
            file.unlink()
        for make in (os.symlink, os.link):
            make(victim, file)
            assert name in one_line(node.run("put", NOTE, data=b"x", code=1))
            file.unlink()
    assert victim.read_bytes() == b"of somebody else"
    node.run("put", NOTE, data=b"x")


def test_a_socket_of_another_user_is_not_believed(node):
    """Whoever can make files in /tmp may listen there; no document and no token is told to them."""
    place = node.folder / "meshstow-abcdef" / "control.sock"
    place.parent.mkdir()
    place.parent.chmod(0o777)
    listener = subprocess.Popen(
        ["setpriv", "--reuid=65532", "--clear-groups", os.path.realpath(sys.executable), "-c",
         "import os, socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\n"
         "os.chmod(sys.argv[1], 0o777)\ns.listen()\nprint('listening', flush=True)\n"
         "c, _ = s.accept()\nprint(len(c.recv(1000)), flush=True)", str(place)],
        stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    try:
        assert listener.stdout.readline() == "listening\n"
        named = node.home / "control.path"
        named.write_text(f"{place}\n{node.home.resolve()}")
        named.chmod(0o600)
        os.chown(named, USER, GROUP)
        with open(node.home / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            said = one_line(node.by_user("put", NOTE, data=b"secret", code=1))
        assert "another user listens" in said
        assert listener.stdout.readline() == "0\n", "nothing was sent"
    finally:
        listener.kill()
        listener.wait()
