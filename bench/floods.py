#!/usr/bin/env python3
"""How long others wait beside a flood: an HTTP GET, and a GET over the mesh on a connection of its
own; writes a section of docs/BENCHMARKS.md.

A flood is so many different frames a second, made beforehand, on one TCP connection to a running
`serve`: announces with wrong signatures, announces of strangers that are right, link requests.
  --quick   a tenth of the time, printed and not written
"""
import argparse
import datetime
import http.client
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from harness import World, free_port, token_for  # noqa: E402
from report_page import machine, put_section  # noqa: E402

BENCH = ROOT / "build" / "release" / "endpoint_bench"
HEADING = "## Beside a flood"
KINDS = {"forged": "announces with wrong signatures", "valid": "announces of ever new nodes",
         "links": "link requests"}
PER_SECOND = 5000
DOCUMENT = b"0123456789abcdef" * 64


class Flood:
    """Sends the frames evenly, from now until they are all sent or stop()."""

    def __init__(self, port, frames):
        self.frames = frames
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.sent, self.ending = 0, False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        begin = time.monotonic()
        while self.sent < len(self.frames) and not self.ending:
            due = min(len(self.frames), int((time.monotonic() - begin) * PER_SECOND))
            try:
                self.socket.sendall(b"".join(self.frames[self.sent:due]))
            except OSError:
                return
            self.sent = due
            time.sleep(0.002)

    def stop(self):
        self.ending = True
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
        return self.sent


def frames_of(kind, destination, count):
    made = subprocess.run([BENCH, "frames", kind, destination, str(count)], capture_output=True,
                          check=True).stdout
    return [b"~" + frame + b"~" for frame in made.split(b"~") if frame]


def http_latencies(port, token, seconds):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    end, out = time.monotonic() + seconds, []
    while time.monotonic() < end:
        begin = time.monotonic()
        connection.request("GET", "/storage/me/public/bench/d",
                           headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
        out.append(time.monotonic() - begin)
        assert answer.status == 200 and body == DOCUMENT
        time.sleep(0.005)
    connection.close()
    return out


def mesh_latencies(peer, link, seconds):
    end, out = time.monotonic() + seconds, []
    while time.monotonic() < end:
        begin = time.monotonic()
        answer = peer.storage(link, "GET", "/public/bench/d")
        out.append(time.monotonic() - begin)
        assert answer["answer"]["status"] == 200
        time.sleep(0.005)
    return out


def milliseconds(latencies):
    ordered = sorted(latencies)
    return {"p50": statistics.median(ordered) * 1000,
            "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1000,
            "count": len(ordered)}


def measure(node, peer, link, port, token, seconds, frames):
    flood = Flood(node.port, frames) if frames else None
    time.sleep(0.2)
    try:
        out = {"http": milliseconds(http_latencies(port, token, seconds)),
               "mesh": milliseconds(mesh_latencies(peer, link, seconds))}
    finally:
        if flood:
            sent = flood.stop()
    if flood:
        out["sent"] = sent
        # Nothing of it is left for the next one.
        time.sleep(1)
    return out


def bench(seconds):
    world = World()
    try:
        port = free_port()
        node = world.node().serve("--tcp-listen", "127.0.0.1:0", http=f"127.0.0.1:{port}")
        node.run("put", "/public/bench/d", "-", data=DOCUMENT)
        token = token_for(node, "bench:r")
        peer = world.peer_of(node)
        link = peer.link_to(node.destination)
        run = lambda frames: measure(node, peer, link, port, token, seconds, frames)
        run(None)  # warm
        figures = {"none": run(None)}
        for kind in KINDS:
            count = int(PER_SECOND * (2 * seconds + 1))
            figures[kind] = run(frames_of(kind, node.destination, count))
            print(kind, json.dumps(figures[kind]), file=sys.stderr, flush=True)
        return figures
    finally:
        world.close(False)


def section(figures):
    rows = [HEADING, "",
            f"{datetime.date.today()}, {machine()}. A document of 1 KiB, asked for again and again "
            "over HTTP, and by an RNS program over the mesh on a connection of its own, while "
            f"another connection sends {PER_SECOND:,} different frames a second. Milliseconds. "
            "Made by `./dev bench floods`.", "",
            "| beside | HTTP median | p99 | to none | mesh median | p99 | to none |",
            "|---|---|---|---|---|---|---|"]
    calm = figures["none"]
    for kind, name in {"none": "nothing", **KINDS}.items():
        cells = [name]
        for way in ("http", "mesh"):
            mine = figures[kind][way]
            cells += [f"{mine['p50']:.2f}", f"{mine['p99']:.1f}",
                      f"{mine['p50'] / calm[way]['p50']:.1f}x"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    text = section(bench(1 if arguments.quick else 10))
    if arguments.quick:
        print(text)
    else:
        put_section(text)


if __name__ == "__main__":
    main()
