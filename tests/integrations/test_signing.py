"""Signatures as Standard Webhooks says, and tokens as secret scanners know them: formats, without a database."""

import base64
import hashlib
import hmac
import json
import re
import runpy
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.integrations import signing, tokens
from headshotly.integrations.signing import headers, new_secret, verify

REPOSITORY = Path(__file__).resolve().parents[2]
bodies, moments = st.binary(max_size=300), st.integers(min_value=0, max_value=2**33)
ids = st.text(st.characters(codec="ascii", exclude_characters="."), min_size=1, max_size=40)


def test_the_example_of_the_specification():
    # https://github.com/standard-webhooks/standard-webhooks, its own test vector.
    signature = signing.sign(
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # pragma: allowlist secret
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(message_id=ids, at=moments, body=bodies, late=st.integers(-300, 300))
def test_what_was_signed_verifies_while_it_is_fresh(message_id, at, body, late):
    secret = new_secret()
    carried = headers(secret=secret, message_id=message_id, timestamp=at, body=body)
    assert verify(secret=secret, carried=carried, body=body, now=at + late)
    assert not verify(secret=secret, carried=carried, body=body, now=at + 301)
    assert not verify(secret=secret, carried=carried, body=body, now=at - 301)
    assert not verify(secret=new_secret(), carried=carried, body=body, now=at)


@given(message_id=ids, at=moments, body=bodies, place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_changed_bit_anywhere_is_noticed(message_id, at, body, place, bit):
    secret = new_secret()
    carried = headers(secret=secret, message_id=message_id, timestamp=at, body=body)
    whole = bytearray(body or b"\x00")
    whole[place % len(whole)] ^= 1 << bit
    assert not verify(secret=secret, carried=carried, body=bytes(whole), now=at)
    for name, other in (("webhook-id", message_id + "x"), ("webhook-timestamp", str(at + 1))):
        assert not verify(secret=secret, carried={**carried, name: other}, body=body, now=at)


@given(message_id=ids, at=moments, body=bodies)
def test_it_is_hmac_sha256_over_id_time_and_body(message_id, at, body):
    secret = new_secret()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert len(key) == 32
    expected = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    assert signing.sign(secret=secret, message_id=message_id, timestamp=at, body=body) == (
        "v1," + base64.b64encode(expected).decode()
    )


@pytest.mark.parametrize(
    "change",
    [{"webhook-signature": ""}, {"webhook-timestamp": "now"}, {"webhook-timestamp": "١٢"}, {"webhook-id": "a.b"}, None],
)
def test_nonsense_does_not_verify_and_does_not_raise(change):
    secret = new_secret()
    carried = {} if change is None else {**headers(secret=secret, message_id="a", timestamp=9, body=b""), **change}
    assert not verify(secret=secret, carried=carried, body=b"", now=9)
    assert not verify(
        secret="whsec_%%%", carried=headers(secret=secret, message_id="a", timestamp=9, body=b""), body=b"", now=9
    )


def test_several_signatures_as_while_a_secret_changes():
    old, new = new_secret(), new_secret()
    both = headers(secret=old, message_id="a", timestamp=9, body=b"x")
    other = signing.sign(secret=new, message_id="a", timestamp=9, body=b"x")
    both["webhook-signature"] = f"{other} {both['webhook-signature']}"
    assert verify(secret=old, carried=both, body=b"x", now=9)
    assert verify(secret=new, carried=both, body=b"x", now=9)


@given(
    st.text(st.sampled_from("0123456789abcXYZ"), min_size=43, max_size=43), st.integers(0, 48), st.sampled_from("7kQ")
)
def test_a_scanner_tells_a_token_by_its_prefix_and_checksum(body, place, letter):
    token = f"hsc_{body}{tokens._checksum(body)}"
    assert tokens.looks_genuine(token)
    assert tokens.PATTERN.search(f'token = "{token}";')
    typo = token[4:][:place] + letter + token[4:][place + 1 :]
    assert tokens.looks_genuine(f"hsc_{typo}") == (typo == token[4:])
    assert not tokens.looks_genuine(token + "\n")


def test_a_message_holds_an_id_and_nothing_else():
    from types import SimpleNamespace
    from uuid import UUID

    from headshotly.integrations import delivering
    from headshotly.policy import clock

    row = SimpleNamespace(event="export.ready", about=UUID(int=7), happened_at=clock.now())
    said = json.loads(delivering.body_of(row))
    assert set(said) == {"type", "timestamp", "data"}
    assert said["data"] == {"export_id": str(UUID(int=7))}


def test_the_check_that_the_documentation_gives_takes_what_is_genuine_and_nothing_else(tmp_path) -> None:
    """A program that follows docs/api.md to the letter."""
    (shown,) = re.findall(
        r"```python\n(.*?)```", (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL
    )
    (tmp_path / "receiver.py").write_text(shown)
    names = runpy.run_path(str(tmp_path / "receiver.py"))
    is_genuine, secret, body = names["is_genuine"], signing.new_secret(), b'{"type":"job.done"}'

    def carried(*, seconds: int = 0, by: str = secret) -> dict[str, str]:
        sent = signing.headers(secret=by, message_id="m", timestamp=int(time.time()) - seconds, body=body)
        return {name.lower(): value for name, value in sent.items()}

    assert is_genuine(secret, carried(), body)
    rotated = carried() | {"webhook-signature": f"v1,AAAA {carried()['webhook-signature']}"}
    assert is_genuine(secret, rotated, body)
    assert not is_genuine(secret, carried(), body + b" ")
    assert not is_genuine(secret, carried(seconds=301), body)
    assert not is_genuine(secret, carried(by=signing.new_secret()), body)
    assert not is_genuine(secret, carried() | {"webhook-id": "n"}, body)


def test_every_address_that_the_documentation_names_is_one_of_the_api() -> None:
    paths = json.loads((REPOSITORY / "docs" / "formats" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    known = {re.sub(r"\{\w+\}", "{id}", path) for path in paths}
    text = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    named = [re.sub(r"[A-Z]{3,}|\{id\}", "{id}", one).rstrip("/") for one in re.findall(r"\$A(/[\w/]+)", text)]
    named += re.findall(r"(?:GET|POST|DELETE) (/[a-z/{}]+)", text)
    assert len(named) > 15
    assert set(named) <= known
