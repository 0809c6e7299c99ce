"""Floods on a real node: others are answered meanwhile, and `status` shows what goes on."""
import contextlib
import http.client
import os
import resource
import socket

import harness
from harness import eventually, token_for

NOTE = "/storage/me/notes/a.txt"


def load(node):
    return node.json("status")["load"]


def bound(node, name):
    return next(each for each in load(node)["bounds"] if each["name"] == name)


def http_node(world, descriptors=None):
    """A node that serves HTTP, with no more descriptors than given."""
    node = world.node()
    if descriptors is None:
        return node.serve(http="127.0.0.1:0")
    binary = harness.BINARY
    wrapper = node.folder / "limited"
    wrapper.write_text(f'#!/bin/sh\nulimit -n {descriptors} && exec "{binary}" "$@"\n')
    wrapper.chmod(0o755)
    harness.BINARY = str(wrapper)
    try:
        return node.serve(http="127.0.0.1:0")
    finally:
        harness.BINARY = binary


def address(node):
    host, port = node.ready["http"].rpartition("//")[2].rstrip("/").rsplit(":", 1)
    return host, int(port)


def ask(connection, method, path, token, body=None):
    connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_idle_connections_keep_nobody_out(world):
    node = http_node(world, descriptors=1024)
    token = token_for(node, "notes:rw")
    host, port = address(node)
    early = http.client.HTTPConnection(host, port, timeout=20)
    assert ask(early, "PUT", NOTE, token, b"x")[0] == 201
    idle_most = bound(node, "HTTP connections")["whole"] // 2
    mine = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (mine[1], mine[1]))
    with contextlib.ExitStack() as held:
        for _ in range(1100):
            held.enter_context(socket.create_connection((host, port), timeout=20))
        late = http.client.HTTPConnection(host, port, timeout=20)
        assert ask(late, "GET", NOTE, token) == (200, b"x")
        # Whoever has shown a token keeps its place.
        assert ask(early, "GET", NOTE, token) == (200, b"x")
        now = bound(node, "HTTP connections")
        assert now["strangers"] <= idle_most
        assert now["guests"] == 2
        assert now["dropped"] >= 1100 - idle_most


def test_heads_that_do_not_end_are_held_within_a_bound(world):
    node = http_node(world)
    token = token_for(node, "notes:rw")
    host, port = address(node)
    early = http.client.HTTPConnection(host, port, timeout=20)
    assert ask(early, "PUT", NOTE, token, b"x")[0] == 201
    head = f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nX: ".encode() + b"x" * 140_000
    with contextlib.ExitStack() as held:
        for _ in range(300):
            one = held.enter_context(socket.create_connection((host, port), timeout=20))
            with contextlib.suppress(OSError):
                one.sendall(head)
        eventually(lambda: bound(node, "HTTP input")["dropped"] > 50)
        assert bound(node, "HTTP input")["most"] <= 32 * 2**20
        assert ask(early, "GET", NOTE, token) == (200, b"x")
        late = http.client.HTTPConnection(host, port, timeout=20)
        assert ask(late, "GET", NOTE, token) == (200, b"x")


def test_idle_control_connections_keep_no_command_out(world):
    node = http_node(world)
    path = node.home / "control.sock"
    with contextlib.ExitStack() as held:
        for _ in range(200):
            one = held.enter_context(socket.socket(socket.AF_UNIX))
            one.connect(str(path))
        assert node.json("id")["owner"]


def test_stalled_uploads_of_a_token_leave_places_for_the_owner(world):
    node = http_node(world)
    narrow = token_for(node, "storage:write:/public/narrow/")
    host, port = address(node)
    head = (f"PUT /storage/me/public/narrow/%d HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Authorization: Bearer {narrow}\r\nContent-Length: 1000000\r\n\r\n")
    with contextlib.ExitStack() as held:
        for number in range(140):
            one = held.enter_context(socket.create_connection((host, port), timeout=20))
            one.sendall((head % number).encode() + b"x" * 100)
        eventually(lambda: bound(node, "uploads")["refused"] > 0)
        assert bound(node, "uploads")["guests"] <= 48
        body = os.urandom(300_000)
        node.run("put", "/private/mine", "-", data=body)
        assert node.run("get", "/private/mine").stdout == body
        other = http.client.HTTPConnection(host, port, timeout=20)
        assert ask(other, "PUT", NOTE, token_for(node, "notes:rw"), body)[0] == 201


def test_a_flood_shows_in_status(world):
    node = world.serving_node()
    peer = world.peer_of(node)
    link = peer.link_to(node.destination)
    for _ in range(20):
        peer.call("request", link=link, path="/storage", data=None)
    now = load(node)
    assert now["links"] >= 1 and now["known_links"] == 0
    names = {each["name"] for each in now["bounds"]}
    assert {"uploads", "messages", "answers", "remembered"} <= names
    assert bound(node, "messages")["most"] > 0
