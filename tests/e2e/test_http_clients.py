"""Programs that keep a copy in step by its date: curl -z and wget -N."""
import email.utils
import http.client
import os
import shutil
import subprocess

import pytest

from harness import PATIENCE, die_with_parent, eventually

PATH = "/storage/me/public/notes/page.html"


class Server:
    def __init__(self, world):
        self.node = world.node()
        self.node.serve(http="127.0.0.1:0")
        self.token = self.node.json("token", "create", "--scope", "notes:rw")["token"]
        self.connection = http.client.HTTPConnection(
            self.node.ready["http"].removeprefix("http://"), timeout=PATIENCE)
        self.url = self.node.ready["http"] + PATH

    def ask(self, method, body=None):
        self.connection.request(method, PATH, body, {"Authorization": f"Bearer {self.token}"})
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status < 300
        return answer.headers

    def put(self, body):
        """Stores it; its Last-Modified, None if it shares its second with a state before."""
        self.ask("PUT", body)
        return self.ask("HEAD")["Last-Modified"]

    def two_states_of_one_second(self):
        def attempt():
            first = self.put(b"one")
            return first if first and self.put(b"two") is None else None
        return eventually(attempt, "two writes in one second")


def run(world, folder, *command):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(command, cwd=folder, env=world.env, capture_output=True, text=True,
                          timeout=PATIENCE, preexec_fn=die_with_parent)


def test_curl_is_never_told_that_another_state_is_the_one_it_has(world, tmp_path):
    server = Server(world)
    def curl(date):
        return run(world, tmp_path, "curl", "-s", "-z", date, "-o", "out", "-w", "%{http_code}",
                   server.url).stdout
    shared = server.two_states_of_one_second()
    assert curl(shared) == "200"
    assert (tmp_path / "out").read_bytes() == b"two"
    # A state that has its second to itself is not sent again.
    alone = eventually(lambda: server.put(b"three"), "another second")
    assert curl(alone) == "304"
    assert curl(shared) == "200"


def test_wget_gets_what_was_stored_in_the_second_of_what_it_has(world, tmp_path):
    server = Server(world)
    shared = server.two_states_of_one_second()
    copy = tmp_path / "page.html"
    copy.write_bytes(b"one")
    seconds = email.utils.parsedate_to_datetime(shared).timestamp()
    os.utime(copy, (seconds, seconds))  # as wget left it after the first of the two
    run(world, tmp_path, "wget", "-q", "-N", server.url)
    assert copy.read_bytes() == b"two"
