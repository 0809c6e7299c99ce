"""What a person at a terminal sees while a command waits for the network, and how -w bounds it.

Standard error is a pseudo-terminal; the other side is a real RNS program that is slow or silent.
"""
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
from fcntl import ioctl

import pytest

from harness import (BINARY, DESTINATION, PATIENCE, die_with_parent, eventually, free_port,
                     one_line, tcp_server)

NOTE = "/public/notes/today.txt"


class Terminal:
    """A command whose standard error, and nothing else, is a terminal."""

    def __init__(self, node, *arguments, columns=80, **environment):
        self.ours, theirs = pty.openpty()
        self.resize(columns)
        env = {key: value for key, value in node.env.items() if key != "COLUMNS"}
        env.update(environment)
        self.process = subprocess.Popen(
            [BINARY, "--home", str(node.home), *map(str, arguments)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=theirs, env=env, preexec_fn=die_with_parent)
        os.close(theirs)
        self.shown, self.out = "", b""

    def resize(self, columns):
        ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read(self):
        """False once the command has ended and all it said is read."""
        try:
            if select.select([self.ours], [], [], 0.1)[0]:
                more = os.read(self.ours, 65536)
                self.shown += more.decode(errors="replace")
                return bool(more)
            return True
        except OSError:   # the other end is closed
            return False

    def until(self, text):
        end = time.monotonic() + PATIENCE
        while text not in self.shown:
            assert self.read() and time.monotonic() < end, f"no {text!r} in {self.shown!r}"
        return self

    def end(self, code):
        end = time.monotonic() + PATIENCE
        reader = threading.Thread(target=self._take_output)
        reader.start()
        while self.read():
            assert time.monotonic() < end, self.shown
        reader.join(PATIENCE)
        assert self.process.wait(PATIENCE) == code, self.shown
        os.close(self.ours)
        return self

    def _take_output(self):
        self.out = self.process.stdout.read()

    @property
    def lines(self):
        """Every state of the line that was drawn."""
        return [each for each in re.split(r"\r\x1b\[K|\r\n|\r", self.shown) if each]


class Setting:
    """A Python storage node, and ours that reaches it through `way`, a port of our own if slow."""

    def __init__(self, world, serving=True, rate=None, mode=None):
        port = free_port()
        self.peer = world.peer()
        self.peer.start([tcp_server(port)])
        self.at = self.peer.call("destination", name=DESTINATION)["hash_hex"]
        if mode:
            self.peer.call("serve", name=DESTINATION, path="/storage", mode=mode)
        else:
            self.peer.call("serve_storage", name=DESTINATION)
        if rate:
            port = SlowWay(port, rate).port
        self.node = world.node()
        config = self.node.home / "config"
        config.write_text(config.read_text().replace(
            "[meshstow]", f"[meshstow]\ntcp_connect = 127.0.0.1:{port}\nreticulum = off", 1))
        if serving:
            self.node.serve()

    def terminal(self, *arguments, **more):
        return Terminal(self.node, *arguments, "--at", self.at, **more)


class SlowWay:
    """A TCP connection through which so many bytes a second pass, each way."""

    def __init__(self, port, rate):
        self.to, self.rate = port, rate
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.to))
            for source, target in ((near, far), (far, near)):
                # Little room, so that what waits here is not taken for sent.
                source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                threading.Thread(target=self.carry, args=(source, target), daemon=True).start()

    def carry(self, source, target):
        try:
            while piece := source.recv(1024):
                target.sendall(piece)
                time.sleep(len(piece) / self.rate)
        except OSError:
            pass


@pytest.fixture(params=[True, False], ids=["with serve", "alone"])
def serving(request):
    return request.param


def frames(terminal, stage):
    """The spinner's positions that were seen with a stage, and the seconds."""
    found = [re.fullmatch(r"([|/\\-]) " + re.escape(stage) + r"  (\d+) s", line)
             for line in terminal.lines]
    return {match[1] for match in found if match}, [int(match[2]) for match in found if match]


def seen_waiting(terminal, stage, seconds):
    spinner, counted = frames(terminal, stage)
    assert len(spinner) >= 2, terminal.shown
    assert counted == sorted(counted) and counted[-1] >= seconds - 1, terminal.shown


def last_line(terminal):
    """What stays on the terminal at the end."""
    return terminal.shown.replace("\r\n", "\n").strip("\n").split("\n")[-1].split("\r\x1b[K")[-1]


def test_the_search_for_a_path_is_shown_and_bounded(world, serving):
    there = Setting(world, serving)
    there.at = "<" + "AB" * 16 + ">"
    said = there.terminal("get", NOTE, "-w", "3").end(1)
    seen_waiting(said, "Looking for a path", 3)
    assert last_line(said).startswith(
        f"meshstow: no path to <{'ab' * 16}> was found within 3 s: "), said.shown
    assert said.out == b""


def test_the_opening_of_a_link_is_shown_and_bounded(world):
    there = Setting(world)

    def heard():   # so that the way is known before the peer falls silent
        there.peer.call("announce", name=DESTINATION, app_data_text=(
            '{"type":"storage_node","capabilities":["store"],"space_available":1,'
            '"timestamp":"2026-01-01T00:00:00Z"}'))
        return there.node.json("peers")["peers"]
    eventually(heard, "the announce")
    there.peer.process.send_signal(signal.SIGSTOP)
    try:
        said = there.terminal("get", NOTE, "-w", "3").end(1)
    finally:
        there.peer.process.send_signal(signal.SIGCONT)
    seen_waiting(said, "Opening a link", 3)
    assert last_line(said) == (
        f"meshstow: the node <{there.at}> did not open a link within 3 s"), said.shown


def test_the_wait_for_an_answer_is_shown_and_bounded(world, serving):
    there = Setting(world, serving, mode="none")
    said = there.terminal("-w", "4", "stat", NOTE).end(1)
    seen_waiting(said, "Waiting for the answer", 3)
    assert last_line(said).endswith("did not answer within 4 s"), said.shown


def test_a_transfer_that_moves_is_never_ended_and_has_a_bar(world):
    there = Setting(world, rate=30_000)
    body = os.urandom(300_000)   # 10 s
    source = there.node.folder / "source"
    source.write_bytes(body)
    put = there.terminal("put", NOTE, source, "-w", "8", columns=60).end(0)
    get = there.terminal("get", NOTE, "-w", "8", columns=60).end(0)
    assert get.out == body and put.out.startswith(b"Stored ")
    for said, stage in ((put, "Sending"), (get, "Receiving")):
        drawn = [line for line in said.lines if stage in line]
        assert len({line[0] for line in drawn}) >= 2, said.shown
        percents = [int(found[1]) for found in
                    (re.search(r"(\d+)%, (\d:\d\d|-:--) left", line) for line in drawn) if found]
        assert percents == sorted(percents) and len(set(percents)) > 5, said.shown
        assert any("[##" in line for line in drawn)
        assert all(len(line) < 60 for line in said.lines), said.shown
        assert said.shown.endswith("\r\x1b[K"), "the line is taken away at the end"


def test_the_bar_fits_the_terminal_as_it_is_resized(world):
    there = Setting(world, rate=30_000)
    source = there.node.folder / "source"
    source.write_bytes(os.urandom(300_000))
    said = there.terminal("put", NOTE, source, columns=100)
    said.until("left")
    said.resize(30)
    before = len(said.lines)
    said.end(0)
    wide, narrow = said.lines[:before], said.lines[before + 2:]
    assert any(60 < len(line) < 100 for line in wide), wide
    assert narrow and all(len(line) < 30 for line in narrow), narrow
    assert any("left" in line for line in narrow)


def test_columns_of_the_environment_hold_too(world):
    there = Setting(world)
    there.at = "ab" * 16
    said = there.terminal("get", NOTE, "-w", "2", columns=0, COLUMNS="18").end(1)
    drawn = [line for line in said.lines if not line.startswith("meshstow: ")]
    assert drawn and all(len(line) < 18 for line in drawn), drawn


def test_a_transfer_that_stands_still_is_ended(world):
    there = Setting(world, rate=30_000)
    source = there.node.folder / "source"
    source.write_bytes(os.urandom(300_000))
    said = there.terminal("put", NOTE, source, "-w", "4")
    said.until("Sending")
    there.peer.process.send_signal(signal.SIGSTOP)
    try:
        said.end(1)
    finally:
        there.peer.process.send_signal(signal.SIGCONT)
    assert last_line(said).endswith("the transfer stood still: nothing moved within 4 s")


def test_without_a_terminal_only_the_result_is_said(world, serving):
    there = Setting(world, serving, mode="none")
    done = there.node.run("get", NOTE, "--at", there.at, "-w", "2", code=1)
    assert "within 2 s" in one_line(done) and done.out == ""


def test_quiet_is_quiet_on_a_terminal_too(world):
    there = Setting(world, mode="none")
    said = there.terminal("-q", "get", NOTE, "-w", "2").end(1)
    assert said.lines == [last_line(said)], said.shown


@pytest.mark.parametrize("seconds", ["0", "-1", "x", "", "nan", "inf", "1e9"])
def test_what_is_no_time_to_wait_is_wrong_use(world, seconds):
    one_line(world.node().run("get", NOTE, "--at", "ab" * 16, "-w", seconds, code=2))
