"""Sealed envelopes and key rings in Python, written from docs/PROTOCOL.md alone."""
import hmac
import os
import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

FRAME = 65_536
HEAD = struct.Struct(">c8s16s12s")


def hkdf(secret, salt, info):
    pseudorandom = hmac.digest(salt, secret, "sha256")
    return hmac.digest(pseudorandom, info + b"\x01", "sha256")


def space_secret(keyring, owner):
    """The current secret of `owner` (16 bytes) in the bytes of a key ring file."""
    assert keyring[:16] == b"meshstow keys 1\n"
    [count] = struct.unpack(">H", keyring[16:18])
    entries = [keyring[18 + 48 * i:66 + 48 * i] for i in range(count)]
    return [entry[16:] for entry in entries if entry[:16] == owner][-1]


def key_id(secret):
    return hkdf(secret, bytes(32), b"meshstow key id")[:8]


class Frames:
    """Key, nonces and associated data of one envelope."""

    def __init__(self, secret, owner, path, version, iv):
        self.cipher = ChaCha20Poly1305(hkdf(secret, version, b"meshstow envelope key"))
        name = path.encode()
        self.prefix = (b"meshstow envelope 1" + owner + version + struct.pack(">I", len(name))
                       + name)
        self.iv = iv

    def nonce(self, number):
        low = int.from_bytes(self.iv[4:], "big") ^ number
        return self.iv[:4] + low.to_bytes(8, "big")

    def associated(self, number, is_last):
        return self.prefix + struct.pack(">Q?", number, is_last)


def cut(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)] or [b""]


def seal(secret, owner, path, body):
    version, iv = os.urandom(16), os.urandom(12)
    frames, pieces = Frames(secret, owner, path, version, iv), cut(body, FRAME)
    sealed = [frames.cipher.encrypt(frames.nonce(i), piece,
                                    frames.associated(i, i == len(pieces) - 1))
              for i, piece in enumerate(pieces)]
    return HEAD.pack(b"\xc1", key_id(secret), version, iv) + b"".join(sealed)


def open_sealed(secret, owner, path, envelope):
    form, key, version, iv = HEAD.unpack(envelope[:HEAD.size])
    assert form == b"\xc1" and key == key_id(secret)
    frames = Frames(secret, owner, path, version, iv)
    pieces = cut(envelope[HEAD.size:], FRAME + 16)
    return b"".join(frames.cipher.decrypt(frames.nonce(i), piece,
                                          frames.associated(i, i == len(pieces) - 1))
                    for i, piece in enumerate(pieces))
