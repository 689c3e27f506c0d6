"""security.txt: what RFC 9116 asks for, signed, and kept from expiring by a duty (clause 10.3)."""

import datetime as dt
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.policy import clock
from headshotly.policy.duties import declared
from headshotly.proof import openpgp, security_text, security_txt
from headshotly.proof.errors import KeyDamaged, NotOpened
from headshotly.proof.models import SecurityText
from headshotly.proof.security_txt import Contacts
from tests.accounts.conftest import browser

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("10.3")]
NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
US = Contacts(public_url="https://localhost:8443", email="security@headshotly.ai")
HERE = "https://localhost:8443/.well-known/security.txt"


def text(**changes) -> str:
    return security_txt.write(US, expires_at=changes.get("expires_at", NOW + dt.timedelta(days=90)))


def test_what_we_write_is_valid() -> None:
    assert security_txt.problems(text(), canonical=HERE, at=NOW) == []
    assert [name for name, _ in security_txt.fields(text())] == [
        "Contact", "Contact", "Expires", "Encryption", "Acknowledgments", "Preferred-Languages", "Canonical", "Policy",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Contact:", "X:", "names no contact"),
        ("mailto:security", "http:security", "neither https: nor mailto:"),
        ("Expires: 2027-02-25", "Expires: 2026-11-26", "It expired on 2026-11-26"),
        ("Expires: 2027-02-25", "Expires: 2028-02-25", "more than a year ahead"),
        ("Expires: 2027-02-25", "Expires: soon", "no moment"),
        ("Canonical: https", "Canonical: http", "no https: address"),
        ("localhost:8443/.well-known", "elsewhere.example/.well-known", "does not say that"),
        ("Preferred-Languages: en, pl", "Preferred-Languages: en\nPreferred-Languages: pl", "more than once"),
    ],
)
def test_every_fault_is_named(old, new, says) -> None:
    assert old in text()
    assert says in " ".join(security_txt.problems(text().replace(old, new), canonical=HERE, at=NOW))


@given(st.text())
def test_no_text_breaks_the_reader(garbage) -> None:
    assert security_txt.problems(garbage, canonical=HERE, at=NOW)


def test_it_is_signed_served_and_good(settings) -> None:
    client = browser()
    assert client.get("/.well-known/security.txt").status_code == 404
    made = security_text.sign_when_due()
    answer = client.get("/.well-known/security.txt")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == made.signed
    assert security_text.faults() == []
    assert client.get("/security.txt").url == "/.well-known/security.txt"
    assert client.get("/trust/openpgp-key.asc").content.decode() == made.certificate
    assert "PRIVATE" not in made.certificate


def test_gnupg_agrees_with_the_signature(tmp_path) -> None:
    gpg = shutil.which("gpg")
    if gpg is None:
        # The library's own verification is tested above; a second opinion needs the program.
        assert security_text.sign_when_due() is not None
        return
    made = security_text.sign_when_due()
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    (tmp_path / "key.asc").write_text(made.certificate)
    (tmp_path / "security.txt").write_text(made.signed)
    call = [gpg, "--homedir", str(home), "--batch", "--status-fd", "1"]
    assert subprocess.run([*call, "--import", str(tmp_path / "key.asc")], capture_output=True).returncode == 0
    done = subprocess.run([*call, "--verify", str(tmp_path / "security.txt")], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"VALIDSIG" in done.stdout
    assert made.fingerprint.upper().encode() in done.stdout


def test_the_duty_keeps_it_from_expiring(monkeypatch) -> None:
    (duty,) = [one for one in declared() if one.name == "proof.sign-security-text"]
    assert "signed until" in duty.run()
    assert "is good" in duty.run()
    first, real = security_text.current(), clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + dt.timedelta(days=31))
    assert "signed until" in duty.run()
    newest = security_text.current()
    assert newest.expires_at - first.expires_at >= dt.timedelta(days=30)
    monkeypatch.setattr(clock, "now", lambda: real() + dt.timedelta(days=500))
    assert "It expired" in " ".join(security_text.faults())


def test_another_address_or_another_key_is_signed_anew(settings, tmp_path) -> None:
    security_text.sign_when_due()
    settings.HEADSHOTLY = replace(settings.HEADSHOTLY, public_url="https://headshotly.example")
    assert any("does not say that" in one for one in security_text.faults())
    assert security_text.sign_when_due() is not None
    key = settings.HEADSHOTLY.data_folder / "security-txt-key.asc"
    assert key.stat().st_mode & 0o077 == 0
    key.unlink()
    assert security_text.sign_when_due().fingerprint != SecurityText.objects.order_by("id").first().fingerprint


def test_a_forged_text_does_not_hold() -> None:
    made = security_text.sign_when_due()
    SecurityText.objects.update(signed=made.signed.replace("security@", "evil@"))
    assert security_text.faults() == ["The signature on security.txt does not hold."]
    assert security_text.sign_when_due() is not None
    assert security_text.faults() == []


def test_a_damaged_key_is_said_and_the_old_text_stays(settings) -> None:
    made = security_text.sign_when_due()
    key = settings.HEADSHOTLY.data_folder / "security-txt-key.asc"
    key.write_text("not a key")
    with pytest.raises(KeyDamaged, match="restore it from its copy"):
        security_text.sign_when_due()
    assert security_text.current() == made
    with pytest.raises(KeyDamaged):
        openpgp.open_message(b"x")


def test_two_makers_of_the_key_agree(settings) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: openpgp.fingerprint(), range(4)))) == 1


def encrypted(words: bytes) -> bytes:
    from pysequoia import Cert, encrypt

    return encrypt(recipients=[Cert.from_bytes(openpgp.certificate().encode())], bytes=words)


def test_what_is_encrypted_to_our_key_is_opened_and_nothing_else() -> None:
    from pysequoia import Tsk, encrypt

    assert openpgp.open_message(encrypted(b"The door is open.")) == b"The door is open."
    other = Tsk.generate("Somebody else <else@example.org>").extract_certificate()
    for message in (encrypt(recipients=[other], bytes=b"x"), b"", b"garbage", encrypted(b"x")[:-60]):
        with pytest.raises(NotOpened):
            openpgp.open_message(message)


def test_a_bomb_harms_nobody() -> None:
    """A few kilobytes that unpack to more than is ever accepted."""
    from headshotly.proof import unwrapping

    bomb = encrypted(b"\0" * (unwrapping.OUTPUT_BYTES_MAX + 1))
    with pytest.raises(NotOpened):
        openpgp.open_message(bomb)
