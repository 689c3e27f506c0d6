"""Content credentials: a signed statement inside a picture that says what made it (C2PA 2.2, claim version 2).

Nothing here reaches the network: no remote manifest, no OCSP, no time stamp. A statement is as good as its
certificate; one that we made ourselves shows that a picture was not changed since, and no more. ``read`` says so.
"""

import datetime as dt
import io
import json
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import c2pa
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from headshotly.studio.errors import CredentialsUnusable

SELF_MADE = "HeadShotly, not publicly trusted"
VALID = dt.timedelta(days=3 * 365)
_COORDINATE = 32  # bytes of each half of an ECDSA signature on P-256
_UNTRUSTED, _UNREADABLE = "signingCredential.untrusted", "unreadable"
_NO_TRAINING = ("cawg.ai_inference", "cawg.ai_training", "cawg.ai_generative_training", "cawg.data_mining")


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who signs.

    Attributes:
        chain: certificates as PEM, the signer's own first.
        key: the signer's private key, on P-256.
        expires: when the signer's certificate ends.
        self_made: whether we issued it ourselves, so that nobody else vouches for it.
    """

    chain: str
    key: ec.EllipticCurvePrivateKey
    expires: dt.datetime
    self_made: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """What a picture's content credentials say.

    Attributes:
        intact: whether the picture is, bit for bit, what was signed.
        trusted: whether the certificate is on a trust list given to the reader; we give none, so it never is.
        signer: name in the certificate.
        issuer: organisation in the certificate.
        source: the digital source type, an address of the IPTC's list.
        actions: what was done, in the words of C2PA.
        software: what did it.
        failures: why it is not intact, in C2PA's codes.
    """

    intact: bool
    trusted: bool
    signer: str
    issuer: str
    source: str
    actions: tuple[str, ...]
    software: str
    failures: tuple[str, ...]

    @property
    def readable(self) -> bool:
        """Return whether there was anything to read, right or wrong."""
        return self.failures != (_UNREADABLE,)


def _certificate(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey, now: dt.datetime
) -> x509.Certificate:
    """Return a certificate of the profile of C2PA 2.2, section 14.5; the issuer of itself is an authority."""
    authority = key is signer
    named = {
        name: x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, SELF_MADE),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        for name in (subject, issuer)
    }
    usage = dict.fromkeys(_USES, False) | {_USES[5 if authority else 0]: True}
    builder = (
        x509.CertificateBuilder()
        .subject_name(named[subject])
        .issuer_name(named[issuer])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not authority:
        # C2PA's own purpose is not yet in every validator; that of signed mail is accepted by all.
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(signer, SHA256())


_USES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def make(now: dt.datetime) -> bytes:
    """Return a new certificate chain and its key as one PEM file; the authority's own key is thrown away.

    Args:
        now: when it begins to hold.
    """
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    top, bottom = "Self-made authority", "Content credentials"
    parts = (
        _certificate(bottom, leaf, top, root, now).public_bytes(Encoding.PEM),
        _certificate(top, root, top, root, now).public_bytes(Encoding.PEM),
        leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    return b"".join(parts)


def load(pem: bytes, now: dt.datetime) -> Signatory:
    """Return the signatory in a PEM file: its certificate, those above it, and its key.

    Args:
        pem: the file.
        now: a certificate that does not hold now is refused.

    Raises:
        CredentialsUnusable: no certificate, no key on P-256, not of one pair, or not in date.
    """
    try:
        certificates = x509.load_pem_x509_certificates(pem)
        key = load_pem_private_key(pem[pem.index(b"-----BEGIN", pem.rindex(b"-----END CERTIFICATE")) :], password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CredentialsUnusable(
            "The file for content credentials must hold a certificate, those above it, and then its key, as PEM."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CredentialsUnusable("The key for content credentials must be one on the curve P-256 (ES256).")
    if key.public_key() != certificates[0].public_key():
        raise CredentialsUnusable("The key for content credentials does not belong to the first certificate.")
    if not certificates[0].not_valid_before_utc <= now < certificates[0].not_valid_after_utc:
        raise CredentialsUnusable("The certificate for content credentials is not in date.")
    chain = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates).decode("ascii")
    names = certificates[0].issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    own = any(name.value == SELF_MADE for name in names)
    return Signatory(chain, key, certificates[0].not_valid_after_utc, own)


def _context() -> c2pa.Context:
    """Return this process's context; the library's does not outlive a fork."""
    return _context_of(os.getpid())


@cache
def _context_of(_process: int) -> c2pa.Context:
    settings = c2pa.Settings.from_dict(
        {
            "builder": {"thumbnail": {"enabled": False}},
            "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
        }
    )
    return c2pa.Context(settings=settings)


def sign(jpeg: bytes, *, signatory: Signatory, source: str, software: str, actions: tuple[str, ...]) -> bytes:
    """Return a JPEG with content credentials.

    Args:
        jpeg: the finished file; after this not a bit of it may change.
        signatory: who signs.
        source: digital source type, an address of the IPTC's list.
        software: what made it.
        actions: what was done after it was created, in the words of C2PA, such as ``c2pa.cropped``.

    Raises:
        CredentialsUnusable: the certificate is not one that content credentials can be signed with.
    """

    def signed(data: bytes) -> bytes:
        r, s = decode_dss_signature(signatory.key.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(_COORDINATE) + s.to_bytes(_COORDINATE)

    done: list[dict[str, Any]] = [
        {"action": "c2pa.created", "digitalSourceType": source, "softwareAgent": {"name": software}}
    ]
    done += [{"action": action} for action in actions]
    manifest = {
        "claim_generator_info": [{"name": "HeadShotly"}],
        "title": "headshot.jpg",
        "format": "image/jpeg",
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": done}},
            # Nobody gave leave to train on this face.
            {
                "label": "cawg.training-mining",
                "data": {"entries": {one: {"use": "notAllowed"} for one in _NO_TRAINING}},
            },
        ],
    }
    out = io.BytesIO()
    try:
        with (
            c2pa.Signer.from_callback(signed, c2pa.C2paSigningAlg.ES256, signatory.chain) as signer,
            c2pa.Builder.from_json(json.dumps(manifest), _context()) as builder,
        ):
            builder.sign(signer, "image/jpeg", io.BytesIO(jpeg), out)
    except c2pa.C2paError as error:
        raise CredentialsUnusable(
            "The picture could not be signed: the certificate for content credentials does not fit the profile of C2PA."
        ) from error
    return out.getvalue()


def read(data: bytes, media_type: str = "image/jpeg") -> Statement | None:
    """Return what a file's content credentials say, or None where it has none.

    Args:
        data: the file, from anybody.
        media_type: of the file.
    """
    try:
        reader = c2pa.Reader.try_create(media_type, io.BytesIO(data), context=_context())
        if reader is None:
            return None
        with reader:
            report = json.loads(reader.json())
            state = reader.get_validation_state()
    except (c2pa.C2paError, ValueError):
        return Statement(
            intact=False,
            trusted=False,
            signer="",
            issuer="",
            source="",
            actions=(),
            software="",
            failures=(_UNREADABLE,),
        )
    return _statement(report, state)


def _statement(report: dict[str, Any], state: str | None) -> Statement:
    active = report.get("manifests", {}).get(report.get("active_manifest"), {})
    signature = active.get("signature_info", {})
    done = [
        action
        for assertion in active.get("assertions", [])
        if str(assertion.get("label", "")).startswith("c2pa.actions")
        for action in assertion.get("data", {}).get("actions", [])
    ]
    failures = tuple(str(each.get("code")) for each in report.get("validation_status", []))
    agents = [action["softwareAgent"] for action in done if "softwareAgent" in action]
    software = agents[0].get("name", "") if agents and isinstance(agents[0], dict) else ""
    return Statement(
        intact=state in {"Valid", "Trusted"},
        trusted=state == "Trusted",
        signer=str(signature.get("common_name", "")),
        issuer=str(signature.get("issuer", "")),
        source=next((str(action["digitalSourceType"]) for action in done if "digitalSourceType" in action), ""),
        actions=tuple(str(action.get("action")) for action in done),
        software=str(software),
        failures=tuple(code for code in failures if code != _UNTRUSTED),
    )
