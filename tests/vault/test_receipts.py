"""Receipts: anybody can check them offline, nobody can change or make them."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from headshotly.frontdoor.commands.receipt import receipt as command
from headshotly.vault import receipt
from headshotly.vault.errors import ReceiptForged

REPOSITORY = Path(__file__).resolve().parents[2]
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STATEMENT = {
    "subject": "11111111-1111-4111-8111-111111111111",
    "erased_at": "2026-11-24T12:00:00+00:00",
    "key": "destroyed",
    "objects": [{"id": "22222222-2222-4222-8222-222222222222", "kind": "photo", "readable": False}],
    "backups": "zaszyfrowane, nie do otwarcia",
}
RECEIPT = receipt.sign(STATEMENT, KEY)
VECTOR = json.loads((REPOSITORY / "docs" / "formats" / "receipt-vector.json").read_text(encoding="utf-8"))


def test_a_genuine_receipt_is_accepted():
    assert receipt.verify(RECEIPT) == STATEMENT
    assert receipt.verify(RECEIPT, expected_key=receipt.public_key(KEY) + "\n") == STATEMENT
    assert receipt.verify(json.loads(json.dumps(RECEIPT, indent=4, sort_keys=True))) == STATEMENT


def changes(value):
    """Every place of a document changed a little, one at a time."""
    match value:
        case dict():
            for name in value:
                for changed in changes(value[name]):
                    yield {**value, name: changed}
                yield {other: value[other] for other in value if other != name}
                yield {**{other: value[other] for other in value if other != name}, name + "x": value[name]}
            yield {**value, "more": 1}
        case list():
            for position in range(len(value)):
                for changed in changes(value[position]):
                    yield [*value[:position], changed, *value[position + 1 :]]
                yield value[:position] + value[position + 1 :]
            yield [*value, {}]
        case bool():
            yield not value
        case str():
            yield value + "x"
            yield value[1:]
            yield None
        case _:
            raise AssertionError(f"the receipt holds {value!r}, which is never changed here")


def test_every_change_is_refused():
    tried = 0
    for changed in changes(RECEIPT):
        with pytest.raises(ReceiptForged):
            receipt.verify(changed)
        tried += 1
    assert tried > 50


@pytest.mark.parametrize("document", [None, [], {}, "x", 1, {"format": receipt.FORMAT}])
def test_what_is_no_receipt_is_refused(document):
    with pytest.raises(ReceiptForged):
        receipt.verify(document)


@given(
    st.recursive(st.none() | st.booleans() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5)
)
def test_noise_under_the_right_names_is_refused(noise):
    with pytest.raises(ReceiptForged):
        receipt.verify({**RECEIPT, "statement": noise})
    with pytest.raises(ReceiptForged):
        receipt.verify({**RECEIPT, "signature": noise})
    with pytest.raises(ReceiptForged):
        receipt.verify({**RECEIPT, "public_key": noise})


def test_somebody_else_s_signature_is_refused_where_our_key_is_known():
    forged = receipt.sign(STATEMENT, Ed25519PrivateKey.generate())
    assert receipt.verify(forged) == STATEMENT  # it is consistent in itself, and that is all it says
    with pytest.raises(ReceiptForged, match="another key"):
        receipt.verify(forged, expected_key=receipt.public_key(KEY))


def test_a_signature_over_the_bare_statement_is_not_a_receipt_s():
    bare = json.dumps(STATEMENT, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(ReceiptForged):
        receipt.verify({**RECEIPT, "signature": base64.b64encode(KEY.sign(bare)).decode()})


def test_the_published_vector_is_accepted_and_reproduced():
    assert receipt.verify(VECTOR["receipt"], expected_key=VECTOR["receipt"]["public_key"])
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTOR["private_key"]))
    assert receipt.sign(VECTOR["receipt"]["statement"], key) == VECTOR["receipt"]
    signed = bytes.fromhex(VECTOR["signed_bytes"])
    key.public_key().verify(base64.b64decode(VECTOR["receipt"]["signature"]), signed)


def test_the_command_says_what_is_certified(tmp_path):
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(RECEIPT))
    done = CliRunner().invoke(command, ["verify", str(file), "--key", receipt.public_key(KEY)])
    assert done.exit_code == 0
    assert "1 objects" in done.output
    assert STATEMENT["objects"][0]["id"] in done.output
    assert "--key" not in done.output
    assert "Give --key" in CliRunner().invoke(command, ["verify", str(file)]).output


def test_the_command_needs_neither_database_nor_settings(tmp_path):
    """A fresh process without any of our folders: what a customer has at home."""
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(RECEIPT))
    program = str(Path(sys.executable).with_name("headshotly"))
    home = {"PATH": "/usr/bin:/bin", "HEADSHOTLY_DATA": str(tmp_path / "data"), "LANG": "C.UTF-8"}
    good = subprocess.run(
        [program, "receipt", "verify", str(file)], env=home, capture_output=True, text=True, check=False
    )
    assert good.returncode == 0, good.stderr
    assert not (tmp_path / "data").exists()
    file.write_text(json.dumps({**RECEIPT, "statement": {**STATEMENT, "objects": []}}))
    bad = subprocess.run(
        [program, "receipt", "verify", str(file)], env=home, capture_output=True, text=True, check=False
    )
    assert bad.returncode == 1
    assert bad.stderr == "headshotly: The receipt was changed after it was signed, or was never signed.\n"


@pytest.mark.parametrize("content", ["", "{", "null", "[]", "\x00", "9" * 5000])
def test_the_command_refuses_other_files(tmp_path, content):
    file = tmp_path / "receipt.json"
    file.write_text(content)
    assert isinstance(CliRunner().invoke(command, ["verify", str(file)]).exception, ReceiptForged)
