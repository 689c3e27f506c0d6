"""The embedded server's certificate, where several servers share the folder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from headshotly.frontdoor import certificate


@pytest.mark.parametrize("left", [None, b"half a certif"])
def test_servers_that_start_together_share_one_pair_that_fits(tmp_path: Path, monkeypatch, left: bytes | None) -> None:
    if left:
        (tmp_path / "certificate.pem").write_bytes(left)
        (tmp_path / "key.pem").write_bytes(left)
    made = []
    make = certificate._make
    monkeypatch.setattr(certificate, "_make", lambda *given: (made.append(given), make(*given)))
    with ThreadPoolExecutor(8) as pool:
        pairs = list(pool.map(lambda _: certificate.ensure(tmp_path, host="localhost"), range(8)))
    assert len(made) == 1
    [(public, private)] = set(pairs)
    key = load_pem_private_key(private.read_bytes(), password=None)
    assert x509.load_pem_x509_certificate(public.read_bytes()).public_key() == key.public_key()
    assert private.stat().st_mode & 0o077 == 0
