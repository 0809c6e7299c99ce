"""Starts the servers that run.py measures: Meshstow, armadietto, nginx, each on a loopback port.

A server has: name, port, pids(), and, but for nginx, root (of the storage), token,
fill(folder, count).
"""
import ctypes
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("MESHSTOW_BINARY", str(ROOT / "build" / "release" / "meshstow"))
MODULES = ROOT / "build" / "http-bench"
DOCUMENT = b"0123456789abcdef" * 64
PATIENCE = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def ask(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
    finally:
        connection.close()


def memory_kib(pid, field="VmRSS"):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+)", text, re.M).group(1))


class Server:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix=f"http-bench-{self.name}-"))
        self.port = free_port()
        self.log = open(self.folder / "log", "ab")
        self.token = None
        self.process = None

    def start(self):
        """Starts it; the seconds to its first answer."""
        begin = time.monotonic()
        self.process = subprocess.Popen(
            self.command(), cwd=self.folder, stdout=self.log, stderr=self.log,
            stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(self.folder)},
            preexec_fn=die_with_parent)
        while time.monotonic() - begin < PATIENCE:
            if self.process.poll() is not None:
                log = (self.folder / "log").read_text()
                raise RuntimeError(f"{self.name} ended: {log[-2000:]}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as client:
                    client.sendall(f"GET {self.first_path} HTTP/1.1\r\n"
                                   f"Host: 127.0.0.1:{self.port}\r\n"
                                   "Connection: close\r\n\r\n".encode())
                    if client.recv(12).startswith(b"HTTP/1.1"):
                        return time.monotonic() - begin
            except ConnectionError:
                time.sleep(0.0005)
        raise RuntimeError(f"{self.name} does not answer")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def close(self):
        self.stop()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pids(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]

    def memory_mib(self, field="VmRSS"):
        return sum(memory_kib(pid, field) for pid in self.pids()) / 1024

    def headers(self):
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/octet-stream"}


class Meshstow(Server):
    name = "Meshstow"
    root = "/storage/me"
    first_path = "/storage/me/"

    def command(self):
        return [BINARY, "--home", str(self.folder / "home"), "serve", "--http",
                f"127.0.0.1:{self.port}", "--reticulum", "off"]

    def run(self, *arguments):
        done = subprocess.run([BINARY, "--home", self.folder / "home", "--json", *arguments],
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"meshstow {arguments[0]}: {done.stderr}")
        return json.loads(done.stdout)

    def prepare(self):
        self.run("init")

    def make_token(self):
        self.token = self.run("token", "create", "--scope", "bench:rw")["token"]

    def version(self):
        done = subprocess.run([BINARY, "--version"], capture_output=True, text=True)
        return done.stdout.strip()

    def fill(self, folder, count):
        """Puts `count` documents of 1 KiB, over a few pipelined connections."""
        def part(numbers):
            with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as client:
                answers = client.makefile("rb")
                for at in range(0, len(numbers), 32):
                    some = numbers[at:at + 32]
                    client.sendall(b"".join(self.put_bytes(f"{folder}d{n:06}") for n in some))
                    for _ in some:
                        self.expect_created(answers)

        failures = []

        def guarded(numbers):
            try:
                part(numbers)
            except Exception as error:  # told to the thread that waits
                failures.append(error)

        threads = [threading.Thread(target=guarded, args=(range(n, count, 16),)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def put_bytes(self, path):
        lines = [f"PUT {self.root}{path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}",
                 f"Content-Length: {len(DOCUMENT)}"]
        lines += [f"{name}: {value}" for name, value in self.headers().items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + DOCUMENT

    @staticmethod
    def expect_created(answers):
        status = answers.readline()
        length = 0
        while (line := answers.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        answers.read(length)
        if b" 201 " not in status:
            raise RuntimeError(f"filling: {status!r}")


class Armadietto(Server):
    name = "armadietto"
    root = "/storage/me"
    first_path = "/signup"
    password = "a long enough password"

    def command(self):
        return ["node", str(MODULES / "node_modules/armadietto/bin/armadietto.js"),
                "-c", str(self.folder / "conf.json")]

    def prepare(self):
        here = {"host": "127.0.0.1", "port": self.port}
        (self.folder / "conf.json").write_text(json.dumps({
            "allow_signup": True, "storage_path": str(self.folder / "storage"), "cache_views": True,
            "basePath": "", "http": here,
            "https": {"enable": False, "force": False, "cert": "", "key": "", **here, "port": 0},
            "logging": {"log_dir": str(self.folder / "logs"), "stdout": ["error"],
                        "log_files": ["error"]}}))

    def make_token(self):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        account = {"username": "me", "password": self.password}
        status, _, text = ask(self.port, "POST", "/signup", urllib.parse.urlencode(
            {**account, "email": "me@example.com"}), form)
        if status != 201:
            raise RuntimeError(f"armadietto: signup {status} {text[:200]}")
        _, headers, _ = ask(self.port, "POST", "/oauth", urllib.parse.urlencode(
            {**account, "client_id": "http://localhost", "redirect_uri": "http://localhost/",
             "response_type": "token", "scope": "bench:rw", "allow": "Allow"}), form)
        fragment = urllib.parse.urlsplit(headers["location"]).fragment
        self.token = urllib.parse.parse_qs(fragment)["access_token"][0]

    def version(self):
        package = json.loads((MODULES / "node_modules/armadietto/package.json").read_text())
        node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
        return f"armadietto {package['version']}, Node {node}"

    def fill(self, folder, count):
        """As if they had been put: its own PUT would take hours for 100,000 of them."""
        path = f"{self.root}{folder}d000000"
        status, _, _ = ask(self.port, "PUT", path, DOCUMENT, self.headers())
        if status not in (200, 201):
            raise RuntimeError(f"armadietto: PUT {status}")
        place = self.folder / "storage/me/me/storage" / folder.strip("/")
        meta = json.loads((place / ".~meta").read_text())
        item = meta["items"]["d000000"]
        for n in range(1, count):
            meta["items"][f"d{n:06}"] = item
            (place / f"d{n:06}").write_bytes(DOCUMENT)
        (place / ".~meta").write_text(json.dumps(meta, indent=2))


class Nginx(Server):
    name = "nginx"
    root = ""
    first_path = "/document"

    def command(self):
        return ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def prepare(self):
        site = self.folder / "site"
        (site / "bench" / "single").mkdir(parents=True)
        (site / "bench" / "single" / "d000000").write_bytes(DOCUMENT)
        (site / "document").write_bytes(DOCUMENT)
        self.folder.chmod(0o755)
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind}; " for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; sendfile on; open_file_cache max=100; {temporary}
  server {{ listen 127.0.0.1:{self.port}; root {site}; default_type application/octet-stream; }}
}}
""")

    def make_token(self):
        pass

    def version(self):
        done = subprocess.run(["nginx", "-v"], capture_output=True, text=True)
        return done.stderr.strip().removeprefix("nginx version: ") + ", one worker"
