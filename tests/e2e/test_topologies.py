"""Ways to reach a node: through a transport node, through a shared instance, after restarts."""
import uuid

import pytest

from harness import DESTINATION, eventually, free_port, tcp_client, tcp_server, token_for

NOTE = "/public/notes/today.txt"


def use(world, node, peer):
    """Put and get of a short and of a longer document from an RNS program."""
    link = peer.link_to(node.destination)
    peer.call("identify", link=link)
    headers = {"Authorization": "Bearer " + token_for(node, "storage:write:/public/notes/")}
    for size in (10, 200_000):
        put = peer.storage(link, "PUT", NOTE, headers=headers, data_random=size, timeout=300)
        assert put["answer"].get("status") == 200 and put["verified"], put
        got = peer.storage(link, "GET", NOTE, headers=headers, timeout=300)
        assert got["data_sha256"] == put["sent_sha256"] and got["verified"]
    peer.call("teardown", link=link)


def test_through_a_transport_node(world):
    port = free_port()
    transport = world.peer()
    transport.start([tcp_server(port)], transport=True)
    node = world.node().serve("--tcp-connect", f"127.0.0.1:{port}")
    program = world.peer()
    program.start([tcp_client(port)])
    use(world, node, program)
    assert program.call("has_path", hash_hex=node.destination)["hops"] == 2
    # And our own client on the far side.
    other = world.node().serve("--tcp-connect", f"127.0.0.1:{port}")
    body = bytes(range(256)) * 1000
    other.run("put", NOTE, "--at", node.destination, "--token",
              token_for(node, "notes:rw"), data=body)
    assert other.run("get", NOTE, "--at", node.destination).stdout == body


def instance(kind):
    if kind == "unix":
        return {"share_instance": True, "instance_name": "t" + uuid.uuid4().hex[:12]}
    port = free_port()
    return {"share_instance": True, "instance_port": port, "control_port": free_port()}


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_through_a_shared_instance(world, kind):
    port, options = free_port(), instance(kind)
    server = world.peer()
    server.start([tcp_server(port)], **options)
    node = world.node().serve(reticulum=str(server.folder / "reticulum"))

    local = world.peer()
    assert local.start([tcp_server(port)], **options)["shared_client"]
    use(world, node, local)
    remote = world.peer()
    remote.start([tcp_client(port)])
    use(world, node, remote)
    # Outwards: our client to a storage node behind the instance.
    at = remote.call("destination", name=DESTINATION)["hash_hex"]
    remote.call("serve_storage", name=DESTINATION)
    node.run("put", NOTE, "--at", at, data=b"through the instance")
    assert node.run("get", NOTE, "--at", at).stdout == b"through the instance"


def test_a_configured_interface_is_opened_where_no_instance_runs(world):
    port = free_port()
    program = world.peer()
    program.start([tcp_server(port)])
    folder = world.folder / "reticulum"
    folder.mkdir()
    (folder / "config").write_text(f"""[reticulum]
  share_instance = No
[interfaces]
  [[to the other]]
    type = TCPClientInterface
    enabled = yes
    target_host = 127.0.0.1
    target_port = {port}
""")
    before = (folder / "config").read_bytes()
    node = world.node().serve(reticulum=str(folder))
    use(world, node, program)
    assert (folder / "config").read_bytes() == before
    assert [entry.name for entry in folder.iterdir()] == ["config"]


def test_a_restarted_rns_finds_us_and_we_find_it(world):
    port = free_port()
    first = world.peer()
    first.start([tcp_server(port)])
    node = world.node().serve("--tcp-connect", f"127.0.0.1:{port}")
    use(world, node, first)
    first.kill()
    second = world.peer()
    eventually(lambda: bind(second, port), "the port of the RNS that went")
    use(world, node, second)
    at = second.call("destination", name=DESTINATION)["hash_hex"]
    second.call("serve_storage", name=DESTINATION)
    node.run("put", NOTE, "--at", at, data=b"again")


def bind(peer, port):
    return peer.start([tcp_server(port)])["ok"]


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_a_restarted_shared_instance_is_joined_again(world, kind):
    port, options = free_port(), instance(kind)
    server = world.peer()
    server.start([tcp_server(port)], **options)
    node = world.node().serve(reticulum=str(server.folder / "reticulum"))
    remote = world.peer()
    remote.start([tcp_client(port)])
    use(world, node, remote)
    server.kill()
    again = world.peer()
    again.folder = server.folder
    assert not again.start([tcp_server(port)], **options)["shared_client"]
    use(world, node, remote)


def test_our_restarted_node_is_found_again(world):
    node = world.serving_node()
    peer = world.peer_of(node)
    use(world, node, peer)
    port, destination = node.port, node.destination
    assert node.stop() == 0
    node.serve("--tcp-listen", f"127.0.0.1:{port}")
    assert node.destination == destination
    use(world, node, peer)
