"""kill -9 at random instants under writes: what was acknowledged is there, whole.

MESHSTOW_KILLS=500 kills more often.
"""
import hashlib
import json
import os
import random
import threading
import time

ROUNDS = int(os.environ.get("MESHSTOW_KILLS", "50"))
WRITERS = 3


class Writer(threading.Thread):
    """Stores new documents and overwrites one of its own until the node dies."""

    def __init__(self, node, name, seed):
        super().__init__()
        self.node, self.name_of, self.random = node, name, random.Random(seed)
        self.acknowledged = {}   # path -> hash of the last body that was acknowledged
        self.attempted = {}      # path -> hash of the body that was on its way
        self.stop = threading.Event()

    def body(self):
        size = self.random.choice([0, 30, 3_000, 70_000, 400_000])
        return self.random.randbytes(size)

    def run(self):
        for count in range(10_000):
            path = f"/public/w/{self.name_of}-{count if count % 3 else 'same'}"
            if self.random.random() < 0.3:
                path = path.replace("/public/", "/private/")
            body = self.body()
            self.attempted[path] = hashlib.sha256(body).hexdigest()
            done = self.node.run("--json", "put", path, data=body, code=None)
            if done.returncode != 0 or self.stop.is_set():
                if done.returncode == 0:
                    self.acknowledged[path] = self.attempted.pop(path)
                return
            self.acknowledged[path] = self.attempted.pop(path)


def check(node, path, allowed):
    done = node.run("get", path, code=None)
    assert done.returncode == 0, f"{path} was acknowledged and is gone: {done.err}"
    assert hashlib.sha256(done.stdout).hexdigest() in allowed, f"{path} is not what was stored"


def test_every_acknowledged_write_survives_kills(world):
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed", seed)
    chance = random.Random(seed)
    node = world.node()
    everything = {}
    for turn in range(ROUNDS):
        node.serve()
        writers = [Writer(node, f"{turn}-{i}", seed + turn * WRITERS + i) for i in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(chance.random() * 0.6)
        node.process.kill()       # SIGKILL
        for writer in writers:    # a put that finds no serve opens the store itself: let it end
            writer.stop.set()
        for writer in writers:
            writer.join()
        node.kill()
        node.serve()
        for writer in writers:
            for path, digest in writer.acknowledged.items():
                check(node, path, {digest, writer.attempted.get(path)})
            for path, digest in writer.attempted.items():   # whole or not there
                done = node.run("get", path, code=None)
                known = {digest, writer.acknowledged.get(path)}
                assert done.returncode == 11 or hashlib.sha256(
                    done.stdout).hexdigest() in known
                if done.returncode == 0:
                    everything[path] = hashlib.sha256(done.stdout).hexdigest()
            for path, digest in writer.acknowledged.items():
                everything.setdefault(path, digest)
        node.kill() if turn % 2 else node.stop()
    assert len(everything) > ROUNDS
    node.serve()
    listed = sum(len(json.loads(node.run("--json", "ls", folder).out)["items"])
                 for folder in ("/public/w/", "/private/w/"))
    assert listed == len(everything) == node.json("status")["documents"]
    for path in chance.sample(sorted(everything), min(200, len(everything))):
        check(node, path, {everything[path]})
