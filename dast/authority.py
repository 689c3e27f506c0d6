"""Certificates for the scan: one that an authority of our own vouches for, and one that nobody should trust."""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

type _Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_WEAK_BITS = 1024


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


def _unsigned(
    subject: str, issuer: str, key: _Key, *, begins: dt.datetime, ends: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _keep(folder: Path, key: _Key, *chain: x509.Certificate) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    return certificate, private


def vouched(folder: Path, *, now: dt.datetime) -> Path:
    """Put a certificate for ``localhost`` and its key where the service looks for them.

    Returns:
        The file of the authority that vouches for it.
    """
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    begins, ends = now - dt.timedelta(hours=1), now + dt.timedelta(days=60)
    usage = {"content_commitment": False, "key_encipherment": False, "data_encipherment": False, "key_agreement": False,
             "encipher_only": False, "decipher_only": False}  # fmt: skip
    root = (
        _unsigned("Scan authority", "Scan authority", root_key, begins=begins, ends=ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True, **usage), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, SHA256())
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    leaf = (
        _unsigned("localhost", "Scan authority", key, begins=begins, ends=ends)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, SHA256())
    )
    # The root stands in the file as well: the service trusts its own file when it asks itself whether it answers.
    _keep(folder, key, leaf, root)
    authority = folder / "authority.pem"
    authority.write_bytes(root.public_bytes(Encoding.PEM))
    return authority


def distrusted(folder: Path, *, now: dt.datetime) -> tuple[Path, Path]:
    """Return certificate and key files of a planted flaw: expired, for another host, with a key too short."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_WEAK_BITS)
    made = (
        _unsigned(
            "old.example", "old.example", key, begins=now - dt.timedelta(days=60), ends=now - dt.timedelta(days=1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("old.example")]), critical=False)
        .sign(key, SHA256())
    )
    return _keep(folder, key, made)
