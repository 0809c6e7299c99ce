"""Beside rnsd: whoever starts first, its ports are its own; its coming and going is told."""
import os
import re
import shutil
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from harness import (BINARY, PATIENCE, Lines, die_with_parent, eventually, free_port, tcp_client,
                     tcp_server)
from test_topologies import NOTE, instance, use

RNSD = Path(sys.executable).parent / "rnsd"


def listening(port):
    return f"""  [[LAN]]
    type = TCPServerInterface
    enabled = yes
    listen_ip = 127.0.0.1
    listen_port = {port}
"""


def connecting(port):
    return f"""  [[Hub]]
    type = TCPClientInterface
    enabled = yes
    target_host = 127.0.0.1
    target_port = {port}
"""


def in_brackets(kind, name, port):
    return f"{kind}[{name}/127.0.0.1:{port}]"


class Reticulum:
    """A user's Reticulum config, and the rnsd that may run on it."""

    def __init__(self, world, interfaces, kind="unix", share="Yes"):
        options = instance(kind)
        lines = [f"share_instance = {share}"]
        if kind == "unix":
            self.shared = f"LocalInterface[rns/{options['instance_name']}]"
            lines.append(f"instance_name = {options['instance_name']}")
        else:
            self.shared = f"LocalInterface[{options['instance_port']}]"
            lines += ["shared_instance_type = tcp",
                      f"shared_instance_port = {options['instance_port']}",
                      f"instance_control_port = {options['control_port']}"]
        self.world, self.process = world, None
        self.folder = world.folder / f"reticulum-{uuid.uuid4().hex[:8]}"
        self.folder.mkdir()
        self.config = self.folder / "config"
        self.config.write_text("[reticulum]\n  " + "\n  ".join(lines) + "\n[interfaces]\n" +
                               interfaces)

    def start_rnsd(self):
        self.process = subprocess.Popen(
            [sys.executable, RNSD, "--config", self.folder], stdin=subprocess.DEVNULL,
            stdout=open(self.folder / "rnsd.log", "ab"), stderr=subprocess.STDOUT,
            env=self.world.env, preexec_fn=die_with_parent)
        self.world.things.append(self)

    def runs(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()


def network(node):
    return node.json("status")["network"]


def until_state(node, state):
    return eventually(lambda: network(node)["state"] == state and network(node), state)


def names(node):
    return [each["name"] for each in node.json("status")["interfaces"]
            if each["status"] != "closed"]


def log_of(node):
    return (node.folder / "serve.log").read_text()


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_rnsd_that_starts_later_has_its_ports_and_is_joined_each_time(world, kind):
    port = free_port()
    ours = Reticulum(world, listening(port), kind)
    before = ours.config.read_bytes()
    node = world.node().serve(reticulum=str(ours.folder))
    lan = in_brackets("TCPServerInterface", "LAN", port)
    at_start = node.ready["network"]
    assert at_start["state"] == "waiting" and at_start["shared_instance"] == ours.shared
    assert at_start["left_closed"] == [lan] and at_start["ways_out"][0] == "start rnsd"
    for _ in range(3):
        ours.start_rnsd()
        assert until_state(node, "joined")["left_closed"] == []
        remote = world.peer()
        remote.start([tcp_client(port)])
        use(world, node, remote)
        assert ours.runs() and names(node) == [ours.shared]
        remote.kill()
        ours.kill()
        assert until_state(node, "waiting")["left_closed"] == [lan]
    told = log_of(node)
    assert told.count(f"warning the shared instance {ours.shared} is gone") == 3
    assert told.count(f"notice joined the shared instance {ours.shared}") == 3
    assert ours.config.read_bytes() == before


def test_connections_out_serve_while_no_instance_does(world):
    """What listens on no port is ours until rnsd comes, and again when it went."""
    hub_port, port = free_port(), free_port()
    hub = world.peer()
    hub.start([tcp_server(hub_port)])
    ours = Reticulum(world, listening(port) + connecting(hub_port))
    node = world.node().serve(reticulum=str(ours.folder))
    out = in_brackets("TCPInterface", "Hub", hub_port)
    for _ in range(2):
        eventually(lambda: names(node) == [ours.shared, out], "its own connection")
        use(world, node, hub)
        ours.start_rnsd()
        until_state(node, "joined")
        assert names(node) == [ours.shared], "the connection is given back"
        use(world, node, hub)
        assert ours.runs()
        ours.kill()
        until_state(node, "waiting")


def test_any_rns_program_may_be_the_instance_that_comes_later(world):
    port = free_port()
    ours = Reticulum(world, listening(port))
    node = world.node().serve(reticulum=str(ours.folder))
    program = world.peer()
    program.folder = ours.folder.parent
    reply = program.call("start", configdir=str(ours.folder), use_existing_config=True, loglevel=4)
    assert not reply["shared_client"], "that program is the instance"
    until_state(node, "joined")
    use(world, node, program)


def test_two_nodes_share_a_config_and_neither_fails(world):
    port = free_port()
    ours = Reticulum(world, listening(port))
    first, second = (world.node().serve(reticulum=str(ours.folder)) for _ in range(2))
    ours.start_rnsd()
    until_state(first, "joined")
    until_state(second, "joined")
    assert ours.runs()
    first.run("put", NOTE, data=b"from one to the other")
    assert second.run("get", NOTE, "--at", first.destination).stdout == b"from one to the other"


def test_without_sharing_the_second_waits_for_the_port_of_the_first(world):
    port = free_port()
    ours = Reticulum(world, listening(port), share="No")
    lan = in_brackets("TCPServerInterface", "LAN", port)
    first, second = (world.node().serve(reticulum=str(ours.folder)) for _ in range(2))
    assert first.json("status")["interfaces"][0]["status"] == "up"
    [taken] = second.json("status")["interfaces"]
    assert taken["name"] == lan and taken["status"] == "down" and "in use" in taken["why"]
    assert f"{lan}: cannot listen: Address already in use" in log_of(second)
    assert first.stop() == 0
    eventually(lambda: second.json("status")["interfaces"][0]["status"] == "up", "its turn")
    remote = world.peer()
    remote.start([tcp_client(port)])
    use(world, second, remote)


def test_one_command_takes_no_port_either_and_goes_through_the_instance(world):
    port = free_port()
    ours = Reticulum(world, listening(port))
    server = world.node().serve(reticulum=str(ours.folder))
    server.run("put", NOTE, data=b"by way of rnsd")
    asking = world.node()
    (asking.home / "config").write_text(f"[meshstow]\nreticulum = {ours.folder}\n")
    alone = asking.run("get", NOTE, "--at", server.destination, code=1)
    assert ours.shared in alone.err and "start rnsd" in alone.err, alone.err
    ours.start_rnsd()
    until_state(server, "joined")
    assert asking.run("get", NOTE, "--at", server.destination).stdout == b"by way of rnsd"
    assert ours.runs()


def test_one_command_waits_for_an_instance_as_long_as_it_may(world):
    ours = Reticulum(world, listening(free_port()))
    server = world.node().serve(reticulum=str(ours.folder))
    server.run("put", NOTE, data=b"worth waiting for")
    asking = world.node()
    (asking.home / "config").write_text(f"[meshstow]\nreticulum = {ours.folder}\n")
    command = subprocess.Popen(
        [BINARY, "--home", asking.home, "-w", str(PATIENCE), "get", NOTE, "--at",
         server.destination], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=asking.env,
        preexec_fn=die_with_parent)
    eventually(lambda: (asking.home / "store.sqlite-wal").exists(), "the command at work")
    ours.start_rnsd()
    assert command.communicate(timeout=PATIENCE * 2)[0] == b"worth waiting for"
    assert command.returncode == 0 and ours.runs()


def can_make_a_network():
    return shutil.which("unshare") and subprocess.run(
        ["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_make_a_network(), reason="needs the right to make a network namespace")
def test_looking_for_an_instance_never_finds_oneself(world):
    """With one port to connect from, TCP connects whoever looks for a listener there to itself."""
    port = 40000
    ours = Reticulum(world, "")
    ours.config.write_text(ours.config.read_text().replace(
        "[interfaces]", f"  shared_instance_type = tcp\n  shared_instance_port = {port}\n"
        "[interfaces]"))
    node = world.node()
    script = (f"ip link set lo up && echo {port} {port} > /proc/sys/net/ipv4/ip_local_port_range"
              f" && exec {BINARY} --home {node.home} --json serve --http off"
              f" --reticulum {ours.folder}")
    node.process = subprocess.Popen(["unshare", "-n", "sh", "-c", script], env=node.env,
                                    stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    assert '"state":"waiting"' in Lines(node.process.stdout).next()
    # The control socket is a file: it is heard from outside.
    assert network(node)["state"] == "waiting"
    assert node.stop() == 0


# ---- What is said.

def text_serve(node, *arguments):
    """A serve as a person starts it: text, and the log that belongs to it."""
    node.log = open(node.folder / "serve.log", "ab")
    node.process = subprocess.Popen([BINARY, "--home", node.home, *map(str, arguments)],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=node.log, text=True, env=node.env,
                                    preexec_fn=die_with_parent)
    lines, said = Lines(node.process.stdout), ""
    while "and from another node:" not in said:
        line = lines.next()
        assert line is not None, log_of(node)
        said += line
    node.ready = node.json("status")
    return said


def test_serve_says_in_words_what_network_there_is(world):
    port = free_port()
    ours = Reticulum(world, listening(port))
    node = world.node()
    serve = ["serve", "--http", "off", "--reticulum", ours.folder]
    said = text_serve(node, *serve)
    assert f"Network      : no shared instance yet; {ours.shared} is joined when it runs" in said
    assert f"Left closed  : {in_brackets('TCPServerInterface', 'LAN', port)}" in said
    assert "start rnsd" in said and f"share_instance = no in {ours.config}" in said
    assert f"{node.home}/config" in said
    node.stop()
    ours.start_rnsd()
    eventually(lambda: socket_is_there(ours.shared), "rnsd's socket")
    said = text_serve(node, *serve)
    assert f"Network      : the shared instance {ours.shared}" in said
    assert "start rnsd" not in said
    node.stop()
    said = text_serve(node, "serve", "--http", "off")  # no Reticulum of the user
    assert "Network      : none, without a Reticulum config" in said and "--tcp-connect" in said


def socket_is_there(shared):
    name = re.search(r"\[(.*)\]", shared)[1]
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex("\0" + name) == 0


def test_the_https_address_is_printed(world):
    node = world.node()
    key, certificate = node.folder / "key.pem", node.folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    port = free_port()
    said = text_serve(node, "serve", "--http", "localhost:0", "--https", f"127.0.0.1:{port}",
                      "--cert", certificate, "--key", key, "--reticulum", "off")
    assert re.search(rf"HTTPS +: https://\S+:{port}$", said, re.M), said


def test_status_shows_interfaces_as_rnstatus_does(world):
    peer, port = world.peer(), free_port()
    peer.start([tcp_server(port)])
    node = world.node().serve("--tcp-connect", f"127.0.0.1:{port}", "--tcp-listen", "127.0.0.1:0",
                              "--tcp-connect", f"127.0.0.1:{free_port()}")
    use(world, node, peer)
    name = in_brackets("TCPInterface", "tcp_connect", port)
    said = node.run("status").out
    block = re.search(rf"^  {re.escape(name)}\n((    .*\n)+)", said, re.M)
    assert block, said
    assert re.search(r"Status +: Up\n +Peers +: 1\n +Traffic +: ↑[\d.]+ KB\n +↓[\d.]+ KB",
                     block[1]), said
    assert f"TCPServerInterface[tcp_listen/127.0.0.1:{node.port}]" in said
    assert re.search(r"Status +: Down: Connection refused", said), said
    interfaces = {each["name"]: each for each in node.json("status")["interfaces"]}
    assert interfaces[name]["up"] and interfaces[name]["bytes_in"] > 200_000


def test_verbosity_has_four_steps(world):
    """Errors only; what an operator wants to know; what happens; every packet."""
    told = {}
    for flag in ("-q", None, "-v", "-vv"):
        peer, port = world.peer(), free_port()
        peer.start([tcp_server(port)])
        node = world.node()
        text_serve(node, *([flag] if flag else []), "serve", "--http", "off", "--reticulum", "off",
                   "--tcp-connect", f"127.0.0.1:{port}")
        use(world, node, peer)
        peer.kill()
        eventually(lambda: node.json("status")["interfaces"][0]["status"] == "down", "the loss")
        again = world.peer()
        eventually(lambda: again.start([tcp_server(port)])["ok"], "the port of the RNS that went")
        eventually(lambda: node.json("status")["interfaces"][0]["up"], "the connection")
        assert node.stop() == 0
        told[flag] = log_of(node)
    assert told["-q"] == ""
    name = r"TCPInterface\[tcp_connect/127.0.0.1:\d+\]"
    steps = [re.compile(rf"warning {name}: the connection was lost"),
             re.compile(rf"notice {name}: connected"), re.compile(rf"info {name}: down"),
             re.compile(rf"debug {name}: received \d+ bytes")]
    for flag, lines in ((None, 2), ("-v", 3), ("-vv", 4)):
        found = [bool(step.search(told[flag])) for step in steps]
        assert found == [True] * lines + [False] * (4 - lines), (flag, told[flag][:3000])
    for text in told.values():
        assert NOTE not in text and "today" not in text


def test_names_of_a_config_cannot_forge_lines(world):
    ours = Reticulum(world, listening(free_port()).replace("LAN", "a\x1b[31mb"))
    node = world.node()
    said = text_serve(node, "serve", "--http", "off", "--reticulum", ours.folder)
    assert "\x1b" not in said and "a\\x1b[31mb" in said
    assert os.path.exists(ours.config)
