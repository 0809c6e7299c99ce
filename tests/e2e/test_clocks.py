"""Nodes whose clock is wrong, by libfaketime: what is destroyed, and what peers still hear."""
import glob

import pytest
from RNS.vendor import umsgpack

LIBRARIES = sorted(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"))
NOTE, GONE = "/private/notes/today", "/private/notes/gone"
YEARS = {"in 1970": "@1970-01-02 00:00:00", "in 2040": "@2040-01-02 00:00:00"}

pytestmark = pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed")


def set_clock(node, said):
    """From its next start on. Time since boot stays what it is, as on a board without a clock."""
    for name in ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC"):
        node.env.pop(name, None)
    if said:
        node.env |= {"LD_PRELOAD": LIBRARIES[-1], "FAKETIME": said,
                     "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def kept(node):
    return [len(node.json("history", path)["versions"]) for path in (NOTE, GONE)]


def with_history(world):
    node = world.node()
    for text in (b"one", b"two", b"three"):
        node.run("put", NOTE, data=text)
    node.run("put", GONE, data=b"a mistake")
    node.run("rm", GONE)
    assert kept(node) == [3, 2]
    return node


@pytest.mark.parametrize("when", YEARS)
def test_a_clock_that_is_decades_wrong_for_a_while_destroys_nothing(world, when):
    node = with_history(world)
    set_clock(node, YEARS[when])
    node.serve()
    node.run("put", "/private/notes/other", data=b"written by the wrong clock")
    node.run("compact")  # sweeps at once what would be swept in time
    assert kept(node) == [3, 2]
    told = node.json("status")["clock"]
    assert abs(told["jumped_seconds"]) > 10 * 365 * 86400 and told["sweep_held"]
    assert "Clock" in node.run("status").out
    assert node.stop() == 0
    assert "the clock went" in (node.folder / "serve.log").read_text()

    set_clock(node, None)  # right again
    node.serve()
    node.run("put", "/private/notes/other", data=b"written by the right one")
    node.run("compact")
    assert kept(node) == [3, 2]
    assert node.stop() == 0
    node.run("compact")
    assert kept(node) == [3, 2]
    assert node.json("check")["whole"]


def test_a_clock_that_jumps_while_serve_runs_destroys_nothing_and_is_told(world):
    node = with_history(world)
    said = node.folder / "clock"
    said.write_text("+0")
    set_clock(node, "+0")
    del node.env["FAKETIME"]
    node.env |= {"FAKETIME_TIMESTAMP_FILE": str(said), "FAKETIME_NO_CACHE": "1"}
    node.serve()
    node.run("put", NOTE, data=b"four")
    assert node.json("status")["clock"] == {"jumped_seconds": None, "sweep_held": False}
    for error in ("+5000d", "+0"):
        said.write_text(error)
        node.run("put", "/private/notes/other", data=error.encode())
        node.run("compact")
        clock = node.json("status")["clock"]
        assert clock["sweep_held"] and abs(clock["jumped_seconds"]) > 4999 * 86400
    assert kept(node) == [4, 2]
    assert node.stop() == 0
    log = (node.folder / "serve.log").read_text()
    assert "the clock jumped 5000 days" in log or "the clock jumped 4999 days" in log


def test_history_ages_while_the_node_is_off_by_a_day_at_most(world):
    node = with_history(world)
    node.run("history-policy", "3d,10")
    set_clock(node, "+1000d")
    for day in range(1001, 1002):  # with the first put: two days
        node.run("put", "/private/notes/other", data=b"x")
        set_clock(node, f"+{day}d")
        node.run("compact")
    assert kept(node) == [3, 2]
    for day in range(1002, 1005):
        node.run("put", "/private/notes/other", data=b"x")
        set_clock(node, f"+{day}d")
        node.run("compact")
    set_clock(node, None)
    assert len(node.json("history", NOTE)["versions"]) == 1
    node.run("history", GONE, code=11)
    assert node.run("get", NOTE).stdout == b"three"


def test_peers_hear_announces_after_a_start_with_a_clock_in_1970(world):
    """RNS ignores a destination for good whose announces went back in time."""
    node = world.serving_node()
    port, destination = node.port, node.destination
    peer = world.peer_of(node)
    first = peer.call("wait_announce", hash_hex=destination, timeout=120)
    assert node.stop() == 0
    peer.call("announces", clear=True)
    set_clock(node, YEARS["in 1970"])
    node.serve("--tcp-listen", f"127.0.0.1:{port}")
    again = peer.call("wait_announce", hash_hex=destination, timeout=120)
    # What it says of its clock does not go back either.
    times = [umsgpack.unpackb(bytes.fromhex(heard["app_data_hex"]))[2] for heard in (first, again)]
    assert times == sorted(times)
    peer.link_to(destination)

