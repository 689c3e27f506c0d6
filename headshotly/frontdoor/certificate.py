"""The development certificate of the embedded server: made on first use, renewed before it expires."""

import datetime as dt
import fcntl
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from headshotly.policy import clock

VALID = dt.timedelta(days=90)
RENEW_BEFORE = dt.timedelta(days=20)


def _is_current(path: Path, host: str) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    known = host in names.get_values_for_type(x509.DNSName) or host in map(
        str, names.get_values_for_type(x509.IPAddress)
    )
    return known and clock.now() < certificate.not_valid_after_utc - RENEW_BEFORE


def _names(host: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    if host not in {"localhost", "127.0.0.1", "::1"}:
        names.append(x509.DNSName(host))
    return names


def ensure(folder: Path, *, host: str) -> tuple[Path, Path]:
    """Return certificate and key files, made anew where missing, for another host, or about to expire.

    The key is written before the certificate: a crash in between leaves a pair that does not match, which the next
    start replaces because the certificate is the older or missing one. Of several servers that share the folder one
    makes the pair while the others wait; the lock of one that dies is gone with it.

    Args:
        folder: where they live; the key is readable by its owner only.
        host: the public host name.
    """
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    if key_path.exists() and _is_current(certificate_path, host):
        return certificate_path, key_path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (key_path.exists() and _is_current(certificate_path, host)):
            _make(certificate_path, key_path, host)
    return certificate_path, key_path


def _make(certificate_path: Path, key_path: Path, host: str) -> None:
    certificate_path.unlink(missing_ok=True)
    key_path.unlink(missing_ok=True)  # its mode would stay
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "HeadShotly development")])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )
    with os.fdopen(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate_path.write_bytes(certificate.public_bytes(Encoding.PEM))
