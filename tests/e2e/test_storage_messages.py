"""The Python side of these tests is held against the vectors too: then what it accepts is proof."""
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from RNS.vendor import umsgpack

import storage_messages
from harness import ROOT

VECTORS = json.loads((ROOT / "tests" / "vectors" / "storage-message-vectors.json").read_text())
LINK = bytes.fromhex(VECTORS["link_id_hex"])
KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["key"]["ed25519_seed_hex"]))


def verifier(signature, data):
    try:
        KEY.public_key().verify(signature, data)
        return True
    except InvalidSignature:
        return False


def forms(vector):
    out = [vector["json"], vector["json"].encode()]
    out += [vector["also_json"]] if "also_json" in vector else []
    for key in ("msgpack_hex", "also_msgpack_hex"):
        if key in vector:
            out.append(umsgpack.unpackb(bytes.fromhex(vector[key])))
    return out


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda v: v["name"])
def test_every_form_of_a_valid_message_verifies(vector):
    for value in forms(vector):
        message, _ = storage_messages.decode(value)
        signed = storage_messages.signed_bytes(message, LINK)
        assert signed[16:].decode() == vector["canonical"]
        assert storage_messages.verifies(message, LINK, verifier)
        assert message["signature"].hex() == vector["signature_hex"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda v: v["name"])
def test_a_refused_message_is_refused_for_the_same_reason(vector):
    values = [vector["json"]] if "json" in vector else []
    if "msgpack_hex" in vector and vector["name"] != "member_twice":
        values.append(umsgpack.unpackb(bytes.fromhex(vector["msgpack_hex"])))
    assert values or vector["name"] == "member_twice"
    for value in values:
        try:
            message, _ = storage_messages.decode(value)
            code = None if storage_messages.verifies(message, LINK, verifier) else "STORE002"
        except storage_messages.Malformed:
            code = "STORE004"
        assert code == vector["code"]
