"""A program that uses RNS, and knows nothing of us, reads and writes documents of our node."""
import json
import time

import pytest
from RNS.vendor import umsgpack

import envelopes
from harness import eventually, token_for
from storage_messages import FORMS

FOLDER = "/public/notes/"
NOTE = "/public/notes/today.txt"


class Program:
    """An RNS peer with a link to `node`, identified and holding a token unless told otherwise."""

    def __init__(self, world, node, scope="storage:write:" + FOLDER, identify=True, bound=True):
        self.peer = world.peer_of(node)
        self.link = self.peer.link_to(node.destination)
        self.identity = self.peer.call("identity")["identity_hash_hex"]
        if identify:
            self.peer.call("identify", link=self.link)
        holder = ["--for", self.identity] if bound else []
        self.token = token_for(node, scope, *holder) if scope else None

    def ask(self, operation, path, headers=None, token=True, **more):
        headers = dict(headers or {})
        if token and self.token:
            headers["Authorization"] = "Bearer " + (self.token if token is True else token)
        return self.peer.storage(self.link, operation, path, headers=headers, **more)

    def expect(self, status, *arguments, **more):
        reply = self.ask(*arguments, **more)
        assert reply["answer"].get("status") == status, reply
        assert reply["verified"], "the answer's signature does not verify"
        return reply

    def refused(self, code, *arguments, **more):
        reply = self.ask(*arguments, **more)
        assert reply["answer"]["type"] == "storage_error", reply
        assert reply["answer"]["code"] == code, reply
        return reply


def etag(reply):
    return reply["answer"]["headers"]["ETag"]


@pytest.mark.parametrize("form", FORMS)
def test_puts_gets_updates_lists_and_deletes(world, form):
    program = Program(world, world.serving_node())
    text = {"Content-Type": "text/plain"}
    first = program.expect(200, "PUT", NOTE, {**text, "If-None-Match": "*"}, data_text="one",
                           form=form)
    assert first["form"] == form, "an answer has the form of its question"
    got = program.expect(200, "GET", NOTE, form=form)
    assert bytes.fromhex(got["data_hex"]) == b"one"
    assert got["answer"]["headers"]["Content-Type"] == "text/plain"
    assert got["answer"]["headers"]["Content-Length"] == "3"
    assert etag(got) == etag(first) and etag(got).startswith('"')

    program.refused("STORE005", "PUT", NOTE, {"If-None-Match": "*"}, data_text="no", form=form)
    second = program.expect(200, "PUT", NOTE, {**text, "If-Match": etag(first)}, data_text="two",
                            form=form)
    assert etag(second) != etag(first)
    program.refused("STORE005", "PUT", NOTE, {"If-Match": etag(first)}, data_text="no", form=form)
    program.expect(304, "GET", NOTE, {"If-None-Match": f'"other", {etag(second)}'}, form=form)

    listing = program.expect(200, "GET", FOLDER, form=form)
    assert listing["answer"]["headers"]["Content-Type"] == "application/ld+json"
    items = json.loads(bytes.fromhex(listing["data_hex"]))["items"]
    assert items["today.txt"]["ETag"] == etag(second).strip('"')
    assert items["today.txt"]["Content-Length"] == 3

    program.refused("STORE005", "DELETE", NOTE, {"If-Match": etag(first)}, form=form)
    program.refused("STORE005", "DELETE", FOLDER + "none", {"If-Match": '"match me"'}, form=form)
    program.refused("STORE004", "DELETE", NOTE, {"If-None-Match": '"match me"'}, form=form)
    assert etag(program.expect(200, "DELETE", NOTE, {"If-Match": etag(second)}, form=form))
    program.refused("STORE001", "GET", NOTE, form=form)
    program.refused("STORE001", "DELETE", NOTE, form=form)


@pytest.mark.parametrize("name", ["with space", '50%25 "q" \\ <x>', "müsik/å/𝄞 日本", "a\tb"])
def test_names_are_taken_as_they_are(world, name):
    program = Program(world, world.serving_node())
    for form in FORMS:
        program.expect(200, "PUT", FOLDER + name, data_text=form, form=form)
        got = program.expect(200, "GET", FOLDER + name, form=form)
        assert bytes.fromhex(got["data_hex"]) == form.encode()


def test_documents_of_no_byte_and_of_every_byte(world):
    program = Program(world, world.serving_node())
    for form in FORMS:
        for body in (b"", bytes(range(256))):
            program.expect(200, "PUT", NOTE, data_hex=body.hex(), form=form)
            assert program.expect(200, "GET", NOTE, form=form)["data_hex"] == body.hex()


def test_ten_megabytes_both_ways(world):
    node = world.serving_node()
    program = Program(world, node)
    put = program.expect(200, "PUT", FOLDER + "large", data_random=10_000_000, timeout=900)
    got = program.expect(200, "GET", FOLDER + "large", timeout=900)
    assert got["data_length"] == 10_000_000
    assert got["data_sha256"] == put["sent_sha256"]
    assert node.json("stat", FOLDER + "large")["size"] == 10_000_000


@pytest.mark.parametrize("form", ["json_text", "json_bytes"])
def test_a_megabyte_in_json(world, form):
    program = Program(world, world.serving_node())
    put = program.expect(200, "PUT", FOLDER + "j", data_random=1_000_000, form=form, timeout=300)
    got = program.expect(200, "GET", FOLDER + "j", form=form, timeout=300)
    assert got["data_sha256"] == put["sent_sha256"]


def test_who_has_not_identified_reads_public_documents_and_nothing_else(world):
    node = world.serving_node()
    node.run("put", NOTE, data=b"for all")
    node.run("put", "/private/notes/mine", data=b"for me")
    program = Program(world, node, identify=False, bound=False)
    for token in (True, False):
        for sign in ("no", "yes"):
            got = program.expect(200, "GET", NOTE, token=token, sign=sign)
            assert bytes.fromhex(got["data_hex"]) == b"for all"
        program.refused("STORE002", "GET", FOLDER, token=token)
        program.refused("STORE002", "PUT", NOTE, data_text="x", token=token)
        program.refused("STORE002", "DELETE", NOTE, token=token)
        program.refused("STORE002", "GET", "/private/notes/mine", token=token)
        program.refused("STORE002", "GET", "/private/notes/none", token=token)


def test_a_token_grants_its_scope_to_its_holder_until_revoked(world):
    node, other = world.serving_node(), world.node()
    program = Program(world, node)
    program.expect(200, "PUT", NOTE, data_text="x")
    program.refused("STORE002", "PUT", NOTE, data_text="x", token=False)
    program.refused("STORE002", "PUT", "/public/notesx/a", data_text="x")
    program.refused("STORE002", "GET", "/private/notes/a")
    read_only = token_for(node, "storage:read:" + FOLDER)
    program.expect(200, "GET", FOLDER, token=read_only)
    program.refused("STORE002", "PUT", NOTE, data_text="x", token=read_only)
    for_another = token_for(node, "storage:write:" + FOLDER, "--for", "00" * 16)
    program.refused("STORE002", "PUT", NOTE, data_text="x", token=for_another)
    foreign = token_for(other, "storage:write:" + FOLDER)
    program.refused("STORE002", "PUT", NOTE, data_text="x", token=foreign)
    middle = len(program.token) // 2
    changed = "A" if program.token[middle] != "A" else "B"
    tampered = program.token[:middle] + changed + program.token[middle + 1:]
    program.refused("STORE002", "PUT", NOTE, data_text="x", token=tampered)

    brief = node.json("token", "create", "--scope", "notes:rw", "--expires", "1s")["token"]
    eventually(lambda: program.ask("PUT", NOTE, data_text="x", token=brief)["answer"].get("code")
               == "STORE002", "the token's end")
    for entry in node.json("token", "list")["tokens"]:
        node.run("token", "revoke", entry["id"])
    program.refused("STORE002", "PUT", NOTE, data_text="x")


def test_a_bearer_token_works_for_whoever_identified(world):
    program = Program(world, world.serving_node(), scope="notes:rw", bound=False)
    program.expect(200, "PUT", NOTE, data_text="x")
    program.expect(200, "GET", FOLDER)


def test_signatures_bind_a_request_to_its_sender_its_bytes_and_its_link(world):
    node = world.serving_node()
    program = Program(world, node)
    for sign in ("no", "wrong", "other_link"):
        program.refused("STORE002", "PUT", NOTE, data_text="x", sign=sign)
    program.refused("STORE002", "PUT", NOTE, data_text="x", change={"path": "/public/notes/b"})
    program.refused("STORE002", "PUT", NOTE, data_text="x",
                    change={"timestamp": "2020-01-01T00:00:00Z"})

    first = program.expect(200, "PUT", NOTE, {"If-None-Match": "*"}, data_text="once")
    again = program.peer.call("storage_again", link=program.link)
    assert again["answer"] == first["answer"], "the same request gets the remembered answer"
    written = program.expect(200, "PUT", NOTE, data_text="twice", form="json_text")
    for form in FORMS:
        again = program.peer.call("storage_again", link=program.link, form=form)
        assert (again["form"], again["verified"]) == (form, True)
        assert again["answer"] == written["answer"], "in another encoding it is the same request"
    elsewhere = program.peer.link_to(node.destination)
    program.peer.call("identify", link=elsewhere)
    captured = program.peer.call("storage_again", link=elsewhere)
    assert captured["answer"]["code"] == "STORE002"


@pytest.mark.parametrize("form", FORMS)
def test_bad_messages_are_answered_with_store004(world, form):
    program = Program(world, world.serving_node())
    bad = [{"version": "2.0"}, {"operation": "POST"}, {"path": "notes/today.txt"},
           {"path": "/public/../x"}, {"path": "/elsewhere/x"}, {"timestamp": "yesterday"},
           {"path": 7}, {"headers": "none"}, {"headers": {"If-Match": 1}}]
    for members in bad:
        program.refused("STORE004", "GET", NOTE, members=members, form=form)
    program.refused("STORE004", "PUT", NOTE, form=form)  # without data
    program.refused("STORE004", "PUT", FOLDER, data_text="x", form=form)
    program.expect(200, "PUT", NOTE, data_text="still there", form=form)


def test_bad_base64_and_what_is_no_message_at_all_are_answered_with_store004(world):
    node = world.serving_node()
    program = Program(world, node)
    request = {"type": "storage_request", "version": "1.0", "operation": "PUT", "path": NOTE,
               "headers": {}, "timestamp": "2026-01-01T00:00:00Z", "signature": "00" * 64}
    for data in ("aGVsbG8", "aGVsbG9=", "a GVsbG8=", "%"):
        value = {"text": json.dumps({**request, "data": data})}
        reply = program.peer.call("request", link=program.link, path="/storage", data=value)
        assert json.loads(reply["data"])["code"] == "STORE004"
    deep = "[" * 100_000
    nested = []
    for _ in range(400):  # as deep as Python packs it
        nested = [nested]
    for junk in ({"text": deep}, {"text": "{"}, {"text": ""}, {"text": "hello"}, {"random": 3000},
                 5, None, True, 1.5, [], nested, {"type": "x"}, {"type": None}):
        answer = program.peer.call("request", link=program.link, path="/storage",
                                   data=junk)["data"]
        assert answer["type"] == "storage_error", junk
        assert (answer["code"], answer["status"]) == ("STORE004", 400), junk
    program.expect(200, "PUT", NOTE, data_text="still there")
    assert node.process.poll() is None


def test_data_before_the_path_are_taken_within_a_small_bound(world):
    program = Program(world, world.serving_node())
    program.expect(200, "PUT", NOTE, data_random=300_000, first="data")
    reply = program.refused("STORE004", "PUT", NOTE, data_random=3_000_000, first="data")
    assert reply["answer"]["status"] == 413
    program.expect(200, "PUT", NOTE, data_random=3_000_000)


@pytest.mark.parametrize("timestamp", ["1970-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z",
                                       "2001-02-03T04:05:06+00:00"])
def test_clocks_years_wrong_do_not_matter(world, timestamp):
    program = Program(world, world.serving_node())
    program.expect(200, "PUT", NOTE, data_text="x", timestamp=timestamp)
    program.expect(200, "GET", NOTE, timestamp=timestamp)


def test_private_documents_leave_sealed_and_arrive_sealed(world):
    node = world.serving_node()
    secret = b"the treasure lies under the third oak " * 40
    node.run("put", "/private/notes/map", data=secret)
    program = Program(world, node, scope="storage:write:/private/notes/")
    got = program.expect(200, "GET", "/private/notes/map")
    sealed = bytes.fromhex(got["data_hex"])
    assert len(sealed) > len(secret) and b"treasure" not in sealed
    listing = program.expect(200, "GET", "/private/notes/")
    assert b"map" not in bytes.fromhex(listing["data_hex"])
    program.refused("STORE004", "PUT", "/private/notes/map", data_text="not sealed")
    assert node.run("get", "/private/notes/map").stdout == secret


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("category", ["private", "shared"])
def test_the_owner_in_python_reads_and_writes_what_is_sealed(world, form, category):
    """With the keys of the home and docs/PROTOCOL.md, any program is a device of its owner."""
    node = world.serving_node()
    owner = bytes.fromhex(node.identities["owner"])
    secret = envelopes.space_secret((node.home / "keyring").read_bytes(), owner)
    program = Program(world, node, scope=None, identify=False)
    identity = program.peer.call("identity", private_hex=(
        node.home / "identities" / "owner").read_bytes().hex())
    assert identity["identity_hash_hex"] == node.identities["owner"]
    program.peer.call("identify", link=program.link)
    folder, path = f"/{category}/notes/", f"/{category}/notes/map"
    for body in (b"", b"third oak", b"third oak " * 300):
        sealed = envelopes.seal(secret, owner, path, body)
        program.expect(200, "PUT", path, {"Content-Type": "text/x-map"}, data_hex=sealed.hex(),
                       form=form)
        assert node.run("get", path).stdout == body
        got = program.expect(200, "GET", path, form=form)
        assert got["answer"]["headers"]["Content-Type"] == "text/x-map"
        assert envelopes.open_sealed(secret, owner, path, bytes.fromhex(got["data_hex"])) == body
    listing = program.expect(200, "GET", folder, form=form)
    opened = envelopes.open_sealed(secret, owner, folder, bytes.fromhex(listing["data_hex"]))
    assert list(json.loads(opened)["items"]) == ["map"]
    elsewhere = envelopes.seal(secret, owner, folder + "other", b"x")
    program.refused("STORE004", "PUT", path, data_hex=elsewhere.hex(), form=form)


def test_a_link_that_dies_in_mid_upload_leaves_nothing(world):
    node = world.serving_node()
    program = Program(world, node)
    program.expect(200, "PUT", FOLDER + "kept", data_text="kept")
    before = node.json("status")
    gone = program.ask("PUT", FOLDER + "half", data_random=20_000_000, abandon_after=0.1)
    assert 0 < gone["progress"] < 1
    program.link = program.peer.link_to(node.destination)
    program.peer.call("identify", link=program.link)
    program.refused("STORE001", "GET", FOLDER + "half")
    after = node.json("status")
    assert (after["documents"], after["bytes"], after["fingerprint"]) == (
        before["documents"], before["bytes"], before["fingerprint"])


def test_our_announce_is_heard_and_read(world):
    node = world.serving_node()
    peer = world.peer_of(node)
    started = time.time()
    peer.call("path", hash_hex=node.destination, timeout=60)
    heard = peer.call("wait_announce", hash_hex=node.destination, timeout=60)
    assert heard["identity_hash_hex"] == node.identities["device"]
    assert 24 <= len(heard["app_data_hex"]) // 2 <= 32
    announced = umsgpack.unpackb(bytes.fromhex(heard["app_data_hex"]))
    capabilities, space, seconds, fingerprint = announced
    assert capabilities == ["store"] and space > 0 and len(fingerprint) == 8
    assert abs(seconds - started) < 3600
