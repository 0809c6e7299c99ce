"""What people read on the command line, and how it takes what they copied from it."""
import json
import re
import signal
import subprocess
import unicodedata

import pytest

from harness import BINARY, PATIENCE, Lines, die_with_parent, eventually, one_line

TURNED = "/public/notes/gpj.\u202eexe"
CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_controls_that_turn_text_are_written_out_and_kept_in_json(world, tmp_path):
    node = world.node().serve()
    for path in (TURNED, f"/public/notes/{CONTROLS}"):
        node.run("put", path, data=b"x")
    target = tmp_path / "a\u202eb"
    said = [node.run("ls", "/public/notes/"), node.run("stat", TURNED),
            node.run("put", TURNED, data=b"y"), node.run("history", TURNED),
            node.run("get", TURNED, "-o", target), node.run("rm", TURNED),
            node.run("get", TURNED, code=11), node.run("restore", TURNED, "--version", "0",
                                                       code=None)]
    for done in said:
        assert not re.search(f"[{CONTROLS}]", done.out + done.err)
    assert "\\u202e" in said[0].out and "gpj.\\u202eexe" in said[1].out
    assert "gpj.\\u202eexe" in one_line(said[6])
    assert target.read_bytes() == b"y", "names of files keep the bytes"
    names = [item["name"] for item in node.json("ls", "/public/notes/")["items"]]
    assert names == [CONTROLS]
    assert json.loads(node.run("--json", "get", TURNED, code=11).out)["path"] == TURNED


def test_joiners_stay_since_scripts_need_them(world):
    node = world.node()
    for name in ("می\u200cخواهم", "\U0001f469\u200d\U0001f680"):
        node.run("put", f"/public/{name}", data=b"x")
        assert name in node.run("ls", "/public/").out


def columns(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF"
               else 1 for c in text)


def test_names_of_any_script_align_in_listings(world):
    node = world.node()
    names = ["plain", "日本語の文書", "한글.txt", "\U0001f98a fox", "cafe\u0301", "naïve",
             "a name that is longer than the usual column"]
    for name in names:
        node.run("put", f"/public/notes/{name}", data=b"x")
    lines = node.run("ls", "/public/notes/").out.splitlines()
    assert len(lines) == len(names)
    starts = {columns(line[:line.index(" 1 B")]) for line in lines}
    assert len(starts) == 1, lines


@pytest.fixture
def pair(world):
    """Alice's node, Bob's, which has heard of it, and what Bob may do there."""
    alice = world.serving_node()
    bob = world.node().serve("--tcp-connect", f"127.0.0.1:{alice.port}")
    alice.run("put", "/public/notes/a", data=b"hello")
    bob.run("get", "/public/notes/a", "--at", alice.destination)
    eventually(lambda: bob.json("peers")["peers"], "Alice's announce")
    return alice, bob


def forms(digits):
    return [digits, digits.upper(), f"<{digits}>", f"<{digits.upper()}>"]


def test_a_node_is_taken_as_it_is_printed(pair):
    alice, bob = pair
    whole = alice.destination
    assert f"<{whole}>" in bob.run("peers").out
    for at in [*forms(whole), *forms(whole[:8])]:
        assert bob.run("get", "/public/notes/a", "--at", at).stdout == b"hello", at
    config = bob.home / "config"
    bob.stop()
    config.write_text(config.read_text().replace("[peers]", f"[peers]\nalice = <{whole.upper()}>"))
    bob.serve("--tcp-connect", f"127.0.0.1:{alice.port}")
    assert bob.run("get", "/public/notes/a", "--at", "alice").stdout == b"hello"
    for wrong in ("<>", "<", f"<{whole}", "bert", "<alice>"):
        assert wrong in one_line(bob.run("get", "/public/notes/a", "--at", wrong, code=1))


def test_an_identity_is_taken_as_it_is_printed(pair):
    alice, bob = pair
    device, owner = alice.identities["device"], alice.identities["owner"]
    for text, holder in ([(form, owner) for form in forms(owner)] +
                         [(form, device) for form in forms(device) + forms(device[:8])] +
                         [(form, device) for form in forms(alice.destination)]):
        made = bob.json("token", "create", "--scope", "notes:r", "--for", text)["id"]
        held = {each["id"]: each["holder"] for each in bob.json("token", "list")["tokens"]}
        assert held[made] == holder, text
    for wrong in ("<>", "nobody", "0123", "<0123>"):
        assert wrong in one_line(bob.run("token", "create", "--scope", "notes:r", "--for", wrong,
                                         code=1))


def test_the_id_of_a_token_is_taken_as_it_is_printed(world):
    node = world.node()
    for change in (lambda digits: forms(digits)[0], lambda digits: forms(digits)[1],
                   lambda digits: forms(digits)[2], lambda digits: forms(digits)[3],
                   lambda digits: f"<{digits[:8]}>"):
        made = node.json("token", "create", "--scope", "notes:r")["id"]
        assert f"<{made}>" in node.run("token", "list").out
        assert f"<{made}>" in node.run("token", "revoke", change(made)).out
    assert all(each["revoked"] for each in node.json("token", "list")["tokens"])


def test_what_serve_says_to_try_next_can_be_typed(world):
    node = world.node()
    process = subprocess.Popen(
        [BINARY, "--home", str(node.home), "serve", "--reticulum", "off", "--http", "off"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=node.env,
        preexec_fn=die_with_parent)
    try:
        lines = Lines(process.stdout)
        said = [lines.next()]
        while not said[-1].startswith("and from another node"):
            said.append(lines.next())
        put, show = said[said.index("Try next, in another terminal:\n") + 1:-1]
        (node.folder / "FILE").write_bytes(b"hello")
        for command in (put, show):
            done = subprocess.run(["sh", "-c", command], cwd=node.folder, env=node.env,
                                  capture_output=True, text=True, check=True, timeout=PATIENCE)
        assert "hello.txt" in done.stdout
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
