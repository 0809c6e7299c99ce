#!/usr/bin/env python3
"""The store beside raw SQLite, in one run on one machine; writes a section of docs/BENCHMARKS.md.

Runs build/release/store_bench, each measurement in a new folder on the disk of build/.
  --quick   a tenth of the work, printed and not written: does it still run?
"""
import argparse
import datetime
import json
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from report_page import machine, put_section
from scale_plot import draw

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "build" / "release" / "store_bench"
PLOT = ROOT / "docs" / "images" / "store-scale.svg"
ROUNDS = 3


def measure(*arguments):
    folder = tempfile.mkdtemp(prefix="store-bench-", dir=ROOT / "build")
    try:
        done = subprocess.run([BENCH, folder, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"store_bench {arguments}: {done.stderr}")
        return json.loads(done.stdout)
    finally:
        shutil.rmtree(folder)


def median_of(*arguments):
    """The round whose share is the median, so that the figures of a line belong together."""
    rounds = sorted((measure(*arguments) for _ in range(ROUNDS)), key=lambda each: each["share"])
    return rounds[len(rounds) // 2]


def rates(puts, gets):
    lines = ["| per second, 1 KiB | raw SQLite | Meshstow | share | goal |",
             "|---|---|---|---|---|"]
    for put in puts:
        writers = put["writers"]
        name = "one writer" if writers == 1 else f"{writers} writers"
        lines.append(f"| durable puts, {name} | {put['raw']:,} | {put['ours']:,} "
                     f"| {put['share']:.2f} | 0.70 |")
    lines.append(f"| gets out of {gets['documents']:,} | {gets['raw']:,} | {gets['ours']:,} "
                 f"| {gets['share']:.2f} | 0.50 |")
    return lines


def section(puts, gets, large, latency, scale):
    probes = [f"| {each['documents']:,} | {each['put_us']:.0f} | {each['get_us']:.0f} "
              f"| {each['list_1000_us'] / 1000:.1f} | {each['file_over_logical']:.2f} |"
              for each in scale]
    return "\n".join([
        "## The store, beside raw SQLite", "",
        f"{datetime.date.today()}, {machine()}; made by `./dev bench store`. Raw SQLite has one "
        "table with a unique index and the store's settings (WAL, `synchronous=FULL`, the same "
        "checkpoints and cache) and writes as many rows to a transaction as there are "
        "writers. "
        "Meshstow's writers wait for their answers through the disk thread; names, types and "
        f"bodies are sealed. Median of {ROUNDS} rounds, both in turns.", "",
        *rates(puts, gets), "",
        f"| one document of {large['megabytes']:,} MiB, MiB/s | disk | AEAD | write | read "
        "| share of the slower | goal |", "|---|---|---|---|---|---|---|",
        f"| in pieces of 1 MiB | {large['disk']} | {large['aead']} | {large['write']} "
        f"| {large['read']} | {large['share']:.2f} | 0.50 |", "",
        "The disk is `write` and one `fdatasync`, through the page cache. SQLite writes a page "
        "twice, into the log and into the file; that, two hashes and the AEAD on one thread are "
        f"what a write costs. The file takes {large['file_over_logical']:.2f} of the document.", "",
        "| a put of one writer, ms | p50 | p99 | max |", "|---|---|---|---|",
        f"| nothing else | {latency['quiet_p50_ms']:.2f} | {latency['quiet_p99_ms']:.2f} | - |",
        f"| while `compact` gives {latency['megabytes']:.0f} MB back | {latency['p50_ms']:.2f} "
        f"| {latency['p99_ms']:.2f} | {latency['max_ms']:.2f} |", "",
        "| documents in one folder | CPU of a put, µs | of a get, µs | of 1,000 listed, ms "
        "| file / contents |", "|---|---|---|---|---|", *probes, "",
        "![CPU time of a put and a get at 10, 10,000 and 1,000,000 siblings]"
        "(images/store-scale.svg)", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    part = 10 if quick else 1
    puts = [median_of("puts", count // part, writers)
            for count, writers in ((16_000, 1), (96_000, 16), (192_000, 64))]
    gets = median_of("gets", 20_000 // part, 400_000 // part)
    large = median_of("large", 1024 // part)
    latency = measure("latency", 5_000 // part)
    scale = [measure("scale", count) for count in (10, 10_000, 1_000_000 // part)]
    text = section(puts, gets, large, latency, scale)
    print(text)
    if not quick:
        PLOT.write_text(draw(scale))
        put_section(text)


if __name__ == "__main__":
    main()
