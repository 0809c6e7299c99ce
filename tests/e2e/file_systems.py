"""Real file systems in a file: without modes, links, sockets or inodes that last.

Only root can mount them; where one cannot be had, the test is skipped with its reason.
"""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import eventually

SIZE = 64 << 20


def _done(command):
    return subprocess.run([str(each) for each in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def kernel_has(kind):
    if shutil.which("modprobe"):
        _done(["modprobe", "-q", kind])
    return kind in Path("/proc/filesystems").read_text().split()


class Disk:
    """One file system, which can be taken away, put back, imaged and restored."""

    kinds = {
        # name: (what makes it, what mounts it, as which type, what makes it private)
        "exfat-fuse": ("mkfs.exfat", "mount.exfat-fuse", None, "umask=077"),
        "ntfs-3g": ("mkfs.ntfs", "ntfs-3g", None, "umask=077"),
        "fuse2fs": ("mkfs.ext4", "fuse2fs", None, "fakeroot"),
        "bindfs": (None, "bindfs", None, None),
        "vfat": ("mkfs.vfat", "mount", "vfat", "umask=077"),
        "exfat": ("mkfs.exfat", "mount", "exfat", "umask=077"),
        "ext4": ("mkfs.ext4", "mount", "ext4", None),
    }

    def __init__(self, kind, folder):
        self.kind, self.folder, self.image = kind, folder / "disk", folder / "image"
        self.loop = None
        self.maker, self.mounter, self.type, self.private = self.kinds[kind]
        if os.geteuid() != 0:
            pytest.skip("only root can mount file systems")
        for program in filter(None, (self.maker, self.mounter)):
            if shutil.which(program) is None:
                pytest.skip(f"there is no {program} here")
        self.folder.mkdir()
        self.make()

    def make(self):
        if self.maker is None:
            self.image.mkdir()
            return
        with open(self.image, "wb") as image:
            image.truncate(SIZE)
        quick = {"mkfs.ntfs": ["-F", "-Q", "-q"], "mkfs.ext4": ["-q"]}.get(self.maker, [])
        made = _done([self.maker, *quick, self.image])
        assert made.returncode == 0, made.stderr

    def mount(self, options=""):
        source = self.image
        if self.mounter in ("mount", "mount.exfat-fuse"):
            loop = _done(["losetup", "--find", "--show", self.image])
            if loop.returncode != 0:
                pytest.skip(f"no loop device: {loop.stderr.strip()}")
            source = self.loop = loop.stdout.strip()
        kind = ["-t", self.type] if self.type else []
        flags = ["-o", options] if options else []
        mounted = _done([self.mounter, *kind, *flags, source, self.folder])
        if mounted.returncode != 0 or not os.path.ismount(self.folder):
            self.unmount()
            pytest.skip(f"{self.kind} cannot be mounted here: {mounted.stderr.strip()}")
        return self

    def mount_private(self):
        return self.mount(self.private or "")

    def unmount(self):
        if os.path.ismount(self.folder):
            gone = _done(["umount", self.folder])
            assert gone.returncode == 0, gone.stderr
            # A program that makes up a file system writes the last of it after that.
            eventually(lambda: not self._is_open(), "an image that nobody has open")
        if self.loop:
            _done(["losetup", "-d", self.loop])
            self.loop = None

    def _is_open(self):
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                if os.readlink(link) == str(self.image):
                    return True
            except OSError:
                pass
        return False

    def close(self):
        _done(["umount", "-l", self.folder])
        if self.loop:
            _done(["losetup", "-d", self.loop])

    def save(self, to: Path):
        shutil.copytree(self.image, to) if self.image.is_dir() else shutil.copy(self.image, to)

    def restore(self, saved: Path):
        if self.image.is_dir():
            shutil.rmtree(self.image)
            shutil.copytree(saved, self.image)
        else:
            with open(saved, "rb") as source, open(self.image, "r+b") as image:
                shutil.copyfileobj(source, image)
