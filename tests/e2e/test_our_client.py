"""Our commands against a storage node that was written in Python on RNS."""
import base64
import hashlib
import os

import pytest

from harness import DESTINATION, eventually, free_port, tcp_server

NOTE = "/public/notes/today.txt"


class Setting:
    """A Python storage node, a node of ours connected to it, and its commands with --at."""

    def __init__(self, world, **options):
        port = free_port()
        self.peer = world.peer()
        self.peer.start([tcp_server(port)])
        self.at = self.peer.call("destination", name=DESTINATION)["hash_hex"]
        self.peer.call("serve_storage", name=DESTINATION, **options)
        self.node = world.node().serve("--tcp-connect", f"127.0.0.1:{port}")

    def run(self, *arguments, **more):
        return self.node.run(*arguments, "--at", self.at, **more)

    def json(self, *arguments, **more):
        return self.node.json(*arguments, "--at", self.at, **more)


def test_puts_gets_updates_lists_and_deletes(world):
    there = Setting(world)
    first = there.json("put", NOTE, "--if-none-match", "*", data=b"one")
    assert there.run("get", NOTE).stdout == b"one"
    stored = there.peer.call("stored", path=NOTE)
    assert bytes.fromhex(stored["data_hex"]) == b"one"
    assert stored["content_type"].startswith("text/plain")

    there.run("put", NOTE, "--if-none-match", "*", data=b"no", code=15)
    there.json("put", NOTE, "--if-match", first["etag"], data=b"two")
    there.run("put", NOTE, "--if-match", first["etag"], data=b"no", code=15)
    assert there.run("get", NOTE).stdout == b"two"

    items = there.json("ls", "/public/notes/")["items"]
    assert [(item["name"], item["folder"]) for item in items] == [("today.txt", False)]
    about = there.json("stat", NOTE)
    assert about["size"] == 3 and about["etag"] == items[0]["etag"]

    there.run("rm", NOTE, "--if-match", first["etag"], code=15)
    there.run("rm", NOTE, "--if-match", '"match me"', code=15)
    there.run("put", NOTE, "--if-none-match", '"match me"', data=b"no", code=14)
    there.run("rm", NOTE)
    there.run("get", NOTE, code=11)
    there.run("rm", NOTE, code=11)


def test_what_it_sends_is_signed_and_identified(world):
    there = Setting(world)
    there.run("put", NOTE, data=b"x")   # the Python node refuses what does not verify
    there.run("get", NOTE)
    seen = there.peer.call("storage_requests")["requests"]
    assert [request["operation"] for request in seen] == ["PUT", "GET"]
    assert all(request["version"] == "1.0" and request["path"] == NOTE for request in seen)
    identified = there.peer.call("wait", name="identified")["got"]
    assert identified["identity_hash_hex"] == there.node.identities["device"]


def test_ten_megabytes_both_ways(world, tmp_path):
    there = Setting(world)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(10_000_000))
    there.run("put", "/public/notes/large", str(source))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    stored = there.peer.call("stored", path="/public/notes/large")
    assert (stored["data_sha256"], stored["data_length"]) == (digest, 10_000_000)
    there.run("get", "/public/notes/large", "-o", str(target))
    assert hashlib.sha256(target.read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("category", ["private", "shared"])
@pytest.mark.parametrize("size", [0, 1, 65_536, 300_000])
def test_secrets_are_sealed_for_the_way_and_opened_again(world, category, size):
    there = Setting(world)
    path, body = f"/{category}/notes/map", (b"third oak " * (size // 10 + 1))[:size]
    there.run("put", path, data=body)
    stored = there.peer.call("stored", path=path)
    assert stored["data_length"] > size
    assert stored["data_sha256"] != hashlib.sha256(body).hexdigest()
    if "data_hex" in stored:
        assert b"third oak" not in bytes.fromhex(stored["data_hex"])
    assert there.run("get", path).stdout == body


def test_an_answer_whose_signature_does_not_hold_is_no_answer(world, tmp_path):
    there = Setting(world, bad_signature=True)
    target = tmp_path / "target"
    done = there.run("get", NOTE, "-o", str(target), code=None)
    assert done.returncode not in (0, 2)
    assert list(tmp_path.iterdir()) == []
    assert there.run("put", NOTE, data=b"x", code=None).returncode != 0


def test_json_output_of_a_remote_get_holds_the_document(world):
    there = Setting(world)
    there.run("put", NOTE, "--content-type", "text/x-note", data=b"hello")
    about = there.json("get", NOTE)
    assert base64.b64decode(about["data"]) == b"hello"
    assert about["content_type"] == "text/x-note"


def test_a_node_that_is_nowhere_is_a_clear_error(world):
    there = Setting(world)
    done = there.node.run("get", NOTE, "--at", "00" * 16, code=1)
    assert len(done.err.strip().splitlines()) == 1 and done.out == ""


def test_without_serve_a_command_joins_the_mesh_itself(world):
    there = Setting(world)
    there.node.stop()
    config = there.node.home / "config"
    alone = free_port()
    other = world.peer()
    other.start([tcp_server(alone)])
    at = other.call("destination", name=DESTINATION)["hash_hex"]
    other.call("serve_storage", name=DESTINATION)
    text = config.read_text()
    assert "[meshstow]" in text
    config.write_text(text.replace(
        "[meshstow]", f"[meshstow]\ntcp_connect = 127.0.0.1:{alone}\nreticulum = off", 1))
    there.node.run("put", NOTE, "--at", at, data=b"y")
    assert bytes.fromhex(other.call("stored", path=NOTE)["data_hex"]) == b"y"


def test_peers_shows_a_storage_node_that_announced(world):
    there = Setting(world)

    def heard():
        # The announce in its JSON form, as the seed specification writes it.
        there.peer.call("announce", name=DESTINATION, app_data_text=(
            '{"type":"storage_node","capabilities":["store"],"space_available":12345,'
            '"timestamp":"2026-01-01T00:00:00Z"}'))
        peers = there.node.json("peers")["peers"]
        return [peer for peer in peers if peer["destination"] == there.at]
    peer = eventually(heard, "the announce")[0]
    assert peer["space_available"] == 12345 and peer["capabilities"] == ["store"]
