#!/usr/bin/env python3
"""Meshstow beside RNS, in one run on one machine; writes a section of docs/BENCHMARKS.md.

Every pair talks over TCP on the loopback interface: client and server of either kind, one thread of
work each. `./dev bench reticulum` runs it with the newest RNS that the tests use.
  --quick   a tenth of the work, printed and not written: does it still run?
"""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from harness import World, free_port, tcp_client, tcp_server  # noqa: E402
from report_page import machine, put_section  # noqa: E402

BENCH = ROOT / "build" / "release" / "endpoint_bench"
NAME = "bench.echo"
MEGABYTE = 1_000_000


def ours(*arguments):
    done = subprocess.run([BENCH, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


class OurServer:
    def __init__(self, *mode):
        self.process = subprocess.Popen([BENCH, "serve", NAME, *mode], stdout=subprocess.PIPE,
                                        text=True)
        ready = json.loads(self.process.stdout.readline())
        self.port, self.hash = ready["port"], ready["hash"]

    def stop(self):
        self.process.kill()
        self.process.wait()


class RnsServer:
    def __init__(self, world):
        self.port = free_port()
        self.peer = world.peer()
        self.peer.start([tcp_server(self.port)])
        self.hash = self.peer.call("destination", name=NAME)["hash_hex"]
        self.peer.call("serve", name=NAME, path="/bench/echo", mode="echo")

    def stop(self):
        self.peer.kill()


class OurClient:
    def __init__(self, world, server):
        self.to = (server.port, server.hash)

    def links(self, count):
        return ours("links", *self.to, count)["per_second"]

    def requests(self, count):
        answer = ours("requests", *self.to, count)
        return answer["per_second"], answer["median_ms"]

    def resource(self, size):
        return ours("resource", *self.to, size)["bytes_per_second"]

    def stop(self):
        pass


class RnsClient:
    def __init__(self, world, server):
        self.peer, self.hash = world.peer(), server.hash
        self.peer.start([tcp_client(server.port)])
        self.peer.call("path", hash_hex=self.hash, timeout=30)

    def links(self, count):
        return self.peer.call("bench_links", hash_hex=self.hash, name=NAME,
                              count=count)["per_second"]

    def link(self):
        return self.peer.call("link", hash_hex=self.hash, name=NAME)["link"]

    def requests(self, count):
        answer = self.peer.call("bench_requests", link=self.link(), path="/bench/echo",
                                count=count, size=32)
        return answer["per_second"], answer["median_ms"]

    def resource(self, size):
        return self.peer.call("resource", link=self.link(), size=size)["bytes_per_second"]

    def stop(self):
        self.peer.kill()


PAIRS = {
    "RNS to RNS": (RnsClient, RnsServer),
    "Meshstow to Meshstow": (OurClient, lambda world: OurServer()),
    "RNS to Meshstow": (RnsClient, lambda world: OurServer()),
    "Meshstow to RNS": (OurClient, RnsServer),
}


def resident_kb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def measure_pair(world, pair, scale):
    make_client, make_server = PAIRS[pair]
    server = make_server(world)
    client = make_client(world, server)
    try:
        rates = [client.resource(10 * MEGABYTE // scale) for _ in range(3)]
        return {"resource": statistics.median(rates) / MEGABYTE,
                "links": client.links(150 // scale),
                "requests": client.requests(2000 // scale)}
    finally:
        client.stop()
        server.stop()


def measure_unhindered(world, scale):
    """Our requests without the wait that RNS requesters need."""
    server = OurServer("plain")
    try:
        return OurClient(world, server).requests(2000 // scale)
    finally:
        server.stop()


def measure_daemons(world, scale):
    """Time to ready and idle memory of a node that listens on TCP, theirs and ours."""
    out = {"RNS": {"ready": [], "rss": []}, "Meshstow": {"ready": [], "rss": []}}
    node = world.node()
    for _ in range(max(1, 5 // scale)):
        begin = time.perf_counter()
        peer = world.peer()
        peer.start([tcp_server(free_port())])
        out["RNS"]["ready"].append(time.perf_counter() - begin)
        begin = time.perf_counter()
        node.serve("--tcp-listen", "127.0.0.1:0")
        out["Meshstow"]["ready"].append(time.perf_counter() - begin)
        time.sleep(5 / scale)
        out["RNS"]["rss"].append(resident_kb(peer.process.pid))
        out["Meshstow"]["rss"].append(resident_kb(node.process.pid))
        peer.kill()
        node.stop()
    return {who: {key: statistics.median(values) for key, values in rows.items()}
            for who, rows in out.items()}


def measure_documents(world, scale):
    """10 MB through everything: command, link, signature, store, fsync."""
    here = world.serving_node()
    there = world.node().serve("--tcp-connect", f"127.0.0.1:{here.port}")
    source = world.folder / "document"
    source.write_bytes(os.urandom(10 * MEGABYTE // scale))
    token = here.json("token", "create", "--scope", "*:rw")["token"]
    at, out = ["--at", here.destination, "--token", token], {}
    for name, command in (("put", ["put", "/public/bench/document", str(source)]),
                          ("get", ["get", "/public/bench/document", "-o", "/dev/null"])):
        begin = time.perf_counter()
        there.run(*command, *at)
        out[name] = source.stat().st_size / MEGABYTE / (time.perf_counter() - begin)
    return out


def table(pairs, unhindered, announces, daemons, documents, rns_version):
    def row(name, pick):
        return f"| {name} | " + " | ".join(pick(pairs[pair]) for pair in PAIRS) + " |"

    rns, our = daemons["RNS"], daemons["Meshstow"]
    return "\n".join([
        "## Reticulum, beside RNS", "",
        "Made by `./dev bench reticulum`. Higher is better but for memory, time to ready and "
        "latency.", "",
        f"- Date: {datetime.date.today().isoformat()}",
        f"- Machine: {machine()}",
        f"- RNS {rns_version} on Python {platform.python_version()}; Meshstow release build",
        "- Each pair: client to server, two processes, TCP on loopback", "",
        "| | " + " | ".join(PAIRS) + " |",
        "|---|" + "---|" * len(PAIRS),
        row("10 MB resource, MB/s", lambda p: f"{p['resource']:.1f}"),
        row("link set-ups per second", lambda p: f"{p['links']:.0f}"),
        row("requests of 32 bytes per second", lambda p: f"{p['requests'][0]:.0f}"),
        row("median round trip of such a request, ms", lambda p: f"{p['requests'][1]:.2f}"), "",
        "Links and requests go one after another. A Meshstow server lets a one-packet answer wait",
        "6 ms on fast links, because RNS loses answers that come sooner; that wait is most of the",
        f"round trip. Without it Meshstow to Meshstow: {unhindered[0]:.0f} per second, "
        f"{unhindered[1]:.2f} ms.", "",
        "| | RNS | Meshstow |", "|---|---|---|",
        f"| announces validated per second | {announces[0]:.0f} | {announces[1]:.0f} |",
        f"| idle memory of a node, MB | {rns['rss'] / 1024:.1f} | {our['rss'] / 1024:.1f} |",
        f"| start to ready, ms | {rns['ready'] * 1000:.0f} | {our['ready'] * 1000:.0f} |", "",
        "The Meshstow node has its store open; the RNS node is a bare Reticulum instance. RNS's",
        "announces are validated in a loop over packets that were unpacked before; ours pass the",
        "whole endpoint.", "",
        "| a 10 MB document between two Meshstow nodes | MB/s |", "|---|---|",
        f"| put with --at (link, signature, store, fsync) | {documents['put']:.1f} |",
        f"| get with --at | {documents['get']:.1f} |", ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    scale = 10 if parser.parse_args().quick else 1
    world = World()
    try:
        pairs = {pair: measure_pair(world, pair, scale) for pair in PAIRS}
        peer = world.peer()
        version = peer.start([])["rns_version"]
        count = 5000 // scale
        announces = (peer.call("bench_announces", count=count)["per_second"],
                     ours("announces", count)["per_second"])
        unhindered = measure_unhindered(world, scale)
        daemons = measure_daemons(world, scale)
        documents = measure_documents(world, scale)
        text = table(pairs, unhindered, announces, daemons, documents, version)
    finally:
        world.close(False)
    print(text)
    if scale == 1:
        put_section(text)


if __name__ == "__main__":
    main()
