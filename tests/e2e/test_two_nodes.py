"""Two nodes of ours: what the commands with --at and --token do."""
import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from harness import BINARY, PATIENCE, eventually, one_line, token_for

NOTE = "/public/notes/today.txt"
SHARED = "/shared/maps/river.txt"


@pytest.fixture
def nodes(world):
    here = world.serving_node()
    there = world.node().serve("--tcp-connect", f"127.0.0.1:{here.port}")
    there.at = ["--at", here.destination]
    return here, there


def test_public_documents_are_for_everybody(nodes):
    here, there = nodes
    here.run("put", NOTE, data=b"hello")
    assert there.run("get", NOTE, *there.at).stdout == b"hello"
    about = there.json("stat", NOTE, *there.at)
    assert about["size"] == 5 and about["content_type"].startswith("text/plain")
    there.run("ls", "/public/notes/", *there.at, code=12)
    there.run("put", NOTE, *there.at, data=b"no", code=12)
    there.run("get", "/public/notes/none", *there.at, code=11)


def test_a_token_opens_its_folder(nodes):
    here, there = nodes
    token = ["--token", token_for(here, "storage:write:/public/notes/")]
    put = there.json("put", NOTE, *there.at, *token, data=b"from afar")
    assert here.run("get", NOTE).stdout == b"from afar"
    assert here.json("stat", NOTE)["etag"] == put["etag"]
    items = there.json("ls", "/public/notes/", *there.at, *token)["items"]
    assert [item["name"] for item in items] == ["today.txt"]
    there.run("put", NOTE, "--if-match", "other", *there.at, *token, data=b"no", code=15)
    there.run("rm", NOTE, *there.at, *token)
    here.run("get", NOTE, code=11)


def test_a_token_need_not_stand_on_the_command_line(nodes, tmp_path):
    here, there = nodes
    good, junk = tmp_path / "good", tmp_path / "junk"
    good.write_text("\n" + token_for(here, "storage:write:/public/notes/") + " \n")
    junk.write_text("junk")
    token = good.read_text().strip()

    def listing(*arguments, **more):
        return there.run("ls", "/public/notes/", *there.at, *arguments, **more)

    listing("--token-file", good)
    listing("--token-file", "-", data=token.encode())
    listing(env={"MESHSTOW_TOKEN": token})
    # The nearest one counts.
    listing("--token", token, "--token-file", junk, env={"MESHSTOW_TOKEN": "junk"})
    listing("--token-file", good, env={"MESHSTOW_TOKEN": "junk"})
    listing("--token-file", junk, env={"MESHSTOW_TOKEN": token}, code=12)
    listing(env={"MESHSTOW_TOKEN": "junk"}, code=12)
    listing(env={"MESHSTOW_TOKEN": ""}, code=12)
    there.run("ls", "/", env={"MESHSTOW_TOKEN": "junk"})  # here it is of no use
    there.run("ls", "/", "--token-file", good, code=2)

    there.run("put", NOTE, good, *there.at, "--token-file", "-", data=token.encode())
    assert here.run("get", NOTE).stdout == good.read_bytes()
    for document in ((), ("-",)):
        refused = there.run("put", NOTE, *document, *there.at, "--token-file", "-",
                            data=token.encode(), code=2)
        assert "standard input" in one_line(refused)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "long").write_text("x" * 100_000)
    (tmp_path / "two").write_text(f"{token}\n{token}\n")
    for name in ("none", "empty", "long", "two"):
        done = listing("--token-file", tmp_path / name, code=1)
        assert name in one_line(done) and token not in done.err


def test_tokens_that_do_not_hold(nodes):
    here, there = nodes
    read = token_for(here, "storage:read:/public/notes/")
    there.run("ls", "/public/notes/", *there.at, "--token", read)
    there.run("put", NOTE, *there.at, "--token", read, data=b"no", code=12)
    there.run("ls", "/public/", *there.at, "--token", read, code=12)
    there.run("ls", "/public/notes/", *there.at, "--token", token_for(there, "*:rw"), code=12)
    there.run("ls", "/public/notes/", *there.at, "--token", "junk", code=12)

    created = here.json("token", "create", "--scope", "*:rw")
    there.run("ls", "/public/notes/", *there.at, "--token", created["token"])
    here.run("token", "revoke", created["id"])
    there.run("ls", "/public/notes/", *there.at, "--token", created["token"], code=12)
    brief = token_for(here, "*:rw", "--expires", "1s")
    eventually(lambda: there.run("ls", "/public/", *there.at, "--token", brief, code=None)
               .returncode == 12, "the token's end")
    # A restart forgets neither.
    port = here.port
    here.stop()
    here.serve("--tcp-listen", f"127.0.0.1:{port}")
    for token in (created["token"], brief):
        eventually(lambda: there.run("ls", "/public/", *there.at, "--token", token, code=None)
                   .returncode in (12,), "the refusal after a restart")
    assert [entry["revoked"] for entry in here.json("token", "list")["tokens"]].count(True) == 1


def test_a_token_for_one_identity_works_for_its_device_only(nodes, world):
    here, there = nodes
    token = token_for(here, "storage:write:/public/notes/", "--for", there.identities["device"])
    there.run("put", NOTE, *there.at, "--token", token, data=b"mine")
    owner = token_for(here, "storage:write:/public/notes/", "--for", there.identities["owner"])
    there.run("put", NOTE, *there.at, "--token", owner, data=b"as the owner")
    thief = world.node().serve("--tcp-connect", f"127.0.0.1:{here.port}")
    thief.run("put", NOTE, *there.at, "--token", token, data=b"stolen", code=12)


def test_what_is_sealed_stays_sealed_for_who_has_no_key(nodes, tmp_path):
    here, there = nodes
    here.run("put", SHARED, data=b"the ford is at the bend")
    token = ["--token", token_for(here, "storage:read:/shared/maps/")]
    target = tmp_path / "river.txt"
    done = there.run("get", SHARED, *there.at, *token, "-o", str(target), code=None)
    assert done.returncode != 0 and not target.exists()
    assert b"ford" not in done.stdout


def test_the_same_owner_reads_everything_from_afar(nodes, world):
    """A second device of one owner: pairing comes later, a copy of the owner's keys will do."""
    here, there = nodes
    here.run("put", "/private/notes/map", data=b"third oak")
    there.stop()
    for part in ("identities/owner", "keyring"):
        (there.home / part).write_bytes((here.home / part).read_bytes())
    for part in [*there.home.glob("store.sqlite*"), there.home / "incarnation"]:
        part.unlink()
    there.serve("--tcp-connect", f"127.0.0.1:{here.port}")
    token = ["--token", token_for(here, "*:rw")]
    assert there.run("get", "/private/notes/map", *there.at, *token).stdout == b"third oak"
    there.run("put", "/private/notes/back", *there.at, *token, data=b"second oak")
    assert here.run("get", "/private/notes/back").stdout == b"second oak"
    items = there.json("ls", "/private/notes/", *there.at, *token)["items"]
    assert sorted(item["name"] for item in items) == ["back", "map"]


def test_ten_megabytes_between_our_own(nodes, tmp_path):
    here, there = nodes
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(10_000_000))
    token = ["--token", token_for(here, "*:rw")]
    there.run("put", "/public/notes/large", str(source), *there.at, *token)
    there.run("get", "/public/notes/large", "-o", str(target), *there.at)
    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(
        source.read_bytes()).digest()
    assert here.run("get", "/public/notes/large").stdout == source.read_bytes()


def test_a_node_is_found_by_the_beginning_of_its_hash(nodes):
    here, there = nodes
    here.run("put", NOTE, data=b"hello")
    there.run("get", NOTE, *there.at)
    eventually(lambda: here.destination in json.dumps(there.json("peers")), "the announce")
    assert there.run("get", NOTE, "--at", here.destination[:10]).stdout == b"hello"
    there.run("get", NOTE, "--at", "no such node", code=1)


def test_the_example_program_puts_and_gets(nodes, world):
    here, _ = nodes
    me = world.node()
    example = Path(BINARY).parent / "examples" / "put_and_get"
    done = subprocess.run([example, me.home, f"127.0.0.1:{here.port}", here.destination,
                           token_for(here, "notes:rw")], capture_output=True, text=True,
                          timeout=PATIENCE, check=True)
    assert done.stdout.endswith(": Hello, mesh!\n")
    assert here.run("get", "/public/notes/hello.txt").out == "Hello, mesh!"
