#!/usr/bin/env python3
"""Recomputes meshstow-vectors.json from docs/PROTOCOL.md, independently of the C++ code.

Needs the package `cryptography` (which RNS brings along). Prints what was checked, or fails.
"""
import base64
import hashlib
import hmac
import json
import pathlib
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HERE = pathlib.Path(__file__).resolve().parent
OURS = json.loads((HERE / "meshstow-vectors.json").read_text())
MESSAGES = json.loads((HERE / "storage-message-vectors.json").read_text())
KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(MESSAGES["key"]["ed25519_seed_hex"]))
FRAME = 65536
unhex = bytes.fromhex


def hkdf(secret, salt, info):
    pseudorandom = hmac.digest(salt or bytes(32), secret, "sha256")
    return hmac.digest(pseudorandom, info + b"\x01", "sha256")


def seal(vector, body):
    names = ("space_secret_hex", "version_hex", "iv_hex")
    secret, version, iv = (unhex(vector[name]) for name in names)
    path = vector["path"].encode()
    cipher = ChaCha20Poly1305(hkdf(secret, version, b"meshstow envelope key"))
    out = b"\xc1" + hkdf(secret, b"", b"meshstow key id")[:8] + version + iv
    frames = [body[at:at + FRAME] for at in range(0, len(body), FRAME)] or [b""]
    for number, frame in enumerate(frames):
        nonce = iv[:4] + bytes(a ^ b for a, b in zip(iv[4:], struct.pack(">Q", number)))
        associated = (b"meshstow envelope 1" + unhex(vector["owner_hex"]) + version
                      + struct.pack(">I", len(path)) + path + struct.pack(">Q", number)
                      + bytes([number == len(frames) - 1]))
        out += cipher.encrypt(nonce, frame, associated)
    return out


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def scope_bytes(text):
    for right, prefix in enumerate(("storage:read:", "storage:write:")):
        if text.startswith(prefix):
            path = text[len(prefix):]
            kinds = (("/private/", 1), ("/shared/", 2), ("/public/", 3), ("/", 4))
            start, kind = next(each for each in kinds if path.startswith(each[0]))
            rest = path[len(start):].encode()
            return bytes([kind * 2 + right]) + varint(len(rest)) + rest
    module, level = text.rsplit(":", 1)
    return bytes([level == "rw"]) + varint(len(module)) + module.encode()


def token(vector, expires):
    scopes = vector["scopes"].split(" ")
    flags = 0x40 | (0x20 if vector["holder_hex"] else 0) | (0x10 if expires else 0)
    flags |= len(scopes) - 1
    owner = unhex(vector["issuer_hex"])
    body = bytes([flags]) + unhex(vector["id_hex"]) + owner[:8] + unhex(vector["holder_hex"] or "")
    body += (varint(expires) if expires else b"") + b"".join(map(scope_bytes, scopes))
    signature = KEY.sign(b"meshstow capability 1" + owner + body)
    return base64.urlsafe_b64encode(body + signature).rstrip(b"=").decode()


def canonical(text):
    message = json.loads(text)
    del message["signature"]
    if "data" in message:
        message["data"] = hashlib.sha256(base64.b64decode(message["data"])).hexdigest()
    return json.dumps(message, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def check(what, actual, expected):
    if actual != expected:
        sys.exit(f"{what}: {actual} is not {expected}")
    print("ok", what)


def main():
    for vector in OURS["sealed_envelope"]:
        body = bytes(at & 255 for at in range(vector["plaintext_length"]))
        sealed = seal(vector, unhex(vector["plaintext_hex"]) if "plaintext_hex" in vector else body)
        check("envelope, " + vector["name"], hashlib.sha256(sealed).hexdigest(),
              vector["envelope_sha256_hex"])
        check("  its length", len(sealed), vector["envelope_length"])
        check("  its key_id", sealed[1:9].hex(), vector["key_id_hex"])
    for vector in OURS["capability_token"]:
        expires = 1772366400 if vector["expires"] else None
        check("token, " + vector["scopes"], token(vector, expires), vector["token"])
    ring = OURS["key_ring_file"]
    entries = b"".join(unhex(ring["owner_hex"]) + unhex(each) for each in ring["secrets_hex"])
    start = b"meshstow keys 1\n" + struct.pack(">H", len(ring["secrets_hex"])) + entries
    check("key ring", (start + hashlib.sha256(start).digest()[:8]).hex(), ring["file_hex"])
    for vector in OURS["messages"]:
        check("canonical form, " + vector["name"], canonical(vector["json"]), vector["canonical"])
        signed = unhex(vector["link_id_hex"]) + vector["canonical"].encode()
        check("  its signature", KEY.sign(signed).hex(), vector["signature_hex"])
        check("  in JSON", json.loads(vector["json"])["signature"], vector["signature_hex"])
        check("  in MessagePack", vector["signature_hex"] in vector["msgpack_hex"], True)


if __name__ == "__main__":
    main()
