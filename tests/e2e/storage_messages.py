"""Storage messages as a Python program writes them: canonical JSON, signature, the three forms.

Independent of the C++ code on purpose; test_storage_messages.py holds it against the vectors.
A message is a dict; `data`, where there is one, is bytes in here and base64 only in JSON.
"""
import base64
import datetime
import hashlib
import json

FORMS = ("msgpack", "json_text", "json_bytes")
LIMIT = 2**53 - 1


class Malformed(ValueError):
    """What a node answers with STORE004."""


def check_values(value):
    """C3: text, integers within +-(2^53-1), booleans, arrays, maps with text keys."""
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, bool):
        pass
    elif isinstance(value, int):
        if abs(value) > LIMIT:
            raise Malformed("integer too large")
    elif isinstance(value, list):
        for item in value:
            check_values(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise Malformed("key is not text")
            check_values(key)
            check_values(item)
    else:
        raise Malformed("no value of a message: " + type(value).__name__)


def canonical(value):
    """RFC 8785 for the values of C3: keys by UTF-16 code units, no white space."""
    def ordered(item):
        if isinstance(item, dict):
            keys = sorted(item, key=lambda key: key.encode("utf-16-be"))
            return {key: ordered(item[key]) for key in keys}
        return [ordered(part) for part in item] if isinstance(item, list) else item

    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def signed_bytes(message, link_id):
    """C0 to C2: what the signature is over."""
    plain = {key: value for key, value in message.items() if key != "signature"}
    if "data" in plain:
        if not isinstance(plain["data"], bytes):
            raise Malformed("data is no byte string")
        plain["data"] = hashlib.sha256(plain["data"]).hexdigest()
    check_values(plain)
    return link_id + canonical(plain)


def now_text():
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def encode(message, form):
    """The value to give to RNS: a dict (MessagePack), or JSON as str or bytes."""
    if form == "msgpack":
        return message
    plain = dict(message)
    if "data" in plain:
        plain["data"] = base64.b64encode(plain["data"]).decode()
    if "signature" in plain:
        plain["signature"] = plain["signature"].hex()
    text = json.dumps(plain, ensure_ascii=False)
    return text if form == "json_text" else text.encode("utf-8")


def refuse_twice(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise Malformed("member given twice")
    return dict(pairs)


def decode(value):
    """(message, form) of a value that RNS received."""
    if isinstance(value, dict):
        return value, "msgpack"
    form = "json_text" if isinstance(value, str) else "json_bytes"
    text = value if isinstance(value, str) else value.decode("utf-8")
    try:
        message = json.loads(text, object_pairs_hook=refuse_twice)
        if "data" in message:
            data = base64.b64decode(message["data"], validate=True)
            if base64.b64encode(data).decode() != message["data"]:
                raise Malformed("base64 with unused bits set")
            message["data"] = data
        if "signature" in message:
            message["signature"] = bytes.fromhex(message["signature"])
    except Malformed:
        raise
    except (ValueError, TypeError) as error:
        raise Malformed(str(error)) from error
    return message, form


def sign(message, link_id, signer):
    """`signer`: bytes -> 64 bytes. A copy with the signature as last member."""
    return {**message, "signature": signer(signed_bytes(message, link_id))}


def verifies(message, link_id, verifier):
    """`verifier`: (signature, bytes) -> bool. False without a signature."""
    signature = message.get("signature")
    return isinstance(signature, bytes) and verifier(signature, signed_bytes(message, link_id))


def request(operation, path, headers=None, data=None, timestamp=None):
    message = {"type": "storage_request", "version": "1.0", "operation": operation, "path": path}
    if headers is not None:
        message["headers"] = headers
    if data is not None:
        message["data"] = data
    message["timestamp"] = timestamp or now_text()
    return message


def response(status, headers, data=None):
    message = {"type": "storage_response", "version": "1.0", "status": status, "headers": headers}
    if data is not None:
        message["data"] = data
    message["timestamp"] = now_text()
    return message


def error(code, text, path, status):
    return {"type": "storage_error", "code": code, "message": text, "path": path,
            "status": status, "timestamp": now_text()}
