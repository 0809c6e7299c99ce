"""Homes and backups on file systems that lack what a home likes to have."""
import os
import shutil
import stat

import pytest

from file_systems import Disk, kernel_has
from harness import Node, one_line, tree

NOTE = "/private/notes/today.txt"
# Those of the kernel where it has them: programs make up the same ones.
WITHOUT_MODES = ["exfat-fuse", "ntfs-3g", *filter(kernel_has, ("vfat", "exfat"))]
UNUSUAL = [*WITHOUT_MODES, "fuse2fs", "bindfs"]


@pytest.fixture
def disk_of(tmp_path):
    disks = []

    def make(kind):
        disks.append(Disk(kind, tmp_path))
        return disks[-1]
    yield make
    for disk in disks:
        disk.close()


def node_on(world, disk, name="home"):
    """Its home lies on the disk, what its user's programs remember does not."""
    node = Node(world.node(init=False).folder, world.env)
    node.home = disk.folder / name
    return node


def log_of(written):
    return written["version"].rpartition("-")[0]


@pytest.mark.parametrize("kind", UNUSUAL)
def test_a_home_lives_there(world, disk_of, tmp_path, kind):
    disk = disk_of(kind).mount_private()
    node = node_on(world, disk).init()
    assert "already a home" in one_line(node.run("init", code=1))
    node.run("put", NOTE, data=b"alone")
    node.serve()
    body = os.urandom(3 << 20)
    node.run("put", "/public/large", data=body)
    assert node.run("get", "/public/large").stdout == body
    assert node.json("status")["documents"] == 2
    node.process.kill()
    node.kill()
    assert node.run("get", NOTE).stdout == b"alone", "the socket of a killed serve is ignored"
    node.serve()
    assert node.run("get", NOTE).stdout == b"alone"
    assert node.stop() == 0
    assert node.json("check")["whole"]
    assert not list(node.home.glob("control.*"))


@pytest.mark.parametrize("kind", UNUSUAL)
@pytest.mark.parametrize("serving", [False, True], ids=["alone", "with serve"])
def test_backups_go_there_and_come_back_and_never_over_a_file(world, disk_of, kind, serving):
    disk = disk_of(kind).mount_private()
    node = world.node()
    if serving:
        node.serve()
    node.run("put", NOTE, data=b"kept")
    copy, taken = disk.folder / "copy", disk.folder / "taken"
    taken.write_bytes(b"of somebody")
    assert "is there already" in one_line(node.run("backup", taken, code=1))
    assert taken.read_bytes() == b"of somebody"
    node.run("backup", copy)
    assert "is there already" in one_line(node.run("backup", copy, code=1))
    # FUSE hides what is open when it is removed, and may forget a journal of SQLite like that.
    left = [each.name for each in disk.folder.iterdir() if not each.name.startswith(".fuse_hidden")]
    assert {"copy", "taken"} == set(left) - {"lost+found"}
    if serving:
        node.stop()
    node.run("put", NOTE, data=b"changed")
    assert node.json("restore-backup", copy, "--replace")["documents"] == 1
    assert node.run("get", NOTE).stdout == b"kept"


@pytest.mark.parametrize("kind", UNUSUAL)
def test_a_home_there_takes_a_backup_in(world, disk_of, tmp_path, kind):
    disk = disk_of(kind).mount_private()
    node = node_on(world, disk).init()
    node.run("put", NOTE, data=b"kept")
    node.run("backup", tmp_path / "copy")
    node.run("put", NOTE, data=b"changed")
    kept = node.json("restore-backup", tmp_path / "copy", "--replace")["kept"]
    assert os.path.exists(kept)
    assert node.run("get", NOTE).stdout == b"kept"
    node.run("put", NOTE, data=b"goes on")
    assert node.json("check")["whole"]
    assert not list(node.home.glob(".restore-*"))


@pytest.mark.parametrize("kind", WITHOUT_MODES)
def test_keys_are_not_written_where_others_could_read_them(world, disk_of, kind):
    disk = disk_of(kind).mount("" if kind == "ntfs-3g" else "umask=022")
    for name in ("home", "."):
        node = node_on(world, disk, name)
        refused = one_line(node.run("init", code=1))
        assert "umask=077" in refused and "uid=0" in refused
        assert not list(disk.folder.rglob("*")), "nothing was written"
    disk.unmount()
    disk.mount_private()
    node = node_on(world, disk).init()
    node.run("put", NOTE, data=b"x")
    disk.unmount()
    disk.mount("" if kind == "ntfs-3g" else "umask=022")
    assert "umask=077" in one_line(node.run("get", NOTE, code=1))


@pytest.mark.parametrize("kind", [*UNUSUAL, "ext4"])
def test_a_remount_goes_on_with_its_log(world, disk_of, kind):
    disk = disk_of(kind).mount_private()
    node = node_on(world, disk).init()
    first = log_of(node.json("put", NOTE, data=b"1"))
    for number in range(3):
        disk.unmount()
        disk.mount_private()
        list(disk.folder.rglob("*"))  # inodes may be given in the order of asking
        assert log_of(node.json("put", NOTE, data=b"%d" % number)) == first
    assert log_of(node.json("put", NOTE, data=b"without one")) == first


@pytest.mark.parametrize("kind", [*UNUSUAL, "ext4"])
def test_a_copy_of_the_home_begins_a_log_of_its_own(world, disk_of, kind):
    disk = disk_of(kind).mount_private()
    node = node_on(world, disk).init()
    first = log_of(node.json("put", NOTE, data=b"1"))
    shutil.copytree(node.home, disk.folder / "copy")
    copy = Node(node.folder, world.env)
    copy.home = disk.folder / "copy"
    disk.unmount()
    disk.mount_private()
    own = log_of(copy.json("put", NOTE, data=b"of the copy"))
    assert own != first
    assert log_of(node.json("put", NOTE, data=b"of the original")) == first
    assert log_of(copy.json("put", NOTE, data=b"of the copy again")) == own
    # The copy in the place of the original, whose numbers it has not seen.
    shutil.rmtree(node.home)
    shutil.copytree(copy.home, node.home)
    assert log_of(node.json("put", NOTE, data=b"2")) not in (first, own)


@pytest.mark.parametrize("kind", UNUSUAL)
def test_a_restored_image_begins_a_new_log(world, disk_of, tmp_path, kind):
    disk = disk_of(kind).mount_private()
    node = node_on(world, disk).init()
    first = log_of(node.json("put", NOTE, data=b"1"))
    disk.unmount()
    disk.save(tmp_path / "saved")
    disk.mount_private()
    assert log_of(node.json("put", NOTE, data=b"2")) == first
    disk.unmount()
    disk.restore(tmp_path / "saved")
    disk.mount_private()
    assert node.run("get", NOTE).stdout == b"1"
    assert log_of(node.json("put", NOTE, data=b"3")) != first


def test_a_home_whose_path_is_too_long_names_its_socket(world, tmp_path):
    node = world.node(init=False)
    node.home = tmp_path / ("long-" * 30)
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    node.env["XDG_RUNTIME_DIR"] = str(runtime)
    node.init().serve()
    socket = (node.home / "control.path").read_text().splitlines()[0]
    assert socket.startswith(f"{runtime}/meshstow-") and stat.S_ISSOCK(os.stat(socket).st_mode)
    assert stat.S_IMODE(os.stat(os.path.dirname(socket)).st_mode) == 0o700
    del node.env["XDG_RUNTIME_DIR"]  # as in a job of cron
    node.run("put", NOTE, data=b"by the socket")
    copy = Node(node.folder, node.env)
    copy.home = tmp_path / ("copy-" * 30)
    shutil.copytree(node.home, copy.home, ignore=shutil.ignore_patterns("*.sock"))
    before = tree(copy.home)
    assert (copy.home / "control.path").exists()
    copy.run("put", NOTE, data=b"into the copy")
    assert tree(copy.home) != before
    assert node.run("get", NOTE).stdout == b"by the socket"
    assert copy.run("get", NOTE).stdout == b"into the copy"
    assert node.stop() == 0
    assert not (node.home / "control.path").exists() and not list(runtime.iterdir())
