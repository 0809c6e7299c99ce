"""Starts and stops what the end-to-end tests talk to: our nodes, RNS peers, commands.

Every process lives in a World, which ends them all; the kernel does if the World itself is killed.
PATIENCE bounds what should take a second: it only ends a test that would hang.
"""
import ctypes
import itertools
import json
import os
import queue
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BINARY = os.environ.get("MESHSTOW_BINARY", str(ROOT / "build" / "release" / "meshstow"))
PATIENCE = 240
DESTINATION = "remotestorage.node"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def eventually(question, what="it"):
    """Asks until the answer is true; returns it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come about")


def one_line(done):
    """What a failed command says."""
    lines = done.err.splitlines()
    assert len(lines) == 1 and lines[0], f"not one line: {done.err!r}"
    return lines[0]


def tree(folder):
    """Every file below with its bytes, but for sockets and the lock."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock"}


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


class Lines:
    """Lines of a pipe, readable with a timeout; None after the last."""

    def __init__(self, pipe):
        self.queue = queue.Queue()
        threading.Thread(target=self._pump, args=(pipe,), daemon=True).start()

    def _pump(self, pipe):
        for line in pipe:
            self.queue.put(line)
        self.queue.put(None)

    def next(self, timeout=PATIENCE):
        return self.queue.get(timeout=timeout)


class PeerError(Exception):
    """A command that the RNS peer could not do."""


class Peer:
    """An RNS program in a process of its own (rns_peer.py)."""

    def __init__(self, folder, env):
        self.log = open(folder / "peer.log", "ab")
        self.folder, self.ids = folder, itertools.count(1)
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "rns_peer.py")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.log, text=True, env=env,
            preexec_fn=die_with_parent)
        self.lines, self.events = Lines(self.process.stdout), []
        assert json.loads(self.lines.next())["event"] == "ready"

    def call(self, cmd, wait=PATIENCE * 4, **arguments):
        number = next(self.ids)
        self.process.stdin.write(json.dumps({"id": number, "cmd": cmd, **arguments}) + "\n")
        self.process.stdin.flush()
        while True:
            line = self.lines.next(wait)
            assert line is not None, f"the RNS peer ended; see {self.folder / 'peer.log'}"
            reply = json.loads(line)
            if reply.get("id") != number:
                self.events.append(reply)
            elif reply["ok"]:
                return reply
            else:
                raise PeerError(reply["error"])

    def start(self, interfaces=(), **options):
        return self.call("start", configdir=str(self.folder / "reticulum"), loglevel=4,
                         interfaces=list(interfaces), **options)

    def link_to(self, destination):
        """A link to one of our nodes (or any), after a path has been found."""
        def attempt():
            try:
                self.call("path", hash_hex=destination, timeout=20)
                return self.call("link", hash_hex=destination, name=DESTINATION, timeout=30)
            except PeerError:
                return None
        return eventually(attempt, "a link to the node")["link"]

    def storage(self, link, operation, path, **more):
        return self.call("storage", link=link, operation=operation, path=path, **more)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Node:
    """A home of ours, its commands, and its `serve` while it runs."""

    def __init__(self, folder, env):
        self.folder, self.home = folder, folder / "home"
        self.env = {**env, "HOME": str(folder)}
        self.process = self.ready = self.identities = None

    def run(self, *arguments, data=None, code=0, home=True, env=None):
        command = [BINARY, *(["--home", str(self.home)] if home else []), *map(str, arguments)]
        done = subprocess.run(command, input=data, stdin=None if data is not None else
                              subprocess.DEVNULL, capture_output=True,
                              env={**self.env, **(env or {})}, timeout=PATIENCE * 4,
                              preexec_fn=die_with_parent)
        done.out, done.err = done.stdout.decode(errors="replace"), done.stderr.decode()
        assert code is None or done.returncode == code, (
            f"{command}: exit code {done.returncode}, expected {code}\n{done.out}{done.err}")
        return done

    def json(self, *arguments, **more):
        return json.loads(self.run("--json", *arguments, **more).out)

    def init(self, *arguments):
        self.identities = self.json("init", *arguments)
        return self

    def serve(self, *arguments, reticulum="off", http="off"):
        assert self.process is None
        self.log = open(self.folder / "serve.log", "ab")
        self.process = subprocess.Popen(
            [BINARY, "--home", str(self.home), "--json", "-v", "serve", "--http", http,
             "--reticulum", reticulum, *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=self.env, preexec_fn=die_with_parent)
        line = Lines(self.process.stdout).next()
        assert line, f"serve ended: {(self.folder / 'serve.log').read_text()}"
        self.ready = json.loads(line)
        assert self.ready["event"] == "ready"
        return self

    @property
    def destination(self):
        return self.ready["destination"]

    @property
    def port(self):
        return int(self.ready["listening"][0].rpartition(":")[2])

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=PATIENCE)
        self.process = None
        return code

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


class World:
    def __init__(self):
        # Short names: a control socket's path must fit 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="mst-"))
        self.things = []
        self.env = {k: v for k, v in os.environ.items()
                    if k not in ("MESHSTOW_HOME", "XDG_CONFIG_HOME")}
        self.env["HOME"] = str(self.folder)

    def _folder(self, kind):
        folder = self.folder / f"{kind}{len(self.things)}"
        folder.mkdir()
        return folder

    def node(self, init=True):
        node = Node(self._folder("n"), self.env)
        self.things.append(node)
        return node.init() if init else node

    def peer(self):
        peer = Peer(self._folder("p"), self.env)
        self.things.append(peer)
        return peer

    def serving_node(self):
        """A node that listens on TCP; peer_of() connects to it."""
        return self.node().serve("--tcp-listen", "127.0.0.1:0")

    def peer_of(self, node):
        peer = self.peer()
        peer.start([tcp_client(node.port)])
        return peer

    def close(self, failed):
        for thing in self.things:
            thing.kill()
        if failed:
            for log in sorted(self.folder.glob("*/*.log")):
                text = log.read_text(errors="replace")
                print(f"---- {log} (last lines)\n" + "\n".join(text.splitlines()[-60:]))
        shutil.rmtree(self.folder, ignore_errors=True)


def tcp_client(port, **more):
    return {"name": f"to {port}", "type": "tcp_client", "port": port, **more}


def tcp_server(port, **more):
    return {"name": f"at {port}", "type": "tcp_server", "port": port, **more}


def token_for(node, scope, *more):
    return node.json("token", "create", "--scope", scope, *more)["token"]
