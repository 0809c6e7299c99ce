"""What is private or shared is nowhere in the home directory, nor in the log."""
import base64
import os

from harness import token_for

WORDS = [b"Schatzinsel", b"third-oak", b"quicksilver", b"Brombeere"]
SECRET = b"Under the third-oak of the Schatzinsel lies quicksilver. "


def spellings(word):
    yield word
    yield word.lower()
    yield word.hex().encode()
    yield base64.b64encode(word)[:-4]
    yield word.decode().encode("utf-16-le")


def places(node):
    """Files of the home (and the log) that hold one of the secret words."""
    found = []
    files = [path for path in node.home.rglob("*") if path.is_file()]
    files.append(node.folder / "serve.log")
    assert any(path.name.startswith("store.sqlite") for path in files)
    for path in files:
        content = path.read_bytes()
        found += [(path.name, word) for word in WORDS for form in spellings(word)
                  if form in content]
    return found


def test_contents_names_and_types_of_secrets_are_not_in_the_home(world, tmp_path):
    node = world.node().serve("--tcp-listen", "127.0.0.1:0", "-v")
    large = tmp_path / "large"
    large.write_bytes(SECRET * 20_000)
    for category in ("private", "shared"):
        folder = f"/{category}/Brombeere/Schatzinsel/"
        node.run("put", folder + "third-oak.txt", data=SECRET)
        node.run("put", folder + "third-oak.txt", "--content-type", "text/quicksilver",
                 data=SECRET * 2)
        node.run("put", folder + "large third-oak", str(large))
        node.run("put", folder + "gone third-oak", data=SECRET)
        node.run("rm", folder + "gone third-oak")
        node.run("get", folder + "none third-oak", code=11)
        node.run("ls", folder)
    token_for(node, "storage:write:/private/Brombeere/Schatzinsel/")
    token_for(node, "Brombeere:rw")
    assert places(node) == []
    assert node.run("get", "/private/Brombeere/Schatzinsel/large third-oak").stdout == (
        large.read_bytes())
    assert node.stop() == 0
    assert places(node) == []
    # The search itself works: what is public is there to be found.
    node.run("put", "/public/Brombeere/a.txt", data=SECRET)
    assert places(node)


def test_keys_are_readable_by_their_owner_only(world):
    node = world.node().serve()
    for name in ("identities/owner", "identities/device", "keyring", "control.sock"):
        mode = os.stat(node.home / name).st_mode
        assert mode & 0o077 == 0, f"{name} has mode {mode:o}"
