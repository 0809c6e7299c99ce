"""A storage node in a page of Python: what anybody could write from docs/PROTOCOL.md alone.

Holds documents in memory. Whoever identified and signed may write; anybody may read documents under
/public/. `data` of private and shared documents is kept as it came: sealed.
"""
import hashlib
import json

import storage_messages


class Refused(Exception):
    def __init__(self, code, status, text):
        super().__init__(text)
        self.code, self.status, self.text = code, status, text


class PythonStorageNode:
    def __init__(self, signer):
        self.signer = signer
        self.documents = {}   # path -> (content type, bytes, etag)
        self.requests = []    # messages seen, without data
        self.writes = 0
        self.remembered = {}  # (link, request) -> answer

    def answer(self, value, link_id, verifier):
        """`verifier` is None on a link that nobody identified."""
        form, path = "msgpack", ""
        try:
            message, form = storage_messages.decode(value)
            path = message.get("path", "")
            key = (link_id, message.get("signature"))
            if key[1] and key in self.remembered:
                return self.remembered[key]
            shown = {k: v for k, v in message.items() if k not in ("data", "signature")}
            self.requests.append(shown)
            reply = self.handle(message, link_id, verifier)
        except storage_messages.Malformed as problem:
            key = (link_id, None)
            reply = storage_messages.error("STORE004", str(problem), path, 400)
        except Refused as refusal:
            reply = storage_messages.error(refusal.code, refusal.text, path, refusal.status)
        signed = storage_messages.sign(reply, link_id, self.signer)
        encoded = storage_messages.encode(signed, form)
        if key[1] and reply.get("status") != 401:
            self.remembered[key] = encoded
        return encoded

    def handle(self, message, link_id, verifier):
        operation, path = message["operation"], message["path"]
        is_open = operation == "GET" and path.startswith("/public/") and not path.endswith("/")
        if verifier is None:
            if not is_open:
                raise Refused("STORE002", 401, "identify first")
        elif not storage_messages.verifies(message, link_id, verifier):
            raise Refused("STORE002", 401, "signature missing or wrong")
        headers = message.get("headers", {})
        if operation == "GET" and path.endswith("/"):
            return self.list_folder(path)
        held = self.documents.get(path)
        if operation == "GET":
            return self.get(held, headers)
        self.check_conditions(held, headers)
        self.writes += 1
        if operation == "DELETE":
            if held is None:
                raise Refused("STORE001", 404, "no such document")
            del self.documents[path]
            return storage_messages.response(200, {"ETag": held[2]})
        digest = hashlib.sha256(message["data"] + str(self.writes).encode()).hexdigest()
        etag = '"' + digest[:16] + '"'
        content_type = headers.get("Content-Type", "application/octet-stream")
        self.documents[path] = (content_type, message["data"], etag)
        return storage_messages.response(200, {"ETag": etag})

    @staticmethod
    def check_conditions(held, headers):
        match, none_match = headers.get("If-Match"), headers.get("If-None-Match")
        if match is not None and (held is None or held[2] not in match):
            raise Refused("STORE005", 412, "If-Match does not hold")
        if none_match == "*" and held is not None:
            raise Refused("STORE005", 412, "there is a document")

    @staticmethod
    def get(held, headers):
        if held is None:
            raise Refused("STORE001", 404, "no such document")
        content_type, data, etag = held
        if etag in headers.get("If-None-Match", ""):
            return storage_messages.response(304, {"ETag": etag})
        return storage_messages.response(200, {"Content-Type": content_type, "ETag": etag,
                                               "Content-Length": str(len(data))}, data)

    def list_folder(self, path):
        items = {}
        for name, (content_type, data, etag) in sorted(self.documents.items()):
            if name.startswith(path):
                rest = name[len(path):]
                if "/" in rest:
                    items[rest.split("/")[0] + "/"] = {"ETag": etag.strip('"')}
                else:
                    items[rest] = {"ETag": etag.strip('"'), "Content-Type": content_type,
                                   "Content-Length": len(data)}
        body = json.dumps({"@context": "http://remotestorage.io/spec/folder-description",
                           "items": items}).encode()
        tag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        return storage_messages.response(200, {"Content-Type": "application/ld+json", "ETag": tag,
                                               "Content-Length": str(len(body))}, body)
