#!/usr/bin/env python3
"""Meshstow beside armadietto and nginx over HTTP, in one run on one machine; writes a section of
docs/BENCHMARKS.md.

The load is wrk on one thread; documents have 1 KiB. Each figure is the median of the rounds, the
servers take turns within a round. Meshstow syncs every write to the disk before it answers;
armadietto does not sync at all.

  --quick         short rounds and 10,000 siblings in place of 100,000, printed and not written
  --json FILE     all figures
  --install       installs armadietto into build/http-bench and stops
Needs wrk, nginx, nodejs and npm (Debian packages).
"""
import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from report_page import machine, put_section  # noqa: E402
from servers import MODULES, Armadietto, Meshstow, Nginx, ask  # noqa: E402

HEADING = "## HTTP, beside armadietto and nginx"
CONNECTIONS = (1, 16)
OPERATIONS = ("GET", "conditional GET, 304", "PUT, folder of 1,000", "PUT, folder of 100,000",
              "PUT, 64 overwritten", "listing of 1,000")


def install():
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = MODULES / "installed"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    MODULES.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, MODULES)
    subprocess.run(["npm", "--prefix", str(MODULES), "ci", "--prefer-offline", "--no-audit",
                    "--no-fund", "--loglevel=error"], check=True, stdout=sys.stderr)
    stamp.write_bytes(lock)


def wrk(server, connections, seconds, method, path, count=0, etag=None):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s",
               str(HERE / "wrk.lua"), f"http://127.0.0.1:{server.port}", "--", method,
               server.root + path, str(count), server.token or "-"] + ([etag] if etag else [])
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"wrk: {done.stdout}{done.stderr}")
    figures = json.loads(lines[-1])
    if figures["bad_status"] or figures["broken"]:
        print(f"{server.name}: {method} {path}: {figures}", file=sys.stderr)
    figures["per_second"] = figures["requests"] / figures["seconds"]
    return figures


class Bench:
    def __init__(self, quick):
        self.seconds = 2 if quick else 5
        self.rounds = 1 if quick else 3
        self.many = 10_000 if quick else 100_000
        self.starts = 3 if quick else 5
        self.servers = [Meshstow(), Armadietto(), Nginx()]
        self.figures = {server.name: {} for server in self.servers}
        self.folders = 0

    def close(self):
        for server in self.servers:
            server.close()

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def run(self):
        for server in self.servers:
            self.set_up(server)
        for round_number in range(self.rounds):
            for operation in OPERATIONS:
                for connections in CONNECTIONS:
                    for server in self.servers:
                        self.measure(server, operation, connections, round_number)
        for server in self.servers:
            mine = self.figures[server.name]
            mine["loaded_mib"] = server.memory_mib()
            mine["peak_mib"] = server.memory_mib("VmHWM")

    def set_up(self, server):
        mine = self.figures[server.name]
        server.prepare()
        starts = []
        for _ in range(self.starts):
            server.stop()
            starts.append(server.start() * 1000)
        mine["start_ms"] = statistics.median(starts)
        server.make_token()
        mine["idle_mib"] = server.memory_mib()
        mine["version"] = server.version()
        if server.root:
            server.fill("/bench/single/", 1)
            server.fill("/bench/f/", 1000)
            self.say(f"{server.name}: putting {self.many} documents into one folder")
            server.fill("/bench/many/", self.many)

    def measure(self, server, operation, connections, round_number):
        figures = self.one(server, operation, connections)
        if figures is None:
            return
        self.say(f"round {round_number + 1}, {operation}, {connections} connections, "
                 f"{server.name}: "
                 f"{figures['per_second']:.0f}/s, p99 {figures['p99_ms']:.2f} ms")
        of_operation = self.figures[server.name].setdefault(operation, {})
        of_operation.setdefault(connections, []).append(figures)

    def one(self, server, operation, connections):
        document = "/bench/single/d000000"  # alone in its folder, as peers read the folder too
        load = lambda *arguments, **more: wrk(server, connections, self.seconds, *arguments, **more)
        if operation == "GET":
            return load("GET", document)
        if operation == "conditional GET, 304":
            _, headers, _ = ask(server.port, "HEAD", server.root + document,
                                headers=server.headers())
            return load("GET", document, etag=headers["etag"])
        if not server.root:
            return None  # nginx serves what is there
        self.folders += 1
        if operation == "listing of 1,000":
            return load("GET", "/bench/f/")
        if operation == "PUT, 64 overwritten":
            return load("PUT", "/bench/overwritten/d%d", count=64)
        if operation == "PUT, folder of 100,000":
            return load("PUT", f"/bench/many/new{self.folders}-%d")
        server.fill(f"/bench/fresh{self.folders}/", 1000)
        return load("PUT", f"/bench/fresh{self.folders}/new-%d")

    def median(self, name, operation, connections, figure):
        rounds = self.figures[name].get(operation, {}).get(connections)
        return statistics.median(each[figure] for each in rounds) if rounds else None


def number(value):
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(ours, theirs):
    return "-" if not ours or not theirs else f"{number(ours / theirs)}x"


def section(bench):
    names = [server.name for server in bench.servers]
    lines = [HEADING, ""]
    lines += [f"{datetime.date.today()}, {machine()}; wrk on one thread shares them with the "
              "server. 1 KiB documents. Each figure is requests per second, in brackets the "
              f"latency in ms (p50 / p99): the median of {bench.rounds} rounds of "
              f"{bench.seconds} s. Meshstow has synced a write to the disk before it answers; "
              "armadietto never syncs. "
              "Made by `./dev bench http`.", ""]
    lines += [f"| | connections | {' | '.join(names)} | to armadietto | p99 to armadietto "
              "| to nginx |",
              f"|---|---|{'---|' * (len(names) + 3)}"]
    for operation in OPERATIONS:
        shown = operation.replace("100,000", f"{bench.many:,}")
        for connections in CONNECTIONS:
            lines.append(row(bench, names, operation, shown, connections))
    lines += ["", f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for title, key in (("idle memory, MiB", "idle_mib"), ("after the load, MiB", "loaded_mib"),
                       ("peak, MiB", "peak_mib"), ("start to the first answer, ms", "start_ms"),
                       ("version", "version")):
        cells = [bench.figures[name][key] for name in names]
        cells = [cell if isinstance(cell, str) else number(cell) for cell in cells]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", f"The {bench.many:,} siblings and the 1,000 are there before; each PUT adds one "
              "more. armadietto's are written beside it, since it would need hours to take them. "
              "Its memory is without the file cache; nginx's is that of master and worker "
              "together.",
              ""]
    return "\n".join(lines)


def row(bench, names, operation, shown, connections):
    def cell(name):
        rate = bench.median(name, operation, connections, "per_second")
        if rate is None:
            return "-"
        p50 = bench.median(name, operation, connections, "p50_ms")
        p99 = bench.median(name, operation, connections, "p99_ms")
        bad = sum(each["bad_status"] + each["broken"]
                  for each in bench.figures[name][operation][connections])
        shown = f"{number(rate)} ({number(p50)} / {number(p99)})"
        return shown + (f", {bad} failed" if bad else "")

    ours, theirs, static = (bench.median(name, operation, connections, "per_second")
                            for name in ("Meshstow", "armadietto", "nginx"))
    tails = [bench.median(name, operation, connections, "p99_ms")
             for name in ("Meshstow", "armadietto")]
    cells = [shown, connections, *map(cell, names), ratio(ours, theirs), ratio(*tails),
             ratio(ours, static)]
    return f"| {' | '.join(map(str, cells))} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--install", action="store_true")
    arguments = parser.parse_args()
    for program in ("node", "npm") if arguments.install else ("node", "npm", "wrk", "nginx"):
        if not shutil.which(program) and not shutil.which(program, path="/usr/sbin"):
            sys.exit(f"no {program}: install the packages wrk, nginx, nodejs and npm")
    os.environ["PATH"] += ":/usr/sbin"
    install()
    if arguments.install:
        return
    bench = Bench(arguments.quick)
    try:
        bench.run()
        text = section(bench)
    finally:
        bench.close()
    print(text)
    if not arguments.quick:
        put_section(text)
    if arguments.json:
        arguments.json.write_text(json.dumps(bench.figures, indent=1))


if __name__ == "__main__":
    main()
