"""Commands of rns_peer.py that speak storage messages, and those that measure."""
import hashlib
import os
import threading
import time

import RNS

import storage_messages
from python_storage_node import PythonStorageNode

INLINE = 4096


def described(data):
    """Document bytes in a reply: hex if short, always length and hash; nothing for None."""
    if data is None:
        return {}
    out = {"data_length": len(data), "data_sha256": hashlib.sha256(data).hexdigest()}
    if len(data) <= INLINE:
        out["data_hex"] = data.hex()
    return out


class StorageCommands:
    storage = None      # our storage node in Python, once it serves
    last_value = None   # the last storage_request as it was given to RNS
    last_message = None

    def _storage_message(self, c, link):
        data = bytes.fromhex(c["data_hex"]) if "data_hex" in c else None
        if "data_text" in c:
            data = c["data_text"].encode()
        if "data_random" in c:
            data = os.urandom(int(c["data_random"]))
        message = storage_messages.request(c["operation"], c["path"], c.get("headers"), data,
                                           c.get("timestamp"))
        message.update(c.get("members", {}))
        sign, identity = c.get("sign", "yes"), self._identity(c)
        link_id = os.urandom(16) if sign == "other_link" else link.link_id
        if sign != "no":
            message = storage_messages.sign(message, link_id, identity.sign)
        if sign == "wrong":
            message["signature"] = bytes([message["signature"][0] ^ 1]) + message["signature"][1:]
        message.update(c.get("change", {}))
        return message, data

    def do_storage(self, c):
        link = self._link(c)
        message, data = self._storage_message(c, link)
        if "first" in c:  # this member before all others
            message = {c["first"]: message.pop(c["first"]), **message}
        self.last_message = message
        self.last_value = storage_messages.encode(message, c.get("form", "msgpack"))
        if "abandon_after" in c:
            return self._abandon(c, link)
        out = self._ask(c, link)
        if data is not None:
            out["sent_sha256"] = hashlib.sha256(data).hexdigest()
        return out

    def do_storage_again(self, c):
        if "form" in c:
            self.last_value = storage_messages.encode(self.last_message, c["form"])
        return self._ask(c, self._link(c))

    def _abandon(self, c, link):
        progress = [0.0]
        link.request("/storage", data=self.last_value, timeout=c.get("timeout", 60),
                     progress_callback=lambda receipt: None)
        end = time.time() + c.get("timeout", 60)
        while time.time() < end and progress[0] < c["abandon_after"]:
            time.sleep(0.005)
            progress = [r.get_progress() for r in link.outgoing_resources] or [0.0]
        link.teardown()
        return {"progress": progress[0]}

    def _ask(self, c, link):
        done, box = threading.Event(), {}

        def ok(receipt):
            box.setdefault("value", receipt.response)
            done.set()

        # RNS may lose a one-packet answer, and never tells: ask the same again after our own time.
        t, timeout = time.time(), c.get("timeout", 60)
        for _ in range(c.get("attempts", 4)):
            if not link.request("/storage", data=self.last_value, response_callback=ok,
                                timeout=timeout):
                raise IOError("request not sent")
            if done.wait(timeout):
                break
        else:
            raise TimeoutError("no answer")
        answer, answer_form = storage_messages.decode(box["value"])
        peer = link.destination.identity
        verified = storage_messages.verifies(answer, link.link_id, peer.validate)
        answer.pop("signature", None)
        out = {"form": answer_form, "verified": verified, "seconds": round(time.time() - t, 4)}
        out.update(described(answer.pop("data", None)))
        return {**out, "answer": answer}

    def do_serve_storage(self, c):
        signer = (lambda data: bytes(64)) if c.get("bad_signature") else self.identity.sign
        self.storage = node = PythonStorageNode(signer)

        def handler(path, data, request_id, link_id, remote_identity, requested_at):
            return node.answer(data, link_id, remote_identity.validate if remote_identity else None)

        self._dest(c).register_request_handler("/storage", response_generator=handler,
                                               allow=RNS.Destination.ALLOW_ALL)

    def do_stored(self, c):
        held = self.storage.documents.get(c["path"])
        if held is None:
            raise KeyError("no such document")
        return {"content_type": held[0], "etag": held[2], **described(held[1])}

    def do_storage_requests(self, c):
        return {"requests": self.storage.requests}


class BenchCommands:
    def do_bench_requests(self, c):
        link, n = self._link(c), c.get("count", 100)
        data = os.urandom(c.get("size", 32))
        lost, good, lat = 0, 0, []
        t = time.time()
        while good < n:
            done, t1 = threading.Event(), time.time()
            rr = link.request(c["path"], data=data, response_callback=lambda r: done.set(),
                              failed_callback=lambda r: done.set(), timeout=20)
            answered = rr and done.wait(c.get("timeout", 3))
            if answered and rr.status == RNS.RequestReceipt.READY:
                good += 1
                lat.append(time.time() - t1)
            else:
                lost += 1
                if lost > n:
                    raise IOError("requests fail")
        s = time.time() - t
        lat.sort()
        return {"count": n, "lost": lost, "seconds": round(s, 4),
                "per_second": round(n / sum(lat), 2), "median_ms": round(lat[n // 2] * 1000, 3)}

    def do_bench_links(self, c):
        lost, n, t = 0, c.get("count", 50), time.time()
        for _ in range(n):
            try:
                link = self.links.pop(self.do_link(c)["link"])
                link.teardown()
            except TimeoutError:
                lost += 1
        return {"count": n, "lost": lost, "per_second": round((n - lost) / (time.time() - t), 2)}

    def do_bench_announces(self, c):
        packets = []
        for _ in range(c.get("count", 500)):
            packet = RNS.Destination(RNS.Identity(), RNS.Destination.IN, RNS.Destination.SINGLE,
                                     "bench").announce(app_data=os.urandom(32), send=False)
            packet.pack()
            packets.append(packet.raw)
        unpacked = [RNS.Packet(None, raw) for raw in packets]
        for packet in unpacked:
            packet.unpack()
        t = time.time()
        good = sum(bool(RNS.Identity.validate_announce(packet)) for packet in unpacked)
        return {"count": good, "per_second": round(good / (time.time() - t), 1)}
