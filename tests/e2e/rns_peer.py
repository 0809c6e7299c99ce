#!/usr/bin/env python3
"""Scriptable Reticulum peer: the other side of the end-to-end tests and of the benchmarks.

Uses only the public RNS API. One JSON object per line on stdin is a command,
one JSON object per line on stdout is a reply or an event.

  command:  {"id": 1, "cmd": "start", ...}
  reply:    {"id": 1, "ok": true, ...}   or   {"id": 1, "ok": false, "error": "..."}
  event:    {"event": "announce", ...}

Bytes travel as lower-case hex in fields whose name ends in "_hex", or as
{"hex": "..."} inside request data and responses; {"text": "..."} in request
data means a msgpack string. "ready" is the first event.
RNS comes from an installed package or from PYTHONPATH.

Commands (fields in brackets are optional)
  start        configdir, interfaces[], [transport], [share_instance], [instance_name],
               [instance_port], [control_port], [loglevel], [use_existing_config], [options{}]
               interface: {"name","type": "tcp_server"|"tcp_client"|"udp"|"backbone"|"pipe",
                 "port", ["host"], ["forward_port"], ["command"], ["network_name"],
                 ["passphrase"], ["ifac_bits"], ["mode"], ["extra": {}]}
  identity     [private_hex]                     -> identity_hash_hex, public_hex
  destination  name ("app.aspect.aspect"), [prove: all|none], [accept_resources],
               [ratchets_file], [identity]       -> hash_hex   (listens for links too)
  announce     name | hash_hex, [app_data_hex|app_data_text]
  announces    [clear]                           -> list of heard announces
  wait_announce  hash_hex, [timeout]
  path         hash_hex, [timeout]               requests a path and waits
  has_path     hash_hex                          -> known, hops, next_hop_hex
  drop_path    hash_hex
  link         hash_hex, name, [timeout]         -> link (id), rtt, mtu, mdu
  identify     link, [identity]
  serve        name, path, mode: echo|fixed|size|sleep|whoami|none, [data|data_hex],
               [allow: all|none|list], [allowed[]]
               ("size": answers with N random bytes, N = request data)
  request      link, path, [data], [timeout]     -> data | sha256+length when large, seconds
               (data: JSON value, {"hex"}, {"text"} or {"random": n})
  bench_requests  link, path, [count], [size]    -> per_second, median_ms, lost
  bench_links  hash_hex, name, [count]           -> per_second, lost
  bench_announces  name, [count]                 makes them, then -> per_second validated
  storage      link, operation, path, [headers], [data_hex|data_text|data_random], [form],
               [timestamp], [sign: yes|no|wrong|other_link], [change: {member: value} after
               signing], [timeout], [attempts]     -> answer, verified, form, data_*
               [members: {member: value} before signing], [abandon_after: part of the upload,
               then tears the link down]
  storage_again  link                            the last storage value once more, as it was
  serve_storage  name, [bad_signature]           a storage node in Python (python_storage_node.py)
  stored       path                              what that node holds -> data_*, content_type
  storage_requests                               the requests which that node saw
  send_packet  link | hash_hex+name, data_hex, [timeout], [wait_proof]
  resource     link, size | data_hex, [fill], [metadata], [compress], [timeout] -> sha256, seconds
  wait         event name, [match{}], [timeout]  waits for a (past or future) unread event
  teardown     link
  links | interfaces | stats | version
  sleep        seconds
  stop
"""
import hashlib
import json
import os
import queue
import sys
import threading
import time

OUT = os.fdopen(os.dup(1), "w", buffering=1)      # RNS may print; keep stdout for JSON only
os.dup2(2, 1)
sys.stdout = sys.stderr

import RNS  # noqa: E402
from rns_peer_parts import BenchCommands, StorageCommands  # noqa: E402

INLINE = 4096
out_lock = threading.Lock()
ev_cond = threading.Condition()
unread = []
MODES = ("full", "gateway", "access_point", "roaming", "boundary", "ptp", "internal")


def emit(obj):
    with out_lock:
        OUT.write(json.dumps(obj, ensure_ascii=False) + "\n")
        OUT.flush()


def event(name, **kw):
    kw["event"] = name
    kw["t"] = round(time.time(), 4)
    with ev_cond:
        unread.append(kw)
        ev_cond.notify_all()
    emit(kw)


def to_json(v):
    if isinstance(v, (bytes, bytearray)):
        if len(v) > INLINE:
            return {"length": len(v), "sha256": hashlib.sha256(v).hexdigest()}
        return {"hex": bytes(v).hex()}
    if isinstance(v, (list, tuple)):
        return [to_json(x) for x in v]
    if isinstance(v, dict):
        return {(k.hex() if isinstance(k, bytes) else str(k)): to_json(x) for k, x in v.items()}
    return v


def from_json(v):
    if isinstance(v, dict):
        if set(v) == {"hex"}:
            return bytes.fromhex(v["hex"])
        if set(v) == {"text"}:
            return str(v["text"])
        if set(v) == {"random"}:
            return os.urandom(int(v["random"]))
        return {k: from_json(x) for k, x in v.items()}
    if isinstance(v, list):
        return [from_json(x) for x in v]
    return v


def write_config(c):
    opts = {
        "enable_transport": "Yes" if c.get("transport") else "No",
        "share_instance": "Yes" if c.get("share_instance") else "No",
        "panic_on_interface_error": "No",
    }
    if c.get("instance_name"):
        opts["instance_name"] = c["instance_name"]
    if c.get("instance_port"):
        opts.update(shared_instance_type="tcp", shared_instance_port=c["instance_port"],
                    instance_control_port=c.get("control_port", c["instance_port"] + 1))
    opts.update(c.get("options", {}))
    lines = ["[reticulum]"] + [f"  {k} = {v}" for k, v in opts.items()]
    lines += ["[logging]", f"  loglevel = {int(c.get('loglevel', 3))}", "[interfaces]"]
    for i in c.get("interfaces", []):
        kind, host, port = i["type"], i.get("host", "127.0.0.1"), i.get("port")
        keys = {"enabled": "Yes"}
        if kind == "tcp_server":
            keys.update(type="TCPServerInterface", listen_ip=host, listen_port=port)
        elif kind == "backbone":
            keys.update(type="BackboneInterface", listen_on=host, port=port)
        elif kind == "tcp_client":
            keys.update(type="TCPClientInterface", target_host=host, target_port=port)
        elif kind == "udp":
            keys.update(type="UDPInterface", listen_ip=host, listen_port=port,
                        forward_ip=i.get("forward_host", host), forward_port=i["forward_port"])
        elif kind == "pipe":
            keys.update(type="PipeInterface", command=i["command"])
        else:
            keys["type"] = kind
        if i.get("network_name"):
            keys["network_name"] = i["network_name"]
        if i.get("passphrase"):
            keys["passphrase"] = i["passphrase"]
        if i.get("ifac_bits"):
            keys["ifac_size"] = i["ifac_bits"]
        if i.get("mode"):
            if i["mode"] not in MODES:
                raise ValueError("unknown interface mode")
            keys["mode"] = i["mode"]
        keys.update(i.get("extra", {}))
        lines.append(f"  [[{i.get('name', kind + str(port))}]]")
        lines += [f"    {k} = {v}" for k, v in keys.items()]
    os.makedirs(c["configdir"], exist_ok=True)
    with open(os.path.join(c["configdir"], "config"), "w") as f:
        f.write("\n".join(lines) + "\n")


class AnnounceSink:
    aspect_filter = None
    receive_path_responses = True

    def __init__(self):
        self.heard = []

    def received_announce(self, destination_hash, announced_identity, app_data,
                          announce_packet_hash, is_path_response):
        e = {"hash_hex": destination_hash.hex(),
             "identity_hash_hex": announced_identity.hash.hex() if announced_identity else None,
             "app_data_hex": app_data.hex() if app_data is not None else None,
             "path_response": bool(is_path_response),
             "hops": RNS.Transport.hops_to(destination_hash)}
        self.heard.append(e)
        event("announce", **e)


class Peer(StorageCommands, BenchCommands):
    def __init__(self):
        self.rns = None
        self.identity = None
        self.extra_ids = {}
        self.dests = {}
        self.links = {}
        self.names = {}
        self.counter = 0
        self.sink = AnnounceSink()

    # ------------------------------------------------------------ set-up
    def do_start(self, c):
        if not c.get("use_existing_config"):
            write_config(c)
        t = time.time()
        self.rns = RNS.Reticulum(configdir=c["configdir"], loglevel=int(c.get("loglevel", 3)))
        took = time.time() - t
        self.identity = RNS.Identity()
        RNS.Transport.register_announce_handler(self.sink)
        return {"seconds": round(took, 4), "rns_version": RNS.__version__,
                "transport": RNS.Reticulum.transport_enabled(),
                "transport_id_hex": RNS.Transport.identity.hash.hex(),
                "shared_client": self.rns.is_connected_to_shared_instance,
                "identity_hash_hex": self.identity.hash.hex()}

    def do_version(self, c):
        return {"rns_version": RNS.__version__, "pid": os.getpid()}

    def do_identity(self, c):
        if c.get("private_hex"):
            self.identity = RNS.Identity.from_bytes(bytes.fromhex(c["private_hex"]))
        return {"identity_hash_hex": self.identity.hash.hex(),
                "public_hex": self.identity.get_public_key().hex()}

    def _identity(self, c):
        if c.get("identity"):
            return RNS.Identity.from_bytes(bytes.fromhex(c["identity"]))
        return self.identity

    def do_destination(self, c):
        app, *aspects = c["name"].split(".")
        d = RNS.Destination(self._identity(c), RNS.Destination.IN, RNS.Destination.SINGLE, app,
                            *aspects)
        if c.get("ratchets_file"):
            d.enable_ratchets(c["ratchets_file"])
        d.set_proof_strategy(RNS.Destination.PROVE_NONE if c.get("prove") == "none"
                             else RNS.Destination.PROVE_ALL)
        d.set_packet_callback(lambda data, pkt: event("packet", hash_hex=d.hash.hex(),
                                                      data_hex=data.hex(), hops=pkt.hops))
        accept = c.get("accept_resources", True)
        d.set_link_established_callback(lambda l: self._incoming(l, accept))
        self.dests[c["name"]] = d
        return {"hash_hex": d.hash.hex(), "name": c["name"]}

    def _dest(self, c):
        if c.get("name") in self.dests:
            return self.dests[c["name"]]
        for d in self.dests.values():
            if d.hash.hex() == c.get("hash_hex"):
                return d
        raise KeyError("no such local destination")

    def do_announce(self, c):
        data = None
        if "app_data_hex" in c:
            data = bytes.fromhex(c["app_data_hex"])
        elif "app_data_text" in c:
            data = c["app_data_text"].encode()
        self._dest(c).announce(app_data=data)
        return {}

    def do_announces(self, c):
        r = list(self.sink.heard)
        if c.get("clear"):
            self.sink.heard.clear()
        return {"announces": r}

    def do_wait_announce(self, c):
        end = time.time() + c.get("timeout", 15)
        while time.time() < end:
            for e in list(self.sink.heard):
                if e["hash_hex"] == c["hash_hex"]:
                    return e
            time.sleep(0.01)
        raise TimeoutError("announce not heard")

    # ------------------------------------------------------------ paths
    def do_path(self, c):
        hsh = bytes.fromhex(c["hash_hex"])
        t = time.time()
        if not RNS.Transport.await_path(hsh, timeout=c.get("timeout", 15)):
            raise TimeoutError("no path")
        return dict(self.do_has_path(c), seconds=round(time.time() - t, 4))

    def do_has_path(self, c):
        hsh = bytes.fromhex(c["hash_hex"])
        known = RNS.Transport.has_path(hsh)
        nh = RNS.Transport.next_hop(hsh) if known else None
        return {"known": known, "hops": RNS.Transport.hops_to(hsh) if known else None,
                "next_hop_hex": nh.hex() if nh else None,
                "via": str(RNS.Transport.next_hop_interface(hsh)) if known else None}

    def do_drop_path(self, c):
        hsh = bytes.fromhex(c["hash_hex"])
        dropped, end = bool(RNS.Transport.expire_path(hsh)), time.time() + 3
        while RNS.Transport.has_path(hsh) and time.time() < end:
            time.sleep(0.05)
        return {"dropped": dropped, "known": RNS.Transport.has_path(hsh)}

    # ------------------------------------------------------------ links
    def _register(self, link, incoming):
        self.counter += 1
        key = ("in" if incoming else "out") + str(self.counter)
        self.links[key] = link
        self.names[link.link_id] = key
        return key

    def _hook(self, link, accept):
        link.set_packet_callback(lambda d, p: event(
            "link_packet", link=self.names.get(link.link_id), data_hex=d.hex()))
        link.set_link_closed_callback(lambda l: event(
            "link_closed", link=self.names.get(l.link_id),
            reason=getattr(l, "teardown_reason", None)))
        link.set_remote_identified_callback(lambda l, i: event(
            "identified", link=self.names.get(l.link_id), identity_hash_hex=i.hash.hex()))
        link.set_resource_strategy(RNS.Link.ACCEPT_ALL if accept else RNS.Link.ACCEPT_NONE)
        link.set_resource_started_callback(lambda r: event(
            "resource_started", link=self.names.get(r.link.link_id), length=r.total_size))
        link.set_resource_concluded_callback(self._resource_in)

    def _incoming(self, link, accept):
        key = self._register(link, True)
        self._hook(link, accept)
        event("link_established", link=key, link_id_hex=link.link_id.hex(), mtu=link.mtu,
              rtt=link.rtt)

    def _resource_in(self, r):
        ok = r.status == RNS.Resource.COMPLETE
        sha, n = None, 0
        if ok:
            hs = hashlib.sha256()
            while True:
                b = r.data.read(1 << 20)
                if not b:
                    break
                hs.update(b)
                n += len(b)
            sha = hs.hexdigest()
        link = r.link
        event("resource", link=self.names.get(link.link_id) if link else None, complete=ok,
              status=r.status, length=n, sha256=sha,
              metadata=to_json(getattr(r, "metadata", None)) if ok else None)

    def _out_dest(self, c):
        hsh = bytes.fromhex(c["hash_hex"])
        ident = RNS.Identity.recall(hsh)
        if ident is None:
            raise KeyError("identity of destination unknown; announce or path needed first")
        app, *aspects = c["name"].split(".")
        d = RNS.Destination(ident, RNS.Destination.OUT, RNS.Destination.SINGLE, app, *aspects)
        if d.hash != hsh:
            raise ValueError("name does not belong to that hash")
        return d

    def do_link(self, c):
        d = self._out_dest(c)
        up, closed = threading.Event(), threading.Event()
        t = time.time()
        link = RNS.Link(d, established_callback=lambda l: up.set(),
                        closed_callback=lambda l: closed.set())
        end = t + c.get("timeout", 20)
        while not up.is_set() and not closed.is_set() and time.time() < end:
            up.wait(0.002)
        if not up.is_set():
            raise TimeoutError("link not established")
        took = time.time() - t
        key = self._register(link, False)
        self._hook(link, c.get("accept_resources", True))
        return {"link": key, "link_id_hex": link.link_id.hex(), "rtt": link.rtt, "mtu": link.mtu,
                "mdu": link.mdu, "seconds": round(took, 5)}

    def _link(self, c):
        return self.links[c["link"]]

    def do_identify(self, c):
        i = self._identity(c)
        self._link(c).identify(i)
        return {"identity_hash_hex": i.hash.hex()}

    def do_links(self, c):
        return {"links": {k: {"status": l.status, "mtu": l.mtu, "rtt": l.rtt,
                              "link_id_hex": l.link_id.hex()} for k, l in self.links.items()}}

    def do_teardown(self, c):
        self._link(c).teardown()
        return {}

    # ------------------------------------------------------------ requests
    def do_serve(self, c):
        mode, path = c["mode"], c["path"]
        fixed = bytes.fromhex(c["data_hex"]) if "data_hex" in c else from_json(c.get("data"))

        def handler(p, data, request_id, link_id, remote_identity, requested_at):
            event("request", path=p, data=to_json(data), request_id_hex=request_id.hex(),
                  link=self.names.get(link_id),
                  remote_identity_hex=remote_identity.hash.hex() if remote_identity else None)
            if mode == "echo":
                return data
            if mode == "fixed":
                return fixed
            if mode == "size":
                return os.urandom(int(data))
            if mode == "sleep":
                time.sleep(float(data))
                return b"done"
            if mode == "whoami":
                return remote_identity.hash if remote_identity else b""
            return None

        allow, lst = c.get("allow", "all"), None
        pol = RNS.Destination.ALLOW_ALL
        if allow == "none":
            pol = RNS.Destination.ALLOW_NONE
        elif allow == "list":
            pol, lst = RNS.Destination.ALLOW_LIST, [bytes.fromhex(x) for x in c.get("allowed", [])]
        self._dest(c).register_request_handler(path, response_generator=handler, allow=pol,
                                               allowed_list=lst)
        return {}

    def do_request(self, c):
        link, done, box = self._link(c), threading.Event(), {}

        def ok(rr):
            box["r"] = rr
            done.set()

        t = time.time()
        rr = link.request(c["path"], data=from_json(c.get("data")), response_callback=ok,
                          failed_callback=lambda r: done.set(), timeout=c.get("timeout", 20))
        if not rr:
            raise IOError("request not sent")
        if not done.wait(c.get("timeout", 20) + 5):
            raise TimeoutError("no response")
        if "r" not in box:
            raise IOError("request failed")
        resp = rr.response
        if hasattr(resp, "read"):
            resp = resp.read()
        return {"data": to_json(resp), "seconds": round(time.time() - t, 5),
                "request_id_hex": rr.request_id.hex(), "metadata": to_json(rr.metadata)}

    # ------------------------------------------------------------ packets, resources
    def do_send_packet(self, c):
        target = self._link(c) if "link" in c else self._out_dest(c)
        receipt = RNS.Packet(target, bytes.fromhex(c["data_hex"])).send()
        if receipt is False or receipt is None:
            raise IOError("not sent")
        if not c.get("wait_proof"):
            return {"packet_hash_hex": receipt.hash.hex()}
        end = time.time() + c.get("timeout", 10)
        while receipt.status == RNS.PacketReceipt.SENT and time.time() < end:
            time.sleep(0.005)
        if receipt.status != RNS.PacketReceipt.DELIVERED:
            raise TimeoutError("no proof")
        return {"packet_hash_hex": receipt.hash.hex(), "rtt": receipt.get_rtt()}

    def do_resource(self, c):
        size = int(c.get("size", 0))
        data = bytes.fromhex(c["data_hex"]) if "data_hex" in c else os.urandom(size)
        if c.get("fill"):
            data = (c["fill"].encode() * (size // len(c["fill"]) + 1))[:size]
        done, box = threading.Event(), {}

        def concluded(r):
            box["status"] = r.status
            done.set()

        t = time.time()
        RNS.Resource(data, self._link(c), metadata=from_json(c.get("metadata")),
                     auto_compress=bool(c.get("compress", True)), callback=concluded)
        if not done.wait(c.get("timeout", 120)):
            raise TimeoutError("resource not concluded")
        s = time.time() - t
        if box["status"] != RNS.Resource.COMPLETE:
            raise IOError("resource ended with status %d" % box["status"])
        return {"sha256": hashlib.sha256(data).hexdigest(), "length": len(data),
                "seconds": round(s, 4), "bytes_per_second": round(len(data) / s)}

    # ------------------------------------------------------------ misc
    def do_wait(self, c):
        end = time.time() + c.get("timeout", 15)
        want = c.get("match", {})
        with ev_cond:
            while True:
                for i, e in enumerate(unread):
                    if e["event"] == c["name"] and all(e.get(k) == v for k, v in want.items()):
                        unread.pop(i)
                        return {"got": e}
                left = end - time.time()
                if left <= 0:
                    raise TimeoutError("event not seen")
                ev_cond.wait(left)

    def do_interfaces(self, c):
        return {"interfaces": [{"name": str(i), "online": bool(i.online), "rxb": i.rxb,
                                "txb": i.txb, "hw_mtu": i.HW_MTU}
                               for i in list(RNS.Transport.interfaces)]}

    def do_stats(self, c):
        rss = None
        try:
            with open("/proc/self/status") as f:
                rss = next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))
        except OSError:
            pass
        return {"rss_kb": rss, "threads": threading.active_count(),
                "paths": len(RNS.Transport.path_table), "links": len(self.links)}

    def do_sleep(self, c):
        time.sleep(float(c["seconds"]))
        return {}


def main():
    peer, jobs = Peer(), queue.Queue()

    def reader():
        for line in sys.stdin:
            if line.strip():
                jobs.put(line)
        jobs.put(None)

    threading.Thread(target=reader, daemon=True).start()
    event("ready", rns_version=RNS.__version__, pid=os.getpid())
    unread.clear()
    while True:
        line = jobs.get()
        cid = None
        if line is None:
            break
        try:
            c = json.loads(line)
            cid = c.get("id")
            if c["cmd"] == "stop":
                emit({"id": cid, "ok": True})
                break
            fn = getattr(peer, "do_" + c["cmd"], None)
            if fn is None:
                raise ValueError("unknown command " + c["cmd"])
            r = fn(c) or {}
            r.update(id=cid, ok=True)
            emit(r)
        except Exception as e:  # every failure becomes a reply
            emit({"id": cid, "ok": False, "error": type(e).__name__ + ": " + str(e)})
    RNS.exit(0) if peer.rns else os._exit(0)


if __name__ == "__main__":
    main()
